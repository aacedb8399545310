"""The search on tables of real runs: how much training each strategy needs, and how often advice helps."""
