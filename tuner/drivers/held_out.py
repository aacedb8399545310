"""The held-out rows of a study with another trainer: cut off once, and the same in every run, whatever its seed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from diagnostics.report.write import write_text
from tuner.config.bounded_read import read_json
from tuner.config.sources import located
from tuner.config.study_spec import StudySpec
from tuner.config.trainers.dotted import Flat
from tuner.config.trainers.profile import HeldOut
from tuner.data.splits import held_out
from tuner.errors import SpecError

FOLDER, KEPT = "data", "held-out.json"
"""In the study's folder: the rows, and the trainer's keys that name them."""
Rows = Sequence[Any]


def held_out_keys(spec: StudySpec, study: Path) -> dict[str, Any]:
    """The trainer's keys that fix its held-out rows in every run of the study; the files are written the first time.

    Raises ``SpecError`` for rows that only the trainer can find: then the file must name the held-out ones.
    """
    driver = spec.driver
    assert driver is not None
    make = MAKERS.get(driver.profile.held_out)
    if make is None or not spec.study.metric.startswith("eval_"):
        return {}
    try:
        kept: dict[str, Any] = read_json(study / FOLDER / KEPT)
        return kept
    except (OSError, ValueError):
        pass
    made = make(spec, driver.given, study / FOLDER)
    if made and (study / FOLDER).is_dir():
        write_text(study / FOLDER / KEPT, json.dumps(made, indent=2) + "\n")
    return made


def _of_llamafactory(spec: StudySpec, given: Flat, out: Path) -> dict[str, Any]:
    """Two datasets for each one, in a ``dataset_info.json`` of their own: its split moves with the seed."""
    if given.get("eval_dataset"):
        return {}
    where = Path(str(given.get("dataset_dir", "data")))
    folder = located(str(where), spec.path.parent) or where
    table = _json(folder / "dataset_info.json", spec.path, "dataset_dir")
    names = given.get("dataset") or []
    names = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
    info: dict[str, Any] = {}
    for name in names:
        entry = table.get(name) if isinstance(table, Mapping) else None
        file = folder / str(entry.get("file_name")) if isinstance(entry, Mapping) and entry.get("file_name") else None
        parts = _cut(spec, file, given.get("val_size"), out, name, f"dataset {name}", "eval_dataset")
        info |= {part.stem: {**(entry or {}), "file_name": part.name} for part in parts}
    write_text(out / "dataset_info.json", json.dumps(info, indent=2) + "\n")
    train, rest = (",".join(f"{name}-{part}" for name in names) for part in ("train", "held-out"))
    return {"dataset_dir": str(out), "dataset": train, "eval_dataset": rest, "val_size": 0.0}


def _of_axolotl(spec: StudySpec, given: Flat, out: Path) -> dict[str, Any]:
    """Its datasets twice, with a file for each part: ``val_set_size`` moves with the seed."""
    if given.get("test_datasets"):
        return {}
    both: tuple[list[Any], list[Any]] = ([], [])
    for number, entry in enumerate(given.get("datasets") or []):
        name = str(entry.get("path")) if isinstance(entry, Mapping) else ""
        file = located(name, spec.path.parent) if name else None
        parts = _cut(spec, file, given.get("val_set_size"), out, f"rows-{number}", f"datasets: {name}", "test_datasets")
        for part, entries in zip(parts, both, strict=True):
            entries.append({**entry, "path": str(part), "ds_type": "json", "split": "train"})
    return {"datasets": both[0], "test_datasets": both[1], "val_set_size": 0}


def _of_trl(spec: StudySpec, given: Flat, out: Path) -> dict[str, Any]:
    """A folder with ``train`` and ``test``, where the file names one file: TRL evaluates only a split of its own."""
    file = located(str(given.get("dataset_name") or ""), spec.path.parent) if given.get("dataset_name") else None
    if file is None or file.is_dir():
        return {} if file is None else {"dataset_name": str(file.resolve())}
    folder = out / "rows"
    _cut(spec, file, None, folder, "", "dataset_name", "dataset_test_split", ("train", "test"))
    return {"dataset_name": str(folder), "dataset_train_split": "train", "dataset_test_split": "test"}


def _of_swift(spec: StudySpec, given: Flat, out: Path) -> dict[str, Any]:
    """Its split is cut off by ``data_seed``, which stays what it is while ``seed`` moves."""
    return {} if given.get("val_dataset") else {"data_seed": spec.config["data_seed"]}


MAKERS: Mapping[HeldOut, Callable[[StudySpec, Flat, Path], dict[str, Any]]] = {
    HeldOut.LLAMAFACTORY: _of_llamafactory,
    HeldOut.AXOLOTL: _of_axolotl,
    HeldOut.TRL: _of_trl,
    HeldOut.SEEDED: _of_swift,
}


def _cut(
    spec: StudySpec,
    file: Path | None,
    size: Any,
    out: Path,
    name: str,
    what: str,
    instead: str,
    parts: tuple[str, str] = ("train", "held-out"),
) -> list[Path]:
    """The rows of a file in two: those to train on, and those to hold out; equal questions stay on one side."""
    rows = _rows(file) if file is not None and file.is_file() else None
    if rows is None:
        raise SpecError(
            f"{spec.path}: {what}: no JSON file on this machine, so its held-out rows would change with the seed; "
            f"name them with {instead}"
        )
    size = float(size) if isinstance(size, (int, float)) and size > 0 else None
    train, test = held_out(map(question, rows), int(spec.config["seed"]), f"{spec.path}: {what}", size)
    out.mkdir(parents=True, exist_ok=True)
    made = []
    for part, numbers in zip(parts, (train, test), strict=True):
        path = out / (f"{name}-{part}.json" if name else f"{part}.jsonl")
        lines = [json.dumps(rows[number], ensure_ascii=False) for number in numbers]
        write_text(path, "\n".join(lines) + "\n" if path.suffix == ".jsonl" else "[\n" + ",\n".join(lines) + "\n]\n")
        made.append(path)
    return made


def _rows(file: Path) -> Rows | None:
    """The rows of a JSON list or of JSON lines; None where the file is neither."""
    text = file.read_text(encoding="utf-8-sig", errors="replace")
    try:
        if text.lstrip().startswith("["):
            rows = json.loads(text)
        else:
            rows = [json.loads(line) for line in text.split("\n") if line.strip()]
    except (ValueError, RecursionError):
        return None
    return rows if rows and all(isinstance(row, Mapping) for row in rows) else None


def question(row: Mapping[str, Any]) -> str:
    """What two rows with the same question share: instruction and input, the first turn, or the prompt."""
    for turns in (row.get("conversations"), row.get("messages")):
        if isinstance(turns, list) and turns:
            asked = [turn for turn in turns if not (isinstance(turn, Mapping) and turn.get("role") == "system")]
            return json.dumps(asked[:1], sort_keys=True, default=str)
    known = [row[key] for key in ("instruction", "input", "prompt", "query", "question") if row.get(key)]
    return json.dumps(known or dict(row), sort_keys=True, default=str)


def _json(path: Path, spec: Path, key: str) -> Any:
    try:
        return read_json(path)
    except OSError as error:
        raise SpecError(f"{spec}: {key}: {path}: {error.strerror}; give the folder that holds it") from None
    except ValueError:
        raise SpecError(f"{spec}: {key}: {path}: not valid JSON") from None
