"""What a study says while it runs and of what came of it: notices, failures, gains and doubts."""

from __future__ import annotations

from collections.abc import Mapping

NOTICES: Mapping[str, str] = {
    "rescales-metric": "{knob} stays at the file's value: {metric} means something else for each {knob}, so no search "
    "by it can tell which is better; to search {knob}, give a metric that it does not change, such as "
    "eval_rewards_accuracies",
    "waiting-for-trial": "waiting for trial {trial}, which another worker trains",
    "waiting-for-gpus": "waiting for a free slot on GPU {gpus}: another study, or what a killed one left, has them",
    "waiting-for-repeat": "waiting for {run}, which another worker trains",
    "workers-killed": "every worker was killed (status {statuses}); the same command continues the study",
    "worker-lost": "a worker was lost ({why}); another one takes its place",
    "workers-lost-in-a-row": "{losses} workers in a row were lost ({why}); the same command continues the study",
    "worker-broke": "a worker ended by an error: {line}; its log is in {folder}",
    "cluster-gone": "the {engine} cluster is gone, and its workers stop; once there is one, the same command continues",
    "waiting-for-places": "{begun} of {workers} workers have a place on the cluster; the others wait for one",
    "trial-taken-over": "trial {trial} was left by a worker that is gone: it begins again here",
    "failure-may-pass": "{run}: {why}; again in {seconds:g} s",
    "database-gone": "{address} does not answer ({why}): waiting for it for up to {minutes:g} minutes",
    "database-back": "{address} answers again after {seconds:.0f} s",
    "trial-lost": "trial {trial} is in the hands of another worker: this one lost its connection",
    "first-trial-broken": "trial 0 looks broken ({cause}): no setting fixes that, see its report",
    "trials-missing": "{trials} of {total} trials so far; the same command continues",
    "lowest-by-luck": "trial {lowest} reached {value:.4g}, but seeds alone differ by that much: all trials together "
    "promise more of trial {best}",
    "several-objectives": "this study has {objectives} objectives: verdicts lead and stop no trial in it",
    "nothing-reported": "nothing was reported to the trial, so it can only be stopped when it diverges: call "
    "trial.report(value, step) before should_prune()",
    "own-names": "the trainer's own names: {names}",
    "repeats-missing": "{repeats:plural:repeat is|repeats are} missing; the same command runs them",
}
"""What a reader should know of a study, beside its trials."""

FAILURES: Mapping[str, str] = {
    "out-of-memory": "does not fit in memory, even with one row on the device{where}",
    "killed-for-memory": "does not fit in memory, even with one row on the device{where}: the kernel killed it",
    "workers-killed": "its worker was killed while hardly any memory was free, even with one row on the device{where}",
    "workers-lost": "{losses} workers in a row were killed in it without progress, and not for memory: preempted, or a "
    "crash below Python",
}
"""Why a trial failed, by the kind of failure; ``where`` names the settings that memory depends on."""

LOWERED: Mapping[str, str] = {
    "out-of-memory": "{run}: out of memory with {failed}{where}; again with {fits}",
    "killed-for-memory": "{run}: its worker was killed, and the kernel was out of memory, with {failed}{where}; again "
    "with {fits}",
    "workers-killed": "{run}: its worker was killed while hardly any memory was free, with {failed}{where}; again with "
    "{fits}",
}
"""Why a run begins again with fewer rows on the device, by the kind of failure."""

MEMORY: Mapping[str, str] = {
    "workers-killed-before": "{killed:plural:worker was|workers were} killed in it before that",
}
"""What a run cost for want of memory, beside the note on its device batch."""

STATES: Mapping[str, str] = {
    "complete": "complete",
    "pruned": "stopped early",
    "failed": "failed",
    "infeasible": "too large for the memory",
    "running": "running",
}
"""How trials ended, by state."""

DOUBTS: Mapping[str, str] = {
    "file-not-beaten": "no gain: your own settings, trial 0, were not beaten",
    "no-repeats": "no gain is claimed: the study has no repeats (seeds: 0)",
    "first-trial-without-value": "no gain is claimed: trial 0 has no value",
    "no-pairs": "no seed was finished by both sides, so nothing is proved",
    "seeds-without-pair": "{seeds:plural:seed|seeds} without a pair",
    "not-every-seed-better": "not every seed is better",
    "too-few-seeds": "{needed} seeds are needed",
    "within-noise": "the difference is within noise",
    "forgets-too-much": "on fresh seeds the loss on general text rises by {rise:.2g}, above the limit of "
    "{limit:number}",
    "small-gain": "a gain below {share:.1%} needs {needed} seeds",
}
"""Why a gain is not claimed; the first four say so in a whole sentence."""

GAIN: Mapping[str, str] = {
    "seed": "{better} of {seeds} seeds better; {metric} {before:number} -> {after:number}{share}",
    "seeds": "{better} of {seeds} seeds better; {metric} {before:number} -> {after:number}{share}, ±{spread:number:1} "
    "(two standard errors)",
    "not-claimed": "no gain is claimed ({doubts}): {words}",
}
"""What the repeats show, by how many pairs of seeds there are."""

HEADLINES: Mapping[str, str] = {
    "nothing-finished": "no trial has finished yet",
    "nothing-better": "nothing beat your own settings",
    "best-value": "best {metric:name}: {value}",
    "gain-lacks-seeds": "a gain that is not proved yet",
    "gain-within-noise": "no gain beyond noise",
    "better-proved": "{metric:name} {before} → {after}{change}, confirmed on {better} of {seeds} new seeds",
    "better-on-one-seed": "{metric:name} {before} → {after}{change}, on one seed",
}
"""What came of a study, in a line."""
