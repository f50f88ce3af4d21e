"""A PyTorch function in, a surrogate expression out.  Empty: its place is kept."""
