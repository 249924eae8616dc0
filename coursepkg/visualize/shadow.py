"""The shadow that a gradient throws on a direction: the one number that a forward pass with tangents gives.

The one idea: ∇f · v is the length of the gradient's shadow on v, times the length of v. Multiply v by it, and walking
the other way (−v) gives the same arrow.
"""

import math
from typing import Any

from coursepkg.visualize import svg
from coursepkg.visualize.picture import Picture
from coursepkg.visualize.plane import Pair, Plane, pairs
from coursepkg.visualize.style import CYCLE, GRADIENT, HIGHLIGHT, INK, MUTED
from coursepkg.visualize.text import format_number, text_width


def draw_shadow(
    gradient: Any,
    direction: Any,
    slope: float,
    estimate: Any,
    *,
    reach: float | None = None,
    names: tuple[str, str] = ("θ₁", "θ₂"),
    title: str = "",
) -> Picture:
    """Draw a gradient, a direction, the shadow of the one on the other, and the forward gradient that follows.

    Parameters
    ----------
    gradient, direction : (float, float)
        ∇f and v.
    slope : float
        ∇f · v, as a forward pass found it.
    estimate : (float, float)
        slope times v.
    reach : float, optional
        Half the width of what is shown; by default all arrows fit. Give it to a slider, so that the scale stays.
    names : (str, str)
        Names of the axes.
    title : str
        A line over the picture.

    Returns
    -------
    Picture

    Raises
    ------
    ValueError
        If the direction is zero.

    Examples
    --------
    >>> print(draw_shadow((2.0, 1.0), (1.0, 0.0), 2.0, (2.0, 0.0)).alt)
    The gradient (2, 1) throws a shadow on the direction v = (1, 0). The slope along v is 2, so the forward \
gradient is 2 times v = (2, 0).
    """
    (true,), (v,), (g,) = pairs([gradient]), pairs([direction]), pairs([estimate])
    size = math.hypot(*v)
    if not size:
        raise ValueError("the direction is zero, so nothing throws a shadow on it; give it some length")
    foot = (slope * v[0] / size**2, slope * v[1] / size**2)
    far = reach or 1.15 * max(math.hypot(*pair) for pair in (true, v, g))
    plane = Plane(far, top=44.0 if title else 14.0)
    parts = [svg.text(14, 22, title, size=15, weight="bold", halo=False)] if title else []
    parts += [*plane.axes(names), *_ground(plane, v, size, true, foot)]
    parts += plane.arrow(g, stroke=CYCLE[1], width=7.0, head=18.0, role="estimate")
    parts += plane.arrow(true, stroke=GRADIENT, width=3.0, role="gradient")
    parts += plane.arrow(v, stroke=INK, width=2.2, dash="3 3", role="direction")
    parts += _labels(plane.left + plane.side + 18, plane.top + 24, slope)
    width = max(plane.left + plane.side + 240, text_width(title, 15) * svg.BOLD + 28)
    page = svg.document(width, plane.top + plane.side + 14, parts, title=title)
    return Picture(page, _say(true, v, slope, g, title))


def _ground(plane: Plane, v: Pair, size: float, true: Pair, foot: Pair) -> list[str]:
    """The line through the direction, and the light that falls on it at right angles."""
    far = 10 * plane.reach / size
    a, b = plane.at((-far * v[0], -far * v[1])), plane.at((far * v[0], far * v[1]))
    tip, lands, start = plane.at(true), plane.at(foot), plane.at((0.0, 0.0))
    return [
        svg.line(*a, *b, stroke=MUTED, width=1.0, dash="2 4"),
        svg.line(*start, *lands, stroke=HIGHLIGHT, width=14.0, role="shadow"),
        svg.line(*tip, *lands, stroke=MUTED, width=1.2, dash="5 4", role="light"),
    ]


def _labels(x: float, y: float, slope: float) -> list[str]:
    rows: tuple[tuple[str, float, str, str], ...] = (
        (GRADIENT, 3.0, "", "gradient ∇f"),
        (INK, 2.2, "3 3", "direction v"),
        (HIGHLIGHT, 14.0, "", "shadow of ∇f on v"),
        (CYCLE[1], 7.0, "", "forward gradient"),
    )
    parts = []
    for row, (stroke, width, dash, label) in enumerate(rows):
        parts.append(svg.line(x, y + 26 * row, x + 30, y + 26 * row, stroke=stroke, width=width, dash=dash))
        parts.append(svg.text(x + 38, y + 26 * row + 4.5, label, size=13, halo=False))
    words = f"∇f · v = {format_number(slope)}"
    return [*parts, svg.text(x, y + 26 * len(rows) + 12, words, size=15, weight="bold", role="slope", halo=False)]


def _say(true: Pair, v: Pair, slope: float, g: Pair, title: str) -> str:
    def words(pair: Pair) -> str:
        return f"({format_number(round(pair[0], 9))}, {format_number(round(pair[1], 9))})"

    number = format_number(round(slope, 9))
    return (
        f"{title.rstrip('. ') + '. ' if title else ''}The gradient {words(true)} throws a shadow on the direction v = "
        f"{words(v)}. The slope along v is {number}, so the forward gradient is {number} times v = {words(g)}."
    )
