"""The task of the packaged studies: a sentence about an order in, one compact JSON object out."""

import json
import re
from collections.abc import Iterator, Mapping
from random import Random
from typing import NamedTuple


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FIRST_NAMES = _words(
    "Anna Ben Clara David Elena Felix Grace Hugo Ines Jonas Karin Leo Maria Nils Olga Paul Rosa Simon Tara"
    " Victor Wanda Yusuf Zoe Amir Bianca Carlos Dina Emil Fatima Georg Hanna Ivan Julia Kofi Laura Marco"
    " Nadia Oscar Petra Rafael Sara Tomas Ursula Viola"
)
SURNAMES = _words(
    "Weber Rossi Silva Novak Haas Moreno Lind Keller Dubois Costa Berg Tanaka Okafor Khan Olsen Fischer"
    " Marin Kovac Duarte Nyman Sato Ferrari Lopez Jansen Petrov Adler Brandt Castro Demir Ekman Fontana"
    " Garcia Holm Ivanov Jung Kaya"
)
# In training rows only. The base model read no such name, and most fall into several tokens: without
# them an adapter learns that a surname is one token, and cuts the held-out ones short.
NEW_SURNAMES = _words(
    "Becker Damen Eber Fuller Gruber Hansen Ibsen Joner Koster Miller Nolan Parker Quist Ramos Sommer Turner"
    " Vargas Walter Zeller Baker Clark Dietz Evans Fraser Graner Huber Jensen Klein Meier Nielsen Peters Reiner"
    " Stein Torres Vogel Zimmer Sanchez Mendez Ramirez Vermeer Petersen Stauber Kruger Lander Olander Young"
)
HELD_OUT_SURNAMES = _words("Larsen Mendes Nagy Osman Palmer Ritter Santos Thaler Urban Winter")
CITIES = _words(
    "Oslo Berlin Lisbon Madrid Rome Vienna Zurich Paris Dublin Athens Prague Warsaw Bergen Porto Lyon Milan"
    " Ghent Basel Turin Malmo Cork Graz"
)
HELD_OUT_CITIES = ("Leeds", "Nantes", "Tampere")
ITEMS = (
    *("green tea", "black tea", "coffee", "brown sugar", "sea salt", "olive oil", "red wine", "white wine"),
    *("apple juice", "honey", "rice", "flour", "oats", "lentils", "almonds", "walnuts", "pepper", "vinegar"),
    *("soap", "candles", "paper", "pencils", "envelopes", "nails", "screws", "paint", "rope", "cement"),
)
HELD_OUT_ITEMS = ("white beans", "dried figs", "copper bolts")
UNITS = {
    "box": "boxes",
    "bag": "bags",
    "crate": "crates",
    "bottle": "bottles",
    "jar": "jars",
    "pack": "packs",
    "barrel": "barrels",
    "pallet": "pallets",
}
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
NUMBERS = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight", 9: "nine", 10: "ten"}

# A part in brackets is left out where the order has no such city or day.
PATTERNS = (
    "Please send {goods} to {customer}[ in {city}][ by {day}].",
    "{customer}[ in {city}] would like {goods}[ by {day}].",
    "We need {goods} for {customer}[ in {city}][ before {day}].",
    "{customer} ordered {goods}[ to {city}][ for {day}].",
    "Can you ship {goods}[ to {city}] for {customer}[ by {day}]?",
    "Deliver {goods}[ on {day}] to {customer}[ in {city}].",
    "New order from {customer}[ in {city}]: {goods}[, due {day}].",
    "{customer} called[ from {city}] and asked for {goods}[ by {day}].",
    "Could {customer}[ from {city}] have {goods}[ on {day}]?",
    "{goods} for {customer}[ in {city}][ by {day}], please.",
    "Put {goods} aside for {customer}[ of {city}][ until {day}].",
    "The customer is {customer}[, {city}], the goods are {goods}[, the day is {day}].",
)
HELD_OUT_PATTERNS = (
    "Bring {goods}[ on {day}] to {customer}[ in {city}].",
    "{customer}[ of {city}] is waiting for {goods}[ by {day}].",
)
FAULTS = ("value", "missing", "swapped", "type", "chatty", "pretty")
Order = dict[str, str | int]


class Pool(NamedTuple):
    """The words that one split may use."""

    surnames: tuple[str, ...]
    cities: tuple[str, ...]
    items: tuple[str, ...]
    patterns: tuple[str, ...]


POOLS = {
    "pretraining": Pool(SURNAMES, CITIES, ITEMS, PATTERNS),
    "train": Pool(SURNAMES + NEW_SURNAMES, CITIES, ITEMS, PATTERNS),
    "test": Pool(HELD_OUT_SURNAMES, CITIES + HELD_OUT_CITIES, ITEMS + HELD_OUT_ITEMS, PATTERNS + HELD_OUT_PATTERNS),
}


def order(random: Random, pool: Pool) -> Order:
    """One made-up order in the order of the JSON keys; one in five lacks its city, one in five its day."""
    made: Order = {
        "item": random.choice(pool.items),
        "quantity": random.choice((*NUMBERS, random.randint(11, 60))),
        "unit": random.choice(tuple(UNITS)),
        "customer": f"{random.choice(FIRST_NAMES)} {random.choice(pool.surnames)}",
    }
    if random.random() < 0.8:
        made["city"] = random.choice(pool.cities)
    if random.random() < 0.8:
        made["day"] = random.choice(DAYS)
    return made


def sentence(random: Random, made: Mapping[str, str | int], patterns: tuple[str, ...] = PATTERNS) -> str:
    """An English sentence that says all of an order and nothing else."""
    words = {**made, "goods": goods(random, int(made["quantity"]), str(made["unit"]), str(made["item"]))}
    return filled(random.choice(patterns), words)


def goods(random: Random, quantity: int, unit: str, item: str) -> str:
    """`3 boxes of green tea`, a small quantity sometimes as a word."""
    amount = NUMBERS[quantity] if quantity in NUMBERS and random.random() < 0.5 else str(quantity)
    return f"{amount} {UNITS[unit]} of {item}"


def filled(pattern: str, words: Mapping[str, str | int]) -> str:
    """The sentence of a pattern, without the bracketed parts whose word is not given."""
    pieces = re.split(r"\[(.*?)\]", pattern)
    asked = [piece for piece in pieces if all(key in words for key in re.findall(r"{(\w+)}", piece))]
    text = "".join(asked).format(**words)
    return text[0].upper() + text[1:]


def compact(made: Mapping[str, str | int]) -> str:
    """The answer the task asks for: JSON without a single space between its parts."""
    return json.dumps(made, separators=(",", ":"))


def spoilt(random: Random, made: Order, pool: Pool, fault: str) -> str:
    """A worse answer to the same order: something wrong in it, or around it."""
    if fault == "chatty":
        opening = random.choice(("Sure! Here is the order: ", "Of course. ", "The JSON is "))
        return opening + compact(made)
    if fault == "pretty":
        return json.dumps(made, indent=1)
    bad = dict(made)
    if fault == "value":
        key = random.choice([key for key in made if key != "unit"])
        bad[key] = next(other[key] for other in orders(random, pool) if other.get(key, made[key]) != made[key])
    elif fault == "missing":
        del bad[random.choice(tuple(made))]
    elif fault == "swapped":
        bad["customer"], bad["item"] = made["item"], made["customer"]
    elif fault == "type":
        bad["quantity"] = str(made["quantity"])
    else:
        raise ValueError(f"unknown fault {fault!r}; one of {', '.join(FAULTS)}")
    return compact(bad)


def orders(random: Random, pool: Pool) -> Iterator[Order]:
    """Made-up orders without end."""
    while True:
        yield order(random, pool)
