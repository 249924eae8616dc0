"""The fan of forward gradients: many noisy arrows, none of them against the gradient, and their mean on top of it.

The one idea: each arrow lies along the direction that happened to be drawn, so none is the gradient; yet all lie in
the half-plane of the gradient, and their average is it.
"""

import math
from typing import Any

from coursepkg.visualize import svg
from coursepkg.visualize.picture import Picture
from coursepkg.visualize.plane import Pair, Plane, pairs
from coursepkg.visualize.style import CYCLE, EDGE, GRADIENT, INK, MUTED, SHADE
from coursepkg.visualize.text import format_number, plural, text_width

_MOST = 400


def draw_fan(
    gradient: Any,
    estimates: Any,
    mean: Any,
    *,
    names: tuple[str, str] = ("∂f/∂θ₁", "∂f/∂θ₂"),
    title: str = "",
) -> Picture:
    """Draw the gradient at a point, estimates of it, and their mean.

    Parameters
    ----------
    gradient : (float, float)
        The true one.
    estimates : array, shape (n, 2)
        Forward gradients; at most 400 are drawn.
    mean : (float, float)
        The mean of all estimates.
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
        If there are no estimates.

    Examples
    --------
    >>> print(draw_fan((1.0, 2.0), [(0.5, 1.5), (2.0, -1.0)], (1.25, 0.25)).alt)
    2 forward gradients as thin arrows, the true gradient (1, 2) and their mean (1.25, 0.25). 2 of 2 arrows lie in the \
half-plane of the gradient; the longest is 1 times as long as the gradient.
    """
    arrows, (true,), (middle,) = pairs(estimates), pairs([gradient]), pairs([mean])
    if not arrows:
        raise ValueError("a fan needs at least one estimate")
    lengths = sorted(math.hypot(*arrow) for arrow in arrows)
    reach = 1.08 * max(math.hypot(*true), math.hypot(*middle), lengths[int(0.75 * (len(lengths) - 1))])
    plane = Plane(reach, top=44.0 if title else 14.0)
    parts = [svg.text(14, 22, title, size=15, weight="bold", halo=False)] if title else []
    parts += [plane.half(true, fill=SHADE), *plane.axes(names)]
    for arrow in arrows[:_MOST]:
        parts += plane.arrow(arrow, stroke=EDGE, width=1.0, head=6.0, role="estimate")
    parts += plane.arrow(true, stroke=GRADIENT, width=6.0, head=17.0, role="gradient")
    parts += plane.arrow(middle, stroke=CYCLE[0], width=2.6, head=11.0, dash="7 4", role="mean")
    parts += _legend(plane.left + plane.side + 18, plane.top + 24)
    width = max(plane.left + plane.side + 218, text_width(title, 15) * svg.BOLD + 28)
    page = svg.document(width, plane.top + plane.side + 14, parts, title=title)
    return Picture(page, _say(true, arrows, middle, lengths[-1], title))


def _legend(x: float, y: float) -> list[str]:
    rows = (
        (EDGE, 1.0, "", "one forward gradient"),
        (GRADIENT, 6.0, "", "the gradient"),
        (CYCLE[0], 2.6, "7 4", "mean of all"),
    )
    parts = []
    for row, (stroke, width, dash, label) in enumerate(rows):
        parts.append(svg.line(x, y + 24 * row, x + 30, y + 24 * row, stroke=stroke, width=width, dash=dash))
        parts.append(svg.text(x + 38, y + 24 * row + 4.5, label, size=13, fill=INK, halo=False))
    parts.append(svg.rectangle(x, y + 64, 30, 16, fill=SHADE, stroke="#c6ccd2", line_width=1))
    parts.append(svg.text(x + 38, y + 76.5, "half-plane uphill", size=13, fill=MUTED, halo=False))
    return parts


def _say(true: Pair, arrows: list[Pair], middle: Pair, longest: float, title: str) -> str:
    def words(pair: Pair) -> str:
        return f"({format_number(pair[0])}, {format_number(pair[1])})"

    inside = sum(a * true[0] + b * true[1] >= 0 for a, b in arrows)
    size = math.hypot(*true)
    text = f"{title.rstrip('. ')}. " if title else ""
    text += f"{plural(len(arrows), 'forward gradient')} as thin arrows, the true gradient {words(true)} and their mean "
    text += f"{words(middle)}. {inside} of {len(arrows)} arrows lie in the half-plane of the gradient"
    return text + (
        f"; the longest is {format_number(longest / size, 2)} times as long as the gradient." if size else "."
    )
