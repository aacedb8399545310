"""TRL's trainers with tokenized rows and reference log-probabilities that all trials of a process share."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

from tuner.config.methods import TRL_METHODS
from tuner.training.adapters import lora_plus_optimizer
from tuner.training.cut_rows import Cut, cut_of

GENERAL_LOSS = "eval_general_loss"

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

MAX_CACHED_SETS = 8
_rows_cache: dict[str, tuple[Any, Any]] = {}
"""Source and prepared rows, by what they depend on."""
_cuts: dict[str, Cut | None] = {}
"""What ``max_length`` did to the prepared rows."""


@cache
def trainer_with_cache(method: str) -> type[Any]:
    """The method's trainer class, which caches the rows that it tokenized for the next trainer in this process."""
    base = TRL_METHODS[method].trainer_class

    class CachingTrainer(base):  # type: ignore[misc, valid-type]
        """TRL's trainer with its prepared rows cached, and without a model card at every checkpoint."""

        general_loss: Any = None

        def _prepare_dataset(self, dataset: Any, tokenizer: Any, args: Any, *rest: Any, **more: Any) -> Any:
            key = rows_key(method, dataset, tokenizer, args, rest)
            if key is None:
                return super()._prepare_dataset(dataset, tokenizer, args, *rest, **more)
            plain = super()._prepare_dataset
            if key not in _rows_cache:
                made = plain(dataset, tokenizer, args, *rest, **more)
                split = str(more.get("dataset_name") or rest[-1])
                _keep(key, dataset, made)
                _cuts[key] = cut_of(
                    split, dataset, made, args, lambda rows, free: plain(rows, tokenizer, free, *rest, **more)
                )
            self.__dict__.setdefault("cuts", []).append(_cuts.get(key))  # called before the constructor is through
            return _rows_cache[key][1]

        def _precompute_ref_logps(self, dataset: Any, name: str, batch_size: int) -> Any:
            # The reference is the untouched model, so its answers are the same in every trial and for every seed;
            # TRL's own cache key includes the adapter's random weights.
            key = reference_key(dataset, name, self.args, self.model)
            if key not in _rows_cache:
                _keep(key, dataset, super()._precompute_ref_logps(dataset, name, batch_size))
            return _rows_cache[key][1]

        def evaluation_loop(self, *args: Any, **kwargs: Any) -> Any:
            """TRL's evaluation, with the loss on general text among its metrics where the file asks for it."""
            found = super().evaluation_loop(*args, **kwargs)
            if self.general_loss is not None and kwargs.get("metric_key_prefix") == "eval":
                found.metrics[GENERAL_LOSS] = self.general_loss(self)
            return found

        def create_optimizer(self, *args: Any, **kwargs: Any) -> Any:
            """TRL's optimizer, or PEFT's with two rates where the file asks for LoRA+."""
            keys = getattr(self, "lora_plus", {})
            if not keys:
                return super().create_optimizer(*args, **kwargs)
            self.optimizer: Any = lora_plus_optimizer(self, keys)
            return self.optimizer

        def create_model_card(self, *args: Any, **kwargs: Any) -> None:
            """Write nothing: the run's own report says more, and a card per checkpoint costs time."""

    return CachingTrainer


def _keep(key: str, source: Any, made: Any) -> None:
    """Cache prepared rows, with their source, so that its id is not reused; the oldest are dropped."""
    while len(_rows_cache) >= MAX_CACHED_SETS:
        oldest = next(iter(_rows_cache))
        _rows_cache.pop(oldest)
        _cuts.pop(oldest, None)
    _rows_cache[key] = (source, made)


def reference_key(dataset: Any, name: str, args: Any, model: Any) -> str:
    """What the reference model's log-probabilities depend on, as text."""
    options = (args.max_length, args.truncation_mode, getattr(args, "ld_alpha", None), args.bf16, args.fp16)
    made_of = (id(dataset), name, model.name_or_path, str(model.dtype), hasattr(model, "quantization_method"), options)
    return json.dumps((*made_of, _changes_the_base(model)), default=str)


def _changes_the_base(model: Any) -> list[Any]:
    """What an adapter such as PiSSA takes out of the base model, which is then no longer the reference."""
    adapters = getattr(model, "peft_config", {}).values()
    starts = [(getattr(one, "init_lora_weights", True), getattr(one, "r", None)) for one in adapters]
    return [start for start in starts if not isinstance(start[0], bool)]


def rows_key(method: str, dataset: Any, tokenizer: Any, args: Any, rest: Sequence[Any]) -> str | None:
    """What the prepared rows depend on, as text; None when the rows are streamed and cannot be cached."""
    if not hasattr(dataset, "num_rows"):
        return None
    untouched = DOES_NOT_TOUCH_ROWS - TRL_METHODS[method].rows_depend_on
    options = {key: value for key, value in args.to_dict().items() if key not in untouched}
    if getattr(args, "shuffle_dataset", False):
        options["seed"] = args.seed
    words = getattr(tokenizer, "tokenizer", tokenizer)  # a processor's own
    made_of = (method, id(dataset), words.name_or_path, tokenizer.chat_template, options, [str(r) for r in rest])
    return json.dumps(made_of, sort_keys=True, default=str)
