"""Every dialect by name: the one list of them."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.dialects import (
    automodel,
    consoles,
    hf,
    keras,
    lightning,
    llamafactory,
    mlx,
    scripts,
    swift,
    torchtune,
    wandb,
)
from benchmarks.dialects.measured import Write

SINGLE: Mapping[str, Write] = {
    "transformers": hf.write_state,
    "llamafactory": llamafactory.write,
    "ms-swift": swift.write,
    "lightning-csv": lightning.write_csv,
    "lightning-events": lightning.write_tensorboard,
    "keras-log": keras.write_log,
    "keras-history": keras.write_history,
    "mlx-lm": mlx.write,
    "wandb-export": wandb.write_export,
    "wandb-folder": wandb.write_folder,
    "automodel": automodel.write,
    "torchtune": torchtune.write,
    "verl": consoles.write_verl,
    "open-instruct": consoles.write_open_instruct,
    "nanogpt": scripts.nano,
    "steps": scripts.stepwise,
    "epochs": scripts.by_epoch,
    "tutorial": scripts.tutorial,
    "semicolons": scripts.semicolons,
}
DIALECTS: Mapping[str, Write] = {**SINGLE, "consoles": consoles.write, "scripts": scripts.write}
"""With those that draw one of several."""
WITHOUT_EVALS = ("torchtune", "open-instruct")
"""Those whose programs log no evaluations."""
