"""What a study found: its headline, its lead, and the parts of the facts that its reports state."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping
from shlex import quote

from diagnostics.formatting import number, percent, sentence
from diagnostics.model.message import Message, message
from diagnostics.model.records import Label
from tuner.config.trust import CONFIG_FILE
from tuner.messages import filled
from tuner.messages.en import PHRASES, STATES
from tuner.study.early_stopping import early_stopping
from tuner.study.folder import trial_folder
from tuner.study.repeats import MIN_SEEDS
from tuner.study.report.beside import disagreement
from tuner.study.results import Gain, StudyResult, TrialResult, TrialState, Value
from tuner.study.words import change_words, ending, gain_words, seeds_better

SHARE_METRICS = ("exact_match", "accuracy", "accuracies")
MORE_TRIALS = 6
"""How many more trials the command that continues a study asks for."""


def measure(metric: str, value: float | None) -> str:
    """A metric's value: shares such as exact match as a percentage, losses as numbers."""
    if value is None or not math.isfinite(value):
        return number(value)
    return percent(value) if metric.endswith(SHARE_METRICS) else number(value)


def before_and_after(result: StudyResult) -> tuple[float, float] | None:
    """The metric of the user's own settings and of the best ones; None where they are not both known, or are the same.

    Where a gain is claimed they are means on fresh seeds: the search's own value is the best of many, so it flatters.
    """
    first, best = result.baseline, result.winner
    if result.gain is not None and result.gain.claimed:
        return result.gain.means
    if first is None or best is None or first.value is None or best.value is None or result.best == 0:
        return None
    both = (first.value, best.value)
    return both if all(map(math.isfinite, both)) else None


def better_by(result: StudyResult) -> float | None:
    """How much better the best trial is than trial 0, as a share of trial 0's value; None when not both are known."""
    both = before_and_after(result)
    return result.direction.gain(*both) / abs(both[0]) if both and both[0] else None


def headline(result: StudyResult) -> Message:
    """One line: whether it got better, from which value to which, and how that is proved."""
    best, both = result.winner, before_and_after(result)
    if best is None or best.value is None:
        return message("nothing-finished")
    if result.best == 0:
        return message("nothing-better")
    if both is None:
        return message("best-value", metric=result.metric, value=measure(result.metric, best.value))
    if result.gain is not None and result.gain.pairs and not result.gain.claimed:
        return message("gain-lacks-seeds" if _lacks_seeds(result) else "gain-within-noise")
    before, after = (measure(result.metric, value) for value in both)
    values = {"metric": result.metric, "before": before, "after": after, "change": change_words(*both)}
    if result.gain is None or not result.gain.claimed:
        return message("better-on-one-seed", **values)
    better = seeds_better(result.gain, result.direction)
    return message("better-proved", **values, better=better, seeds=len(result.gain.pairs))


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
    if result.gain and result.gain.claimed:
        return _retrained(result, result.gain)
    if result.gain and result.gain.pairs:
        return f"{report_phrase('best-of', trial=best.number, trials=trials)} {proof(result)}"
    before = measure(result.metric, first.value) if first else "–"
    words = report_phrase("from-to", before=before, value=value, trial=best.number, trials=trials)
    return f"{words} {proof(result) if result.gain else report_phrase('not-repeated')}"


def _retrained(result: StudyResult, gain: Gain) -> str:
    """What the repeats of a claimed gain were, and what they show."""
    better, seeds = seeds_better(gain, result.direction), len(gain.pairs)
    return report_phrase(
        "retrained",
        trial=result.best,
        trials=len(result.trials),
        seeds=seeds,
        better=report_phrase("on-all" if better == seeds else "on-some", better=better, seeds=seeds),
        mean=measure(result.metric, gain.mean),
        stderr=measure(result.metric, float(f"{gain.stderr:.2g}")),
    )


def repeats_disagree(result: StudyResult, labels: Mapping[tuple[int, int], Label]) -> str:
    """That most repeats of the best settings have another verdict than the trial has; empty where they do not."""
    found, best = disagreement(result, labels), result.winner
    if found is None or best is None:
        return ""
    label, count, repeats = found
    return report_phrase(
        "repeats-disagree",
        label=str(label),
        count=count,
        repeats=repeats,
        trial=best.number,
        trial_label=best.label,
    )


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


def seed_noise(result: StudyResult) -> str:
    """How far seeds of the same settings scatter, else the evaluations of one run; empty where neither is known."""
    known = result.noise.get("seeds") or result.noise.get("evaluations")
    return report_phrase("noise", noise=_rounded(result, known)) if known else ""


def noise_notes(result: StudyResult) -> list[str]:
    """Which differences of the metric mean nothing, and how that is known."""
    search, evaluations, seeds = (result.noise.get(name) for name in ("counts_from", "evaluations", "seeds"))
    notes = [
        report_phrase("noise-in-search", noise=_rounded(result, search)) if search else "",
        report_phrase("noise-evaluations", noise=_rounded(result, evaluations)) if evaluations else "",
        report_phrase("noise-seeds", noise=_rounded(result, seeds)) if seeds else "",
    ]
    return [note for note in notes if note]


def _rounded(result: StudyResult, value: float) -> str:
    return measure(result.metric, float(f"{value:.1g}"))


def early_notes(result: StudyResult) -> list[str]:
    """What stopping trials early saved, and what the trials that went on as a check say that it lost."""
    found = early_stopping(result.trials, result.best, result.direction)
    if found is None:
        return []
    saved = report_phrase("stopped-early", stopped=found.stopped, saved=found.saved) if found.stopped else ""
    values = {"checked": found.checked, "lost": found.lost}
    checked = report_phrase("checked-and-won" if found.won else "checked", **values) if found.checked else ""
    return [note for note in (saved, checked) if note]


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


def commands(result: StudyResult, started: str = "") -> list[tuple[str, str]]:
    """What to do next, as (what a command does, the command); nothing before there is a best trial.

    ``started`` is the command of the best trial where another trainer trained it.
    """
    if result.winner is None:
        return []
    folder, host = best_folder(result), result.winner.host
    there = report_phrase("on-host", host=host) if host else report_phrase("in-folder")
    more = len(result.trials) + MORE_TRIALS
    if result.trainer:
        again = [(report_phrase("train-again", there=there), started)] if started else []
        return [*again, (report_phrase("continue"), f"tuner study {quote(result.path)} --trials {more}")]
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
