"""Logs that are damaged at random, and what reading them came to."""
