"""What an answer's process has spent, seen from outside: the answer cannot turn this clock back.

The kernel counts, for each process, the time that it ran and the time that it could have run but had to wait for a
processor (``/proc/<pid>/schedstat``; see ``sched-stats.rst`` in the kernel's documentation). What is left of the time
on the wall, the process spent of its own will. So an answer that never ends costs one time limit, however it goes
about it, and a crowded machine is told apart from it.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

_NANOSECONDS = 1e-9


@dataclass(frozen=True)
class Spent:
    """Seconds of a process: ``ran`` on a processor, ``waited`` for one, and ``wall``, by a clock on the wall."""

    ran: float
    waited: float
    wall: float

    def own(self, earlier: Spent) -> float:
        """The seconds since an earlier moment in which it did not wait for a processor: it computed, or slept."""
        return self.wall - earlier.wall - (self.waited - earlier.waited)


def spent_by(process: int) -> Spent | None:
    """What a process has spent so far, or None where the kernel does not say."""
    try:
        ran, waited, *_ = Path(f"/proc/{process}/schedstat").read_text().split()
    except (OSError, ValueError):
        return None
    return Spent(int(ran) * _NANOSECONDS, int(waited) * _NANOSECONDS, time.monotonic())


def last_descendant(process: int) -> int | None:
    """The process at the end of a line in which each started one other; None if there is no such line.

    In a sandbox this is the one that answers: bubblewrap starts the first process, which forks it.
    """
    children: dict[int, list[int]] = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        parent = _parent(name)
        if parent is not None:
            children.setdefault(parent, []).append(int(name))
    found = process
    while below := children.get(found):
        if len(below) > 1:
            return None
        [found] = below
    return found if found != process else None


def _parent(name: str) -> int | None:
    try:
        return int(Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, ValueError, IndexError):  # it has ended meanwhile
        return None
