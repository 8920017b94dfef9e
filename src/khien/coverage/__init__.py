"""Vaccination coverage: a snapshot with one row a person, and questions on it."""
