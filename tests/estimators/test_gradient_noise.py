"""The noise of a batch beside the noise of a sketch: identities, what was published, and where that fails."""

import numpy as np
import pytest

from coursepkg import nn
from coursepkg.estimators.noise import gradient_noise, layer_noise, linear_traffic
from coursepkg.estimators.sketches import moments, sketch_variance


def factors(rows=12, n=3, m=5, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(rows, n)) + 0.3, rng.normal(size=(rows, m)) - 0.2


def test_sgd_variance_is_that_of_the_examples_gradients():
    x, y = factors()
    each = np.einsum("km,kn->kmn", y, x)
    spread = np.sum((each - each.mean(axis=0)) ** 2) / (len(x) - 1)
    assert gradient_noise(x, y, 4).sgd == pytest.approx(len(x) * spread, rel=1e-12)


def test_sgd_variance_is_estimated_without_bias():
    """Over all pairs drawn with replacement from four examples its mean is the true variance of the sum."""
    x, y = factors(rows=4)
    each = np.einsum("km,kn->kmn", y, x)
    pairs = [(i, j) for i in range(4) for j in range(4)]
    sums = np.array([each[i] + each[j] for i, j in pairs])
    true = np.mean(np.sum((sums - sums.mean(axis=0)) ** 2, axis=(1, 2)))
    found = np.mean([gradient_noise(x[[i, j]], y[[i, j]], 1, "rows").sgd for i, j in pairs])
    assert found == pytest.approx(true, rel=1e-12)


@pytest.mark.parametrize("size", [1, 3, 6, 12])
def test_dropping_rows_costs_exactly_the_noise_of_a_smaller_batch(size):
    x, y = factors()
    found = gradient_noise(x, y, size, "rows")
    assert found.sketch == pytest.approx((12 / size - 1) * found.sgd, rel=1e-12, abs=1e-12)
    assert found.equivalent_batch == pytest.approx(size, rel=1e-12)
    again = gradient_noise(x, y, size, "rows with replacement")
    assert again.sketch == pytest.approx(11 / size * again.sgd, rel=1e-12)
    assert again.share == pytest.approx(11 / (11 + size), rel=1e-12)


def test_alpha_and_the_moments_keep_their_bounds():
    for seed in range(200):
        x, y = factors(rows=2 + seed % 9, seed=seed)
        m = moments(x, y)
        assert 0 <= gradient_noise(x, y, 1).alpha <= 1
        assert m.together <= m.rows * m.paired * (1 + 1e-12)


def test_published_variance_has_the_wrong_sign_for_its_default_sketch():
    x, y = factors()
    found, m = gradient_noise(x, y, 4, "gaussian"), moments(x, y)
    assert found.sketch - found.published == pytest.approx(2 * m.together / 4, rel=1e-12)


def test_published_variance_is_that_of_rows_by_squared_length():
    """Rows drawn in proportion to ||x_k||^2, all pairs of rows enumerated."""
    x, y = factors(rows=3)
    p = np.sum(x * x, axis=1) / np.sum(x * x)
    exact, variance = y.T @ x, 0.0
    for i in range(3):
        for j in range(3):
            estimate = (np.outer(y[i], x[i]) / p[i] + np.outer(y[j], x[j]) / p[j]) / 2
            variance += p[i] * p[j] * np.sum((estimate - exact) ** 2)
    assert gradient_noise(x, y, 2).published == pytest.approx(variance, rel=1e-12)


COUNTEREXAMPLE = np.array([[1.1], [0.9]]), np.array([[0.9], [1.12]])


def test_the_published_bound_is_exceeded():
    found = gradient_noise(*COUNTEREXAMPLE, 1, "gaussian")
    assert found.alpha == pytest.approx(0.957, abs=5e-4)
    assert found.published_bound == pytest.approx(2.045, abs=5e-4)
    assert found.published_ratio == pytest.approx(549.6, rel=1e-3)
    assert found.sketch / found.sgd == pytest.approx(25192, rel=1e-3)


def test_with_second_moments_the_bound_holds_there_and_on_random_batches():
    batches = [factors(rows=2 + seed % 7, n=1 + seed % 3, m=1 + seed % 2, seed=seed) for seed in range(500)]
    for x, y in [COUNTEREXAMPLE, (np.ones((4, 2)), np.ones((4, 1))), *batches]:
        found = gradient_noise(x, y, 1, "gaussian")
        assert found.second_moment_ratio <= found.published_bound * (1 + 1e-12)


def test_one_is_no_lower_limit():
    """All the gradient in one row: the batch is as noisy as can be, and a fold does not care."""
    alone = np.array([[1.0], [0.0]])
    assert gradient_noise(alone, alone, 1).published_ratio == 0.0
    assert gradient_noise(alone, alone, 1).share == 0.0


def test_no_spread_from_a_single_example():
    with pytest.raises(ValueError, match="at least two examples"):
        gradient_noise([[1.0]], [[2.0]], 1)


# --- on a model


def model_and_run(activation=np.tanh):
    rng = np.random.default_rng(0)
    model = nn.Sequential(nn.Linear(4, 6, rng=rng), activation, nn.Linear(6, 3, bias=False, rng=rng))
    x, y = rng.normal(size=(2, 5, 4)), rng.integers(0, 3, (2, 5))
    return model, lambda: nn.cross_entropy(model(x), y)


def test_traffic_gives_back_the_weight_gradients():
    model, run = model_and_run()
    traffic = linear_traffic(model, run)
    assert all(p.grad is None for p in model.parameters())
    run().backward()
    assert list(traffic) == ["0", "2"]
    for name, (x, y) in traffic.items():
        assert len(x) == len(y) == 10
        np.testing.assert_allclose(y.T @ x, model[int(name)].weight.grad, rtol=1e-12, atol=1e-14)


def test_looking_leaves_the_model_as_it_was():
    model, run = model_and_run()
    before = run().item()
    linear_traffic(model, run)
    assert "forward" not in vars(model[0])
    with pytest.raises(ZeroDivisionError):
        linear_traffic(model, lambda: 1 / 0)
    assert "forward" not in vars(model[0])
    assert run().item() == before


def test_noise_layer_by_layer():
    model, run = model_and_run()
    found = layer_noise(model, run, rate=0.5, kind="gaussian")
    x, y = linear_traffic(model, run)["2"]
    assert found["2"].sketch == pytest.approx(sketch_variance("gaussian", x, y, 5), rel=1e-12)
    assert found["2"].size == 5


# --- several rows from each example


def sentences(n=5, words=3):
    """Rows of an example resemble each other."""
    rng = np.random.default_rng(3)
    x = np.repeat(rng.normal(size=(n, 1, 4)), words, axis=1) + 0.2 * rng.normal(size=(n, words, 4))
    y = np.repeat(rng.normal(size=(n, 1, 2)), words, axis=1) + 0.2 * rng.normal(size=(n, words, 2))
    return x, y


def test_noise_between_examples_is_the_spread_of_their_gradients():
    x, y = sentences()
    each = np.einsum("gtm,gtn->gmn", y, x)
    spread = np.sum((each - each.mean(axis=0)) ** 2) / (len(each) - 1)
    flat = x.reshape(15, 4), y.reshape(15, 2)
    found, rows = gradient_noise(*flat, 6, "rows", groups=5), gradient_noise(*flat, 6, "rows")
    assert found.sgd == pytest.approx(5 * spread, rel=1e-12)
    assert found.sgd > 2 * rows.sgd  # words of a sentence are no draws of their own
    assert found.sketch == rows.sketch
    assert found.published_sgd == rows.published_sgd == rows.sgd
    assert found.published_ratio == rows.published_ratio
    assert found.equivalent_batch == pytest.approx(5 * found.sgd / (found.sgd + found.sketch), rel=1e-12)


def test_one_row_per_example_is_the_default():
    x, y = factors(rows=12)
    assert gradient_noise(x, y, 4, groups=12).sgd == pytest.approx(gradient_noise(x, y, 4).sgd, rel=1e-12)
    assert gradient_noise(x, y, 4, groups=12).equivalent_batch == pytest.approx(
        gradient_noise(x, y, 4).equivalent_batch, rel=1e-12
    )


def test_noise_of_a_layer_counts_sentences_if_it_is_told_how_many():
    x, y = sentences()
    model = nn.Sequential(nn.Linear(4, 2, rng=np.random.default_rng(0)))
    run = lambda: nn.mse_loss(model(x), y)  # noqa: E731
    seen, g = linear_traffic(model, run)["0"]
    by_words, by_sentences = (layer_noise(model, run, rate=0.4, groups=groups)["0"] for groups in (None, 5))
    assert by_sentences.sgd == gradient_noise(seen, g, 6, groups=5).sgd > by_words.sgd > 0


def test_rows_that_cannot_be_dealt_out_are_refused():
    x, y = factors(rows=12)
    with pytest.raises(ValueError, match="12 rows cannot be dealt out evenly to 5 examples"):
        gradient_noise(x, y, 4, groups=5)
    with pytest.raises(ValueError, match="cannot be dealt out"):
        gradient_noise(x, y, 4, groups=0)
    with pytest.raises(ValueError, match="at least two examples"):
        gradient_noise(x, y, 4, groups=1)
