import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from safetensors.numpy import load_file

from diagnostics.model.message import message
from tuner.config.library_logging import quiet
from tuner.config.methods import TRL_METHODS
from tuner.config.study_file import load_spec
from tuner.errors import SpecError
from tuner.training.train import train

ROOT = Path(__file__).parents[3]
FILES = {"config.yaml", "trainer_state.json", "diagnosis.json", "report.md", "report.html"}


KIN = ("orpo", "cpo", "rloo")
"""Methods whose trainer differs little from that of another one here."""


@pytest.mark.parametrize(
    "method", [pytest.param(name, marks=pytest.mark.long if name in KIN else ()) for name in TRL_METHODS]
)
def test_three_steps_change_every_lora_weight_and_leave_a_whole_run(make, tmp_path, method):
    out = tmp_path / "run"
    run = train(make(method), {}, out)
    assert {path.name for path in out.iterdir()} >= FILES | {"adapter"}
    assert len(list(out.glob("events.out.tfevents.*"))) == 1
    assert not list(out.glob("checkpoint-*"))
    assert len(run.curves["train_loss"]) == 3
    assert len(run.curves["eval_loss"]) == 4
    weights = load_file(out / "adapter" / "adapter_model.safetensors")
    adapted = [name for name in weights if "lora_B" in name]
    assert len(adapted) == len([name for name in weights if "lora_A" in name]) > 0
    assert all(np.abs(weights[name]).max() > 0 for name in adapted)
    assert run.settings.method == method
    assert (run.settings.batch_size, run.settings.lora_r, run.settings.max_steps) == (4, 4, 3)
    assert run.name == "run"


def test_lora_matrices_move_and_the_base_does_not(make, tmp_path, small_model):
    from peft import AutoPeftModelForCausalLM

    spec = make(lora_target_modules="all-linear")
    train(spec, {"learning_rate": 0.0}, tmp_path / "still")
    train(spec, {}, tmp_path / "moved")
    still = load_file(tmp_path / "still" / "adapter" / "adapter_model.safetensors")
    moved = load_file(tmp_path / "moved" / "adapter" / "adapter_model.safetensors")
    assert all(not np.array_equal(still[name], moved[name]) for name in still)
    base = load_file(small_model / "model.safetensors")
    with quiet():
        model = AutoPeftModelForCausalLM.from_pretrained(tmp_path / "moved" / "adapter")
    loaded = {name: weight.detach().numpy() for name, weight in model.base_model.model.named_parameters()}
    frozen = {name.replace(".base_layer", ""): weight for name, weight in loaded.items() if "lora_" not in name}
    assert all(np.array_equal(frozen[name], weight) for name, weight in base.items())


def test_the_best_checkpoint_is_the_one_that_is_kept(make, tmp_path):
    spec = make(max_steps=6, learning_rate=0.3, lr_scheduler_type="constant", eval_steps=2, logging_steps=2)
    run = train(spec, {}, tmp_path / "run", keep_checkpoints=True)
    state = json.loads((tmp_path / "run" / "trainer_state.json").read_text())
    best = min(zip(run.curves["eval_loss"].values[1:], (2, 4, 6), strict=True))
    assert state["best_global_step"] == best[1]
    adapter = tmp_path / "run" / "adapter" / "adapter_model.safetensors"
    kept = tmp_path / "run" / f"checkpoint-{best[1]}" / "adapter_model.safetensors"
    assert adapter.read_bytes() == kept.read_bytes()


def test_dpo_can_choose_its_checkpoint_by_a_reward(make, tmp_path):
    spec = make("dpo", study={"metric": "eval_rewards/accuracies"})
    run = train(spec, {}, tmp_path / "run")
    state = json.loads((tmp_path / "run" / "trainer_state.json").read_text())
    assert state["best_metric"] == max(run.curves["eval_rewards_accuracies"].values[1:])


def test_overrides_are_applied_and_written_where_they_rerun(make, tmp_path):
    spec = make(study={"space": {"learning_rate": {"low": 1e-4, "high": 1e-1}}})
    overrides = {"learning_rate": 2e-3, "batch_size": 8, "warmup_ratio": 0.3, "seed": 7}
    run = train(spec, overrides, tmp_path / "run")
    assert (
        run.settings.known().items() >= {"learning_rate": 2e-3, "batch_size": 8, "warmup_ratio": 0.3, "seed": 7}.items()
    )
    written = yaml.safe_load((tmp_path / "run" / "config.yaml").read_text())
    assert "study" not in written
    again = load_spec(tmp_path / "run" / "config.yaml")
    rerun = train(again, {}, tmp_path / "again")
    assert list(rerun.curves["train_loss"].values) == list(run.curves["train_loss"].values)


def test_a_secret_of_the_environment_is_not_written(make, tmp_path, monkeypatch):
    monkeypatch.setenv("TUNER_TEST_TOKEN", "")
    monkeypatch.setenv("TUNER_TEST_PLAIN", "")
    train(make(env={"TUNER_TEST_TOKEN": "x", "TUNER_TEST_PLAIN": "y"}), {}, tmp_path / "run")
    written = yaml.safe_load((tmp_path / "run" / "config.yaml").read_text())
    assert written["env"] == {"TUNER_TEST_PLAIN": "y"}
    assert (os.environ["TUNER_TEST_TOKEN"], os.environ["TUNER_TEST_PLAIN"]) == ("x", "y")


@pytest.mark.long
def test_another_seed_trains_another_way_on_the_same_split(make, tmp_path, small_rows):
    spec = make(dataset_name=str(small_rows / "sft" / "train.jsonl"))
    one, two, same = (train(spec, {"seed": seed}, tmp_path / str(n)) for n, seed in enumerate((1, 2, 1)))
    assert list(one.curves["train_loss"].values) == list(same.curves["train_loss"].values)
    assert list(one.curves["train_loss"].values) != list(two.curves["train_loss"].values)
    assert one.curves["eval_loss"].values[0] == two.curves["eval_loss"].values[0]


def test_report_is_called_at_every_evaluation_and_its_reason_stops_the_run(make, tmp_path):
    asked = []

    def report(run, share):
        asked.append((share, len(run.curves["eval_loss"])))
        return "worse than the others" if share > 0.5 else None

    run = train(make(max_steps=6, eval_steps=2), {}, tmp_path / "run", report)
    assert asked == [(pytest.approx(1 / 3), 2), (pytest.approx(2 / 3), 3)]
    assert run.last_step == 4
    assert message("stopped-at", step=4, max_steps=6, why="worse than the others") in run.notes
    assert (tmp_path / "run" / "adapter").exists()


def test_a_diverged_run_stops_says_why_and_keeps_no_nan_weights(make, tmp_path, small_model):
    import torch
    from safetensors.torch import load_file as load
    from safetensors.torch import save_file

    broken = tmp_path / "broken"
    shutil.copytree(small_model, broken)
    weights = load(broken / "model.safetensors")
    weights["model.norm.weight"] = torch.full_like(weights["model.norm.weight"], float("nan"))
    save_file(weights, broken / "model.safetensors", metadata={"format": "pt"})
    run = train(make(model_name_or_path=str(broken), max_steps=6), {}, tmp_path / "run")
    assert run.last_step <= 1
    assert run.curves["train_loss"].broken or run.curves["eval_loss"].broken
    assert "stopped-at" in {note.code for note in run.notes}
    assert (tmp_path / "run" / "diagnosis.json").exists()
    if (tmp_path / "run" / "adapter").exists():
        saved = load_file(tmp_path / "run" / "adapter" / "adapter_model.safetensors")
        assert all(np.isfinite(weight).all() for weight in saved.values())


def test_exact_match_is_logged_before_and_after_and_the_answers_are_kept(make, tmp_path):
    run = train(make(study={"exact_match_rows": 4}), {}, tmp_path / "run")
    curve = run.curves["eval_exact_match"]
    assert list(curve.steps) == [0, 3]
    assert all(0 <= value <= 1 for value in curve.values)
    lines = (tmp_path / "run" / "samples.jsonl").read_text().splitlines()
    assert len(lines) == 4
    assert json.loads(lines[0]).keys() == {"prompt", "reference", "answer", "matches"}


def test_plain_text_has_no_exact_match(make, tmp_path, small_rows):
    with pytest.raises(SpecError, match="exact_match_rows"):
        train(make(dataset_name=str(small_rows / "text"), study={"exact_match_rows": 4}), {}, tmp_path / "run")


def test_plain_text_is_packed_for_continual_pre_training(make, tmp_path):
    text = "".join(f"Line {number} of a book about trade in salt and tea.\n" for number in range(60))
    (tmp_path / "book.txt").write_text(text)
    data = {
        "dataset_name": str(tmp_path / "book.txt"),
        "packing": True,
        "packing_strategy": "wrapped",
        "max_length": 32,
    }
    full = {"use_peft": False, "lora_r": None, "lora_dropout": None}
    run = train(make(max_steps=6, eval_steps=3, learning_rate=3e-3, **data, **full), {}, tmp_path / "run")
    assert run.curves["eval_loss"].values[-1] < run.curves["eval_loss"].values[0]
    assert (tmp_path / "run" / "model" / "model.safetensors").exists()


def test_tensorboard_finds_curves_settings_and_verdict_in_the_run_s_folder(make, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    train(make(), {"learning_rate": 2e-3}, tmp_path / "run")
    events = EventAccumulator(str(tmp_path / "run"))
    events.Reload()
    assert {"train/loss", "eval/loss"} <= set(events.Tags()["scalars"])
    assert {"diagnosis/text_summary", "args/text_summary"} <= set(events.Tags()["tensors"])
    assert "_hparams_/session_start_info" in events.summary_metadata


def test_a_model_without_a_template_learns_with_a_plain_one(make, tmp_path, small_model):
    bare = tmp_path / "bare"
    shutil.copytree(small_model, bare)
    (bare / "chat_template.jinja").unlink()
    settings = json.loads((bare / "tokenizer_config.json").read_text())
    settings.pop("chat_template", None)
    settings.pop("pad_token", None)
    (bare / "tokenizer_config.json").write_text(json.dumps(settings))
    run = train(make(model_name_or_path=str(bare), study={"exact_match_rows": 2}), {}, tmp_path / "run")
    assert message("chat-template-added") in run.notes
    assert "### Response:" in (tmp_path / "run" / "adapter" / "chat_template.jinja").read_text()
    assert "### Response:" in (tmp_path / "run" / "samples.jsonl").read_text()


def test_a_model_that_the_hub_does_not_give_is_one_line(make, tmp_path, monkeypatch):
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(SpecError, match=r"model_name_or_path: .*nobody/nothing") as caught:
        train(make(model_name_or_path="nobody/nothing"), {}, tmp_path / "run")
    assert "\n" not in str(caught.value)


def test_a_misspelt_packaged_model_is_answered_with_its_name_when_the_file_is_read(make):
    for key in ("model_name_or_path", "reward_model_name_or_path"):
        with pytest.raises(SpecError, match=rf"{key}: tuner/tiny2: .*the packaged model is tuner/tiny$"):
            make(**{key: "tuner/tiny2"})


def test_a_model_s_folder_without_a_tokenizer_is_one_line(make, tmp_path, small_model):
    bare = tmp_path / "bare"
    shutil.copytree(small_model, bare, ignore=shutil.ignore_patterns("tokenizer*", "vocab*", "special*"))
    with pytest.raises(SpecError, match=r"model_name_or_path: .*bare .*tokenizer") as caught:
        train(make(model_name_or_path=str(bare)), {}, tmp_path / "run")
    assert "\n" not in str(caught.value)


def test_weights_that_are_cut_off_are_one_line(make, tmp_path, small_model):
    shutil.copytree(small_model, tmp_path / "cut")
    weights = tmp_path / "cut" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:500])
    with pytest.raises(SpecError, match=r"model_name_or_path: .*weights .*cut "):
        train(make(model_name_or_path=str(tmp_path / "cut")), {}, tmp_path / "run")


def test_a_folder_that_cannot_be_made_is_one_line(make, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SpecError, match=r"file: .*another folder"):
        train(make(), {}, tmp_path / "file")


def test_the_trainer_s_own_errors_keep_their_type(make, tmp_path):
    def report(run, share):
        raise MemoryError("no more")

    with pytest.raises(MemoryError):
        train(make(), {}, tmp_path / "run", report)
    assert not (tmp_path / "run" / "diagnosis.json").exists()


def test_rows_are_tokenized_once_for_all_trials(make, tmp_path, monkeypatch):
    from trl.trainer import sft_trainer

    from tuner.training import prepared_rows

    prepared_rows._rows_cache.clear()
    counted = []
    once = sft_trainer.SFTTrainer._prepare_dataset
    monkeypatch.setattr(sft_trainer.SFTTrainer, "_prepare_dataset", lambda *a, **k: counted.append(1) or once(*a, **k))
    spec = make()
    train(spec, {}, tmp_path / "a")
    train(spec, {"learning_rate": 1e-3, "batch_size": 8, "seed": 3}, tmp_path / "b")
    assert len(counted) == 2
    train(make(max_length=32), {}, tmp_path / "c")
    assert len(counted) == 4


def test_nothing_is_printed(make, tmp_path, capfd):
    train(make("dpo", precompute_ref_log_probs=True), {}, tmp_path / "run")
    printed = capfd.readouterr()
    assert (printed.out, printed.err) == ("", "")


def test_a_folder_that_held_another_run_holds_only_the_new_one(make, tmp_path):
    out = tmp_path / "run"
    train(make(study={"exact_match_rows": 2}), {}, out)
    (out / "mine.txt").write_text("stays")
    run = train(make(), {"learning_rate": 1e-3}, out)
    assert len(list(out.glob("events.out.tfevents.*"))) == 1
    assert not (out / "samples.jsonl").exists()
    assert (out / "mine.txt").exists()
    assert len(run.curves["train_loss"]) == 3
