"""Loops that people write themselves: printed lines of several kinds, and tables with ``;`` between their cells."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.dialects.measured import Eval, Layout, Measured, Window, epochs, windows

LATIN_1 = "latin-1"


def write(run: Measured, layout: Layout, folder: Path) -> Path:
    """One of the loops, drawn by the layout's seed; those that count epochs want several of them."""
    several = run.steps / run.steps_per_epoch >= 8
    kinds: list[Callable[[Measured, Layout, Path], Path]] = [nano, stepwise, semicolons]
    kinds += [by_epoch, tutorial] if several else []
    return kinds[int(layout.rng().integers(len(kinds)))](run, layout, folder)


def nano(run: Measured, layout: Layout, folder: Path) -> Path:
    """NanoGPT's lines: the loss of single steps, and both losses at each evaluation."""
    held = {e.step: e for e in run.evals} if layout.evals else {}

    def lines() -> Iterator[str]:
        yield "tokens per iteration will be: 1,024"
        for at in windows(run, layout.every, mean=False):
            yield f"iter {at.step}: loss {at.loss:.4f}, time 21.53ms, mfu 1.20%"
        for step, one in held.items():
            near = run.losses[max(0, step - 10) : max(1, step)]
            yield f"step {step}: train loss {near.mean():.4f}, val loss {one.loss:.4f}"

    def place(line: str) -> tuple[int, bool]:
        count = line.split(":")[0].split()[-1]
        return (int(count), line.startswith("iter")) if count.isdigit() else (-1, False)

    return _printed(folder / "train.out", sorted(lines(), key=place))


def stepwise(run: Measured, layout: Layout, folder: Path) -> Path:
    """``step 20/400 | loss 2.31 | lr 3.0e-04 | grad norm 0.81``, evaluations on lines of their own."""
    lines = []
    for step, at, held in _points(run, layout):
        if at is not None:
            rate = f" | lr {at.rate:.2e}" if layout.settings else ""
            lines.append(f"step {step}/{run.steps} | loss {at.loss:.4f}{rate} | grad norm {at.norm:.3f}")
        lines += [f"step {step} | val loss {held.loss:.4f}"] if held is not None else []
    return _printed(folder / "log.txt", lines)


def by_epoch(run: Measured, layout: Layout, folder: Path) -> Path:
    """``Epoch 3/20: train loss 0.812, val loss 0.934, val acc 0.71``."""
    total, lines = round(run.steps / run.steps_per_epoch), []
    for number, at, held in epochs(run):
        line = f"Epoch {number}/{total}: train loss {at.loss:.4f}"
        if held and layout.evals:
            line += f", val loss {held.loss:.4f}" + (
                f", val acc {held.accuracy:.4f}" if held.accuracy is not None else ""
            )
        lines.append(line)
    return _printed(folder / "out.log", lines)


def tutorial(run: Measured, layout: Layout, folder: Path) -> Path:
    """Keras's progress lines below ``Epoch 3/20``, as a notebook keeps them."""
    total, lines = round(run.steps / run.steps_per_epoch), []
    for number, at, held in epochs(run):
        lines.append(f"Epoch {number}/{total}")
        count = round(run.steps_per_epoch)
        line = f"{count}/{count} ━━━━━━━━━━━━━━━━━━━━ 0s 2ms/step"
        line += (
            f" - accuracy: {at.accuracy:.4f} - loss: {at.loss:.4f}"
            if at.accuracy is not None
            else f" - loss: {at.loss:.4f}"
        )
        if held and layout.evals:
            line += f" - val_accuracy: {held.accuracy:.4f}" if held.accuracy is not None else ""
            line += f" - val_loss: {held.loss:.4f}"
        lines.append(line)
    return _printed(folder / "notebook.txt", lines)


def semicolons(run: Measured, layout: Layout, folder: Path) -> Path:
    """A table with ``;`` between its cells, in Latin-1, as spreadsheets of half of Europe export it."""
    rows = [
        "Schritt;Epoche;train_loss;val_loss;Größe"
        if layout.rng().random() < 0.5
        else "step;epoch;train_loss;val_loss;note"
    ]
    for step, at, held in _points(run, layout):
        epoch = step / run.steps_per_epoch
        rows.append(f"{step};{epoch:.2f};{_cell(at and at.loss)};{_cell(held and held.loss)};")
    path = folder / "export.csv"
    folder.mkdir(parents=True, exist_ok=True)
    path.write_bytes(("\r\n".join(rows) + "\r\n").encode(LATIN_1))
    return path


def _points(run: Measured, layout: Layout) -> Iterator[tuple[int, Window | None, Eval | None]]:
    """Every step with a log point or an evaluation, and both."""
    points = {at.step: at for at in windows(run, layout.every)}
    held = {e.step: e for e in run.evals if e.step} if layout.evals else {}
    for step in sorted({*points, *held}):
        yield step, points.get(step), held.get(step)


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.5f}"


def _printed(path: Path, lines: list[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
