"""CSV files that people open in a spreadsheet, written so that no cell is a formula.

A cell that begins with ``=``, ``+``, ``-`` or ``@`` is run as a formula by spreadsheets, and names come from learners.
Such a cell is written with an apostrophe in front, which spreadsheets show as text.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from coursepkg.grading.reporting.gradebook import plain
from coursepkg.grading.submissions.sheets import is_formula


def cell(value: object) -> str:
    """A cell that is safe to open; marks are numbers and stay as they are."""
    text = plain(str(value)) if isinstance(value, str) else str(value)
    return f"'{text}" if isinstance(value, str) and is_formula(text) else text


def write_sheet(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]], encoding: str = "utf-8") -> None:
    """Write a CSV file; every text is made safe."""
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file)
        writer.writerow([cell(name) for name in header])
        writer.writerows([cell(value) for value in row] for row in rows)
