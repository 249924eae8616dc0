"""Arrows from one point of a plane: what the drawings of gradients and directions share.

The one idea: a square with the origin in its middle and one scale for both axes, so that right angles look right.
"""

from collections.abc import Sequence
from typing import Any

from coursepkg.visualize.paper import svg
from coursepkg.visualize.paper.style import GRID, MUTED

Pair = svg.Point


class Plane:
    """A square piece of the plane round the origin, to draw arrows on.

    Parameters
    ----------
    reach : float
        Half the width of what is shown, in the units of the arrows.
    side : float
        Width and height in pixels.
    left, top : float
        Where its corner lies.
    """

    def __init__(self, reach: float, *, side: float = 380.0, left: float = 14.0, top: float = 14.0) -> None:
        self.reach, self.side, self.left, self.top = max(reach, 1e-12), side, left, top
        self.scale = side / 2 / self.reach

    def at(self, point: Pair) -> Pair:
        """Where a point lies, in pixels; what is further out is moved to the edge along its own direction."""
        x, y = point
        far = max(abs(x), abs(y)) / self.reach
        if far > 1:
            x, y = x / far, y / far
        return self.left + self.side / 2 + x * self.scale, self.top + self.side / 2 - y * self.scale

    def axes(self, names: Sequence[str] = ()) -> list[str]:
        """Two faint lines through the origin, with their names if they have some."""
        cx, cy = self.at((0.0, 0.0))
        right, bottom = self.left + self.side, self.top + self.side
        lines = [(self.left, cy, right, cy), (cx, self.top, cx, bottom)]
        parts = [svg.line(*ends, stroke=GRID, width=1.2) for ends in lines]
        if names:
            parts.append(svg.text(right - 4, cy - 6, names[0], anchor="end", fill=MUTED, size=13))
            parts.append(svg.text(cx + 6, self.top + 10, names[1], fill=MUTED, size=13))
        return parts

    def arrow(
        self, tip: Pair, *, stroke: str, width: float = 3.0, head: float = 11.0, dash: str = "", role: str = ""
    ) -> list[str]:
        """An arrow from the origin; one too short for a head is a dot, one that leaves the square has no head."""
        middle, end = self.at((0.0, 0.0)), self.at(tip)
        if max(abs(tip[0]), abs(tip[1])) > self.reach:
            return [svg.line(*middle, *end, stroke=stroke, width=width, dash=dash, role=role)]
        return svg.arrow(middle, end, stroke=stroke, width=width, size=head, dash=dash, role=role)

    def half(self, normal: Pair, *, fill: str, role: str = "half") -> str:
        """The half of the square on the side to which ``normal`` points."""
        cx, cy, half = *self.at((0.0, 0.0)), self.side / 2
        square = [(half, half), (-half, half), (-half, -half), (half, -half)]
        corners = _clip(square, normal)
        outline = svg.polygon((cx + x, cy - y) for x, y in corners)
        return svg.path(outline, stroke="none", fill=fill, width=0, role=role)


def _clip(corners: list[Pair], normal: Pair) -> list[Pair]:
    """Cut a polygon along the line through the origin at right angles to ``normal`` (Sutherland and Hodgman, 1974)."""
    kept: list[Pair] = []
    for (ax, ay), (bx, by) in zip(corners, corners[1:] + corners[:1], strict=True):
        a, b = ax * normal[0] + ay * normal[1], bx * normal[0] + by * normal[1]
        if a >= 0:
            kept.append((ax, ay))
        if a * b < 0:
            t = a / (a - b)
            kept.append((ax + t * (bx - ax), ay + t * (by - ay)))
    return kept


def pairs(points: Any) -> list[Pair]:
    """Points of any array-like as pairs of floats."""
    listed = points.tolist() if hasattr(points, "tolist") else points
    return [(float(a), float(b)) for a, b in listed]
