"""Limits on all programs of a participant together, by Linux's control groups, where this machine lets us make them.

Memory has an upper end. The processor has none, but where many want it, each participant has the same share, however
many programs they run. Both versions of control groups are known. With the first, each kind of limit has a tree of its
own. With the second there is one tree, and a folder must pass a kind on before the folders in it have it. Where none
can be written, as in many containers, there is no group, and what is left are the limits of each process by itself.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

TREE = Path("/sys/fs/cgroup")
NAME = "coursepkg-room"
ROOM = 4  # how much of the processor the room has against other programs of the machine, for each of them 1


def groups(name: str, memory: int | None, tree: Path = TREE) -> list[Path]:
    """The control groups of a participant, made if they are not there.

    Parameters
    ----------
    name : str
        What tells participants apart.
    memory : int or None
        In bytes; None for no limit.
    tree : Path
        Where the system shows its control groups.

    Returns
    -------
    list of Path
        Folders for :func:`join`; those that this machine gives.
    """
    found = []
    if (tree / "cgroup.controllers").is_file():
        with contextlib.suppress(OSError):
            found.append(_second(tree, name, memory))
        return found
    for kind, limit, above, own in (
        ("memory", "memory.limit_in_bytes", None, memory),
        ("cpu", "cpu.shares", 1024 * ROOM, 1024),
    ):
        if own and (tree / kind / limit).is_file():
            with contextlib.suppress(OSError):
                folder = tree / kind / NAME
                (folder / name).mkdir(parents=True, exist_ok=True)
                if above:
                    (folder / limit).write_text(str(above))
                (folder / name / limit).write_text(str(own))
                found.append(folder / name)
    return found


def _second(tree: Path, name: str, memory: int | None) -> Path:
    kinds = [kind for kind in ("memory", "cpu") if kind in (tree / "cgroup.controllers").read_text().split()]
    if not kinds:
        raise FileNotFoundError("this machine passes no kind of limit on")
    above, own = tree / NAME, tree / NAME / name
    _pass_on(tree, kinds)
    above.mkdir(exist_ok=True)
    _pass_on(above, kinds)
    own.mkdir(exist_ok=True)
    if "cpu" in kinds:
        (above / "cpu.weight").write_text(str(100 * ROOM))
        (own / "cpu.weight").write_text("100")
    if "memory" in kinds and memory:
        (own / "memory.max").write_text(str(memory))
    return own


def _pass_on(folder: Path, kinds: Sequence[str]) -> None:
    passed = (folder / "cgroup.subtree_control").read_text().split()
    for kind in kinds:
        if kind not in passed:
            (folder / "cgroup.subtree_control").write_text(f"+{kind}")


def join(folders: Sequence[Path]) -> None:
    """Put this process, and all that it will start, into groups."""
    for own in folders:
        (own / "cgroup.procs").write_text(str(os.getpid()))
