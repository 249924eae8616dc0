"""Trees: orders, counts, the parameter vector, and what is refused."""

import numpy as np
import pytest
from trees import SHAPES, grown, hand_tree, problem

from coursepkg.neural_tree import FunctionNode, Leaf, Tree, backward, forward


@pytest.mark.parametrize("shape", SHAPES)
def test_post_order_has_children_first_and_pre_order_parents_first(shape):
    tree = grown(*shape)
    post = {node: k for k, node in enumerate(tree.post_order())}
    pre = {node: k for k, node in enumerate(tree.pre_order())}
    assert set(post) == set(pre) == set(tree.functions) | set(tree.leaves)
    for node in tree.functions:
        assert all(post[child] < post[node] for child in node.children)
        assert all(pre[child] > pre[node] for child in node.children)


@pytest.mark.parametrize("shape", SHAPES)
def test_level_order_keeps_siblings_side_by_side(shape):
    tree = grown(*shape)
    place = {node: k for k, node in enumerate(tree.functions)}
    depths = [tree.depths[node] for node in tree.functions]
    assert depths == sorted(depths)
    for node in tree.functions:
        siblings = [place[child] for child in node.children if isinstance(child, FunctionNode)]
        assert siblings == list(range(siblings[0], siblings[0] + len(siblings))) if siblings else True


@pytest.mark.parametrize("shape", SHAPES)
def test_parameters_are_biases_and_used_edges(shape):
    """2F - C + L for classification; 2F + L + 1 with F below the root for regression: the same number."""
    tree = grown(*shape)
    functions, leaves, outputs = len(tree.functions), len(tree.leaves), len(tree.outputs)
    assert tree.n_parameters == len(tree.parameters()) == 2 * functions - outputs + leaves
    if outputs == 1:
        assert tree.n_parameters == 2 * (functions - 1) + leaves + 1
        assert tree.published_count == 2 * (functions - 1) + leaves
    else:
        assert tree.published_count == 2 * functions + leaves


def test_parameters_come_as_biases_then_inner_edges_then_leaf_edges():
    assert hand_tree().parameters().tolist() == [0.2, -1.0, -1.0, 0.5, 1.0, 2.0]


@pytest.mark.parametrize("shape", SHAPES)
def test_writing_parameters_and_reading_them_gives_them_back(shape):
    tree = grown(*shape)
    theta = np.random.default_rng(3).normal(size=tree.n_parameters)
    tree.set_parameters(theta)
    assert np.array_equal(tree.parameters(), theta)
    with pytest.raises(ValueError, match=rf"{tree.n_parameters} parameters in one vector"):
        tree.set_parameters(theta[:-1])


def test_a_copy_shares_nothing():
    tree = grown(3, 3)
    copy = tree.copy()
    assert np.array_equal(copy.parameters(), tree.parameters())
    assert not set(copy.depths) & set(tree.depths)
    copy.set_parameters(copy.parameters() + 1.0)
    assert not np.any(copy.parameters() == tree.parameters())


def test_class_nodes_are_at_depth_one_and_a_regression_starts_at_zero():
    tree, single = grown(3, 4), grown(1, 4)
    assert [tree.depths[output] for output in tree.outputs] == [1, 1, 1]
    assert single.depths[single.outputs[0]] == 0


def test_a_tree_says_what_it_is():
    assert repr(hand_tree()) == "Tree(2 inputs, 1 output: 2 function nodes, 3 leaves, 6 parameters)"


def test_what_is_no_tree_is_refused():
    leaf = Leaf(0, 1.0)
    shared = FunctionNode([Leaf(0, 1.0)], weight=1.0)
    with pytest.raises(ValueError, match="exactly one parent"):
        Tree([FunctionNode([leaf, leaf])], 1)
    with pytest.raises(ValueError, match="exactly one parent"):
        Tree([FunctionNode([shared]), FunctionNode([shared])], 1)
    with pytest.raises(ValueError, match="at least one child"):
        Tree([FunctionNode([])], 1)
    with pytest.raises(ValueError, match="reads input 1, but the inputs are 0 to 0"):
        Tree([FunctionNode([Leaf(1, 1.0)])], 1)
    with pytest.raises(ValueError, match="weight=None"):
        Tree([FunctionNode([FunctionNode([Leaf(0, 1.0)])])], 1)
    with pytest.raises(ValueError, match="weight=None"):
        Tree([FunctionNode([Leaf(0, 1.0)], weight=0.5)], 1)
    with pytest.raises(TypeError, match="list of outputs"):
        Tree([leaf], 1)
    with pytest.raises(TypeError, match="list of outputs"):
        Tree([], 1)
    with pytest.raises(ValueError, match="at least one input"):
        Tree([FunctionNode([leaf])], 0)


def test_a_loop_and_a_very_tall_tree_are_refused():
    loop = FunctionNode([Leaf(0, 1.0)], weight=1.0)
    loop.children.append(loop)
    with pytest.raises(ValueError, match="exactly one parent"):
        Tree([FunctionNode([loop])], 1)
    node = FunctionNode([Leaf(0, 1.0)], weight=1.0)
    for _ in range(300):
        node = FunctionNode([node], weight=1.0)
    with pytest.raises(ValueError, match="200 function nodes on one path"):
        Tree([FunctionNode([node])], 1)


def test_the_tallest_tree_allowed_can_be_walked():
    node = FunctionNode([Leaf(0, 1.0)], weight=1.0)
    for _ in range(198):
        node = FunctionNode([node], weight=1.0)
    tree = Tree([FunctionNode([node])], 1)
    X, T = problem(tree)
    forward(tree, X)
    assert len(backward(tree, T)) == tree.n_parameters
    assert len(tree.pre_order()) == len(tree.post_order()) == 201
