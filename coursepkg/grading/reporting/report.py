"""Writes the pages: the class report, and beside it one page for each learner."""

from __future__ import annotations

from pathlib import Path

from coursepkg.grading.reporting.class_page import class_page
from coursepkg.grading.reporting.gradebook import load_gradebook
from coursepkg.grading.reporting.learner_page import learner_page
from coursepkg.grading.running.results import folder_name, read_times


def write_report(results: Path, out: Path) -> Path:
    """Write all pages of a folder of results; the same results give the same bytes.

    Parameters
    ----------
    results : Path
        What ``grade batch`` wrote.
    out : Path
        Folder for the pages; it may exist.

    Returns
    -------
    Path
        The class report; the learners' pages are in ``learners/`` beside it.
    """
    book = load_gradebook(results)
    files = {learner.id: f"learners/{folder_name(learner.id)}.html" for learner in book.learners}
    (out / "learners").mkdir(parents=True, exist_ok=True)
    for learner in book.learners:
        _write(out / files[learner.id], learner_page(learner, book))
    _write(
        out / "index.html", class_page(book, lambda student, exercise: read_times(results, student, exercise), files)
    )
    return out / "index.html"


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
