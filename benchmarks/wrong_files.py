"""About 4,000 wrong study files, each to be refused in one line, without a traceback and without a hang.

``python -m benchmarks.wrong_files [--limit SECONDS]`` prints how many were refused before and after the libraries were
imported, how many were accepted (the trainer decides on those), and each file that crashed or hung.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tuner.config.bounds import BOUNDS
from tuner.config.driven_file import DRIVER_KEYS
from tuner.config.study_block import STUDY_KEYS
from tuner.errors import SpecError

HEAD = {"method": "sft", "model_name_or_path": "tuner/tiny", "dataset_name": "rows.jsonl"}
VALUES: tuple[Any, ...] = (
    -1e300,
    1e300,
    float("inf"),
    float("nan"),
    "",
    "x y",
    "/etc/passwd",
    [],
    [[1]],
    {"x": 1},
    None,
)
"""Values that few keys take."""
DRIVEN = {
    "learning_rate": 1e-4,
    "study": {"trainer": "command", "command": "true {config}", "space": {"learning_rate": {"low": 1e-5, "high": 1}}},
}
"""A study of another trainer."""
NUMBERS = ("learning_rate", "batch_size", "per_device_train_batch_size", "gradient_accumulation_steps", "seed")
GRPO = {"method": "grpo", "reward_funcs": ["think_format_reward"]}
BOMB = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
TEXTS: dict[str, str] = {
    "empty": "",
    "list": "- a\n",
    "deep list": "x: " + "[" * 5000 + "]" * 5000 + "\n",
    "deep mapping": "x: " + "{a: " * 5000 + "1" + "}" * 5000 + "\n",
    "deep dashes": "x:\n" + "- " * 5000 + "1\n",
    "bomb": f"a0: &a0 [x, x]\n{BOMB}lr_scheduler_kwargs: {{a: *a11}}\n",
    "bomb in env": f"a0: &a0 [x, x]\n{BOMB}env: {{A: *a11}}\n",
    "alias to itself": "env: &a {A: *a}\n",
    "many values": "env: [" + "1, " * 50_000 + "1]\n",
    "digits": f"seed: {'9' * 5000}\n",
    "hexadecimal": f"seed: 0x{'f' * 10_000}\n",
    "date": "run_name: 2024-13-45\nseed: x\n",
    "binary": "run_name: !!binary aGVsbG8=\n",
    "python": "x: !!python/object/apply:os.system [echo]\n",
    "tag": "x: !other 1\n",
    "merge of text": "<<: text\n",
    "surrogate": 'run_name: "\\ud800"\n',
    "NUL": 'output_dir: "a\\0b"\n',
    "control character": "run_name: a\x01b\n",
    "long key": "k" * 100_000 + ": 1\n",
    "many unknown keys": "".join(f"key{n}: 1\n" for n in range(5000)),
    "2 MB": "# " + "x" * 2_000_000 + "\n",
    "env name with =": 'env: {"A=B": 1}\n',
    "env without a name": 'env: {"": x}\n',
    "env NUL": 'env: {A: "a\\0b"}\n',
    "env list": "env: {A: [1]}\n",
    "env nothing": "env: {A: null}\n",
    "accelerator path": "accelerator_config: /etc/passwd\n",
    "accelerator key": "accelerator_config: {x: 1}\n",
    "template": "chat_template_path: /nonexistent\n",
    "modules": 'lora_target_modules: "((("\n',
    "metric": "metric_for_best_model: nonsense\n",
    "deepspeed": "deepspeed: /etc/passwd\n",
    "deepspeed gone": "deepspeed: /nonexistent.json\n",
    "reporter": "report_to: nobody\n",
    "attention": "attn_implementation: who/kernel\n",
    "attention name": "attn_implementation: nonsense\n",
    "quotes": "learning_rate: '1\n",
    "space huge": "study: {space: {lora_r: {low: 8, high: 1.0e+18}}}\n",
    "space huge batch": "study: {space: {batch_size: {low: 8, high: 1.0e+20}}}\n",
    "space choices": f"study: {{space: {{lora_r: [{', '.join(map(str, range(1, 3000)))}]}}}}\n",
    "space nan": "study: {space: {learning_rate: {low: .nan, high: 1}}}\n",
    "bool tag": "bf16: !!bool nonsense\n",
    "int tag": "max_steps: !!int nonsense\n",
    "empty int tag": "max_steps: !!int ''\n",
    "float tag": "learning_rate: !!float nonsense\n",
    "endless tag": "run_name: " + "!" * 100_000 + "\n",
    "nobody's home": "chat_template_path: ~nobodyhere/x.jinja\n",
    "space list of mappings": "study: {space: {lora_r: [{a: 1}]}}\n",
}
"""Files written by hand, below the three keys of ``HEAD``."""
FOLDERS = ("/", "/proc", "/sys", "/dev", "/usr")
"""What ``dataset_name`` cannot mean."""


@dataclass(frozen=True)
class WrongFile:
    """One file: what is wrong, and its text."""

    name: str
    text: str


def wrong_files() -> Iterator[WrongFile]:
    """All of them, those first that need no library."""
    head = yaml.safe_dump(HEAD)
    yield from (WrongFile(name, head + text) for name, text in TEXTS.items())
    yield from (WrongFile(f"data {one}", yaml.safe_dump({**HEAD, "dataset_name": one})) for one in FOLDERS)
    for key, bound in BOUNDS.items():
        for value in (bound.low - 1, bound.high * 2, *VALUES):
            yield _file(key, value)
    for key in STUDY_KEYS:
        for value in (*VALUES, "x" * 5000, ["x.py:f"]):
            yield WrongFile(f"study.{key} {value!r}", yaml.safe_dump({**HEAD, "study": {key: value}}))
    for key, bound in BOUNDS.items():
        for span in ({"low": bound.low - 1, "high": bound.high * 2}, {"low": 1}, {"low": 2, "high": 1}, [[1, 2]], 3):
            yield WrongFile(f"space {key} {span!r}", yaml.safe_dump({**HEAD, "study": {"space": {key: span}}}))
    yield from (_file(key, value) for key in other_keys() for value in VALUES[4:])
    yield from (_file(key, value, **GRPO) for key in other_keys("grpo") for value in (*VALUES[4:], "x.py:f"))
    yield from _driven()


def _driven() -> Iterator[WrongFile]:
    """Studies of another trainer."""
    for key in (*DRIVER_KEYS, *STUDY_KEYS):
        for value in (*VALUES, "x" * 5000, "../x", "'", "**", ".", "{nonsense}", {"a": {"b": [1]}}, True):
            made = {**DRIVEN, "study": {**DRIVEN["study"], key: value}}
            yield WrongFile(f"driven study.{key} {str(value)[:30]!r}", yaml.safe_dump(made))
    for key in (*NUMBERS, "max_steps", "num_train_epochs", "warmup_ratio", "lora_r", "any"):
        for value in (*VALUES, True, "auto", -1, 0):
            yield WrongFile(f"driven {key} {value!r}", yaml.safe_dump({**DRIVEN, key: value}))


def other_keys(method: str = "sft") -> list[str]:
    """TRL's keys that do not take one number; of another method those that it alone has. And ours for a whole file."""
    from tuner.config.study_file import FILE_KEYS
    from tuner.config.trl_schema import keys_of

    known = {} if method == "sft" else keys_of("sft")
    own = () if known else (*FILE_KEYS, "method", "study", "env")
    return [*(key for key in keys_of(method) if key not in BOUNDS and key not in HEAD and key not in known), *own]


def _file(key: str, value: Any, **others: Any) -> WrongFile:
    return WrongFile(f"{key} {value!r}", yaml.safe_dump({**HEAD, **others, key: value}))


def outcome(path: Path, limit: float) -> str:
    """``refused``, ``accepted``, ``hung`` or the crash of reading one file in this process."""
    from tuner.config.environment import environment
    from tuner.config.study_file import load_spec
    from tuner.search.distributions import distributions, is_used_up

    def stop(number: int, frame: object) -> None:
        raise TimeoutError

    signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, limit)
    try:
        spec = load_spec(path)
        environment(spec.config)
        is_used_up([], distributions(spec.study.space))
        return "accepted"
    except SpecError as error:
        return "refused" if "\n" not in str(error) and len(str(error)) < 1000 else f"unclear: {str(error)[:200]!r}"
    except TimeoutError:
        return "hung"
    except BaseException as error:
        return f"crashed: {type(error).__name__}: {str(error)[:200]}"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _needs_no_library(path: Path) -> bool:
    """Whether the file is refused before TRL's list of keys is wanted."""
    from tuner.config import study_file

    wanted: list[str] = []
    before = study_file.keys_of

    def noted(method: str) -> Any:
        wanted.append(method)
        return before(method)

    study_file.keys_of = noted  # type: ignore[assignment]
    try:
        study_file.load_spec(path)
    except SpecError:
        pass
    finally:
        study_file.keys_of = before
    return not wanted


def main() -> int:
    """Read every file and print what came of them; 1 where one crashed or hung."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--limit", type=float, default=5.0, help="processor seconds that one file may take (default: 5)"
    )
    parser.add_argument("--accepted", action="store_true", help="print which files were accepted")
    limit, show = parser.parse_args().limit, parser.parse_args().accepted
    counts, bad, longest = Counter[str](), 0, 0.0
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "rows.jsonl").write_text('{"prompt": "a", "completion": "b"}\n')
        path = Path(folder) / "x.yaml"
        other_keys()  # no file is charged with the seconds that the import of TRL takes

        for one in wrong_files():
            path.write_text(one.text, encoding="utf-8")
            begun = time.process_time()
            found = outcome(path, limit)
            longest = max(longest, time.process_time() - begun)
            if found == "refused" and _needs_no_library(path):
                found = "refused without a library"
            counts[found.partition(":")[0]] += 1
            if not found.startswith(("refused", "accepted")):
                bad += 1
                print(f"{one.name[:80]}: {found}")
            elif show and found == "accepted":
                print(f"{one.name[:80]}: accepted")
    print(f"{sum(counts.values())} files, the slowest {longest:.2f} s:")
    for name, count in counts.most_common():
        print(f"  {name}: {count}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
