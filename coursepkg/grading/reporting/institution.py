"""Marks for Canvas and Moodle, as a CSV file made from the institution's own export.

The export knows the learners' ids and the names of the columns, and both systems are strict about them: a column that
Canvas does not know becomes a new assignment, and Moodle loses marks when the feedback column is missing. So the export
is asked for, its rows are matched by id, never by name, and only learners with a mark are written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from coursepkg.grading.reporting.gradebook import Gradebook, Learner, number
from coursepkg.grading.reporting.scores import comment
from coursepkg.grading.reporting.spreadsheet import write_sheet
from coursepkg.grading.submissions.roster import MOODLE, deciding, normal, without_zeros
from coursepkg.grading.submissions.sheets import Sheet, id_in, is_formula

CANVAS_IDS = ("ID", "SIS User ID", "SIS Login ID")
CANVAS_KEEPS = ("Student", "ID", "SIS User ID", "SIS Login ID", "Root Account", "Section")
MOODLE_KEYS = ("Email address", "ID number", "Identifier", "Username")
MOODLE_KEEPS = (
    "Identifier",
    "Full name",
    "First name",
    "Last name",
    "Surname",
    "ID number",
    "Email address",
    "Username",
)


@dataclass(frozen=True)
class Written:
    """What went into a file: learners in it, those that the template does not know, remarks, and what is not graded."""

    learners: int
    unmatched: tuple[str, ...]
    remarks: tuple[str, ...] = ()
    ungraded: tuple[str, ...] = ()


def write_canvas(book: Gradebook, template: Sheet, assignment: str | None, path: Path) -> Written:
    """Write marks for Canvas.

    Parameters
    ----------
    book : Gradebook
        All results.
    template : Sheet
        The gradebook as Canvas exports it.
    assignment : str, optional
        Name of the assignment; with it, the column of that name (Canvas adds its number) or a new one.
    path : Path
        Where to write.

    Raises
    ------
    ValueError
        If the template is no Canvas export, or the assignment is not clear.
    """
    ids = [name for name in CANVAS_IDS if name in template.header]
    if "Student" not in template.header or "Section" not in template.header or not ids:
        raise ValueError(_foreign("Canvas", "Student, ID, SIS Login ID, Section", template))
    if assignment is None:
        others = [name for name in template.header if re.search(r" \(\d+\)$", name)]
        raise ValueError(f"name the assignment with --assignment; the export has {_listed(others)}")
    column, remark = _canvas_column(template, assignment)
    possible = [row for row in template.rows if row["Student"].strip().lower() == "points possible"]
    top = points_in(possible[0].get(column, "")) if possible else None
    rows, matched, found = _matched(book, template, ids)
    kept = [name for name in template.header if name in CANVAS_KEEPS]
    lines: list[list[object]] = [[*(_kept(row[name]) for name in kept), number(top or book.max)] for row in possible]
    lines += [[*(_kept(row[name]) for name in kept), _scaled(learner, book, top)] for row, learner in rows]
    write_sheet(path, [*kept, column], lines)
    return Written(len(rows), _left_over(book, matched), (*remark, *found, *_scale_remark(top, book)))


def _canvas_column(template: Sheet, assignment: str) -> tuple[str, tuple[str, ...]]:
    if assignment in template.header:
        return assignment, ()
    found = [name for name in template.header if re.sub(r" \(\d+\)$", "", name) == assignment]
    if len(found) > 1:
        raise ValueError(f"{assignment!r} fits {_listed(found)}; give --assignment with its number")
    if found:
        return found[0], ()
    return assignment, (f"the export has no assignment {assignment!r}: Canvas will make a new one",)


def write_moodle(book: Gradebook, template: Sheet, assignment: str | None, path: Path) -> Written:
    """Write marks for Moodle: its grading worksheet, or the export of its gradebook with feedback included.

    Raises
    ------
    ValueError
        If the template is neither, or lacks the column for the mark or for the feedback.
    """
    keys = [name for name in MOODLE_KEYS if name in template.header]
    if not keys:
        raise ValueError(_foreign("Moodle", "Email address or ID number", template))
    mark, feedback = _moodle_columns(template, assignment)
    kept = [name for name in template.header if name in MOODLE_KEEPS]
    rows, matched, found = _matched(book, template, keys)
    tops = {points_in(row.get("Maximum Grade", "")) for row, _ in rows} - {None}
    usual = tops.pop() if len(tops) == 1 else None  # an empty cell means what the others say
    lines, unclear = list[list[object]](), list[str]()
    for row, learner in rows:
        top = points_in(row.get("Maximum Grade", "")) or usual
        if top is None and tops:
            unclear.append(learner.id)
            continue
        lines.append([*(_kept(row[name]) for name in kept), _scaled(learner, book, top), comment(learner)])
    write_sheet(path, [*kept, mark, feedback], lines)
    stated = sorted({points_in(row.get("Maximum Grade", "")) or 0 for row, _ in rows})
    remarks = [*found, *(line for top in stated for line in _scale_remark(top, book))]
    if unclear:
        remarks.append(f"left out, since their row does not say which maximum it has: {', '.join(unclear)}")
    return Written(len(lines), tuple(sorted({*_left_over(book, matched), *unclear})), tuple(remarks))


def _moodle_columns(template: Sheet, assignment: str | None) -> tuple[str, str]:
    if "Grade" in template.header and "Feedback comments" in template.header:
        return "Grade", "Feedback comments"
    marks = [name for name in template.header if name.endswith("(Real)")]
    if assignment is None:
        raise ValueError(f"name the column with --assignment; the export has {_listed(marks)}")
    wanted = assignment.removesuffix("(Real)").strip()
    found = [name for name in marks if wanted in _titles(name.removesuffix("(Real)").strip())]
    if len(found) != 1:
        raise ValueError(f"{assignment!r} fits {len(found)} columns; the export has {_listed(marks)}")
    feedback = f"{found[0].removesuffix('(Real)')}(Feedback)"
    if feedback not in template.header:
        raise ValueError(
            f"the export has no column {feedback!r}, and without it Moodle drops the marks; "
            "export the gradebook again with 'Include feedback in export'"
        )
    return found[0], feedback


def _titles(column: str) -> tuple[str, ...]:
    """A column's title, with and without the kind of activity that Moodle writes in front: "Assignment: HW 2"."""
    return column, column.partition(":")[2].strip()


# --- matching and scaling --------------------------------------------------------------------------------------------


def _matched(
    book: Gradebook, template: Sheet, keys: Sequence[str]
) -> tuple[list[tuple[dict[str, str], Learner]], set[str], tuple[str, ...]]:
    """Rows of learners who have a mark, the ids of all learners whose row is clear, and remarks.

    An id that stands in two rows, or a row in which two learners' ids stand, is not clear. Nor is an id that a
    spreadsheet would run as a formula: made safe, it would not be the institution's id any more.
    """
    learners = {learner.id: learner for learner in book.learners if not is_formula(learner.id)}
    told = _ids_of_moodles(book, learners) if book.known is not None and book.known[1].layout == MOODLE else None
    rows: dict[str, list[int]] = {}
    owners: dict[int, set[str]] = {}
    bare: dict[str, str] = {}
    cells = [[_identity(key, row[key]) for row in template.rows] for key in keys]
    chosen_keys = keys
    if told is None:
        decided = deciding(cells, learners.keys())
        chosen_keys = [keys[k] for k in decided]
        bare = without_zeros({each for k in decided for each in cells[k]}, learners)
    for position, row in enumerate(template.rows):
        ids = {(key, _identity(key, row[key])) for key in chosen_keys}
        values = (
            {told[key, normal(each)] for key, each in ids if (key, normal(each)) in told}
            if told is not None
            else {bare.get(each, each) for _, each in ids}
        )
        for value in values & learners.keys():
            rows.setdefault(value, []).append(position)
            owners.setdefault(position, set()).add(value)
    clear = {student: found[0] for student, found in rows.items() if len(found) == 1 and len(owners[found[0]]) == 1}
    if not clear:
        example = next(iter(learners), "")
        cure = (
            "; the download names learners by their number as participants: give the grading worksheet, or grade again "
            "with --resume and the worksheet as --roster, whose addresses tell who is who"
        )
        raise ValueError(
            f"no learner's id (such as {example!r}) stands in the columns {_listed(keys)} of the export"
            + (cure if told is not None else "")
        )
    came = [student for student, learner in learners.items() if not learner.missing]
    here = clear.keys() & came
    if 10 * len(here) < len(came):
        raise ValueError(
            f"of {len(came)} learners who handed in, {len(here)} stand in the export, so that it would say of others "
            "that they handed in nothing. If the download was anonymous, show the names on your platform, download "
            "again, and grade into a new folder; else give the export of the same course"
        )
    chosen = sorted((position, student) for student, position in clear.items())
    pairs = [(template.rows[position], learners[s]) for position, s in chosen if learners[s].points is not None]
    lost = [f"{student} as {cell}" for cell, student in sorted(bare.items()) if student in clear]
    words = [f"found by number, as a spreadsheet took zeros off: {', '.join(lost[:3])}"] if lost else []
    words += [f"and {len(lost) - 3} more were found by number"] if len(lost) > 3 else []
    return pairs, set(clear), tuple(words)


def _ids_of_moodles(book: Gradebook, learners: Mapping[str, Learner]) -> dict[tuple[str, str], str]:
    """Whose each id is, by its column, after a download of Moodle's.

    Its numbers are those of participants, and stand in the worksheet's column "Identifier" alone: the same number in
    another column is another learner's. Beside them the roster has addresses.
    """
    here = sorted(learners, key=lambda student: not learners[student].missing)  # their own number counts
    told = {("Identifier", normal(student)): student for student in here}
    told |= {("Email address", normal(student)): student for student in here if "@" in student}
    for student, addresses in book.addresses.items():
        told |= {("Email address", address): student for address in addresses}
    return told


def _identity(column: str, text: str) -> str:
    """An id as learners' files carry it: Moodle's worksheet says "Participant 123" where its files say 123."""
    value = id_in(text)
    return re.sub(r"^\D+ (?=\d+$)", "", value) if column == "Identifier" else value


def _kept(cell: str) -> str:
    """A cell as the institution wrote it; ``="00123"``, a spreadsheet's way to keep zeros, would be a formula."""
    return id_in(cell) if cell.startswith('="') else cell


def _left_over(book: Gradebook, matched: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({learner.id for learner in book.marked} - set(matched)))


def _scaled(learner: Learner, book: Gradebook, top: float | None) -> str:
    points = learner.points or 0.0
    return number(points if not top or not book.max else points * top / book.max)


def _scale_remark(top: float | None, book: Gradebook) -> tuple[str, ...]:
    if not top or top == book.max:
        return ()
    return (f"marks are scaled from {number(book.max)} to {number(top)} points, the maximum in the export",)


def points_in(text: str) -> float | None:
    """A maximum as people and programs of many countries write it: 100.00, 100,00, 1.000,00, 1 000,00."""
    shown = re.sub(r"[\s'’]", "", text)
    decimal = max(".,", key=shown.rfind)
    other = "," if decimal == "." else "."
    if shown.count(decimal) > 1:  # it parts thousands
        other, decimal = decimal, other
    try:
        value = float(shown.replace(other, "").replace(decimal, "."))
    except ValueError:
        return None
    return value if 0 < value < 1e9 else None


def _foreign(system: str, columns: str, template: Sheet) -> str:
    has = _listed(template.header)
    return f"this is no export of {system}'s gradebook: it should have the columns {columns}; it has {has}"


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:8])
    return shown + (", ..." if len(names) > 8 else "") if names else "no such column"
