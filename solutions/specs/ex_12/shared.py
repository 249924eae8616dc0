"""What several exercises of chapter 12 use."""

from __future__ import annotations


def numbers(rng, *shape, low=0.4, high=2.5):
    """Numbers of both signs, none of them near zero, with few digits so that feedback reads well."""
    return (rng.choice([-1.0, 1.0], size=shape) * rng.uniform(low, high, size=shape)).round(3)
