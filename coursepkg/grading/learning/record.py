"""A learner's record: what was tried and passed, which wrong ideas were met, in one readable file of their own.

The file is JSON: to read, to edit, to delete; it is sent nowhere. Two notebooks may be open at once, so each
change reads the file again, changes one entry and puts a whole new file in its place, under a lock. Nothing about it
is ever fatal: a damaged file is set aside, one that cannot be read or comes from a newer version stays as it is, and
where no file can be written there is none.

``COURSEPKG_PROGRESS`` names another file or folder, or is "off". Without it, a record is kept for a person at a
notebook or a prompt, and for nobody else: not in batch grading, nor where notebooks are run to be stored.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import stat
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

try:
    from fcntl import LOCK_EX, LOCK_NB, flock
except ImportError:  # Windows, and Python in a browser: there, the file is still written whole or not at all
    flock = None  # type: ignore[assignment]

NAME = "progress.json"
LONGEST = 512  # days between two looks at a card
FORMAT = 1
_LONGEST_NAME = 200  # characters of an id, an idea or a letter
_MOST_TRIES = 1_000_000
_ABOUT = "Your progress: written when you run a check, read by progress() and review(); yours to edit or delete."
_OFF = ("off", "no", "0", "")
_PATIENCE = 2.0  # seconds that another notebook may hold the file


class NewerRecord(ValueError):
    """A record in a format that this version of the course does not know yet."""


@dataclass
class Exercise:
    """What became of an exercise so far; a pass stays.

    ``ideas`` are the misconceptions that the latest check named for certain; ``at`` is when that was, to the minute.
    """

    tries: int = 0
    passed: date | None = None
    ideas: tuple[str, ...] = ()
    at: datetime | None = None


@dataclass
class Card:
    """A wrong idea that was met, to be looked at again after so many days."""

    met: date
    days: int
    due: date


@dataclass
class Record:
    """Exercises by id, cards by "exercise/misconception", and letters given to the questions of notebook 00, by number.

    ``questions_again`` are the letters of the second time, after the course. ``notice`` is a line about the file, if
    there is one.
    """

    exercises: dict[str, Exercise] = field(default_factory=dict)
    cards: dict[str, Card] = field(default_factory=dict)
    questions: dict[int, str] = field(default_factory=dict)
    questions_again: dict[int, str] = field(default_factory=dict)
    notice: str = ""

    def passed(self, exercise_id: str) -> bool:
        """Whether the exercise was passed at some time."""
        return exercise_id in self.exercises and self.exercises[exercise_id].passed is not None

    def tried(self, exercise_id: str) -> bool:
        """Whether it was tried, and never passed."""
        return exercise_id in self.exercises and not self.passed(exercise_id)

    # --- what is written into it ---

    def note(
        self, exercise_id: str, passed: bool, ideas: Sequence[str], today: date, now: datetime | None = None
    ) -> None:
        """A check was run; ``ideas`` are the misconceptions that it named for certain.

        Parameters
        ----------
        exercise_id : str
            Id of the exercise ("01.2").
        passed : bool
            Whether the answer was right.
        ideas : sequence of str
            Ids of the misconceptions.
        today : datetime.date
            The day it is where the learner is.
        now : datetime.datetime, optional
            The time with its zone; without one, when it was is not kept.
        """
        entry = self.exercises.setdefault(exercise_id, Exercise())
        entry.tries += 1
        entry.ideas = tuple(ideas)
        entry.at = None if now is None else now.astimezone(UTC).replace(second=0, microsecond=0)
        if passed and entry.passed is None:
            entry.passed = today
        for name in (f"{exercise_id}/{idea}" for idea in ideas):
            met = self.cards[name].met if name in self.cards else today
            self.cards[name] = Card(met, 1, today + timedelta(days=1))

    def answer(self, name: str, remembered: bool, today: date) -> None:
        """A card was looked at: twice the time if it was remembered, else a day; a card counts once a day.

        Raises
        ------
        KeyError
            If there is no such card.
        """
        card = self.cards[name]
        if not remembered:
            self.cards[name] = Card(card.met, 1, today + timedelta(days=1))
        elif card.due <= today:
            days = min(2 * card.days, LONGEST)
            self.cards[name] = Card(card.met, days, today + timedelta(days=days))

    def due(self, today: date) -> list[str]:
        """The cards to look at today, those that wait longest first."""
        names = [name for name, card in self.cards.items() if card.due <= today]
        return sorted(names, key=lambda name: (self.cards[name].due, name))


# --- where it is -----------------------------------------------------------------------------------------------------


def location(checks: Path | None, *, person: bool) -> Path | None:
    """The file of the record, or None if there is to be none.

    Parameters
    ----------
    checks : Path or None
        The folder of compiled checks; if it is around the working folder, the record lies beside it, in ``exercises/``.
    person : bool
        Whether somebody sits in front of this process; without them, only a file that is asked for is kept.
    """
    named = os.environ.get("COURSEPKG_PROGRESS")
    if named is not None:
        if named.strip().lower() in _OFF:
            return None
        path = Path(named).expanduser()
        return path / NAME if os.path.isdir(path) else path  # which says no, too, where a name is too long
    if not person or "NBGRADER_EXECUTION" in os.environ:  # nbgrader says so when it runs a notebook itself
        return None
    # Checks that are named by the environment may belong to a whole class, and those in an installed package belong to
    # nobody: then the record lies beside the notebook.
    here = Path.cwd()
    around = checks is not None and checks.parents[1] in (here, *here.parents)
    own = around and "COURSEPKG_CHECKS" not in os.environ
    return (checks.parent if own and checks is not None else here) / NAME


# --- reading and writing ---------------------------------------------------------------------------------------------


def read(path: Path) -> Record:
    """The record as it is; an empty one if there is none yet. A damaged file is set aside."""
    with _locked(path):
        return _found(path)[0]


def update(path: Path, change: Callable[[Record], None]) -> Record:
    """Read the record, change it, and write it as a whole; what other notebooks wrote in the meantime is kept.

    A file that cannot be read is not written either: what it holds would be lost.
    """
    with _locked(path):
        record, replaceable = _found(path)
        change(record)
        if replaceable:
            try:
                _write(path, record)
            except OSError as error:
                record.notice = f"Your progress is not kept: `{path.name}` cannot be written ({error.strerror})."
    return record


def _found(path: Path) -> tuple[Record, bool]:
    """The record as it is, and whether a new file may take its place."""
    try:
        return understood(json.loads(_content(path))), True
    except FileNotFoundError:
        return Record(), True
    except OSError as error:
        line = f"Your progress cannot be read: `{path.name}` ({error.strerror}). Nothing is written to it."
        return Record(notice=line), False
    except NewerRecord:
        line = f"`{path.name}` was written by a newer version of the course and stays as it is."
        return Record(notice=f"{line} Your progress is kept again once you install that version here."), False
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        aside, line = _set_aside(path)
        return Record(notice=line), aside


def _content(path: Path) -> str:
    if not stat.S_ISREG(path.stat().st_mode):  # to open a pipe would wait for ever, and a device may have no end
        raise OSError(errno.EINVAL, "it is no ordinary file")
    return path.read_text(encoding="utf-8-sig")


def understood(data: Any) -> Record:
    """A file's content as a record; raises ValueError, KeyError, TypeError or OverflowError if it is none."""
    if not isinstance(data, dict):
        raise TypeError("not a record")
    if type(data["format"]) is int and data["format"] > FORMAT:
        raise NewerRecord(f"a record of format {data['format']}")
    if data["format"] != FORMAT:
        raise ValueError("not a record of this format")
    exercises = {_word(name): _exercise(item) for name, item in _items(data, "exercises")}
    cards = {_word(name): _card(item) for name, item in _items(data, "cards")}
    # A record from before the questions were kept has none.
    first, again = (
        {int(number): _word(letter) for number, letter in _items({name: {}} | data, name)}
        for name in ("questions", "questions_again")
    )
    return Record(exercises, cards, first, again)


def _exercise(item: Any) -> Exercise:
    # A record from before the latest check was kept has none. The format's number stays: an older copy of the course
    # reads such a record as it did, and would set one of another number aside.
    if not isinstance(item, dict):
        raise TypeError("an exercise is no dictionary")
    latest: Any = item.get("latest", {"ideas": [], "at": None})
    if not isinstance(latest["ideas"], list):
        raise TypeError("ideas are no list")
    at = None if latest["at"] is None else datetime.fromisoformat(latest["at"]).astimezone(UTC)
    tries = int(item["tries"])
    if not 0 <= tries <= _MOST_TRIES:
        raise ValueError("a number of tries that nobody reaches")
    return Exercise(tries, _day(item["passed"]), tuple(map(_word, latest["ideas"])), at)


def _card(item: Any) -> Card:
    days = min(max(int(item["days"]), 1), LONGEST)
    return Card(date.fromisoformat(item["met"]), days, date.fromisoformat(item["due"]))


def _word(given: Any) -> str:
    """A name or a letter as text that can be written again; raises ValueError if it cannot."""
    text = str(given)
    if len(text) > _LONGEST_NAME:
        raise ValueError("a name without end")
    text.encode()  # half a pair of surrogates cannot be
    return text


def _items(data: dict[str, Any], name: str) -> Any:
    if not isinstance(data[name], dict):
        raise TypeError(f"{name} is no dictionary")
    return data[name].items()


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _set_aside(path: Path) -> tuple[bool, str]:
    """Whether the file is out of the way now, and a line that says so."""
    names = [f"{path.name}.damaged", *(f"{path.name}.damaged-{number}" for number in range(2, 100))]
    aside = next(
        (path.with_name(name) for name in names if not path.with_name(name).exists()), path.with_name(names[0])
    )
    try:
        os.replace(path, aside)
    except OSError as error:
        line = f"Your record `{path.name}` is damaged and cannot be set aside ({error.strerror})."
        return False, f"{line} It stays as it is, and nothing is kept."
    return True, f"Your record was damaged. It is set aside as `{aside.name}`, and a new one begins."


def _write(path: Path, record: Record) -> None:
    exercises = {name: _stored(item) for name, item in sorted(record.exercises.items(), key=_in_order)}
    cards = {
        name: {"met": card.met.isoformat(), "days": card.days, "due": card.due.isoformat()}
        for name, card in sorted(record.cards.items(), key=_in_order)
    }
    data = {"about": _ABOUT, "format": FORMAT, "exercises": exercises, "cards": cards}
    for name, letters in (("questions", record.questions), ("questions_again", record.questions_again)):
        if letters:
            data[name] = {str(number): letter for number, letter in sorted(letters.items())}
    target = os.path.realpath(path)  # a link stays a link
    number, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=os.path.dirname(target))
    try:
        with os.fdopen(number, "w", encoding="utf-8") as file:
            file.write(json.dumps(data, indent=1, ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


def _stored(item: Exercise) -> dict[str, Any]:
    stored: dict[str, Any] = {"tries": item.tries, "passed": item.passed.isoformat() if item.passed else None}
    if item.at is not None or item.ideas:
        at = item.at.isoformat(timespec="minutes") if item.at else None
        stored["latest"] = {"ideas": list(item.ideas), "at": at}
    return stored


def _in_order(item: tuple[str, Any]) -> tuple[int, int, str]:
    chapter, _, rest = item[0].partition(".")
    number = rest.partition("/")[0]
    return (int(chapter) if chapter.isdecimal() else 0, int(number) if number.isdecimal() else 0, item[0])


def _without_waiting(name: str, flags: int) -> int:
    """Open a file; if it is a pipe that nobody reads, say so and do not wait for a reader."""
    return os.open(name, flags | getattr(os, "O_NONBLOCK", 0), 0o666)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the record alone, as far as this system can; where it cannot, or it takes too long, go on without."""
    try:
        file = open(path.with_name(f".{path.name}.lock"), "a", opener=_without_waiting)  # noqa: SIM115 - closed below
    except OSError:
        file = None
    if file is None or flock is None:
        if file is not None:
            file.close()
        yield
        return
    with file:
        end = time.monotonic() + _PATIENCE
        while True:
            try:
                flock(file, LOCK_EX | LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > end:
                    break
                time.sleep(0.01)
            except OSError:  # a file system without locks
                break
        yield
