"""Loads the data of a study file, from local files, the hub or a mixture, as its two splits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diagnostics.model.message import Message, message
from tuner.config.methods import TRL_METHODS, TrlMethod
from tuner.data.columns import renamed, renamed_set
from tuner.data.conversion import Converted, columns_of, convert, converted_row, format_of, is_identical_pair
from tuner.data.files import READERS, DataError, Rows, read_file
from tuner.data.images import as_images, has_images, with_whole_paths
from tuner.data.split_files import SPLIT_NAMES, split_files
from tuner.data.splits import MAX_HELD_OUT_ROWS, held_out, prompt_key
from tuner.errors import brief_name, error_text

Config = Mapping[str, Any]
STREAMED_HELD_OUT_ROWS = 200


@dataclass(frozen=True, eq=False)
class Data:
    """The training and the held-out rows in TRL's columns; ``notes`` says what was left out or split off.

    ``test_columns`` are the first held-out rows as a local file holds them; empty for other sources.
    """

    train: Any
    test: Any
    notes: tuple[Message, ...] = ()
    test_columns: tuple[Mapping[str, Any], ...] = ()


_data_cache: dict[Any, Data] = {}
"""The last data set of this process, by what it depends on: the trials of a study share one."""


def load_data(config: Config, method: str, start: Path, *, seed: int = 42) -> Data:
    """The data that a config names; the same object again in one process while nothing changed.

    ``start`` is the study file's folder; ``seed`` decides the held-out rows where the data has no such split.
    Raises ``DataError`` that names the file, and the row where it is one.
    """
    key = (method, str(start), seed, *_relevant(config), *_stamps(config, start))
    if key not in _data_cache:
        _data_cache.clear()  # two data sets would double the memory
        _data_cache[key] = _load(config, TRL_METHODS[method], start, seed)
    return _data_cache[key]


def _relevant(config: Config) -> list[tuple[str, str]]:
    names = [key for key in config if key.startswith("dataset") or key in ("columns", "streaming", "test_split_size")]
    return sorted((name, repr(config[name])) for name in names)


def _stamps(config: Config, start: Path) -> list[tuple[str, int, int]]:
    path = _local(config, start)
    if path is None:
        return []
    files = [path] if path.is_file() else [file for file in sorted(path.rglob("*")) if file.is_file()]
    return [(str(file), file.stat().st_mtime_ns, file.stat().st_size) for file in files]


def _local(config: Config, start: Path) -> Path | None:
    from tuner.config.study_file import located

    return None if config.get("datasets") else located(str(config.get("dataset_name")), start)


def _load(config: Config, method: TrlMethod, start: Path, seed: int) -> Data:
    path = _local(config, start)
    if path is not None and (path.is_file() or _has_rows(path)):
        return _from_files(split_files(path, config), config, method, seed)
    return _from_sets(_sets(config, path), config, method, seed)


def _has_rows(folder: Path) -> bool:
    saved = (folder / "dataset_dict.json").exists() or (folder / "state.json").exists()
    return not saved and any(file.suffix.lower() in READERS for file in folder.rglob("*"))


def _text_column(config: Config) -> str:
    return str(config.get("dataset_text_field", "text"))


def _from_files(splits: Mapping[str, list[Path]], config: Config, method: TrlMethod, seed: int) -> Data:
    made = {split: [_file(path, config, method) for path in paths] for split, paths in splits.items()}
    notes = [message("data-format", file=splits["train"][0].name, format=made["train"][0].format)]
    notes += [
        message("pairs-without-difference", file=path.name, pairs=one.dropped)
        for split in splits
        for path, one in zip(splits[split], made[split], strict=True)
        if one.dropped
    ]
    train = [row for one in made["train"] for row in one.rows]
    test = [row for one in made.get("test", []) for row in one.rows]
    columns = [row for one in made.get("test") or made["train"] for row in one.columns]
    if not test:
        keep, out = held_out(map(prompt_key, train), seed, str(splits["train"][0]), config.get("test_split_size"))
        train, test = [train[number] for number in keep], [train[number] for number in out]
        columns = [columns[number] for number in out] if columns else []
        notes.append(_split_note(len(keep), len(out)))
    where = str(splits["train"][0])
    return Data(_table(train, where), _table(test, where), tuple(notes), tuple(columns[:MAX_HELD_OUT_ROWS]))


def _table(rows: Rows, where: str) -> Any:
    """The rows as a data set; raises ``DataError`` for a column whose values are of different types."""
    import pyarrow
    from datasets import Dataset

    try:
        made = Dataset.from_list(rows)
        return as_images(made) if has_images(made.column_names) else made
    except (pyarrow.ArrowException, TypeError) as error:
        names = {name for row in rows for name in row}
        mixed = next((name for name in sorted(names) if _is_mixed(rows, name)), None)
        what = f"{mixed}: its values are of different types" if mixed else error_text(error, 160)
        raise DataError(f"{where}: {what}; write them all in the same way, such as text") from error


def _is_mixed(rows: Rows, name: str) -> bool:
    return len({type(row[name]) for row in rows if row.get(name) is not None}) > 1


def _file(path: Path, config: Config, method: TrlMethod) -> Converted:
    rows = renamed(read_file(path), config.get("columns") or {}, str(path))
    if has_images(columns_of(rows)):
        return Converted(with_whole_paths(rows, path), "rows with images")
    return convert(rows, method, str(path), _text_column(config))


def _split_note(train: int, test: int) -> Message:
    return message("rows-held-out", test=test, train=train)


def _sets(config: Config, path: Path | None) -> Mapping[str, Any]:
    """The splits as the datasets library loads them, from the hub, a saved folder or a mixture."""
    import datasets
    from trl import DatasetMixtureConfig, get_dataset

    name = "datasets" if config.get("datasets") else str(config.get("dataset_name"))
    try:
        if config.get("datasets"):
            names = ("datasets", "streaming", "test_split_size")
            loaded = get_dataset(DatasetMixtureConfig(**{key: config[key] for key in names if key in config}))
        elif path is not None and ((path / "dataset_dict.json").exists() or (path / "state.json").exists()):
            loaded = datasets.load_from_disk(str(path))
        else:
            streaming = bool(config.get("dataset_streaming", False))
            loaded = datasets.load_dataset(str(path or name), name=config.get("dataset_config"), streaming=streaming)
    except (ValueError, OSError, RuntimeError, TypeError, AttributeError, LookupError) as error:
        if path is not None:  # a damaged one fails anywhere in the library
            raise DataError(f"{path}: contains no readable rows ({error_text(error)})") from error
        raise DataError(
            f"{brief_name(name)}: not a local file or folder, and the hub failed: {error_text(error)}"
        ) from error
    return loaded if isinstance(loaded, Mapping) else {"train": loaded}


def _from_sets(sets: Mapping[str, Any], config: Config, method: TrlMethod, seed: int) -> Data:
    where = brief_name(str(config.get("dataset_name") or "datasets"))
    name = str(config.get("dataset_train_split", "train"))
    if name not in sets:
        raise DataError(f"{where}: has no split {brief_name(name)}; it has {', '.join(map(str, sets))}")
    test_name = _test_split(sets, config, where)
    columns = config.get("columns") or {}
    train = _converted_set(renamed_set(sets[name], columns, where), method, f"{where} ({name})", _text_column(config))
    if test_name is not None:
        test = _converted_set(
            renamed_set(sets[test_name], columns, where), method, f"{where} ({test_name})", _text_column(config)
        )
        return Data(train, test)
    if not hasattr(train, "select"):
        first = message("streamed-rows-held-out", rows=STREAMED_HELD_OUT_ROWS)
        return Data(train.skip(STREAMED_HELD_OUT_ROWS), train.take(STREAMED_HELD_OUT_ROWS), (first,))
    keep, out = held_out(map(prompt_key, train), seed, where, config.get("test_split_size"))
    return Data(train.select(keep), train.select(out), (_split_note(len(keep), len(out)),))


def _test_split(sets: Mapping[str, Any], config: Config, where: str) -> str | None:
    given = config.get("dataset_test_split")
    if given is not None and given not in sets:
        raise DataError(f"{where}: has no split {brief_name(given)}; it has {', '.join(map(str, sets))}")
    others = [name for name in sets if SPLIT_NAMES.get(str(name).split("_")[0]) == "test"]
    return given or next((name for name in ("test", *others) if name in sets), None)


def _converted_set(dataset: Any, method: TrlMethod, where: str, text_column: str) -> Any:
    """A set of the datasets library with TRL's columns, converted a thousand rows at a time."""
    columns = list(dataset.column_names or next(iter(dataset)))
    if has_images(columns):
        return dataset
    form = format_of(columns, method, where, text_column)

    def batch(rows: dict[str, list[Any]], numbers: list[int]) -> dict[str, list[Any]]:
        singles = [dict(zip(rows, values, strict=True)) for values in zip(*rows.values(), strict=True)]
        pairs = zip(singles, numbers, strict=True)
        made = [converted_row(row, form, method, f"{where}: row {number + 1}") for row, number in pairs]
        kept = [row for row in made if not is_identical_pair(row)]
        return {name: [row[name] for row in kept] for name in (made[0] if made else {})}

    return dataset.map(batch, batched=True, with_indices=True, remove_columns=columns)
