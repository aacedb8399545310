"""How much hangs on the limits: the whole table made stricter or looser, and limits chosen on other sources only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from benchmarks.verdicts.cases import Case, Labeled, diagnosed
from benchmarks.verdicts.folds import each_source_out
from benchmarks.verdicts.scores import pairs_of, score
from diagnostics.rules import RULES, Rule

FACTORS = (0.6, 0.8, 1.0, 1.25, 1.6)
"""Above 1 a fault must be that much larger to be found."""

UPWARD: Mapping[str, tuple[str, ...]] = {
    "eval-loss-rises": (
        "rise",
        "of_descent",
        "clear_rise",
        "noise_share",
        "floor",
        "train_fall",
        "far_rise",
        "far_sigma",
        "far_fall",
    ),
    "loss-steps-down-at-epochs": ("z", "sigma", "drop"),
    "still-improving": ("straight", "straight_train_only", "pace"),
    "rate-too-low": ("straight", "straight_train_only", "pace", "late_share", "alike"),
    "rate-too-high": ("alike",),
    "rate-runs-out": ("late_share", "pace"),
    "loss-swings": ("swing", "of_descent"),
    "loss-spikes": ("deviations", "height", "score"),
    "loss-diverges": ("rise", "sigma", "min_share_above", "lost"),
    "loss-overshoots": ("rise", "sigma"),
    "loss-jumps": ("rise", "sigma", "of_descent"),
    "train-and-eval-jitter": ("train_jitter", "eval_jitter", "elasticity", "of_descent"),
    "jitter-grows": ("factor", "min_jitter"),
    "warmup-too-short": ("ratio", "rise"),
}
"""The limits of a rule that a stronger fault exceeds by more."""
DOWNWARD: Mapping[str, tuple[str, ...]] = {
    "rate-too-low": ("min_descent",),
    "loss-barely-falls": ("min_descent",),
    "fall-follows-rate": ("quarter", "half", "constant_quarter", "constant_half"),
    "fall-not-shown": ("shown",),
}
"""The limits that a stronger fault stays further below."""

Scale = tuple[tuple[str, float], ...]
"""A factor for each label whose rules are scaled."""


def scaled(factors: Mapping[str, float]) -> tuple[Rule, ...]:
    """The table with the limits of each label's rules, the looser ones too, moved by its factor."""
    return tuple(_scaled(rule, factors.get(str(rule.label), 1.0)) for rule in RULES)


def _scaled(rule: Rule, factor: float) -> Rule:
    return replace(
        rule, limits=_moved(rule.name, rule.limits, factor), borderline=_moved(rule.name, rule.borderline, factor)
    )


def _moved(name: str, limits: Mapping[str, float], factor: float) -> Mapping[str, float]:
    up, down = UPWARD.get(name, ()), DOWNWARD.get(name, ())
    return {
        name: value * factor if name in up else value / factor if name in down else value
        for name, value in limits.items()
    }


@dataclass
class Answers:
    """What the scaled tables say of a set of runs, each table asked once."""

    runs: Sequence[Labeled]
    known: dict[Scale, dict[str, Case]] = field(default_factory=dict)

    def of(self, factors: Mapping[str, float]) -> dict[str, Case]:
        """The cases by name under a table whose labels are scaled."""
        key = tuple(sorted((label, f) for label, f in factors.items() if f != 1.0))
        if key not in self.known:
            self.known[key] = {case.name: case for case in diagnosed(self.runs, scaled(factors))}
        return self.known[key]


def chosen_elsewhere(runs: Sequence[Labeled], answers: Answers) -> list[Case]:
    """Each source under the limits that do best on all the others: no run has a say in the limits it is judged by."""
    found: list[Case] = []
    for others, own in each_source_out(runs):
        best = _best(others, answers)
        found += [answers.of(best)[item.name] for item in own]
    return found


def _best(runs: Sequence[Labeled], answers: Answers) -> dict[str, float]:
    """The factor of each label that gives these runs the highest macro-F1, the one nearest to 1 among equals."""
    best: dict[str, float] = {}
    for label in ("unstable", "overfit", "underfit"):
        ranked = sorted(FACTORS, key=lambda f: abs(f - 1.0))
        best[label] = max(ranked, key=lambda f: round(_macro(runs, answers, {label: f}), 6))
    return best


def _macro(runs: Sequence[Labeled], answers: Answers, factors: Mapping[str, float]) -> float:
    cases = answers.of(factors)
    return score(pairs_of(cases[item.name] for item in runs))["macro_f1"]
