"""What a map does to directions: a circle of nudges on the left, the changes of the output on the right.

The one idea: near a point a smooth map is linear, so a circle of nudges comes out as an ellipse, and the images of the
two axes are the columns of the Jacobian.
"""

import math
from collections.abc import Sequence
from typing import Any

from coursepkg.visualize.paper import CYCLE, INK, MUTED, SHADE, Plane, Point, format_number, pairs, svg, text_width
from coursepkg.visualize.paper.picture import Picture, page

_SIDE = 230.0


def draw_directions(
    directions: Any,
    images: Any,
    *,
    chosen: int = 0,
    inputs: Sequence[str] = ("x₁", "x₂"),
    outputs: Sequence[str] = ("y₁", "y₂"),
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
    reach = 1.5 * max(1e-12, *(math.hypot(*pair) for pair in (*nudges, *changes)))
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
