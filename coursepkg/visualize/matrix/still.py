"""A matrix as a heat map with its numbers, alone or in a row with others as in an equation, in pure Python.

The one idea: in a Jacobian what matters first is which entries are exactly zero, then sign, then size. Zeros are marked
by a dot on white, signs by two hues centred at zero and by the printed number.
"""

from collections.abc import Sequence
from typing import Any

from coursepkg.visualize.paper import GRID, MUTED, Picture, format_number, page, plural, signed, svg, text_width

_NUMBERS_UP_TO = 16
_CELL = 26.0
_SOFT = 0.36  # of the full colour, under numbers: ink is read on it on white paper and, turned around, on black
_SIGN = 20.0


def draw_matrix(
    matrix: Any,
    *,
    rows: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    title: str = "",
    numbers: bool | None = None,
    full: float = 0.0,
) -> Picture:
    """Draw a matrix; exact zeros get a dot, other entries a colour centred at zero and, while they fit, a number.

    Parameters
    ----------
    matrix : array, or list of lists of float, shape (m, n)
        The entries.
    rows, columns : sequence of str, optional
        Names, of length m and n.
    title : str
        A line over the matrix.
    numbers : bool, optional
        Write the entries; by default up to 16 columns.
    full : float
        The size that gets the full colour. By default it is the largest entry; give matrices that stand beside each
        other the same one.

    Raises
    ------
    ValueError
        If the entries form no rectangle, the names do not match it, or `full` is negative.

    Examples
    --------
    >>> draw_matrix([[1.0, 0.0], [0.0, -2.0]], title="Jacobian")
    Figure: Jacobian. Matrix of 2 rows and 2 columns, 2 of 4 entries are zero. Row 1: 1, 0. Row 2: 0, −2.
    """
    entries = _entries(matrix)
    height, width = len(entries), len(entries[0])
    for names, length, what in ((rows, height, "rows"), (columns, width, "columns")):
        if names is not None and len(names) != length:
            raise ValueError(f"the matrix has {length} {what}, but {len(names)} names were given for them")
    if full < 0:
        raise ValueError(f"full is the size of an entry in full colour, 0 or more; got {full}")
    write = width <= _NUMBERS_UP_TO if numbers is None else numbers
    return page(*_drawn(entries, rows, columns, write, full or _largest(entries)), _say(entries, rows), title=title)


def _entries(matrix: Any) -> list[list[float]]:
    listed = matrix.tolist() if hasattr(matrix, "tolist") else matrix
    try:
        entries = [[float(entry) for entry in row] for row in listed]
    except TypeError as error:
        raise ValueError(
            "draw_matrix needs two dimensions, rows of numbers; reshape the array to (m, n) first"
        ) from error
    if not entries or not entries[0] or len({len(row) for row in entries}) > 1:
        raise ValueError(f"draw_matrix needs rows of equal length, got lengths {[len(row) for row in entries][:8]}")
    return entries


def _largest(entries: list[list[float]]) -> float:
    return max((abs(e) for row in entries for e in row if abs(e) < float("inf")), default=0.0) or 1.0


def _drawn(
    entries: list[list[float]], rows: Sequence[str] | None, columns: Sequence[str] | None, write: bool, full: float
) -> tuple[float, float, list[str]]:
    """Width, height and parts."""
    widest = max(text_width(format_number(entry), 12) for row in entries for entry in row) + 12
    column_names = max((text_width(name, 12) for name in columns or ()), default=0.0) + 10
    cell = max(widest, _CELL, column_names if columns else 0) if write else 12.0
    tall = _CELL if write else 12.0
    left = 14 + max((text_width(name, 12) + 10 for name in rows or ()), default=0.0)
    top = 14 + (20 if columns and write else 0)
    parts = []
    for i, row in enumerate(entries):
        y = top + i * tall
        if rows and write:
            parts.append(svg.text(left - 8, y + tall / 2 + 4.3, rows[i], size=12, anchor="end", halo=False))
        for j, entry in enumerate(row):
            parts += _cell(entry, left + j * cell, y, cell, tall, full, write)
    if columns and write:
        for j, name in enumerate(columns):
            parts.append(svg.text(left + (j + 0.5) * cell, top - 7, name, size=12, anchor="middle", halo=False))
    return left + len(entries[0]) * cell + 14, top + len(entries) * tall + 14, parts


def _cell(entry: float, x: float, y: float, width: float, height: float, largest: float, write: bool) -> list[str]:
    fill = signed(entry / largest * (_SOFT if write else 1.0))
    parts = [svg.rectangle(x, y, width, height, fill=fill, stroke=GRID, line_width=1, role="cell")]
    if entry == 0:
        parts.append(
            svg.circle(x + width / 2, y + height / 2, 2 if write else 1, fill=MUTED, stroke=MUTED, width=0, role="zero")
        )
    elif write:
        text = format_number(entry)
        parts.append(
            svg.text(x + width / 2, y + height / 2 + 4.3, text, size=12, anchor="middle", halo=False, role="entry")
        )
    return parts


def _say(entries: list[list[float]], rows: Sequence[str] | None) -> str:
    height, width = len(entries), len(entries[0])
    zeros = sum(entry == 0 for row in entries for entry in row)
    text = f"Matrix of {plural(height, 'row')} and {plural(width, 'column')}, "
    text += f"{zeros:,} of {plural(height * width, 'entry', 'entries')} {'is' if zeros == 1 else 'are'} zero."
    if height * width <= 64:
        for i, row in enumerate(entries):
            text += f" Row {rows[i] if rows else i + 1}: {', '.join(format_number(entry) for entry in row)}."
    return text


def draw_equation(*items: Picture | str, title: str = "") -> Picture:
    """Draw pictures and signs from left to right, centred on one line.

    Parameters
    ----------
    *items : Picture or str
        Drawings (:func:`draw_matrix`, :func:`draw_graph`, ...), and texts such as "·" and "=" between.
    title : str
        A line over the row.

    Raises
    ------
    TypeError
        If an item is neither a Picture nor text.
    ValueError
        If there is no picture.

    Examples
    --------
    >>> from coursepkg.visualize.matrix.still import draw_matrix
    >>> draw_equation(draw_matrix([[1.0]]), "=", draw_matrix([[1.0]]), title="Alike")  # doctest: +ELLIPSIS
    Figure: Alike. ... = ...
    """
    sizes = [_size(item) for item in items]
    if not any(isinstance(item, Picture) for item in items):
        raise ValueError("draw_equation needs at least one picture: draw_equation(draw_matrix(J), '=', ...)")
    height = max(tall for _, tall in sizes)
    parts, x = [], 0.0
    for item, (width, tall) in zip(items, sizes, strict=True):
        if isinstance(item, Picture):
            parts.append(svg.nested(item.svg, x, (height - tall) / 2))
        else:
            place: dict[str, Any] = {"size": _SIGN, "anchor": "middle"}
            parts.append(svg.text(x + width / 2, height / 2 + 7, item, halo=False, role="sign", **place))
        x += width
    words = " ".join(item.alt if isinstance(item, Picture) else item for item in items)
    return page(x, height, parts, words, title=title)


def _size(item: Picture | str) -> tuple[float, float]:
    if isinstance(item, str):
        return text_width(item, _SIGN) + 8, 30.0
    if not isinstance(item, Picture):
        raise TypeError(f"draw_equation sets pictures and texts in a row, got {type(item).__name__}")
    return svg.size_of(item.svg)
