"""Gradients put together entry by entry: what any route must do that only knows directional derivatives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .traced import Traced
from .trees import Tree, leaves_of, rebuild

__all__ = ["along", "entrywise"]


def _basis(leaves: list[Any]) -> Iterator[tuple[int, tuple[int, ...], complex]]:
    """Yield every direction of the point's space: leaf, entry, and 1 or 1j."""
    for which, leaf in enumerate(leaves):
        for entry in np.ndindex(leaf.shape):
            yield which, entry, 1.0
            if leaf.dtype.kind == "c":
                yield which, entry, 1j


def along(leaves: list[Any], which: int, entry: tuple[int, ...], unit: complex) -> list[Any]:
    """Return the direction that moves a single entry."""
    direction = [np.zeros(leaf.shape, leaf.dtype) for leaf in leaves]
    direction[which][entry] = unit
    return direction


def entrywise(run: Callable[[Tree], Any], tree: Tree, slope: Callable[..., Any]) -> Tree:
    """Build a gradient from directional derivatives, one per entry of the point (two per complex entry).

    Parameters
    ----------
    run : callable
        Takes the tree and returns one real number.
    tree : tree
        The point.
    slope : callable
        ``slope(run, tree, which, entry, unit)`` is the derivative along one entry of one leaf.

    Returns
    -------
    tree
        The gradient. At a point without entries ``run`` runs once nevertheless, for the errors that it raises.
    """
    leaves = leaves_of(tree)
    if not any(leaf.size for leaf in leaves):
        run(tree)
    found: list[list[Any]] = [[] for _ in leaves]
    for which, entry, unit in _basis(leaves):
        change = slope(run, tree, which, entry, unit)
        if unit == 1j:
            found[which][-1] = found[which][-1] + 1j * change
        else:
            found[which].append(change)
    return rebuild(tree, [_gather(values, leaf) for values, leaf in zip(found, leaves, strict=True)])


def _gather(values: list[Any], like: Any) -> Any:
    """Return numbers, one per entry, as an array of the shape and dtype of ``like``."""
    if any(isinstance(v, Traced) for v in values):
        return np.reshape(np.stack([np.reshape(v, ()) for v in values]), like.shape)
    return np.array([np.reshape(v, ()) for v in values], like.dtype).reshape(like.shape)
