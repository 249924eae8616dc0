"""The two passes, as one would explain them at a blackboard: each node asks its children, then tells its children.

Forward in post-order (children first), backward in pre-order (parent first). Because every node has one parent, its
delta comes from one place and nothing is added up: *backpropagation without the plus* (Ojha and Nicosia, 2022). A node
handles all examples of a batch at once; :mod:`~coursepkg.neural_tree.compiled` gives the same numbers faster.
"""

from __future__ import annotations

import numpy as np

from coursepkg.autodiff.catalogue import sigmoid
from coursepkg.neural_tree.losses import find_loss
from coursepkg.neural_tree.structure import FunctionNode, Leaf, Node, Tree


def forward(tree: Tree, X: np.ndarray) -> np.ndarray:
    """Feed the examples through the tree, in post-order, and keep every node's ``value``.

    Parameters
    ----------
    tree : Tree
        The tree.
    X : ndarray, shape (n, n_inputs)
        One example per row.

    Returns
    -------
    ndarray, shape (n, n_outputs)
        The values of the outputs, between 0 and 1.

    Raises
    ------
    ValueError
        If X has another number of columns.
    """
    X = check_inputs(tree, X)
    return np.stack([_evaluate(output, X) for output in tree.outputs], axis=1)


def _evaluate(node: Node, X: np.ndarray) -> np.ndarray:
    if isinstance(node, Leaf):
        node.value = X[:, node.attribute]
    else:
        z = node.bias + sum(child.weight * _evaluate(child, X) for child in node.children)
        node.value = sigmoid(z)
    return node.value


def backward(tree: Tree, T: np.ndarray, *, loss: str = "squared") -> np.ndarray:
    """Send the error of the last forward pass back, in pre-order, and keep every node's ``delta`` and gradients.

    Parameters
    ----------
    tree : Tree
        After :func:`forward`.
    T : ndarray, shape (n, n_outputs)
        Targets: one-hot rows, or one column between 0 and 1 for regression.
    loss : {"squared", "cross_entropy"}
        The paper's loss, or cross-entropy.

    Returns
    -------
    ndarray, shape (n_parameters,)
        dE/dθ, the mean over the examples, arranged as :meth:`Tree.parameters`.
    """
    if any(output.value is None for output in tree.outputs):
        raise ValueError("there is nothing to send back yet; call forward(tree, X) first")
    Y = np.stack([output.value for output in tree.outputs], axis=1)
    deltas = find_loss(loss).delta(Y, check_targets(tree, T, len(Y)))
    for output, delta in zip(tree.outputs, deltas.T, strict=True):
        _send_back(output, delta)
    return tree.gradient()


def _send_back(node: FunctionNode, delta: np.ndarray) -> None:
    node.delta = delta
    node.bias_gradient = delta.mean()
    for child in node.children:
        child.weight_gradient = (delta * child.value).mean()
        if isinstance(child, FunctionNode):
            _send_back(child, delta * child.weight * child.value * (1.0 - child.value))


def value_and_gradient(tree: Tree, X: np.ndarray, T: np.ndarray, *, loss: str = "squared") -> tuple[float, np.ndarray]:
    """The loss of a batch and its gradient: one forward pass, one backward pass.

    Parameters
    ----------
    tree : Tree
        The tree.
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
    Y = forward(tree, X)
    T = check_targets(tree, T, len(Y))
    return find_loss(loss).value(Y, T), backward(tree, T, loss=loss)


def input_gradient(tree: Tree) -> np.ndarray:
    """dE/dx of each example after a backward pass. Here the plus is back: an input is read by many leaves.

    Returns
    -------
    ndarray, shape (n, n_inputs)
        The sum over the leaves that read the input, of the parent's delta times the leaf's weight.
    """
    if any(node.delta is None for node in tree.functions):
        raise ValueError("no deltas yet; call forward(tree, X), then backward(tree, T)")
    total = np.zeros((len(tree.functions[0].delta), tree.n_inputs))
    for node in tree.functions:
        for child in node.children:
            if isinstance(child, Leaf):
                total[:, child.attribute] += node.delta * child.weight
    return total


def delta_by_depth(tree: Tree) -> dict[int, float]:
    """How much of the error arrives at each depth: the mean of \\|delta\\| over nodes and examples, after backward."""
    found: dict[int, list[float]] = {}
    for node in tree.functions:
        if node.delta is None:
            raise ValueError("no deltas yet; call forward(tree, X), then backward(tree, T)")
        found.setdefault(tree.depths[node], []).append(float(np.abs(node.delta).mean()))
    return {depth: float(np.mean(sizes)) for depth, sizes in found.items()}


def check_inputs(tree: Tree, X: np.ndarray) -> np.ndarray:
    """X as an array of floats, or a ``ValueError`` that says what is wrong with its shape."""
    X = np.asarray(X, dtype=np.float64)
    if X.ndim != 2 or X.shape[1] != tree.n_inputs or not len(X):
        raise ValueError(f"X has shape {X.shape}, expected (examples, {tree.n_inputs}); one example is X[:1]")
    return X


def check_targets(tree: Tree, T: np.ndarray, n: int) -> np.ndarray:
    """T as an array of floats, or a ``ValueError`` that says what is wrong with its shape."""
    T = np.asarray(T, dtype=np.float64)
    if T.shape != (n, len(tree.outputs)):
        raise ValueError(
            f"T has shape {T.shape}, expected {(n, len(tree.outputs))}, one column per output; for class numbers use "
            "datasets.one_hot(y)"
        )
    return T
