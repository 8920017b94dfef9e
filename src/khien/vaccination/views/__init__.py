"""Pages of vaccination, by subject."""
