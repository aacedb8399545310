"""The table of trainers, and whose config file a file is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tuner.config.trainers.dotted import flat
from tuner.config.trainers.hugging_face import AXOLOTL, LLAMAFACTORY, SWIFT, TRL, UNSLOTH
from tuner.config.trainers.others import AUTOMODEL, COMMAND, OPEN_INSTRUCT, TORCHTUNE, VERL
from tuner.config.trainers.profile import Profile

PROFILES: Mapping[str, Profile] = {
    one.name: one
    for one in (LLAMAFACTORY, AXOLOTL, SWIFT, TORCHTUNE, UNSLOTH, OPEN_INSTRUCT, VERL, AUTOMODEL, TRL, COMMAND)
}


def recognized(config: Mapping[str, Any]) -> Profile | None:
    """The only trainer whose files have these keys; None where none is, or several are."""
    known = flat(config)
    found = [one for one in PROFILES.values() if one.recognizes(known)]
    return found[0] if len(found) == 1 else None


def foreign_file(config: Mapping[str, Any]) -> str | None:
    """Whose file it is, in a line, where it has no ``study`` block to search with; None where it is nobody's."""
    found = recognized(config)
    if found is None:
        return None
    return (
        f"is a config file of {found.name}; add a `study:` block with a `space` of its own keys to search with "
        f"{found.name}, or start from `tuner init sft`"
    )
