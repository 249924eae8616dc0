"""A function of one number, its tangent, and the slope that a nudge sees.

The one idea: the slope is a line that can be looked at, and a smaller nudge is a line that comes closer to it.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

from coursepkg.visualize.chart.axes import DASHES, Axes, Named, above, draw_key, margin
from coursepkg.visualize.paper import GRADIENT, INK, VALUE, Picture, format_number, lead, svg

_WIDTH, _HEIGHT = 640.0, 250.0  # pixels: of the whole chart, and of its axes
_POINTS = 121


def draw_tangent(
    f: Callable[[float], Any],
    at: float,
    slope: float,
    *,
    nudge: float | None = None,
    low: float | None = None,
    high: float | None = None,
    name: str = "f(x)",
    title: str = "",
) -> Picture:
    """Draw a function of one number and its tangent at a point, and the slope that a nudge sees there.

    Parameters
    ----------
    f : callable
        Takes a float, returns a number.
    at : float
        Where the tangent touches.
    slope : float
        The derivative there, as computed by the caller.
    nudge : float, optional
        The line through the point and the one this far to its right is drawn as well.
    low, high : float, optional
        The range of x; by default three units on each side of `at`.
    name, title : str
        How the function is called, and a line over the plot.

    Raises
    ------
    ValueError
        If `at` lies outside the range, or the nudge is zero.

    Examples
    --------
    >>> print(draw_tangent(lambda x: x * x, at=1.0, slope=2.0).alt)
    f(x) for x from −2 to 4. At x = 1 its value is 1 and the tangent has slope 2.
    """
    if nudge == 0:
        raise ValueError("a nudge of zero has no slope; choose a small number such as 0.1")
    low, high = at - 3.0 if low is None else low, at + 3.0 if high is None else high
    if not low <= at <= high or low == high:
        raise ValueError(f"the tangent touches at x = {at}, outside the range {low} to {high}")
    pieces = _POINTS - 1
    curve = [(x, float(f(x))) for x in (low + (high - low) * k / pieces for k in range(_POINTS))]
    touch, said = float(f(float(at))), f"tangent, slope {format_number(slope)}"
    entries, nudged = [Named(name, VALUE), Named(said, GRADIENT, DASHES[1])], []
    if nudge is not None:
        nudged = [(at, touch), (at + nudge, float(f(float(at + nudge))))]
        seen = format_number((nudged[1][1] - touch) / nudge)
        entries.append(Named(f"nudge {format_number(nudge)}, slope {seen}", INK, width=2.6, dot=True))
    top, y_range = 32.0 if title else 6.0, _room([y for _, y in curve])
    key, high_key = draw_key(entries, 10, top, _WIDTH - 10)
    left, top = margin(y_range), top + high_key + above(name)
    axes = Axes((low, high), y_range, left=left, top=top, width=_WIDTH - left - 18, height=_HEIGHT)
    ends = [(x, touch + slope * (x - at)) for x in (low, high)]
    parts = [*key, *axes.frame("x", name), axes.line(curve, stroke=VALUE, role="curve")]
    parts.append(axes.line(ends, stroke=GRADIENT, dash=DASHES[1], role="tangent"))
    if nudged:
        parts.append(axes.line(nudged, stroke=INK, width=2.6, role="nudge"))
    parts += [axes.dot(x, y) for x, y in nudged or [(at, touch)] if axes.shows(x, y)]
    if title:
        parts.append(svg.text(10, 22, title, size=16, weight="bold", halo=False, role="title"))
    alt = f"{lead(title)}{name} for x from {format_number(low)} to {format_number(high)}. "
    alt += f"At x = {format_number(at)} its "
    alt += f"value is {format_number(touch)} and the tangent has slope {format_number(slope)}"
    alt += f"; a nudge of {format_number(nudge)} sees slope {seen}." if nudge else "."
    return Picture(svg.document(_WIDTH, axes.bottom + 52, parts, title=title), alt)


def _room(values: Sequence[float]) -> tuple[float, float]:
    """The range of the values that are finite, and a little more."""
    finite = [value for value in values if math.isfinite(value)]
    low, high = min(finite), max(finite)
    more = 0.15 * (high - low) or 1.0
    return low - more, high + more
