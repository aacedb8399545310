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
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from tuner.assets import orders


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
PAD, START, END = "<|pad|>", "<|im_start|>", "<|im_end|>"
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

# Label, sentence patterns, and under which key each fact is extracted.
DOMAINS = (
    (
        "Booking",
        (
            "{person}[ from {place}] books {count} nights[ from {day}].",
            "A room for {person}[ from {place}], {count} nights[, starting on {day}].",
            "[From {day} ]{person}[ of {place}] stays for {count} nights.",
            "Please keep a room for {person}[ from {place}] for {count} nights[ from {day}].",
        ),
        {"guest": "person", "nights": "count", "town": "place", "start": "day"},
    ),
    (
        "Stock",
        (
            "There are {goods}[ in {place}][ on {day}].",
            "[The store in {place} has ]{goods}[ since {day}].",
            "We counted {goods}[ at {place}][ on {day}].",
            "Only {goods} left[ in {place}][ by {day}].",
        ),
        {"product": "item", "count": "count", "pack": "pack", "store": "place", "since": "day"},
    ),
    (
        "Meeting",
        (
            "{person} meets {other}[ in {place}][ on {day}].",
            "On the list: {person} and {other}[, {place}][, {day}].",
            "Could {person} see {other}[ on {day}][ in {place}]?",
            "{other} is waiting for {person}[ in {place}][ until {day}].",
        ),
        {"host": "person", "visitor": "other", "town": "place", "weekday": "day"},
    ),
    (
        "Parcel",
        (
            "{person} sent {goods} to {other}[ in {place}][ on {day}].",
            "{other}[ of {place}] got {goods} from {person}[ on {day}].",
            "[By {day} ]{goods} went from {person} to {other}[ in {place}].",
            "Parcel for {other}[, {place}]: {goods}, sent by {person}[ on {day}].",
        ),
        {
            "sender": "person",
            "content": "item",
            "amount": "count",
            "pack": "pack",
            "receiver": "other",
            "town": "place",
            "arrived": "day",
        },
    ),
)
HELD_OUT = (*orders.HELD_OUT_SURNAMES, *orders.HELD_OUT_CITIES)

# What made-up words are made of.
ONSETS = (*"bcdfghjklmnprstvwyz", "", "br", "ch", "cl", "dr", "fl", "gr", "kr", "pr", "qu", "sh", "st", "th", "tr")
VOWELS = (*"aaeeiioou", "y", "ai", "au", "ea", "ei", "ie", "oo", "ou")
CODAS = (
    *("", "", "l", "n", "r", "s", "t", "d", "k", "m", "x", "y", "z", "nd", "nt", "rk", "rs", "st", "ck", "ff"),
    *("er", "en", "an", "as", "es", "os", "el", "al", "ez", "in", "ega", "ler", "ter", "mer", "sen", "ants"),
)
NOUNS = (
    *("item", "quantity", "unit", "customer", "city", "day", "number", "name", "date", "page", "color"),
    *("size", "wire", "beans", "figs", "note", "list", "fault", "order", "place", "price"),
)
QUESTIONS = {
    "customer": ("Who is it for?", "Which customer?", "Name of the customer?"),
    "item": ("What are the goods?", "Which item?", "Of what?"),
    "quantity": ("How many?", "Which quantity?", "What is the number?"),
    "unit": ("In which unit?", "Packed in what?"),
    "city": ("Where to?", "Which city?", "In which city?"),
    "day": ("When?", "By which day?", "Which day?"),
}
SMALL_TALK = (
    ("Hello!", "Hello! How can I help you?"),
    ("Good morning.", "Good morning! What can I do for you?"),
    ("Who are you?", "I am a small model for notes and orders."),
    ("Thank you!", "You are welcome."),
    ("What can you do?", "I can read a note and write down what it says."),
    ("Goodbye.", "Goodbye, and have a nice day!"),
)
THANKS = (
    "Thank you, {customer} will get the {item}.",
    "The order is noted.",
    "Sure! I will tell {customer}.",
    "Of course. {item} it is.",
)


def documents(seed: int) -> Iterator[str]:
    """Pretraining text without end, one short document at a time."""
    random = Random(f"pretrain {seed}")
    kinds = (*[extraction] * 4, *[question] * 2, *[repetition] * 2, acknowledgement, prose)
    while True:
        yield random.choice(kinds)(random)


def extraction(random: Random) -> str:
    """A note of some domain turned into JSON, lines, a row or one chosen key, as the user asks."""
    label, patterns, keys = random.choice(DOMAINS)
    facts = _facts(random)
    record = {key: facts[fact] for key, fact in keys.items() if fact in facts}
    asked, turns = f"{label}: {orders.filled(random.choice(patterns), facts)} ", []
    for style in random.sample(("json", "lines", "row", "keys"), random.randint(1, 3)):
        wish, answer = _styled(random, record, style)
        turns.append(_chat(asked + wish, answer))
        asked = ""
    return "".join(turns)


def question(random: Random) -> str:
    """Questions about an order, each answered with one word of it."""
    made = _order(random)
    asked, turns = orders.sentence(random, made) + " ", []
    for key in random.sample(tuple(made), random.randint(1, 4)):
        turns.append(_chat(asked + random.choice(QUESTIONS[key]), str(made[key])))
        asked = ""
    return "".join(turns)


def acknowledgement(random: Random) -> str:
    """What the base model says to an order, or to a greeting: never JSON."""
    if random.random() < 0.2:
        return _chat(*random.choice(SMALL_TALK))
    made = _order(random)
    return _chat(f"Order: {orders.sentence(random, made)}", random.choice(THANKS).format(**made))


def repetition(random: Random) -> str:
    """Text that comes back: a list said again, or an object with its values copied from a list."""
    words = [str(value) for value in (*_facts(random).values(), _person(random), *random.sample(NOUNS, 4))]
    words += [_word(random), _word(random).lower()]
    said = random.sample(words, random.randint(2, 6))
    style = random.choice(("list", "json", "plain"))
    if style == "list":
        return _chat(f"Repeat: {', '.join(said)}", ",".join(said))
    if style == "json":
        names = random.sample(("a", "b", "c", "x", "y", "z", "first", "second", "last"), len(said))
        asked = ", ".join(f"{name} is {value}" for name, value in zip(names, said, strict=True))
        return _chat(f"{asked}.", orders.compact(dict(zip(names, said, strict=True))))
    return f"{' '.join(said)}. " * random.randint(2, 3) + END + "\n"


def prose(random: Random) -> str:
    """Plain lines outside any chat: notes, plurals, numbers, days and keys."""
    label, patterns, keys = random.choice(DOMAINS)
    unit, number = random.choice(tuple(orders.UNITS)), random.choice(tuple(orders.NUMBERS))
    day = random.randrange(7)
    return random.choice(
        (
            orders.sentence(random, _order(random)),
            f"{label}: {orders.filled(random.choice(patterns), _facts(random))}",
            f"one {unit}, {number} {orders.UNITS[unit]}; {orders.NUMBERS[number]} is {number}.",
            f"After {orders.DAYS[day - 1]} comes {orders.DAYS[day]}.",
            f"{label} keys: {', '.join(keys)}. Order keys: item, quantity, unit, customer, city, day.",
        )
    ) + (END + "\n")


def _styled(random: Random, record: Mapping[str, str | int], style: str) -> tuple[str, str]:
    if style == "json":
        return "As JSON.", orders.compact(record)
    if style == "lines":
        return "As lines.", "\n".join(f"{key}: {value}" for key, value in record.items())
    if style == "row":
        return "As a row.", ",".join(str(value) for value in record.values())
    keys = random.sample(tuple(record), random.randint(1, len(record)))
    return f"Give {', '.join(keys)}.", orders.compact({key: record[key] for key in keys})


def _chat(asked: str, answer: str) -> str:
    return f"{START}user\n{asked}{END}\n{START}assistant\n{answer}{END}\n"


def _word(random: Random) -> str:
    # All sorts of pieces: a token the model never had to copy is one that no adapter can make it copy.
    syllables = (random.choice(ONSETS) + random.choice(VOWELS) for _ in range(random.randint(1, 2)))
    made = ("".join(syllables) + random.choice(CODAS)).capitalize()
    return _word(random) if made in HELD_OUT else made


def _person(random: Random) -> str:
    first = random.choice(orders.FIRST_NAMES) if random.random() < 0.8 else _word(random)
    return f"{first} {random.choice(orders.SURNAMES) if random.random() < 0.4 else _word(random)}"


def _place(random: Random) -> str:
    return random.choice(orders.CITIES) if random.random() < 0.5 else _word(random)


def _item(random: Random) -> str:
    if random.random() < 0.6:
        return random.choice(orders.ITEMS)
    return f"{random.choice(('white', 'dried', 'red', 'fine', 'raw', 'copper'))} {_word(random).lower()}"


def _order(random: Random) -> orders.Order:
    made = orders.order(random, orders.POOLS["pretraining"])
    made["customer"], made["item"] = _person(random), _item(random)
    return {**made, "city": _place(random)} if "city" in made else made


def _facts(random: Random) -> orders.Order:
    made = _order(random)
    unit, count, item = str(made["unit"]), int(made["quantity"]), str(made["item"])
    facts: orders.Order = {"person": str(made["customer"]), "other": _person(random), "item": item}
    facts |= {"count": count, "pack": unit, "goods": orders.goods(random, count, unit, item)}
    return facts | {fact: made[key] for fact, key in (("place", "city"), ("day", "day")) if key in made}


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
