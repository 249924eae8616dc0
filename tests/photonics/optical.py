"""What the photonic tests share: random light, and a mesh with every flaw that keeps it unitary."""

import numpy as np

from coursepkg.photonics import CouplerError, Crosstalk, Mesh, PhaseError, fabricate
from coursepkg.photonics.insitu import Reading

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


def sealed(mesh):
    """A chip in a closed box: two ends for light, detectors, and no way to its fields."""
    send = {"forward": mesh.forward_taps, "backward": mesh.backward_taps}

    class Box:
        __slots__ = ("launched",)
        n = mesh.n

        def __init__(self):
            self.launched = []

        def _read(self, direction, fields):
            self.launched.append((direction, np.array(fields)))
            out, taps = send[direction](fields)
            overlaid = [np.abs(out + turn) ** 2 for turn in (1, 1j, -1, -1j)]
            return Reading(np.abs(taps) ** 2, np.stack(overlaid))

        def forward(self, fields):
            return self._read("forward", fields)

        def backward(self, fields):
            return self._read("backward", fields)

    return Box()


def relative(found, expected):
    """Length of the difference over the length of what is expected."""
    return np.linalg.norm(np.asarray(found) - expected) / np.linalg.norm(expected)
