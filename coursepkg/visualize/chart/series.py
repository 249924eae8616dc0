"""Measured points and predicted lines over one quantity, on plain or logarithmic axes.

The one idea: a law is a line, a measurement is a mark, and the eye compares them; on two logarithmic axes a power law
is a straight line whose slope is the power.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from coursepkg.visualize.chart.common import plain_logs
from coursepkg.visualize.paper.figure import key, picture_of
from coursepkg.visualize.paper.picture import Picture, lead
from coursepkg.visualize.paper.style import CYCLE, DASHES, MARKERS, use_style
from coursepkg.visualize.paper.text import format_number

Series = Mapping[str, tuple[Any, Any]]


def draw_series(
    measured: Series,
    predicted: Series | None = None,
    *,
    joined: bool = False,
    log: str = "",
    xlabel: str = "x",
    ylabel: str = "y",
    title: str = "",
) -> Picture:
    """Draw y against x, measured as marks and predicted as lines; a prediction of the same name gets the same colour.

    Parameters
    ----------
    measured : mapping of str to (x, y)
        Two arrays of one length per name; at most six names.
    predicted : mapping of str to (x, y), optional
        Lines; at most six names together with the measured ones.
    joined : bool
        Join the measured marks by lines, for something that runs on, such as a loss over time.
    log : {"", "x", "y", "xy"}
        Which axes are logarithmic.
    xlabel, ylabel, title : str
        Labels.

    Raises
    ------
    ValueError
        If x and y differ in length, a series is empty, a logarithm has nothing to show, or there are too many names.

    Examples
    --------
    >>> print(draw_series({"Gaussian": ([10, 100], [11, 101])}, log="xy", xlabel="d", ylabel="noise").alt)
    noise against d, both axes logarithmic. Gaussian: from 11 at 10 to 101 at 100, 2 points.
    """
    predicted = predicted or {}
    points = {name: _arrays(name, pair, log) for name, pair in measured.items()}
    lines = {name: _arrays(name, pair, log) for name, pair in predicted.items()}
    count = len({*points, *lines})
    if not 1 <= count <= len(CYCLE):
        raise ValueError(f"draw_series shows one to {len(CYCLE)} names, got {count}")
    if log not in ("", "x", "y", "xy"):
        raise ValueError(f"log names the logarithmic axes, '', 'x', 'y' or 'xy'; got {log!r}")
    fig = plot_series(points, lines, joined=joined, log=log, xlabel=xlabel, ylabel=ylabel, title=title)
    return picture_of(fig, _say(points, lines, log, xlabel, ylabel, title))


def _arrays(name: str, pair: tuple[Any, Any], log: str) -> tuple[np.ndarray, np.ndarray]:
    x, y = (np.asarray(part, dtype=float).reshape(-1) for part in pair)
    if x.shape != y.shape or not x.size:
        raise ValueError(f"{name!r} needs as many x as y, at least one; got {x.size} and {y.size}")
    for axis, values in (("x", x), ("y", y)):
        if axis in log and not (values > 0).any():
            raise ValueError(f"{name!r} has nothing above zero to show on the logarithmic {axis} axis")
    return x, y


def plot_series(
    points: Mapping[str, Any], lines: Mapping[str, Any], *, joined: bool, log: str, xlabel: str, ylabel: str, title: str
) -> Any:
    """The figure; a name that is empty gets no legend."""
    import matplotlib.pyplot as plt

    with use_style():
        fig, ax = plt.subplots()
        for number, name in enumerate(dict.fromkeys([*points, *lines])):
            colour, dash = CYCLE[number], DASHES[number]
            if name in lines:
                label = f"{name}, predicted" if name in points else name
                ax.plot(*lines[name], color=colour, linestyle=dash, linewidth=1.6, label=label)
            if name in points:
                x, y = points[name]
                label = f"{name}, measured" if name in lines else name
                style = dash if joined else "none"
                every = max(len(x) // 10, 1) if joined else 1
                ax.plot(x, y, color=colour, marker=MARKERS[number], linestyle=style, markevery=every, label=label)
        scales = {f"{axis}scale": "log" if axis in log else "linear" for axis in "xy"}
        ax.set(xlabel=xlabel, ylabel=ylabel, **scales)
        plain_logs(ax)
        if any([*points, *lines]):
            key(ax, title)
        else:
            ax.set_title(title)
    return fig


_AXES = {"": "", "x": ", the x axis logarithmic", "y": ", the y axis logarithmic", "xy": ", both axes logarithmic"}


def _say(points: Mapping[str, Any], lines: Mapping[str, Any], log: str, xlabel: str, ylabel: str, title: str) -> str:
    text = f"{lead(title)}{ylabel} against {xlabel}{_AXES[log]}."
    for kind, group in (("", points), (" predicted", lines)):
        for name, (x, y) in group.items():
            ends = [f"{format_number(y[k])} at {format_number(x[k])}" for k in (0, -1)]
            text += f" {name}{kind}: from {ends[0]} to {ends[1]}, {len(x)} points."
    return text
