"""Feedback files in the shape in which Moodle and Canvas take them back, one zip for the whole class.

Moodle ("Upload multiple feedback files in a zip") reads the participant's number out of the folder's name, as in its
own download: ``Name_NUMBER_assignsubmission_file_/feedback.html``. Versions before 4.1 want the last underscore, later
ones take it. Canvas ("Upload Submissions") goes by the name of each file that was downloaded, and shows what comes back
under the name of the learner's own file; so a notebook is answered with a notebook, and a zip with a zip.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from html import escape
from pathlib import Path

from coursepkg.grading.reporting.gradebook import Gradebook, Learner, load_gradebook, number, plain
from coursepkg.grading.reporting.institution import Written
from coursepkg.grading.reporting.learner_page import learner_page, notes, told
from coursepkg.grading.reporting.page import in_words
from coursepkg.grading.submissions.archives import Refused, open_tree
from coursepkg.grading.submissions.learners import Download, discover
from coursepkg.grading.submissions.platforms import canvas_owner, is_work, moodle_owner

PAGE = "feedback.html"
_STAMP = (1980, 1, 1, 0, 0, 0)  # the same results give the same bytes


def write_feedback(results: Path, platform: str, submissions: Path, out: Path) -> Written:
    """Write the feedback of a class as a zip to be uploaded.

    Parameters
    ----------
    results : Path
        What ``grade batch`` wrote.
    platform : str
        "moodle" or "canvas".
    submissions : Path
        The download that was graded: names must be those that the platform gave.
    out : Path
        The zip.

    Raises
    ------
    ValueError
        If the download is another platform's, or holds nobody who has results.
    """
    book = load_gradebook(results)
    try:
        download = discover(open_tree(submissions), {learner.id for learner in book.learners})
    except Refused as error:
        raise ValueError(str(error)) from None
    if download.layout.lower() != platform:
        raise ValueError(
            f"{submissions.name} is no download of {platform.title()}: it is laid out as {download.layout}; "
            "give the folder or zip as it was downloaded, with the names unchanged"
        )
    files = dict((_moodle if platform == "moodle" else _canvas)(book, download))
    if not files:
        raise ValueError(f"nobody in {submissions.name} has results in {results.name}")
    packed = io.BytesIO()  # in whole, or not at all
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, (data, _) in sorted(files.items()):
            _put(archive, _in_letters(name), data)
    out.write_bytes(packed.getvalue())
    reached = {student for _, student in files.values()}
    left = tuple(
        plain(learner.id)
        for learner in book.learners
        if learner.id not in reached and not learner.missing and not learner.lost
    )
    odd = [_in_letters(name) for name in sorted(files) if name != _in_letters(name)]
    words = f"letters that are no UTF-8 are written as _ in {len(odd)} of the names, such as {odd[0]}" if odd else ""
    return Written(len(reached), left, tuple(filter(None, [words])), ungraded=book.ungraded)


def _in_letters(name: str) -> str:
    """A name with ``_`` for bytes that are no UTF-8: platforms go by the numbers in it."""
    return re.sub("[\ud800-\udfff]", "_", name)


_File = tuple[str, tuple[bytes, str]]  # its name, its bytes, and the learner that it is for


def _moodle(book: Gradebook, download: Download) -> Iterator[_File]:
    known = {learner.id: learner for learner in book.learners}
    for handed_in in download.learners:
        learner = known.get(handed_in.student)
        folder = next((found for entry in handed_in.entries if (found := moodle_owner(entry))), None)
        if learner is not None and not learner.lost and folder is not None:
            name = folder.name.replace("_", " ")  # Moodle takes what follows the first underscore for the number
            page = learner_page(learner, book).encode("utf-8", "replace")
            yield f"{name}_{folder.student}_assignsubmission_file_/{PAGE}", (page, learner.id)


def _canvas(book: Gradebook, download: Download) -> Iterator[_File]:
    known = {learner.id: learner for learner in book.learners}
    for handed_in in download.learners:
        learner = known.get(handed_in.student)
        found = [(owner.attempt, entry) for entry in handed_in.entries if (owner := canvas_owner(entry))]
        works = [one for one in found if is_work(one[1])] or found
        if learner is not None and not learner.lost and works:
            _, entry = max(works)
            yield entry, (_in_kind(entry, learner, book), learner.id)


def _in_kind(entry: str, learner: Learner, book: Gradebook) -> bytes:
    """Feedback as a file of the kind that the learner handed in."""
    kind = entry.lower().rpartition(".")[2]
    if kind == "ipynb":
        return _notebook(learner, book)
    page = learner_page(learner, book).encode("utf-8", "replace")
    if kind != "zip":
        return page
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        _put(archive, PAGE, page)
    return packed.getvalue()


def _put(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    info = zipfile.ZipInfo(name, _STAMP)
    info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
    archive.writestr(info, data)


# --- feedback as a notebook ------------------------------------------------------------------------------------------


def _notebook(learner: Learner, book: Gradebook) -> bytes:
    """Feedback as a notebook of text alone."""
    lines = [f"# Feedback for {_text(learner.name)}", f"Points: {number(learner.points) or '–'} of {number(book.max)}"]
    lines += [_text(note) for note in notes(learner)]
    for answer in told(learner):
        lines += [
            f"## {answer['id']} {_text(answer['title'])} · {in_words(answer['verdict'])}",
            *map(_text, answer["lines"]),
        ]
    if not told(learner) and learner.items:
        lines.append("Every answer passed.")
    cell = {"cell_type": "markdown", "id": "feedback", "metadata": {}, "source": "\n\n".join(lines)}
    data = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    return (json.dumps(data, indent=1, ensure_ascii=False) + "\n").encode("utf-8", "replace")


def _text(line: str) -> str:
    """A line whose letters mean themselves in Markdown; words between backticks stay code."""
    parts = re.split(r"(`[^`]+`)", plain(line))
    return "".join(part if k % 2 else _literal(part) for k, part in enumerate(parts))


def _literal(text: str) -> str:
    return re.sub(r"([\\*_\[\]()!#$~|])", r"\\\1", escape(text.replace("`", "'"), quote=False))
