"""The text that the packaged base model was trained on: made-up bookings, stock, meetings, parcels and small talk."""

from collections.abc import Iterator, Mapping
from random import Random

from benchmarks.base_model.phrases import (
    CODAS,
    DOMAINS,
    NOUNS,
    ONSETS,
    QUESTIONS,
    SMALL_TALK,
    THANKS,
    VOWELS,
)
from tuner.assets import orders

PAD, START, END = "<|pad|>", "<|im_start|>", "<|im_end|>"
HELD_OUT = (*orders.HELD_OUT_SURNAMES, *orders.HELD_OUT_CITIES)


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
