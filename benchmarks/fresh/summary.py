"""The figures: by style and in all, sick runs called healthy, how far the confidence holds."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from benchmarks.fresh.judge import Judged, Outcome, as_dict
from benchmarks.rate.scores import Scored, header, line

SURE = 0.95
COLUMNS = (Outcome.RIGHT, Outcome.ACCEPTABLE, Outcome.WRONG, Outcome.REFUSED)


def share(part: Sequence[Any], whole: Sequence[Any]) -> float:
    """The share of the whole, 0 of nothing."""
    return len(part) / len(whole) if whole else 0.0


def figures(runs: Sequence[Judged]) -> dict[str, Any]:
    """Counts and shares of some runs."""
    sick, well = [r for r in runs if r.answer.sick], [r for r in runs if r.answer.name == "healthy"]
    sure = [r for r in runs if r.confidence >= SURE and r.outcome is not Outcome.REFUSED]
    healthy = [r for r in runs if r.said == "healthy"]
    sure_healthy = [r for r in healthy if r.confidence >= SURE]
    called_healthy = [r for r in sick if r.said == "healthy"]
    called_sick = [r for r in well if r.outcome is Outcome.WRONG]
    moved = [r for r in runs if r.answer.rate and r.rate_factor is not None]
    astray = [r for r in moved if r.rate_factor is not None and (r.rate_factor - 1) * (r.answer.rate or 0) < 0]
    return {
        "runs": len(runs),
        **{str(kind): sum(r.outcome is kind for r in runs) for kind in COLUMNS},
        "sick": len(sick),
        "sick_called_healthy": len(called_healthy),
        "sick_called_healthy_share": share(called_healthy, sick),
        "healthy": len(well),
        "healthy_called_sick": len(called_sick),
        "healthy_called_sick_share": share(called_sick, well),
        "refused_share": share([r for r in runs if r.outcome is Outcome.REFUSED], runs),
        "sure": len(sure),
        "sure_right": share([r for r in sure if r.held], sure),
        "said_healthy": len(healthy),
        "said_healthy_right": share([r for r in healthy if r.held], healthy),
        "said_healthy_confidence": sum(r.confidence for r in healthy) / max(1, len(healthy)),
        "sure_healthy": len(sure_healthy),
        "sure_healthy_right": share([r for r in sure_healthy if r.held], sure_healthy),
        "rate_wrong": sum(bool(r.answer.rate) for r in runs),
        "rate_told": len(moved),
        "rate_astray": len(astray),
    }


def as_json(runs: Sequence[Judged], seed: int) -> dict[str, Any]:
    """The summary that is kept: figures in all and by style, and every run with its label and verdict."""
    styles = {name: figures([r for r in runs if r.style == name]) for name in dict.fromkeys(r.style for r in runs)}
    labels = {
        name: figures([r for r in runs if r.answer.name == name]) for name in sorted({r.answer.name for r in runs})
    }
    return {"seed": seed, "all": figures(runs), "styles": styles, "labels": labels, "runs": [as_dict(r) for r in runs]}


def lines(runs: Sequence[Judged]) -> Iterator[str]:
    """The summary in words."""
    for title, key in (("style", lambda r: r.style), ("label", lambda r: r.answer.name)):
        yield f"{title:<22}{'runs':>5}" + "".join(f"{column:>11}" for column in COLUMNS)
        for name in dict.fromkeys(map(key, runs)):
            yield _row(name, [r for r in runs if key(r) == name])
        yield ""
    yield _row("all", runs)
    yield from _totals(figures(runs))
    if estimated := [scored for run in runs if (scored := _scored(run)) is not None]:
        yield from (header("the rate: told low/high, error"), line("runs labeled by their rate", estimated))
    for r in runs:
        if r.answer.sick and r.said == "healthy":
            facts = ", ".join(
                f"{k} {v:.3g}" for k, v in r.answer.facts.items() if k in ("times_best_rate", "regret", "rise")
            )
            yield f"  {r.confidence:.0%} healthy: {r.path} ({r.answer.name}; {facts})"


def _scored(run: Judged) -> Scored | None:
    """The estimate of the rate beside the truth, of a run whose label speaks of its rate."""
    if run.estimate is None or run.answer.rate is None:
        return None
    return Scored(math.log10(run.answer.facts["times_best_rate"]), run.estimate)


def _row(name: str, runs: Sequence[Judged]) -> str:
    counts = Counter(r.outcome for r in runs)
    return f"{name:<22}{len(runs):>5}" + "".join(f"{counts[column]:>11}" for column in COLUMNS)


def _totals(of: dict[str, Any]) -> Iterator[str]:
    rows = {
        "refused": _part(of["refused"], of["runs"]),
        "sick called healthy": _part(of["sick_called_healthy"], of["sick"]),
        "healthy called sick": _part(of["healthy_called_sick"], of["healthy"]),
        "said at 95 % or more": f"{of['sure']}, of which {of['sure_right']:.1%} hold",
        "said healthy": f"{of['said_healthy']}, of which {of['said_healthy_right']:.1%} hold"
        f" (claimed {of['said_healthy_confidence']:.1%})",
        "healthy at 95 % or more": f"{of['sure_healthy']}, of which {of['sure_healthy_right']:.1%} hold",
        "rate far off": f"{of['rate_wrong']}, told a rate {of['rate_told']}, the wrong way {of['rate_astray']}",
    }
    yield from (f"{name:<28}{value}" for name, value in rows.items())


def _part(count: int, whole: int) -> str:
    return f"{count} of {whole} ({count / max(1, whole):.1%})"
