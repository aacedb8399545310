"""The benchmark of verdicts, on a folder of made-up labeled runs."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import diagnosis
from benchmarks.verdicts.cases import diagnosed, labeled
from benchmarks.verdicts.healthy import FAMILIES, healthy_runs
from benchmarks.verdicts.histories import Recipe, train, true_label
from benchmarks.verdicts.limits import Answers, chosen_elsewhere, scaled
from benchmarks.verdicts.perturbed import WAYS, perturbed
from diagnostics import RULES
from diagnostics.synthetic import make

LABELS = {
    "healthy-sft": "healthy",
    "eval-loss-rises": "overfit",
    "loss-diverges": "unstable",
    "still-improving": "underfit",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixteen runs of four sources, one of them labeled wrongly, and two whose label does not count."""
    root, rows = tmp_path_factory.mktemp("labeled"), []
    for cause, label in LABELS.items():
        for source in range(4):
            name = f"{cause}-{source}"
            write(root / f"{name}.csv", make(cause, 0.7, seed=source))
            wrong = name == "healthy-sft-0"
            rows.append(row(name, "overfit" if wrong else label, source))
    rows += [row("healthy-sft-1", None, 1), row("healthy-sft-2", "unstable", 2) | {"confidence": 0.5}]
    (root / "manifest.json").write_text(json.dumps(rows))
    return root


def row(name: str, label: str | None, source: int) -> dict[str, object]:
    return {"id": name, "file": f"{name}.csv", "label": label, "confidence": 0.9, "source": {"repo": f"s{source}"}}


def write(path: Path, run) -> None:
    train, evaluated = run.curves["train_loss"], run.curves["eval_loss"]
    held = dict(zip(evaluated.steps, evaluated.values, strict=True))
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["step", "train_loss", "eval_loss"])
        out.writerows([step, value, held.get(step, "")] for step, value in zip(train.steps, train.values, strict=True))


def test_only_labels_that_count_are_scored(folder: Path):
    runs = labeled(folder)
    assert len(runs) == 16
    assert {item.source for item in runs} == {"s0", "s1", "s2", "s3"}


def test_a_folder_without_a_manifest_is_named(tmp_path: Path):
    with pytest.raises(SystemExit, match=r"manifest.json: no such file; --runs needs"):
        labeled(tmp_path)


@pytest.mark.long
def test_the_report_lists_scores_rivals_and_disagreements(folder: Path, tmp_path: Path, capsys):
    status = diagnosis.main(["--runs", str(folder), "--disagree", str(tmp_path / "pages"), "--made-up", "3"])
    text = capsys.readouterr().out
    assert status in (0, 1)
    for part in (
        "test sources",
        "95 % over sources",
        "confidence mapped by all other sources",
        "trainproof",
        "worse logged",
        "Spearman",
    ):
        assert part in text
    assert "labeled overfit, said healthy" in text
    assert "healthy-sft-0" in text
    page = (tmp_path / "pages" / "healthy-sft-0.html").read_text("utf-8")
    assert "<svg" in page
    assert "labeled overfit, said healthy" in page
    assert "healthy-sft-0.html" in (tmp_path / "pages" / "index.html").read_text("utf-8")


def test_limits_are_chosen_without_the_source_that_they_judge(folder: Path):
    runs = labeled(folder)
    found = chosen_elsewhere(runs, Answers(runs))
    assert sorted(c.name for c in found) == sorted(item.name for item in runs)
    assert sum(c.right for c in found) >= 13


FAULTS = ("overfit", "underfit", "unstable")


def test_a_stricter_table_finds_less(folder: Path):
    runs = labeled(folder)
    loose, strict = (
        sum(c.said in FAULTS for c in diagnosed(runs, scaled(dict.fromkeys(FAULTS, f)))) for f in (0.6, 20.0)
    )
    assert strict < loose
    assert scaled({}) == RULES


@pytest.mark.parametrize("way", WAYS)
def test_worse_logged_runs_are_the_same_runs_with_less_in_them(folder: Path, way: str):
    runs = labeled(folder)
    worse = perturbed(runs, way)
    assert [(item.name, item.label) for item in worse] == [(item.name, item.label) for item in runs]
    before, after = (item[0].run.curves["train_loss"] for item in (runs, worse))
    assert len(after) < len(before) or not np.array_equal(after.values, before.values)
    assert sum(c.right for c in diagnosed(worse)) >= 10


@pytest.mark.parametrize("family", FAMILIES)
def test_made_up_healthy_runs_raise_few_alarms(family: str):
    alarms = [c for c in diagnosed(healthy_runs(family, 60, seed=7)) if c.said not in ("healthy", "unknown")]
    assert len(alarms) <= 2, [(c.name, c.cause) for c in alarms]


def test_small_networks_overfit_few_rows_and_not_many():
    few = Recipe(100, 200, 64, 4, 0.2, 40, 5e-3, 0.0, 0.0, 0.0, False)
    many = Recipe(1200, 400, 16, 4, 0.0, 40, 3e-3, 0.0, 1e-3, 0.5, True)
    labels = [true_label(train(of, np.random.default_rng(3), "net")[1]) for of in (few, many)]
    assert labels == ["overfit", "healthy"]
