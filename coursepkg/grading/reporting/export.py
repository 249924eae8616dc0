"""One call for all the ways that marks go out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from coursepkg.grading.reporting.gradebook import Gradebook, load_gradebook, plain
from coursepkg.grading.reporting.institution import CANVAS_KEEPS, MOODLE_KEEPS, Written, write_canvas, write_moodle
from coursepkg.grading.reporting.nbgrader_gradebook import write_nbgrader
from coursepkg.grading.reporting.scores import FAILED, gradescope, lti_scores, table_header, table_rows
from coursepkg.grading.reporting.spreadsheet import write_sheet
from coursepkg.grading.running.results import folder_name
from coursepkg.grading.submissions.sheets import read_sheet

ENDINGS = {
    "gradescope": "-gradescope", "canvas": "-canvas.csv", "moodle": "-moodle.csv", "nbgrader": "-gradebook.db",
    "lti": "-lti.json", "csv": "-marks.csv",
}  # fmt: skip


@dataclass(frozen=True)
class Export:
    """What was written where; ids of learners without a mark, and of those that the template does not know.

    ``ungraded`` says why marks are missing that the grader should have given; ``listed``, whether the class's own files
    were there.
    """

    path: Path
    learners: int
    unmarked: tuple[str, ...]
    unmatched: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    ungraded: tuple[str, ...] = ()
    listed: bool = True


def export(
    results: Path,
    to: str,
    out: Path | None = None,
    template: Path | None = None,
    assignment: str | None = None,
    *,
    missing_as_zero: bool = False,
) -> Export:
    """Write the marks of a folder of results in the form of another system.

    Parameters
    ----------
    results : Path
        What ``grade batch`` wrote.
    to : str
        "gradescope", "canvas", "moodle", "nbgrader", "lti" or "csv".
    out : Path, optional
        Where to write; beside the results if not given.
    template : Path, optional
        For Canvas and Moodle: the institution's own export of its gradebook.
    assignment : str, optional
        For Canvas, Moodle and nbgrader: what the marks are for.
    missing_as_zero : bool
        Give those who are missing zero points even if somebody handed in who is not on the roster and may be they.

    Raises
    ------
    ValueError
        If something needed is missing or does not fit; the message says what.
    """
    resolved = results.resolve()
    path = out or resolved.with_name(resolved.name + ENDINGS[to])
    if path.resolve().is_relative_to(resolved):
        raise ValueError(f"{path} lies among the results, where it would be taken for one; choose another place")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        book = load_gradebook(results)
    except ValueError:
        if to == "gradescope" and path.suffix == ".json":  # without this file Gradescope tells a learner nothing
            _write_json(path, FAILED)
        raise
    book = book.with_zeros() if missing_as_zero else book
    written = _write(book, to, path, template, assignment)
    unmarked = tuple(plain(learner.id) for learner in book.learners if learner.points is None)
    unmatched = tuple(map(plain, written.unmatched))
    known = book.known is not None
    remarks = (*written.remarks, *_about_unclear(book))
    return Export(path, written.learners, unmarked, unmatched, remarks, book.ungraded, known)


def _about_unclear(book: Gradebook) -> Iterator[str]:
    if book.unclear and book.known is not None:
        yield (
            f"{len(book.unclear)} on the roster are missing, and {len(book.known[1].unknown)} handed in who are not on "
            "it and may be they; so the missing have no mark. Once that is clear, --missing-as-zero gives them 0"
        )


def _write(book: Gradebook, to: str, path: Path, template: Path | None, assignment: str | None) -> Written:
    if to in ("canvas", "moodle"):
        if template is None:
            raise ValueError(
                f"give the gradebook as {to.title()} exports it with --template: it holds the learners' ids"
            )
        write = write_canvas if to == "canvas" else write_moodle
        return write(book, read_sheet(template, (*CANVAS_KEEPS, *MOODLE_KEEPS)), assignment, path)
    if to == "nbgrader":
        if assignment is None:
            raise ValueError("name the assignment of the gradebook with --assignment")
        return Written(write_nbgrader(book, assignment, path), ())
    if to == "gradescope":
        return _write_gradescope(book, path)
    if to == "lti":
        _write_json(path, lti_scores(book))
        return Written(len(book.marked), ())
    write_sheet(path, table_header(book), table_rows(book), encoding="utf-8-sig")
    return Written(len(book.learners), ())


def _write_gradescope(book: Gradebook, path: Path) -> Written:
    """One ``results.json`` for each learner; a single file for a single learner, as in Gradescope's container."""
    if path.suffix == ".json":
        if len(book.learners) != 1:
            raise ValueError(f"one .json file holds one learner, and there are {len(book.learners)}; give a folder")
        _write_json(path, gradescope(book.learners[0], book))
        return Written(1, ())
    for learner in book.learners:
        folder = path / folder_name(learner.id)
        folder.mkdir(parents=True, exist_ok=True)
        _write_json(folder / "results.json", gradescope(learner, book))
    return Written(len(book.learners), ())


def _write_json(path: Path, data: object) -> None:
    path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")
