"""A network that learns, as a figure that moves: what it answers everywhere in the plane, and what its units see.

The one idea: the network is asked at the places of :func:`grid` after chosen steps of training. The line where it is
undecided is found here; the page only draws it.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from coursepkg.visualize.alive.story import Story, pack
from coursepkg.visualize.field.boundary import plot_boundary
from coursepkg.visualize.paper import format_number, picture_of, plural

COLUMNS, ROWS = 40, 28
TILE_COLUMNS, TILE_ROWS = 10, 7
_WIDTH, _HEIGHT = 560.0, 392.0
_FINER, _POINTS = 3, 48  # of the line: how much finer it is looked for, and how many points it is drawn by
_NEAR = 60.0  # pixels between a line and the next frame's, if it is the same line
_CAPTION = (
    "The ground is what the network answers at each place, from [blue](cold) to [orange](warm), and the line is where "
    "it is undecided. A heavy ring marks a point on the wrong side. Drag along the loss to travel through training."
)
_HIDDEN = " The small maps are the hidden units on the same plane, each with the weight of its vote."
_BEYOND = 0.5


def grid(x_range: tuple[float, float], y_range: tuple[float, float], *, tiles: bool = False) -> np.ndarray:
    """The places at which the network is to be asked, row by row from the top.

    Parameters
    ----------
    x_range, y_range : (float, float)
        The part of the plane that is shown.
    tiles : bool
        The coarser places at which hidden units are asked.

    Returns
    -------
    ndarray, shape (n, 2)
        The middles of 40 by 28 cells (10 by 7 for tiles).
    """
    columns, rows = (TILE_COLUMNS, TILE_ROWS) if tiles else (COLUMNS, ROWS)
    x = x_range[0] + (np.arange(columns) + 0.5) / columns * (x_range[1] - x_range[0])
    y = y_range[1] - (np.arange(rows) + 0.5) / rows * (y_range[1] - y_range[0])
    return np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)


def tell_learning(
    answer: Callable[[int, np.ndarray], Any],
    points: Any,
    labels: Any,
    losses: Sequence[float],
    steps: Sequence[int],
    *,
    hidden: Callable[[int, np.ndarray], Any] | None = None,
    votes: Callable[[int], Any] | None = None,
    title: str = "",
) -> Story:
    """Show a network of two inputs while it learns.

    Parameters
    ----------
    answer : callable
        ``answer(step, places)`` is what the network said after so many steps at places of shape (n, 2): n numbers,
        above zero for the second class.
    points, labels : array, shape (n, 2) and (n,)
        The data; labels are 0 and 1.
    losses : sequence of float
        The loss before the first step and after each one.
    steps : sequence of int
        The steps that are shown.
    hidden : callable, optional
        ``hidden(step, places)`` is what each hidden unit said there, n numbers for each of at most 12 units.
    votes : callable, optional
        ``votes(step)`` are the weights with which the units vote for the second class.
    title : str
        A line over the figure.

    Raises
    ------
    ValueError
        If the network answers in another shape, or something that is not finite.
    """
    data, classes = np.asarray(points, dtype=float), np.asarray(labels).reshape(-1)
    low, high = data.min(axis=0) - _BEYOND, data.max(axis=0) + _BEYOND
    x_range, y_range = ((float(a), float(b)) for a, b in zip(low, high, strict=True))
    plane, coarse = (grid(x_range, y_range, tiles=tiles) for tiles in (False, True))
    frames, seen = len(steps), [losses[step] for step in steps]
    fields, answers = (np.array([answer(step, each) for step in steps], dtype=float) for each in (plane, data))
    _check(fields, (frames, len(plane)), "the answers in the plane")
    _check(answers, (frames, len(classes)), "the answers at the points")
    _check(np.asarray(seen), (frames,), "losses")
    units = None if hidden is None else [hidden(step, coarse) for step in steps]
    weights = None if votes is None else [votes(step) for step in steps]
    right = (answers > 0) == (classes == 1)
    told = {
        "size": [_WIDTH, _HEIGHT], "cells": [COLUMNS, ROWS], "tile": [TILE_COLUMNS, TILE_ROWS],
        "shades": pack(_shades(0.5 + 0.5 * np.tanh(fields / 2)), "u1"), **_lines(fields),
        "points": np.round(_places(data, x_range, y_range), 1).tolist(), "labels": [int(label) for label in classes],
        "wrong": [np.flatnonzero(~each).tolist() for each in right], "curve": _curve(seen),
        "facts": [[f"{step:,}", format_number(loss), f"{int(each.sum())} of {len(each)}"]
                  for step, loss, each in zip(steps, seen, right, strict=True)],
        **_units(units, weights, frames),
    }  # fmt: skip
    say = [
        f"After {plural(step, 'step')} of training the loss is {format_number(loss)}, and {int(each.sum())} of "
        f"{len(each)} points are on their side of the line."
        for step, loss, each in zip(steps, seen, right, strict=True)
    ]
    words = _CAPTION + (_HIDDEN if hidden is not None else "")
    still = _still(fields[-1], data, classes, x_range, y_range, say[-1])
    return Story("field", frames, title, words, told, still, rhythm="flow", pace=10.0, say=say)


def _check(array: np.ndarray, shape: tuple[int, ...], name: str) -> None:
    if array.shape != shape:
        raise ValueError(f"{name} needs shape {shape}, got {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds numbers that are not finite; show the training up to where it went wrong")


def _shades(shares: np.ndarray) -> np.ndarray:
    return (255 * np.clip(shares, 0, 1)).round()


def _places(data: np.ndarray, x_range: tuple[float, float], y_range: tuple[float, float]) -> np.ndarray:
    across = (data[:, 0] - x_range[0]) / (x_range[1] - x_range[0])
    down = (y_range[1] - data[:, 1]) / (y_range[1] - y_range[0])
    return np.stack([across * _WIDTH, down * _HEIGHT], axis=-1)


def _lines(fields: np.ndarray) -> dict[str, Any]:
    """The lines where the logits are zero, in pixels, and whether those of a frame move on into those of the next."""
    found = [undecided(field) for field in fields]
    near = [
        len(now) == len(soon)
        and all(np.linalg.norm(a - b, axis=1).mean() < _NEAR for a, b in zip(now, soon, strict=True))
        for now, soon in pairwise(found)
    ]
    return {"lines": [[line.round().astype(int).ravel().tolist() for line in lines] for lines in found], "moves": near}


def undecided(field: np.ndarray) -> list[np.ndarray]:
    """The lines of a frame, each as 48 points in equal distances, carried on to the edge of the plane."""
    from contourpy import contour_generator
    from scipy.ndimage import zoom

    wide = np.pad(field.reshape(ROWS, COLUMNS), 1, mode="reflect", reflect_type="odd")
    z = zoom(wide, _FINER, order=3)  # between the places that were asked, as smooth as the network is
    x, y = (
        (np.linspace(-0.5, count + 0.5, number) / count) * size
        for count, number, size in ((COLUMNS, z.shape[1], _WIDTH), (ROWS, z.shape[0], _HEIGHT))
    )
    lines = contour_generator(x, y, z, name="serial").lines(0.0)
    return sorted((_resampled(np.asarray(line)) for line in lines), key=lambda line: tuple(line[0]))


def _resampled(line: np.ndarray) -> np.ndarray:
    way = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    at = np.linspace(0.0, way[-1], _POINTS)
    return np.stack([np.interp(at, way, line[:, 0]), np.interp(at, way, line[:, 1])], axis=-1)


def _curve(losses: Sequence[float]) -> list[float]:
    """The losses as shares of the largest."""
    top = max(*losses, 1e-12)
    return [round(1 - loss / top, 4) for loss in losses]


def _units(hidden: Any, votes: Any, frames: int) -> dict[str, Any]:
    if hidden is None:
        return {"units": 0}
    seen = np.asarray(hidden, dtype=float)
    count = seen.shape[1] if seen.ndim == 3 else 0
    _check(seen, (frames, count, TILE_COLUMNS * TILE_ROWS), "hidden")
    if not 1 <= count <= 12:
        raise ValueError(f"1 to 12 hidden units can be shown, got {count}")
    weights = np.zeros((frames, count)) if votes is None else np.asarray(votes, dtype=float)
    _check(weights, (frames, count), "votes")
    largest = max(float(np.abs(seen).max()), 1e-12)
    words = [[f"× {format_number(weight, 2)}" for weight in row] for row in weights] if votes is not None else []
    return {"units": count, "tiles": pack(_shades(0.5 + seen / (2 * largest)), "u1"), "votes": words}


def _still(field: np.ndarray, data: np.ndarray, classes: np.ndarray, x_range: Any, y_range: Any, words: str) -> Any:
    places = grid(x_range, y_range).reshape(ROWS, COLUMNS, 2)
    x, y, z = places[0, :, 0], places[::-1, 0, 1], field.reshape(ROWS, COLUMNS)[::-1]
    fig = plot_boundary(x, y, z, data, classes == 1, ("class 0", "class 1"), "")
    alt = f"{plural(len(data), 'point')} of two classes, and the line where a network is undecided. {words}"
    return picture_of(fig, alt)
