"""The processes that train one run together: which of them this one is, and what all of them must agree on."""

from __future__ import annotations

from typing import Protocol


class Team(Protocol):
    """The processes of one run; the first one logs, reports, answers questions and writes files."""

    @property
    def is_first(self) -> bool:
        """Whether this process is the first."""

    def any(self, flag: bool) -> bool:
        """Whether the flag is set in any of them; all of them ask at the same point of the training."""


class Alone:
    """A run in one process."""

    is_first = True

    def any(self, flag: bool) -> bool:
        """The flag itself."""
        return flag


ALONE = Alone()
