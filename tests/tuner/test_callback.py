import json
import re
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from diagnostics import RULES
from diagnostics.messages import live_line
from diagnostics.model.live import FindingCleared, VerdictChanged
from diagnostics.model.records import Label
from tuner.assets import TINY
from tuner.callback import DiagnosisCallback
from tuner.config.library_logging import quiet

ROOT = Path(__file__).parents[2]


@pytest.fixture
def plain_trainer(small_model, tmp_path):
    """A plain transformers Trainer on a few texts, with the callbacks that are given."""

    def made(*callbacks, **arguments):
        from datasets import Dataset
        from transformers import (
            AutoModelForCausalLM,
            AutoTokenizer,
            DataCollatorForLanguageModeling,
            Trainer,
            TrainingArguments,
        )

        tokenizer = AutoTokenizer.from_pretrained(TINY)
        rows = Dataset.from_list([dict(tokenizer(f"row {n % 4} of the list")) for n in range(32)])
        settings = {
            "output_dir": str(tmp_path / "trainer"),
            "max_steps": 12,
            "per_device_train_batch_size": 4,
            "gradient_accumulation_steps": 2,
            "logging_steps": 1,
            "learning_rate": 1e-2,
            "warmup_steps": 3,
            "report_to": "none",
            "use_cpu": True,
            "save_strategy": "no",
            "disable_tqdm": True,
        }
        args = TrainingArguments(**(settings | arguments))
        model = AutoModelForCausalLM.from_pretrained(small_model)
        collator = DataCollatorForLanguageModeling(tokenizer, mlm=False)
        trainer = Trainer(model, args, collator, train_dataset=rows, eval_dataset=rows, callbacks=list(callbacks))
        from transformers import PrinterCallback

        trainer.remove_callback(PrinterCallback)
        return trainer

    with quiet():
        yield made


def test_the_lines_of_the_readme_leave_a_report(plain_trainer, tmp_path, monkeypatch):
    pages = [ROOT / "README.md", ROOT / "docs" / "quickstart" / "my-trainer.md"]
    lines = {re.findall(r"```python\n(.*?)```", page.read_text("utf-8"), re.DOTALL)[0] for page in pages}
    assert len(lines) == 1
    monkeypatch.chdir(tmp_path)
    trainer = plain_trainer()
    exec(lines.pop(), {"trainer": trainer})
    trainer.train()
    assert (tmp_path / "runs" / "a" / "report.html").exists()


def test_a_plain_trainer_is_read_whole(plain_trainer):
    watch = DiagnosisCallback(say=lambda line: None)
    plain_trainer(watch, eval_strategy="steps", eval_steps=4).train()
    assert len(watch.run.curves["train_loss"]) == 12
    assert len(watch.run.curves["eval_loss"]) == 3
    assert len(watch.run.curves["wall_time"]) == 12
    assert watch.diagnosis.run == "run"
    known = watch.run.settings.known()
    assert known.items() >= {"learning_rate": 1e-2, "batch_size": 8, "warmup_ratio": 0.25, "max_steps": 12}.items()
    assert known["model_type"] == "llama"
    assert "lora_r" not in known


def test_reports_are_written_at_the_end(plain_trainer, tmp_path):
    plain_trainer(DiagnosisCallback(tmp_path / "seen", say=lambda line: None)).train()
    assert {path.name for path in (tmp_path / "seen").iterdir()} >= {"diagnosis.json", "report.md", "report.html"}
    written = json.loads((tmp_path / "seen" / "diagnosis.json").read_text())
    assert "label" in (written[0] if isinstance(written, list) else written)


def test_a_finding_is_reported_once_while_it_stays(plain_trainer):
    said = []
    plain_trainer(DiagnosisCallback(say=said.append, every=1, share=1.0), learning_rate=5.0, max_steps=20).train()
    about = {rule.name: [line for line in said if rule.name in re.split("[: ]+", line)] for rule in RULES}
    assert any(about.values())
    for rule, lines in about.items():
        cleared = [line == live_line(FindingCleared(rule)) for line in lines]
        assert all(one != other for one, other in pairwise(cleared))


def test_a_hopeless_run_is_stopped_only_when_that_is_asked_for(plain_trainer):
    asked = DiagnosisCallback(say=lambda line: None, every=1, stop_on={"unstable", "broken"}, share=1.0)
    plain_trainer(asked, learning_rate=5.0, max_steps=40, max_grad_norm=0.0).train()
    assert asked.run.last_step < 40
    assert "stopped-early" in {note.code for note in asked.run.notes}
    unasked = DiagnosisCallback(say=lambda line: None, every=1)
    plain_trainer(unasked, learning_rate=5.0, max_steps=40, max_grad_norm=0.0).train()
    assert unasked.run.last_step == 40


def test_a_run_without_evaluations_is_diagnosed_now_and_then(plain_trainer, monkeypatch):
    looked = []
    watch = DiagnosisCallback(say=lambda line: None, share=1.0)
    look = watch.look
    monkeypatch.setattr(watch, "look", lambda *, over: looked.append(len(watch.points["loss"])) or look(over=over))
    plain_trainer(watch, max_steps=45).train()
    assert looked == [20, 40, 45]


@pytest.fixture
def driven(tmp_path):
    """Feeds a callback the logs of a run, as a Trainer does: ``driven(watch, losses, pause=seconds)``."""
    from transformers import TrainerControl, TrainerState, TrainingArguments

    def drive(watch, losses, pause=0.0):
        args = TrainingArguments(str(tmp_path / "driven"), max_steps=10**6, report_to="none", use_cpu=True)
        state, control = TrainerState(is_world_process_zero=True, max_steps=10**6), TrainerControl()
        watch.on_train_begin(args, state, control)
        for state.global_step, loss in enumerate(losses, 1):
            until = time.perf_counter() + pause
            while time.perf_counter() < until:
                pass
            logs = {"loss": loss, "learning_rate": 1e-4, "grad_norm": 0.5, "epoch": state.global_step / 1000}
            watch.on_log(args, state, control, logs=logs)
        return control

    return drive


def test_diagnosing_takes_about_a_hundredth_of_a_run_with_a_long_log(driven, monkeypatch):
    """Measured: 8,000 logs of a third of a millisecond, looked at whenever that is allowed."""
    watch, inside = DiagnosisCallback(say=lambda line: None, every=1), []
    look = watch.look

    def timed(*, over):
        began = time.perf_counter()
        look(over=over)
        inside.append(time.perf_counter() - began)

    monkeypatch.setattr(watch, "look", timed)
    began = time.perf_counter()
    driven(watch, 1.0 + np.exp(-np.arange(8000) / 500), pause=3e-4)
    assert inside
    # One look may be longer than the one before it, by which it was measured (or be cut off by a busy machine).
    assert sum(inside) - max(inside) <= 0.01 * (time.perf_counter() - began)


def test_a_nan_is_diagnosed_out_of_turn_and_reported_once(driven):
    said = []
    control = driven(DiagnosisCallback(say=said.append, every=10**6, stop_on={"loss-not-finite"}, share=0.0), [2.0] * 5)
    assert said == []
    control = driven(
        DiagnosisCallback(say=said.append, every=10**6, stop_on={"loss-not-finite"}, share=0.0),
        [2.0, 1.9, 1.8, float("nan"), float("nan"), 0.0],
    )
    assert sum(f"{Label.UNSTABLE}: loss-not-finite: " in line for line in said) == 1
    assert control.should_training_stop


def test_a_flat_stretch_in_mid_run_is_not_called_a_plateau_and_taken_back(driven):
    said = []
    losses = 1.0 + np.exp(-np.arange(400) / 60) + 0.05 * (np.arange(400) < 250)
    driven(DiagnosisCallback(say=said.append, every=20, share=1.0), losses)
    assert said == [live_line(VerdictChanged(Label.HEALTHY, None, over=False))]


def test_the_mean_loss_at_the_end_is_not_a_point_of_the_curve(plain_trainer):
    watch = DiagnosisCallback(say=lambda line: None)
    trainer = plain_trainer(watch)
    trainer.train()
    assert "train_loss" in trainer.state.log_history[-1]
    assert len(watch.run.curves["train_loss"]) == 12
    assert not any("runtime" in name or "per_second" in name for name in watch.run.curves)


def test_a_resumed_run_has_a_discontinuity_at_its_checkpoint(plain_trainer, tmp_path):
    plain_trainer(save_strategy="steps", save_steps=8, max_steps=8).train()
    watch = DiagnosisCallback(say=lambda line: None)
    plain_trainer(watch, max_steps=16).train(resume_from_checkpoint=str(tmp_path / "trainer" / "checkpoint-8"))
    assert watch.run.discontinuities == (9.0,)
    assert list(watch.run.curves["train_loss"].steps) == list(range(1, 17))
    fresh = DiagnosisCallback(say=lambda line: None)
    plain_trainer(fresh).train()
    assert fresh.run.discontinuities == ()


def test_a_jump_of_the_loss_where_a_run_is_resumed_is_not_a_fault(driven):
    from transformers import TrainerControl, TrainerState, TrainingArguments

    jumped = np.concatenate([np.full(60, 1.2), np.full(60, 1.6)]) * np.exp(0.01 * np.sin(np.arange(120) ** 2))
    plain = DiagnosisCallback(say=lambda line: None)
    driven(plain, jumped)
    assert plain.look().label == "unstable"
    gone_on = DiagnosisCallback(say=lambda line: None)
    gone_on.points = {**plain.points, "loss": plain.points["loss"][:60]}
    args = TrainingArguments("unused", max_steps=10**6, report_to="none", use_cpu=True)
    state = TrainerState(is_world_process_zero=True, max_steps=10**6, global_step=60)
    gone_on.on_train_begin(args, state, TrainerControl())
    gone_on.points["loss"] = plain.points["loss"]
    assert gone_on.look().label != "unstable"


def test_trl_s_trainer_gives_method_and_adapter(make, tmp_path):
    from tuner.training.train import train

    run = train(make("dpo"), {}, tmp_path / "run")
    assert (run.settings.method, run.settings.use_peft, run.settings.beta) == ("dpo", True, 0.1)
    assert len(run.curves["rewards_margins"]) == 3
    assert len(run.curves["eval_rewards_accuracies"]) == 4


def test_the_public_name_is_this_class():
    import tuner

    assert tuner.DiagnosisCallback is DiagnosisCallback
