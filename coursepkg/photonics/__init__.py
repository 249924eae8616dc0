"""Backpropagation in light: interferometers, meshes of them, and gradients measured by interference.

Fields are columns, shape ``(n,)`` or ``(n, batch)``: complex amplitudes with power ``|field|**2``. Examples of a
network are rows, shape ``(batch, n)``. Phases are radians. An *adjoint* is the conjugate of the gradient that the
tensor engine and PyTorch leave in ``.grad``: ``dL = Re(sum(adjoint * d field))``. Light carries it back by ``U.T``.

One interferometer (:mod:`~coursepkg.photonics.mzi`)
    :func:`coupler`, :func:`mzi`, :func:`bar_power`, :func:`null_bottom`, :func:`null_top`, :func:`symbolic_mzi`
A mesh (:mod:`~coursepkg.photonics.mesh`)
    ``Mesh.from_unitary(U, layout="rectangular" | "triangular")``, ``Mesh.random(n, layout, rng=rng)``;
    ``.forward(x)`` is ``U @ x``, ``.backward(y)`` is ``U.T @ y``, ``.matrix()``; ``.phases`` (n*n numbers: theta, phi
    of each interferometer in turn, then gamma) with views ``.theta``, ``.phi``, ``.gamma``; ``.forward_taps(x)`` and
    ``.backward_taps(y)`` give ``(fields out, fields behind every heater in the order of phases)``; ``.trace(x)`` and
    ``.backward_trace(y)`` the fields on all waveguides between columns, shape ``(depth + 2, n, ...)``; ``.columns``
    (a range of top waveguides per column), ``.positions`` (column and top waveguide of each interferometer)
Phases of a matrix (:mod:`~coursepkg.photonics.decomposition`)
    :func:`decompose`, :func:`haar_unitary`; ``SVDMesh.from_matrix(A)`` for any matrix, with attenuators
Setting up a flawed mesh (:mod:`~coursepkg.photonics.programming`)
    :func:`correct` with a model of its couplers, :func:`nullify` with none, ports made dark one column at a time
Gradients of one mesh: ``.forward(x)``, then ``.backward(y_adj)`` gives ``(dL/dphases, x_adj)``
    :class:`InSituPass` measures it with powers on a :class:`Bench` (readout "subtraction" or "toggle", ``.passes`` for
    pictures), :func:`lock_in` over time; :class:`AdjointPass` and :class:`BatchFreePass` simulate it;
    :func:`true_and_measured` has both for a flawed device, :func:`one_minus_cosine` says how far they are apart
Errors (:mod:`~coursepkg.photonics.errors`)
    ``fabricate(mesh, CouplerError(0.02), PhaseError(0.03), Quantisation(8), Crosstalk(0.01), HeaterLoss(0.05),
    ColumnLoss(0.1), rng=rng)`` is a mesh; ``Bench(mesh, [TapNoise(0.01), DetectorNoise(0.01), PortError(
    amplitude=0.025, phase=0.025)], rng=rng)`` a noisy measurement; ``errors.LITERATURE`` has the magnitudes
A network (:mod:`~coursepkg.photonics.network`)
    ``PhotonicNetwork.from_unitaries([U1, U2, U3]).predict_proba(x)``, ``PhotonicNetwork.random(4, 3, rng=rng)``;
    ``routes.in_situ(network, errors, readout=, rng=)``, ``routes.adjoint``, ``routes.batch_free``, ``routes.reverse``
    are functions ``(x, classes) -> Step(loss, gradients, logits)``; ``PhotonicTrainer(network, routes, optimizer)``
    with ``optimizers.Adam(network.phases, lr=0.01)``; inputs by :func:`encode_points` and :func:`fourier_features`;
    :func:`circle_and_moons` are the chip's own tasks
Energy (:mod:`~coursepkg.photonics.energy`)
    ``Costs()``, ``Costs().segmented()``, ``crossover(factor, batch, costs, training=)``, ``advantage``,
    ``smallest_batch``, ``latency``
"""

from coursepkg.photonics import energy, errors, routes
from coursepkg.photonics.adjoint import AdjointPass, BatchFreePass
from coursepkg.photonics.comparing import one_minus_cosine, true_and_measured
from coursepkg.photonics.decomposition import decompose, haar_unitary
from coursepkg.photonics.encoding import encode_points, fourier_features
from coursepkg.photonics.errors import (
    ColumnLoss,
    CouplerError,
    Crosstalk,
    DetectorNoise,
    HeaterLoss,
    PhaseError,
    PortError,
    Quantisation,
    TapNoise,
    fabricate,
)
from coursepkg.photonics.insitu import Bench, InSituPass, lock_in
from coursepkg.photonics.mesh import Mesh
from coursepkg.photonics.mzi import bar_power, coupler, mzi, null_bottom, null_top, symbolic_mzi
from coursepkg.photonics.network import PhotonicNetwork
from coursepkg.photonics.programming import correct, nullify
from coursepkg.photonics.svd import SVDMesh
from coursepkg.photonics.tasks import circle_and_moons
from coursepkg.photonics.training import PhotonicTrainer

__all__ = [
    "AdjointPass",
    "BatchFreePass",
    "Bench",
    "ColumnLoss",
    "CouplerError",
    "Crosstalk",
    "DetectorNoise",
    "HeaterLoss",
    "InSituPass",
    "Mesh",
    "PhaseError",
    "PhotonicNetwork",
    "PhotonicTrainer",
    "PortError",
    "Quantisation",
    "SVDMesh",
    "TapNoise",
    "bar_power",
    "circle_and_moons",
    "correct",
    "coupler",
    "decompose",
    "encode_points",
    "energy",
    "errors",
    "fabricate",
    "fourier_features",
    "haar_unitary",
    "lock_in",
    "mzi",
    "null_bottom",
    "null_top",
    "nullify",
    "one_minus_cosine",
    "routes",
    "symbolic_mzi",
    "true_and_measured",
]
