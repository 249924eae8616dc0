"""The gradient of every phase from simulated fields: what a computer does, and two ways to do it.

With ``dL = Re(sum(y_adj * dy))``, a heater with the field ``x`` going forward and ``a`` going backward behind it has
``dL/d psi = -Im(x a)``: its phase turns ``x`` by ``i d psi``, and ``a`` says what that is worth (Hughes et al., Optica
5:864, 2018). :class:`AdjointPass` keeps all fields of a batch. :class:`BatchFreePass` never sends the batch through the
mesh, because of all its examples the gradient needs only one n x n matrix.
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
            _outer(sweeper.pair(c, source), sweeper.pair(c, self._kept[c]), products[first:last])
            target = both[turn % 2]
            sweeper.step(c, transposed, optics.transmission[c], source, target)
            source = target
        gradient = _gradient(optics.behind @ products, optics.ahead, at_ends)
        return gradient, source.reshape(shape).copy()


class BatchFreePass:
    """The same gradient at a cost that hardly grows with the batch: a batch of n stands in for a batch of any size.

    The gradient is linear in ``x`` and in ``y_adj``, so of the whole batch it depends on nothing but the n x n matrix
    ``sum over the batch of x y_adj^T``. Its n columns are sent forward as if they were fields, against n adjoints that
    start as unit vectors, one for each output. Those adjoints, followed back to the inputs, are also the matrix of
    the mesh, with which the batch itself is multiplied.

    Parameters
    ----------
    mesh : Mesh
        The mesh. Its phases may change between batches.
    """

    def __init__(self, mesh: Mesh) -> None:
        self.mesh = mesh
        self._kept = np.empty((mesh.depth + 1, mesh.n, mesh.n), dtype=complex)
        self._x: np.ndarray | None = None

    def forward(self, x: Any) -> np.ndarray:
        """Multiply a batch, shape (n, batch), by the matrix of the mesh, and remember both."""
        self._x, shape = self.mesh.incoming(x)
        optics, sweeper = self.mesh.optics(), self.mesh.sweeper
        transposed = optics.blocks.swapaxes(1, 2)
        self._kept[-1] = np.diag(optics.ends[:, 0])
        for c in reversed(range(self.mesh.depth)):
            sweeper.step(c, transposed, optics.transmission[c], self._kept[c + 1], self._kept[c])
        return (self._kept[0].T @ self._x).reshape(shape)

    def backward(self, y_adj: Any) -> tuple[np.ndarray, np.ndarray]:
        """As :meth:`AdjointPass.backward`."""
        adjoint, shape = self.mesh.incoming(y_adj)
        if self._x is None or self._x.shape != adjoint.shape:
            raise ValueError(f"backward needs the adjoint of the batch last sent forward, got shape {shape}")
        optics, sweeper = self.mesh.optics(), self.mesh.sweeper
        products = np.empty_like(optics.blocks)
        both = sweeper.buffer("forward", 2, self.mesh.n, self.mesh.n)
        source = np.matmul(self._x, adjoint.T, out=both[0])
        for turn, c in enumerate(range(self.mesh.depth), start=1):
            _, _, first, last = sweeper.spans[c]
            _outer(sweeper.pair(c, self._kept[c + 1]), sweeper.pair(c, source), products[first:last])
            target = both[turn % 2]
            sweeper.step(c, optics.blocks, optics.transmission[c], source, target)
            source = target
        at_ends = np.diagonal(source) * optics.ends[:, 0]
        return _gradient(optics.behind @ products, optics.ahead, at_ends), (self._kept[0] @ adjoint).reshape(shape)


def _outer(adjoint: np.ndarray, fields: np.ndarray, out: np.ndarray) -> None:
    """Sum over the batch of (adjoint) (field)^T, for pairs of shape (K, 2, batch): four inner products each."""
    products = np.matmul(adjoint[:, :, None, None, :], fields[:, None, :, :, None])
    out[...] = products[..., 0, 0]


def _gradient(rows: np.ndarray, ahead: np.ndarray, at_ends: np.ndarray) -> np.ndarray:
    """-Im(x a) at every heater, summed over the batch."""
    inner = -np.einsum("kta,kta->kt", rows, ahead).imag
    return np.concatenate([inner.ravel(), -at_ends.imag])
