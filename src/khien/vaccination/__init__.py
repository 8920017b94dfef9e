"""Vaccines, programmes and schedules, doses and what happened after them."""
