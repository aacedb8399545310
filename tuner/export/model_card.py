"""The model card of an export: where the model comes from, what it was trained with, how good it is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from diagnostics.errors import BadInput
from diagnostics.formatting import setting
from diagnostics.readers import read
from diagnostics.report.markdown import cell, grid, listed
from tuner.config.trust import CONFIG_FILE
from tuner.config.yaml_file import read_yaml
from tuner.export.parts import Kind
from tuner.export.source import Source
from tuner.export.vllm import ADAPTER
from tuner.messages import text
from tuner.messages.en import CARD
from tuner.study.checks.record import Check
from tuner.study.report.sections import sections
from tuner.study.report.tables import Table

HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
CACHED = "models--"
"""What the hub's cache calls a model's folder begins so: ``models--Qwen--Qwen3-0.6B``."""

NOT_SHOWN = ("model_name_or_path", "teacher_model_name_or_path", "logging_nan_inf_filter")
"""Settings that may be paths of this machine, or say nothing of the training."""


def as_card(source: Source, out: Path, checks: Sequence[Check]) -> str:
    """The card as Markdown, with front matter for the hub; the license is left to whoever publishes the model.

    ``out`` is the folder with the other parts, ``checks`` what was found out about them. No path of this machine is in
    it.
    """
    config = _config(source.run)
    base, data = base_of(source, config), list(_data(config))
    method = source.study.method if source.study is not None else str(config.get("method", ""))
    hub = hub_name(base)
    front = yaml.safe_dump(_front(source, out, hub, data, method), sort_keys=False, allow_unicode=True)
    kind = CARD["adapter" if source.adapter is not None else "full"]
    named = ", ".join(map(_named, data))
    about = CARD["about"].format(kind=kind, base=_named(hub or base), method=method.upper(), data=named)
    parts = [
        f"---\n{front}---",
        f"# {cell(source.name)}",
        cell(about),
        *_study(source),
        *_verdict(source),
        *_titled("settings", _settings(source.run)),
        *_titled("checks", [listed(cell(text(one.message)) for one in checks)] if checks else []),
        *([] if hub else [CARD["no-base"]]),
        CARD["license"],
    ]
    return "\n\n".join(parts) + "\n"


def base_of(source: Source, config: Mapping[str, Any]) -> str:
    """The name of the model that was trained, a hub id or a path."""
    if source.adapter is None:
        return str(config.get("model_name_or_path", ""))
    content = json.loads((source.adapter / "adapter_config.json").read_text(encoding="utf-8"))
    return str(content.get("base_model_name_or_path") or "")


def hub_name(base: str) -> str:
    """The hub id of a base model that is named or lies in a folder; empty where nothing tells it.

    A folder of the hub's cache has it in its name, and transformers wrote into ``config.json`` what it had loaded.
    """
    if not base or _on_hub(base):
        return base
    cached = next((part for part in Path(base).parts if part.startswith(CACHED)), "")
    if cached:
        return cached.removeprefix(CACHED).replace("--", "/", 1)
    try:
        found = json.loads((Path(base) / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    name = found.get("_name_or_path") if isinstance(found, dict) else None
    return name if isinstance(name, str) and _on_hub(name) else ""


def _front(source: Source, out: Path, base: str, data: Sequence[str], method: str) -> dict[str, Any]:
    merged, adapter = (out / Kind.MERGED).is_dir(), (out / Kind.VLLM / ADAPTER).is_dir()
    relation = "finetune" if merged else "adapter" if adapter else "quantized" if (out / Kind.GGUF).is_dir() else ""
    front: dict[str, Any] = {"library_name": "peft" if adapter and not merged else "transformers"}
    if base:
        front["base_model"] = base
        front |= {"base_model_relation": relation} if relation else {}
    if any(map(_on_hub, data)):
        front["datasets"] = [name for name in data if _on_hub(name)]
    tags = ["curvetuner", *(["lora"] if source.adapter is not None else []), *([method] if method else [])]
    return {**front, "pipeline_tag": "text-generation", "tags": tags}


def _on_hub(name: str) -> bool:
    return bool(HUB_ID.fullmatch(name)) and not Path(name).exists()


def _named(name: str) -> str:
    """A hub id as it is, a path as the name of its file."""
    return name if _on_hub(name) else Path(name).name or CARD["unknown"]


def _config(run: Path) -> Mapping[str, Any]:
    return read_yaml(run / CONFIG_FILE) if (run / CONFIG_FILE).exists() else {}


def _data(config: Mapping[str, Any]) -> Iterator[str]:
    if isinstance(config.get("dataset_name"), str):
        yield config["dataset_name"]
    for entry in config.get("datasets") or ():
        if isinstance(entry, Mapping) and isinstance(entry.get("path"), str):
            yield entry["path"]


def _study(source: Source) -> list[str]:
    """What the study found: its headline, its metrics, the proof on fresh seeds."""
    if source.study is None:
        return []
    shown = sections(source.study)
    lines = [f"**{cell(shown.headline)}.** {cell(shown.lead)}", *_table(shown.metrics), *_proof(shown.proof)]
    return _titled("results", lines)


def _verdict(source: Source) -> list[str]:
    """The verdict on the run's curves."""
    try:
        found = json.loads((source.run / "diagnosis.json").read_text(encoding="utf-8"))
        label, confidence = str(found["label"]), float(found["confidence"])
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return [] if label == "unknown" else [cell(CARD["verdict"].format(label=label, confidence=confidence))]


def _settings(run: Path) -> list[str]:
    try:
        known = read(run).settings.known()
    except BadInput:
        return []
    rows = [
        (f"`{cell(name)}`", cell(setting(name, value)))
        for name, value in known.items()
        if value is not None and name not in NOT_SHOWN
    ]
    return [grid((CARD["setting"], CARD["value"]), rows)] if rows else []


def _proof(shown: Table | None) -> list[str]:
    """The repeats; the lead has their words."""
    return [grid(shown.heads, shown.rows)] if shown is not None else []


def _table(shown: Table | None) -> list[str]:
    return [*([cell(shown.words)] if shown.words else []), grid(shown.heads, shown.rows)] if shown is not None else []


def _titled(title: str, parts: Sequence[str]) -> list[str]:
    return [f"## {CARD[title]}", *parts] if parts else []
