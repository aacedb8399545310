"""The learning rates that are known to work for a training method: the prior that a curve is read against.

SFT with LoRA: center 2.5e-4, cap 1e-3 (548 public LoRA runs of tinker-cookbook's sft_sweep: fitted optimum 2.6e-4,
72 of 80 diverged runs at 3e-3). Where the model's width H is known: 5e-5 x 10 x (2000/H)^0.781, the cookbook's formula
for Llama-like models (exponent 0.0775 for Qwen). DPO runs at about a fortieth of the SFT rate (TRL and the alignment
handbook: 5e-6 to 1e-5 with LoRA, 5e-7 without); full fine-tuning at a tenth of LoRA's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from diagnostics.model.methods import LearningRates, method_record
from diagnostics.model.settings import Settings

Bounds = Mapping[str, tuple[float, float]]

WIDTH_OF_THE_SWEEP = 2000.0
EXPONENT = 0.781
EXPONENT_QWEN = 0.0775


@dataclass(frozen=True)
class LearningRatePrior:
    """The rates of a method: where runs do well (``center``), the highest to advise (``cap``).

    ``ceiling`` is the rate up to which a curve that hardly falls may be blamed on a low rate: the center, or the top
    of the range that the user searches. ``floor`` is the lowest rate to advise. None where nothing is known.
    """

    center: float | None = None
    cap: float | None = None
    max_blamed: float | None = None
    floor: float | None = None

    def relative(self, rate: float | None) -> float | None:
        """The rate over the center, or None when either is unknown."""
        return rate / self.center if rate and self.center else None

    def may_rise(self, rate: float | None) -> bool:
        """Whether a higher rate is worth a try: it is below the ceiling, or nothing is known."""
        return rate is None or self.max_blamed is None or rate < 0.99 * self.max_blamed


def rate_prior_of(settings: Settings, bounds: Bounds | None = None) -> LearningRatePrior:
    """The family of a run, from its method, its adapter and its width; ``bounds`` replace the cap.

    An unknown method has no family: the advice is then given in words.
    """
    found = _known(settings)
    low, high = (bounds or {}).get("learning_rate", (None, None))
    if high is None:
        return found
    return LearningRatePrior(found.center, high, high, low)


def _known(settings: Settings) -> LearningRatePrior:
    """The family without the user's range."""
    lora = settings.use_peft if settings.use_peft is not None else settings.lora_r is not None or None
    if settings.method is None or lora is None:
        return LearningRatePrior()
    rates = (method_record(settings.method).rates or {}).get(lora)
    if rates is None:
        return LearningRatePrior()
    center, cap = _scaled(rates, settings) if settings.hidden_size else (rates.center, rates.cap)
    if lora and settings.lora_r is not None and settings.lora_r < 4:
        center /= 3.0  # the sweep: one rung lower at the smallest ranks
    return LearningRatePrior(center, cap, center, None)


def _scaled(rates: LearningRates, settings: Settings) -> tuple[float, float]:
    """Center and cap for the model's width; the cap of the sweep holds for its own widths, 2000 and more."""
    width = float(settings.hidden_size or WIDTH_OF_THE_SWEEP)
    qwen = "qwen" in (settings.model_type or settings.model_name_or_path or "").lower()
    center = 5e-4 * (WIDTH_OF_THE_SWEEP / width) ** (EXPONENT_QWEN if qwen else EXPONENT)
    center /= method_record(settings.method).rate_below_sft
    if not (settings.use_peft or settings.lora_r):
        center /= 10.0
    cap = center * rates.cap / rates.center
    return center, min(cap, max(rates.cap, center)) if width >= WIDTH_OF_THE_SWEEP else max(cap, rates.cap)
