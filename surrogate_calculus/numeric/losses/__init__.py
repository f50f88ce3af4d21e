"""A user's loss as a program: its derivatives, held against formulas and against expectations."""
