"""The catalogue: estimators as documents, with their claims.  Empty: its place is kept."""
