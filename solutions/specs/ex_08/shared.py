"""What several exercises of chapter 08 use."""

from __future__ import annotations

import numpy as np


def array(rng, *shape, low=0.2, high=1.6, digits=2):
    """Numbers of both signs, none of them near zero, with few digits so that feedback reads well."""
    return np.round(rng.choice([-1.0, 1.0], shape) * rng.uniform(low, high, shape), digits)


def opposed(rng, pairs, N, M):
    """Rows in pairs whose products cancel, so that Y^T X is 0 and neither X nor Y is."""
    signs = np.tile([1.0, -1.0], pairs)[:, None]
    return np.repeat(array(rng, pairs, N), 2, axis=0), signs * np.repeat(array(rng, pairs, M), 2, axis=0)
