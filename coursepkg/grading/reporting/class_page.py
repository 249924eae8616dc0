"""The class report as one page: how the marks lie, what each exercise tells, which wrong ideas were met.

For the instructor's eyes: it names learners.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from coursepkg.grading.reporting import analysis
from coursepkg.grading.reporting.alike import much_alike
from coursepkg.grading.reporting.analysis import Times
from coursepkg.grading.reporting.gradebook import Gradebook, Learner
from coursepkg.grading.reporting.page import render

SHOWN_NAMES = 5
UNNAMED = "Wrong answers without a name"
_ANSWERED = ("passed", "wrong", "error")


def class_page(book: Gradebook, times: Times, files: Mapping[str, str]) -> str:
    """The class report.

    Parameters
    ----------
    book : Gradebook
        All results.
    times : callable
        ``times(student, exercise)``: the second file of a result.
    files : mapping
        Where each learner's own page is, by id, seen from this page.
    """
    known = {learner.id: learner for learner in book.learners}

    def names(ids: Sequence[str], all: bool = False) -> str:
        return _names([known[student] for student in ids], len(ids) if all else SHOWN_NAMES)

    return render(
        "class.html",
        book=book,
        title=_title(book),
        handed_in="" if book.known is None else book.known[1].closing_line(),
        facts=_summary(book),
        notes=_notes(book),
        bands=analysis.bands(book),
        items=[_item(fact) for fact in analysis.item_facts(book)],
        enough=analysis.ENOUGH,
        met=analysis.misconceptions_met(book),
        unnamed=UNNAMED,
        clusters=analysis.clusters(book, times),
        findings=analysis.IN_WORDS,
        alike=much_alike(book, times),
        times=analysis.seconds_taken(book, times),
        files=files,
        names=names,
    )


def _title(book: Gradebook) -> str:
    """The name of the assignment and when it was due, where it was released."""
    if book.known is None:
        return ""
    assignment = book.known[0]
    return assignment.name + (f", due {assignment.due:%d %B %Y, %H:%M}" if assignment.due is not None else "")


def _summary(book: Gradebook) -> list[tuple[str, object]]:
    shares = np.array(analysis.shares(book))
    middle = f"{np.median(shares):.0%}" if shares.size else "–"
    mean = f"{shares.mean():.0%}" if shares.size else "–"
    quartiles = f"{np.quantile(shares, 0.25):.0%} to {np.quantile(shares, 0.75):.0%}" if shares.size else "–"
    return [
        ("Learners", len(book.learners)), ("With a mark", len(book.marked)), ("Median", middle), ("Mean", mean),
        ("Middle half", quartiles),
    ]  # fmt: skip


def _item(fact: analysis.ItemFacts) -> dict[str, Any]:
    others = sum(count for name, count in fact.verdicts.items() if name not in _ANSWERED)
    return {**fact.__dict__, "others": others}


def _notes(book: Gradebook) -> list[str]:
    people = book.known[1] if book.known is not None else None
    missing = [learner for learner in book.learners if learner.missing]
    notes = [f"Handed in nothing: {_names(missing)}."] if missing else []
    if book.unclear:
        notes.append("These have no mark, since somebody not on the roster may be one of them.")
    if people is not None and people.unknown:
        notes.append(f"Not on the roster: {', '.join(people.unknown)}.")
    if people is not None and people.twice:
        notes.append(f"Twice on the roster: {', '.join(people.twice)}.")
    failed = [
        learner for learner in book.learners if learner.points is None and not learner.waits and not learner.unclear
    ]
    waiting = [learner for learner in book.learners if learner.waits]
    unread = [learner for learner in book.learners if learner.unread]
    if failed:
        notes.append(f"No mark through the grader's own trouble, to be graded again: {_names(failed)}.")
    if waiting:
        notes.append(f"Waiting for a person (`grade mark`): {_names(waiting)}.")
    if unread:
        notes.append(f"A file that could not be read was handed in by: {_names(unread)}.")
    if any(sandbox.startswith("none") for sandbox in book.sandboxes):
        notes.append(
            "Some of this was graded without a sandbox, on trust: these marks are only as honest as the files."
        )
    return notes


def _names(learners: list[Learner], most: int = SHOWN_NAMES) -> str:
    shown = [learner.name for learner in learners[:most]]
    return ", ".join(shown) + (f" and {len(learners) - most} more" if len(learners) > most else "")
