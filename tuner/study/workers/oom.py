"""How often the kernel has killed a process because memory ran out, where it says so."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

COUNTERS = ("/proc/vmstat", "/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control")
"""Linux counts for the whole machine; a container that hides that file counts for itself (cgroups 2 and 1)."""
COUNTER_NAME = "oom_kill"


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
