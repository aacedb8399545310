"""Kinds of adapters beside plain LoRA, and how their learning rates lie to LoRA's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LORA_CENTER = 2.5e-4
"""LoRA's usual rate for SFT, which the rates of the other kinds are measured against."""

CENTERS: Mapping[str, float] = {
    # Usual rates for SFT. Measured in 63 runs of PEFT's method_comparison (Llama-3.2-3B on MetaMathQA), where a kind
    # goes from a third of LoRA's accuracy to all of it by its rate alone, and in the documentation of each kind.
    "dora": 2.5e-4,
    "loraplus": 1.25e-4,  # the rate of the A matrices; the B matrices' is 16 times that
    "pissa": 5e-5,
    "olora": 5e-5,
    "corda": 5e-5,
    "adalora": 1e-3,
    "vera": 2e-3,
    "road": 1e-3,
    "ln_tuning": 2e-3,
    "ia3": 3e-3,
    "delora": 3e-3,
    "prompt_tuning": 2e-2,
    "prefix_tuning": 5e-3,
    "p_tuning": 5e-3,
    "c3a": 1e-1,
    "fourierft": 3e-2,
    "osf": 3e-5,
    "oft": 3e-4,
    "boft": 3e-4,
    "lokr": 3e-3,
    "loha": 3e-4,
}
RSLORA, REFERENCE_RANK = "rslora", 16.0
"""rsLoRA scales the update by alpha / sqrt(r) in place of alpha / r: at the same alpha, sqrt(r / 16) times LoRA's."""
CHANGES_THE_BASE = ("pissa", "olora", "corda", "loftq")
"""Starts that move a part of the base weights into the adapter: the model without the adapter is another one."""


def adapter_kind(options: Mapping[str, Any]) -> str | None:
    """The kind of an adapter from PEFT's keys (or a study file's); None for plain LoRA, and where nothing says so."""
    kind = str(getattr(options.get("peft_type"), "value", options.get("peft_type")) or "lora").lower()
    if kind != "lora":
        return kind
    start = str(options.get("init_lora_weights") or "").lower()
    base = next((name for name in CHANGES_THE_BASE if start.startswith(name)), None)
    plus = "loraplus" if options.get("loraplus_lr_ratio") else None
    rank_stable = RSLORA if _is_on(options.get("use_rslora")) else None
    return base or plus or rank_stable or ("dora" if _is_on(options.get("use_dora")) else None)


def _is_on(value: Any) -> bool:
    return str(value).lower() == "true"


def rate_factor(kind: str | None, rank: int | None = None) -> float | None:
    """How many times LoRA's the usual rate of a kind is; None for a kind whose rates are not known."""
    if kind is None:
        return 1.0
    if kind == RSLORA:
        return float((REFERENCE_RANK / rank) ** 0.5) if rank else None
    return CENTERS[kind] / LORA_CENTER if kind in CENTERS else None
