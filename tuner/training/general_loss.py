"""The loss on general text, which says what a model forgets while it learns something else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from tuner.config.general_text import Document, read_documents
from tuner.errors import SpecError

MAX_TOKENS = 1024
"""Tokens that are scored at an evaluation.

Losses are compared on the same tokens, so the scatter between tokens cancels: at a rise of 0.1 nats the change of one
token scatters by some 0.4, that of the mean by some 0.015. More would cost small runs more than a few percent.
"""
WINDOW = 128
"""Tokens that are scored together; the windows are spread evenly over the text."""
MAX_LOGITS = 2**25
"""Logits that are held at a time: 128 MB in single precision."""


class GeneralLoss:
    """The mean loss of a token of a general text, always of the same tokens."""

    def __init__(self, file: Path, tokenizer: Any, model: Any, where: Path) -> None:
        self.where = f"{where}: study.watch_forgetting"
        words = getattr(tokenizer, "tokenizer", tokenizer)  # a processor's own
        width = min(WINDOW, int(getattr(model.config.get_text_config(), "max_position_embeddings", None) or WINDOW))
        self.windows = _spread(list(_windows(read_documents(file, self.where), words, width)))
        if not self.windows:
            raise SpecError(f"{self.where}: {file}: holds no token for this model's tokenizer")

    def __call__(self, trainer: Any) -> float:
        """The loss under the trainer's model, in nats; the model is left in the mode it was in."""
        model = trainer.model
        was_training, total, count = model.training, 0.0, 0
        model.eval()
        try:
            with torch.no_grad(), trainer.compute_loss_context_manager():
                for ids in self._batches(model):
                    total += float(self._loss(model, ids))
                    count += ids[:, 1:].numel()
        finally:
            model.train(was_training)
        return total / count

    def _batches(self, model: Any) -> Iterator[Any]:
        """Windows of one length as a table of ids, as many as memory for their logits allows."""
        vocabulary = int(getattr(model.config.get_text_config(), "vocab_size", 2**17))
        for length in sorted({len(window) for window in self.windows}, reverse=True):
            alike = [window for window in self.windows if len(window) == length]
            rows = max(1, MAX_LOGITS // (length * vocabulary))
            for start in range(0, len(alike), rows):
                yield torch.tensor(alike[start : start + rows], device=model.device)

    def _loss(self, model: Any, ids: Any) -> Any:
        """The summed loss of the tokens after the first; prompts that an adapter puts in front have none."""
        logits = getattr(model(input_ids=ids, attention_mask=torch.ones_like(ids)), "logits", None)
        if logits is None or logits.dim() != 3:
            raise SpecError(f"{self.where}: the model gives no predictions of tokens for plain text; remove it")
        logits = logits[:, -ids.shape[1] : -1].float()
        return torch.nn.functional.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten(), reduction="sum")


def _windows(documents: Sequence[Document], tokenizer: Any, width: int) -> Iterator[list[int]]:
    """The documents cut into windows of ``width`` tokens; what is left of a document makes a shorter one."""
    for document in documents:
        if not isinstance(document, str):
            document = tokenizer.apply_chat_template(document, tokenize=False)
        ids = tokenizer(document, verbose=False)["input_ids"]
        for start in range(0, len(ids), width):
            window = ids[start : start + width]
            if 2 * len(window) >= width or (start == 0 and len(window) > 1):
                yield window


def _spread(windows: list[list[int]]) -> list[list[int]]:
    """As many windows as ``MAX_TOKENS`` allows, taken evenly from all over the text."""
    for keep in range(min(len(windows), MAX_TOKENS), 1, -1):
        chosen = [windows[index * len(windows) // keep] for index in range(keep)]
        if sum(map(len, chosen)) <= MAX_TOKENS:
            return chosen
    return windows[:1]
