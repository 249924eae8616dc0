"""Landlock through ``ctypes``: a process restricts itself to a list of files, with no privilege needed.

Landlock is part of Linux since 5.13; see Salaün, "Landlock: unprivileged access control", in the kernel's
documentation (``userspace-api/landlock.rst``). It does not restrict who may change a file's mode or owner, nor UDP;
the seccomp filter does.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Sequence

_CREATE, _ADD_RULE, _RESTRICT = 444, 445, 446  # the same numbers on all architectures
_VERSION_FLAG = 1
_PATH_BENEATH = 1
_WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 1, 1 << 2, 1 << 3
_FILE_RIGHTS = {3: (1 << 15) - 1, 5: (1 << 16) - 1}  # by version: since 3 truncation, since 5 device commands
_NETWORK_RIGHTS = 0b11  # bind and connect over TCP, since version 4
_SCOPES = 0b11  # abstract sockets and signals, since version 6
OLDEST = 3  # before, files of the user could still be truncated


class TooOld(OSError):
    """This kernel's Landlock is missing or cannot do enough."""


def version() -> int:
    """The kernel's version of Landlock; 0 where there is none."""
    return max(_libc().syscall(_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION_FLAG)), 0)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def restrict(readable: Sequence[str], writable: Sequence[str] = ()) -> None:
    """Give up all files but those beneath ``readable``, to be read, and ``writable``, to be written; for good.

    Raises
    ------
    TooOld
        If the kernel cannot.
    OSError
        If it refuses.
    """
    found = version()
    if found < OLDEST:
        raise TooOld(f"the kernel's Landlock has version {found}; {OLDEST} is needed (Linux 6.2)")
    rights = _FILE_RIGHTS[5 if found >= 5 else 3]
    network, scopes = _NETWORK_RIGHTS * (found >= 4), _SCOPES * (found >= 6)
    attributes = struct.pack("QQQ", rights, network, scopes)[: 24 if found >= 6 else 16 if found >= 4 else 8]
    libc = _libc()
    rules = libc.syscall(_CREATE, attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint32(0))
    if rules < 0:
        raise OSError(ctypes.get_errno(), "landlock_create_ruleset")
    try:
        for path in readable:
            _allow(libc, rules, path, _READ_FILE | _READ_DIR)
        for path in writable:
            _allow(libc, rules, path, _READ_FILE | _WRITE_FILE)
        if libc.syscall(_RESTRICT, rules, ctypes.c_uint32(0)) != 0:
            raise OSError(ctypes.get_errno(), "landlock_restrict_self")
    finally:
        os.close(rules)


def _allow(libc: ctypes.CDLL, rules: int, path: str, rights: int) -> None:
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        if not os.path.isdir(path):
            rights &= ~_READ_DIR
        if libc.syscall(_ADD_RULE, rules, _PATH_BENEATH, struct.pack("=Qi", rights, handle), ctypes.c_uint32(0)) != 0:
            raise OSError(ctypes.get_errno(), f"landlock_add_rule for {path}")
    finally:
        os.close(handle)
