"""What a run looks like as a whole: well, too slow, too hot or overfit, by runs whose end is known."""
