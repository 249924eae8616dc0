"""Differences at every scale, kinks found, complex steps only where they are right."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coursepkg.autodiff.differences import central_difference, complex_step, differences
from coursepkg.autodiff.scalar import exp, log, maximum, minimum, relu, sin, sqrt, tanh

hundred = settings(deadline=None, derandomize=True, max_examples=100)


def circuit(x, y, z):
    return (x + y) * z


# --- differences ---


@pytest.mark.parametrize("x", [1e-200, 1e-10, 1e-3, 0.7, 1.0, 30.0, 1e5, 1e12])
def test_the_step_follows_the_magnitude(x):
    for f, slope in ((log, 1 / x), (sqrt, 0.5 / math.sqrt(x)), (lambda v: 1 / v, -1 / x / x)):
        if math.isfinite(slope):
            assert central_difference(lambda p, f=f: f(p[0]), [x])[0] == pytest.approx(slope, rel=1e-8)
    assert central_difference(lambda p: p[0] ** 3, [x])[0] == pytest.approx(3 * x * x, rel=1e-8, abs=1e-10)


@pytest.mark.parametrize("x", [0.0, 1e-12, -1e-5, 0.4, 100.0, -1e6])
def test_a_small_entry_in_a_function_of_order_one_needs_a_step_of_order_one(x):
    assert central_difference(lambda p: 5 + sin(p[0]), [x])[0] == pytest.approx(math.cos(x), rel=1e-7)


@hundred
@given(x=st.floats(-30, 30), y=st.floats(0.1, 30))
def test_differences_of_smooth_functions_are_right_within_their_own_error(x, y):
    found = differences(lambda p: sin(p[0]) * log(p[1]) + p[0] * p[1], [x, y])
    for difference, slope in zip(found, (math.cos(x) * math.log(y) + y, math.sin(x) / y + x), strict=True):
        assert abs(difference.slope - slope) <= 2 * difference.error + 1e-9 * abs(slope)
        assert difference.error <= 1e-5 * (1 + abs(slope))
        assert difference.kink is None


def test_every_entry_is_moved_alone():
    assert central_difference(lambda p: circuit(*p), [-2.0, 5.0, -4.0]) == pytest.approx([-4.0, -4.0, 3.0], rel=1e-9)
    assert central_difference(lambda p: circuit(*p), (-2, 5, -4)) == pytest.approx([-4.0, -4.0, 3.0], rel=1e-9)


def test_the_point_is_left_alone():
    for point in ([1.0, 2.0], np.array([1.0, 2.0])):
        central_difference(lambda p: p[0] * p[1], point)
        complex_step(lambda p: p[0] * p[1], point)
        assert list(point) == [1.0, 2.0]


@pytest.mark.parametrize(("dtype", "digits"), [(np.float32, 1e-3), (np.float64, 1e-8)])
def test_arrays_keep_their_dtype_and_get_a_step_that_fits_it(dtype, digits):
    seen = set()

    def f(v):
        seen.add(v.dtype)
        return (np.sin(v) * v).sum()

    x = np.array([0.5, -2.0, 3.0, 100.0], dtype)
    exact = np.cos(x.astype(float)) * x + np.sin(x.astype(float))
    assert central_difference(f, x) == pytest.approx(exact, rel=digits, abs=digits)
    assert seen == {np.dtype(dtype)}


def test_a_float32_function_of_float64_numbers_gets_a_float32_step():
    found = central_difference(lambda p: np.float32(np.sin(p[0])), [1.2])
    assert found == pytest.approx([math.cos(1.2)], rel=1e-3)


def test_a_step_of_ones_own():
    assert central_difference(lambda p: p[0] ** 3, [2.0], step=0.5) == pytest.approx([12.25], rel=1e-12)


def test_the_edge_of_the_domain_is_said_in_words():
    with pytest.raises(ValueError, match=r"both sides of entry 1 = 0\.0; move the point inward"):
        central_difference(lambda p: p[0] * sqrt(p[1]), [1.0, 0.0])
    with pytest.raises(ValueError, match="not a real number"):
        central_difference(lambda p: log(p[0]), [0.0])


def test_kinks_are_found_with_their_two_slopes():
    (difference,) = differences(lambda p: 3 * relu(p[0]) - p[0], [0.0])
    assert difference.kink == pytest.approx((-1.0, 2.0), rel=1e-9)
    for f in (lambda p: abs(p[0] - 0.3), lambda p: maximum(p[0], 0.3), lambda p: minimum(2 * p[0], p[0] + 0.3)):
        assert differences(f, [0.3])[0].kink
        assert not differences(f, [0.31])[0].kink


@pytest.mark.parametrize("f", [lambda x: tanh(1e3 * x), lambda x: sin(50 * x), lambda x: x**4, lambda x: exp(20 * x)])
@pytest.mark.parametrize("x", [0.0, 1e-3, math.pi / 100, 0.5])
def test_a_bend_is_no_kink(f, x):
    assert differences(lambda p: f(p[0]), [x])[0].kink is None


# --- complex steps ---


@hundred
@given(x=st.floats(-20, 20), y=st.floats(0.01, 20))
def test_complex_steps_lose_no_digits(x, y):
    slopes = complex_step(lambda p: sin(p[0]) * log(p[1]) + tanh(p[0]) ** 3 / p[1], [x, y])
    t = math.tanh(x)
    exact = (
        math.cos(x) * math.log(y) + 3 * t * t * (1 - t * t) / y,
        math.sin(x) / y - t**3 / y**2,
    )
    for slope, expected in zip(slopes, exact, strict=True):
        assert slope == pytest.approx(expected, rel=1e-10, abs=1e-13 * (1 + 1 / y**2))


def test_complex_steps_work_on_arrays():
    x = np.array([1.0, 2.0])
    assert complex_step(lambda v: (np.sin(v) * v).sum(), x) == pytest.approx(np.cos(x) * x + np.sin(x), rel=1e-14)


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (abs, 0.7),
        (lambda x: x * abs(x), -0.7),  # complex, smooth along the real line, and its complex step is half the slope
        (lambda x: x if x > 0 else -x, 0.7),
        (lambda x: math.sin(x), 0.7),
        (relu, 0.0),
        (abs, 0.0),
        (lambda x: complex(x).conjugate() * 2, 0.7),
    ],
)
def test_where_a_complex_step_would_be_wrong_it_says_so(f, x):
    with pytest.raises(ValueError, match="a complex step needs"):
        complex_step(lambda p: real_or_complex(f, p[0]), [x])


def real_or_complex(f, x):
    result = f(x)
    return result.real if not isinstance(x, complex) else result
