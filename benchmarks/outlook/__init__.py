"""The fit of what a run looks like as a whole, on runs whose end is known, and how far it holds on others."""
