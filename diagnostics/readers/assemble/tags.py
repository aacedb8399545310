"""Which tag of a log is which canonical curve, for the loggers people use.

Known by name: transformers and TRL (``train/loss``, ``eval/rewards/margins``), Lightning (``train_loss_step``,
``val_loss``, ``lr-AdamW``), Keras (``epoch_loss``, ``val_loss``), torchtune (``loss``, ``lr``), and hand-written loops
(``Loss/val``). Of several tags that fit one curve the plainest is taken; the others keep their own names.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from diagnostics.model.curves import CURVES
from diagnostics.readers.files import UnreadableLog

TRAIN = {"train", "training", "trn"}
HELD_OUT = {"eval", "evaluation", "val", "valid", "validation", "dev", "heldout", "test"}
FILLERS = {"epoch", "batch", "step", "avg", "mean", "average", "total", "mini"}
KINDS = {"mse", "mae", "huber", "bce", "ce", "xent", "lm", "mlm", "clm", "cross entropy", "crossentropy", "raw"}
"""Names of the loss that is trained on, before the word loss; of auxiliary ones (nll, kl, l2) a curve is never made."""
AVERAGES = {"ema", "running", "moving", "smoothed", "debiased"}
"""Words for a loss that is an average over many logs, where it is logged in place of the loss."""
PARTS = {"nll", "aux", "auxiliary", "kl", "sft", "router", "balance", "balancing", "z", "l", "reg", "value", "policy"}
"""Names of a part of the loss, which is no curve of ours even where it stands alone."""
QUANTITIES: Mapping[str, str] = {
    **{name: name for name in CURVES if name not in ("train_loss", "eval_loss")},
    "loss": "loss",
    "lr": "learning_rate",
    "gradient_norm": "grad_norm",
    "grad_norm_total": "grad_norm",
    "global_grad_norm": "grad_norm",
    "total_grad_norm": "grad_norm",
    "grad_2.0_norm_total": "grad_norm",
    "tokens_seen": "num_tokens",
    "num_tokens_seen": "num_tokens",
    "num_input_tokens_seen": "num_tokens",
    "token_acc": "mean_token_accuracy",
    "token_accuracy": "mean_token_accuracy",
    "log_probs_chosen": "logps_chosen",
    "log_probs_rejected": "logps_rejected",
    "completions_length": "completion_length",
    "generated_length": "completion_length",
    "gen_len": "completion_length",
    "em": "exact_match",
    # verl's trainers of policies
    "actor_lr": "learning_rate",
    "actor_grad_norm": "grad_norm",
    "actor_entropy": "entropy",
    "actor_entropy_loss": "entropy",
    "critic_rewards_mean": "reward",
    "critic_score_mean": "reward",
    "actor_pg_clipfrac": "clip_ratio",
    "response_length_mean": "completion_length",
    "response_length_clip_ratio": "clipped_ratio",
    # TRL's, by their tags in its own log and in event files
    "completions_mean_length": "completion_length",
    "completions_clipped_ratio": "clipped_ratio",
    "completions_mean_terminated_length": "terminated_length",
    "clip_ratio_region_mean": "clip_ratio",
    "sampling_sampling_logp_difference_mean": "sampler_gap",
    "sampling_importance_sampling_ratio_mean": "importance_ratio",
    # NeMo-RL's
    "mean_gen_tokens_per_sample": "completion_length",
    "approx_entropy": "entropy",
}
NAMES = frozenset({*CURVES, *(f"eval_{name}" for name in CURVES if name != "train_loss")} - {"eval_eval_loss"})
MORE_OFTEN = 2
A_KIND_OF_LOSS = 12
AN_AVERAGE = 16
MEAN_OF_RUN = 20
ONE_OF_SEVERAL_SETS = 30
A_PERPLEXITY = 40
PERPLEXITIES = {"ppl", "perplexity"}
"""Names of exp(loss)."""


class Match(NamedTuple):
    """A canonical name and how far the tag is from its plain spelling, 0 for the plain one."""

    name: str
    distance: int


def match(tag: str) -> Match | None:
    """The curve that a tag most likely is, None when it is none of ours."""
    words = words_of(tag)
    held_out, distance, words = _split(words)
    if held_out is None and words[:1] == ["train"]:
        return None
    found = _quantity(words)
    if found is None and _is_perplexity(words):
        return Match("eval_loss" if held_out else "train_loss", distance + A_PERPLEXITY)
    if found is None:
        return _unusual(words, bool(held_out))
    quantity, further = found
    if quantity == "loss":
        # Lightning's val_loss_step counts batches of the held-out rows, so the mean over them is the better curve.
        further += 3 if held_out and words[-1] == "step" else 0
        return Match("eval_loss" if held_out else "train_loss", distance + further)
    return Match(f"eval_{quantity}" if held_out else quantity, distance + further)


def curve_names(points: Mapping[str, int], chosen: Mapping[str, str] | None = None) -> dict[str, str]:
    """The curve name of every tag, given how many points each has; ``chosen`` maps a canonical name to its tag.

    Raises ``UnreadableLog`` when ``chosen`` holds an unknown curve or a tag that the log has not.
    """
    taken = {_chosen_tag(name, tag, points): name for name, tag in (chosen or {}).items()}
    best: dict[str, tuple[int, int, str]] = {}
    for tag, count in points.items():
        found = match(tag)
        if found is None or tag in taken or found.name in taken.values():
            continue
        if is_perplexity(tag) and not _stands_for_a_loss(tag, points):
            continue
        if found.distance >= MEAN_OF_RUN and (found.distance < ONE_OF_SEVERAL_SETS and count < 2):
            continue
        # A loop that prints both losses at each evaluation, as nanoGPT does, prints the training loss alone more often.
        often = tag == "loss" and count > MORE_OFTEN * points.get("train_loss", count)
        key = (-1 if often else found.distance, -count, tag)
        best[found.name] = min(best.get(found.name, key), key)
    names = {tag: name for name, (_, _, tag) in best.items()} | taken
    names |= _only_losses(points, names)
    return {tag: names.get(tag, own_name(tag)) for tag in points}


def _stands_for_a_loss(perplexity: str, tags: Iterable[str]) -> bool:
    """Whether a perplexity may be read as the loss that a log lacks.

    Beside a loss that is none of ours it may be that of a codebook, which is to be high. One that does not say of which
    rows it is may be of the held-out rows, where these have a loss.
    """
    losses = [(match(tag), _split(words_of(tag))[0]) for tag in tags if words_of(tag)[-1:] == ["loss"]]
    if any(found is None for found, _ in losses):
        return False
    return _split(words_of(perplexity))[0] is not None or not any(held_out for _, held_out in losses)


def _only_losses(tags: Iterable[str], names: Mapping[str, str]) -> dict[str, str]:
    """The one loss on training rows, and the one on held-out rows, of a log in which no tag is a plain loss."""
    if {"train_loss", "eval_loss"} & set(names.values()):
        return {}
    found: dict[str, list[str]] = {"train_loss": [], "eval_loss": []}
    for tag in tags:
        if (
            tag not in names
            and match(tag) is None
            and (words := words_of(tag))[-1:] == ["loss"]
            and PARTS.isdisjoint(words)
        ):
            found["train_loss" if HELD_OUT.isdisjoint(words) else "eval_loss"].append(tag)
    return {alone[0]: name for name, alone in found.items() if len(alone) == 1}


def is_perplexity(tag: str) -> bool:
    """Whether a tag names exp(loss) in place of a loss."""
    return _is_perplexity(_split(words_of(tag))[2])


def names_a_loss(tags: Collection[str]) -> bool:
    """Whether one of the tags is, or may be taken for, a loss over training or held-out rows."""
    return not {"train_loss", "eval_loss"}.isdisjoint(curve_names(dict.fromkeys(tags, 2)).values())


def words_of(tag: str) -> list[str]:
    """The words and numbers in a tag, in lower case."""
    return re.findall(r"[a-z]+|\d+(?:\.\d+)?", re.sub(r"([a-z])([A-Z])", r"\1 \2", tag).lower())


def own_name(tag: str) -> str:
    """The tag itself, marked when it is spelled like a canonical curve that it is not."""
    return f"log/{tag}" if tag in NAMES else tag


def _split(words: list[str]) -> tuple[bool | None, int, list[str]]:
    """Whether the words speak of held-out rows (None: they do not say), how oddly, and the other words."""
    for place in (0, -1):
        word = words[place] if len(words) > 1 else ""
        if word in TRAIN or word in HELD_OUT:
            rest = words[1:] if place == 0 else words[:-1]
            if word in TRAIN and rest[:1] == ["train"]:
                return False, MEAN_OF_RUN, rest[1:]
            return word in HELD_OUT, (8 if word == "test" else 0) + (1 if place else 0), rest
    return None, 1 if words == ["loss"] else 0, words


def _quantity(words: list[str]) -> tuple[str, int] | None:
    """The quantity that the words name, and how far from its plain spelling they are."""
    if (plain := QUANTITIES.get("_".join(words))) is not None:
        return plain, 0
    if words[:1] == ["lr"] and not {"momentum", "decay", "weight"} & set(words):
        return "learning_rate", 1 + len(words)
    core = list(words)
    while core and core[0] in FILLERS:
        core = core[1:]
    while core and core[-1] in FILLERS:
        core = core[:-1]
    if core[-1:] == ["loss"] and " ".join(core[:-1]) in KINDS:
        return "loss", A_KIND_OF_LOSS
    if not AVERAGES.isdisjoint(words) and [word for word in words if word not in AVERAGES | FILLERS] == ["loss"]:
        return "loss", AN_AVERAGE
    found = QUANTITIES.get("_".join(core))
    return (found, 2 * (len(words) - len(core))) if found else None


def _is_perplexity(words: list[str]) -> bool:
    """Whether the words, but for fillers, are a name of exp(loss)."""
    core = [word for word in words if word not in FILLERS]
    return len(core) == 1 and core[0] in PERPLEXITIES


def _unusual(words: list[str], held_out: bool) -> Match | None:
    """``eval/<data set>/loss``, as Trainer names the loss of several held-out sets; the first by name is taken."""
    if held_out and len(words) == 2 and words[-1] == "loss" and words[0] not in PARTS:
        return Match("eval_loss", ONE_OF_SEVERAL_SETS)
    return None


def _chosen_tag(name: str, tag: str, points: Mapping[str, int]) -> str:
    """The log's own tag, also where it was given as transformers' state spells it: ``eval_x`` for ``eval/x``.

    Raises ``UnreadableLog`` when the curve is unknown or the log has no such tag.
    """
    if name not in NAMES:
        near = difflib.get_close_matches(name, NAMES, 1)
        hint = f"; did you mean {near[0]}?" if near else "; train_loss and eval_loss are the usual ones"
        raise UnreadableLog(f"tags: unknown curve {name}{hint}")
    for spelled in (tag, f"train/{tag}", tag.replace("eval_", "eval/", 1), tag.replace("test_", "test/", 1)):
        if spelled in points:
            return spelled
    near = difflib.get_close_matches(tag, points, 1, 0.4) or sorted(points)[:3]
    raise UnreadableLog(f"tags: {name}: the log has no tag {tag}; it has {', '.join(near) or 'none'}")
