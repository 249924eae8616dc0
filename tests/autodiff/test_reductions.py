"""Reductions of chosen entries, from a start, and over what is not a number: one slope on all routes."""

import warnings

import numpy as np
import pytest

from coursepkg import gradients
from coursepkg.autodiff.forward_mode import jvp, jvps
from coursepkg.autodiff.reverse_mode import vjp

NAN = np.nan
X = np.array([[0.7, -1.3, 2.1, 0.4], [1.9, 0.2, -0.8, 3.1], [-0.5, 1.1, 0.6, -2.2]])
MASK = np.array([[True, False, True, True], [False, True, True, False], [True, True, False, True]])


def on_all_routes(f, x):
    """The gradient of a sum with weights, after forward mode, one direction and several, agreed with reverse mode."""
    rng = np.random.default_rng(0)
    t = rng.normal(size=x.shape)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        value, pull = vjp(f, x)
        c = rng.normal(size=np.shape(value))
        gradient = pull(c)
        change, changes = jvp(f, x, t)[1], jvps(f, x, np.stack([t, -t]))[1]
        np.testing.assert_allclose(value, f(x), rtol=1e-14)
    np.testing.assert_allclose(np.sum(gradient * t), np.sum(c * change), rtol=1e-11, atol=1e-14)
    np.testing.assert_allclose(changes, np.stack([change, -change]), rtol=1e-11)
    return value, c, gradient


@pytest.mark.parametrize("axis", [None, 0, -1, (0, 1)])
@pytest.mark.parametrize("keepdims", [True, False])
@pytest.mark.parametrize(
    ("function", "options"),
    [
        (np.max, {"initial": -9.0}), (np.min, {"initial": 9.0}), (np.prod, {}), (np.prod, {"initial": 1.5}),
        (np.var, {}), (np.std, {"ddof": 1}), (np.sum, {}), (np.mean, {}), (np.nansum, {"initial": 2.0}),
        (np.nanprod, {}), (np.nanmean, {}), (np.nanvar, {}), (np.nanstd, {}), (np.nanmax, {"initial": -9.0}),
        (np.amax, {"initial": -9.0}), (np.amin, {"initial": 9.0}), (np.nanmin, {"initial": 9.0}),
    ],
)  # fmt: skip
def test_left_out_entries_get_no_gradient_and_the_others_that_of_differences(function, options, axis, keepdims):
    def f(x):
        return function(x, axis=axis, keepdims=keepdims, where=MASK, **options)

    _, c, gradient = on_all_routes(f, X)
    assert not gradient[~MASK].any()
    assert gradient[MASK].any()
    numeric = gradients.numeric(lambda x: np.sum(c * f(x)))(X)
    np.testing.assert_allclose(gradient, numeric, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("function", [np.var, np.std, np.nanmean, np.prod])
def test_what_is_left_out_may_be_anything(function):
    x = np.where(MASK, X, NAN)
    _, _, gradient = on_all_routes(lambda x: function(x, axis=1, where=MASK), x)
    np.testing.assert_array_equal(gradient, on_all_routes(lambda x: function(x, axis=1, where=MASK), X)[2])


@pytest.mark.parametrize(("function", "sign"), [(np.max, 1.0), (np.min, -1.0), (np.nanmax, 1.0), (np.nanmin, -1.0)])
def test_a_start_that_wins_takes_the_gradient_and_one_that_ties_takes_its_share(function, sign):
    x = sign * np.array([1.0, 3.0, 3.0, 2.0])
    for start, gradient in [(5.0, [0, 0, 0, 0]), (3.0, [0, 1 / 3, 1 / 3, 0]), (0.0, [0, 0.5, 0.5, 0])]:
        found = gradients.reverse(lambda x, start=start: function(x, initial=sign * start))(x)
        np.testing.assert_allclose(found, gradient, rtol=1e-15)
        on_all_routes(lambda x, start=start: function(x, initial=sign * start), x)


@pytest.mark.parametrize("start", [0.0, 1.5])
@pytest.mark.parametrize("row", [[0.7, 0.0, 2.1], [0.0, 0.0, 2.1], [0.7, -1.3, 2.1]])
def test_products_with_zeros_and_a_start_are_those_of_differences(row, start):
    x = np.array(row)
    _, c, gradient = on_all_routes(lambda x: np.prod(x, initial=start), x)
    numeric = gradients.numeric(lambda x: np.sum(c * np.prod(x, initial=start)))(x)
    np.testing.assert_allclose(gradient, numeric, rtol=1e-6, atol=1e-9)


def test_the_algebra_follows_chosen_entries_too():
    for function, options in [
        (np.max, {"initial": 0.5}), (np.min, {"initial": 0.5}), (np.prod, {}), (np.sum, {}), (np.std, {}),
    ]:  # fmt: skip
        loss = lambda x, f=function, o=options: np.sum(np.sin(f(x, axis=1, where=MASK, **o)))  # noqa: E731
        np.testing.assert_allclose(gradients.symbolic(loss)(X), gradients.reverse(loss)(X), rtol=1e-12)


SLICES = np.array([[NAN, NAN, NAN], [1.0, NAN, 3.0], [2.0, 5.0, 2.5], [NAN, 4.0, NAN]])


@pytest.mark.parametrize("keepdims", [True, False])
@pytest.mark.parametrize(
    "function", [np.nanmean, np.nanvar, np.nanstd, np.nanmedian, np.nanmax, np.nanmin, np.nanquantile]
)
def test_slices_of_nan_alone_have_the_value_nan_and_the_slope_0_on_all_routes(function, keepdims):
    options = {"q": 0.3} if function is np.nanquantile else {}
    value, _, gradient = on_all_routes(lambda x: function(x, axis=1, keepdims=keepdims, **options), SLICES)
    assert np.isnan(np.ravel(value)[0])
    assert not gradient[np.isnan(SLICES)].any()
    assert gradient[2].any()
    alone = on_all_routes(lambda x: function(x, axis=1, keepdims=keepdims, **options), SLICES[1:])[2]
    assert np.isfinite(alone).all()


@pytest.mark.parametrize("function", [np.nanvar, np.nanstd])
def test_too_few_numbers_for_the_degrees_of_freedom_are_like_none(function):
    value, _, gradient = on_all_routes(lambda x: function(x, axis=1, ddof=1), SLICES)
    np.testing.assert_array_equal(np.isnan(value), [True, False, False, True])
    np.testing.assert_array_equal(gradient != 0, [[False] * 3, [True, False, True], [True] * 3, [False] * 3])


@pytest.mark.parametrize("function", [np.median, lambda x, axis: np.quantile(x, 0.3, axis=axis)])
def test_a_median_of_nan_has_the_slope_0_on_all_routes(function):
    value, _, gradient = on_all_routes(lambda x: function(x, axis=1), SLICES)
    np.testing.assert_array_equal(np.isnan(value), [True, True, False, True])
    assert not gradient[np.isnan(value)].any()
    assert gradient[2].any()
