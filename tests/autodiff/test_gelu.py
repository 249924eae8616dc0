"""The Gaussian error linear unit in both of its forms: how exact it is, what it keeps, and its derivatives."""

import subprocess
import sys

import numpy as np
import pytest
from scipy.special import ndtr

from coursepkg import gradients
from coursepkg.autodiff.catalogue import gelu
from coursepkg.autodiff.primitives.activations import BLOCK
from coursepkg.autodiff.tensor import Tensor


def exact(x):
    """The function and its slope in double precision."""
    x = np.asarray(x, float)
    return x * ndtr(x), ndtr(x) + x * np.exp(-x * x / 2) / np.sqrt(2 * np.pi)


def pulled(x, g=None, **options):
    leaf = Tensor(x, requires_grad=True)
    y = gelu(leaf, **options)
    y.backward(np.ones_like(x) if g is None else g)
    return y.numpy(), leaf.grad


def test_single_precision_is_exact_to_rounding_wherever_the_function_bends():
    x = np.linspace(-12, 12, 200_001, dtype=np.float32)
    for found, expected in zip(pulled(x, approximate="none"), exact(x), strict=True):
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected, rtol=3e-7, atol=6e-7)


def test_double_precision_is_exact_in_the_tail_too():
    x = np.linspace(-30, 12, 1001)
    np.testing.assert_allclose(gelu(x, approximate="none"), exact(x)[0], rtol=1e-14)


def test_far_out_it_is_a_relu_without_a_warning():
    x = np.array([-1e30, -3e4, 3e4, 1e30], np.float32)
    np.testing.assert_array_equal(gelu(x, approximate="none"), [-0.0, -0.0, 3e4, np.float32(1e30)])


def test_arrays_of_several_blocks_are_seamless():
    x = np.random.default_rng(0).normal(size=(3, BLOCK - 1)).astype(np.float32)
    g = np.random.default_rng(1).normal(size=x.shape).astype(np.float32)
    for given in (x, np.asfortranarray(x), x[:, ::-1]):
        value, gradient = pulled(given, g, approximate="none")
        np.testing.assert_allclose(value, exact(given)[0], rtol=3e-7, atol=6e-7)
        np.testing.assert_allclose(gradient, g * exact(given)[1], rtol=3e-6, atol=3e-6)


def test_the_two_forms_differ_and_by_less_than_a_thousandth():
    x = np.linspace(-5, 5, 1001)
    difference = np.abs(gelu(x) - gelu(x, approximate="none")).max()
    assert 4e-4 < difference < 5e-4
    np.testing.assert_array_equal(gelu(x), gelu(x, approximate="tanh"))


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
@pytest.mark.parametrize("shape", [(), (0,), (1,), (2, 1, 3)])
def test_shape_and_dtype_stay(shape, dtype):
    x = np.asarray(np.random.default_rng(0).normal(size=shape), dtype)
    value, gradient = pulled(x, approximate="none")
    assert (value.shape, value.dtype, gradient.shape, gradient.dtype) == (shape, x.dtype, shape, x.dtype)
    np.testing.assert_allclose(value, exact(x)[0], rtol=1e-3, atol=1e-3)


def test_whole_numbers_become_floats():
    assert gelu(np.array([2, -1]), approximate="none").dtype == np.float64
    assert gelu(2, approximate="none") == pytest.approx(exact(2)[0], rel=1e-15)


def test_the_tape_keeps_the_slope_and_nothing_else():
    x = Tensor(np.random.default_rng(0).normal(size=(4, 6)), requires_grad=True)
    node = gelu(x, approximate="none")._node
    np.testing.assert_allclose(node.out, exact(x.numpy())[1], rtol=1e-14)
    assert [type(value) for value in node.values] == [type(node)]


@pytest.mark.parametrize("approximate", ["tanh", "none"])
def test_all_routes_agree_and_so_do_their_second_derivatives(approximate):
    rng = np.random.default_rng(0)
    x, g, v = rng.normal(size=(3, 2, 5))
    f = lambda x: np.sum(g * gelu(x, approximate=approximate) ** 2)  # noqa: E731
    assert gradients.compare(f, x).agree
    step = 1e-6 * v
    slope = (gradients.reverse(f)(x + step) - gradients.reverse(f)(x - step)) / 2e-6
    nested = gradients.reverse(lambda x: np.sum(gradients.reverse(f)(x) * v))(x)
    np.testing.assert_allclose(gradients.hvp(f, x, v), slope, rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(nested, slope, rtol=1e-7, atol=1e-8)


def test_a_recorded_backward_pass_is_refused_where_the_input_was_not_kept():
    x = Tensor(np.array([0.5, -1.0]), requires_grad=True)
    with pytest.raises(NotImplementedError, match=r"hvp.*approximate=\"tanh\""):
        np.sum(gelu(x, approximate="none")).backward(create_graph=True)
    np.sum(gelu(x)).backward(create_graph=True)


def test_an_unknown_form_is_refused():
    with pytest.raises(ValueError, match="'erf'"):
        gelu(np.ones(3), approximate="erf")


def test_scipy_is_not_loaded_until_it_is_needed():
    code = (
        "import sys, numpy as np; from coursepkg.autodiff.catalogue import gelu; import coursepkg.autodiff.tensor;"
        "gelu(np.ones(3, np.float32), approximate='none'); assert 'scipy' not in sys.modules, 'loaded'"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
