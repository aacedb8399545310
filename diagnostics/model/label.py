"""What a run is called. This module loads no numpy, so that a command line can list the labels at once."""

from __future__ import annotations

from enum import StrEnum


class Label(StrEnum):
    """What a run is called, in order of precedence."""

    BROKEN = "broken"
    UNSTABLE = "unstable"
    OVERFIT = "overfit"
    UNDERFIT = "underfit"
    HEALTHY = "healthy"
    UNKNOWN = "unknown"
