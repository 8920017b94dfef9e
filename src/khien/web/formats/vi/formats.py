"""Vietnamese numbers are grouped in threes by points; Django's own Vietnamese formats leave them ungrouped."""

NUMBER_GROUPING = 3
