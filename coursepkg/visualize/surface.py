"""Paths of optimizers over a surface of two parameters.

The one idea: with two parameters the whole training is visible: a path that crosses contours. Each method has
its own dash and marker as well as its colour.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from coursepkg.visualize.figure import picture_of
from coursepkg.visualize.picture import Picture
from coursepkg.visualize.style import CYCLE, DASHES, HIGHLIGHT, INK, MARKERS, use_style
from coursepkg.visualize.text import format_number, plural

_GRID = 121


def draw_paths(
    f: Callable[[float, float], Any],
    paths: Mapping[str, Any],
    *,
    x_range: tuple[float, float],
    y_range: tuple[float, float],
    minimum: tuple[float, float] | None = None,
    levels: int = 14,
    log: bool = False,
    names: tuple[str, str] = ("θ₁", "θ₂"),
    title: str = "",
) -> Picture:
    """Draw the contours of f(x, y) and the paths of optimizers on them.

    Parameters
    ----------
    f : callable
        Takes two floats, returns a number; it is asked on a grid of 121 by 121 points.
    paths : mapping of str to array of shape (steps + 1, 2)
        For each method the parameters from the start on; at most six. May be empty.
    x_range, y_range : (float, float)
        What is shown.
    minimum : (float, float), optional
        Marked by a star.
    levels : int
        Number of contours.
    log : bool
        Space the contours evenly in the logarithm of f above its smallest value.
    names : (str, str)
        What the parameters are called.
    title : str
        A line over the plot.

    Returns
    -------
    Picture

    Raises
    ------
    ValueError
        If a path is not of shape (n, 2), or there are too many paths.
    """
    tracks = {name: np.asarray(path, dtype=float) for name, path in paths.items()}
    for name, track in tracks.items():
        if track.ndim != 2 or track.shape[1] != 2 or not len(track):
            raise ValueError(f"the path {name!r} needs shape (steps + 1, 2), got {track.shape}")
    if len(tracks) > len(CYCLE):
        raise ValueError(f"{len(tracks)} paths in one plot cannot be told apart; draw at most {len(CYCLE)}")
    x, y = np.linspace(*x_range, _GRID), np.linspace(*y_range, _GRID)
    z = np.array([[float(f(float(a), float(b))) for a in x] for b in y])
    fig = _plot(x, y, z, tracks, minimum, _levels(z, levels, log), names, title)
    return picture_of(fig, _say(f, tracks, names, title))


def _levels(z: np.ndarray, count: int, log: bool) -> np.ndarray:
    low, high = float(z.min()), float(z.max())
    if not log:
        return np.linspace(low, high, count + 2)[1:-1]
    return low + (high - low) * np.logspace(-4, 0, count + 1)[:-1]


def _plot(
    x: np.ndarray, y: np.ndarray, z: np.ndarray, tracks: Mapping[str, np.ndarray], minimum: tuple[float, float] | None,
    levels: np.ndarray, names: tuple[str, str], title: str,
) -> Any:  # fmt: skip
    import matplotlib.pyplot as plt

    with use_style():
        fig, ax = plt.subplots(figsize=(6.4, 4.8))
        if z.max() > z.min():
            ax.contour(x, y, z, levels=levels, colors="#9aa5b1", linewidths=0.9)
        for number, (name, track) in enumerate(tracks.items()):
            style: Any = {"color": CYCLE[number], "linestyle": DASHES[number], "marker": MARKERS[number]}
            label = f"{name} ({plural(len(track) - 1, 'step')})"
            ax.plot(*track.T, label=label, markersize=4.5, markevery=max(len(track) // 25, 1), linewidth=1.8, **style)
            ax.plot(*track[:1].T, marker="o", markersize=11, color=INK, fillstyle="none", linestyle="none")
        if minimum is not None:
            star: Any = {"marker": "*", "markersize": 15, "color": HIGHLIGHT, "markeredgecolor": INK}
            ax.plot(*minimum, linestyle="none", label="minimum", **star)
        ax.set(xlabel=names[0], ylabel=names[1], title=title, xlim=(x[0], x[-1]), ylim=(y[0], y[-1]))
        ax.grid(False)
        if tracks or minimum is not None:
            ax.legend(frameon=True, loc="best")
    return fig


def _say(f: Callable[[float, float], Any], tracks: Mapping[str, np.ndarray], names: tuple[str, str], title: str) -> str:
    text = f"{title.rstrip('. ')}. " if title else ""
    text += f"Contours of a function of {names[0]} and {names[1]}."
    for name, track in tracks.items():
        first, last = (f"({format_number(a)}, {format_number(b)})" for a, b in (track[0], track[-1]))
        values = [format_number(float(f(float(a), float(b)))) for a, b in (track[0], track[-1])]
        steps = plural(len(track) - 1, "step")
        text += f" {name} goes from {first} to {last} in {steps}, its value from {values[0]} to {values[1]}."
    return text
