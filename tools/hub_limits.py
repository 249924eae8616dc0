"""Memory for all programs of a participant together, by Linux's control groups, where this machine lets us make them.

Both versions are known. With the first, each kind of limit has a tree of its own. With the second there is one tree,
and a folder must pass a kind on before the folders in it have it. Where neither can be written, as in many containers,
there is no such group, and what is left is the limit that each process has by itself.
"""

from __future__ import annotations

import os
from pathlib import Path

TREE = Path("/sys/fs/cgroup")
NAME = "coursepkg-room"


def group(name: str, memory: int | None, tree: Path = TREE) -> Path | None:
    """The control group of a participant, made if it is not there.

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
    Path or None
        A folder for :func:`join`; None if this machine gives none.
    """
    if not memory:
        return None
    try:
        if (tree / "cgroup.controllers").is_file():
            if "memory" not in (tree / "cgroup.controllers").read_text().split():
                return None
            limit, above = "memory.max", tree / NAME
            _pass_on(tree)
            above.mkdir(exist_ok=True)
            _pass_on(above)
        elif (tree / "memory" / "memory.limit_in_bytes").is_file():
            limit, above = "memory.limit_in_bytes", tree / "memory" / NAME
            above.mkdir(exist_ok=True)
        else:
            return None
        own = above / name
        own.mkdir(exist_ok=True)
        (own / limit).write_text(str(memory))
    except OSError:
        return None
    return own


def _pass_on(folder: Path) -> None:
    if "memory" not in (folder / "cgroup.subtree_control").read_text().split():
        (folder / "cgroup.subtree_control").write_text("+memory")


def join(own: Path | None) -> None:
    """Put this process, and all that it will start, into a group."""
    if own is not None:
        (own / "cgroup.procs").write_text(str(os.getpid()))
