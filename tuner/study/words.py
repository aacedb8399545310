"""What a study's records say: the sentences that its display, its reports and the inspector share."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from diagnostics.formatting import plain_name, setting
from tuner.config.direction import Direction
from tuner.messages import filled, text
from tuner.messages.en import FAILURES, GAIN, LOWERED, ONLY_SEED, SOURCES
from tuner.search.proposer import Proposer, ProposerKind
from tuner.study.events import RowsLowered
from tuner.study.failure import Failure, FailureKind
from tuner.study.patch_lines import patch_lines
from tuner.study.results import STOPPED_LINE, Gain, Paragraph, StudyResult, TrialResult
from tuner.training.device_batch import rows


def failure_words(failure: Failure) -> str:
    """``RuntimeError: an odd shape``, or which settings do not fit in memory."""
    if failure.kind is FailureKind.ERROR or failure.detail:
        return ": ".join(part for part in (failure.error, failure.detail) if part)
    return filled(FAILURES[failure.kind], {"where": _where(failure.settings), "losses": failure.losses})


def lowered_words(event: RowsLowered) -> str:
    """Which run begins again with fewer rows on the device, and why."""
    values = {"run": event.run, "failed": rows(event.failed), "fits": rows(event.fits)}
    return filled(LOWERED[event.kind], {**values, "where": _where(event.settings)})


def _where(settings: Mapping[str, Any]) -> str:
    """`` at max length 8192``, or nothing."""
    shown = [f"{plain_name(knob)} {setting(knob, value)}" for knob, value in settings.items()]
    return f" at {', '.join(shown)}" if shown else ""


def source(by: Proposer) -> str:
    """What kind of proposer it is: ``your file``, ``advice``, ``sampler`` or ``another seed``."""
    return SOURCES.get(by.kind, by.name)


def proposer_words(by: Proposer) -> str:
    """Who proposed a trial: ``your file``, ``advice: eval loss rises``, ``sampler: GPSampler``, ``another seed``."""
    return f"{source(by)}: {plain_name(by.detail)}" if by.detail else source(by)


def moves(trial: TrialResult) -> list[tuple[str, str, str]]:
    """What changed for a trial, as (setting, old, new)."""
    return [(name, setting(name, old), setting(name, new)) for name, (old, new) in trial.moved.items()]


def unmoved(by: Proposer) -> str:
    """What is said of a trial that moved no setting: of a repeat ``only the seed``, of others nothing."""
    return ONLY_SEED if by.kind is ProposerKind.ANOTHER_SEED else ""


def moves_line(trial: TrialResult) -> str:
    """What changed for a trial in one line: ``learning_rate 3e-5 → 1e-4``; of a repeat ``only the seed``."""
    return ", ".join(f"{name} {old} → {new}" for name, old, new in moves(trial)) or unmoved(trial.proposer)


def ending(trial: TrialResult) -> str | None:
    """Why a trial ended without running to its end: its failure, or ``stopped: diverged``; None when it did not."""
    if trial.failure is not None:
        return failure_words(trial.failure)
    return None if trial.stopped is None else f"{STOPPED_LINE}{text(trial.stopped)}"


def memory_words(trial: TrialResult) -> str:
    """How the device batch of a trial was lowered to fit; empty where it was not."""
    return "; ".join(map(text, trial.memory))


def direction_words(direction: Direction) -> str:
    """Which way the metric is meant to go."""
    return "lower is better" if direction is Direction.MINIMIZE else "higher is better"


def gain_words(gain: Gain, metric: str, direction: Direction) -> str:
    """``3 of 3 seeds better; eval_loss 0.61 -> 0.32 (-47 %), ±0.01 (two standard errors)``, the doubts in front."""
    doubts = "; ".join(map(text, gain.doubts))
    if not gain.pairs or any(isinstance(doubt, str) for doubt in gain.doubts):
        return doubts
    words = filled(GAIN["seeds" if len(gain.pairs) > 1 else "seed"], gain_values(gain, metric, direction))
    return filled(GAIN["not-claimed"], {"doubts": doubts, "words": words}) if gain.doubts else words


def gain_values(gain: Gain, metric: str, direction: Direction) -> dict[str, Any]:
    """What the repeats measured, for the templates of ``GAIN``; there must be a pair."""
    before, after = gain.means
    return {
        "better": seeds_better(gain, direction),
        "seeds": len(gain.pairs),
        "metric": metric,
        "before": before,
        "after": after,
        "share": change_words(before, after),
        "spread": 2 * gain.stderr,
    }


def seeds_better(gain: Gain, direction: Direction) -> int:
    """On how many seeds the winner is better."""
    return sum(direction.gain(pair.baseline, pair.winner) > 0 for pair in gain.pairs)


def change_words(before: float, after: float) -> str:
    """`` (-47 %)``: how far a metric moved, as a share of what it was; empty where it was 0 or is not known."""
    change = relative_change(before, after)
    return f" ({change})" if change else ""


def relative_change(before: float, after: float) -> str:
    """``-47 %``: how far a metric moved, as a share of what it was; empty where it was 0 or is not known."""
    if not before or not (math.isfinite(before) and math.isfinite(after)):
        return ""
    change = 100 * (after - before) / abs(before)
    return f"{change:+.{0 if 10 <= abs(change) < 99 else 1}f} %"


def with_words(result: StudyResult) -> dict[str, Any]:
    """The study as ``study.json`` holds it: its data, and the sentence that goes with each part."""
    data = result.to_dict()
    for raw, trial in zip(data["trials"], result.trials, strict=True):
        raw |= {"because": text(trial.because), "error": ending(trial), "memory": memory_words(trial)}
    for raw, paragraph in zip(data["review"], result.review, strict=True):
        raw |= {"title": title_words(paragraph), "text": paragraph_words(paragraph)}
        raw["yaml"] = patch_lines(paragraph.patch) or None
    if result.gain is not None:
        data["gain"]["message"] = gain_words(result.gain, result.metric, result.direction)
    data["notes"] = [text(note) for note in result.notes]
    return data


def title_words(paragraph: Paragraph) -> str:
    """The title of a point of the review."""
    title = text(paragraph.point)
    return title[:1].upper() + title[1:]


def paragraph_words(paragraph: Paragraph) -> str:
    """The sentences of a point of the review."""
    return " ".join(text(one) for one in paragraph.sentences)
