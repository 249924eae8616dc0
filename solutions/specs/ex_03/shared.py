"""What several exercises of chapter 03 use."""

from __future__ import annotations

import numpy as np


def numbers(rng, shape, low=0.3, high=2.5):
    """Numbers of both signs, none of them near zero, with few digits so that feedback reads well."""
    return (rng.choice([-1.0, 1.0], shape) * rng.uniform(low, high, shape)).round(2)


def rate(rng, low=0.1, high=0.6):
    return round(float(rng.uniform(low, high)), 3)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))
