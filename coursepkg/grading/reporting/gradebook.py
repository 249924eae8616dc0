"""All results of a class as one table: learners down, exercises across.

A missing mark is not a zero. What nobody handed in counts zero points, as long as nobody handed in who is not on the
roster; what could not be graded, or waits for a person, has no mark, and then the learner has no total either.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path

from coursepkg.grading.running.class_list import ClassList, Entry, read_class, read_roster_again
from coursepkg.grading.running.results import (
    AGAIN,
    INFRASTRUCTURE_ERROR,
    MOST_POINTS,
    WHOLE_SUBMISSION,
    Item,
    Result,
    not_graded,
    read_results,
)
from coursepkg.grading.specification.assignment import NONE, Assignment
from coursepkg.grading.submissions.cells import UnreadableNotebook
from coursepkg.grading.submissions.learners import HandedIn
from coursepkg.grading.submissions.roster import attendance

NOT_GRADED = "This answer is not graded yet. It costs you nothing: your mark follows."
_JOINERS = "\u200c\u200d"  # parts of names in some scripts


@dataclass(frozen=True)
class Column:
    """One exercise of the class: its id, its title and the points that it can give."""

    id: str
    title: str
    max: float


@dataclass(frozen=True)
class Learner:
    """One learner and what was found, by exercise.

    Attributes
    ----------
    submission : Result, optional
        There if nothing could be read.
    assignment : Assignment, optional
        What was asked, if a late rule belongs to it.
    entry : Entry, optional
        How the learner stands in the list of the class.
    missing : bool
        Whether the learner is on the roster and handed in nothing.
    unclear : bool
        Whether the learner may be one of those who handed in and are not on the roster; then there is no mark.
    """

    id: str
    name: str
    results: dict[str, Result]
    submission: Result | None = None
    assignment: Assignment | None = None
    entry: Entry | None = None
    missing: bool = False
    unclear: bool = False

    @property
    def timeless(self) -> bool:
        """Whether a late rule belongs to what was asked, and nothing is known about when this learner handed in."""
        return self.assignment is not None and self.assignment.late != NONE and self.entry is None

    @property
    def won(self) -> float | None:
        """Points of all exercises together, before a late rule; None as soon as one has no mark."""
        if self.lost or self.unclear:
            return None
        marks = [result.points for result in self.results.values()]
        return None if None in marks else float(sum(mark for mark in marks if mark is not None))

    @property
    def deduction(self) -> float:
        """Points that being late takes off."""
        if self.assignment is None or self.entry is None or not self.won:
            return 0.0
        times = (self.entry.submitted, self.entry.until)
        submitted, until = (datetime.fromisoformat(time) if time else None for time in times)
        return self.assignment.deduction(self.won, submitted, marked_late=self.entry.late, until=until)

    @property
    def points(self) -> float | None:
        """What counts: points won, less what being late takes off."""
        return None if self.won is None else self.won - self.deduction

    @property
    def waits(self) -> bool:
        """Whether the mark is missing because a person is to give it, and not through a fault of the grader's."""
        found = [*self.results.values(), *([self.submission] if self.submission else [])]
        return (
            self.points is None and not self.unclear and all(result.status != INFRASTRUCTURE_ERROR for result in found)
        )

    @property
    def lost(self) -> bool:
        """Whether nothing could be graded, through a fault of the grader's."""
        return self.submission is not None and self.submission.status == INFRASTRUCTURE_ERROR

    @property
    def unread(self) -> bool:
        """Whether a file that was handed in could not be read."""
        return (self.submission is not None and not self.lost) or any(is_unread(item) for _, item in self.items)

    @property
    def items(self) -> list[tuple[Result, Item]]:
        """All judged parts, with the results that they belong to."""
        return [(result, item) for result in self.results.values() for item in result.items]

    @property
    def flags(self) -> list[str]:
        """Everything that a person should know, without repetition."""
        found = [*self.results.values(), *([self.submission] if self.submission else [])]
        told = [flag for result in found if not _is_stand_in(result) for flag in result.flags]
        late = [f"late: {number(self.deduction)} points taken off"] if self.deduction else []
        if self.timeless:
            late = ["class.json does not say when this was handed in; taken as in time"]
        return list(dict.fromkeys([*told, *(self.entry.notes if self.entry else ()), *late]))


@dataclass(frozen=True)
class Gradebook:
    """All learners of a class, sorted by id, and all exercises that were graded, in the order of the course.

    ``addresses`` are those that the roster has, by the learner's id.
    """

    learners: tuple[Learner, ...]
    columns: tuple[Column, ...]
    known: tuple[Assignment, ClassList] | None = None
    addresses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @cached_property
    def max(self) -> float:
        """Points that can be won in all exercises together."""
        return float(sum(column.max for column in self.columns))

    @property
    def unclear(self) -> list[Learner]:
        """Learners who are missing while somebody handed in who may be they."""
        return [learner for learner in self.learners if learner.unclear]

    def with_zeros(self) -> Gradebook:
        """The same, and whoever is missing has handed in nothing."""
        return replace(self, learners=tuple(replace(learner, unclear=False) for learner in self.learners))

    @property
    def marked(self) -> list[Learner]:
        """Learners who have a mark."""
        return [learner for learner in self.learners if learner.points is not None]

    @property
    def ungraded(self) -> tuple[str, ...]:
        """What should be graded and is not, in words: each reason with the exercises or learners that it is about."""
        found: dict[str, list[str]] = {}
        for learner in self.learners:
            for result in (*learner.results.values(), *([learner.submission] if learner.submission else [])):
                if _is_stand_in(result):
                    of = learner.id if result.exercise == WHOLE_SUBMISSION else f"{result.exercise} of {learner.id}"
                    found.setdefault(result.flags[0], []).append(of)
        return tuple(f"{_shown(names)}: {why}" for why, names in found.items())

    @property
    def sandboxes(self) -> list[str]:
        """How untrusted code was contained, each way once."""
        found = {result.sandbox for learner in self.learners for result in learner.results.values()}
        return sorted(found)


def load_gradebook(results: Path) -> Gradebook:
    """Read a folder of results.

    Raises
    ------
    ValueError
        If it holds none, or one cannot be read.
    """
    if not results.is_dir():
        raise ValueError(f"{results} is no folder of results; `grade batch` makes one")
    known = read_class(results)
    book = replace(gradebook(read_results(results), known), addresses=_addresses(results, known))
    if not book.learners:
        raise ValueError(f"{results} holds no results yet; `grade batch` writes them")
    return book


def _addresses(results: Path, known: tuple[Assignment, ClassList] | None) -> dict[str, tuple[str, ...]]:
    """The addresses in each learner's row of the roster, if there is one."""
    roster = read_roster_again(results)
    if roster is None or known is None:
        return {}
    learners = [HandedIn(entry.id, entry.name) for entry in known[1].learners]
    rows = attendance(roster, learners, known[1].layout).rows
    found = {student: tuple(each for each in person.ids if "@" in each) for student, person in rows.items()}
    people = {person.ids[0]: person for person in roster.people}
    missing = {entry.id: people[entry.id] for entry in known[1].missing if entry.id in people}
    return found | {student: tuple(each for each in one.ids if "@" in each) for student, one in missing.items()}


def gradebook(results: Iterable[Result], known: tuple[Assignment, ClassList] | None = None) -> Gradebook:
    """The results of a class as one table.

    Parameters
    ----------
    results : iterable of Result
        What grading gave.
    known : (Assignment, ClassList), optional
        What was asked and who handed in. Columns and points come from there, and so do those who handed in nothing;
        without it, from the results.
    """
    found: dict[str, dict[str, Result]] = {}
    columns: dict[str, Column] = {}
    assignment, people = known or (None, None)
    entries = {entry.id: entry for entry in (*people.learners, *people.missing)} if people is not None else {}
    if assignment is not None:
        columns = {asked.id: Column(asked.id, asked.title, asked.points) for asked in assignment.exercises}
    for entry in people.missing if people is not None else ():
        found[entry.id] = {}
    for result in results:
        if assignment is not None and result.exercise not in (WHOLE_SUBMISSION, *columns):
            continue
        top = columns[result.exercise].max if result.exercise in columns else MOST_POINTS
        if assignment is not None and (result.points or 0.0) > top:
            why = f"its file gives {number(result.points)} of {number(top)} points; {AGAIN}"
            result = not_graded(result.student, result.name, result.exercise, why)
        found.setdefault(result.student, {})[result.exercise] = result
        if assignment is None and result.exercise != WHOLE_SUBMISSION and result.items:
            columns[result.exercise] = Column(result.exercise, result.items[0].title, result.max)
    for result in _not_there(assignment, people, found) if assignment is not None and people is not None else ():
        found.setdefault(result.student, {})[result.exercise] = result
    ids = sorted(columns, key=in_order)
    learners = []
    for student in sorted(found):
        own, row = found[student], entries.get(student)
        submission = own.pop(WHOLE_SUBMISSION, None)
        shown = next((result.name for result in [*own.values(), submission] if result and result.name), student)
        name = row.name if row is not None and row.name else shown
        missing = not own and submission is None
        in_row = {key: _with_part(own[key], columns.get(key)) for key in sorted(own, key=in_order)}
        unclear = missing and people is not None and bool(people.unknown)
        learners.append(Learner(student, name, in_row, submission, assignment, row, missing, unclear))
    return Gradebook(tuple(learners), tuple(columns[key] for key in ids), known)


def _not_there(
    assignment: Assignment, people: ClassList, found: Mapping[str, Mapping[str, Result]]
) -> Iterator[Result]:
    """What stands for results that should be there: of work not graded yet, and of files that are gone."""
    pending = set(people.pending)
    for entry in people.learners:
        own = found.get(entry.id, {})
        if entry.id in pending or not own:
            yield not_graded(entry.id, entry.name, WHOLE_SUBMISSION, f"not graded yet; {AGAIN}")
            continue
        for asked in assignment.exercises:
            if asked.id.partition(".")[0] in entry.chapters and asked.id not in own:
                yield not_graded(entry.id, entry.name, asked.id, f"its result is not there; {AGAIN}")


def _is_stand_in(result: Result) -> bool:
    """Whether the grader wrote no such result, so that what it says is for the lecturer alone."""
    return result.status == INFRASTRUCTURE_ERROR and not result.sandbox


def _with_part(result: Result, column: Column | None) -> Result:
    """A result; what stands for one gets the part that it has no mark for."""
    if result.items or column is None:
        return result
    part = Item(column.id, column.title, None, column.max, "infrastructure", "", NOT_GRADED)
    return replace(result, items=(part,))


def is_unread(item: Item) -> bool:
    """Whether an answer has its verdict because the whole notebook could not be read."""
    return item.misconception == UnreadableNotebook.__name__


def in_order(exercise: str) -> tuple[tuple[int, str], ...]:
    """Sorts "02.10" behind "02.9"."""
    return tuple((int(part), "") if part.isdecimal() else (10**9, part) for part in exercise.split("."))


def plain(text: str) -> str:
    """A text from outside without characters that hide, reorder or break what stands around it."""
    shown = (
        " " if character in "\t\r\n\x0b\x0c\x85\u2028\u2029" else character
        for character in text
        if character in "\t\r\n\x0b\x0c\x85\u2028\u2029" or not _is_control(character)
    )
    return "".join(shown)


def _is_control(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cf", "Cs", "Cn") and character not in _JOINERS


def _shown(names: Sequence[str], most: int = 10) -> str:
    return ", ".join(map(plain, names[:most])) + (f" and {len(names) - most} more" if len(names) > most else "")


def number(value: float | None) -> str:
    """Points as people write them: 9, 7.5; nothing where there is no mark."""
    return "" if value is None else f"{value:.6g}"
