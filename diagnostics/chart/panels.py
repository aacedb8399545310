"""Which curves share a panel, the order of the panels, and the values their curves are compared with."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from diagnostics.chart.model import Level, Panel, Series
from diagnostics.chart.series import View, series_of
from diagnostics.formatting import number
from diagnostics.model.curves import FloatArray, Run

MIN_LOG_SPAN = 30.0
"""Values of a ratio above this get a logarithmic axis."""
SPLIT = re.compile(r"^(?:train|eval|val|valid|validation|test)[/_](?=.)")


@dataclass(frozen=True)
class PanelKind:
    """A panel: its title, its curves with what each is called there, whether its axis may be logarithmic."""

    title: str
    curves: dict[str, str]
    may_be_log: bool = False


PANELS: dict[str, PanelKind] = {
    "loss": PanelKind("Loss", {"train_loss": "training", "eval_loss": "held out"}, may_be_log=True),
    "rewards": PanelKind(
        "Rewards",
        {
            "rewards_chosen": "chosen",
            "rewards_rejected": "rejected",
            "rewards_margins": "margin",
            "eval_rewards_margins": "margin, held out",
        },
    ),
    "accuracies": PanelKind(
        "Pairs ranked right", {"rewards_accuracies": "training", "eval_rewards_accuracies": "held out"}
    ),
    "learning_rate": PanelKind("Learning rate", {"learning_rate": "learning rate"}),
    "grad_norm": PanelKind("Gradient norm", {"grad_norm": "norm before clipping"}, may_be_log=True),
}
"""The panels of a report from top to bottom."""
PANEL_OF = {curve: name for name, kind in PANELS.items() for curve in kind.curves}


def panel_name(curve: str) -> str:
    """The panel a curve belongs to: one of ``PANELS``, or one for what it measures, on whichever rows."""
    measured = SPLIT.sub("", curve)
    return PANEL_OF.get(curve) or PANEL_OF.get(measured) or measured


def panels(run: Run, names: Sequence[str], view: View, place: Callable[[FloatArray], FloatArray]) -> list[Panel]:
    """The panels of those curves of a run, in the order of the names; curves that the run does not have are left out.

    ``place`` gives the places of steps on the x axis.
    """
    groups: dict[str, list[Series]] = {}
    for name in names:
        curve = run.curve(name)
        if curve is not None:
            panel = groups.setdefault(panel_name(name), [])
            panel.append(series_of(name, curve, place(curve.steps), view, title_of(name)))
    return [
        Panel(name, PANELS[name].title if name in PANELS else name, tuple(group), view.log_y, _levels(run, name))
        for name, group in groups.items()
    ]


def title_of(curve: str) -> str:
    """What a curve is called within its panel."""
    kind = PANELS.get(PANEL_OF.get(curve, ""))
    return kind.curves[curve] if kind else curve


def with_log_axis(panel: Panel) -> Panel:
    """The panel with a logarithmic axis where its values span too much for a linear one."""
    kind = PANELS.get(panel.name)
    return replace(panel, log=kind is not None and kind.may_be_log and _spans_much(panel.series))


def _spans_much(series: Sequence[Series]) -> bool:
    values = [value for one in series for value in one.y.tolist()]
    return bool(values) and min(values) > 0 and max(values) / min(values) > MIN_LOG_SPAN


def _levels(run: Run, name: str) -> tuple[Level, ...]:
    """What a panel's values are compared with: chance for DPO, the clipping limit for gradient norms."""
    clip = run.settings.max_grad_norm
    if name == "grad_norm" and clip and 0 < clip < math.inf:
        return (Level(clip, f"clipped above {number(clip)}"),)
    if name == "accuracies":
        return (Level(0.5, "coin toss"),)
    if name == "loss" and "rewards_margins" in run.curves and run.settings.loss_type in (None, "sigmoid"):
        return (Level(math.log(2), "no preference learned (ln 2)"),)
    return ()
