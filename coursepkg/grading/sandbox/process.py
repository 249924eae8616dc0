"""The sandbox and the workers in it, seen from outside: nothing they say is believed beyond being numbers.

A sandbox stands for a while, since building one and importing numpy takes longer than grading a notebook. Its first
process never sees a learner's line. For each notebook it forks a process that gives its rights away, reads the cells,
answers, and is killed before the next one begins. So whatever a notebook did, the next one starts from the same memory
and the same files; after one that left a file, or was anything but well-behaved, it starts in another sandbox.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

from coursepkg.grading.judging.calling import Outcome
from coursepkg.grading.judging.limits import MAX_REPLY
from coursepkg.grading.sandbox.clock import Spent, last_descendant, spent_by
from coursepkg.grading.sandbox.launch import ENVIRONMENT, NONE, Unavailable, command
from coursepkg.grading.sandbox.slots import Slot
from coursepkg.grading.sandbox.worker_process import Worker

READY_SECONDS = 60.0
END_SECONDS = 10.0
NOTEBOOK_SECONDS = 180.0  # of a notebook's own time: loading it, and ten answers that never end, with room to spare
_CROWDED = 5.0  # times as long may all of it take on a machine that is busy otherwise
_LOOK = 0.5  # seconds between two looks at what a process has spent
_LATE = 1.0  # seconds for the worker's own alarm, which lets the process live; then it is ended from outside
_SLEPT = 30.0  # seconds that a notebook may sleep at one time, in the cells that come before its answers
_IDLE = 2.0  # times its limit, an answer may take without computing: a slow disk is not its fault
OVER = "A loop may never end, and nothing could interrupt it: does its condition change?"
WAITED = "It computed nothing meanwhile: take `input()`, `time.sleep` and whatever else waits out."
USED_UP = "The notebook as a whole has used up its time: answers before this one never ended."
BUSY = "The machine was busy with other things all the time: ask for another trial."
CRAMMED = "your code made thousands of files, and was ended"
_CHUNK = 1 << 16


class Sandbox:
    """A sandbox in one tier, in which one process at a time answers.

    Parameters
    ----------
    tier : str
        Tier of the sandbox.

    Attributes
    ----------
    cpu_seconds : float
        Processor time spent in it; the grader's own does not show it, since bubblewrap does not hand it on.
    full : bool
        Whether the process that was ended last had made files without end.
    """

    def __init__(self, tier: str):
        self._first: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._slot: Slot | None = None
        self.cpu_seconds = 0.0
        self.full = False
        self.command = command(tier, 0)
        if tier != NONE and os.geteuid() == 0:
            self._slot = Slot()
            self.command = command(tier, self._slot.number)

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()
        if self._slot is not None:
            self._slot.release()

    def start(self, program: str = "worker") -> Pipes:
        """Start a process in it: ``"worker"``, or ``"probe"`` for ``doctor``; one that still runs is ended first.

        Raises
        ------
        Unavailable
            If the sandbox cannot be built.
        """
        if self._control is not None:
            with contextlib.suppress(OSError):  # it may have been ended from outside while it stood idle
                return self._fork(self._control, program)
        self.close()
        control = self._build()
        try:
            return self._fork(control, program)
        except OSError:
            raise Unavailable("the sandbox ended as soon as it was built; see `grade doctor`") from None

    def _build(self) -> socket.socket:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            try:
                self._first = subprocess.Popen(
                    self.command, stdin=theirs.fileno(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                    cwd="/", env=ENVIRONMENT, start_new_session=True,
                )  # fmt: skip
            except OSError as error:
                self.close()
                raise Unavailable(
                    f"{self.command[0]} cannot be started ({error.strerror}); is it a file that this user may run?"
                ) from None
        if self._hear(READY_SECONDS) != b"standing":
            self.close()
            raise Unavailable("the sandbox could not be set up; see `grade doctor`")
        return self._control

    @staticmethod
    def _fork(control: socket.socket, program: str) -> Pipes:
        requests, replies = os.pipe(), os.pipe()
        try:
            socket.send_fds(control, [program.encode()], [requests[0], replies[1]])
        except OSError:
            os.close(requests[1])
            os.close(replies[0])
            raise
        finally:
            os.close(requests[0])
            os.close(replies[1])
        return Pipes(requests[1], replies[0])

    def _hear(self, seconds: float) -> bytes:
        """The next words of the sandbox's first process; nothing if it is gone or silent."""
        assert self._control is not None
        with contextlib.suppress(OSError):
            if select.select([self._control], [], [], seconds)[0]:
                return self._control.recv(256)
        return b""

    def end(self) -> bool:
        """End the process that answers. If it has left a file, the sandbox goes with it.

        Returns
        -------
        bool
            Whether the sandbox still stood: its first process reported.
        """
        if self._control is None:
            return False
        report: Mapping[str, Any] = {}
        with contextlib.suppress(OSError, ValueError):
            self._control.send(b"end")
            report = json.loads(self._hear(END_SECONDS))
        self.cpu_seconds += report.get("cpu_seconds", 0.0)
        self.full = bool(report.get("full"))
        if not report.get("clean"):
            self.close()
        return bool(report)

    def answering(self) -> int | None:
        """The process that answers, by its number outside; None where that cannot be seen."""
        return None if self._first is None else last_descendant(self._first.pid)

    def close(self) -> None:
        """Take the sandbox down, with all that runs in it."""
        first, self._first = self._first, None
        control, self._control = self._control, None
        if control is not None:
            control.close()
        if first is None:
            return
        try:
            first.wait(END_SECONDS)  # nobody speaks to it any more, so it ends
        except subprocess.TimeoutExpired:
            first.kill()
            first.wait()


class Pipes:
    """Lines to and from a process that may not read, not end its line, or write without end."""

    def __init__(self, requests: int, replies: int):
        self._requests, self._replies, self._read = requests, replies, b""
        os.set_blocking(requests, False)

    def send(self, text: str, seconds: float) -> None:
        """Write all of a text.

        Raises
        ------
        OSError
            If the process has ended, or does not read.
        """
        rest, end = text.encode("utf-8", "surrogatepass"), time.monotonic() + seconds
        while rest:
            if not select.select([], [self._requests], [], max(end - time.monotonic(), 0))[1]:
                raise TimeoutError("the process does not read")
            rest = rest[os.write(self._requests, rest[:_CHUNK]) :]

    def waiting(self) -> bytes | None:
        """The next line, if it was read already."""
        line, newline, rest = self._read.partition(b"\n")
        if not newline:
            return None
        self._read = rest
        return line + newline

    def line(self, seconds: float) -> bytes | None:
        """The next line; without its end if the process is gone or the line is too long; None if time is over."""
        parts, size, end = [self._read], len(self._read), time.monotonic() + seconds
        while b"\n" not in parts[-1] and size < MAX_REPLY:
            if not select.select([self._replies], [], [], max(end - time.monotonic(), 0))[0]:
                self._read = b"".join(parts)
                return None
            parts.append(os.read(self._replies, _CHUNK))
            size += len(parts[-1])
            if not parts[-1]:
                break
        line, newline, self._read = b"".join(parts).partition(b"\n")
        return line + newline

    def close(self) -> None:
        """Close both ends."""
        os.close(self._requests)
        os.close(self._replies)


class _Watch:
    """How much of its own time a process has spent since it was asked for something.

    Only an answer that takes its time is looked at, so the first look comes late: what went before is not counted.
    """

    def __init__(self, sandbox: Sandbox, limit: float):
        self._sandbox, self._limit = sandbox, limit + _LATE
        self._began = time.monotonic()
        self._process: int | None = None
        self._first: Spent | None = None
        self._last: Spent | None = None

    def late(self) -> str:
        """Why it has had its time, or "" while it has not, or where that cannot be seen."""
        if self._process is None:
            self._process = self._sandbox.answering()
        self._last = None if self._process is None else spent_by(self._process)
        self._first = self._first or self._last
        if self._first is None or self._last is None:
            return ""
        if self._last.ran - self._first.ran > self._limit:
            return OVER
        own = self._last.own(self._first)
        slept = own - (self._last.ran - self._first.ran)
        return WAITED if own > _IDLE * self._limit or slept > _SLEPT else ""

    @property
    def spent(self) -> float:
        """Seconds that count as the process's own: all of them, but those that it waited for a processor."""
        waited = self._last.waited - self._first.waited if self._first and self._last else 0.0
        return time.monotonic() - self._began - waited


class SandboxedWorker(Worker):
    """A ``Worker`` that runs in the sandbox.

    Parameters
    ----------
    cells : sequence of str
        Code of the notebook.
    sandbox : Sandbox or str
        Where it runs. A tier stands for a sandbox of its own, for this notebook alone.

    Attributes
    ----------
    crowded : bool
        Whether time ran out that the notebook had not spent itself: another trial may end otherwise.
    """

    def __init__(self, cells: Sequence[str], sandbox: Sandbox | str):
        super().__init__(cells, Path("/"))
        self.sandbox = Sandbox(sandbox) if isinstance(sandbox, str) else sandbox
        self._own = isinstance(sandbox, str)
        self._pipes: Pipes | None = None
        self._unloadable: Outcome | None = None
        self._left = NOTEBOOK_SECONDS
        self._deadline: float | None = None
        self._why_late = ""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self._pipes is not None:
            self._pipes.close()
        self.sandbox.end()
        if self._own:
            self.sandbox.close()

    def ask(self, compiled: Mapping[str, Any], items: Sequence[Mapping[str, Any]]) -> list[Outcome]:
        """Use an answer, as long as the notebook as a whole has time left."""
        self._deadline = self._deadline or time.monotonic() + _CROWDED * NOTEBOOK_SECONDS
        if self._left <= 0:
            return [Outcome("time-limit", message=USED_UP)]
        if time.monotonic() > self._deadline:
            self.crowded = True
            return [Outcome("time-limit", message=BUSY)]
        return super().ask(compiled, items)

    def _patience(self) -> float:
        """As long as for any worker, but not beyond the time of the notebook as a whole."""
        assert self._deadline is not None
        return min(super()._patience(), max(self._deadline - time.monotonic(), 0.0))

    def _start(self) -> Outcome | None:
        """Start and load; a notebook that cannot be loaded once is not tried again for each of its exercises."""
        if self._unloadable is not None:
            return self._unloadable
        try:
            trouble = super()._start()
            if trouble is not None and trouble.kind == "infrastructure":  # what stood there may have been ended
                trouble = super()._start()
        except Unavailable as error:
            return Outcome("infrastructure", message=str(error))
        if trouble is not None and trouble.kind != "infrastructure":
            self._unloadable = trouble
        return trouble

    def _greet(self) -> Outcome | None:
        """A process says that its rights are gone before it reads the learner's code; else the trouble is ours."""
        reply = self._reply(READY_SECONDS)
        if reply == {"ready": True}:
            return None
        return Outcome("infrastructure", message="the sandbox could not be set up; see `grade doctor`")

    def _late(self) -> Outcome:
        return Outcome("time-limit", message=self._why_late)

    def _ended(self) -> Outcome:
        """Blame nobody's code for a sandbox that was ended from outside."""
        if not self.sandbox.end():
            return Outcome("infrastructure", message="the sandbox was ended from outside; grade again")
        ended = super()._ended()
        return replace(ended, message=CRAMMED) if self.sandbox.full else ended

    # --- how it is reached ---

    @property
    def _running(self) -> bool:
        return self._pipes is not None

    def _launch(self) -> None:
        self._pipes = self.sandbox.start()

    def _send(self, line: str, seconds: float) -> None:
        assert self._pipes is not None
        self._pipes.send(line, seconds)

    def _line(self, seconds: float, limit: float) -> str | None:
        assert self._pipes is not None
        if (line := self._pipes.waiting()) is not None:
            return line.decode("utf-8", "replace")
        watch = _Watch(self.sandbox, min(limit, self._left))
        end = time.monotonic() + seconds
        while True:
            line = self._pipes.line(min(_LOOK, max(end - time.monotonic(), 0)))
            self._why_late = watch.late() if line is None else ""
            if line is not None or self._why_late or time.monotonic() >= end:
                break
        self._left -= watch.spent
        if line is not None:
            return line.decode("utf-8", "replace")
        if not self._why_late:
            self.crowded, self._why_late = True, BUSY
        return None

    def _end(self) -> None:
        """After trouble of any kind, nothing of the sandbox is used again."""
        if self._pipes is not None:
            self._pipes.close()
            self._pipes = None
            self.sandbox.end()
            self.sandbox.close()


def run_probe(sandbox: Sandbox, plan: str, *, seconds: float) -> list[bytes]:
    """Run ``doctor``'s probe where an answer would run; returns the lines that it wrote.

    Raises
    ------
    Unavailable
        If the sandbox cannot be built.
    """
    with contextlib.closing(sandbox.start("probe")) as pipes:
        with contextlib.suppress(OSError):  # then it has nothing to say either
            pipes.send(plan, seconds)
        lines = [line for line in (pipes.line(seconds), pipes.line(seconds)) if line is not None]
    sandbox.end()
    return lines
