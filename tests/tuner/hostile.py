"""Models, adapters and pickles whose code would leave a file behind, for tests that nothing runs it."""

from __future__ import annotations

import json
import pickle
import shutil
import zipfile
from pathlib import Path

CODE = """
from pathlib import Path
Path({marker!r}).touch()
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
class EvilConfig(LlamaConfig):
    model_type = "evil"
class Evil(LlamaForCausalLM):
    config_class = EvilConfig
class EvilTokenizer(PreTrainedTokenizerFast):
    pass
"""


def model(folder: Path, small_model: Path, marker: Path) -> Path:
    """A model that loads only with its own code, which makes the file ``marker``."""
    shutil.copytree(small_model, folder)
    (folder / "evil.py").write_text(CODE.format(marker=str(marker)))
    path = folder / "config.json"
    maps = {"AutoConfig": "evil.EvilConfig", "AutoModelForCausalLM": "evil.Evil"}
    path.write_text(json.dumps(json.loads(path.read_text()) | {"model_type": "evil", "auto_map": maps}))
    return folder


class Touch:
    """Unpickling it makes a file."""

    def __init__(self, marker: Path) -> None:
        self.marker = str(marker)

    def __reduce__(self) -> object:
        return (eval, (f"__import__('pathlib').Path({self.marker!r}).touch()",))


def archive(path: Path, marker: Path) -> Path:
    """A file such as torch writes, whose pickle makes the file ``marker``."""
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("archive/data.pkl", pickle.dumps(Touch(marker), protocol=2))
        made.writestr("archive/version", "3\n")
        made.writestr("archive/byteorder", "little")
    return path
