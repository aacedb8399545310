"""What the kernel says of memory: how often it has killed a process for it, and how much is free."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

COUNTERS = ("/proc/vmstat", "/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control")
"""Linux counts for the whole machine; a container that hides that file counts for itself (cgroups 2 and 1)."""
COUNTER_NAME = "oom_kill"
BOOT = "/proc/sys/kernel/random/boot_id"
MEMINFO = "/proc/meminfo"
OWN_GROUPS = "/proc/self/cgroup"
GROUP_COUNTERS = {"": "/sys/fs/cgroup{}/memory.events", "memory": "/sys/fs/cgroup/memory{}/memory.oom_control"}
"""The counter of a control group, by the name of its controller: groups 2 have none, groups 1 ``memory``."""
GROUPS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.stat", "/sys/fs/cgroup/memory.current"),
    (
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/memory.stat",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes",
    ),
)
"""The limit, the statistics and the use of a container, in control groups 2 and 1."""


@dataclass(frozen=True)
class MemoryKills:
    """How often the kernel has killed for memory: on the whole machine, and in the control group of a process.

    The machine's count rises with kills of everybody on it; the group's, where there is one, only with its own.
    """

    machine: int | None
    group: str = ""
    in_group: int | None = None

    @classmethod
    def now(cls) -> MemoryKills:
        """The counts of this moment, for the group of this process."""
        group = _own_counter()
        return cls(kill_count(), group, kill_count((group,)) if group else None)

    def have_risen(self) -> bool:
        """Whether the kernel has killed for memory since, in the group where that is known."""
        since = kill_count((self.group,)) if self.group else None
        if since is not None and self.in_group is not None:
            return since > self.in_group
        machine = kill_count()
        return machine is not None and self.machine is not None and machine > self.machine


def _own_counter() -> str:
    """The counter of the control group that this process belongs to; empty where there is none."""
    try:
        lines = Path(OWN_GROUPS).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return ""
    named = {part[1]: part[2] for line in lines if len(part := line.split(":", 2)) == 3}
    paths = [path.format(named[name].rstrip("/")) for name, path in GROUP_COUNTERS.items() if name in named]
    return next((path for path in paths if kill_count((path,)) is not None), "")


def kill_count(counters: Iterable[str] | None = None) -> int | None:
    """The processes that were killed for memory since the machine began; None where nobody counts them."""
    for path in COUNTERS if counters is None else counters:
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
