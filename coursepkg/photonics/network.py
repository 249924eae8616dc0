"""The hybrid network of Pai et al.: light multiplies by matrices, a computer bends the result between the layers.

``h <- f(U h)`` layer by layer, with ``f`` such as the absolute value; behind the last mesh detectors add up the power
in groups of ports, and those sums are the scores of a softmax (Science 380:398, 2023). Examples are rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Self

import numpy as np

from coursepkg import nn
from coursepkg.autodiff.catalogue import softmax
from coursepkg.photonics.mesh import Mesh

__all__ = ["NONLINEARITIES", "Nonlinearity", "PhotonicNetwork"]


DARK = 1e-150
"""An amplitude too small to matter, so that 0 / 0 does not occur."""


class Nonlinearity(NamedTuple):
    """A digital function of complex fields, and how an adjoint goes back through it.

    Attributes
    ----------
    apply : callable
        ``y -> h``, entry by entry; made of NumPy functions, so that it runs on tensors too.
    pull : callable
        ``(h_adj, y) -> y_adj``, both conjugates of gradients.
    """

    apply: Callable[[Any], Any]
    pull: Callable[[np.ndarray, np.ndarray], np.ndarray]


def _direction(y: np.ndarray) -> np.ndarray:
    """y / |y|, and 0 in the dark."""
    size = np.abs(y)
    return y / np.where(size > 0, size, 1.0)


def _saturated(y: Any) -> Any:
    size = np.maximum(np.abs(y), DARK)
    return y * (np.tanh(size) / size)


def _pull_saturation(h_adj: np.ndarray, y: np.ndarray) -> np.ndarray:
    size = np.maximum(np.abs(y), DARK)
    along = np.where(np.abs(y) > 0, y / size, 1.0)
    turned = h_adj * along
    return (turned.real / np.cosh(size) ** 2 + 1j * turned.imag * (np.tanh(size) / size)) * along.conj()


NONLINEARITIES = {
    "abs": Nonlinearity(np.abs, lambda h_adj, y: h_adj.real * _direction(y).conj()),
    "power": Nonlinearity(lambda y: np.abs(y) ** 2, lambda h_adj, y: 2 * h_adj.real * y.conj()),
    "saturation": Nonlinearity(_saturated, _pull_saturation),
    "identity": Nonlinearity(lambda y: y, lambda h_adj, y: h_adj),
}
"""``abs`` keeps the amplitude and forgets the phase, as a detector does; ``power`` squares it; ``saturation`` is
``tanh`` of the amplitude with the phase kept; ``identity`` leaves the network linear in the fields."""


class PhotonicNetwork:
    """Meshes with a digital nonlinearity between them, and a readout of power.

    Parameters
    ----------
    meshes : sequence of Mesh
        One per layer, all with the same number of ports.
    nonlinearity : {"abs", "power", "saturation", "identity"}
        Applied between the layers, not after the last.
    groups : sequence of sequence of int, optional
        For each class, the output ports whose powers are added. Default, as on the chip: two classes, the upper and
        the lower half of the ports.
    scale : float
        The scores are the sums of power times this.

    Examples
    --------
    >>> import numpy as np
    >>> network = PhotonicNetwork.from_unitaries([np.eye(4)] * 3)
    >>> network.predict_proba(np.array([[2.0, 1.0, 2.0, 0.0]])).round(4)  # power 5 above, 4 below
    array([[0.7311, 0.2689]])
    """

    def __init__(
        self,
        meshes: Sequence[Mesh],
        *,
        nonlinearity: str = "abs",
        groups: Sequence[Any] | None = None,
        scale: float = 1.0,
    ) -> None:
        self.meshes = list(meshes)
        ports = {mesh.n for mesh in self.meshes}
        if len(ports) != 1:
            raise ValueError(f"a network needs meshes with one number of ports, got {sorted(ports) or 'no mesh'}")
        self.n = ports.pop()
        if nonlinearity not in NONLINEARITIES:
            raise ValueError(f"the nonlinearity is one of {', '.join(NONLINEARITIES)}; got {nonlinearity!r}")
        self.nonlinearity = nonlinearity
        half = self.n // 2
        chosen = [range(half), range(half, self.n)] if groups is None else groups
        self.groups = [_port_numbers(group, self.n) for group in chosen]
        self.scale = float(scale)

    @classmethod
    def from_unitaries(cls, unitaries: Sequence[Any], layout: str = "triangular", **options: Any) -> Self:
        """Make a network of ideal meshes that multiply by the given matrices.

        Parameters
        ----------
        unitaries : sequence of array_like, each of shape (n, n)
            One unitary matrix per layer.
        layout : {"triangular", "rectangular"}
            Of every mesh. The chip's is a triangle.
        **options
            As for the class.
        """
        return cls([Mesh.from_unitary(unitary, layout) for unitary in unitaries], **options)

    @classmethod
    def random(
        cls, n: int, layers: int, layout: str = "triangular", *, rng: np.random.Generator, **options: Any
    ) -> Self:
        """Make a network of ideal meshes with Haar-random matrices, where training starts.

        Parameters
        ----------
        n : int
            Number of ports.
        layers : int
            Number of meshes.
        layout : {"triangular", "rectangular"}
            Of every mesh.
        rng : numpy.random.Generator
            Source of the matrices.
        **options
            As for the class.
        """
        return cls([Mesh.random(n, layout, rng=rng) for _ in range(layers)], **options)

    def with_meshes(self, change: Callable[[Mesh], Mesh]) -> PhotonicNetwork:
        """The same network with ``change(mesh)`` for each mesh: made of flawed hardware, for example.

        Parameters
        ----------
        change : callable
            From a mesh to a mesh.
        """
        meshes = [change(mesh) for mesh in self.meshes]
        return PhotonicNetwork(meshes, nonlinearity=self.nonlinearity, groups=self.groups, scale=self.scale)

    @property
    def phases(self) -> list[np.ndarray]:
        """The settings of all meshes, one array per layer, for an optimizer to change in place."""
        return [mesh.phases for mesh in self.meshes]

    def __call__(self, x: Any) -> np.ndarray:
        """Scores of the classes, shape (batch, classes)."""
        return self.readout(self.fields(x)[-1])

    def fields(self, x: Any) -> list[np.ndarray]:
        """Amplitudes behind each mesh.

        Parameters
        ----------
        x : array_like, shape (batch, n)
            Input amplitudes, one example per row.

        Returns
        -------
        list of ndarray, each of shape (n, batch)
        """
        h = self.columns_of(x)
        found: list[np.ndarray] = []
        for mesh in self.meshes:
            found.append(mesh.forward(h if not found else self._f.apply(found[-1])))
        return found

    def predict_proba(self, x: Any) -> np.ndarray:
        """Probabilities of the classes.

        Parameters
        ----------
        x : array_like, shape (batch, n)
            Input amplitudes, one example per row.

        Returns
        -------
        ndarray, shape (batch, classes)
        """
        return softmax(self(x))

    def predict(self, x: Any) -> np.ndarray:
        """The most probable class of each row."""
        return np.argmax(self(x), axis=1)

    # --- the digital half

    @property
    def _f(self) -> Nonlinearity:
        return NONLINEARITIES[self.nonlinearity]

    def columns_of(self, x: Any) -> np.ndarray:
        """Rows of examples as columns of fields, checked."""
        array = np.asarray(x)
        if array.ndim != 2 or array.shape[1] != self.n:
            raise ValueError(
                f"this network has {self.n} ports: x has shape (batch, {self.n}), one example per row; got "
                f"{array.shape}"
            )
        return np.ascontiguousarray(array.T, dtype=complex)

    def readout(self, y: Any) -> Any:
        """Scores, shape (batch, classes), from the fields behind the last mesh, shape (n, batch)."""
        power = np.abs(y) ** 2
        return self.scale * np.stack([np.sum(power[group], axis=0) for group in self.groups], axis=1)

    def loss_and_adjoint(self, y: np.ndarray, classes: Any) -> tuple[float, np.ndarray]:
        """Mean cross-entropy, and the adjoint to be sent back into the last mesh.

        Parameters
        ----------
        y : ndarray, shape (n, batch)
            Fields behind the last mesh.
        classes : array_like of int, shape (batch,)
            The right classes.
        """
        logits = self.readout(y)
        classes = np.asarray(classes)
        loss = float(nn.cross_entropy(logits, classes))
        slope = softmax(logits)
        slope[np.arange(len(classes)), classes] -= 1.0
        slope *= 2 * self.scale / len(classes)
        y_adj = np.zeros_like(y)
        for k, group in enumerate(self.groups):
            y_adj[group] += slope[:, k] * y[group].conj()
        return loss, y_adj

    def bend(self, y: np.ndarray) -> np.ndarray:
        """The nonlinearity between layers."""
        return self._f.apply(y)

    def bend_back(self, h_adj: np.ndarray, y: np.ndarray) -> np.ndarray:
        """From the adjoint behind the nonlinearity to the adjoint before it.

        Note the conjugate: for the absolute value it is ``Re(h_adj) conj(y) / |y|``.
        """
        return self._f.pull(h_adj, y)

    def __repr__(self) -> str:
        layers = f"{len(self.meshes)} meshes of {self.n} ports"
        return f"PhotonicNetwork({layers}, {self.nonlinearity}, {len(self.groups)} classes)"


def _port_numbers(group: Any, n: int) -> np.ndarray:
    ports = np.asarray(list(group), dtype=int)
    if ports.size == 0 or ports.min() < 0 or ports.max() >= n:
        raise ValueError(f"a group of ports holds numbers from 0 to {n - 1}, at least one; got {ports.tolist()}")
    return ports
