"""A trainer's own config under our names: what every part of the study reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tuner.config.bounds import BOUNDS, limit_broken
from tuner.config.search_space import shown
from tuner.config.trainers.dotted import Flat
from tuner.config.trainers.driver import ROWS, TIMES
from tuner.config.trainers.profile import Profile
from tuner.config.trl_schema import Key, Unfit, as_type
from tuner.errors import SpecError

EVAL_ROWS = "per_device_eval_batch_size"
COUNTED = (ROWS, TIMES, EVAL_ROWS, "batch_size", "seed", "max_steps", "num_train_epochs")
"""Settings that the study itself reckons with, and which no text can stand for."""


def our_names(keys: Mapping[str, str]) -> dict[str, str]:
    """The trainer's keys as ours: the inverse of ``keys``."""
    return {theirs: ours for ours, theirs in keys.items()}


def with_numbers(given: Flat, keys: Mapping[str, str], where: str) -> dict[str, Any]:
    """A trainer's flat config with numbers as numbers; raises ``SpecError`` for one that a setting cannot take."""
    names = our_names(keys)
    return {key: _number(names.get(key, key), value, f"{where}: {key}") for key, value in given.items()}


def our_config(profile: Profile, keys: Mapping[str, str], given: Flat, devices: int) -> dict[str, Any]:
    """A trainer's flat config under our names, with what it takes where the file is silent.

    Accumulation counts the rows of all ``devices``.
    """
    names = our_names(keys)
    config = {names.get(key, key): value for key, value in given.items()}
    starts = dict(profile.starts)
    if config.get("warmup_steps"):
        starts.pop("warmup_ratio", None)
    if config.get("warmup_ratio") is not None:
        starts.pop("warmup_steps", None)
        config.pop("warmup_steps", None)
    config = {**starts, **{name: value for name, value in config.items() if value is not None or name not in starts}}
    if profile.alpha_follows and config.get("lora_alpha") is None and config.get("lora_r") is not None:
        config["lora_alpha"] = round(profile.alpha_follows * config["lora_r"])
    if not profile.total_batch and config.get(TIMES):
        config[TIMES] *= devices
    return config


def with_batch(config: dict[str, Any], profile: Profile) -> tuple[dict[str, Any], frozenset[str]]:
    """The config with rows and accumulation known, and the names that the trainer itself has no key for.

    A trainer whose rows cannot be changed apart from its batch is one that takes one row at a time, as far as memory
    is concerned: there is nothing to lower.
    """
    if profile.total_batch:
        rows = int(config.get(ROWS) or config.get("batch_size") or 1)
        return {**config, ROWS: rows, EVAL_ROWS: rows, TIMES: 1}, frozenset({TIMES, EVAL_ROWS})
    if ROWS in config and TIMES in config:
        unknown = {EVAL_ROWS} if EVAL_ROWS not in config else set()
        return {EVAL_ROWS: config[ROWS], **config}, frozenset(unknown)
    whole = int(config.get("batch_size") or config.get(ROWS) or 1)
    hidden = {ROWS, TIMES, EVAL_ROWS} | ({"batch_size"} - config.keys())
    return {**config, ROWS: 1, EVAL_ROWS: 1, TIMES: whole}, frozenset(hidden)


def _number(name: str, value: Any, where: str) -> Any:
    """The value of a setting that is a number as one; PyYAML reads ``1e-4`` as text."""
    bound = BOUNDS.get(name)
    if bound is None or value is None or (isinstance(value, (list, dict, bool)) and name not in COUNTED):
        return value
    try:
        plain = isinstance(value, (int, float)) and not bound.whole  # an epoch that is written 1 stays a whole number
        number = value if plain else as_type(value, int if bound.whole else float)
    except Unfit as error:
        if isinstance(value, str) and name not in COUNTED:
            return value  # "auto" and its like are the trainer's own business
        raise SpecError(f"{where}: {error}") from None
    broken = limit_broken(name, number) if not (name == "max_steps" and number <= 0) else None
    if broken:
        raise SpecError(f"{where}: must be {broken}, not {shown(number)}")
    return number


def space_keys(config: Flat, raw: Mapping[str, Any]) -> dict[str, Key]:
    """What each setting of a raw space takes: what is known of ours; else what the file and the span hold."""
    return {name: Key(name, _kind(name, config.get(name), span), None) for name, span in raw.items()}


def _kind(name: str, value: Any, span: Any) -> Any:
    bound = BOUNDS.get(name)
    if bound is not None:
        return int if bound.whole else float
    if isinstance(span, Mapping):
        ends = [span.get("low"), span.get("high"), value]
        return int if all(isinstance(one, int) and not isinstance(one, bool) for one in ends) else float
    return Any
