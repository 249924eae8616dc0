"""Axes in SVG, for charts that are drawn where Matplotlib is not: in a browser, or forty times for one figure.

The one idea: a chart of a few lines needs two scales, round ticks and a key, and each is a handful of SVG elements.
Their coordinates are rounded, so pictures of one series share most of their bytes.
"""

import itertools
import math
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from coursepkg.visualize.chart.common import ticks
from coursepkg.visualize.paper import GRID, INK, MUTED, format_number, svg, text_width

LETTERS = 15.5  # pixels: with them, a chart of 640 pixels is still read on a phone
DASHES = ("", "8 4", "10 3 2 3", "2 3.5", "14 3 2 3 2 3", "2 2")  # those of the style, as SVG writes them
_ROW, _SAMPLE = 24.0, 34.0  # pixels: of the key
_NUMBER = re.compile(r"−?[\d.]+(e−?\d+)?")
_Y_LABEL = 30.0  # pixels between the label of the y axis and the axis


class Named(NamedTuple):
    """An entry of a key: what is said, and the line that it explains."""

    label: str
    stroke: str
    dash: str = ""
    width: float = 2.0
    dot: bool = False


class Axes:
    """A rectangle with two linear scales.

    Parameters
    ----------
    x_range, y_range : (float, float)
        What lies at the edges, in the units of the data.
    left, top, width, height : float
        The rectangle in pixels.

    Examples
    --------
    >>> Axes((0, 10), (0, 1), left=50, top=20, width=500, height=200).at(5, 1)
    (300.0, 20.0)
    """

    def __init__(
        self, x_range: svg.Point, y_range: svg.Point, *, left: float, top: float, width: float, height: float
    ) -> None:
        self.x_range, self.y_range = x_range, y_range
        self.left, self.top, self.right, self.bottom = left, top, left + width, top + height

    def at(self, x: float, y: float) -> svg.Point:
        """Where a point lies, in pixels."""
        across = (x - self.x_range[0]) / (self.x_range[1] - self.x_range[0])
        up = (y - self.y_range[0]) / (self.y_range[1] - self.y_range[0])
        return self.left + across * (self.right - self.left), self.bottom - up * (self.bottom - self.top)

    def shows(self, x: float, y: float) -> bool:
        """Whether a point lies in the rectangle."""
        return self.x_range[0] <= x <= self.x_range[1] and self.y_range[0] <= y <= self.y_range[1]

    def frame(self, xlabel: str = "", ylabel: str = "") -> list[str]:
        """The grid, the two axes, their numbers, and what they count; the y axis is named over its upper end."""
        parts = []
        for tick in ticks(*self.x_range):
            x, _ = self.at(tick, self.y_range[0])
            parts.append(svg.line(x, self.top, x, self.bottom, stroke=GRID, width=0.8))
            if xlabel:
                label = format_number(tick)
                parts.append(svg.text(x, self.bottom + 20, label, size=LETTERS, anchor="middle", halo=False))
        for tick in ticks(*self.y_range):
            _, y = self.at(self.x_range[0], tick)
            parts.append(svg.line(self.left, y, self.right, y, stroke=GRID, width=0.8))
            parts.append(svg.text(self.left - 8, y + 5.5, format_number(tick), size=LETTERS, anchor="end", halo=False))
        corner = [(self.left, self.top), (self.left, self.bottom), (self.right, self.bottom)]
        parts.append(svg.path(svg.polygon(corner, closed=False), stroke=MUTED, width=1))
        middle = (self.left + self.right) / 2
        if xlabel:
            parts.append(svg.text(middle, self.bottom + 43, xlabel, size=LETTERS, anchor="middle", halo=False))
        if ylabel:
            parts.append(svg.text(10, self.top - 12, ylabel, size=LETTERS, halo=False))
        return parts

    def line(
        self, points: Iterable[svg.Point], *, stroke: str, dash: str = "", width: float = 2.0, role: str = ""
    ) -> str:
        """A line from point to point, as far as it lies in the rectangle; a point that is not finite interrupts it."""
        corners = [self.at(x, y) if math.isfinite(x) and math.isfinite(y) else None for x, y in points]
        pieces: list[list[svg.Point]] = []
        for start, stop in itertools.pairwise(corners):
            seen = self._inside(start, stop) if start and stop else None
            if seen is None:
                continue
            if pieces and pieces[-1][-1] == seen[0]:
                pieces[-1].append(seen[1])
            else:
                pieces.append([*seen])
        commands = "".join(svg.polygon(piece, closed=False) for piece in pieces)
        return svg.path(commands, stroke=stroke, width=width, dash=dash, role=role)

    def _inside(self, start: svg.Point, stop: svg.Point) -> tuple[svg.Point, svg.Point] | None:
        """The part of a straight line in the rectangle (Liang and Barsky, 1984)."""
        (x, y), dx, dy = start, stop[0] - start[0], stop[1] - start[1]
        first, last = 0.0, 1.0
        for step, room in ((-dx, x - self.left), (dx, self.right - x), (-dy, y - self.top), (dy, self.bottom - y)):
            if step == 0:
                if room < 0:
                    return None
            elif step < 0:
                first = max(first, room / step)
            else:
                last = min(last, room / step)
        if first > last:
            return None
        begin = (x + first * dx, y + first * dy) if first > 0 else start
        return begin, (x + last * dx, y + last * dy) if last < 1 else stop

    def dot(self, x: float, y: float, *, fill: str = INK, radius: float = 4.5, role: str = "point") -> str:
        """A mark at a point."""
        return svg.circle(*self.at(x, y), radius, fill=fill, role=role)


def margin(y_range: svg.Point) -> float:
    """The room that the numbers of a y axis take on its left, in pixels."""
    return max(text_width(format_number(tick), LETTERS) for tick in ticks(*y_range)) + 18


def key_rows(entries: Sequence[Named], width: float) -> list[list[tuple[float, Named]]]:
    """The entries of a key in rows of at most this width, each with its place.

    Each number gets the room of one with a sign and three digits: so places stay while the numbers change.
    """
    rows: list[list[tuple[float, Named]]] = []
    place = math.inf
    for entry in entries:
        longest = max(text_width(label, LETTERS) for label in (entry.label, _NUMBER.sub("−0.00", entry.label)))
        room = _SAMPLE + 8 + longest + 16
        if place + room - 16 > width:
            rows.append([])
            place = 0.0
        rows[-1].append((place, entry))
        place += room
    return rows


def draw_key(entries: Sequence[Named], left: float, top: float, width: float) -> tuple[list[str], float]:
    """A key, and its height in pixels."""
    parts, rows = [], key_rows(entries, width)
    for number, row in enumerate(rows):
        y = top + _ROW * number + 12
        for place, entry in row:
            x = left + place
            parts.append(svg.line(x, y, x + _SAMPLE, y, stroke=entry.stroke, dash=entry.dash, width=entry.width))
            if entry.dot:
                parts.append(svg.circle(x + _SAMPLE / 2, y, 4.5, fill=INK))
            parts.append(svg.text(x + _SAMPLE + 8, y + 5.5, entry.label, size=LETTERS, halo=False, role="key"))
    return parts, _ROW * len(rows)


def above(ylabel: str) -> float:
    """The room that the name of a y axis takes over it, in pixels."""
    return _Y_LABEL if ylabel else 8.0
