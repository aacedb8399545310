"""What all tests share: no clock for property tests, an interrupt that reaches the processes that are started, and a
garbage collector that leaves alone what was there before the first test."""

import gc
import signal

import pytest
from hypothesis import HealthCheck, settings

# Other programs on the machine slow property tests down.
settings.register_profile("calm", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("calm")

# A shell that starts the tests in the background has them ignore Ctrl-C, and so would all that they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


LONGEST = (
    "tests/tuner/study/test_workers.py",
    "tests/benchmarks/test_hostile.py",
    "tests/tuner/study/test_killed_workers.py",
    "tests/tuner/training/test_pool.py",
    "tests/tuner/study/test_pool.py",
    "tests/tuner/inspector/test_browser",
    "tests/benchmarks/test_chaos.py",
    "tests/tuner/study/test_fit_memory.py",
    "tests/test_docs.py",
    "tests/tuner/drivers",
    "tests/tuner/study",
    "tests/tuner/training",
    "tests/benchmarks",
    "tests/tuner/inspector/test_started_page.py",
    "tests/tuner/test_callback.py",
)
"""Where the tests are that train, kill and open a browser: what takes longest first."""


# Tests and libraries are a million objects that stay; the collector would walk over them again and again.
gc.disable()


def pytest_collection_finish() -> None:
    """Watch only what the tests make."""
    gc.freeze()
    gc.enable()


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--long`` runs the tests of more than 15 seconds as well."""
    parser.addoption("--long", action="store_true", help="run the tests marked long as well")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the long files first: workers that share out whole files then end at about the same time."""
    if not config.getoption("--long"):
        kept = [item for item in items if not item.get_closest_marker("long")]
        config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("long")])
        items[:] = kept
    items.sort(key=lambda item: _place(item.path.relative_to(config.rootpath).as_posix()))


def _place(path: str) -> int:
    return next((place for place, start in enumerate(LONGEST) if path.startswith(start)), len(LONGEST))
