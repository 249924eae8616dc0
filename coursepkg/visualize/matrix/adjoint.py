"""The adjoint test as a picture: what a nudge is worth, found at the input and found at the output.

The one idea: a nudge goes forward, prices go backward, and both ends must give the same number. So the two numbers
are bars from one zero line. (The identity is older than computers; as a test of programs it is in A. Griewank and
A. Walther, *Evaluating Derivatives*, SIAM 2008.)
"""

import math
from typing import Any

from coursepkg.visualize.paper import EDGE, GRADIENT, GRID, INK, MUTED, VALUE, Pair, Picture, Plane, page, svg
from coursepkg.visualize.paper.text import format_number

_SIDE, _GAP, _LEFT = 200.0, 70.0, 14.0
_WIDTH = 2 * _LEFT + 2 * _SIDE + _GAP
_CLOSE = 1e-9


def draw_adjoint(
    x_dot: Any,
    x_bar: Any,
    y_dot: Any,
    y_bar: Any,
    *,
    reach: float = 0.0,
    most: float = 0.0,
    title: str = "",
) -> Picture:
    """Draw a nudge and prices at both ends of a map from the plane to the plane, and what the nudge is worth at each.

    Parameters
    ----------
    x_dot, x_bar : pair of float
        At the input: the nudge, and the prices that came back.
    y_dot, y_bar : pair of float
        At the output: where the nudge has got to, and the prices that were sent back.
    reach : float
        What the arrows are drawn to: half the width of a panel. By default as large as they need.
    most : float
        What the bars are drawn to. By default as large as they need.
    title : str
        A line over the picture.

    Examples
    --------
    >>> print(draw_adjoint((1, 0), (2, 1), (2, 0), (1, 0), title="A map").alt)
    A map. At the input the nudge (1, 0) meets the prices (2, 1): it is worth 2. At the output it has become (2, 0) \
and meets the prices (1, 0): it is worth 2. The two are equal.
    """
    ends = [[_pair(vector) for vector in end] for end in ((x_dot, x_bar), (y_dot, y_bar))]
    worth = [a[0] * b[0] + a[1] * b[1] for a, b in ends]
    equal = math.isclose(*worth, rel_tol=_CLOSE, abs_tol=0.0)
    reach = reach or 1.2 * max(math.hypot(*vector) for end in ends for vector in end)
    parts: list[str] = []
    names = (("at the input", ("x\u0307", "x\u0304")), ("at the output", ("y\u0307", "y\u0304")))
    for place, (end, (head, letters)) in enumerate(zip(ends, names, strict=True)):
        left = _LEFT + place * (_SIDE + _GAP)
        parts.append(svg.text(left + _SIDE / 2, 18, head, anchor="middle", fill=MUTED, size=13, halo=False))
        parts += _arrows(Plane(reach, side=_SIDE, left=left, top=26), end, letters)
    middle, high = _LEFT + _SIDE + _GAP / 2, 26 + _SIDE / 2
    for y, words, colour, way, dash in ((high - 24, "jvp", VALUE, 20, ""), (high + 28, "vjp", GRADIENT, -20, "6 4")):
        parts += svg.arrow((middle - way, y), (middle + way, y), stroke=colour, dash=dash)
        parts.append(svg.text(middle, y - 10, words, anchor="middle", fill=colour, size=13, halo=False))
    parts += _bars(_SIDE + 48, worth, most or max(map(abs, worth)), equal)
    words = "equal" if equal else f"not equal: {_number(worth[0])} and {_number(worth[1])}"
    (nudge, price), (moved, sent) = ends
    alt = (
        f"At the input the nudge {_say(nudge)} meets the prices "
        f"{_say(price)}: it is worth {_number(worth[0])}. At the output it has become {_say(moved)} and meets the "
        f"prices {_say(sent)}: it is worth {_number(worth[1])}. The two are {words}."
    )
    return page(_WIDTH, _SIDE + 120, parts, alt, title=title)


def _arrows(plane: Plane, end: list[Pair], letters: tuple[str, str]) -> list[str]:
    """The axes, a solid nudge and dashed prices, each with its letter beside its tip."""
    parts = plane.axes()
    spots: list[Pair] = []
    looks = ((VALUE, "", "nudge"), (GRADIENT, "6 4", "prices"))
    for vector, letter, (colour, dash, role) in zip(end, letters, looks, strict=True):
        parts += plane.arrow(vector, stroke=colour, dash=dash, role=role)
        length = max(math.hypot(*vector), 1e-12)
        further = 1 + 14 / (length * plane.scale)
        x, y = plane.at((vector[0] * further, vector[1] * further))
        if any(math.hypot(x - a, y - b) < 16 for a, b in spots):  # two letters would lie on each other
            x += 18 if vector[0] >= 0 else -18
        spots.append((x, y))
        parts.append(svg.text(x, y + 5, letter, anchor="middle", fill=colour, size=15, weight="bold"))
    return parts


def _bars(top: float, worth: list[float], most: float, equal: bool) -> list[str]:
    """Two bars from one zero line, and whether they are equal."""
    zero, half = _LEFT + 270.0, 110.0
    parts = [svg.line(zero, top - 4, zero, top + 46, stroke=EDGE, width=1.4)]
    for row, (name, value) in enumerate(zip(("worth at the input", "worth at the output"), worth, strict=True)):
        y = top + row * 24
        end = zero + half * max(-1.0, min(1.0, value / max(most, 1e-12)))
        parts.append(svg.text(_LEFT, y + 14, name, size=14, halo=False))
        parts.append(svg.rectangle(min(zero, end), y, abs(end - zero), 18, fill=GRID, stroke=INK, role="worth"))
        parts.append(svg.text(_WIDTH - _LEFT, y + 14, _number(value), size=14, anchor="end", halo=False))
    mark = "equal" if equal else "not equal"
    y = top + 66
    parts.append(svg.text(_WIDTH - _LEFT, y, mark, size=14, weight="bold", anchor="end", halo=False))
    return parts


def _pair(vector: Any) -> Pair:
    a, b = vector
    return float(a), float(b)


def _number(value: float) -> str:
    return format_number(round(value, 3))


def _say(pair: Pair) -> str:
    return f"({_number(pair[0])}, {_number(pair[1])})"
