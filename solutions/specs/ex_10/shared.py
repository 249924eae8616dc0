"""What several exercises of chapter 10 use."""

from __future__ import annotations

import numpy as np


def numbers(rng, count, low=0.4, high=1.6):
    """Numbers of both signs, none of them near zero, with few digits so that feedback reads well."""
    return [round(float(rng.choice([-1.0, 1.0]) * rng.uniform(low, high)), 2) for _ in range(count)]


def array(rng, *shape, low=0.3, high=1.3, digits=2):
    """The same as an array."""
    return np.round(rng.choice([-1.0, 1.0], shape) * rng.uniform(low, high, shape), digits)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def slope(number):
    """The slope of a sigmoid, from the number that came out."""
    return number * (1 - number)
