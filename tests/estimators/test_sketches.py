"""Sketches: exact moments by enumerating everything that can be drawn, then by drawing, and what is refused."""

import itertools
import math

import numpy as np
import pytest

from coursepkg.estimators.sketches import (
    SKETCHES,
    Sketch,
    collision_probability,
    moments,
    sketch_size,
    sketch_variance,
)

KINDS = list(SKETCHES)
ROWS = 4


class Scripted:
    """A generator that gives what it is told to, so that every outcome can be visited."""

    def __init__(self, signs=(), order=(), numbers=()):
        self.signs, self.order, self.numbers = np.array(signs), np.array(order), np.array(numbers)

    def bytes(self, count):
        return np.packbits(self.signs > 0).tobytes()

    def permutation(self, count):
        return self.order

    def integers(self, high, size):
        return self.order

    def standard_normal(self, shape, dtype):
        return self.numbers.reshape(shape).astype(dtype)


def signs(count):
    return itertools.product((-1, 1), repeat=count)


def orders(rows=ROWS):
    return itertools.permutations(range(rows))


def hermite(size):
    """Three-point Gauss-Hermite nodes in every coordinate: exact for polynomials of degree five in each of them."""
    for place in itertools.product(range(3), repeat=ROWS * size):
        yield math.prod((1 / 6, 2 / 3, 1 / 6)[k] for k in place), [(-(3**0.5), 0.0, 3**0.5)[k] for k in place]


def outcomes(kind, size):
    """Every outcome of a sketch of four rows, with its probability."""
    if kind == "gaussian":
        return [(weight, Scripted(numbers=numbers)) for weight, numbers in hermite(size)]
    if kind == "rademacher":
        found = [Scripted(signs=s) for s in signs(ROWS * size)]
    elif kind == "rows":
        found = [Scripted(order=o) for o in orders()]
    elif kind == "rows with replacement":
        found = [Scripted(order=o) for o in itertools.product(range(ROWS), repeat=size)]
    else:
        found = [Scripted(signs=s, order=o) for s in signs(ROWS) for o in orders()]
    return [(1 / len(found), script) for script in found]


def factors(rows=ROWS, n=3, m=2, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(rows, n)), rng.normal(size=(rows, m))


@pytest.mark.parametrize("size", [1, 2])
@pytest.mark.parametrize("kind", KINDS)
def test_mean_and_variance_over_all_outcomes_are_exact(kind, size):
    x, y = factors()
    exact, project = y.T @ x, SKETCHES[kind].project
    mean, variance = np.zeros_like(exact), 0.0
    for weight, script in outcomes(kind, size):
        estimate = project(script, size, y).T @ project(script, size, x)
        mean += weight * estimate
        variance += weight * np.sum((estimate - exact) ** 2)
    np.testing.assert_allclose(mean, exact, rtol=1e-12, atol=1e-13)
    assert variance == pytest.approx(sketch_variance(kind, x, y, size), rel=1e-12)


@pytest.mark.parametrize("kind", ["rows", "dct", "fold"])
def test_uneven_buckets_and_all_but_one_row_are_exact_too(kind):
    x, y = factors(seed=1)
    exact, project = y.T @ x, SKETCHES[kind].project
    found = [project(s, 3, y).T @ project(s, 3, x) for _, s in outcomes(kind, 3)]
    np.testing.assert_allclose(np.mean(found, axis=0), exact, rtol=1e-12, atol=1e-13)
    variance = np.mean([np.sum((estimate - exact) ** 2) for estimate in found])
    assert variance == pytest.approx(sketch_variance(kind, x, y, 3), rel=1e-12)


@pytest.mark.parametrize("kind", ["rows", "dct", "fold"])
def test_as_many_rows_as_there_are_give_no_error(kind):
    x, y = factors(rows=7)
    sketch = Sketch(kind, 7, 7, seed=3)
    np.testing.assert_allclose(sketch.project(y).T @ sketch.project(x), y.T @ x, rtol=1e-12, atol=1e-13)
    assert sketch_variance(kind, x, y, 7) == 0.0


@pytest.mark.parametrize("kind", ["gaussian", "rademacher", "rows with replacement"])
def test_independent_draws_have_an_error_even_then(kind):
    x, y = factors(rows=7)
    sketch = Sketch(kind, 7, 7, seed=3)
    assert np.linalg.norm(sketch.project(y).T @ sketch.project(x) - y.T @ x) > 0.1
    assert sketch_variance(kind, x, y, 7) > 0.1


@pytest.mark.parametrize(
    ("rows", "size", "probability"), [(6, 3, 1 / 5), (6, 6, 0.0), (6, 1, 1.0), (5, 2, 0.4), (1, 1, 0)]
)
def test_how_likely_two_rows_share_a_bucket(rows, size, probability):
    assert collision_probability(rows, size) == pytest.approx(probability, rel=1e-12)


def test_published_examples():
    x, y = [[1.0], [2.0]], [[3.0], [1.0]]
    assert sketch_variance("rademacher", x, y, 1) == 49.0
    assert sketch_variance("rows", x, y, 1) == 1.0
    alone = [[1.0], [0.0]]
    assert sketch_variance("fold", alone, alone, 1) == 0.0
    assert sketch_variance("rows", alone, alone, 1) == 1.0


# --- drawn

DRAWS = 20_000


def drawn(kind, rows=16, size=6, seed=0):
    """Estimates for inputs and gradients that agree well enough for a bias of 2 % to stand out."""
    x, y = factors(rows, 5, 4, seed=5)
    y = x @ np.random.default_rng(6).normal(size=(5, 4)) + 0.3 * y
    first = 1_000_003 * seed
    found = (Sketch(kind, rows, size, first + k) for k in range(DRAWS))
    return x, y, np.array([s.project(y).T @ s.project(x) for s in found])


@pytest.fixture(scope="module", params=KINDS)
def sample(request):
    return request.param, *drawn(request.param)


def z_of_slope(estimates, exact):
    """How many standard errors the regression of the mean estimate on the exact product is away from slope 1."""
    slopes = np.sum(estimates * exact, axis=(1, 2)) / np.sum(exact * exact)
    return (slopes.mean() - 1) / (slopes.std(ddof=1) / math.sqrt(len(slopes)))


def test_drawn_estimates_have_slope_one(sample):
    _, x, y, estimates = sample
    assert abs(z_of_slope(estimates, y.T @ x)) < 4.5


def test_a_bias_of_two_per_cent_would_be_caught(sample):
    _, x, y, estimates = sample
    assert abs(z_of_slope(1.02 * estimates, y.T @ x)) > 4.5
    assert abs(z_of_slope(0.98 * estimates, y.T @ x)) > 4.5


def test_every_entry_is_right_on_average(sample):
    _, x, y, estimates = sample
    z = (estimates.mean(axis=0) - y.T @ x) / (estimates.std(axis=0, ddof=1) / math.sqrt(len(estimates)))
    assert np.abs(z).max() < 4.5


def test_drawn_variance_is_the_formula(sample):
    kind, x, y, estimates = sample
    squares = np.sum((estimates - y.T @ x) ** 2, axis=(1, 2))
    error = squares.std(ddof=1) / math.sqrt(len(squares))
    assert abs(squares.mean() - sketch_variance(kind, x, y, 6)) < 4.5 * error
    assert error < 0.03 * squares.mean()


def test_errors_of_successive_seeds_are_independent(sample):
    _, x, y, estimates = sample
    along = np.sum((estimates - y.T @ x) * (y.T @ x), axis=(1, 2))
    assert abs(np.corrcoef(along[:-1], along[1:])[0, 1]) < 4.5 / math.sqrt(len(along))


@pytest.mark.parametrize("kind", KINDS)
def test_the_mean_of_s_st_is_the_identity(kind):
    total = sum(s @ s.T for s in (Sketch(kind, 5, 2, seed).matrix() for seed in range(4000))) / 4000
    np.testing.assert_allclose(total, np.eye(5), atol=4.5 * 2.2 / math.sqrt(4000))


# --- as an object


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_is_the_whole_sketch(kind):
    one, same, other = (Sketch(kind, 9, 4, seed) for seed in (7, 7, 8))
    a = np.random.default_rng(0).normal(size=(9, 3))
    np.testing.assert_array_equal(one.project(a), same.project(a))
    assert not np.array_equal(one.project(a), other.project(a))
    np.testing.assert_allclose(one.matrix().T @ a, one.project(a), rtol=1e-12, atol=1e-13)
    assert one.nbytes == 8


@pytest.mark.parametrize("kind", KINDS)
def test_single_precision_stays_single_and_nothing_is_written_into(kind):
    a = np.random.default_rng(0).normal(size=(9, 3)).astype(np.float32)
    before = a.copy()
    projected = Sketch(kind, 9, 4, 0).project(a)
    assert projected.dtype == np.float32
    assert projected.shape == (4, 3)
    np.testing.assert_array_equal(a, before)


@pytest.mark.parametrize("kind", KINDS)
def test_strided_matrices_will_do(kind):
    a = np.random.default_rng(0).normal(size=(3, 18)).T
    sketch = Sketch(kind, 9, 4, 0)
    np.testing.assert_allclose(sketch.project(a[::2]), sketch.project(a[::2].copy()), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(("rate", "rows", "size"), [(0.2, 2048, 409), (0.29, 100, 29), (1.0, 7, 7), (0.01, 5, 1)])
def test_size_is_rounded_down_and_at_least_one(rate, rows, size):
    assert sketch_size(rate, rows) == size


@pytest.mark.parametrize("rate", [0.0, -0.1, 1.01, math.nan])
def test_impossible_rates_are_refused(rate):
    with pytest.raises(ValueError, match="above 0 and at most 1"):
        sketch_size(rate, 10)


def test_a_sketch_larger_than_the_batch_is_refused():
    with pytest.raises(ValueError, match="more memory than what it summarises"):
        Sketch("fold", 8, 9, 0)
    with pytest.raises(ValueError, match="between 1 and 8"):
        sketch_variance("fold", np.ones((8, 2)), np.ones((8, 1)), 9)
    with pytest.raises(ValueError, match="there is no sketch 'gauss'; there are gaussian"):
        Sketch("gauss", 8, 4, 0)


def test_wrong_matrices_get_advice():
    with pytest.raises(ValueError, match="a matrix of 8 rows, got shape"):
        Sketch("fold", 8, 4, 0).project(np.ones((7, 2)))
    with pytest.raises(TypeError, match=r"a\.astype\(float\)"):
        Sketch("fold", 8, 4, 0).project(np.ones((8, 2), int))
    with pytest.raises(ValueError, match="one row per example each, got 3 and 4"):
        moments(np.ones((3, 2)), np.ones((4, 2)))
    with pytest.raises(ValueError, match="y holds NaN or infinity"):
        moments(np.ones((3, 2)), np.full((3, 2), np.nan))
    with pytest.raises(ValueError, match="a row per example"):
        moments(np.ones(3), np.ones((3, 2)))
    with pytest.raises(TypeError, match="real numbers"):
        moments(np.ones((3, 2), complex), np.ones((3, 2)))
