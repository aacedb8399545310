"""TRL's trainers, made from a config: parsed by TRL's parser, with data prepared once for all trials of a process."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence, Sized
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from tuner.config.methods import TRL_METHODS
from tuner.config.study_file import located
from tuner.config.trl_schema import dataclasses_of
from tuner.data import Data
from tuner.errors import SpecError
from tuner.training.device_batch import is_out_of_memory

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
"""The template of a base model that has none: Alpaca's headings, so that instructions can be learnt at all."""

DOES_NOT_TOUCH_ROWS = frozenset(
    (
        *("learning_rate", "weight_decay", "max_grad_norm", "optim", "adam_beta1", "adam_beta2", "adam_epsilon"),
        *("per_device_train_batch_size", "per_device_eval_batch_size", "gradient_accumulation_steps"),
        *("num_train_epochs", "max_steps", "warmup_steps", "lr_scheduler_type", "lr_scheduler_kwargs"),
        *("beta", "loss_type", "loss_weights", "label_smoothing", "label_smoothing_factor", "neftune_noise_alpha"),
        *("output_dir", "run_name", "seed", "data_seed", "logging_steps", "eval_steps", "save_steps"),
        *("metric_for_best_model", "greater_is_better"),
    )
)
"""Keys that may differ between two runs that share their tokenized rows."""


class Parsed(NamedTuple):
    """A config as TRL's dataclasses, in the order in which TRL parses them."""

    script: Any
    training: Any
    model: Any
    mixture: Any


def parse(config: Config, method: str, out: Path, where: Path) -> Parsed:
    """The config through TRL's own parser; raises ``SpecError`` for options that exclude each other."""
    from trl import TrlParser

    parser = TrlParser(dataclasses_of(TRL_METHODS[method]))
    given = {key: value for key, value in config.items() if key not in ("env", "report_to")}
    reports = [name for name in _as_list(config.get("report_to")) if name not in ("tensorboard", "none")]
    given |= {"output_dir": str(out), "report_to": reports or "none"}
    try:
        parser.set_defaults_with_config(**given)
        made = parser.parse_args_into_dataclasses(args=[], look_for_args_file=False)
    except (ValueError, TypeError, NotImplementedError) as error:
        raise SpecError(f"{where}: {one_line(error)}") from error
    return Parsed(*made)


def _as_list(value: Any) -> list[str]:
    return [] if value is None else list(value) if isinstance(value, (list, tuple)) else [str(value)]


def one_line(error: BaseException) -> str:
    """The first words of a library's error, on one line."""
    return (" ".join(str(error).split()) or type(error).__name__)[:400]


def make_trainer(parsed: Parsed, method: str, data: Data, start: Path, where: Path, callbacks: Sequence[Any]) -> Any:
    """TRL's trainer for the method, ready to train; raises ``SpecError`` when model or options do not work out."""
    from safetensors import SafetensorError
    from trl import get_peft_config, get_quantization_config

    training, model = parsed.training, parsed.model
    name = str(located(model.model_name_or_path, start) or model.model_name_or_path)
    training.model_init_kwargs = _model_init_kwargs(training, model)
    tokenizer = load_tokenizer(name, model.model_revision, training, where)
    try:
        with unpacked_weights(model.load_in_4bit):
            trainer = prepared_once(method)(
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
            f"{where}: model_name_or_path: the weights of {name} are no whole safetensors file ({one_line(error)}); "
            "fetch them again"
        ) from error
    except (ValueError, OSError, NotImplementedError) as error:
        if is_out_of_memory(error):
            raise
        raise SpecError(f"{where}: {one_line(error)}") from error
    except RuntimeError as error:
        if "assistant_only_loss" in str(error):
            raise SpecError(f"{where}: {one_line(error)}") from error
        raise
    _check_rows(trainer, training, where)
    return trainer


def _check_rows(trainer: Any, training: Any, where: Path) -> None:
    """Raise ``SpecError`` when no row is left: TRL leaves out those whose answers ``max_length`` cuts off."""
    for split, rows in (("training", trainer.train_dataset), ("held-out", trainer.eval_dataset)):
        if isinstance(rows, Sized) and not len(rows):
            raise SpecError(
                f"{where}: max_length: {training.max_length} tokens leave nothing of any {split} row's answer; raise it"
            )


@contextmanager
def unpacked_weights(in_4bit: bool) -> Iterator[None]:
    """A block in which 4-bit layers are made that stay trainable on a CPU after an evaluation.

    On CPUs with AVX512-BF16, bitsandbytes 0.50 repacks a layer's weights at the first forward without gradients. The
    packed product has no backward, so training goes on with wrong gradients, silently; and it fails for layers whose
    width is no multiple of 64.
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
        if Path(name).is_dir():
            raise SpecError(
                f"{where}: model_name_or_path: the folder {name} holds no tokenizer that can be loaded; put the "
                f"tokenizer's files beside the model's ({one_line(error)[:160]})"
            ) from error
        raise SpecError(
            f"{where}: model_name_or_path: cannot load {name}: it is no folder with a model, and the hub did not give "
            f"it ({one_line(error)[:160]})"
        ) from error
    if not tokenizer.chat_template and not getattr(training, "chat_template_path", None):
        tokenizer.chat_template = PLAIN_TEMPLATE
    return tokenizer


@cache
def prepared_once(method: str) -> type[Any]:
    """The method's trainer, which keeps the rows that it tokenized for the next trainer in this process."""
    base = TRL_METHODS[method].trainer_class

    class PreparedOnce(base):  # type: ignore[misc, valid-type]
        """TRL's trainer with its prepared rows kept, and without a model card at every checkpoint."""

        def _prepare_dataset(self, dataset: Any, tokenizer: Any, args: Any, *rest: Any, **more: Any) -> Any:
            key = rows_key(method, dataset, tokenizer, args, rest)
            if key is None:
                return super()._prepare_dataset(dataset, tokenizer, args, *rest, **more)
            if key not in _prepared:
                _keep(key, dataset, super()._prepare_dataset(dataset, tokenizer, args, *rest, **more))
            return _prepared[key][1]

        def _precompute_ref_logps(self, dataset: Any, name: str, batch_size: int) -> Any:
            # The reference is the untouched model, so its answers are the same in every trial and for every seed;
            # TRL's own cache is keyed by the adapter's random weights, too.
            key = reference_key(dataset, name, self.args, self.model)
            if key not in _prepared:
                _keep(key, dataset, super()._precompute_ref_logps(dataset, name, batch_size))
            return _prepared[key][1]

        def create_model_card(self, *args: Any, **kwargs: Any) -> None:
            """Nothing: the run's own report says more, and a card per checkpoint costs time."""

    return PreparedOnce


MOST_KEPT = 8
_prepared: dict[str, tuple[Any, Any]] = {}


def _keep(key: str, source: Any, made: Any) -> None:
    """Keep prepared rows, and their source with them, so that its id stays its own; the oldest are let go."""
    while len(_prepared) >= MOST_KEPT:
        _prepared.pop(next(iter(_prepared)))
    _prepared[key] = (source, made)


def reference_key(dataset: Any, name: str, args: Any, model: Any) -> str:
    """What the reference model's log-probabilities depend on, as text."""
    options = (args.max_length, args.truncation_mode, getattr(args, "ld_alpha", None), args.bf16, args.fp16)
    made_of = (id(dataset), name, model.name_or_path, str(model.dtype), hasattr(model, "quantization_method"), options)
    return json.dumps(made_of, default=str)


def rows_key(method: str, dataset: Any, tokenizer: Any, args: Any, rest: Sequence[Any]) -> str | None:
    """What the prepared rows depend on, as text; None when the rows are streamed and cannot be kept."""
    if not hasattr(dataset, "num_rows"):
        return None
    options = {key: value for key, value in args.to_dict().items() if key not in DOES_NOT_TOUCH_ROWS}
    if getattr(args, "shuffle_dataset", False):
        options["seed"] = args.seed
    made_of = (method, id(dataset), tokenizer.name_or_path, tokenizer.chat_template, options, [str(r) for r in rest])
    return json.dumps(made_of, sort_keys=True, default=str)
