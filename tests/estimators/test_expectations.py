"""What is predicted of a forward gradient is what happens."""

import numpy as np
import pytest
from averages import WORLD, gauss_hermite, largest_z
from scipy import stats

from coursepkg.estimators import expectations, sample_directions


def cosines(d, count, directions, samples, rng):
    gradient = rng.normal(size=d)
    found = []
    for _ in range(samples):
        v = sample_directions(directions, d, count=count, rng=rng)
        g = (v @ gradient) @ v
        found.append(g @ gradient / np.linalg.norm(g) / np.linalg.norm(gradient))
    return np.array(found)


@pytest.mark.parametrize(
    ("d", "count", "directions"), [(20, 1, "gaussian"), (20, 5, "gaussian"), (12, 20, "gaussian"),
                                   (20, 5, "orthonormal"), (300, 3, "orthonormal")],
)  # fmt: skip
def test_the_squared_cosine_is_beta_distributed(d, count, directions):
    found = cosines(d, count, directions, 5000, np.random.default_rng(0))
    a, b = expectations.beta_of_squared_cosine(d, count, directions)
    assert stats.kstest(found**2, stats.beta(a, b).cdf).pvalue > 1e-4
    assert largest_z(found[:, None] ** 2, [expectations.expected_squared_cosine(d, count, directions)]) < WORLD
    assert largest_z(found[:, None], [expectations.expected_cosine(d, count, directions)]) < WORLD
    c = np.linspace(0.01, 0.99, 25)
    np.testing.assert_allclose(
        expectations.cosine_density(c, d, count, directions), 2 * c * stats.beta(a, b).pdf(c**2), rtol=1e-9
    )
    # The same test notices a formula that is off by one direction.
    wrong_a, wrong_b = expectations.beta_of_squared_cosine(d, count + 1, directions)
    assert stats.kstest(found**2, stats.beta(wrong_a, wrong_b).cdf).pvalue < 1e-4


def test_orthonormal_directions_are_exact_at_d_and_plain_averages_are_not():
    assert expectations.expected_cosine(20, 20, "orthonormal") == 1.0
    assert expectations.expected_squared_cosine(20, 20, "orthonormal") == 1.0
    assert expectations.noise_ratio(20, 20, "coordinate") == 0.0
    assert expectations.expected_squared_cosine(20, 20) == pytest.approx(20 / 39, rel=1e-12)


def test_for_large_d_the_cosine_is_that_of_the_rule_of_thumb():
    assert expectations.expected_cosine(10**6) == pytest.approx(np.sqrt(2 / (np.pi * 10**6)), rel=1e-5)


@pytest.mark.parametrize(("d", "wish"), [(7, 0.3), (1000, 0.5), (123, 0.9)])
@pytest.mark.parametrize("directions", ["gaussian", "orthonormal"])
def test_the_number_of_directions_needed_is_the_smallest_that_does(d, wish, directions):
    count = expectations.directions_needed(d, wish, directions)
    assert expectations.expected_squared_cosine(d, count, directions) >= wish * (1 - 1e-12)
    if count > 1:
        assert expectations.expected_squared_cosine(d, count - 1, directions) < wish


@pytest.mark.parametrize("directions", ["gaussian", "rademacher", "sphere"])
@pytest.mark.parametrize("relative", [1.0, 1.9, 2.2])
def test_steps_on_the_bowl_shrink_or_grow_as_predicted(directions, relative):
    """S4, at η (1 + noise) = 1, 1.9 and 2.2; the last one is beyond what is stable."""
    d, rng = 20, np.random.default_rng(1)
    lr = relative / expectations.squared_length_ratio(d, directions=directions)
    theta = rng.normal(size=d)
    v = sample_directions(directions, d, count=40_000, rng=rng)
    after = theta - lr * (v @ theta)[:, None] * v
    ratio = np.sum(after**2, axis=1, keepdims=True) / np.sum(theta**2)
    assert largest_z(ratio, [expectations.contraction(lr, d, directions=directions)]) < WORLD
    assert (expectations.contraction(lr, d, directions=directions) < 1.0) == (relative < 2.0)


def test_one_step_on_any_quadratic_is_exact_for_gaussian_directions():
    """E f(θ − η g) = f − η‖∇f‖² + η²/2 (‖∇f‖² tr H + 2 ∇fᵀ H ∇f), by Gauss-Hermite points."""
    rng = np.random.default_rng(2)
    A = rng.normal(size=(5, 4))
    H, gradient, lr = A.T @ A, rng.normal(size=4), 0.1
    points, weights = gauss_hermite(4)
    g = (points @ gradient)[:, None] * points
    change = -lr * g @ gradient + lr**2 / 2 * np.einsum("ni,ij,nj->n", g, H, g)
    expected = expectations.change_of_a_step(gradient, H, lr, "gaussian")
    assert weights @ change == pytest.approx(expected, rel=1e-12)


def test_one_step_on_any_quadratic_is_exact_for_signs():
    rng = np.random.default_rng(3)
    A = rng.normal(size=(5, 4))
    H, gradient, lr = A.T @ A, rng.normal(size=4), 0.1
    v = np.array(np.meshgrid(*[(-1.0, 1.0)] * 4)).reshape(4, -1).T
    g = (v @ gradient)[:, None] * v
    change = -lr * g @ gradient + lr**2 / 2 * np.einsum("ni,ij,nj->n", g, H, g)
    assert np.mean(change) == pytest.approx(expectations.change_of_a_step(gradient, H, lr), rel=1e-12)


def test_the_predicted_number_of_steps_is_what_a_walk_takes():
    d, rng = 50, np.random.default_rng(4)
    steps, rate = expectations.slowdown(d, 0.01, directions="gaussian")
    assert rate == pytest.approx(1 - 1 / (d + 2), rel=1e-12)
    theta = rng.normal(size=(2000, d))
    start, lr = np.mean(np.sum(theta**2, axis=1)), expectations.best_lr(d, directions="gaussian")
    for _ in range(round(steps)):
        v = rng.normal(size=theta.shape)
        theta -= lr * np.sum(v * theta, axis=1, keepdims=True) * v
    # The mean square of a product of random factors has heavy tails, hence only a tenth.
    assert np.mean(np.sum(theta**2, axis=1)) / start == pytest.approx(0.01, rel=0.1)


def test_exact_directions_need_one_step():
    assert expectations.slowdown(6, 0.01, 6, "orthonormal") == (1.0, 0.0)


def test_impossible_questions_get_advice():
    with pytest.raises(ValueError, match="at least 1; got 0"):
        expectations.noise_ratio(0)
    with pytest.raises(ValueError, match="only 5 coordinate directions"):
        expectations.noise_ratio(5, 6, "coordinate")
    with pytest.raises(ValueError, match="depends on the gradient"):
        expectations.expected_cosine(5, directions="rademacher")
    with pytest.raises(ValueError, match=r"between 0 and 1, got 1\.0"):
        expectations.directions_needed(5, 1.0)
    with pytest.raises(ValueError, match="between 0 and 1; got 2"):
        expectations.slowdown(5, 2)
    with pytest.raises(ValueError, match="must be one of"):
        expectations.squared_length_ratio(5, directions="random")
