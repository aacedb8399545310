"""Silences the training libraries: their logs, warnings, progress bars and telemetry."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

LOGGERS = (
    *("transformers", "datasets", "trl", "peft", "accelerate", "bitsandbytes", "tokenizers", "huggingface_hub"),
    *("optuna", "torch", "absl", "tensorboard", "filelock", "httpx", "kernels"),
)

QUIET_ENVIRONMENT = {
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TQDM_DISABLE": "1",
    "TRANSFORMERS_NO_ADVISORY_WARNINGS": "1",
    "TRL_EXPERIMENTAL_SILENCE": "1",
    "TRANSFORMERS_VERBOSITY": "error",
    "DATASETS_VERBOSITY": "error",
    "TOKENIZERS_PARALLELISM": "false",
    "BITSANDBYTES_NOWELCOME": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}

_verbose = False


def set_verbose() -> None:
    """Make ``quiet`` do nothing in this process, for ``--verbose``."""
    global _verbose
    _verbose = True


@contextmanager
def quiet() -> Iterator[None]:
    """A block in which the libraries show only errors; the earlier state is restored after it."""
    if _verbose:
        yield
        return
    with _environment(), _levels(), _progress_bars(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def _environment() -> Iterator[None]:
    added = {name: value for name, value in QUIET_ENVIRONMENT.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)


@contextmanager
def _levels() -> Iterator[None]:
    before = {name: logging.getLogger(name).level for name in LOGGERS}
    for name in before:
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)


@contextmanager
def _progress_bars() -> Iterator[None]:
    """Disable the progress bars of libraries that are already loaded; the others read the environment."""
    restore = []
    if "datasets" in sys.modules:
        from datasets.utils import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

        if not are_progress_bars_disabled():
            disable_progress_bars()
            restore.append(enable_progress_bars)
    if "transformers" in sys.modules:
        from transformers.utils import logging as transformers_logging

        if transformers_logging.is_progress_bar_enabled():
            transformers_logging.disable_progress_bar()
            restore.append(transformers_logging.enable_progress_bar)
    try:
        yield
    finally:
        for enable in restore:
            enable()
