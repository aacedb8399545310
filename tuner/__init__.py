"""From a verdict to the next run: train, diagnose, change, train again, and show that it helped."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tuner.callback import DiagnosisCallback
    from tuner.search.log_diagnosis import record
    from tuner.search.pruner import DiagnosisPruner
    from tuner.search.sampler import DiagnosisSampler
    from tuner.search.seeds import seed_of

__version__ = "0.1.0"

_HOMES = {
    "DiagnosisCallback": "tuner.callback",
    "DiagnosisSampler": "tuner.search.sampler",
    "DiagnosisPruner": "tuner.search.pruner",
    "record": "tuner.search.log_diagnosis",
    "seed_of": "tuner.search.seeds",
}

__all__ = ["DiagnosisCallback", "DiagnosisPruner", "DiagnosisSampler", "__version__", "record", "seed_of"]


def __getattr__(name: str) -> Any:
    """The public name, imported when it is first asked for: ``tuner --help`` loads none of the heavy libraries."""
    if name not in _HOMES:
        raise AttributeError(f"module 'tuner' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
