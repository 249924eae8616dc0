"""One dot for each run, one row for each rule: a mean alone hides what it is made of.

Equal results are stacked, so that none hides another, and each row's mean is marked and written.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from coursepkg.visualize.chart.common import finite, in_percent, words
from coursepkg.visualize.paper.figure import picture_of
from coursepkg.visualize.paper.picture import Picture, lead
from coursepkg.visualize.paper.style import CYCLE, GRADIENT, INK, use_style

_PLACES = 90  # dots of one row that are nearer than a part in so many would cover each other
_APART = 0.11


def draw_dots(
    rows: Mapping[str, Sequence[float]],
    *,
    percent: bool = False,
    xlabel: str = "value",
    title: str = "",
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
    return picture_of(_plot(data, means, percent, xlabel, title), alt)


def _plot(
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
