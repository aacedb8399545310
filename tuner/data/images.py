"""Rows with images: they go to TRL's trainers as they are, which know what a model's processor wants."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from tuner.data.files import DataError, Rows

COLUMNS = ("image", "images")
"""TRL's columns for one image, and for a list of them."""


def has_images(columns: Collection[str]) -> bool:
    """Whether there is a column of images."""
    return any(name in columns for name in COLUMNS)


def with_whole_paths(rows: Rows, file: Path) -> Rows:
    """The rows with the whole path of each image, which is looked for beside the file; raises ``DataError``."""
    return [
        {
            name: _placed(value, file, f"{file}: row {number}: {name}") if name in COLUMNS else value
            for name, value in row.items()
        }
        for number, row in enumerate(rows, 1)
    ]


def _placed(value: Any, file: Path, where: str) -> Any:
    if isinstance(value, list):
        return [_placed(one, file, where) for one in value]
    if isinstance(value, dict):  # the bytes of a parquet file
        return value
    if not isinstance(value, str) or not value:
        raise DataError(f"{where}: must be the path of an image, not {type(value).__name__}")
    path = file.parent / value
    if not path.is_file():
        raise DataError(f"{where}: {path}: no such file")
    return str(path)


def as_images(dataset: Any) -> Any:
    """The data set with its paths as images, which are read when they are needed."""
    from datasets import Image, List

    for name in COLUMNS:
        if name in dataset.column_names:
            kind = Image() if name == "image" else List(Image())
            dataset = dataset.cast_column(name, kind)
    return dataset
