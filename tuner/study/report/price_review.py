"""The points of the review on what the best trial forgot: a limit that no trial keeps, and a gain dearly paid."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from diagnostics.model.message import message
from tuner.study.price import cheaper, price_of_best
from tuner.study.report.yaml_patch import patch, rounded
from tuner.study.results import Paragraph, StudyResult

if TYPE_CHECKING:
    from tuner.config.study_file import StudySpec

MOST_OF_THE_GAIN = 0.95


def price_points(result: StudyResult, spec: StudySpec) -> Iterator[Paragraph]:
    """What to say of the price; nothing where forgetting was not watched, or little was forgotten."""
    best, limit = price_of_best(result), result.forgetting_limit
    if best is None:
        return
    if limit is not None and best.forgotten > limit:
        what = message("least-forgotten", limit=limit, trial=best.trial.number, rise=best.forgotten)
        yield Paragraph(message("every-trial-forgets"), (what, message("search-lower")))
    other = cheaper(result, MOST_OF_THE_GAIN) if limit is None else None
    if other is not None:
        share = other.gained / best.gained
        told = {"trial": other.trial.number, "share": share, "rise": other.forgotten, "most": best.forgotten}
        changes = patch(spec, study={"forgetting_limit": rounded(0.5 * (other.forgotten + best.forgotten))})
        yield Paragraph(message("high-price"), (message("cheaper-trial", **told), message("set-limit")), changes)
