"""Where nobody else looks at a gradient, a slope is multiplied onto it in place: the numbers are those of a product."""

import numpy as np
import pytest

from coursepkg import gradients
from coursepkg.autodiff.catalogue import gelu, relu, sigmoid, softplus
from coursepkg.autodiff.primitives import activations
from coursepkg.autodiff.table import PRIMITIVES, complex_normal, times_onto
from coursepkg.autodiff.tensor import Tensor

WITH_A_SLOPE = [entry for entry in PRIMITIVES.values() if entry.onto is not None]
HOLOMORPHIC = [
    entry for entry in WITH_A_SLOPE if any(complex_normal in call.domain for call in entry.examples)
]  # fmt: skip
REAL = ["f2", "f4", "f8"]


def points(entry, dtype, rng):
    domain = complex_normal if np.dtype(dtype).kind == "c" else entry.examples[0].domain[0]
    return np.asarray(domain(rng, (3, 4)), dtype)


def gradient_of(entry, x, weights):
    """The gradient of a weighted sum: what arrives at the entry is a product that was just made."""
    leaf = Tensor(x, requires_grad=True)
    np.sum(np.real(entry.function(leaf * weights[0]) * weights[1])).backward()
    return leaf.grad


CASES = [
    *[pytest.param(e, dtype, id=f"{e.name}-{dtype}") for e in WITH_A_SLOPE for dtype in REAL],
    *[pytest.param(e, dtype, id=f"{e.name}-{dtype}") for e in HOLOMORPHIC for dtype in ("c8", "c16")],
]


@pytest.mark.parametrize(("entry", "dtype"), CASES)
def test_the_gradient_is_that_of_the_rule_bit_for_bit(entry, dtype, monkeypatch):
    rng = np.random.default_rng(0)
    x = points(entry, dtype, rng)
    weights = (
        np.ones_like(x),
        np.asarray(points(HOLOMORPHIC[0], "c16", rng) if x.dtype.kind == "c" else rng.normal(size=x.shape), dtype),
    )
    used, over = [], entry.onto
    with monkeypatch.context() as patch:
        patch.setattr(entry, "onto", lambda *args: used.append(entry) or over(*args))
        written = gradient_of(entry, x, weights)
    assert used
    monkeypatch.setattr(entry, "onto", None)
    multiplied = gradient_of(entry, x, weights)
    assert written.dtype == x.dtype
    assert np.any(written != 0) or entry.flat
    np.testing.assert_array_equal(written, multiplied)


def test_the_gradients_of_complex_numbers_are_right():
    z, w = complex_normal(np.random.default_rng(1), (2, 3)), complex_normal(np.random.default_rng(2), (2, 3))
    leaf = Tensor(z, requires_grad=True)
    np.sum(np.real(w * np.exp(np.sin(leaf * 1j)))).backward()
    inner = np.sin(1j * z)
    np.testing.assert_allclose(leaf.grad, np.conj(w * np.exp(inner) * np.cos(1j * z) * 1j), rtol=1e-13)


def test_a_slope_that_does_not_fit_makes_a_new_array():
    half, single = np.array([1.5, -2.0], np.float16), np.array([0.5, 3.0], np.float32)
    found = times_onto(half, single)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(half, np.array([1.5, -2.0], np.float16))
    np.testing.assert_array_equal(times_onto(single, np.array([1j, 2.0])), [0.5j, 6.0])
    np.testing.assert_array_equal(single, np.array([0.5, 3.0], np.float32))
    assert times_onto(half, np.array([True, False])) is half
    np.testing.assert_array_equal(half, np.array([1.5, 0.0], np.float16))


def test_half_precision_does_not_leave_its_range_on_the_way():
    """The slope is taken in half precision: 60,000 times 0 is 0, and no product overflows in between."""
    x = Tensor(np.array([-3.0, 0.25, 0.5], np.float16), requires_grad=True)
    np.sum(relu(x * np.float16(2)) * np.float16(3e4)).backward()
    assert x.grad.dtype == np.float16
    np.testing.assert_array_equal(x.grad, np.array([0.0, 6e4, 6e4], np.float16))


X = np.array([0.4, -1.1, 2.3])
W = np.array([1.5, -0.5, 2.5])


def shared(x):
    """Two steps get one and the same gradient, which neither may write over."""
    return np.sum(W * (np.sin(x) + np.exp(x)))


def test_a_gradient_that_two_steps_share_is_not_written_over():
    leaf = Tensor(X, requires_grad=True)
    shared(leaf).backward()
    np.testing.assert_allclose(leaf.grad, W * (np.cos(X) + np.exp(X)), rtol=1e-14)


def test_what_the_caller_gave_is_not_written_over():
    given, leaf = W.copy(), Tensor(X, requires_grad=True)
    np.tanh(leaf).backward(given)
    np.testing.assert_array_equal(given, W)
    np.testing.assert_allclose(leaf.grad, W * (1 - np.tanh(X) ** 2), rtol=1e-14)


def test_a_kept_tape_gives_the_same_gradient_twice():
    leaf = Tensor(X, requires_grad=True)
    loss = np.sum(W * np.exp(np.tanh(leaf * 2.0)))
    loss.backward(retain_graph=True)
    first = leaf.grad.copy()
    leaf.grad = None
    loss.backward()
    np.testing.assert_array_equal(leaf.grad, first)


CURVED = {
    "one after the other": lambda x: np.sum(W * np.exp(np.tanh(x * W))),
    "shared": shared,
    "activations": lambda x: np.sum(W * softplus(sigmoid(x * W) * x)),
    "a slope that was saved": lambda x: np.sum(W * gelu(x * 0.5, approximate="none")),
}


@pytest.mark.parametrize("name", CURVED)
def test_second_derivatives_are_those_of_the_rules_bit_for_bit(name, monkeypatch):
    f, v = CURVED[name], np.array([0.3, 0.7, -0.2])

    def twice():
        nested = gradients.reverse(lambda x: np.sum(v * gradients.reverse(f)(x)))(X)
        return nested, gradients.hvp(f, X, v)

    written = twice()
    for entry in [*WITH_A_SLOPE, activations.GELU]:
        monkeypatch.setattr(entry, "onto", None)
    for one, other in zip(written, twice(), strict=True):
        np.testing.assert_array_equal(one, other)
    step = 1e-6
    slope = (gradients.reverse(f)(X + step * v) - gradients.reverse(f)(X - step * v)) / (2 * step)
    np.testing.assert_allclose(written[0], slope, rtol=1e-6)
    np.testing.assert_allclose(written[1], slope, rtol=1e-6)


def test_a_second_backward_pass_leaves_the_first_gradient_as_it_was():
    leaf = Tensor(X, requires_grad=True)
    CURVED["one after the other"](leaf).backward(create_graph=True)
    first, before = leaf.grad, leaf.grad.numpy().copy()
    leaf.grad = None
    np.sum(first * first * W).backward()
    np.testing.assert_array_equal(first.numpy(), before)
    exact = gradients.hvp(CURVED["one after the other"], X, 2 * before * W)
    np.testing.assert_allclose(leaf.grad, exact, rtol=1e-12)


def test_complex_second_derivatives():
    z, w = complex_normal(np.random.default_rng(3), (3,)), complex_normal(np.random.default_rng(4), (3,))
    f = lambda z: np.sum(np.real(w * np.exp(np.sin(z))))  # noqa: E731
    v = complex_normal(np.random.default_rng(5), (3,))
    step = 1e-6
    slope = (gradients.reverse(f)(z + step * v) - gradients.reverse(f)(z - step * v)) / (2 * step)
    nested = gradients.reverse(lambda z: np.sum(np.real(np.conj(v) * gradients.reverse(f)(z))))(z)
    np.testing.assert_allclose(nested, slope, rtol=1e-6)
