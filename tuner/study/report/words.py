"""What a study found, in the words and rows that its reports share."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from shlex import quote

from diagnostics.formatting import number, percent, plain_name, sentence
from tuner.study.folder import trial_folder
from tuner.study.repeats import MIN_SEEDS
from tuner.study.results import RuleRecord, StudyResult, TrialResult, TrialState, Value
from tuner.study.words import ending, gain_words
from tuner.training.run_config import NAME as CONFIG_FILE

STATES: Mapping[TrialState, str] = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "stopped early",
    TrialState.FAILED: "failed",
    TrialState.INFEASIBLE: "too large for the memory",
    TrialState.RUNNING: "running",
}
SHARES = ("exact_match", "accuracy", "accuracies")


def measure(metric: str, value: float | None) -> str:
    """A metric's value: shares such as exact match as a percentage, losses as numbers."""
    if value is None or not math.isfinite(value):
        return number(value)
    return percent(value) if metric.endswith(SHARES) else number(value)


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


def headline(result: StudyResult) -> str:
    """One line: whether it got better, and by how much."""
    best, share = result.winner, better_by(result)
    name = plain_name(result.metric)
    if best is None or best.value is None:
        return "No trial has finished yet"
    if result.best == 0:
        return "Nothing beat your own settings"
    if share is None:
        return f"Best {name}: {measure(result.metric, best.value)}"
    if result.gain is not None and result.gain.pairs and not result.gain.claimed:
        return "A gain that is not proved yet" if _lacks_seeds(result) else "No gain beyond noise"
    words = f"{percent(share)} better" if share >= 0.005 else "slightly better"
    return f"{name.capitalize()} is {words}" + ("" if result.gain and result.gain.claimed else ", on one seed")


def _lacks_seeds(result: StudyResult) -> bool:
    """Whether the repeats all agree on a gain, and only more of them could prove it."""
    if result.gain is None:
        return False
    agree = all(result.direction.gain(pair.baseline, pair.winner) > 0 for pair in result.gain.pairs)
    return agree and len(result.gain.pairs) < MIN_SEEDS and result.gain.mean > 2 * result.gain.stderr


def lead(result: StudyResult) -> str:
    """The sentence under the headline: from which value to which, and how well that is proved."""
    first, best = result.baseline, result.winner
    if best is None or best.value is None:
        return "Run the study again to continue it."
    value, count = measure(result.metric, best.value), len(result.trials)
    if result.best == 0:
        return f"Trial 0, exactly your file, is the best of {count} with {value}."
    if result.gain and result.gain.pairs:
        return f"Trial {best.number} is the best of {count}. {proof(result)}"
    before = measure(result.metric, first.value) if first else "–"
    words = f"From {before} with your own file to {value} in trial {best.number} of {count}. "
    return words + (proof(result) if result.gain else "Not yet repeated on fresh seeds.")


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
    states = [trial.state for trial in result.trials]
    return ", ".join(f"{states.count(state)} {word}" for state, word in STATES.items() if state in states) or "none"


def noise(result: StudyResult) -> str | None:
    """Which differences of the metric mean nothing, and where that is known from; None before there is a best trial."""
    known = {name: measure(result.metric, float(f"{value:.2g}")) for name, value in result.noise.items()}
    if "counts_from" not in known:
        return None
    words = f"the search takes differences below {known['counts_from']} between two runs for noise"
    parts = [f"{known['evaluations']} between evaluations of one run"] if result.noise.get("evaluations") else []
    parts += [f"{known['seeds']} between seeds of the best settings"] if "seeds" in known else []
    return words + (f"; standard deviation {', '.join(parts)}" if parts else "")


def steps(result: StudyResult) -> str | None:
    """The steps of all runs, the repeats and what came to nothing included."""
    if not result.steps:
        return None
    lost = ", and attempts that ran out of memory" if any(trial.lost for trial in result.trials) else ""
    return f"{number(result.steps)} (in batches of trial 0, repeats included{lost})"


RECORD = ("advised", "followed", "helped", "hurt", "within noise")
"""What is counted of a rule, in the order of ``record``."""


def record(one: RuleRecord) -> tuple[int, ...]:
    """A rule's counts, as ``RECORD`` names them."""
    return one.advised, one.followed, one.helped, one.hurt, one.even


def place(trial: TrialResult) -> str:
    """Where the trial's folder lies when it is not beside the report: ``on gpu2: /runs/sft/trial-003``."""
    return f"on {trial.host}: {trial.folder}" if trial.host else ""


def outcome(trial: TrialResult) -> str:
    """How a trial ended where it did not simply complete."""
    if trial.is_running:
        return "still running"
    return ending(trial) or ("" if trial.state is TrialState.COMPLETE else STATES[trial.state])


def commands(result: StudyResult) -> Mapping[str, str]:
    """What to do next: what each command does, and the command."""
    folder = _best_folder(result)
    there = f" (on {result.winner.host})" if result.winner and result.winner.host else " (in the study's folder)"
    more = f"tuner study {quote(result.path)} --trials {len(result.trials) + 6}"
    return {
        f"Train the best settings again{there}": f"tuner train {quote(f'{folder}/{CONFIG_FILE}')}",
        f"Merge the adapter into the model{there}": f"tuner merge {quote(folder)} merged-model",
        "Continue with more trials (from where the study was started)": more,
    }


def snippet(result: StudyResult) -> str:
    """Python that loads the best adapter."""
    adapter = json.dumps(f"{_best_folder(result)}/adapter")
    return (
        "from peft import AutoPeftModelForCausalLM\n"
        "from transformers import AutoTokenizer\n\n"
        f"model = AutoPeftModelForCausalLM.from_pretrained({adapter})\n"
        f"tokenizer = AutoTokenizer.from_pretrained({adapter})"
    )


def _best_folder(result: StudyResult) -> str:
    best = result.winner
    return best.folder or trial_folder(best.number) if best else trial_folder(0)
