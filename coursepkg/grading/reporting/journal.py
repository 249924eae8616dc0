"""The journal of marks given by hand: one line for each change, on the disk before anybody is told that it is saved.

Nothing in it is ever changed. Taking something back is one more line, so a crash, two windows or a second program lose
nothing: what counts is read off the whole, and the last word on an answer wins. Each line carries a number of its own
and is taken back by that, so a line that is damaged or gone moves no other.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO, NamedTuple

FORMAT = 1
MOST = 1e9  # no number in it is larger


class Key(NamedTuple):
    """Which answer: the learner's id, the exercise and the part of it."""

    student: str
    exercise: str
    item: str


@dataclass(frozen=True)
class Mark:
    """A mark as it stands.

    Attributes
    ----------
    points : float or None
        None if there is only a comment.
    comment : str
        Words for the learner.
    notebook : str
        The start of the hash of the notebook that was marked.
    entry : int
        The number that its line carries.
    """

    points: float | None
    comment: str
    notebook: str
    entry: int


class Conflict(ValueError):
    """An answer was marked meanwhile in another window."""


class Journal:
    """Marks in a file of JSON lines, for several threads and processes at once.

    Parameters
    ----------
    path : Path
        The file; it is made by the first change.
    """

    def __init__(self, path: Path):
        self.path = path
        self._lock = Lock()
        self._size = -1
        self._entries: list[dict[str, Any]] = []
        self._damaged: list[int] = []

    def damaged(self) -> list[str]:
        """What cannot be read, line by line, in words; it is left out."""
        with self._lock:
            self._read()
            return [
                f"line {line} of {self.path.name} cannot be read, so it does not count; "
                "mark its answer again if it had one, and take the line out"
                for line in self._damaged
            ]

    def marks(self) -> dict[Key, Mark]:
        """What counts now, by answer."""
        with self._lock:
            self._read()
            return self._marks()

    def taken_back(self) -> dict[Key, list[Mark]]:
        """The marks that were taken back, of answers that have none now."""
        with self._lock:
            self._read()
            standing, found = self._marks(), dict[Key, list[Mark]]()
            for entry in self._sorted()[1]:
                for key, mark in _marks_of(entry):
                    if key not in standing:
                        found.setdefault(key, []).append(mark)
            return found

    def mark(self, answers: Sequence[tuple[Key, str]], points: float | None, comment: str, seen: int) -> int:
        """Note the mark of one answer, or of several that are the same; it is on the disk on return.

        Parameters
        ----------
        answers : sequence of (Key, str)
            Which ones, each with the start of its notebook's hash.
        points : float or None
            What they get.
        comment : str
            Words for the learner.
        seen : int
            The last entry about these answers that the marker saw, 0 for none.

        Raises
        ------
        Conflict
            If one of them has had another mark since.
        """
        told = [{**key._asdict(), "notebook": notebook} for key, notebook in answers]

        def entry() -> dict[str, Any]:
            current = self._marks()
            if any(current[key].entry > seen for key, _ in answers if key in current):
                raise Conflict("this answer was marked meanwhile in another window")
            return {"answers": told, "points": points, "comment": comment}

        return self._append(entry)

    def undo(self, number: int) -> int:
        """Take one entry back; what the answers had before counts again.

        Raises
        ------
        ValueError
            If there is nothing to take back.
        """

        def entry() -> dict[str, Any]:
            if all(entry["entry"] != number for entry in self._sorted()[0]):
                raise ValueError("there is nothing to take back")
            return {"undo": number}

        return self._append(entry)

    def _append(self, made: Any) -> int:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = not self.path.exists()
        with self._lock, self.path.open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # let go of when the file is closed
            self._read()
            number = max((entry["entry"] for entry in self._entries), default=0) + 1
            stamp = datetime.now(UTC).isoformat(timespec="seconds")
            line = json.dumps({"format": FORMAT, "entry": number, "at": stamp, **made()})
            file.write(self._end_of_torn_line() + line.encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        if new:
            _sync_folder(self.path.parent)
        return number

    def _end_of_torn_line(self) -> bytes:
        """What a killed program left of a line is ended, so that the next one stands alone."""
        with self.path.open("rb") as file:
            return b"" if _ends_whole(file) else b"\n"

    def _read(self) -> None:
        size = self.path.stat().st_size if self.path.exists() else 0
        if size == self._size:
            return
        self._entries, self._damaged = [], []
        for number, line in enumerate(self.path.read_bytes().splitlines() if size else [], 1):
            entry = _entry(line)
            if entry is not None:
                self._entries.append(entry)
            elif line.strip():
                self._damaged.append(number)
        self._size = size

    def _sorted(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Marks that stand, and marks that were taken back; the latest of a number is meant by it."""
        standing: list[dict[str, Any]] = []
        gone: list[dict[str, Any]] = []
        for entry in self._entries:
            if "undo" not in entry:
                standing.append(entry)
                continue
            meant = next((one for one in reversed(standing) if one["entry"] == entry["undo"]), None)
            if meant is not None:
                standing.remove(meant)
                gone.append(meant)
        return standing, gone

    def _marks(self) -> dict[Key, Mark]:
        return {key: mark for entry in self._sorted()[0] for key, mark in _marks_of(entry)}


def _marks_of(entry: Mapping[str, Any]) -> Iterator[tuple[Key, Mark]]:
    for answer in entry["answers"]:
        mark = Mark(entry["points"], entry["comment"], answer["notebook"], entry["entry"])
        yield Key(answer["student"], answer["exercise"], answer["item"]), mark


def journal_beside(results: Path) -> Path:
    """Where the journal of a folder of results is kept."""
    resolved = results.resolve()
    return resolved.with_name(f"{resolved.name}-journal.jsonl")


def _ends_whole(file: BinaryIO) -> bool:
    if file.seek(0, os.SEEK_END) == 0:
        return True
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _entry(line: bytes) -> dict[str, Any] | None:
    """One line; None for what a killed program left of one, and for anything that this program does not write."""
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict) or data.get("format") != FORMAT or not _is_number(data.get("entry"), int):
        return None
    return data if (_is_number(data["undo"], int) if "undo" in data else _is_mark(data)) else None


def _is_mark(data: Mapping[str, Any]) -> bool:
    points, answers = data.get("points", ""), data.get("answers")
    return (
        isinstance(answers, list)
        and all(isinstance(a, dict) and all(isinstance(a.get(name), str) for name in _OF_ANSWERS) for a in answers)
        and isinstance(data.get("comment"), str)
        and (points is None or _is_number(points, (int, float)))
    )


_OF_ANSWERS = (*Key._fields, "notebook")


def _is_number(value: object, kind: Any) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool) and 0 <= value <= MOST
