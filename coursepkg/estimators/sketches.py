"""Sketches: a short random summary ``S^T X`` of a tall matrix ``X``, good enough for products.

The one idea: if the columns of S are drawn so that E[S S^T] = I, then ``(S^T Y)^T (S^T X)`` is right on average for
``Y^T X``, whatever X and Y hold. S itself is never kept: a seed is enough to draw it again. Six ways to draw it stand
here, each with the exact variance of the product it gives (Bershatsky et al. 2022, "Memory-Efficient Backpropagation
through Large Linear Layers"; the formulas are derived, and enumerated in the tests).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

__all__ = ["SKETCHES", "Moments", "Sketch", "collision_probability", "moments", "sketch_size", "sketch_variance"]

Rng = np.random.Generator


# --- what every variance formula is made of


class Moments(NamedTuple):
    """Four numbers of X, shape (B, N), and Y, shape (B, M); x_k and y_k are their rows.

    Attributes
    ----------
    rows : int
        B.
    product : float
        ``||X||^2 ||Y||^2``, Frobenius norms.
    together : float
        ``||Y^T X||^2``, the squared length of what is to be estimated.
    paired : float
        ``sum_k ||x_k||^2 ||y_k||^2``.
    """

    rows: int
    product: float
    together: float
    paired: float

    @property
    def crossed(self) -> float:
        """What pairs of different rows contribute under random signs: product + together - 2 paired."""
        return self.product + self.together - 2 * self.paired


def moments(x: Any, y: Any) -> Moments:
    """Compute the four numbers.

    Parameters
    ----------
    x, y : array, shapes (B, N) and (B, M)
        Inputs of a linear layer, and the gradient at its outputs, one row per example.

    Returns
    -------
    Moments

    Raises
    ------
    ValueError
        If the shapes do not fit, or an entry is not finite.
    """
    x, y = _matrix("x", x), _matrix("y", y)
    if len(x) != len(y):
        raise ValueError(f"x and y need one row per example each, got {len(x)} and {len(y)} rows")
    each_x, each_y = np.sum(x * x, axis=1), np.sum(y * y, axis=1)
    product = y.T @ x
    return Moments(len(x), float(each_x.sum() * each_y.sum()), float(np.sum(product * product)), float(each_x @ each_y))


def _matrix(name: str, a: Any) -> np.ndarray:
    a = np.asarray(a)
    if a.ndim != 2 or not a.size:
        raise ValueError(f"{name} must be a matrix with a row per example, got shape {a.shape}; try {name}.reshape")
    if a.dtype.kind not in "fiu":
        raise TypeError(f"{name} must hold real numbers, got dtype {a.dtype}")
    if not np.isfinite(a).all():
        raise ValueError(f"{name} holds NaN or infinity, so no variance can be computed; clean the data first")
    return a.astype(float)


# --- ways to draw S; each returns S^T a, from a generator, the number of rows to keep, and a


def _signs(rng: Rng, count: int, dtype: Any) -> np.ndarray:
    """Random +1 and -1, eight from each random byte."""
    signs = np.unpackbits(np.frombuffer(rng.bytes((count + 7) // 8), np.uint8), count=count).view(np.int8)
    signs *= np.int8(2)  # in place: a dense sketch has many
    signs -= np.int8(1)
    return signs.astype(dtype)


def _gaussian(rng: Rng, size: int, a: np.ndarray) -> np.ndarray:
    s = rng.standard_normal((len(a), size), dtype=a.dtype)
    s *= a.dtype.type(size**-0.5)
    return s.T @ a


def _rademacher(rng: Rng, size: int, a: np.ndarray) -> np.ndarray:
    s = _signs(rng, len(a) * size, a.dtype).reshape(len(a), size)
    s *= a.dtype.type(size**-0.5)
    return s.T @ a


def _some_rows(a: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    kept = np.take(a, chosen, axis=0)
    kept *= a.dtype.type(math.sqrt(len(a) / len(chosen)))
    return kept


def _rows(rng: Rng, size: int, a: np.ndarray) -> np.ndarray:
    return _some_rows(a, rng.permutation(len(a))[:size])


def _rows_with_replacement(rng: Rng, size: int, a: np.ndarray) -> np.ndarray:
    return _some_rows(a, rng.integers(len(a), size=size))


def _dct(rng: Rng, size: int, a: np.ndarray) -> np.ndarray:
    from scipy.fft import dct

    signed = a * _signs(rng, len(a), a.dtype)[:, None]
    mixed = dct(signed, axis=0, norm="ortho", overwrite_x=True)
    return _some_rows(mixed, rng.permutation(len(a))[:size])


def _fold(rng: Rng, size: int, a: np.ndarray) -> np.ndarray:
    from scipy.sparse import csc_array

    small = np.int32  # what the sparse product wants; anything else it converts
    buckets, signs = rng.permutation(len(a)).astype(small) % small(size), _signs(rng, len(a), a.dtype)
    # S^T has one entry per column. By columns, the product reads a from first to last and makes no copy of it.
    return csc_array((signs, buckets, np.arange(len(a) + 1, dtype=small)), shape=(size, len(a))) @ a


def _bucket_sizes(rows: int, size: int) -> np.ndarray:
    """How many rows each of ``size`` buckets gets if they are dealt out evenly."""
    return np.full(size, rows // size) + (np.arange(size) < rows % size)


# --- the exact variance E||S-estimate - Y^T X||^2 of each


def collision_probability(rows: int, size: int) -> float:
    """How likely two given rows end in the same bucket of a fold: 0 if every row has its own."""
    counts = _bucket_sizes(rows, size)
    return float(counts @ (counts - 1)) / (rows * (rows - 1)) if rows > 1 else 0.0


def _rows_variance(m: Moments, size: int) -> float:
    return _without_replacement(m.rows, size) * (m.rows * m.paired - m.together) / size


def _without_replacement(rows: int, size: int) -> float:
    """By what factor drawing without replacement reduces the variance of a mean."""
    return (rows - size) / (rows - 1) if rows > 1 else 0.0


def _dct_variance(m: Moments, size: int, x: np.ndarray, y: np.ndarray) -> float:
    from scipy.fft import dct

    squares = dct(np.eye(m.rows), axis=0, norm="ortho") ** 2
    overlap = m.rows * squares.T @ squares
    x, y = x.astype(float), y.astype(float)
    each_x, each_y = np.sum(x * x, axis=1), np.sum(y * y, axis=1)
    pairs = np.outer(each_x, each_y) + 2 * (x @ x.T) * (y @ y.T)
    spread = np.sum(overlap * pairs) - 2 * np.diag(overlap) @ (each_x * each_y)
    return _without_replacement(m.rows, size) * float(spread - m.together) / size


class Kind(NamedTuple):
    """One way to draw S: how to apply it, and the variance it gives."""

    project: Callable[[Rng, int, np.ndarray], np.ndarray]
    variance: Callable[[Moments, int, Any, Any], float]


SKETCHES: dict[str, Kind] = {
    "gaussian": Kind(_gaussian, lambda m, b, x, y: (m.product + m.together) / b),
    "rademacher": Kind(_rademacher, lambda m, b, x, y: m.crossed / b),
    "rows": Kind(_rows, lambda m, b, x, y: _rows_variance(m, b)),
    "rows with replacement": Kind(_rows_with_replacement, lambda m, b, x, y: (m.rows * m.paired - m.together) / b),
    "dct": Kind(_dct, lambda m, b, x, y: _dct_variance(m, b, np.asarray(x), np.asarray(y))),
    "fold": Kind(_fold, lambda m, b, x, y: collision_probability(m.rows, b) * m.crossed),
}
"""Ways to draw a sketch, by name.

``gaussian``, ``rademacher``: every entry of S independent, normal or a sign. ``rows``, ``rows with replacement``: keep
some rows, chosen evenly. ``dct``: random signs, an orthonormal cosine transform, then some rows. ``fold``: shuffle the
rows, give each a random sign, deal them into b buckets and add up each bucket; exact if every row has its own bucket.
"""


# --- what users hold


@dataclass(frozen=True)
class Sketch:
    """A random matrix S, shape (rows, size), with E[S S^T] = I, known by its seed alone.

    Parameters
    ----------
    kind : str
        A name in :data:`SKETCHES`.
    rows, size : int
        B, the rows of what is to be summarised, and b, the rows of the summary; 1 <= b <= B.
    seed : int
        Draws S; the same seed gives the same S, bit for bit.

    Raises
    ------
    ValueError
        If there is no such kind, or ``size`` does not lie between 1 and ``rows``.

    Examples
    --------
    >>> import numpy as np
    >>> x, y = np.arange(6.0).reshape(3, 2), np.array([[1.0], [-1.0], [2.0]])
    >>> fold = Sketch("fold", rows=3, size=3, seed=0)
    >>> fold.project(y).T @ fold.project(x), y.T @ x
    (array([[6., 8.]]), array([[6., 8.]]))
    """

    kind: str
    rows: int
    size: int
    seed: int

    def __post_init__(self) -> None:
        check_kind(self.kind)
        if not 1 <= self.size <= self.rows:
            raise ValueError(
                f"a sketch of {self.rows} rows keeps between 1 and {self.rows} of them, got size {self.size}; "
                "a larger one would need more memory than what it summarises"
            )

    def project(self, a: np.ndarray) -> np.ndarray:
        """Return ``S^T a``, shape (size, columns), for ``a`` of shape (rows, columns)."""
        if np.ndim(a) != 2 or len(a) != self.rows:
            raise ValueError(f"this sketch takes a matrix of {self.rows} rows, got shape {np.shape(a)}")
        if a.dtype.kind != "f":
            raise TypeError(f"a sketch takes floating-point numbers, got dtype {a.dtype}; write a.astype(float)")
        return SKETCHES[self.kind].project(_generator(self.seed), self.size, a)

    def matrix(self) -> np.ndarray:
        """Return S itself, to look at; nothing else needs it."""
        return self.project(np.eye(self.rows)).T

    @property
    def nbytes(self) -> int:
        """Bytes that must be kept to draw S again: one seed."""
        return 8


def _generator(seed: int) -> Rng:
    return np.random.Generator(np.random.SFC64(seed))


def check_kind(kind: str) -> None:
    """Raise unless there is a sketch of that name."""
    if kind not in SKETCHES:
        raise ValueError(f"there is no sketch {kind!r}; there are {', '.join(SKETCHES)}")


def sketch_size(rate: float, rows: int) -> int:
    """How many rows are kept: ``rate`` times ``rows``, rounded down, and at least one.

    Parameters
    ----------
    rate : float
        rho, above 0 and at most 1.
    rows : int
        B.

    Returns
    -------
    int
        b.
    """
    if not 0.0 < rate <= 1.0:  # also refuses NaN
        raise ValueError(f"the rate says which share of the rows is kept, above 0 and at most 1; got {rate}")
    return max(1, math.floor(rate * rows + 1e-9))


def sketch_variance(kind: str, x: Any, y: Any, size: int) -> float:
    """Exact variance of the sketched product: E||Y^T S S^T X - Y^T X||^2, without drawing anything.

    Parameters
    ----------
    kind : str
        A name in :data:`SKETCHES`.
    x, y : array, shapes (B, N) and (B, M)
        The factors.
    size : int
        b, between 1 and B.

    Returns
    -------
    float
        The sum of the variances of all N M entries.

    Examples
    --------
    >>> x, y = [[1.0], [2.0]], [[3.0], [1.0]]
    >>> sketch_variance("rademacher", x, y, 1), sketch_variance("rows", x, y, 1)
    (49.0, 1.0)
    """
    check_kind(kind)
    found = moments(x, y)
    if not 1 <= size <= found.rows:
        raise ValueError(f"a sketch of {found.rows} rows keeps between 1 and {found.rows}, got size {size}")
    return max(0.0, SKETCHES[kind].variance(found, size, x, y))  # rounding may leave a little less than nothing
