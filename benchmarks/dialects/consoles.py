"""verl (``FileLogger``, ``concat_dict_to_str``, keys of ``sft_trainer.py``) and open-instruct (``finetune.py``)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.dialects.measured import Layout, Measured, windows, write_lines


def write(run: Measured, layout: Layout, folder: Path) -> Path:
    """Verl or open-instruct, drawn by the layout's seed."""
    return (write_verl if layout.rng().random() < 0.6 else write_open_instruct)(run, layout, folder)


def write_verl(run: Measured, layout: Layout, folder: Path) -> Path:
    """Verl's file logger, or its console, drawn by the layout's seed."""
    folder.mkdir(parents=True, exist_ok=True)
    if layout.seed % 2:
        path = folder / "sft.jsonl"
        write_lines(path, [{"step": step, "data": data} for step, data in _verl_rows(run, layout)])
        return path
    path = folder / "console.log"
    lines = [f"Total training steps: {run.steps},"]
    lines += [
        " - ".join([f"step:{step}", *(f"{k}:{v!r}" for k, v in data.items())]) for step, data in _verl_rows(run, layout)
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _verl_rows(run: Measured, layout: Layout) -> Iterator[tuple[int, dict[str, float]]]:
    held = {e.step: e.loss for e in run.evals} if layout.evals else {}
    for at in windows(run, 1):
        yield (
            at.step,
            {
                "train/loss": at.loss,
                "train/grad_norm": at.norm,
                "train/lr": at.rate,
                "train/mfu": 0.0,
                "train/global_tokens": 520,
                "train/total_tokens(B)": 520 * at.step / 1e9,
            },
        )
        if at.step in held:
            yield at.step, {"val/loss": held[at.step]}


def write_open_instruct(run: Measured, layout: Layout, folder: Path) -> Path:
    """The lines of ``finetune.py``, which evaluates nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    head = "11/21/2026 10:15:02 - INFO - __main__ -"
    lines = [f"{head} ***** Running training *****", f"{head}   Total optimization steps = {run.steps}"]
    if layout.settings:
        lines.append(
            f"{head}   Total train batch size (w. parallel, distributed & accumulation) = {run.settings['batch_size']}"
        )
    lines += [f"{head}   Step: {at.step}, LR: {at.rate}, Loss: {at.loss}" for at in windows(run, layout.every)]
    path = folder / "train.log"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
