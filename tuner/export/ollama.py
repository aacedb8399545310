"""A Modelfile for Ollama: which weights, the chat template, where an answer ends."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tuner.config.trust import CONFIG_FILE
from tuner.config.yaml_file import read_yaml
from tuner.drivers.failures import last_words
from tuner.export.go_template import Pieces, pieces_of

PROGRAM = "ollama"
USUAL_CONTEXT = 4096
"""Ollama's own default, where the model has as much."""
SAMPLING = ("temperature", "top_p", "top_k")
"""Settings of ``generation_config.json`` that Ollama has under the same name."""


def write_modelfile(folder: Path, weights: Path, model: Path, run: Path, tokenizer: Any) -> bool:
    """Write ``folder/Modelfile`` for the ``weights``, a GGUF file or the folder ``model``; whether it has a template.

    Without one, Ollama looks for a template that it knows by what the weights say of it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pieces = pieces_of(tokenizer) if tokenizer.chat_template else None
    lines = [f"FROM {Path('..') / weights.relative_to(folder.parent)}"]
    if pieces is not None:
        lines.append(f'TEMPLATE """{pieces.as_go()}"""')
    lines += [f"PARAMETER {name} {value}" for name, value in _parameters(model, run, tokenizer, pieces)]
    (folder / "Modelfile").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return pieces is not None


def _parameters(model: Path, run: Path, tokenizer: Any, pieces: Pieces | None) -> Iterator[tuple[str, str]]:
    for token in _ends(tokenizer, pieces):
        yield "stop", f'"{token}"'
    asked = read_yaml(run / CONFIG_FILE).get("max_length") if (run / CONFIG_FILE).exists() else None
    wanted = max(USUAL_CONTEXT, asked if isinstance(asked, int) else 0)
    has = _json(model / "config.json").get("max_position_embeddings")
    yield "num_ctx", str(min(wanted, has) if isinstance(has, int) else wanted)
    sampling = _json(model / "generation_config.json")
    for name in SAMPLING:
        if isinstance(sampling.get(name), int | float) and sampling.get("do_sample"):
            yield name, f"{sampling[name]:g}"


def _ends(tokenizer: Any, pieces: Pieces | None) -> list[str]:
    """The tokens that end an answer: the tokenizer's own, and those that the template puts behind a turn."""
    behind = pieces.assistant[1] if pieces is not None else ""
    known = [tokenizer.eos_token, *(str(token) for token in tokenizer.get_added_vocab() if str(token) in behind)]
    return [token for token in dict.fromkeys(known) if token and '"' not in token and token.isprintable()]


def _json(path: Path) -> Mapping[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def create(folder: Path, name: str) -> str | None:
    """Have Ollama make the model ``name`` of the Modelfile, where it is installed; what it said where it failed.

    Raises ``FileNotFoundError`` where it is not installed.
    """
    program = shutil.which(PROGRAM)
    if program is None:
        raise FileNotFoundError(PROGRAM)
    command = [program, "create", name, "-f", str(folder / "Modelfile")]
    ended = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    return (last_words(ended.stdout.decode("utf-8", "replace")) or "failed") if ended.returncode else None
