"""A map of a function of two parameters, on which paths are drawn quickly.

The one idea: the surface stays, only the paths change. So the contours are computed once, and a new picture costs no
more than the paths on it, which is quick enough for a slider. Both axes have one scale: a right angle looks like one.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from coursepkg.visualize.paper import svg
from coursepkg.visualize.paper.picture import Picture, page
from coursepkg.visualize.paper.style import CYCLE, GRADIENT, HIGHLIGHT, INK, MARKERS, MUTED
from coursepkg.visualize.paper.text import format_number, plural, text_width

_GRID = 101
_LONGEST = 440.0  # pixels
_LEFT, _TOP, _BOTTOM = 56.0, 14.0, 46.0
_DASHES = ("", "7 4", "8 3 2 3", "2 3", "12 3 3 3 3 3", "4 2")
_FAR = 1e4  # frames; what lies further out is cut off, because numbers of any size may come from a run that diverges

_SHAPES: dict[str, str] = {
    "s": "M-3.5 -3.5h7v7h-7z",
    "^": "M0 -4.4L4.2 3.4H-4.2z",
    "D": "M0 -4.6L4.6 0L0 4.6L-4.6 0z",
    "v": "M0 4.4L4.2 -3.4H-4.2z",
    "X": "M-3.6 -3.6L3.6 3.6M-3.6 3.6L3.6 -3.6",
    "o": "M-3.7 0a3.7 3.7 0 1 0 7.4 0a3.7 3.7 0 1 0 -7.4 0z",
}


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
        self.f, self.names, self.value = f, names, value
        self.levels = sorted({*levels, *([goal] if goal is not None else [])})
        self.x_range, self.y_range = x_range, y_range
        self.scale = _LONGEST / max(x_range[1] - x_range[0], y_range[1] - y_range[0])
        self.width, self.height = ((high - low) * self.scale for low, high in (x_range, y_range))
        self.ground = self._contours(goal, minimum)
        self.frame = self._axes()

    def at(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Where a point lies inside the frame, in pixels."""
        return (x - self.x_range[0]) * self.scale, (self.y_range[1] - y) * self.scale

    def _pixels(self, points: np.ndarray) -> np.ndarray:
        return np.stack(self.at(points[:, 0], points[:, 1]), axis=-1)

    def draw(
        self,
        paths: Mapping[str, Any] | None = None,
        *,
        arrows: Sequence[tuple[float, float, float, float]] = (),
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
        marks = [self._track(number, track) for number, track in enumerate(tracks.values())]
        for x, y, dx, dy in arrows:
            marks += svg.arrow(self.at(x, y), self.at(x + dx, y + dy), stroke=GRADIENT, size=8, role="arrow")
        inside = f'<svg x="{svg.number(_LEFT)}" y="{svg.number(_TOP)}" width="{svg.number(self.width)}" '
        inside += f'height="{svg.number(self.height)}" overflow="hidden">{self.ground}{"".join(marks)}</svg>'
        legend, extra = self._legend(tracks)
        width, height = _LEFT + self.width + 20 + extra, _TOP + self.height + _BOTTOM
        return page(width, height, [inside, self.frame, *legend], self._say(tracks))

    # --- the ground ---

    def _contours(self, goal: float | None, minimum: tuple[float, float] | None) -> str:
        from contourpy import contour_generator

        x, y = np.linspace(*self.x_range, _GRID), np.linspace(*self.y_range, _GRID)
        z = np.array([[float(self.f(float(a), float(b))) for a in x] for b in y])
        if not np.isfinite(z).all():
            raise ValueError("the function is not finite everywhere in this range; choose a smaller one")
        generator = contour_generator(x, y, z, name="serial")
        parts: list[str] = []
        labels: list[tuple[float, float, str]] = []
        for level in sorted(self.levels, key=lambda level: (level != goal, level)):
            lines = [self._pixels(np.asarray(line, dtype=float)) for line in generator.lines(level)]
            style: Any = {"stroke": INK, "width": 2.2} if level == goal else {"stroke": "#9aa5b1", "width": 1}
            parts += [svg.path(_commands(line), role="goal" if level == goal else "contour", **style) for line in lines]
            if (place := self._free_place(lines, labels)) is not None:
                labels.append((*place, f"{level:g}"))
        if minimum is not None:
            px, py = self.at(*minimum)
            star = "M0 -9L2.4 -2.9L8.6 -2.8L3.7 1.1L5.3 7.3L0 3.7L-5.3 7.3L-3.7 1.1L-8.6 -2.8L-2.4 -2.9z"
            parts.append(_placed(px, py, svg.path(star, fill=HIGHLIGHT, width=1, role="minimum")))
        parts += [svg.text(px, py + 4, text, size=11, fill=MUTED, anchor="middle") for px, py, text in labels]
        return "".join(parts)

    def _free_place(
        self, lines: Sequence[np.ndarray], taken: Sequence[tuple[float, float, str]]
    ) -> tuple[float, float] | None:
        """The point of a contour that is farthest from the labels that are there, and well inside the frame."""
        points = np.concatenate([line[::3] for line in lines]) if lines else np.empty((0, 2))
        margin = np.minimum(points, np.array([self.width, self.height]) - points).min(axis=1) if len(points) else points
        points = points[margin > 18] if len(points) else points
        if not len(points):
            return None
        if not taken:
            return float(points[0, 0]), float(points[0, 1])
        others = np.array([(px, py) for px, py, _ in taken])
        distance = np.linalg.norm(points[:, None] - others[None], axis=-1).min(axis=1)
        best = int(distance.argmax())
        return (float(points[best, 0]), float(points[best, 1])) if distance[best] > 26 else None

    def _axes(self) -> str:
        bottom = _TOP + self.height
        parts = [svg.rectangle(_LEFT, _TOP, self.width, self.height, fill="none", stroke=MUTED, line_width=1)]
        for tick in ticks(*self.x_range):
            px = _LEFT + self.at(tick, 0.0)[0]
            parts.append(svg.line(px, bottom, px, bottom + 4, stroke=MUTED, width=1))
            parts.append(svg.text(px, bottom + 17, format_number(tick), size=12, anchor="middle", halo=False))
        for tick in ticks(*self.y_range):
            py = _TOP + self.at(0.0, tick)[1]
            parts.append(svg.line(_LEFT - 4, py, _LEFT, py, stroke=MUTED, width=1))
            parts.append(svg.text(_LEFT - 7, py + 4, format_number(tick), size=12, anchor="end", halo=False))
        parts.append(svg.text(_LEFT + self.width / 2, bottom + 36, self.names[0], size=13, anchor="middle", halo=False))
        parts.append(svg.text(16, _TOP + self.height / 2, self.names[1], size=13, anchor="middle", halo=False))
        return "".join(parts)

    # --- what is on it ---

    def _track(self, number: int, track: np.ndarray) -> str:
        """A line through all points, and a marker at some of them, so that two methods differ without colour."""
        with np.errstate(all="ignore"):
            points = self._pixels(track)
            broken = ~(np.abs(points) < _FAR * _LONGEST).all(axis=1)
        points = points[: int(broken.argmax())] if broken.any() else points
        colour = CYCLE[number]
        parts = [svg.path(_commands(points), stroke=colour, width=2, dash=_DASHES[number], role="path")]
        fill = "none" if MARKERS[number] == "X" else colour
        shape = svg.path(_SHAPES[MARKERS[number]], stroke=colour, width=1.6, fill=fill)
        parts += [_placed(px, py, shape) for px, py in points[:: max(len(points) // 25, 1)]]
        if len(points):
            parts.append(_placed(points[-1, 0], points[-1, 1], shape))
            parts.append(svg.circle(points[0, 0], points[0, 1], 7, fill="none", stroke=INK, width=1.6, role="start"))
        return "".join(parts)

    def _legend(self, tracks: Mapping[str, np.ndarray]) -> tuple[list[str], float]:
        left = _LEFT + self.width + 18
        parts, widest = [], 0.0
        for number, (name, track) in enumerate(tracks.items()):
            y = _TOP + 12 + 22 * number
            words = f"{name}: {plural(len(track) - 1, 'step')}"
            fill = "none" if MARKERS[number] == "X" else CYCLE[number]
            shape = svg.path(_SHAPES[MARKERS[number]], stroke=CYCLE[number], width=1.6, fill=fill)
            parts.append(svg.line(left, y, left + 34, y, stroke=CYCLE[number], width=2, dash=_DASHES[number]))
            parts.append(_placed(left + 17, y, shape))
            parts.append(svg.text(left + 42, y + 4.5, words, size=13, halo=False))
            widest = max(widest, 42 + text_width(words, 13) + 16)
        return parts, widest

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
            text += f" {name} goes from {start} to {end} in {steps}, {self.value} from {first} to {last}."
        return text


def _commands(points: np.ndarray) -> str:
    """SVG path commands through points in pixels; steps shorter than a third of a pixel are left out."""
    if not len(points):
        return "M0 0"
    kept, last = [points[0]], points[0]
    for point in points[1:]:
        if abs(point[0] - last[0]) + abs(point[1] - last[1]) > 0.35:
            kept.append(point)
            last = point
    return "M" + "L".join(f"{svg.number(float(px))} {svg.number(float(py))}" for px, py in kept)


def _placed(x: float, y: float, shape: str) -> str:
    return f'<g transform="translate({svg.number(float(x))} {svg.number(float(y))})">{shape}</g>'


def ticks(low: float, high: float) -> list[float]:
    """About six round numbers in a range."""
    rough = (high - low) / 6
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    return [round(k * step, 10) for k in range(math.ceil(low / step), math.floor(high / step) + 1)]
