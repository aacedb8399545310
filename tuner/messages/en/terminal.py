"""What the terminal shows of a study: the live table, and its end."""

from __future__ import annotations

from collections.abc import Mapping

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
