"""What a study found: its headline, its lead, and the parts of the facts that its reports state."""

from __future__ import annotations

import json
import math
from collections import Counter
from shlex import quote

from diagnostics.formatting import number, percent, sentence
from diagnostics.model.message import Message, message
from tuner.messages import filled
from tuner.messages.en import PHRASES, STATES
from tuner.study.folder import trial_folder
from tuner.study.repeats import MIN_SEEDS
from tuner.study.results import StudyResult, TrialResult, TrialState, Value
from tuner.study.words import ending, gain_words
from tuner.training.run_config import CONFIG_FILE

SHARE_METRICS = ("exact_match", "accuracy", "accuracies")
MIN_SHOWN_GAIN = 0.005
"""A gain below it, as a share, would round to 0 %."""
MORE_TRIALS = 6
"""How many more trials the command that continues a study asks for."""


def measure(metric: str, value: float | None) -> str:
    """A metric's value: shares such as exact match as a percentage, losses as numbers."""
    if value is None or not math.isfinite(value):
        return number(value)
    return percent(value) if metric.endswith(SHARE_METRICS) else number(value)


def better_by(result: StudyResult) -> float | None:
    """How much better the best trial is than trial 0, as a share of trial 0's value; None when not both are known.

    Where a gain is claimed it is the one on fresh seeds: the search's own value is the best of many, so it flatters.
    """
    first, best = result.baseline, result.winner
    if result.gain is not None and result.gain.claimed:
        before = sum(pair.baseline for pair in result.gain.pairs) / len(result.gain.pairs)
        return result.gain.mean / abs(before) if before else None
    if first is None or best is None or first.value is None or best.value is None or not first.value:
        return None
    if not (math.isfinite(first.value) and math.isfinite(best.value)):
        return None
    return result.direction.gain(first.value, best.value) / abs(first.value)


def headline(result: StudyResult) -> Message:
    """One line: whether it got better, and by how much."""
    best, share = result.winner, better_by(result)
    if best is None or best.value is None:
        return message("nothing-finished")
    if result.best == 0:
        return message("nothing-better")
    if share is None:
        return message("best-value", metric=result.metric, value=measure(result.metric, best.value))
    if result.gain is not None and result.gain.pairs and not result.gain.claimed:
        return message("gain-lacks-seeds" if _lacks_seeds(result) else "gain-within-noise")
    proved = result.gain is not None and result.gain.claimed
    if share < MIN_SHOWN_GAIN:
        return message("slightly-better-proved" if proved else "slightly-better-on-one-seed", metric=result.metric)
    return message("better-proved" if proved else "better-on-one-seed", metric=result.metric, share=share)


def _lacks_seeds(result: StudyResult) -> bool:
    """Whether the repeats all agree on a gain, and only more of them could prove it."""
    if result.gain is None:
        return False
    agree = all(result.direction.gain(pair.baseline, pair.winner) > 0 for pair in result.gain.pairs)
    return agree and len(result.gain.pairs) < MIN_SEEDS and result.gain.mean > 2 * result.gain.stderr


def lead(result: StudyResult) -> str:
    """The sentences under the headline: from which value to which, and how well that is proved."""
    first, best = result.baseline, result.winner
    if best is None or best.value is None:
        return report_phrase("run-again")
    value, trials = measure(result.metric, best.value), len(result.trials)
    if result.best == 0:
        return report_phrase("file-is-best", trials=trials, value=value)
    if result.gain and result.gain.pairs:
        return f"{report_phrase('best-of', trial=best.number, trials=trials)} {proof(result)}"
    before = measure(result.metric, first.value) if first else "–"
    words = report_phrase("from-to", before=before, value=value, trial=best.number, trials=trials)
    return f"{words} {proof(result) if result.gain else report_phrase('not-repeated')}"


def report_phrase(code: str, **values: Value) -> str:
    """A phrase of the report."""
    return filled(PHRASES[code], values)


def proof(result: StudyResult) -> str:
    """What the repeats prove, in a sentence; empty while none has ended."""
    gain = result.gain
    return sentence(gain_words(gain, result.metric, result.direction)) if gain is not None else ""


def changed(result: StudyResult) -> list[tuple[str, Value, Value]]:
    """The settings in which the best trial differs from trial 0, as (knob, before, after)."""
    first, best = result.baseline, result.winner
    if first is None or best is None:
        return []
    knobs = dict.fromkeys((*first.settings, *best.settings))
    rows = [(knob, first.settings.get(knob), best.settings.get(knob)) for knob in knobs]
    return [row for row in rows if row[1] != row[2]]


def measured(result: StudyResult) -> list[tuple[str, float | None, float | None, float | None]]:
    """Metrics of the untouched model, of trial 0 and of the best, as (metric, model, trial 0, best)."""
    first = result.baseline.metrics if result.baseline else {}
    names = dict.fromkeys((*result.before, *result.after))
    return [(name, result.before.get(name), first.get(name), result.after.get(name)) for name in names]


def counts(result: StudyResult) -> str:
    """How many trials ended how: ``9 complete, 2 stopped early, 1 failed``."""
    states = Counter(trial.state for trial in result.trials)
    return ", ".join(f"{states[state]} {STATES[state]}" for state in TrialState if states[state]) or "–"


def noise(result: StudyResult) -> str:
    """Which differences of the metric mean nothing, and how that is known; empty before there is a best trial."""
    known = {name: measure(result.metric, float(f"{value:.2g}")) for name, value in result.noise.items()}
    if "counts_from" not in known:
        return ""
    parts = [report_phrase("noise-evaluations", noise=known["evaluations"])] if result.noise.get("evaluations") else []
    parts += [report_phrase("noise-seeds", noise=known["seeds"])] if "seeds" in known else []
    words = report_phrase("noise", noise=known["counts_from"])
    return f"{words}; {report_phrase('deviation', parts=', '.join(parts))}" if parts else words


def steps(result: StudyResult) -> str:
    """The steps of all runs, the repeats and what came to nothing included."""
    if not result.steps:
        return ""
    return report_phrase(
        "steps-and-lost" if any(trial.lost for trial in result.trials) else "steps", steps=result.steps
    )


def place(trial: TrialResult) -> str:
    """Where the trial's folder lies when it is not beside the report: ``on gpu2: /runs/sft/trial-003``."""
    return report_phrase("place", host=trial.host, folder=trial.folder) if trial.host else ""


def outcome(trial: TrialResult) -> str:
    """How a trial ended where it did not simply complete."""
    if trial.is_running:
        return report_phrase("still-running")
    return ending(trial) or ("" if trial.state is TrialState.COMPLETE else STATES[trial.state])


def commands(result: StudyResult) -> list[tuple[str, str]]:
    """What to do next, as (what a command does, the command); nothing before there is a best trial."""
    if result.winner is None:
        return []
    folder, host = best_folder(result), result.winner.host
    there = report_phrase("on-host", host=host) if host else report_phrase("in-folder")
    more = len(result.trials) + MORE_TRIALS
    return [
        (report_phrase("train-again", there=there), f"tuner train {quote(f'{folder}/{CONFIG_FILE}')}"),
        (report_phrase("merge", there=there), f"tuner merge {quote(folder)} merged-model"),
        (report_phrase("continue"), f"tuner study {quote(result.path)} --trials {more}"),
    ]


def snippet(folder: str) -> str:
    """Python that loads the adapter in the folder of a trial."""
    adapter = json.dumps(f"{folder}/adapter")
    return (
        "from peft import AutoPeftModelForCausalLM\n"
        "from transformers import AutoTokenizer\n\n"
        f"model = AutoPeftModelForCausalLM.from_pretrained({adapter})\n"
        f"tokenizer = AutoTokenizer.from_pretrained({adapter})"
    )


def best_folder(result: StudyResult) -> str:
    """The folder of the best trial, or of the first one before there is a best."""
    best = result.winner
    return best.folder or trial_folder(best.number) if best else trial_folder(0)
