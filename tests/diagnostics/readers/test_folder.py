from __future__ import annotations

import json
from pathlib import Path

import pytest

from diagnostics.model.curves import Run
from diagnostics.model.message import message
from diagnostics.readers import find_runs, read
from tests.diagnostics.readers.records import event, simple, tensor, version, words

DATE = "Nov20_14-33-29_host"


def events(folder: Path, rows: list[bytes], name: str = "events.out.tfevents.100.host.1.0") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(b"".join([version(), *rows]))
    return folder / name


def losses(steps: range, value: float = 1.0, tag: str = "train/loss") -> list[bytes]:
    return [event(step, simple(tag, value)) for step in steps]


def state(folder: Path, steps: range, value: float = 1.0, **more: object) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    rows = [{"step": step, "loss": value, "epoch": step / 10} for step in steps]
    said = {"global_step": steps[-1], "max_steps": 100, "num_train_epochs": 10, "log_history": rows, **more}
    (folder / "trainer_state.json").write_text(json.dumps(said, indent=2))


def spans(run: Run) -> tuple[float, float, int]:
    steps = run.curves["train_loss"].steps
    return steps[0], steps[-1], len(steps)


def test_the_arguments_in_the_event_file_become_settings(tmp_path: Path):
    arguments = {
        "learning_rate": 2e-4,
        "per_device_train_batch_size": 4,
        "gradient_accumulation_steps": 4,
        "max_steps": -1,
        "warmup_steps": 0.05,
        "lr_scheduler_type": "cosine",
        "logging_nan_inf_filter": True,
        "loss_type": "dft",
    }
    model = {
        "model_type": "llama",
        "hidden_size": 64,
        "vocab_size": 512,
        "transformers_version": "5.23.0",
        "loss_type": "X",
    }
    written = [event(0, words("args/text_summary", json.dumps(arguments)))]
    written += [event(0, words("model_config/text_summary", json.dumps(model)))]
    events(tmp_path, written + losses(range(1, 9)))
    known = read(tmp_path).settings.known()
    model.pop("loss_type")
    wanted = {**arguments, **model, "batch_size": 16, "warmup_ratio": 0.05}
    del wanted["warmup_steps"], wanted["max_steps"]
    assert {key: known.get(key) for key in wanted} == wanted
    assert "max_steps" not in known


def test_the_study_file_wins_over_the_arguments_and_fills_what_they_lack(tmp_path: Path):
    events(tmp_path, [event(0, words("args/text_summary", '{"learning_rate": 1e-4, "seed": 3}')), *losses(range(1, 5))])
    (tmp_path / "config.yaml").write_text(
        "method: sft\nlearning_rate: 1e-5\nuse_peft: true\nlora_r: 16\nload_in_4bit: false\n"
    )
    settings = read(tmp_path).settings
    assert (settings.learning_rate, settings.seed, settings.lora_r) == (1e-5, 3, 16)
    assert (settings.method, settings.use_peft, settings.load_in_4bit) == ("sft", True, False)


def test_a_transformers_folder_is_one_run_of_all_its_logs(tmp_path: Path):
    out = tmp_path / "out"
    events(out / "runs" / DATE, losses(range(1, 31), 2.0))
    events(out / "runs" / DATE, [event(30, simple("eval/loss", 3.0))], "events.out.tfevents.101.host.1.1")
    for step in (9, 10, 30):
        state(out / f"checkpoint-{step}", range(1, step + 1), 2.0)
    run = read(out)
    assert find_runs(tmp_path) == [out]
    assert spans(run) == (1, 30, 30)
    assert run.curves["eval_loss"].values.tolist() == [3.0]
    assert run.curves["epoch"].values[-1] == 3.0
    assert "wall_time" in run.curves
    assert run.name == "out"


def test_a_transformers_run_without_a_checkpoint_yet_is_its_folder(tmp_path: Path):
    events(tmp_path / "out" / "runs" / DATE, losses(range(1, 4)))
    (tmp_path / "out" / "config.yaml").write_text("learning_rate: 1e-5\n")
    assert find_runs(tmp_path) == [tmp_path / "out"]
    assert read(tmp_path / "out").settings.learning_rate == 1e-5


def test_the_runs_of_a_plain_summary_writer_stay_apart(tmp_path: Path):
    for day in (19, 20):
        events(tmp_path / "runs" / f"Nov{day}_14-33-29_host", losses(range(1, 4)))
    assert [path.name for path in find_runs(tmp_path)] == ["Nov19_14-33-29_host", "Nov20_14-33-29_host"]


def test_the_newest_state_is_read_wherever_it_lies(tmp_path: Path):
    for step in (9, 10, 100):
        state(tmp_path / f"checkpoint-{step}", range(1, step + 1))
    assert spans(read(tmp_path)) == (1, 100, 100)
    state(tmp_path, range(1, 121))
    assert spans(read(tmp_path)) == (1, 120, 120)
    state(tmp_path, range(1, 21))
    assert spans(read(tmp_path)) == (1, 100, 100)
    assert read(tmp_path / "checkpoint-9").name == "checkpoint-9"


def test_the_state_fills_what_the_event_file_lacks(tmp_path: Path):
    events(tmp_path, losses(range(21, 41), 2.0))
    state(tmp_path, range(1, 31), 2.0)
    run = read(tmp_path)
    assert spans(run) == (1, 40, 40)
    assert message("points-added", points=50, log="trainer_state.json") in run.notes


def test_a_state_of_another_run_is_left_out(tmp_path: Path):
    events(tmp_path, losses(range(1, 21), 2.0))
    state(tmp_path, range(1, 31), 5.0)
    run = read(tmp_path)
    assert spans(run) == (1, 20, 20)
    assert message("other-run", log="trainer_state.json") in run.notes


def test_llamafactorys_live_log_continues_where_the_last_checkpoint_ends(tmp_path: Path):
    state(tmp_path / "checkpoint-20", range(5, 21, 5), 2.0)
    rows = [{"current_steps": s, "total_steps": 100, "loss": 2.0, "lr": 1e-4, "epoch": s / 10} for s in range(5, 41, 5)]
    (tmp_path / "trainer_log.jsonl").write_text("\n".join(map(json.dumps, rows)))
    run = read(tmp_path)
    assert spans(run) == (5, 40, 8)
    assert run.curves.keys() == {"train_loss", "learning_rate", "epoch"}
    assert find_runs(tmp_path) == [tmp_path]


def test_a_damaged_state_beside_a_good_event_file_is_noted(tmp_path: Path):
    events(tmp_path, losses(range(1, 21)))
    (tmp_path / "trainer_state.json").write_text("{")
    run = read(tmp_path)
    assert spans(run) == (1, 20, 20)
    assert run.notes[-1].code == "log-not-read"


@pytest.mark.parametrize("damage", [b"", b'{"log_history": [', b"\0\1"])
def test_an_older_checkpoint_is_read_where_the_newest_is_damaged(tmp_path: Path, damage: bytes):
    for step in (10, 20, 30):
        state(tmp_path / f"checkpoint-{step}", range(1, step + 1))
    state(tmp_path, range(1, 31))
    (tmp_path / "trainer_state.json").write_bytes(damage)
    (tmp_path / "checkpoint-30" / "trainer_state.json").write_bytes(damage)
    run = read(tmp_path)
    assert spans(run) == (1, 20, 20)
    assert [note.code for note in run.notes].count("log-not-read") == 2


def test_a_restart_from_a_checkpoint_drops_the_abandoned_branch(tmp_path: Path):
    events(tmp_path, losses(range(1, 81), 1.0) + losses(range(10, 81, 10), 1.0, "eval/loss"))
    events(tmp_path, losses(range(51, 61), 2.0), "events.out.tfevents.200.host.1.0")
    run = read(tmp_path)
    assert spans(run) == (1, 60, 60)
    assert set(run.curves["train_loss"].between(51, 60).values) == {2.0}
    assert run.curves["eval_loss"].steps.tolist() == [10, 20, 30, 40, 50]
    assert message("file-restarts", file="events.out.tfevents.200.host.1.0", step=51.0, points=33) in run.notes


def test_of_two_runs_from_the_start_in_one_folder_the_last_is_read(tmp_path: Path):
    events(
        tmp_path / "runs" / "Nov01_10-00-00_a", losses(range(1, 81), 1.0) + losses(range(10, 81, 10), 1.0, "eval/loss")
    )
    events(tmp_path / "runs" / "Apr01_10-00-00_a", losses(range(1, 31), 2.0), "events.out.tfevents.200.host.1.0")
    state(tmp_path, range(1, 31), 2.0)
    run = read(tmp_path)
    assert spans(run) == (1, 30, 30)
    assert "eval_loss" not in run.curves


def test_a_later_evaluation_is_not_a_restart(tmp_path: Path):
    events(tmp_path, losses(range(1, 81)) + losses(range(10, 81, 10), 1.0, "eval/loss"))
    events(tmp_path, [event(0, simple("eval/loss", 9.0))], "events.out.tfevents.200.host.1.0")
    run = read(tmp_path)
    assert spans(run) == (1, 80, 80)
    assert run.curves["eval_loss"].steps.tolist() == [0, 10, 20, 30, 40, 50, 60, 70, 80]


@pytest.mark.parametrize("outer", [[], losses(range(1, 3), 9.0, "keras")])
def test_keras_train_and_validation_are_one_run(tmp_path: Path, outer: list[bytes]):
    run = tmp_path / "logs" / "fit"
    events(run / "train", [event(epoch, tensor("epoch_loss", 2.0)) for epoch in range(5)], "events.out.tfevents.1.v2")
    events(
        run / "validation", [event(epoch, tensor("epoch_loss", 3.0)) for epoch in range(5)], "events.out.tfevents.2.v2"
    )
    if outer:
        events(run, outer)
    assert find_runs(tmp_path) == [run]
    assert read(run).curves["train_loss"].values.tolist() == [2.0] * 5
    assert read(run).curves["eval_loss"].values.tolist() == [3.0] * 5


def test_add_scalars_folders_belong_to_their_run(tmp_path: Path):
    events(tmp_path, [])
    events(tmp_path / "Loss_train", losses(range(5), 2.0, "Loss"))
    events(tmp_path / "Loss_val", losses(range(5), 3.0, "Loss"))
    assert find_runs(tmp_path) == [tmp_path]
    assert read(tmp_path).curves["train_loss"].values.tolist() == [2.0] * 5
    assert read(tmp_path).curves["eval_loss"].values.tolist() == [3.0] * 5


def test_a_run_with_split_in_its_name_is_not_part_of_the_folder_above(tmp_path: Path):
    for name in (".", "alpaca_test", "sft_train"):
        events(tmp_path / name, losses(range(5)))
    assert find_runs(tmp_path) == [tmp_path, tmp_path / "alpaca_test", tmp_path / "sft_train"]


def test_runs_are_found_sorted_and_nothing_else_is(tmp_path: Path):
    events(tmp_path / "b" / "deep" / "er", losses(range(1, 3)))
    state(tmp_path / "a" / "checkpoint-5", range(1, 6))
    (tmp_path / "a" / "README.md").write_text("loss")
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "one.csv").write_text("step,train_loss\n1,2\n")
    (tmp_path / "c" / "two.jsonl").write_text('{"step": 1, "loss": 2}\n')
    (tmp_path / "c" / "prompts.jsonl").write_text('{"prompt": "loss?", "completion": "no"}\n')
    (tmp_path / "c" / "people.csv").write_text("name,age\na,1\n")
    (tmp_path / "c" / "notes.txt").write_text("the loss was high\n")
    (tmp_path / "c" / "study.json").write_text('{"trials": [{"loss": 1}]}')
    (tmp_path / "c" / "journal.log").write_text('{"op_code": 0, "worker_id": "x", "study_name": "loss"}\n')
    events(tmp_path / ".hidden", losses(range(1, 3)))
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "itself").symlink_to("itself")
    (tmp_path / "gone.csv").symlink_to("nowhere.csv")
    (tmp_path / "latest").symlink_to(tmp_path / "a")
    wanted = ["a", "b/deep/er", "c/one.csv", "c/two.jsonl"]
    assert [path.relative_to(tmp_path).as_posix() for path in find_runs(tmp_path)] == wanted
    assert find_runs(tmp_path / "c" / "one.csv") == [tmp_path / "c" / "one.csv"]
    assert find_runs(tmp_path / ".hidden") == [tmp_path / ".hidden"]
    assert find_runs(tmp_path / "c" / "..") != []


def test_a_log_always_at_step_zero_is_noted(tmp_path: Path):
    events(tmp_path, [event(0, simple("train/loss", 3.0 - k)) for k in range(3)])
    run = read(tmp_path)
    assert run.curves["train_loss"].values.tolist() == [3.0, 2.0, 1.0]
    assert message("tag-at-step-zero", tag="train/loss") in run.notes
