"""The study: ask, train, diagnose, tell, repeat."""
