"""One training run: TRL's trainer, observed, diagnosed and left in a folder."""
