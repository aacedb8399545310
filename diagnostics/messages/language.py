"""The language that all sentences are made in: another one is another module with the names of ``en``, chosen here."""

from diagnostics.messages import en as words

__all__ = ["words"]
