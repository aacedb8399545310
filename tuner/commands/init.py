"""``tuner init``: a study file that runs unchanged, with its small data set beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from diagnostics.errors import BadInput


@dataclass(frozen=True)
class Start:
    """What a method starts from: its set of rows, the files beside its study, and the command to run before it."""

    rows: str
    beside: tuple[str, ...] = ()
    first: str = ""


TEACHER = "teacher.yaml"
REWARDS = ("order_rewards.py",)
STARTS: Mapping[str, Start] = {
    "sft": Start("sft"),
    "dpo": Start("dpo"),
    "kto": Start("kto"),
    "orpo": Start("dpo"),
    "simpo": Start("dpo"),
    "cpo": Start("dpo"),
    "reward": Start("dpo"),
    "grpo": Start("grpo", REWARDS),
    "rloo": Start("grpo", REWARDS),
    "gkd": Start("sft", (f"templates/{TEACHER}",), "tuner train {teacher} && "),
}
"""What ``tuner init`` writes for each method."""


def init(method: str, out: Path) -> int:
    """Write ``<method>.yaml`` and what it needs into ``out``; raises ``BadInput`` rather than overwrite a file."""
    from importlib.resources import files

    from tuner.assets.order_rows import write

    start, packaged = STARTS[method], files("tuner.assets")
    study = out / f"{method}.yaml"
    texts = {out / Path(name).name: packaged.joinpath(name).read_text(encoding="utf-8") for name in start.beside}
    texts[study] = packaged.joinpath(f"templates/{method}.yaml").read_text(encoding="utf-8")
    there = next(
        (path for path, text in texts.items() if path.exists() and (path == study or not _is(path, text))), None
    )
    if there is not None:
        raise BadInput(f"{there}: already exists; move it or give another --out")
    try:
        out.mkdir(parents=True, exist_ok=True)
        write(out / "data", (start.rows,))
        for path, text in texts.items():
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{out}: cannot write there ({error.strerror}); give another --out") from error
    wrote = ", ".join(str(path) for path in (study, *(path for path in texts if path != study)))
    first = start.first.format(teacher=quote(str(out / TEACHER)))
    print(f"wrote {wrote} and {out / 'data' / f'orders-{start.rows}'}; next: {first}tuner study {quote(str(study))}")
    return 0


def _is(path: Path, text: str) -> bool:
    """Whether a file holds just this text."""
    try:
        return path.read_text(encoding="utf-8") == text
    except (OSError, ValueError):
        return False
