"""What a class's results say about the exercises: difficulty, discrimination, wrong ideas met, and clusters of others.

Difficulty is the share of the points won. Discrimination is the correlation between an exercise and the rest of the
exercises (corrected item-total correlation): near zero or below, the exercise measures something else, or its check is
wrong. Clusters gather wrong answers that nobody has named yet; a large one belongs into the bank.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from coursepkg.grading.judging.feedback import PATTERNS
from coursepkg.grading.reporting.gradebook import Column, Gradebook, in_order, is_unread
from coursepkg.grading.running.results import Item

BANDS = 10
ENOUGH = 10  # so many marks are needed before a correlation is worth a look
FINDINGS = {  # findings that say where, not why
    "": "not said",
    "kind": "the kind of value",
    "shape": "the shape",
    "length": "the length",
    "keys": "the keys",
    "value": "the numbers",
}
UNNAMED = tuple(FINDINGS)
IN_WORDS = {  # all findings that are no words by themselves
    **FINDINGS,
    "time-limit": "it takes too long",
    "wrong-kind": "it is no function or class",
    "ProcessEnded": "it ended the process that ran it",
    "BadReply": "what it gave could not be read",
    "Misfit": "what it gave does not fit together",
    "Error": "an error of the learner's own kind",
    "UnreadableNotebook": "the notebook could not be read",
}

Times = Callable[[str, str], Mapping[str, Any]]


def bands(book: Gradebook) -> list[int]:
    """How many learners with a mark won 0-10 %, 10-20 %, ... of the points; full marks count in the last band."""
    counts = [0] * BANDS
    for share in shares(book):
        counts[min(int(share * BANDS + 1e-9), BANDS - 1)] += 1
    return counts


def shares(book: Gradebook) -> list[float]:
    """Share of the points that each learner with a mark has won."""
    return [(learner.points or 0.0) / book.max for learner in book.marked] if book.max else []


@dataclass(frozen=True)
class ItemFacts:
    """One exercise: how often each verdict, the share of points won, the correlation with all other exercises."""

    column: Column
    verdicts: Counter[str]
    difficulty: float | None
    discrimination: float | None


def item_facts(book: Gradebook) -> list[ItemFacts]:
    """Difficulty and discrimination of every exercise."""
    facts = []
    marks = np.array([[_points(learner.results.get(c.id)) for c in book.columns] for learner in book.marked])
    for number, column in enumerate(book.columns):
        verdicts: Counter[str] = Counter()
        for learner in book.learners:
            result = learner.results.get(column.id)
            verdicts[_verdict(result.items) if result else "missing"] += 1
        own = marks[:, number] if len(marks) else np.zeros(0)
        difficulty = float(own.mean() / column.max) if own.size and column.max else None
        rest = marks.sum(axis=1) - own if len(marks) else own
        facts.append(ItemFacts(column, verdicts, difficulty, _correlation(own, rest)))
    return facts


def _points(result: Any) -> float:
    return float(result.points) if result is not None and result.points is not None else 0.0


def _verdict(items: tuple[Item, ...]) -> str:
    """The verdict of an exercise: that of its first part that is not passed."""
    return next((item.verdict for item in items if item.verdict != "passed"), "passed" if items else "error")


def _correlation(own: np.ndarray, rest: np.ndarray) -> float | None:
    if own.size < ENOUGH or np.ptp(own) == 0 or np.ptp(rest) == 0:
        return None
    return float(np.corrcoef(own, rest)[0, 1])


@dataclass(frozen=True)
class Met:
    """A wrong idea that was met: how often, how it is told, and whether the exercise's own bank named it."""

    exercise: str
    title: str
    name: str
    count: int
    example: str
    from_bank: bool


def misconceptions_met(book: Gradebook) -> list[Met]:
    """All wrong ideas that were recognised, the most frequent first."""
    counts: Counter[tuple[str, str]] = Counter()
    examples: dict[tuple[str, str], Item] = {}
    for learner in book.learners:
        for result, item in learner.items:
            if item.verdict == "wrong" and item.misconception not in UNNAMED:
                counts[result.exercise, item.misconception] += 1
                examples.setdefault((result.exercise, item.misconception), item)
    met = [
        Met(exercise, examples[key].title, name, count, headline(examples[key].message), name not in PATTERNS)
        for key, count in counts.items()
        for exercise, name in [key]
    ]
    return sorted(met, key=lambda m: (-m.count, in_order(m.exercise), m.name))


@dataclass(frozen=True)
class Cluster:
    """Unrecognised wrong answers to one exercise that look alike, with one of them as an example."""

    exercise: str
    title: str
    finding: str
    learners: tuple[str, ...]
    example: str


def clusters(book: Gradebook, times: Times) -> list[Cluster]:
    """Wrong answers that have no name, gathered by what they gave; the largest cluster first.

    Parameters
    ----------
    book : Gradebook
        All results.
    times : callable
        ``times(student, exercise)``: the second file of a result. Its ``signature`` tells two answers apart by the
        numbers that they give on the visible inputs; without one, the words of the feedback do.
    """
    found: dict[tuple[str, str, str, str], list[tuple[str, Item]]] = {}
    for learner in book.learners:
        for result, item in learner.items:
            if is_unread(item):
                continue
            if item.verdict == "error" or (item.verdict == "wrong" and item.misconception in UNNAMED):
                told = str(times(learner.id, result.exercise).get("signature") or _without_numbers(item.message))
                key = (result.exercise, item.verdict, item.misconception, told)
                found.setdefault(key, []).append((learner.id, item))
    gathered = [
        Cluster(
            exercise, members[0][1].title, finding or verdict,
            tuple(student for student, _ in members), headline(members[0][1].message),
        )
        for (exercise, verdict, finding, _), members in found.items()
    ]  # fmt: skip
    return sorted(gathered, key=lambda c: (-len(c.learners), in_order(c.exercise), c.finding, c.learners))


def _without_numbers(message: str) -> str:
    return re.sub(r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?", "#", message)


def headline(message: str) -> str:
    """What a feedback says first, without the exercise's number and verdict."""
    first = message.partition("\n")[0]
    return first.partition(" · ")[2] or first


@dataclass(frozen=True)
class Seconds:
    """Wall-clock seconds of one exercise over the class."""

    exercise: str
    title: str
    count: int
    median: float
    largest: float
    slowest: str


def seconds_taken(book: Gradebook, times: Times) -> list[Seconds]:
    """How long grading took, by exercise; exercises without times are left out."""
    rows = []
    for column in book.columns:
        taken = [
            (float(value), learner.id)
            for learner in book.learners
            if column.id in learner.results
            and isinstance(value := times(learner.id, column.id).get("seconds"), int | float)
        ]
        if taken:
            largest, slowest = max(taken)
            median = float(np.median([value for value, _ in taken]))
            rows.append(Seconds(column.id, column.title, len(taken), median, largest, slowest))
    return rows
