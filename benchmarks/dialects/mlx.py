"""mlx-lm: the lines of earlier versions, and the table of 0.32 with its header box, with and without colors.

The table: ``TrainUI`` in ``mlx_lm/cli_ui.py``; the lines: ``mlx_lm/tuner/trainer.py`` before 0.32.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.dialects.measured import Layout, Measured, Window, windows

GREY, BOLD, END = "\x1b[38;5;244m", "\x1b[1m", "\x1b[0m"
GREEN, YELLOW, MAGENTA = "\x1b[1;32m", "\x1b[1;33m", "\x1b[1;35m"
TOKENS_A_STEP = 520


def write(run: Measured, layout: Layout, folder: Path) -> Path:
    """What ``mlx_lm.lora --train`` printed, redirected to a file."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = layout.rng()
    lines = _lines(run, layout) if rng.random() < 0.35 else _table(run, layout, rng.random() < 0.5)
    path = folder / "train.log"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _points(run: Measured, layout: Layout) -> Iterator[tuple[int, float | None, Window | None]]:
    """Evaluations and log points in the order they are printed; an evaluation at a step comes before it is trained."""
    evals = {max(1, e.step): e.loss for e in run.evals} if layout.evals else {}
    reports = {at.step: at for at in windows(run, layout.every)}
    for step in sorted({*evals, *reports}):
        yield step, evals.get(step), reports.get(step)


def _table(run: Measured, layout: Layout, colors: bool) -> Iterator[str]:
    def styled(style: str, words: str) -> str:
        return f"{style}{words}{END}" if colors else words

    yield "Loading pretrained model"
    yield "Loading datasets"
    yield "Training"
    if layout.settings:
        yield from _header(run)
    yield "Trainable parameters: 0.612% (0.009M/1.404M)"
    yield styled(BOLD, "  iter   train_loss     tok/s     tokens")
    before = None
    for step, held, at in _points(run, layout):
        if held is not None:
            loss = f"{styled(MAGENTA, 'val')} {styled(BOLD, f'{held:>5.3f}')}"
            yield f"  {styled(GREY, f'{step:>4}')}    {loss}    {styled(GREY, '0.42s')}"
        if at is not None:
            falls = before is None or at.loss <= before
            before = at.loss
            loss = styled(GREEN if falls else YELLOW, f"{at.loss:>5.3f} {'▼' if falls else '▲'}")
            tokens = styled(GREY, f"{step * TOKENS_A_STEP / 1000:>5.1f}k")
            yield f"  {styled(GREY, f'{step:>4}')}    {loss}    {styled(BOLD, f'{2841:>5,.0f}')}    {tokens}"
    yield f"  {styled(GREEN, 'save')}  {styled(GREY, f'{run.steps:07d}_adapters.safetensors')}"


def _header(run: Measured) -> Iterator[str]:
    known = run.settings
    rows = {
        "model": "base",
        "type": f"lora · 4 layers · rank {known['lora_r']}" if "lora_r" in known else "full · 4 layers",
        "dataset": "data",
        "optimizer": f"adamw · lr {known['learning_rate']:.1e}",
        "batch · iters": f"{known['batch_size']} · {run.steps:,}",
        "max seq": "2,048",
    }
    yield "╭─ mlx_lm.lora " + "─" * 50 + "╮"
    for key, value in rows.items():
        yield f"│    {key.ljust(13)}   {value.ljust(44)}│"
    yield "╰" + "─" * 64 + "╯"


def _lines(run: Measured, layout: Layout) -> Iterator[str]:
    yield f"Starting training..., iters: {run.steps}"
    for step, held, at in _points(run, layout):
        if held is not None:
            yield f"Iter {step}: Val loss {held:.3f}, Val took 0.420s"
        if at is not None:
            yield (
                f"Iter {step}: Train loss {at.loss:.3f}, Learning Rate {at.rate:.3e}, It/sec 5.464, "
                f"Tokens/sec 2841.220, Trained Tokens {step * TOKENS_A_STEP}, Peak mem 1.482 GB"
            )
    yield "Saved final weights to adapters/adapters.safetensors."
