"""What ``doctor`` runs inside the sandbox: it tries to get out, one way after another, and reports what worked.

Each attempt returns None when it was stopped, or words about what it reached. It runs where an answer would run, with
the same rights, so whatever stops it would stop an answer.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import json
import os
import resource
import signal
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any

from coursepkg.grading.sandbox import seccomp

Plan = Mapping[str, Any]
_ATTEMPTS: dict[str, Callable[[Plan], str | None]] = {}
_FLOOD = 64 << 20
_UNSHARE, _KEYCTL, _PTRACE, _BPF, _IO_URING, _MEMFD = range(6)  # places in the rows of `_CALLS`
_CALLS = {"x86_64": (272, 250, 101, 321, 425, 319), "aarch64": (97, 219, 117, 280, 425, 279)}
_NEW_USER_NAMESPACE = 0x10000000
_REFUSALS = (errno.EPERM, errno.ENOSYS)


def _attempt(name: str) -> Callable[[Callable[[Plan], str | None]], Callable[[Plan], str | None]]:
    def note(function: Callable[[Plan], str | None]) -> Callable[[Plan], str | None]:
        _ATTEMPTS[name] = function
        return function

    return note


@_attempt("network")
def _network(plan: Plan) -> str | None:
    try:
        socket.create_connection(("127.0.0.1", plan["port"]), timeout=2).close()
    except OSError:
        pass
    else:
        return "a TCP connection to this machine was made"
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"leak", ("127.0.0.1", plan["port"]))
    except OSError:
        return None
    return "a UDP packet was sent"


@_attempt("sockets")
def _sockets(plan: Plan) -> str | None:
    made = []
    for family in ("AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK", "AF_VSOCK", "AF_ALG", "AF_PACKET"):
        try:
            socket.socket(getattr(socket, family), socket.SOCK_DGRAM).close()
        except (OSError, AttributeError):
            continue
        made.append(family)
    return f"sockets of the kinds {', '.join(made)} were opened" if made else None


@_attempt("reading")
def _reading(plan: Plan) -> str | None:
    for path in plan["unreadable"]:
        try:
            if not os.path.isdir(path):
                with open(path, "rb") as file:
                    file.read(1)
            elif not _others(path, plan["visible"]):
                continue
        except OSError:
            continue
        return f"{path} was read"
    return None


def _others(folder: str, visible: list[str]) -> list[str]:
    """What a folder holds besides the way to what may be seen."""
    paths = [os.path.join(folder, name) for name in os.listdir(folder)]
    return [path for path in paths if not any(own == path or own.startswith(path + "/") for own in visible)]


@_attempt("writing")
def _writing(plan: Plan) -> str | None:
    folders = [plan["open_folder"], "/", "/usr", "/usr/lib", "/etc", "/dev", "/dev/shm", "/var/tmp", "/home", *sys.path]
    for folder in folders:
        path = os.path.join(folder, "written-by-the-sandbox")
        try:
            with open(path, "wb") as file:
                file.write(b"leak")
        except OSError:
            continue
        os.unlink(path)
        return f"a file was written in {folder}"
    return None


@_attempt("changing")
def _changing(plan: Plan) -> str | None:
    path = plan["unreadable"][0]
    tries: dict[str, Callable[[], object]] = {
        "its mode was changed": lambda: os.chmod(path, 0o600),
        "its times were changed": lambda: os.utime(path, (1, 1)),
        "it was cut": lambda: os.truncate(path, 0),
        "it was renamed": lambda: os.rename(path, path + "-moved"),
        "it was removed": lambda: os.unlink(path),
    }
    for words, attempt in tries.items():
        try:
            attempt()
        except OSError:
            continue
        return f"a file outside was reached: {words}"
    return None


@_attempt("scratch")
def _scratch(plan: Plan) -> str | None:
    block, written = bytes(1 << 20), 0
    for number in range(2 * _FLOOD // len(block)):
        try:
            with open(f"/tmp/flood-{os.getpid()}-{number}", "wb") as file:
                file.write(block)
        except OSError:
            break
        written += len(block)
    for number in range(2 * _FLOOD // len(block)):
        try:
            os.unlink(f"/tmp/flood-{os.getpid()}-{number}")
        except OSError:
            break
    return f"{written >> 20} MiB of files were written" if written >= _FLOOD else None


@_attempt("file size")
def _file_size(plan: Plan) -> str | None:
    most = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    return None if 0 <= most <= _FLOOD else "files have no size limit"


@_attempt("processes")
def _processes(plan: Plan) -> str | None:
    try:
        child = os.fork()
    except OSError:
        pass
    else:
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
        return "another process was started"
    try:
        os.execv(sys.executable, [sys.executable, "-c", ""])
    except OSError:
        return None
    return "another program was started"


@_attempt("threads")
def _threads(plan: Plan) -> str | None:
    try:
        thread = threading.Thread(target=int)
        thread.start()
    except RuntimeError:
        return None
    thread.join()
    return "a thread was started, so memory and time limits do not hold for one alone"


@_attempt("memory")
def _memory(plan: Plan) -> str | None:
    kept, size = [], 64 << 20
    try:
        for _ in range((4 << 30) // size):
            kept.append(bytes(size))  # zeros that are never touched cost address space alone; a bytearray touches them
    except MemoryError:
        kept.clear()
        return None
    kept.clear()
    return "4 GiB of memory were given"


@_attempt("time")
def _time(plan: Plan) -> str | None:
    most = resource.getrlimit(resource.RLIMIT_CPU)[1]
    return None if 0 < most <= 3600 else "processor time has no limit"


@_attempt("environment")
def _environment(plan: Plan) -> str | None:
    if any(plan["planted"] in text for text in os.environ.values()):
        return "an environment variable of the grader was read"
    for process in _numbers("/proc"):
        try:
            with open(f"/proc/{process}/environ", "rb") as file:
                if plan["planted"].encode() in file.read():
                    return f"the environment of process {process} was read"
        except OSError:
            continue
    return None


def _numbers(folder: str) -> list[str]:
    try:
        return [name for name in os.listdir(folder) if name.isdigit()]
    except OSError:
        return []


@_attempt("descriptors")
def _descriptors(plan: Plan) -> str | None:
    still_open = []
    for number in range(3, 1024):
        try:
            os.fstat(number)
        except OSError:
            continue
        still_open.append(number)
    return f"descriptors {still_open} came from outside" if still_open else None


@_attempt("signals")
def _signals(plan: Plan) -> str | None:
    for process in plan["processes"]:
        try:
            os.kill(process, 0)
        except OSError:
            continue
        return f"process {process} outside can be signalled"
    return None


@_attempt("signals by other calls")
def _signals_by_other_calls(plan: Plan) -> str | None:
    """Signal 0 is sent to nobody, but whoever may send it may send others."""
    outside = plan["processes"][1]
    return _first_allowed({
        "to everybody": ("kill", -1, 0), "to its group": ("kill", 0, 0), "to a thread": ("tkill", outside, 0),
        "to a thread of a process": ("tgkill", outside, outside, 0),
        "with a message": ("rt_sigqueueinfo", outside, 0, ctypes.create_string_buffer(128)),
        "through a handle": ("pidfd_open", outside, 0),
        "by a timer": ("timer_create", 0, None, ctypes.byref(ctypes.c_int())),
        "by a queue": ("mq_notify", 0, None), "by a folder": ("inotify_init1", 0),
    }, "a signal could be sent")  # fmt: skip


@_attempt("signals of descriptors")
def _signals_of_descriptors(plan: Plan) -> str | None:
    """A descriptor can have a process told by a signal of one's choice when something arrives."""
    owner = (ctypes.c_int * 2)(1, plan["processes"][0])  # F_OWNER_PID
    commands: dict[str, tuple[int, Any]] = {
        "F_SETOWN": (fcntl.F_SETOWN, plan["processes"][0]), "F_SETSIG": (fcntl.F_SETSIG, signal.SIGKILL),
        "F_SETOWN_EX": (15, owner), "F_SETLEASE": (fcntl.F_SETLEASE, fcntl.F_WRLCK), "F_NOTIFY": (fcntl.F_NOTIFY, 0),
    }  # fmt: skip
    told = {name: ("fcntl", 1, command, value) for name, (command, value) in commands.items()}
    return _first_allowed(told, "a process outside can be signalled through a descriptor")


@_attempt("groups and terminals")
def _groups_and_terminals(plan: Plan) -> str | None:
    """Whoever owns a terminal, or types into it, reaches all that was started from it."""
    named = {"TIOCSTI": 0x5412, "TIOCSCTTY": 0x540E, "TIOCNOTTY": 0x5422, "TIOCSPGRP": 0x5410, "TIOCLINUX": 0x541C}
    told: dict[str, tuple[Any, ...]] = {
        name: ("ioctl", 0, number, ctypes.create_string_buffer(8)) for name, number in named.items()
    }
    return _first_allowed({**told, "setpgid": ("setpgid", 0, 0), "setsid": ("setsid",)}, "a group or terminal is open")


@_attempt("settings of others")
def _settings_of_others(plan: Plan) -> str | None:
    outside, mask = plan["processes"][1], ctypes.create_string_buffer(b"\xff" * 8, 8)
    return _first_allowed({
        "its priority": ("setpriority", 0, outside, 0), "its processors": ("sched_setaffinity", outside, 8, mask),
        "its turn at the disk": ("ioprio_set", 1, outside, 0),
        "its memory": ("process_vm_writev", outside, None, 0, None, 0, 0),
        "its descriptors": ("pidfd_getfd", -1, 0, 0),
        "its place in memory": ("move_pages", outside, 0, None, None, None, 0),
    }, "a process outside could be changed")  # fmt: skip


@_attempt("shared things")
def _shared_things(plan: Plan) -> str | None:
    """Memory, semaphores and queues with numbers of their own are common to all processes of a user.

    Only such are asked for as nobody made, so that none stays behind where they are to be had.
    """
    nobodys = 0x0C0DE001
    return _first_allowed({
        "shared memory": ("shmget", nobodys, 1, 0), "another's memory": ("shmat", -1, None, 0),
        "semaphores": ("semget", nobodys, 1, 0), "another's": ("semop", -1, ctypes.create_string_buffer(6), 1),
        "queues": ("msgget", nobodys, 0), "another's queues": ("msgctl", -1, 2, ctypes.create_string_buffer(256)),
        "named queues": ("mq_open", b"coursepkg-probe", os.O_RDONLY, 0, None),
    }, "something common to all was reached")  # fmt: skip


@_attempt("locks and pipes")
def _locks_and_pipes(plan: Plan) -> str | None:
    """Others wait for a lock, and what is put into a pipe without being copied can still be changed there."""
    lock = ctypes.create_string_buffer(32)  # F_RDLCK on all of the file
    with open(__file__, "rb") as file:
        return _first_allowed({
            "a lock": ("fcntl", file.fileno(), fcntl.F_SETLK, lock), "a longer one": ("fcntl", file.fileno(), 37, lock),
            "a larger pipe": ("fcntl", 1, 1031, 1 << 20), "pages in a pipe": ("vmsplice", 1, None, 0, 0),
            "pipes into pipes": ("tee", 1, 1, 0, 0), "all disks written": ("syncfs", file.fileno()),
        }, "a lock or a pipe was had")  # fmt: skip


def _first_allowed(tries: Mapping[str, tuple[Any, ...]], words: str) -> str | None:
    """The first of some system calls that is not refused as such; that it fails for another reason proves nothing."""
    libc = ctypes.CDLL(None, use_errno=True)
    for name, (call, *arguments) in tries.items():
        number = _number(call)
        if number is None:
            return f"system calls of {os.uname().machine} are not known"
        ctypes.set_errno(0)
        if libc.syscall(number, *arguments) >= 0 or ctypes.get_errno() not in _REFUSALS:
            return f"{words}: {name}"
    return None


def _number(call: str) -> int | None:
    machines = ("x86_64", "aarch64")
    machine = os.uname().machine
    return seccomp.number_of(call, machine) if machine in machines else None


@_attempt("other processes")
def _other_processes(plan: Plan) -> str | None:
    seen = len(_numbers("/proc"))
    return f"{seen} processes can be seen" if seen > 2 else None


@_attempt("kernel")
def _kernel(plan: Plan) -> str | None:
    libc = ctypes.CDLL(None, use_errno=True)
    numbers = _CALLS.get(os.uname().machine)
    if numbers is None:
        return f"system calls of {os.uname().machine} are not known"
    tries: dict[str, tuple[Any, ...]] = {
        "a namespace was opened": (_UNSHARE, _NEW_USER_NAMESPACE),
        "a key ring was opened": (_KEYCTL, 0, -3, 1),
        "tracing was allowed": (_PTRACE, 0),
        "a ring for input and output was made": (_IO_URING, 1, ctypes.create_string_buffer(120)),
        "memory without a limit was made": (_MEMFD, b"leak", 0),
    }
    for words, (which, *arguments) in tries.items():
        if libc.syscall(numbers[which], *arguments) >= 0:
            return words
    return None


@_attempt("privileges")
def _privileges(plan: Plan) -> str | None:
    libc = ctypes.CDLL(None)
    if libc.prctl(1, 0, 0, 0, 0) == 0:
        return "it can live on after the grader"
    if libc.prctl(39, 0, 0, 0, 0) != 1:
        return "privileges could be gained by starting a program"
    try:
        os.setuid(0)
    except OSError:
        pass
    else:
        return "it can become root"
    return "it runs as root" if os.getuid() == 0 else None


@_attempt("neighbours")
def _neighbours(plan: Plan) -> str | None:
    try:
        resource.prlimit(plan["processes"][0], resource.RLIMIT_CORE)
    except OSError:
        return None
    return "the limits of a process outside were read"


def main() -> None:
    """Read a plan, try everything, write what leaked: ``{attempt: words or null}``."""
    plan = json.loads(sys.stdin.readline())
    found: dict[str, str | None] = {}
    for name, attempt in _ATTEMPTS.items():
        try:
            found[name] = attempt(plan)
        except Exception as error:  # noqa: BLE001 - an attempt that fails in an unforeseen way proves nothing
            found[name] = f"the attempt itself failed ({type(error).__name__}: {error})"
    sys.stdout.write(json.dumps(found) + "\n")
    sys.stdout.flush()
