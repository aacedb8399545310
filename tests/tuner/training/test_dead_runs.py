"""Runs that learn from rewards and cannot come back are ended while they train; sound ones are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import optuna
import pytest
from transformers import TrainerControl, TrainerState, TrainingArguments

from diagnostics.rules import NO_WAY_BACK
from diagnostics.synthetic import HEALTHY
from diagnostics.synthetic import make as synthetic
from tuner import DiagnosisCallback, DiagnosisPruner, record
from tuner.config.study_file import load_spec
from tuner.training.train import train

STUDY = Path(__file__).parents[3] / "studies" / "grpo.yaml"
FEWER = {"max_steps": 10, "eval_strategy": "no"}


@pytest.mark.long
def test_a_real_run_at_thirty_times_its_rate_is_ended_and_one_at_a_good_rate_is_not(tmp_path):
    spec = load_spec(STUDY)
    dead = train(spec, {"learning_rate": 0.09, **FEWER}, tmp_path / "dead")
    assert dead.last_step < 10
    assert "stopped-early" in {note.code for note in dead.notes}
    sound = train(spec, {"learning_rate": 3e-3, **FEWER}, tmp_path / "sound")
    assert sound.last_step == 10
    assert "stopped-early" not in {note.code for note in sound.notes}


def logged(run, tmp_path, **options):
    """The callback after it saw the logs of a run as a Trainer hands them over, whether it ended it, what it said."""
    said: list[str] = []
    watch = DiagnosisCallback(say=said.append, share=1.0, settings=run.settings, **options)
    args = TrainingArguments(str(tmp_path / "driven"), max_steps=10**6, report_to="none", use_cpu=True)
    state, control = TrainerState(is_world_process_zero=True, max_steps=10**6), TrainerControl()
    watch.on_train_begin(args, state, control)
    watch.settings = run.settings
    for at, step in enumerate(run.curves["reward"].steps):
        logs = {name: float(c.values[at]) for name, c in run.curves.items() if len(c) == len(run.curves["reward"])}
        state.global_step = int(step)
        watch.on_log(args, state, control, logs={**logs, "loss": logs["train_loss"]})
        if control.should_training_stop:
            return watch, True, said
    return watch, False, said


@pytest.mark.parametrize("fault", sorted(NO_WAY_BACK))
def test_each_fault_without_a_way_back_ends_a_run_once_it_shows(fault: str, tmp_path):
    run = synthetic(fault, 0.8, 0.03, seed=2, logs=60)
    watch, ended, said = logged(run, tmp_path)
    assert ended
    assert {finding.rule for finding in watch.diagnosis.findings} & NO_WAY_BACK
    assert "healthy" not in "".join(said[-2:])
    _, ended, _ = logged(run, tmp_path, stop_dead=False)
    assert not ended


@pytest.mark.parametrize("kind", [kind for kind in HEALTHY if kind.startswith("healthy-rewards")])
@pytest.mark.parametrize("noise", [0.03, 0.1])
def test_no_sound_run_is_ended(kind: str, noise: float, tmp_path):
    _, ended, _ = logged(synthetic(kind, 0.0, noise, seed=3, logs=40), tmp_path)
    assert not ended


@pytest.mark.parametrize(("cause", "stops"), [("reward-stays-dead", True), ("no-reward-signal", True), ("flat", False)])
def test_the_pruner_stops_what_cannot_come_back_and_nothing_weaker(cause: str, stops: bool):
    name = "exploration-gone" if cause == "flat" else cause
    run, seen = synthetic(name, 0.8, 0.03, seed=2, logs=60), []

    def objective(trial: optuna.Trial) -> float:
        record(trial, run, share=0.3)
        trial.report(float(np.mean(run.curves["reward"].values)), 300)
        seen.append(trial.should_prune())
        return 0.0

    study = optuna.create_study(direction="maximize", pruner=DiagnosisPruner())
    study.optimize(objective, n_trials=1)
    assert seen == [stops]
    reason = study.trials[0].user_attrs.get("stopped")
    assert (reason is not None) is stops
