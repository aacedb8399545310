"""What ``tuner check`` finds out."""

from __future__ import annotations

from collections.abc import Mapping

CHECKS: Mapping[str, str] = {
    "check-trains": "trains: step {step:g}, training loss {loss:number}",
    "check-not-trained": "does not train: {why}",
    "check-not-in-time": "no two steps with {metric} within {minutes:g} minutes",
    "check-metric": "{metric} is logged: {value:number} at step {step:g}",
    "check-no-metric": "{metric} is not in the log, which has {curves}; name another study.metric, or have it logged",
    "check-labels": "the training loss is a number above 0, so labels are left to learn from",
    "check-no-labels": "the training loss is {loss}: is every label masked, or cut off by the length cap?",
    "check-stops": "stops on its signal in {seconds:number:1} s, and nothing is left running",
    "check-stopped-by-force": "does not stop on its signal and had to be killed; another study.stop may save a "
    "checkpoint",
    "check-left-running": "{count:plural:process is|processes are} still running after the stop",
    "check-resumes": "continues after a stop: the second start begins at step {step:g}",
    "check-begins-again": "begins again after a stop, at step {step:g}: a trial that is killed is trained anew; give "
    "study.resume, or let the command look for its checkpoint",
    "check-through": "was through before it could be stopped and started again: whether it continues is not known",
    "check-not-resumed": "does not start a second time: {why}",
    "check-rows": "{rows:number} rows to train on and {held:number} held out; no question is in both",
    "check-leak": "{count:number} of {held:number} held-out rows ask what is also trained on: the eval loss flatters",
    "check-duplicates": "{count:number} of {rows:number} rows to train on stand there more than once",
    "check-cost": "{each:number:1} s a step and {steps:number} steps a trial: at most {minutes:number:1} minutes for "
    "{trials} trials and {repeats} repeats, {workers} at a time",
    "check-cost-unknown": "what the study will cost is not known: {why}",
    "check-lengths": "no row is longer than {limit:number} tokens: the longest of {rows:number} has {longest:number}",
    "check-cut": "{cut:number} of {rows:number} rows ({share:percent}) are longer than {limit:number} tokens and are "
    "cut; the longest has {longest:number}",
    "check-answers-lost": "{lost:number} of {rows:number} rows have a question that fills the {limit:number} tokens: "
    "of their answers nothing is left to learn from",
    "check-no-limit": "lengths were not counted: no length limit is known",
    "check-no-answers": "lengths were not counted: the rows have no answers",
    "check-no-tokenizer": "lengths were not counted: no tokenizer can be loaded here ({why})",
    "check-rows-elsewhere": "rows were not looked at: only the trainer itself finds them",
    "check-answer": 'asked "{question}", the short run\'s model answers "{answer}"',
    "check-no-answer": "no answer was generated: {why}",
    "check-base-elsewhere": "no answer was generated: the base model {base} is no folder on this machine",
    "check-memory": "{gigabytes:number:1} GB of memory at its peak, shared pages counted for each process",
}
"""What ``tuner check`` finds out."""

CHECK_STATES: Mapping[str, str] = {"passed": "ok", "failed": "FAILED", "warned": "note", "skipped": "skip"}
"""How a check of ``tuner check`` ended."""
