"""Which training method a log is of: as it is named, by options that one method alone has, or by what is logged.

The names are those of TRL's trainers: all preference trainers log rewards, and each logs something of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from diagnostics.model.methods import GRPO_OR_RLOO, METHODS, TrainingMethod

OWN_LOSS = frozenset({"orpo", "simpo"})
"""Losses that LLaMA-Factory runs as ``stage: dpo`` and that have no reference model."""
NAMES: Mapping[str, str] = {name: method.name for method in METHODS.values() for name in (method.name, *method.aliases)}


def method_of(named: str | None, options: Mapping[str, Any], tags: Iterable[str]) -> str | None:
    """The training method, None when nothing in the log shows it; ``tags`` are names of curves or of the log's tags."""
    plain = NAMES.get((named or "").lower())
    if plain is not None:
        return _by_its_loss(plain, options)
    names = {_plain(tag) for tag in tags}
    logged = _first(method for method in METHODS.values() if any(names.issuperset(group) for group in method.logged))
    configured = _first(method for method in METHODS.values() if method.own_options & options.keys())
    # An option's default may stand in any config; a metric is only there when it was computed.
    undecided = logged in (None, "dpo", "sft") or (logged == GRPO_OR_RLOO and configured in ("grpo", "rloo"))
    return _by_its_loss(configured, options) if configured and undecided else logged


def _first(methods: Iterator[TrainingMethod]) -> str | None:
    return next((method.name for method in methods), None)


def _by_its_loss(method: str | None, options: Mapping[str, Any]) -> str | None:
    """The method, or the loss that is one of its own where it is run as another."""
    loss = str(options.get("pref_loss") or options.get("loss_type") or "").lower()
    return loss if method in ("dpo", "cpo") and loss in OWN_LOSS else method


def _plain(tag: str) -> str:
    """The tag without its split and with the slashes that canonical curve names have lost."""
    bare = re.sub(r"^(train|eval|val|test)[/_]", "", tag)
    return re.sub(r"^(rewards|logps|logits|completions)_", r"\1/", bare)
