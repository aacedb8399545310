"""A training script as people have them: a config file, arguments, a log, a checkpoint; it knows nothing of tuner."""

import argparse
import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path

import yaml

parser = argparse.ArgumentParser()
parser.add_argument("--config", type=Path)
parser.add_argument("--lr", type=float)
parser.add_argument("--rows", type=int, default=1)
parser.add_argument("--out", type=Path)
args = parser.parse_args()
config = yaml.safe_load(args.config.read_text())
print(f"sees {os.environ.get('CUDA_VISIBLE_DEVICES')} from {time.time()}")
print(f"training on {args.rows} rows at once")
if args.rows > config.get("fits", 1000):
    sys.exit("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB")
if config.get("workers"):  # a data loader in a session of its own, as torchrun has its ranks
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
saved, draft, floor = args.out / "step.json", args.out / "draft", 1 + (math.log10(args.lr) + 3) ** 2 / 4
step = json.loads(saved.read_text()) if saved.exists() else 0
with (args.out / "log.jsonl").open("a") as log:
    while step < config.get("ends", config["steps"]):
        step += 1
        loss = floor + 2 * math.exp(-8 * step / config["steps"]) + 0.002 * math.sin(step * config["seed"])
        row = {"step": step, "max_steps": config["steps"], "loss": loss, "lr": args.lr}
        log.write(json.dumps(row | ({"eval_loss": loss} if step % 5 == 0 else {})) + "\n")
        log.flush()
        draft.write_text(str(step))
        draft.replace(saved)  # whole or not at all, whenever it is killed
        time.sleep(config.get("pause", 0.002))
print(f"ended {time.time()}")
sys.exit(config.get("status", 0))
