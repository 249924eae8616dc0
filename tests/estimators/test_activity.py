"""Perturbing activities: the mean is the gradient, and the variance is that of the closed forms."""

from functools import partial
from itertools import product

import numpy as np
import pytest
from averages import WORLD, largest_z

from coursepkg import nn
from coursepkg.estimators import expectations, fill_by_activities


def one_layer(rng, rows=3, inputs=4, outputs=2):
    model = nn.Sequential(nn.Linear(inputs, outputs, rng=rng))
    return model, rng.normal(size=(rows, inputs)), rng.normal(size=(rows, outputs))


def exact(model, loss, x, y):
    model.zero_grad()
    loss(model(x), y).backward()
    found = [np.array(p.grad) for p in model.parameters()]
    model.zero_grad()
    return found


def squares(prediction, target, reduction="mean"):
    """Half the squared distance of each example."""
    each = np.sum((prediction - target) ** 2, axis=-1) / 2
    return each if reduction == "none" else np.mean(each)


def by_enumeration(x, delta, per_example):
    """Every estimate of the weight's gradient, over all signs; ``delta`` are the errors of the mean loss."""
    rows, outputs = delta.shape
    for bits in product((-1.0, 1.0), repeat=rows * outputs):
        e = np.reshape(bits, (rows, outputs))
        slopes = np.sum(delta * e, axis=1, keepdims=True) if per_example else np.sum(delta * e)
        yield (slopes * e).T @ x


@pytest.mark.parametrize("per_example", [True, False])
def test_over_all_signs_mean_and_variance_are_the_closed_forms(per_example):
    rng = np.random.default_rng(0)
    model, x, y = one_layer(rng)
    delta = (model(x).numpy() - y) / len(x)
    weight_gradient = exact(model, squares, x, y)[0]
    found = np.array(list(by_enumeration(x, delta, per_example)))
    np.testing.assert_allclose(found.mean(axis=0), weight_gradient, rtol=1e-12)
    variance = np.sum(found.var(axis=0))
    predicted = expectations.activity_variance(x, delta, per_example=per_example)
    assert variance == pytest.approx(predicted, rel=1e-12)


@pytest.mark.parametrize("per_example", [True, False])
@pytest.mark.parametrize("directions", ["rademacher", "gaussian"])
def test_drawn_estimates_have_the_mean_and_variance_of_the_closed_forms(per_example, directions):
    rng = np.random.default_rng(1)
    model, x, y = one_layer(rng, rows=8, inputs=5, outputs=3)
    delta, target = (model(x).numpy() - y) / len(x), exact(model, squares, x, y)[0]
    fill = partial(fill_by_activities, model, squares, x, y, directions=directions, per_example=per_example, rng=rng)
    samples = []
    for _ in range(6000):
        fill()
        samples.append(model[0].weight.grad)
    samples = np.array(samples).reshape(6000, -1)
    assert largest_z(samples, target.reshape(-1)) < WORLD
    squared = np.sum((samples - target.reshape(-1)) ** 2, axis=1, keepdims=True)
    predicted = expectations.activity_variance(x, delta, per_example=per_example, directions=directions)
    assert largest_z(squared, [predicted]) < WORLD


def test_layers_share_one_slope_and_the_noise_of_each_holds_the_errors_of_all():
    rng = np.random.default_rng(2)
    model = nn.Sequential(nn.Linear(4, 3, rng=rng), np.tanh, nn.Linear(3, 2, rng=rng))
    x, y = rng.normal(size=(5, 4)), rng.normal(size=(5, 2))
    hidden = np.tanh(model[0](x).numpy())
    last = (model(x).numpy() - y) / 5
    first = (last @ model[2].weight.data) * (1 - hidden**2)
    target = exact(model, squares, x, y)[0]
    samples = []
    for _ in range(6000):
        fill_by_activities(model, squares, x, y, rng=rng)
        samples.append(model[0].weight.grad)
    samples = np.array(samples).reshape(6000, -1)
    assert largest_z(samples, target.reshape(-1)) < WORLD
    squared = np.sum((samples - target.reshape(-1)) ** 2, axis=1, keepdims=True)
    assert largest_z(squared, [expectations.activity_variance(x, first, others=[last])]) < WORLD


def test_a_bias_of_two_per_cent_would_be_seen():
    rng = np.random.default_rng(3)
    model, x, y = one_layer(rng, rows=64, inputs=3, outputs=2)
    target = exact(model, squares, x, y)[0]
    regression = []
    for _ in range(8000):
        fill_by_activities(model, squares, x, y, rng=rng)
        regression.append(np.sum(model[0].weight.grad * target) / np.sum(target**2))
    regression = np.array(regression)[:, None]
    assert largest_z(regression, [1.0]) < WORLD
    for bias in (0.98, 1.02):
        assert largest_z(bias * regression, [1.0]) > WORLD


def test_convolutions_and_nested_parts_are_perturbed_too():
    rng = np.random.default_rng(4)
    features = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1, rng=rng), nn.ReLU(), nn.MaxPool2d(2))
    model = nn.Sequential(features, nn.Flatten(), nn.Linear(8, 3, rng=rng))
    x, y = rng.normal(size=(6, 1, 4, 4)), rng.integers(0, 3, 6)
    target = np.concatenate([g.reshape(-1) for g in exact(model, nn.cross_entropy, x, y)])
    samples = []
    for _ in range(2000):
        loss, output = fill_by_activities(model, nn.cross_entropy, x, y, rng=rng)
        samples.append(np.concatenate([p.grad.reshape(-1) for p in model.parameters()]))
    assert largest_z(np.array(samples), target) < WORLD
    np.testing.assert_allclose(output, model(x).numpy(), rtol=1e-12)
    assert loss == pytest.approx(nn.cross_entropy(output, y), rel=1e-12)


def test_what_does_not_fit_gets_advice():
    rng = np.random.default_rng(0)
    model, x, y = one_layer(rng)
    with pytest.raises(ValueError, match="'rademacher' or 'gaussian' numbers, got 'sphere'"):
        fill_by_activities(model, squares, x, y, directions="sphere", rng=rng)
    with pytest.raises(TypeError, match="For any other model perturb the weights: fill_gradients"):
        fill_by_activities(model[0], squares, x, y, rng=rng)
    with pytest.raises(TypeError, match="Generator"):
        fill_by_activities(model, squares, x, y, rng=None)
