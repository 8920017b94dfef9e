"""Epidemic zones: orders and grades in time, where people are, who is inside or has left, movement."""
