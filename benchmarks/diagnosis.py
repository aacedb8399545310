"""How often is the verdict right on labeled runs, and how far can its confidence be trusted?

    python -m benchmarks.diagnosis --runs FOLDER [--disagree FOLDER] [--made-up 300] [--trained 200]

``FOLDER/manifest.json`` is a list of objects with ``id``, ``file`` (relative to the folder), ``label`` (healthy,
underfit, overfit, unstable; null is not scored), ``confidence`` of the label (below 0.65 is not scored) and
``source.repo``. The sources are split in two halves by a fixed seed, so that no curve of a source is on both sides;
limits and the map of confidences are also scored on each source with that source left out of choosing them.
``--disagree`` writes a page with the curve for every run that is called something else than its label. ``--made-up``
counts false alarms on so many made-up healthy runs of each family, ``--trained`` scores us and the rivals on small
networks that are trained for it, whose true held-out loss is known (some 0.15 s each).

A folder with a ``labels.json`` holds runs that learn from rewards (GRPO, RLOO): each is judged in a line, with what
five other programs' rules say of it.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

if __package__ in (None, ""):  # run as a file: the packages lie beside the folder of this script
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.verdicts import tables
from benchmarks.verdicts.calibration import fitted, recalibrated_elsewhere, remapped
from benchmarks.verdicts.cases import Case, Labeled, answered, as_overfit_or_not, diagnosed, labeled
from benchmarks.verdicts.disagreements import disagreements, line, write_pages
from benchmarks.verdicts.folds import halves
from benchmarks.verdicts.healthy import FAMILIES, healthy_runs
from benchmarks.verdicts.histories import histories
from benchmarks.verdicts.limits import FACTORS, Answers, chosen_elsewhere
from benchmarks.verdicts.perturbed import WAYS, perturbed
from benchmarks.verdicts.rewards import LIST, labeled_rewards, missed
from benchmarks.verdicts.rewards import tables as reward_tables
from benchmarks.verdicts.rivals import RIVALS
from benchmarks.verdicts.scores import pairs_of, score
from diagnostics.diagnosis.calibration import DEFAULT

GOAL_F1, GOAL_ALARMS = 0.90, 0.05


def show(*parts: str) -> None:
    """Print the lines and an empty one."""
    print("\n".join(parts), end="\n\n")


def rival_tables(runs: Sequence[Labeled], ours: Sequence[Case], held_out: set[str]) -> bool:
    """Print both comparisons; whether every rival is behind on the test half, in both."""
    answers = {rival.name: answered(runs, rival.says) for rival in RIVALS}
    full = {"tuner": ours} | {r.name: answers[r.name] for r in RIVALS if not r.overfit_only}
    binary = {"tuner": ours} | {r.name: answers[r.name] for r in RIVALS if "overfit" in r.knows}
    binary = {name: as_overfit_or_not(cases) for name, cases in binary.items()}
    show(*tables.compared("four labels", full, held_out))
    show(*tables.compared("overfit or not", binary, held_out))
    return all(_leads(group, held_out) for group in (full, binary))


def _leads(answers: dict[str, Sequence[Case]], held_out: set[str]) -> bool:
    """Whether the first tool has the highest macro-F1 on the test half."""
    best = [score(pairs_of(c for c in cases if c.name in held_out))["macro_f1"] for cases in answers.values()]
    return best[0] > max(best[1:])


def alarms(count: int) -> None:
    """Print how many made-up healthy runs of each family were called sick, and as what."""
    lines = [f"{'made-up healthy runs':<{tables.WIDE}}false alarms"]
    for family in FAMILIES:
        cases = diagnosed(healthy_runs(family, count))
        causes = Counter(case.cause for case in cases if case.cause)
        rate = score(pairs_of(cases))["false_alarms"]
        lines.append(f"{f'  {family}, {count}':<{tables.WIDE}}{rate:.1%}  {dict(causes) or ''}")
    show(*lines)


def trained(count: int) -> None:
    """Print who tells networks that overfit from those that do not, by their true held-out loss."""
    runs = histories(count)
    ours = diagnosed(runs)
    answers = {"tuner": ours} | {r.name: answered(runs, r.says) for r in RIVALS if "overfit" in r.knows}
    lines = [f"{f'trained networks, {len(runs)}':<{tables.WIDE}}macro-F1   accuracy   false alarms"]
    lines += [tables.in_a_line(f"  {name}", as_overfit_or_not(cases)) for name, cases in answers.items()]
    show(*lines)
    show(*tables.reliability("confidence of verdicts of overfit there", [c for c in ours if c.said == "overfit"]))


def limit_tables(runs: Sequence[Labeled]) -> None:
    """Print what limits chosen on other sources score, and what the whole table moved by a factor scores."""
    answers = Answers(runs)
    show(*tables.scores("limits chosen on other sources", chosen_elsewhere(runs, answers)))
    lines = [f"{'all limits times':<{tables.WIDE}}macro-F1   accuracy   false alarms"]
    for factor in FACTORS:
        cases = answers.of(dict.fromkeys(("unstable", "overfit", "underfit"), factor)).values()
        lines.append(tables.in_a_line(f"  {factor:g}", cases))
    show(*lines)
    lines = [f"{'the same runs, worse logged':<{tables.WIDE}}macro-F1   accuracy   false alarms"]
    lines += [tables.in_a_line(f"  {way}", diagnosed(perturbed(runs, way))) for way in WAYS]
    show(*lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the scores; 1 when the test half misses the goal of macro-F1 0.90, 5 % false alarms, all rivals behind."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--runs", type=Path, required=True, metavar="FOLDER", help="a folder with a manifest.json or a labels.json"
    )
    parser.add_argument(
        "--disagree", type=Path, metavar="FOLDER", help="write a page for each run that we call otherwise"
    )
    parser.add_argument("--made-up", type=int, default=0, metavar="N", help="false alarms on N made-up runs a family")
    parser.add_argument("--trained", type=int, default=0, metavar="N", help="score on N small networks trained for it")
    given = parser.parse_args(arguments)
    if (given.runs / LIST).is_file():
        rewarded = labeled_rewards(given.runs)
        show(*reward_tables(rewarded))
        return int(missed(rewarded))
    runs = labeled(given.runs)
    found = diagnosed(runs)
    calibration, held_out = halves(found)
    show(*tables.scores("all", found))
    show(*tables.scores("calibration sources", calibration))
    show(*tables.scores("test sources", held_out))
    show(*tables.confused(held_out))
    show(*tables.reliability("confidence as it is, all sources", found))
    by_calibration = remapped(held_out, fitted(calibration))
    show(*tables.reliability("confidence mapped by the calibration half, test sources", by_calibration))
    show(*tables.reliability("confidence mapped by all other sources", recalibrated_elsewhere(found)))
    show(f"map in use {DEFAULT}", f"map that fits all sources {fitted(found)}")
    limit_tables(runs)
    ahead = rival_tables(runs, found, {case.name for case in held_out})
    show("disagreements", *map(line, disagreements(found)))
    if given.made_up:
        alarms(given.made_up)
    if given.trained:
        trained(given.trained)
    if given.disagree:
        written = write_pages(found, runs, given.disagree)
        show(f"{len(written)} pages in {given.disagree}")
    of = score(pairs_of(held_out))
    return int(of["macro_f1"] < GOAL_F1 or of["false_alarms"] > GOAL_ALARMS or not ahead)


if __name__ == "__main__":
    sys.exit(main())
