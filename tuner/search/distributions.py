"""The search space as Optuna's distributions, and what "next to", "the same" and "at the edge" mean in it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import Trial

from tuner.config.search_space import Choice, Range, Space, Span, is_number

Distributions = Mapping[str, BaseDistribution]
SAME_DECADES = 0.02
"""Two values this close on a log scale, in decades, make one trial, not two."""
MAX_COUNTED_VALUES = 10**5
SAME_RANGE_SHARE = 0.05
"""The same for a linear range, as a share of it: a warm-up of 0.197 and one of 0.2 end at the same step."""


def distributions(space: Space) -> dict[str, BaseDistribution]:
    """The distributions of a study file's space; lists of numbers are sorted."""
    return {knob: distribution_of(span) for knob, span in space.items()}


def distribution_of(span: Span) -> BaseDistribution:
    """A range or choice as Optuna's distribution; ``span_of`` is its inverse."""
    if isinstance(span, Choice):
        numbers = all(is_number(value) for value in span.values)
        return CategoricalDistribution(sorted(span.values) if numbers else span.values)  # type: ignore[type-var]
    if span.integer:
        return IntDistribution(int(span.low), int(span.high), log=span.log, step=int(span.step or 1))
    return FloatDistribution(span.low, span.high, log=span.log, step=span.step)


def span_of(distribution: BaseDistribution) -> Span | None:
    """A distribution as a range or choice; None for one that a study file cannot hold."""
    if isinstance(distribution, CategoricalDistribution):
        return Choice(tuple(distribution.choices))
    if isinstance(distribution, (FloatDistribution, IntDistribution)):
        whole = isinstance(distribution, IntDistribution)
        step = None if distribution.log or (whole and distribution.step == 1) else distribution.step
        return Range(distribution.low, distribution.high, distribution.log, step, whole)
    return None


def suggest(trial: Trial, space: Distributions) -> dict[str, Any]:
    """The trial's settings: what it holds already (a trial that was cut), the rest from the sampler."""
    return {knob: _suggest(trial, knob, span) for knob, span in space.items()}


def _suggest(trial: Trial, knob: str, span: BaseDistribution) -> Any:
    if isinstance(span, FloatDistribution):
        return trial.suggest_float(knob, span.low, span.high, log=span.log, step=span.step)
    if isinstance(span, IntDistribution):
        return trial.suggest_int(knob, span.low, span.high, log=span.log, step=span.step)
    assert isinstance(span, CategoricalDistribution)
    chosen = trial.suggest_categorical(knob, span.choices)
    # As the space has it: advice computes 4.0 where the list has 4, and a trial that continues reads 4 again.
    return span.choices[int(span.to_internal_repr(chosen))]


def nearest_in_space(target: Any, span: BaseDistribution) -> Any:
    """The value of the space that is nearest to ``target``; None when the space has none of that kind."""
    if isinstance(span, CategoricalDistribution):
        return _nearest_choice(target, span)
    if not isinstance(span, (FloatDistribution, IntDistribution)) or not is_number(target):
        return None
    value = min(max(float(target), span.low), span.high)
    if span.step is not None and not span.log:
        # An Optuna range ends at its last whole step.
        value = span.low + min(round((value - span.low) / span.step), (span.high - span.low) // span.step) * span.step
    return round(value) if isinstance(span, IntDistribution) else value


def _nearest_choice(target: Any, span: CategoricalDistribution) -> Any:
    if target in span.choices or not is_number(target):
        return target if target in span.choices else None
    numbers = _numbers(span)
    return min(numbers, key=lambda choice: abs(_scale(choice) - _scale(target)), default=None)


def moved_to(old: Any, target: Any, span: BaseDistribution) -> Any:
    """The value of the space nearest to ``target`` that lies on its side of ``old``; None when there is none."""
    value = nearest_in_space(target, span)
    if value is None or not (is_number(old) and is_number(target)):
        return None if value == old else value
    if value != old and (value > old) == (target > old) and not alike(value, old, span):
        return value
    if isinstance(span, FloatDistribution) or target == old:
        return None
    return neighbor(old, 1 if target > old else -1, span)


def neighbor(value: Any, direction: int, span: BaseDistribution) -> Any:
    """The next value up (+1) or down (-1): a factor on a log scale, a quarter of a plain range, the next in a list.

    None at the edge, and for choices that have no order.
    """
    if isinstance(span, CategoricalDistribution):
        beyond = [choice for choice in _numbers(span) if is_number(value) and (choice - value) * direction > 0]
        return min(beyond, key=lambda choice: abs(choice - value), default=None)
    if not isinstance(span, (FloatDistribution, IntDistribution)) or not is_number(value):
        return None
    whole = isinstance(span, IntDistribution)
    factor = 2.0 if whole else math.sqrt(10)
    target = value * factor**direction if span.log else value + direction * (span.high - span.low) / 4
    step = (span.step or 1) if whole else 0
    found = nearest_in_space(value + direction * step if abs(target - value) < step else target, span)
    return None if alike(found, value, span) else found


def alike(a: Any, b: Any, span: BaseDistribution) -> bool:
    """Whether two values make one trial: equal, or closer than ``SAME_DECADES`` or ``SAME_RANGE_SHARE``."""
    if not isinstance(span, FloatDistribution) or not (is_number(a) and is_number(b)):
        return bool(a == b)
    if span.log and a > 0 and b > 0:
        return abs(math.log10(a) - math.log10(b)) < SAME_DECADES
    return bool(abs(a - b) <= SAME_RANGE_SHARE * (span.high - span.low))


def tried_before(settings: Mapping[str, Any], others: Sequence[Mapping[str, Any]], space: Distributions) -> bool:
    """Whether one of the others had these settings, as far as they are in the space."""
    return any(
        all(knob in other and alike(settings.get(knob), other[knob], span) for knob, span in space.items())
        for other in others
    )


def not_tried(
    wanted: Sequence[dict[str, Any]], others: Sequence[Mapping[str, Any]], space: Distributions
) -> list[dict[str, Any]]:
    """Those of the wanted settings that none of the others had."""
    exact = [knob for knob, span in space.items() if not isinstance(span, FloatDistribution)]
    known: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for other in others:
        known.setdefault(tuple(other.get(knob) for knob in exact), []).append(other)
    return [one for one in wanted if not tried_before(one, known.get(tuple(map(one.get, exact)), ()), space)]


def untried(others: Sequence[Mapping[str, Any]], space: Distributions) -> Iterator[dict[str, Any]]:
    """The settings of a finite space that none of the others had; nothing for an infinite space."""
    values = [_values(span) for span in space.values()]
    if any(known is None for known in values):
        return
    for combination in itertools.product(*(known for known in values if known is not None)):
        settings = dict(zip(space, combination, strict=True))
        if not tried_before(settings, others, space):
            yield settings


def is_used_up(others: Sequence[Mapping[str, Any]], space: Distributions) -> bool:
    """Whether the space is finite and all of its settings were tried."""
    finite = all(_values(span) is not None for span in space.values())
    return finite and next(untried(others, space), None) is None


def _values(span: BaseDistribution) -> list[Any] | None:
    """All values of a span, or None when they cannot be counted, or nobody tries them all."""
    if isinstance(span, CategoricalDistribution):
        return list(span.choices)
    if not isinstance(span, (IntDistribution, FloatDistribution)) or not span.step:
        return None
    if (span.high - span.low) / span.step > MAX_COUNTED_VALUES:
        return None
    if isinstance(span, IntDistribution):
        return list(range(span.low, span.high + 1, span.step))
    return [span.low + k * span.step for k in range(int((span.high - span.low) / span.step + 1e-9) + 1)]


def edge_of(value: Any, span: BaseDistribution) -> int:
    """-1 or +1 when the value is the lowest or highest of the space (or within 5 % of it), else 0."""
    if isinstance(span, CategoricalDistribution) and len(span.choices) < 3:
        return 0
    place = position(value, span)
    return 0 if place is None else -1 if place <= 0.05 else 1 if place >= 0.95 else 0


def position(value: Any, span: BaseDistribution) -> float | None:
    """Where the value lies in its range, 0 to 1; None for choices without order."""
    if isinstance(span, CategoricalDistribution):
        numbers = _numbers(span)
        known = value in numbers and len(numbers) > 1
        return numbers.index(value) / (len(numbers) - 1) if known else None
    if not isinstance(span, (FloatDistribution, IntDistribution)) or not is_number(value):
        return None
    ends = (span.low, value, span.high)
    low, here, high = (math.log(v) for v in ends) if span.log else ends
    return (here - low) / (high - low) if high > low else None


def _numbers(span: CategoricalDistribution) -> list[float]:
    """The numbers among the choices, rising."""
    return sorted(choice for choice in span.choices if is_number(choice))


def _scale(value: float) -> float:
    """The logarithm for positive numbers, so that 8 lies midway between 4 and 16."""
    return math.log10(value) if value > 0 else value - 10
