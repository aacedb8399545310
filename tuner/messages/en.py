"""English: one template for each code; ``tuner.messages.catalog`` says what a field may hold."""

from __future__ import annotations

from collections.abc import Mapping

PROPOSALS: Mapping[str, str] = {
    "text": "{text}",
    "rule-advises": "{rule:name} in trial {trial}",
    "rule-measured": "{rule:name} in trial {trial}: {rule:finding}",
    "model-expects": "this run should save {saves:.1%}",
    "model-expects-at-rate": "the best rate is about {best:of:knob} ({low:of:knob} to {high:of:knob}); this run should "
    "save {saves:.1%}",
    "model-expects-below-edge": "the best rate is about {best:of:knob} ({low:of:knob} to {high:of:knob}), the edge of "
    "stability near {edge:of:knob}; this run should save {saves:.1%}",
    "another-seed": "trial {trial} on another seed: one run each is too few to pick a winner",
}
"""Why a trial was proposed."""

EARLIER: Mapping[str, str] = {
    "next-to-best": "{knob:name} {value:of:knob} lies next to trial {trial}, the best so far",
    "every-rate-diverged": "every rate so far diverged",
    "half-way-to-tried-rate": "half-way to the rate that was tried beyond it",
    "beyond-highest-rate": "the best rate so far is the highest that was tried with these settings",
    "beyond-lowest-rate": "the best rate so far is the lowest that was tried with these settings",
    "half-of-diverged-rate": "halfway below a learning rate that was too high",
    "vertex-of-rates": "the lowest point of a parabola through the rates tried",
    "gap-beside-best-rate": "half-way into the gap beside the best rate",
}
"""Why a trial was proposed in studies of earlier versions."""

PRUNED: Mapping[str, str] = {
    "diverged": "diverged",
    "no-way-back": "{rule}: no run recovers from it",
    "pruned": "the pruner stopped it",
    "out-of-reach": "{value:number} at {share:percent} of the run, where trial {trial} had {other:number}",
}
"""Why a trial was stopped."""

SOURCES: Mapping[str, str] = {
    "file": "your file",
    "advice": "advice",
    "trust-region": "sampler",
    "run-model": "model of the run",
    "sampler": "sampler",
    "another-seed": "another seed",
}
"""Who proposes trials, by kind."""

ONLY_SEED = "only the seed"
"""What moved in a repeat of earlier settings."""

STOP_REASONS: Mapping[str, str] = {
    "space-used-up": "every setting of the space has been tried",
    "minutes-spent": "no time for another trial: {minutes:g} minutes are spent",
    "minutes-kept": "no time for another trial: the rest of {minutes:g} minutes is for the repeats",
    "steps-spent": "no steps for another trial: {spent:number} of {steps:number} are spent",
    "steps-kept": "no steps for another trial: {spent:number} of {steps:number} are spent, {kept:number} are for the "
    "repeats",
    "no-gain-in-sight": "no gain beyond noise is in sight: {trials} more trials are expected to improve {metric} by "
    "{expected:number:1}, and differences below {noise:number:1} are noise (--no-stop-early continues anyway)",
}
"""Why a search begins no other trial."""

NOTICES: Mapping[str, str] = {
    "rescales-metric": "{knob} stays at the file's value: {metric} means something else for each {knob}, so no search "
    "by it can tell which is better; to search {knob}, give a metric that it does not change, such as "
    "eval_rewards_accuracies",
    "waiting-for-trial": "waiting for trial {trial}, which another worker trains",
    "waiting-for-gpus": "waiting for a free slot on GPU {gpus}: another study, or what a killed one left, has them",
    "waiting-for-repeat": "waiting for {run}, which another worker trains",
    "workers-killed": "every worker was killed (status {statuses}); the same command continues the study",
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

GAIN: Mapping[str, str] = {
    "seed": "{better} of {seeds} seeds better; {metric} {before:number} -> {after:number}{share}",
    "seeds": "{better} of {seeds} seeds better; {metric} {before:number} -> {after:number}{share}, ±{spread:number:1} "
    "(two standard errors)",
    "not-claimed": "no gain is claimed ({doubts}): {words}",
}
"""What the repeats show, by how many pairs of seeds there are."""

END: Mapping[str, str] = {
    "gain": "{metric} {before:number} → {after:number}{share}, confirmed on {better} of {seeds} seeds",
    "exact-match": "exact match {before:percent} → {after:percent}",
    "changed": "Changed: {changes}",
    "answers": "Answers to {count} held-out questions: {before} right with your file, {after} right now.",
    "before": "before",
    "after": "after",
    "inspect": "Look at the curves",
    "merge": "Merge the adapter",
    "load-adapter": "Load the adapter",
    "load-model": "Load the model",
    "report": "report: {path}",
}
"""What the end of a study shows."""

LIVE: Mapping[str, str] = {
    "loading": "loading the model and the data",
    "step": "step {step:number} of {steps:number}",
    "against-file": "{change} against your file",
    "moved": "what moved",
    "verdict": "verdict",
    "proposed-by": "proposed by",
    "delta": "vs. file",
    "earlier-trials": "… {count:plural:earlier trial|earlier trials}",
}
"""What the live table shows beside the trials."""

STATES: Mapping[str, str] = {
    "complete": "complete",
    "pruned": "stopped early",
    "failed": "failed",
    "infeasible": "too large for the memory",
    "running": "running",
}
"""How trials ended, by state."""

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

PHRASES: Mapping[str, str] = {
    "run-again": "Run the study again to continue it.",
    "file-is-best": "Trial 0, exactly your file, is the best of {trials} with {value}.",
    "best-of": "Trial {trial} is the best of {trials}.",
    "retrained": "Your settings and those of trial {trial}, the best of {trials}, were both retrained on "
    "{seeds:plural:new seed|new seeds}. The new settings won on {better}: better by {mean} ± {stderr} (standard "
    "error).",
    "on-all": "all {seeds}",
    "on-some": "{better} of {seeds}",
    "repeats-disagree": "{count} of {repeats} repeats of the best settings are {label}, trial {trial} is "
    "{trial_label}: see their reports before you rely on these settings.",
    "gains": "Exact differences along the way from your file to the best trial, each trial against the one it came "
    "from. One run each, so a difference within noise says nothing.",
    "within-noise": "{gain} (within noise)",
    "only-seed": "only the seed",
    "trial-to-trial": "{start} → {trial}",
    "misses": "{count:plural:answer that is|answers that are} still wrong",
    "counted": "{right} of {total} answers match with your file, {after} with the best settings.",
    "from-to": "From {before} with your own file to {value} in trial {trial} of {trials}.",
    "not-repeated": "Not yet repeated on fresh seeds.",
    "proof": "Both were retrained on the same new seeds. {words}",
    "records": "How many verdicts gave a rule's advice, and how the trials that followed it compare with those they "
    "came from.",
    "rate": "The model of the run after all trials, at the best trial's other settings: a line for each batch, and a "
    "band that holds four of five guesses. Dots are trials in the color of their batch, the best in a ring, hollow "
    "where a run was stopped; red lies past the edge of stability, green is where the best rate is believed to be.",
    "edge-of-stability": "edge of stability",
    "best-rate": "best rate about {best} ({low} to {high})",
    "batch": "batch",
    "path": "Numbers are trials in the order they were tried; an arrow leads to each from the trial it moved on from. "
    "A cross at the edge is a trial that diverged, was stopped, or is too bad for the axis. A point that covers others "
    "says how many: +2.",
    "beside": "Trials lie beside this report, each with the settings, the log and a report of its own.",
    "noise": "± {noise}",
    "noise-in-search": "The search ignores differences below {noise} between two runs.",
    "noise-evaluations": "The evaluations of one run scatter by {noise} (standard deviation).",
    "noise-seeds": "Seeds of the best settings scatter by {noise} (standard deviation).",
    "steps": "{steps:,.0f} optimizer steps",
    "steps-and-lost": "{steps:,.0f} optimizer steps, attempts that ran out of memory included",
    "stopped-early": "Early stopping ended {stopped:plural:trial|trials} and saved the training of {saved:.1f} runs.",
    "checked": "{checked:plural:trial|trials} that it would have stopped went on as a check; none became the best.",
    "checked-and-won": "A trial that it would have stopped went on as a check and is the best: without it the result "
    "would be {lost:.1%} worse.",
    "steps-note": "Optimizer steps are counted in batches of trial 0, repeats included.",
    "single-run": "{value} (trial {trial})",
    "still-running": "still running",
    "place": "on {host}: {folder}",
    "trial": "trial {trial}",
    "best-trial": "{trial} (best)",
    "on-host": "(on {host})",
    "in-folder": "(in the study's folder)",
    "train-again": "Train the best settings again {there}",
    "merge": "Merge the adapter into the model {there}",
    "continue": "Continue with more trials (from where the study was started)",
}
"""What a study's report says beside its tables."""

HEADS: Mapping[str, str] = {
    "trials": "trials",
    "time": "time",
    "steps": "steps",
    "exact-match": "exact match",
    "method": "method",
    "metric": "metric",
    "seed-noise": "seed noise",
    "forgotten": "forgotten",
    "general-rise": "rise on general text",
    "noise": "noise",
    "single-run": "best single run",
    "new-seeds": "mean of {seeds:plural:new seed|new seeds}",
    "step": "trial",
    "before": "before",
    "after": "after",
    "question": "question",
    "reference": "reference",
    "answer-before": "your file",
    "answer-after": "best settings",
    "setting": "setting",
    "values": "values",
    "file": "your file",
    "model": "untouched model",
    "best": "best trial (single run)",
    "best-settings": "best settings",
    "better-by": "better by",
    "metric-table": "metric (eval: held-out rows)",
    "trial": "trial",
    "verdict": "verdict",
    "moved": "what moved",
    "why": "who moved it, and why",
    "seed": "seed",
    "mean": "mean ± standard error",
    "rule": "rule",
}
"""Names of facts and heads of tables."""

RECORD_COUNTS = ("advised", "followed", "helped", "hurt", "within noise")
"""What is counted of a rule's advice."""

TITLES: Mapping[str, str] = {
    "study": "Study {name}",
    "metrics": "Before and after",
    "rate": "What the search expects of the learning rate",
    "path": "The path of the search",
    "progress": "Best so far",
    "curves": "Every trial's curve",
    "trials": "All trials",
    "proof": "The proof",
    "answers": "Answers before and after",
    "changed": "What changed",
    "gains": "What each change brought",
    "winner-file": "The best settings as a file",
    "price": "What was gained, and what was forgotten",
    "records": "How the advice did",
    "review": "Across all trials",
    "next": "Next steps",
    "space": "The space that was searched",
    "versions": "Versions",
    "notes": "Notes",
}
"""The titles of the sections of a study's report."""

MEMORY: Mapping[str, str] = {
    "workers-killed-before": "{killed:plural:worker was|workers were} killed in it before that",
}
"""What a run cost for want of memory, beside the note on its device batch."""

PRICE: Mapping[str, str] = {
    "title": "What was gained, and what was forgotten",
    "forgotten": "rise of the loss on general text (nats a token)",
    "limit": "forgetting_limit",
    "words": "Across: how far the loss on general text rose in each trial, in nats a token, at the checkpoint that is "
    "kept. Up: the metric, the better the higher. The best trial has a ring; a cross lies off the axes.",
    "within": "The best trial is chosen among those that stay within {limit:number}.",
    "rise": "{rise:+.3f} nats a token",
    "over": "forgets {rise:+.3f}, above the limit",
}
"""What a study says of the price of its gain."""

POINTS: Mapping[str, str] = {
    "every-trial-forgets": "Every trial forgets more than the limit",
    "high-price": "The last of the gain is dearly paid",
    "broken-run": "Something is broken that no setting fixes",
    "unstable-trials": "Many trials are unstable",
    "failed-trials": "Some trials failed",
    "infeasible-trials": "Some settings do not fit in memory",
    "rows-lowered": "The device batch was lowered to fit",
    "edge-of-range": "The best {knob:name} lies at the edge of its range",
    "few-updates": "Few updates",
    "schedule-too-short": "The schedule is too short",
    "schedule-too-long": "The schedule is longer than needed",
    "no-effect": "{knob:name} has no effect here",
    "gain-not-proved": "The gain is not proved",
}
"""The titles of the review."""

REVIEW: Mapping[str, str] = {
    "least-forgotten": "No trial keeps the rise of the loss on general text below {limit:number}; trial {trial} "
    "forgets least, {rise:.3f} nats a token, and is taken as the best.",
    "search-lower": "Search lower learning rates and fewer epochs, mix general rows into the data, or allow more.",
    "cheaper-trial": "Trial {trial} reaches {share:percent} of the gain of the best one and forgets {rise:.3f} nats a "
    "token of general text instead of {most:.3f}.",
    "set-limit": "In a new study (with another --out) a limit makes it the best.",
    "broken-finding": "Trial {trial}: {finding}.",
    "look-first": "Look at this first: the search continues, but its comparisons mean little until it is fixed.",
    "unstable-count": "{unstable} of {trials} trials were unstable ({share:percent}).",
    "highest-stable-rate": "The highest learning rate that stayed stable was {rate:of:knob}; end the range there in a "
    "new study (with another --out), or warm up for longer.",
    "begin-lower": "Begin with a tenth of the lowest of their learning rates, or warm up for longer.",
    "failed-with": "{count:plural:trial|trials} ({numbers}) ended with {errors}; each keeps its traceback "
    "in error.txt.",
    "did-not-fit": "{count:plural:trial|trials} ({numbers}) did not fit in memory with one row on the device, so the "
    "search stays away from there.",
    "shorter-rows": "Shorter rows need less.",
    "checkpoint-gradients": "Gradient checkpointing needs less memory for more time.",
    "memory-ran-out": "Memory ran out in {runs}; the study continued with {train:plural:row|rows} on the device "
    "(evaluation: {evaluation}) and more accumulation, so the effective batch sizes are what they were.",
    "write-rows": "Write it into the file to save the attempts.",
    "only-kills": "In {runs} the only sign of it is that workers were killed while hardly any memory was free.",
    "edge-highest": "The best {knob:name}, {value:of:knob}, is the highest that the space allows.",
    "edge-lowest": "The best {knob:name}, {value:of:knob}, is the lowest that the space allows.",
    "beyond-edge": "A better one may lie beyond it: widen the range in a new study (with another --out).",
    "updates": "The best trial made {steps:.0f} optimizer steps; LoRA needs about {needed} to settle.",
    "smaller-batch": "A smaller batch makes more of them from the same data.",
    "more-data": "More data or more epochs make more of them.",
    "still-improving": "The best trial still improved at the end: {first:number} to {last:number} in the last quarter.",
    "twice-as-long": "Twice the length is worth a try.",
    "best-early": "The best trial was at its best after {share:percent} of its steps; the rest of the time was "
    "not needed.",
    "below-noise": "Moving {knob:name} across its range changed the metric by less than its noise ({noise:number:1}).",
    "keep-value": "Keep it at {value:of:knob}, so that the trials go to settings that matter.",
    "more-seeds": "More seeds or more held-out rows would tell; the same study continues with more seeds.",
}
"""The sentences of the review."""

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
    "check-not-resumed": "does not start a second time: {why}",
    "check-rows": "{rows:number} rows to train on and {held:number} held out; no question is in both",
    "check-leak": "{count:number} of {held:number} held-out rows ask what is also trained on: the eval loss flatters",
    "check-duplicates": "{count:number} of {rows:number} rows to train on stand there more than once",
    "check-cost": "{each:number:1} s a step and {steps:number} steps a trial: at most {minutes:number:1} minutes for "
    "{trials} trials and {repeats} repeats, {workers} at a time",
    "check-cost-unknown": "what the study will cost is not known: {why}",
    "check-memory": "{gigabytes:number:1} GB of memory at its peak, shared pages counted for each process",
}
"""What ``tuner check`` finds out."""

CHECK_STATES: Mapping[str, str] = {"passed": "ok", "failed": "FAILED", "warned": "note"}
"""How a check of ``tuner check`` ended."""

MESSAGES: Mapping[str, str] = {
    **PROPOSALS,
    **EARLIER,
    **PRUNED,
    **STOP_REASONS,
    **NOTICES,
    **DOUBTS,
    **MEMORY,
    **HEADLINES,
    **POINTS,
    **REVIEW,
    **CHECKS,
}
