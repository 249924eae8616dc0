"""The doctor finds what leaks, each trap of a sandbox is closed, and the filter says what it should."""

import fcntl
import os
import platform
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import machine
import pytest
from machine import BUBBLEWRAP, NONE, ORDINARY, SECOND

from coursepkg.grading.sandbox import landlock, launch, seccomp
from coursepkg.grading.sandbox.doctor import Finding, report, verdict
from coursepkg.grading.sandbox.launch import Unavailable, command
from coursepkg.grading.sandbox.process import SandboxedWorker

CASE = {"args": [], "kwargs": {}}
ANSWER = {"function": "answer", "driver": "call"}


def inside(*lines, tier=None):
    """What some lines return in the sandbox, or the name of the error that they raise."""
    source = "def answer():\n" + "\n".join(f"    {line}" for line in lines)
    with SandboxedWorker([source], tier or machine.best_tier()) as worker:
        outcome = worker.call(ANSWER, CASE)
    return outcome.value if outcome.kind == "value" else outcome.error


# --- the doctor ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tier", [BUBBLEWRAP, SECOND])
def test_the_sandbox_holds_here(tier):
    machine.require(tier)


@pytest.mark.parametrize(("user", "tier"), [(ORDINARY, BUBBLEWRAP), (ORDINARY, SECOND), (0, SECOND)])
def test_the_sandbox_holds_for_another_user(user, tier):
    code = f"from coursepkg.grading.sandbox.doctor import *; print(report({{{tier!r}: examine({tier!r})}}))"
    ran = machine.run_with_open_interpreter(["-c", code], user)
    assert ran.returncode == 0, ran.stderr
    if "contained" not in ran.stdout:
        pytest.skip(f"NOT TESTED AS USER {user}: {ran.stdout}")
    assert f"{tier}: holds" in ran.stdout, ran.stdout


def test_the_doctor_sees_everything_leak_where_there_is_no_sandbox():
    assert set(machine.leaks(NONE)) >= {
        "network", "sockets", "reading", "writing", "changing", "processes", "threads", "environment", "signals",
        "signals of descriptors", "signals by other calls", "groups and terminals", "settings of others",
        "shared things", "locks and pipes", "other processes", "neighbours", "seen from outside", "earlier answers",
    }  # fmt: skip


@pytest.mark.parametrize(("missing", "leak"), [
    ("seccomp.program", {
        "sockets", "kernel", "signals of descriptors", "signals by other calls", "groups and terminals",
        "settings of others", "shared things", "locks and pipes",
    }),
    ("landlock.restrict", {"reading", "writing", "environment"}),
])  # fmt: skip
def test_the_doctor_sees_each_part_that_is_missing(missing, leak):
    """Each part is taken out of the second tier by a start that replaces it first."""
    allow = struct.pack("<HBBI", 6, 0, 0, 0x7FFF0000)
    harmless = {"seccomp.program": f"lambda: {allow!r}", "landlock.restrict": "lambda *a, **k: None"}[missing]
    replaced = f"from coursepkg.grading.sandbox import landlock, seccomp; {missing} = {harmless}; "
    code = (
        "from coursepkg.grading.sandbox import launch\n"
        f"launch._START = launch._START.replace('from coursepkg', {replaced + 'from coursepkg'!r}, 1)\n"
        f"from coursepkg.grading.sandbox.doctor import *\n"
        f"print([f.name for f in examine({SECOND!r}) if f.leak])"
    )
    if os.geteuid() == 0:
        ran = machine.run_with_open_interpreter(["-c", code], ORDINARY)
    else:
        ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    if ran.stdout.strip() == "['starts']":
        pytest.skip("THE SECOND TIER IS NOT TESTED HERE: it cannot start")
    assert leak <= set(re.findall(r"'([\w ]+)'", ran.stdout)), ran.stdout


def test_asking_for_too_much_memory_does_not_use_it():
    """Address space is what is limited; a gigabyte of touched pages would be most of what the proof costs."""
    code = (
        "import resource\nfrom coursepkg.grading.sandbox import probe\n"
        "resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))\n"
        "most = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "before = most()\nprint(probe._memory({}), most() - before < 100_000)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["None", "True"]


def test_the_report_says_what_leaks():
    text = report({BUBBLEWRAP: [Finding("network", None), Finding("reading", "/etc/passwd was read")]})
    assert text.splitlines()[0] == "bubblewrap: leaks"
    assert "LEAKS: /etc/passwd was read" in text


def test_the_doctor_begins_with_a_verdict():
    held = [Finding("starts", None), Finding("network", None), Finding("ends", None)]
    closed = [Finding("starts", "bubblewrap is not installed; install it (`apt install bubblewrap`)")]
    leaky = [Finding("starts", None), Finding("network", "a packet was sent"), Finding("ends", None)]
    assert verdict(BUBBLEWRAP, {BUBBLEWRAP: held, SECOND: closed}).splitlines() == [
        "Work of others is graded in: bubblewrap. It held against 2 ways out.",
        "second tier cannot start here: bubblewrap is not installed; install it (`apt install bubblewrap`)",
    ]
    assert verdict(SECOND, {BUBBLEWRAP: leaky, SECOND: held}).splitlines() == [
        "Work of others is graded in: second tier. It held against 2 ways out.",
        "bubblewrap leaks in 1 of 2 ways: network",
    ]
    assert verdict(None, {BUBBLEWRAP: closed}).startswith("No sandbox holds on this machine")
    assert "LEAKS" not in report({BUBBLEWRAP: closed}) + verdict(None, {BUBBLEWRAP: closed})


def test_what_cannot_start_is_no_leak():
    text = report({SECOND: [Finding("starts", "Landlock is too old")], BUBBLEWRAP: [Finding("network", None)]})
    assert text.splitlines()[:2] == ["second tier cannot start here: Landlock is too old", "bubblewrap: holds"]


# --- traps -----------------------------------------------------------------------------------------------------------


def test_nobody_is_root_inside():
    """A limit on the number of processes does nothing for root, whatever number bubblewrap shows."""
    assert inside("import os", "return os.getuid() != 0 and os.geteuid() != 0 and os.getgid() != 0") is True
    machine.require(machine.best_tier())
    if os.geteuid() == 0:
        users = set(inside("import os", "return os.getresuid()"))
        assert len(users) == 1
        assert users <= set(range(launch.FIRST_UID, launch.FIRST_UID + launch.MOST_SLOTS))


def test_each_process_at_a_time_has_a_user_of_its_own():
    if os.geteuid() == 0:
        settings = {command(BUBBLEWRAP, slot)[-2] for slot in range(5)} if machine.best_tier() == BUBBLEWRAP else set()
        assert len(settings) in (0, 5)


@pytest.mark.parametrize("limit", ["NPROC", "AS", "CPU", "FSIZE", "NOFILE", "CORE"])
def test_limits_are_set_inside_and_cannot_be_raised(limit):
    found = inside("import resource", f"return resource.getrlimit(resource.RLIMIT_{limit})")
    assert found[0] == found[1] >= 0
    assert found[0] <= {"NPROC": 1, "AS": 1 << 30, "CPU": 600, "FSIZE": 4 << 20, "NOFILE": 64, "CORE": 0}[limit]
    raised = inside("import resource", f"resource.setrlimit(resource.RLIMIT_{limit}, (10**12, 10**12))")
    assert raised in ("ValueError", "PermissionError")


def test_no_process_and_no_thread_can_be_started():
    assert inside("import os", "os.fork()") == "PermissionError"
    assert inside("import os", "os.posix_spawn('/bin/true', ['true'], {})") == "PermissionError"
    assert inside("import threading", "threading.Thread(target=int).start()") == "RuntimeError"


def test_no_secret_is_in_the_environment_or_on_the_command_line(monkeypatch):
    monkeypatch.setenv("COURSEPKG_SECRET", "planted")
    names = set(inside("import os", "return sorted(os.environ)"))
    assert names - {"PWD"} == set(launch.ENVIRONMENT)  # bubblewrap says where it is
    assert "planted" not in " ".join(command(NONE))
    seen = inside("import glob", "return [open(p).read() for p in glob.glob('/proc/[0-9]*/environ')]")
    assert "planted" not in str(seen)


def test_stray_descriptors_are_closed():
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)
    lines = ("import os, stat", "found = []", "for n in range(3, 64):", "    try:",
             "        found.append(stat.S_ISCHR(os.fstat(n).st_mode))",
             "    except OSError: pass", "return len(found) - sum(found)")  # fmt: skip
    assert inside(*lines) == 2  # the worker's own two pipes, moved there by itself; the rest is /dev/null
    os.close(reading)
    os.close(writing)


def test_only_a_small_scratch_folder_can_be_written():
    machine.require(BUBBLEWRAP)
    lines = ("total = 0", "try:", "    for n in range(100):", "        with open(f'/tmp/{n}', 'wb') as f:",
             "            total += f.write(bytes(10**6))", "except OSError: pass", "return total")  # fmt: skip
    assert 10**6 < inside(*lines, tier=BUBBLEWRAP) <= launch.SCRATCH
    for folder in ("/", "/dev", "/usr", "/proc"):
        assert inside(f"open('{folder}/x', 'w')", tier=BUBBLEWRAP) in (
            "OSError",
            "PermissionError",
            "FileNotFoundError",
        )


def test_the_folders_above_the_interpreter_can_be_entered():
    """As root, bubblewrap makes folders that are missing closed to others."""
    assert inside("import os, numpy, sys", "return os.access(os.path.dirname(numpy.__file__), os.R_OK)") is True


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="bubblewrap is a Linux program")
def test_a_course_below_the_scratch_folder_stays_visible(monkeypatch):
    monkeypatch.setattr(launch.shutil, "which", lambda name: "/usr/bin/bwrap")
    words = command(BUBBLEWRAP)
    assert words.index("--tmpfs") < words.index("--ro-bind")


@pytest.mark.parametrize("call", [
    "signal.raise_signal(signal.SIGTERM)", "os.setsid()", "os.setpgid(0, 0)", "os.killpg(0, 0)",
    "os.sched_setaffinity(os.getppid(), {0})", "os.setpriority(os.PRIO_PROCESS, os.getppid(), 5)",
    "fcntl.lockf(open(os.__file__, 'rb'), fcntl.LOCK_SH)", "fcntl.flock(0, fcntl.LOCK_SH)",
    "fcntl.ioctl(0, termios.TIOCSTI, b'x')", "fcntl.fcntl(1, 1031, 1 << 20)", "os.pidfd_open(os.getppid())",
    "resource.prlimit(os.getppid(), resource.RLIMIT_CPU, (1, 1))",
])  # fmt: skip
def test_what_reaches_others_is_refused(call):
    raised = inside("import fcntl, os, resource, signal, termios", call)
    assert raised in ("PermissionError", "OSError"), raised


def test_no_namespace_can_be_opened():
    assert inside("import ctypes", "return ctypes.CDLL(None).unshare(0x10000000)") == -1


@pytest.mark.parametrize("family", ["AF_INET", "AF_UNIX", "AF_NETLINK", "AF_VSOCK"])
def test_no_network_means_no_sockets_of_any_kind(family):
    assert inside("import socket", f"socket.socket(socket.{family}, socket.SOCK_DGRAM)") == "PermissionError"


def test_no_specification_and_no_compiled_check_is_visible():
    package = Path(launch.__file__).parents[3]
    lines = ("import os", f"return [os.path.exists(p) for p in ({str(package / 'solutions')!r}, '/proc/1/environ')]")
    machine.require(BUBBLEWRAP)
    assert inside(*lines, tier=BUBBLEWRAP) == [False, False]


def test_the_course_inside_an_installed_package_is_not_visible(monkeypatch):
    folder = Path(launch.__file__).parents[2] / "stored"  # any folder of the package stands for it
    monkeypatch.setattr(launch._course, "folder", lambda: folder)
    machine.require(BUBBLEWRAP)
    lines = ("import os", f"return [os.listdir({str(folder)!r}), os.access({str(folder)!r}, os.W_OK)]")
    assert inside(*lines, tier=BUBBLEWRAP) == [[], False]


def test_numpy_and_sympy_work_inside():
    assert inside("import numpy as np", "return float(np.linalg.inv(np.array([[2.0, 1.0], [1.0, 3.0]])).sum())") == (
        pytest.approx(0.6, rel=1e-12)
    )
    assert inside("import sympy", "return float(sympy.diff(sympy.Symbol('x')**3).subs('x', 2))") == 12.0


# --- the filter, by the kernel's rules -------------------------------------------------------------------------------

ALLOW, NOT_PERMITTED, KILL = 0x7FFF0000, 0x00050001, 0x80000000
ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}


def decide(machine_name, number, first=0, second=0, arch=None):
    """Run the filter on one system call, as the kernel would."""
    steps = list(struct.iter_unpack("<HBBI", seccomp.program(machine_name)))
    data = struct.pack("<IIQQQ", number, ARCH[machine_name] if arch is None else arch, 0, first, second)
    at, loaded = 0, 0
    while True:
        code, yes, no, constant = steps[at]
        if code == 0x20:
            [loaded] = struct.unpack_from("<I", data, constant)
        elif code == 0x06:
            return constant
        else:
            at += yes if (loaded == constant if code == 0x15 else loaded >= constant) else no
        at += 1


@pytest.mark.parametrize("machine_name", ARCH)
def test_the_filter_refuses_what_it_lists_and_nothing_else(machine_name):
    prlimit = {"x86_64": 302, "aarch64": 261}[machine_name]
    refused = set(seccomp.refused_numbers(machine_name))
    for number in range(600):
        assert decide(machine_name, number, first=38) == (NOT_PERMITTED if number in refused | {prlimit} else ALLOW), (
            number
        )
    assert decide(machine_name, prlimit, first=0) == ALLOW
    assert decide(machine_name, 0, arch=0x40000003) == KILL
    assert decide(machine_name, 0x40000000 + 41) == KILL


@pytest.mark.parametrize("machine_name", ARCH)
def test_the_filter_refuses_single_arguments(machine_name):
    """To live on after the grader, and to have the kernel send a signal when a descriptor is ready."""
    column = list(ARCH).index(machine_name)
    calls = {name: numbers[column] for name, (numbers, _, _) in seccomp.REFUSED_WITH.items()}
    assert decide(machine_name, calls["prctl"], first=1) == NOT_PERMITTED
    for asked in (fcntl.F_SETOWN, fcntl.F_SETSIG, 15, fcntl.F_SETLEASE, fcntl.F_NOTIFY):
        assert decide(machine_name, calls["fcntl"], first=1, second=asked) == NOT_PERMITTED
    for asked in (fcntl.F_SETLK, fcntl.F_SETLKW, 37, 38, 1031):  # locks that others wait for; a larger pipe
        assert decide(machine_name, calls["fcntl"], first=1, second=asked) == NOT_PERMITTED
    for asked in (4, 35, 62, 0x59616D61):
        assert decide(machine_name, calls["prctl"], first=asked) == NOT_PERMITTED
    for asked in (termios.TIOCSTI, termios.TIOCSCTTY, termios.TIOCNOTTY, termios.TIOCSPGRP, termios.TIOCCONS):
        assert decide(machine_name, calls["ioctl"], first=1, second=asked) == NOT_PERMITTED
    for asked in (termios.FIOASYNC, 0x8901, 0x8902):
        assert decide(machine_name, calls["ioctl"], first=1, second=asked) == NOT_PERMITTED
    for asked in (fcntl.F_GETFD, fcntl.F_SETFD, fcntl.F_GETFL, fcntl.F_SETFL, fcntl.F_DUPFD_CLOEXEC):
        assert decide(machine_name, calls["fcntl"], first=8, second=asked) == ALLOW
    for name, call in calls.items():
        assert decide(machine_name, call, first=9, second=99) == ALLOW, name


@pytest.mark.parametrize(("machine_name", "header"), [
    ("x86_64", "/usr/include/x86_64-linux-gnu/asm/unistd_64.h"), ("aarch64", "/usr/include/asm-generic/unistd.h"),
])  # fmt: skip
def test_the_numbers_are_the_kernels(machine_name, header):
    if not Path(header).is_file():
        pytest.skip(f"there is no {header} to compare with")
    numbers = dict(re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", Path(header).read_text()))
    column = list(ARCH).index(machine_name)
    rows = seccomp.REFUSED | {name: numbers for name, (numbers, _, _) in seccomp.REFUSED_WITH.items()}
    listed = {name: row[column] for name, row in rows.items() if row[column] is not None}
    known = {name: number for name, number in listed.items() if name in numbers}
    assert len(known) > 90
    assert known == {name: int(numbers[name]) for name in known}


def test_an_unknown_processor_is_refused_in_words():
    with pytest.raises(seccomp.UnknownArchitecture, match=r"x86_64 and aarch64, not of riscv64"):
        seccomp.program("riscv64")
    assert platform.machine() in ARCH or machine.leaks(BUBBLEWRAP)


# --- machines that cannot --------------------------------------------------------------------------------------------


def test_a_kernel_without_landlock_is_refused_in_words(monkeypatch):
    monkeypatch.setattr(landlock, "version", lambda: 1)
    with pytest.raises(landlock.TooOld, match=r"version 1; 3 is needed"):
        landlock.restrict(["/usr"])


def test_without_bubblewrap_the_words_say_how_to_get_it(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(Unavailable, match="apt install bubblewrap"):
        command(BUBBLEWRAP)


@pytest.mark.parametrize("system", ["darwin", "win32"])
def test_other_systems_are_told_what_to_use(monkeypatch, system):
    monkeypatch.setattr("sys.platform", system)
    with pytest.raises(Unavailable, match="WSL2"):
        command(SECOND)


def test_as_root_the_second_tier_wants_an_interpreter_that_others_can_read(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(Unavailable, match="cannot enter"):
        launch._require_open([str(closed)])
