"""Pictures of every page of the inspector: ``python -m tests.screenshots OUT``.

    python -m tests.screenshots OUT [--folder RUNS] [--pages run study] [--widths 1280 1920 420] [--readme]

Without ``--folder`` the pages show made-up runs and a made-up study. ``--readme`` makes docs/inspector.png alone.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import numpy as np

from diagnostics.model.curves import Run
from diagnostics.synthetic import make
from tests.tuner.inspector.material import a_study, write_csv, write_slow_run, write_state
from tests.tuner.inspector.serving import KEY, chromium, served, settled
from tuner.config.search_space import Choice, Range
from tuner.inspector.jobs.record import HIDDEN, LOG, RECORD
from tuner.inspector.jobs.worker import EXIT
from tuner.inspector.runs.folder import Folder
from tuner.inspector.study.read import find_studies
from tuner.search.proposer import Proposer
from tuner.study.report.write import as_json
from tuner.study.results import Paragraph, RuleRecord, StudyResult, TrialResult, TrialState

ROOT = Path(__file__).parents[1]
WIDTHS = (1280, 1920, 420)
SCHEMES = ("light", "dark")
CAUSES = {
    "sft/overfits": "eval-loss-rises",
    "sft/spikes": "loss-spikes",
    "sft/too-slow": "rate-too-low",
    "sft/healthy": "healthy-sft",
    "dpo/not-learned": "preferences-not-learned",
    "sft/diverges": "loss-diverges",
}
STARTED = "started/too-slow-next"
SAMPLER = "sampler:GPSampler"


def main() -> None:
    """Open the pages one after the other and write one PNG for each page, scheme and width."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("out", type=Path, nargs="?")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--pages", nargs="+", default=[])
    parser.add_argument("--widths", nargs="+", type=int, default=WIDTHS)
    parser.add_argument("--schemes", nargs="+", choices=SCHEMES, default=SCHEMES)
    parser.add_argument("--readme", action="store_true")
    wanted = parser.parse_args()
    if wanted.out is None and not wanted.readme:
        parser.error("say where to: python -m tests.screenshots OUT")
    with tempfile.TemporaryDirectory() as name:
        folder = wanted.folder or fill(Path(name) / "runs")
        with served(folder, Path(name) / "server.log", allow_run=True) as address, chromium() as browser:
            if wanted.readme:
                readme(browser, address)
            else:
                gallery(browser, address, list(pages(folder)), wanted)
        if "empty" in wanted.pages or not (wanted.pages or wanted.readme):
            empty = Path(name) / "empty"
            empty.mkdir()
            with served(empty, Path(name) / "empty.log") as address, chromium() as browser:
                gallery(browser, address, [("runs-empty", ""), ("study-empty", "")], wanted)


def gallery(browser: Any, address: str, shown: Sequence[tuple[str, str]], wanted: argparse.Namespace) -> None:
    """Every wanted page in every scheme and width."""
    wanted.out.mkdir(parents=True, exist_ok=True)
    for page, query in shown:
        names = {page, *page.split("-")}
        if wanted.pages and not names & set(wanted.pages):
            continue
        for scheme in wanted.schemes:
            for width in wanted.widths:
                path = wanted.out / f"{page}-{width}-{scheme}.png"
                shoot(
                    browser,
                    f"{address}/{page.partition('-')[0].removeprefix('runs')}?{query}&token={KEY}",
                    path,
                    width,
                    scheme,
                )
                print(path, file=sys.stderr)


def pages(folder: Path) -> Iterator[tuple[str, str]]:
    """Each page with a query that shows something on it."""
    known = list(Folder(folder).runs())
    runs = [name for name in known if not name.startswith(STARTED.partition("/")[0])][:7]
    seeds = [name for name in known if "seed" in name][:12] or runs
    yield "runs", ""
    yield "run", urlencode({"run": next((name for name in known if "overfit" in name), known[0])})
    yield "run-dpo", urlencode({"run": next((name for name in known if "dpo" in name), known[0])})
    for kind in ("nan", "broken"):
        if found := next((name for name in known if kind in name), None):
            yield f"run-{kind}", urlencode({"run": found})
    yield "run-deleted", urlencode({"run": "sft/no-such-run"})
    yield "compare", urlencode({"run": runs}, doseq=True)
    mean = {"run": seeds, "compare-show": "Mean and band", "compare-curve": "train_loss"}
    yield "compare-mean", urlencode(mean, doseq=True)
    yield "compare-difference", urlencode({"run": runs, "compare-show": "Difference"}, doseq=True)
    for study in list(find_studies(folder))[:1]:
        yield "study", f"study={quote(study)}"
    yield "started", ""
    yield "rule", "rule=eval-loss-rises"


def shoot(
    browser: Any, address: str, path: Path, width: int, scheme: str, height: int | None = None, named: str | None = None
) -> None:
    """A picture of the page at ``address``, as high as the page is unless ``height`` is given.

    ``named`` stands in for the name of the opened folder, which is a temporary one.
    """
    context = browser.new_context(viewport={"width": width, "height": height or 1000}, color_scheme=scheme)
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(address)
    page.get_by_test_id("stMain").wait_for()
    page.wait_for_timeout(2500)  # the page asks for its scheme and draws again
    settled(page)
    if height is None:
        # Streamlit's main block scrolls by itself, so that a full-page picture would hold one screen of it.
        high = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
        page.set_viewport_size({"width": width, "height": min(int(high) + 10, 8000)})
        page.wait_for_timeout(1000)
        settled(page)
    if named:
        page.locator("code").first.evaluate("(code, text) => { code.textContent = text; }", named)
    page.screenshot(path=str(path))
    context.close()


def readme(browser: Any, address: str) -> None:
    """The picture in the README: a run with its finding and the next run."""
    path = ROOT / "docs" / "inspector.png"
    shoot(browser, f"{address}/run?run=sft/overfits", path, 1280, "light", height=1126, named="runs")
    size = path.stat().st_size
    print(f"{path}: {size / 1000:.0f} kB", file=sys.stderr)
    if size > 300_000:
        raise SystemExit(f"{path} is larger than 300 kB")


def fill(folder: Path) -> Path:
    """Runs of several kinds, four seeds of two settings, a run that was started from the page, and a study."""
    for name, cause in CAUSES.items():
        write_run(folder / name, make(cause, 0.6, seed=3))
    for seed in range(4):
        for rate in (1e-4, 3e-4):
            run = make("healthy-rough", 0.5, seed=seed)
            write_run(folder / "seeds" / f"rate-{rate:.0e}-seed-{seed}", run, rate, seed)
    write_slow_run(folder / "sft" / "can-run")
    write_broken(folder / "odd")
    write_started(folder)
    write_search(folder / "search")
    return folder


def write_run(folder: Path, run: Run, rate: float | None = None, seed: int | None = None) -> None:
    """The run as a folder of transformers, with the settings that a study file would give."""
    logs: dict[float, dict[str, float]] = {}
    for name, curve in run.curves.items():
        for step, value in zip(curve.steps.tolist(), curve.values.tolist(), strict=True):
            shift = 0.1 * (rate is not None and rate > 2e-4 and name.endswith("loss")) * step / run.last_step
            logs.setdefault(step, {"step": step})[name.replace("train_loss", "loss")] = value - shift
    write_state(folder, [logs[step] for step in sorted(logs)])
    settings = {**run.settings.known(), "model_name_or_path": "tuner/tiny", "dataset_name": "orders.jsonl"}
    settings |= {"learning_rate": rate} if rate else {}
    settings |= {"seed": seed} if seed is not None else {}
    (folder / "config.yaml").write_text("".join(f"{key}: {json.dumps(value)}\n" for key, value in settings.items()))


def write_broken(folder: Path) -> None:
    """A run whose loss became nan, and a log that was cut off."""
    falls = [(float(step), 3 - step / 60) for step in range(1, 61)]
    write_csv(folder / "nan.csv", {"train_loss": [*falls, *((float(step), float("nan")) for step in range(61, 81))]})
    (folder / "broken").mkdir()
    (folder / "broken" / "trainer_state.json").write_text('{"global_step": 40, "log_history": [{"step": 1, "loss"')


def write_started(folder: Path) -> None:
    """A run as if it had been started from the page and stopped by hand."""
    out = folder / STARTED
    write_run(out, make("healthy-sft", 0.5, seed=9, logs=40))
    kept = out / HIDDEN
    kept.mkdir()
    now = time.time()
    record = {"kind": "train", "file": f"{STARTED}.yaml", "pid": 1, "process": "over", "began": now - 300}
    (kept / RECORD).write_text(json.dumps(record))
    (kept / EXIT).write_text("130")
    lines = [f"step {n} ({n}%): train_loss {3 - n / 50:.3f}, about {300 - 3 * n} s left" for n in range(5, 45, 5)]
    (kept / LOG).write_text("\n".join([*lines, "stopped"]) + "\n")
    (folder / f"{STARTED}.yaml").write_text("method: sft\n")


def write_search(folder: Path, count: int = 16) -> None:
    """A study that climbs out of a rate that is far too low and then looks around."""
    random = np.random.default_rng(4)
    space = {
        "learning_rate": Range(1e-6, 0.1, log=True),
        "batch_size": Choice((4, 8, 16, 32)),
        "warmup_ratio": Range(0.0, 0.2),
    }
    trials: list[TrialResult] = []
    before: dict[str, Any] = {}
    for n in range(count):
        rate = 1e-5 * 10 ** (0.75 * n) if n < 4 else 10 ** random.uniform(-3.6, -1.6)
        batch = 8 if n < 4 else int(random.choice([4, 8, 16, 32]))
        warm = 0.03 if n < 4 else round(float(random.uniform(0, 0.2)), 3)
        value = 0.2 + 0.35 * (np.log10(rate) + 2.7) ** 2 + 0.004 * batch + 0.2 * abs(warm - 0.1)
        settings: dict[str, Any] = {"learning_rate": float(f"{rate:.3g}"), "batch_size": batch, "warmup_ratio": warm}
        again = trials[{7: 3, 9: 6, 12: 3}[n]] if n in (7, 9, 12) else None
        if again is not None and again.value is not None:  # on another seed
            settings, value = dict(again.settings), again.value + 0.01 * (n - 6)
        by = "file" if n == 0 else "advice:rate-too-low" if n < 4 else "sampler:another-seed" if again else SAMPLER
        moved = {knob: (before[knob], new) for knob, new in settings.items() if before and before[knob] != new}
        label, cause = ("underfit", "rate-too-low") if n < 3 else ("healthy", None)
        why = f"rate too low in trial {n - 1}: the loss barely falls" if 0 < n < 4 else ""
        if again is not None:
            moved, why = {}, f"trial {again.number} on another seed: one run each does not tell which are the best"
        curve = tuple((10.0 * k, float(value + 4 * np.exp(-k / 2))) for k in range(9))
        state = TrialState.PRUNED if value > 1 and n > 4 else TrialState.COMPLETE
        trials.append(
            TrialResult(
                n,
                settings,
                float(value),
                state,
                label,
                cause,
                None,
                Proposer.from_text(by),
                moved,
                why,
                80.0,
                12.0,
                curve=curve,
            )
        )
        before = settings
    for n, answer in ((0, "Thank you, Julia Santos will get the lentils."), (3, '{"item": "lentils", "quantity": 19}')):
        trials[n] = replace(trials[n], folder=f"trial-{n:03}")
        write_run(folder / trials[n].folder, make("rate-too-low" if n == 0 else "healthy-sft", 0.6, seed=n))
        write_samples(folder / trials[n].folder, answer)
    best = min((t for t in trials if t.state == TrialState.COMPLETE), key=lambda trial: trial.value or 0.0).number
    review = (
        Paragraph(
            "Few updates", ("The best trial made 80 optimizer steps; LoRA needs about 100.",), {"max_steps": 160}
        ),
        Paragraph("The schedule is too short", ("The best trial still improved at the end.",)),
    )
    records = (RuleRecord("rate-too-low", 3, 3, 0, 0), RuleRecord("loss-spikes", 1, 0, 0, 1))
    made: StudyResult = a_study(
        space=space, trials=tuple(trials), best=best, review=review, records=records, seconds=211.0
    )
    (folder / "study.json").write_text(as_json(made))


def write_samples(folder: Path, answer: str, count: int = 12) -> None:
    """Answers of a run to held-out questions."""
    wanted = '{"item": "lentils", "quantity": 19}'
    samples = [
        {"prompt": f"Order {n}: Julia Santos would like 19 bags of lentils.", "reference": wanted, "answer": answer}
        for n in range(count)
    ]
    (folder / "samples.jsonl").write_text("".join(json.dumps(sample) + "\n" for sample in samples))


if __name__ == "__main__":
    main()
