"""A running simulation, from the notebook: what it is, how it is, and what is asked of it."""
