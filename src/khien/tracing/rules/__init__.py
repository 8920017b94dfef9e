"""Tracing as pure functions: infectious window, exposure and score, life of a case and of a contact, isolation."""
