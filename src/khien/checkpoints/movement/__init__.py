"""Declarations, passes, passages and what the police of both communes learn of them."""
