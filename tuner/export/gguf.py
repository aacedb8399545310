"""GGUF files for llama.cpp and what is built on it, made by llama.cpp's own converter."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tuner.drivers.failures import last_words
from tuner.export.parts import DIRECT

CHECKOUT = "LLAMA_CPP"
"""The variable that names a folder of llama.cpp's sources, with or without a build."""
CONVERTER, QUANTIZER = "convert_hf_to_gguf.py", "llama-quantize"
NAMES_CODE = ("auto_map", "custom_pipelines")
"""Entries of a model's JSON files that name code: the converter trusts what it is given."""


class NoConverter(Exception):
    """A program of llama.cpp is not installed; its name is the argument."""


class NotConverted(Exception):
    """A program of llama.cpp failed; the argument is what it said."""


def write_gguf(model: Path, out: Path, form: str, trusted: bool = False) -> None:
    """The model in folder ``model`` as the file ``out`` in the number format ``form``.

    No code of the model runs unless it is ``trusted``. Raises ``NoConverter`` and ``NotConverted``.
    """
    command = _converter()
    quantizer = None if form in DIRECT else _quantizer()
    if not trusted:
        _drop_code(model)
    direct = out if quantizer is None else out.with_name(f"{out.stem}-16-bit.gguf")
    try:
        _run([*command, str(model), "--outfile", str(direct), "--outtype", form if quantizer is None else "auto"])
        if quantizer is not None:
            _run([quantizer, str(direct), str(out), form.upper()])
    finally:
        if quantizer is not None:
            direct.unlink(missing_ok=True)
    if not out.is_file():
        raise NotConverted(f"{out.name} was not written")


def _converter() -> list[str]:
    """The command of the converter: of the checkout, by an environment of its own where it has one, or on the path."""
    folder = _checkout()
    if folder is not None and (folder / CONVERTER).is_file():
        own = [folder / name / "bin" / "python" for name in (".venv", "venv")]
        return [str(next((one for one in own if one.is_file()), sys.executable)), str(folder / CONVERTER)]
    found = shutil.which(CONVERTER)
    if found is None:
        raise NoConverter(CONVERTER)
    return [found]


def _quantizer() -> str:
    folder = _checkout()
    places = [folder / "build" / "bin", folder / "bin", folder] if folder is not None else []
    found = shutil.which(QUANTIZER, path=os.pathsep.join(map(str, places))) or shutil.which(QUANTIZER)
    if found is None:
        raise NoConverter(QUANTIZER)
    return found


def _checkout() -> Path | None:
    named = os.environ.get(CHECKOUT)
    return Path(named).expanduser() if named else None


def _run(command: list[str]) -> None:
    offline = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}  # everything is in the folder
    ended = subprocess.run(
        command,
        env={**os.environ, **offline},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
    )
    if ended.returncode:
        said = last_words(ended.stdout.decode("utf-8", "replace"))
        raise NotConverted(f"{Path(command[0] if len(command) == 1 else command[1]).name}: {said}"[:400])


def _drop_code(model: Path) -> None:
    """Take out what names code in the model's JSON files."""
    for path in model.glob("*.json"):
        content = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(content, dict) and any(content.pop(name, None) is not None for name in NAMES_CODE):
            path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
