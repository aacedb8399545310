"""A folder of hostile runs: markup, escapes, paths, links, YAML tags, pickles, code that comes with a model."""

from __future__ import annotations

import json
import os
import pickle
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.tuner import hostile, smallest
from tests.tuner.inspector.material import write_csv, write_fine_run, write_slow_run, write_study

FLAGGED = "window.__hit=(window.__hit||0)+1"
FAR = "evil.invalid"
MARKUP = (
    f"<img src=x onerror={FLAGGED}>",
    f"<script>{FLAGGED}</script>",
    f'"><svg onload={FLAGGED}>',
    f"</script><script>{FLAGGED}</script>",
    f"</title></style></textarea><img src=x onerror={FLAGGED}>",
    f"[click](javascript:{FLAGGED}) ![far](http://{FAR}/x.png) <http://{FAR}>",
    f"javascript:{FLAGGED}",
    f"{{{{constructor.constructor('{FLAGGED}')()}}}} ${{{FLAGGED}}} {{signal: {FLAGGED}}}",
    f"$\\href{{javascript:{FLAGGED}}}{{x}}$ :material/bolt: :red[x]",
    f"<a href='http://{FAR}'>far</a><iframe src='http://{FAR}'></iframe><base href='http://{FAR}'>",
)
ESCAPES = (
    "\x1b[31mred\x1b[0m\x1b]0;title\x07",
    "\x9b2J",
    "\u202eesrever",
    "a\rb",
    "\x1b]8;;http://evil.invalid\x1b\\x",
)
CALLS = "!!python/object/apply:os.system [touch {marker}]"
WAYS: tuple[dict[str, Any], ...] = (
    {"trust_remote_code": True},
    {"trust_remote_code": "yes"},
    {"model_init_kwargs": {"trust_remote_code": True}},
    {"model_init_kwargs": '{"trust_remote_code": true}'},
    {"model_init_kwargs": {"weights_only": False}},
    {"dataset_kwargs": {"x": {"trust_remote_code": "on"}}},
    {"attn_implementation": "who/kernel"},
    {"env": {"PYTHONSTARTUP": "evil.py", "LD_PRELOAD": "evil.so"}},
    {"reward_funcs": ["evil.py:f"]},
    {"chat_template_path": "evil"},
    {"resume_from_checkpoint": "evil"},
    {"report_to": ["wandb"]},
    {"hub_model_id": "who/what", "push_to_hub": True},
    {"deepspeed": "evil.json"},
    {"dataset_name": "../../../../etc/passwd"},
    {"datasets": [{"path": "csv", "data_files": f"http://{FAR}/x.csv"}]},
)
"""Lines by which a run's own file could make a library run code, fetch something, or tell somebody."""


@dataclass(frozen=True)
class Made:
    """The folder of hostile runs; ``markers`` is a folder that stays empty unless something of them was executed."""

    folder: Path
    markers: Path
    secret: str


def hostile_runs(root: Path) -> Made:
    """All of them below ``root``."""
    made = Made(root / "runs", root / "markers", "41.7568")
    made.folder.mkdir(parents=True)
    made.markers.mkdir()
    write_csv(root / "secret.csv", {"train_loss": [(k, float(made.secret)) for k in range(1, 60)]})
    _named(made)
    _tagged(made)
    _linked(made, root)
    _written(made)
    _pickled(made)
    _with_code(made, root)
    return made


def _named(made: Made) -> None:
    """Runs whose folders have the worst names."""
    shells = (
        f"$(touch {made.markers.name})",
        f"; touch {made.markers.name};",
        "--html",
        "-v",
        "\n new line",
        "..%2f..%2f",
    )
    for number, name in enumerate((*MARKUP, *ESCAPES, *shells)):
        with suppress(OSError):
            write_fine_run(made.folder / "named" / name.replace("/", "\u2215")[:200], seed=number)
    with suppress(OSError):
        os.makedirs(os.fsencode(made.folder / "named") + b"/\xff\xfe")


def _tagged(made: Made) -> None:
    """Logs whose curves, settings and texts are markup and escapes."""
    loss = [(step, 3 - step / 50) for step in range(1, 60)]
    write_csv(made.folder / "tags.csv", {"train_loss": loss} | {text: loss for text in MARKUP if "\n" not in text})
    for number, text in enumerate((*MARKUP, *ESCAPES)):
        folder = made.folder / f"text-{number:02}"
        write_slow_run(folder)
        state = json.loads((folder / "trainer_state.json").read_text())
        state |= {"best_model_checkpoint": text, "trial_name": text, text: text}
        state["log_history"][3][text] = text
        (folder / "trainer_state.json").write_text(json.dumps(state))
        config = yaml.safe_load((folder / "config.yaml").read_text())
        (folder / "config.yaml").write_text(yaml.safe_dump(config | {"run_name": text, "lr_scheduler_type": text}))
    _study(made.folder / "study")


def _study(folder: Path) -> None:
    """A study whose every text is markup."""
    write_study(folder)
    path = folder / "study.json"

    def spoiled(value: Any, depth: int = 0) -> Any:
        if isinstance(value, dict):
            return {key: spoiled(item, depth + 1) for key, item in value.items()}
        if isinstance(value, list):
            return [spoiled(item, depth + 1) for item in value]
        return f"{value} {MARKUP[depth % len(MARKUP)]}" if isinstance(value, str) and depth > 2 else value

    path.write_text(json.dumps(spoiled(json.loads(path.read_text()))))


def _linked(made: Made, root: Path) -> None:
    """Runs that are links to what is none of their business."""
    folder = made.folder / "linked"
    folder.mkdir()
    for name, target in {
        "passwd.csv": "/etc/passwd",
        "secret.csv": root / "secret.csv",
        "up": root,
        "etc": "/etc",
        "loop": folder / "loop",
        "memory.jsonl": "/proc/self/environ",
    }.items():
        (folder / name).symlink_to(target)
    (folder / "state").mkdir()
    (folder / "state" / "trainer_state.json").symlink_to("/etc/passwd")
    write_fine_run(folder / "config")
    (folder / "config" / "config.yaml").symlink_to("/etc/passwd")


def _written(made: Made) -> None:
    """Runs whose config is YAML that calls something, or that grows without end."""
    bomb = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
    texts = [f"x: {CALLS.format(marker=made.markers / 'yaml')}\n", f"a0: &a0 [x]\n{bomb}", "x: " + "[" * 5000, "\0\xff"]
    texts += ["x: !!python/name:os.system\n", f"!!python/object/new:os.system [touch {made.markers / 'yaml2'}]\n"]
    for number, text in enumerate(texts):
        write_slow_run(made.folder / f"yaml-{number}")
        (made.folder / f"yaml-{number}" / "config.yaml").write_text(text, encoding="latin-1")


def _pickled(made: Made) -> None:
    """Runs full of pickles, under every name that a library might open."""
    folder = made.folder / "pickled"
    write_slow_run(folder)
    for place in (folder, folder / "checkpoint-10", folder / "adapter"):
        place.mkdir(exist_ok=True)
        for name in ("optimizer.pt", "scheduler.pt", "rng_state.pth", "adapter_model.bin", "pytorch_model.bin"):
            hostile.archive(place / name, made.markers / f"archive-{name}")
        for name in ("training_args.bin", "state.pkl", "log.npy", "trial.pickle"):
            (place / name).write_bytes(pickle.dumps(hostile.Touch(made.markers / f"pickle-{name}")))


def _with_code(made: Made, root: Path) -> None:
    """Runs on a model that comes with its own code, whose files say in every way that it is to be trusted."""
    model = smallest.model_folder(root / "model")
    rows = smallest.rows_folder(root / "rows")
    for number, way in enumerate(WAYS):
        folder = made.folder / f"code-{number:02}"
        write_slow_run(folder)
        evil = hostile.model(folder / "evil", model, made.markers / f"code-{number:02}")
        file = smallest.study_file(folder, evil, rows, **way)
        file.rename(folder / "config.yaml")
        adapter = {"base_model_name_or_path": str(evil), "peft_type": "LORA", "task_type": "CAUSAL_LM", "r": 4, **way}
        (folder / "adapter").mkdir()
        (folder / "adapter" / "adapter_config.json").write_text(json.dumps(adapter, default=str))
        shutil.copy(model / "model.safetensors", folder / "adapter" / "adapter_model.safetensors")


def run_folders(made: Made) -> Iterator[Path]:
    """The runs whose own file asks for what it must not have."""
    for kind in ("yaml-*", "code-*", "pickled"):
        yield from sorted(made.folder.glob(kind))
