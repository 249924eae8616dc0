"""Routes to the gradient of a photonic network: measured by light, simulated, or by the tensor engine.

Every route is a function ``(x, classes) -> Step`` of examples as rows; they share no code but the digital half of the
network (the tensor engine not even that), so each is a witness for the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from coursepkg import nn
from coursepkg.autodiff.reverse_mode import value_and_gradient
from coursepkg.photonics.adjoint import AdjointPass, BatchFreePass
from coursepkg.photonics.errors import MeasurementError
from coursepkg.photonics.insitu import Bench, InSituPass
from coursepkg.photonics.mesh import Mesh
from coursepkg.photonics.network import PhotonicNetwork

__all__ = ["Route", "Step", "adjoint", "batch_free", "in_situ", "reverse", "through"]


class Step(NamedTuple):
    """What one evaluation found.

    Attributes
    ----------
    loss : float
        Mean cross-entropy.
    gradients : list of ndarray
        dL/d(phases asked for), one array per mesh.
    logits : ndarray, shape (batch, classes)
        Scores.
    """

    loss: float
    gradients: list[np.ndarray]
    logits: np.ndarray


Route = Callable[[Any, Any], Step]


class Pass(Protocol):
    """Forward and backward through one mesh."""

    def forward(self, x: Any) -> np.ndarray:
        """From inputs to outputs."""
        ...

    def backward(self, y_adj: Any) -> tuple[np.ndarray, np.ndarray]:
        """From the adjoint at the outputs to the gradient and the adjoint at the inputs."""
        ...


def through(network: PhotonicNetwork, passes: Sequence[Pass]) -> Route:
    """The route that sends a batch forward and the adjoint backward through the given passes, one per mesh.

    Parameters
    ----------
    network : PhotonicNetwork
        Does the digital half: nonlinearities, readout, loss.
    passes : sequence of Pass
        One for each mesh.
    """

    def step(x: Any, classes: Any) -> Step:
        h = network.columns_of(x)
        outputs: list[np.ndarray] = []
        for layer in passes:
            outputs.append(layer.forward(h if not outputs else network.bend(outputs[-1])))
        loss, y_adj = network.loss_and_adjoint(outputs[-1], classes)
        gradients: list[np.ndarray] = []
        for k in reversed(range(len(passes))):
            measured, x_adj = passes[k].backward(y_adj)
            gradients.insert(0, network.meshes[k].pull(measured))
            if k > 0:
                y_adj = network.bend_back(x_adj, outputs[k - 1])
        return Step(loss, gradients, network.readout(outputs[-1]))

    return step


def in_situ(
    network: PhotonicNetwork,
    errors: Sequence[MeasurementError] = (),
    *,
    readout: str = "subtraction",
    rng: np.random.Generator | None = None,
) -> Route:
    """Gradients measured by light on each mesh, from powers alone.

    Parameters
    ----------
    network : PhotonicNetwork
        The chip, run once per layer, and the digital half.
    errors : sequence of MeasurementError
        Errors of launching and reading.
    readout : {"subtraction", "toggle"}
        See :class:`~coursepkg.photonics.insitu.InSituPass`.
    rng : numpy.random.Generator, optional
        Source of the errors.
    """
    return through(network, [InSituPass(Bench(mesh, errors, rng=rng), readout) for mesh in network.meshes])


def adjoint(network: PhotonicNetwork) -> Route:
    """Gradients from simulated fields: exact, and the fastest for small batches."""
    return through(network, [AdjointPass(mesh) for mesh in network.meshes])


def batch_free(network: PhotonicNetwork) -> Route:
    """Gradients whose cost hardly grows with the batch: exact, and the fastest for large ones."""
    return through(network, [BatchFreePass(mesh) for mesh in network.meshes])


def reverse(network: PhotonicNetwork) -> Route:
    """Gradients by the tensor engine's reverse mode on complex numbers: the independent witness."""

    def step(x: Any, classes: Any) -> Step:
        fields, classes = network.columns_of(x), np.asarray(classes)

        def loss(settled: list[Any]) -> Any:
            y: Any = fields
            for k, (mesh, phases) in enumerate(zip(network.meshes, settled, strict=True)):
                y = send(mesh, phases, y if k == 0 else network.bend(y))
            logits = network.readout(y)
            return nn.cross_entropy(logits, classes)

        value, gradients = value_and_gradient(loss)([mesh.settled_phases() for mesh in network.meshes])
        pulled = [mesh.pull(gradient) for mesh, gradient in zip(network.meshes, gradients, strict=True)]
        return Step(float(value), pulled, network(x))

    return step


def send(mesh: Mesh, phases: Any, x: Any) -> Any:
    """Send light through a mesh with these (reached) phases: heater, coupler, heater, coupler, in NumPy functions.

    Parameters
    ----------
    mesh : Mesh
        Gives the layout and the flaws.
    phases : array or Tensor, shape (n * n,)
        Phases in the order of :attr:`Mesh.phases`.
    x : array or Tensor, shape (n, batch)
        Fields.
    """
    count = mesh.n * (mesh.n - 1)
    turns = np.exp(1j * phases) * mesh.heater_transmission
    theta, phi = turns[:count:2, None], turns[1:count:2, None]
    angles = np.pi / 4 + mesh.coupler_errors
    stay, cross = np.cos(angles)[..., None], 1j * np.sin(angles)[..., None]
    first = 0
    for column, transmission in zip(mesh.columns, mesh.column_transmission, strict=True):
        x = x * transmission
        last = first + len(column)
        start, stop = column.start, column[-1] + 2
        u, v = x[start:stop:2] * phi[first:last], x[start + 1 : stop : 2]
        for coupler, heater in ((0, theta[first:last]), (1, 1.0)):
            c, s = stay[first:last, coupler], cross[first:last, coupler]
            u, v = (c * u + s * v) * heater, s * u + c * v
        pairs = np.reshape(np.stack([u, v], axis=1), (stop - start, -1))
        x = np.concatenate([x[:start], pairs, x[stop:]], axis=0)
        first = last
    return x * turns[count:, None]
