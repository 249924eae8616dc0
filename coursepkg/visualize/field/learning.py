"""A network that was trained, asked again at every chosen step: the figure of `field` from two functions.

The one idea: who has kept the weights of each step can ask the network anything afterwards, so a figure needs only the
answers, and knows by itself at which places it wants them.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from coursepkg.visualize.alive.story import Story
from coursepkg.visualize.field.story import grid, tell_field

_BEYOND = 0.5


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
        ``hidden(step, places)`` is what each hidden unit said there, n numbers for each.
    votes : callable, optional
        ``votes(step)`` are the weights with which the units vote for the second class.
    title : str
        A line over the figure.
    """
    data = np.asarray(points, dtype=float)
    low, high = data.min(axis=0) - _BEYOND, data.max(axis=0) + _BEYOND
    x_range, y_range = ((float(a), float(b)) for a, b in zip(low, high, strict=True))
    plane, coarse = (grid(x_range, y_range, tiles=tiles) for tiles in (False, True))
    return tell_field(
        np.array([answer(step, plane) for step in steps]),
        data,
        labels,
        np.array([answer(step, data) for step in steps]),
        x_range=x_range,
        y_range=y_range,
        steps=steps,
        losses=[losses[step] for step in steps],
        hidden=None if hidden is None else np.array([hidden(step, coarse) for step in steps]),
        votes=None if votes is None else [votes(step) for step in steps],
        title=title,
    )
