"""What is learned: made-up rows of several kinds, and the networks and language models that learn them.

Every task draws its own rule, noise and sizes from its seed. ``Task.rows`` are for training, ``Task.held`` are kept
back; the first ``seen`` of those are what the run's own evaluations use, all of them are the truth.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np

from benchmarks.fresh.tasks.choices import margins, picks, rare_classes, tags, vocabulary
from benchmarks.fresh.tasks.languages import letters, orders, other_language, pairs
from benchmarks.fresh.tasks.likelihoods import claims, density, lifetimes, steering
from benchmarks.fresh.tasks.reconstructions import autoencoding, counts, denoising, prices, variational
from benchmarks.fresh.tasks.relations import contrast, distilling, ranking, ratings, triplets
from benchmarks.fresh.tasks.scenes import boxes, codebook, equation, masks, nodes, quantiles, sounds
from benchmarks.fresh.tasks.sequences import forecast, masked_symbols, sorting
from benchmarks.fresh.tasks.tables import classes, images, regression
from benchmarks.fresh.tasks.task import Task

TASKS: Mapping[str, Callable[[np.random.Generator], Task]] = {
    "classes": classes,
    "images": images,
    "regression": regression,
    "letters": letters,
    "pretraining": partial(letters, recurrent_share=0.0),  # transformers' Trainer takes no network of ours
    "other-language": other_language,
    "orders": orders,
    "pairs": pairs,
    "ratings": ratings,
    "ranking": ranking,
    "contrast": contrast,
    "triplets": triplets,
    "distilling": distilling,
    "autoencoding": autoencoding,
    "variational": variational,
    "denoising": denoising,
    "counts": counts,
    "prices": prices,
    "masked-symbols": masked_symbols,
    "sorting": sorting,
    "forecast": forecast,
    "claims": claims,
    "lifetimes": lifetimes,
    "steering": steering,
    "density": density,
    "tags": tags,
    "rare-classes": rare_classes,
    "margins": margins,
    "picks": picks,
    "vocabulary": vocabulary,
    "masks": masks,
    "boxes": boxes,
    "sounds": sounds,
    "nodes": nodes,
    "codebook": codebook,
    "equation": equation,
    "quantiles": quantiles,
}

__all__ = ["TASKS", "Task"]
