"""Exports: parts made, asked again, and pushed."""
