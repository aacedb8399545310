import os
from pathlib import Path

import pytest

from tests.tuner.inspector.material import write_csv, write_fine_run, write_overfit_run
from tuner.inspector.folder import HERE, Folder, Opened, Unreadable


def test_runs_are_found_below_the_folder_by_their_paths(tmp_path: Path) -> None:
    write_fine_run(tmp_path / "study" / "trial-000")
    write_overfit_run(tmp_path / "logs" / "a.csv")
    assert set(Folder(tmp_path).runs()) == {"study/trial-000", "logs/a.csv"}


def test_a_run_opened_alone_goes_by_its_folder_s_name(tmp_path: Path) -> None:
    folder = Folder(write_fine_run(tmp_path / "my-run"))
    assert list(folder.runs()) == [HERE]
    assert folder.name(HERE) == "my-run"
    assert folder.rows()[0].name == "my-run"


def test_a_single_log_file_is_the_only_run(tmp_path: Path) -> None:
    write_overfit_run(tmp_path / "b.csv")
    assert list(Folder(write_overfit_run(tmp_path / "a.csv")).runs()) == ["a.csv"]


def test_a_run_is_read_again_only_when_its_file_changes(tmp_path: Path) -> None:
    a, b = write_overfit_run(tmp_path / "a.csv"), write_overfit_run(tmp_path / "b.csv")
    folder = Folder(tmp_path)
    read: list[int] = []
    first = folder.rows(progress=lambda done, _: read.append(done))
    assert read == [0, 1]
    assert folder.rows(progress=lambda done, _: read.append(done)) == first
    assert read == [0, 1]
    with a.open("a") as file:
        file.write("121,1.0,\n")
    assert folder.rows(progress=lambda done, _: read.append(done))[0].last_step == 121
    assert read == [0, 1, 0]
    b.unlink()
    assert [row.id for row in folder.rows()] == ["a.csv"]


def test_a_run_that_did_not_change_is_opened_once(tmp_path: Path) -> None:
    path = write_overfit_run(tmp_path / "a.csv")
    folder = Folder(tmp_path)
    before = folder.open("a.csv")
    assert folder.open("a.csv") is before
    os.utime(path, (1, 1))
    assert folder.open("a.csv") is not before


def test_only_the_latest_opened_runs_are_kept(tmp_path: Path) -> None:
    for name in "abc":
        write_overfit_run(tmp_path / f"{name}.csv")
    folder = Folder(tmp_path, keep=2)
    first = folder.open("a.csv")
    folder.open("b.csv")
    assert folder.open("a.csv") is first
    folder.open("c.csv")
    assert folder.open("a.csv") is first


def test_a_folder_that_grows_has_another_stamp(tmp_path: Path) -> None:
    write_overfit_run(tmp_path / "a.csv")
    folder = Folder(tmp_path)
    before = folder.stamps()
    assert folder.stamps() == before
    write_overfit_run(tmp_path / "b.csv")
    assert folder.stamps() != before
    assert folder.stamps(["a.csv"]) == before


@pytest.mark.parametrize(
    "run_id", ["../secret.csv", "/etc/passwd", "a.csv/../../secret.csv", "", ".", "no.csv", "a\0b"]
)
def test_no_name_leads_out_of_the_folder(tmp_path: Path, run_id: str) -> None:
    write_overfit_run(tmp_path / "secret.csv")
    write_overfit_run(tmp_path / "open" / "a.csv")
    assert Folder(tmp_path / "open").open(run_id) is None


def test_a_link_out_of_the_folder_is_no_run(tmp_path: Path) -> None:
    secret = write_overfit_run(tmp_path / "secret.csv")
    write_overfit_run(tmp_path / "open" / "a.csv")
    (tmp_path / "open" / "link.csv").symlink_to(secret)
    (tmp_path / "open" / "folder").symlink_to(write_fine_run(tmp_path / "elsewhere"))
    assert list(Folder(tmp_path / "open").runs()) == ["a.csv"]


def test_a_log_that_cannot_be_read_is_a_row_with_the_reason(tmp_path: Path) -> None:
    write_overfit_run(tmp_path / "a.csv")
    (tmp_path / "cut").mkdir()
    (tmp_path / "cut" / "trainer_state.json").write_text('{"log_history": [{"step": 1, "lo')
    rows = {row.id: row for row in Folder(tmp_path).rows()}
    assert rows["cut"].label == "unreadable"
    assert rows["cut"].why.startswith("cut/trainer_state.json: ")
    assert rows["a.csv"].label != "unreadable"
    assert isinstance(Folder(tmp_path).open("cut"), Unreadable)


def test_a_run_of_nothing_but_nan_is_opened(tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", {"train_loss": [(k, float("nan")) for k in range(1, 20)]})
    opened = Folder(tmp_path).open("a.csv")
    assert isinstance(opened, Opened)
    assert str(opened.diagnosis.label) != "healthy"


def test_a_folder_that_does_not_exist_is_empty(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "none")
    assert folder.runs() == {}
    assert folder.rows() == []
    assert folder.stamps() == ()
    assert folder.open("a") is None


def test_a_run_that_is_gone_when_it_is_asked_for_is_none(tmp_path: Path) -> None:
    path = write_overfit_run(tmp_path / "a.csv")
    folder = Folder(tmp_path)
    folder.open("a.csv")
    path.unlink()
    assert folder.open("a.csv") is None
