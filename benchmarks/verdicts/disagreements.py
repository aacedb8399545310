"""The runs that we call something else than their label: in words, and as a page with the curve."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.verdicts.cases import Case, Labeled
from diagnostics.messages import summary
from diagnostics.report.write import as_html


def disagreements(cases: Sequence[Case]) -> list[Case]:
    """The cases whose label we do not share."""
    return [case for case in cases if not case.right]


def reason(case: Case) -> str:
    """What the diagnosis says of the run, in a sentence."""
    return summary(case.diagnosis) if case.diagnosis is not None else ""


def line(case: Case) -> str:
    """The case in a line: label, what was said and how surely, the cause, the run, the evidence."""
    said = f"{case.said} ({case.confidence:.2f}{', ' + case.cause if case.cause else ''})"
    return f"labeled {case.label}, said {said}: {case.name}\n    {reason(case)}"


def write_pages(cases: Sequence[Case], runs: Sequence[Labeled], folder: Path) -> list[Path]:
    """One page a disagreement (curve, findings, and a list of all at ``index.html``); the paths written."""
    folder.mkdir(parents=True, exist_ok=True)
    by_name: Mapping[str, Labeled] = {item.name: item for item in runs}
    written, links = [], []
    for case in disagreements(cases):
        if case.diagnosis is None:
            continue
        path = folder / f"{re.sub(r'[^A-Za-z0-9._-]', '_', case.name)}.html"
        title = f"{case.name}: labeled {case.label}, said {case.said}"
        run = replace(by_name[case.name].run, name=title)
        path.write_text(as_html([(run, case.diagnosis)]), "utf-8")
        links.append(f'<li><a href="{path.name}">{path.stem}</a>: labeled {case.label}, said {case.said}</li>')
        written.append(path)
    index = folder / "index.html"
    index.write_text(
        f"<!doctype html><meta charset=utf-8><title>Disagreements</title><ul>{''.join(links)}</ul>", "utf-8"
    )
    return [*written, index]
