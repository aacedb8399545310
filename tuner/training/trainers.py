"""TRL's trainers, built from a config that TRL's own parser reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Sized
from contextlib import contextmanager
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, NamedTuple

from tuner.config.methods import TRL_METHODS
from tuner.config.study_file import located
from tuner.config.trl_schema import dataclasses_of
from tuner.config.trust import TRUST
from tuner.data import Data
from tuner.errors import SpecError, error_text
from tuner.training.device_batch import is_out_of_memory
from tuner.training.prepared_rows import trainer_with_cache
from tuner.training.refusals import refusal

Config = Mapping[str, Any]

PLAIN_TEMPLATE = (
    "{%- if bos_token %}{{ bos_token }}{%- endif %}"
    "{%- for message in messages %}"
    "{%- if message['role'] == 'assistant' %}"
    "{{- '### Response:\n' }}{% generation %}{{- message['content'] + eos_token }}{% endgeneration %}{{- '\n' }}"
    "{%- elif message['role'] == 'system' %}{{- message['content'] + '\n\n' }}"
    "{%- else %}{{- '### Instruction:\n' + message['content'] + '\n\n' }}"
    "{%- endif %}"
    "{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '### Response:\n' }}{%- endif %}"
)
"""The template of a base model that has none: Alpaca's headings, so that instructions can be learned at all."""


class Parsed(NamedTuple):
    """A config as TRL's dataclasses, in the order in which TRL parses them."""

    script: Any
    training: Any
    model: Any
    mixture: Any


def parse(config: Config, method: str, out: Path, where: Path) -> Parsed:
    """The config through TRL's own parser; raises ``SpecError`` for options that exclude each other."""
    from trl import TrlParser

    _check_precision(config, where)
    parser = TrlParser(dataclasses_of(TRL_METHODS[method]))
    given = {key: value for key, value in config.items() if key not in ("env", "report_to", "hub_token")}
    reports = [name for name in _as_list(config.get("report_to")) if name not in ("tensorboard", "none")]
    given |= {"output_dir": str(out), "report_to": reports or "none"}
    try:
        parser.set_defaults_with_config(**given)
        made = parser.parse_args_into_dataclasses(args=[], look_for_args_file=False)
    except (ValueError, TypeError, NotImplementedError) as error:
        raise SpecError(f"{where}: {error_text(error, 400)}") from error
    return Parsed(*made)


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
    from trl import get_peft_config, get_quantization_config

    training, model = parsed.training, parsed.model
    name = str(located(model.model_name_or_path, start) or model.model_name_or_path)
    training.model_init_kwargs = _model_init_kwargs(training, model)
    tokenizer = load_tokenizer(name, model.model_revision, training, where)
    try:
        with unpacked_weights(model.load_in_4bit):
            trainer = trainer_with_cache(method)(
                model=name,
                args=training,
                train_dataset=data.train,
                eval_dataset=data.test if training.eval_strategy.value != "no" else None,
                processing_class=tokenizer,
                quantization_config=get_quantization_config(model),
                peft_config=get_peft_config(model),
                callbacks=list(callbacks),
            )
    except SafetensorError as error:
        raise SpecError(
            f"{where}: model_name_or_path: the weights of {name} are damaged ({error_text(error, 400)}); "
            "download them again"
        ) from error
    except (ValueError, OSError, NotImplementedError, UnpicklingError) as error:
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
    said, modules = refusal(error, 400), parsed.model.lora_target_modules
    if modules and ("is not supported. Currently, only" in said or "not found in the base model" in said):
        name = ", ".join(modules) if isinstance(modules, list) else str(modules)
        what = "matches a layer that LoRA cannot adapt" if "is not supported" in said else "matches no layer"
        return f"lora_target_modules: {name} {what} of the model; name its linear layers, or use all-linear"
    return said


def _check_rows(trainer: Any, training: Any, where: Path) -> None:
    """Raise ``SpecError`` when no row is left: TRL leaves out those whose answers ``max_length`` cuts off."""
    for split, rows in (("training", trainer.train_dataset), ("held-out", trainer.eval_dataset)):
        if isinstance(rows, Sized) and not len(rows):
            raise SpecError(
                f"{where}: max_length: {training.max_length} tokens cut off the answer of every {split} row; raise it"
            )


@contextmanager
def unpacked_weights(in_4bit: bool) -> Iterator[None]:
    """A block in which 4-bit layers are created that stay trainable on a CPU after an evaluation.

    On CPUs with AVX512-BF16, bitsandbytes 0.50 repacks a layer's weights at the first forward without gradients. The
    packed product has no backward, so training silently continues with wrong gradients; and it fails for layers whose
    width is not a multiple of 64.
    """
    if not in_4bit:
        yield
        return
    from bitsandbytes.nn import modules

    before = modules.has_avx512bf16
    modules.has_avx512bf16 = lambda: False
    try:
        yield
    finally:
        modules.has_avx512bf16 = before


def _model_init_kwargs(training: Any, model: Any) -> dict[str, Any]:
    """What TRL's scripts load the model with."""
    given = {
        "revision": model.model_revision,
        "trust_remote_code": training.trust_remote_code,
        "attn_implementation": model.attn_implementation,
        "dtype": model.dtype,
    }
    return {**given, **(training.model_init_kwargs or {})}


def load_tokenizer(name: str, revision: str, training: Any, where: Path) -> Any:
    """The model's tokenizer, with a plain chat template when it has none and the file names none."""
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(name, revision=revision, trust_remote_code=training.trust_remote_code)
    except (OSError, ValueError) as error:
        if TRUST in str(error):
            raise SpecError(f"{where}: model_name_or_path: {name}: {refusal(error)}") from error
        if Path(name).is_dir():
            raise SpecError(
                f"{where}: model_name_or_path: the folder {name} contains no loadable tokenizer; put the "
                f"tokenizer's files beside the model's ({error_text(error, 160)})"
            ) from error
        raise SpecError(
            f"{where}: model_name_or_path: cannot load {name}: no such folder, and loading it from the hub failed "
            f"({error_text(error, 160)})"
        ) from error
    if not tokenizer.chat_template and not getattr(training, "chat_template_path", None):
        tokenizer.chat_template = PLAIN_TEMPLATE
    return tokenizer
