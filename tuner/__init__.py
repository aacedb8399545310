"""From a verdict to the next run: train, diagnose, change, train again, and show that it helped."""
