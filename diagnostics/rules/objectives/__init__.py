"""Rules on faults that only one loss can have."""
