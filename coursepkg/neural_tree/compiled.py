"""The two passes again, a level of the tree at a time instead of a node at a time: same numbers, far fewer calls.

Two ideas. All leaves together are one matrix, for what they send up is linear in x: entry (q, i) is the sum of the
weights of the leaves of node q that read input i. And nodes are stored level by level, children of one parent side by
side, so that a level is a slice, and the sums over children are one ``np.add.reduceat``.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.special import expit as sigmoid

from coursepkg.neural_tree.losses import find_loss
from coursepkg.neural_tree.recursive import check_inputs, check_targets
from coursepkg.neural_tree.structure import Tree


class Level(NamedTuple):
    """The function nodes of one depth below the outputs: their rows, their parents' rows, and where siblings begin."""

    rows: slice
    parents: np.ndarray
    families: np.ndarray
    starts: np.ndarray


class CompiledTree:
    """The structure of a tree as index arrays; parameters are passed in as a vector, so that an optimizer can own them.

    Parameters
    ----------
    tree : Tree
        Its structure is read once; later changes to its nodes are not seen.

    Examples
    --------
    >>> from coursepkg.neural_tree import random_tree
    >>> rng = np.random.default_rng(0)
    >>> tree = random_tree(4, 3, rng=rng)
    >>> fast = CompiledTree(tree)
    >>> fast.outputs(tree.parameters(), rng.normal(size=(5, 4))).shape
    (5, 3)
    """

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.n_functions, self.n_outputs = len(tree.functions), len(tree.outputs)
        row = {node: place for place, node in enumerate(tree.functions)}
        parent = {child: row[node] for node in tree.functions for child in node.children}
        self.parents = np.array([parent[node] for node in tree.functions[self.n_outputs :]], dtype=np.intp)
        self.leaf_entries = np.array(
            [parent[leaf] * tree.n_inputs + leaf.attribute for leaf in tree.leaves], dtype=np.intp
        )
        self.levels = self._find_levels([tree.depths[node] for node in tree.functions])

    def _find_levels(self, depths: list[int]) -> list[Level]:
        """The levels below the outputs, from the top down."""
        cuts = [*np.flatnonzero(np.diff(depths)) + 1, len(depths)]
        levels = []
        for start, stop in pairwise(cuts):
            parents = self.parents[start - self.n_outputs : stop - self.n_outputs]
            starts = np.concatenate([[0], np.flatnonzero(np.diff(parents)) + 1])
            levels.append(Level(slice(int(start), int(stop)), parents, parents[starts], starts))
        return levels

    # -- for everyone -------------------------------------------------------------------------------------------

    def outputs(self, theta: np.ndarray, X: np.ndarray) -> np.ndarray:
        """The values of the outputs, as :func:`~coursepkg.neural_tree.recursive.forward` gives them.

        Parameters
        ----------
        theta : ndarray, shape (n_parameters,)
            Arranged as :meth:`Tree.parameters`.
        X : ndarray, shape (n, n_inputs)
            One example per row.

        Returns
        -------
        ndarray, shape (n, n_outputs)
        """
        return self.run(theta, check_inputs(self.tree, X).T)[: self.n_outputs].T

    def value_and_gradient(
        self, theta: np.ndarray, X: np.ndarray, T: np.ndarray, *, loss: str = "squared"
    ) -> tuple[float, np.ndarray]:
        """The loss of a batch and its gradient, as :func:`~coursepkg.neural_tree.recursive.value_and_gradient`.

        Parameters
        ----------
        theta : ndarray, shape (n_parameters,)
            Arranged as :meth:`Tree.parameters`.
        X : ndarray, shape (n, n_inputs)
            One example per row.
        T : ndarray, shape (n, n_outputs)
            Targets.
        loss : {"squared", "cross_entropy"}
            Which loss.

        Returns
        -------
        float, ndarray of shape (n_parameters,)
            Both are means over the examples.
        """
        inputs = check_inputs(self.tree, X).T
        T = check_targets(self.tree, T, inputs.shape[1])
        chosen = find_loss(loss)
        values = self.run(theta, inputs)
        Y = values[: self.n_outputs].T
        return chosen.value(Y, T), self.send_back(theta, inputs, values, chosen.delta(Y, T).T)

    # -- for the training loop: nothing is checked, and examples are columns --------------------------------------

    def run(self, theta: np.ndarray, inputs: np.ndarray) -> np.ndarray:
        """Forward, from the lowest level up.

        Parameters
        ----------
        theta : ndarray, shape (n_parameters,)
            Parameters.
        inputs : ndarray, shape (n_inputs, n)
            One example per column.

        Returns
        -------
        ndarray, shape (n_functions, n)
            The value of every function node, in the tree's level order.
        """
        biases, weights, leaf_weights = self._parts(theta)
        n_inputs = len(inputs)
        matrix = np.bincount(self.leaf_entries, leaf_weights, self.n_functions * n_inputs)
        values = matrix.reshape(self.n_functions, n_inputs) @ inputs
        values += biases[:, None]
        for level in reversed(self.levels):
            children = sigmoid(values[level.rows], out=values[level.rows])
            edges = weights[level.rows.start - self.n_outputs : level.rows.stop - self.n_outputs, None]
            values[level.families] += np.add.reduceat(edges * children, level.starts, axis=0)
        sigmoid(values[: self.n_outputs], out=values[: self.n_outputs])
        return values

    def send_back(self, theta: np.ndarray, inputs: np.ndarray, values: np.ndarray, delta: np.ndarray) -> np.ndarray:
        """Backward, from the outputs down.

        Parameters
        ----------
        theta, inputs
            As for :meth:`run`.
        values : ndarray, shape (n_functions, n)
            What :meth:`run` returned.
        delta : ndarray, shape (n_outputs, n)
            dE/dz of the outputs.

        Returns
        -------
        ndarray, shape (n_parameters,)
            The gradient, averaged over the examples.
        """
        _, weights, _ = self._parts(theta)
        deltas = values * (1.0 - values)
        deltas[: self.n_outputs] = delta
        for level in self.levels:
            edges = weights[level.rows.start - self.n_outputs : level.rows.stop - self.n_outputs, None]
            deltas[level.rows] *= deltas[level.parents] * edges
        gradient = np.empty_like(theta)
        biases, weight_gradients, leaf_gradients = self._parts(gradient)
        deltas.sum(axis=1, out=biases)
        np.einsum("ij,ij->i", deltas[self.parents], values[self.n_outputs :], out=weight_gradients)
        (deltas @ inputs.T).ravel().take(self.leaf_entries, out=leaf_gradients)
        gradient /= inputs.shape[1]
        return gradient

    def _parts(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Views of a parameter vector: biases, edges of function nodes, edges of leaves."""
        first, second = self.n_functions, 2 * self.n_functions - self.n_outputs
        return theta[:first], theta[first:second], theta[second:]
