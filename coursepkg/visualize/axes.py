"""A small pair of axes in SVG, for plots that follow a slider.

The one idea: a frame is two scales and the strings that draw them; what stands in it is lines, dots and texts, each a
string as well. A plot of a few hundred points takes a millisecond, where Matplotlib takes a tenth of a second.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from coursepkg.visualize import svg
from coursepkg.visualize.scale import Scale
from coursepkg.visualize.style import GRID, INK, MUTED
from coursepkg.visualize.text import format_number

SMALL = 11.0
LABEL = 12.0
DASHES = {"-": "", "--": "7 4", "-.": "9 3 2 3", ":": "2 3"}


@dataclass(frozen=True)
class Frame:
    """Two scales that share a corner: `across` from left to right, `up` from bottom to top."""

    across: Scale
    up: Scale

    def axes(self, *, xlabel: str = "", ylabel: str = "", half_turns: bool = False) -> list[str]:
        """Grid, ticks and labels; with `half_turns` x is an angle, and its ticks are multiples of half π."""
        left, right, bottom, top = self.across.start, self.across.stop, self.up.start, self.up.stop
        parts = []
        for value in self.up.ticks(5):
            y = self.up.at(value)
            parts.append(svg.line(left, y, right, y, stroke=GRID, width=0.8))
            words = format_number(value)
            parts.append(svg.text(left - 6, y + 4, words, size=SMALL, anchor="end", halo=False, role="tick"))
        for value, words in _angles(self.across) if half_turns else _numbers(self.across):
            x = self.across.at(value)
            parts.append(svg.line(x, bottom, x, bottom + 4, stroke=MUTED, width=1))
            parts.append(svg.text(x, bottom + 17, words, size=SMALL, anchor="middle", halo=False, role="tick"))
        parts.append(svg.line(left, top, left, bottom, stroke=MUTED, width=1))
        parts.append(svg.line(left, bottom, right, bottom, stroke=MUTED, width=1))
        if xlabel:
            parts.append(
                svg.text((left + right) / 2, bottom + 35, xlabel, size=LABEL, anchor="middle", halo=False, role="label")
            )
        if ylabel:
            parts.append(svg.text(left - 34, top - 9, ylabel, size=LABEL, halo=False, role="label"))
        return parts

    def curve(
        self, xs: Iterable[float], ys: Iterable[float], *, stroke: str = INK, width: float = 2.0, dash: str = "-",
        role: str = "curve",
    ) -> str:  # fmt: skip
        """Points joined by straight lines; `dash` is one of "-", "--", "-.", ":"."""
        places = [f"{svg.number(self.across.at(x))} {svg.number(self.up.at(y))}" for x, y in zip(xs, ys, strict=True)]
        return svg.path("M" + "L".join(places), stroke=stroke, width=width, dash=DASHES[dash], role=role)

    def dots(
        self, xs: Iterable[float], ys: Iterable[float], *, fill: str = INK, kind: str = "o", size: float = 3.5
    ) -> list[str]:
        """Markers: "o" discs, "s" squares, "^" triangles, "D" diamonds, "O" rings."""
        return [marker(self.across.at(x), self.up.at(y), fill, kind, size) for x, y in zip(xs, ys, strict=True)]


def _numbers(scale: Scale) -> list[tuple[float, str]]:
    return [(value, format_number(value)) for value in scale.ticks(6)]


def _angles(scale: Scale) -> list[tuple[float, str]]:
    first, last = math.ceil(scale.low / math.pi * 2 - 1e-9), math.floor(scale.high / math.pi * 2 + 1e-9)
    return [(k * math.pi / 2, _half_turns(k)) for k in range(first, last + 1)]


def _half_turns(count: int) -> str:
    """The name of an angle of so many times half π: "0", "0.5π", "π"."""
    return {0: "0", 2: "π"}.get(count, f"{format_number(count / 2)}π")


def marker(x: float, y: float, fill: str, kind: str = "o", size: float = 3.5) -> str:
    """One marker at a place in pixels; see :meth:`Frame.dots`."""
    if kind in ("o", "O"):
        hollow = kind == "O"
        inside = "none" if hollow else fill
        return svg.circle(x, y, size, fill=inside, stroke=fill, width=1.4 if hollow else 0.6, role="dot")
    n, s = svg.number, size
    shapes = {
        "s": f"M{n(x - s)} {n(y - s)}h{n(2 * s)}v{n(2 * s)}h{n(-2 * s)}z",
        "^": f"M{n(x)} {n(y - 1.2 * s)}L{n(x + 1.2 * s)} {n(y + s)}H{n(x - 1.2 * s)}z",
        "D": f"M{n(x)} {n(y - 1.3 * s)}L{n(x + 1.3 * s)} {n(y)}L{n(x)} {n(y + 1.3 * s)}L{n(x - 1.3 * s)} {n(y)}z",
    }
    return svg.path(shapes[kind], stroke=fill, fill=fill, width=0.6, role="dot")
