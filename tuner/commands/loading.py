"""Loading the study file of a command that trains."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tuner.commands.output import announce
from tuner.config.driven_file import is_driven
from tuner.config.environment import check_environment, environment
from tuner.config.library_logging import quiet, set_verbose
from tuner.config.study_file import StudySpec, load_spec
from tuner.config.trust import check_trust
from tuner.config.yaml_file import read_yaml
from tuner.errors import STOPPED

COMPILING = ("torch_compile", "torch_compile_backend", "torch_compile_mode")
"""Keys each of which has the model compiled."""


def load_study_file(file: Path, verbose: bool, trust_remote_code: bool = False) -> StudySpec:
    """The study file, read and checked; the libraries are quiet unless ``verbose``. Raises ``SpecError``.

    The variables of the file's ``env`` are set first: reading the file imports libraries that look at them.
    """
    if verbose:
        set_verbose()
    raw = read_yaml(file)
    if is_driven(raw):
        return load_spec(file, raw, trust_remote_code=trust_remote_code)
    check_environment(raw, file)
    if not trust_remote_code:
        check_trust(raw, file)
    os.environ.update(environment(raw))
    announce("loading torch, transformers and TRL …")
    with quiet(), _interruptible_at_once():
        spec = load_spec(file, raw, trust_remote_code=trust_remote_code)
    if any(spec.config.get(key) for key in COMPILING):
        print("torch_compile: the first steps compile the model; on a CPU that takes minutes …", file=sys.stderr)
    return spec


@contextmanager
def _interruptible_at_once() -> Iterator[None]:
    """A block that Ctrl-C ends together with the process: torch, while it is imported, aborts on the exception.

    Nothing is written in it that would need to be put in order.
    """
    mine = threading.current_thread() is threading.main_thread()
    if not mine or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return

    def leave(number: int, frame: object) -> None:
        os.write(2, f"{STOPPED}\n".encode())
        os._exit(128 + number)

    signal.signal(signal.SIGINT, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
