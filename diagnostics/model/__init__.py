"""The records that every part of the package shares: curves, settings, findings, verdicts, learning-rate priors."""
