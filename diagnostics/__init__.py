"""From a training log to a verdict: what is wrong with the curve, where it shows, and what to change."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from diagnostics.diagnosis.diagnose import diagnose
    from diagnostics.model.curves import Curve, Run
    from diagnostics.model.records import Diagnosis
    from diagnostics.model.settings import Settings
    from diagnostics.readers import read
    from diagnostics.rules import RULES

_HOMES = {
    "read": "diagnostics.readers",
    "diagnose": "diagnostics.diagnosis.diagnose",
    "RULES": "diagnostics.rules",
    "Run": "diagnostics.model.curves",
    "Curve": "diagnostics.model.curves",
    "Settings": "diagnostics.model.settings",
    "Diagnosis": "diagnostics.model.records",
}

__all__ = ["RULES", "Curve", "Diagnosis", "Run", "Settings", "diagnose", "read"]


def __getattr__(name: str) -> Any:
    """The public name, imported when it is first asked for: ``import diagnostics`` alone loads no numpy."""
    if name not in _HOMES:
        raise AttributeError(f"module 'diagnostics' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
