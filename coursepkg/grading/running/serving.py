"""A grading process that is spoken to in lines of JSON: first what to grade by, then one notebook after another.

It is how a machine of a cluster grades. One of these runs for each of its cores, with its own sandbox, and it ends when
nobody speaks to it any more.
"""

from __future__ import annotations

import base64
import contextlib
import ctypes
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, TextIO

from coursepkg.grading.running.grader import Graded, Grader, Work
from coursepkg.grading.running.results import Result
from coursepkg.grading.specification.chapters import Chapters
from coursepkg.grading.submissions.cells import Notebook

END_SECONDS = 5.0
_DEATH_SIGNAL = 1


class Lost(RuntimeError):
    """A notebook whose grading came to no end, for no fault of its own."""


# --- what crosses the line -------------------------------------------------------------------------------------------


def work_to_json(work: Work) -> str:
    """A notebook and whose it is, in one line."""
    data = base64.b64encode(work.data).decode("ascii")
    trouble = work.data.trouble if isinstance(work.data, Notebook) else ""
    about = {"file_sha256": work.sha256, "trouble": trouble}
    return json.dumps({**work.__dict__, "data": data, "flags": list(work.flags), **about})


def work_from_json(line: str) -> Work:
    """The notebook that ``work_to_json`` wrote down."""
    data = json.loads(line)
    notebook = Notebook(base64.b64decode(data["data"]))
    notebook.sha256, notebook.trouble = data.pop("file_sha256"), data.pop("trouble")
    return Work(**{**data, "data": notebook, "flags": tuple(data["flags"])})


def graded_to_json(graded: Graded) -> str:
    """Results, in one line."""
    results = [result.to_json() for result in graded.results]
    return json.dumps({"results": results, "times": list(graded.times), "out_of_time": graded.out_of_time})


def graded_from_json(line: str) -> Graded:
    """The results that ``graded_to_json`` wrote down.

    Raises
    ------
    ValueError
        If the line is malformed.
    """
    data = json.loads(line)
    try:
        results = tuple(Result.from_json(item) for item in data["results"])
        return Graded(results, tuple(dict(item) for item in data["times"]), bool(data["out_of_time"]))
    except (KeyError, TypeError) as error:
        raise ValueError(f"a field is missing or malformed ({error})") from None


# --- the process, from inside ----------------------------------------------------------------------------------------


def serve(lines: TextIO, replies: TextIO) -> None:
    """Grade until there are no more lines."""
    job = json.loads(lines.readline())
    grader = Grader(Chapters(Path(job["specs"])), bytes.fromhex(job["secret"]), job["tier"])
    try:
        for line in lines:
            replies.write(graded_to_json(grader.grade(work_from_json(line))) + "\n")
            replies.flush()
    finally:
        grader.close()


# --- the process, from outside ---------------------------------------------------------------------------------------


class GradingProcess:
    """A grading process, and the way to speak to it.

    Parameters
    ----------
    job : dict
        ``specs`` (folder), ``secret`` (hexadecimal) and ``tier``.
    """

    def __init__(self, job: dict[str, Any]):
        self._process = subprocess.Popen(
            [sys.executable, "-m", "coursepkg.grading.running.serving"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8",
        )  # fmt: skip
        self._tell(json.dumps(job))

    def grade(self, work: str) -> str:
        """Grade a notebook, both as lines.

        Raises
        ------
        Lost
            If the process ends before it replies.
        """
        self._tell(work)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line.endswith("\n"):
            raise Lost(f"the grading process ended with {self._process.wait()}")
        return line

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        except OSError:
            raise Lost("the grading process has ended") from None

    def close(self) -> None:
        """End it, also while another thread waits for its reply; its sandbox ends with it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(OSError):  # it may have ended before
            self._process.stdin.close()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()  # last: nobody may be reading from what is closed


if __name__ == "__main__":
    ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGTERM, 0, 0, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    serve(sys.stdin, sys.stdout)
