"""The grids of settings that the search benchmark trains once, so that any strategy can be replayed on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path

HERE = Path(__file__).parent
Setting = tuple[tuple[str, float], ...]
"""The knobs of one run and their values, in the order of the grid's axes."""

LEARNING_RATES = (1e-6, 3e-6, 1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
"""Half decades over five decades."""


@dataclass(frozen=True)
class Grid:
    """A recipe (a study file) and the values of each knob that it is trained with."""

    name: str
    axes: Mapping[str, tuple[float, ...]]
    near: float = 1.05
    """A run whose loss is within this factor of the best is near it, and is trained with more seeds."""
    seeds: int = 3
    """With how many seeds the settings near the best are trained."""
    steps: int | None = None
    """So many updates whatever the batch; None: as many samples, so fewer updates of a larger batch."""
    unseen: bool = False
    """Made after the form and the constants of the search were settled: only for scoring, by name, and never to choose
    anything of the search. The estimate of the rate is fitted on them too; ``--left-out`` scores without that."""

    @property
    def recipe(self) -> Path:
        """The study file of the grid."""
        return HERE / "recipes" / f"{self.name}.yaml"

    @property
    def table(self) -> Path:
        """Where the trained runs lie."""
        return HERE / "tables" / f"{self.name}.jsonl.xz"

    def settings(self) -> list[Setting]:
        """Every setting of the grid, the last axis changing fastest."""
        return [tuple(zip(self.axes, values, strict=True)) for values in product(*self.axes.values())]


SFT_AXES = {
    "learning_rate": LEARNING_RATES,
    "batch_size": (4, 8, 16, 32),
    "warmup_ratio": (0.0, 0.1),
    "lora_r": (4, 16),
}
SMALL_AXES = {**SFT_AXES, "batch_size": (4, 16)}
DPO_AXES = {
    "learning_rate": LEARNING_RATES,
    "batch_size": (4, 16),
    "warmup_ratio": (0.0, 0.1),
    "lora_r": (4, 16),
    "beta": (0.1, 0.5),
}
LATE_RATES = LEARNING_RATES[3:]
_UNSEEN = (
    # Another base: 430,000 parameters that `benchmarks.base_model.pretrain` made.
    Grid("unseen-orders", {"learning_rate": LATE_RATES, "batch_size": (2, 8, 32)}, unseen=True),
    # Other data: running text in place of instructions.
    Grid("unseen-text", {"learning_rate": LATE_RATES, "batch_size": (4, 12, 36)}, unseen=True),
    # DPO at one beta on the other base.
    Grid("unseen-dpo", {"learning_rate": LATE_RATES, "batch_size": (4, 12, 36)}, near=1.3, seeds=4, unseen=True),
    # Few rows seen 4 or 16 times, by a base that never has enough of them: the epochs enter what is learned.
    Grid(
        "unseen-epochs", {"learning_rate": LATE_RATES, "batch_size": (3, 12), "num_train_epochs": (4, 16)}, unseen=True
    ),
    # Every batch takes as many updates, so a larger one sees more rows.
    Grid("unseen-steps", {"learning_rate": LATE_RATES, "batch_size": (4, 12, 36)}, steps=20, unseen=True),
)
_LATER = (
    # Trained when the model had been mended on the five above: DPO at one beta whose loss falls to 0, so seeds decide;
    Grid("later-dpo", {"learning_rate": LATE_RATES, "batch_size": (4, 12, 36)}, near=1.15, seeds=4, unseen=True),
    # DPO at another beta on the other base;
    Grid("later-dpo2", {"learning_rate": LATE_RATES, "batch_size": (4, 12, 36)}, near=1.15, seeds=4, unseen=True),
    # instructions on the other base;
    Grid("later-sft", {"learning_rate": LATE_RATES, "batch_size": (3, 10, 30)}, near=1.03, unseen=True),
    # as many updates for every batch, at a constant rate;
    Grid("later-steps", {"learning_rate": LATE_RATES, "batch_size": (4, 12, 36)}, near=1.03, steps=16, unseen=True),
    # few rows seen 2 or 8 times.
    Grid(
        "later-epochs",
        {"learning_rate": LATE_RATES, "batch_size": (4, 16), "num_train_epochs": (2, 8)},
        near=1.03,
        unseen=True,
    ),
)
_LATEST = (
    # Trained when the noise of seeds had become a share of the descent: a third base, wider and shallower, with SFT
    Grid("later-wide", {"learning_rate": LATE_RATES, "batch_size": (2, 8, 32)}, near=1.03, unseen=True),
    # and DPO at one beta.
    Grid("later-wide-dpo", {"learning_rate": LATE_RATES, "batch_size": (4, 12, 36)}, near=1.15, seeds=4, unseen=True),
)
_LAST = (
    # Trained while the choice of the next settings was worked on, and scored once when that was settled: a fourth base,
    # narrower and deeper, with DPO at one beta
    Grid("later-deep-dpo", {"learning_rate": LATE_RATES, "batch_size": (4, 12, 36)}, near=1.15, seeds=4, unseen=True),
    # and SFT at fixed updates.
    Grid(
        "later-deep-steps", {"learning_rate": LATE_RATES, "batch_size": (4, 12, 36)}, near=1.03, steps=24, unseen=True
    ),
)
_FIFTH = (
    # Trained while runs that fail by bad luck were given a place in the model, and scored once when that was settled: a
    # fifth base with DPO at one beta, with DPO on other pairs where the rank is searched as well,
    Grid("later-even-dpo", {"learning_rate": LATE_RATES, "batch_size": (4, 12, 36)}, near=1.15, seeds=4, unseen=True),
    Grid(
        "later-even-rank-dpo",
        {"learning_rate": LATE_RATES, "batch_size": (4, 16), "lora_r": (4, 16)},
        near=1.15,
        seeds=4,
        unseen=True,
    ),
    # and SFT.
    Grid("later-even", {"learning_rate": LATE_RATES, "batch_size": (3, 10, 30)}, near=1.03, unseen=True),
)
_ALL = (
    Grid("tiny-sft", SFT_AXES),
    Grid("stories", SFT_AXES),
    # Between seeds, SFT losses differ by 1 % and DPO losses by 10 to 20 %.
    Grid("tiny-dpo", DPO_AXES, near=1.5, seeds=10),
    Grid("stories-alpaca", SMALL_AXES),
    Grid("stories-dpo", SMALL_AXES, near=1.5, seeds=10),
    Grid("stories-attention", SMALL_AXES),
    # Trained when the search was settled: nothing was chosen on it.
    Grid("stories-mlp", SMALL_AXES),
    *_UNSEEN,
    *_LATER,
    *_LATEST,
    *_LAST,
    *_FIFTH,
)
GRIDS = {grid.name: grid for grid in _ALL}
