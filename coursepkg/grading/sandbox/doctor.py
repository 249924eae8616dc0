"""``doctor``: proves on the machine at hand that a sandbox holds, by trying to get out of it.

Things are planted outside (a file, an open folder, a variable, a descriptor, a listening port), a probe inside reaches
for them, and afterwards they are looked at from outside as well. A tier that leaks anywhere is not used.
"""

from __future__ import annotations

import json
import os
import secrets
import select
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coursepkg import _course
from coursepkg.grading.judging.calling import Outcome
from coursepkg.grading.sandbox.launch import BUBBLEWRAP, SECOND, Unavailable, visible_files
from coursepkg.grading.sandbox.process import Sandbox, SandboxedWorker, run_probe

PROBE_SECONDS = 90.0
_TO_END = 30.0  # seconds for what ends at once where nothing else runs, and has limits that come much later
_PLANTED = "COURSEPKG_PLANTED"


@dataclass(frozen=True)
class Finding:
    """What one examination found: ``leak`` is None when the sandbox held."""

    name: str
    leak: str | None


def examine(tier: str) -> list[Finding]:
    """Try to get out of a tier of the sandbox, in every way we know.

    Parameters
    ----------
    tier : str
        ``BUBBLEWRAP``, ``SECOND`` or ``NONE``.

    Returns
    -------
    list of Finding
        A tier that cannot start has one finding that says why.
    """
    token = secrets.token_hex(8)
    with _planted() as (plan, unharmed):
        try:
            with Sandbox(tier) as sandbox:  # one for all attempts, as it is one for many notebooks
                sandbox.command.append(token)
                findings = _tried(sandbox, plan, unharmed)
                if findings[0].leak is None:
                    findings += [
                        Finding("earlier answers", _earlier_answers(sandbox)),
                        Finding("ends", _ends(sandbox, token)),
                    ]
                return findings
        except Unavailable as error:
            return [Finding("starts", str(error))]


def _tried(sandbox: Sandbox, plan: dict[str, Any], unharmed: Callable[[], str | None]) -> list[Finding]:
    """What an answer, and then the probe, could do."""
    if (started := _starts(sandbox)) is not None:
        return [Finding("starts", started)]
    lines = run_probe(sandbox, json.dumps(plan) + "\n", seconds=PROBE_SECONDS)
    try:
        ready, report = map(json.loads, lines)
        found: dict[str, str | None] = dict(report) if ready == {"ready": True} else {}
    except ValueError:
        return [Finding("starts", f"the probe did not end as it should: {lines}")]
    findings = [Finding("starts", None), *(Finding(name, leak) for name, leak in found.items())]
    return [*findings, Finding("seen from outside", unharmed())]


def choose_tier(*, all_tiers: bool = False) -> tuple[str | None, dict[str, list[Finding]]]:
    """The first tier that holds, or None; and what was found in each that was tried (at most the first that holds)."""
    tried: dict[str, list[Finding]] = {}
    chosen = None
    for tier in (BUBBLEWRAP, SECOND):
        if chosen is None or all_tiers:
            tried[tier] = examine(tier)
            if chosen is None and not any(finding.leak for finding in tried[tier]):
                chosen = tier
    return chosen, tried


# --- starting and ending ---------------------------------------------------------------------------------------------

_CASE = {"args": [20.0], "kwargs": {}}
_DOUBLE = {"function": "double", "driver": "call"}


def _starts(sandbox: Sandbox) -> str | None:
    source = "import numpy as np\ndef double(x):\n    return float(np.array([x, x]) @ np.ones(2))"
    with SandboxedWorker([source], sandbox) as worker:
        outcome = worker.call(_DOUBLE, _CASE)
    return None if outcome == Outcome("value", 40.0) else f"nothing runs in it ({outcome.kind}: {outcome.message})"


_FOLDERS = ("/tmp", "/dev/shm", "/var/tmp", ".")
_LEAVE = """
import builtins, os, sys
import numpy as np
import coursepkg.grading.sandbox.worker as worker
for module in (builtins, np, worker, sys, os): module.TOKEN = True
os.environ["TOKEN"] = "left"
sys.modules["TOKEN"] = sys
np.ones = None
for folder in FOLDERS:
    try:
        with open(os.path.join(folder, "TOKEN"), "x") as file: file.write("left")
    except OSError: pass
os.umask(0)
os.chdir("/usr")
def double(x):
    return 2 * x
"""
_FIND = """
import builtins, os, sys
import numpy as np
import coursepkg.grading.sandbox.worker as worker
def double(x):
    found = [module.__name__ for module in (builtins, np, worker, sys, os) if hasattr(module, "TOKEN")]
    found += ["a variable"] * ("TOKEN" in os.environ) + ["a module"] * ("TOKEN" in sys.modules)
    found += ["numpy.ones"] * (np.ones is None) + ["a working folder"] * (os.getcwd() == "/usr")
    return found + ["a mask"] * (os.umask(0) == 0) + [f for f in FOLDERS if os.path.exists(os.path.join(f, "TOKEN"))]
"""


def _earlier_answers(sandbox: Sandbox) -> str | None:
    """Whether anything that one answer did is still there for the next one in the same sandbox."""
    token = f"left_{secrets.token_hex(8)}"
    try:
        for source in (_LEAVE.replace("FOLDERS", "()"), _FIND, _LEAVE, _FIND):
            cell = source.replace("TOKEN", token).replace("FOLDERS", str(_FOLDERS))
            with SandboxedWorker([cell], sandbox) as worker:
                outcome = worker.call(_DOUBLE, _CASE)
            if outcome.kind != "value":
                return f"it could not be tried ({outcome.kind}: {outcome.message})"
            if outcome.value and source == _FIND:
                return f"an answer found what an earlier one had left: {', '.join(map(str, outcome.value))}"
    finally:
        for folder in _FOLDERS:  # where there is no sandbox, these are the machine's own
            Path("/" if folder == "." else folder, token).unlink(missing_ok=True)
    return None


def _ends(sandbox: Sandbox, token: str) -> str | None:
    """Whether an answer that ignores every signal is gone once its worker is ended, and all with the sandbox.

    All processes of the sandbox have the token in their command line.
    """
    stubborn = (
        "import signal\nfor number in range(1, 65):\n    try:\n        signal.signal(number, signal.SIG_IGN)\n"
        "    except (OSError, ValueError):\n        pass\ndef double(x):\n    return 2 * x"
    )
    with SandboxedWorker([stubborn], sandbox) as worker:
        outcome = worker.call(_DOUBLE, _CASE)
        during = _with_token(token)
    after = _with_token(token)
    if outcome.kind != "value" or not during:
        return f"it could not be tried ({outcome.kind}: {outcome.message})"
    if len(after) >= len(during):
        return f"of the processes {', '.join(during)} there are left {', '.join(after)} when an answer has ended"
    sandbox.close()
    deadline = time.monotonic() + _TO_END
    while time.monotonic() < deadline:
        if not (left := _with_token(token)):
            return None
        time.sleep(0.02)
    return f"processes {', '.join(left)} are left"


def _with_token(token: str) -> list[str]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if token.encode() in (process / "cmdline").read_bytes():
                found.append(process.name)
        except OSError:  # it ended while we were looking
            continue
    return found


# --- what is planted -------------------------------------------------------------------------------------------------


@contextmanager
def _planted() -> Iterator[tuple[dict[str, Any], Any]]:
    secret = secrets.token_hex(16)
    os.environ[_PLANTED] = secret
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)
    neighbour = subprocess.Popen(
        ["sleep", "600"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        with tempfile.TemporaryDirectory() as name, socket.create_server(("127.0.0.1", 0)) as server:
            folder = Path(name)
            folder.chmod(0o777)
            file = folder / "planted"
            file.write_text(secret)
            file.chmod(0o666)
            before = file.stat()
            plan = {
                "planted": secret,
                "unreadable": [str(file), name, "/etc/passwd", str(Path.home()), os.getcwd(), *_specifications()],
                "visible": list(visible_files()),
                "open_folder": name,
                "port": server.getsockname()[1],
                "processes": [os.getpid(), neighbour.pid],
            }

            def unharmed() -> str | None:
                if select.select([server], [], [], 0)[0]:
                    return "a connection arrived"
                if sorted(path.name for path in folder.iterdir()) != ["planted"] or file.read_text() != secret:
                    return "a planted file has changed"
                after = file.stat()
                if (after.st_mode, after.st_mtime_ns) != (before.st_mode, before.st_mtime_ns):
                    return "the mode or the times of a planted file have changed"
                return "a neighbouring process ended" if neighbour.poll() is not None else None

            yield plan, unharmed
    finally:
        del os.environ[_PLANTED]
        os.close(reading)
        os.close(writing)
        neighbour.kill()
        neighbour.wait()


def _specifications() -> list[str]:
    """Specifications and compiled checks near the package, which hold what an answer must not see."""
    course = _course.folder()
    folders = (course / "solutions" / "specs", course / "exercises" / ".checks")
    return [str(path) for folder in folders for path in sorted(folder.rglob("e*_*")) if path.is_file()]


def verdict(chosen: str | None, tried: dict[str, list[Finding]]) -> str:
    """The findings in a line or two: where work is graded, and what is to be said of each other tier."""
    lines = ["No sandbox holds on this machine, so the work of others is not graded here."]
    if chosen is not None:
        ways = sum(finding.name != "starts" for finding in tried[chosen])
        lines = [f"Work of others is graded in: {chosen}. It held against {ways} ways out."]
    lines += [_in_a_line(tier, findings) for tier, findings in tried.items() if tier != chosen]
    return "\n".join(lines)


def _in_a_line(tier: str, findings: list[Finding]) -> str:
    leaks = [finding for finding in findings if finding.leak]
    if [finding.name for finding in leaks] == ["starts"]:
        return f"{tier} cannot start here: {leaks[0].leak}"
    if leaks:
        return f"{tier} leaks in {len(leaks)} of {len(findings) - 1} ways: {', '.join(f.name for f in leaks)}"
    return f"{tier} holds as well"


def report(tried: dict[str, list[Finding]]) -> str:
    """The findings as text, way by way, for each tier that could start."""
    lines = []
    for tier, findings in tried.items():
        if [finding.name for finding in findings if finding.leak] == ["starts"]:
            lines.append(_in_a_line(tier, findings))
            continue
        lines.append(f"{tier}: {'leaks' if any(finding.leak for finding in findings) else 'holds'}")
        width = max(len(finding.name) for finding in findings)
        for finding in findings:
            lines.append(f"  {finding.name:<{width}}  {'LEAKS: ' + finding.leak if finding.leak else 'contained'}")
    return "\n".join(lines)
