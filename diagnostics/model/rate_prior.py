"""The learning rates that are known to work for a run: the prior that its curves are read against.

The rates of each training method stand in ``diagnostics.model.methods``. Where the model's width H is known, the center
is 5e-5 x 10 x (2000/H)^0.781 for SFT with LoRA: tinker-cookbook's formula for Llama-like models (exponent 0.0775 for
Qwen). Full fine-tuning runs at a tenth of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from diagnostics.model.adapters import rate_factor
from diagnostics.model.methods import LearningRates, method_record
from diagnostics.model.settings import Settings

Bounds = Mapping[str, tuple[float, float]]

REFERENCE_WIDTH = 2000.0
"""The smallest hidden size of the cookbook's sweep."""
CENTER_AT_REFERENCE_WIDTH = 5e-4
WIDTH_EXPONENT = 0.781
WIDTH_EXPONENT_QWEN = 0.0775
LORA_OVER_FULL = 10.0
SMALL_RANK, SMALL_RANK_DIVISOR = 4, 3.0
"""At ranks below 4 the best rate of the sweep was one step lower."""
MAX_RATE_FACTOR = 10.0
"""No advice and no step of a search raises the learning rate by more at once; a second one may follow."""
MAX_RATE_CUT = 30.0
"""No advice cuts it by more. A raise may throw a run that only learned slowly; a cut ends one that was thrown already,
and one that goes a third of a decade too deep costs less than another run that is thrown."""
USUAL_SPAN = (0.4, 2.0)
"""The usual rates over their center: 1e-4 to 5e-4 for SFT with LoRA, where most of 548 runs did best."""


@dataclass(frozen=True)
class LearningRatePrior:
    """The learning rates of a run: where such runs do well (``center``), the highest to advise (``cap``).

    ``max_blamed`` is the rate up to which a curve that hardly falls may be blamed on a low rate: the center, or the top
    of the range that the user searches. ``floor`` is the lowest rate to advise. None where nothing is known.
    """

    center: float | None = None
    cap: float | None = None
    max_blamed: float | None = None
    floor: float | None = None

    def relative(self, rate: float | None) -> float | None:
        """The rate over the center, or None when either is unknown."""
        return rate / self.center if rate and self.center else None

    @property
    def usual(self) -> tuple[float, float] | None:
        """The range of rates at which such runs usually do well, to one digit."""
        if not self.center:
            return None
        low, high = (float(f"{share * self.center:.0e}") for share in USUAL_SPAN)
        return low, high

    def may_rise(self, rate: float | None) -> bool:
        """Whether a higher rate is worth a try: it is below ``max_blamed``, or nothing is known."""
        return rate is None or self.max_blamed is None or rate < 0.99 * self.max_blamed


def rate_prior_of(settings: Settings, bounds: Bounds | None = None) -> LearningRatePrior:
    """The learning rates of a run, by its method, its adapter and its width; ``bounds`` replace the cap.

    Nothing is known of an unknown method or kind of adapter: advice is then given in words.
    """
    found = _known(settings)
    low, high = (bounds or {}).get("learning_rate", (None, None))
    if high is None:
        return found
    return LearningRatePrior(found.center, high, high, low)


def _known(settings: Settings) -> LearningRatePrior:
    """The rates without the user's range."""
    lora = settings.use_peft if settings.use_peft is not None else settings.lora_r is not None or None
    if settings.method is None or lora is None:
        return LearningRatePrior()
    rates = (method_record(settings.method).rates or {}).get(lora)
    if rates is None:
        return LearningRatePrior()
    center, cap = _scaled(rates, settings) if settings.hidden_size else (rates.center, rates.cap)
    if lora and settings.lora_r is not None and settings.lora_r < SMALL_RANK:
        center /= SMALL_RANK_DIVISOR
    times = rate_factor(settings.adapter_kind, settings.lora_r) if lora else 1.0
    if times is None:
        return LearningRatePrior()
    center, cap = times * center, times * cap
    return LearningRatePrior(center, cap, center, None)


def _scaled(rates: LearningRates, settings: Settings) -> tuple[float, float]:
    """Center and cap for the model's width; the method's cap holds for widths of 2000 and more."""
    width = float(settings.hidden_size or REFERENCE_WIDTH)
    qwen = "qwen" in (settings.model_type or settings.model_name_or_path or "").lower()
    center = CENTER_AT_REFERENCE_WIDTH * (REFERENCE_WIDTH / width) ** (WIDTH_EXPONENT_QWEN if qwen else WIDTH_EXPONENT)
    center /= method_record(settings.method).rate_below_sft
    if not (settings.use_peft or settings.lora_r):
        center /= LORA_OVER_FULL
    cap = center * rates.cap / rates.center
    return center, min(cap, max(rates.cap, center)) if width >= REFERENCE_WIDTH else max(cap, rates.cap)
