"""How a sandboxed process is started: the command line for each tier, and the few files that it may see.

It gets an environment of its own from the start (that of bubblewrap's first process can be read inside), no open
descriptors, and no path to a specification: the interpreter, the libraries, the package, nothing else.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import sys
import sysconfig
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import coursepkg
from coursepkg import _course

BUBBLEWRAP, SECOND, NONE = "bubblewrap", "second tier", "none (trusted)"
FIRST_UID = 64000  # one user for each process at a time, since limits count by user
MOST_SLOTS = 500
SCRATCH = 16 << 20
_START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[2]); del sys.argv[2];"
    "from coursepkg.grading.sandbox.inside import main; main()"
)
ENVIRONMENT = {
    "HOME": "/tmp",
    "LANG": "C.UTF-8",
    "MPLBACKEND": "Agg",
    "PYTHONHASHSEED": "0",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}


class Unavailable(OSError):
    """A tier cannot run here; the message says why and what would help."""


@cache
def import_paths() -> tuple[str, ...]:
    """``sys.path`` for the sandbox: the standard library, what holds numpy, sympy and IPython, and the package."""
    library = [sysconfig.get_path("stdlib"), os.path.join(sysconfig.get_path("stdlib"), "lib-dynload")]
    packages = []
    for name in ("numpy", "sympy", "mpmath", "scipy", "matplotlib", "IPython"):
        found = importlib.util.find_spec(name)
        if found is not None and found.origin is not None:
            packages.append(str(Path(found.origin).parents[1]))
    return tuple(dict.fromkeys([*library, *packages, str(_package().parent)]))


def _package() -> Path:
    assert coursepkg.__file__ is not None
    return Path(coursepkg.__file__).resolve().parent


def _interpreter() -> str:
    return os.path.realpath(sys.executable)


@cache
def visible_files() -> tuple[str, ...]:
    """What the sandbox may read: system libraries, the interpreter, the packages and this one."""
    *rest, last = import_paths()
    package = [] if last in rest else [str(_package())]
    prefix = os.path.join(sys.base_prefix, "lib")
    wanted = ["/usr/lib", "/usr/lib64", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/alternatives"]
    wanted += [prefix, _interpreter(), *rest, *package]
    chosen: list[str] = []
    for path in dict.fromkeys(wanted):
        if os.path.exists(path) and not any(path.startswith(done + "/") for done in chosen):
            chosen.append(path)
    return tuple(chosen)


def command(tier: str, slot: int = 0) -> list[str]:
    """The command line that builds a sandbox.

    Parameters
    ----------
    tier : str
        ``BUBBLEWRAP``, ``SECOND`` or ``NONE``.
    slot : int
        Number among the sandboxes that stand at the same time.

    Raises
    ------
    Unavailable
        If the tier cannot run on this machine at all.
    """
    if not sys.platform.startswith("linux"):
        raise Unavailable(
            "work of others can be graded on Linux alone; on Windows use WSL2, on macOS a Linux virtual machine"
        )
    root = os.geteuid() == 0
    settings = {
        "uid": FIRST_UID + slot % MOST_SLOTS if root and tier != NONE else None,
        "readable": [*visible_files(), "/dev/urandom"] if tier == SECOND else None,
        "filtered": tier != NONE,
        "scratch": "/tmp" if tier == BUBBLEWRAP else None,
    }
    python = [_interpreter(), "-S", "-s", "-P", "-B", "-X", "utf8", "-c", _START]
    inner = [*python, json.dumps(settings), json.dumps(import_paths())]
    if tier == BUBBLEWRAP:
        return [*_bubblewrap(root), "--", *inner]
    if tier == SECOND and root:
        _require_open([*visible_files(), *import_paths()])
    return inner


def _bubblewrap(root: bool) -> list[str]:
    program = shutil.which("bwrap")
    if program is None:
        raise Unavailable("bubblewrap is not installed; install it (Debian and Ubuntu: `apt install bubblewrap`)")
    words = [
        program, "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try",
        "--die-with-parent", "--new-session", "--hostname", "sandbox",
    ]  # fmt: skip
    if root:
        words += ["--cap-drop", "ALL"]
        for right in ("CAP_SETUID", "CAP_SETGID", "CAP_KILL"):  # to become another user, and to end that user's process
            words += ["--cap-add", right]
    else:
        words += ["--unshare-user", "--uid", "65534", "--gid", "65534"]
    # First the scratch folder: what is bound later stays visible, also where the course itself lies below /tmp.
    words += ["--perms", "1777", "--size", str(SCRATCH), "--tmpfs", "/tmp"]
    for folder in _parents(visible_files()):  # bubblewrap, as root, would make them closed to others
        words += ["--perms", "0555", "--dir", folder]
    for path in visible_files():
        words += ["--symlink", os.readlink(path), path] if os.path.islink(path) else ["--ro-bind", path, path]
    if (course := _course.folder()).is_relative_to(_package()):  # what an installed package brings along holds answers
        words += ["--perms", "0555", "--tmpfs", str(course), "--remount-ro", str(course)]
    words += ["--perms", "0755", "--dir", "/dev"]
    for device in ("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random"):
        words += ["--dev-bind", device, device]
    return [*words, "--remount-ro", "/", "--chdir", "/tmp"]


def _parents(paths: Sequence[str]) -> list[str]:
    found = {str(parent) for path in paths for parent in Path(path).parents} - {"/"}
    return sorted(folder for folder in found if not os.path.islink(folder))


def _require_open(paths: Sequence[str]) -> None:
    """As root the second tier becomes another user, who must be able to read the interpreter."""
    for path in paths:
        for folder in (Path(path), *Path(path).parents):
            if folder.is_dir() and not folder.stat().st_mode & 0o001:
                raise Unavailable(
                    f"as root, the second tier runs answers as another user, who cannot enter {folder}; use an "
                    "interpreter that every user can read, start as an ordinary user, or install bubblewrap"
                )
