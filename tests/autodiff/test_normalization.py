"""Layer normalization: what it keeps, its second derivatives, and what it refuses."""

import numpy as np
import pytest

from coursepkg import gradients, nn
from coursepkg.autodiff.catalogue import layer_norm
from coursepkg.autodiff.tensor import Tensor


def drawn(*shapes, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape) for shape in shapes]


def plainly(x, weight, bias, eps=1e-5):
    centred = x - np.mean(x, axis=-1, keepdims=True)
    return centred / np.sqrt(np.mean(centred * centred, axis=-1, keepdims=True) + eps) * weight + bias


def test_each_example_gets_mean_0_and_variance_1():
    (x,) = drawn((5, 7, 300))
    found = layer_norm(3.0 * x + 40.0, np.ones(300), np.zeros(300), eps=0.0)
    np.testing.assert_allclose(found.mean(-1) + 1.0, 1.0, rtol=1e-13)
    np.testing.assert_allclose(found.var(-1), 1.0, rtol=1e-13)


def test_all_routes_agree_with_the_formula_written_out():
    point = tuple(drawn((2, 3, 5), (5,), (5,)))
    (g,) = drawn((2, 3, 5), seed=1)
    assert gradients.compare(lambda p: np.sum(g * layer_norm(*p, 0.3)), point).agree
    np.testing.assert_allclose(layer_norm(*point, 0.3), plainly(*point, 0.3), rtol=1e-13)


@pytest.mark.parametrize("eps", [1e-5, 0.5])
def test_backward_on_the_tape_can_be_differentiated_again(eps):
    def penalty(f):
        x, w, b = (Tensor(a, requires_grad=True) for a in drawn((4, 6), (6,), (6,)))
        (g,) = drawn((4, 6), seed=1)
        np.sum(np.tanh(f(x, w, b, eps)) * g).backward(create_graph=True)
        first, scale = x.grad, w.grad
        x.grad = w.grad = b.grad = None
        (np.sum(first * first * g) + np.sum(scale**3)).backward()
        return x.grad, w.grad, b.grad

    for found, expected in zip(penalty(layer_norm), penalty(plainly), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


def test_the_tape_keeps_the_normalized_input_and_one_number_per_example():
    x, w, b = (Tensor(a, requires_grad=True) for a in drawn((4, 6), (6,), (6,)))
    node = layer_norm(x, w, b)._node
    assert [value.shape for value in node.out] == [(4, 6), (4, 1)]
    assert [type(value) for value in node.values] == [type(node), np.ndarray, type(node)]


def test_a_wrong_number_of_weights_or_biases_is_refused():
    x, w, b = drawn((4, 6), (6,), (6,))
    for call in (lambda: layer_norm(x, w[:5], b), lambda: layer_norm(Tensor(x, requires_grad=True), w, b[:1])):
        with pytest.raises(ValueError, match="per feature"):
            call()


def test_several_axes_at_once_are_one_in_the_module():
    norm = nn.LayerNorm((2, 3))
    (x,) = drawn((4, 2, 3))
    norm.weight.data, norm.bias.data = drawn((2, 3), (2, 3), seed=1)
    found = norm(Tensor(x, requires_grad=True))
    expected = plainly(x.reshape(4, 6), norm.weight.numpy().ravel(), norm.bias.numpy().ravel())
    np.testing.assert_allclose(found.numpy(), expected.reshape(4, 2, 3), rtol=1e-13)


@pytest.mark.parametrize("dtypes", ["fff", "dff", "fdd", "fdf", "idd"])
def test_the_dtype_is_that_of_the_formula(dtypes):
    x, w, b = (np.asarray(3 * a).astype(kind) for a, kind in zip(drawn((4, 6), (6,), (6,)), dtypes, strict=True))
    found, expected = layer_norm(x, w, b), plainly(x, w, b)
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, rtol=2e-5, atol=2e-5)
