"""Trees to test with, and an independent way to write the loss of a tree: as one function of its parameter vector."""

import numpy as np

from coursepkg.autodiff.catalogue import sigmoid
from coursepkg.neural_tree import FunctionNode, Leaf, Tree, random_tree

# (n_outputs, max_depth): classification and regression, from a single neuron per output to five levels.
SHAPES = [(1, 0), (1, 2), (1, 4), (2, 1), (3, 2), (3, 5), (5, 3)]


def grown(n_outputs, max_depth, seed=0, start="normal", n_inputs=4):
    """A random tree with weights of both signs."""
    rng = np.random.default_rng(seed)
    return random_tree(n_inputs, n_outputs, max_depth=max_depth, start=start, rng=rng)


def problem(tree, n=7, seed=0):
    """Inputs and targets strictly inside (0, 1), n examples."""
    rng = np.random.default_rng(1000 + seed)
    return rng.normal(size=(n, tree.n_inputs)), rng.uniform(0.05, 0.95, size=(n, len(tree.outputs)))


def hand_tree():
    """y = s(w1 a + w2 x1 + b0) with a = s(v1 x1 + v2 x2 + b1); v = (1, 2), b1 = -1, w = (-1, 0.5), b0 = 0.2."""
    inner = FunctionNode([Leaf(0, 1.0), Leaf(1, 2.0)], bias=-1.0, weight=-1.0)
    return Tree([FunctionNode([inner, Leaf(0, 0.5)], bias=0.2)], 2)


def loss_of_parameters(tree, X, T, loss="squared"):
    """The mean loss as a NumPy function of the parameters (and of X), written without the package's passes.

    Any route to a gradient can differentiate it.
    """
    n_functions, n_outputs = len(tree.functions), len(tree.outputs)
    bias = {node: k for k, node in enumerate(tree.functions)}
    edges = tree.functions[n_outputs:] + tree.leaves
    weight = {node: n_functions + k for k, node in enumerate(edges)}

    def f(theta, X=X):
        def value(node):
            if isinstance(node, Leaf):
                return X[:, node.attribute]
            z = theta[bias[node]]
            for child in node.children:
                z = z + theta[weight[child]] * value(child)
            return sigmoid(z)

        total = 0.0
        for k, output in enumerate(tree.outputs):
            y = value(output)
            if loss == "squared":
                total = total + 0.5 * np.sum((y - T[:, k]) ** 2)
            else:
                total = total - np.sum(T[:, k] * np.log(y) + (1.0 - T[:, k]) * np.log(1.0 - y))
        return total / len(T)

    return f
