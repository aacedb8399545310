"""The card of a study: the gain on fresh seeds, what changed, and the curves from the user's file to the best trial."""

from __future__ import annotations

import math

import numpy as np

from diagnostics.chart.markup import Child, Markup, joined
from diagnostics.chart.scales import scale_over
from diagnostics.chart.theme import LABEL_COLORS
from diagnostics.formatting import plain_name
from diagnostics.model.records import Label
from diagnostics.report import card_frame as frame
from diagnostics.report.card_frame import INK, LEFT, PLOT_BOTTOM, PLOT_TOP, RIGHT, SOFT
from tuner.messages.en import HEADS, TITLES
from tuner.study.report.axes import spans_decades
from tuner.study.report.sections import sections
from tuner.study.results import StudyResult, TrialResult

FAINT = 0.22


def as_card(result: StudyResult) -> str:
    """The card as SVG, light on every screen."""
    shown = sections(result)
    claimed = result.gain is not None and result.gain.claimed
    color = LABEL_COLORS[Label.HEALTHY if claimed else Label.UNKNOWN][0]
    name = TITLES["study"].format(name=shown.name)
    changed = shown.settings.rows if shown.settings else ()
    moves = " · ".join(f"{knob} {old} → {new}" for knob, old, new in changed)
    gain, _, proof = shown.headline.partition(", ")
    return frame.card(
        f"{name}: {shown.headline}",
        color,
        frame.lines_of(name, 88, 24, 1, fill=SOFT),
        frame.lines_of(gain, 148, 50, 1, fill=color if claimed else INK, font_weight=700),
        frame.lines_of(proof, 198, 30, 1, fill=color if claimed else INK, font_weight=600),
        frame.lines_of(moves or shown.lead, 246, 25, 1),
        _curves(result),
        _foot(dict(shown.facts)),
    )


def _foot(facts: dict[str, str]) -> Markup:
    known = [f"{name}: {facts[name]}" for name in (HEADS["exact-match"], HEADS["trials"]) if facts.get(name)]
    return frame.line_of(" · ".join(known), RIGHT, 574, 21, fill=SOFT, text_anchor="end")


def _curves(result: StudyResult) -> Markup | None:
    """The metric over the steps of every trial: the user's file and the best one clear, the others faint."""
    points = {trial.number: _points(trial) for trial in result.trials}
    drawn = [trial for trial in result.trials if len(points[trial.number]) > 1]
    if not drawn:
        return None
    ends = [trial for trial in (result.baseline, result.winner) if trial in drawn and trial is not None]
    known = np.concatenate([points[trial.number] for trial in ends or drawn])
    across = scale_over(np.concatenate([points[trial.number][:, 0] for trial in drawn]), LEFT + 56, RIGHT, margin=0.0)
    down = scale_over(known[:, 1], PLOT_BOTTOM, PLOT_TOP, log=spans_decades(known[:, 1].tolist()))
    best, lines = LABEL_COLORS[Label.HEALTHY][0], []
    for trial in sorted(drawn, key=lambda one: one in ends):
        steps, values = points[trial.number].T
        inside = (values >= down.low) & (values <= down.high)
        color = SOFT if trial not in ends else best if trial.number == result.best else INK
        width, opacity = (4.0, 1.0) if trial in ends else (2.0, FAINT)
        look: dict[str, Child] = {"stroke": color, "stroke_width": width, "stroke_opacity": opacity}
        lines.append(frame.polyline(across, down, steps[inside], values[inside], **look))
    names = [(HEADS["file"], INK)] + ([(HEADS["best-settings"], best)] if result.best else [])
    return joined(
        frame.axes(across, down, "step"), *lines, frame.legend(plain_name(result.metric), names, PLOT_TOP - 14)
    )


def _points(trial: TrialResult) -> np.ndarray:
    """The steps and values of a trial's curve, in two columns."""
    finite = [point for point in trial.curve if all(map(math.isfinite, point))]
    return np.array(finite, dtype=np.float64).reshape(-1, 2)
