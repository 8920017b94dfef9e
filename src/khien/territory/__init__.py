"""Administrative units in time, their succession, areas and maps."""
