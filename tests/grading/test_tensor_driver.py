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


@pytest.mark.parametrize(("slope", "right"), [
    (0.0, True), (0.5, True), (1.0, True), (np.float32(1.0), True), (2.0, False), (-1.0, False), (np.nan, False),
])  # fmt: skip
def test_where_relu_was_taken_of_0_any_slope_from_0_to_1_is_as_good(slope, right):
    class Bend:
        def __init__(self, data):
            self.data = data

        def relu(self):
            out = Bend(np.maximum(self.data, 0))
            slopes = np.where(self.data == 0, slope, self.data > 0).astype(type(slope))
            out.backward = lambda g: setattr(self, "grad", slopes * g.astype(type(slope)))
            return out

    x, g = np.array([[0.0, 2.0], [-3.0, 0.0]]), np.array([[1.37, 0.5], [2.0, -0.71]])
    [found] = RUN(Bend, ("relu", ("var", 0)), [x], g)["gradients"]
    wanted = [[0.0, 0.5], [0.0, 0.0]] if right else [[slope * 1.37, 0.5], [0.0, slope * -0.71]]
    np.testing.assert_array_equal(found, wanted)


def test_a_missing_method_is_said_in_words():
    with pytest.raises(Misfit, match=r"no method `rows\(\)`"):
        RUN(engine, ("rows", ("var", 0), ("const", (0, 1))), [np.eye(2)], np.ones((2, 2)))


def test_a_case_is_worded_for_the_feedback():
    shown = DRIVERS["tensor_expression"].show(("rows", PRODUCT, ("const", (1, 1))), [np.eye(2), np.eye(2)], None)
    assert shown == "rows(x0 @ x1, (1, 1)) with x0 of shape (2, 2), x1 of shape (2, 2)"
