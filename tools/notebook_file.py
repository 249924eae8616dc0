"""A notebook as a file: where the course keeps them, how they are read and written, and words for their cells."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parent.parent
TREES = ("notebooks", "exercises", "solutions")
HANDED_OUT = "exercises"  # generated from solutions, without outputs
IGNORE, RAISES = "nbval-ignore-output", "raises-exception"
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
NOTEBOOK_METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {
        "codemirror_mode": {"name": "ipython", "version": 3},
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "nbconvert_exporter": "python",
        "pygments_lexer": "ipython3",
    },
}


class NotebookError(Exception):
    """A notebook that must not be stored, or that no longer does what its stored outputs say."""


def read(path: Path) -> NotebookNode:
    """Read a notebook as it is, also one whose cells have no ids or share them."""
    try:
        notebook = nbformat.v4.reads(path.read_text(encoding="utf-8"))
        if notebook.nbformat != 4:
            raise NotebookError(f"notebook format {notebook.nbformat} is not 4; open and save it in JupyterLab")
    except (json.JSONDecodeError, AttributeError, KeyError, TypeError) as error:
        raise NotebookError(f"not a notebook: {error}") from None
    return notebook


def as_text(notebook: NotebookNode) -> str:
    return nbformat.v4.writes(notebook, indent=1, sort_keys=True, ensure_ascii=False).rstrip("\n") + "\n"


def fingerprint(*parts: object) -> str:
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:8]


def give_cell_ids(notebook: NotebookNode) -> None:
    """Keep cell ids that are there and unique; make the others from position and source, so that they repeat."""
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    seen: set[str] = set()
    for position, cell in enumerate(notebook.cells):
        identity = cell.get("id")
        if not isinstance(identity, str) or not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", identity) or identity in seen:
            identity = fingerprint(position, cell.source)
        seen.add(identity)
        cell["id"] = identity


def tags(cell: NotebookNode) -> list[str]:
    return list(cell.metadata.get("tags", []))


def code_cells(notebook: NotebookNode) -> Iterator[tuple[int, NotebookNode]]:
    return ((index, cell) for index, cell in enumerate(notebook.cells) if cell.cell_type == "code")


def where(index: int, cell: NotebookNode) -> str:
    first_line = next((line.strip() for line in cell.source.splitlines() if line.strip()), "empty")
    return f"cell {index} ({first_line[:60]})"


def shows_widget(cell: NotebookNode) -> bool:
    return any(WIDGET_VIEW in output.get("data", {}) for output in cell.get("outputs", []))


def is_stripped(notebook: NotebookNode) -> bool:
    """True if no cell has been run, as in the notebooks that learners are handed."""
    return all(cell.execution_count is None and not cell.outputs for _, cell in code_cells(notebook))


def may_be_stripped(path: Path) -> bool:
    return path.parent.name == HANDED_OUT
