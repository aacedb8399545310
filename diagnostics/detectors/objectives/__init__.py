"""What shows faults that only one loss can have."""
