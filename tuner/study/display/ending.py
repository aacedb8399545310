"""The end of a study in a terminal: the gain, what changed, answers before and after, and how to continue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from diagnostics.formatting import setting
from tuner.messages import filled
from tuner.messages.en import END
from tuner.study.answers import AnswerPair, answer_pairs, shown_and_missed
from tuner.study.display.lines import best_trial
from tuner.study.report.words import changed
from tuner.study.results import StudyResult, TrialResult
from tuner.study.words import gain_values, gain_words

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

EXACT_MATCH = "eval_exact_match"


def ending(result: StudyResult, folder: Path) -> RenderableType:
    """What is printed when the study in ``folder`` ends."""
    from rich.console import Group

    return Group(*_parts(result, folder))


def _parts(result: StudyResult, folder: Path) -> Iterator[RenderableType]:
    from rich.text import Text

    yield _gain(result)
    changes = ", ".join(f"{knob} {setting(knob, old)} → {setting(knob, new)}" for knob, old, new in changed(result))
    if changes:
        yield Text(filled(END["changed"], {"changes": changes}))
    yield from _answers(answer_pairs(result, folder))
    yield _commands(result, folder)


def _gain(result: StudyResult) -> Text:
    """The gain in a line, highlighted where the repeats prove it, with the exact match where it was measured."""
    from rich.text import Text

    gain = result.gain
    if gain is None:
        return Text(best_trial(result), style="bold")
    if not gain.claimed:
        return Text(gain_words(gain, result.metric, result.direction), style="bold yellow")
    line = filled(END["gain"], gain_values(gain, result.metric, result.direction))
    first, best = ({} if trial is None else trial.metrics for trial in (result.baseline, result.winner))
    if EXACT_MATCH in first and EXACT_MATCH in best and result.metric != EXACT_MATCH:
        line += "; " + filled(END["exact-match"], {"before": first[EXACT_MATCH], "after": best[EXACT_MATCH]})
    return Text(line, style="bold green")


def _answers(pairs: Sequence[AnswerPair]) -> Iterator[Text]:
    """A few answers that became right, each below its question, in lines that are cut at the edge."""
    from rich.text import Text

    shown, _ = shown_and_missed(pairs)
    if not shown:
        return
    counts = {"before": sum(pair.matched_before for pair in pairs), "after": sum(pair.matches for pair in pairs)}
    yield Text()
    yield Text(filled(END["answers"], {"count": len(pairs), **counts}))
    for pair in shown:
        yield _one_line("  ", pair.question, "default")
        yield _one_line(f"    {END['before']:<6}  ", pair.before, "red")
        yield _one_line(f"    {END['after']:<6}  ", pair.after, "green")


def _one_line(head: str, content: str, style: str) -> Text:
    from rich.text import Text

    flat = " ".join(content.split())
    return Text.assemble((head, "dim"), (flat, style), no_wrap=True, overflow="ellipsis")


def _commands(result: StudyResult, folder: Path) -> RenderableType:
    """What can be done next, each with its command, and where the report is."""
    from rich.console import Group
    from rich.text import Text

    rows = [(END["inspect"], f"tuner inspect {quote(str(folder))}"), *_weights(result.winner, folder)]
    width = max(len(head) for head, _ in rows)
    lines = (Text.assemble((f"{head:<{width}}  ", "dim"), command, overflow="fold") for head, command in rows)
    return Group(Text(), *lines, Text(filled(END["report"], {"path": str(folder / "study.html")})))


def _weights(best: TrialResult | None, folder: Path) -> Iterator[tuple[str, str]]:
    """How to use the weights that the best trial left."""
    if best is None or best.host:
        return
    run = folder / best.folder
    if (run / "adapter").exists():
        yield END["merge"], f"tuner merge {quote(str(run))} {quote(str(folder / 'merged'))}"
        yield END["load-adapter"], f'PeftModel.from_pretrained(model, "{run / "adapter"}")'
    elif (run / "model").exists():
        yield END["load-model"], f'AutoModelForCausalLM.from_pretrained("{run / "model"}")'
