"""From a run to its verdict: the rules evaluated in context, and the advice that follows."""
