"""Weights & Biases: exports as CSV, and the folder that a run leaves on the machine that trained it.

The folder holds ``run-<id>.wandb``: LevelDB's log format (blocks of 32 KiB, records in parts, each with its CRC32)
behind a header of seven bytes, each record a protobuf message ``Record`` of ``wandb_internal.proto`` (wandb 0.31).
"""

from __future__ import annotations

import csv
import json
import struct
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.dialects.measured import Layout, Measured, windows

BLOCK, HEAD = 1 << 15, 7
FULL, FIRST, MIDDLE, LAST = 1, 2, 3, 4
FILE_HEADER = b":W&B" + struct.pack("<HB", 0xBEE1, 0)
RUN, HISTORY, HISTORY_ITEM, HISTORY_STEP, STEP_NUMBER, RECORD_NUMBER = 17, 2, 1, 2, 1, 1
KEY, NESTED_KEY, VALUE_JSON = 1, 2, 16
RUN_ID, RUN_CONFIG, CONFIG_UPDATE = 1, 4, 1
"""Field numbers in ``wandb_internal.proto``."""


def write_export(run: Measured, layout: Layout, folder: Path) -> Path:
    """A chart's export (``Step``, ``name - metric`` with its bounds) or that of a run's history."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = list(_rows(run, layout))
    path = folder / "wandb_export_2026-11-21T10_15_02.000+01_00.csv"
    chart = layout.rng().random() < 0.5
    table = (
        _chart(rows, layout.name)
        if chart
        else [{"": i, "_step": step, "_runtime": 0.7 * step, **row} for i, (step, row) in enumerate(rows)]
    )
    names = list(dict.fromkeys(name for row in table for name in row))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names, quoting=csv.QUOTE_ALL if chart else csv.QUOTE_MINIMAL)
        writer.writeheader()
        writer.writerows(table)
    return path


def _chart(rows: list[tuple[int, dict[str, float]]], name: str) -> list[dict[str, Any]]:
    table = []
    for step, row in rows:
        cells: dict[str, Any] = {"Step": step}
        for metric in ("train/loss", "eval/loss"):
            if any(metric in other for _, other in rows):
                cells |= {f"{name} - {metric}{end}": row.get(metric, "") for end in ("", "__MIN", "__MAX")}
        table.append(cells)
    return table


def _rows(run: Measured, layout: Layout) -> Iterator[tuple[int, dict[str, float]]]:
    """What was logged at each step, in the names of transformers' own W&B callback."""
    held = {e.step: e for e in run.evals} if layout.evals else {}
    points = {at.step: at for at in windows(run, layout.every)}
    for step in sorted({*held, *points} - {0}):
        row: dict[str, float] = {}
        if (at := points.get(step)) is not None:
            row |= {"train/loss": at.loss, "train/grad_norm": at.norm, "train/epoch": at.epoch}
            row |= {"train/learning_rate": at.rate} if layout.settings else {}
        if (one := held.get(step)) is not None:
            row |= {"eval/loss": one.loss, **({"eval/accuracy": one.accuracy} if one.accuracy is not None else {})}
        yield step, row


def write_folder(run: Measured, layout: Layout, folder: Path) -> Path:
    """``wandb/offline-run-DATE-ID`` with its ``.wandb`` file, and what an online run keeps under ``files/``."""
    name = "".join(layout.rng().choice(list("abcdefghijkmnpqrstuvwxyz23456789"), 8))
    below = folder / "wandb" / f"offline-run-20261121_101502-{name}"
    (below / "files").mkdir(parents=True, exist_ok=True)
    (below / "logs").mkdir()
    rows = list(_rows(run, layout))
    known = _config(run) if layout.settings else {}
    records = [_run_record(name, known), *(_history_record(step, row) for step, row in rows)]
    numbered = [_field(RECORD_NUMBER, n) + record for n, record in enumerate(records, 1)]
    (below / f"run-{name}.wandb").write_bytes(FILE_HEADER + _as_blocks(numbered))
    (below / "files" / "requirements.txt").write_text("torch==2.13.0\n", encoding="utf-8")
    return folder / "wandb"


def _config(run: Measured) -> dict[str, Any]:
    names = ("learning_rate", "batch_size", "weight_decay", "warmup_ratio", "lr_scheduler_type", "lora_r", "lora_alpha")
    return {name: run.settings[name] for name in names if name in run.settings}


def _run_record(name: str, config: Mapping[str, Any]) -> bytes:
    items = [
        _field(CONFIG_UPDATE, _field(KEY, k.encode()) + _field(VALUE_JSON, json.dumps(v).encode()))
        for k, v in config.items()
    ]
    return _field(RUN, _field(RUN_ID, name.encode()) + _field(RUN_CONFIG, b"".join(items)))


def _history_record(step: int, row: Mapping[str, float]) -> bytes:
    items = {**row, "_step": step, "_runtime": 0.7 * step, "_timestamp": 1795292102.0 + 0.7 * step}
    fields = [_field(HISTORY_ITEM, _item(key, value)) for key, value in items.items()]
    return _field(HISTORY, b"".join(fields) + _field(HISTORY_STEP, _field(STEP_NUMBER, step)))


def _item(key: str, value: float) -> bytes:
    number = json.dumps(value)  # NaN and Infinity as wandb writes them
    return _field(NESTED_KEY, key.encode()) + _field(VALUE_JSON, number.encode())


def _field(number: int, value: bytes | int) -> bytes:
    """A protobuf field: a varint, or bytes with their length."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])


def _as_blocks(records: list[bytes]) -> bytes:
    """The records in LevelDB's log format; the file's own header counts towards the first block."""
    out, at = bytearray(), len(FILE_HEADER)
    for record in records:
        begun = False
        while True:
            room = BLOCK - at % BLOCK
            if room < HEAD:
                out += bytes(room)
                at += room
                continue
            part, record = record[: room - HEAD], record[room - HEAD :]
            kind = (LAST if begun else FULL) if not record else (MIDDLE if begun else FIRST)
            out += struct.pack("<IHB", zlib.crc32(bytes([kind]) + part), len(part), kind) + part
            at += HEAD + len(part)
            begun = True
            if not record:
                break
    return bytes(out)
