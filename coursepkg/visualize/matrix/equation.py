"""Pictures and signs in one row, as in an equation: row vector · matrix = row vector.

The one idea: a product of matrices is understood by looking at its factors side by side, so drawings are set like the
letters of a formula, each centred on the same line.
"""

from typing import Any

from coursepkg.visualize.paper import svg
from coursepkg.visualize.paper.picture import Picture, page
from coursepkg.visualize.paper.text import text_width

_SIGN = 20.0


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
