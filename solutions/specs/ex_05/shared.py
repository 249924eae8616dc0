"""What several exercises of chapter 05 use."""

from __future__ import annotations

import numpy as np

from coursepkg.grading.judging.values import is_number, leaves
from coursepkg.grading.specification.exercise import Case


def array(rng, *shape):
    """Numbers of both signs, none near zero, with few digits so that feedback reads well."""
    return np.round(rng.choice([-1.0, 1.0], shape) * rng.uniform(0.4, 2.5, shape), 3)


def scales(n):
    """Factors far apart: what drops small numbers, clips large ones or rounds to so many places shows on them."""
    return np.resize([1e-9, 1.0, 1e9], n)


def settled(reference, cases):
    """The cases; where numbers cancel, so that float32 would have few digits left of the sum, all are positive."""

    def cancels(item):
        parts = [np.abs(leaf) for leaf in leaves(reference(*item.args)) if is_number(leaf)]
        return any(((part > 0) & (part < 0.02)).any() for part in parts)

    return [Case(tuple(map(_positive, item.args))) if cancels(item) else item for item in cases]


def _positive(given):
    if isinstance(given, list):
        return [_positive(item) for item in given]
    return abs(given) if isinstance(given, np.ndarray | float) else given


FIXED = np.random.default_rng(505)
