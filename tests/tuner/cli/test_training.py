from __future__ import annotations

from pathlib import Path

import pytest

from tuner.cli import main


def test_train_goes_beside_the_study_of_the_same_file_and_not_into_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    from tuner.commands.train import run_folder
    from tuner.config.study_file import load_spec

    monkeypatch.chdir(tmp_path)
    assert main(["init", "sft"]) == 0
    (tmp_path / "trial-007").mkdir()
    (tmp_path / "trial-007" / "config.yaml").write_text((tmp_path / "sft.yaml").read_text())
    assert run_folder(load_spec(Path("sft.yaml"))) == Path("runs/sft-train")
    assert run_folder(load_spec(Path("trial-007/config.yaml"))) == Path("runs/trial-007-train")
    (tmp_path / "runs" / "sft").mkdir(parents=True)
    (tmp_path / "runs" / "sft" / "study.db").touch()
    capsys.readouterr()
    assert main(["train", "sft.yaml", "--out", "runs/sft"]) == 2
    assert capsys.readouterr().err.startswith("tuner: runs/sft: ")


@pytest.mark.parametrize(("room", "status"), [(4, 0), (0, 2)])
def test_train_continues_with_fewer_rows_when_memory_runs_out(
    room: int, status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    from diagnostics.model.curves import Run

    tried: list[int] = []

    def cramped(spec, moves, out, report, *, say):
        tried.append(moves.get("device_batch_limit", 16))
        if tried[-1] > room:
            raise MemoryError
        return Run.from_points("run", {"train_loss": [(step, 2 - step / 100) for step in range(50)]})

    monkeypatch.setattr("tuner.training.train.train", cramped)
    (tmp_path / "rows.jsonl").write_text('{"prompt": "a", "completion": "b"}\n')
    path = tmp_path / "x.yaml"
    batch = "per_device_train_batch_size: 16\nper_device_eval_batch_size: 16\n"
    path.write_text(f"method: sft\nmodel_name_or_path: tuner/tiny\ndataset_name: rows.jsonl\n{batch}")
    assert main(["train", str(path), "--out", str(tmp_path / "out")]) == status
    seen = capsys.readouterr()
    assert tried == ([16, 8, 4] if room else [16, 8, 4, 2, 1])
    assert "out of memory with 16 rows on the device; retrying with 8 rows on the device" in seen.out
    assert ("lower max_length" in seen.err) == (status == 2)
