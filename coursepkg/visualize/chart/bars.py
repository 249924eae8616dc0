"""Bars: contributions with their signs, and what a tape holds part by part.

Contributions grow left and right from zero, and each carries its number. On a tape, an array that two parts need is
paid for once, so a bar has a filled piece, which counts, and an outlined one, which does not.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from coursepkg.visualize.chart.common import finite
from coursepkg.visualize.paper import CYCLE, INK, MUTED, PAPER, Picture, format_number, lead, text_width, use_style
from coursepkg.visualize.paper.figure import key, picture_of

_WIDTH, _SIZE = 640, 15.3  # pixels: of the whole chart, and of its letters
_UNITS = (("B", 1), ("KiB", 1024), ("MiB", 1024**2), ("GiB", 1024**3))


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
    texts = {name: f"{_written(value)} {unit}".strip() for name, value in bars.items()}
    said = ", ".join(f"{name} {text}" for name, text in texts.items())
    return picture_of(_plot(bars, list(texts.values()), title, total), f"{lead(title)}Bars: {said}.")


def _written(value: float) -> str:
    """A number beside its bar; counts below ten million are written out, so that they compare at a glance."""
    return f"{value:,.0f}" if 99_999 < value < 1e7 and value == round(value) else format_number(value)


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
        fig.suptitle(title, x=0.02, ha="left", fontsize=12)
    return fig


def _ends(bars: Mapping[str, float], texts: list[str]) -> tuple[float, float]:
    """Where the axis begins and ends, so that there is room for a number at the end of each bar."""
    low, high = min(0.0, *bars.values()), max(0.0, *bars.values())
    left, right = low < 0, high > 0 or low == 0
    axis = max(_WIDTH - max(text_width(name, _SIZE) for name in bars) - 30, 160)
    number = min(max(text_width(text, _SIZE) for text in texts) + 20, 0.4 * axis)
    room = (high - low or 1.0) * number / (axis - (left + right) * number)
    return low - left * room, high + right * room


def format_bytes(size: float) -> str:
    """Bytes with the unit that leaves a number from 1 to 1023: ``1536`` is "1.5 KiB"."""
    name, unit = next((u for u in reversed(_UNITS) if size >= u[1]), _UNITS[0])
    return f"{format_number(size / unit)} {name}"


def draw_memory(holdings: Iterable[Any], *, title: str = "") -> Picture:
    """Draw what the tape holds for each part of a model.

    Parameters
    ----------
    holdings : iterable of (name, own, shared)
        Bytes that a part adds, and bytes that it reads but that are held already; drawn from top to bottom.
    title : str
        A line over the chart.

    Raises
    ------
    ValueError
        If there is nothing to draw, or a number of bytes is negative.

    Examples
    --------
    >>> draw_memory([("0 Linear", 2048, 0), ("1 ReLU", 0, 2048)], title="On the tape")
    Figure: On the tape. Held by 0 Linear: 2 KiB; by 1 ReLU: 0 B, and 2 KiB held already. Together 2 KiB.
    """
    rows = [(str(name), int(own), int(shared)) for name, own, shared in holdings]
    if not rows:
        raise ValueError("draw_memory needs at least one part: draw_memory([('layer', 2048, 0)])")
    if any(own < 0 or shared < 0 for _, own, shared in rows):
        raise ValueError("a number of bytes cannot be negative")
    total = format_bytes(sum(own for _, own, _ in rows))
    said = [f"by {name}: {_say_bytes(own, shared)}" for name, own, shared in rows]
    return picture_of(_plot_memory(rows, total, title), f"{lead(title)}Held {'; '.join(said)}. Together {total}.")


def _say_bytes(own: int, shared: int) -> str:
    return f"{format_bytes(own)}, and {format_bytes(shared)} held already" if shared else format_bytes(own)


def _plot_memory(rows: Sequence[tuple[str, int, int]], total: str, title: str) -> Any:
    import matplotlib.pyplot as plt
    from matplotlib.transforms import blended_transform_factory

    names, own, shared = zip(*rows, strict=True)
    with use_style():
        fig, ax = plt.subplots(figsize=(6.4, 1.4 + 0.3 * len(rows)))
        style: Any = {"height": 0.68, "edgecolor": INK, "linewidth": 1}
        ax.barh(range(len(rows)), own, color=CYCLE[0], label="added by this part", **style)
        ax.barh(
            range(len(rows)), shared, left=own, color=PAPER, linestyle="--", label="read here, held already", **style
        )
        for place, (_, here, already) in enumerate(rows):
            ax.annotate(format_bytes(here), (here + already, place), (6, 0), textcoords="offset points", va="center")
        ax.annotate(total, (0, len(rows)), (6, 0), textcoords="offset points", va="center", weight="bold")
        ax.set_yticks(range(len(rows) + 1), [*names, "together"])
        ax.set_xlim(0, 1.18 * max(here + already for _, here, already in rows) or 1.0)
        ax.set_ylim(len(rows) + 0.6, -0.6)
        ax.xaxis.set_visible(False)
        ax.spines["bottom"].set_visible(False)
        ax.tick_params(axis="y", length=0)
        ax.grid(False)
        key(ax, title)
        legend: Any = ax.get_legend()
        legend.set_bbox_to_anchor((0, 1), blended_transform_factory(fig.transFigure, ax.transAxes))
    return fig
