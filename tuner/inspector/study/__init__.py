"""A finished study as data and charts."""
