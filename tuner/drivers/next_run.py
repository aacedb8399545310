"""The next run after a driven one: the trainer's own config with the first advice in it."""

from __future__ import annotations

from diagnostics.model.curves import Run
from diagnostics.model.records import Diagnosis
from tuner.config.next_run import as_yaml, numeric, typed
from tuner.config.overrides import with_overrides
from tuner.config.study_spec import StudySpec
from tuner.config.trainers.dotted import nested
from tuner.config.trainers.driver import own_config
from tuner.drivers.plan import Plan
from tuner.errors import SpecError


def next_run_yaml(spec: StudySpec, plan: Plan, run: Run, diagnosis: Diagnosis) -> str:
    """The trainer's own file with the first advice that is a new value; empty where there is none."""
    driver = plan.driver
    changes = [
        change
        for change in numeric(diagnosis.advice)
        if change.new is not None and not change.optional and change.knob not in driver.unknown
    ][:1]
    try:
        made = with_overrides(plan.made, {change.knob: typed(change.knob, change.new) for change in changes})
        own = own_config(driver, spec.config, made, driver.devices)
    except SpecError:
        return ""
    known = any(driver.key(change.knob) in own or change.knob in spec.config for change in changes)
    return as_yaml(run.name, nested(own), changes, None) if known else ""
