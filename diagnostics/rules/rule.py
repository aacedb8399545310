"""What a rule is: a check of the curves, the limits that count, and what to change when it finds its fault."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import Any

from diagnostics.messages import fix_in_words
from diagnostics.model.evidence import Evidence
from diagnostics.model.methods import DPO, method_record
from diagnostics.model.rate_estimate import RateEstimate, RateSide
from diagnostics.model.rate_prior import LearningRatePrior
from diagnostics.model.records import Label
from diagnostics.model.settings import Settings
from diagnostics.rules.binding import Check, input_arguments, inputs_of, limit_arguments

GIVEN = ("settings", "rate_prior", "rate_estimate", "outlook", "reward_parts")
"""What a check may take besides curves: always there, though it may hold nothing."""


class Sign(StrEnum):
    """What several rules see in a run, each in its own way: their findings do not confirm each other."""

    IMPOSSIBLE_LOG = "impossible log"
    FROZEN = "frozen"
    BLOW_UP = "blow-up"
    JITTER = "jitter"
    SLOW = "slow"


@dataclass(frozen=True)
class Case:
    """What a fix may look at: the settings, the rates of the method, where the rate stands, what the rule measured."""

    settings: Settings
    rate_prior: LearningRatePrior
    measured: Mapping[str, float]
    rate_estimate: RateEstimate | None = None


Number = float | Callable[[Case], float | None]


@dataclass(frozen=True)
class Fix:
    """One change for the next run: a setting ``times`` a factor or set ``to`` a value, and the same in words.

    ``description`` names the factor and the value as ``{factor:times}`` and ``{new}``: bounds may change what is
    advised in the end, and the words must say the same as the numbers.

    ``at_least`` and ``at_most`` bound the new value; ``when`` (in words: ``condition``) says for which runs it is
    meant. Of several fixes for one setting the first whose ``when`` holds is given. ``weight`` scales the rule's
    confidence. ``knob`` is the name of the setting. ``by_estimate``: where the estimate of the rate tells that it is
    off to the side that ``times`` corrects, its median gives the factor in place of ``times``.
    """

    knob: str
    description: str
    expect: str
    times: Number | None = None
    to: Number | str | None = None
    at_least: float | None = None
    at_most: float | None = None
    when: Callable[[Case], bool] | None = None
    condition: str = ""
    weight: float = 1.0
    by_estimate: bool = False

    def explain(self) -> str:
        """The fix in a line: the setting, the words, the bounds, and for which runs."""
        bounds = [f"at least {self.at_least:g}"] if self.at_least is not None else []
        bounds += [f"at most {self.at_most:g}"] if self.at_most is not None else []
        bounds += ["or by the estimate of the rate"] if self.by_estimate else []
        detail = "; ".join([*bounds, *([self.condition] if self.condition else [])])
        return f"{self.knob}: {self.in_words()}{f' ({detail})' if detail else ''}"

    def in_words(self) -> str:
        """The description with the fix's own numbers."""
        factor = self.times if isinstance(self.times, (int, float)) else None
        return fix_in_words(self.description, factor, None if callable(self.to) else self.to)


@dataclass(frozen=True)
class Wording:
    """Another message for what a rule found, where ``when`` (in words: ``condition``) holds for what was measured."""

    message: str
    condition: str
    when: Callable[[Mapping[str, float]], bool]


@dataclass(frozen=True)
class Rule:
    """A fault by name: the check that finds it, its limits, the words for it and the fixes in order of preference.

    The first of the ``wordings`` that holds for what was measured replaces the ``message``. Where a rule of
    ``unless_found`` fired, this one is silent: that finding denies its premise.

    ``sets_label`` is False for findings that never stand alone: they are reported and leave the label as it is.
    ``methods`` and ``not_methods`` say for which training methods it is evaluated. ``borderline`` holds looser limits:
    where the fault shows only under these, the run is called healthy, less surely. ``immediate``: a live view need not
    wait to see whether it lasts. ``stops``: no run recovers from it, so a live view may end it. Rules with the same
    ``sign`` do not confirm each other. ``blames`` says on which side of the best rate a run with this fault lies: the
    finding is dropped where the estimate of the rate denies it. ``any_objective``: what it finds is a fault whatever
    the loss means. ``of_batches``: it compares single logs of the training loss, which must be of like rows.
    ``essential``: where it could not be evaluated, its label counts as not checked, whatever other rules said.
    """

    name: str
    label: Label
    check: Check
    limits: Mapping[str, float]
    message: str
    cause: str
    fixes: tuple[Fix, ...]
    confidence: float
    example: str
    sources: tuple[str, ...]
    not_when: str = ""
    sets_label: bool = True
    methods: tuple[str, ...] = ()
    not_methods: tuple[str, ...] = field(default=())
    borderline: Mapping[str, float] = field(default_factory=dict)
    immediate: bool = False
    stops: bool = False
    sign: Sign | None = None
    wordings: tuple[Wording, ...] = ()
    unless_found: tuple[str, ...] = ()
    blames: RateSide | None = None
    any_objective: bool = False
    of_batches: bool = False
    essential: bool = False

    @cached_property
    def needs(self) -> tuple[str, ...]:
        """The curves that the check requires."""
        return tuple(name for name, required in inputs_of(self.check).items() if required and name not in GIVEN)

    @cached_property
    def takes(self) -> tuple[str, ...]:
        """All that the check takes: curves, required or optional, and what is ``GIVEN``."""
        return tuple(inputs_of(self.check))

    @cached_property
    def nearly(self) -> Rule | None:
        """The rule under its looser limits, None where it has none."""
        return replace(self, limits={**self.limits, **self.borderline}) if self.borderline else None

    def with_limits(self, moved: Mapping[str, float]) -> Rule:
        """The rule with these limits in place of its own; who moves a limit means it, so it has no looser one."""
        known = {name: value for name, value in moved.items() if name in self.limits}
        looser = {name: value for name, value in self.borderline.items() if name not in known}
        return replace(self, limits={**self.limits, **known}, borderline=looser) if known else self

    @property
    def judges_whole_runs(self) -> bool:
        """Whether the check makes sense only near the end of a run."""
        return "min_share_done" in self.limits

    def evaluate(self, inputs: Mapping[str, Any]) -> Evidence | None:
        """What the check finds under the rule's limits.

        Raises ``NotEnoughPoints`` where it cannot be evaluated, ``KeyError`` for an input that is missing.
        """
        return self.check(**input_arguments(self.check, inputs), **self._limit_arguments)

    @cached_property
    def _limit_arguments(self) -> Mapping[str, Any]:
        """The limits as the check takes them, which no run changes."""
        return limit_arguments(self.check, self.limits)

    def message_for(self, measured: Mapping[str, float]) -> str:
        """The message for what was measured, with places for the numbers."""
        return next((wording.message for wording in self.wordings if wording.when(measured)), self.message)

    def confirms(self, main: Rule) -> bool:
        """Whether a finding is independent evidence for the fault of another rule: same label, another sign."""
        independent = self.sign is None or self.sign is not main.sign
        return self.sets_label and self.label is main.label and independent

    def explain(self) -> str:
        """Everything about the rule as text: what it says, why, an example, its limits, fixes and sources."""
        curves = [name if required else f"{name} (if logged)" for name, required in inputs_of(self.check).items()]
        lines = [f"{self.name}  ({self.label}{'' if self.sets_label else ', reported beside the label only'})"]
        lines += ["", f"What      {_opened(self.message)}"]
        lines += [f"          {_opened(wording.message)} ({wording.condition})" for wording in self.wordings]
        lines += [f"Why       {self.cause}", f"Example   {self.example}"]
        lines += [f"Not when  {self.not_when}"] if self.not_when else []
        lines += [f"Silent    beside {', '.join(self.unless_found)}"] if self.unless_found else []
        lines += [f"Methods   {', '.join(self.methods)}"] if self.methods else []
        lines += [f"Looks at  {', '.join(curves)}", f"Limits    {_listed(self.limits, NEXT_LINE)}"]
        lines += [f"Nearly    {_listed(self.borderline)}: healthy, but less surely"] if self.borderline else []
        lines += ["Fixes"]
        lines += [f"  {i}. {fix.explain()}" for i, fix in enumerate(self.fixes, 1)]
        lines += [f"Sure      {100 * self.confidence:.0f} % before the measurement is weighed", "Sources"]
        return "\n".join([*lines, *(f"  - {source}" for source in self.sources)])

    def applies_to(self, method: str | None) -> bool:
        """Whether the rule is evaluated on runs of that method (None: unknown).

        A rule that is not for DPO is not for any other loss that compares answers. Where the loss is not the objective,
        only the method's own rules and those of ``any_objective`` are. Where batches are of unlike rows, none on jitter
        is.
        """
        known = method_record(method)
        if not known.loss_is_objective:
            return self.any_objective or known.name in self.methods
        if known.mixes_batches and self.of_batches:
            return False
        kin = DPO.name if known.loss_compares_answers else method
        return kin not in self.not_methods and (not self.methods or method in self.methods)


def _opened(says: str) -> str:
    """A message template for people: ``{rise:.1%}`` becomes ``<rise>``."""
    return re.sub(r"\{(\w+)[^}]*\}", lambda found: f"<{found[1].replace('_', ' ')}>", says)


NEXT_LINE = "\n" + 10 * " "
"""Between the lines of a part of an explanation, below each other."""


def _listed(limits: Mapping[str, float], between: str = ", ") -> str:
    """Limits one after the other: ``rise = 0.02, floor = 0.01``."""
    return between.join(f"{name} = {value:g}" for name, value in limits.items())
