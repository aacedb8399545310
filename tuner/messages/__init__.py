"""Words: every sentence of the search and of a study is made here, from codes and values, in one language at a time."""

from tuner.messages.catalog import filled, text

__all__ = ["filled", "text"]
