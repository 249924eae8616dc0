"""What several exercises of chapter 02 use."""

from __future__ import annotations


def numbers(rng, count, low=0.4, high=2.5):
    """Numbers of both signs, none of them near zero, with few digits so that feedback reads well."""
    return [round(float(rng.choice([-1.0, 1.0]) * rng.uniform(low, high)), 3) for _ in range(count)]
