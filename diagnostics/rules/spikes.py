"""Sudden events in the training loss: a jump that stays, or spikes that come again."""

from __future__ import annotations

from diagnostics.detectors import spikes
from diagnostics.model.rate_estimate import RateSide
from diagnostics.model.records import Label
from diagnostics.rules.remedies import AFTER_BLOW_UP, BIGGER_BATCH, LONGER_WARMUP, LOOK_AT_DATA, PLAYBOOK, cut_rate
from diagnostics.rules.rule import Case, Rule, Sign, Wording

SPIKES = "{events:.0f} spikes ({score:.1%} of the logs), the highest {height:.0f} times the usual noise"


def _severe(case: Case) -> bool:
    """More than one event in 200 points, or most spikes without recovery."""
    return case.measured.get("score", 0.0) > 0.005 or case.measured.get("recovered", 1.0) < 0.5


LOSS_JUMPS = Rule(
    name="loss-jumps",
    label=Label.UNSTABLE,
    blames=RateSide.TOO_HIGH,
    sign=Sign.BLOW_UP,
    check=spikes.loss_jumps,
    limits={
        "rise": 0.15,  # of the jump, over the level before it
        "sigma": 6.0,  # the standard errors of the jump
        "of_descent": 0.25,  # of the jump, over all that the loss had come down
        "min_points": 30,
        "packing_factor": 1.5,  # a change in the tokens of a step, which explains a jump...
        "packing_sigma": 4.0,  # ... by so many scatters of the counts...
        "packing_points": 8,  # ... with so many logs on either side
    },
    message="the loss jumps from {before:.3g} to {after:.3g} and stays there",
    cause="One step went so far that the run never found its way back: the rate is too high, or a batch is bad.",
    fixes=AFTER_BLOW_UP[1:],
    confidence=0.8,
    example="loss 1.1 until step 400, 1.5 from step 410 to the end",
    sources=("LLaVA#918: 0.6 to 6.7 at a quarter of the run", "PaLM, 2204.02311, section 5.1: skip the batches"),
    not_when="the run was resumed there with other data, or batches or packing change there",
    of_batches=True,
)

LOSS_SPIKES = Rule(
    name="loss-spikes",
    label=Label.UNSTABLE,
    blames=RateSide.TOO_HIGH,
    sign=Sign.BLOW_UP,
    check=spikes.loss_spikes,
    limits={
        "deviations": 6.0,  # of a spike, in local scales of the log loss
        "height": 0.15,  # of a spike, in log loss
        "of_descent": 0.02,  # of a spike, over all that the loss came down
        "score": 0.002,  # the share of the logs that begin a spike...
        "events": 2,  # ... and their number
    },
    message=(f"{SPIKES}; {{returned:.0f}} of them recovered"),
    wordings=(
        Wording(f"{SPIKES}; all of them recovered", "where they did", lambda measured: measured["recovered"] == 1.0),
        Wording(f"{SPIKES}; none of them recovered", "where none did", lambda measured: measured["recovered"] == 0.0),
    ),
    cause="The learning rate is too high for the batch: every so often a step goes too far.",
    fixes=(
        cut_rate(
            0.3,
            "use {factor:times} the learning rate",
            when=_severe,
            condition="above 0.5 % of the logs, or where the loss does not come back",
        ),
        cut_rate(0.5, "use {factor:times} the learning rate"),
        BIGGER_BATCH,
        LONGER_WARMUP,
        LOOK_AT_DATA,
    ),
    confidence=0.85,
    example="four jumps from 1.2 to 2 in 300 logs, each over after a few steps",
    sources=(
        "OLMo-core StabilityMonitor: 6 sigma over 128 steps",
        f"{PLAYBOOK}: clipping helps; above 50 % clipped lower the rate",
        "PaLM saw some 20 spikes in a whole run",
    ),
    not_when=(
        "a single spike that recovers: it is benign; a loss near 0, where every wiggle is a multiple of it. Below 0.3 "
        "of the center look at the data order first"
    ),
    of_batches=True,
)
