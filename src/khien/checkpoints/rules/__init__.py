"""Pure rules of the checkpoints."""
