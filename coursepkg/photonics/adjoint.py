"""The gradient of every phase from simulated fields: what a computer does, and two ways to do it.

With ``dL = Re(sum(y_adj * dy))``, a heater with the field ``x`` going forward and ``a`` going backward behind it has
``dL/d eta = -Im(x a)``: its phase turns ``x`` by ``i d eta``, and ``a`` says what that is worth (Hughes et al., Optica
5:864, 2018). :class:`AdjointPass` keeps all fields of a batch. :class:`BatchFreePass` never follows the batch through
the mesh: the sum over the batch of ``x a^T`` is an n x n matrix, and at each heater only its diagonal is needed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from coursepkg.photonics.mesh import Mesh

__all__ = ["AdjointPass", "BatchFreePass"]


class AdjointPass:
    """Forward and backward through a mesh, with the fields of the whole batch kept in between.

    Parameters
    ----------
    mesh : Mesh
        The mesh. Its phases may change between calls.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> layer = AdjointPass(Mesh.random(4, rng=rng))
    >>> y = layer.forward(np.eye(4)[:, :2])
    >>> gradient, x_adj = layer.backward(y.conj())  # of the total power over two, which no phase can change
    >>> bool(np.abs(gradient).max() < 1e-12)
    True
    """

    def __init__(self, mesh: Mesh) -> None:
        self.mesh = mesh
        self._kept: np.ndarray | None = None

    def forward(self, x: Any) -> np.ndarray:
        """Send a batch, shape (n, batch), and return the outputs; overwrites what an earlier call kept."""
        fields, shape = self.mesh.incoming(x)
        optics, sweeper = self.mesh.optics(), self.mesh.sweeper
        places = (self.mesh.depth + 1, *fields.shape)
        if self._kept is None or self._kept.shape != places:
            self._kept = np.empty(places, dtype=complex)
        self._kept[0] = fields
        for c in range(self.mesh.depth):
            sweeper.step(c, optics.blocks, optics.transmission[c], self._kept[c], self._kept[c + 1])
        return (self._kept[-1] * optics.ends).reshape(shape)

    def backward(self, y_adj: Any) -> tuple[np.ndarray, np.ndarray]:
        """From the adjoint at the outputs to the gradient and the adjoint at the inputs.

        Parameters
        ----------
        y_adj : array_like, shape (n, batch)
            Conjugate of the gradient at the outputs.

        Returns
        -------
        gradient : ndarray, shape (n * n,)
            dL/d(reached phases), summed over the batch, in the order of :attr:`Mesh.phases`.
        x_adj : ndarray, shape (n, batch)
            Conjugate of the gradient at the inputs.
        """
        adjoint, shape = self.mesh.incoming(y_adj)
        if self._kept is None or self._kept.shape[1:] != adjoint.shape:
            raise ValueError(f"backward needs the adjoint of the batch last sent forward, got shape {shape}")
        optics, sweeper = self.mesh.optics(), self.mesh.sweeper
        transposed = optics.blocks.swapaxes(1, 2)
        products = np.empty_like(optics.blocks)  # sum over the batch of (adjoint out) (field in)^T
        both = sweeper.buffer("backward", 2, *adjoint.shape)
        source = np.multiply(adjoint, optics.ends, out=both[0])
        at_ends = np.einsum("ib,ib->i", source, self._kept[-1])
        for turn, c in enumerate(reversed(range(self.mesh.depth)), start=1):
            _, _, first, last = sweeper.spans[c]
            there = sweeper.pair(c, self._kept[c]).swapaxes(1, 2)
            np.matmul(sweeper.pair(c, source), there, out=products[first:last])
            target = both[turn % 2]
            sweeper.step(c, transposed, optics.transmission[c], source, target)
            source = target
        gradient = _gradient(optics.behind @ products, optics.ahead, at_ends)
        return gradient, source.reshape(shape).copy()


class BatchFreePass:
    """The same gradient at a cost that does not grow with the batch, but for two plain matrix products.

    The matrix ``D = sum over the batch of x a^T`` moves through a column C as ``D <- C D C^-1`` (for a loss-free
    column the inverse is the conjugate transpose). It costs about as much as three batches of n fields.

    Parameters
    ----------
    mesh : Mesh
        The mesh. No part of it may block light completely.
    """

    def __init__(self, mesh: Mesh) -> None:
        self.mesh = mesh
        self._matrix: np.ndarray | None = None
        self._x: np.ndarray | None = None

    def forward(self, x: Any) -> np.ndarray:
        """Multiply a batch, shape (n, batch), by the matrix of the mesh, and remember both."""
        fields, shape = self.mesh.incoming(x)
        self._x, self._matrix = fields, self.mesh.matrix()
        return (self._matrix @ fields).reshape(shape)

    def backward(self, y_adj: Any) -> tuple[np.ndarray, np.ndarray]:
        """As :meth:`AdjointPass.backward`."""
        adjoint, shape = self.mesh.incoming(y_adj)
        if self._x is None or self._matrix is None or self._x.shape != adjoint.shape:
            raise ValueError(f"backward needs the adjoint of the batch last sent forward, got shape {shape}")
        x_adj = self._matrix.T @ adjoint
        return self._carry(self._x @ x_adj.T), x_adj.reshape(shape)

    def _carry(self, correlation: np.ndarray) -> np.ndarray:
        """Take D from the inputs to the outputs and read the gradient on its diagonal on the way."""
        optics, sweeper, n = self.mesh.optics(), self.mesh.sweeper, self.mesh.n
        blocks = optics.blocks
        inverses = _inverses_transposed(blocks)
        corners = np.empty_like(blocks)  # the 2 x 2 blocks on the diagonal at each interferometer
        half = sweeper.buffer("half", n, n)
        other = sweeper.buffer("other", n, n)
        held, turned = correlation, False  # `turned` says whether D itself or its transpose is held
        for c in range(self.mesh.depth):
            start, stop, first, last = sweeper.spans[c]
            top, bottom = np.arange(start, stop, 2), np.arange(start + 1, stop, 2)
            there = corners[first:last].swapaxes(1, 2) if turned else corners[first:last]
            there[:, 0, 0], there[:, 0, 1] = held[top, top], held[top, bottom]
            there[:, 1, 0], there[:, 1, 1] = held[bottom, top], held[bottom, bottom]
            rho = optics.transmission[c]
            sides = [(blocks, rho), (inverses, 1.0 / rho)]
            (left, a), (right, b) = reversed(sides) if turned else sides
            sweeper.step(c, left, a, held, half)
            other[...] = half.T
            # The product lands in a buffer of its own, because `held` may be the caller's array.
            sweeper.step(c, right, b, other, half)
            held, half = half, sweeper.buffer(f"half {c % 2}", n, n)
            turned = not turned
        return _gradient(_rows(optics.behind, inverses, corners), optics.ahead, np.diagonal(held))


def _rows(behind: np.ndarray, inverses: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """For each tap, what the forward field's taps are multiplied by: adjoint at the tap from D at the inputs."""
    return (behind @ inverses) @ corners.swapaxes(1, 2)


def _inverses_transposed(blocks: np.ndarray) -> np.ndarray:
    """Inverses of 2 x 2 matrices, transposed."""
    a, b, c, d = blocks[:, 0, 0], blocks[:, 0, 1], blocks[:, 1, 0], blocks[:, 1, 1]
    determinant = a * d - b * c
    if (np.abs(determinant) < 1e-12).any():
        raise ValueError(
            "part of this mesh lets no light through, so its columns have no inverse; use the pass that keeps fields"
        )
    turned = np.stack([np.stack([d, -c], -1), np.stack([-b, a], -1)], -2)
    return turned / determinant[:, None, None]


def _gradient(rows: np.ndarray, ahead: np.ndarray, at_ends: np.ndarray) -> np.ndarray:
    """-Im(x a) at every heater, summed over the batch."""
    inner = -np.einsum("kta,kta->kt", rows, ahead).imag
    return np.concatenate([inner.ravel(), -at_ends.imag])
