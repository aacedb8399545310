"""The one kind of error that means: the input is wrong, not the program."""


class BadInput(ValueError):
    """A mistake in what the user gave; the message is one line that says where, what, and what to do."""
