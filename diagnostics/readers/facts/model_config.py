"""A model's ``config.json``: in a run's folder, or in the folder of a local model that the run names.

Of the latter a few facts are taken and nothing else: its path was written by whoever made the run.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from diagnostics.readers.files import UnreadableLog, text

NAME = "config.json"
MAX_BYTES = 1 << 20
MAX_NAME = 1000
"""A longer model name is no path."""

WIDTHS = ("hidden_size", "n_embd", "d_model", "n_embed", "hidden_dim", "dim")
INNER = ("text_config", "llm_config", "language_config")
"""Where the configs of multimodal models keep that of their language model."""

CLASSIFIERS = ("ForSequenceClassification", "ForTokenClassification", "ForImageClassification", "ForMultipleChoice")
NO_LOCAL_PATH = re.compile(r"//|\\|~|.*://|/(?:net|misc|proc|sys|dev)(?:/|$)")
"""Addresses, other machines, mounts that fetch, and what the system shows as files."""

PLAIN = re.compile(r"[\w.+-]{1,64}")
ABOVE = 4
"""A relative path is looked for in the working folder and in so many folders above the run."""


def is_model_config(options: Mapping[str, object]) -> bool:
    """Whether a ``config.json`` describes a model, and not the settings of a training."""
    return "model_type" in options or "architectures" in options


def facts_in(config: Mapping[str, object]) -> dict[str, object]:
    """Width, vocabulary, type, number of classes and quantization in a model's config, as far as it gives them."""
    inner = next((part for key in INNER if isinstance(part := config.get(key), dict)), {})
    width = next((_count(part.get(key)) for part in (config, inner) for key in WIDTHS if _count(part.get(key))), None)
    model_type = config.get("model_type")
    found: dict[str, object] = {
        "hidden_size": width,
        "vocab_size": _count(config.get("vocab_size")) or _count(inner.get("vocab_size")),
        "model_type": model_type if isinstance(model_type, str) and PLAIN.fullmatch(model_type) else None,
        "num_labels": _classes(config),
        "task_type": "CAUSAL_LM" if _is_of_kind(config, ("ForCausalLM", "ForConditionalGeneration")) else None,
        "quantization_config": config.get("quantization_config"),
    }
    return {key: value for key, value in found.items() if value is not None}


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**9 else None


def _is_of_kind(config: Mapping[str, object], endings: tuple[str, ...]) -> bool:
    """Whether one of the model's classes ends in one of these."""
    kinds = config.get("architectures")
    return isinstance(kinds, list) and any(str(kind).endswith(endings) for kind in kinds)


def _classes(config: Mapping[str, object]) -> int | None:
    """The classes that a classifier tells apart; transformers leaves out the two that are its default."""
    if not _is_of_kind(config, CLASSIFIERS):
        return None
    labels = config.get("id2label")
    return len(labels) if isinstance(labels, dict) and labels else _count(config.get("num_labels")) or 2


def of_named_model(name: object, folder: Path) -> dict[str, object]:
    """The facts on a model that lies on this machine, by the name that a run in ``folder`` gives it; none otherwise.

    The name is a path, or an id of the hub: then its copy in the hub's cache is looked at. Nothing is fetched.
    """
    if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME or "\0" in name or NO_LOCAL_PATH.match(name):
        return {}
    for place in _places(name, folder):
        try:
            config = json.loads(text(place / NAME, most=MAX_BYTES)) if os.path.isfile(place / NAME) else None
        except (UnreadableLog, ValueError, RecursionError):
            continue
        if isinstance(config, dict) and is_model_config(config):
            return facts_in(config)
    return {}


def _places(name: str, folder: Path) -> Iterator[Path]:
    """The folders where the model may lie, the likeliest first."""
    path = Path(name)
    if path.is_absolute():
        yield path
        return
    yield path
    yield from (above / path for above in [folder, *folder.absolute().parents][: ABOVE + 1])
    if re.fullmatch(r"[\w.-]+/[\w.-]+|[\w.-]+", name):
        yield from _in_cache(name)


def _in_cache(name: str) -> Iterator[Path]:
    """The copy of a hub's model in the local cache, as huggingface_hub keeps it."""
    home = os.environ.get("HF_HOME") or os.path.join(os.environ.get("XDG_CACHE_HOME") or "~/.cache", "huggingface")
    cache = Path(os.path.expanduser(os.environ.get("HF_HUB_CACHE") or os.path.join(home, "hub")))
    model = cache / f"models--{name.replace('/', '--')}"
    try:
        commit = text(model / "refs" / "main", most=100).strip()
    except UnreadableLog:
        return
    if re.fullmatch(r"[0-9a-f]{40}", commit):
        yield model / "snapshots" / commit
