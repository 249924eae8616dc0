"""Arrows in the plane and what a map does to them: a circle of nudges and its image, and the adjoint test.

The one idea: near a point a smooth map is linear, so a circle of nudges comes out as an ellipse, and the images of the
axes are the columns of the Jacobian. A nudge goes forward, prices come back, and what a nudge is worth is the same at
both ends. (The identity is older than computers; as a test of programs it is in A. Griewank and A. Walther, *Evaluating
Derivatives*, SIAM 2008.)
"""

import math
from collections.abc import Sequence
from typing import Any

from coursepkg.visualize.paper import Pair, Picture, Plane, Point, format_number, page, pairs, svg, text_width
from coursepkg.visualize.paper.style import CYCLE, EDGE, GRADIENT, GRID, INK, MUTED, SHADE, VALUE

_SIDE = 230.0
_PANEL, _GAP, _LEFT = 200.0, 70.0, 14.0
_WIDTH = 2 * _LEFT + 2 * _PANEL + _GAP
_CLOSE = 1e-9


def draw_directions(
    directions: Any,
    images: Any,
    *,
    chosen: int = 0,
    inputs: Sequence[str] = ("x₁", "x₂"),
    outputs: Sequence[str] = ("y₁", "y₂"),
    reach: float = 0.0,
    title: str = "",
) -> Picture:
    """Draw nudges in the plane and where a linear map takes them, both to the same scale.

    Parameters
    ----------
    directions : array, shape (n, 2)
        The nudges, in order round a circle; number 0 is the first axis and number n / 4 the second.
    images : array, shape (n, 2)
        For each nudge the change of the output.
    chosen : int
        Which nudge is drawn as an arrow.
    inputs, outputs : sequence of str
        Names of the axes.
    reach : float
        What both panels are drawn to: half their width. By default as large as they need.
    title : str
        A line over the picture.

    Raises
    ------
    ValueError
        If directions and images are not as many pairs, at least 8 and a multiple of 4.

    Examples
    --------
    >>> import math
    >>> circle = [(math.cos(k * math.pi / 4), math.sin(k * math.pi / 4)) for k in range(8)]
    >>> print(draw_directions(circle, [(2 * a, b) for a, b in circle]).alt[:112])
    A circle of nudges becomes an ellipse. The nudge (1, 0) changes the output by (2, 0), 2 times its length. The fi
    """
    nudges, changes = pairs(directions), pairs(images)
    count = len(nudges)
    if count != len(changes) or count < 8 or count % 4:
        raise ValueError(
            f"draw_directions needs as many images as directions, at least 8 and a multiple of 4; got {count} and "
            f"{len(changes)}"
        )
    reach = reach or 1.5 * max(1e-12, *(math.hypot(*pair) for pair in (*nudges, *changes)))
    parts = []
    for points, names, head, mark, left in (
        (nudges, inputs, "nudges, all of length 1", "axis", 18.0),
        (changes, outputs, "what each does to the output", "column", 78.0 + _SIDE),
    ):
        plane = Plane(reach, side=_SIDE, left=left, top=26.0)
        parts.append(svg.text(left + _SIDE / 2, 16, head, anchor="middle", fill=MUTED, size=13, halo=False))
        parts += _panel(plane, points, names, mark) + plane.arrow(
            points[chosen % count], stroke=CYCLE[1], width=3.4, role="tip"
        )
    parts += svg.arrow((_SIDE + 30, 26 + _SIDE / 2), (_SIDE + 64, 26 + _SIDE / 2), stroke=INK, width=2)
    return page(2 * _SIDE + 96, _SIDE + 34, parts, _say(nudges, changes, chosen % count), title=title)


def _panel(plane: Plane, points: list[Point], names: Sequence[str], mark: str) -> list[str]:
    """The outline of all points, and the two that belong to the axes of the input."""
    middle = plane.at((0.0, 0.0))
    outline = svg.polygon(map(plane.at, points))
    parts = [*plane.axes(names), svg.path(outline, stroke=CYCLE[0], width=1.6, fill=SHADE, role="outline")]
    for number, point in enumerate((points[0], points[len(points) // 4]), 1):
        x, y = plane.at(point)
        parts.append(svg.line(*middle, x, y, stroke=MUTED, width=1.4, dash="4 3"))
        parts.append(svg.circle(x, y, 4, fill=CYCLE[0], stroke=INK, width=1))
        right = middle[0] <= x < plane.left + plane.side - text_width(f"{mark} {number}", 13)
        lift = 14 if y > middle[1] - 1 else -8
        place: dict[str, Any] = {"anchor": "start" if right else "end", "size": 13.0, "fill": MUTED}
        parts.append(svg.text(x + (8 if right else -8), y + lift, f"{mark} {number}", **place))
    return parts


def _say(nudges: list[Point], changes: list[Point], chosen: int) -> str:
    def words(pair: Point) -> str:
        return f"({format_number(round(pair[0], 9))}, {format_number(round(pair[1], 9))})"

    stretch = math.hypot(*changes[chosen]) / max(math.hypot(*nudges[chosen]), 1e-300)
    quarter = len(nudges) // 4
    return (
        f"A circle of nudges becomes an ellipse. The nudge "
        f"{words(nudges[chosen])} changes the output by {words(changes[chosen])}, {format_number(round(stretch, 9))} "
        f"times its length. The first axis goes to {words(changes[0])}, the second to {words(changes[quarter])}."
    )


def draw_adjoint(
    x_dot: Any, x_bar: Any, y_dot: Any, y_bar: Any, *, reach: float = 0.0, most: float = 0.0, title: str = ""
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
        left = _LEFT + place * (_PANEL + _GAP)
        parts.append(svg.text(left + _PANEL / 2, 18, head, anchor="middle", fill=MUTED, size=13, halo=False))
        parts += _arrows(Plane(reach, side=_PANEL, left=left, top=26), end, letters)
    middle, high = _LEFT + _PANEL + _GAP / 2, 26 + _PANEL / 2
    for y, words, colour, way, dash in ((high - 24, "jvp", VALUE, 20, ""), (high + 28, "vjp", GRADIENT, -20, "6 4")):
        parts += svg.arrow((middle - way, y), (middle + way, y), stroke=colour, dash=dash)
        parts.append(svg.text(middle, y - 10, words, anchor="middle", fill=colour, size=13, halo=False))
    parts += _bars(_PANEL + 48, worth, most or max(map(abs, worth)), equal)
    words = "equal" if equal else f"not equal: {_number(worth[0])} and {_number(worth[1])}"
    (nudge, price), (moved, sent) = ends
    alt = (
        f"At the input the nudge {_written(nudge)} meets the prices {_written(price)}: it is worth "
        f"{_number(worth[0])}. At the output it has become {_written(moved)} and meets the prices {_written(sent)}: it "
        f"is worth {_number(worth[1])}. The two are {words}."
    )
    return page(_WIDTH, _PANEL + 120, parts, alt, title=title)


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


def _written(pair: Pair) -> str:
    return f"({_number(pair[0])}, {_number(pair[1])})"
