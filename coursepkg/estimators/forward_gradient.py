"""The forward gradient: walk in a random direction, feel how steep it is, and say "that direction, that much".

The one idea: g = (∇f · v) v, where the number ∇f · v comes from one forward pass with tangents. No backward pass, no
stored graph. If E[v vᵀ] = I then E[g] = E[v vᵀ] ∇f = ∇f (Baydin, Pearlmutter, Syme, Wood and Torr 2022). Averaging K
directions divides the noise by K; they travel together in one vectorised pass.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from coursepkg.autodiff.forward_mode import jvp, jvps
from coursepkg.autodiff.trees import Function, Tree, call_with, leaves_of, rebuild, scalar_of
from coursepkg.estimators.directions import KINDS, check_count, sample_directions

__all__ = ["along", "forward_gradient", "value_and_forward_gradient"]


def forward_gradient(
    f: Function, *, directions: str = "rademacher", count: int = 1, rng: np.random.Generator
) -> Function:
    """Return an unbiased estimate of the gradient of ``f`` that needs no backward pass.

    Parameters
    ----------
    f : callable
        A NumPy function that returns one real number.
    directions : {"gaussian", "rademacher", "sphere", "orthonormal", "coordinate"}
        How v is drawn; see :func:`~coursepkg.estimators.directions.sample_directions`.
    count : int
        K, the number of directions that are averaged.
    rng : numpy.random.Generator
        Source of the directions; every call draws new ones.

    Returns
    -------
    callable
        ``x -> estimate``, of the structure, shapes and dtypes of ``x``.

    Raises
    ------
    TypeError
        If ``x`` holds integers, or ``rng`` is no generator.
    ValueError
        If ``f`` returns something else than one real number, the slope is not finite, or the directions do not exist.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> estimate = forward_gradient(lambda x: np.sum(x**3), directions="orthonormal", count=2, rng=rng)
    >>> estimate(np.array([1.0, 2.0])).round(9)
    array([ 3., 12.])
    """
    both = value_and_forward_gradient(f, directions=directions, count=count, rng=rng)
    return lambda *args: both(*args)[1]


def value_and_forward_gradient(
    f: Function, *, directions: str = "rademacher", count: int = 1, rng: np.random.Generator
) -> Callable[..., tuple[Any, Tree]]:
    """Return a function that gives ``f(x)`` and a forward gradient, both from the same forward pass.

    Parameters
    ----------
    f, directions, count, rng
        As for :func:`forward_gradient`.

    Returns
    -------
    callable
        ``x -> (value, estimate)``.
    """
    check_count(count)
    if directions not in KINDS:
        raise ValueError(f"directions must be one of {', '.join(KINDS)}; got {directions!r}")

    def both(*args: Any) -> tuple[Any, Tree]:
        if not args:
            raise TypeError("a forward gradient needs a point: call it as forward_gradient(f, rng=rng)(x)")
        tree = args[0] if len(args) == 1 else args
        leaves = movable(tree)
        size = sum(leaf.size for leaf in leaves)
        kind = np.result_type(*(leaf.dtype for leaf in leaves))
        flat = sample_directions(directions, size, count=count, rng=rng, dtype=kind)
        value, slopes = jvps(lambda x: call_with(f, x, len(args) == 1), tree, spread(tree, flat))
        scalar_of(value, f)
        _check_finite(value, slopes)
        slopes = np.reshape(slopes, len(flat))
        return value, one_of(spread(tree, mean_estimate(slopes, flat)), 0)

    return both


def along(f: Function, x: Tree, v: Tree) -> tuple[Any, Any, Tree]:
    """Take one forward gradient along a direction of your own: value, slope, and slope times direction.

    Parameters
    ----------
    f : callable
        A NumPy function of one tree that returns one real number.
    x : tree
        The point.
    v : tree
        The direction, of the structure and shapes of ``x``.

    Returns
    -------
    value : float
        ``f(x)``.
    slope : float
        ∇f · v, the directional derivative.
    estimate : tree
        ``slope * v`` (Baydin et al. 2022, definition 1).

    Raises
    ------
    ValueError
        If the direction does not have the shapes of the point, or is zero everywhere.

    Examples
    --------
    >>> value, slope, g = along(lambda t: t[0] ** 2 + 3 * t[1], np.array([2.0, 5.0]), np.array([1.0, -1.0]))
    >>> float(slope), g.tolist()
    (1.0, [1.0, -1.0])
    """
    leaves = movable(x)
    steps = [np.asarray(step) for step in leaves_of(v)]
    if [step.shape for step in steps] != [leaf.shape for leaf in leaves]:
        raise ValueError(
            f"a direction has the shapes of the point; got {_shapes(steps)} for a point of {_shapes(leaves)}"
        )
    if not any(step.any() for step in steps):
        raise ValueError("the direction is zero everywhere, so walking along it says nothing about the gradient")
    value, slope = jvp(f, x, v)
    scalar_of(value, f)
    _check_finite(value, slope)
    slope = np.reshape(slope, ())
    return (
        value,
        slope,
        rebuild(x, [(slope * step).astype(leaf.dtype) for step, leaf in zip(steps, leaves, strict=True)]),
    )


def mean_estimate(slopes: np.ndarray, flat: np.ndarray) -> np.ndarray:
    """Average slope times direction over the rows of ``flat``, which may be overwritten; shape (1, d)."""
    weights = (slopes / len(flat)).astype(flat.dtype)
    if len(flat) == 1:
        flat *= weights[0]
        return flat
    return (weights @ flat)[None]


# --- points and directions as trees


def movable(tree: Tree) -> list[np.ndarray]:
    """Return the leaves of a point, if all of them can be moved a little.

    Raises
    ------
    TypeError
        If a leaf holds integers or no numbers.
    ValueError
        If an entry is not finite.
    """
    leaves = [np.asarray(leaf) for leaf in leaves_of(tree)]
    for leaf in leaves:
        if leaf.dtype.kind != "f":
            raise TypeError(
                f"a forward gradient moves every entry a little, so the point must hold floating-point numbers; got "
                f"dtype {leaf.dtype}. Write 1.0 in place of 1, or x.astype(float)"
            )
        if not np.isfinite(leaf).all():
            raise ValueError("the point holds NaN or infinity, where no function has a slope")
    return leaves


def spread(tree: Tree, flat: np.ndarray) -> Tree:
    """Cut rows of length d, shape (K, d), into a tree of the structure of ``tree`` with leaves (K, *shape)."""
    parts, start = [], 0
    for leaf in leaves_of(tree):
        stop = start + np.size(leaf)
        part = flat[:, start:stop].reshape((len(flat), *np.shape(leaf)))
        parts.append(part.astype(np.asarray(leaf).dtype, copy=False))
        start = stop
    return rebuild(tree, parts)


def one_of(directions: Tree, k: int) -> Tree:
    """Return direction number ``k`` of a stack."""
    return rebuild(directions, [leaf[k] for leaf in leaves_of(directions)])


def _shapes(leaves: list[np.ndarray]) -> str:
    return ", ".join(str(leaf.shape) for leaf in leaves)


def _check_finite(value: Any, slopes: Any) -> None:
    if not (np.isfinite(value).all() and np.isfinite(slopes).all()):
        raise ValueError(
            f"f is {np.reshape(value, ())} and its slope along the direction {np.ravel(slopes)[0]} at this point; a "
            "forward gradient multiplies the slope into every entry. Try a smaller step, or check f"
        )
