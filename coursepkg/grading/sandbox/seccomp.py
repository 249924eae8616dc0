"""A seccomp filter, built from system call numbers with ``struct``: what a computation never needs is refused.

The kernel runs a small program (classic BPF) before each system call. Ours compares the call's number with a list and
answers "not permitted"; a call through another architecture's table ends the process. Numbers are from the kernel's
own tables (``syscall_64.tbl`` and ``asm-generic/unistd.h``); see Drewry, "Using seccomp filters", in the kernel's
documentation (``seccomp_filter.rst``).
"""

from __future__ import annotations

import platform
import struct
from functools import cache

# name: (x86_64, aarch64); None where the architecture has no such call.
REFUSED: dict[str, tuple[int | None, int | None]] = {
    # the network, and other ways to reach a process outside
    "socket": (41, 198), "connect": (42, 203), "bind": (49, 200), "socketpair": (53, 199),
    # (what has a number of its own can be used without being opened first, so all calls of each family)
    "shmget": (29, 194), "shmat": (30, 196), "shmctl": (31, 195), "shmdt": (67, 197),
    "semget": (64, 190), "semop": (65, 193), "semctl": (66, 191), "semtimedop": (220, 192),
    "msgget": (68, 186), "msgsnd": (69, 189), "msgrcv": (70, 188), "msgctl": (71, 187),
    "mq_open": (240, 180), "mq_unlink": (241, 181), "mq_timedsend": (242, 182), "mq_timedreceive": (243, 183),
    "mq_notify": (244, 184), "inotify_init": (253, None), "inotify_init1": (294, 26),
    "vmsplice": (278, 75), "splice": (275, 76), "tee": (276, 77), "sync": (162, 81), "syncfs": (306, 267),
    "memfd_create": (319, 279), "memfd_secret": (447, 447), "flock": (73, 32),
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    # other processes
    "clone": (56, 220), "fork": (57, None), "vfork": (58, None), "clone3": (435, 435),
    "execve": (59, 221), "execveat": (322, 281),
    "kill": (62, 129), "tkill": (200, 130), "tgkill": (234, 131), "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240), "pidfd_send_signal": (424, 424), "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438), "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "process_madvise": (440, 440), "setpriority": (141, 140), "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119), "sched_setaffinity": (203, 122), "sched_setattr": (314, 274),
    "timer_create": (222, 107), "setpgid": (109, 154), "setsid": (112, 157), "vhangup": (153, 58),
    "kcmp": (312, 272), "process_mrelease": (448, 448), "get_robust_list": (274, 100), "seccomp": (317, 277),
    "ioprio_set": (251, 30), "migrate_pages": (256, 238), "move_pages": (279, 239),
    # namespaces and mounts
    "unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41),
    "chroot": (161, 51), "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430),
    "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442),
    # who may do what with a file: Landlock leaves these to everybody
    "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452),
    "chown": (92, None), "fchown": (93, 55), "lchown": (94, None), "fchownat": (260, 54),
    "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7), "setxattrat": (463, 463),
    "removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16), "removexattrat": (466, 466),
    "utime": (132, None), "utimes": (235, None), "futimesat": (261, None), "utimensat": (280, 88),
    "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265), "fanotify_init": (300, 262),
    # the kernel itself
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282), "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426), "io_uring_register": (427, 427), "kexec_load": (246, 104),
    "kexec_file_load": (320, 294), "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106),
    "reboot": (169, 142), "swapon": (167, 224), "swapoff": (168, 225), "sethostname": (170, 161),
    "setdomainname": (171, 162), "syslog": (103, 116), "acct": (163, 89), "quotactl": (179, 60),
    "settimeofday": (164, 170), "clock_settime": (227, 112), "clock_adjtime": (305, 266), "adjtimex": (159, 171),
    "iopl": (172, None), "ioperm": (173, None), "modify_ldt": (154, None), "personality": (135, 92),
}  # fmt: skip
# Allowed, but not with these values of one argument: name: (numbers, which argument, refused values).
REFUSED_WITH: dict[str, tuple[tuple[int, int], int, tuple[int, ...]]] = {
    # PR_SET_PDEATHSIG: it would live on after the grader. PR_SET_DUMPABLE, PR_SET_MM, PR_SCHED_CORE, PR_SET_PTRACER:
    # how it may be looked at, and which processes share a core with it, is not for it to say
    "prctl": ((157, 167), 0, (1, 4, 35, 62, 0x59616D61)),
    # F_SETOWN, F_SETSIG, F_SETOWN_EX, F_SETLEASE, F_NOTIFY: the kernel sends a signal in its name, to whom it likes;
    # F_SETLK, F_SETLKW, F_OFD_SETLK, F_OFD_SETLKW: others wait for its locks; F_SETPIPE_SZ: pipes count by user
    "fcntl": ((72, 25), 1, (8, 10, 15, 1024, 1026, 6, 7, 37, 38, 1031)),
    # FIOASYNC, FIOSETOWN, SIOCSPGRP: the same signals; TIOCSTI, TIOCLINUX, TIOCCONS, TIOCSETD, TIOCSCTTY, TIOCNOTTY,
    # TIOCSPGRP: to type into a terminal, or to become its owner and have its signals
    "ioctl": (
        (16, 29), 1,
        (0x5452, 0x8901, 0x8902, 0x5412, 0x541C, 0x541D, 0x5423, 0x540E, 0x5422, 0x5410),
    ),
}  # fmt: skip
_PRLIMIT = (302, 261)  # allowed on the process itself alone: it could take memory away from another
_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32 = 0x40000000
_Step = tuple[int, int, int, int]  # operation, jump if so, jump if not, value
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _NOT_PERMITTED, _KILL = 0x7FFF0000, 0x00050001, 0x80000000
_NUMBER, _ARCH, _ARGUMENTS = 0, 4, 16


class UnknownArchitecture(OSError):
    """There is no table of system calls for this processor."""


def refused_numbers(machine: str) -> list[int]:
    """The system calls that the filter refuses, by number.

    Parameters
    ----------
    machine : str
        "x86_64" or "aarch64", as ``platform.machine()`` says it.

    Raises
    ------
    UnknownArchitecture
        For any other processor; a filter with the wrong numbers would be worse than none.
    """
    if machine not in _AUDIT_ARCH:
        raise UnknownArchitecture(
            f"the sandbox knows the system calls of {' and '.join(_AUDIT_ARCH)}, not of {machine}; "
            "grade in a virtual machine of one of these kinds"
        )
    column = list(_AUDIT_ARCH).index(machine)
    return sorted(number for row in REFUSED.values() if (number := row[column]) is not None)


def number_of(call: str, machine: str) -> int | None:
    """The number of a system call that the filter knows; None where there is no such call."""
    column = list(_AUDIT_ARCH).index(machine)
    return (REFUSED[call] if call in REFUSED else REFUSED_WITH[call][0])[column]


@cache
def program(machine: str | None = None) -> bytes:
    """The filter as the kernel takes it: 8 bytes an instruction.

    Parameters
    ----------
    machine : str, optional
        Processor; by default the one at hand.
    """
    machine = machine or platform.machine()
    numbers = refused_numbers(machine)
    column = list(_AUDIT_ARCH).index(machine)
    steps: list[_Step] = [
        (_LOAD, 0, 0, _ARCH),
        (_EQUAL, 1, 0, _AUDIT_ARCH[machine]),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 0, 1, _X32),
        (_RETURN, 0, 0, _KILL),
    ]
    for numbers_of, argument, refused in REFUSED_WITH.values():
        steps += _unless(numbers_of[column], argument, refused, then=_NOT_PERMITTED, otherwise=_ALLOW)
    steps += _unless(_PRLIMIT[column], 0, (0,), then=_ALLOW, otherwise=_NOT_PERMITTED)
    for position, number in enumerate(numbers):  # each jumps to the last instruction
        steps.append((_EQUAL, len(numbers) - position, 0, number))
    steps += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _NOT_PERMITTED)]
    return b"".join(struct.pack("<HBBI", *step) for step in steps)


def _unless(call: int, argument: int, values: tuple[int, ...], *, then: int, otherwise: int) -> list[_Step]:
    """Steps that answer ``then`` if this call has one of the values as an argument, and ``otherwise`` if it has not."""
    steps: list[_Step] = [(_EQUAL, 0, len(values) + 3, call), (_LOAD, 0, 0, _ARGUMENTS + 8 * argument)]
    steps += [(_EQUAL, len(values) - place, 0, value) for place, value in enumerate(values)]
    return [*steps, (_RETURN, 0, 0, otherwise), (_RETURN, 0, 0, then)]
