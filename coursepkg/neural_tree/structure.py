"""What a neural tree is: nodes with one parent each, and the parameters on their edges and in their nodes.

The one idea: a leaf is an input, a function node is a sigmoid neuron, and nothing is used twice. One subtree per class
(classification), or one tree (regression), as in Ojha and Nicosia, "Backpropagation Neural Tree", Neural Networks 149
(2022), 66-83. :mod:`~coursepkg.neural_tree.growing` makes them at random.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

TALLEST = 200  # function nodes on one path; the readable passes call themselves once per level


@dataclass(eq=False)
class Leaf:
    """One input at the end of an edge.

    Attributes
    ----------
    attribute : int
        Which input, a column of X.
    weight : float
        Weight of the edge to the parent.
    value : ndarray, shape (n,)
        The input of each example, after a forward pass.
    weight_gradient : float
        dE/dw of the edge, after a backward pass.
    """

    attribute: int
    weight: float
    value: Any = field(default=None, repr=False)
    weight_gradient: Any = field(default=None, repr=False)


@dataclass(eq=False)
class FunctionNode:
    """A sigmoid neuron with a bias, fed by its children: ``a = sigmoid(bias + sum of weight * value over children)``.

    Attributes
    ----------
    children : list of Leaf and FunctionNode
        At least one.
    bias : float
        The bias b.
    weight : float or None
        Weight of the edge to the parent; None for an output, which has no parent that computes anything.
    value : ndarray, shape (n,)
        The activation a for each example, after a forward pass.
    delta : ndarray, shape (n,)
        dE/dz for each example, after a backward pass.
    weight_gradient, bias_gradient : float
        dE/dw and dE/db, averaged over the examples, after a backward pass.
    """

    children: list[Node]
    bias: float = 0.0
    weight: float | None = None
    value: Any = field(default=None, repr=False)
    delta: Any = field(default=None, repr=False)
    weight_gradient: Any = field(default=None, repr=False)
    bias_gradient: Any = field(default=None, repr=False)


Node = Leaf | FunctionNode


class Tree:
    """A neural tree: one function node per output, each the top of its own subtree.

    Two or more outputs make a classifier: output k says how much the example looks like class k. One output makes a
    regression, between 0 and 1. The common root that the paper draws above the classes computes nothing and is not
    stored.

    Parameters
    ----------
    outputs : sequence of FunctionNode
        The top of each subtree.
    n_inputs : int
        Number of columns of X.

    Attributes
    ----------
    functions : list of FunctionNode
        In level order: outputs first, then their children, and so on; children of one parent lie side by side.
    leaves : list of Leaf
        In level order.
    depths : dict of node to int
        Number of edges to the root; class nodes are at depth 1, the top of a regression at depth 0.

    Raises
    ------
    ValueError, TypeError
        If a node occurs twice, a function node has no child, a leaf names an input that is not there, and so on.

    Examples
    --------
    >>> inner = FunctionNode([Leaf(0, 1.0), Leaf(1, 2.0)], bias=-1.0, weight=-1.0)
    >>> Tree([FunctionNode([inner, Leaf(0, 0.5)], bias=0.2)], 2)
    Tree(2 inputs, 1 output: 2 function nodes, 3 leaves, 6 parameters)
    """

    def __init__(self, outputs: Sequence[FunctionNode], n_inputs: int) -> None:
        self.outputs = list(outputs)
        self.n_inputs = n_inputs
        self.functions: list[FunctionNode] = []
        self.leaves: list[Leaf] = []
        self.depths: dict[Node, int] = {}
        self._read()

    def _read(self) -> None:
        """Walk level by level, number the nodes, and refuse what is no tree."""
        if not self.outputs or not all(isinstance(node, FunctionNode) for node in self.outputs):
            raise TypeError("a tree needs a list of outputs, each a FunctionNode; for one output, pass Tree([node], n)")
        if self.n_inputs < 1:
            raise ValueError(f"a tree needs at least one input, got n_inputs={self.n_inputs}")
        top = 1 if len(self.outputs) > 1 else 0
        level: list[Node] = list(self.outputs)
        for depth in range(top, top + TALLEST + 1):
            below: list[Node] = []
            for node in level:
                self._place(node, depth)
                below.extend(node.children if isinstance(node, FunctionNode) else [])
            if not below:
                return
            level = below
        raise ValueError(f"this tree has more than {TALLEST} function nodes on one path; let it grow wider instead")

    def _place(self, node: Node, depth: int) -> None:
        if node in self.depths:
            raise ValueError("a node occurs twice: in a tree each node has exactly one parent; make a copy of it")
        self.depths[node] = depth
        if (node.weight is None) != any(node is output for output in self.outputs):
            raise ValueError("an output has no edge above it, so weight=None; every other node needs a weight")
        if isinstance(node, Leaf):
            if not 0 <= node.attribute < self.n_inputs:
                raise ValueError(f"a leaf reads input {node.attribute}, but the inputs are 0 to {self.n_inputs - 1}")
            self.leaves.append(node)
        elif not node.children:
            raise ValueError("a function node needs at least one child; without one it computes nothing from x")
        else:
            self.functions.append(node)

    # -- orders -------------------------------------------------------------------------------------------------

    def pre_order(self) -> list[Node]:
        """All nodes, each before its children: the order of the backward pass."""
        return [node for output in self.outputs for node in _pre_order(output)]

    def post_order(self) -> list[Node]:
        """All nodes, each after its children: the order of the forward pass."""
        return [node for output in self.outputs for node in _post_order(output)]

    @property
    def edges(self) -> list[Node]:
        """The nodes with an edge above them, in the order of their weights: function nodes, then leaves."""
        return [*self.functions[len(self.outputs) :], *self.leaves]

    # -- parameters ---------------------------------------------------------------------------------------------

    def parameters(self) -> np.ndarray:
        """All trained numbers as one vector: biases, then edges of function nodes, then edges of leaves.

        Each group is in level order; the outputs have no edge. The gradients of both passes have the same order.

        Returns
        -------
        ndarray, shape (n_parameters,)
            A copy.
        """
        biases, weights = [node.bias for node in self.functions], [node.weight for node in self.edges]
        return np.array([*biases, *weights], dtype=np.float64)

    def set_parameters(self, theta: np.ndarray) -> None:
        """Write a vector arranged as :meth:`parameters` into the nodes.

        Raises
        ------
        ValueError
            If it has another length.
        """
        theta = np.asarray(theta, dtype=np.float64)
        if theta.shape != (self.n_parameters,):
            raise ValueError(f"this tree has {self.n_parameters} parameters in one vector, got shape {theta.shape}")
        n_functions = len(self.functions)
        for node, bias in zip(self.functions, theta[:n_functions], strict=True):
            node.bias = float(bias)
        for edge, weight in zip(self.edges, theta[n_functions:], strict=True):
            edge.weight = float(weight)

    def gradient(self) -> np.ndarray:
        """The gradients that the last backward pass left in the nodes, arranged as :meth:`parameters`."""
        found = [node.bias_gradient for node in self.functions]
        found += [node.weight_gradient for node in self.edges]
        if any(gradient is None for gradient in found):
            raise ValueError("no gradients yet; call forward(tree, X), then backward(tree, T)")
        return np.array(found, dtype=np.float64)

    @property
    def n_parameters(self) -> int:
        """Numbers that training changes: ``2 F - C + L``, for F function nodes, C outputs and L leaves."""
        return 2 * len(self.functions) - len(self.outputs) + len(self.leaves)

    @property
    def published_count(self) -> int:
        """Parameters as the paper's tables count them: twice the function nodes below the root, plus the leaves.

        For a classifier this counts the edges above the class nodes, which nothing uses.
        """
        return 2 * (len(self.functions) - (len(self.outputs) == 1)) + len(self.leaves)

    def copy(self) -> Tree:
        """A tree of new nodes with the same structure and parameters, without values and gradients."""
        return Tree([_copy(output) for output in self.outputs], self.n_inputs)  # type: ignore[misc]

    def __repr__(self) -> str:
        def count(n: int, thing: str) -> str:
            return f"{n} {thing}{'' if n == 1 else 's'}"

        leaves = f"{len(self.leaves)} leaf" if len(self.leaves) == 1 else f"{len(self.leaves)} leaves"
        return (
            f"Tree({count(self.n_inputs, 'input')}, {count(len(self.outputs), 'output')}: "
            f"{count(len(self.functions), 'function node')}, {leaves}, {count(self.n_parameters, 'parameter')})"
        )


def _pre_order(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children if isinstance(node, FunctionNode) else ():
        yield from _pre_order(child)


def _post_order(node: Node) -> Iterator[Node]:
    for child in node.children if isinstance(node, FunctionNode) else ():
        yield from _post_order(child)
    yield node


def _copy(node: Node) -> Node:
    if isinstance(node, Leaf):
        return Leaf(node.attribute, node.weight)
    return FunctionNode([_copy(child) for child in node.children], node.bias, node.weight)
