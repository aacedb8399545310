"""A study on the screen while it runs."""
