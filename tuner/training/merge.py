"""A run's adapter merged into its base model, in 16 or 32 bits, never into 4-bit weights."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

from diagnostics.report.drafts import draft_of, sweep
from tuner.config.bounded_read import read_json
from tuner.config.trust import CONFIG_FILE
from tuner.config.yaml_file import read_yaml
from tuner.errors import SpecError
from tuner.training.checkpoints import checkpoints
from tuner.training.device_batch import is_out_of_memory
from tuner.training.refusals import refusal

DTYPES = ("auto", "bfloat16", "float16", "float32")


@dataclass(frozen=True)
class Adapted:
    """A base model with a run's adapter on it, and the tokenizer of both; ``base`` is the base model's name."""

    model: Any
    tokenizer: Any
    adapter: Path
    base: str


def merge(run: str | Path, out: str | Path, *, dtype: str | None = None, trust_remote_code: bool = False) -> Path:
    """The folder ``out`` with the merged model and its tokenizer, ready for ``from_pretrained``.

    ``run`` and the other arguments are those of ``adapted``, which says what is raised.
    """
    adapter, out = adapter_of(Path(run)), Path(out)
    check_new(out)
    loaded = adapted(Path(run), adapter, dtype=dtype, trust_remote_code=trust_remote_code)
    with complete(out) as scratch:
        write_merged(loaded, scratch)
    return out


def adapted(run: Path, adapter: Path, *, dtype: str | None = None, trust_remote_code: bool = False) -> Adapted:
    """The adapter of a run on its base model.

    The base is loaded again in ``dtype``: by default what the run trained in, and bfloat16 for one that trained on 4-
    or 8-bit weights, because merging into those changes the answers. The code of a base model runs only with
    ``trust_remote_code``: what the run's own files say about it does not count, for they may be anybody's. Raises
    ``SpecError`` when the adapter is incomplete or its base model is gone.
    """
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    base = base_of(adapter)
    wanted = _dtype(dtype or trained_dtype(_config(run)))
    with _readable(f"{adapter}: its base model {base} cannot be loaded"):
        model = AutoModelForCausalLM.from_pretrained(base, dtype=wanted, trust_remote_code=trust_remote_code)
    with _readable(f"{adapter}: not a complete adapter"):
        own = adapter if (adapter / "tokenizer_config.json").exists() else base  # not every trainer saves it
        tokenizer = AutoTokenizer.from_pretrained(str(own), trust_remote_code=trust_remote_code)
        if len(tokenizer) > model.get_input_embeddings().num_embeddings:
            model.resize_token_embeddings(len(tokenizer))
        return Adapted(PeftModel.from_pretrained(model, str(adapter)), tokenizer, adapter, base)


def write_merged(loaded: Adapted, out: Path) -> None:
    """Merge the adapter, after which ``loaded`` is of no use any more, and write model and tokenizer to ``out``."""
    loaded.model.merge_and_unload(safe_merge=True).save_pretrained(str(out))
    loaded.tokenizer.save_pretrained(str(out))


def check_new(out: Path) -> None:
    """Raise ``SpecError`` unless ``out`` is a folder that is still to be made, or an empty one."""
    if out.exists() and not out.is_dir():
        raise SpecError(f"{out}: is a file; give a new folder")
    if out.exists() and any(out.iterdir()):
        raise SpecError(f"{out}: exists and is not empty; give another folder")


@contextmanager
def complete(out: Path) -> Iterator[Path]:
    """A folder to write to that becomes ``out`` once the block is done: a model is never left half-written."""
    scratch = draft_of(out)
    try:
        scratch.mkdir(parents=True)
        sweep(out)
    except OSError as error:
        raise SpecError(f"{out}: cannot write there ({error.strerror}); give another folder") from error
    try:
        yield scratch
        if out.exists():  # an empty folder
            out.rmdir()
        scratch.rename(out)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def adapter_of(run: Path) -> Path:
    """The folder of a run's adapter, or the run itself where it is one; raises ``SpecError`` where there is none."""
    if not run.exists():
        raise SpecError(f"{run}: no such folder")
    for folder in (run, run / "adapter", *_of_another_trainer(run / "output")):
        if (folder / "adapter_config.json").exists():
            return folder
    if (run / "model").exists():
        raise SpecError(f"{run}: a full fine-tuning has no adapter to merge; its model is in {run / 'model'}")
    raise SpecError(f"{run}: contains no adapter; give a run's folder, with adapter/adapter_config.json")


def _of_another_trainer(output: Path) -> list[Path]:
    """Where another trainer may have left the adapter: its output, its best checkpoint, its newest one."""
    newest = checkpoints(output)[::-1]
    try:
        state = read_json(newest[0] / "trainer_state.json")
        best = [output / Path(state["best_model_checkpoint"]).name]
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        best = []
    return [output, *best, *newest]


def base_of(adapter: Path) -> str:
    """The base model's name; the packaged one is found again when it was installed elsewhere at the time.

    Raises ``SpecError`` when the adapter's config is incomplete, or that of a reward model.
    """
    from peft import PeftConfig

    from tuner.assets import TINY

    with _readable(f"{adapter}: not a complete adapter"):
        config = PeftConfig.from_pretrained(str(adapter))
    if config.task_type == "SEQ_CLS":
        raise SpecError(
            f"{adapter}: belongs to a reward model, whose head a language model has no place for; load it with PEFT's "
            "AutoPeftModelForSequenceClassification"
        )
    name = str(config.base_model_name_or_path)
    is_packaged = Path(name).parts[-3:] == TINY.parts[-3:]
    return str(TINY) if is_packaged and not Path(name).exists() else name


def _config(run: Path) -> dict[str, Any]:
    for folder in (run, run.parent):
        if (folder / CONFIG_FILE).exists():
            return read_yaml(folder / CONFIG_FILE)
    return {}


def trained_dtype(config: Mapping[str, Any]) -> str:
    """The number format to merge in, for a run of this config; TRL's own default is float32."""
    if config.get("load_in_4bit") or config.get("load_in_8bit"):
        return "bfloat16"
    return str(config.get("dtype", "float32"))


def _dtype(name: str) -> Any:
    import torch

    if name not in DTYPES:
        raise SpecError(f"dtype must be one of {', '.join(DTYPES)}, not {name}")
    return name if name == "auto" else getattr(torch, name)


@contextmanager
def _readable(what: str) -> Iterator[None]:
    """A block in which a file that is missing, cut off or of another kind is one line that begins with ``what``."""
    from safetensors import SafetensorError

    try:
        yield
    except (
        OSError,
        ValueError,
        TypeError,
        KeyError,
        EOFError,
        RuntimeError,
        SafetensorError,
        UnpicklingError,
    ) as error:
        if is_out_of_memory(error):
            raise
        raise SpecError(f"{what}: {refusal(error)}") from error
