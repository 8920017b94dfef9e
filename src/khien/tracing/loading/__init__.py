"""Loading visits: a file in pieces, each resolved and written by itself, then taken into the register by month."""
