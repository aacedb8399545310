"""Where a run's learning rate stands: one estimate from what is known before and what its curves show."""
