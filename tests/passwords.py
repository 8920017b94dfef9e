"""Passwords of tests are hashed as always, only with less work: what that work is worth is not what is tested."""

from __future__ import annotations


def cheap() -> None:
    """For this process, before the first password."""
    from django.contrib.auth.hashers import Argon2PasswordHasher

    Argon2PasswordHasher.time_cost = Argon2PasswordHasher.parallelism = 1
    Argon2PasswordHasher.memory_cost = 8
