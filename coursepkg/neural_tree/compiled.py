"""The two passes again, a level of the tree at a time instead of a node at a time: same numbers, far fewer calls.

The one idea: what a level sends up is a matrix product. All leaves together are one matrix, for what they send up is
linear in x: entry (q, i) is the sum of the weights of the leaves of node q that read input i. And function nodes are
stored level by level, so that each level is a slice of rows, and the edges between two levels are a small matrix with
one weight per column: every node has one parent.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from coursepkg.neural_tree.losses import find_loss
from coursepkg.neural_tree.recursive import check_inputs, check_targets
from coursepkg.neural_tree.structure import Tree

LARGEST = 100_000_000  # numbers in all matrices, 0.8 GB


class Level(NamedTuple):
    """Two neighbouring levels of function nodes: their rows, and the edges between them as a matrix (above, below)."""

    above: slice
    below: slice
    matrix: np.ndarray


class CompiledTree:
    """The structure of a tree as matrices; parameters are passed in as a vector, so that an optimizer can own them.

    Parameters
    ----------
    tree : Tree
        Its structure is read once; later changes to its nodes are not seen.

    Raises
    ------
    ValueError
        If the matrices would not fit into a laptop's memory.

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
        self._lay_out([tree.depths[node] for node in tree.functions])

    def _lay_out(self, depths: list[int]) -> None:
        """Find the levels, from the top down; their matrices lie in one buffer, so that one assignment fills them."""
        cuts = [0, *(int(cut) + 1 for cut in np.flatnonzero(np.diff(depths))), len(depths)]
        rows = [slice(start, stop) for start, stop in pairwise(cuts)]
        shapes = [(above.stop - above.start, below.stop - below.start) for above, below in pairwise(rows)]
        sizes = [height * width for height, width in shapes]
        if sum(sizes) + self.n_functions * self.tree.n_inputs > LARGEST:
            raise ValueError(
                f"{self.tree} is too large for this package: its matrices hold more than {LARGEST:,} numbers; grow a "
                "smaller tree, with a larger leaf_probability or a smaller max_depth"
            )
        self.buffer = np.zeros(sum(sizes))
        offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.intp)
        self.levels: list[Level] = []
        entries = []
        for place, (above, below) in enumerate(pairwise(rows)):
            start, width = offsets[place], shapes[place][1]
            matrix = self.buffer[start : offsets[place + 1]].reshape(shapes[place])
            self.levels.append(Level(above, below, matrix))
            parents = self.parents[below.start - self.n_outputs : below.stop - self.n_outputs]
            entries.append(start + (parents - above.start) * width + np.arange(width))
        self.edge_entries = np.concatenate([np.zeros(0, np.intp), *entries])

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
        return chosen.value(Y, T), self.send_back(inputs, values, chosen.delta(Y, T).T)

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
        # Everything up to the exponential is computed with the opposite sign, because exp(-z) is what a sigmoid needs.
        biases, weights, leaf_weights = self._parts(-theta)
        self.buffer[self.edge_entries] = weights
        matrix = np.bincount(self.leaf_entries, leaf_weights, self.n_functions * len(inputs))
        values = matrix.reshape(self.n_functions, len(inputs)) @ inputs
        values += biases[:, None]
        with np.errstate(over="ignore"):  # exp(710) is infinity, and 1 / (1 + infinity) is the right 0
            for level in reversed(self.levels):
                above = values[level.above]
                above += level.matrix @ _sigmoid_of_negated(values[level.below])
            _sigmoid_of_negated(values[: self.n_outputs])
        return values

    def send_back(self, inputs: np.ndarray, values: np.ndarray, delta: np.ndarray) -> np.ndarray:
        """Backward, from the outputs down, with the parameters of the last :meth:`run`.

        Parameters
        ----------
        inputs : ndarray, shape (n_inputs, n)
            One example per column.
        values : ndarray, shape (n_functions, n)
            What :meth:`run` returned for them.
        delta : ndarray, shape (n_outputs, n)
            dE/dz of the outputs.

        Returns
        -------
        ndarray, shape (n_parameters,)
            The gradient, averaged over the examples.
        """
        deltas = values * (values - 1.0)  # the slopes a (1 - a), with the sign that the matrices have
        deltas[: self.n_outputs] = delta
        for level in self.levels:
            below = deltas[level.below]
            below *= level.matrix.T @ deltas[level.above]
        gradient = np.empty(2 * self.n_functions - self.n_outputs + len(self.leaf_entries))
        biases, weights, leaf_weights = self._parts(gradient)
        np.add.reduce(deltas, axis=1, out=biases)
        np.vecdot(deltas.take(self.parents, axis=0), values[self.n_outputs :], out=weights)
        (deltas @ inputs.T).take(self.leaf_entries, out=leaf_weights)
        gradient /= inputs.shape[1]
        return gradient

    def _parts(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Views of a parameter vector: biases, edges of function nodes, edges of leaves."""
        first, second = self.n_functions, 2 * self.n_functions - self.n_outputs
        return theta[:first], theta[first:second], theta[second:]


def _sigmoid_of_negated(z: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(z)), in place: the sigmoid of -z."""
    np.exp(z, out=z)
    z += 1.0
    return np.reciprocal(z, out=z)
