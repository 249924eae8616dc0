"""Paths on a landscape as a figure that moves: momentum in a ravine, a race of optimizers, a start that can be dragged.

The one idea: every path for every place of two dials is walked before the page is opened. So the page answers at once,
and what it shows is what the optimizers did.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from coursepkg.visualize.alive.story import Story, pack
from coursepkg.visualize.chart.common import ticks
from coursepkg.visualize.chart.landscape import Landscape
from coursepkg.visualize.paper import HIGHLIGHT, MUTED, format_number, plural, svg

_MOST_METHODS = 4
_FAR = 4000.0  # pixels; positions are stored in eighths of a pixel, in two bytes
_STAR = "M0 -9L2.4 -2.9L8.6 -2.8L3.7 1.1L5.3 7.3L0 3.7L-5.3 7.3L-3.7 1.1L-8.6 -2.8L-2.4 -2.9z"


def tell_descent(
    landscape: Landscape,
    paths: Mapping[str, Any],
    dials: Sequence[tuple[str, Sequence[float]]],
    *,
    goal: float,
    first: tuple[int, int] = (0, 0),
    drag: bool = False,
    every: int = 1,
    pace: float = 12.0,
    title: str = "",
    caption: str = "",
) -> Story:
    """Show paths that were walked for each place of two dials.

    Parameters
    ----------
    landscape : Landscape
        The ground, with its contours.
    paths : mapping of str to array, shape (n, m, steps + 1, 2)
        For each method (at most four) the parameters from the start on, for each place of the two dials. At most 255
        steps. A path may leave the map or become infinite; it is drawn as far as it stays near.
    dials : two of (name, values)
        What the first two axes of the arrays are, n and m values. Values in equal ratios make a logarithmic dial.
    goal : float
        A path has settled once the loss stays below this.
    first : (int, int)
        The places of the dials at the beginning.
    drag : bool
        The dials are the coordinates of the start, which can also be dragged on the map. Otherwise a small map of all
        settings shows how soon the first method settles.
    every : int
        How many steps lie between two places of a path, where only some of a long walk are handed in.
    pace : float
        Places a second.
    title, caption : str
        See :class:`coursepkg.visualize.alive.story.Story`.

    Raises
    ------
    ValueError
        If shapes do not fit the dials, or there are too many methods or steps.
    """
    tracks = {name: np.asarray(path, dtype=float) for name, path in paths.items()}
    (across, columns), (upward, rows) = dials
    shape = _check(tracks, (len(columns), len(rows)), first)
    losses = np.stack([_losses(landscape, track) for track in tracks.values()], axis=2)
    steps = np.array([settled(run, goal) for run in losses.reshape(-1, shape[2])]).reshape(losses.shape[:3])
    steps = np.where(steps > 0, steps * every, steps)
    data = {
        "size": [landscape.width, landscape.height], "ground": _ground(landscape),
        "x": [[landscape.at(tick, 0)[0], format_number(tick)] for tick in ticks(*landscape.x_range)],
        "y": [[landscape.at(0, tick)[1], format_number(tick)] for tick in ticks(*landscape.y_range)],
        "axes": list(landscape.names), "methods": list(tracks), "steps": (shape[2] - 1) * every,
        "every": every,
        "first": list(first), "drag": drag,
        "dials": [_dial(across, columns), _dial(upward, rows)],
        **_packed(landscape, np.stack(list(tracks.values()), axis=2)), **_heights(losses, landscape.value),
        **_notes(steps, (shape[2] - 1) * every),
        "meant": f"settled: {landscape.value} stays below {format_number(goal)}",
        "shades": "" if drag else pack(_shades(steps[:, :, 0]), "u1"),
        "starts": [[landscape.at(x, 0)[0] for x in columns], [landscape.at(0, y)[1] for y in rows]] if drag else None,
    }  # fmt: skip
    still = landscape.draw({name: track[first] for name, track in tracks.items()})
    return Story("descent", shape[2], title, caption, data, still, rhythm="flow", pace=pace)


def settled(losses: Any, goal: float) -> int:
    """Steps after which the losses of a path stay below a goal; -1 if they do not, -2 if they grow beyond the first.

    Examples
    --------
    >>> settled([9, 3, 0.5, 2, 0.5], goal=1), settled([9, 3, 2], goal=1), settled([9, 30, 90], goal=1)
    (4, -1, -2)
    """
    run = np.asarray(losses, dtype=float)
    if not run[-1] <= run[0]:  # NaN as well
        return -2
    above = np.flatnonzero(~(run < goal))
    after = int(above[-1]) + 1 if len(above) else 0
    return after if after < len(run) else -1


def _check(tracks: Mapping[str, np.ndarray], places: tuple[int, int], first: tuple[int, int]) -> tuple[int, ...]:
    if not 1 <= len(tracks) <= _MOST_METHODS:
        raise ValueError(f"one map tells one to {_MOST_METHODS} methods apart, got {len(tracks)}")
    shapes = {name: track.shape for name, track in tracks.items()}
    shape = next(iter(shapes.values()))
    if len(set(shapes.values())) > 1 or len(shape) != 4 or shape[:2] != places or shape[3] != 2:
        raise ValueError(f"each method needs paths of shape ({places[0]}, {places[1]}, steps + 1, 2), got {shapes}")
    if not 2 <= shape[2] <= 256:
        raise ValueError(f"a path has 1 to 255 steps, got {shape[2] - 1}")
    if not all(0 <= place < count for place, count in zip(first, places, strict=True)):
        raise ValueError(f"first is a place of each dial, below {places}, got {first}")
    return shape


def _losses(landscape: Landscape, track: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        rows = np.nan_to_num(track.reshape(-1, 2), nan=np.inf)
        known = [float(landscape.f(float(x), float(y))) if abs(x) + abs(y) < 1e150 else np.inf for x, y in rows]
    return np.array(known).reshape(track.shape[:3])


# --- what the page reads ----------------------------------------------------------------------------------------


def _dial(name: str, values: Sequence[float]) -> dict[str, Any]:
    return {"name": name, "labels": [format_number(value) for value in values]}


def _packed(landscape: Landscape, paths: np.ndarray) -> dict[str, str]:
    """All positions in eighths of a pixel, and how many of each path are near enough to be drawn."""
    with np.errstate(all="ignore"):
        places = np.stack(landscape.at(paths[..., 0], paths[..., 1]), axis=-1)
        far = ~(np.abs(places) < _FAR).all(axis=-1)
    counts = np.where(far.any(axis=-1), far.argmax(axis=-1), far.shape[-1])
    eighths = np.where(far[..., None], 0, np.nan_to_num(places, posinf=0, neginf=0) * 8).round()
    return {"places": pack(eighths, "i2"), "counts": pack(counts, "u2")}


def _heights(losses: np.ndarray, name: str) -> dict[str, Any]:
    """Where the losses stand on an axis that goes from 255 at the bottom to 0 at the top; logarithmic if it can be."""
    known = losses[np.isfinite(losses)]
    first = losses[..., 0]
    top, low = min(float(known.max()), 30 * float(np.abs(first).max())), float(known.min())
    logarithmic = low >= 0
    low = max(low, 1e-6 * top) if logarithmic else low
    ends = np.array([low, max(top, low)])
    heights = np.clip(np.nan_to_num(losses, nan=np.inf), *ends)
    if logarithmic:
        heights, ends = np.log10(heights), np.log10(ends)
    share = (heights - ends[0]) / max(ends[1] - ends[0], 1e-12)
    scale = [f"up to {name} = {format_number(top, 2)}{', log scale' if logarithmic else ''}", format_number(low, 2)]
    return {"heights": pack((255 * (1 - share)).round(), "u1"), "scale": scale}


def _notes(steps: np.ndarray, longest: int) -> dict[str, Any]:
    kinds = sorted({int(count) for count in steps.flat})
    short, words = (
        {-2: "flies apart", -1: "not settled"},
        {-2: "flies apart", -1: f"has not settled after {longest} steps"},
    )
    notes = [short.get(kind, f"settled at {kind}") for kind in kinds]
    said = [words.get(kind, f"settles after {plural(kind, 'step')}") for kind in kinds]
    place = {kind: number for number, kind in enumerate(kinds)}
    return {"notes": notes, "said": said, "noted": [[[place[int(n)] for n in cell] for cell in row] for row in steps]}


def _shades(steps: np.ndarray) -> np.ndarray:
    """0 for the setting that settles first, up to 254 for one that does not; 255 for one that flies apart."""
    there = steps[steps >= 0]
    least, most = (float(there.min()) + 1, float(there.max()) + 2) if len(there) else (1.0, 2.0)
    share = np.log(np.maximum(steps + 1.0, least) / least) / np.log(most / least)
    return np.where(steps == -2, 255, np.where(steps == -1, 254, 230 * share)).round()


def _ground(landscape: Landscape) -> str:
    """The ground shaded between the contours, the deeper the darker; the contours with their numbers; the minimum."""
    import matplotlib.pyplot as plt

    x, y, z, levels = landscape.x, landscape.y, landscape.z, landscape.levels
    fig, ax = plt.subplots(figsize=(landscape.width / 100, landscape.height / 100))
    bands = ax.contourf(x[::2], y[::2], z[::2, ::2], levels=[float(z.min()) - 1, *levels, float(z.max()) + 1])
    lines = ax.contour(x, y, z, levels=levels)
    labels = [(*label.get_position(), label.get_text()) for label in landscape.label(ax, lines)]
    plt.close(fig)
    parts = []
    for n, band in enumerate(bands.get_paths()):
        shapes = "".join(_outline(landscape, np.asarray(each)) for each in band.to_polygons(closed_only=True))
        look = f'style="--n:{n / len(levels):.2f}" fill-rule="evenodd"'
        parts.append(f'<path class="band" {look} d="{shapes}"/>' if shapes else "")
    for level, pieces in zip(levels, lines.allsegs, strict=True):
        role, width = ("goal", 2.2) if level == landscape.goal else ("contour", 1.0)
        ways = (_outline(landscape, points, closed=False) for points in pieces if len(points))
        parts += [svg.path(way, stroke=MUTED, width=width, role=role) for way in ways]
    if landscape.minimum is not None:
        place = " ".join(map(svg.number, landscape.at(*landscape.minimum)))
        star = svg.path(_STAR, fill=HIGHLIGHT, width=1, role="minimum")
        parts.append(f'<g transform="translate({place})">{star}</g>')
    for a, b, text in labels:
        px, py = landscape.at(a, b)
        parts.append(svg.text(px, py + 4, text, size=11, fill=MUTED, anchor="middle"))
    return re.sub(r' textLength="[^"]*" lengthAdjust="[^"]*"', "", "".join(parts))  # the page may write them smaller


def _outline(landscape: Landscape, points: np.ndarray, *, closed: bool = True) -> str:
    return svg.polygon(zip(*landscape.at(points[:, 0], points[:, 1]), strict=True), closed=closed)
