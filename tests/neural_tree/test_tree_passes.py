"""Both passes, readable and compiled, against each other and against witnesses that share no code with them."""

import numpy as np
import pytest
import sympy
from trees import SHAPES, grown, hand_tree, loss_of_parameters, problem

from coursepkg import gradients
from coursepkg.autodiff.tensor import Tensor
from coursepkg.neural_tree import (
    CompiledTree,
    FunctionNode,
    Leaf,
    Tree,
    backward,
    delta_by_depth,
    forward,
    input_gradient,
    random_tree,
    value_and_gradient,
)

LOSSES = ("squared", "cross_entropy")


# --- witnesses


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("shape", SHAPES)
def test_readable_compiled_and_engine_agree(shape, loss):
    tree = grown(*shape)
    X, T = problem(tree)
    theta = tree.parameters()
    witness = loss_of_parameters(tree, X, T, loss)
    value, gradient = value_and_gradient(tree, X, T, loss=loss)
    assert value == pytest.approx(witness(theta), rel=1e-12)
    np.testing.assert_allclose(gradient, gradients.reverse(witness)(theta), rtol=1e-9, atol=1e-15)
    fast_value, fast_gradient = CompiledTree(tree).value_and_gradient(theta, X, T, loss=loss)
    assert fast_value == pytest.approx(value, rel=1e-13)
    np.testing.assert_allclose(fast_gradient, gradient, rtol=1e-10, atol=1e-16)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("shape", [(1, 1), (3, 2)])
def test_finite_differences_and_forward_mode_agree(shape, loss):
    """Central differences to a relative 1e-6 of the largest entry; forward mode to rounding."""
    tree = grown(*shape)
    X, T = problem(tree)
    theta = tree.parameters()
    gradient = value_and_gradient(tree, X, T, loss=loss)[1]

    def by_package(theta):
        return CompiledTree(tree).value_and_gradient(theta, X, T, loss=loss)[0]

    step = 1e-5
    differences = np.array(
        [(by_package(theta + step * e) - by_package(theta - step * e)) / (2 * step) for e in np.eye(len(theta))]
    )
    assert np.max(np.abs(differences - gradient)) < 1e-6 * np.max(np.abs(gradient))
    witness = loss_of_parameters(tree, X, T, loss)
    np.testing.assert_allclose(gradient, gradients.forward(witness)(theta), rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("loss", LOSSES)
def test_all_routes_of_the_course_agree_on_a_small_tree(loss):
    """Reverse, forward, numeric and symbolic, on the loss written without the package's passes."""
    tree = hand_tree()
    X, T = problem(tree, n=2)
    witness = loss_of_parameters(tree, X, T, loss)
    gradients.check(witness, tree.parameters())
    np.testing.assert_allclose(
        value_and_gradient(tree, X, T, loss=loss)[1], gradients.symbolic(witness)(tree.parameters()), rtol=1e-10
    )


def test_algebra_by_hand_agrees():
    """sympy differentiates the formula of the small tree, typed here once more."""
    b0, b1, w1, w2, v1, v2 = symbols = sympy.symbols("b0 b1 w1 w2 v1 v2")
    x1, x2, t = 1.0, 0.5, 1.0

    def s(z):
        return 1 / (1 + sympy.exp(-z))

    error = (s(w1 * s(v1 * x1 + v2 * x2 + b1) + w2 * x1 + b0) - t) ** 2 / 2
    tree = hand_tree()
    at = dict(zip(symbols, tree.parameters(), strict=True))
    expected = [float(sympy.diff(error, symbol).subs(at)) for symbol in symbols]
    value, gradient = value_and_gradient(tree, [[x1, x2]], [[t]])
    assert value == pytest.approx(float(error.subs(at)), rel=1e-14)
    np.testing.assert_allclose(gradient, expected, rtol=1e-13)


def test_the_numbers_of_the_hand_example():
    tree = hand_tree()
    value, gradient = value_and_gradient(tree, [[1.0, 0.5]], [[1.0]])
    output, inner = tree.functions
    assert inner.value[0] == pytest.approx(0.731059, abs=5e-7)
    assert output.value[0] == pytest.approx(0.492236, abs=5e-7)
    assert value == pytest.approx(0.128912, abs=5e-7)
    np.testing.assert_allclose(
        gradient, [-0.126910, 0.024952, -0.092779, -0.126910, 0.024952, 0.012476], rtol=0.0, atol=5e-7
    )
    np.testing.assert_allclose(input_gradient(tree), [[-0.038503, 0.049904]], rtol=0.0, atol=5e-7)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_gradient_of_the_inputs_sums_over_repeated_leaves(shape):
    tree = grown(*shape, n_inputs=3)
    X, T = problem(tree)
    value_and_gradient(tree, X, T)
    witness, theta = loss_of_parameters(tree, X, T), tree.parameters()
    expected = len(X) * gradients.reverse(lambda inputs: witness(theta, inputs))(X)
    np.testing.assert_allclose(input_gradient(tree), expected, rtol=1e-9, atol=1e-15)


def test_tensors_flow_through_the_same_formula():
    """The engine's own tensors, not only its routes."""
    tree = grown(3, 2)
    X, T = problem(tree)
    theta = Tensor(tree.parameters(), requires_grad=True)
    loss_of_parameters(tree, X, T)(theta).backward()
    np.testing.assert_allclose(value_and_gradient(tree, X, T)[1], theta.grad, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("shape", [(1, 4), (3, 5)])
def test_torch_agrees(shape, loss):
    torch = pytest.importorskip("torch", reason="PyTorch is a witness where it is installed: make peers")
    tree = grown(*shape)
    X, T = problem(tree)
    theta = torch.tensor(tree.parameters(), requires_grad=True)
    inputs, targets = torch.tensor(X), torch.tensor(T)
    bias = {node: k for k, node in enumerate(tree.functions)}
    edge = {node: len(tree.functions) + k for k, node in enumerate(tree.edges)}

    def value(node):
        if isinstance(node, Leaf):
            return inputs[:, node.attribute]
        return torch.sigmoid(theta[bias[node]] + sum(theta[edge[c]] * value(c) for c in node.children))

    Y = torch.stack([value(output) for output in tree.outputs], dim=1)
    if loss == "squared":
        total = 0.5 * ((Y - targets) ** 2).sum() / len(X)
    else:
        total = torch.nn.functional.binary_cross_entropy(Y, targets, reduction="sum") / len(X)
    total.backward()
    found, gradient = value_and_gradient(tree, X, T, loss=loss)
    assert found == pytest.approx(float(total.detach()), rel=1e-12)
    np.testing.assert_allclose(gradient, theta.grad.numpy(), rtol=1e-9, atol=1e-15)


# --- identities


def parents_of(tree):
    return {child: node for node in tree.functions for child in node.children}


@pytest.mark.parametrize("shape", [(1, 4), (3, 5)])
def test_delta_is_a_product_along_one_path(shape):
    tree = grown(*shape)
    X, T = problem(tree)
    value_and_gradient(tree, X, T)
    parent, reached = parents_of(tree), 0
    for node in tree.functions:
        product, walker = np.ones(len(X)), node
        while walker in parent:
            product = product * walker.weight * walker.value * (1.0 - walker.value)
            walker = parent[walker]
        np.testing.assert_allclose(node.delta, walker.delta * product, rtol=1e-12)
        reached += walker is not node
    assert reached >= 7


@pytest.mark.parametrize("loss", LOSSES)
def test_delta_of_the_outputs(loss):
    tree = grown(3, 2)
    X, T = problem(tree)
    Y = forward(tree, X)
    backward(tree, T, loss=loss)
    slope = Y * (1 - Y) if loss == "squared" else 1.0
    for k, output in enumerate(tree.outputs):
        np.testing.assert_allclose(output.delta, ((Y - T) * slope)[:, k], rtol=1e-13)


@pytest.mark.parametrize("passes", ["readable", "compiled"])
def test_the_batch_gradient_is_the_mean_over_examples(passes):
    tree = grown(3, 4)
    X, T = problem(tree, n=6)
    theta, fast = tree.parameters(), CompiledTree(tree)

    def gradient(X, T):
        return value_and_gradient(tree, X, T)[1] if passes == "readable" else fast.value_and_gradient(theta, X, T)[1]

    single = [gradient(X[i : i + 1], T[i : i + 1]) for i in range(6)]
    np.testing.assert_allclose(gradient(X, T), np.mean(single, axis=0), rtol=1e-12, atol=1e-17)


def test_the_order_of_children_means_nothing():
    tree = grown(3, 4)
    X, T = problem(tree)
    before = forward(tree, X)
    backward(tree, T)
    found = {node: (node.delta, node.weight_gradient) for node in tree.functions}
    leaves = {leaf: leaf.weight_gradient for leaf in tree.leaves}
    rng = np.random.default_rng(0)
    for node in tree.functions:
        rng.shuffle(node.children)
    shuffled = Tree(tree.outputs, tree.n_inputs)
    assert [*shuffled.leaves] != [*tree.leaves], "the level order is another one now"
    np.testing.assert_allclose(forward(shuffled, X), before, rtol=1e-13)
    backward(shuffled, T)
    for node in tree.functions:
        np.testing.assert_allclose(node.delta, found[node][0], rtol=1e-11)
    for leaf in tree.leaves:
        assert leaf.weight_gradient == pytest.approx(leaves[leaf], rel=1e-11)
    fast = CompiledTree(shuffled)
    np.testing.assert_allclose(fast.outputs(shuffled.parameters(), X), before, rtol=1e-13)
    np.testing.assert_allclose(
        fast.value_and_gradient(shuffled.parameters(), X, T)[1], shuffled.gradient(), rtol=1e-10, atol=1e-16
    )


def below(node):
    for child in getattr(node, "children", []):
        yield child
        yield from below(child)


def test_a_zero_edge_cuts_off_its_subtree_but_learns_itself():
    tree = grown(3, 4)
    cut = next(node for node in tree.functions if node not in tree.outputs and len(list(below(node))) > 5)
    cut.weight = 0.0
    X, T = problem(tree)
    fast = CompiledTree(tree).value_and_gradient(tree.parameters(), X, T)[1]
    value_and_gradient(tree, X, T)
    np.testing.assert_allclose(fast, tree.gradient(), rtol=1e-10, atol=1e-16)
    assert abs(cut.weight_gradient) > 1e-6
    assert cut.bias_gradient == 0.0
    for node in below(cut):
        assert node.weight_gradient == 0.0
        assert getattr(node, "bias_gradient", 0.0) == 0.0
    untouched = [node for node in tree.functions if node is not cut and node not in set(below(cut))]
    assert all(node.bias_gradient != 0.0 for node in untouched)


def test_saturated_nodes_do_not_warn():
    """exp(1000) overflows to infinity, and 1 / (1 + infinity) is 0, as it should be; warnings are errors here."""
    tree = Tree([FunctionNode([FunctionNode([Leaf(0, 1000.0)], weight=1.0), Leaf(0, -1.0)])], 1)
    X = np.array([[-1.0], [1.0], [1e3]])
    T = np.full((3, 1), 0.5)
    fast = CompiledTree(tree)
    for loss in LOSSES:
        value, gradient = value_and_gradient(tree, X, T, loss=loss)
        assert np.isfinite(value)
        np.testing.assert_allclose(fast.value_and_gradient(tree.parameters(), X, T, loss=loss)[1], gradient, rtol=1e-12)
    assert tree.functions[1].value.tolist() == [0.0, 1.0, 1.0]


def test_positive_starts_starve_the_deep_nodes():
    """With U[0, 1] weights a delta shrinks by about 0.15 times 0.5 = 0.075 per level; with N(0, 1) by far less."""
    factors = {}
    for start in ("uniform", "normal"):
        shrinking = []
        for seed in range(12):
            tree = random_tree(4, 3, leaf_probability=0.2, start=start, rng=np.random.default_rng(seed))
            X = np.random.default_rng(seed).random((40, 4))
            value_and_gradient(tree, X, np.eye(3)[np.arange(40) % 3])
            sizes = delta_by_depth(tree)
            assert sorted(sizes) == [1, 2, 3, 4, 5]
            shrinking.append((sizes[5] / sizes[1]) ** 0.25)
        factors[start] = np.mean(shrinking)
    assert 0.04 < factors["uniform"] < 0.1
    assert factors["normal"] > 1.5 * factors["uniform"]


def test_delta_by_depth_is_the_mean_of_sizes():
    tree = hand_tree()
    value_and_gradient(tree, [[1.0, 0.5], [0.0, 2.0]], [[1.0], [0.2]])
    output, inner = tree.functions
    assert delta_by_depth(tree) == {0: np.abs(output.delta).mean(), 1: np.abs(inner.delta).mean()}


# --- advice


@pytest.mark.parametrize("passes", ["readable", "compiled"])
def test_shapes_that_do_not_fit_get_advice(passes):
    tree = grown(3, 2)
    X, T = problem(tree)

    def gradient(X, T, **options):
        if passes == "readable":
            return value_and_gradient(tree, X, T, **options)
        return CompiledTree(tree).value_and_gradient(tree.parameters(), X, T, **options)

    with pytest.raises(ValueError, match=r"X has shape \(7, 3\), expected \(examples, 4\)"):
        gradient(X[:, :3], T)
    with pytest.raises(ValueError, match=r"one example is X\[:1\]"):
        gradient(X[0], T[0])
    with pytest.raises(ValueError, match=r"X has shape \(0, 4\)"):
        gradient(X[:0], T[:0])
    with pytest.raises(ValueError, match=r"one_hot\(y\)"):
        gradient(X, np.zeros(7))
    with pytest.raises(ValueError, match="'squared', 'cross_entropy'"):
        gradient(X, T, loss="hinge")


def test_asking_too_early_gets_advice():
    tree = hand_tree()
    with pytest.raises(ValueError, match=r"call forward\(tree, X\)"):
        backward(tree, [[1.0]])
    for ask in (tree.gradient, lambda: input_gradient(tree), lambda: delta_by_depth(tree)):
        with pytest.raises(ValueError, match="call forward"):
            ask()


def test_a_tree_too_large_for_its_matrices_is_refused():
    wide = Tree([FunctionNode([Leaf(0, 1.0), Leaf(1, 1.0)])], 200_000_000)
    with pytest.raises(ValueError, match="too large for this package"):
        CompiledTree(wide)
