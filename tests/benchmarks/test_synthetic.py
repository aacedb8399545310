"""The table of detection and false alarms counts what the verdicts say."""

from __future__ import annotations

import csv
from pathlib import Path

from benchmarks.live import checks_of, with_patience, without_patience
from benchmarks.synthetic import BY_NAME, Cell, judged, own_row, plan, share, write_csv
from diagnostics.rules import RULES
from diagnostics.synthetic import HEALTHY, make


def test_every_rule_and_every_healthy_kind_is_planned():
    causes = {cause for cause, *_ in plan(range(1), ())}
    assert causes == {*(rule.name for rule in RULES), *HEALTHY}


def test_a_cell_counts_the_verdicts_of_its_seeds():
    cell = judged(("loss-diverges", 0.75, 0.01, range(3), ()))
    assert (cell.runs, cell.fired["loss-diverges"], cell.named["loss-diverges"]) == (3, 3, 3)
    assert cell.labels == {"unstable": 3}
    kept = judged(("loss-diverges", 0.75, 0.01, range(2), ("loss-spikes",)))
    assert not kept.fired["loss-diverges"]


def test_a_row_counts_found_named_and_false_alarms(tmp_path: Path):
    own, calm = Cell("loss-spikes", 0.5, 0.01, runs=4), Cell("healthy-sft", 0.0, 0.01, runs=4)
    own.fired["loss-spikes"], own.labels["unstable"], calm.fired["loss-spikes"] = 3, 2, 1
    other = Cell("eval-loss-rises", 0.5, 0.03, runs=4)
    other.named["loss-spikes"] = 2
    row = own_row(BY_NAME["loss-spikes"], [own, calm, other])
    assert row == ["loss-spikes", "unstable", "-", "75", "-", "-", "75", "-", "-", "50", "25", "25", row[-1]]
    assert row[-1] == "50 (eval-loss-rises 0.5/0.03)"
    assert share([own], "loss-spikes") == 0.75
    write_csv(tmp_path / "cells.csv", [own, calm, other])
    with (tmp_path / "cells.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert rows[0] | {"fired": "3", "named": "0", "runs": "4"} == rows[0]


def test_patience_takes_less_back_than_saying_all_at_once():
    seen = [checks_of(make("healthy-constant-rate", 0.0, 0.03, seed, logs=300, evals=0)) for seed in range(4)]
    assert sum(without_patience(one)["cleared"] for one in seen) > 0
    assert sum(with_patience(one)["cleared"] for one in seen) == 0
