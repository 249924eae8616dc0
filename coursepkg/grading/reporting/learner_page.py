"""One learner's feedback as a page: the marks in a table, then, exercise by exercise, what to look at next."""

from __future__ import annotations

from coursepkg.grading.reporting.gradebook import Column, Gradebook, Learner, number
from coursepkg.grading.reporting.page import Html, element, facts, join, page, prose, section, table, text, verdict
from coursepkg.grading.running.results import HAND, Item, Result


def learner_page(learner: Learner, book: Gradebook) -> str:
    """The feedback page of one learner.

    Hidden inputs never reach it: messages are written without them when the work is graded.
    """
    passed = sum(all(item.verdict == "passed" for item in r.items) and bool(r.items) for r in learner.results.values())
    points = learner.points
    total = f"{number(points)} of {number(book.max)}" if points is not None else f"– of {number(book.max)}"
    body = [
        element("h1", f"Feedback for {learner.name}"),
        element("p", "What was found in your notebook, and where to look next.", class_="lead"),
        facts([("Points", total), ("Exercises passed", f"{passed} of {len(book.columns)}")]),
        *_notes(learner),
        section("Your exercises", table(
            "Every exercise, with its verdict and points.",
            ["Exercise", "Title", "Verdict", "Points", "Of"],
            [_row(column, learner) for column in book.columns], numeric=(3, 4),
        )),
        *_next(learner),
    ]  # fmt: skip
    return page(f"Feedback for {learner.name}", body)


def _notes(learner: Learner) -> list[Html]:
    notes = []
    if learner.points is None:
        why = (
            "Some of your answers wait for a person to mark them; your total follows then."
            if learner.waits
            else "Something went wrong on the grader's side. This is not your fault, and it costs you nothing: "
            "your work will be graded again."
        )
        notes.append(element("p", why, class_="note"))
    if learner.submission is not None and not learner.lost:
        notes.append(element("p", "What you handed in could not be read as a notebook.", class_="note"))
    if learner.flags:
        notes.append(element("p", join([text("Noted: "), prose("; ".join(learner.flags) + ".")], ""), class_="lead"))
    return notes


def _row(column: Column, learner: Learner) -> list[object]:
    result = learner.results.get(column.id)
    if result is None and learner.lost:
        return [column.id, prose(column.title), verdict("infrastructure"), "–", number(column.max)]
    if result is None:
        return [column.id, prose(column.title), verdict("missing"), "0", number(column.max)]
    shown = next((item.verdict for item in result.items if item.verdict != "passed"), "passed")
    points = "–" if result.points is None else number(result.points)
    return [column.id, prose(column.title), verdict(shown if result.items else "error"), points, number(result.max)]


def _next(learner: Learner) -> list[Html]:
    told = [(result, item) for result, item in learner.items if item.verdict != "passed" or HAND in result.flags]
    if not told:
        return [section("What to look at next", element("p", "Nothing: every answer passed."))] if learner.items else []
    return [section("What to look at next", *(_feedback(result, item) for result, item in told))]


def _feedback(result: Result, item: Item) -> Html:
    head = [element("h3", join([prose(f"{item.id} {item.title} · "), verdict(item.verdict)], ""))]
    lines = [line for line in item.message.splitlines() if line.strip()]
    prefix = lines[0].partition(" · ") if lines else ("", "", "")
    if prefix[1] and prefix[0].startswith(item.id):  # the heading says it already
        lines[0] = prefix[2][:1].upper() + prefix[2][1:]
    if HAND in result.flags:
        lines.append("Marked by a person.")
    if lines:
        head.append(element("div", join([element("p", prose(line)) for line in lines]), class_="feedback"))
    return join(head)
