"""A ReLU that keeps bits: the same numbers, an eighth of a byte per entry."""

import numpy as np
import pytest

from coursepkg import gradients, nn
from coursepkg.autodiff.catalogue import relu
from coursepkg.estimators import LeanReLU, tape_holdings
from coursepkg.estimators.lean_relu import lean_relu


@pytest.mark.parametrize("shape", [(5,), (3, 7), (2, 3, 5), (1,), (8, 8)])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_values_and_gradients_are_those_of_relu_to_the_last_bit(shape, dtype):
    rng = np.random.default_rng(0)
    x = rng.normal(size=shape).astype(dtype)
    x.flat[0] = 0.0
    g = rng.normal(size=shape).astype(dtype)
    found = []
    for function in (relu, lean_relu):
        inputs = nn.Parameter(x)
        out = function(inputs)
        out.backward(g)
        found.append((out.numpy(), inputs.grad))
    np.testing.assert_array_equal(found[0][0], found[1][0])
    np.testing.assert_array_equal(found[0][1], found[1][1])
    assert found[1][1].dtype == dtype


def test_it_keeps_one_bit_per_entry():
    x = nn.Parameter(np.random.default_rng(0).normal(size=(10, 24)))
    model = LeanReLU()
    held = tape_holdings(model, lambda: np.sum(model(x)))
    assert held[0] == ("LeanReLU", 30, 0)


def test_all_routes_agree_and_second_derivatives_go_through():
    x = np.array([0.7, -1.2, 0.4, -0.1])
    assert gradients.compare(lambda x: np.sum(lean_relu(x) ** 2 * x), x).agree
    hessian = gradients.hvp(lambda x: np.sum(lean_relu(x) ** 3), x, np.ones(4))
    np.testing.assert_allclose(hessian, 6 * np.maximum(x, 0), rtol=1e-12)
    v = nn.Parameter(x)
    np.sum(lean_relu(v) ** 3).backward(create_graph=True)
    np.testing.assert_allclose(v.grad.numpy(), 3 * np.maximum(x, 0) ** 2, rtol=1e-12)


def test_plain_arrays_stay_plain():
    np.testing.assert_array_equal(lean_relu(np.array([-1.0, 2.0])), [0.0, 2.0])
    assert type(lean_relu(np.ones(2))) is np.ndarray
