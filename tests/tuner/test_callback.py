import json
from itertools import pairwise

import pytest

from tuner.assets import TINY
from tuner.callback import DiagnosisCallback
from tuner.training.quiet import quiet


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
    told = json.loads((tmp_path / "seen" / "diagnosis.json").read_text())
    assert "label" in (told[0] if isinstance(told, list) else told)


def test_a_finding_is_said_once_while_it_stays(plain_trainer):
    said = []
    plain_trainer(DiagnosisCallback(say=said.append, every=1), learning_rate=5.0, max_steps=20).train()
    findings = [line for line in said if not line.startswith(("verdict", "cleared"))]
    for line in set(findings):
        rule = line.split(":")[1].strip()
        shown = [other for other in said if f" {rule}" in other and not other.startswith("verdict")]
        kinds = ["cleared" if other.startswith("cleared") else "said" for other in shown]
        assert all(one != other for one, other in pairwise(kinds))
    assert findings


def test_a_hopeless_run_is_stopped_only_when_that_is_asked_for(plain_trainer):
    asked = DiagnosisCallback(say=lambda line: None, every=1, stop_on={"unstable", "broken"})
    plain_trainer(asked, learning_rate=5.0, max_steps=40, max_grad_norm=0.0).train()
    assert asked.run.last_step < 40
    assert any(note.startswith("stopped early: ") for note in asked.notes)
    unasked = DiagnosisCallback(say=lambda line: None, every=1)
    plain_trainer(unasked, learning_rate=5.0, max_steps=40, max_grad_norm=0.0).train()
    assert unasked.run.last_step == 40


def test_a_run_without_evaluations_is_looked_at_now_and_then(plain_trainer, monkeypatch):
    looked = []
    watch = DiagnosisCallback(say=lambda line: None)
    look = watch.look
    monkeypatch.setattr(watch, "look", lambda: looked.append(len(watch.points["loss"])) or look())
    plain_trainer(watch, max_steps=45).train()
    assert looked == [20, 40, 45]


def test_the_mean_loss_at_the_end_is_no_point_of_the_curve(plain_trainer):
    watch = DiagnosisCallback(say=lambda line: None)
    trainer = plain_trainer(watch)
    trainer.train()
    assert "train_loss" in trainer.state.log_history[-1]
    assert len(watch.run.curves["train_loss"]) == 12
    assert not any("runtime" in name or "per_second" in name for name in watch.run.curves)


def test_trl_s_trainer_tells_method_and_adapter(make, tmp_path):
    from tuner.training.train import train

    run = train(make("dpo"), {}, tmp_path / "run")
    assert (run.settings.method, run.settings.use_peft, run.settings.beta) == ("dpo", True, 0.1)
    assert len(run.curves["rewards_margins"]) == 3
    assert len(run.curves["eval_rewards_accuracies"]) == 4


def test_the_public_name_is_this_class():
    import tuner

    assert tuner.DiagnosisCallback is DiagnosisCallback
