"""Reading a notebook without running it: what the pages of the course must have, and must not have."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Iterator
from html import unescape
from pathlib import Path

from nbformat import NotebookNode

from tools.notebook_comparison import comparable
from tools.notebook_file import (
    IGNORE,
    NOTEBOOK_METADATA,
    RAISES,
    WIDGET_VIEW,
    NotebookError,
    code_cells,
    is_stripped,
    may_be_stripped,
    read,
    tags,
    where,
)
from tools.notebook_run import run_problems

LINES_OF_CODE, LINES_OF_PLOTTING, LETTERS_OF_ALT, SELF_TEST_QUESTIONS = 15, 5, 20, 3
THE_ENGINE_WHOLE = "class Value:"  # chapter 02 builds it piece by piece, and then shows it in one cell
WITHOUT_EXERCISES = "00"  # the number of the chapter that says how the course works
PRIVATE_PATH = re.compile(r"(?<![\w.])(?:/(?:home|Users|root|tmp|work|private|mnt)/|/var/folders/|[A-Za-z]:\\Users\\)")
NETWORK = re.compile(
    r"^\s*(?:(?:import|from)\s+(?:requests|httpx|aiohttp|socket|http|urllib)\b|[!%]+\s*(?:pip|conda|wget|curl|git)\b)",
    re.M,
)
PLOTTING = re.compile(r"\b(?:plt|ax|axes|axs|axis|fig|figure)\w*(?:\[[^\]]*\])*\.\w+")
IMAGE = re.compile(r"<img\b[^>]*>", re.I)
ALT = re.compile(r"""\balt\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.I)
OPENING = {
    "what you will be able to do ('you can ...')": r"\byou\s+(?:can|will\s+be\s+able\s+to)\b",
    "what you need before ('You need ...', 'Before you start ...')": r"\byou\s+need\b|\bbefore\s+you\s+start\b",
    "how long it takes ('Time ... minutes')": r"\btime\b.*\bminutes\b",
}
LINK = re.compile(r"(?<!\!)\[[^\]]*\]\(([^)\s#]+)(?:#[^)\s]*)?(?:\s+\"[^\"]*\")?\)")
FOLD = re.compile(r"<details\b.*?</details>", re.I | re.S)
HEADING = re.compile(r"^#{1,6} |<h[1-6]\b", re.I | re.M)
FIGURE = re.compile(r"!\[([^\]]*)\]\(")


def lint(path: Path) -> str:
    """Read the notebook at `path` without running it; returns one line for the log.

    Raises
    ------
    NotebookError
        With one line for everything that the course's notebooks must not have.
    """
    notebook = read(path)
    problems = [
        *form_problems(notebook, stripped=is_stripped(notebook) and may_be_stripped(path)),
        *opening_problems(notebook, path),
        *(problem for index, cell in enumerate(notebook.cells) for problem in text_problems(index, cell, path)),
        *(problem for index, cell in code_cells(notebook) for problem in code_problems(index, cell)),
        *(problem for index, cell in code_cells(notebook) for problem in shown_problems(index, cell)),
    ]
    if path.parent.name == "notebooks":
        problems += [problem for index, cell in code_cells(notebook) for problem in length_problems(index, cell)]
        if not path.name.startswith(WITHOUT_EXERCISES):
            problems += closing_problems(notebook, path)
    if problems:
        raise NotebookError("\n".join(problems))
    return "fine"


def form_problems(notebook: NotebookNode, *, stripped: bool) -> Iterator[str]:
    """Is the file as `store` writes it? A notebook that is handed out also says what it was generated from."""
    metadata = {key: value for key, value in notebook.metadata.items() if not (stripped and key == "coursepkg")}
    if metadata != NOTEBOOK_METADATA:
        yield "its metadata is not what `store` writes; store the notebook"
    ids = [cell.get("id") for cell in notebook.cells]
    if None in ids or len(set(ids)) < len(ids):
        yield "cells without an id, or with the same one; store the notebook"
    cells = [cell for _, cell in code_cells(notebook)]
    if stripped:
        return
    if [cell.execution_count for cell in cells] != list(range(1, len(cells) + 1)):
        yield "cells have not been run in order from top to bottom, or are empty; store the notebook"
    if cells and not any(cell.outputs and IGNORE not in tags(cell) for cell in cells):
        yield "no cell has an output that is compared"


def opening_problems(notebook: NotebookNode, path: Path) -> Iterator[str]:
    """Does it open with its number and title and, in the course itself, say what it is for and where it stands?"""
    first = notebook.cells[0] if notebook.cells else None
    number = path.name[:2]
    if first is None or first.cell_type != "markdown" or not re.match(rf"# {number} · \S", first.source):
        yield f"the first cell does not open with the title '# {number} · ...'"
        return
    if path.parent.name != "notebooks":
        return
    for part, pattern in OPENING.items():
        if not re.search(pattern, first.source, re.I):
            yield f"the first cell does not say {part}"
    first_code = next((cell for _, cell in code_cells(notebook)), None)
    if first_code is None or f'route_map("{number}")' not in first_code.source:
        yield f'the first code cell does not show route_map("{number}")'


def closing_problems(notebook: NotebookNode, path: Path) -> Iterator[str]:
    """Does a chapter let its reader test what was learned, and practise it?"""
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    questions = len(re.findall(r"<details\b", text))
    if questions < SELF_TEST_QUESTIONS:
        yield f"has {questions} folded answers (<details>); a chapter closes with at least {SELF_TEST_QUESTIONS}"
    if f"../exercises/{path.name}" not in text:
        yield f"does not link to its exercises, ../exercises/{path.name}"


def text_problems(index: int, cell: NotebookNode, path: Path) -> Iterator[str]:
    """Pictures without words, headings that tell what is folded, and links to nowhere in a text cell."""
    if cell.cell_type != "markdown":
        return
    for alt in FIGURE.findall(cell.source):
        if len(alt.strip()) < LETTERS_OF_ALT:
            yield f"{where(index, cell)} has a picture whose alt text says too little: {alt!r}"
    yield from image_problems(index, cell, cell.source)
    for fold in FOLD.findall(cell.source):  # JupyterLab's table of contents shows headings, folded or not
        if HEADING.search(fold):
            yield f"{where(index, cell)} has a heading in a fold, where the table of contents gives it away"
    for target in LINK.findall(cell.source):
        if "://" not in target and not target.startswith("mailto:"):
            file = path.parent / urllib.parse.unquote(target)
            if not file.exists():
                yield f"{where(index, cell)} links to {target}, which does not exist"


def image_problems(index: int, cell: NotebookNode, html: str) -> Iterator[str]:
    for image in IMAGE.findall(html):
        found = ALT.search(image)
        alt = unescape((found.group(1) or found.group(2) or "") if found else "")
        if len(alt.strip()) < LETTERS_OF_ALT:
            yield f"{where(index, cell)} shows an image whose alt text says too little: {alt!r}"


def code_problems(index: int, cell: NotebookNode) -> Iterator[str]:
    """What the source of a code cell must not do."""
    place, lines = where(index, cell), cell.source.rstrip().splitlines()
    if lines and lines[-1].rstrip().endswith(";") and not lines[-1].lstrip().startswith("#"):
        yield f"{place} ends in ';', which silences nothing in a script or a test; write `_ = ...`"
    if re.search(r"^\s*#\s*(?:NBVAL|PYTEST_VALIDATE)_", cell.source, re.M):
        yield f"{place} steers nbval by a comment, which learners see; use a cell tag"
    for tag in tags(cell):
        if tag.startswith("nbval") and tag != IGNORE:
            yield f"{place} has the tag {tag}; only {IGNORE} and {RAISES} are used"
    if IGNORE not in tags(cell) and re.search(r"\bclear_output\(|\bdisplay_id\b|\bOutput\(\)|\binteract", cell.source):
        yield f"{place} changes its output while it runs, which nbval does not follow; give it the tag {IGNORE}"
    if NETWORK.search(cell.source):
        yield f"{place} reaches for the network; the course works offline"
    if PRIVATE_PATH.search(cell.source):
        yield f"{place} names a path of one machine"


def length_problems(index: int, cell: NotebookNode) -> Iterator[str]:
    lines = [line for line in cell.source.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if len(lines) > LINES_OF_CODE and not cell.source.startswith(THE_ENGINE_WHOLE):
        yield f"{where(index, cell)} has {len(lines)} lines of code; {LINES_OF_CODE} fit on a learner's screen"
    plotting = sum(bool(PLOTTING.search(line)) for line in lines)
    if plotting > LINES_OF_PLOTTING:
        yield f"{where(index, cell)} has {plotting} lines of plotting code; move it into coursepkg.visualize"


def shown_problems(index: int, cell: NotebookNode) -> Iterator[str]:
    """What the stored outputs of a cell must not hold."""
    place = where(index, cell)
    yield from () if cell.execution_count is None else run_problems(index, cell)
    for kind, text in comparable(cell.outputs):
        if kind in ("image/png", "image/jpeg", "image/svg+xml"):
            yield f"{place} shows a figure without alt text; pass it to coursepkg.visualize.picture_of"
        if kind == WIDGET_VIEW:
            yield f"{place} stores a widget, which is empty without its kernel; store the notebook"
        if kind == "text/html":
            yield from image_problems(index, cell, text)
        visible = re.sub(r"data:image/[^\"'\s>)]*", "", text)
        if PRIVATE_PATH.search(visible):
            yield f"{place} shows a path of one machine"
        if IGNORE not in tags(cell) and re.search(r" at 0x[0-9a-f]{6,}", visible):
            yield f"{place} shows an object's address"
