"""A room while it works: who has passed which exercise, where many are stuck now, and so what to say next.

What is read are the records that learners' own copies keep (``progress.json``), one for each person of a folder. They
are files of other people: a link, a pipe, a file without end or one that is no record is named as such and does no
harm. A record tells which misconceptions the latest check named, and when; nothing in it is anybody's code.
"""

from __future__ import annotations

import json
import os
import stat
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

from coursepkg.grading.learning import record
from coursepkg.grading.learning.course import chapters_of, exercises_of
from coursepkg.grading.learning.record import Record

MOST_PEOPLE = 1000
LARGEST = 1_000_000  # bytes of one record; one of the whole course has about 20,000
MINUTES = 30  # what "now" means, if nobody says otherwise
MANY_TRIES = 3  # so many checks without a pass are being stuck, even if no idea was named
PLACES = ("progress.json", "exercises/progress.json", "my-course/exercises/progress.json")


class RoomError(ValueError):
    """A folder that is no room, or is too large for one."""


@dataclass(frozen=True)
class Person:
    """Somebody in the room; ``record`` is None as long as they have checked nothing, or if it cannot be read.

    ``problem`` says why it cannot be read.
    """

    name: str
    record: Record | None
    problem: str = ""


@dataclass(frozen=True)
class Idea:
    """A misconception as the board may show it: what it looks like, why it seems right, where to look again."""

    looks_like: str
    why: str
    look_at: str


@dataclass(frozen=True)
class Task:
    """An exercise as the board knows it: no inputs, no results, no hints."""

    id: str
    title: str
    ideas: Mapping[str, Idea]


@dataclass(frozen=True)
class Stuck:
    """So many of the room are stuck at one exercise for one reason; ``idea`` is None where no check named one."""

    task: Task
    idea: Idea | None
    count: int
    of: int

    @property
    def words(self) -> str:
        """What it looks like, as one sentence."""
        return self.idea.looks_like if self.idea else f"checked {MANY_TRIES} times or more, and no known idea behind it"


@dataclass(frozen=True)
class Standing:
    """An exercise in the room: how many have passed it, how many are at it, how many have not begun."""

    task: Task
    passed: int
    tried: int
    not_begun: int
    by_person: Mapping[str, str] = field(default_factory=dict)


# --- reading ---------------------------------------------------------------------------------------------------------


def people_of(folder: Path) -> list[Person]:
    """Everybody in a room, by name.

    Parameters
    ----------
    folder : Path
        It holds a folder for each person with their record in it (``progress.json``, there or in ``exercises/``), or a
        record of each as ``NAME.json``.

    Raises
    ------
    RoomError
        If it cannot be listed, or holds more than a thousand people.
    """
    try:
        names = sorted(name for name in os.listdir(folder) if not name.startswith("."))
    except OSError as error:
        raise RoomError(f"{folder} cannot be listed as a room: {error.strerror}") from None
    if len(names) > MOST_PEOPLE:
        raise RoomError(f"{folder} holds {len(names)} entries; a room has at most {MOST_PEOPLE} people")
    return [person for name in names if (person := _person(folder, name)) is not None]


def _person(folder: Path, name: str) -> Person | None:
    shown = os.fsencode(name).decode("utf-8", "replace")
    if (folder / name).is_symlink():
        return Person(shown, None, "a link in place of a folder")
    if (folder / name).is_dir():
        places = [f"{name}/{place}" for place in PLACES]
    elif name.endswith(".json"):
        shown, places = shown.removesuffix(".json"), [name]
    else:
        return None
    for place in places:
        try:
            return Person(shown, record.understood(json.loads(_content(folder, place).decode("utf-8-sig"))))
        except FileNotFoundError:
            continue
        except OSError as error:
            return Person(shown, None, f"its record cannot be opened ({error.strerror})")
        except record.NewerRecord:
            return Person(shown, None, "its record is of a newer version of the course")
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            return Person(shown, None, "its record is damaged")
    return Person(shown, None)


def _content(folder: Path, place: str) -> bytes:
    """What a file below the folder holds. No link is followed: whoever reads may have more rights than its owner."""
    *above, last = place.split("/")
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    if os.open not in os.supports_dir_fd:  # Windows
        number = os.open(folder.joinpath(*above, last), flags | getattr(os, "O_BINARY", 0))
    else:
        here = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            for part in above:
                below = os.open(part, flags | os.O_DIRECTORY, dir_fd=here)
                os.close(here)
                here = below
            number = os.open(last, flags, dir_fd=here)
        finally:
            os.close(here)
    with os.fdopen(number, "rb") as file:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            raise ValueError("no file")
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise ValueError("too large for a record")
    return content


def tasks_of(checks: Path) -> dict[str, list[Task]]:
    """All exercises by chapter, from the compiled checks; raises OSError, ValueError, KeyError or TypeError."""
    return {
        chapter: _tasks(checks, chapter, (checks / f"ex_{chapter}.json").stat().st_mtime_ns)
        for chapter in chapters_of(checks)
    }


@lru_cache(maxsize=64)
def _tasks(checks: Path, chapter: str, changed: int) -> list[Task]:
    return [
        Task(
            item["id"],
            item["title"],
            {each["id"]: Idea(each["looks_like"], each["why"], each["look_at"]) for each in item["misconceptions"]},
        )
        for item in exercises_of(checks, chapter)
    ]


# --- what they say ---------------------------------------------------------------------------------------------------


def stuck_in(
    people: Sequence[Person], tasks: Mapping[str, Sequence[Task]], now: datetime, minutes: float | None = MINUTES
) -> list[Stuck]:
    """What to talk about next: where people are stuck now, and why; most people first.

    Parameters
    ----------
    people : sequence of Person
        As :func:`people_of` gives them.
    tasks : mapping of str to sequence of Task
        As :func:`tasks_of` gives them.
    now : datetime.datetime
        The time, with its zone.
    minutes : float or None
        How long ago a check may be to count. With None all count, and records from before times were kept, too.

    Returns
    -------
    list of Stuck
        Somebody counts for an idea if their latest check of the exercise named it and they have not passed it; without
        an idea, after three checks. ``of`` is the number of people with a record.
    """
    known = {task.id: task for own in tasks.values() for task in own}
    counts: Counter[tuple[str, str]] = Counter()
    records = [person.record for person in people if person.record is not None]
    for kept in records:
        for name, entry in kept.exercises.items():
            if name not in known or entry.passed is not None or not _is_now(entry.at, now, minutes):
                continue
            ideas = {idea for idea in entry.ideas if idea in known[name].ideas}
            if ideas or entry.tries >= MANY_TRIES:
                counts.update((name, idea) for idea in ideas or {""})
    order = {name: place for place, name in enumerate(known)}
    ranked = sorted(counts.items(), key=lambda item: (-item[1], order[item[0][0]], item[0][1]))
    return [Stuck(known[name], known[name].ideas.get(idea), count, len(records)) for (name, idea), count in ranked]


def _is_now(at: datetime | None, now: datetime, minutes: float | None) -> bool:
    return minutes is None or (at is not None and now - at <= timedelta(minutes=minutes + 1))  # kept to the minute


def standings(people: Sequence[Person], tasks: Sequence[Task]) -> list[Standing]:
    """How far the room is with these exercises; people whose record cannot be read are left out."""
    readable = [person for person in people if not person.problem]
    found = []
    for task in tasks:
        states = [(person.name, _state(person.record, task.id)) for person in readable]
        counts = Counter(state for _, state in states)  # two people may be shown under one name
        found.append(Standing(task, counts["passed"], counts["tried"], counts["not begun"], dict(states)))
    return found


def _state(kept: Record | None, name: str) -> str:
    if kept is None:
        return "not begun"
    return "passed" if kept.passed(name) else "tried" if kept.tried(name) else "not begun"


def active_in(people: Sequence[Person], now: datetime, minutes: float) -> int:
    """How many have run a check in the last minutes."""
    records = [person.record for person in people if person.record is not None]
    return sum(any(_is_now(entry.at, now, minutes) for entry in kept.exercises.values()) for kept in records)


def chapter_of(people: Sequence[Person], tasks: Mapping[str, Sequence[Task]]) -> str:
    """The chapter that most people checked something of last; the first one if nobody has."""
    counts: Counter[str] = Counter()
    for kept in (person.record for person in people if person.record is not None):
        dated = [(entry.at or datetime.min.replace(tzinfo=UTC), name) for name, entry in kept.exercises.items()]
        known = [pair for pair in dated if pair[1].partition(".")[0] in tasks]
        if known:
            counts[max(known)[1].partition(".")[0]] += 1
    return max(sorted(tasks), key=lambda chapter: counts[chapter], default="")
