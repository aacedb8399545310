"""The verdicts on runs whose task, kind of task or source the look was not fitted on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from benchmarks.fresh.judge import Judged, judged
from benchmarks.fresh.styles import can_tell
from benchmarks.fresh.summary import SURE, figures, share
from benchmarks.outlook.fit import fit, folds
from benchmarks.outlook.known import Known
from benchmarks.outlook.projects import OTHERS
from benchmarks.outlook.sources import Kept, kept
from benchmarks.verdicts.cases import Case, diagnosed, labeled
from benchmarks.verdicts.folds import halves
from benchmarks.verdicts.scores import pairs_of, score

PEOPLE = "people"
Place = tuple[Path, Kept]
COLUMNS = (
    *("runs", "right or acceptable", "wrong", "refused", "sick called healthy", "healthy called sick"),
    *(">= 95 %", "healthy, claimed"),
)


def of_fresh(known: Sequence[Known], folders: Sequence[Path], by_kind: bool) -> Iterator[tuple[str, Judged]]:
    """The kind of task of each kept run and its verdict, by a fit without its task, or without any run of its kind.

    By kind, only runs of kinds that ``benchmarks.fresh`` never trains are judged; the folders must hold all of them.
    """
    places: list[Place] = [(folder, one) for folder in folders for one in kept(folder)]
    if by_kind:
        places = [(folder, one) for folder, one in places if one.kind in OTHERS]
        unknown = {run.task for run in known if run.kind == "others"} - {one.task for _, one in places}
        if unknown:
            raise SystemExit(
                f"{min(unknown)}: in FILE and below no --fresh folder; name all folders it was gathered from"
            )
    for _, outside in folds([one.kind if by_kind else one.task for _, one in places], seed=1):
        out = {places[place][1].task for place in outside}
        look = fit([run for run in known if run.task not in out])
        for folder, one in (places[place] for place in outside):
            if can_tell(one.label, folder / one.path):
                yield one.kind, judged(one.style, one.path, one.label, folder, look)


def of_people(known: Sequence[Known], folder: Path) -> list[Case]:
    """The verdicts on people's runs by a fit that has seen none of them."""
    return diagnosed(labeled(folder), look=fit([run for run in known if run.kind != PEOPLE]))


def lines_of_fresh(runs: Iterable[tuple[str, Judged]]) -> Iterator[str]:
    """The figures of each kind and of all; then the sick runs that pass and the healthy ones that are called sick."""
    found = list(runs)
    yield f"{'kind':<16}" + "  ".join(COLUMNS)
    for kind in [*sorted({kind for kind, _ in found}), ""]:
        yield _row(kind or "all", [run for of, run in found if not kind or of == kind])
    for kind, run in found:
        passes, alarm = run.answer.sick and run.said == "healthy", run.answer.name == "healthy" and not run.held
        if passes or (alarm and run.said != "unknown"):
            yield f"  {run.confidence:.0%} {run.said} ({run.cause}): {kind} {run.path}: {run.answer.name}"


def _row(kind: str, runs: Sequence[Judged]) -> str:
    of = figures(runs)
    parts = (
        f"{of['runs']}",
        f"{(of['right'] + of['acceptable']) / max(1, of['runs']):.1%}",
        f"{of['wrong']}",
        f"{of['refused']} ({of['refused_share']:.1%})",
        f"{of['sick_called_healthy']} of {of['sick']} ({of['sick_called_healthy_share']:.1%})",
        f"{of['healthy_called_sick']} of {of['healthy']} ({of['healthy_called_sick_share']:.1%})",
        f"{of['sure_right']:.1%} of {of['sure']}",
        f"{of['said_healthy_right']:.1%} of {of['said_healthy']}, {of['said_healthy_confidence']:.1%}",
    )
    return f"{kind:<16}" + "  ".join(f"{part:>{len(name)}}" for part, name in zip(parts, COLUMNS, strict=True))


def lines_of_people(cases: Sequence[Case]) -> Iterator[str]:
    """Macro-F1 and the counts of what passes, of all runs and of the test half of the sources; every wrong verdict."""
    for half, of in (("all", cases), ("test half", halves(cases)[1])):
        sick, well = [c for c in of if c.label != "healthy"], [c for c in of if c.label == "healthy"]
        sure = [c for c in of if c.confidence >= SURE and c.said != "unknown"]
        yield (
            f"{half:<10} macro-F1 {score(pairs_of(of))['macro_f1']:.3f}, refused {sum(c.said == 'unknown' for c in of)}"
            f" of {len(of)}, sick called healthy {sum(c.said == 'healthy' for c in sick)} of {len(sick)},"
            f" healthy called sick {sum(c.said not in ('healthy', 'unknown') for c in well)} of {len(well)},"
            f" {share([c for c in sure if c.right], sure):.1%} of {len(sure)} at 95 % or more hold"
        )
    yield from (f"  {c.confidence:.0%} {c.said} ({c.cause}): {c.name}: {c.label}" for c in cases if not c.right)
