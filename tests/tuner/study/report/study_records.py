"""Studies written down by hand, for the tests of reports."""

from __future__ import annotations

import math
from dataclasses import replace

from diagnostics.model.message import message
from tuner.config.direction import Direction
from tuner.config.search_space import Choice, Range
from tuner.search.proposer import Proposer
from tuner.study.failure import Failure, FailureKind
from tuner.study.results import Gain, Pair, Paragraph, RuleRecord, StudyResult, TrialResult, TrialState


def trial(
    number: int, rate: float, value: float | None, by: str | Proposer = "sampler:gp", **more: object
) -> TrialResult:
    curve = tuple((float(step), (value or 3.0) + 10 / step) for step in range(10, 60, 10))
    fields = {"state": TrialState.COMPLETE, "label": "healthy", "folder": f"trial-{number:03d}", "curve": curve, **more}
    return TrialResult(
        number, {"learning_rate": rate, "batch_size": 8}, value, proposer=Proposer.from_text(str(by)), **fields
    )


TRIALS = (
    trial(0, 1e-5, 1.4, "file", label="underfit", cause="rate-too-low", metrics={"eval_exact_match": 0.02}),
    trial(1, 3e-5, 1.1, "advice:rate-too-low", moved={"learning_rate": (1e-5, 3e-5)}, because="one rung up"),
    trial(2, 5e-3, None, state=TrialState.PRUNED, label="unstable", cause="loss-diverges", stopped="loss-diverges"),
    trial(3, 1e-4, 0.7, "advice:rate-too-low", moved={"learning_rate": (3e-5, 1e-4)}, because="one rung up"),
    trial(4, 9e-3, 8.0, label="unstable"),
)
GAIN = Gain((Pair(43, 1.41, 0.71), Pair(44, 1.39, 0.69), Pair(45, 1.4, 0.7)), 0.7, 0.001)
TOO_FEW = Gain(GAIN.pairs[:1], 0.7, 0.0, (message("too-few-seeds", needed=3),))
STUDY = StudyResult(
    name="orders",
    path="studies/orders.yaml",
    method="sft",
    metric="eval_loss",
    direction=Direction.MINIMIZE,
    space={"learning_rate": Range(1e-6, 1e-2, log=True), "batch_size": Choice((4, 8))},
    trials=TRIALS,
    best=3,
    gain=GAIN,
    records=(RuleRecord("rate-too-low", 2, 2, 0, 0),),
    review=(Paragraph("Batch at its edge", ("Allow more.",), {"study": {"space": {"batch_size": [8, 16]}}}),),
    seconds=600.0,
    before={"eval_exact_match": 0.0},
    after={"eval_exact_match": 0.69},
    versions={"trl": "1.16"},
    notes=("one note",),
)
BARE = replace(
    STUDY, trials=(), best=None, gain=None, records=(), review=(), before={}, after={}, versions={}, notes=()
)
ONE = replace(BARE, trials=TRIALS[:1], best=0)
LOST = replace(
    BARE,
    trials=(
        trial(0, 1e-5, None, "file", state=TrialState.FAILED, failure=Failure(FailureKind.OUT_OF_MEMORY), curve=()),
    ),
)
ODD = replace(
    STUDY,
    trials=(
        trial(0, 1e-5, math.inf, "file", curve=((1.0, math.nan), (2.0, math.inf))),
        trial(1, 1e-5, 1e308, curve=()),
        trial(2, 1e-5, 0.0, curve=((1.0, 1e300), (2.0, -1e300))),
    ),
    best=2,
)
STUDIES = {"full": STUDY, "no trial": BARE, "one trial": ONE, "nothing but failure": LOST, "odd values": ODD}
