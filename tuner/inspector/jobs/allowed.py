"""What a page in a browser may start: the keys and values of a config that change a training and reach nothing else."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from diagnostics.errors import BadInput
from tuner.config.sources import PACKAGED, is_path, located
from tuner.config.trust import TRUST

COMMAND_LINE = "start such a file on the command line"
NAMES = ("model_name_or_path", "dataset_name")
WRITES = ("output_dir", "logging_dir")
REACHES_OUT: Mapping[str, str] = {
    "env": "changes the environment of the process",
    "push_to_hub": "sends the model away",
    TRUST: "runs code from elsewhere",
}
"""Why some keys are not in the list; they may stand in a file where they change nothing."""

MOST: Mapping[str, float] = {
    **dict.fromkeys(("batch_size", "gradient_accumulation_steps"), 65_536),
    **dict.fromkeys(("per_device_train_batch_size", "per_device_eval_batch_size", "precompute_ref_batch_size"), 4096),
    **dict.fromkeys(("learning_rate", "weight_decay", "max_grad_norm", "beta", "neftune_noise_alpha"), 1e4),
    **dict.fromkeys(("adam_beta1", "adam_beta2", "adam_epsilon", "warmup_ratio", "lora_dropout", "label_smoothing"), 1),
    **dict.fromkeys(("label_smoothing_factor", "ref_model_mixup_alpha"), 1),
    **dict.fromkeys(("discopop_tau", "f_alpha_divergence_coef", "ld_alpha", "router_aux_loss_coef"), 1e4),
    **dict.fromkeys(("loss_weights",), 1e4),
    **dict.fromkeys(("lora_r", "lora_alpha"), 65_536),
    **dict.fromkeys(("max_length", "pad_to_multiple_of", "ref_model_sync_steps"), 1_000_000),
    **dict.fromkeys(("max_steps", "warmup_steps", "eval_steps", "logging_steps", "save_steps", "eval_delay"), 1e7),
    **dict.fromkeys(("test_split_size", "torch_empty_cache_steps", "eval_accumulation_steps"), 1e7),
    **dict.fromkeys(("num_train_epochs", "save_total_limit"), 1000),
    **dict.fromkeys(("seed", "data_seed"), 2**32),
    **dict.fromkeys(("dataloader_num_workers", "dataset_num_proc", "dataloader_prefetch_factor"), 16),
    "lr_scheduler_kwargs": 1e7,
    "optim_args": 1e4,
}
"""Keys that take numbers, and the largest that a page starts; lists and small mappings of such numbers as well."""

WORDS = frozenset(
    {
        *("method", "run_name", "report_to", "dataset_config", "dataset_train_split", "dataset_test_split"),
        *("dataset_text_field", "lr_scheduler_type", "optim", "loss_type", "f_divergence_type", "dtype"),
        *("eval_strategy", "save_strategy", "logging_strategy", "metric_for_best_model", "packing_strategy"),
        *("truncation_mode", "train_sampling_strategy", "bnb_4bit_quant_type", "pad_token", "eos_token"),
        *("model_revision", "lora_task_type", "lora_target_modules", "lora_target_parameters", "lora_modules_to_save"),
        *("gradient_checkpointing_kwargs", "activation_checkpointing_kwargs"),
    }
)
"""Keys that take a word, a list of words, or a small mapping of them."""

FLAGS = frozenset(
    {
        *("use_peft", "use_rslora", "use_dora", "load_in_4bit", "load_in_8bit", "use_bnb_nested_quant", "use_cpu"),
        *("gradient_checkpointing", "activation_checkpointing", "activation_offloading", "bf16", "fp16", "tf32"),
        *("bf16_full_eval", "fp16_full_eval", "packing", "eval_packing", "padding_free", "shuffle_dataset"),
        *(
            "assistant_only_loss",
            "completion_only_loss",
            "disable_dropout",
            "precompute_ref_log_probs",
            "use_weighting",
        ),
        *("sync_ref_model", "load_best_model_at_end", "greater_is_better", "eval_on_start", "logging_first_step"),
        *("logging_nan_inf_filter", "save_only_model", "disable_tqdm", "full_determinism", "auto_find_batch_size"),
        *("dataloader_drop_last", "dataloader_pin_memory", "dataloader_persistent_workers", "prediction_loss_only"),
        *("dataset_streaming", "average_tokens_across_devices", "use_cache", "use_liger_kernel", "do_eval", "do_train"),
    }
)
"""Keys that are true or false."""

STUDY: Mapping[str, float] = {
    "trials": 1000,
    "seeds": 100,
    "minutes": 1e5,
    "steps": 1e9,
    "exact_match_rows": 10_000,
    "stop_early": 1,
    "metric": 0,
    "direction": 0,
    "space": math.inf,
}
SPAN = ("low", "high", "log", "step")
REPORTS = ("none", "tensorboard")
MAX_ITEMS, MAX_WORD = 64, 200
PRINTABLE = re.compile(r"[^\x00-\x1f\x7f-\x9f]*")


class NotAllowed(BadInput):
    """A page does not start this file; the message names the key, and what to do."""


class Origin(NamedTuple):
    """The config that a file was made from, whose model and data it may name again, and the folder it lies in."""

    config: Mapping[str, Any]
    folder: Path


def check_allowed(config: Mapping[str, Any], root: Path, origin: Origin | None = None) -> None:
    """Raise ``NotAllowed`` for the first key or value that a page does not start.

    Files are found from ``root``, the opened folder; ``origin`` is the run that the file was made from.
    """
    for key, value in config.items():
        if key == "study":
            _check_study(value)
        elif key in NAMES:
            _check_name(key, value, root, origin)
        elif key in WRITES:
            _check_output(key, value, root)
        elif key in REACHES_OUT:
            if value:
                raise NotAllowed(f"{key}: {REACHES_OUT[key]}; {COMMAND_LINE}")
        else:
            _check_setting(key, value, str(key))


def _check_setting(key: Any, value: Any, where: str) -> None:
    if key not in MOST and key not in WORDS and key not in FLAGS:
        raise NotAllowed(f"{where}: is not a key that a page may start; take the line out, or {COMMAND_LINE}")
    for item in _items(value, where):
        _check_plain(item, MOST.get(key, 1.0 if key in FLAGS else 1e9), where)
    reports = value if isinstance(value, list) else [value]
    if key == "report_to" and not all(one is None or one in REPORTS for one in reports):
        raise NotAllowed(f"report_to: may only be {' or '.join(REPORTS)}: others send data away; {COMMAND_LINE}")


def _items(value: Any, where: str) -> Iterator[Any]:
    """The single values of a value, a list or a small mapping, in which nothing may be nested."""
    items = [*value, *value.values()] if isinstance(value, Mapping) else value if isinstance(value, list) else [value]
    if len(items) > MAX_ITEMS:
        raise NotAllowed(f"{where}: has more than {MAX_ITEMS} values; {COMMAND_LINE}")
    yield from items


def _check_plain(value: Any, most: float, where: str) -> None:
    if isinstance(value, str):
        if len(value) > MAX_WORD or not PRINTABLE.fullmatch(value) or value.lstrip().startswith("{"):
            raise NotAllowed(
                f"{where}: must be one line of at most {MAX_WORD} characters, and not JSON; {COMMAND_LINE}"
            )
        try:
            value = float(value)  # YAML reads 1e2 as text, and the training as a number
        except ValueError:
            return
    if value is None or isinstance(value, bool):
        return
    if not isinstance(value, (int, float)):
        raise NotAllowed(f"{where}: must be a number, a word, or a list of them; {COMMAND_LINE}")
    if not -most <= value <= most:
        raise NotAllowed(f"{where}: must be {most:g} or less to be started from a page; {COMMAND_LINE}")


def _check_study(block: Any) -> None:
    if not isinstance(block, Mapping):
        return  # the study file's own check says what is wrong with it
    for key, value in block.items():
        if key not in STUDY:
            raise NotAllowed(f"study.{key}: is not a key that a page may start; {COMMAND_LINE}")
        if key == "space":
            _check_space(value)
        else:
            _check_plain(value, STUDY[key] or math.inf, f"study.{key}")


def _check_space(space: Any) -> None:
    for name, span in space.items() if isinstance(space, Mapping) else ():
        where = f"study.space.{name}"
        if isinstance(span, Mapping):
            for key in span:
                if key not in SPAN:
                    raise NotAllowed(f"{where}.{key}: is not a key of a range; write {', '.join(SPAN)}")
            for item in span.values():
                _check_setting(name, item, where)
        else:
            _check_setting(name, span, where)
    if isinstance(space, Mapping) and len(space) > MAX_ITEMS:
        raise NotAllowed(f"study.space: has more than {MAX_ITEMS} settings; {COMMAND_LINE}")


def _check_output(key: str, value: Any, root: Path) -> None:
    _check_plain(value, 0.0, key)
    if value and not (root / str(value)).resolve().is_relative_to(root.resolve()):
        raise NotAllowed(f"{key}: {value} leads out of the opened folder; take the line out")


def _check_name(key: str, value: Any, root: Path, origin: Origin | None) -> None:
    """A model or data: the packaged one, a place in the opened folder, or what the run itself was made with."""
    _check_plain(value, math.inf, key)
    name = str(value or "")
    found = _place(name, root)
    if name in ("", PACKAGED) or (found is None and is_path(name) and "://" not in name):
        return  # a file that is not there cannot be read, and the training says so
    if found is not None and found.is_relative_to(root.resolve()):
        return
    own = "" if origin is None else str(origin.config.get(key) or "")
    if origin is None or "://" in name or not own or (own, found) != (name, _place(own, origin.folder)):
        raise NotAllowed(
            f"{key}: {name} lies neither in the opened folder nor is it what this run was made with; {COMMAND_LINE}"
        )


def _place(name: str, start: Path) -> Path | None:
    try:
        found = located(name, start) if name else None
    except (OSError, ValueError, RuntimeError):
        return None
    return None if found is None else found.resolve()
