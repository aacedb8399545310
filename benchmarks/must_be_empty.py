"""Lists of what must not happen, filled by a benchmark that tries to make it happen: each must stay empty."""

from __future__ import annotations

from dataclasses import fields

SHOWN = 10
"""So many entries of each list are printed."""


class MustBeEmpty:
    """A dataclass whose fields that are lists hold what must not happen; its other fields say how much was tried."""

    def failures(self) -> dict[str, list[str]]:
        """The lists, by name."""
        held = {one.name: getattr(self, one.name) for one in fields(self)}  # type: ignore[arg-type]
        return {name: value for name, value in held.items() if isinstance(value, list)}

    def counts(self) -> str:
        """How long each list is, in one line."""
        return ", ".join(f"{name} {len(found)}" for name, found in self.failures().items())

    def examples(self) -> list[str]:
        """The first entries of each list, a line each."""
        return [f"  {name}: {one}" for name, found in self.failures().items() for one in found[:SHOWN]]
