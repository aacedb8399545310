"""Which folders and files are runs: found by name and, for tables and text, by their first lines."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from diagnostics.readers import json_history, run_paths, split_files
from diagnostics.readers.assemble.tags import HELD_OUT, TRAIN, match, names_a_loss
from diagnostics.readers.files import Unopened, UnreadableLog, content, text, unopened
from diagnostics.readers.printed import log as printed
from diagnostics.readers.tabular import jsonlines, table
from diagnostics.readers.wandb import run_folder as wandb_run

EVENTS, STATE, TRAINER_LOG = ".tfevents.", "trainer_state.json", "trainer_log.jsonl"
SWIFTS_LOG = "logging.jsonl"
DRIVEN, DRIVEN_OUTPUT = "command.json", "output"
"""What a run leaves that was another trainer's command, and the folder that this one wrote: its log, once more."""
CHECKPOINT = re.compile(r"checkpoint-(\d+)")
DATED = re.compile(r"[A-Z][a-z]{2}\d\d_\d\d-\d\d-\d\d_")
HPARAMS_FOLDER = re.compile(r"\d{10}\.\d+")
SKIPPED = {"__pycache__", "node_modules", "site-packages"}
WANDB = "wandb"
MAX_DEPTH = 12
HEAD_CHARACTERS, HISTORY_CHARACTERS = 4096, 1 << 16


@dataclass(frozen=True)
class Listing:
    """The visible names in a folder, sorted; links to folders are left out, so no walk goes in circles."""

    files: tuple[str, ...]
    folders: tuple[str, ...]

    @property
    def events(self) -> tuple[str, ...]:
        """The event files among the files, in the order they were begun."""
        return tuple(name for name in self.files if EVENTS in name and not name.endswith(".profile-empty"))


@dataclass(frozen=True)
class Parts:
    """The logs in a run's folder.

    ``prefixes`` go before the tags of event files in folders such as Keras's ``validation/``; ``inner`` are the
    folders that belong to the run; ``checkpoint`` is the newest one, and ``older`` are where others keep their state,
    newest first.
    """

    events: tuple[Path, ...] = ()
    prefixes: dict[Path, str] = field(default_factory=dict)
    states: tuple[Path, ...] = ()
    jsonl: Path | None = None
    checkpoint: Path | None = None
    inner: frozenset[str] = frozenset()
    older: tuple[Path, ...] = ()


def listing(folder: Path) -> Listing:
    """The names in a folder. Raises ``UnreadableLog`` when it may not be opened."""
    try:
        with os.scandir(folder) as entries:
            seen = sorted((e.name, e.is_dir(follow_symlinks=False), _is_dir(e)) for e in entries if e.name[0] != ".")
    except OSError as error:
        raise unopened(folder, error) from None
    files = tuple(name for name, _, leads_to_folder in seen if not leads_to_folder)
    return Listing(files, tuple(name for name, is_folder, _ in seen if is_folder))


def _is_dir(entry: os.DirEntry[str]) -> bool:
    """Whether a name is or leads to a folder; one that leads nowhere, such as a link to itself, does not."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def parts(folder: Path, names: Listing | None = None) -> Parts | None:
    """The logs of a folder that is one run, else None. Raises ``UnreadableLog`` when it may not be opened."""
    names = names or listing(folder)
    checkpoints = sorted((int(m.group(1)), m.string) for name in names.folders if (m := CHECKPOINT.fullmatch(name)))
    checkpoint = next(
        (folder / name for _, name in reversed(checkpoints) if os.path.isfile(folder / name / STATE)), None
    )
    states = [folder / STATE] if STATE in names.files else []
    states += [checkpoint / STATE] if checkpoint else []
    jsonl = next((folder / name for name in _own_logs(names) if name in names.files), None)
    splits = _split_folders(folder, names)
    events = [folder / name for name in names.events] + list(splits)
    inner = {path.parent.name for path in splits}
    in_runs = _events_in_runs(folder, names, undated=bool(states or jsonl))
    if states or jsonl or len({path.parent for path in in_runs}) == 1:
        events += in_runs
        inner.add("runs")
    if not (events or states or jsonl):
        return None
    if DRIVEN in names.files:
        inner.add(DRIVEN_OUTPUT)
    newest_first = [folder / name / STATE for _, name in reversed(checkpoints)]
    older = tuple(path for path in newest_first if path not in states)
    return Parts(tuple(events), splits, tuple(states), jsonl, checkpoint, frozenset(inner), older)


def find_runs(path: str | Path, tags: Mapping[str, str] | None = None) -> list[Path]:
    """Every run at or below a path, sorted: run folders, and log files that lie in no run folder.

    A file is itself, or the runs in it where it holds several: ``export.csv#name``. Tables and texts are logs where
    they name a loss, or one of ``tags``. Raises ``UnreadableLog`` when the path does not exist or may not be opened.
    """
    return search(path, tags).runs


@dataclass
class Found:
    """The runs at or below a path, sorted, and the folders and files there that may not be opened."""

    runs: list[Path] = field(default_factory=list)
    closed: list[Unopened] = field(default_factory=list)


def search(path: str | Path, tags: Mapping[str, str] | None = None) -> Found:
    """As ``find_runs``, with what may not be opened."""
    path, found = Path(path), Found()
    if os.path.isdir(path):
        found.runs = sorted(_walk(path, listing(path), frozenset((tags or {}).values()), 0, found.closed))
        return found
    file, inner = run_paths.split(path)
    content(file, 1)
    found.runs = [path] if inner is not None else _in_file(path)
    return found


def _in_file(path: Path) -> list[Path]:
    """The runs in a log file: itself, unless it holds several."""
    names: tuple[str, ...] = ()
    try:
        if table.reads(path):
            names = table.runs_in(path)
        elif jsonlines.reads(path):
            names = jsonlines.runs_in(path)
    except Exception:  # reported when the file is read
        names = ()
    return [run_paths.of_run(path, name) for name in names] or [path]


def _walk(folder: Path, names: Listing, tags: frozenset[str], depth: int, closed: list[Unopened]) -> Iterator[Path]:
    """The runs at or below a folder; what may not be opened is added to ``closed``."""
    held = parts(folder, names)
    if wandb_run.log_file(names.files):
        yield folder  # what lies below it says the same once more
        return
    here = [folder] if held else _logs_among(folder, names, tags, closed)
    yield from here
    inner = held.inner if held else frozenset()
    found = len(here)
    # A program that logs to W&B mostly has a log of its own as well: the copy counts only where it is the only one.
    for name in sorted(names.folders, key=lambda name: name == WANDB) if depth < MAX_DEPTH else ():
        if name in SKIPPED or name in inner or (held and CHECKPOINT.fullmatch(name)) or (name == WANDB and found):
            continue
        try:
            below = listing(folder / name)
        except Unopened as error:
            closed.append(error)
            continue
        for run in _walk(folder / name, below, tags, depth + 1, closed):
            found += 1
            yield run


def _logs_among(folder: Path, names: Listing, tags: frozenset[str], closed: list[Unopened]) -> list[Path]:
    """The runs in the log files of a folder that is none itself."""
    logs = [folder / name for name in names.files if _is_log(folder / name, tags, closed)]
    held_out = {partner for log in logs for partner in split_files.partners(log, names.files)}
    return [run for log in logs if log.name not in held_out for run in _in_file(log)]


def _is_log(path: Path, tags: frozenset[str], closed: list[Unopened]) -> bool:
    """Whether a file among others is a training log: its first lines name a loss, or one of the tags.

    A file whose name is that of a log and that may not be opened is added to ``closed``.
    """
    try:
        if table.reads(path):
            return _names_a_loss(table.header_of(path), tags)
        if jsonlines.reads(path):
            rows, _ = jsonlines.objects(text(path, HEAD_CHARACTERS).rpartition("\n")[0] or text(path, HEAD_CHARACTERS))
            return any(_names_a_loss(list(row), tags) for row in rows[:5])
        if path.suffix.lower() == ".json":
            head = text(path, HISTORY_CHARACTERS)
            return '"log_history"' in head or json_history.is_history(head)
        return path.suffix.lower() in printed.ENDINGS and printed.has_losses(path)
    except Unopened as error:
        closed.append(error)
        return False
    except UnreadableLog:
        return False
    except Exception:  # a bug: reported when the file is read
        return True


def _names_a_loss(names: list[str], tags: frozenset[str]) -> bool:
    """Whether a column or key is a loss that we know or one of the tags; a W&B export has the run's name before it."""
    plain = [name.rpartition(" - ")[2] for name in names]
    return not tags.isdisjoint(plain) or names_a_loss(plain)


def _split_folders(folder: Path, names: Listing) -> dict[Path, str]:
    """Event files in ``train/`` and ``validation/`` (Keras), ``Loss_train/`` (add_scalars), and their tag prefixes."""
    if not names.events and not {"train", "validation"} & set(names.folders):
        return {}
    prefixes = {name: prefix for name in names.folders if (prefix := _prefix(name, bool(names.events)))}
    return {folder / name / file: p for name, p in prefixes.items() for file in _readable(folder / name).events}


def _prefix(name: str, beside_events: bool) -> str | None:
    """What goes before the tags in a folder that holds a part of its parent's run, None when it holds none."""
    word = name.lower().rpartition("_")[2]
    if word != name.lower() and not (beside_events and match(name)):
        return None
    if beside_events and HPARAMS_FOLDER.fullmatch(name):
        return "hparams/"
    return "train/" if word in TRAIN else f"{word}/" if word in HELD_OUT else None


def _own_logs(names: Listing) -> tuple[str, ...]:
    """The names of logs that make a folder a run: ms-swift's has a general name, so more must speak for it."""
    of_swift = "args.json" in names.files or "runs" in names.folders or any(map(CHECKPOINT.fullmatch, names.folders))
    return (TRAINER_LOG, SWIFTS_LOG) if of_swift else (TRAINER_LOG,)


def _events_in_runs(folder: Path, names: Listing, undated: bool) -> list[Path]:
    """Event files in ``runs/<date>_<host>/``, where transformers writes them, in the order they were begun.

    ``undated``: also in ``runs`` itself, as ms-swift has them.
    """
    if "runs" not in names.folders:
        return []
    runs = _readable(folder / "runs")
    dated = [folder / "runs" / name for name in runs.folders if DATED.match(name)]
    found = [below / name for below in dated for name in _readable(below).events]
    found += [folder / "runs" / name for name in runs.events] if undated else []
    return sorted(found, key=lambda path: path.name)


def _readable(folder: Path) -> Listing:
    """The names in a folder, none when it may not be opened."""
    try:
        return listing(folder)
    except UnreadableLog:
        return Listing((), ())
