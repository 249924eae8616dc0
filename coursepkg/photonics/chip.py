"""The data of the real chip, or a stand-in in the same format where they are not on this computer.

What was measured on the chip of Pai et al. (Science 380:398, 2023) comes from :func:`coursepkg.datasets.photonic_chip`.
Without it, this module trains a small network, puts errors of a plausible size on it, and returns arrays of the same
names and shapes; so whatever reads them runs either way, and says which of the two it has read.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from coursepkg import datasets, optimizers
from coursepkg.autodiff.catalogue import softmax
from coursepkg.photonics import routes
from coursepkg.photonics.encoding import encode_points
from coursepkg.photonics.errors import PortError
from coursepkg.photonics.insitu import Bench
from coursepkg.photonics.mesh import Mesh
from coursepkg.photonics.network import PhotonicNetwork
from coursepkg.photonics.training import PhotonicTrainer

__all__ = ["ChipData", "all_points", "load"]

MEASURED = "measured on the chip (Pai et al. 2023)"
SIMULATED = (
    "simulated here, in the format of the measurements; `python -m coursepkg data fetch photonic-chip` gets those"
)


class ChipData(NamedTuple):
    """Arrays, and where they are from.

    Attributes
    ----------
    arrays : dict of str to ndarray
        As :func:`coursepkg.datasets.photonic_chip` describes them.
    origin : str
        One sentence for the reader.
    measured : bool
        Whether they were measured on the chip.
    """

    arrays: dict[str, np.ndarray]
    origin: str
    measured: bool


def load(name: str, *, rng: np.random.Generator | None = None) -> ChipData:
    """Measurements of the chip if they are on this computer, otherwise simulated ones.

    Parameters
    ----------
    name : {"moons", "batch_gradient", "phase_sweep"}
        Which measurement.
    rng : numpy.random.Generator, optional
        For the stand-in. Default: a fixed seed, so that a page shows the same numbers each time.

    Returns
    -------
    ChipData

    Raises
    ------
    ValueError
        If there is no such measurement.
    DataCorrupt
        If the files are there and damaged.

    Examples
    --------
    >>> data = load("phase_sweep")
    >>> sorted(data.arrays), data.arrays["power"].shape
    (['measured_gradient', 'power'], (50,))
    """
    if name not in _STAND_INS:
        raise ValueError(f"there is no measurement {name!r}; choose one of {', '.join(_STAND_INS)}")
    try:
        return ChipData(datasets.photonic_chip(name), MEASURED, True)
    except datasets.DataNotFound:
        return ChipData(_STAND_INS[name](rng or np.random.default_rng(2023)), SIMULATED, False)


def all_points(moons: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The 200 training points of the moons and, after them, the 50 test points.

    Parameters
    ----------
    moons : dict of str to ndarray
        What ``load("moons")`` found.

    Returns
    -------
    fields, classes, simulated, measured : ndarray
        Amplitudes, shape (250, 4); class numbers; the authors' computed and measured probabilities, shape (250, 2).
    """
    fields, right, simulated, measured = (
        np.concatenate([moons[name.format(part)] for part in ("train", "test")])
        for name in ("x_{}", "y_{}", "p_{}_simulated", "p_{}_measured")
    )
    return fields, right.argmax(axis=1), simulated, measured


def _moons(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """A trained network, run once without errors and once through modulators and receivers that err."""
    points, classes = datasets.moons(250, noise=0.2, rng=rng)
    x = encode_points(points)
    network = PhotonicNetwork.random(4, 3, rng=rng)
    adam = optimizers.Adam(network.phases, lr=0.03)
    PhotonicTrainer(network, routes.adjoint(network), adam).fit(
        (x[:200], classes[:200]), epochs=40, batch_size=20, rng=rng
    )
    found: dict[str, np.ndarray] = {
        f"unitary_{k}": mesh.matrix().astype(np.complex64) for k, mesh in enumerate(network.meshes, start=1)
    }
    for part, rows in (("train", slice(0, 200)), ("test", slice(200, 250))):
        found[f"x_{part}"] = x[rows].astype(np.complex64)
        found[f"y_{part}"] = np.eye(2, dtype=np.int8)[classes[rows]]
        found[f"p_{part}_simulated"] = network.predict_proba(x[rows]).astype(np.float32)
        found[f"p_{part}_measured"] = _through_a_bench(network, x[rows], rng)
    return found


def _through_a_bench(network: PhotonicNetwork, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    errors = [PortError(amplitude=0.025, phase=0.01)]
    h: Any = network.columns_of(x)
    for k, mesh in enumerate(network.meshes):
        size = np.sqrt(np.sum(np.abs(h) ** 2, axis=0))
        y = Bench(mesh, errors, rng=rng).forward(h / size).fields() * size
        h = network.bend(y) if k < len(network.meshes) - 1 else y
    return softmax(network.readout(h))


def _batch_gradient(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Gradients of single examples, averaged over 1, 2 and 4 of them; the electronics has a gain of its own."""
    single = rng.normal(scale=0.25, size=400)
    found = {}
    for batch, gain in ((1, 2.3), (2, 2.6), (4, 5.2)):
        expected = single.reshape(-1, batch).mean(axis=1)
        noise = 0.19 * np.sqrt(np.mean(expected**2)) * rng.normal(size=expected.shape)
        found[f"layer_key_{batch}"] = np.stack([expected, gain * (expected + noise)])
    return found


def _phase_sweep(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """One interferometer whose phase is swept, and the gradient of its other port's power, read by a toggle."""
    angles = np.linspace(0, 2 * np.pi, 50)
    power, gradient = np.empty(50), np.empty(50)
    mesh = Mesh(2)
    for k, angle in enumerate(angles):
        mesh.phases = [angle + 2.3, 0.0, 0.0, 0.0]
        power[k] = np.abs(mesh.forward([1.0, 0.0])[0]) ** 2
        gradient[k] = -np.sin(angle + 2.3) / 2
    return {"power": power, "measured_gradient": gradient + 0.01 * rng.normal(size=50)}


_STAND_INS = {"moons": _moons, "batch_gradient": _batch_gradient, "phase_sweep": _phase_sweep}
