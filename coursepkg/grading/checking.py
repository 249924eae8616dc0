"""Judging a whole notebook: read its code, run it in another process, judge each answer by its name.

This is for one's own work: the worker is a plain process with time limits, not a sandbox. Reading is done with care
all the same, since a notebook is only a file: its size is capped, it is parsed as JSON and nothing in it is rendered.
"""

from __future__ import annotations

import json
import os
import queue
import re
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from coursepkg.grading import feedback
from coursepkg.grading.calling import CHECK_SECONDS, LAST_KINDS, Outcome
from coursepkg.grading.judge import Verdict, judge_all
from coursepkg.grading.worker import LOAD_SECONDS, MAX_REPLY

MAX_BYTES = 20_000_000
STARTS = 3
_GRACE = 25.0  # of wall time, beyond the worker's own limits in processor time, before it is ended from outside
_CHECKED = re.compile(r"""\bcheck\(\s*["'](\d\d\.\d+)["']""")


class UnreadableNotebook(ValueError):
    """The file is no notebook that can be judged; the message says why."""


def read_cells(path: Path) -> list[str]:
    """The code cells of a notebook, as they are: only the worker tries to understand them.

    Raises
    ------
    UnreadableNotebook
        If the file is missing, too large, no JSON, or no notebook.
    """
    try:
        with path.open("rb") as file:
            text = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UnreadableNotebook(f"{path} cannot be opened: {error.strerror}") from None
    return cells_of(text, path.name)


def cells_of(text: bytes, name: str) -> list[str]:
    """The code cells of a notebook that has been read already; raises as ``read_cells`` does."""
    if len(text) > MAX_BYTES:
        raise UnreadableNotebook(f"{name} has more than {MAX_BYTES // 1_000_000} MB, which is no notebook's size")
    try:
        notebook = json.loads(text)
    except (ValueError, RecursionError):
        raise UnreadableNotebook(f"{name} is no notebook: it is no JSON") from None
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(cells, list):
        raise UnreadableNotebook(f"{name} is no notebook of format 4: it has no list of cells")
    return [_source(cell) for cell in cells if isinstance(cell, dict) and cell.get("cell_type") == "code"]


def _source(cell: Mapping[str, Any]) -> str:
    source = cell.get("source", "")
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    return source if isinstance(source, str) else ""


# --- the worker, from outside ----------------------------------------------------------------------------------------


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
    """

    def __init__(self, cells: Sequence[str], folder: Path, command: Sequence[str] | None = None):
        self.cells, self.folder = list(cells), folder
        self.environment = {
            **os.environ, "MPLBACKEND": "Agg", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
            "COURSEPKG_PROGRESS": "off",  # the notebook's own check calls are run along, and count for nothing
        }  # fmt: skip
        self.command = list(command or (sys.executable, "-m", "coursepkg.grading.worker"))
        self.starts = 0
        self._requests = 0
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
        if not self._running and (trouble := self._start()) is not None:
            return [trouble]
        first = self._requests + 1
        self._requests += len(items)
        request = {
            "id": first,
            "function": compiled["function"],
            "driver": compiled["driver"],
            "cases": list(items),
            "seconds": CHECK_SECONDS,
        }
        unread = self._tell(request, self._patience())
        outcomes: list[Outcome] = []
        for number in range(first, first + len(items)):
            outcomes.append(self._outcome(unread or self._reply(self._patience()), number))
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
        self._launch()
        if (trouble := self._greet()) is not None:
            self._end()
            return trouble
        seconds = LOAD_SECONDS + _GRACE
        reply = self._tell({"cells": self.cells}, seconds) or self._reply(seconds)
        if isinstance(reply, Outcome):
            self._end()
            return reply
        return None

    def _greet(self) -> Outcome | None:
        """What a worker says before it reads the notebook; a plain one says nothing."""
        return None

    def _tell(self, request: Mapping[str, Any], seconds: float) -> Outcome | None:
        """Send a request; an outcome only if that fails."""
        try:
            self._send(json.dumps(request) + "\n", seconds)
        except OSError:
            return self._ended()
        return None

    def _ended(self) -> Outcome:
        """What to say of a process that is gone."""
        return Outcome("error", error="ProcessEnded", message="your code ended the process that ran it")

    def _reply(self, seconds: float) -> dict[str, Any] | Outcome:
        line = self._line(seconds)
        if line is None:
            return Outcome("time-limit")
        if not line.endswith("\n"):
            return self._ended()
        try:
            reply = json.loads(line)
        except (ValueError, RecursionError):
            reply = None
        return reply if isinstance(reply, dict) else Outcome("error", error="BadReply", message="no reply")

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

    def _line(self, seconds: float) -> str | None:
        """The next line, without its end if the process is gone or the line too long; None if time is over."""
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


_TEXTS = ("error", "message", "source", "printed", "warned")
_KINDS = ("value", "not-attempted", "error", "time-limit", "wrong-kind")  # whose fault it is, we say ourselves


def _believable(reply: Mapping[str, Any]) -> Outcome:
    """A reply as an outcome whose fields have the types that they should have; the answer may have written it itself.

    Raises
    ------
    TypeError, ValueError, RecursionError
        If it is nothing that a worker sends.
    """
    if reply.get("kind") not in _KINDS:
        raise ValueError("an outcome of no kind")
    texts = [reply.get(name, "") for name in _TEXTS]
    line = reply.get("line")
    if not all(isinstance(text, str) and len(text) < 5000 for text in texts) or type(line) not in (int, type(None)):
        raise TypeError("a field of another type")
    if type(reply.get("changed", False)) is not bool:
        raise TypeError("a field of another type")
    return Outcome.from_json(reply)


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


# --- a notebook ------------------------------------------------------------------------------------------------------


def judge_notebook(path: Path, checks: Mapping[str, Mapping[str, Any]]) -> list[tuple[Mapping[str, Any], Verdict]]:
    """Judge every exercise of a notebook's chapter.

    Parameters
    ----------
    path : Path
        The notebook.
    checks : mapping
        Compiled checks by exercise id.

    Returns
    -------
    list of (compiled check, Verdict)

    Raises
    ------
    UnreadableNotebook
        If it cannot be read, or none of the exercises belongs to it.
    """
    cells = read_cells(path)
    chapters = {exercise_id.split(".")[0] for cell in cells for exercise_id in _CHECKED.findall(cell)}
    if path.name[:2] in {exercise_id.split(".")[0] for exercise_id in checks}:
        chapters = {path.name[:2]}
    wanted = [compiled for exercise_id, compiled in checks.items() if exercise_id.split(".")[0] in chapters]
    if not wanted:
        raise UnreadableNotebook(f"{path.name} belongs to no chapter with exercises, and holds no check call")
    with Worker(cells, path.parent) as worker:
        return [(compiled, _judged(compiled, worker)) for compiled in wanted]


def _judged(compiled: Mapping[str, Any], worker: Worker) -> Verdict:
    try:
        return judge_all(compiled, lambda items: worker.ask(compiled, items))
    except Exception as error:  # noqa: BLE001 - a fault of ours is reported as such, and the other exercises go on
        words = feedback.infrastructure(f"the checker itself failed ({type(error).__name__}: {error})")
        return Verdict(compiled["id"], "infrastructure", lines=tuple(words))


def load_checks(folder: Path | None) -> dict[str, dict[str, Any]]:
    """All compiled checks of a folder, by exercise id.

    Raises
    ------
    ValueError
        If there is no folder, it holds no checks, or one cannot be read.
    """
    if folder is None or not folder.is_dir():
        raise ValueError("there is no folder of compiled checks here; run `python -m coursepkg grade build`")
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.glob("ex_*.json")):
        try:
            exercises = json.loads(path.read_text(encoding="utf-8"))["exercises"]
            found.update({compiled["id"]: compiled for compiled in exercises})
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path.name} cannot be read ({error})") from None
    if not found:
        raise ValueError(f"{folder} holds no compiled checks; run `python -m coursepkg grade build`")
    return found
