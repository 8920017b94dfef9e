"""Pure rules of vaccination: facts in, an answer out."""
