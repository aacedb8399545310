"""The folder that a run of Weights & Biases leaves on the machine that trained it."""
