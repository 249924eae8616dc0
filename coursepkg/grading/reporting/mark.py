"""Marks of a person, taken into the results: from a sheet of the answers that have none, or from the page's journal.

A sheet is checked whole before anything is written. Each row carries the hash of the notebook that it belongs to, so a
mark never lands on work that was handed in again since.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from coursepkg.grading.reporting.gradebook import number
from coursepkg.grading.reporting.journal import Journal, Key, Mark, journal_beside
from coursepkg.grading.reporting.page import in_words
from coursepkg.grading.reporting.spreadsheet import cell, write_sheet
from coursepkg.grading.running.results import (
    GRADED,
    HAND,
    WHOLE_SUBMISSION,
    BadResult,
    Item,
    Result,
    judged,
    read_result,
    read_results,
    result_path,
    write_result,
)
from coursepkg.grading.submissions.sheets import Sheet, read_sheet, unescaped

HEADER = ("student", "name", "exercise", "item", "title", "verdict", "message", "max", "points", "comment", "notebook")
MARK = 16  # so many characters of a hash tell notebooks apart


def write_marking_sheet(results: Path, path: Path, everything: bool = False) -> int:
    """Write the answers that have no mark as a sheet to be filled in; returns how many.

    Parameters
    ----------
    results : Path
        What ``grade batch`` wrote.
    path : Path
        The sheet (CSV). Columns ``points`` and ``comment`` are for the marker.
    everything : bool
        Also list answers that have a mark, so that it can be changed.

    Raises
    ------
    ValueError
        If there are no results.
    """
    found = list(read_results(results))
    if not found:
        raise ValueError(f"{results} holds no results; `grade batch` writes them")
    rows = [
        [
            result.student, result.name, result.exercise, item.id, item.title, in_words(item.verdict),
            " / ".join(item.message.splitlines()), number(item.max), number(item.points), "",
            result.notebook_sha256[:MARK],
        ]
        for result in found
        for item in result.items
        if everything or item.points is None
    ]  # fmt: skip
    write_sheet(path, HEADER, rows, encoding="utf-8-sig")
    return len(rows)


def merge_marking_sheet(results: Path, path: Path) -> int:
    """Take the marks of a sheet into the results; returns how many changed.

    Raises
    ------
    ValueError
        If the sheet has rows that cannot be merged: all of them are listed, and nothing is written.
    """
    sheet = read_sheet(path)
    if absent := [name for name in HEADER if name not in sheet.header]:
        raise ValueError(f"{path.name} is no marking sheet: it has no column {absent[0]!r}")
    changed: dict[tuple[str, str], Result] = {}
    problems, count = [], 0
    for line, row in _filled(sheet):
        student, exercise = unescaped(row["student"]), unescaped(row["exercise"])
        try:
            result = changed.get((student, exercise)) or _stored(results, student, exercise)
            merged = _merged(result, row)
        except ValueError as error:
            problems.append(f"line {line}: {error}")
            continue
        if merged != result:
            changed[student, exercise] = merged
            count += 1
    if problems:
        raise ValueError("nothing was merged:\n" + "\n".join(problems))
    for result in changed.values():
        write_result(results, result)
    return count


def _filled(sheet: Sheet) -> Iterator[tuple[int, dict[str, str]]]:
    """Rows with a mark, and their line numbers; the first line is the header."""
    for line, row in enumerate(sheet.rows, 2):
        if row["points"].strip():
            yield line, row


def _stored(results: Path, student: str, exercise: str) -> Result:
    if exercise == WHOLE_SUBMISSION:
        raise ValueError("a submission that could not be read has no answers to mark")
    for path in (result_path(results, student, exercise), *_folders(results, student, exercise)):
        try:
            return read_result(path)
        except BadResult:
            continue
    raise ValueError(f"there is no result of {student!r} for {exercise!r}")


def _folders(results: Path, student: str, exercise: str) -> Iterator[Path]:
    """Results whose id a spreadsheet program, or ``cell``, has changed on the way."""
    for result in read_results(results):
        if result.exercise == exercise and unescaped(cell(result.student)) == student:
            yield result_path(results, result.student, exercise)


def _merged(result: Result, row: dict[str, str]) -> Result:
    """A result with the mark of one row."""
    _same_notebook(result, row["notebook"].strip())
    item = item_of(result, unescaped(row["item"]))
    return with_mark(result, item, _points(row["points"], item), unescaped(row["comment"].strip()))


def _same_notebook(result: Result, notebook: str) -> None:
    if result.notebook_sha256[:MARK] != notebook:
        raise ValueError("the learner has handed in another notebook since")


def item_of(result: Result, name: str) -> Item:
    """A part of a result; raises ``ValueError`` if there is none of that name."""
    item = next((item for item in result.items if item.id == name), None)
    if item is None:
        raise ValueError(f"{result.exercise} of {result.student} has no part {name!r}")
    return item


def with_mark(result: Result, item: Item, points: float, words: str) -> Result:
    """A result with the mark that a person gave one of its parts; the same one if that changes nothing."""
    if points == item.points and (not words or (words == item.message and HAND in result.flags)):
        return result
    verdict = "passed" if points == item.max else "wrong"
    marked = replace(item, points=points, verdict=verdict, misconception="", message=words or item.message)
    items = tuple(marked if each is item else each for each in result.items)
    flags = result.flags if HAND in result.flags else (*result.flags, HAND)
    done = all(each.points is not None for each in items)
    return replace(result, items=items, flags=flags, status=GRADED if done else result.status)


def merge_journal(results: Path) -> tuple[int, list[tuple[Key, str]]]:
    """Take the marks that were given in the page into the results.

    Returns
    -------
    changed : int
        How many answers have another mark or comment now.
    left : list of (Key, str)
        Marks that do not fit any more, with the reason: work that was handed in again since, or is not there.
    """
    changed, left = 0, list[tuple[Key, str]]()
    journal = Journal(journal_beside(results))
    for key, mark in journal.marks().items():
        try:
            result = _stored(results, key.student, key.exercise)
            _same_notebook(result, mark.notebook)
            item = item_of(result, key.item)
            if mark.points is None:
                raise ValueError("there is a comment and no points")
            merged = with_mark(result, item, checked_points(mark.points, item.max), mark.comment)
        except ValueError as error:
            left.append((key, str(error)))
            continue
        if merged != result:
            write_result(results, merged)
            changed += 1
    for key, marks in journal.taken_back().items():
        restored = _as_judged(results, key, marks)
        if isinstance(restored, Result):
            write_result(results, restored)
            changed += 1
        elif restored:
            left.append((key, restored))
    return changed, left


def _as_judged(results: Path, key: Key, marks: Sequence[Mark]) -> Result | str | None:
    """A result whose part is again as the judge left it, if it holds a mark that was taken back; or why that fails."""
    try:
        result = _stored(results, key.student, key.exercise)
        item = item_of(result, key.item)
    except ValueError:
        return None  # handed in again, and judged anew
    held = [mark for mark in marks if mark.points == item.points and mark.notebook == result.notebook_sha256[:MARK]]
    if HAND not in result.flags or not any(mark.comment in ("", item.message) for mark in held):
        return None
    before = judged(results, result.student, key.exercise, result.notebook_sha256)
    if before is None:
        return "its mark was taken back, and the judge's is not kept; grade it into a new folder"
    items = tuple(item_of(before, each.id) if each is item else each for each in result.items)
    return before if items == before.items else replace(result, items=items)


def _points(text: str, item: Item) -> float:
    try:
        points = float(text.strip().replace(",", "."))
    except ValueError:
        raise ValueError(f"{text.strip()!r} is no number of points") from None
    return checked_points(points, item.max)


def checked_points(points: float, most: float) -> float:
    """Points that can be given; raises ``ValueError`` for others."""
    if not (math.isfinite(points) and 0 <= points <= most):
        raise ValueError(f"{number(points)} points are outside 0 to {number(most)}")
    return points
