"""What a map does to directions: a circle of nudges on the left, the changes of the output on the right.

The one idea: near a point a smooth map is linear, so a circle of nudges comes out as an ellipse, and the images of the
two axes are the columns of the Jacobian.
"""

import math
from collections.abc import Sequence
from typing import Any

from coursepkg.visualize import svg
from coursepkg.visualize.picture import Picture
from coursepkg.visualize.style import CYCLE, GRID, INK, MUTED, SHADE
from coursepkg.visualize.text import format_number, text_width

_PANEL = 250.0
_REACH = 96.0


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

    Returns
    -------
    Picture

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
    nudges, changes = _pairs(directions), _pairs(images)
    count = len(nudges)
    if count != len(changes) or count < 8 or count % 4:
        raise ValueError(
            f"draw_directions needs as many images as directions, at least 8 and a multiple of 4; got {count} and "
            f"{len(changes)}"
        )
    scale = _REACH / max(1e-12, *(math.hypot(*pair) for pair in (*nudges, *changes)))
    top = 34.0 if title else 6.0
    parts = [svg.text(14, 22, title, size=15, weight="bold", halo=False)] if title else []
    heads = ("nudges of the input, all of length 1", "what each does to the output")
    marks = ({0: "axis 1", count // 4: "axis 2"}, {0: "column 1", count // 4: "column 2"})
    for place, (pairs, names) in enumerate(((nudges, inputs), (changes, outputs))):
        middle = (14 + _PANEL / 2 + place * (_PANEL + 60), top + 22 + _PANEL / 2)
        parts.append(svg.text(middle[0], top + 14, heads[place], anchor="middle", fill=MUTED, size=12, halo=False))
        parts += _panel(pairs, middle, scale, chosen % count, names, marks[place])
    x, y = 14 + _PANEL + 30, top + 22 + _PANEL / 2
    parts += [svg.line(x - 18, y, x + 10, y, width=2), svg.arrow_head(x + 16, y, size=10)]
    width = max(28 + 2 * _PANEL + 60, text_width(title, 15) * svg.BOLD + 28)
    page = svg.document(width, top + _PANEL + 30, parts, title=title)
    return Picture(page, _say(nudges, changes, chosen % count, title))


def _pairs(points: Any) -> list[tuple[float, float]]:
    listed = points.tolist() if hasattr(points, "tolist") else points
    return [(float(a), float(b)) for a, b in listed]


def _panel(
    pairs: list[tuple[float, float]],
    middle: tuple[float, float],
    scale: float,
    chosen: int,
    names: Sequence[str],
    marks: dict[int, str],
) -> list[str]:
    cx, cy = middle
    spots = [(cx + a * scale, cy - b * scale) for a, b in pairs]
    half = _PANEL / 2 - 4
    outline = "M" + "L".join(f"{svg.number(x)} {svg.number(y)}" for x, y in spots) + "Z"
    parts = [
        svg.line(cx - half, cy, cx + half, cy, stroke=GRID, width=1.2),
        svg.line(cx, cy - half, cx, cy + half, stroke=GRID, width=1.2),
        svg.text(cx + half, cy - 6, names[0], anchor="end", fill=MUTED, size=12),
        svg.text(cx + 6, cy - half + 10, names[1], fill=MUTED, size=12),
        svg.path(outline, stroke=CYCLE[0], width=1.6, fill=SHADE, role="outline"),
    ]
    for index, label in marks.items():
        x, y = spots[index]
        parts.append(svg.line(cx, cy, x, y, stroke=MUTED, width=1.4, dash="4 3"))
        parts.append(svg.circle(x, y, 4, fill=CYCLE[0], stroke=INK, width=1))
        out = 1 if x >= cx else -1
        lift = 14 if y > cy - 1 else -8
        parts.append(svg.text(x + 8 * out, y + lift, label, size=12, anchor="start" if out > 0 else "end", fill=MUTED))
    return parts + _arrow(cx, cy, *spots[chosen])


def _arrow(x1: float, y1: float, x2: float, y2: float) -> list[str]:
    length = math.hypot(x2 - x1, y2 - y1)
    if length < 1:
        return [svg.circle(x2, y2, 5, fill=CYCLE[1], stroke=INK, role="tip")]
    u, v = (x2 - x1) / length, (y2 - y1) / length
    tip = f"M{svg.number(x2)} {svg.number(y2)}"
    for side in (1, -1):
        tip += f"L{svg.number(x2 - 12 * u + 5 * side * v)} {svg.number(y2 - 12 * v - 5 * side * u)}"
    return [
        svg.line(x1, y1, x2 - 8 * u, y2 - 8 * v, stroke=CYCLE[1], width=3.4, role="arrow"),
        svg.path(tip + "Z", stroke=CYCLE[1], fill=CYCLE[1], width=1, role="tip"),
    ]


def _say(nudges: list[tuple[float, float]], changes: list[tuple[float, float]], chosen: int, title: str) -> str:
    def words(pair: tuple[float, float]) -> str:
        return f"({format_number(round(pair[0], 9))}, {format_number(round(pair[1], 9))})"

    stretch = math.hypot(*changes[chosen]) / max(math.hypot(*nudges[chosen]), 1e-300)
    quarter = len(nudges) // 4
    return (
        f"{title.rstrip('. ') + '. ' if title else ''}A circle of nudges becomes an ellipse. The nudge "
        f"{words(nudges[chosen])} changes the output by {words(changes[chosen])}, {format_number(round(stretch, 9))} "
        f"times its length. The first axis goes to {words(changes[0])}, the second to {words(changes[quarter])}."
    )
