"""From a unitary matrix to the phases of a mesh: turn entries to zero one by one, and remember how.

An interferometer mixes two neighbouring waveguides, so it can turn one entry of the matrix to zero, like a Givens
rotation. When only a diagonal is left, the rotations used are the mesh and the diagonal its output phases. Reck et al.
(Phys. Rev. Lett. 73:58, 1994) do it from one side, which gives the triangle; Clements et al. (Optica 3:1460, 2016) from
both sides in turn, which gives the rectangle of half the depth.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from coursepkg._checks import check_rng
from coursepkg.photonics import layout as layouts

__all__ = ["check_unitary", "decompose", "haar_unitary"]

UNITARY = 1e-5
"""Largest entry of ``U^H U - I`` that still counts as rounding: matrices stored in single precision pass."""

Step = tuple[int, float, float]  # top waveguide, theta, phi


def decompose(unitary: Any, layout: str = "rectangular") -> np.ndarray:
    """Phases of the mesh that does what a unitary matrix does.

    Parameters
    ----------
    unitary : array_like, shape (n, n)
        The matrix.
    layout : {"rectangular", "triangular"}
        Clements' rectangle or Reck's triangle.

    Returns
    -------
    ndarray, shape (n * n,)
        Phases in radians in the order of :attr:`Mesh.phases`: theta in [0, pi], phi and gamma in [0, 2 pi).

    Raises
    ------
    ValueError
        If the matrix is not square or not unitary, or the layout is unknown.

    Examples
    --------
    >>> bar, crossing = decompose([[1, 0], [0, 1]]), decompose([[0, 1], [1, 0]])
    >>> float(bar[0].round(3)), float(crossing[0])  # theta
    (3.142, 0.0)
    """
    matrix = check_unitary(unitary)
    n = len(matrix)
    order = _light_order(n, layout)  # checks the layout
    steps, diagonal = _ELIMINATE[layout](matrix)
    settings = np.array([(theta, phi) for _, theta, phi in steps])[order]
    settings[:, 1] %= 2 * np.pi
    return np.concatenate([settings.ravel(), np.angle(diagonal) % (2 * np.pi)])


def _triangle(matrix: np.ndarray) -> tuple[list[Step], np.ndarray]:
    """Reck: zero each row from the right, starting with the last row."""
    n = len(matrix)
    by_column = np.ascontiguousarray(matrix.T)
    steps = [_zero_from_the_right(by_column, r, m) for r in range(n - 1, 0, -1) for m in range(r)]
    return steps, np.diagonal(by_column)


def _rectangle(matrix: np.ndarray) -> tuple[list[Step], np.ndarray]:
    """Clements: zero diagonal after diagonal, in turn from the right and from the left."""
    n = len(matrix)
    right: list[Step] = []
    left: list[Step] = []
    by_column = np.array(matrix.T, order="C")
    for i in range(n - 1):
        for j in range(i + 1):
            if i % 2 == 0:
                right.append(_zero_from_the_right(by_column, n - 1 - j, i - j))
            else:
                left.append(_zero_from_the_left(by_column, n - 2 - i + j, j))
    diagonal = np.diagonal(by_column).tolist()
    return right + _through_the_diagonal(left, diagonal), np.array(diagonal)


def _zero_from_the_right(by_column: np.ndarray, r: int, m: int) -> Step:
    """Replace columns m and m + 1 of U by those of U T^H so that U[r, m] becomes zero."""
    a, b = complex(by_column[m, r]), complex(by_column[m + 1, r])
    theta, phi = 2 * math.atan2(abs(b), abs(a)), cmath.phase(a) - cmath.phase(b) + math.pi
    # Rows below r are done: both columns are zero there.
    pair = by_column[m : m + 2, : r + 1]
    pair[...] = _matrix(theta, phi).conj() @ pair
    by_column[m, r] = 0.0
    return m, theta, phi


def _zero_from_the_left(by_column: np.ndarray, m: int, c: int) -> Step:
    """Replace rows m and m + 1 of U by those of T U so that U[m + 1, c] becomes zero."""
    a, b = complex(by_column[c, m]), complex(by_column[c, m + 1])
    theta, phi = 2 * math.atan2(abs(a), abs(b)), cmath.phase(b) - cmath.phase(a)
    # Columns before c are done: both rows are zero there.
    pair = by_column[c:, m : m + 2]
    pair[...] = pair @ _matrix(theta, phi).T
    by_column[c, m + 1] = 0.0
    return m, theta, phi


def _through_the_diagonal(left: list[Step], d: list[complex]) -> list[Step]:
    """Move the inverses found on the left through the diagonal: T^H diag(d) = diag(d') T'."""
    moved = []
    for m, theta, phi in reversed(left):
        moved.append((m, theta, cmath.phase(d[m]) - cmath.phase(d[m + 1])))
        d[m], d[m + 1] = -cmath.exp(-1j * (theta + phi)) * d[m + 1], -cmath.exp(-1j * theta) * d[m + 1]
    return moved


def _matrix(theta: float, phi: float) -> np.ndarray:
    """The closed form of one interferometer, without NumPy's cost per call."""
    sine, cosine = math.sin(theta / 2), math.cos(theta / 2)
    front = 1j * cmath.exp(0.5j * theta)
    turned = front * cmath.exp(1j * phi)
    return np.array([[turned * sine, front * cosine], [turned * cosine, -front * sine]])


_ELIMINATE: dict[str, Callable[[np.ndarray], tuple[list[Step], np.ndarray]]] = {
    "rectangular": _rectangle,
    "triangular": _triangle,
}


@cache
def _light_order(n: int, layout: str) -> np.ndarray:
    """For each interferometer of the mesh, which step of the elimination it came from."""
    layouts.columns(n, layout)  # refuses what it does not know
    if layout == "triangular":
        tops = [m for r in range(n - 1, 0, -1) for m in range(r)]
    else:
        tops = [i - j for i in range(0, n - 1, 2) for j in range(i + 1)]
        tops += [n - 2 - i + j for i in range(1, n - 1, 2) for j in range(i + 1)][::-1]
    ready, when = [0] * n, []
    for m in tops:
        column = max(ready[m], ready[m + 1])
        ready[m] = ready[m + 1] = column + 1
        when.append(column)
    order = np.lexsort((tops, when))
    order.flags.writeable = False
    return order


# --- unitary matrices


def check_unitary(matrix: Any) -> np.ndarray:
    """Return a square unitary matrix as complex128, or say what is wrong with it.

    Raises
    ------
    ValueError
        If it is not a square matrix of finite numbers with ``U^H U = I``.
    """
    array = np.array(matrix, dtype=complex)
    if array.ndim != 2 or array.shape[0] != array.shape[1] or array.shape[0] < 2:
        raise ValueError(f"a unitary matrix is square, at least 2 x 2; got shape {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError("the matrix holds NaN or infinity")
    off = float(np.max(np.abs(array.conj().T @ array - np.eye(len(array)))))
    if off > UNITARY:
        raise ValueError(
            f"the matrix is not unitary: U^H U differs from the identity by {off:.2g}, so a loss-free mesh cannot do "
            "what it does. For any other matrix use SVDMesh.from_matrix, which adds attenuators"
        )
    return array


def haar_unitary(n: int, *, rng: np.random.Generator) -> np.ndarray:
    """Draw a unitary matrix from the Haar measure, with no direction preferred (Mezzadri, 2007).

    Parameters
    ----------
    n : int
        Number of rows.
    rng : numpy.random.Generator
        Source of the matrix.

    Returns
    -------
    ndarray, shape (n, n)
    """
    rng = check_rng(rng)
    q, r = np.linalg.qr(rng.normal(size=(n, n)) + 1j * rng.normal(size=(n, n)))
    diagonal = np.diagonal(r)
    return q * (diagonal / np.abs(diagonal))
