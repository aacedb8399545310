import json
import math
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import yaml
from safetensors.numpy import load_file

from tests.tuner import smallest
from tuner.errors import SpecError
from tuner.methods import METHODS
from tuner.spec import load_spec
from tuner.training.checkpoints import is_whole, last_whole
from tuner.training.observation import observed
from tuner.training.quiet import quiet
from tuner.training.train import train

ROOT = Path(__file__).parents[3]
FILES = {"config.yaml", "trainer_state.json", "diagnosis.json", "report.md", "report.html"}


def final(run, name):
    return float(run.curves[name].values[-1])


@pytest.mark.parametrize("method", METHODS)
def test_three_steps_change_every_lora_weight_and_leave_a_whole_run(make, tmp_path, method):
    out = tmp_path / "run"
    run = train(make(method), {}, out)
    assert {path.name for path in out.iterdir()} >= FILES | {"adapter"}
    assert len(list(out.glob("events.out.tfevents.*"))) == 1
    assert not list(out.glob("checkpoint-*"))
    assert len(run.curves["train_loss"]) == 3
    assert len(run.curves["eval_loss"]) == 4
    weights = load_file(out / "adapter" / "adapter_model.safetensors")
    changed = [name for name, weight in weights.items() if "lora_B" in name and np.abs(weight).max() > 0]
    assert len(changed) == len(weights) / 2
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


SFT_OPTIONS = {
    "packing": {"packing": True, "max_length": 32},
    "packing the wrapped way": {"packing": True, "max_length": 32, "packing_strategy": "wrapped"},
    "neftune": {"neftune_noise_alpha": 5},
    "loss on all": {"completion_only_loss": False},
    "loss on the assistant": {"dataset_name": "messages", "assistant_only_loss": True},
    "messages": {"dataset_name": "messages"},
    "plain text": {"dataset_name": "text"},
    "gradient checkpointing": {"gradient_checkpointing": True},
    "bfloat16": {"dtype": "bfloat16", "bf16": True},
    "4 bit": {"load_in_4bit": True},
    "8 bit": {"load_in_8bit": True},
    "DoRA": {"use_dora": True},
    "dft": {"loss_type": "dft"},
    "accumulation": {"batch_size": 8},
    "cosine, warm-up, 8-bit optimizer": {"lr_scheduler_type": "cosine", "warmup_ratio": 0.4, "optim": "adamw_bnb_8bit"},
    "an epoch at a time": {"max_steps": None, "num_train_epochs": 2, "eval_strategy": "epoch"},
    "no evaluation": {"eval_strategy": "no"},
    "saves apart from evaluations": {"eval_steps": 2, "save_steps": 3},
}


@pytest.mark.parametrize("name", SFT_OPTIONS)
def test_an_option_of_trl_trains(make, tmp_path, small_rows, name):
    keys = dict(SFT_OPTIONS[name])
    if "dataset_name" in keys:
        keys["dataset_name"] = str(small_rows / keys["dataset_name"])
    run = train(make(**keys), {}, tmp_path / "run")
    assert math.isfinite(final(run, "train_loss"))
    assert not run.curves["train_loss"].broken
    assert (tmp_path / "run" / "adapter" / "adapter_model.safetensors").exists()
    assert (run.curve("eval_loss") is None) is (name == "no evaluation")


DPO_OPTIONS = {
    **{loss: {"loss_type": loss} for loss in METHODS["dpo"].loss_types},
    "exo_pair": {"loss_type": "exo_pair", "label_smoothing": 1e-3},
    "robust": {"loss_type": "robust", "label_smoothing": 0.1},
    "three losses with weights": {"loss_type": ["sigmoid", "bco_pair", "sft"], "loss_weights": [0.8, 0.2, 1.0]},
    "4 bit": {"load_in_4bit": True},
    "bfloat16": {"dtype": "bfloat16", "bf16": True},
    "reference computed once": {"precompute_ref_log_probs": True},
}


@pytest.mark.parametrize("name", DPO_OPTIONS)
def test_an_option_of_dpo_trains(make, tmp_path, name):
    run = train(make("dpo", max_steps=1, **DPO_OPTIONS[name]), {}, tmp_path / "run")
    assert math.isfinite(final(run, "train_loss"))
    assert math.isfinite(final(run, "eval_rewards_margins"))
    assert math.isfinite(final(run, "eval_loss"))


def test_a_4_bit_run_trains_adapters_over_4_bit_weights(make, tmp_path):
    run = train(make(load_in_4bit=True), {}, tmp_path / "run")
    assert run.settings.load_in_4bit
    weights = load_file(tmp_path / "run" / "adapter" / "adapter_model.safetensors")
    assert all(np.abs(weight).max() > 0 for weight in weights.values())


@pytest.mark.parametrize("bits", ["load_in_4bit", "load_in_8bit"])
def test_evaluating_does_not_change_how_a_quantised_model_trains(make, tmp_path, bits):
    keys = {bits: True, "lora_target_modules": "all-linear", "max_steps": 4, "logging_steps": 1}
    seen = train(make(**keys, eval_steps=1, save_steps=1), {}, tmp_path / "seen")
    unseen = train(make(**keys, eval_strategy="no"), {}, tmp_path / "unseen")
    assert seen.curves["grad_norm"].values == pytest.approx(unseen.curves["grad_norm"].values, rel=1e-3)


def test_full_fine_tuning_leaves_a_model(make, tmp_path):
    from transformers import AutoModelForCausalLM

    run = train(make(use_peft=None, lora_r=None, lora_dropout=None), {}, tmp_path / "run")
    assert not (tmp_path / "run" / "adapter").exists()
    with quiet():
        assert AutoModelForCausalLM.from_pretrained(tmp_path / "run" / "model").num_parameters() > 0
    assert run.settings.lora_r is None


def test_moves_are_applied_and_written_where_they_rerun(make, tmp_path):
    spec = make(study={"space": {"learning_rate": {"low": 1e-4, "high": 1e-1}}})
    moves = {"learning_rate": 2e-3, "batch_size": 8, "warmup_ratio": 0.3, "seed": 7}
    run = train(spec, moves, tmp_path / "run")
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


def test_another_seed_trains_another_way_on_the_same_split(make, tmp_path, small_rows):
    spec = make(dataset_name=str(small_rows / "sft" / "train.jsonl"))
    one, two, same = (train(spec, {"seed": seed}, tmp_path / str(n)) for n, seed in enumerate((1, 2, 1)))
    assert list(one.curves["train_loss"].values) == list(same.curves["train_loss"].values)
    assert list(one.curves["train_loss"].values) != list(two.curves["train_loss"].values)
    assert one.curves["eval_loss"].values[0] == two.curves["eval_loss"].values[0]


def test_report_is_asked_at_every_evaluation_and_its_reason_ends_the_run(make, tmp_path):
    asked = []

    def report(run, share):
        asked.append((share, len(run.curves["eval_loss"])))
        return "worse than the others" if share > 0.5 else None

    run = train(make(max_steps=6, eval_steps=2), {}, tmp_path / "run", report)
    assert asked == [(pytest.approx(1 / 3), 2), (pytest.approx(2 / 3), 3)]
    assert run.last_step == 4
    assert "stopped at step 4 of 6: worse than the others" in run.notes
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
    assert any("diverged" in note for note in run.notes)
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
    assert any("no chat template" in note for note in run.notes)
    assert "### Response:" in (tmp_path / "run" / "adapter" / "chat_template.jinja").read_text()
    assert "### Response:" in (tmp_path / "run" / "samples.jsonl").read_text()


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"load_in_8bit": True, "load_in_4bit": True}, "8 bit and 4 bit"),
        ({"load_best_model_at_end": True, "eval_steps": 2, "save_steps": 3}, "load_best_model_at_end requires"),
        ({"eos_token": "<gone>"}, "eos_token"),
        ({"lora_target_modules": ["gone_proj"]}, "gone_proj"),
        ({"fp16": True, "bf16": True}, "fp16 and bf16"),
    ],
)
def test_options_that_do_not_work_together_are_one_line(make, tmp_path, keys, message):
    with pytest.raises(SpecError, match=message) as caught:
        train(make(**keys), {}, tmp_path / "run")
    assert "\n" not in str(caught.value)
    assert "study.yaml" in str(caught.value)


def test_a_model_that_the_hub_does_not_give_is_one_line(make, tmp_path, monkeypatch):
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(SpecError, match="model_name_or_path: cannot load nobody/nothing") as caught:
        train(make(model_name_or_path="nobody/nothing"), {}, tmp_path / "run")
    assert "\n" not in str(caught.value)


def test_the_trainer_s_own_errors_keep_their_type(make, tmp_path):
    def report(run, share):
        raise MemoryError("no more")

    with pytest.raises(MemoryError):
        train(make(), {}, tmp_path / "run", report)
    assert not (tmp_path / "run" / "diagnosis.json").exists()


def test_rows_are_tokenised_once_for_all_trials(make, tmp_path, monkeypatch):
    from trl.trainer import sft_trainer

    from tuner.training import trainers

    trainers._prepared.clear()
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


SCRIPT = """
import sys
from tuner.spec import load_spec
from tuner.training.train import train
train(load_spec(sys.argv[1]), {"seed": 3}, sys.argv[2])
"""


def wait_for(found, process, seconds=120):
    began = time.monotonic()
    while not found():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() - began < seconds
        time.sleep(0.005)


def assert_same_curve(one, other):
    assert list(one.steps) == list(other.steps)
    assert one.values == pytest.approx(other.values, rel=1e-4)


@pytest.mark.slow
def test_a_killed_run_goes_on_and_ends_as_if_it_had_not_been(tmp_path, small_model, small_rows):
    path = smallest.study_file(tmp_path, small_model, small_rows, max_steps=60, eval_steps=5, logging_steps=1)
    out = tmp_path / "run"
    command = [sys.executable, "-c", SCRIPT, str(path), str(out)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        wait_for(lambda: last_whole(out) is not None, process)
        os.kill(process.pid, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert not (out / "diagnosis.json").exists()
    # What a kill in the middle of a save leaves behind: a later checkpoint that is not whole.
    whole = last_whole(out)
    cut = out / "checkpoint-59"
    shutil.copytree(whole, cut)
    (cut / "optimizer.pt").write_bytes((cut / "optimizer.pt").read_bytes()[:100])
    assert not is_whole(cut)
    said = []
    run = train(load_spec(path), {"seed": 3}, out, say=said.append)
    note = f"went on from step {whole.name.removeprefix('checkpoint-')} after the run was cut off"
    assert note in run.notes
    assert note in said
    assert note in (out / "report.md").read_text()
    through = train(load_spec(path), {"seed": 3}, tmp_path / "through")
    for name in ("train_loss", "eval_loss", "learning_rate"):
        assert_same_curve(run.curves[name], through.curves[name])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_after_its_step_and_it_goes_on_from_there(make, tmp_path, number):
    spec = make(max_steps=8, eval_steps=2, logging_steps=1, study={"exact_match_rows": 2})
    before = signal.getsignal(number)

    def report(run, share):
        if share == 0.5:
            os.kill(os.getpid(), number)

    with pytest.raises(KeyboardInterrupt):
        train(spec, {}, tmp_path / "run", report)
    assert signal.getsignal(number) is before
    assert not (tmp_path / "run" / "diagnosis.json").exists()
    run = train(spec, {}, tmp_path / "run")
    assert any("went on from step" in note for note in run.notes)
    through = train(spec, {}, tmp_path / "through")
    for name in ("train_loss", "eval_loss", "eval_exact_match"):
        assert_same_curve(run.curves[name], through.curves[name])


def test_a_half_run_with_other_settings_is_not_gone_on_from(make, tmp_path):
    out = tmp_path / "run"
    train(make(max_steps=4, eval_steps=2), {}, out, keep_checkpoints=True)
    for name in ("diagnosis.json", "trainer_state.json"):
        (out / name).unlink()
    run = train(make(max_steps=4, eval_steps=2), {"learning_rate": 1e-3}, out)
    assert not any("went on" in note for note in run.notes)


@pytest.mark.parametrize(
    ("name", "harm"),
    [
        ("trainer_state.json", lambda data: data[:20]),
        ("optimizer.pt", lambda data: data[: len(data) // 2]),
        ("rng_state.pth", lambda data: data[:10]),
        ("adapter_model.safetensors", lambda data: data[:-50]),
        ("scheduler.pt", None),
    ],
)
def test_a_cut_checkpoint_is_told_from_a_whole_one(make, tmp_path, name, harm):
    out = tmp_path / "run"
    train(make(), {}, out, keep_checkpoints=True)
    checkpoint = last_whole(out)
    assert checkpoint is not None
    path = checkpoint / name
    path.unlink() if harm is None else path.write_bytes(harm(path.read_bytes()))
    assert not is_whole(checkpoint)


def test_the_user_s_own_logging_keys_win():
    made = observed({"logging_steps": 5, "eval_strategy": "epoch", "logging_nan_inf_filter": True})
    assert (made["logging_steps"], made["eval_strategy"], made["logging_nan_inf_filter"]) == (5, "epoch", True)
    assert made["save_strategy"] == "epoch"
    assert "eval_steps" not in made


@pytest.mark.parametrize("steps", [1, 3, 10, 80, 100, 159, 1000, 12345])
def test_a_silent_file_logs_fifty_to_eighty_points_and_evaluates_a_dozen_times(steps):
    made = observed({})
    logs = steps // math.ceil(steps * made["logging_steps"])
    evals = steps // math.ceil(steps * made["eval_steps"])
    assert min(steps, 50) <= logs <= 80
    assert min(steps, 7) <= evals <= 14
