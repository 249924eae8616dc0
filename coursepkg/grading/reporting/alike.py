"""Answers of different learners that are much alike: only what is seldom met by chance, and never an accusation.

Compared are the bytes of notebooks, the text of answers of some length without comments, white space and names that
their authors chose, and wrong numbers that no known idea explains.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from coursepkg.grading.reporting.analysis import UNNAMED, Times
from coursepkg.grading.reporting.gradebook import Gradebook, Learner, in_order, is_unread
from coursepkg.grading.running.results import HAND

LONG = 5  # lines: shorter answers are often the same because there is one good way
NOTEBOOK = "the file, to the last byte"
TEXT = "the answer, apart from comments, spacing and names of variables"
NUMBERS = "the same wrong numbers, which no known idea explains"


@dataclass(frozen=True)
class Alike:
    """Learners whose answers to an exercise ("": whole notebooks) are the same, and in what."""

    exercise: str
    title: str
    same: str
    learners: tuple[str, ...]


def much_alike(book: Gradebook, times: Times) -> list[Alike]:
    """Groups of at least two learners, whole notebooks first; who is listed with a notebook is not listed again.

    Parameters
    ----------
    book : Gradebook
        All results.
    times : callable
        ``times(student, exercise)``: the second file of a result, with ``signature``, ``source`` and ``lines``.
    """
    found: dict[tuple[str, str, str], list[str]] = {}
    for learner in book.learners:
        for sign in dict.fromkeys(_signs(learner, times)):
            found.setdefault(sign, []).append(learner.id)
    titles = {column.id: column.title for column in book.columns}
    together = {learner.id: learner.entry.entries if learner.entry else (learner.id,) for learner in book.learners}
    groups = [
        Alike(exercise, titles.get(exercise, ""), same, tuple(members))
        for (exercise, same, _), members in found.items()
        if len({together[member] for member in members}) > 1  # a group hands in one work for all its members
    ]
    groups.sort(key=lambda group: (group.same != NOTEBOOK, in_order(group.exercise), group.same, group.learners))
    seen: list[tuple[str, set[str]]] = []
    return [group for group in groups if _is_new(group, seen)]


def _is_new(group: Alike, seen: list[tuple[str, set[str]]]) -> bool:
    members = set(group.learners)
    if any(exercise in ("", group.exercise) and members <= others for exercise, others in seen):
        return False
    seen.append((group.exercise, members))
    return True


def _signs(learner: Learner, times: Times) -> Iterator[tuple[str, str, str]]:
    """What an answer could share with others: exercise, kind and value."""
    for result, item in learner.items:
        attempted = item.verdict in ("passed", "wrong", "error") and not is_unread(item)
        if not attempted or HAND in result.flags:
            continue
        yield "", NOTEBOOK, result.notebook_sha256
        kept = times(learner.id, result.exercise)
        if kept.get("source") and kept.get("lines", 0) >= LONG:
            yield result.exercise, TEXT, str(kept["source"])
        if item.verdict == "wrong" and item.misconception in UNNAMED and kept.get("signature"):
            yield result.exercise, NUMBERS, str(kept["signature"])
