"""Logs as other programs write them: axolotl, W&B, Keras's screen, hand-written loops, and which method they are of."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from diagnostics import diagnose
from diagnostics.model.curves import Run
from diagnostics.readers import UnreadableLog, find_runs, read

LOGS = Path(__file__).parents[2] / "data" / "logs"


def printed(tmp_path: Path, said: str, name: str = "train.log") -> Run:
    (tmp_path / name).write_text(said)
    return read(tmp_path / name)


def test_axolotls_output_is_one_run_with_the_settings_of_its_config():
    assert find_runs(LOGS / "axolotl") == [LOGS / "axolotl"]
    run = read(LOGS / "axolotl")
    assert run.curves["train_loss"].steps.tolist() == list(range(1, 9))
    assert run.curves["eval_loss"].steps.tolist() == [4, 8]
    wanted = {
        "model_name_or_path": "NousResearch/Llama-3.2-1B",
        "use_peft": True,
        "load_in_4bit": True,
        "lora_r": 32,
        "packing": True,
        "per_device_train_batch_size": 2,
        "gradient_accumulation_steps": 4,
        "num_train_epochs": 2.0,
        "lr_scheduler_type": "cosine",
        "learning_rate": 2e-4,
        "optim": "adamw_8bit",
    }
    known = run.settings.known()
    assert {key: known.get(key) for key in wanted} == wanted


def test_colors_prefixes_bars_and_numpys_own_numbers_are_read_through():
    run = read(LOGS / "colored.log")
    assert run.curves["train_loss"].steps.tolist() == list(range(1, 9))
    assert run.curves["grad_norm"].values.tolist() == [0.5] * 8
    assert run.settings.max_steps == 16
    assert run.curves["train/train_loss"].values.tolist() == [1.4]


def test_a_wandb_chart_is_every_run_in_it():
    found = find_runs(LOGS / "wandb_chart.csv")
    assert [path.name for path in found] == ["wandb_chart.csv#sft-lr1e-4", "wandb_chart.csv#sft - lr1e-5"]
    first, second = map(read, found)
    assert (first.name, len(first.curves["train_loss"])) == ("sft-lr1e-4", 10)
    assert (second.name, len(second.curves["train_loss"])) == ("sft - lr1e-5", 8)
    assert second.curves["train_loss"].values[0] == 2.35


def test_lines_of_several_runs_are_separated(tmp_path: Path):
    rows = [{"run_name": name, "step": s, "loss": k - s / 10} for s in (1, 2, 3) for k, name in ((2, "a/x"), (3, "b"))]
    (tmp_path / "all.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert [path.name for path in find_runs(tmp_path)] == ["all.jsonl#a%2Fx", "all.jsonl#b"]
    assert read(tmp_path / "all.jsonl#b").curves["train_loss"].values.tolist() == [2.9, 2.8, 2.7]
    with pytest.raises(UnreadableLog, match=r" 2 runs"):
        read(tmp_path / "all.jsonl")


def test_what_keras_prints_is_read_by_epoch():
    run = read(LOGS / "keras.log")
    assert run.curves["train_loss"].steps.tolist() == [1, 2, 3]
    assert run.curves["train_loss"].values.tolist() == [2.5, 2.0, 1.5]
    assert run.curves["eval_loss"].values.tolist() == [2.6, 2.1, 1.6]


@pytest.mark.parametrize(
    "line",
    [
        "step {s}: loss {v}, lr 1.00e-04, norm 0.3",
        "2026-01-01 10:00:00 INFO train.py:12 - step={s} loss={v} lr=1e-4",
        "iter {s}: train loss {v}, val loss 9.5, time 12.3ms",
        "[step {s}/900] Training Loss: {v} | Learning Rate: 1e-4",
        "Iteration {s} | train_loss {v} | lr 1e-4",
        "{{'loss': {v}, 'global_step': {s}, 'learning_rate': 1e-4}}",
        'INFO {{"step": {s}, "loss": {v}, "lr": 1e-4}}',
    ],
)
def test_lines_of_hand_written_loops_are_read(tmp_path: Path, line: str):
    said = "a header about the loss of 3 kilos\n" + "\n".join(line.format(s=s, v=3 - s / 100) for s in (10, 20, 30))
    run = printed(tmp_path, said)
    assert run.curves["train_loss"].steps.tolist() == [10, 20, 30]
    assert run.curves["train_loss"].values.tolist() == [2.9, 2.8, 2.7]


@pytest.mark.parametrize("value", ["nan", "inf", "'nan'", "NaN", "np.float64(nan)", "tensor(nan, device='cuda:0')"])
def test_a_printed_loss_that_is_not_a_number_is_a_broken_step(tmp_path: Path, value: str):
    run = printed(tmp_path, f"{{'loss': 2.0, 'epoch': 0.1}}\n{{'loss': {value}, 'epoch': 0.2}}\n")
    assert run.curves["train_loss"].broken == (2.0,)


def test_prose_about_losses_is_not_a_log(tmp_path: Path):
    for said in ("the loss was 3 in the end\n", "epoch of losses\nstep 3 of the plan: avoid a loss\n", "loss\n" * 50):
        with pytest.raises(UnreadableLog):
            printed(tmp_path, said)
    assert find_runs(tmp_path) == []


PAIRS = {"rewards/chosen": 0.1, "rewards/rejected": -0.1, "rewards/accuracies": 0.5, "rewards/margins": 0.2}
LOGGED = {
    "dpo": {**PAIRS, "logps/chosen": -100, "logps/rejected": -90, "entropy": 1.0, "mean_token_accuracy": 0.6},
    "orpo": {**PAIRS, "nll_loss": 1.4, "log_odds_ratio": -0.6, "log_odds_chosen": 0.1},
    "cpo": {**PAIRS, "nll_loss": 1.4, "logps/chosen": -100},
    "kto": {"rewards/chosen": 0.1, "rewards/rejected": 0.1, "rewards/margins": 0.0, "kl": 0.2, "logps/chosen": -9},
    "grpo or rloo": {"reward": 0.4, "reward_std": 0.2, "rewards/format/mean": 0.4, "completions/mean_length": 90},
    "grpo": {"reward": 0.4, "reward_std": 0.2, "sampling/sampling_logp_difference/mean": 0.01},
    "reward": {"min_reward": -1, "mean_reward": 0.1, "max_reward": 1.3, "accuracy": 0.55, "margin": 0.1},
    "sft": {"entropy": 1.1, "mean_token_accuracy": 0.6, "num_tokens": 1000.0},
}


def state(path: Path, rows: list[dict[str, float]], **more: object) -> Run:
    path.write_text(json.dumps({"log_history": rows, "global_step": len(rows), "max_steps": len(rows), **more}))
    return read(path)


@pytest.mark.parametrize("method", LOGGED)
def test_the_method_follows_from_what_its_trainer_logs(tmp_path: Path, method: str):
    rows = [{"step": k, "loss": 1.0, **LOGGED[method]} for k in range(1, 11)]
    assert state(tmp_path / "trainer_state.json", rows).settings.method == method
    held_out = [{"step": k, "loss": 1.0, **{f"eval_{key}": v for key, v in LOGGED[method].items()}} for k in (5, 10)]
    assert state(tmp_path / "trainer_state.json", held_out).settings.method == method


@pytest.mark.parametrize(
    ("said", "method"),
    [
        ("rl: orpo\n", "orpo"),
        ("stage: dpo\npref_loss: simpo\n", "simpo"),
        ("stage: dpo\npref_loss: sigmoid\n", "dpo"),
        ("stage: rm\n", "reward"),
        ("method: reward\n", "reward"),
        ("desirable_weight: 1.0\nprecompute_ref_log_probs: false\n", "kto"),
        ("num_generations: 8\n", "grpo or rloo"),
        ("num_generations: 8\nscale_rewards: group\n", "grpo"),
        ("num_generations: 8\nnormalize_advantages: false\n", "rloo"),
        ("method: rloo\n", "rloo"),
    ],
)
def test_the_method_follows_from_the_settings(tmp_path: Path, said: str, method: str):
    (tmp_path / "config.yaml").write_text(said)
    rows = [{"step": k, "loss": 1.0, **PAIRS} for k in range(1, 11)]
    assert state(tmp_path / "trainer_state.json", rows).settings.method == method


@pytest.mark.parametrize(
    ("said", "method"),
    [("", "grpo or rloo"), ("scale_rewards: true\n", "grpo"), ("reward_clip_range: [-10, 10]\n", "rloo")],
)
def test_grpo_and_rloo_are_distinguished_by_their_own_options(tmp_path: Path, said: str, method: str):
    (tmp_path / "config.yaml").write_text(f"num_generations: 8\n{said}")
    rows = [{"step": k, "loss": 0.01, **LOGGED["grpo or rloo"]} for k in range(1, 11)]
    assert state(tmp_path / "trainer_state.json", rows).settings.method == method


DPO_RULES = {"dpo-start-loss-wrong", "policy-never-moves", "preferences-not-learned"}


@pytest.mark.parametrize("method", ["orpo", "cpo", "kto", "grpo", "grpo or rloo", "reward"])
def test_no_other_method_is_held_to_the_start_of_dpo(tmp_path: Path, method: str):
    rows = [{"step": k, "loss": 1.9 + 0.001 * (-1) ** k, **LOGGED[method]} for k in range(1, 61)]
    found = diagnose(state(tmp_path / "trainer_state.json", rows))
    assert not DPO_RULES & {finding.rule for finding in found.findings}


@pytest.mark.parametrize("loss_type", ["ipo", "hinge", "exo_pair", "sppo_hard", "apo_zero", "[sigmoid, sft]"])
def test_other_losses_of_dpo_are_not_held_to_ln_2(tmp_path: Path, loss_type: str):
    (tmp_path / "config.yaml").write_text(f"method: dpo\nbeta: 0.1\nloss_type: {loss_type}\n")
    rows = [
        {"step": k, "loss": 25.0 - k / 4, **LOGGED["dpo"], "rewards/margins": 0.01, "rewards/accuracies": 0.9}
        for k in range(1, 61)
    ]
    found = diagnose(state(tmp_path / "trainer_state.json", rows))
    assert not DPO_RULES & {finding.rule for finding in found.findings}


def test_a_grpo_loss_near_zero_is_not_a_fault(tmp_path: Path):
    rows = [{"step": k, "loss": 0.0, "learning_rate": 1e-6, "grad_norm": 0.2, **LOGGED["grpo"]} for k in range(1, 61)]
    found = diagnose(state(tmp_path / "trainer_state.json", rows))
    assert not found.findings


def test_a_tag_of_ones_own_is_taken_in_every_format_and_finds_the_log(tmp_path: Path):
    rows = [{"step": k, "objective": 3.0 / k, "eval_score": 1.0} for k in range(1, 6)]
    (tmp_path / "a.csv").write_text("step,objective\n" + "\n".join(f"{r['step']},{r['objective']}" for r in rows))
    (tmp_path / "b.jsonl").write_text("\n".join(map(json.dumps, rows)))
    state(tmp_path / "trainer_state.json", rows)
    (tmp_path / "trainer_state.json").rename(tmp_path / "c.json")
    tags = {"train_loss": "objective"}
    assert find_runs(tmp_path) == [tmp_path / "c.json"]
    found = find_runs(tmp_path, tags)
    assert [path.name for path in found] == ["a.csv", "b.jsonl", "c.json"]
    for path in found:
        assert len(read(path, tags).curves["train_loss"]) == 5
    assert len(read(tmp_path / "c.json", {"eval_loss": "eval_score"}).curves["eval_loss"]) == 5
    with pytest.raises(UnreadableLog, match=r"objektive; .*objective"):
        read(tmp_path / "a.csv", {"train_loss": "objektive"})


def test_ms_swift_logs_its_step_with_the_total(tmp_path: Path):
    rows = [{"loss": 3.0 / k, "token_acc": 0.5, "epoch": k / 9, "global_step/max_steps": f"{5 * k}/90"} for k in (1, 2)]
    (tmp_path / "logging.jsonl").write_text("\n".join(map(json.dumps, rows)))
    run = read(tmp_path / "logging.jsonl")
    assert run.curves["train_loss"].steps.tolist() == [5, 10]
    assert run.curves["mean_token_accuracy"].values.tolist() == [0.5, 0.5]
    assert run.settings.max_steps == 90


@pytest.mark.parametrize("key", ["split", "phase", "mode"])
def test_lines_that_name_their_split_are_kept_apart(tmp_path: Path, key: str):
    rows = [{key: split, "step": k, "loss": k + more} for k in (1, 2, 3) for split, more in (("train", 0), ("val", 5))]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    run = read(tmp_path / "a.jsonl")
    assert run.curves["train_loss"].values.tolist() == [1, 2, 3]
    assert run.curves["eval_loss"].values.tolist() == [6, 7, 8]
    assert find_runs(tmp_path) == [tmp_path / "a.jsonl"]
