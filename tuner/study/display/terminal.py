"""A study on the screen: a live table in a terminal, one plain line an event elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from diagnostics.formatting import SIGNS, duration, number, percent
from diagnostics.model.records import Label
from tuner.messages import text
from tuner.study.display.lines import closing, continued, goal, line, moves, proposer
from tuner.study.display.state import ProgressState, apply, seconds_left
from tuner.study.events import Advanced, Event, Opened, Repeated, Show, Started
from tuner.study.results import TrialResult, TrialState

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

STYLES = {"healthy": "green", "underfit": "yellow", "overfit": "magenta", "unstable": "red", "broken": "red"}
ENDED = {TrialState.FAILED: "✕ failed", TrialState.INFEASIBLE: "✕ no memory"}
LINES_AROUND_TABLE = 9
"""Lines of the screen that are not rows of the table."""


def table(state: ProgressState, width: int = 80, rows: int = 100) -> Table:
    """The trials as a table: what moved, the metric, the verdict; the running one last; at most ``rows`` rows."""
    from rich.table import Table

    metric = state.opened.metric if state.opened else "value"
    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim", width=min(width, 110))
    grid.add_column("", justify="right", no_wrap=True)
    grid.add_column("what moved", ratio=1, overflow="ellipsis", no_wrap=True)
    grid.add_column(metric, justify="right", no_wrap=True)
    grid.add_column("verdict", no_wrap=True, min_width=11)
    grid.add_column("proposed by", no_wrap=True, overflow="ellipsis", max_width=24)
    shown = _rows_that_fit(state, rows)
    if len(shown) < len(state.trials):
        grid.add_row("", f"[dim]… {len(state.trials) - len(shown)} earlier trials[/]", "", "", "")
    for trial in shown:
        grid.add_row(*_row(trial, best=trial.number == state.best, narrow=width < 100))
    if state.started is not None:
        grid.add_row(*_running_row(state.started, state.advanced, narrow=width < 100))
    return grid


def _rows_that_fit(state: ProgressState, rows: int) -> list[TrialResult]:
    """The latest trials, and always the first and the best one."""
    trials = sorted(state.trials, key=lambda trial: trial.number)
    if len(trials) <= rows:
        return trials
    kept = [trial for trial in trials if trial.number in (0, state.best)]
    late = [trial for trial in trials if trial not in kept][-max(1, rows - len(kept) - 1) :]
    return sorted([*kept, *late], key=lambda trial: trial.number)


def _row(trial: TrialResult, *, best: bool, narrow: bool) -> list[str]:
    value = number(trial.value) if trial.value is not None else "–"
    label = trial.label or "unknown"
    verdict = ENDED.get(trial.state) or f"{SIGNS.get(_label(label), '?')} {label}"
    text = _escaped(moves(trial.moved, trial.proposer, narrow=narrow))
    name = f"[bold]★ {trial.number}[/]" if best else str(trial.number)
    style = "red" if trial.state in ENDED else STYLES.get(label, "dim")
    value = f"[bold]{value}[/]" if best else value
    return [name, text, value, f"[{style}]{verdict}[/]", f"[dim]{proposer(trial.proposer)}[/]"]


def _label(name: str) -> Label:
    return Label(name) if name in set(Label) else Label.UNKNOWN


def _running_row(started: Started, advanced: Advanced | None, *, narrow: bool) -> list[str]:
    here = advanced is not None and advanced.number == started.number and advanced.seed is None
    value = number(advanced.value) if advanced is not None and here and advanced.value is not None else ""
    share = percent(advanced.share) if advanced is not None and here else "starting"
    text = _escaped(moves(started.moved, started.proposer, narrow=narrow))
    by = proposer(started.proposer)
    return [f"[cyan]{started.number}[/]", f"[cyan]{text}[/]", value, f"[cyan]▸ {share}[/]", f"[dim]{by}[/]"]


def render(state: ProgressState, width: int = 80, rows: int = 100) -> RenderableType:
    """The whole screen: title, table, what is tried now and why, the repeats, the time left."""
    from rich.console import Group
    from rich.text import Text

    parts: list[RenderableType] = []
    if state.opened is not None:
        parts += [Text(_title(state.opened), style="bold", no_wrap=True, overflow="ellipsis"), Text("")]
    parts.append(table(state, width, rows))
    notes = [*(line(notice) or "" for notice in state.notices[-2:]), *_now(state)]
    if notes:
        parts += [Text(""), *(Text(note, style="default") for note in notes)]
    left = seconds_left(state)
    if left is not None and state.closed is None:
        parts.append(Text(f"about {duration(left)} left", style="dim"))
    return Group(*parts)


def _title(opened: Opened) -> str:
    return f"{opened.name} · {goal(opened)}"


def _now(state: ProgressState) -> list[str]:
    """What happens right now, and why."""
    if state.closed is not None:
        return [closing(state.closed.result)]
    if state.repeated is not None:
        return [_repeat_line(state.repeated, state.advanced)]
    if state.started is None:
        return []
    started = state.started
    moved = moves(started.moved, started.proposer)
    why = text(started.because)
    if not why and proposer(started.proposer):
        why = f"proposed by {proposer(started.proposer)}"
    return [f"trial {started.number}{continued(started)}: {moved}" + (f"; {why}" if why else "")]


def _repeat_line(repeated: Repeated, advanced: Advanced | None) -> str:
    at = f", {percent(advanced.share)}" if advanced is not None and advanced.seed == repeated.seed else ""
    running = f": trial {repeated.number} on seed {repeated.seed}{at}" if not repeated.over else ""
    return f"proving the gain, {repeated.done} of {repeated.total} repeats done{running}"


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)


@contextmanager
def progress(console: Console | None = None) -> Iterator[Show]:
    """What shows the events of ``run_study``: a live table where the console is a terminal, else plain lines on it."""
    from rich.console import Console as RichConsole

    console = console or RichConsole()
    if not console.is_terminal:
        yield _plain(console)
        return
    with _live(console) as show:
        yield show


def _plain(console: Console) -> Show:
    def show(event: Event) -> None:
        text = line(event)
        if text is not None:
            print(text, file=console.file, flush=True)

    return show


@contextmanager
def _live(console: Console) -> Iterator[Show]:
    from rich.live import Live

    state = ProgressState()

    def picture() -> RenderableType:
        return render(state, console.width, max(3, console.height - LINES_AROUND_TABLE))

    def show(event: Event) -> None:
        nonlocal state
        state = apply(state, event)
        live.refresh()

    with Live(console=console, get_renderable=picture, auto_refresh=False, vertical_overflow="crop") as live:
        yield show
