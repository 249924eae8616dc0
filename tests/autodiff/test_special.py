"""SciPy's special functions: what their examples in the table do not show."""

import subprocess
import sys

import numpy as np
import pytest
from scipy import linalg, special

from coursepkg import gradients
from coursepkg.autodiff.dual import Dual
from coursepkg.autodiff.errors import LeavesGraphError, UnsupportedArgumentError
from coursepkg.autodiff.primitives.special import polygamma
from coursepkg.autodiff.tensor import Tensor

LAZY = """
import sys
import numpy as np
from coursepkg.autodiff.tensor import Tensor
assert "scipy.special" not in sys.modules
x = Tensor(np.array([0.0, 1.0]), requires_grad=True)
np.sum(np.i0(x)).backward()
import scipy.special
np.testing.assert_allclose(x.grad, scipy.special.i1([0.0, 1.0]), rtol=1e-13)
"""


def test_scipy_is_loaded_when_one_of_its_functions_is_called():
    subprocess.run([sys.executable, "-c", LAZY], check=True)


@pytest.mark.parametrize(("function", "shift"), [(special.xlogy, 0.0), (special.xlog1py, 1.0)])
def test_a_weight_of_zero_has_the_logarithm_as_its_slope_where_there_is_one(function, shift):
    y = np.array([3.0, 1.5, 0.0, -2.0]) - shift
    by_x, by_y = gradients.reverse(lambda x, y: np.sum(function(x, y)), argnums=(0, 1))(np.zeros(4), y)
    np.testing.assert_allclose(by_x, [np.log(3.0), np.log(1.5), 0.0, 0.0], rtol=1e-15)
    np.testing.assert_array_equal(by_y, np.zeros(4))


def test_far_out_on_the_left_the_slope_of_log_ndtr_is_minus_x():
    slope = gradients.reverse(lambda x: np.sum(special.log_ndtr(x)))(np.array([-1e6, 40.0]))
    np.testing.assert_allclose(slope, [1e6, 0.0], rtol=1e-11)


def test_bessel_functions_have_their_slopes_at_0():
    for function, slope in [(special.j1, 0.5), (special.i1, 0.5), (special.i0, 0.0), (special.j0, 0.0)]:
        np.testing.assert_allclose(gradients.reverse(function)(np.array(0.0)), slope, rtol=1e-15, atol=0)


def test_a_slope_by_the_order_is_refused_in_words():
    v, x = np.array(1.0), np.array([0.5, 2.0])
    with pytest.raises(UnsupportedArgumentError, match=r"scipy\.special\.jv\(..., x1=<traced>\) is not followed"):
        gradients.reverse(lambda v: np.sum(special.jv(v, Tensor(x, requires_grad=True))))(v)
    with pytest.raises(UnsupportedArgumentError, match="is not followed"):
        gradients.reverse(lambda v: np.sum(polygamma(v, x)))(v)


@pytest.mark.parametrize("kind", [lambda a: Tensor(a, requires_grad=True), lambda a: Dual(a, a)])
@pytest.mark.parametrize("function", [special.logsumexp, special.softmax, linalg.inv, linalg.expm, linalg.cholesky])
def test_functions_that_do_not_know_traced_values_say_where_to_find_those_that_do(function, kind):
    with pytest.raises(LeavesGraphError, match=r"most of SciPy's.*np\.linalg\.inv.*autodiff\.linalg.*catalogue"):
        function(kind(np.eye(2) + 0.25))


@pytest.mark.parametrize("function", [special.jv, special.yv, special.iv, special.kv, special.ive])
@pytest.mark.parametrize("order", [0.5, 1.5, 2])
def test_algebra_takes_orders_between_whole_numbers_as_they_are(function, order):
    x = np.array([0.4, 1.7])
    for gradient in (gradients.reverse, gradients.symbolic):
        slope = gradient(lambda x: np.sum(function(order, x)))(x)
        h = 1e-5
        np.testing.assert_allclose(slope, (function(order, x + h) - function(order, x - h)) / (2 * h), rtol=1e-7)
