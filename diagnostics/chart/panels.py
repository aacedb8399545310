"""Which curves share a panel, the order of the panels, and the values their curves are compared with."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from diagnostics.chart.model import Level, Panel, Series
from diagnostics.chart.series import View, series_of
from diagnostics.formatting import number
from diagnostics.model.curves import FloatArray, Run, part_of
from diagnostics.model.methods import method_record

MIN_LOG_SPAN = 30.0
"""Values of a ratio above this get a logarithmic axis."""
SPLIT = re.compile(r"^(?:train|eval|val|valid|validation|test)[/_](?=.)")


@dataclass(frozen=True)
class PanelKind:
    """A panel: its title, its curves with what each is called there, whether its axis may be logarithmic."""

    title: str
    curves: dict[str, str]
    may_be_log: bool = False


LOSS_PANELS: dict[str, PanelKind] = {
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
    "general_loss": PanelKind("Loss on general text", {"eval_general_loss": "general text"}),
    "learning_rate": PanelKind("Learning rate", {"learning_rate": "learning rate"}),
    "grad_norm": PanelKind("Gradient norm", {"grad_norm": "norm before clipping"}, may_be_log=True),
}
"""The panels of a report from top to bottom."""
PARTS = "parts"
"""The panel of the means of the reward functions, whose names are the user's own."""
REWARD_PANELS: dict[str, PanelKind] = {
    "reward": PanelKind("Reward", {"reward": "training", "eval_reward": "held out"}),
    PARTS: PanelKind("Parts of the reward", {}),
    "groups": PanelKind("Groups with equal rewards", {"frac_reward_zero_std": "share of groups"}),
    "entropy": PanelKind("Entropy of the policy", {"entropy": "training", "eval_entropy": "held out"}),
    "length": PanelKind(
        "Length of the answers", {"completion_length": "training", "eval_completion_length": "held out"}
    ),
    "clipped": PanelKind("Answers cut off", {"clipped_ratio": "training", "eval_clipped_ratio": "held out"}),
    "kl": PanelKind("Divergence from the reference", {"kl_divergence": "training", "eval_kl_divergence": "held out"}),
    "sampler": PanelKind("Distance of sampler and trainer", {"sampler_gap": "nats a token"}),
    "learning_rate": LOSS_PANELS["learning_rate"],
    "grad_norm": LOSS_PANELS["grad_norm"],
}
"""Those of a run that learns from rewards, whose loss says nothing."""
PANELS = {**LOSS_PANELS, **REWARD_PANELS}
PANEL_OF = {curve: name for name, kind in PANELS.items() for curve in kind.curves}


def curves_of(run: Run) -> list[str]:
    """The curves that a report draws, as far as the run logged them, from the first panel to the last."""
    if method_record(run.settings.method).loss_is_objective:
        names = [name for kind in LOSS_PANELS.values() for name in kind.curves]
    else:
        parts = sorted((name for name in run.curves if part_of(name)), key=lambda name: part_of(name) or ("", False))
        drawn = parts if len({part_of(name)[0] for name in parts}) > 1 else []  # type: ignore[index]
        names = [name for key, kind in REWARD_PANELS.items() for name in (drawn if key == PARTS else kind.curves)]
    return [name for name in names if (curve := run.curve(name)) is not None and (len(curve) or curve.broken)]


def panel_name(curve: str) -> str:
    """The panel a curve belongs to: one of ``PANELS``, or one for what it measures, on whichever rows."""
    if part_of(curve) is not None:
        return PARTS
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
            series = series_of(name, curve, place(curve.steps), view, title_of(name))
            panel.append(replace(series, place=_color_place(name, panel)))
    return [
        Panel(name, PANELS[name].title if name in PANELS else name, tuple(group), view.log_y, _levels(run, name))
        for name, group in groups.items()
    ]


def _color_place(name: str, others: Sequence[Series]) -> int:
    """The place of a curve's color among those of its panel: one for a reward function, whichever its prompts."""
    keys = [part_of(one.name) or (one.name, False) for one in others]
    key = part_of(name) or (name, False)
    known = list(dict.fromkeys(part for part, _ in keys))
    return known.index(key[0]) if key[0] in known else len(known)


def title_of(curve: str) -> str:
    """What a curve is called within its panel."""
    if (part := part_of(curve)) is not None:
        return f"{part[0]}, held out" if part[1] else part[0]
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
