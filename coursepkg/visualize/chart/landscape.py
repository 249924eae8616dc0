"""A map of a function of two parameters: its contours and the paths on it, or its heights and a cut through them.

The one idea: both axes of a map have one scale, so a right angle looks like one, and a gradient stands upright on its
contour. Where contours lie close together, a cut shows how steep the wall is.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from coursepkg.visualize.paper import LETTERS, Picture, format_number, key, lead, picture_of, plural, text_width
from coursepkg.visualize.paper.style import CYCLE, DASHES, GRADIENT, HIGHLIGHT, INK, MARKERS, MUTED, PAPER, use_style

_GRID = 101
_LONGEST, _CLEAR = 440.0, 14.0  # pixels: the longer side, and how far from the frame a label keeps
_FAR = 1e4  # frames; what lies further out is cut off, because numbers of any size may come from a run that diverges
_CELLS, _CUT, _LEVELS = 81, 401, 9
_SHADES = ("#ffffff", "#cfd9e4", "#8fabc6", "#4f7ba6", "#0b2a52")


class Landscape:
    """The contours of f(x, y), ready to have paths drawn on them.

    Parameters
    ----------
    f : callable
        Takes two floats, returns a number; it is asked once, on a grid of 101 by 101 points.
    x_range, y_range : (float, float)
        What is shown.
    levels : sequence of float
        The values whose contours are drawn; each carries its number.
    goal : float, optional
        A level that is drawn heavily: where a race ends.
    minimum : (float, float), optional
        Marked by a star.
    names : (str, str)
        What the parameters are called.
    value : str
        What f is called.

    Raises
    ------
    ValueError
        If f is not finite on the grid, or a range is empty.

    Examples
    --------
    >>> bowl = Landscape(lambda x, y: x * x + y * y, x_range=(-2, 2), y_range=(-1, 1), levels=[0.5, 1, 2], value="L")
    >>> print(bowl.draw({"GD": [(1.0, 1.0), (0.5, 0.5)]}).alt)
    Contours of L over θ₁ and θ₂. GD goes from (1, 1) to (0.5, 0.5) in 1 step, L from 2 to 0.5.
    """

    def __init__(
        self,
        f: Callable[[float, float], Any],
        *,
        x_range: tuple[float, float],
        y_range: tuple[float, float],
        levels: Sequence[float],
        goal: float | None = None,
        minimum: tuple[float, float] | None = None,
        names: tuple[str, str] = ("θ₁", "θ₂"),
        value: str = "L",
    ) -> None:
        if not (x_range[0] < x_range[1] and y_range[0] < y_range[1]):
            raise ValueError(f"a range goes from a smaller to a larger number, got {x_range} and {y_range}")
        self.f, self.names, self.value, self.goal, self.minimum = f, names, value, goal, minimum
        self.levels = sorted({*levels, *([goal] if goal is not None else [])})
        self.x_range, self.y_range = x_range, y_range
        self.scale = _LONGEST / max(x_range[1] - x_range[0], y_range[1] - y_range[0])
        self.width, self.height = ((high - low) * self.scale for low, high in (x_range, y_range))
        self.x, self.y = np.linspace(*x_range, _GRID), np.linspace(*y_range, _GRID)
        self.z = np.array([[float(f(float(a), float(b))) for a in self.x] for b in self.y])
        if not np.isfinite(self.z).all():
            raise ValueError("the function is not finite everywhere in this range; choose a smaller one")

    def at(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Where a point lies inside the frame, in pixels."""
        return (x - self.x_range[0]) * self.scale, (self.y_range[1] - y) * self.scale

    def draw(
        self, paths: Mapping[str, Any] | None = None, *, arrows: Sequence[tuple[float, float, float, float]] = ()
    ) -> Picture:
        """Draw paths and arrows.

        Parameters
        ----------
        paths : mapping of str to array of shape (steps + 1, 2), optional
            For each method the parameters from the start on; at most six. A path that leaves the frame is cut there.
        arrows : sequence of (x, y, dx, dy)
            Arrows at (x, y), of the length that is given.

        Raises
        ------
        ValueError
            If a path is not of shape (n, 2), or there are too many paths.
        """
        tracks = {name: np.asarray(path, dtype=float) for name, path in (paths or {}).items()}
        for name, track in tracks.items():
            if track.ndim != 2 or track.shape[1] != 2 or not len(track):
                raise ValueError(f"the path {name!r} needs shape (steps + 1, 2), got {track.shape}")
        if len(tracks) > len(CYCLE):
            raise ValueError(f"{len(tracks)} paths on one map cannot be told apart; draw at most {len(CYCLE)}")
        import matplotlib.pyplot as plt

        with use_style():
            labels = [f"{name}: {plural(len(track) - 1, 'step')}" for name, track in tracks.items()]
            across = max(self.width + 90, *(text_width(label, LETTERS) + 160 for label in labels), 0)
            fig, ax = plt.subplots(figsize=(across / 100, self.height / 100 + 0.8 + 0.26 * len(labels)))
            goals = [level == self.goal for level in self.levels]
            found = ax.contour(
                self.x, self.y, self.z, levels=self.levels, linewidths=[2.2 if goal else 1.0 for goal in goals],
                colors=[INK if goal else MUTED for goal in goals],
            )  # fmt: skip
            self.label(ax, found, fontsize=10, bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 1})
            if self.minimum is not None:
                ax.plot(*self.minimum, marker="*", markersize=15, color=HIGHLIGHT, markeredgecolor=INK)
            for number, (label, track) in enumerate(zip(labels, tracks.values(), strict=True)):
                style: Any = {"color": CYCLE[number], "linestyle": DASHES[number], "marker": MARKERS[number]}
                points = self.near(track)
                ax.plot(*points.T, label=label, markersize=5, markevery=max(len(points) // 25, 1), **style)
                ax.plot(*points[:1].T, marker="o", markersize=11, color=INK, fillstyle="none", linestyle="none")
            for x, y, dx, dy in arrows:
                look = {"arrowstyle": "-|>", "color": GRADIENT, "linewidth": 1.6, "shrinkA": 0, "shrinkB": 0}
                ax.annotate("", (x + dx, y + dy), (x, y), arrowprops=look)
            ax.set(xlim=self.x_range, ylim=self.y_range, xlabel=self.names[0], ylabel=self.names[1], aspect="equal")
            ax.grid(False)
            key(ax)
        return picture_of(fig, self._say(tracks))

    def label(self, ax: Any, contours: Any, **style: Any) -> list[Any]:
        """Write their levels on contours, except where the frame would cut one; the texts that were written."""
        kept = []
        for text in ax.clabel(contours, fmt=lambda level: f"{level:g}", inline=False):
            x, y = self.at(*text.get_position())
            if _CLEAR < x < self.width - _CLEAR and _CLEAR < y < self.height - _CLEAR:
                text.set(**style)
                kept.append(text)
            else:
                text.remove()
        return kept

    def near(self, track: np.ndarray) -> np.ndarray:
        """The points of a path up to where it flies off."""
        with np.errstate(all="ignore"):
            broken = ~(np.abs(self.at(track[:, 0], track[:, 1])) < _FAR * _LONGEST).all(axis=0)
        return track[: int(broken.argmax())] if broken.any() else track

    def _holds(self, point: Any) -> bool:
        return all(low <= x <= high for x, (low, high) in zip(point, (self.x_range, self.y_range), strict=True))

    def _say(self, tracks: Mapping[str, np.ndarray]) -> str:
        text = f"Contours of {self.value} over {self.names[0]} and {self.names[1]}."
        for name, track in tracks.items():
            start = f"({format_number(track[0, 0])}, {format_number(track[0, 1])})"
            steps = plural(len(track) - 1, "step")
            if not np.isfinite(track[-1]).all() or np.abs(track[-1]).max() > 1e6:
                text += f" {name} goes from {start} out of all bounds in {steps}."
                continue
            end = f"({format_number(track[-1, 0])}, {format_number(track[-1, 1])})"
            first, last = (format_number(float(self.f(float(a), float(b)))) for a, b in (track[0], track[-1]))
            where = end if self._holds(track[-1]) else f"{end}, outside of the map,"
            text += f" {name} goes from {start} to {where} in {steps}, {self.value} from {first} to {last}."
        return text


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
    x, y, along = (np.linspace(*ends, n) for ends, n in ((x_range, _CELLS), (y_range, _CELLS), (y_range, _CUT)))
    heights = np.asarray(f(*np.meshgrid(x, y)), dtype=float)
    profile = np.asarray(f(np.full(_CUT, float(cut)), along), dtype=float)
    if not (np.isfinite(heights).all() and np.isfinite(profile).all()):
        raise ValueError("the function is not finite everywhere in this range; choose a smaller one")
    fig = _plot_heights((x, y, heights), (along, profile), cut, names, value, paths, title)
    return picture_of(fig, lead(title) + _say_heights(heights, (along, profile), cut, names, value, paths))


def _plot_heights(
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
        fig.colorbar(filled, ax=left)
        for number, (name, path) in enumerate(paths.items(), 1):
            style = {"color": CYCLE[number], "linestyle": DASHES[number], "marker": MARKERS[number]}
            left.plot(path[:, 0], path[:, 1], label=name, markersize=3.5, linewidth=1.4, markeredgecolor="w", **style)
        left.axvline(cut, color=INK, linestyle="--", linewidth=1.6)
        left.set(xlim=(x[0], x[-1]), ylim=(y[0], y[-1]), xlabel=names[0], ylabel=names[1])
        left.grid(False)
        key(left, title)
        right.plot(*profile, color=INK)
        right.set(xlabel=names[1], ylabel=value, title=f"cut at {names[0]} = {format_number(cut)}")
    return fig


def _say_heights(
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
