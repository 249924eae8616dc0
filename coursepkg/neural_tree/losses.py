"""How wrong the outputs of a tree are, and dE/dz there, where the backward pass starts.

Two losses for outputs y between 0 and 1 and targets t of the same shape. Both are sums over the outputs of one example
and means over the examples.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

SMALLEST = 1e-16  # keeps the reported cross-entropy finite where an output is exactly 0 or 1


class Loss(NamedTuple):
    """A loss: ``value(y, t)`` is one number, ``delta(y, t)`` is dE/dz of each example, of the shape of y."""

    value: Callable[[np.ndarray, np.ndarray], float]
    delta: Callable[[np.ndarray, np.ndarray], np.ndarray]


def _squared(y: np.ndarray, t: np.ndarray) -> float:
    difference = (y - t).ravel()
    return 0.5 * float(difference @ difference) / len(y)


def _cross_entropy(y: np.ndarray, t: np.ndarray) -> float:
    logs = t * np.log(np.maximum(y, SMALLEST)) + (1.0 - t) * np.log(np.maximum(1.0 - y, SMALLEST))
    return -float(logs.sum()) / len(y)


LOSSES = {
    # The paper's: E = 1/2 sum (y - t)^2, so dE/dz = (y - t) y (1 - y).
    "squared": Loss(_squared, lambda y, t: (y - t) * y * (1.0 - y)),
    # One yes-or-no question per output; the sigmoid's slope cancels: dE/dz = y - t.
    "cross_entropy": Loss(_cross_entropy, lambda y, t: y - t),
}


def find_loss(name: str) -> Loss:
    """A loss by name.

    Raises
    ------
    ValueError
        If there is none of that name.
    """
    if name not in LOSSES:
        raise ValueError(f"loss is one of {', '.join(map(repr, LOSSES))}, got {name!r}")
    return LOSSES[name]
