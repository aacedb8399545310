"""What the names in a log tell: the trainer that gives such names, and the optimizer that stands in one of them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

FORMS: tuple[tuple[str, frozenset[str]], ...] = (
    ("LLaMA-Factory", frozenset({"current_steps", "total_steps", "percentage", "remaining_time"})),
    ("ms-swift", frozenset({"global_step/max_steps"})),
    ("torchtune", frozenset({"loss", "lr", "tokens_per_second_per_gpu"})),
    ("mlx-lm", frozenset({"Train loss", "Learning Rate"})),
    ("verl", frozenset({"train/loss", "train/lr", "train/global_tokens"})),
    ("verl", frozenset({"train/loss", "train/lr(1e-3)"})),
    ("Automodel", frozenset({"loss", "lr", "num_label_tokens", "tps"})),
    ("transformers", frozenset({"train/loss", "train/learning_rate", "train/global_step"})),
)
"""A trainer, and names that its rows hold together and no other's do."""
MONITORED = re.compile(r"lr-([A-Za-z]\w{2,30})(?:/pg\d{1,3})?(?:-\d{1,3})?")
"""Lightning's ``LearningRateMonitor`` names a rate by the class of its optimizer: ``lr-AdamW``, ``lr-SGD/pg1``."""


def trainer_of(names: Collection[str]) -> dict[str, object]:
    """The trainer whose names these are, as an option; nothing where they may be anybody's."""
    trainer = next((trainer for trainer, own in FORMS if own.issubset(names)), None)
    return {"written_by": trainer} if trainer else {}


def optimizer_of(tags: Iterable[str]) -> dict[str, object]:
    """The optimizer that a monitored rate is named by, as an option; nothing where there is none, or several."""
    found = {monitored.group(1) for tag in tags if (monitored := MONITORED.fullmatch(tag))}
    return {"optim": found.pop()} if len(found) == 1 else {}
