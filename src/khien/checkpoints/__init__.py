"""Checkpoints: declarations and passes, the identity check and its hot door, passages."""
