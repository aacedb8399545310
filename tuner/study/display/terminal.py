"""A study on the screen: a live table in a terminal, one plain line an event elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from diagnostics.formatting import SIGNS, duration, number, percent
from diagnostics.model.records import Label
from diagnostics.report.sparkline import sparkline
from diagnostics.report.terminal_curve import LABEL_COLORS
from tuner.messages import filled, text
from tuner.messages.en import LIVE
from tuner.study.display.lines import best_trial, continued, goal, line, moves, proposer
from tuner.study.display.state import ProgressState, Running, apply, seconds_left
from tuner.study.events import Advanced, Event, Opened, Repeated, Show, Started
from tuner.study.results import TrialResult, TrialState
from tuner.study.words import relative_change

if TYPE_CHECKING:
    from rich.console import Console, JustifyMethod, RenderableType
    from rich.table import Table
    from rich.text import Text

ENDED = {TrialState.FAILED: "✕ failed", TrialState.INFEASIBLE: "✕ no memory"}
LINES_AROUND_TABLE = 10
"""Lines of the screen that are not rows of the table."""
NARROW, GAP = 100, 2
SPARK_WIDTH = 24
"""Characters of the running trial's curve; a shorter curve has one for each evaluation."""
NUMBER, MOVED, METRIC, DELTA, VERDICT, PROPOSER = range(6)
"""The columns of the table."""
NUMBERS = (NUMBER, METRIC, DELTA)
MAX_PROPOSER, MAX_PROPOSER_NARROW, MIN_MOVED = 24, 14, 18


def table(state: ProgressState, width: int = 80, rows: int = 100) -> Table:
    """The trials as a table: what moved, the metric, the verdict; the running one last; at most ``rows`` rows."""
    from rich.table import Table
    from rich.text import Text

    lines = _lines(state, rows, narrow=width < NARROW)
    heads = ["", LIVE["moved"], state.opened.metric if state.opened else "", LIVE["delta"]]
    heads += [LIVE["verdict"], LIVE["proposed-by"]]
    widths = [max(Text.from_markup(cell).cell_len for cell in column) for column in zip(heads, *lines, strict=True)]
    widths[PROPOSER] = min(widths[PROPOSER], MAX_PROPOSER if width >= NARROW else MAX_PROPOSER_NARROW)
    columns, widths[MOVED] = _columns_that_fit(widths, width)
    grid = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="dim")
    for place in columns:
        side: JustifyMethod = "right" if place in NUMBERS else "left"
        grid.add_column(heads[place], justify=side, no_wrap=True, overflow="ellipsis", max_width=widths[place])
    for cells in lines:
        grid.add_row(*(cells[place] for place in columns))
    return grid


def _columns_that_fit(widths: Sequence[int], width: int) -> tuple[list[int], int]:
    """The columns that there is room for, and the width of the one that says what moved."""
    columns = list(range(len(widths)))
    for spare in (PROPOSER, DELTA, None):
        room = width - sum(widths[place] + GAP for place in columns if place != MOVED)
        if room >= min(widths[MOVED], MIN_MOVED) or spare is None:
            break
        columns.remove(spare)
    return columns, max(1, min(widths[MOVED], room))


def _lines(state: ProgressState, rows: int, *, narrow: bool) -> list[list[str]]:
    """The rows of the table, the running trial last."""
    shown = _rows_that_fit(state, rows)
    lines = [_row(trial, state, narrow=narrow) for trial in shown]
    if len(shown) < len(state.trials):
        hidden = filled(LIVE["earlier-trials"], {"count": len(state.trials) - len(shown)})
        lines.insert(0, ["", f"[dim]{hidden}[/]", "", "", "", ""])
    lines += [_running_row(run, begun, state, narrow=narrow) for run, begun in _trials(state)]
    return lines


def _rows_that_fit(state: ProgressState, rows: int) -> list[TrialResult]:
    """The latest trials, and always the first and the best one."""
    trials = sorted(state.trials, key=lambda trial: trial.number)
    if len(trials) <= rows:
        return trials
    kept = [trial for trial in trials if trial.number in (0, state.best)]
    late = [trial for trial in trials if trial not in kept][-max(1, rows - len(kept) - 1) :]
    return sorted([*kept, *late], key=lambda trial: trial.number)


def _row(trial: TrialResult, state: ProgressState, *, narrow: bool) -> list[str]:
    best = trial.number == state.best
    value = number(trial.value) if trial.value is not None else "–"
    label = _label(trial.label or "unknown")
    verdict = ENDED.get(trial.state) or f"{SIGNS[label]} {label}"
    moved = _escaped(moves(trial.moved, trial.proposer, narrow=narrow))
    style = "red" if trial.state in ENDED else LABEL_COLORS[label]
    return [
        f"[bold]★ {trial.number}[/]" if best else str(trial.number),
        moved,
        f"[bold]{value}[/]" if best else value,
        "" if trial.number == 0 else _delta(trial.value, state),
        f"[{style}]{verdict}[/]",
        f"[dim]{proposer(trial.proposer)}[/]",
    ]


def _label(name: str) -> Label:
    return Label(name) if name in set(Label) else Label.UNKNOWN


def _trials(state: ProgressState) -> list[tuple[Running, Started]]:
    """The trials that run now, without the repeats, by number."""
    trials = [(run, run.begun) for run in state.running if isinstance(run.begun, Started)]
    return sorted(trials, key=lambda pair: pair[1].number)


def _running_row(run: Running, started: Started, state: ProgressState, *, narrow: bool) -> list[str]:
    value = run.advanced.value if run.advanced is not None else None
    moved = _escaped(moves(started.moved, started.proposer, narrow=narrow))
    return [
        f"[cyan]{started.number}[/]",
        f"[cyan]{moved}[/]",
        number(value) if value is not None else "",
        "" if started.number == 0 else _delta(value, state),
        f"[cyan]▸ {percent(run.advanced.share) if run.advanced is not None else 'starting'}[/]",
        f"[dim]{proposer(started.proposer)}[/]",
    ]


def _delta(value: float | None, state: ProgressState) -> str:
    """The change against trial 0, green where it is for the better and red where it is for the worse."""
    file = next((trial.value for trial in state.trials if trial.number == 0), None)
    if value is None or file is None or state.opened is None:
        return ""
    gain = state.opened.direction.gain(file, value)
    change = relative_change(file, value)
    return f"[{'green' if gain > 0 else 'red'}]{change}[/]" if gain and change else change


def render(state: ProgressState, width: int = 80, rows: int = 100) -> RenderableType:
    """The whole screen: title, table, what is tried now and why, the repeats, the time left."""
    from rich.console import Group
    from rich.text import Text

    parts: list[RenderableType] = []
    if state.opened is not None:
        parts += [Text(_title(state.opened), style="bold", no_wrap=True, overflow="ellipsis"), Text("")]
    parts.append(table(state, width, rows))
    notes: list[RenderableType] = [Text(line(notice) or "", style="default") for notice in state.notices[-2:]]
    notes += _now(state)
    if notes:
        parts += [Text(""), *notes]
    left = seconds_left(state)
    if left is not None and state.closed is None:
        parts.append(Text(f"about {duration(left)} left", style="dim"))
    return Group(*parts)


def _title(opened: Opened) -> str:
    return f"{opened.name} · {goal(opened)}"


def _now(state: ProgressState) -> list[RenderableType]:
    """What happens right now, and why: each run with its curve."""
    from rich.text import Text

    if state.closed is not None:
        return [Text(best_trial(state.closed.result))]
    said: list[RenderableType] = []
    if state.repeated is not None:
        said.append(Text(_repeats_line(state, state.repeated)))
    for run in state.running:
        if isinstance(run.begun, Started):
            said.append(Text(_trial_line(run, run.begun)))
        if run.advanced is not None:
            said.append(_curve_line(run.advanced, state))
    return said


def _trial_line(run: Running, started: Started) -> str:
    """What a running trial moved, and why."""
    why = text(started.because)
    if not why and proposer(started.proposer):
        why = f"proposed by {proposer(started.proposer)}"
    loading = f"; {LIVE['loading']}" if run.advanced is None else ""
    moved = moves(started.moved, started.proposer)
    return f"trial {started.number}{continued(started)}: {moved}" + (f"; {why}" if why else "") + loading


def _curve_line(advanced: Advanced, state: ProgressState) -> Text:
    """The curve of the running trial in a line, with its step and how it compares with the user's file."""
    from rich.text import Text

    steps = round(advanced.step / advanced.share) if advanced.share else 0
    parts = [filled(LIVE["step"], {"step": advanced.step, "steps": steps})] if advanced.step and steps else []
    parts += [f"{state.opened.metric} {number(advanced.value)}"] if state.opened and advanced.value is not None else []
    delta = _delta(advanced.value, state) if advanced.number else ""
    parts += [filled(LIVE["against-file"], {"change": delta})] if delta else []
    made = Text(sparkline(advanced.values, min(SPARK_WIDTH, len(advanced.values))), style="cyan")
    return made.append("  ").append_text(Text.from_markup(", ".join(parts)))


def _repeats_line(state: ProgressState, repeated: Repeated) -> str:
    """How many repeats are done, and which run now."""
    parts = []
    for run in state.running:
        if isinstance(run.begun, Repeated):
            at = f", {percent(run.advanced.share)}" if run.advanced is not None else ""
            parts.append(f"trial {run.begun.number} on seed {run.begun.seed}{at}")
    running = f": {'; '.join(parts)}" if parts else ""
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
