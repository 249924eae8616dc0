"""Random growth against the closed form, and the perceptron as a tree."""

import math
from itertools import pairwise

import numpy as np
import pytest
from trees import grown, problem

from coursepkg import gradients
from coursepkg.autodiff.catalogue import sigmoid
from coursepkg.datasets import Scaler
from coursepkg.neural_tree import (
    FunctionNode,
    Leaf,
    expected_size,
    fold_scaling,
    forward,
    mlp_as_tree,
    random_tree,
    value_and_gradient,
)

# max_depth, max_children, leaf_probability, outputs
SETTINGS = [(5, 5, 0.4, 3), (4, 4, 0.5, 2), (3, 7, 0.6, 4), (2, 3, 0.0, 3), (4, 5, 0.4, 1), (0, 5, 0.4, 1)]


def options(depth, children, probability):
    return {"max_depth": depth, "max_children": children, "leaf_probability": probability}


@pytest.mark.parametrize("setting", SETTINGS)
def test_mean_size_of_random_trees_is_the_expected_size(setting):
    """Within three standard errors, for a fixed seed."""
    *growth, outputs = setting
    rng = np.random.default_rng(7)
    trees = [random_tree(6, outputs, **options(*growth), rng=rng) for _ in range(400)]
    expected = expected_size(outputs, **options(*growth))
    for name, counts in (
        ("functions", [len(tree.functions) for tree in trees]),
        ("leaves", [len(tree.leaves) for tree in trees]),
        ("parameters", [tree.n_parameters for tree in trees]),
    ):
        error = np.std(counts, ddof=1) / math.sqrt(len(counts))
        assert abs(np.mean(counts) - getattr(expected, name)) <= 3 * error + 1e-9, name


def test_expected_sizes_worked_by_hand():
    size = expected_size(3, max_depth=5, max_children=5, leaf_probability=0.4)
    assert size.functions == pytest.approx(67.1088, rel=1e-12)
    assert size.leaves == pytest.approx(137.2176, rel=1e-12)
    two = expected_size(2, max_depth=5, max_children=5, leaf_probability=0.4)
    assert (round(two.functions, 2), round(two.leaves, 2)) == (44.74, 91.48)
    assert 2 * two.functions + two.leaves == pytest.approx(180.96, abs=0.005)
    sparse = expected_size(3, max_depth=5, max_children=5, leaf_probability=0.6)
    assert (round(sparse.functions, 2), round(sparse.leaves, 2)) == (22.32, 47.65)


def test_leaves_and_functions_balance():
    """Every node but the outputs is somebody's child: m̄ F = F - C + L on average."""
    for depth, children, probability, outputs in SETTINGS:
        size = expected_size(outputs, **options(depth, children, probability))
        arity = (children + 1) / 2
        assert arity * size.functions == pytest.approx(size.functions - outputs + size.leaves, rel=1e-12)


def test_arities_are_uniform_and_never_reach_max_children():
    rng = np.random.default_rng(0)
    arities = [len(node.children) for _ in range(100) for node in random_tree(4, 3, max_children=5, rng=rng).functions]
    counts = np.bincount(arities, minlength=6)
    assert counts[:2].sum() == 0
    assert counts[5] == 0
    expected = len(arities) / 3
    assert np.all(np.abs(counts[2:5] - expected) < 4 * math.sqrt(expected))


def test_the_lowest_function_nodes_are_at_max_depth_and_hold_leaves_only():
    rng = np.random.default_rng(1)
    for outputs in (1, 3):
        tree = random_tree(4, outputs, max_depth=4, leaf_probability=0.2, rng=rng)
        assert max(tree.depths[node] for node in tree.functions) == 4
        assert max(tree.depths[leaf] for leaf in tree.leaves) == 5
        lowest = [node for node in tree.functions if tree.depths[node] == 4]
        assert all(isinstance(child, Leaf) for node in lowest for child in node.children)


def test_leaf_probability_at_its_ends():
    rng = np.random.default_rng(0)
    assert len(random_tree(4, 3, leaf_probability=1.0, rng=rng).functions) == 3
    full = random_tree(4, 2, max_depth=3, max_children=3, leaf_probability=0.0, rng=rng)
    assert (len(full.functions), len(full.leaves)) == (2 + 4 + 8, 16)


def test_starts_are_uniform_from_zero_to_one_or_standard_normal():
    rng = np.random.default_rng(0)
    uniform = np.concatenate([random_tree(4, 3, rng=rng).parameters() for _ in range(40)])
    assert uniform.min() >= 0.0
    assert uniform.max() <= 1.0
    assert uniform.mean() == pytest.approx(0.5, abs=0.02)
    normal = np.concatenate([random_tree(4, 3, start="normal", rng=rng).parameters() for _ in range(40)])
    assert normal.mean() == pytest.approx(0.0, abs=0.04)
    assert normal.std() == pytest.approx(1.0, abs=0.04)


def test_every_input_is_drawn_equally_often():
    rng = np.random.default_rng(0)
    read = [leaf.attribute for _ in range(60) for leaf in random_tree(5, 3, rng=rng).leaves]
    counts = np.bincount(read, minlength=5)
    assert np.all(np.abs(counts - len(read) / 5) < 4 * math.sqrt(len(read) / 5))


def test_the_size_bound_is_exclusive_and_grows_again():
    for seed in range(20):
        tree = random_tree(4, 3, more_than=250, rng=np.random.default_rng(seed))
        assert len(tree.functions) + len(tree.leaves) > 250
    with pytest.raises(ValueError, match="none of 1,000 random trees had more than 100 nodes"):
        random_tree(4, 3, max_depth=1, more_than=100, rng=np.random.default_rng(0))


def test_the_same_generator_grows_the_same_tree():
    first, second = (random_tree(4, 3, rng=np.random.default_rng(5)) for _ in range(2))
    assert np.array_equal(first.parameters(), second.parameters())
    assert [leaf.attribute for leaf in first.leaves] == [leaf.attribute for leaf in second.leaves]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"max_children": 2}, "at least 3"),
        ({"max_depth": 0}, "outputs are at depth 1"),
        ({"leaf_probability": 1.5}, "from 0 to 1"),
        ({"leaf_probability": float("nan")}, "from 0 to 1"),
        ({"start": "zeros"}, "'uniform', 'normal'"),
        ({"max_depth": 40}, "nodes on average"),
    ],
)
def test_impossible_growth_gets_advice(wrong, message):
    with pytest.raises(ValueError, match=message):
        random_tree(4, 3, **wrong, rng=np.random.default_rng(0))


def test_wrong_counts_and_seeds_get_advice():
    with pytest.raises(ValueError, match="at least one input"):
        random_tree(0, 3, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="at least one output"):
        random_tree(4, 0, rng=np.random.default_rng(0))
    with pytest.raises(TypeError, match=r"default_rng\(0\)"):
        random_tree(4, 3, rng=0)


# --- scaling, folded into the tree


@pytest.mark.parametrize("kind", [Scaler.minmax, Scaler.standard])
def test_scaling_folds_into_leaf_weights_and_biases(kind):
    tree = grown(3, 4)
    X = np.random.default_rng(0).uniform([-5.0, 100.0, 0.0, 7.0], [5.0, 900.0, 1e-3, 7.5], size=(30, 4))
    X[:, 3] = 7.0  # a constant column is only shifted
    scaler = kind(X[:20])
    before = tree.parameters()
    folded = fold_scaling(tree, scaler)
    np.testing.assert_allclose(forward(folded, X), forward(tree, scaler(X)), rtol=1e-9)
    assert np.array_equal(tree.parameters(), before)
    assert folded.n_parameters == tree.n_parameters
    with pytest.raises(ValueError, match="fitted on 3 columns, but this tree has 4 inputs"):
        fold_scaling(tree, kind(X[:, :3]))


# --- a perceptron as a tree


def perceptron(sizes, seed=0):
    rng = np.random.default_rng(seed)
    weights = [rng.normal(size=(m, n)) for n, m in pairwise(sizes)]
    return weights, [rng.normal(size=len(w)) for w in weights]


def outputs_of(parameters, X):
    for w, b in zip(*parameters, strict=True):
        X = sigmoid(X @ w.T + b)
    return X


@pytest.mark.parametrize("sizes", [(3, 4, 2), (2, 3, 4, 1), (5, 2), (2, 2, 2, 2, 3), (1, 1)])
def test_sum_over_copies_is_the_gradient_of_the_perceptron(sizes):
    """Every weight collects from all its copies: the plus of backpropagation."""
    weights, biases = perceptron(sizes)
    tree, copies = mlp_as_tree(weights, biases)
    X, T = problem(tree)
    np.testing.assert_allclose(forward(tree, X), outputs_of((weights, biases), X), rtol=1e-13)
    _, gradient = value_and_gradient(tree, X, T)

    def loss(parameters):
        return 0.5 * np.sum((outputs_of(parameters, X) - T) ** 2) / len(X)

    expected = gradients.reverse(loss)((weights, biases))
    for found, right in zip(copies.sum(gradient), expected, strict=True):
        for a, b in zip(found, right, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-16)


def test_three_inputs_four_and_two_units_make_24_leaves():
    tree, copies = mlp_as_tree(*perceptron((3, 4, 2)))
    assert len(tree.leaves) == 24
    assert np.bincount(copies.origin[len(tree.functions) + 8 :]).tolist() == [2] * 12


def test_averaging_copies_is_not_the_gradient():
    """The mean over copies is smaller by the number of copies: a wrong idea that a test should see."""
    weights, biases = perceptron((3, 4, 2))
    tree, copies = mlp_as_tree(weights, biases)
    gradient = value_and_gradient(tree, *problem(tree))[1]
    counts = copies.sum(np.ones_like(gradient))[0][0]
    assert np.all(counts == 2)


def test_new_parameters_of_the_perceptron_can_be_written_into_its_tree():
    tree, copies = mlp_as_tree(*perceptron((3, 4, 2)))
    weights, biases = perceptron((3, 4, 2), seed=1)
    tree.set_parameters(copies.gather(weights, biases))
    X, _ = problem(tree)
    np.testing.assert_allclose(forward(tree, X), outputs_of((weights, biases), X), rtol=1e-13)


def test_layers_that_do_not_fit_get_advice():
    with pytest.raises(ValueError, match="one bias vector per weight matrix"):
        mlp_as_tree([np.ones((2, 3))], [])
    with pytest.raises(ValueError, match=r"layer 1 has weights of shape \(1, 3\)"):
        mlp_as_tree([np.ones((2, 3)), np.ones((1, 3))], [np.ones(2), np.ones(1)])
    assert isinstance(mlp_as_tree(*perceptron((1, 1)))[0].outputs[0], FunctionNode)
