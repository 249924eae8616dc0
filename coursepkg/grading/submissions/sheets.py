"""Tables of others: CSV files as institutions export them, read with care.

A cell that begins with ``=``, ``+``, ``-`` or ``@`` is run as a formula by spreadsheets; such a cell is written with an
apostrophe in front (``reporting.spreadsheet``), which is taken off again here.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

FORMULA = tuple("=+-@＝＋－＠")
MAX_BYTES = 50_000_000
_ABOVE = 10  # so many lines may stand above the column titles
_SEPARATOR = re.compile(r"sep=([,;\t])\r?\n", re.IGNORECASE)  # as Excel writes it, in a line of its own


@dataclass(frozen=True)
class Sheet:
    """A spreadsheet: its header, and its rows by column."""

    header: tuple[str, ...]
    rows: tuple[dict[str, str], ...]


def is_formula(text: str) -> bool:
    """Whether a spreadsheet would run a text."""
    return text.lstrip().startswith(FORMULA) or text.startswith(("\t", "\r", "\n"))


def unescaped(text: str) -> str:
    """A cell without the apostrophe that kept a spreadsheet from running it."""
    return text[1:] if text.startswith("'") and is_formula(text[1:]) else text


def read_sheet(path: Path, titles: Collection[str] = ()) -> Sheet:
    """Read a CSV file with a header, separated by commas, semicolons or tabs.

    Parameters
    ----------
    path : Path
        The file.
    titles : collection of str, optional
        Column titles of which a header has one at least: what stands above them is no header.

    Raises
    ------
    ValueError
        If it cannot be read, has no header, or a column occurs twice.
    """
    try:
        data = path.read_bytes()[: MAX_BYTES + 1]
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise ValueError(f"{path} cannot be opened: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{path.name} is not in UTF-8; export it again as CSV (UTF-8)") from None
    if len(data) > MAX_BYTES:
        raise ValueError(f"{path.name} has more than {MAX_BYTES // 1_000_000} MB")
    if told := _SEPARATOR.match(text):
        text = text[told.end() :]
    text = _from_header_on(text, titles)
    first = text.partition("\n")[0]
    separator = told[1] if told else max(",;\t", key=first.count)
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    except csv.Error as error:
        raise ValueError(
            f"{path.name} cannot be read as a table: {error}; export it again without long texts"
        ) from None
    if not lines or not any(lines[0]):
        raise ValueError(f"{path.name} is empty; the export of your institution has a line of column titles")
    header = tuple(name.strip() for name in lines[0])
    if twice := sorted({name for name in header if name and header.count(name) > 1}):
        raise ValueError(f"{path.name} has the column {twice[0]!r} more than once")
    rows = [dict(zip(header, [*line, *[""] * len(header)], strict=False)) for line in lines[1:] if any(line)]
    return Sheet(header, tuple(rows))


def _from_header_on(text: str, titles: Collection[str]) -> str:
    """A table without the lines above its header: those with one cell at most, where a line with titles follows."""
    rest = text
    for _ in range(_ABOVE):
        line, _, below = rest.partition("\n")
        cells = {cell.strip().strip('"') for cell in re.split("[,;\t]", line)}
        if not cells.isdisjoint(titles):
            return rest
        if len(cells - {""}) > 1:
            return text if re.search(r"\d", line) else rest  # titles in any language have no digits
        rest = below
    return text
