"""``tuner init``: a study file that runs unchanged, with its small data set beside it."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from diagnostics.errors import BadInput


def init(method: str, out: Path) -> int:
    """Write ``<method>.yaml`` and its data into ``out``; raises ``BadInput`` rather than overwrite a file."""
    from tuner.assets.orders import write

    study = out / f"{method}.yaml"
    if study.exists():
        raise BadInput(f"{study}: already exists; move it or give another --out")
    text = files("tuner.assets").joinpath(f"templates/{method}.yaml").read_text(encoding="utf-8")
    try:
        out.mkdir(parents=True, exist_ok=True)
        write(out / "data", (method,))
        study.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{out}: cannot write there ({error.strerror}); give another --out") from error
    print(f"wrote {study} and {out / 'data' / f'orders-{method}'}; next: tuner study {study}")
    return 0
