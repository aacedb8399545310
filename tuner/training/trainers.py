"""TRL's trainers, built from a config that TRL's own parser reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Sized
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, NamedTuple

from tuner.config.groups import fitting_groups
from tuner.config.methods import TRL_METHODS
from tuner.config.study_file import FILE_KEYS, located
from tuner.config.trl_schema import dataclasses_of
from tuner.data import Data
from tuner.data.images import has_images
from tuner.errors import SpecError, error_text
from tuner.training.adapters import AdaLoraCallback, adapter_of, lora_plus_of
from tuner.training.device_batch import is_out_of_memory
from tuner.training.four_bit import unpacked_weights
from tuner.training.model_rehearsal import rehearse_model
from tuner.training.prepared_rows import trainer_with_cache
from tuner.training.refusals import refusal
from tuner.training.rehearsal import check_tokens, rehearse
from tuner.training.tokenizer import load_tokenizer
from tuner.training.trainer_arguments import more_arguments

Config = Mapping[str, Any]


class Parsed(NamedTuple):
    """A config as TRL's dataclasses, in the order in which TRL parses them, and the block of PEFT's keys."""

    script: Any
    training: Any
    model: Any
    mixture: Any
    peft: Mapping[str, Any] | None = None


def parse(config: Config, method: str, out: Path, where: Path) -> Parsed:
    """The config through TRL's own parser; raises ``SpecError`` for options that exclude each other."""
    from trl import TrlParser

    _check_precision(config, where)
    parser = TrlParser(dataclasses_of(TRL_METHODS[method]))
    row = TRL_METHODS[method]
    ours = ("env", "report_to", "hub_token", *FILE_KEYS)
    given = {**row.defaults, **{key: value for key, value in config.items() if key not in ours}}
    reports = [name for name in _as_list(config.get("report_to")) if name not in ("tensorboard", "none")]
    given |= fitting_groups(given, row)
    given |= {"output_dir": str(out), "report_to": reports or "none"}
    said = StringIO()
    try:
        parser.set_defaults_with_config(**given)
        with redirect_stderr(said):  # argparse prints how a command is used, and ends the process
            script, training, model, mixture = parser.parse_args_into_dataclasses(args=[], look_for_args_file=False)
    except (ValueError, TypeError, NotImplementedError) as error:
        raise SpecError(f"{where}: {error_text(error, 400)}") from error
    except SystemExit as error:
        raise SpecError(f"{where}: {said.getvalue().strip().rpartition('error: argument --')[2][:400]}") from error
    return Parsed(script, training, model, mixture, config.get("peft"))


def _check_precision(config: Config, where: Path) -> None:
    """Raise ``SpecError`` for half precision without a device that has it: on a CPU it is silently left out."""
    import torch

    if config.get("fp16") and not config.get("bf16") and not torch.accelerator.is_available():
        raise SpecError(f"{where}: fp16: this machine has no GPU; use bf16: true, or remove it")


def _as_list(value: Any) -> list[str]:
    return [] if value is None else list(value) if isinstance(value, (list, tuple)) else [str(value)]


def make_trainer(parsed: Parsed, method: str, data: Data, start: Path, where: Path, callbacks: Sequence[Any]) -> Any:
    """TRL's trainer for the method, ready to train; raises ``SpecError`` for a model or options that do not work."""
    from safetensors import SafetensorError

    training, model = parsed.training, parsed.model
    rehearse(training, where)
    name = str(located(model.model_name_or_path, start) or model.model_name_or_path)
    images = has_images(data.train.column_names or ())
    tokenizer = load_tokenizer(name, model.model_revision, training, where, images=images)
    check_tokens(training, tokenizer, where)
    training.model_init_kwargs = _model_init_kwargs(training, model, name, method, where)
    trainer_class = trainer_with_cache(method)
    given = {
        "model": name,
        "args": training,
        "train_dataset": data.train,
        "eval_dataset": data.test if training.eval_strategy.value != "no" else None,
        "processing_class": tokenizer,
        "peft_config": adapter_of(model, parsed.peft),
        "callbacks": [*callbacks, AdaLoraCallback()],
        **more_arguments(parsed, trainer_class, start, where),
    }
    try:
        with unpacked_weights(model.load_in_4bit):
            trainer = trainer_class(**given)
        trainer.lora_plus = lora_plus_of(parsed.peft)
    except SafetensorError as error:
        raise SpecError(
            f"{where}: model_name_or_path: the weights of {name} are damaged ({error_text(error, 400)}); "
            "download them again"
        ) from error
    except (ValueError, TypeError, ImportError, OSError, NotImplementedError, UnpicklingError) as error:
        if is_out_of_memory(error):
            raise
        raise SpecError(f"{where}: {_why_no_trainer(error, parsed)}") from error
    except RuntimeError as error:
        if "assistant_only_loss" in str(error):
            raise SpecError(f"{where}: {error_text(error, 400)}") from error
        raise
    _check_rows(trainer, training, where)
    return trainer


def _why_no_trainer(error: Exception, parsed: Parsed) -> str:
    """What the libraries say; PEFT prints the whole model where it cannot adapt a layer."""
    said = str(error)
    key = "peft.target_modules" if "target_modules" in (parsed.peft or {}) else "lora_target_modules"
    modules = (parsed.peft or {}).get("target_modules") or parsed.model.lora_target_modules
    if modules and ("is not supported. Currently, only" in said or "not found in the base model" in said):
        name = ", ".join(modules) if isinstance(modules, list) else str(modules)
        what = (
            "a layer of the model that the adapter cannot change"
            if "is not supported" in said
            else "no layer of the model"
        )
        return f"{key}: {name} matches {what}; name the linear layers of the model, or use all-linear"
    return refusal(error, 400)


def _check_rows(trainer: Any, training: Any, where: Path) -> None:
    """Raise ``SpecError`` when no row is left: TRL leaves out those whose answers ``max_length`` cuts off."""
    longest = getattr(training, "max_length", None)
    for split, rows in (("training", trainer.train_dataset), ("held-out", trainer.eval_dataset)):
        if isinstance(rows, Sized) and not len(rows):
            raise SpecError(f"{where}: max_length: {longest} tokens cut off the answer of every {split} row; raise it")


def _model_init_kwargs(training: Any, model: Any, name: str, method: str, where: Path) -> dict[str, Any]:
    """What TRL's scripts load the model with; raises ``SpecError`` for what it cannot be loaded with."""
    given = {
        "revision": model.model_revision,
        "trust_remote_code": training.trust_remote_code,
        "attn_implementation": model.attn_implementation,
        "dtype": model.dtype,
    }
    own = training.model_init_kwargs
    if own:
        loads_with = TRL_METHODS[method].loads_with
        rehearse_model(name, own, loads_with, training.trust_remote_code, f"{where}: model_init_kwargs")
    return {**given, **(own or {})}
