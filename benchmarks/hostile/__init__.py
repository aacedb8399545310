"""Runs that want to be more than runs: what they contain, and whether anything of it comes alive."""
