"""Pure rules about people: numbers, cards, names, residence. No clock, no database: facts in, an answer out."""
