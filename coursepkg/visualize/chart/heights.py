"""A function of two parameters as a map of heights, with a cut through it beside the map.

The one idea: contours that lie close together hide how steep a wall is; a cut through the wall shows it. The cut is
drawn as a dashed line on the map, and the curve beside it is the function along that line.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from coursepkg.visualize.paper.figure import picture_of
from coursepkg.visualize.paper.picture import Picture, lead
from coursepkg.visualize.paper.style import CYCLE, DASHES, INK, MARKERS, use_style
from coursepkg.visualize.paper.text import format_number

_GRID, _CUT, _LEVELS = 81, 401, 9
_SHADES = ("#ffffff", "#cfd9e4", "#8fabc6", "#4f7ba6", "#0b2a52")


def draw_heights(
    f: Callable[[Any, Any], Any],
    *,
    x_range: tuple[float, float],
    y_range: tuple[float, float],
    cut: float,
    names: tuple[str, str] = ("x", "y"),
    value: str = "L",
    paths: Mapping[str, Any] | None = None,
    title: str = "",
) -> Picture:
    """Draw f(x, y) as a map of heights, and f along the line x = cut.

    Parameters
    ----------
    f : callable
        Takes two arrays of one shape, returns an array of it.
    x_range, y_range : (float, float)
        What is shown.
    cut : float
        Where the map is cut, inside of `x_range`.
    names : (str, str)
        What the parameters are called.
    value : str
        What f is called.
    paths : mapping of str to array, shape (n, 2), optional
        Lines on the map; at most three.
    title : str
        A line over the chart.

    Raises
    ------
    ValueError
        If the cut lies outside of the map, there are too many paths, or f is not finite.

    Examples
    --------
    >>> print(draw_heights(lambda x, y: x * y**3, x_range=(0, 2), y_range=(-1, 1), cut=1.5).alt)
    Heights of L over x and y, from −2 to 2. Cut at x = 1.5: L goes from −1.5 to 1.5, and is steepest at y = −1.
    """
    if not x_range[0] <= cut <= x_range[1]:
        raise ValueError(f"the cut lies on the map, between {x_range[0]} and {x_range[1]}; got {cut}")
    paths = {name: np.asarray(path, dtype=float) for name, path in (paths or {}).items()}
    if len(paths) > 3:
        raise ValueError(f"at most three paths can be told apart on the map, got {len(paths)}")
    x, y, along = (np.linspace(*ends, n) for ends, n in ((x_range, _GRID), (y_range, _GRID), (y_range, _CUT)))
    heights = np.asarray(f(*np.meshgrid(x, y)), dtype=float)
    profile = np.asarray(f(np.full(_CUT, float(cut)), along), dtype=float)
    if not (np.isfinite(heights).all() and np.isfinite(profile).all()):
        raise ValueError("the function is not finite everywhere in this range; choose a smaller one")
    fig = _plot((x, y, heights), (along, profile), cut, names, value, paths, title)
    return picture_of(fig, lead(title) + _say(heights, (along, profile), cut, names, value, paths))


def _plot(
    ground: tuple[Any, Any, Any], profile: tuple[Any, Any], cut: float, names: tuple[str, str], value: str,
    paths: Mapping[str, Any], title: str,
) -> Any:  # fmt: skip
    import matplotlib.pyplot as plt
    from matplotlib.colors import LinearSegmentedColormap

    x, y, heights = ground
    with use_style():
        fig, (left, right) = plt.subplots(1, 2, figsize=(9.4, 4.2))
        shades = LinearSegmentedColormap.from_list("heights", _SHADES)
        filled = left.contourf(x, y, heights, levels=_LEVELS, cmap=shades)
        fig.colorbar(filled, ax=left, label=value)
        for number, (name, path) in enumerate(paths.items(), 1):
            style = {"color": CYCLE[number], "linestyle": DASHES[number], "marker": MARKERS[number]}
            left.plot(path[:, 0], path[:, 1], label=name, markersize=3.5, linewidth=1.4, markeredgecolor="w", **style)
        left.axvline(cut, color=INK, linestyle="--", linewidth=1.6)
        left.set(xlim=(x[0], x[-1]), ylim=(y[0], y[-1]), xlabel=names[0], ylabel=names[1], title=title)
        left.grid(False)
        if paths:
            left.legend(loc="upper left", frameon=True)
        right.plot(*profile, color=INK)
        right.set(xlabel=names[1], ylabel=value, title=f"cut at {names[0]} = {format_number(cut)}")
    return fig


def _say(
    heights: np.ndarray, profile: tuple[np.ndarray, np.ndarray], cut: float, names: tuple[str, str], value: str,
    paths: Mapping[str, np.ndarray],
) -> str:  # fmt: skip
    along, cut_heights = profile
    steepest = format_number(along[int(np.abs(np.diff(cut_heights)).argmax())])
    ends = format_number(cut_heights.min()), format_number(cut_heights.max())
    text = f"Heights of {value} over {names[0]} and {names[1]}, "
    text += f"from {format_number(heights.min())} to {format_number(heights.max())}."
    text += f" Cut at {names[0]} = {format_number(cut)}: {value} goes from {ends[0]} to {ends[1]}, "
    text += f"and is steepest at {names[1]} = {steepest}."
    for name, path in paths.items():
        places = [f"({format_number(point[0])}, {format_number(point[1])})" for point in (path[0], path[-1])]
        text += f" {name} goes from {places[0]} to {places[1]}."
    return text
