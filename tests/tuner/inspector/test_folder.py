import os
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.tuner.inspector.material import write_csv, write_fine_run, write_overfit_run
from tests.tuner.inspector.pages import notices
from tuner.inspector.runs.folder import HERE, Folder, Opened, Unreadable
from tuner.inspector.runs.row import UNREAD


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


def test_what_is_still_to_be_read_of_a_run_is_known(tmp_path: Path) -> None:
    log = write_overfit_run(tmp_path / "a.csv")
    folder = Folder(tmp_path)
    runs = folder.runs()
    assert folder.unread("a.csv", runs) == log.stat().st_size
    folder.open("a.csv", runs)
    assert folder.unread("a.csv", runs) == 0
    with log.open("a") as file:
        file.write("121,1.0,\n")
    assert folder.unread("a.csv", runs) == log.stat().st_size
    assert folder.unread("gone.csv", runs) == 0


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


def test_a_folder_that_grows_has_another_state(tmp_path: Path) -> None:
    write_overfit_run(tmp_path / "a.csv")
    folder = Folder(tmp_path)
    before = folder.file_states()
    assert folder.file_states() == before
    write_overfit_run(tmp_path / "b.csv")
    assert folder.file_states() != before
    assert folder.file_states(["a.csv"]) == before


@pytest.mark.parametrize(
    "run_id", ["../secret.csv", "/etc/passwd", "a.csv/../../secret.csv", "", ".", "no.csv", "a\0b"]
)
def test_no_name_leads_out_of_the_folder(tmp_path: Path, run_id: str) -> None:
    write_overfit_run(tmp_path / "secret.csv")
    write_overfit_run(tmp_path / "open" / "a.csv")
    assert Folder(tmp_path / "open").open(run_id) is None


def test_a_link_out_of_the_folder_is_not_a_run(tmp_path: Path) -> None:
    secret = write_overfit_run(tmp_path / "secret.csv")
    write_overfit_run(tmp_path / "open" / "a.csv")
    (tmp_path / "open" / "link.csv").symlink_to(secret)
    (tmp_path / "open" / "folder").symlink_to(write_fine_run(tmp_path / "elsewhere"))
    assert list(Folder(tmp_path / "open").runs()) == ["a.csv"]


@pytest.mark.parametrize("name", ["trainer_state.json", "config.yaml", "adapter/adapter_config.json"])
def test_a_run_with_a_file_that_lies_elsewhere_is_not_read(tmp_path: Path, name: str) -> None:
    run = write_fine_run(tmp_path / "open" / "a")
    elsewhere = write_fine_run(tmp_path / "elsewhere") / "trainer_state.json"
    (run / name).unlink(missing_ok=True)
    (run / name).parent.mkdir(exist_ok=True)
    (run / name).symlink_to(elsewhere)
    (row,) = Folder(tmp_path / "open").rows()
    assert row.label == UNREAD
    assert row.why.startswith(f"a/{name}: is a link that leads out of the opened folder")
    assert isinstance(Folder(tmp_path / "open").open("a"), Unreadable)


def test_a_link_inside_the_folder_is_followed(tmp_path: Path) -> None:
    run = write_fine_run(tmp_path / "a")
    (tmp_path / "shared.yaml").write_text("learning_rate: 0.0002\n")
    (run / "config.yaml").symlink_to(tmp_path / "shared.yaml")
    (row,) = Folder(tmp_path).rows()
    assert dict(row.settings)["learning_rate"] == 0.0002


def test_a_log_that_cannot_be_read_is_a_row_with_the_reason(tmp_path: Path) -> None:
    write_overfit_run(tmp_path / "a.csv")
    (tmp_path / "cut").mkdir()
    (tmp_path / "cut" / "trainer_state.json").write_text('{"log_history": [{"step": 1, "lo')
    rows = {row.id: row for row in Folder(tmp_path).rows()}
    assert rows["cut"].label == UNREAD
    assert rows["cut"].why.startswith("cut/trainer_state.json: ")
    assert rows["a.csv"].label != UNREAD
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
    assert folder.file_states() == ()
    assert folder.open("a") is None


def test_a_run_that_is_gone_when_it_is_opened_is_none(tmp_path: Path) -> None:
    path = write_overfit_run(tmp_path / "a.csv")
    folder = Folder(tmp_path)
    folder.open("a.csv")
    path.unlink()
    assert folder.open("a.csv") is None


@pytest.mark.skipif(os.name != "posix", reason="other systems keep rights differently")
def test_what_may_not_be_opened_is_named_above_the_table(
    opened: Callable[..., AppTest], tmp_path: Path, cannot_open: Callable[[Path], None]
) -> None:
    write_fine_run(tmp_path / "fine")
    (tmp_path / "closed").mkdir()
    cannot_open(tmp_path / "closed")
    folder = Folder(tmp_path)
    assert set(folder.runs()) == {"fine"} and folder.closed() == ("closed: cannot be opened: permission denied",)
    (warning,) = notices(opened(), "warning")
    assert "closed: cannot be opened" in warning
