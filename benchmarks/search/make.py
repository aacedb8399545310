"""Train every setting of a grid and keep the curves: the tables that strategies are replayed on.

    python -m benchmarks.search.make tiny-sft --out FOLDER          # goes on where it was stopped
    python -m benchmarks.search.make tiny-sft --out FOLDER --pack   # writes benchmarks/search/tables/tiny-sft.jsonl.xz

Each setting is trained with seed 0; the settings whose loss is near the best, and one of each learning rate, are
trained with two more seeds. Where seeds differ much (DPO), those that are still near the best by the mean of three,
and the best ones' neighbors, are trained with ten. The ``stories`` grids want two things in the folder that the
script is started in: ``stories260k``, the 260,000-parameter model of karpathy/tinyllamas as a transformers folder,
and the data that the recipe names: ``instruction-data.json`` and ``instruction-data-with-preference.json`` are the
1,100 instructions of rasbt/LLMs-from-scratch, chapter 7, ``alpaca_en_demo.json`` the 1,000 rows that come with
LLaMA-Factory, as do ``dpo_en_demo.json`` and ``identity.json``. Most ``unseen`` and ``later`` grids want ``small96``,
which ``python -m benchmarks.base_model.pretrain small96 --seed 7 --width 96 --layers 3 --steps 0.4`` makes (8 min); the
``later-wide`` ones want ``wide128``, made with ``--seed 23 --width 128 --layers 2 --steps 0.25`` (2 min), the
``later-deep`` ones ``deep64``, made with ``--seed 41 --width 64 --layers 5 --steps 0.25``, the ``later-even`` ones
``even80``, made with ``--seed 59 --width 80 --layers 4 --steps 0.25``.
"""

from __future__ import annotations

import argparse
import json
import lzma
import math
import os
import random
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.search.grids import GRIDS, Grid, Setting
from diagnostics.messages import notes_of
from tuner.assets.order_rows import dpo_rows, sft_rows

NEAR_PAIRS = 0.016
"""DPO runs within this share of the best accuracy (two pairs of 128) are repeated as well."""
SEEDS = (0, 1, 2)
DRAWN = 1
"""So many settings of each learning rate are repeated as well: seeds differ more near the edge of stability."""
NOT_KEPT = ("wall_time", "tokens_per_second")


def main() -> int:
    """Train what is missing, or pack what is there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("grid", choices=GRIDS)
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="where the trained runs are kept")
    parser.add_argument("--pack", action="store_true", help="write the table instead of training")
    given = parser.parse_args()
    grid, kept = GRIDS[given.grid], given.out / f"{given.grid}.jsonl"
    if given.pack:
        return pack(grid, kept)
    given.out.mkdir(parents=True, exist_ok=True)
    if grid.name in WRITES:
        WRITES[grid.name]()
    train_all(grid, kept, given.out / f"{grid.name}-run")
    return 0


def train_all(grid: Grid, kept: Path, scratch: Path) -> None:
    """Train each setting of the grid that ``kept`` does not hold, then the settings near the best with more seeds."""
    settings = grid.settings()
    random.Random(0).shuffle(settings)  # a table that was stopped half way is no corner of the grid
    _train(grid, [(setting, 0) for setting in settings], kept, scratch)
    near = _near(grid, kept, SEEDS[:1])
    _train(grid, [(setting, seed) for seed in SEEDS[1:] for setting in near], kept, scratch)
    drawn = [setting for rate in grid.axes["learning_rate"] for setting in _of_rate(settings, rate)[:DRAWN]]
    _train(grid, [(setting, seed) for seed in SEEDS[1:] for setting in drawn], kept, scratch)
    if grid.seeds > len(SEEDS):
        still = _near(grid, kept, SEEDS)
        _train(grid, [(setting, seed) for seed in range(grid.seeds) for setting in still], kept, scratch)
        beside = _neighbors(grid, _near(replace(grid, near=1.0), kept, range(grid.seeds), pairs=0.0))
        _train(grid, [(setting, seed) for seed in range(grid.seeds) for setting in beside], kept, scratch)


def _neighbors(grid: Grid, best: Sequence[Setting]) -> list[Setting]:
    """The settings one step of one knob away from the best ones: every search that finds those has to pass here."""

    def steps(one: Setting, other: Setting) -> int:
        places = [(grid.axes[knob].index(value), grid.axes[knob].index(dict(other)[knob])) for knob, value in one]
        return sum(abs(here - there) for here, there in places)

    return [setting for setting in grid.settings() if any(steps(setting, one) == 1 for one in best)]


def _near(grid: Grid, kept: Path, seeds: Sequence[int], pairs: float = NEAR_PAIRS) -> list[Setting]:
    """The settings trained with all these seeds that may be the best, by mean loss or by mean accuracy."""
    rows: dict[Setting, list[dict[str, Any]]] = {}
    for row in read_rows(kept):
        if row["seed"] in seeds:
            rows.setdefault(key(row), []).append(row)
    known = {at: many for at, many in rows.items() if len(many) == len(seeds)}
    losses = {at: fmean(best_loss(row) for row in many) for at, many in known.items()}
    accuracies = {at: fmean(best_accuracy(row) for row in many) for at, many in known.items()}
    least: dict[float | None, float] = {}  # by beta: a DPO loss means something else for each
    for at, loss in losses.items():
        beta = dict(at).get("beta")
        least[beta] = min(loss, least.get(beta, loss))
    most = max(accuracies.values()) if "beta" in grid.axes else math.inf  # judged by accuracy over all betas
    return [
        at for at in known if losses[at] <= grid.near * least[dict(at).get("beta")] or accuracies[at] >= most - pairs
    ]


def _of_rate(settings: list[Setting], rate: float) -> list[Setting]:
    return [setting for setting in settings if dict(setting)["learning_rate"] == rate]


def _train(grid: Grid, jobs: list[tuple[Setting, int]], kept: Path, scratch: Path) -> None:
    from tuner.config.study_file import load_spec
    from tuner.training.train import train

    spec = load_spec(grid.recipe)
    done = {(key(row), row["seed"]) for row in read_rows(kept)} if kept.exists() else set()
    missing = [job for job in jobs if job not in done]
    for number, (setting, seed) in enumerate(missing, 1):
        start = time.perf_counter()
        moves = {knob: int(v) if knob in ("batch_size", "lora_r") else v for knob, v in setting}
        fixed = {} if grid.steps is None else {"max_steps": grid.steps}
        run = train(spec, {**moves, **fixed, "seed": seed}, scratch, resume=False)
        shutil.rmtree(scratch, ignore_errors=True)
        row = as_row(setting, seed, run)
        with kept.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row, separators=(",", ":")) + "\n")
        taken = time.perf_counter() - start
        print(f"{number}/{len(missing)} {dict(setting)} seed {seed}: {best_loss(row):.4f}, {taken:.1f} s", flush=True)


def as_row(setting: Setting, seed: int, run: Any) -> dict[str, Any]:
    """One trained run as JSON: its setting, seed, notes and every curve with five digits; nan and inf as steps."""
    curves = {
        name: [_plain(curve.steps), [_short(v) for v in curve.values], [_step(s) for s in curve.broken]]
        for name, curve in run.curves.items()
        if name not in NOT_KEPT
    }
    settings = {k: v for k, v in vars_of(run.settings).items() if v is not None}
    return {
        "setting": dict(setting),
        "seed": seed,
        "settings": settings,
        "notes": list(notes_of(run.notes)),
        "curves": curves,
    }


def vars_of(settings: Any) -> dict[str, Any]:
    """The fields of a frozen record and their values."""
    return {name: getattr(settings, name) for name in settings.__dataclass_fields__}


def _plain(steps: Any) -> list[float]:
    return [_step(step) for step in steps]


def _step(step: float) -> float:
    return int(step) if float(step).is_integer() else float(step)


def _short(value: float) -> float:
    return float(f"{value:.5g}")


def best_loss(row: Mapping[str, Any]) -> float:
    """The lowest evaluation loss of a run; infinite when none is finite."""
    curve = row["curves"].get("eval_loss")
    return min(curve[1]) if curve and curve[1] else float("inf")


def best_accuracy(row: Mapping[str, Any]) -> float:
    """The highest share of pairs that a DPO run told apart; 0 for other runs."""
    curve = row["curves"].get("eval_rewards_accuracies")
    return max(curve[1]) if curve and curve[1] else 0.0


def key(row: Mapping[str, Any]) -> Setting:
    """The setting of a row, to look it up by."""
    return tuple(row["setting"].items())


def read_rows(kept: Path) -> Iterator[dict[str, Any]]:
    """The rows of a file of trained runs; a last line that was cut is left out."""
    for line in kept.read_text("utf-8").splitlines():
        try:
            yield json.loads(line)
        except json.JSONDecodeError:
            print(f"{kept}: a cut line is left out", file=sys.stderr)


def pack(grid: Grid, kept: Path) -> int:
    """Write the compressed table, the runs in the order of the grid."""
    order = {setting: number for number, setting in enumerate(grid.settings())}
    rows = sorted(read_rows(kept), key=lambda row: (order[key(row)], row["seed"]))
    grid.table.parent.mkdir(exist_ok=True)
    text = "".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows)
    grid.table.write_bytes(lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME))
    print(f"{grid.table}: {len(rows)} runs, {grid.table.stat().st_size:,} bytes")
    return 0


def _write_orders(method: str, counts: Mapping[str, int]) -> None:
    rows = {"sft": sft_rows, "dpo": dpo_rows}[method]
    folder = Path(f"orders-{method}")
    folder.mkdir(exist_ok=True)
    for split, count in counts.items():
        _write_rows(folder / f"{split}.jsonl", islice(rows(split), count))


def _write_answers() -> None:
    """The chosen answers of the pairs that come with LLaMA-Factory, as running text."""
    pairs = json.loads(Path("dpo_en_demo.json").read_text("utf-8"))
    _write_rows(Path("answers.jsonl"), ({"text": pair["chosen"]["value"]} for pair in pairs))


def _write_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


WRITES: Mapping[str, Callable[[], None]] = {
    "tiny-dpo": lambda: _write_orders("dpo", {"train": 320, "test": 128}),
    "unseen-orders": lambda: _write_orders("sft", {"train": 192, "test": 48}),
    "unseen-text": _write_answers,
    "later-wide-dpo": lambda: _write_orders("dpo", {"train": 192, "test": 64}),
    "later-deep-dpo": lambda: _write_orders("dpo", {"train": 240, "test": 64}),
    "later-even-rank-dpo": lambda: _write_orders("dpo", {"train": 160, "test": 64}),
}
"""What a grid's data are made with, where they are no file of somebody else's."""

if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
