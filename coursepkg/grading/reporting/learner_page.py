"""One learner's feedback as a page: the marks in a table, then, exercise by exercise, what to look at next."""

from __future__ import annotations

from typing import Any

from coursepkg.grading.reporting.gradebook import Column, Gradebook, Learner, number
from coursepkg.grading.reporting.page import render
from coursepkg.grading.reporting.scores import UNCLEAR
from coursepkg.grading.running.results import HAND, Item, Result

UNREAD = "What you handed in could not be read as a notebook."
WAITS = "Some of your answers wait for a person to mark them; your total follows then."
FAULT = (
    "Something went wrong on the grader's side. This is not your fault, and it costs you nothing: "
    "your work will be graded again."
)


def learner_page(learner: Learner, book: Gradebook) -> str:
    """The feedback page of one learner.

    Hidden inputs never reach it: messages are written without them when the work is graded.
    """
    passed = sum(all(item.verdict == "passed" for item in r.items) and bool(r.items) for r in learner.results.values())
    total = f"{number(learner.points) or '–'} of {number(book.max)}"
    return render(
        "learner.html",
        name=learner.name,
        facts=[("Points", total), ("Exercises passed", f"{passed} of {len(book.columns)}")],
        notes=notes(learner),
        flags=learner.flags,
        rows=[_row(column, learner) for column in book.columns],
        told=told(learner),
    )


def notes(learner: Learner) -> list[str]:
    """What is to be said first: why there is no total, and what could not be read."""
    reason = UNCLEAR if learner.unclear else WAITS if learner.waits else FAULT
    found = [reason] if learner.points is None else []
    return [*found, UNREAD] if learner.submission is not None and not learner.lost else found


def _row(column: Column, learner: Learner) -> dict[str, Any]:
    result = learner.results.get(column.id)
    row = {"id": column.id, "title": column.title, "max": column.max, "found": result is not None}
    if result is None:
        return {
            **row,
            "verdict": "infrastructure" if learner.lost else "missing",
            "points": "–" if learner.lost or learner.unclear else "0",
        }
    shown = next((item.verdict for item in result.items if item.verdict != "passed"), "passed")
    return {**row, "verdict": shown if result.items else "error", "points": number(result.points) or "–"}


def told(learner: Learner) -> list[dict[str, Any]]:
    """What is to be said about single answers: those that did not pass, and those that a person has marked."""
    found = [(result, item) for result, item in learner.items if item.verdict != "passed" or HAND in result.flags]
    return [
        {"id": item.id, "title": item.title, "verdict": item.verdict, "lines": _lines(result, item)}
        for result, item in found
    ]


def _lines(result: Result, item: Item) -> list[str]:
    lines = [line for line in item.message.splitlines() if line.strip()]
    prefix = lines[0].partition(" · ") if lines else ("", "", "")
    if prefix[1] and prefix[0].startswith(item.id):  # the heading says it already
        lines[0] = prefix[2][:1].upper() + prefix[2][1:]
    return [*lines, "Marked by a person."] if HAND in result.flags else lines
