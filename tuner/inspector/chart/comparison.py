"""Several runs side by side: their verdicts, the curves they share and the settings that differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from diagnostics.formatting import number, setting
from tuner.inspector.chart.difference import standings
from tuner.inspector.chart.legend import legend_names
from tuner.inspector.chart.series import AXES, LOSSES, axes
from tuner.inspector.escape import one_line
from tuner.inspector.runs.folder import Opened

MAX_RUNS = 20


@dataclass(frozen=True)
class Difference:
    """A setting that differs between runs: its values in the order of the runs, None where a log does not hold it."""

    name: str
    values: tuple[object, ...]

    def texts(self) -> tuple[str, ...]:
        """The values as a person writes them."""
        return tuple(setting(self.name, value) for value in self.values)


def differences(runs: Sequence[Opened]) -> list[Difference]:
    """The settings that differ between the runs, in the order of ``Settings``; a log without a setting differs too."""
    known = [opened.run.settings.known() for opened in runs]
    names = list(dict.fromkeys(name for settings in known for name in settings))
    found = [Difference(name, tuple(settings.get(name) for settings in known)) for name in names]
    return [difference for difference in found if len(set(map(repr, difference.values))) > 1]


def shared_curves(runs: Sequence[Opened]) -> list[str]:
    """Names of all curves that any of the runs logged, the losses first, then by how many runs have them."""
    having: dict[str, int] = {}
    for opened in runs:
        for name, curve in opened.run.curves.items():
            if len(curve):
                having[name] = having.get(name, 0) + 1
    first = [name for name in reversed(LOSSES) if name in having]
    return first + sorted((name for name in having if name not in LOSSES), key=lambda name: (-having[name], name))


def shared_axes(runs: Sequence[Opened]) -> tuple[str, ...]:
    """The x axes that every one of the runs can offer."""
    offered = [set(axes(opened.run)) for opened in runs]
    return tuple(name for name in AXES if all(name in have for have in offered))


def verdict_rows(runs: Sequence[Opened], curve: str = "eval_loss", baseline: int = 0) -> list[dict[str, str]]:
    """One line for each run: verdict, cause, best and last value of the curve and how far from the baseline's."""
    rows = []
    for place, standing in enumerate(standings(runs, baseline, curve)):
        opened = runs[place]
        rows.append(
            {
                "run": legend_names(runs)[place],
                "verdict": str(opened.diagnosis.label),
                "cause": opened.diagnosis.cause or "–",
                f"best {one_line(curve, 40)}": number(standing.best),
                "vs. baseline": "baseline" if place == baseline else signed(standing.best_difference),
                "final": number(standing.last),
                "final vs. baseline": "baseline" if place == baseline else signed(standing.last_difference),
                "best step": number(opened.diagnosis.best_step),
                "steps": number(opened.run.last_step),
            }
        )
    return rows


def signed(value: float | None) -> str:
    """A difference with its sign: ``+0.12``, ``−0.03``."""
    if value is None or not value:
        return number(value)
    return f"{'+' if value > 0 else '−'}{number(abs(value))}"
