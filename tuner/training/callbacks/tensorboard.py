"""The TensorBoard event file of a run: curves, hyperparameters and the diagnosis, all in one file in its folder."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from transformers.integrations import TensorBoardCallback

from diagnostics.model.curves import Run
from diagnostics.model.records import Diagnosis

FLUSH_SECONDS = 1.0
"""How often a watched curve is updated between evaluations. A flush waits for the writer's queue (without an fsync):
after every log it would be most of the cost of logging."""
SHOWN = ("logging_steps", "eval_steps", "model_name_or_path", "transformers_version")
METRICS: Mapping[str, str] = {
    "eval_loss": "eval/loss",
    "eval_rewards_accuracies": "eval/rewards/accuracies",
    "eval_rewards_margins": "eval/rewards/margins",
    "eval_mean_token_accuracy": "eval/mean_token_accuracy",
    "eval_exact_match": "eval/exact_match",
    "train_loss": "train/loss",
}


class EventFileCallback(TensorBoardCallback):  # type: ignore[misc]
    """transformers' own TensorBoard callback, writing straight into ``folder`` and open until ``close``."""

    tb_writer: Any

    def __init__(self, folder: Path, first_step: int = 0) -> None:
        from torch.utils.tensorboard import SummaryWriter

        # purge_step hides what a cut-off run logged beyond the checkpoint that this one continues from.
        writer = SummaryWriter(str(folder), purge_step=first_step + 1 if first_step else None)
        # transformers flushes after every log; see FLUSH_SECONDS.
        self._flush, self._flushed = writer.flush, -math.inf
        writer.flush = self._flush_sometimes
        super().__init__(writer)

    def _flush_sometimes(self) -> None:
        if time.monotonic() - self._flushed >= FLUSH_SECONDS:
            self._flush_now()

    def _flush_now(self) -> None:
        self._flush()
        self._flushed = time.monotonic()

    def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Flush, so that watchers see the evaluation."""
        self._flush_now()

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Flush: a run that is killed continues from the checkpoint, so earlier logs must be on the disk."""
        self._flush_now()

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Stay open: the diagnosis and the last metrics are still to come."""

    def text(self, tag: str, text: str, step: int) -> None:
        """Write a Markdown text."""
        if self.tb_writer:
            self.tb_writer.add_text(tag, text, step)

    def hparams(self, run: Run) -> None:
        """Write the run's settings for TensorBoard's hparams tab, into this event file and not a folder of its own."""
        from torch.utils.tensorboard.summary import hparams

        known = {key: value for key, value in run.settings.known().items() if key not in SHOWN}
        metrics = {tag: float(curve.values[-1]) for name, tag in METRICS.items() if (curve := run.curve(name))}
        if self.tb_writer and self.tb_writer.file_writer:
            for summary in hparams(known, metrics):
                self.tb_writer.file_writer.add_summary(summary)

    def close(self) -> None:
        """Flush and close the event file; nothing can be written after it."""
        if self.tb_writer:
            self.tb_writer.close()
            self.tb_writer = None
        self._SummaryWriter = None


def write_diagnosis(board: EventFileCallback, diagnosis: Diagnosis, markdown: str, step: int) -> None:
    """Put the verdict into the event file as text, under ``diagnosis``."""
    board.text("diagnosis", f"**{diagnosis.label}**\n\n{markdown}", step)
