"""A synthetic nation with a known epidemic: demonstration data and ground truth."""
