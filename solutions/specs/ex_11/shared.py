"""What several exercises of chapter 11 use."""

from __future__ import annotations

import numpy as np


def numbers(rng, count, low, high):
    """Numbers with few digits, so that feedback reads well."""
    return [round(float(rng.uniform(low, high)), 2) for _ in range(count)]


def angle(rng, low, high):
    """An angle in radians."""
    return round(float(rng.uniform(low, high)), 3)


def spread_angles(rng, *shape):
    """Angles in all quarters, on both sides of 0 and beyond the circle, none near 0 or half a turn."""
    quarters = rng.permutation(np.arange(np.prod(shape)) % 7 - 3).reshape(shape)
    return np.round(quarters * np.pi / 2 + rng.uniform(0.3, 1.3, shape), 3)


def fields(rng, *shape, low=0.4, high=1.3):
    """Complex amplitudes, none near zero, none near an axis of the complex plane."""
    turn = rng.integers(0, 4, shape) * np.pi / 2 + rng.uniform(0.25, 1.3, shape)
    amplitude = rng.uniform(low, high, shape)
    return np.round(amplitude * np.cos(turn), 3) + 1j * np.round(amplitude * np.sin(turn), 3)


def unitary(rng, n):
    """A random unitary matrix."""
    q, r = np.linalg.qr(rng.normal(size=(n, n)) + 1j * rng.normal(size=(n, n)))
    return q * (np.diag(r) / np.abs(np.diag(r)))
