"""Trainers that are run by their command: started, followed by their log, stopped, and never imported."""
