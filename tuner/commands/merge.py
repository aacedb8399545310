"""``tuner merge``: a run's adapter merged into its base model."""

from __future__ import annotations

from pathlib import Path

from tuner.config.library_logging import quiet


def merge(run: Path, out: Path, *, trust_remote_code: bool = False) -> int:
    """Write the run's adapter merged into its base model to the folder ``out``."""
    from tuner.training.merge import merge as merged

    with quiet():
        merged(run, out, trust_remote_code=trust_remote_code)
    print(f"wrote {out}")
    return 0
