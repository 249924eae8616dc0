"""Results that are words and numbers, as a table with the numbers written as in the pictures."""

from collections.abc import Mapping, Sequence
from typing import Any

from coursepkg.tables import Table
from coursepkg.visualize.paper import format_number


def draw_table(rows: Sequence[Mapping[str, Any]], *, caption: str) -> Table:
    """Show rows that are mappings with the same keys as a table.

    Parameters
    ----------
    rows : sequence of mapping
        The keys of the first are the headings. Numbers are written as in the course's pictures.
    caption : str
        What the table shows.

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
    written = (tuple(v if isinstance(v, str) else format_number(v) for v in row.values()) for row in rows)
    return Table(headings, tuple(written), caption, "text-align:left", "text-align:left;vertical-align:top")
