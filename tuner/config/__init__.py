"""The study file: TRL's keys, the search space, and what overriding a setting does to the rest."""
