"""The curve inspector: Streamlit pages over plain functions that prepare their data."""

from __future__ import annotations

from tuner.inspector.server import launch

__all__ = ["launch"]
