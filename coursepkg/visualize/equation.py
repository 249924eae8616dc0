"""Pictures and signs in one row, as in an equation: row vector · matrix = row vector.

The one idea: a product of matrices is understood by looking at its factors side by side, so drawings are set like the
letters of a formula, each centred on the same line.
"""

import re

from coursepkg.visualize import svg
from coursepkg.visualize.picture import Picture
from coursepkg.visualize.text import text_width, wrap

_SIZE = re.compile(r'<svg xmlns="http://www\.w3\.org/2000/svg" width="([\d.]+)" height="([\d.]+)"')
_SIGN = 20.0


def draw_equation(*items: Picture | str, title: str = "", note: str = "") -> Picture:
    """Draw pictures and signs from left to right, centred on one line.

    Parameters
    ----------
    *items : Picture or str
        Drawings of the course (:func:`draw_matrix`, :func:`draw_graph`, ...), and texts such as "·" and "=" between.
    title : str
        A line over the row.
    note : str
        A sentence under the row.

    Returns
    -------
    Picture

    Raises
    ------
    TypeError
        If an item is neither a Picture nor text.
    ValueError
        If there is no picture, or one was not drawn by the course (a Matplotlib figure has a page of its own).

    Examples
    --------
    >>> from coursepkg.visualize.matrix import draw_matrix
    >>> draw_equation(draw_matrix([[1.0]]), "=", draw_matrix([[1.0]]), title="Alike")  # doctest: +ELLIPSIS
    Figure: Alike. ... = ...
    """
    sizes = [_size(item) for item in items]
    if not any(isinstance(item, Picture) for item in items):
        raise ValueError("draw_equation needs at least one picture: draw_equation(draw_matrix(J), '=', ...)")
    top = 34.0 if title else 0.0
    height = max(tall for _, tall in sizes)
    parts = [svg.text(14, 22, title, size=15, weight="bold", halo=False)] if title else []
    x = 0.0
    for item, (width, tall) in zip(items, sizes, strict=True):
        if isinstance(item, Picture):
            parts.append(svg.nested(item.svg, x, top + (height - tall) / 2))
        else:
            parts.append(
                svg.text(
                    x + width / 2, top + height / 2 + 7, item, size=_SIGN, anchor="middle", halo=False, role="sign"
                )
            )
        x += width
    full = max(x, text_width(title, 15) * svg.BOLD + 28)
    lines = wrap(note, 13, full - 28) if note else []
    for row, line in enumerate(lines):
        parts.append(svg.text(14, top + height + 16 + 18 * row, line, halo=False, role="note"))
    words = " ".join(item.alt if isinstance(item, Picture) else item for item in items)
    heading = f"{title.rstrip('. ')}. " if title else ""
    page = svg.document(full, top + height + (18 * len(lines) + 8 if lines else 0), parts, title=title)
    return Picture(page, f"{heading}{words}{' ' + note if note else ''}")


def _size(item: Picture | str) -> tuple[float, float]:
    if isinstance(item, str):
        return text_width(item, _SIGN) + 8, 30.0
    if not isinstance(item, Picture):
        raise TypeError(f"draw_equation sets pictures and texts in a row, got {type(item).__name__}")
    found = _SIZE.match(item.svg)
    if found is None:
        raise ValueError(
            "draw_equation needs drawings of the course (draw_matrix, draw_graph, ...), not a Matplotlib figure"
        )
    return float(found[1]), float(found[2])
