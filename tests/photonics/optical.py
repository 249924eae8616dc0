"""What the photonic tests share: random light, and a mesh with every flaw that keeps it unitary."""

import numpy as np

from coursepkg.photonics import CouplerError, Crosstalk, Mesh, PhaseError, fabricate

LAYOUTS = ("rectangular", "triangular")


def light(rng, *shape):
    """Complex normal amplitudes."""
    return rng.normal(size=shape) + 1j * rng.normal(size=shape)


def flawed(n, layout, rng):
    """A random mesh with wrong couplers, wrong phases and heat that spreads."""
    errors = CouplerError(0.1), PhaseError(0.2), Crosstalk(0.02)
    return fabricate(Mesh.random(n, layout, rng=rng), *errors, rng=rng)


def lossy(n, layout, rng):
    """A flawed mesh that absorbs, each part differently."""
    return flawed(n, layout, rng).with_hardware(
        heater_transmission=rng.uniform(0.9, 1.0, n * n),
        column_transmission=rng.uniform(0.9, 1.0, Mesh(n, layout).depth),
    )


def relative(found, expected):
    """Length of the difference over the length of what is expected."""
    return np.linalg.norm(np.asarray(found) - expected) / np.linalg.norm(expected)
