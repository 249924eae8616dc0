"""The driver that builds an expression of matrices with a learner's own Tensor, and goes back through it."""

import numpy as np
import pytest

from coursepkg.autodiff.tensor import Tensor
from coursepkg.grading.judging.drivers import DRIVERS, Misfit

RUN = DRIVERS["tensor_expression"].run
PRODUCT = ("matmul", ("var", 0), ("var", 1))


def engine(data):
    return Tensor(data, requires_grad=True)


def test_value_and_gradients_of_a_matrix_product():
    rng = np.random.default_rng(0)
    x, w, g = rng.normal(size=(2, 3)), rng.normal(size=(3, 4)), rng.normal(size=(2, 4))
    found = RUN(engine, PRODUCT, [x, w], g)
    np.testing.assert_allclose(found["value"], x @ w, rtol=1e-12)
    np.testing.assert_allclose(found["gradients"][0], g @ w.T, rtol=1e-12)
    np.testing.assert_allclose(found["gradients"][1], x.T @ g, rtol=1e-12)


def test_methods_get_their_constants_as_they_are():
    x, g = np.arange(6.0).reshape(2, 3), np.array([2.0, -3.0])
    found = RUN(engine, ("sum", ("mul", ("var", 0), ("var", 0)), ("const", 1)), [x], g)
    np.testing.assert_allclose(found["gradients"][0], 2 * x * g[:, None], rtol=1e-12)


def test_a_missing_method_is_said_in_words():
    with pytest.raises(Misfit, match=r"no method `rows\(\)`"):
        RUN(engine, ("rows", ("var", 0), ("const", (0, 1))), [np.eye(2)], np.ones((2, 2)))


def test_a_case_is_worded_for_the_feedback():
    shown = DRIVERS["tensor_expression"].show(("rows", PRODUCT, ("const", (1, 1))), [np.eye(2), np.eye(2)], None)
    assert shown == "rows(x0 @ x1, (1, 1)) with x0 of shape (2, 2), x1 of shape (2, 2)"
