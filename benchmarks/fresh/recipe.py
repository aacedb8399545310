"""How one run is trained."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

FAULTS = ("", "few-rows", "shuffled", "frozen", "dead", "nan", "zeros")
"""Nothing wrong; a handful of rows seen again and again; labels of other rows; a learning rate that reaches no weight;
units that are all off; a loss that is nan from some step on; the same behind transformers' filter, which logs zeros."""

STEPS_DOWN, CYCLES, STABLE = (0.5, 0.75), 3, 0.8
SCHEDULES: Mapping[str, Callable[[float], float]] = {
    "constant": lambda done: 1.0,
    "linear": lambda done: 1.0 - done,
    "cosine": lambda done: 0.5 * (1.0 + math.cos(math.pi * done)),
    "multistep": lambda done: 10.0 ** -sum(done >= at for at in STEPS_DOWN),
    "cosine_with_restarts": lambda done: 0.5 * (1.0 + math.cos(math.pi * (done * CYCLES % 1.0))),
    "warmup_stable_decay": lambda done: min(1.0, (1.0 - done) / (1.0 - STABLE)),
}
"""The share of the peak rate by the share of the steps after the warm-up, 1 excluded."""


@dataclass(frozen=True)
class Recipe:
    """The settings of a run; ``rate`` is the peak, ``rows`` how many training rows it sees, ``fault`` what is wrong."""

    rate: float
    steps: int
    batch: int
    rows: int
    seed: int
    optimizer: str = "adamw"
    schedule: str = "constant"
    warmup: float = 0.0
    decay: float = 0.0
    clip: float | None = 1.0
    lora_r: int | None = None
    evals: int = 10
    fault: str = ""

    @property
    def steps_per_epoch(self) -> int:
        """Steps for one pass over the rows; an incomplete last batch is dropped."""
        return max(1, self.rows // self.batch)

    def settings(self) -> dict[str, Any]:
        """The settings in transformers' names."""
        return {
            "learning_rate": self.rate,
            "batch_size": self.batch,
            "per_device_train_batch_size": self.batch,
            "num_train_epochs": self.steps / self.steps_per_epoch,
            "lr_scheduler_type": self.schedule,
            "warmup_ratio": self.warmup,
            "weight_decay": self.decay,
            "optim": self.optimizer,
            "seed": self.seed,
            **({"max_grad_norm": self.clip} if self.clip else {}),
            **({"lora_r": self.lora_r, "lora_alpha": 2 * self.lora_r} if self.lora_r else {}),
        }

    def rate_at(self, step: int) -> float:
        """The learning rate of a step, from 1 on: a linear warm-up, then what ``SCHEDULES`` says."""
        warm = round(self.warmup * self.steps)
        if step <= warm:
            return self.rate * step / max(1, warm)
        return self.rate * SCHEDULES[self.schedule]((step - 1 - warm) / max(1, self.steps - warm))
