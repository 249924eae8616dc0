"""What several exercises of chapter 05 use."""

from __future__ import annotations

import numpy as np


def array(rng, *shape):
    """Numbers of both signs, none near zero, with few digits so that feedback reads well."""
    return np.round(rng.choice([-1.0, 1.0], shape) * rng.uniform(0.4, 2.5, shape), 3)


def scales(n):
    """Factors far apart: what drops small numbers, clips large ones or rounds to so many places shows on them."""
    return np.resize([1e-9, 1.0, 1e9], n)


FIXED = np.random.default_rng(505)
