"""What shares memory with what, and slopes where squares overflow or neighbours cancel."""

import numpy as np
import pytest
from scipy import special

from coursepkg import gradients as G
from coursepkg.autodiff.errors import UnsupportedArgumentError
from coursepkg.autodiff.tensor import Tensor, no_grad

W = np.array([1.0, 2.0])


def leaf():
    return Tensor(W, requires_grad=True)


# --- requires_grad may be set again


def test_setting_requires_grad_again_keeps_the_tape_and_the_gradient():
    w = leaf()
    loss = np.sum(w**2)
    w.requires_grad_(True)
    loss.backward()
    w.requires_grad = True
    np.testing.assert_array_equal(w.grad, 2 * W)


def test_a_leaf_that_is_frozen_for_a_while_is_the_same_leaf_afterwards():
    w = leaf()
    loss = np.sum(w**3)
    w.requires_grad = False
    assert not (w * 2.0).requires_grad
    assert not np.exp(w).requires_grad
    with pytest.raises(RuntimeError, match="requires_grad=True"):
        w.backward(W)
    w.requires_grad = True
    loss.backward()
    np.testing.assert_array_equal(w.grad, 3 * W**2)


# --- copies are copies


@pytest.mark.parametrize("copied", [lambda w: +w, lambda w: np.trim_zeros(w)], ids=["+w", "trim_zeros"])
@pytest.mark.parametrize("recorded", [True, False])
def test_what_is_no_view_in_numpy_keeps_its_values(copied, recorded):
    for w in (leaf(), Tensor(W)):
        if recorded:
            other = copied(w)
        else:
            with no_grad():
                other = copied(w)
        with no_grad():
            w -= 1.0
        assert other is not w
        assert other.tolist() == W.tolist()


def test_an_array_given_as_data_and_unfrozen_later_is_not_written_into():
    array = W.copy()
    array.flags.writeable = False
    w = leaf()
    w.data = array
    array.flags.writeable = True
    with no_grad():
        w -= 1.0
    assert array.tolist() == W.tolist()


@pytest.mark.parametrize("f", [lambda x: x, lambda x: x.T, lambda x: np.reshape(x, (1, 2)), lambda x: {"a": x[::-1]}])
def test_what_jvp_returns_belongs_to_the_caller(f):
    w, s = W.copy(), np.array([5.0, 6.0])
    for found in G.jvp(f, w, s):
        array = found["a"] if isinstance(found, dict) else found
        array *= 0.0
    assert (w.tolist(), s.tolist()) == (W.tolist(), [5.0, 6.0])


# --- slopes at extremes


@pytest.mark.parametrize("size", [1e-170, 1e-160, 1.0, 1e160, 1e200])
def test_the_slope_of_an_angle_neither_overflows_nor_underflows(size):
    for at, other in ((1.0, 1.0), (2.0, -0.5)):
        right = other / (at**2 + other**2) / size
        found = G.reverse(lambda y, x: np.arctan2(y, x))(at * size, other * size)
        np.testing.assert_allclose(found[0], right, rtol=1e-12)
        np.testing.assert_allclose(found[1], -at / (at**2 + other**2) / size, rtol=1e-12)


@pytest.mark.parametrize("f", [np.arcsinh, np.arccosh])
def test_inverse_hyperbolic_slopes_fall_like_one_over_x(f):
    np.testing.assert_allclose(G.grad(f)(np.float32(1e20)), np.float32(1e-20), rtol=1e-6)
    np.testing.assert_allclose(G.grad(f)(1e200), 1e-200, rtol=1e-12)


def test_scaled_bessel_slopes_far_out_and_at_the_seam():
    for x in (9.9e7, 1.01e8, 1e10):  # I1 is about exp(x) / sqrt(2 pi x)
        np.testing.assert_allclose(G.grad(special.i1e)(x), -0.5 * special.i1e(x) / x, rtol=1e-4)
    for x in (9.9e7, 1.01e8):  # further out, SciPy's ive is nan itself
        np.testing.assert_allclose(G.grad(lambda z: special.ive(1, z))(x), -0.5 * special.i1e(x) / x, rtol=1e-4)


def test_the_slope_of_erfcx_does_not_cancel():
    for x in (50.0, 99.0, 101.0, 1e4, 1e8):
        u = 1 / x**2
        series = (-u + 1.5 * u**2 - 3.75 * u**3 + 13.125 * u**4 - 59.0625 * u**5) / np.sqrt(np.pi)
        np.testing.assert_allclose(G.grad(special.erfcx)(x), series, rtol=1e-9)


# --- structures and options


def test_a_gradient_with_nothing_in_a_place_can_be_differentiated_again():
    point = {"a": np.array([0.7, -1.3]), "b": None}
    way = {"a": np.array([1.0, 0.5]), "b": None}
    found = G.hvp(lambda p: np.sum(p["a"] ** 3), point, way)
    np.testing.assert_allclose(found["a"], 6 * point["a"] * way["a"], rtol=1e-12)
    assert found["b"] is None
    with pytest.raises(TypeError, match="return"):
        G.jvp(lambda p: None, point, way)
    with pytest.raises(TypeError, match="return"):
        G.jvp(lambda x: (x, None), W, W)


def test_norms_of_vectors_take_orders_that_are_no_whole_numbers():
    x = np.array([1.5, -3.0, 0.25])
    for order in (np.inf, 0.5, 3):
        G.check(lambda z, order=order: np.linalg.vector_norm(z, ord=order), x)


def test_einsum_refuses_a_dtype():
    with pytest.raises(UnsupportedArgumentError, match="dtype"):
        np.einsum("i->i", leaf(), dtype=np.float32)
