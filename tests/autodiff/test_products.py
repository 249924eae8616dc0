"""Products with one matrix for many examples: as one product of rows, on every route, with the values of NumPy."""

import numpy as np
import pytest

from coursepkg.autodiff.catalogue import affine, linear
from coursepkg.autodiff.forward_mode import jvps
from coursepkg.autodiff.primitives.products import times
from coursepkg.autodiff.tensor import Tensor

SHAPES = [(2, 3, 4), (2, 1, 3, 4), (0, 3, 4), (2, 0, 4), (3, 2, 0)]
LAYERS = {
    "matmul": lambda x, w, b: np.matmul(x, w) + b,
    "affine": affine,
    "linear": lambda x, w, b: linear(x, np.swapaxes(w, 0, 1), b),
}


def drawn(*shapes):
    rng = np.random.default_rng(0)
    return [rng.normal(size=shape) for shape in shapes]


@pytest.mark.parametrize("shape", SHAPES)
def test_one_product_of_all_rows_is_the_product_slice_by_slice(shape):
    a, b = drawn(shape, (shape[-1], 5))
    np.testing.assert_allclose(times(a, b), np.matmul(a, b), rtol=1e-13, atol=1e-14)
    turned = np.moveaxis(a, 0, 1)  # rows that do not lie one behind the other
    np.testing.assert_allclose(times(turned, b), np.matmul(turned, b), rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize(
    "dtypes", [("f4", "f8"), ("f8", "f4"), ("f4", "f4"), ("c16", "f4"), ("i8", "f8"), ("i4", "i8")]
)
def test_the_dtype_is_numpys(dtypes):
    a, b = (10 * array for array in drawn((2, 3, 4), (4, 5)))
    a, b = a.astype(dtypes[0]), b.astype(dtypes[1])
    assert times(a, b).dtype == np.matmul(a, b).dtype


def test_axes_that_do_not_fit_and_numbers_are_refused_as_numpy_refuses_them():
    a, b = drawn((2, 3, 4), (3, 5))
    for wrong in (lambda: times(a, b), lambda: Tensor(a, requires_grad=True) @ Tensor(b)):
        with pytest.raises(ValueError, match="mismatch in its core dimension"):
            wrong()
    with pytest.raises(ValueError, match="enough dimensions"):
        Tensor(a, requires_grad=True) @ 2.0


@pytest.mark.parametrize("layer", LAYERS)
def test_gradients_of_examples_with_more_axes_are_those_of_their_rows(layer):
    x, w, b, g = drawn((2, 3, 4), (4, 5), (5,), (2, 3, 5))
    found, expected = ([Tensor(a, requires_grad=True) for a in (x, w, b)] for _ in range(2))
    LAYERS[layer](*found).backward(g)
    rows = np.reshape(expected[0], (6, 4))
    LAYERS[layer](rows, *expected[1:]).backward(g.reshape(6, 5))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one.grad, other.grad, rtol=1e-13)


@pytest.mark.parametrize("layer", LAYERS)
def test_a_stack_of_directions_gives_what_they_give_one_after_the_other(layer):
    point, directions = drawn((2, 3, 4), (4, 5), (5,)), drawn((7, 2, 3, 4), (7, 4, 5), (7, 5))
    _, changes = jvps(lambda p: LAYERS[layer](*p), point, directions)
    for k in range(7):
        moved = [p + 1e-6 * d[k] for p, d in zip(point, directions, strict=True)]
        back = [p - 1e-6 * d[k] for p, d in zip(point, directions, strict=True)]
        slope = (LAYERS[layer](*moved) - LAYERS[layer](*back)) / 2e-6
        np.testing.assert_allclose(changes[k], slope, rtol=1e-7, atol=1e-8)


def test_what_the_product_returns_is_an_array_of_its_own():
    a, b = drawn((2, 3, 4), (4, 5))
    assert times(a, b).base is None  # so the backward pass may add to it, and nothing else is kept alive with it
