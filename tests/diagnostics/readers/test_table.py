from __future__ import annotations

from pathlib import Path

import pytest

from diagnostics.model.curves import Run
from diagnostics.model.message import message
from diagnostics.readers import UnreadableLog, find_runs, read


def run_of(tmp_path: Path, said: str | bytes, name: str = "a.csv") -> Run:
    path = tmp_path / name
    path.write_bytes(said if isinstance(said, bytes) else said.encode())
    return read(path)


def test_blank_cells_are_not_logged_and_nan_and_inf_are(tmp_path: Path):
    run = run_of(tmp_path, "step,train_loss,eval_loss,grad_norm\n1,3.0,,nan\n2,nan,2.5,inf\n3,-inf,,1\n4,2.0,2.0,\n")
    assert run.curves["train_loss"].steps.tolist() == [1, 4]
    assert run.curves["train_loss"].broken == (2, 3)
    assert run.curves["eval_loss"].values.tolist() == [2.5, 2.0]
    assert run.curves["grad_norm"].broken == (1, 2)
    assert run.notes == ()
    assert run.name == "a"


@pytest.mark.parametrize("sign", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_delimiters_and_marks_of_other_programs_are_read(tmp_path: Path, sign: str, encoding: str):
    said = "step,loss,lr\r\n1,2.5,1e-3\r\n2,2.0,5e-4\r\n".replace(",", sign)
    run = run_of(tmp_path, said.encode(encoding))
    assert run.curves["train_loss"].values.tolist() == [2.5, 2.0]
    assert run.settings.learning_rate == 1e-3


def test_a_notebook_table_has_its_metrics_from_the_held_out_rows(tmp_path: Path):
    said = "Step,Training Loss,Validation Loss,Rewards/chosen,Entropy\n10,No log,2.5,0.1,3\n20,2.2,2.3,0.2,2\n"
    run = run_of(tmp_path, said)
    assert run.curves["train_loss"].steps.tolist() == [20]
    assert run.curves["eval_loss"].values.tolist() == [2.5, 2.3]
    assert {"eval_rewards_chosen", "eval_entropy"} <= run.curves.keys()
    assert "rewards_chosen" not in run.curves


def test_a_notebook_table_by_epoch_is_noted(tmp_path: Path):
    run = run_of(tmp_path, "Epoch,Training Loss,Validation Loss\n1,2.5,2.6\n2,2.2,2.3\n")
    assert run.curves["eval_loss"].steps.tolist() == [1, 2]
    assert run.curves["epoch"].values.tolist() == [1, 2]
    assert run.notes == (message("steps-are-epochs"),)


def test_keras_counts_epochs_from_zero(tmp_path: Path):
    run = run_of(
        tmp_path, "epoch,accuracy,loss,lr,val_accuracy,val_loss\n0,0.1,2.3,0.01,0.2,2.2\n1,0.2,2,0.01,0.3,1.9\n"
    )
    assert run.curves["train_loss"].steps.tolist() == [0, 1]
    assert run.curves["epoch"].values.tolist() == [1, 2]
    assert run.curves["eval_loss"].values.tolist() == [2.2, 1.9]
    assert run.curves["val_accuracy"].values.tolist() == [0.2, 0.3]


def test_lightning_joins_rows_of_one_step_and_reads_its_hparams(tmp_path: Path):
    (tmp_path / "version_0").mkdir()
    (tmp_path / "version_0" / "hparams.yaml").write_text("lr: 3e-4\nbatch_size: 16\n")
    said = "epoch,step,train_loss_epoch,train_loss_step,val_loss\n0,9,,2.3,\n0,19,,2.0,\n0,19,,,2.1\n0,19,2.2,,\n"
    run = run_of(tmp_path, said, "version_0/metrics.csv")
    assert run.name == "version_0"
    assert run.curves["train_loss"].values.tolist() == [2.3, 2.0]
    assert run.curves["eval_loss"].steps.tolist() == [19]
    assert (run.settings.learning_rate, run.settings.batch_size) == (3e-4, 16)


def test_a_wandb_export_loses_its_run_names_and_bounds(tmp_path: Path):
    said = (
        '"Step","a - b - train/loss","a - b - train/loss__MIN","a - b - train/loss__MAX","a - b - eval/loss"\n'
        '"10","2.5","2.4","2.6",""\n"20","2.0","1.9","2.1","2.2"\n'
    )
    run = run_of(tmp_path, said)
    assert {name: curve.values.tolist() for name, curve in run.curves.items()} == {
        "train_loss": [2.5, 2.0],
        "eval_loss": [2.2],
    }


def test_every_run_of_a_wandb_export_is_found_and_read(tmp_path: Path):
    said = "Step,a - train/loss,a - train/loss__MIN,lr=1e-4/b - train/loss,a - eval/loss\n1,2,0,9,\n2,1,0,8,5\n3,,,7,\n"
    (tmp_path / "export.csv").write_text(said)
    found = find_runs(tmp_path)
    assert [path.name for path in found] == ["export.csv#a", "export.csv#lr=1e-4%2Fb"]
    assert find_runs(tmp_path / "export.csv") == found
    assert find_runs(found[1]) == found[1:]
    first, second = map(read, found)
    assert (first.name, second.name) == ("a", "lr=1e-4/b")
    assert first.curves["train_loss"].values.tolist() == [2, 1]
    assert first.curves["eval_loss"].values.tolist() == [5]
    assert second.curves["train_loss"].values.tolist() == [9, 8, 7]
    assert second.curves.keys() == {"train_loss"}


@pytest.mark.parametrize("name", ["run", "Run Name", "run_id", "experiment"])
def test_runs_below_one_another_are_separated_by_the_column_that_names_them(tmp_path: Path, name: str):
    said = f"_step,{name},train/loss,_timestamp\n1,x,3,1\n1,y,5,1\n2,x,2,2\n2,y,4,2\n3,,9,3\n"
    (tmp_path / "history.csv").write_text(said)
    assert [path.name for path in find_runs(tmp_path)] == ["history.csv#x", "history.csv#y"]
    assert read(tmp_path / "history.csv#y").curves["train_loss"].values.tolist() == [5, 4]
    (tmp_path / "one.csv").write_text(said.replace("y", "x").replace(",,", ",x,"))
    assert read(tmp_path / "one.csv").name == "one"


def test_a_file_of_several_runs_needs_the_name_of_one(tmp_path: Path):
    path = tmp_path / "export.csv"
    path.write_text("Step,a - train/loss,b - train/loss\n1,2,9\n2,1,8\n")
    with pytest.raises(UnreadableLog, match=r"export.csv: .* 2 runs.*export.csv#a"):
        read(path)
    with pytest.raises(UnreadableLog, match=r"export.csv: .* aa; .* a, b"):
        read(f"{path}#aa")
    with pytest.raises(UnreadableLog, match=r"none\.csv#a: "):
        read(tmp_path / "none.csv#a")
    (tmp_path / "one.csv").write_text("step,loss\n1,2\n")
    with pytest.raises(UnreadableLog, match=r" a; "):
        read(tmp_path / "one.csv#a")


def test_a_file_may_have_the_sign_in_its_own_name(tmp_path: Path):
    (tmp_path / "take#2.csv").write_text("Step,a - loss,b#c - loss\n1,2,9\n2,1,8\n")
    assert [path.name for path in find_runs(tmp_path)] == ["take#2.csv#a", "take#2.csv#b#c"]
    assert read(tmp_path / "take#2.csv#b#c").curves["train_loss"].values.tolist() == [9, 8]


def test_a_table_without_steps_is_read_by_rows(tmp_path: Path):
    run = run_of(tmp_path, "loss,lr\n3,0.1\n2,0.1\n1,0.1\n")
    assert run.curves["train_loss"].steps.tolist() == [1, 2, 3]
    assert message("steps-are-row-numbers") in run.notes


def test_words_among_numbers_are_skipped_and_noted(tmp_path: Path):
    run = run_of(tmp_path, "step,loss,when\n1,3,monday\n2,high,tuesday\n3,1,friday\n")
    assert run.curves["train_loss"].steps.tolist() == [1, 3]
    assert run.curves.keys() == {"train_loss"}
    assert run.notes == (message("cells-skipped", cells=1),)


def test_steps_that_restart_in_every_epoch_are_counted_across_epochs(tmp_path: Path):
    run = run_of(
        tmp_path, "epoch,iter,loss\n" + "".join(f"{e},{i},{9 - 3 * e - i}\n" for e in range(3) for i in range(3))
    )
    assert run.curves["train_loss"].steps.tolist() == list(range(9))
    assert run.curves["train_loss"].values.tolist() == list(range(9, 0, -1))
    assert run.notes == (message("steps-start-again", column="iter"),)
    assert run.discontinuities == ()


def test_three_stretches_of_one_length_are_epochs_and_two_are_a_run_that_was_started_anew(tmp_path: Path):
    rows = [f"{i},{9 - 3 * e - i}" for e in range(3) for i in range(3)]
    three = run_of(tmp_path, "iter,loss\n" + "\n".join(rows))
    assert three.curves["train_loss"].steps.tolist() == list(range(9))
    two = run_of(tmp_path, "iter,loss\n" + "\n".join(rows[:6]))
    assert two.curves["train_loss"].values.tolist() == [6, 5, 4]


def test_a_repeated_step_keeps_its_last_value_and_is_noted(tmp_path: Path):
    run = run_of(tmp_path, "step,loss\n10,3\n20,2\n30,1\n20,2.5\n30,2.2\n40,2\n")
    assert run.curves["train_loss"].values.tolist() == [3, 2.5, 2.2, 2]
    assert run.notes == (message("log-restarts", step=20.0, rows=2),)
    assert run.discontinuities == (20,)


def test_a_row_that_is_cut_keeps_the_cells_it_has(tmp_path: Path):
    assert len(run_of(tmp_path, "step,loss,lr\n1,3,0.1\n2,2").curves["train_loss"]) == 2
