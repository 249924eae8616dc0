"""Marks into an nbgrader gradebook, through nbgrader's own interface.

nbgrader is optional, and only this module knows it. Marks go to the grade cells that ``build`` writes into the
notebooks (``ex-01-2``): where the course's gradebook has them already they are found, otherwise they are made.
"""

from __future__ import annotations

import os
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from coursepkg.grading.reporting.gradebook import Column, Gradebook, Learner, plain
from coursepkg.grading.specification.build import nbgrader_metadata

MISSING = "this export needs nbgrader: install it with `python -m pip install nbgrader`, or choose another format"


def write_nbgrader(book: Gradebook, assignment: str, path: Path) -> int:
    """Write all marks into a gradebook; returns how many learners it took.

    Parameters
    ----------
    book : Gradebook
        All results. Learners without a mark are left out, so that nothing that is missing becomes a zero.
    assignment : str
        Name of the assignment in nbgrader.
    path : Path
        The gradebook, an SQLite file; it is made if it is not there.

    Raises
    ------
    ValueError
        If nbgrader is not installed, or does not accept something.
    """
    with _opened(path) as opened:
        opened.update_or_create_assignment(assignment)
        notebooks = {column.id: _notebook(opened, assignment, column) for column in book.columns}
        for learner in book.marked:
            _write_learner(opened, book, learner, assignment, notebooks)
        opened.db.commit()
    return len(book.marked)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        from nbgrader.api import Gradebook as NbgraderGradebook
        from nbgrader.api import InvalidEntry
    except ImportError:
        raise ValueError(MISSING) from None
    with _scripts_on_path(), NbgraderGradebook(f"sqlite:///{path.absolute()}") as opened:
        try:
            yield opened
        except InvalidEntry as error:
            raise ValueError(f"nbgrader does not accept an entry: {error}") from None


@contextmanager
def _scripts_on_path() -> Iterator[None]:
    """A new gradebook starts the program `alembic` by its name, which fails where the environment is not activated."""
    before = os.environ.get("PATH", os.defpath)
    os.environ["PATH"] = f"{sysconfig.get_path('scripts')}{os.pathsep}{before}"
    try:
        yield
    finally:
        os.environ["PATH"] = before


def _notebook(opened: Any, assignment: str, column: Column) -> str:
    """The notebook of the assignment that has the exercise's grade cell; one for its chapter if none has."""
    for notebook in opened.find_assignment(assignment).notebooks:
        if any(cell.name == _grade_id(column) for cell in notebook.grade_cells):
            return str(notebook.name)
    chapter = column.id.split(".")[0]
    for notebook in opened.find_assignment(assignment).notebooks:
        if notebook.name.split("_")[0] == chapter:
            chapter = str(notebook.name)
            break
    opened.update_or_create_notebook(chapter, assignment)
    opened.update_or_create_grade_cell(_grade_id(column), chapter, assignment, max_score=column.max, cell_type="code")
    return chapter


def _write_learner(opened: Any, book: Gradebook, learner: Learner, assignment: str, notebooks: dict[str, str]) -> None:
    student = plain(learner.id)
    opened.update_or_create_student(student, first_name=plain(learner.name))
    opened.update_or_create_submission(assignment, student)
    for column in book.columns:
        result = learner.results.get(column.id)
        grade = _grade(opened, _grade_id(column), notebooks[column.id], assignment, student)
        grade.auto_score = 0.0 if result is None or result.points is None else result.points
        grade.needs_manual_grade = False
    _take_off(opened, student, assignment, learner.deduction)


def _take_off(opened: Any, student: str, assignment: str, points: float) -> None:
    """What being late costs; nbgrader adds it up over a submission's notebooks, so one of them carries it."""
    for k, notebook in enumerate(opened.find_submission(assignment, student).notebooks):
        notebook.late_submission_penalty = 0.0 if k else points


def _grade_id(column: Column) -> str:
    """The name of an exercise's grade cell, as ``build`` writes it into the notebooks."""
    return str(nbgrader_metadata(column.id, 0)["grade_id"])


def _grade(opened: Any, cell: str, notebook: str, assignment: str, student: str) -> Any:
    """A learner's entry for a grade cell; made if the cell is younger than the learner's submission."""
    from nbgrader.api import Grade, MissingEntry, SubmittedNotebook

    try:
        return opened.find_grade(cell, notebook, assignment, student)
    except MissingEntry:
        pass
    try:
        submitted = opened.find_submission_notebook(notebook, assignment, student)
    except MissingEntry:
        submitted = SubmittedNotebook(
            notebook=opened.find_notebook(notebook, assignment),
            assignment=opened.find_submission(assignment, student),
        )
        opened.db.add(submitted)
    grade = Grade(cell_id=opened.find_grade_cell(cell, notebook, assignment).id, notebook=submitted)
    opened.db.add(grade)
    return grade
