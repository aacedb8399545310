"""Values on lines of their own below a count: ``[batch=10/100]:`` (Composer), ``[step=10/100]`` (OLMo-core)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from diagnostics.readers.printed.lines import NUMBER, Printed

HEADING = re.compile(r"\[(?:step|batch)=([\d,]{1,20})/([\d,]{1,20})(?:,[^\[\]]*+)?\]:?\s*+$")
HELD_OUT = re.compile(r"\[Eval batch=[\d,]{1,20}/[\d,]{1,20}\]")
VALUE = re.compile(rf"^\s+(?:(?:Train|Eval) )?([A-Za-z][\w/.-]*)\s?[:=]\s?({NUMBER})\s*$", re.IGNORECASE)
NAMES = {"loss/train/total": "train/loss", "optim/total_grad_norm": "grad_norm"}
CROSS_ENTROPY = re.compile(r"^(?:metrics/)?(train|eval)/(?:(?:\w+/)?LanguageCrossEntropy|CrossEntropyLoss)$")


def rows(lines: Iterable[str]) -> Iterator[Printed]:
    """The rows in order, those of an evaluation at the step of the training row before them."""
    row: dict[str, object] = {}
    for line in lines:
        heading = HEADING.search(line) if "[" in line else None
        if heading or HELD_OUT.search(line):
            if len(row) > 2:
                yield Printed(row, {})
            counts = (
                (n.replace(",", "") for n in heading.groups()) if heading else (row.get("step"), row.get("total_steps"))
            )
            row = dict(zip(("step", "total_steps"), counts, strict=True))
        elif row and (found := VALUE.match(line)):
            row[_name(found.group(1))] = found.group(2)
    if len(row) > 2:
        yield Printed(row, {})


def _name(printed: str) -> str:
    """The name of a value; the loss and the gradient as other loggers call them."""
    found = CROSS_ENTROPY.match(printed)
    return f"{found.group(1)}/loss" if found else NAMES.get(printed, printed)
