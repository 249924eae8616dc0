"""The class report as one page: how the marks lie, what each exercise tells, which wrong ideas were met.

For the instructor's eyes: it names learners.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

import numpy as np

from coursepkg.grading.reporting import analysis
from coursepkg.grading.reporting.analysis import BANDS, ENOUGH, Times
from coursepkg.grading.reporting.gradebook import Gradebook, Learner, number
from coursepkg.grading.reporting.page import (
    Html,
    bar,
    contents,
    element,
    facts,
    join,
    page,
    prose,
    section,
    table,
    text,
)

SHOWN_NAMES = 5
UNNAMED = "Wrong answers without a name"


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
    body = [
        element("h1", "Class report"),
        element("p", f"{len(book.columns)} exercises, {number(book.max)} points. For instructors: it names learners.",
                class_="lead"),
        _summary(book),
        contents(["Marks", "Exercises", "Wrong ideas met", UNNAMED, "Times", "Learners"]),
        *_notes(book),
        _distribution(book),
        _exercises(book),
        _misconceptions(book),
        _clusters(book, times),
        _times(book, times),
        _learners(book, files),
    ]  # fmt: skip
    return page("Class report", body)


def _summary(book: Gradebook) -> Html:
    shares = np.array(analysis.shares(book))
    middle = f"{np.median(shares):.0%}" if shares.size else "–"
    mean = f"{shares.mean():.0%}" if shares.size else "–"
    quartiles = f"{np.quantile(shares, 0.25):.0%} to {np.quantile(shares, 0.75):.0%}" if shares.size else "–"
    return facts([
        ("Learners", len(book.learners)), ("With a mark", len(book.marked)), ("Median", middle), ("Mean", mean),
        ("Middle half", quartiles),
    ])  # fmt: skip


def _notes(book: Gradebook) -> list[Html]:
    notes = []
    failed = [learner for learner in book.learners if learner.points is None and not learner.waits]
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
    return [element("p", prose(note), class_="note") for note in notes]


def _names(learners: list[Learner]) -> str:
    shown = [learner.name for learner in learners[:SHOWN_NAMES]]
    return ", ".join(shown) + (f" and {len(learners) - SHOWN_NAMES} more" if len(learners) > SHOWN_NAMES else "")


def _distribution(book: Gradebook) -> Html:
    counts = analysis.bands(book)
    top, all_of_them = max([1, *counts]), max(1, sum(counts))
    rows = [
        [f"{100 * k // BANDS} to {100 * (k + 1) // BANDS}%", count, bar(f"{count / all_of_them:.0%}", count / top)]
        for k, count in enumerate(counts)
    ]
    caption = "How many learners won which share of the points; a band holds its lower end, the last one both ends."
    return section("Marks", table(caption, ["Share of points", "Learners", "Of class"], rows, numeric=(1,)))


def _exercises(book: Gradebook) -> Html:
    rows = []
    for fact in analysis.item_facts(book):
        verdicts = fact.verdicts
        others = sum(count for name, count in verdicts.items() if name not in ("passed", "wrong", "error"))
        correlation = "–" if fact.discrimination is None else f"{fact.discrimination:+.2f}".replace("-", "−")
        won = "–" if fact.difficulty is None else bar(f"{fact.difficulty:.0%}", fact.difficulty)
        rows.append([
            fact.column.id, prose(fact.column.title), verdicts["passed"], verdicts["wrong"], verdicts["error"], others,
            won, correlation,
        ])  # fmt: skip
    caption = (
        "Points won: the share of all points of the exercise; a small share means a hard exercise. Discrimination: the "
        "correlation between this exercise and all others together, given from "
        f"{ENOUGH} marks on; below about +0.2 the exercise says little about the rest: look at its text and its check."
    )
    head = ["Exercise", "Title", "Passed", "Not yet", "Error", "No answer", "Points won", "Discrimination"]
    return section("Exercises", table(caption, head, rows, numeric=(2, 3, 4, 5, 7)))


def _misconceptions(book: Gradebook) -> Html:
    met = analysis.misconceptions_met(book)
    if not met:
        return section("Wrong ideas met", element("p", "None was recognised."))
    everyone = len(book.learners)
    caption = "Wrong answers that were recognised, the most frequent first, in the words in which learners were told."
    rows = [
        [
            join([text(m.exercise), element("code", m.name)], " "),
            prose(m.title),
            m.count,
            bar(f"{m.count / everyone:.0%}", m.count / everyone),
            prose(m.example),
            "its bank" if m.from_bank else "a pattern",
        ]
        for m in met
    ]
    head = ["Idea", "Title", "Learners", "Of class", "What it looks like", "Named by"]
    return section("Wrong ideas met", table(caption, head, rows, numeric=(2,)))


def _clusters(book: Gradebook, times: Times) -> Html:
    found = analysis.clusters(book, times)
    if not found:
        return section(UNNAMED, element("p", "None: every wrong answer was recognised."))
    names = {learner.id: learner for learner in book.learners}
    caption = (
        "Wrong answers that nobody has named yet, gathered by what they give. A large cluster is a wrong idea that the "
        "bank of its exercise does not know: read one of these answers, then write it down there."
    )
    rows = [
        [
            prose(f"{c.exercise} {c.title}"),
            c.finding,
            len(c.learners),
            prose(c.example),
            _names([names[i] for i in c.learners]),
        ]
        for c in found
    ]
    return section(
        UNNAMED, table(caption, ["Exercise", "Finding", "Answers", "Feedback", "Learners"], rows, numeric=(2,))
    )


def _times(book: Gradebook, times: Times) -> Html:
    taken = analysis.seconds_taken(book, times)
    if not taken:
        return section("Times", element("p", "No times were kept with these results."))
    caption = "Seconds that grading took, by the clock. A long tail is most often a loop that ran into its limit."
    names = {learner.id: learner.name for learner in book.learners}
    rows = [
        [prose(f"{s.exercise} {s.title}"), s.count, f"{s.median:.2f}", f"{s.largest:.2f}", names[s.slowest]]
        for s in taken
    ]
    head = ["Exercise", "Graded", "Median", "Longest", "Longest for"]
    return section("Times", table(caption, head, rows, numeric=(1, 2, 3)))


def _learners(book: Gradebook, files: Mapping[str, str]) -> Html:
    rows = []
    for learner in book.learners:
        link = element("a", learner.name, href=quote(files[learner.id]))
        share = (learner.points or 0) / book.max if book.max else 0.0
        points = bar("–" if learner.points is None else number(learner.points), share)
        rows.append([link, learner.id, points, "; ".join(learner.flags)])
    caption = (
        f"Every learner, with points of {number(book.max)} and what was noted; the name leads to the feedback page."
    )
    return section("Learners", table(caption, ["Learner", "Id", "Points", "Noted"], rows))
