"""The search space: ranges and choices, as data that a study file, a stored study and the search share."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeGuard

Value = float | int | str | bool | None


@dataclass(frozen=True)
class Range:
    """Numbers from ``low`` to ``high``, both included; ``log`` spreads them evenly over powers of ten."""

    low: float
    high: float
    log: bool = False
    step: float | None = None
    integer: bool = False

    def holds(self, value: Any) -> bool:
        """Whether the value is a number of this range."""
        return is_number(value) and self.low <= value <= self.high

    def including(self, value: Any) -> Range:
        """The range, widened where needed to hold the value; unchanged for a value that no such range can hold."""
        if not is_number(value) or (self.log and value <= 0):
            return self
        return replace(self, low=min(self.low, value), high=max(self.high, value))

    def block(self) -> dict[str, Any]:
        """The range as a study file writes it."""
        made: dict[str, Any] = {"low": _whole(self.low), "high": _whole(self.high)}
        if self.log:
            made["log"] = True
        if self.step is not None:
            made["step"] = _whole(self.step)
        return made

    def to_dict(self) -> dict[str, Any]:
        """The range as plain values, for ``span_from_dict``."""
        return asdict(self)

    def __str__(self) -> str:
        """``1e-6 to 0.01, log``."""
        more = ", log" if self.log else "" if self.step is None else f", step {shown(self.step)}"
        return f"{shown(self.low)} to {shown(self.high)}{more}"


@dataclass(frozen=True)
class Choice:
    """One of a few values, in the file's order."""

    values: tuple[Value, ...]

    def holds(self, value: Any) -> bool:
        """Whether the value is one of these; 8 and 8.0 are the same."""
        return any(is_same(value, one) for one in self.values)

    def including(self, value: Any) -> Choice:
        """The choice, with the value where it is missing; numbers in rising order then."""
        if self.holds(value):
            return self
        values = (*self.values, value)
        return Choice(tuple(sorted(values)) if all(map(is_number, values)) else values)

    def block(self) -> list[Value]:
        """The values as a study file writes them."""
        return list(self.values)

    def to_dict(self) -> dict[str, Any]:
        """The values as a plain list under ``values``, for ``span_from_dict``."""
        return {"values": list(self.values)}

    def __str__(self) -> str:
        """``4, 8, 16``."""
        return ", ".join(shown(value) for value in self.values)


Span = Range | Choice
Space = Mapping[str, Span]


def span_from_dict(raw: Mapping[str, Any]) -> Span:
    """The range or choice that ``to_dict`` wrote; raises ``ValueError`` for anything else."""
    if "values" in raw:
        values = raw["values"]
        if not isinstance(values, list) or not values or any(isinstance(one, (list, dict)) for one in values):
            raise ValueError(f"not a list of values: {values!r}")
        return Choice(tuple(values))
    low, high, step = (raw.get(name) for name in ("low", "high", "step"))
    if not (is_number(low) and is_number(high) and low < high and (step is None or is_number(step))):
        raise ValueError(f"not a range: {raw!r}")
    if raw.get("log") and low <= 0:
        raise ValueError(f"not a log range: {raw!r}")
    return Range(low, high, bool(raw.get("log")), step, bool(raw.get("integer")))


def is_number(value: Any) -> TypeGuard[float]:
    """Whether the value is a finite number, which true and false are not."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


PEFT_PREFIX = "peft."
"""How a space names a key of the ``peft`` block: ``peft.r``."""
LIST_SEPARATOR = ", "
"""What stands between the texts of a list that is one choice: ``q_proj, v_proj``."""


def as_choice(value: Any) -> Any:
    """A setting's value as one choice of a space: a list of one as its item, a list of texts as one text."""
    if isinstance(value, list) and len(value) == 1:
        return value[0]
    if isinstance(value, list) and value and all(isinstance(one, str) for one in value):
        return LIST_SEPARATOR.join(value)
    return value


def is_same(one: Any, other: Any) -> bool:
    """Whether two values are the same setting: 8 and 8.0 are, 1 and true are not."""
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def shown(value: Any) -> str:
    """A value for people: ``1e-4``, ``0.05``, ``cosine``."""
    if not isinstance(value, float):
        return str(value)
    mantissa, power, exponent = f"{value:g}".partition("e")
    return f"{mantissa}e{int(exponent)}" if power else mantissa


def _whole(value: float) -> float | int:
    return int(value) if value == int(value) and abs(value) < 1e9 else value
