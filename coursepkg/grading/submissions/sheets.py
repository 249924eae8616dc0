"""Tables of others: CSV files as institutions export them, read with care.

A cell that begins with ``=``, ``+``, ``-`` or ``@`` is run as a formula by spreadsheets; such a cell is written with an
apostrophe in front (``reporting.spreadsheet``), which is taken off again here.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

FORMULA = tuple("=+-@＝＋－＠")
MAX_BYTES = 50_000_000
_ABOVE = 10  # so many lines may stand above the column titles
_LOOKED_AT = 200  # so many rows tell the separator
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


def id_in(cell: str) -> str:
    """An id out of a cell, however a spreadsheet has left it: ``="00123"``, ``'00501``, ``501.0``.

    Examples
    --------
    >>> [id_in(cell) for cell in ('="00123"', "'00501", "501.0", "s501.0")]
    ['00123', '00501', '501', 's501.0']
    """
    value = cell.strip()
    found = re.fullmatch(r'="([^"]*)"|\'(\d+)|(\d+)[.,]0+', value)
    return next(part.strip() for part in found.groups() if part is not None) if found else unescaped(value)


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
    lines = _rows(text, told[1] if told else ",;\t", titles, path.name)
    if not lines or not any(lines[0]):
        raise ValueError(f"{path.name} is empty; the export of your institution has a line of column titles")
    header = tuple(name.strip() for name in lines[0])
    if twice := sorted({name for name in header if name and header.count(name) > 1}):
        raise ValueError(f"{path.name} has the column {twice[0]!r} more than once")
    rows = [dict(zip(header, [*line, *[""] * len(header)], strict=False)) for line in lines[1:] if any(line)]
    return Sheet(header, tuple(rows))


def _rows(text: str, separators: str, titles: Collection[str], name: str) -> list[list[str]]:
    """The rows of a table, its header first, parted by the separator with which it reads best.

    That one gives a title that is known, then several columns, then as many cells in each row as in the header. It is
    told from the first rows as they are read, so that what stands between quotation marks parts nothing.
    """
    best: tuple[tuple[bool, bool, float, int], str, int] | None = None
    trouble: csv.Error | None = None
    for separator in separators:
        try:
            lines = list(islice(csv.reader(io.StringIO(text, newline=""), delimiter=separator), _LOOKED_AT))
        except csv.Error as error:
            trouble = error
            continue
        start = _header_in(lines, titles)
        header, rows = lines[start] if lines else [], [line for line in lines[start + 1 :] if any(line)]
        alike = sum(len(line) == len(header) for line in rows) / max(len(rows), 1)
        known = not {cell.strip() for cell in header}.isdisjoint(titles)
        found = (known, len(header) > 1, alike, len(header)), separator, start
        best = found if best is None or found[0] > best[0] else best
    try:
        if best is None:
            raise trouble or csv.Error("it has no rows")
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=best[1]))[best[2] :]
    except csv.Error as error:
        raise ValueError(f"{name} cannot be read as a table: {error}; export it again without long texts") from None


def _header_in(lines: Sequence[Sequence[str]], titles: Collection[str]) -> int:
    """Which row is the header: above it stand rows of one cell at most, where a row with titles follows."""
    for k, line in enumerate(lines[:_ABOVE]):
        cells = {cell.strip() for cell in line}
        if not cells.isdisjoint(titles):
            return k
        if len(cells - {""}) > 1:
            return 0 if any(re.search(r"\d", cell) for cell in cells) else k  # titles in any language have no digits
    return 0
