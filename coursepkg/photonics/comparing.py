"""A gradient that was measured on a flawed device beside the true gradient of that device.

The one idea: the truth to compare with is that of the device as it is, flaws included. So a flaw that only makes the
device another one costs nothing, and what is left is what the measurement itself gets wrong.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from coursepkg.photonics.adjoint import AdjointPass
from coursepkg.photonics.errors import MeasurementError
from coursepkg.photonics.insitu import Bench, InSituPass
from coursepkg.photonics.mesh import Mesh

__all__ = ["one_minus_cosine", "true_and_measured"]


def true_and_measured(
    device: Mesh, readout: str, noise: Sequence[MeasurementError] = (), *, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """The gradient of half the squared distance to a target, as it is and as light measures it.

    Parameters
    ----------
    device : Mesh
        The chip, with its flaws.
    readout : {"subtraction", "toggle"}
        See :class:`~coursepkg.photonics.insitu.InSituPass`.
    noise : sequence of MeasurementError
        Errors of launching and reading.
    seed : int
        For the input, the target and the noise.

    Returns
    -------
    true, measured : ndarray, shape (n * n,)
        Slopes by the phases that the heaters reach.

    Examples
    --------
    >>> device = Mesh.random(4, rng=np.random.default_rng(0))
    >>> np.allclose(*true_and_measured(device, "subtraction"))
    True
    """
    rng = np.random.default_rng(seed)
    x, target = rng.normal(size=(2, device.n, 1)) + 1j * rng.normal(size=(2, device.n, 1))
    exact = AdjointPass(device)
    y_adj = np.conj(exact.forward(x) - target)
    seen = InSituPass(Bench(device, noise, rng=rng), readout)
    seen.forward(x)
    return exact.backward(y_adj)[0], seen.backward(y_adj)[0]


def one_minus_cosine(a: np.ndarray, b: np.ndarray) -> float:
    """How far two gradients differ in direction: 0 for the same direction, 1 at a right angle.

    Examples
    --------
    >>> one_minus_cosine(np.array([1.0, 0.0]), np.array([0.0, 2.0]))
    1.0
    """
    return float(1 - a @ b / np.linalg.norm(a) / np.linalg.norm(b))
