"""From a table to something that can be trained on: honest splits, scaling, one-hot targets, mini-batches.

The one idea: whatever is *learned* from data, the offset and scale of a column included, is learned from the training
part alone. A validation or test part that helped to choose the scaling is no longer unseen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from coursepkg._checks import check_rng


@dataclass(frozen=True, eq=False)
class Scaler:
    """An affine map per column, ``(X - offset) / scale``, fitted once and applied everywhere.

    Examples
    --------
    >>> import numpy as np
    >>> from coursepkg.datasets import Scaler
    >>> scaler = Scaler.standard(np.array([[1.0, 10.0], [3.0, 10.0]]))
    >>> scaler(np.array([[2.0, 10.0]]))
    array([[0., 0.]])
    """

    offset: np.ndarray
    scale: np.ndarray

    @classmethod
    def standard(cls, X: np.ndarray) -> Scaler:
        """Fit mean 0 and standard deviation 1 per column; a constant column is only shifted."""
        X = np.asarray(X, dtype=np.float64)
        return cls._fitted(X.mean(axis=0), X.std(axis=0))

    @classmethod
    def minmax(cls, X: np.ndarray) -> Scaler:
        """Fit the range 0 to 1 per column; a constant column is only shifted."""
        X = np.asarray(X, dtype=np.float64)
        return cls._fitted(X.min(axis=0), np.ptp(X, axis=0))

    @classmethod
    def _fitted(cls, offset: np.ndarray, scale: np.ndarray) -> Scaler:
        # The standard deviation of a constant column need not be an exact zero: rounding leaves about 1e-16 of it.
        constant = scale <= 1e-14 * np.abs(offset)
        return cls(offset, np.where(constant, 1.0, scale))

    def __call__(self, X: np.ndarray) -> np.ndarray:
        """Scale ``X``, shape (n, ...) with the columns that were fitted."""
        return (np.asarray(X, dtype=np.float64) - self.offset) / self.scale

    def inverse(self, X: np.ndarray) -> np.ndarray:
        """Undo the scaling."""
        return np.asarray(X) * self.scale + self.offset


@dataclass(frozen=True, eq=False)
class Split:
    """Three parts of one data set, each a pair ``(X, y)``, and the rows they came from."""

    train: tuple[np.ndarray, np.ndarray]
    validation: tuple[np.ndarray, np.ndarray]
    test: tuple[np.ndarray, np.ndarray]
    rows: tuple[np.ndarray, np.ndarray, np.ndarray]

    def scaled(self, fit: Callable[[np.ndarray], Scaler] = Scaler.standard) -> Split:
        """Scale all three parts with a scaler fitted on the training part alone.

        Parameters
        ----------
        fit : callable
            ``Scaler.standard`` or ``Scaler.minmax``, or any function from training inputs to a function of inputs.
        """
        scaler = fit(self.train[0])
        train, validation, test = ((scaler(X), y) for X, y in (self.train, self.validation, self.test))
        return Split(train, validation, test, self.rows)


def split(
    X: np.ndarray,
    y: np.ndarray,
    *,
    validation: float = 0.16,
    test: float = 0.2,
    stratify: bool = False,
    rng: np.random.Generator,
) -> Split:
    """Cut a data set at random into training, validation and test part.

    Parameters
    ----------
    X : array_like, shape (n, ...)
        Inputs.
    y : array_like, shape (n,) or (n, targets)
        Targets.
    validation, test : float
        Fractions of all examples, each at least 0 and together below 1; the sizes are rounded.
    stratify : bool
        Keep the share of each class (``y`` holds class numbers) the same in all parts.
    rng : numpy.random.Generator
        Source of the random order.

    Returns
    -------
    Split
        ``.train``, ``.validation``, ``.test``, each ``(X, y)``; ``.scaled()`` scales them.

    Examples
    --------
    >>> import numpy as np
    >>> from coursepkg import datasets
    >>> parts = datasets.split(*datasets.iris(), rng=np.random.default_rng(0)).scaled()
    >>> [len(y) for X, y in (parts.train, parts.validation, parts.test)]
    [96, 24, 30]
    """
    X, y, rng = np.asarray(X), np.asarray(y), check_rng(rng)
    if len(X) != len(y):
        raise ValueError(f"X has {len(X)} rows but y has {len(y)}; each example needs one target")
    if validation < 0 or test < 0 or validation + test >= 1:
        raise ValueError(f"validation={validation} and test={test} must be at least 0 and leave something to train on")
    order = rng.permutation(len(X))
    groups = [order[y[order] == label] for label in np.unique(y)] if stratify else [order]
    parts: tuple[list[np.ndarray], ...] = ([], [], [])
    for group in groups:
        cuts = np.cumsum([round(test * len(group)), round(validation * len(group))])
        for part, rows in zip(parts, reversed(np.split(group, cuts)), strict=True):
            part.append(rows)
    # Stratified rows come class by class; mixing them again keeps an unshuffled batch from being one class.
    train, validate, tested = (rng.permutation(np.concatenate(part)) if stratify else part[0] for part in parts)
    if not len(train):
        raise ValueError(f"nothing is left to train on: {len(X)} examples, validation={validation}, test={test}")
    return Split(
        train=(X[train], y[train]),
        validation=(X[validate], y[validate]),
        test=(X[tested], y[tested]),
        rows=(train, validate, tested),
    )


def one_hot(y: np.ndarray, classes: int | None = None) -> np.ndarray:
    """Class numbers as rows of zeros with a single one.

    Parameters
    ----------
    y : array_like of int, shape (n,)
        Class numbers, 0 or more.
    classes : int, optional
        Number of columns; by default the largest class number plus one.

    Returns
    -------
    ndarray, shape (n, classes)
        float64.

    Examples
    --------
    >>> from coursepkg.datasets import one_hot
    >>> one_hot([2, 0])
    array([[0., 0., 1.],
           [1., 0., 0.]])
    """
    y = np.asarray(y)
    if y.ndim != 1 or (y.size and not np.issubdtype(y.dtype, np.integer)):
        raise ValueError(f"one_hot needs class numbers as a vector of integers, got shape {y.shape} of {y.dtype}")
    if classes is None:
        classes = int(y.max()) + 1 if y.size else 0
    if y.size and not (y.min() >= 0 and y.max() < classes):
        raise ValueError(f"class numbers must lie in 0..{classes - 1}, got {y.min()}..{y.max()}")
    rows = np.zeros((len(y), classes))
    rows[np.arange(len(y)), y.astype(np.intp)] = 1.0
    return rows


def batches(
    X: np.ndarray, y: np.ndarray, size: int, *, rng: np.random.Generator, drop_last: bool = False
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """One epoch of mini-batches, in a new random order.

    Parameters
    ----------
    X : ndarray, shape (n, ...)
        Inputs.
    y : ndarray, shape (n, ...)
        Targets.
    size : int
        Examples per batch; the last batch may be smaller.
    rng : numpy.random.Generator
        Source of the order; every call draws a new one.
    drop_last : bool
        Leave out a last batch that is smaller than the others.

    Returns
    -------
    iterator of tuple of ndarray
        Pairs ``(X, y)`` that together hold every example once.
    """
    rng = check_rng(rng)
    if size < 1:
        raise ValueError(f"a batch holds at least one example, got size={size}")
    if len(X) != len(y):
        raise ValueError(f"X has {len(X)} rows but y has {len(y)}; each example needs one target")
    return _batches(X, y, size, rng.permutation(len(X)), drop_last)


def _batches(
    X: np.ndarray, y: np.ndarray, size: int, order: np.ndarray, drop_last: bool
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    stop = len(order) - len(order) % size if drop_last else len(order)
    for start in range(0, stop, size):
        rows = order[start : start + size]
        yield X[rows], y[rows]
