"""A run's adapter merged into its base model, in 16 or 32 bits, never into 4-bit weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tuner.errors import SpecError
from tuner.yamlfile import read_yaml

DTYPES = ("auto", "bfloat16", "float16", "float32")


def merge(run: str | Path, out: str | Path, *, dtype: str | None = None) -> Path:
    """The folder ``out`` with the merged model and its tokenizer, ready for ``from_pretrained``.

    ``run`` is a run's folder or an adapter's. The base is loaded anew in ``dtype``: by default what the run trained
    in, and bfloat16 for one that trained on 4- or 8-bit weights, because merging into those changes the answers.
    Raises ``SpecError`` when there is no adapter or its base model is gone.
    """
    run, out = Path(run), Path(out)
    adapter = _adapter(run)
    if out.exists() and any(out.iterdir()):
        raise SpecError(f"{out}: exists and is not empty; give another folder")
    from peft import PeftConfig, PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    base = _base(str(PeftConfig.from_pretrained(str(adapter)).base_model_name_or_path), adapter)
    config = _config(run)
    trust = bool(config.get("trust_remote_code", False))
    try:
        model = AutoModelForCausalLM.from_pretrained(
            base, dtype=_dtype(dtype or trained_dtype(config)), trust_remote_code=trust
        )
    except (OSError, ValueError) as error:
        raise SpecError(f"{adapter}: its base model {base} cannot be loaded: {_first(error)}") from error
    tokenizer = AutoTokenizer.from_pretrained(str(adapter), trust_remote_code=trust)
    if len(tokenizer) > model.get_input_embeddings().num_embeddings:
        model.resize_token_embeddings(len(tokenizer))
    merged = PeftModel.from_pretrained(model, str(adapter)).merge_and_unload(safe_merge=True)
    merged.save_pretrained(str(out))
    tokenizer.save_pretrained(str(out))
    return out


def _adapter(run: Path) -> Path:
    if not run.exists():
        raise SpecError(f"{run}: no such folder")
    for folder in (run, run / "adapter"):
        if (folder / "adapter_config.json").exists():
            return folder
    if (run / "model").exists():
        raise SpecError(f"{run}: a full fine-tuning has no adapter to merge; its model is in {run / 'model'}")
    raise SpecError(f"{run}: holds no adapter; give a run's folder, one with adapter/adapter_config.json")


def _base(name: str, adapter: Path) -> str:
    """The base model's name; the packaged one is found again when it was installed elsewhere at the time."""
    from tuner.assets import TINY

    is_packaged = Path(name).parts[-3:] == TINY.parts[-3:]
    return str(TINY) if is_packaged and not Path(name).exists() else name


def _config(run: Path) -> dict[str, Any]:
    for folder in (run, run.parent):
        if (folder / "config.yaml").exists():
            return read_yaml(folder / "config.yaml")
    return {}


def trained_dtype(config: dict[str, Any]) -> str:
    """The number format to merge in, for a run of this config; TRL loads models in float32 unless told otherwise."""
    if config.get("load_in_4bit") or config.get("load_in_8bit"):
        return "bfloat16"
    return str(config.get("dtype", "float32"))


def _dtype(name: str) -> Any:
    import torch

    if name not in DTYPES:
        raise SpecError(f"dtype must be one of {', '.join(DTYPES)}, not {name}")
    return name if name == "auto" else getattr(torch, name)


def _first(error: BaseException) -> str:
    return (" ".join(str(error).split()) or type(error).__name__)[:200]
