"""Reading YAML that came from a page or from a stored study: plain values, never more than its text holds."""

from __future__ import annotations

from typing import Any

import yaml

from tuner.errors import error_text

MAX_CHARACTERS = 100_000
MAX_DEPTH = 50


def read_plain(text: str) -> Any:
    """The values of a YAML text; raises ``ValueError`` with what is wrong with it.

    Aliases are refused: a few lines of them expand to any size once somebody walks over the values.
    """
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"longer than {MAX_CHARACTERS:,} characters")
    try:
        depth = 0
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent):
                raise ValueError("contains an alias (`*name`); write the value out")
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > MAX_DEPTH:  # PyYAML's time grows with the square of the depth
                raise ValueError("nested too deeply")
        return yaml.safe_load(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except yaml.YAMLError as error:
        raise ValueError(f"not YAML: {error_text(error)}") from error
