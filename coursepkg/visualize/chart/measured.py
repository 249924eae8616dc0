"""What light measured: measured against expected values, and the toggled signal of one tap over time.

A measurement is drawn as dots and what it stands for as a line, so that the two cannot be confused.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from coursepkg.visualize.paper import Picture, capital, format_number, key, lead, picture_of, plural
from coursepkg.visualize.paper.style import CYCLE, GRADIENT, INK, MARKERS, MUTED, SHADE, use_style


def draw_agreement(
    groups: Mapping[str, tuple[Any, Any]],
    *,
    xlabel: str = "expected",
    ylabel: str = "measured",
    ends: tuple[float, float] | None = None,
    note: str = "",
    title: str = "",
) -> Picture:
    """Draw measured against expected values, with the diagonal on which both are equal.

    Parameters
    ----------
    groups : mapping of str to (expected, measured)
        Up to five groups of points.
    xlabel, ylabel, title : str
        Labels.
    ends : (float, float), optional
        Where both axes begin and end, so that pictures of one series have one scale.
    note : str
        What the caller computed of the agreement ("cosine 0.98"), written in the plot and read out.

    Raises
    ------
    ValueError
        If there are no groups or too many, or a group has pairs that are no pairs, or numbers that are not finite.

    Examples
    --------
    >>> print(draw_agreement({"theta": ([1.0, -1.0], [1.1, -0.9])}, note="cosine 0.995").alt)
    Measured against expected. theta: 2 points, expected from −1 to 1, measured from −0.9 to 1.1. cosine 0.995.
    """
    points = _read(groups)
    alt = f"{lead(title)}{capital(ylabel)} against {xlabel}."
    for name, pair in points.items():
        first, second = (f"{_number(v.min())} to {_number(v.max())}" for v in pair)
        alt += f" {name}: {plural(len(pair[0]), 'point')}, {xlabel} from {first}, {ylabel} from {second}."
    import matplotlib.pyplot as plt

    with use_style():
        fig, ax = plt.subplots(figsize=(5.2, 5.2 + 0.3 * bool(note)))
        for number, (name, pair) in enumerate(points.items()):
            style: Any = {"color": CYCLE[number], "marker": MARKERS[number], "linestyle": "none", "markersize": 4.5}
            ax.plot(*pair, label=name, **style)
        low, high = ends or (min(ax.get_xlim()[0], ax.get_ylim()[0]), max(ax.get_xlim()[1], ax.get_ylim()[1]))
        ax.plot([low, high], [low, high], color=MUTED, linestyle="--", linewidth=1.4, zorder=1)
        ax.set(xlabel=xlabel, ylabel=ylabel, aspect="equal", xlim=(low, high), ylim=(low, high))
        key(ax, "\n".join(filter(None, (title, note))))
    return picture_of(fig, f"{alt} {note}." if note else alt)


def _read(groups: Mapping[str, tuple[Any, Any]]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    found = {
        name: (np.asarray(x, dtype=float).ravel(), np.asarray(y, dtype=float).ravel())
        for name, (x, y) in groups.items()
    }
    if not 1 <= len(found) <= 5:
        raise ValueError(f"one to 5 groups of points can be told apart, got {len(found)}")
    for name, (x, y) in found.items():
        if len(x) != len(y) or not len(x):
            raise ValueError(f"{name!r} has {len(x)} of x and {len(y)} of y; it needs equally many, at least one")
        if not (np.isfinite(x).all() and np.isfinite(y).all()):
            raise ValueError(f"{name!r} holds values that are not finite, and have no place in a plot")
    return found


def _number(value: float) -> str:
    """Rounding noise next to zero is not read out."""
    return format_number(0.0 if abs(value) < 1e-12 else float(value))


def draw_toggle(trace: Any, samples: int, *, title: str = "") -> Picture:
    """Draw the power at a tap while the beam is toggled: two levels, whose distance is four times the gradient.

    Parameters
    ----------
    trace : array, shape (2 * samples * periods,)
        Power over time, beginning with the beam of the third pass.
    samples : int
        Samples of a half period.
    title : str
        A line over the plot.

    Raises
    ------
    ValueError
        If the trace does not hold whole periods.

    Examples
    --------
    >>> print(draw_toggle([3.0, 3.0, 1.0, 1.0], 2).alt)
    Power at a tap over 1 period of 4 samples. Mean 3 in the first halves, 1 in the second; the swing is 2.
    """
    power = np.asarray(trace, dtype=float).ravel()
    if samples < 1 or not len(power) or len(power) % (2 * samples):
        raise ValueError(f"a trace holds whole periods of 2 × {samples} samples, got {len(power)}")
    levels = power.reshape(-1, 2, samples).mean(axis=(0, 2))
    first, second, swing = (_number(number) for number in (*levels, levels[0] - levels[1]))
    import matplotlib.pyplot as plt

    with use_style():
        fig, ax = plt.subplots()
        for half, start in enumerate(range(0, len(power), samples)):
            if half % 2 == 0:
                ax.axvspan(start, start + samples, color=SHADE)
            ax.plot([start, start + samples], [levels[half % 2]] * 2, color=GRADIENT, linestyle="-", linewidth=2.6)
        ax.plot(np.arange(len(power)) + 0.5, power, color=CYCLE[0], marker="o", markersize=3.5, linestyle="none")
        ax.annotate(
            "", (len(power) * 1.02, levels[0]), (len(power) * 1.02, levels[1]),
            arrowprops={"arrowstyle": "<->", "color": INK, "shrinkA": 0, "shrinkB": 0},
        )  # fmt: skip
        ax.text(len(power) * 1.04, levels.mean(), f"swing\n{swing}", va="center")
        ax.set_xlim(0, len(power) * 1.14)
        ax.set(xlabel="sample (shaded: x − i conj(x_adj); plain: x + i conj(x_adj))", ylabel="power", title=title)
        ax.grid(False)
    periods = plural(len(power) // (2 * samples), "period")
    alt = f"{lead(title)}Power at a tap over {periods} of {2 * samples} samples. Mean {first} in the first halves, "
    return picture_of(fig, f"{alt}{second} in the second; the swing is {swing}.")
