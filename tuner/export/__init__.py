"""What becomes of a run that is done: merged weights, files for the programs that serve them, a model card, a push."""
