"""Toy problems in the plane, made on the spot: two moons, two rings, and spirals.

No straight line separates any of them, so a model has to bend, and two inputs can be drawn. The moons and rings have
the shapes of scikit-learn's ``make_moons`` and ``make_circles``; the spirals are those of Karpathy's CS231n notes.
"""

from __future__ import annotations

import numpy as np

from coursepkg._checks import check_rng


def moons(n: int, *, noise: float = 0.1, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Two interleaved half circles.

    Parameters
    ----------
    n : int
        Number of points, at least 2; the classes differ in size by at most one.
    noise : float
        Standard deviation of the normal noise added to both coordinates.
    rng : numpy.random.Generator
        Source of the noise and of the order of the points.

    Returns
    -------
    X : ndarray, shape (n, 2)
        Points, float64.
    y : ndarray, shape (n,)
        Classes: 0 for the upper moon, 1 for the lower.

    Examples
    --------
    >>> import numpy as np
    >>> from coursepkg import datasets
    >>> X, y = datasets.moons(100, noise=0.1, rng=np.random.default_rng(0))
    >>> X.shape, int(y.sum())
    ((100, 2), 50)
    """
    sizes = _class_sizes(n, 2)
    upper, lower = (np.linspace(0.0, np.pi, size) for size in sizes)
    arcs = [
        np.column_stack([np.cos(upper), np.sin(upper)]),
        np.column_stack([1.0 - np.cos(lower), 0.5 - np.sin(lower)]),
    ]
    return _shuffled(arcs, noise, rng)


def rings(
    n: int, *, noise: float = 0.1, factor: float = 0.5, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """A ring inside a ring.

    Parameters
    ----------
    n : int
        Number of points, at least 2; the classes differ in size by at most one.
    noise : float
        Standard deviation of the normal noise added to both coordinates.
    factor : float
        Radius of the inner ring; the outer one has radius 1.
    rng : numpy.random.Generator
        Source of the noise and of the order of the points.

    Returns
    -------
    X : ndarray, shape (n, 2)
        Points, float64.
    y : ndarray, shape (n,)
        Classes: 0 for the outer ring, 1 for the inner.
    """
    if not 0.0 < factor < 1.0:
        raise ValueError(f"factor is the radius of the inner ring, between 0 and 1 exclusive; got {factor}")
    circles = []
    for size, radius in zip(_class_sizes(n, 2), (1.0, factor), strict=True):
        angle = np.linspace(0.0, 2.0 * np.pi, size, endpoint=False)
        circles.append(radius * np.column_stack([np.cos(angle), np.sin(angle)]))
    return _shuffled(circles, noise, rng)


def spirals(
    n: int, *, classes: int = 3, turns: float = 0.64, noise: float = 0.02, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Spiral arms that start together at the origin and wind outwards to radius 1.

    Parameters
    ----------
    n : int
        Number of points, at least one per class; the classes differ in size by at most one.
    classes : int
        Number of arms, at least 2.
    turns : float
        How often an arm winds around the origin.
    noise : float
        Standard deviation of the normal noise added to both coordinates.
    rng : numpy.random.Generator
        Source of the noise and of the order of the points.

    Returns
    -------
    X : ndarray, shape (n, 2)
        Points, float64.
    y : ndarray, shape (n,)
        Classes 0, ..., ``classes`` - 1.
    """
    if classes < 2:
        raise ValueError(f"spirals need at least 2 classes, got {classes}")
    arms = []
    for k, size in enumerate(_class_sizes(n, classes)):
        radius = np.linspace(0.0, 1.0, size)
        angle = 2.0 * np.pi * (turns * radius + k / classes)
        arms.append(radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)]))
    return _shuffled(arms, noise, rng)


def _class_sizes(n: int, classes: int) -> list[int]:
    if n < classes:
        raise ValueError(f"n must be at least {classes}, one point for each class; got {n}")
    return [len(part) for part in np.array_split(np.arange(n), classes)]


def _shuffled(parts: list[np.ndarray], noise: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Put the classes together, blur them, and mix their order, so that the first rows are already a fair sample."""
    if noise < 0.0:
        raise ValueError(f"noise is a standard deviation, at least 0; got {noise}")
    rng = check_rng(rng)
    X = np.concatenate(parts)
    y = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    order = rng.permutation(len(X))
    return (X + noise * rng.standard_normal(X.shape))[order], y[order]
