"""The worker, seen from outside: a plain process that holds a learner's answers, with time limits and no sandbox.

Nothing it says is believed beyond being plain data of the form that a worker sends.
"""

from __future__ import annotations

import json
import math
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

from coursepkg.grading.judging.calling import CHECK_SECONDS, LAST_KINDS, Outcome
from coursepkg.grading.judging.judge import Check
from coursepkg.grading.judging.limits import MAX_REPLIES, MAX_REPLY
from coursepkg.grading.judging.values import decode, tree
from coursepkg.grading.sandbox.replies import read_reply
from coursepkg.grading.sandbox.worker import LOAD_SECONDS, NOTES, STATEMENT_SECONDS

STARTS = 3
MOST_LEFT_OUT = 2  # statements of a notebook that never end
TOO_MUCH = f"all results together have more than {MAX_REPLIES // 10**6} MB"
_GRACE = 25.0  # of wall time, beyond the worker's own limits in processor time, before it is ended from outside


class Worker:
    """A worker process that has loaded a notebook; started again after a crash or a time limit, three times at most.

    Parameters
    ----------
    cells : sequence of str
        Code of the notebook.
    folder : Path
        Where it runs.
    command : sequence of str, optional
        How to start it.

    Attributes
    ----------
    asked : list of (str, str)
        Exercises, and the names of their answers, of which the notebook's process says what a person should know.
    notes : dict
        What it said, by exercise, in words of ``NOTES``.
    left_out : list of (int, int)
        Cells, and statements in them, without which the rest of the notebook is run.
    reasons : list of str
        For each of these why: it "never ends", or "ends the process".
    """

    def __init__(self, cells: Sequence[str], folder: Path, command: Sequence[str] | None = None):
        self.cells, self.folder = list(cells), folder
        self.environment = {
            **os.environ, "MPLBACKEND": "Agg", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
            "COURSEPKG_PROGRESS": "off",  # the notebook's own check calls are run along, and count for nothing
        }  # fmt: skip
        self.command = list(command or (sys.executable, "-m", "coursepkg.grading.sandbox.worker"))
        self.asked: list[tuple[str, str]] = []
        self.notes: dict[str, tuple[str, ...]] = {}
        self.starts = 0
        self.left_out: list[tuple[int, int]] = []
        self.reasons: list[str] = []
        self.crowded = False  # whether time ran out that the notebook had not spent itself, where that can be seen
        self._requests = 0
        self._letters = 0  # of the replies to what was asked last
        self._process: subprocess.Popen[str] | None = None
        self._replies: queue.Queue[str] = queue.Queue()

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._end()

    def call(self, compiled: Mapping[str, Any], item: Mapping[str, Any]) -> Outcome:
        """Use the answer to one exercise on one case."""
        return self.ask(compiled, [item])[0]

    def ask(self, compiled: Mapping[str, Any], items: Sequence[Mapping[str, Any]]) -> list[Outcome]:
        """Use the answer to one exercise on several cases, in one request with a reply and a time limit for each.

        Returns
        -------
        list of Outcome
            One for each case; fewer if one of them ended the process, or if no further case makes sense.
        """
        self._letters = 0
        if not self._running and (trouble := self._start()) is not None:
            return [trouble]
        first = self._requests + 1
        self._requests += len(items)
        request = {
            "id": first,
            "exercise": compiled.get("id", ""),
            "function": compiled["function"],
            "driver": compiled["driver"],
            "seconds": CHECK_SECONDS,
        }
        whole = isinstance(compiled, Check) and items is compiled.inputs
        cases = compiled.asked if whole else json.dumps(list(items))  # type: ignore[attr-defined]
        unread = self._tell(request, self._patience(), cases)
        outcomes: list[Outcome] = []
        for number in range(first, first + len(items)):
            outcomes.append(self._outcome(unread or self._reply(self._patience(), CHECK_SECONDS), number))
            if not self._running or outcomes[-1].kind in LAST_KINDS:
                break
        return outcomes

    def _patience(self) -> float:
        """How long to wait for a reply to a case."""
        return CHECK_SECONDS + _GRACE

    def _outcome(self, reply: dict[str, Any] | Outcome, number: int) -> Outcome:
        """The reply with this number as an outcome; after any other reply the process is ended."""
        if isinstance(reply, Outcome):
            self._end()
            return reply
        try:
            if reply.pop("id", None) != number:  # written ahead, or by somebody else
                raise ValueError("a reply to no request")
            return _believable(reply)
        except (TypeError, ValueError, RecursionError, OverflowError, MemoryError):
            self._end()
            return Outcome("error", error="BadReply", message="the answer's process sent nonsense")

    def _start(self) -> Outcome | None:
        if self.starts == STARTS:
            return Outcome("time-limit", message=f"ended {STARTS} times")
        self.starts += 1
        trouble = self._load()
        while trouble is not None and _why(trouble) and len(self.left_out) < MOST_LEFT_OUT:
            stuck, why = self._stuck_at()
            if not why:
                return trouble
            self.left_out.append(stuck)
            self.reasons.append(why)
            trouble = self._load()
        return trouble

    def _load(self) -> Outcome | None:
        """Start a process and have it run the notebook; what goes wrong, or None."""
        self._launch()
        if (trouble := self._greet()) is not None:
            self._end()
            return trouble
        seconds = LOAD_SECONDS + _GRACE
        request = {"cells": self.cells, "left_out": self.left_out, **({"asked": self.asked} if self.asked else {})}
        reply = self._tell(request, seconds) or self._reply(seconds, LOAD_SECONDS)
        if isinstance(reply, Outcome):
            self._end()
            return reply
        self.notes = self.notes or _noted(reply.get("notes"), self.asked)
        return None

    def _stuck_at(self) -> tuple[tuple[int, int], str]:
        """The cell and the statement behind which nothing is run, and why, or "": the process tells where it is."""
        self._launch()
        at = (0, 0)
        request = {"cells": self.cells, "left_out": self.left_out, "careful": True}
        reply: dict[str, Any] | Outcome | None = self._greet() or self._tell(request, _GRACE)
        while reply is None:
            reply = self._reply(STATEMENT_SECONDS + _GRACE, STATEMENT_SECONDS)
            if isinstance(reply, dict) and (later := _place(reply.get("at"), self.cells)) > at:  # never back
                at, reply = later, None
        self._end()
        why = _why(reply) if isinstance(reply, Outcome) and at[0] and not self.crowded else ""
        return at, why

    def _greet(self) -> Outcome | None:
        """What a worker says before it reads the notebook; a plain one says nothing."""
        return None

    def _tell(self, request: Mapping[str, Any], seconds: float, cases: str = "") -> Outcome | None:
        """Send a request, with cases that are JSON already; an outcome only if that fails."""
        line = json.dumps(request)
        try:
            self._send(f'{line[:-1]}, "cases": {cases}}}\n' if cases else f"{line}\n", seconds)
        except OSError:
            return self._ended()
        return None

    def _late(self) -> Outcome:
        """What to say of a process that did not reply in time."""
        return Outcome("time-limit")

    def _ended(self) -> Outcome:
        """What to say of a process that is gone."""
        return Outcome("error", error="ProcessEnded", message="your code ended the process that ran it")

    def _reply(self, seconds: float, limit: float = math.inf) -> dict[str, Any] | Outcome:
        line = self._line(seconds, limit)
        if line is None:
            return self._late()
        if not line.endswith("\n"):
            return self._ended()
        self._letters += len(line)
        if self._letters > MAX_REPLIES:
            return Outcome("error", error="BadReply", message=TOO_MUCH)
        try:
            return read_reply(line)
        except (ValueError, RecursionError):
            return Outcome("error", error="BadReply", message="the answer's process sent what is no reply")

    # --- how it is reached: a process with pipes, on every system ---

    @property
    def _running(self) -> bool:
        return self._process is not None

    def _launch(self) -> None:
        self._replies = queue.Queue()
        self._process = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            cwd=self.folder, env=self.environment, text=True, encoding="utf-8", start_new_session=True,
        )  # fmt: skip
        threading.Thread(target=_read, args=(self._process, self._replies), daemon=True).start()

    def _send(self, line: str, seconds: float) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(line)
        self._process.stdin.flush()

    def _line(self, seconds: float, limit: float) -> str | None:
        """The next line, without its end if the process is gone or the line too long; None if time is over.

        ``seconds`` are by a clock on the wall; ``limit`` is the process's own time, where that can be seen.
        """
        try:
            return self._replies.get(timeout=seconds)
        except queue.Empty:
            return None

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                try:
                    stream.close()
                except OSError:  # the pipe broke when the process ended
                    continue


def _why(trouble: Outcome) -> str:
    """What a statement does that keeps a notebook from being run to its end; "" if it is no statement's doing."""
    if trouble.kind == "time-limit":
        return "never ends"
    return "ends the process" if trouble.error == "ProcessEnded" else ""


_TEXTS = ("error", "message", "source", "printed", "warned")
_KINDS = ("value", "not-attempted", "error", "time-limit", "wrong-kind")  # whose fault it is, we say ourselves


def _believable(reply: Mapping[str, Any]) -> Outcome:
    """A reply as an outcome whose fields have the types that they should have; the answer may have written it itself.

    Raises
    ------
    TypeError, ValueError, RecursionError
        If it is nothing that a worker sends.
    """
    if len(reply) == 2 and reply.get("kind") == "value" and "value" in reply:  # most say no more
        return Outcome("value", tree(decode(reply["value"])))
    if reply.get("kind") not in _KINDS:
        raise ValueError("an outcome of no kind")
    texts = [reply.get(name, "") for name in _TEXTS]
    line = reply.get("line")
    if not all(isinstance(text, str) and len(text) < 5000 for text in texts) or type(line) not in (int, type(None)):
        raise TypeError("a field of another type")
    if not all(type(reply.get(name, False)) is bool for name in ("changed", "overwrote")):
        raise TypeError("a field of another type")
    outcome = Outcome.from_json(reply)
    return replace(outcome, message="") if outcome.kind == "time-limit" else outcome  # why, we say ourselves


def _place(found: Any, cells: Sequence[str]) -> tuple[int, int]:
    """Where a process says that it is; (0, 0) for anything else that it writes."""
    if not isinstance(found, list) or len(found) != 2 or any(type(number) is not int for number in found):
        return 0, 0
    cell, statement = found
    return (cell, statement) if 0 < cell <= len(cells) and 0 <= statement <= len(cells[cell - 1]) else (0, 0)


def _noted(found: Any, asked: Sequence[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """What a process says about answers: known words alone, whatever else it writes."""
    if not isinstance(found, list) or len(found) != len(asked):
        return {}
    lists = [words if isinstance(words, list) else [] for words in found]
    return {
        exercise: tuple(word for word in NOTES if word in words)
        for (exercise, _), words in zip(asked, lists, strict=True)
    }


def _read(process: subprocess.Popen[str], replies: queue.Queue[str]) -> None:
    assert process.stdout is not None
    while True:
        try:
            line = process.stdout.readline(MAX_REPLY)
        except (OSError, ValueError):
            line = ""
        replies.put(line)
        if not line.endswith("\n"):
            return
