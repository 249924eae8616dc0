"""What several exercises of chapter 08 use."""

from __future__ import annotations

import numpy as np


def array(rng, *shape, low=0.2, high=1.6):
    """The same as an array."""
    return np.round(rng.choice([-1.0, 1.0], shape) * rng.uniform(low, high, shape), 2)
