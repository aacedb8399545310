"""What a study's report says beside its tables: titles, heads, sentences."""

from __future__ import annotations

from collections.abc import Mapping

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
    "where a run was stopped. Green is where the best rate is believed to be; amber lies past the edge that it names, "
    "where that edge is on the axis.",
    "edge-of-stability": "edge of stability",
    "edge-or-forgetting": "unstable, or forgets too much",
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
