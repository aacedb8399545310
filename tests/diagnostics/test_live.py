"""A live view reports once, and what lasts: by hand-made verdicts, and by recorded updates of synthetic runs."""

from __future__ import annotations

from itertools import pairwise

import pytest

from diagnostics.diagnosis.diagnose import diagnose
from diagnostics.diagnosis.live import IMMEDIATE, MIN_GROWTH, LiveState, update
from diagnostics.messages import live_line
from diagnostics.model.curves import Run
from diagnostics.model.live import FindingCleared, FindingReported, LiveEvent, VerdictChanged
from diagnostics.model.records import Diagnosis, Finding, Label
from diagnostics.synthetic import HEALTHY, make


def verdict(label: Label, *rules: str, cause: bool = True) -> Diagnosis:
    findings = tuple(Finding(rule, label, 1, 2, {}, f"about {rule}") for rule in rules)
    return Diagnosis("run", label, rules[0] if rules and cause else None, 0.9, None, findings)


OVERFIT = verdict(Label.OVERFIT, "eval-loss-rises")
HEALTHY_SO_FAR = verdict(Label.HEALTHY)


def events_of(*looks: tuple[float, Diagnosis], over: bool = False) -> list[list[LiveEvent]]:
    """The events of each update, in turn; ``over`` holds for the last."""
    state, seen = LiveState(), []
    for index, (step, now) in enumerate(looks):
        state, events = update(state, now, step, over=over and index == len(looks) - 1)
        seen.append(events)
    return seen


def changed(label: Label, before: Label | None = None, *, over: bool = False) -> VerdictChanged:
    return VerdictChanged(label, before, over)


def reported(found: Diagnosis, *, decisive: bool = True) -> FindingReported:
    return FindingReported(found.findings[0], decisive)


def test_a_finding_is_reported_when_the_run_has_grown_by_a_tenth_with_it():
    seen = events_of((100, OVERFIT), (109, OVERFIT), (110, OVERFIT), (150, OVERFIT))
    assert seen == [[], [], [changed(Label.OVERFIT), reported(OVERFIT)], []]
    assert MIN_GROWTH == 0.1


def test_a_finding_that_goes_before_it_lasted_is_never_reported():
    seen = events_of((100, OVERFIT), (105, HEALTHY_SO_FAR), (200, HEALTHY_SO_FAR))
    assert seen == [[], [changed(Label.HEALTHY)], []]
    assert events_of((100, OVERFIT), (105, HEALTHY_SO_FAR), (120, OVERFIT))[2] == []  # it starts anew


def test_a_finding_clears_when_it_stays_away():
    seen = events_of((100, OVERFIT), (110, OVERFIT), (112, HEALTHY_SO_FAR), (115, OVERFIT), (120, HEALTHY_SO_FAR))
    assert seen[2:] == [[], [], []]
    seen = events_of((100, OVERFIT), (110, OVERFIT), (120, HEALTHY_SO_FAR), (132, HEALTHY_SO_FAR))
    assert seen[3] == [changed(Label.HEALTHY, Label.OVERFIT), FindingCleared("eval-loss-rises")]


@pytest.mark.parametrize("rule", sorted(IMMEDIATE))
def test_what_cannot_clear_is_reported_at_once(rule: str):
    found = verdict(Label.UNSTABLE, rule)
    assert reported(found) in events_of((40, found))[0]


def test_nan_and_divergence_are_among_these():
    assert {"loss-not-finite", "loss-diverges"} <= IMMEDIATE
    assert "eval-loss-rises" not in IMMEDIATE


def test_underfitting_is_reported_at_the_end_alone():
    slow = verdict(Label.UNDERFIT, "rate-too-low")
    seen = events_of((100, slow), (200, slow), (300, slow), over=True)
    assert seen[:2] == [[changed(Label.HEALTHY)], []]
    assert seen[2] == [changed(Label.UNDERFIT, Label.HEALTHY, over=True), reported(slow)]


def test_at_the_end_nothing_is_held_back():
    assert events_of((100, OVERFIT), over=True) == [[changed(Label.OVERFIT, over=True), reported(OVERFIT)]]
    seen = events_of((100, OVERFIT), (110, OVERFIT), (111, HEALTHY_SO_FAR), over=True)
    assert seen[2] == [changed(Label.HEALTHY, Label.OVERFIT, over=True), FindingCleared("eval-loss-rises")]


def test_a_finding_that_does_not_set_the_label_is_only_noted():
    finding = Finding("clips-most-steps", Label.UNSTABLE, 1, 2, {}, "most are")
    noted = Diagnosis("run", Label.HEALTHY, None, 0.9, None, (finding,))
    seen = events_of((100, noted), (120, noted))
    assert seen == [[changed(Label.HEALTHY)], [reported(noted, decisive=False)]]


def test_a_verdict_stays_while_what_it_rests_on_is_not_cleared():
    jitter = verdict(Label.UNSTABLE, "loss-swings")
    seen = events_of((100, OVERFIT), (110, OVERFIT), (112, jitter), (118, HEALTHY_SO_FAR))
    assert seen[2:] == [[], []]


def test_every_event_reads_as_a_line_of_its_own():
    lines = [
        live_line(changed(Label.HEALTHY)),
        live_line(changed(Label.HEALTHY, over=True)),
        live_line(changed(Label.HEALTHY, Label.OVERFIT)),
        live_line(reported(OVERFIT)),
        live_line(reported(OVERFIT, decisive=False)),
        live_line(FindingCleared("eval-loss-rises")),
    ]
    assert len(set(lines)) == len(lines)
    assert all("eval-loss-rises" in line for line in lines[3:])


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
def test_on_healthy_runs_nothing_is_reported_and_taken_back(kind: str, evals: int):
    recorded = [looks(make(kind, 0.0, 0.03, seed, logs=200, evals=evals)) for seed in range(2)]
    events = [event for run in recorded for update in events_of(*run) for event in update]
    assert not [event for event in events if isinstance(event, FindingCleared)]
    assert {event for event in events if isinstance(event, VerdictChanged)} <= {changed(Label.HEALTHY)}


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
def test_faults_are_reported_before_the_run_is_over(fault: str):
    run = make(fault, 0.8, 0.02, seed=2, logs=200, evals=20)
    recorded = looks(run)
    seen = zip(recorded, events_of(*recorded), strict=True)
    found = [(step, event) for (step, _), events in seen for event in events if isinstance(event, FindingReported)]
    first = next(step for step, event in found if event.finding.rule == fault)
    assert first <= 0.95 * run.last_step
