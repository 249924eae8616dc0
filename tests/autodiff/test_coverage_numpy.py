"""What the table's small examples do not show: larger matrices, half precision, ties, and reused buffers."""

import numpy as np
import pytest

from coursepkg import gradients as G
from coursepkg.autodiff.errors import UnsupportedArgumentError
from coursepkg.autodiff.tensor import Tensor

RNG = np.random.default_rng(0)
TALL, SQUARE = RNG.normal(size=(5, 4)), RNG.normal(size=(4, 4))


def agree(f, x):
    """All routes by rules give what differences give."""
    right = G.numeric(f)(x)
    assert np.max(np.abs(right)) > 1e-2
    for route in (G.reverse, G.forward):
        np.testing.assert_allclose(route(f)(x), right, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (lambda a: np.sum(np.linalg.eigh(a)[0] ** 3 * np.arange(4)), SQUARE),
        (lambda a: np.sum(np.linalg.eigh(a)[1] ** 2 * TALL[:4]), SQUARE),
        (lambda a: np.sum(np.linalg.svd(a, full_matrices=False)[0] ** 2 * TALL), TALL),
        (lambda a: np.sum(np.linalg.svd(a, full_matrices=False)[2] ** 2 * SQUARE), TALL),
        (lambda a: np.sum(np.linalg.svd(a.T, full_matrices=False)[2] ** 2 * TALL.T), TALL),
        (lambda a: np.sum(np.linalg.svdvals(a) * np.arange(4)), TALL),
        (lambda a: np.sum(np.linalg.qr(a).Q * TALL) + np.sum(np.linalg.qr(a).R * SQUARE), TALL),
        (lambda a: np.sum(np.linalg.qr(a.T).R * TALL.T), TALL),
        (lambda a: np.sum(np.linalg.cholesky(a @ a.T + np.eye(4)) * SQUARE), SQUARE),
        (lambda a: np.sum(np.linalg.pinv(a) * TALL.T), TALL),
        (lambda a: np.sum(np.linalg.lstsq(a, TALL[:, 0])[0] * np.arange(4)), TALL + 1),
        (lambda a: np.sum(np.abs(np.linalg.eigvals(a)) * np.arange(4)), SQUARE + 3 * np.diag(np.arange(4.0))),
    ],
)
def test_decompositions_of_larger_matrices(f, x):
    agree(f, x)


def test_equal_singular_values_have_the_slope_of_their_sum():
    np.testing.assert_allclose(G.reverse(lambda a: np.sum(np.linalg.svdvals(a)))(np.eye(3)), np.eye(3), atol=1e-15)


@pytest.mark.parametrize(
    "call",
    [
        lambda a: np.linalg.svd(a),
        lambda a: np.linalg.qr(a, mode="complete"),
        lambda a: np.linalg.eigh((a.T @ a) * (1 + 0j)),
    ],
)
def test_what_nothing_determines_is_refused_in_the_forward_pass(call):
    with pytest.raises(UnsupportedArgumentError, match="determines"):
        G.reverse(lambda a: np.sum(np.real(call(a)[0])))(TALL)


def test_half_precision_does_not_overflow():
    x = np.full(5000, 30.0, np.float16)
    assert G.vjp(np.mean, x)[0] == np.mean(x) == 30.0
    g = G.reverse(lambda z: np.max(z).astype(np.float32))(np.ones(66_000, np.float16))
    np.testing.assert_allclose(g.astype(float), 1 / 66_000, rtol=0.05)


def test_ties_follow_the_conventions_that_the_page_states():
    pairs = np.array([1.0, 2.0, np.nan]), np.array([1.0, np.nan, 3.0])
    first, second = G.reverse(lambda x, y: np.sum(np.fmax(x, y)))(*pairs)
    np.testing.assert_array_equal(first, [1.0, 1.0, 0.0])
    np.testing.assert_array_equal(second, [0.0, 0.0, 1.0])
    np.testing.assert_array_equal(G.reverse(lambda x: np.sum(np.unique(x)))(np.array([2.0, 1.0, 2.0])), [1.0, 1.0, 0.0])
    np.testing.assert_array_equal(G.reverse(np.nansum)(np.array([np.nan, 2.0])), [0.0, 1.0])


def test_options_that_are_arrays_may_be_written_into_again():
    heights = np.array([0.5, 1.0, 2.0])

    def f(y):
        area = np.trapezoid(y, dx=heights[0]) + np.average(y, weights=heights)
        heights[:] = heights
        return area

    agree(f, np.array([1.0, -2.0, 0.5]))


def test_lists_and_arguments_before_the_rest_reach_their_places():
    agree(lambda x: np.sum(np.gradient(x, 0.5) ** 2), np.array([1.0, 4.0, 2.0, 0.5]))
    agree(lambda x: np.sum(np.block([[x, 2 * x], [x * x, x]]) * np.arange(12).reshape(2, 6)), np.arange(1.0, 4.0))
    agree(lambda x: np.sum(np.trim_zeros(np.concatenate([np.zeros(2), x, np.zeros(1)])) ** 2), np.arange(1.0, 4.0))


def test_sums_and_means_of_chosen_entries():
    mask = np.array([[True, False, True], [False, False, True]])
    x = np.arange(6.0).reshape(2, 3) + 0.5
    agree(lambda z: np.sum(np.sum(z**2, axis=1, where=mask, initial=3.0) * np.array([1.0, 2.0])), x)
    agree(lambda z: np.mean(z**2, where=mask), x)

    def reused(z):
        chosen = mask.copy()
        total = np.sum(z**2, where=chosen)
        chosen[:] = False
        return total

    np.testing.assert_array_equal(G.reverse(reused)(x), np.where(mask, 2 * x, 0.0))


def test_eigenvectors_from_the_upper_triangle_have_numpys_signs():
    a = np.random.default_rng(0).normal(size=(2, 6, 6))
    for ours, numpys in zip(np.linalg.eigh(Tensor(a, requires_grad=True), "U"), np.linalg.eigh(a, "U"), strict=True):
        np.testing.assert_allclose(ours.numpy(), numpys, rtol=1e-9, atol=1e-12)
