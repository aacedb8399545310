"""What mlx-lm prints: lines, since 0.32 a table, and the panel above it that names the settings.

A row of the table is ``  10    2.871 ▼      512     21.0k``: iteration, training loss, tokens a second, tokens so far;
held-out rows are ``   1    val 2.950    3.20s``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from diagnostics.readers.tabular.rows import Row

LINE = re.compile(r"(?:^|\s)Iter (\d+): (.*)$")
PAIR = re.compile(r"(Train loss|Val loss|Learning Rate|Trained Tokens) ([-+.\w]+)")
LOSS = r"(\d+\.\d+|nan|inf)"
TRAIN = re.compile(rf"^\s*(\d{{1,15}})\s{{2,}}{LOSS} \S\s+([\d,]+)\s+(\d+\.\d)k\s*$")
HELD_OUT = re.compile(rf"^\s*(\d{{1,15}})\s+val\s+{LOSS}\s+[\d.]+s\s*$")
PANEL = re.compile(r"^\W*(model|type|optimizer|batch \W+ iters)\s{2,}(.*)$")
TITLE = "mlx_lm.lora"
PANEL_LINES = 200
"""The panel stands among so many lines at the top."""


def line(text: str) -> Row | None:
    """The values in ``Iter 10: Train loss 2.871, Learning Rate 1.000e-05``, None in any other line."""
    found = LINE.search(text)
    spoken = dict(PAIR.findall(found.group(2))) if found else {}
    return {"step": found.group(1), **spoken} if found and spoken else None


def row(line: str) -> Row | None:
    """The values in a line of the table, None when it is not one."""
    ending = line.rstrip()[-1:]
    if ending == "k" and (found := TRAIN.match(line)):
        step, loss, _, thousands = found.groups()
        return {"step": step, "train_loss": loss, "num_tokens": 1000.0 * float(thousands)}
    if ending == "s" and (found := HELD_OUT.match(line)):
        return {"step": found.group(1), "val_loss": found.group(2)}
    return None


def settings_in(lines: Iterable[str]) -> dict[str, object]:
    """The settings that the panel names, empty without a panel; its batch is that of one logged iteration."""
    said: dict[str, str] = {}
    titled = False
    for line in lines:
        titled = titled or TITLE in line
        if titled and (found := PANEL.match(line)):
            said[found.group(1).split()[0]] = found.group(2).rstrip(" \t│|")
    if not said:
        return {}
    numbers = [number.replace(",", "") for number in re.findall(r"\d[\d,]*", said.get("batch", ""))]
    batch, iterations = numbers if len(numbers) == 2 else (None, None)
    rank = re.search(r"rank (\d+)", said.get("type", ""))
    rate = re.search(r"lr (\S+)", said.get("optimizer", ""))
    found_out: dict[str, object] = {
        "method": "sft",
        "model_name_or_path": said.get("model"),
        "finetuning_type": said.get("type", "").split(" ")[0] or None,
        "lora_r": rank and rank.group(1),
        "learning_rate": rate and rate.group(1) if rate and rate.group(1) != "schedule" else None,
        "optim": said.get("optimizer", "").split(" ")[0] or None,
        "batch_size": batch,
        "max_steps": iterations,
    }
    return {key: value for key, value in found_out.items() if value is not None}


def adapter_options(config: Mapping[str, object]) -> dict[str, object]:
    """The settings in mlx-lm's ``adapter_config.json``, which holds all its arguments; empty for PEFT's."""
    if "fine_tune_type" not in config:
        return {}
    lora = config.get("lora_parameters")
    lora = lora if isinstance(lora, dict) else {}
    rows, gathered = config.get("batch_size"), config.get("grad_accumulation_steps") or 1
    rank, scale = lora.get("rank"), lora.get("scale")
    return {
        "method": "sft",
        "model_name_or_path": config.get("model"),
        "finetuning_type": config.get("fine_tune_type"),
        "learning_rate": config.get("learning_rate"),
        "batch_size": rows * gathered if isinstance(rows, int) and isinstance(gathered, int) else None,
        "max_steps": config.get("iters"),
        "seed": config.get("seed"),
        "lora_r": rank,
        "lora_alpha": rank * scale if isinstance(rank, (int, float)) and isinstance(scale, (int, float)) else None,
        "lora_dropout": lora.get("dropout"),
        "optim": config.get("optimizer"),
    }
