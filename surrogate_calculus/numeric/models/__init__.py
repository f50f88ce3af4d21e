"""Models with an exact likelihood and score, to hold estimators against."""
