"""The code cells of a notebook file: what was handed in is only a file, and is read with care.

Its size is capped, it is parsed as JSON, and nothing in it is rendered or run here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MAX_BYTES = 20_000_000


class UnreadableNotebook(ValueError):
    """The file is no notebook that can be judged; the message says why."""


def read_cells(path: Path) -> list[str]:
    """The code cells of a notebook, as they are: only the worker tries to understand them.

    Raises
    ------
    UnreadableNotebook
        If the file is missing, too large, no JSON, or no notebook.
    """
    try:
        with path.open("rb") as file:
            text = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UnreadableNotebook(f"{path} cannot be opened: {error.strerror}") from None
    return cells_of(text, path.name)


def cells_of(text: bytes, name: str) -> list[str]:
    """The code cells of a notebook that has been read already; raises as ``read_cells`` does."""
    if len(text) > MAX_BYTES:
        raise UnreadableNotebook(f"{name} has more than {MAX_BYTES // 1_000_000} MB, which is no notebook's size")
    try:
        notebook = json.loads(text)
    except (ValueError, RecursionError):
        raise UnreadableNotebook(f"{name} is no notebook: it is no JSON") from None
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(cells, list):
        raise UnreadableNotebook(f"{name} is no notebook of format 4: it has no list of cells")
    return [_source(cell) for cell in cells if isinstance(cell, dict) and cell.get("cell_type") == "code"]


def _source(cell: Mapping[str, Any]) -> str:
    source = cell.get("source", "")
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    return source if isinstance(source, str) else ""
