"""Marks of a person, taken into the results: from a sheet of the answers that have none, or from the page's journal.

Each row of a sheet carries the hash of the notebook that it belongs to, so a mark never lands on work that was handed
in again since. What a sheet says is noted in the journal as well: there the last word on an answer wins, wherever it
was said. Spreadsheets make numbers of what looks like one ("02.1" becomes 2.1); a row that is still clear is read.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from coursepkg.grading.reporting.gradebook import number, plain
from coursepkg.grading.reporting.journal import Journal, Key, Mark, journal_beside
from coursepkg.grading.reporting.page import in_words
from coursepkg.grading.reporting.spreadsheet import cell, write_sheet
from coursepkg.grading.running.results import (
    GRADED,
    HAND,
    WHOLE_SUBMISSION,
    Item,
    Result,
    judged,
    read_result,
    read_results,
    result_path,
    write_result,
)
from coursepkg.grading.submissions.sheets import Sheet, is_formula, read_sheet, unescaped

HEADER = ("student", "name", "exercise", "item", "title", "verdict", "message", "max", "points", "comment", "notebook")
GIVEN = "given"  # what an answer has so far; apart from `points`, so that an old sheet takes nothing back
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
            kept_as_text(result.student), result.name, kept_as_text(result.exercise), kept_as_text(item.id), item.title,
            in_words(item.verdict), " / ".join(item.message.splitlines()), number(item.max), number(item.points),
            "", "", kept_as_text(result.notebook_sha256[:MARK]),
        ]
        for result in found
        for item in result.items
        if everything or item.points is None
    ]  # fmt: skip
    write_sheet(path, [*HEADER[:8], GIVEN, *HEADER[8:]], rows, encoding="utf-8-sig")
    return len(rows)


def merge_marking_sheet(results: Path, path: Path) -> tuple[int, list[str]]:
    """Take the marks of a sheet into the results and the journal.

    Returns
    -------
    changed : int
        How many answers have another mark or comment now.
    left : list of str
        Rows that do not fit, with the reason; they are left out.

    Raises
    ------
    ValueError
        If the file is no marking sheet.
    """
    sheet = read_sheet(path, HEADER)
    if absent := [name for name in HEADER if name not in sheet.header]:
        raise ValueError(f"{path.name} is no marking sheet: it has no column {absent[0]!r}")
    known, journal = list(read_results(results)), Journal(journal_beside(results))
    marks, gone = journal.marks(), journal.taken_back()
    unchanged = {_as_written(result, item): (result, item) for result in known for item in result.items}
    changed, left, said = 0, list[str](), dict[Key, int]()
    for line, row in _filled(sheet):
        try:
            found, item = unchanged.get(tuple(row[name] for name in _IDS)) or _meant(row, known)
            key = Key(found.student, found.exercise, item.id)
            if key in said:
                raise ValueError(f"line {said[key]} is about the same answer")
            result = read_result(result_path(results, key.student, key.exercise))  # with what rows above it gave
            item = item_of(result, item.id)
            points, words = _points(row["points"], item), unescaped(row["comment"].strip())
            merged, standing = with_mark(result, item, points, words), marks.get(key)
            if merged != result or (standing.points != points if standing else key in gone):
                journal.mark([(key, result.notebook_sha256[:MARK])], points, words, standing.entry if standing else 0)
        except ValueError as error:
            left.append(f"line {line}: {error}")
            continue
        said[key] = line
        if merged != result:
            write_result(results, merged)
            changed += 1
    return changed, left


_IDS = ("student", "name", "exercise", "item", "title", "notebook")


def _as_written(result: Result, item: Item) -> tuple[str, ...]:
    """What tells an answer in the sheet, as ``write_marking_sheet`` wrote it."""
    ids = map(kept_as_text, (result.student, result.exercise, item.id, result.notebook_sha256[:MARK]))
    student, exercise, part, notebook = map(cell, ids)
    return student, cell(result.name), exercise, part, cell(item.title), notebook


def _filled(sheet: Sheet) -> Iterator[tuple[int, dict[str, str]]]:
    """Rows with points in them, and their line."""
    return ((line, row) for line, row in enumerate(sheet.rows, 2) if row["points"].strip())


def _meant(row: dict[str, str], known: Sequence[Result]) -> tuple[Result, Item]:
    """The answer that a row is about, if it is clear whatever a spreadsheet has made of its ids.

    Raises
    ------
    ValueError
        If none is, or several could be.
    """
    told = {name: _unkept(row[name].strip()) for name in ("student", "exercise", "item", "notebook")}
    if told["exercise"] == WHOLE_SUBMISSION:
        raise ValueError("a submission that could not be read has no answers to mark")
    theirs = [result for result in known if _is_same(told["student"], result.student)]
    here = [result for result in theirs if _is_same(told["exercise"], result.exercise)]
    if not here:
        raise ValueError(f"there is no result of {told['student']!r} for {told['exercise']!r}")
    fresh = [result for result in here if _is_same(told["notebook"], result.notebook_sha256[:MARK])]
    if not fresh:
        raise ValueError("the learner has handed in another notebook since")
    fits = [(result, item) for result in fresh for item in result.items if _is_same(told["item"], item.id)]
    if not fits:
        raise ValueError(f"{fresh[0].exercise} of {fresh[0].student} has no part {told['item']!r}")
    for column, shown in (("title", lambda r, item: item.title), ("name", lambda r, item: r.name)):
        if len(fits) > 1:
            fits = [(r, item) for r, item in fits if cell(shown(r, item)).strip() == row[column].strip()]
    exact = [(r, item) for r, item in fits if (told["student"], told["exercise"]) == (r.student, r.exercise)]
    fits = exact if len(fits) > 1 else fits
    if len(fits) != 1:
        raise ValueError(
            f"{told['exercise']!r} of {told['student']!r} could be one of several answers; write their ids as text"
        )
    return fits[0]


# --- ids in a spreadsheet --------------------------------------------------------------------------------------------


def kept_as_text(text: str) -> str:
    """An id with an apostrophe in front where a spreadsheet would make a number or a date of it."""
    return f"'{text}" if _would_change(text) else text


def _unkept(text: str) -> str:
    return text[1:] if text.startswith("'") and _would_change(text[1:]) else unescaped(text)


def _would_change(text: str) -> bool:
    return not is_formula(text) and (any(letter.isdigit() for letter in text) or text.lower() in ("true", "false"))


def _is_same(told: str, text: str) -> bool:
    """Whether a spreadsheet could have made ``told`` of an id: 2.1 or 2,1 of "02.1", 1,23E+15 of a long number."""
    if told in (text, plain(text)):
        return True
    written, meant = _as_number(told), _as_number(text)
    if written is None or meant is None:
        return False
    digits = re.match(r"\d+[.,]?(\d*)[eE]", told)
    return f"{written:.{len(digits[1])}e}" == f"{meant:.{len(digits[1])}e}" if digits else written == meant


def _as_number(text: str) -> float | None:
    plainly = re.fullmatch(r"\d+(?:[.,]\d+)?(?:[eE]\+?\d{1,3})?", text)
    return float(text.replace(",", ".")) if plainly else None


# --- one mark --------------------------------------------------------------------------------------------------------


def _stored(results: Path, student: str, exercise: str) -> Result:
    result = read_result(result_path(results, student, exercise))
    if (result.student, result.exercise) != (student, exercise):
        raise ValueError(f"there is no result of {student!r} for {exercise!r}")
    return result


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
    before = judged(results, result)
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
