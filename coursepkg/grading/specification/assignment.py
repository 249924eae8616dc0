"""An assignment: what was handed out, out of how many points, until when, and what a late one costs.

It is the unit of grading. A release (``release``) carries it to the learners and back: each notebook in it names its
assignment, and ``grade batch --assignment`` grades that one and no other. Points come from here, never from what
somebody handed in.
"""

from __future__ import annotations

import json
import math
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from coursepkg.grading.specification.chapters import Chapter
from coursepkg.grading.specification.exercise import Exercise

FORMAT = 1
INSIDE = ".checks/assignment.json"  # where a release keeps it, below its one folder
MAX_BYTES = 10_000_000
NONE, CUT_OFF = "none", "cut-off"
_NAME = re.compile(r"[\w][\w .-]{0,60}")


class BadAssignment(ValueError):
    """An assignment that cannot be found or read, or that no longer fits its exercises; the message says what to do."""


@dataclass(frozen=True)
class Asked:
    """One exercise of an assignment: its id, its title, and the points that it can give."""

    id: str
    title: str
    points: float


@dataclass(frozen=True)
class Assignment:
    """What was asked.

    Attributes
    ----------
    name : str
        "hw2".
    chapters : tuple of str
        The chapters whose exercises it holds ("02").
    exercises : tuple of Asked
        In the order of the course.
    due : datetime, optional
        With its time zone; after this a submission is late.
    late : str
        "none" (a late one counts like any other), "cut-off" (it gives no points), or the points that each day begun
        takes off ("2").
    zone : str
        The time zone of times that name none ("Europe/Berlin"); "" if nobody said.
    """

    name: str
    chapters: tuple[str, ...]
    exercises: tuple[Asked, ...]
    due: datetime | None = None
    late: str = NONE
    zone: str = ""

    @property
    def max(self) -> float:
        """Points that can be won."""
        return float(sum(asked.points for asked in self.exercises))

    def deduction(
        self, won: float, submitted: datetime | None, *, marked_late: bool = False, until: datetime | None = None
    ) -> float:
        """Points that being late takes off.

        Parameters
        ----------
        won : float
            Points before that.
        submitted : datetime, optional
            When it was handed in, with its time zone.
        marked_late : bool
            Whether the platform calls it late; counts where it does not say when, as one day.
        until : datetime, optional
            The end of an extension. Then being called late counts for nothing: the platform may not know of it.
        """
        if submitted is not None and self.due is not None:
            days = math.ceil((submitted - max(self.due, until or self.due)).total_seconds() / 86400)
        else:
            days = int(marked_late and until is None)
        if days <= 0 or self.late == NONE:
            return 0.0
        return won if self.late == CUT_OFF else min(won, days * float(self.late))

    def to_json(self) -> dict[str, Any]:
        """The assignment as JSON data."""
        return {
            "format": FORMAT,
            "name": self.name,
            "chapters": list(self.chapters),
            "due": None if self.due is None else self.due.isoformat(),
            "late": self.late,
            "zone": self.zone,
            "exercises": [dict(asked.__dict__) for asked in self.exercises],
        }

    @staticmethod
    def from_json(data: Any) -> Assignment:
        """Rebuild an assignment; raises ``BadAssignment`` if the data are malformed."""
        try:
            if data["format"] != FORMAT:
                raise BadAssignment(f"its format is {data['format']!r}, not {FORMAT}")
            due = None if data["due"] is None else datetime.fromisoformat(data["due"])
            exercises = tuple(Asked(**asked) for asked in data["exercises"])
            found = Assignment(
                data["name"], tuple(data["chapters"]), exercises, due, data["late"], data.get("zone", "")
            )
            require_late(found.late, found.due)
            if found.zone:
                zone_named(found.zone)
            return found
        except (KeyError, TypeError, ValueError) as error:
            raise BadAssignment(f"this is no assignment ({error})") from None


def zone_named(name: str) -> ZoneInfo:
    """The time zone of a name such as "Europe/Berlin"; raises ``BadAssignment`` if there is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, TypeError, OSError):
        raise BadAssignment(
            f"there is no time zone {name!r} on this machine; its name is one such as Europe/Berlin"
        ) from None


def require_late(late: str, due: datetime | None) -> None:
    """Raise ``BadAssignment`` unless a late rule is one, and has the date that it needs."""
    if late not in (NONE, CUT_OFF):
        try:
            points = float(late)
        except ValueError:
            points = math.nan
        if not 0 < points < math.inf:
            raise BadAssignment(f"a late rule is `none`, `cut-off`, or the points that a day costs, not {late!r}")
    if late != NONE and due is None:
        raise BadAssignment(f"the late rule `{late}` needs the date that it is due: --due 2026-12-01T23:59+01:00")
    if due is not None and due.tzinfo is None:
        raise BadAssignment("the date that it is due needs a time zone, such as 2026-12-01T23:59+01:00")


def asked_in(chapters: Mapping[str, Chapter], names: Sequence[str], *, name: str = "", **rule: Any) -> Assignment:
    """The assignment that holds every exercise of some chapters.

    Parameters
    ----------
    chapters : mapping of str to Chapter
        Specifications.
    names : sequence of str
        Which of them ("02").
    name : str
        What it is called (default: the chapters).
    **rule
        ``due``, ``late`` and ``zone``.

    Raises
    ------
    BadAssignment
        If there is no such chapter, or the name cannot be one of a file.
    """
    name = name or ",".join(names)
    if not re.fullmatch(_NAME, name.replace(",", "-")):
        raise BadAssignment(f"an assignment's name has letters, digits, dots and dashes, and at most 60; not {name!r}")
    if missing := [chapter for chapter in names if chapter not in chapters]:
        raise BadAssignment(f"there is no chapter {missing[0]!r} with exercises; there are {', '.join(chapters)}")
    ordered = tuple(dict.fromkeys(sorted(names)))
    exercises = tuple(_asked(exercise) for chapter in ordered for exercise in chapters[chapter].exercises)
    require_late(rule.get("late", NONE), rule.get("due"))
    return Assignment(name, ordered, exercises, **rule)


def _asked(exercise: Exercise) -> Asked:
    return Asked(exercise.id, exercise.title, float(exercise.points))


def require_in_step(assignment: Assignment, chapters: Mapping[str, Chapter]) -> None:
    """Raise ``BadAssignment`` if the exercises have changed since they were handed out."""
    now = asked_in(chapters, assignment.chapters)
    if now.exercises == assignment.exercises:
        return
    before = {asked.id: asked for asked in assignment.exercises}
    after = {asked.id: asked for asked in now.exercises}
    changed = [name for name in sorted({*before, *after}) if before.get(name) != after.get(name)]
    words = "its points or its title have changed" if changed[0] in before and changed[0] in after else "came or went"
    raise BadAssignment(
        f"{assignment.name} was handed out with other exercises than there are now: {changed[0]} ({words}); "
        "grade with the specifications that it was released from, or release it again"
    )


# --- finding it ------------------------------------------------------------------------------------------------------


def find_assignment(named: str, folders: Sequence[Path], chapters: Mapping[str, Chapter]) -> tuple[Assignment, bool]:
    """The assignment that somebody names: a release (``hw2.zip``, or ``hw2`` for it), or chapters (``02``, ``02,03``).

    Parameters
    ----------
    named : str
        What was named; ``all`` means every chapter.
    folders : sequence of Path
        Where releases are looked for.
    chapters : mapping of str to Chapter
        Specifications.

    Returns
    -------
    Assignment, bool
        The assignment, and whether it was released, so that its notebooks carry its name.

    Raises
    ------
    BadAssignment
        If there is no such release or chapter, or it cannot be read.
    """
    tried = [folder / f"{named}{ending}" for folder in folders for ending in ("", ".zip")]
    if release := next((path for path in tried if path.is_file()), None):
        found = read_release(release)
        require_in_step(found, chapters)
        return found, True
    parts = list(chapters) if named == "all" else [part.strip() for part in named.split(",")]
    if all(re.fullmatch(r"\d\d", part) for part in parts):
        return asked_in(chapters, parts), False
    raise BadAssignment(
        f"there is no assignment {named!r}: no file {named}.zip is here (`grade release` writes it), and it is no "
        "chapter such as 02"
    )


def read_release(path: Path) -> Assignment:
    """The assignment in a release, or in the JSON file that was taken out of it; raises ``BadAssignment``."""
    try:
        if not zipfile.is_zipfile(path):
            return Assignment.from_json(json.loads(path.read_text(encoding="utf-8")))
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if re.fullmatch(f"[^/]+/{re.escape(INSIDE)}", name)]
            if len(names) != 1 or archive.getinfo(names[0]).file_size > MAX_BYTES:
                raise BadAssignment("`grade release` did not write it")
            return Assignment.from_json(json.loads(archive.read(names[0])))
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError) as error:
        raise BadAssignment(f"{path.name} holds no assignment: {error}") from None
