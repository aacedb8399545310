"""What a model is loaded with: the arguments that transformers takes beside the fields of the model's own config."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from typing import Any, Literal

from tuner.config.secret_keys import is_secret
from tuner.config.trl_schema import Unfit, as_type
from tuner.errors import brief, brief_name, error_text, nearest

ATTENTION = ("eager", "sdpa", "flash_attention_2", "flash_attention_3", "flex_attention")
LOADING: Mapping[str, Any] = {
    **dict.fromkeys(("revision", "code_revision", "subfolder", "variant", "gguf_file", "cache_dir", "token"), str),
    **dict.fromkeys(("offload_folder", "experts_implementation", "adapter_name"), str),
    **dict.fromkeys(("force_download", "local_files_only", "use_safetensors", "weights_only"), bool),
    **dict.fromkeys(("trust_remote_code", "use_kernels", "allow_all_kernels"), bool),
    **dict.fromkeys(("low_cpu_mem_usage", "offload_buffers", "ignore_mismatched_sizes"), bool),
    **dict.fromkeys(("max_memory", "quantization_config", "proxies", "adapter_kwargs", "key_mapping"), dict),
    "dtype": Literal["auto", "float32", "float16", "bfloat16"],
    "device_map": str | int | dict[str, Any],
    "attn_implementation": str | dict[str, Any],
    "tp_plan": str,
    "tp_size": int,
}
"""What transformers takes to load a model, and can stand in a file; any other key is one of the model's own config."""
INSTEAD: Mapping[str, str] = {
    "torch_dtype": "write dtype",
    "load_in_4bit": "write load_in_4bit as a key of the file",
    "load_in_8bit": "write load_in_8bit as a key of the file",
    **dict.fromkeys(("model_id", "pretrained_model_name_or_path"), "write model_name_or_path as a key of the file"),
    **dict.fromkeys(("config", "state_dict", "generation_config", "architecture", "model_type"), "remove it"),
    **dict.fromkeys(("output_loading_info", "return_unused_kwargs", "distributed_config", "device_mesh"), "remove it"),
    **dict.fromkeys(("model_args", "kwargs", "cls", "tqdm_class", "from_tf", "from_flax"), "remove it"),
    "kernel_config": "write use_kernels",
}
"""What the loader takes as well, and a file cannot give, or not there."""


def check_loading(given: Mapping[str, Any]) -> None:
    """Raise ``Unfit`` for an argument that cannot be, or cannot stand in a file."""
    for name, value in given.items():
        if name in INSTEAD or name.startswith("_"):
            raise Unfit(f"{brief_name(name)}: cannot be given here; {INSTEAD.get(name, 'remove it')}")
        if name in LOADING and value is not None:
            try:
                as_type(value, LOADING[name])
            except Unfit as error:
                raise Unfit(f"{name}: {'must be a text' if is_secret(name) else error}") from None
    attention = given.get("attn_implementation")
    for fault in attention_faults(attention) if isinstance(attention, str) else ():
        raise Unfit(f"attn_implementation: {fault}")
    for pattern, name in (given.get("key_mapping") or {}).items():
        _check_renaming(pattern, name)
    if given.get("use_kernels") and find_spec("kernels") is None:
        raise Unfit("use_kernels: needs the package kernels, which is not installed")


def _check_renaming(pattern: Any, name: Any) -> None:
    """Raise ``Unfit`` where names of weights, by a regular expression, cannot become another."""
    if not isinstance(pattern, str) or not isinstance(name, str):
        raise Unfit(f"key_mapping: {brief(pattern)}: {brief(name)}: must be two texts")
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise Unfit(f"key_mapping: {brief(pattern)} is not a regular expression: {error_text(error, 100)}") from None


def attention_faults(name: str) -> Iterator[str]:
    """What is wrong with the name of an implementation of attention."""
    plain = name.removeprefix("paged|")
    if plain not in ATTENTION and "/" not in plain:
        yield f"must be one of {', '.join(ATTENTION)}, not {brief(name)}{nearest(name, ATTENTION)}"
    elif plain.startswith("flash") and find_spec("flash_attn") is None and find_spec("kernels") is None:
        yield f"{name} needs the package flash_attn, which is not installed; use sdpa"
    elif "/" in plain and find_spec("kernels") is None:
        yield f"{brief(name)} needs the package kernels, which is not installed; use sdpa"
