"""How a check gets its arguments: by the names of its parameters, or of the fields of an ``Arguments`` record."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from functools import cache
from typing import Any, get_type_hints

from diagnostics.detectors.arguments import Arguments
from diagnostics.model.evidence import Evidence

Check = Callable[..., Evidence | None]


@dataclass(frozen=True)
class Parameter:
    """A parameter of a check: the names it is made of, each with whether it is required, and the record they fill."""

    name: str
    is_limit: bool
    parts: tuple[tuple[str, bool], ...]
    record: type[Arguments] | None = None

    def value(self, given: Mapping[str, Any]) -> Any:
        """What to pass for the parameter; optional curves that are not given are None."""
        if self.record is None:
            return given[self.name] if self.parts[0][1] else given.get(self.name)
        return self.record(**{name: given[name] if required else given.get(name) for name, required in self.parts})


@cache
def parameters_of(check: Check) -> tuple[Parameter, ...]:
    """The parameters of a check. Keyword-only ones are limits, all others are curves, settings and the rate prior."""
    hints = get_type_hints(check)
    found = []
    for p in inspect.signature(check).parameters.values():
        hint = hints.get(p.name)
        record = hint if isinstance(hint, type) and issubclass(hint, Arguments) else None
        parts = ((p.name, p.default is p.empty),) if record is None else _fields_of(record)
        found.append(Parameter(p.name, p.kind is p.KEYWORD_ONLY, parts, record))
    return tuple(found)


def _fields_of(record: type[Arguments]) -> tuple[tuple[str, bool], ...]:
    return tuple((field.name, field.default is MISSING) for field in fields(record))  # type: ignore[arg-type]


@cache
def inputs_of(check: Check) -> Mapping[str, bool]:
    """The curves and other inputs that a check takes, by name, each with whether it is required."""
    inputs: dict[str, bool] = {}
    for name, required in (part for p in parameters_of(check) if not p.is_limit for part in p.parts):
        inputs[name] = required or inputs.get(name, False)
    return inputs


def input_arguments(check: Check, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The curves and other inputs as the check takes them; raises ``KeyError`` for one that is missing."""
    required, others = _inputs(check)
    return {name: inputs[name] for name in required} | {p.name: p.value(inputs) for p in others}


def limit_arguments(check: Check, limits: Mapping[str, float]) -> dict[str, Any]:
    """The limits as the check takes them; raises ``KeyError`` for one that is missing."""
    return {p.name: p.value(limits) for p in parameters_of(check) if p.is_limit}


@cache
def _inputs(check: Check) -> tuple[list[str], list[Parameter]]:
    """The names of the inputs that are passed on as they are, and the parameters that take others."""
    inputs = [p for p in parameters_of(check) if not p.is_limit]
    plain = [p for p in inputs if p.record is None and p.parts[0][1]]
    return [p.name for p in plain], [p for p in inputs if p not in plain]
