"""torchtune: ``DiskLogger`` in ``training/metric_logging.py``, with the recipe's config beside it."""

from __future__ import annotations

from pathlib import Path

from benchmarks.dialects.measured import Layout, Measured, windows


def write(run: Measured, layout: Layout, folder: Path) -> Path:
    """``log_<time>.txt``; torchtune's LoRA recipe evaluates nothing. The loss is that of the last step alone."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [
        f"Step {at.step} | loss:{at.loss} lr:{at.rate} tokens_per_second_per_gpu:{2210.5 + at.step % 7}"
        + (f" grad_norm:{at.norm}" if layout.settings else "")
        for at in windows(run, layout.every, mean=False)
    ]
    path = folder / f"log_{1795290000 + layout.seed % 10000}.txt"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    if layout.settings:
        (folder / "torchtune_config.yaml").write_text(_config(run), encoding="utf-8")
    return folder


def _config(run: Measured) -> str:
    known, facts = run.settings, run.facts
    names = {"embed_dim": "hidden_size", "vocab_size": "vocab_size"}
    size = "".join(f"  {name}: {facts[fact]}\n" for name, fact in names.items() if fact in facts)
    lora = f"  lora_rank: {known['lora_r']}\n  lora_alpha: {known['lora_alpha']}\n" if "lora_r" in known else ""
    return (
        f"model:\n  _component_: torchtune.models.llama3_2.lora_llama3_2\n{size}{lora}"
        f"batch_size: {known['batch_size']}\nepochs: {round(run.steps / run.steps_per_epoch)}\n"
        f"optimizer:\n  _component_: torch.optim.AdamW\n  lr: {known['learning_rate']}\n"
        "gradient_accumulation_steps: 1\n"
    )
