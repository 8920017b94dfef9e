"""Pure rules of zones: life cycle, grades, presence, worklist."""
