"""How far training moves each level of a tree: the measurement behind the figure on RMSprop in chapter 10."""

from __future__ import annotations

from typing import Any

import numpy as np

from coursepkg.neural_tree.compiled import CompiledTree
from coursepkg.neural_tree.descent import OPTIMIZERS
from coursepkg.neural_tree.structure import Tree

__all__ = ["moves_by_depth"]


def moves_by_depth(
    tree: Tree, X: Any, T: Any, optimizer: str, *, updates: int = 40, lr: float = 0.1, rng: np.random.Generator
) -> np.ndarray:
    """Train by one example per update, and write down how far the biases of each level move.

    Parameters
    ----------
    tree : Tree
        Is left as it is.
    X, T : array_like
        Inputs, shape (n, inputs), and targets, shape (n, outputs).
    optimizer : str
        A name in :data:`~coursepkg.neural_tree.descent.OPTIMIZERS`.
    updates : int
        How many.
    lr : float
        Learning rate.
    rng : numpy.random.Generator
        Draws the examples.

    Returns
    -------
    ndarray, shape (updates, levels)
        Mean size of the move of a bias.
    """
    fast, theta = CompiledTree(tree), tree.parameters()
    step = OPTIMIZERS[optimizer](theta, lr=lr)
    depth = np.array([tree.depths[node] for node in tree.functions])
    moved = []
    for k in rng.integers(len(X), size=updates):
        before = theta.copy()
        step.step(fast.value_and_gradient(theta, X[[k]], T[[k]])[1])
        change = np.abs(theta - before)[: len(depth)]
        moved.append([change[depth == d].mean() for d in range(depth.min(), depth.max() + 1)])
    return np.array(moved)
