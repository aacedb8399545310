"""Runs and studies started from a page, and the files they start from."""
