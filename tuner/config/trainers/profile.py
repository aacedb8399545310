"""What is known of a trainer that is run by its command: one record, one row of the table."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from tuner.config.trainers.dotted import Flat


class HeldOut(StrEnum):
    """Where a trainer gets the rows that it is evaluated on, and so what keeps them the same in every run."""

    OWN = "own"
    """The user names them, or the command's own code does."""
    NONE = "none"
    """It evaluates nothing."""
    LLAMAFACTORY = "llamafactory"
    """``val_size`` is cut off by the seed of the run: the rows are written to files once."""
    AXOLOTL = "axolotl"
    """``val_set_size`` is cut off by the seed of the run: the rows are written to files once."""
    TRL = "trl"
    """Only a split of its own is evaluated: where the data has none, it is written once."""
    SEEDED = "seeded"
    """A key of its own seeds the split, and stays what it is."""


class WarmUp(StrEnum):
    """How a trainer is told its warm-up."""

    RATIO = "ratio"
    """By a key for the share of all steps, beside one for their number."""
    SHARE = "share"
    """By one key: below 1 it is a share, from 1 on a number of steps."""
    COUNT = "count"
    """By the number of steps alone."""


BEST, OF_BEST = "load_best_model_at_end", ("metric_for_best_model", "greater_is_better")


@dataclass(frozen=True)
class Profile:
    """A trainer, as far as a study needs to know it.

    ``keys`` maps our name of a setting to the trainer's key, dotted where it is nested; a name that is not in it is the
    same in both. ``starts`` are the values that it takes for settings that its file leaves out, by our names. ``marks``
    are sets of keys, one of which every file of it has (none: its files cannot be told from others).

    Every run gets the keys in ``forced``, and those in ``unless_given`` where the file has neither that key nor one of
    those in ``instead``, which the trainer refuses beside it. ``resume`` are keys that make it continue from a
    checkpoint. In all of these, and in ``environment``, ``{output}`` is the folder that it writes, ``{checkpoint}`` the
    newest of its checkpoints, which are the folders ``checkpoints`` below that one; without the file ``state`` there
    none can be continued from.

    ``methods`` says, by a key and its value, which training method a file means. ``total_batch``: its second batch key
    holds all rows of an optimizer step, not the accumulation. ``alpha_follows``: where its file has no alpha, LoRA's
    alpha is so many times the rank. ``on_command_line``: it reads no file, so the keys are handed over as ``key=value``
    at ``{overrides}``. ``preference_command`` starts it for methods other than ``sft``, where that is another one.
    ``short`` are keys of a run that only checks the file (None: left out there). ``config_above``: a run's config lies
    above its folder, for the trainer does not believe what lies in one.
    """

    name: str
    command: str
    preference_command: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)
    marks: tuple[frozenset[str], ...] = ()
    starts: Flat = field(default_factory=dict)
    forced: Flat = field(default_factory=dict)
    unless_given: Flat = field(default_factory=dict)
    instead: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    stop: str = "SIGTERM"
    resume: Flat = field(default_factory=dict)
    checkpoints: str = "checkpoint-*"
    state: str = ""
    methods: Mapping[str, Mapping[Any, str]] = field(default_factory=dict)
    held_out: HeldOut = HeldOut.OWN
    total_batch: bool = False
    warm_up: WarmUp = WarmUp.RATIO
    alpha_follows: float | None = None
    on_command_line: bool = False
    out_of_memory: tuple[str, ...] = ()
    short: Flat = field(default_factory=dict)
    config_above: bool = False

    def key(self, name: str) -> str:
        """The trainer's key for a setting of ours."""
        return self.keys.get(name, name)

    def silent(self, own: Flat) -> dict[str, Any]:
        """What a run gets beside the keys of its file.

        transformers keeps its best checkpoint only where each one was evaluated, and refuses to start otherwise: where
        the file has its own steps for one of the two, the best checkpoint is left out.
        """
        added = {
            key: value
            for key, value in self.unless_given.items()
            if key not in own and not any(other in own for other in self.instead.get(key, ()))
        }
        if BEST in added and not _saves_what_it_evaluates({**added, **own}):
            added = {key: value for key, value in added.items() if key not in (BEST, *OF_BEST)}
        return added

    def recognizes(self, flat: Flat) -> bool:
        """Whether a file with these keys can only be this trainer's."""
        return any(marks <= flat.keys() for marks in self.marks)


def _saves_what_it_evaluates(own: Flat) -> bool:
    """Whether every checkpoint is evaluated as well, by the keys of transformers: shares of the run, or steps."""
    if own.get("eval_strategy") != own.get("save_strategy"):
        return False
    if own.get("eval_strategy") != "steps":
        return own.get("eval_strategy") == "epoch"
    each, saved = own.get("eval_steps"), own.get("save_steps")
    if not isinstance(each, (int, float)) or not isinstance(saved, (int, float)) or (each < 1) != (saved < 1):
        return False
    return each > 0 and math.isclose(saved / each, round(saved / each))
