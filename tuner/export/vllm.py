"""A folder for vLLM: the adapter, or the merged model where it cannot take that, and the command to serve it."""

from __future__ import annotations

import json
import shlex
import shutil
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""What ``--max-lora-rank`` takes (vLLM's ``MaxLoRARanks``)."""
ADAPTER, SCRIPT = "adapter", "serve.sh"
KEPT = (".json", ".safetensors", ".jinja", ".model", ".txt")


def rank_to_serve(adapter: Path) -> int | None:
    """The ``--max-lora-rank`` for an adapter; None where vLLM takes only the merged model.

    It takes LoRA alone: no DoRA, no bias, no whole layers beside the adapter's own matrices.
    """
    config = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))
    other = config.get("use_dora") or config.get("modules_to_save") or config.get("bias", "none") != "none"
    if config.get("peft_type") != "LORA" or other or not _only_matrices(adapter / "adapter_model.safetensors"):
        return None
    rank = max([int(config["r"]), *map(int, (config.get("rank_pattern") or {}).values())])
    return next((known for known in RANKS if known >= rank), None)


def _only_matrices(weights: Path) -> bool:
    try:
        with safe_open(str(weights), framework="numpy") as file:
            names: Any = file.keys()
            return all(".lora_A." in name or ".lora_B." in name for name in names)
    except (OSError, SafetensorError):
        return False


def write_adapter(folder: Path, adapter: Path, base: str, name: str, rank: int) -> Path:
    """The adapter's files in ``folder/adapter``, and the command that serves it on the model ``base``."""
    made = folder / ADAPTER
    made.mkdir(parents=True)
    for path in adapter.iterdir():
        if path.suffix in KEPT and path.is_file():
            shutil.copy(path, made / path.name)
    served = str(Path(base).resolve()) if Path(base).is_dir() else base
    _write_script(
        folder, f"{shlex.quote(served)} --enable-lora --max-lora-rank {rank} --lora-modules {name}=./{ADAPTER}"
    )
    return made


def write_merged(folder: Path, model: Path, name: str) -> None:
    """The command that serves the merged model, which lies beside ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    _write_script(folder, f"../{model.name} --served-model-name {name}")


def _write_script(folder: Path, what: str) -> None:
    script = folder / SCRIPT
    script.write_text(f'#!/bin/sh\ncd "$(dirname "$0")" || exit 1\nexec vllm serve {what} "$@"\n', encoding="utf-8")
    script.chmod(0o755)
