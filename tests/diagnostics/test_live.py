"""A live view speaks once, of what lasts: by hand-made verdicts, and by recorded looks at made-up runs."""

from __future__ import annotations

from itertools import pairwise

import pytest

from diagnostics.diagnosis.diagnose import diagnose
from diagnostics.diagnosis.live import AT_ONCE, LASTS, LiveState, update
from diagnostics.model.curves import Run
from diagnostics.model.records import Diagnosis, Finding, Label
from diagnostics.synthetic import HEALTHY, make


def verdict(label: Label, *rules: str, cause: bool = True) -> Diagnosis:
    findings = tuple(Finding(rule, label, 1, 2, {}, f"about {rule}") for rule in rules)
    return Diagnosis("run", label, rules[0] if rules and cause else None, 0.9, None, findings)


OVERFIT = verdict(Label.OVERFIT, "eval-loss-rises")
HEALTHY_SO_FAR = verdict(Label.HEALTHY)


def heard(*looks: tuple[float, Diagnosis], over: bool = False) -> list[list[str]]:
    """The lines of each look, in turn; ``over`` holds for the last."""
    state, said = LiveState(), []
    for index, (step, now) in enumerate(looks):
        state, lines = update(state, now, step, over=over and index == len(looks) - 1)
        said.append(lines)
    return said


def test_a_finding_is_said_when_the_run_has_grown_by_a_tenth_with_it():
    said = heard((100, OVERFIT), (109, OVERFIT), (110, OVERFIT), (150, OVERFIT))
    assert said == [[], [], ["verdict: overfit", "overfit: eval-loss-rises: about eval-loss-rises"], []]
    assert LASTS == 0.1


def test_a_finding_that_goes_before_it_lasted_is_never_said():
    assert heard((100, OVERFIT), (105, HEALTHY_SO_FAR), (200, HEALTHY_SO_FAR)) == [
        [],
        ["verdict: healthy so far"],
        [],
    ]
    assert heard((100, OVERFIT), (105, HEALTHY_SO_FAR), (120, OVERFIT))[2] == []  # it starts anew


def test_a_finding_clears_when_it_stays_away():
    said = heard((100, OVERFIT), (110, OVERFIT), (112, HEALTHY_SO_FAR), (115, OVERFIT), (120, HEALTHY_SO_FAR))
    assert said[2:] == [[], [], []]
    said = heard((100, OVERFIT), (110, OVERFIT), (120, HEALTHY_SO_FAR), (132, HEALTHY_SO_FAR))
    assert said[3] == ["verdict: healthy so far (was overfit)", "cleared: eval-loss-rises"]


@pytest.mark.parametrize("rule", sorted(AT_ONCE))
def test_what_cannot_clear_is_said_at_once(rule: str):
    assert f"unstable: {rule}: about {rule}" in heard((40, verdict(Label.UNSTABLE, rule)))[0]


def test_nan_and_divergence_are_among_these():
    assert {"loss-not-finite", "loss-diverges"} <= AT_ONCE
    assert "eval-loss-rises" not in AT_ONCE


def test_underfitting_is_said_at_the_end_alone():
    slow = verdict(Label.UNDERFIT, "rate-too-low")
    said = heard((100, slow), (200, slow), (300, slow), over=True)
    assert said[:2] == [["verdict: healthy so far"], []]
    assert said[2] == ["verdict: underfit (was healthy)", "underfit: rate-too-low: about rate-too-low"]


def test_at_the_end_nothing_is_held_back():
    assert heard((100, OVERFIT), over=True) == [["verdict: overfit", "overfit: eval-loss-rises: about eval-loss-rises"]]
    said = heard((100, OVERFIT), (110, OVERFIT), (111, HEALTHY_SO_FAR), over=True)
    assert said[2] == ["verdict: healthy (was overfit)", "cleared: eval-loss-rises"]


def test_a_finding_that_names_no_run_is_only_noted():
    noted = Diagnosis(
        "run", Label.HEALTHY, None, 0.9, None, (Finding("clips-most-steps", Label.UNSTABLE, 1, 2, {}, "most are"),)
    )
    said = heard((100, noted), (120, noted))
    assert said == [["verdict: healthy so far"], ["noted: clips-most-steps: most are"]]


def test_a_verdict_stays_while_what_it_rests_on_is_not_cleared():
    jitter = verdict(Label.UNSTABLE, "loss-swings")
    said = heard((100, OVERFIT), (110, OVERFIT), (112, jitter), (118, HEALTHY_SO_FAR))
    assert said[2:] == [[], []]


def looks(run: Run, every: int = 20) -> list[tuple[float, Diagnosis]]:
    """The verdicts that a live view would have seen: at each evaluation, else at every 20th log."""
    held = run.curves.get("eval_loss")
    train = run.curves["train_loss"]
    steps = sorted({*held.steps, *held.broken}) if held is not None else train.steps[every - 1 :: every]
    return [(float(step), diagnose(cut(run, float(step)))) for step in steps]


def cut(run: Run, last: float) -> Run:
    curves = {name: curve.between(float("-inf"), last) for name, curve in run.curves.items()}
    return Run(run.name, curves, run.settings)


@pytest.mark.parametrize("kind", HEALTHY)
@pytest.mark.parametrize("evals", [12, 0])
def test_on_healthy_runs_nothing_is_said_and_taken_back(kind: str, evals: int):
    recorded = [looks(make(kind, 0.0, 0.03, seed, logs=200, evals=evals)) for seed in range(2)]
    lines = [line for run in recorded for look in heard(*run) for line in look]
    assert not [line for line in lines if line.startswith("cleared")]
    assert {line for line in lines if line.startswith("verdict")} <= {"verdict: healthy so far"}


def test_without_patience_the_same_looks_would_have_flipped():
    """The damping is worth its delay: what a look at a time would have said, and taken back."""
    flips = 0
    for seed in range(4):
        seen = [
            {f.rule for f in now.findings} for _, now in looks(make("healthy-constant-rate", 0, 0.03, seed, logs=200))
        ]
        flips += sum(len(before - after) for before, after in pairwise(seen))
    assert flips > 0


@pytest.mark.parametrize("fault", ["loss-diverges", "loss-not-finite", "loss-spikes", "eval-loss-rises", "loss-swings"])
def test_faults_are_said_before_the_run_is_over(fault: str):
    run = make(fault, 0.8, 0.02, seed=2, logs=200, evals=20)
    recorded = looks(run)
    said = [(step, line) for (step, _), lines in zip(recorded, heard(*recorded), strict=True) for line in lines]
    first = next(step for step, line in said if f": {fault}: " in line)
    assert first <= 0.95 * run.last_step
