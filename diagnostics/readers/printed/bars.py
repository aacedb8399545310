"""Progress bars that carry values, ``Epoch 0:  50%|##| 50/100 [00:10<00:10, 5.00it/s, loss=1.23]`` (tqdm)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from diagnostics.readers.printed.lines import NUMBER, Printed

BAR = re.compile(r"\b(\d{1,15})/\d{1,15} \[[^\[\]\n]{0,40}(?:it/s|s/it)(, [^\[\]\n]{1,400})\]")
EPOCH = re.compile(r"\bepoch\s?[:=]?\s?\[?(\d{1,9})\b", re.IGNORECASE)
VALUE = re.compile(rf", ([A-Za-z][\w/. -]{{0,60}})=({NUMBER})(?=, |$)", re.IGNORECASE)


def rows(lines: Iterable[str]) -> Iterator[Printed]:
    """The values that bars carry, in order, when a loss is among them; a bar that is only drawn anew adds none."""
    last: object = None
    for line in lines:
        found = BAR.search(line) if "=" in line else None
        values = dict(VALUE.findall(found.group(2))) if found else {}
        if not found or found.group() == last or "loss" not in " ".join(values).lower():
            continue
        last = found.group()
        epoch = EPOCH.search(line[: found.start()])
        yield Printed({"step": found.group(1), **({"epoch": epoch.group(1)} if epoch else {}), **values}, {})
