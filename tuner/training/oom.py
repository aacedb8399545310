"""What the kernel says of memory: how often it has killed a process for it, and how much is free."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

COUNTERS = ("/proc/vmstat", "/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control")
"""Linux counts for the whole machine; a container that hides that file counts for itself (cgroups 2 and 1)."""
COUNTER_NAME = "oom_kill"
BOOT = "/proc/sys/kernel/random/boot_id"
MEMINFO = "/proc/meminfo"
GROUPS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.stat", "/sys/fs/cgroup/memory.current"),
    (
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/memory.stat",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes",
    ),
)
"""The limit, the statistics and the use of a container, in control groups 2 and 1."""


def kill_count(counters: Iterable[str] = COUNTERS) -> int | None:
    """The processes that were killed for memory since the machine began; None where nobody counts them."""
    for path in counters:
        try:
            lines = Path(path).read_text(encoding="ascii").splitlines()
        except (OSError, UnicodeDecodeError):
            continue
        found = [words[1] for line in lines if len(words := line.split()) == 2 and words[0] == COUNTER_NAME]
        if found and found[0].isdigit():
            return int(found[0])
    return None


def boot_id() -> str:
    """The name of this run of the machine, another one after each restart; empty where there is none."""
    try:
        return Path(BOOT).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def free_memory_share() -> float | None:
    """The share of memory that is free or can be freed at once, of the machine or its container, the smaller of both.

    None where the system does not say.
    """
    shares = [share for share in (_free_on_machine(), *map(_free_in_group, GROUPS)) if share is not None]
    return min(shares, default=None)


def _free_on_machine() -> float | None:
    known = _numbers(MEMINFO)
    free, total = known.get("MemAvailable:"), known.get("MemTotal:")
    return free / total if free is not None and total else None


def _free_in_group(paths: tuple[str, str, str]) -> float | None:
    limit_path, statistics_path, used_path = paths
    try:
        limit, used = (int(Path(path).read_text(encoding="ascii")) for path in (limit_path, used_path))
    except (OSError, ValueError):  # no such group, or the limit is "max"
        return None
    statistics = _numbers(statistics_path)
    pages = statistics.get("inactive_file", 0) + statistics.get("active_file", 0)
    return max(0.0, 1 - (used - pages) / limit) if limit > 0 else None


def _numbers(path: str) -> dict[str, int]:
    """The lines of a file that begin with a name and a whole number."""
    try:
        lines = Path(path).read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        return {}
    pairs = (line.split()[:2] for line in lines if len(line.split()) >= 2)
    return {name: int(value) for name, value in pairs if value.isdigit()}
