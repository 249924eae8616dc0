"""The first lines that run in the sandbox: stand by, fork, give every right away for good, serve the learner's answers.

Everything here happens before the learner's code is read. The order matters: descriptors, user, privileges, files,
limits, and the filter last, since it refuses what the others need.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import os
import resource
import select
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from coursepkg.grading.sandbox import landlock, probe, seccomp, worker

MEMORY = 1 << 30  # numpy and sympy together need 136 MB of address space
FILE = 4 << 20
CPU_SECONDS = 600
MOST_FILES = 5000  # at one time, folders and links among them
_LOOK = 0.1  # seconds between two looks at how many there are; a process makes about 10,000 meanwhile
# What answers import most, loaded once for all of them; by name, since the grader itself needs none of it.
PRELOADED = (
    "IPython.core.inputtransformer2",
    "numpy.random",
    "coursepkg.autodiff.scalar",
    "coursepkg.gradients",
    "coursepkg.optimizers",
)
_LIBC = ctypes.CDLL(None, use_errno=True)
_SET_DEATH_SIGNAL, _SET_DUMPABLE, _SET_SECCOMP, _SET_NO_NEW_PRIVS, _FILTER = 1, 4, 22, 38, 2


def give_up_rights(uid: int | None, readable: Sequence[str] | None, filtered: bool) -> None:
    """Leave this process with the right to compute.

    Parameters
    ----------
    uid : int or None
        Become this user (started as root only): limits on the number of processes do not count for root.
    readable : sequence of str or None
        Restrict files to these, to be read, by Landlock; None where the file system is the sandbox's own.
    filtered : bool
        Whether to install the seccomp filter.

    Raises
    ------
    OSError
        If any right stays.
    """
    os.closerange(3, 1 << 16)
    if uid is not None:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    _prctl(_SET_DEATH_SIGNAL, signal.SIGKILL)  # a grader that is killed leaves no answer running
    _prctl(_SET_NO_NEW_PRIVS, 1)
    _prctl(_SET_DUMPABLE, 0)
    if readable is not None:
        landlock.restrict(readable, writable=[os.devnull])
    _set_limits(alone=filtered)
    if filtered:
        _install(seccomp.program())


def _set_limits(alone: bool) -> None:
    limits = {
        resource.RLIMIT_AS: MEMORY,
        resource.RLIMIT_CPU: CPU_SECONDS,
        resource.RLIMIT_FSIZE: FILE,
        resource.RLIMIT_NOFILE: 64,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MEMLOCK: 0,
        resource.RLIMIT_MSGQUEUE: 0,
    }
    if alone:
        limits[resource.RLIMIT_NPROC] = 1
    for kind, most in limits.items():
        hard = resource.getrlimit(kind)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (most, most))


def _prctl(option: int, *values: int) -> None:
    arguments = [ctypes.c_ulong(value) for value in (*values, 0, 0, 0, 0)[:4]]
    if _LIBC.prctl(option, *arguments) != 0:
        raise OSError(ctypes.get_errno(), f"prctl {option}")


def _install(program: bytes) -> None:
    code = ctypes.create_string_buffer(program)
    head = ctypes.create_string_buffer(struct.pack("H6xP", len(program) // 8, ctypes.addressof(code)))
    _prctl(_SET_SECCOMP, _FILTER, ctypes.addressof(head))


# --- the sandbox's first process -------------------------------------------------------------------------------------


def main() -> None:
    """Stand by: fork a process for each notebook, end it when told to, and end with the grader.

    Nothing of a learner reaches this process. It is told one word and two descriptors at a time; cells and cases go
    past it, from the grader to the forked process.
    """
    settings: Mapping[str, Any] = json.loads(sys.argv[1])
    sys.argv[1:] = []
    control, before = socket.socket(fileno=0), _scratch(settings)
    for name in PRELOADED:
        with contextlib.suppress(ImportError):  # what cannot be loaded here is missed by those alone who need it
            importlib.import_module(name)
    worker.warm_up()
    if settings["filtered"]:
        seccomp.program()  # it is kept, and so not put together by each process anew
    gc.freeze()  # or a collection in the forked process would copy every page
    control.send(b"standing")
    child, told = 0, 0.0
    while True:
        full = bool(child) and _fills_up(control, child, settings)
        word, descriptors, *_ = socket.recv_fds(control, 16, 2)
        spent = _end(child) if child else 0.0
        child = 0
        if word in PROGRAMS:
            child = os.fork() or _answer(word, settings, descriptors)
            for descriptor in descriptors:
                os.close(descriptor)
        elif word == b"end":
            clean = _scratch(settings) == before
            own = time.process_time()  # this process's, for the first report from its start on
            control.send(json.dumps({"cpu_seconds": spent + own - told, "clean": clean, "full": full}).encode())
            told = own
        else:  # nobody is there any more
            return


def _fills_up(control: socket.socket, child: int, settings: Mapping[str, Any]) -> bool:
    """Until the grader speaks, see to it that a process makes no files without end; whether one did, and was ended.

    Empty files take none of the bytes that a file system in memory may have, but memory of the kernel.
    """
    while settings["scratch"] and not select.select([control], [], [], _LOOK)[0]:
        room = os.statvfs(settings["scratch"])
        if room.f_files - room.f_ffree > MOST_FILES:
            os.kill(child, signal.SIGKILL)
            return True
    return False


def _scratch(settings: Mapping[str, Any]) -> list[str]:
    return sorted(os.listdir(settings["scratch"])) if settings["scratch"] else []


def _end(child: int) -> float:
    """Kill a process, wait until it is gone, and return the processor time that it took."""
    os.kill(child, signal.SIGKILL)
    usage = os.wait4(child, 0)[2]
    return usage.ru_utime + usage.ru_stime


def _answer(program: bytes, settings: Mapping[str, Any], descriptors: Sequence[int]) -> int:
    """The whole life of a forked process; it must never come back into the loop above."""
    try:
        for target, source in enumerate((*descriptors, os.open(os.devnull, os.O_RDWR))):
            os.dup2(source, target)
        give_up_rights(settings["uid"], settings["readable"], settings["filtered"])
        os.write(1, b'{"ready": true}\n')
        PROGRAMS[program]()
    finally:
        os._exit(0)


PROGRAMS: Mapping[bytes, Callable[[], None]] = {b"worker": worker.main, b"probe": probe.main}
