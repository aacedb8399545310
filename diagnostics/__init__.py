"""From a training log to a verdict: what is wrong with the curve, where it shows, and what to change."""
