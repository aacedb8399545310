"""The study: propose settings, train, diagnose, record, repeat."""
