"""Marks as data for other systems: Gradescope's results, LTI 1.3 score objects, and a plain table.

What has no mark never becomes a zero: Gradescope is given no score, LTI is told that grading failed or waits for a
person, and in the table the cell is empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from coursepkg.grading.reporting.analysis import headline
from coursepkg.grading.reporting.gradebook import Gradebook, Learner, number, plain
from coursepkg.grading.running.results import INFRASTRUCTURE_ERROR, Item, Result

NO_MARK = {
    True: "Some answers wait for a person to mark them; the score follows.",
    False: "The grader could not finish. This is not your fault: your work will be graded again.",
}
FAILED = {"output": NO_MARK[False], "output_format": "text", "stdout_visibility": "hidden", "tests": []}
MOST_SAID = 300
UNREADABLE = "What was handed in could not be read as a notebook."
NOTHING = "Nothing was handed in."


UNCLEAR = "It is not clear yet whether you handed in; the mark follows."


def no_mark(learner: Learner) -> str:
    """Why a learner has no mark."""
    return UNCLEAR if learner.unclear else NO_MARK[learner.waits]


def comment(learner: Learner) -> str:
    """A few lines for a learner: what passed, and for each of the rest its title, its points and what to look at."""
    if learner.points is None:
        return no_mark(learner)
    if learner.missing:
        return NOTHING
    if learner.submission is not None:
        return " ".join(plain(words) for words in (UNREADABLE, *_sentences(learner.submission.flags)))
    passed = [item.id for _, item in learner.items if item.verdict == "passed"]
    others = [_about(item) for _, item in learner.items if item.verdict != "passed"]
    late = f"Late: {number(learner.deduction)} points taken off." if learner.deduction else ""
    words = [f"Passed: {', '.join(passed)}." if passed else "", *(f"Not yet: {line}" for line in others), late]
    return " ".join(plain(line) for line in words if line)


def _sentences(flags: Iterable[str]) -> list[str]:
    return [f"{flag[:1].upper()}{flag[1:]}." for flag in flags]


def _about(item: Item) -> str:
    """An answer that did not pass, in one line."""
    head = f"{item.id} {item.title.replace('`', '')} ({number(item.points)} of {number(item.max)} points)"
    if item.verdict == "not-attempted":
        return f"{head}, not attempted."
    found = headline(item.message).strip().replace("`", "")[:MOST_SAID]
    return f"{head}: {found}" if found else f"{head}."


# --- Gradescope ------------------------------------------------------------------------------------------------------


def gradescope(learner: Learner, book: Gradebook) -> dict[str, Any]:
    """The ``results.json`` of one learner.

    The learner's output is always hidden, and what came from hidden inputs is shown only after marks are published.
    """
    whole = learner.points is not None
    data: dict[str, Any] = {"stdout_visibility": "hidden", "visibility": "visible", "output_format": "text"}
    if not whole:
        data["output"] = no_mark(learner)
    elif learner.submission is not None:
        data["output"] = comment(learner)
    tests = [_test(result, item, whole) for result, item in learner.items]
    handed_in = set(learner.results)
    tests += [
        _entry(column.id, column.title, 0.0 if whole else None, column.max, "failed", "Not handed in.", "visible")
        for column in book.columns
        if column.id not in handed_in
    ]
    if learner.deduction:  # a score of the whole counts in place of the sum
        data |= {"score": learner.points, "output": f"Late: {number(learner.deduction)} points taken off."}
    if not tests and whole:
        data["score"] = 0.0
    return {**data, "tests": tests}


def _test(result: Result, item: Item, whole: bool) -> dict[str, Any]:
    points = item.points if whole and result.status != INFRASTRUCTURE_ERROR else None
    status = "passed" if item.verdict == "passed" else "failed"
    return _entry(item.id, item.title, points, item.max, status, item.message, item.visibility)


def _entry(
    exercise: str, title: str, points: float | None, top: float, status: str, output: str, visibility: str
) -> dict[str, Any]:
    score = {} if points is None else {"score": points, "status": status}
    lines = [plain(line) for line in output.splitlines()]
    return {
        "number": exercise, "name": plain(title), "name_format": "text", **score, "max_score": top,
        "output": "\n".join(lines), "output_format": "text", "visibility": visibility,
    }  # fmt: skip


# --- LTI 1.3 ---------------------------------------------------------------------------------------------------------


def lti_scores(book: Gradebook, now: datetime | None = None) -> list[dict[str, Any]]:
    """Score objects of LTI 1.3 (Assignment and Grade Services 2.0), one for each learner.

    ``userId`` is the learner's id as it was handed in; sending the objects needs a tool that the institution registers.

    Parameters
    ----------
    book : Gradebook
        All results.
    now : datetime, optional
        Time of the scores; a platform takes a score only if it is later than the one before.
    """
    stamp = (now or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return [_score(learner, book, stamp) for learner in book.learners]


def _score(learner: Learner, book: Gradebook, stamp: str) -> dict[str, Any]:
    whole = learner.points is not None
    progress = "FullyGraded" if whole else "PendingManual" if learner.waits or learner.unclear else "Failed"
    given = {"scoreGiven": learner.points, "scoreMaximum": book.max} if whole and book.max else {}
    return {
        "userId": plain(learner.id), **given, "comment": comment(learner), "timestamp": stamp,
        "activityProgress": "Completed", "gradingProgress": progress,
    }  # fmt: skip


# --- a plain table ---------------------------------------------------------------------------------------------------


def table_header(book: Gradebook) -> list[str]:
    """Column titles of the plain table."""
    return ["student", "name", "points", "max", *(column.id for column in book.columns), "noted"]


def table_rows(book: Gradebook) -> Iterator[list[object]]:
    """One row for each learner: points of every exercise, empty where there is no mark."""
    for learner in book.learners:
        absent = "" if learner.lost or learner.unclear else "0"
        marks = [number(learner.results[c.id].points) if c.id in learner.results else absent for c in book.columns]
        noted = [*learner.flags, *([UNREADABLE] if learner.submission and not learner.lost else [])]
        if learner.points is None:
            reason = "waits for a person" if learner.waits else "could not be graded"
            noted.append("missing, or handed in under another id" if learner.unclear else reason)
        yield [learner.id, learner.name, number(learner.points), number(book.max), *marks, "; ".join(noted)]
