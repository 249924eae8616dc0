"""Random directions v with E[v vᵀ] = I: the one thing a forward gradient asks of them.

The one idea: whatever the distribution, an identity second moment makes (∇f · v) v right on average. They differ in the
noise: ``E‖(∇f · v) v‖²`` is d + 2 times ``‖∇f‖²`` for Gaussian entries and d times for all others here, which is the
least that any distribution can reach for every gradient. Orthonormal blocks and distinct coordinates share K directions
without overlap, so that K = d of them give the gradient exactly (Baydin et al. 2022; Flügel et al. 2024).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from coursepkg._checks import check_rng

__all__ = ["KINDS", "check_count", "sample_directions", "signs"]

_BITS = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1)
_SIGNS = {np.dtype(kind): (1 - 2 * _BITS.astype(kind)).astype(kind) for kind in (np.float32, np.float64)}


def signs(shape: int | tuple[int, ...], rng: np.random.Generator, dtype: Any = np.float64) -> np.ndarray:
    """Draw entries that are +1 or −1 with equal chance, eight to a random byte.

    Parameters
    ----------
    shape : int or tuple of int
        Of the result.
    rng : numpy.random.Generator
        Source of the bytes.
    dtype : dtype
        Of the result.

    Returns
    -------
    ndarray

    Examples
    --------
    >>> signs(6, np.random.default_rng(0))
    array([ 1., -1.,  1., -1., -1., -1.])
    """
    kind = np.dtype(dtype)
    size = int(np.prod(shape, dtype=int))
    table = _SIGNS.get(kind, _SIGNS[np.dtype(np.float64)])
    drawn = np.frombuffer(check_rng(rng).bytes(-(-size // 8)), np.uint8)
    return np.take(table, drawn, axis=0).reshape(-1)[:size].reshape(shape).astype(kind, copy=False)


def _gaussian(count: int, size: int, rng: np.random.Generator, dtype: Any) -> np.ndarray:
    if dtype in (np.float32, np.float64):
        return rng.standard_normal((count, size), dtype=dtype)
    return rng.standard_normal((count, size)).astype(dtype)


def _rademacher(count: int, size: int, rng: np.random.Generator, dtype: Any) -> np.ndarray:
    return signs((count, size), rng, dtype)


def _sphere(count: int, size: int, rng: np.random.Generator, dtype: Any) -> np.ndarray:
    v = rng.standard_normal((count, size))
    v *= np.sqrt(size) / np.linalg.norm(v, axis=1, keepdims=True)
    return v.astype(dtype, copy=False)


def _orthonormal(count: int, size: int, rng: np.random.Generator, dtype: Any) -> np.ndarray:
    q, r = np.linalg.qr(rng.standard_normal((size, count)))
    # The signs of the diagonal make every such block equally likely (Mezzadri, 2007).
    return (np.sqrt(size) * (q * np.sign(np.diag(r))).T).astype(dtype, copy=False)


def _coordinate(count: int, size: int, rng: np.random.Generator, dtype: Any) -> np.ndarray:
    v = np.zeros((count, size), dtype)
    v[np.arange(count), rng.choice(size, count, replace=False)] = np.sqrt(size)
    return v


KINDS: dict[str, Callable[..., np.ndarray]] = {
    "gaussian": _gaussian,
    "rademacher": _rademacher,
    "sphere": _sphere,
    "orthonormal": _orthonormal,
    "coordinate": _coordinate,
}
"""The distributions by name."""

WITHOUT_OVERLAP = ("orthonormal", "coordinate")


def check_count(count: Any) -> int:
    """Return ``count`` if it is a whole number of directions, at least one.

    Raises
    ------
    ValueError, TypeError
        If it is not.
    """
    if isinstance(count, bool) or not isinstance(count, (int, np.integer)):
        raise TypeError(f"count is the number of directions, a whole number; got {count!r}")
    if count < 1:
        raise ValueError(f"a forward gradient needs at least one direction, got count={count}; try count=1")
    return int(count)


def sample_directions(
    kind: str, size: int, *, count: int = 1, rng: np.random.Generator, dtype: Any = np.float64
) -> np.ndarray:
    """Draw directions for a point with ``size`` entries.

    Parameters
    ----------
    kind : {"gaussian", "rademacher", "sphere", "orthonormal", "coordinate"}
        Independent normal entries; independent signs; uniform on the sphere of radius √d; ``count`` directions at right
        angles to each other, each of length √d; ``count`` different axes, times √d.
    size : int
        d, the number of entries.
    count : int
        K, how many directions.
    rng : numpy.random.Generator
        Source of randomness.
    dtype : dtype
        Of the result.

    Returns
    -------
    ndarray, shape (count, size)
        One direction per row.

    Raises
    ------
    ValueError
        If the kind is unknown, there is nothing to move, or more directions without overlap are asked for than exist.
    TypeError
        If ``rng`` is no generator, or ``count`` no whole number.

    Examples
    --------
    >>> v = sample_directions("orthonormal", 5, count=2, rng=np.random.default_rng(0))
    >>> np.allclose(v @ v.T, 5 * np.eye(2))
    True
    """
    if kind not in KINDS:
        raise ValueError(f"directions must be one of {', '.join(KINDS)}; got {kind!r}")
    count = check_count(count)
    if size < 1:
        raise ValueError("the point has no entries, so there is no direction to walk in")
    if kind in WITHOUT_OVERLAP and count > size:
        raise ValueError(
            f"there are only {size} {kind} directions for {size} entries, got count={count}; {size} of them already "
            "give the exact gradient"
        )
    return KINDS[kind](count, size, check_rng(rng), np.dtype(dtype))
