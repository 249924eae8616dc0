"""How trees come to be: grown at random, with sizes that a formula predicts, or unfolded from a multilayer perceptron.

The one idea: growth is a branching process. A function node has m̄ children on average, each of them a function node
again with probability 1 - p, so every level holds r = m̄ (1 - p) times the function nodes of the level above
(Ojha and Nicosia, 2022; arities as in their published code).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from coursepkg._checks import check_rng
from coursepkg.datasets.prepare import Scaler
from coursepkg.neural_tree.structure import FunctionNode, Leaf, Node, Tree

LARGEST = 1_000_000  # expected nodes; a typing error in max_depth should not fill the memory
TRIES = 1_000

STARTS: dict[str, Callable[[np.random.Generator], float]] = {
    "uniform": lambda rng: rng.uniform(0.0, 1.0),
    "normal": lambda rng: rng.normal(),
}


def random_tree(
    n_inputs: int,
    n_outputs: int,
    *,
    max_depth: int = 5,
    max_children: int = 5,
    leaf_probability: float = 0.4,
    start: str = "uniform",
    more_than: int = 0,
    rng: np.random.Generator,
) -> Tree:
    """Grow a tree at random, as the published code does.

    Every function node has 2, 3, ... or ``max_children - 1`` children, all equally likely: the upper bound is
    exclusive. A child is a leaf with probability ``leaf_probability``, and always at the bottom; a leaf reads an input
    drawn with replacement.

    Parameters
    ----------
    n_inputs : int
        Number of inputs.
    n_outputs : int
        Number of classes, or 1 for regression.
    max_depth : int
        Depth D of the lowest function nodes; the lowest leaves hang at D + 1. Class nodes are at depth 1, the top of
        a regression at depth 0.
    max_children : int
        m, at least 3; no node has as many.
    leaf_probability : float
        p, from 0 to 1.
    start : {"uniform", "normal"}
        Weights and biases from U[0, 1], as published, or N(0, 1).
    more_than : int
        Grow again until the tree has more nodes than this, the root of the classes not counted.
    rng : numpy.random.Generator
        Source of all randomness.

    Returns
    -------
    Tree

    Raises
    ------
    ValueError
        If an option is out of range, or no tree of the size asked for turned up.

    Examples
    --------
    >>> random_tree(4, 3, rng=np.random.default_rng(0))
    Tree(4 inputs, 3 outputs: 77 function nodes, 163 leaves, 314 parameters)
    """
    expected = expected_size(
        n_outputs, max_depth=max_depth, max_children=max_children, leaf_probability=leaf_probability
    )
    if start not in STARTS:
        raise ValueError(f"start is one of {', '.join(map(repr, STARTS))}, got {start!r}")
    if n_inputs < 1:
        raise ValueError(f"a tree needs at least one input, got n_inputs={n_inputs}")
    if expected.functions + expected.leaves > LARGEST:
        raise ValueError(
            f"such a tree has {expected.functions + expected.leaves:.2g} nodes on average; choose a smaller max_depth "
            "or max_children, or a larger leaf_probability"
        )
    rng = check_rng(rng)
    draw = STARTS[start]

    def grow(depth: int, *, output: bool = False) -> FunctionNode:
        arity = int(rng.integers(2, max_children))
        children: list[Node] = []
        for _ in range(arity):
            if depth == max_depth or rng.random() < leaf_probability:
                children.append(Leaf(int(rng.integers(n_inputs)), draw(rng)))
            else:
                children.append(grow(depth + 1))
        return FunctionNode(children, bias=draw(rng), weight=None if output else draw(rng))

    for _ in range(TRIES):
        top = 1 if n_outputs > 1 else 0
        tree = Tree([grow(top, output=True) for _ in range(n_outputs)], n_inputs)
        if len(tree.functions) + len(tree.leaves) > more_than:
            return tree
    raise ValueError(
        f"none of {TRIES:,} random trees had more than {more_than} nodes; they have "
        f"{expected.functions + expected.leaves:.0f} on average. Raise max_depth or max_children, or lower more_than."
    )


class ExpectedSize(NamedTuple):
    """Mean size of random trees: function nodes (outputs included), leaves, and trained parameters."""

    functions: float
    leaves: float
    parameters: float


def expected_size(
    n_outputs: int, *, max_depth: int = 5, max_children: int = 5, leaf_probability: float = 0.4
) -> ExpectedSize:
    """Mean size of the trees of :func:`random_tree`, in closed form.

    With mean arity ``m̄ = (max_children + 1) / 2`` and growth ``r = m̄ (1 - p)``, level k below the outputs has
    ``C r^k`` function nodes. Each has ``m̄ p`` leaves, those of the lowest level ``m̄``.

    Parameters
    ----------
    n_outputs, max_depth, max_children, leaf_probability
        As for :func:`random_tree`.

    Returns
    -------
    ExpectedSize

    Examples
    --------
    >>> size = expected_size(3, max_depth=5, max_children=5, leaf_probability=0.4)
    >>> round(size.functions, 2), round(size.leaves, 2)
    (67.11, 137.22)
    """
    if n_outputs < 1:
        raise ValueError(f"a tree needs at least one output, got n_outputs={n_outputs}")
    lowest = 1 if n_outputs > 1 else 0
    if max_depth < lowest:
        raise ValueError(f"the outputs are at depth {lowest}, so max_depth must be at least that, got {max_depth}")
    if max_children < 3:
        raise ValueError(
            f"nodes have 2 to max_children - 1 children, so max_children must be at least 3, got {max_children}"
        )
    if not 0.0 <= leaf_probability <= 1.0:
        raise ValueError(f"leaf_probability is a probability, from 0 to 1, got {leaf_probability}")
    arity = (max_children + 1) / 2
    growth = arity * (1.0 - leaf_probability)
    levels = [n_outputs * growth**k for k in range(max_depth - lowest + 1)]
    functions = sum(levels)
    leaves = arity * leaf_probability * sum(levels[:-1]) + arity * levels[-1]
    return ExpectedSize(functions, leaves, 2 * functions - n_outputs + leaves)


def fold_scaling(tree: Tree, scaler: Scaler) -> Tree:
    """A tree that reads unscaled inputs and puts out the same: the scaling moves into leaf weights and biases.

    A leaf is linear, so ``w (x - offset) / scale`` is a leaf of weight ``w / scale`` and a constant for the bias above
    it. Scaling costs no parameter, and the new tree can be saved without its scaler.

    Parameters
    ----------
    tree : Tree
        A tree of scaled inputs; it is left as it is.
    scaler : Scaler
        The scaling its inputs had, one offset and scale per input.

    Returns
    -------
    Tree

    Examples
    --------
    >>> from coursepkg.neural_tree import forward
    >>> rng = np.random.default_rng(0)
    >>> X, tree = rng.uniform(5.0, 9.0, size=(20, 4)), random_tree(4, 3, rng=rng)
    >>> scaler = Scaler.minmax(X)
    >>> bool(np.allclose(forward(fold_scaling(tree, scaler), X), forward(tree, scaler(X))))
    True
    """
    offset, scale = np.broadcast_arrays(scaler.offset, scaler.scale)
    if offset.shape != (tree.n_inputs,):
        raise ValueError(f"the scaler was fitted on {offset.size} columns, but this tree has {tree.n_inputs} inputs")
    folded = tree.copy()
    for node in folded.functions:
        for child in node.children:
            if isinstance(child, Leaf):
                child.weight /= float(scale[child.attribute])
                node.bias -= child.weight * float(offset[child.attribute])
    return folded


# --- a multilayer perceptron, unfolded


class Copies(NamedTuple):
    """Which parameter of the perceptron each parameter of its tree is a copy of.

    Attributes
    ----------
    origin : ndarray of int, shape (n_parameters of the tree,)
        Place of the original in the perceptron's parameters: all weight matrices, flattened, then all biases.
    shapes : tuple of tuple
        Shapes of the weights, then of the biases.
    """

    origin: np.ndarray
    shapes: tuple[tuple[int, ...], ...]

    def gather(self, weights: list[np.ndarray], biases: list[np.ndarray]) -> np.ndarray:
        """Parameters of the tree, copied from those of the perceptron."""
        return np.concatenate([np.ravel(array) for array in [*weights, *biases]])[self.origin]

    def sum(self, gradient: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """The gradient of the perceptron: each weight gets the sum over its copies (the "+" of backpropagation).

        Parameters
        ----------
        gradient : ndarray, shape (n_parameters of the tree,)
            Arranged as :meth:`Tree.parameters`.

        Returns
        -------
        weights, biases : list of ndarray
            Of the perceptron's shapes.
        """
        sizes = [int(np.prod(shape)) for shape in self.shapes]
        total = np.bincount(self.origin, weights=gradient, minlength=sum(sizes))
        parts = np.split(total, np.cumsum(sizes)[:-1])
        arrays = [part.reshape(shape) for part, shape in zip(parts, self.shapes, strict=True)]
        return arrays[: len(arrays) // 2], arrays[len(arrays) // 2 :]


def mlp_as_tree(weights: list[np.ndarray], biases: list[np.ndarray]) -> tuple[Tree, Copies]:
    """Unfold a multilayer perceptron of sigmoids into a tree: every unit is copied for each unit that reads it.

    Parameters
    ----------
    weights : list of ndarray, shape (outputs, inputs)
        One per layer, from the inputs on.
    biases : list of ndarray, shape (outputs,)
        One per layer.

    Returns
    -------
    Tree, Copies
        ``Copies.sum`` turns the tree's gradient into the perceptron's.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> tree, copies = mlp_as_tree([rng.normal(size=(4, 3)), rng.normal(size=(2, 4))], [np.zeros(4), np.zeros(2)])
    >>> len(tree.leaves)
    24
    """
    weights = [np.asarray(array, dtype=np.float64) for array in weights]
    biases = [np.asarray(array, dtype=np.float64) for array in biases]
    _check_layers(weights, biases)
    shapes = tuple(array.shape for array in [*weights, *biases])
    starts = np.concatenate([[0], np.cumsum([array.size for array in [*weights, *biases]])])
    weight_of = {layer: starts[layer] + np.arange(w.size).reshape(w.shape) for layer, w in enumerate(weights)}
    source: dict[Node, tuple[int, int]] = {}  # node -> places of its edge and of its bias among the perceptron's

    def unfold(layer: int, unit: int, reader: int | None) -> Node:
        edge = -1 if reader is None else int(weight_of[layer + 1][reader, unit])
        weight = None if reader is None else float(weights[layer + 1][reader, unit])
        if layer < 0:
            assert weight is not None  # an input is always read by somebody
            node: Node = Leaf(unit, weight)
        else:
            children = [unfold(layer - 1, child, unit) for child in range(weights[layer].shape[1])]
            node = FunctionNode(children, float(biases[layer][unit]), weight)
        source[node] = (edge, int(starts[len(weights) + layer]) + unit)
        return node

    outputs = [unfold(len(weights) - 1, unit, None) for unit in range(len(biases[-1]))]
    tree = Tree(outputs, weights[0].shape[1])  # type: ignore[arg-type]
    origin = [source[node][1] for node in tree.functions] + [source[node][0] for node in tree.edges]
    return tree, Copies(np.array(origin), shapes)


def _check_layers(weights: list[np.ndarray], biases: list[np.ndarray]) -> None:
    if not weights or len(weights) != len(biases):
        raise ValueError(f"a perceptron has one bias vector per weight matrix; got {len(weights)} and {len(biases)}")
    width = None
    for layer, (w, b) in enumerate(zip(weights, biases, strict=True)):
        if w.ndim != 2 or b.shape != w.shape[:1] or (width is not None and w.shape[1] != width):
            raise ValueError(
                f"layer {layer} has weights of shape {w.shape} and biases of shape {b.shape}; expected weights of "
                f"shape (outputs, {width if width is not None else 'inputs'}) and biases of shape (outputs,)"
            )
        width = w.shape[0]
