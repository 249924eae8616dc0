"""What every data set of the course looks like, and the two ways in which getting one can fail.

A :class:`Dataset` unpacks like the pair it is, ``X, y = datasets.iris()``, and keeps the names that a plot or a table
needs beside the numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np


class DataNotFound(FileNotFoundError):
    """The data set is not on this computer; the message says how to get it and what to use instead."""


class DataCorrupt(ValueError):
    """A file is present but is not what it should be: truncated, altered, or something else altogether."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """Inputs and targets, with their names.

    Attributes
    ----------
    name : str
        The name under which :func:`coursepkg.datasets.load` finds it.
    X : ndarray, shape (n, features) or (n, height, width)
        Inputs, one example per row.
    y : ndarray, shape (n,)
        Targets: integers 0, 1, ... for classes, real numbers for regression.
    feature_names : tuple of str
        One name per column of ``X``; empty for images.
    target_names : tuple of str
        One name per class, in the order of the integers in ``y``; empty for regression.
    source : str
        Where the data come from.

    Examples
    --------
    >>> from coursepkg import datasets
    >>> flowers = datasets.iris()
    >>> X, y = flowers
    >>> X.shape, flowers.target_names[0]
    ((150, 4), 'setosa')
    """

    name: str
    X: np.ndarray
    y: np.ndarray
    feature_names: tuple[str, ...] = ()
    target_names: tuple[str, ...] = ()
    source: str = ""

    def __iter__(self) -> Iterator[np.ndarray]:
        return iter((self.X, self.y))

    def __repr__(self) -> str:
        kind = f"{len(self.target_names)} classes" if self.target_names else "regression"
        return f"Dataset({self.name!r}, X {self.X.shape} {self.X.dtype}, y {self.y.shape} {self.y.dtype}, {kind})"
