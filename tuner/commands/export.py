"""``tuner export``: a run, or the best trial of a study, made ready for the programs that serve models."""

from __future__ import annotations

from pathlib import Path

from tuner.config.library_logging import quiet
from tuner.messages import text
from tuner.messages.en import CHECK_STATES
from tuner.study.checks.record import Check, State


def export(path: Path, to: str, out: Path, *, push: str | None = None, trust_remote_code: bool = False) -> int:
    """Make the parts in ``to`` in the folder ``out``, and print what became of each.

    The exit status is 1 where a part could not be made, or a model answers differently; nothing is pushed then.
    """
    from tuner.export.export import export as exported
    from tuner.export.parts import parts_of
    from tuner.export.push import check_hub
    from tuner.export.push import push as pushed
    from tuner.export.source import source_of

    parts, source = parts_of(to), source_of(path)
    if push is not None:
        with quiet():
            check_hub(push)
    found: list[Check] = []

    def tell(check: Check) -> None:
        found.append(check)
        print(f"{CHECK_STATES[check.state]:<6}  {text(check.message)}", flush=True)

    with quiet():
        exported(source, parts, out, tell, trusted=trust_remote_code)
    print(f"wrote {out}")
    if any(one.state is State.FAILED for one in found):
        return 1
    if push is not None:
        with quiet():
            print(f"pushed to {pushed(out, push)}")
    return 0
