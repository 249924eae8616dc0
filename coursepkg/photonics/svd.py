"""Any matrix in light: two meshes with attenuators between them, by the singular value decomposition.

A mesh without loss can only do unitary matrices. But every matrix is ``A = U diag(s) V^H`` with unitary ``U`` and
``V``, and ``diag(s / max(s))`` is a row of attenuators; the largest singular value, a single number, is put back in
afterwards (Miller, Photonics Research 1:1, 2013).
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from coursepkg.photonics.mesh import Mesh

__all__ = ["SVDMesh"]


class SVDMesh:
    """Two meshes with attenuators between them.

    Parameters
    ----------
    first, last : Mesh
        The meshes that light meets first and last; of m and n ports for an (n, m) matrix.
    attenuation : array_like, shape (min(n, m),)
        Amplitude that each attenuator lets through, from 0 to 1.
    gain : float
        What the output is multiplied by, digitally.

    Attributes
    ----------
    shape : tuple of int
        Shape (n, m) of the matrix.
    """

    def __init__(self, first: Mesh, last: Mesh, attenuation: Any, gain: float = 1.0) -> None:
        self.first = first
        self.last = last
        self.attenuation = np.array(attenuation, dtype=float)
        self.gain = float(gain)
        self.shape = (last.n, first.n)
        if self.attenuation.shape != (min(self.shape),):
            raise ValueError(
                f"meshes of {first.n} and {last.n} ports have {min(self.shape)} attenuators between them, got shape "
                f"{self.attenuation.shape}"
            )
        if not ((self.attenuation >= 0) & (self.attenuation <= 1)).all():
            raise ValueError("an attenuator lets through an amplitude from 0 to 1; what is larger belongs in gain")

    @classmethod
    def from_matrix(cls, matrix: Any, layout: str = "rectangular") -> Self:
        """Set up light to multiply by any complex matrix.

        Parameters
        ----------
        matrix : array_like, shape (n, m)
            The matrix, both sides at least 2.
        layout : {"rectangular", "triangular"}
            Of both meshes.

        Raises
        ------
        ValueError
            If it is not a matrix of finite numbers.

        Examples
        --------
        >>> import numpy as np
        >>> light = SVDMesh.from_matrix([[1, 2], [3, 4], [5, 6]])
        >>> light.forward([1.0, -1.0]).real.round(9)
        array([-1., -1., -1.])
        """
        array = np.asarray(matrix, dtype=complex)
        if array.ndim != 2 or min(array.shape) < 2:
            raise ValueError(f"the matrix needs at least 2 rows and 2 columns, got shape {array.shape}")
        if not np.isfinite(array).all():
            raise ValueError("the matrix holds NaN or infinity")
        u, s, v = np.linalg.svd(array)
        gain = float(s[0])
        attenuation = s / gain if gain > 0 else np.zeros_like(s)
        # Rounding may leave a little more than 1.
        return cls(Mesh.from_unitary(v, layout), Mesh.from_unitary(u, layout), np.minimum(attenuation, 1.0), gain)

    def forward(self, fields: Any) -> np.ndarray:
        """``A @ fields``: shape (m,) or (m, batch) to (n,) or (n, batch)."""
        return self._run(self.first.forward, self.last.forward, fields, self.last.n)

    def backward(self, fields: Any) -> np.ndarray:
        """``A.T @ fields``: light sent back through the same hardware."""
        return self._run(self.last.backward, self.first.backward, fields, self.first.n)

    def _run(self, near: Any, far: Any, fields: Any, ports: int) -> np.ndarray:
        inside = near(fields)
        count = len(self.attenuation)
        beyond = np.zeros((ports, *inside.shape[1:]), dtype=complex)
        beyond[:count] = inside[:count] * self.attenuation.reshape(-1, *[1] * (inside.ndim - 1))
        return self.gain * far(beyond)

    def matrix(self) -> np.ndarray:
        """The matrix, measured by sending light into one input after the other."""
        return self.forward(np.eye(self.first.n))

    def __repr__(self) -> str:
        return f"SVDMesh({self.shape[0]} x {self.shape[1]}, gain {self.gain:.4g})"
