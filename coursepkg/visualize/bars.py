"""A bar chart of contributions, in pure Python.

The one idea: contributions have a sign, so bars grow left and right from one zero line, and each carries its number.
"""

from collections.abc import Mapping
from typing import Any

from coursepkg.visualize import svg
from coursepkg.visualize.picture import Picture
from coursepkg.visualize.style import CYCLE, INK, MUTED
from coursepkg.visualize.text import format_number, text_width

_BAR = 20.0
_GAP = 10.0
_SCALE = 340.0


def draw_bars(values: Mapping[str, float], *, unit: str = "", title: str = "", total: bool = False) -> Picture:
    """Draw one bar per name, from zero to its value.

    Parameters
    ----------
    values : mapping of str to float
        The contributions, drawn in this order from top to bottom.
    unit : str
        Written after each number.
    title : str
        A line over the chart.
    total : bool
        Add a bar with their sum.

    Returns
    -------
    Picture

    Raises
    ------
    ValueError
        If there is nothing to draw, or a value is not finite.

    Examples
    --------
    >>> draw_bars({"flour": 2.0, "butter": -0.5}, unit="portions", title="Contributions")
    Figure: Contributions. Bars: flour 2 portions, butter −0.5 portions.
    """
    bars = {name: float(value) for name, value in values.items()}
    if not bars:
        raise ValueError("draw_bars needs at least one bar: draw_bars({'flour': 2.0})")
    broken = [name for name, value in bars.items() if not abs(value) < float("inf")]
    if broken:
        raise ValueError(f"the bar {broken[0]!r} is {bars[broken[0]]}, which has no length; use finite numbers")
    if total:
        bars["sum"] = sum(bars.values())
    texts = {name: f"{format_number(value)} {unit}".strip() for name, value in bars.items()}
    alt = f"{title.rstrip('. ') + '. ' if title else ''}Bars: {', '.join(f'{n} {t}' for n, t in texts.items())}."
    return Picture(_page(bars, texts, title, total), alt)


def _page(bars: Mapping[str, float], texts: Mapping[str, str], title: str, total: bool) -> str:
    label = max(text_width(name, 13) for name in bars) + 24
    number = max(text_width(text, 13) for text in texts.values()) + 12
    low, high = min(0.0, *bars.values()), max(0.0, *bars.values())
    scale = _SCALE / (high - low) if high > low else 0.0
    zero = label + (number if low < 0 else 0) - low * scale
    top = 34.0 if title else 12.0
    bottom = top + len(bars) * (_BAR + _GAP)
    parts: list[Any] = [svg.text(14, 22, title, size=15, weight="bold", halo=False)] if title else []
    for row, (name, value) in enumerate(bars.items()):
        y = top + row * (_BAR + _GAP)
        if total and row == len(bars) - 1:
            parts.append(svg.line(14, y - _GAP / 2, zero + high * scale + number, y - _GAP / 2, stroke=MUTED, width=1))
        parts += _bar(name, texts[name], value, label, y, zero, scale, total and row == len(bars) - 1)
    parts.append(svg.line(zero, top - 4, zero, bottom - 4, stroke=INK, width=1.4))
    width = max(zero + high * scale + number + 8, text_width(title, 15) * svg.BOLD + 28)
    return svg.document(width, bottom + 6, parts, title=title)


def _bar(
    name: str, text: str, value: float, label: float, y: float, zero: float, scale: float, is_sum: bool
) -> list[str]:
    """Positive bars are solid, negative ones lighter and dashed, so that the sign reads in greyscale."""
    start, stop = sorted((zero, zero + value * scale))
    negative = value < 0
    fill, dash = (CYCLE[1], "4 3") if negative else (MUTED if is_sum else CYCLE[0], "")
    x_text = start - 6 if negative else stop + 6
    baseline = y + _BAR / 2 + 4.7
    return [
        svg.text(label - 14, baseline, name, anchor="end", weight="bold" if is_sum else "normal", halo=False),
        svg.rectangle(
            start, y, max(stop - start, 0.5), _BAR, fill=fill, stroke=INK, line_width=1, dash=dash, role="bar"
        ),
        svg.text(x_text, baseline, text, anchor="end" if negative else "start", role="number"),
    ]
