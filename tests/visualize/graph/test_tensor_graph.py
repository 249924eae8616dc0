"""Drawings of a tensor's record: the same picture as for numbers, with shapes where values are large."""

import numpy as np
import pytest
from drawn import by_role, misplaced

from coursepkg import nn
from coursepkg.autodiff.catalogue import relu
from coursepkg.autodiff.scalar import Scalar
from coursepkg.autodiff.tape_reader import read_tape
from coursepkg.autodiff.tensor import Tensor, no_grad
from coursepkg.visualize import draw_graph


@pytest.fixture
def layer():
    """A layer with its loss: 4 examples of 3 features, 2 outputs."""
    rng = np.random.default_rng(0)
    W, b = Tensor(rng.normal(size=(3, 2)), requires_grad=True), Tensor([0.1, -0.2], requires_grad=True)
    x, t = rng.normal(size=(4, 3)), rng.normal(size=(4, 2))
    y = np.tanh(x @ W + b)
    loss = np.mean((y - t) ** 2) + 0.5 * np.sum(W * W)
    return loss, {"W": W, "b": b, "x": x, "y": y}


def test_values_stand_over_the_edges_and_gradients_beneath(layer):
    loss, labels = layer
    loss.backward(retain_graph=True)
    picture = draw_graph(loss, labels=labels, title="One layer")
    assert not misplaced(picture.svg)
    values = list(by_role(picture.svg, "value").values())
    gradients = list(by_role(picture.svg, "gradient").values())
    assert values.count("3×2 array") == 2  # W, and W * W
    assert values.count("4×2 array") == 6  # x W, + b, tanh, the targets, the difference and its square
    assert "[0.1, −0.2]" in values
    assert gradients.count("4×2 array") == 5
    assert len(gradients) == len(values) - 2  # the constants x and t have none
    assert "1 @" in picture.alt
    assert "(·)²" in picture.svg


def test_without_backward_there_are_no_gradients(layer):
    loss, labels = layer
    assert not by_role(draw_graph(loss, labels=labels).svg, "gradient")


def test_tiny_arrays_are_read_out_whole():
    """As far as the record keeps them: an addition reads nothing, so nobody knows b until it is named."""
    w, b = Tensor([1.0, 2.0], requires_grad=True), Tensor(0.5, requires_grad=True)
    loss = np.sum(w * 3.0 + b)
    assert draw_graph(loss, grads=False).alt == (
        "Computational graph with 5 nodes. Inputs: c1 = [1, 2], c2 = number. "
        "Forward: v1 = c1 × 3 = [3, 6]; v2 = v1 + c2 = 2 array; v3 = sum(v2) = 10."
    )
    loss.backward(retain_graph=True)
    assert draw_graph(loss, labels={"w": w, "b": b}).alt == (
        "Computational graph with 5 nodes. Inputs: w = [1, 2], b = 0.5. "
        "Forward: v1 = w × 3 = [3, 6]; v2 = v1 + b = [3.5, 6.5]; v3 = sum(v2) = 10. "
        "Gradients: v3 1, v2 [1, 1], v1 [1, 1], w [3, 3], b 2."
    )


def test_a_graph_of_single_numbers_is_that_of_the_scalar_engine():
    def f(x, y, z):
        return (x + y) * z

    numbers = {"x": -2.0, "y": 5.0, "z": -4.0}
    scalars = {name: Scalar(value, label=name) for name, value in numbers.items()}
    tensors = {name: Tensor(value, requires_grad=True) for name, value in numbers.items()}
    ours, theirs = f(**tensors), f(**scalars)
    ours.backward(retain_graph=True)
    theirs.backward()
    drawn, expected = draw_graph(ours, labels=tensors), draw_graph(theirs)
    assert drawn.alt == expected.alt
    for role in ("value", "gradient", "branch"):
        assert by_role(drawn.svg, role) == by_role(expected.svg, role)


def test_drawing_changes_nothing(layer):
    loss, labels = layer
    loss.backward(retain_graph=True)
    before = labels["W"].grad.copy(), labels["b"].grad.copy()
    draw_graph(loss)
    np.testing.assert_array_equal(labels["W"].grad, before[0])
    np.testing.assert_array_equal(labels["b"].grad, before[1])
    assert labels["y"].grad is None
    labels["W"].grad = labels["b"].grad = None
    loss.backward()
    np.testing.assert_allclose(labels["W"].grad, before[0], rtol=1e-15)


def test_drawn_gradients_are_those_that_retain_grad_keeps():
    x = Tensor(np.array([0.3, -0.4, 0.5]), requires_grad=True)
    y = np.exp(x)
    y.retain_grad()
    loss = np.sum(y * y)
    loss.backward(retain_graph=True)
    kept, y.grad = y.grad, None
    steps = {step.op: step for step in (read_tape(loss), *read_tape(loss).parents, read_tape(y))}
    np.testing.assert_allclose(read_tape(loss).parents[0].parents[0].grad, kept, rtol=1e-15)
    assert set(steps) == {"sum", "*", "exp"}


def test_indices_axes_and_constants_are_written_in_the_step():
    x = Tensor(np.arange(12.0).reshape(3, 4) + 1, requires_grad=True)
    ops = {
        "[:, 0]": x[:, 0],
        "[1:3, …]": x[1:3, ...],
        "[mask]": x[x.numpy() > 3],
        "sum axis=0": np.sum(x, axis=0),
        "reshape 2, 6": np.reshape(x, (2, 6)),
        "1-": 1 - x,
        "/4": x / 4,
        "**3": x**3,
    }
    assert {op: read_tape(result).op for op, result in ops.items()} == {op: op for op in ops}


def test_a_parameter_used_twice_forks_and_a_constant_array_is_one_node():
    w, x = Tensor([[0.5, -1.0]], requires_grad=True), np.array([[2.0, 3.0]])
    step = read_tape(np.sum(w * x + np.tanh(w) * x), {"w": w, "x": x})
    left, right = step.parents[0].parents
    assert left.parents[0] is right.parents[0].parents[0]
    assert left.parents[1] is right.parents[1]
    assert (left.parents[0].label, left.parents[1].label) == ("w", "x")


def test_a_network_of_layers_is_drawn():
    rng = np.random.default_rng(1)
    model = nn.Sequential(nn.Linear(4, 5, rng=rng), relu, nn.Linear(5, 3, rng=rng))
    loss = nn.cross_entropy(model(rng.normal(size=(6, 4))), np.array([0, 1, 2, 0, 1, 2]))
    loss.backward(retain_graph=True)
    picture = draw_graph(loss, labels=dict(model.named_parameters()))
    assert not misplaced(picture.svg)
    for text in ("linear", "relu", "cross-entropy", "3×5 array"):
        assert text in picture.svg


def test_a_long_record_is_folded():
    x = Tensor(np.ones(3), requires_grad=True)
    y = x
    for _ in range(3000):
        y = np.sin(y)
    assert "3,0" in draw_graph(np.sum(y)).alt


def test_what_cannot_be_drawn_says_why(layer):
    loss, _ = layer
    loss.backward()
    with pytest.raises(ValueError, match="retain_graph=True"):
        draw_graph(loss)
    with pytest.raises(ValueError, match="nothing was recorded"):
        draw_graph(Tensor([1.0]))
    with no_grad(), pytest.raises(ValueError, match="nothing was recorded"):
        draw_graph(Tensor([1.0], requires_grad=True) * 2)
