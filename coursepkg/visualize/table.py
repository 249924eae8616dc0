"""Rows under headings, for results that are words and numbers.

The one idea: a table on the page is a table in HTML, with a caption and marked headings, so that a screen reader can
walk it; as text the same table has aligned columns, or, where words are long, one block per row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from coursepkg.visualize.text import format_number

_WIDEST = 100


@dataclass(frozen=True)
class Table:
    """Rows that show themselves in a notebook; make one with :func:`draw_table`."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str

    def __repr__(self) -> str:
        lines = [self.headings, *self.rows]
        widths = [max(len(line[k]) for line in lines) for k in range(len(self.headings))]
        if sum(widths) + 2 * len(widths) > _WIDEST:
            return "\n".join([self.caption, *map(self._block, self.rows)])
        aligned = ["  ".join(cell.ljust(n) for cell, n in zip(line, widths, strict=True)).rstrip() for line in lines]
        return "\n".join([self.caption, *aligned])

    def _block(self, row: tuple[str, ...]) -> str:
        pairs = [f"    {heading}: {cell}" for heading, cell in zip(self.headings[1:], row[1:], strict=True)]
        return "\n".join([row[0], *pairs])

    def _repr_html_(self) -> str:
        align = 'style="text-align:left;vertical-align:top"'
        head = "".join(f'<th scope="col" {align}>{escape(heading)}</th>' for heading in self.headings)
        body = "".join(
            f'<tr><th scope="row" {align}>{escape(row[0])}</th>'
            + "".join(f"<td {align}>{escape(cell)}</td>" for cell in row[1:])
            + "</tr>"
            for row in self.rows
        )
        caption = f'<caption style="text-align:left">{escape(self.caption)}</caption>'
        return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def draw_table(rows: Sequence[Mapping[str, Any]], *, caption: str) -> Table:
    """Show rows that are mappings with the same keys as a table.

    Parameters
    ----------
    rows : sequence of mapping
        The keys of the first are the headings. Numbers are written as in the course's pictures.
    caption : str
        What the table shows.

    Returns
    -------
    Table

    Raises
    ------
    ValueError
        If there are no rows, one has other keys than the first, or the caption is empty.

    Examples
    --------
    >>> draw_table([{"method": "backprop", "loss": 0.25}, {"method": "signs", "loss": 1}], caption="After one epoch")
    After one epoch
    method    loss
    backprop  0.25
    signs     1
    """
    if not rows or not caption.strip():
        raise ValueError("a table needs at least one row, and a caption that says what it shows")
    headings = tuple(rows[0])
    for row in rows:
        if tuple(row) != headings:
            raise ValueError(f"each row needs the headings {', '.join(headings)}; got {', '.join(map(str, row))}")
    cells = tuple(tuple(_words(value) for value in row.values()) for row in rows)
    return Table(headings, cells, caption)


def _words(value: Any) -> str:
    return value if isinstance(value, str) else format_number(value)
