"""The search along the learning rate."""
