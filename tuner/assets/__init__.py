"""What ships with the package: a tiny base model, and the programs that made it and its task data.

The model is `TINY`. The task is `orders` (a sentence about an order becomes one JSON object); the
model was trained by `pretrain`, on text from the same words that never shows that task.
"""

from pathlib import Path

TINY: Path = Path(__file__).parent / "tiny"
"""The folder of the packaged base model, ready for `from_pretrained`."""
GENERAL_TEXT: Path = Path(__file__).parent / "general" / "passages.txt"
TINY_TEXT: Path = Path(__file__).parent / "general" / "tiny.jsonl"
"""Texts that show what a model forgets: plain prose, and what the packaged model was trained on."""
