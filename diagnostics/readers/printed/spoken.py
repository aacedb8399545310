"""Lines that people print from loops of their own: ``step 10: loss 2.31, lr 1e-4``, or Keras's under ``Epoch 3/10``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from diagnostics.readers.printed.lines import NUMBER, Printed, counts_in

SPLIT = r"(?:train|training|val|valid|validation|eval|test)"
PART = r"(?:aux|auxiliary|router|balance|balancing|kl|nll|value|policy)"
"""What stands before the loss that is only a part of it: such a loss keeps a name of its own."""
SPOKEN = re.compile(
    rf"\b((?:(?:{SPLIT}|{PART})[ _/-]?)?loss|lr|learning[ _]rate|grad(?:ient)?[ _]?norm)"
    rf"\b[ \t]{{0,4}}(?:[:=]|is)?[ \t]{{0,4}}({NUMBER})(?![\w.]{{0,40}}/)\b",
    re.IGNORECASE,
)
EPOCH_LINE = re.compile(r"^\s*Epoch (\d+)/\d+\s*$")


def rows(lines: Iterable[str]) -> Iterator[Printed]:
    """The rows in order; a line without a count takes Keras's epoch above it or, if it is held out, the last count."""
    epoch: dict[str, str] = {}
    last: dict[str, str] = {}
    for line in lines:
        if heading := EPOCH_LINE.match(line):
            epoch = {"epoch": heading.group(1)}
        elif "loss" in line.lower() and (spoken := SPOKEN.findall(line)):
            values = {re.sub(r"[ /-]", "_", name.lower()): value for name, value in spoken}
            counts = counts_in(line) or epoch or (last if _held_out_alone(values) else {})
            if counts and "loss" in " ".join(values):
                last = counts
                yield Printed({**counts, **values}, {})


def _held_out_alone(values: Mapping[str, str]) -> bool:
    return all(name.startswith(("val", "eval", "test")) for name in values)
