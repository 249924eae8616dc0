"""The whole course as the compiled checks and the record tell it: how far one is, what comes next, which cards are due.

Each page is made twice from the same rows: as text, and as HTML that reads the same without its marks and colours.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from coursepkg.grading.judging.feedback import markup
from coursepkg.grading.learning.places import Course, Links
from coursepkg.grading.learning.record import Record

MARKS = {"passed": "●", "tried": "◐", "not begun": "○"}


@dataclass(frozen=True)
class Page:
    """Something to show: as text, and as HTML."""

    text: str
    html: str


def chapters_of(checks: Path) -> list[str]:
    """The chapters that have compiled checks, in order."""
    return sorted(path.stem.removeprefix("ex_") for path in checks.glob("ex_*.json"))


def exercises_of(checks: Path, chapter: str) -> list[dict[str, Any]]:
    """The compiled checks of a chapter, in order; raises OSError, ValueError, KeyError or TypeError if unreadable."""
    found = json.loads((checks / f"ex_{chapter}.json").read_text(encoding="utf-8"))["exercises"]
    if not all(isinstance(item["id"], str) and isinstance(item["points"], int) for item in found):
        raise TypeError("an exercise without id or points")
    return found


def linked(page: str, links: Links) -> str:
    """Markup with links in it: the first time that each of these words appears, it becomes a link."""
    shown = {markup(words): link for words, link in links.items()}
    if not shown:
        return page
    left = dict(shown)

    def replace(found: re.Match[str]) -> str:
        link = left.pop(found[0], None)
        return found[0] if link is None else f'<a href="{html.escape(link)}">{found[0]}</a>'

    return re.sub("|".join(map(re.escape, sorted(shown, key=len, reverse=True))), replace, page)


# --- after a check ---------------------------------------------------------------------------------------------------


def next_exercise(checks: Path, exercise_id: str, record: Record | None) -> str | None:
    """The exercise to do after this one: the first that is not passed, from here on, round the chapter, and beyond.

    Without a record it is simply the one that follows.
    """
    chapter = exercise_id.split(".")[0]
    own = [item["id"] for item in exercises_of(checks, chapter)]
    here = own.index(exercise_id)
    order = [*own[here + 1 :], *(own[:here] if record is not None else [])]
    later = (other for other in chapters_of(checks) if other > chapter)
    return next((name for name in _and_then(order, checks, later) if record is None or not record.passed(name)), None)


def _and_then(order: Sequence[str], checks: Path, chapters: Iterator[str]) -> Iterator[str]:
    yield from order
    for chapter in chapters:
        yield from (item["id"] for item in exercises_of(checks, chapter))


def standing(checks: Path, exercise_id: str, record: Record | None) -> tuple[str, str | None]:
    """The line below a pass, and the exercise that it names: "3 of 9 exercises, 8 of 24 points; next: 02.5"."""
    after = next_exercise(checks, exercise_id, record)
    coming = "nothing is left after it" if after is None else f"next: {after}"
    if record is None:
        return coming[0].upper() + coming[1:] + ("." if after is None else ""), after
    exercises = exercises_of(checks, exercise_id.split(".")[0])
    done = [item for item in exercises if record.passed(item["id"])]
    points = sum(item["points"] for item in done)
    of = sum(item["points"] for item in exercises)
    return f"{len(done)} of {len(exercises)} exercises, {points} of {of} points; {coming}", after


# --- the whole course ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """How far a chapter is: its exercises by state, and its points."""

    chapter: str
    title: str
    states: Mapping[str, str]
    points: int
    of: int

    def ids(self, state: str) -> list[str]:
        """The exercises in this state."""
        return [name for name, own in self.states.items() if own == state]


def rows_of(checks: Path, record: Record, course: Course) -> list[Row]:
    """All chapters, as far as their checks can be read."""
    rows = []
    for chapter in chapters_of(checks):
        exercises = exercises_of(checks, chapter)
        states = {item["id"]: _state(record, item["id"]) for item in exercises}
        points = sum(item["points"] for item in exercises if states[item["id"]] == "passed")
        rows.append(Row(chapter, course.title(chapter), states, points, sum(item["points"] for item in exercises)))
    return rows


def _state(record: Record, exercise_id: str) -> str:
    return "passed" if record.passed(exercise_id) else "tried" if record.tried(exercise_id) else "not begun"


def overview(checks: Path, record: Record, course: Course) -> Page:
    """The whole course as a table: each chapter's exercises passed, tried and not begun, and its points."""
    rows = rows_of(checks, record, course)
    headings = ["chapter", "exercises", *MARKS, "points"]
    cells = [[row.title, _marks(row), *_counts([row]), f"{row.points} of {row.of}"] for row in rows]
    total = ["all", "", *_counts(rows), f"{sum(row.points for row in rows)} of {sum(row.of for row in rows)}"]
    legend = ", ".join(f"{mark} {state}" for state, mark in MARKS.items())
    notice = [record.notice] if record.notice else []
    lines = [*_aligned([headings, *cells, total]), "", f"Each mark is an exercise: {legend}.", *notice]
    body = "".join(map(_html_row, rows, cells))
    head = "".join(f"<th scope='col' style='text-align:left'>{name}</th>" for name in headings)
    last = "".join(f"<td>{cell}</td>" for cell in total[1:])
    page = (
        "<table role='table'><caption style='text-align:left'>Your progress. "
        f"Each mark is an exercise: {legend}.</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody>"
        f"<tfoot><tr><th scope='row' style='text-align:left'>all</th>{last}</tr></tfoot></table>"
    )
    return Page("\n".join(lines), page + "".join(f"<p>{markup(line)}</p>" for line in notice))


def _marks(row: Row) -> str:
    return "".join(MARKS[state] for state in row.states.values())


def _counts(rows: Sequence[Row]) -> list[str]:
    return [str(sum(len(row.ids(state)) for row in rows)) for state in MARKS]


def _html_row(row: Row, cells: Sequence[str]) -> str:
    said = "; ".join(f"{state}: {', '.join(row.ids(state))}" for state in MARKS if row.ids(state))
    style = "letter-spacing:0.2em;overflow-wrap:anywhere"  # else a narrow window would cut the columns beside it
    marks = f"<span role='img' aria-label='{said}' title='{said}' style='{style}'>{cells[1]}</span>"
    others = "".join(f"<td>{cell}</td>" for cell in cells[2:])
    head = f"<th scope='row' style='text-align:left'>{html.escape(cells[0])}</th>"
    return f"<tr>{head}<td style='text-align:left'>{marks}</td>{others}</tr>"


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


# --- cards -----------------------------------------------------------------------------------------------------------


def cards_due(checks: Path, record: Record, course: Course, today: date) -> Page:
    """The cards to look at today, each a question with a folded answer."""
    known = [(name, entry) for name in record.due(today) if (entry := card_text(checks, name)) is not None]
    if not known:
        later = [card.due for name, card in record.cards.items() if card.due > today and card_text(checks, name)]
        when = (
            f"The next is due on {min(later).isoformat()}." if later else "A check that names a wrong idea makes one."
        )
        line = f"No card to look at today. {when}"
        return _page([line, *([record.notice] if record.notice else [])])
    head = f"{len(known)} card{'s' if len(known) > 1 else ''} to look at today. Answer first, then unfold."
    pages = [_card(name, entry, course, folded=True) for name, entry in known]
    notice = _page([record.notice]) if record.notice else Page("", "")
    return Page(
        "\n\n".join(filter(None, [head, *(page.text for page in pages), notice.text])),
        f"<p>{head}</p>" + "".join(page.html for page in pages) + notice.html,
    )


def card_answer(checks: Path, name: str, course: Course, after: Sequence[str] = ()) -> Page | None:
    """A card with its answer unfolded, and lines below it; None if no check knows this card any more."""
    entry = card_text(checks, name)
    return None if entry is None else _card(name, entry, course, folded=False, after=after)


def card_text(checks: Path, name: str) -> dict[str, str] | None:
    """What a card says (``title``, ``looks_like``, ``why``, ``look_at``), or None if no check knows it."""
    exercise_id, _, idea = name.partition("/")
    try:
        for exercise in exercises_of(checks, exercise_id.split(".")[0]):
            for entry in exercise["misconceptions"] if exercise["id"] == exercise_id else ():
                if entry["id"] == idea:
                    return {"title": exercise["title"], **{key: entry[key] for key in ("looks_like", "why", "look_at")}}
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return None


def _card(name: str, entry: Mapping[str, str], course: Course, *, folded: bool, after: Sequence[str] = ()) -> Page:
    exercise_id = name.partition("/")[0]
    question = [f"{exercise_id} · {entry['title']}: {entry['looks_like']}", "Which mistake looks like this, and why?"]
    answer = [entry["why"], f"Look again: {entry['look_at']}"]
    calls = after or [f'`review("{name}", remembered=True)` or `review("{name}", remembered=False)`']
    links = course.links([entry["look_at"]], exercise_id.split(".")[0])
    shown = [f'`review("{name}")` turns it over.'] if folded else answer
    body = "<br>".join(linked(markup(line), links) for line in answer)
    unfolded = f"<details{'' if folded else ' open'}><summary>The idea behind it</summary>{body}</details>"
    head, told = ("<br>".join(map(markup, lines)) for lines in (question, calls))
    page = f"<div style='border-left:4px solid #5a5a5a;padding:0.2em 0.8em;margin:0.4em 0'>{head}{unfolded}{told}</div>"
    return Page("\n".join([*question, *shown, *calls]), page)


def _page(lines: Sequence[str]) -> Page:
    return Page("\n".join(lines), "".join(f"<p>{markup(line)}</p>" for line in lines))
