"""The program that made the packaged base model: `python -m benchmarks.base_model.pretrain OUT --seed 0`.

It trains a byte-level BPE tokenizer and a Llama of 1.4 million parameters from scratch on made-up
text: extraction, copying and small talk around bookings, stock, meetings and parcels. The words of
`orders` are in that text, its held-out names are not, and an order never becomes JSON in it, so what
a study measures is learnt by the study. Two stages, seeds 0 and 1: 19 minutes on two shared cores, final loss 0.82;
`tiny/README.md` has the details. It needs torch 2.9 or newer, for Muon.
"""

import argparse
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.base_model.text import END, PAD, START, documents


@dataclass(frozen=True)
class Stage:
    """One schedule of pretraining: its own seed for the text, its steps, and the rate that it falls to zero from."""

    seed: int
    steps: int
    learning_rate: float


STAGES = (Stage(0, 1300, 8e-3), Stage(1, 900, 6e-3))
BATCH = 48
VOCABULARY = 1024
WIDTH, LAYERS, HEAD_WIDTH = 160, 4, 32


CHAT_TEMPLATE = (
    "{%- for message in messages %}"
    "{{- '<|im_start|>' + message['role'] + '\n' }}"
    "{%- if message['role'] == 'assistant' %}"
    "{% generation %}{{- message['content'] + '<|im_end|>' }}{% endgeneration %}"
    "{%- else %}{{- message['content'] + '<|im_end|>' }}{%- endif %}"
    "{{- '\n' }}"
    "{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}{%- endif %}"
)


def tokenizer(seed: int) -> Any:
    """A byte-level BPE tokenizer trained on the text, with the chat template and its special tokens."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    bpe.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[PAD, START, END],
        initial_alphabet=alphabet,
        show_progress=False,
    )
    bpe.train_from_iterator(islice(documents(seed), 20_000), trainer)
    made = PreTrainedTokenizerFast(
        tokenizer_object=bpe, pad_token=PAD, eos_token=END, model_max_length=512, extra_special_tokens=[START]
    )
    made.chat_template = CHAT_TEMPLATE
    return made


def model(words: Any, width: int = WIDTH, layers: int = LAYERS) -> Any:
    """An untrained Llama for that tokenizer, of 1.4 million parameters unless another size is given."""
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=len(words),
        hidden_size=width,
        intermediate_size=27 * width // 10,
        num_hidden_layers=layers,
        num_attention_heads=width // HEAD_WIDTH,
        num_key_value_heads=width // HEAD_WIDTH,
        max_position_embeddings=512,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=words.eos_token_id,
        pad_token_id=words.pad_token_id,
    )
    return LlamaForCausalLM(config)


def batches(words: Any, seed: int, size: int) -> Iterator[Any]:
    """Token ids of documents of about the same length, padded; shuffled within a shelf of 32 batches."""
    random, text = Random(seed), documents(seed)
    while True:
        rows = sorted(words(list(islice(text, 32 * size)))["input_ids"], key=len)
        shelf = [rows[start : start + size] for start in range(0, len(rows), size)]
        random.shuffle(shelf)
        for batch in shelf:
            yield words.pad({"input_ids": batch}, pad_to_multiple_of=16, return_tensors="pt")["input_ids"]


def optimizers(net: Any, learning_rate: float) -> list[Any]:
    """Muon for the weight matrices and AdamW for the rest: here it learns to copy sooner than AdamW alone."""
    import torch

    named = list(net.named_parameters())
    matrices = [weight for name, weight in named if weight.ndim == 2 and "embed" not in name]
    rest = [weight for name, weight in named if weight.ndim != 2 or "embed" in name]
    return [
        torch.optim.Muon(matrices, lr=learning_rate, weight_decay=0.1, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(rest, lr=learning_rate, betas=(0.9, 0.98), weight_decay=0.0),
    ]


def train(net: Any, words: Any, given: Stage) -> None:
    """The model after next-token prediction on every token, its learning rate falling to zero."""
    import torch

    chosen = optimizers(net, given.learning_rate)
    started, losses = time.monotonic(), []
    # Widths come in sixteens: oneDNN compiles its kernels anew for each shape.
    for step, ids in zip(range(given.steps), batches(words, given.seed, BATCH), strict=False):
        share = min((step + 1) / 100, (given.steps - step) / given.steps)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = net(input_ids=ids, labels=ids.masked_fill(ids == words.pad_token_id, -100)).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        for optimizer in chosen:
            optimizer.param_groups[0]["lr"] = given.learning_rate * share
            optimizer.step()
            optimizer.zero_grad()
        losses.append(loss.item())
        if (step + 1) % 100 == 0:
            mean = math.fsum(losses[-100:]) / 100
            print(f"step {step + 1}: loss {mean:.3f}, {time.monotonic() - started:.0f} s", flush=True)


def main() -> None:
    """Train, print the loss as it goes, and save the model in bfloat16 beside its tokenizer."""
    import torch

    parser = argparse.ArgumentParser(prog="python -m benchmarks.base_model.pretrain")
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=0, help="added to the seed of every stage")
    parser.add_argument("--width", type=int, default=WIDTH, help=f"a multiple of {HEAD_WIDTH}")
    parser.add_argument("--layers", type=int, default=LAYERS)
    parser.add_argument("--steps", type=float, default=1.0, help="the share of each stage's steps")
    given = parser.parse_args()
    torch.manual_seed(given.seed)
    words = tokenizer(given.seed)
    net = model(words, given.width, given.layers)
    print(f"{net.num_parameters():,} parameters, {len(words)} tokens")
    for stage in STAGES:
        torch.manual_seed(given.seed + stage.seed)
        steps = round(given.steps * stage.steps)
        train(net, words, replace(stage, seed=given.seed + stage.seed, steps=steps))
        # Each stage starts from what would be loaded from disk, in bfloat16's digits.
        net.to(torch.bfloat16).to(torch.float32)
    net.to(torch.bfloat16).save_pretrained(given.out)
    words.save_pretrained(given.out)


if __name__ == "__main__":
    main()
