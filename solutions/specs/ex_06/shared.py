"""What several exercises of chapter 06 use."""

from __future__ import annotations

import numpy as np


def spread(rng, *shape, low=0.3, high=1.5):
    """Numbers of both signs, none of them near zero, with few digits so that feedback reads well."""
    return np.round(rng.choice([-1.0, 1.0], shape) * rng.uniform(low, high, shape), 2)


def with_zeros(rng, *arrays):
    """Copies of arrays, each with an entry in a random place that is 0."""
    copies = [array.copy() for array in arrays]
    for array in copies:
        array.flat[rng.integers(array.size)] = 0.0
    return copies
