"""The matrices of the network in light, which measures the slopes of its own settings (chapter 11).

A chip measures slopes of phases and attenuators. Together they determine the gradient of the matrix that the settings
make, for whoever knows the settings: one linear equation per setting.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from coursepkg.autodiff.catalogue import sigmoid
from coursepkg.photonics import Bench, InSituPass, SVDMesh
from coursepkg.photonics.errors import MeasurementError
from coursepkg.routes.problem import Found, Meter, Problem


class _LightLayer:
    """A layer's matrix in light: two meshes and attenuators, each heater's slope measured with three passes."""

    def __init__(
        self, W: np.ndarray, errors: Sequence[MeasurementError], rng: np.random.Generator | None, readout: str
    ) -> None:
        self.light = SVDMesh.from_matrix(W)
        self.ports = len(self.light.attenuation)
        self.first = InSituPass(Bench(self.light.first, errors, rng=rng), readout)
        self.last = InSituPass(Bench(self.light.last, errors, rng=rng), readout)

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Send a batch of rows; what is read is the real part of the light that comes out."""
        self.inside = self.first.forward(x.T)[: self.ports]
        beyond = np.zeros((self.light.last.n, len(x)), complex)
        beyond[: self.ports] = self.inside * self.light.attenuation[:, None]
        return self.light.gain * self.last.forward(beyond).real.T

    def backward(self, delta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """From the gradient at the outputs, by light from the other side, to those of the settings and the inputs."""
        of_last, arrived = self.last.backward(self.light.gain * delta.T)
        of_attenuators = np.sum((arrived[: self.ports] * self.inside).real, axis=1)
        back = np.zeros((self.light.first.n, len(delta)), complex)
        back[: self.ports] = arrived[: self.ports] * self.light.attenuation[:, None]
        of_first, x_adj = self.first.backward(back)
        return np.concatenate([of_first, of_attenuators, of_last]), x_adj.real.T

    @property
    def kept(self) -> int:
        """Bytes of the powers that wait to be subtracted; with the toggle nothing waits."""
        if self.first.readout == "toggle":
            return 0
        seen = [part.passes for part in (self.first, self.last)]
        return sum(powers.forward.nbytes + powers.backward.nbytes for powers in seen if powers is not None)


def settings_jacobian(light: SVDMesh) -> np.ndarray:
    """How the real part of the matrix moves with each setting: phases of the first mesh, attenuators, of the last.

    A phase turns the field that passes it, so an entry of the matrix moves by i times what came from its input to the
    heater, times what the heater sends to its output.
    """
    count, (n, m) = len(light.attenuation), light.shape
    into, taps = light.first.forward_taps(np.eye(m))
    wide = np.zeros((n, m), complex)
    wide[:count] = into[:count] * light.attenuation[:, None]
    _, beyond = light.last.forward_taps(wide)
    out, behind = light.last.backward_taps(light.gain * np.eye(n))
    back = np.zeros((m, n), complex)
    back[:count] = out[:count] * light.attenuation[:, None]
    _, before = light.first.backward_taps(back)
    first = -np.einsum("hi,hj->hij", before, taps).imag
    middle = np.einsum("ki,kj->kij", out[:count], into[:count]).real
    last = -np.einsum("hi,hj->hij", behind, beyond).imag
    return np.concatenate([first, middle, last]).reshape(-1, n * m)


def weight_from_phases(light: SVDMesh, slopes: np.ndarray) -> np.ndarray:
    """Translate measured slopes of settings into the gradient of the matrix that the settings make.

    Parameters
    ----------
    light : SVDMesh
        The two meshes and their attenuators, as they are set.
    slopes : ndarray, shape (number of settings,)
        dL/d(phases of the first mesh), dL/d(attenuators), dL/d(phases of the last mesh).

    Returns
    -------
    ndarray, of the shape of the matrix
        The gradient whose product with every direction that a setting can move the matrix in is the measured slope. It
        is the only one if all singular values of the matrix are different and none is 0.
    """
    return np.linalg.lstsq(settings_jacobian(light), slopes, rcond=1e-9)[0].reshape(light.shape)


def in_light(
    problem: Problem,
    errors: Sequence[MeasurementError] = (),
    rng: np.random.Generator | None = None,
    readout: str = "subtraction",
) -> Found:
    """Let both matrices be carried by light, which measures its own gradient; sigmoids are left to electronics.

    The chip measures slopes of its settings, not of matrix entries. :func:`weight_from_phases` translates them, and
    needs to know the settings for that. A chip that learns has no use for it: it moves its settings.

    Parameters
    ----------
    problem : Problem
        Network and batch.
    errors : sequence of MeasurementError, optional
        Of the camera and so on; they need ``rng``.
    rng : numpy.random.Generator, optional
        Source of the errors.
    readout : {"subtraction", "toggle"}
        How powers become slopes; see :class:`~coursepkg.photonics.InSituPass`.

    Returns
    -------
    Found
        Its meter counts passes of light through a layer; the products in it cost nothing that could be counted.
    """
    p, meter = problem.parameters, Meter()
    one, two = (_LightLayer(p[name], errors, rng, readout) for name in ("W1", "W2"))
    h = sigmoid(one.forward(problem.x) + p["b1"])
    y = sigmoid(two.forward(h) + p["b2"])
    delta2 = (y - problem.t) * y * (1 - y) / len(problem.x)
    slopes2, h_bar = two.backward(delta2)
    delta1 = h_bar * h * (1 - h)
    slopes1, _ = one.backward(delta1)
    overlays = {"subtraction": 1, "toggle": 2}[readout]
    meter.forward, meter.backward = 2 * (1 + overlays), 2
    found = {"W1": weight_from_phases(one.light, slopes1), "W2": weight_from_phases(two.light, slopes2)}
    gradient = found | {"b1": delta1.sum(axis=0), "b2": delta2.sum(axis=0)}
    return Found(gradient, meter, one.kept + two.kept)
