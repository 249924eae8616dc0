"""Contributions as bars: they have a sign, so they grow left and right from zero, and each carries its number."""

from collections.abc import Mapping
from typing import Any

from coursepkg.visualize.chart.common import finite
from coursepkg.visualize.paper.figure import picture_of
from coursepkg.visualize.paper.picture import Picture, lead
from coursepkg.visualize.paper.style import CYCLE, INK, MUTED, use_style
from coursepkg.visualize.paper.text import format_number, text_width

_WIDTH, _SIZE = 640, 15.3  # pixels: of the whole chart, and of its letters


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
    for name, value in bars.items():
        finite([value], f"the bar {name!r}")
    if total:
        bars["sum"] = sum(bars.values())
    texts = {name: f"{format_number(value)} {unit}".strip() for name, value in bars.items()}
    said = ", ".join(f"{name} {text}" for name, text in texts.items())
    return picture_of(_plot(bars, list(texts.values()), title, total), f"{lead(title)}Bars: {said}.")


def _plot(bars: Mapping[str, float], texts: list[str], title: str, total: bool) -> Any:
    import matplotlib.pyplot as plt

    with use_style():
        fig, ax = plt.subplots(figsize=(_WIDTH / 100, 0.7 + 0.36 * len(bars)))
        for row, value in enumerate(bars.values()):
            # A negative bar is lighter and hatched, so that the sign reads without colour.
            colour = MUTED if total and row == len(bars) - 1 else CYCLE[0] if value >= 0 else CYCLE[1]
            drawn = ax.barh(row, value, height=0.62, color=colour, edgecolor=INK, hatch="///" if value < 0 else "")
            ax.bar_label(drawn, [texts[row]], padding=4)
        ax.axvline(0, color=INK, linewidth=1.2)
        ax.set_yticks(range(len(bars)), list(bars))
        ax.invert_yaxis()
        ax.set_xlim(*_ends(bars, texts))
        ax.xaxis.set_visible(False)
        ax.spines[["left", "bottom"]].set_visible(False)
        ax.tick_params(axis="y", length=0)
        ax.grid(False)
        ax.set_title(title)
    return fig


def _ends(bars: Mapping[str, float], texts: list[str]) -> tuple[float, float]:
    """Where the axis begins and ends, so that there is room for a number at the end of each bar."""
    low, high = min(0.0, *bars.values()), max(0.0, *bars.values())
    left, right = low < 0, high > 0 or low == 0
    axis = max(_WIDTH - max(text_width(name, _SIZE) for name in bars) - 30, 160)
    number = min(max(text_width(text, _SIZE) for text in texts) + 16, 0.4 * axis)
    room = (high - low or 1.0) * number / (axis - (left + right) * number)
    return low - left * room, high + right * room
