"""How often each size occurs, with marks and a density for what theory expects.

A sample is believed when it lies around a number that was computed without it; so the number is drawn in.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from coursepkg.visualize.chart.common import finite
from coursepkg.visualize.paper.figure import key, picture_of
from coursepkg.visualize.paper.picture import Picture, lead
from coursepkg.visualize.paper.style import CYCLE, GRADIENT, INK, PAPER, VALUE, use_style
from coursepkg.visualize.paper.text import format_number, plural

_MARKS = ((GRADIENT, "-"), (VALUE, "--"), (CYCLE[1], ":"))


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
    counts, edges = np.histogram(values, bins=bins, range=(low, high))
    beyond = int(values.size - counts.sum())
    numbers = [format_number(float(v)) for v in (values[0], values[-1], values[(values.size - 1) // 2])]
    alt = f"{lead(title)}Histogram of {plural(values.size, 'value')} by {xlabel}, from {numbers[0]} to {numbers[1]}, "
    alt += f"half of them at or below {numbers[2]}."
    if marked:
        alt += f" Marked: {', '.join(f'{name} {format_number(value)}' for name, value in marked.items())}."
    if beyond:
        alt += f" {plural(beyond, 'value')} beyond the axis."
    foot = f"{xlabel}  (and {beyond} beyond the axis)" if beyond else xlabel
    heights = counts / values.size / np.diff(edges) if density is not None else counts
    return picture_of(_plot(heights, edges, marked, density, foot, title), alt)


def _plot(
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
        if marked or density is not None:
            key(ax, title)
        else:
            ax.set_title(title)
        ax.set_xlim(edges[0], edges[-1])
        ax.set(xlabel=xlabel, ylabel="how many" if density is None else "density")
    return fig
