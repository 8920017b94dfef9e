"""Pages of the checkpoints: declaring, checking, lists, figures."""
