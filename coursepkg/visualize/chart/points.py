"""Single results as points: rows of dots, how often each size occurs, and named points in a plane.

The one idea: a mean alone hides what it is made of, and a sample is believed when it lies around a number that was
computed without it. So every result is drawn, and the expected number is drawn in.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from coursepkg.visualize.chart.common import finite, in_percent, plain_logs, words
from coursepkg.visualize.paper import Picture, capital, format_number, key, lead, picture_of, plural
from coursepkg.visualize.paper.style import CYCLE, EDGE, GRADIENT, INK, MUTED, PAPER, VALUE, use_style

_PLACES = 90  # dots of one row that are nearer than a part in so many would cover each other
_APART = 0.11
_MARKS = ((GRADIENT, "-"), (VALUE, "--"), (CYCLE[1], ":"))
# Where a name may stand beside its point, in points of print, in the order of preference.
_BESIDE = ((8, 0), (-8, 0), (8, 11), (8, -11), (-8, 11), (-8, -11), (0, 14), (0, -14))
_FURTHER = tuple((right, factor * up) for factor in (2.2, 3.4, 4.6) for right, up in _BESIDE if up)


def draw_dots(
    rows: Mapping[str, Sequence[float]], *, percent: bool = False, xlabel: str = "value", title: str = ""
) -> Picture:
    """Draw each row's values as dots on one axis, and their mean.

    Parameters
    ----------
    rows : mapping of str to sequence of float
        One row per name, drawn from top to bottom.
    percent : bool
        The values are shares, to be written in per cent.
    xlabel, title : str
        Labels.

    Raises
    ------
    ValueError
        If there are no rows, a row is empty, or a value is not finite.

    Examples
    --------
    >>> print(draw_dots({"best": [0.9, 1.0], "last": [0.8, 0.8]}, xlabel="accuracy").alt)
    Dots by accuracy. best: 2 values from 0.9 to 1, mean 0.95. last: 2 values from 0.8 to 0.8, mean 0.8.
    """
    data = {name: sorted(float(value) for value in values) for name, values in rows.items()}
    if not data or not all(data.values()):
        raise ValueError("draw_dots needs at least one row, and at least one value in each")
    alt = f"{lead(title)}Dots by {xlabel}."
    means = {}
    for name, values in data.items():
        finite(values, f"a value of {name!r}")
        mean = means[name] = sum(values) / len(values)
        low, high, middle = (words(number, percent) for number in (values[0], values[-1], mean))
        alt += f" {name}: {len(values)} values from {low} to {high}, mean {middle}."
    return picture_of(_plot_dots(data, means, percent, xlabel, title), alt)


def _plot_dots(
    data: Mapping[str, Sequence[float]], means: Mapping[str, float], percent: bool, xlabel: str, title: str,
) -> Any:  # fmt: skip
    import matplotlib.pyplot as plt

    everything = [value for row in data.values() for value in row]
    low, high = min(everything), max(everything)
    room = 0.04 * (high - low) or 0.5
    step = (high - low + 2 * room) / _PLACES
    with use_style():
        fig, ax = plt.subplots(figsize=(6.4, 1.1 + 0.62 * len(data)))
        for row, (name, values) in enumerate(data.items()):
            ax.plot(
                values, [row + _APART * k for k in _stacked(values, step)], linestyle="none", marker="o", markersize=6,
                color=CYCLE[row % len(CYCLE)], markeredgecolor=INK, markeredgewidth=0.6,
            )  # fmt: skip
            ax.plot([means[name]] * 2, [row - 0.4, row + 0.4], color=GRADIENT, linestyle="-", linewidth=2.6)
            place = ax.get_yaxis_transform()
            ax.text(1.02, row, words(means[name], percent), transform=place, va="center", weight="bold")
        ax.text(1.02, -0.62, "mean", transform=ax.get_yaxis_transform(), va="center")
        ax.set_yticks(range(len(data)), list(data))
        ax.set_ylim(len(data) - 0.45, -0.55)
        ax.set_xlim(low - room, high + room)
        if percent:
            in_percent(ax.xaxis)
        ax.set(xlabel=xlabel, title=title)
    return fig


def _stacked(values: Sequence[float], step: float) -> list[int]:
    """How far each of the sorted values stands from its line: by turns above and below, where others are near."""
    here: Counter[int] = Counter()
    shifts = []
    for value in values:
        count = here[round(value / step)]
        here[round(value / step)] += 1
        shifts.append((count + 1) // 2 * (1 if count % 2 else -1))
    return shifts


def draw_histogram(
    samples: Sequence[float] | np.ndarray,
    *,
    marks: Mapping[str, float] | None = None,
    density: tuple[Any, Any] | None = None,
    bins: int = 24,
    ends: tuple[float, float] | None = None,
    xlabel: str = "value",
    title: str = "",
) -> Picture:
    """Draw how often each size occurs.

    Parameters
    ----------
    samples : sequence of float
        What was measured or drawn.
    marks : mapping of str to float, optional
        Up to three numbers to mark by a vertical line, such as a mean that theory expects.
    density : (x, y), optional
        A predicted density, drawn as a line; the bars then have area one.
    bins : int
        Number of bars.
    ends : (float, float), optional
        Where the axis begins and ends; samples beyond are counted, and said, but not drawn.
    xlabel, title : str
        Labels.

    Raises
    ------
    ValueError
        If there are no samples, one is not finite, or there are too many marks.

    Examples
    --------
    >>> print(draw_histogram([1.0, 2.0, 2.0, 9.0], marks={"mean": 3.5}, xlabel="leaves").alt)
    Histogram of 4 values by leaves, from 1 to 9, half of them at or below 2. Marked: mean 3.5.
    """
    values = np.sort(np.asarray(samples, dtype=float).reshape(-1))
    marked = {name: float(value) for name, value in (marks or {}).items()}
    if not values.size or bins < 1:
        raise ValueError(f"draw_histogram needs at least one sample and one bar, got {values.size} and {bins}")
    if len(marked) > len(_MARKS):
        raise ValueError(f"{len(marked)} marks cannot be told apart; mark at most {len(_MARKS)}")
    finite([*values, *marked.values()], "a sample or mark")
    low, high = ends or (float(min([values[0], *marked.values()])), float(max([values[-1], *marked.values()])))
    whole = ends is None and bool((values == values.round()).all()) and low < high
    edges = _whole_edges(low, high, bins) if whole else np.histogram_bin_edges(values, bins, (low, high))
    counts = np.histogram(values, edges)[0]
    beyond = int(values.size - counts.sum())
    least, most, half = (format_number(float(v)) for v in (values[0], values[-1], values[(values.size - 1) // 2]))
    alt = f"{lead(title)}Histogram of {plural(values.size, 'value')} by {xlabel}, "
    alt += f"all of them {least}." if least == most else f"from {least} to {most}, half of them at or below {half}."
    if marked:
        alt += f" Marked: {', '.join(f'{name} {format_number(value)}' for name, value in marked.items())}."
    if beyond:
        alt += f" {plural(beyond, 'value')} beyond the axis."
    foot = f"{xlabel}  (and {beyond} beyond the axis)" if beyond else xlabel
    heights = counts / values.size / np.diff(edges) if density is not None else counts
    return picture_of(_plot_histogram(heights, edges, marked, density, foot, title), alt)


def _whole_edges(low: float, high: float, bins: int) -> np.ndarray:
    """Where bars of whole numbers begin and end: these stand in the middle, and each bar is for equally many."""
    width = math.ceil((high - low + 1) / bins)
    return math.floor(low) - 0.5 + width * np.arange(math.ceil((high - math.floor(low) + 0.5) / width) + 1)


def _plot_histogram(
    heights: np.ndarray, edges: np.ndarray, marked: Mapping[str, float], density: tuple[Any, Any] | None, xlabel: str,
    title: str,
) -> Any:  # fmt: skip
    import matplotlib.pyplot as plt

    with use_style():
        fig, ax = plt.subplots()
        ax.stairs(heights, edges, fill=True, facecolor=CYCLE[3], edgecolor=PAPER)
        ax.set_ylim(0, 1.06 * max(float(heights.max()), 1e-300))
        if density is not None:
            ax.plot(*density, color=INK, linestyle="-", label="predicted density")
        for (name, value), (colour, dash) in zip(marked.items(), _MARKS, strict=False):
            label = f"{name}: {format_number(value)}"
            ax.axvline(min(max(value, edges[0]), edges[-1]), color=colour, linestyle=dash, label=label)
        key(ax, title)
        ax.set_xlim(edges[0], edges[-1])
        ax.set(xlabel=xlabel, ylabel="how many" if density is None else "density")
    return fig


def draw_scatter(
    points: Mapping[str, tuple[float, float]],
    *,
    xlabel: str,
    ylabel: str,
    x_ends: tuple[float, float] | None = None,
    y_ends: tuple[float, float] | None = None,
    log_x: bool = False,
    percent: str = "",
    diagonal: bool = False,
    emphasis: Sequence[str] = (),
    title: str = "",
) -> Picture:
    """Draw points with their names.

    Parameters
    ----------
    points : mapping of str to (float, float)
        Name to (x, y).
    xlabel, ylabel : str
        What is measured.
    x_ends, y_ends : (float, float), optional
        Where the axes begin and end.
    log_x : bool
        A logarithmic axis for x.
    percent : str
        The axes on which shares are written in per cent: "x", "y" or "xy".
    diagonal : bool
        Draw the line of equal x and y.
    emphasis : sequence of str
        Names whose points are filled squares; all others are circles.
    title : str
        A line over the plot.

    Raises
    ------
    ValueError
        If there are no points, one has no place in the plane, or an emphasised name is none of them.

    Examples
    --------
    >>> print(draw_scatter({"a": (1.0, 2.0), "b": (3.0, 2.5)}, xlabel="x", ylabel="y", diagonal=True).alt)
    y against x. a: x 1, y 2. b: x 3, y 2.5. 1 of 2 points lie below the diagonal.
    """
    data = {name: (float(x), float(y)) for name, (x, y) in points.items()}
    if not data:
        raise ValueError("draw_scatter needs at least one point")
    for name, (x, y) in data.items():
        finite((x, y), f"a number of the point {name!r}")
        if log_x and x <= 0:
            raise ValueError(f"the point {name!r} has x = {x}; a logarithmic axis has only positive numbers")
    unknown = [name for name in emphasis if name not in data]
    if unknown:
        raise ValueError(f"emphasis names {unknown[0]!r}, which is no point; there are {', '.join(data)}")
    alt = f"{lead(title)}{capital(ylabel)} against {xlabel}{' (logarithmic)' if log_x else ''}."
    for name, pair in data.items():
        said = [f"{axis} {words(value, axis in percent)}" for axis, value in zip("xy", pair, strict=True)]
        alt += f" {name}: {', '.join(said)}."
    if diagonal:
        alt += f" {sum(y < x for x, y in data.values())} of {len(data)} points lie below the diagonal."
    import matplotlib.pyplot as plt

    with use_style():
        fig, ax = plt.subplots(figsize=(6.4, 4.6))
        for name, (x, y) in data.items():
            marker, colour = ("s", CYCLE[1]) if name in emphasis else ("o", CYCLE[3])
            ax.plot(x, y, marker=marker, color=colour, markeredgecolor=INK, markersize=8, linestyle="none")
        ax.margins(0.12)
        ax.set(xlabel=xlabel, ylabel=ylabel, title=title, xscale="log" if log_x else "linear")
        ax.set(xlim=x_ends or ax.get_xlim(), ylim=y_ends or ax.get_ylim())
        plain_logs(ax)
        for axis in percent:
            in_percent(ax.xaxis if axis == "x" else ax.yaxis)
        if diagonal:
            (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
            low, high = max(left, bottom), min(right, top)
            ax.plot([low, high], [low, high], color=MUTED, linestyle="--", linewidth=1.4, zorder=1)
        _name(fig, ax, data, emphasis)
    return picture_of(fig, alt)


def _name(fig: Any, ax: Any, data: Mapping[str, tuple[float, float]], emphasis: Sequence[str]) -> None:
    """Write each name at the first place around its point where it covers no point, no line and no other name."""
    from matplotlib.transforms import Bbox

    fig.draw_without_rendering()  # the layout is decided here, and with it where a name's box lies
    pixels = {name: ax.transData.transform(pair) for name, pair in data.items()}
    taken = [Bbox.from_bounds(x - 6, y - 6, 12, 12) for x, y in pixels.values()]
    lines = [line.get_transform().transform_path(line.get_path()) for line in ax.lines if len(line.get_xdata()) > 1]
    for name, pair in sorted(data.items(), key=lambda point: point[1]):  # those beside the axis have the fewest places
        for right, up in (*_BESIDE, *_FURTHER):
            text = ax.annotate(
                name, pair, (right, up), textcoords="offset points", va="center",
                ha="left" if right > 0 else "right" if right else "center",
                weight="bold" if name in emphasis else "normal",
                arrowprops={"arrowstyle": "-", "color": EDGE, "linewidth": 0.8} if abs(up) > 20 else None,
            )  # fmt: skip
            box = text.get_window_extent().padded(1)
            inside = box.x1 < fig.bbox.x1 and ax.bbox.x0 < box.x0 and ax.bbox.y0 < box.y0 and box.y1 < ax.bbox.y1 + 4
            crossed = any(line.intersects_bbox(box, filled=False) for line in lines)
            if inside and not crossed and not any(box.overlaps(other) for other in taken):
                break
            text.remove()
        else:
            text = ax.annotate(name, pair, _BESIDE[0], textcoords="offset points", va="center")
            box = text.get_window_extent()
        taken.append(box)
