"""What a detector returns when it finds something."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Evidence:
    """The steps where a fault shows and the numbers that were measured there.

    ``strength`` says how sure the measurement is, 0 to 1 (1: far past every limit); it scales the rule's confidence.
    ``steps`` are the single steps that were counted, such as spikes; empty for a fault that has none.
    """

    first_step: float
    last_step: float
    measured: Mapping[str, float] = field(default_factory=dict)
    strength: float = 1.0
    steps: tuple[float, ...] = ()

    def with_measured(self, **more: float) -> Evidence:
        """The same evidence with more measured numbers."""
        return replace(self, measured={**self.measured, **more})
