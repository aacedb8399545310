"""The hyperparameters in an event file's hparams records (TensorBoard's hparams plugin)."""

from __future__ import annotations

import struct

from diagnostics.readers.tensorboard.event_proto import BYTES, FIXED64, VARINT, Damaged, Field, fields

PLUGIN_DATA, CONTENT, SESSION_START, HPARAMS = 1, 2, 3, 1


def hparams(metadata: bytes) -> dict[str, object]:
    """Names and values in a ``SummaryMetadata`` message of the plugin; empty when it holds none or is damaged."""
    found: dict[str, object] = {}
    try:
        for plugin in _inside(metadata, [PLUGIN_DATA, CONTENT, SESSION_START, HPARAMS]):
            name, value = "", None
            for part in fields(plugin, 0, len(plugin)):
                if part.number == 1 and part.wire == BYTES:
                    name = plugin[part.start : part.stop].decode("utf-8", "replace")
                elif part.number == 2 and part.wire == BYTES:
                    value = _value(plugin[part.start : part.stop])
            found |= {name: value} if value is not None else {}
    except Damaged:
        return found
    return found


def _inside(message: bytes, path: list[int]) -> list[bytes]:
    """The submessages that the field numbers lead to."""
    found = [message]
    for number in path:
        found = [
            one[part.start : part.stop]
            for one in found
            for part in fields(one, 0, len(one))
            if part.number == number and part.wire == BYTES
        ]
    return found


def _value(message: bytes) -> object:
    """A ``google.protobuf.Value``: a number, a text or a truth value; None for the rest."""
    for part in fields(message, 0, len(message)):
        if (value := _one_of(message, part)) is not None:
            return value
    return None


def _one_of(message: bytes, part: Field) -> object:
    if part.number == 2 and part.wire == FIXED64:
        number = float(struct.unpack_from("<d", message, part.start)[0])
        return int(number) if number.is_integer() else number  # truth values are written as 0 and 1
    if part.number == 3 and part.wire == BYTES:
        return message[part.start : part.stop].decode("utf-8", "replace")
    return bool(part.value) if part.number == 4 and part.wire == VARINT else None
