"""Directions of rank one: unbiased with the variance of full signs, one flat pass, and a gradient in factors."""

import tracemalloc
from itertools import product

import numpy as np
import pytest
from averages import WORLD, largest_z

from coursepkg import gradients, nn, optimizers
from coursepkg.estimators import fill_by_rank_one
from coursepkg.estimators.rank_one import rank_one


def network(rng, dtype=np.float64):
    return nn.Sequential(
        nn.Linear(5, 7, rng=rng, dtype=dtype), nn.ReLU(), nn.Linear(7, 4, rng=rng, dtype=dtype), np.tanh,
        nn.Linear(4, 3, bias=False, rng=rng, dtype=dtype),
    )  # fmt: skip


def batch(rng, n=6, dtype=np.float64):
    return rng.normal(size=(n, 5)).astype(dtype), rng.integers(0, 3, n)


def dense(found):
    """The directions written out: per parameter an array (K, *shape)."""
    directions = {}
    for number, (layer, b, a, c) in zip((0, 2, 4), found.factors, strict=True):
        rank = b.shape[1]
        directions[f"{number}.weight"] = np.einsum("kri,krj->kij", b, a) / np.sqrt(rank)
        if layer.bias is not None:
            directions[f"{number}.bias"] = c
    return directions


@pytest.mark.parametrize(("count", "rank"), [(1, 1), (3, 1), (1, 4), (2, 3)])
def test_slopes_and_gradient_are_those_of_the_directions_written_out(count, rank):
    rng = np.random.default_rng(0)
    model, (x, y) = network(rng), batch(rng)
    found = rank_one(model, nn.cross_entropy, x, y, count=count, rank=rank, rng=rng)
    point = {name: p.data for name, p in model.named_parameters()}
    value, slopes = gradients.jvps(lambda p: nn.cross_entropy(nn.functional_call(model, p, x), y), point, dense(found))
    assert found.loss == pytest.approx(value, rel=1e-12)
    np.testing.assert_allclose(found.slopes, slopes, rtol=1e-10)
    np.testing.assert_allclose(found.output, model(x).numpy(), rtol=1e-12)
    found.fill()
    for name, parameter in model.named_parameters():
        expected = np.tensordot(slopes, dense(found)[name], 1) / count
        np.testing.assert_allclose(parameter.grad, expected, rtol=1e-10, err_msg=name)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_descending_by_factors_is_the_step_of_gradient_descent(dtype, order):
    rng = np.random.default_rng(1)
    model, (x, y) = network(rng, dtype), batch(rng, dtype=dtype)
    for parameter in model.parameters():  # an optimizer leaves weights in either order
        parameter.data = np.array(parameter.data, order=order)
    views = [p.data for p in model.parameters()]
    before = model.state_dict()
    found = rank_one(model, nn.cross_entropy, x, y, count=2, rank=2, rng=rng)
    found.fill()
    found.descend(0.3)
    for name, parameter in model.named_parameters():
        expected = before[name] - 0.3 * parameter.grad
        rounding = np.finfo(dtype).eps * np.abs(before[name]).max()
        np.testing.assert_allclose(parameter.data, expected, rtol=8 * np.finfo(dtype).eps, atol=2 * rounding)
        assert parameter.dtype == dtype
        assert parameter.data.flags[f"{order}_CONTIGUOUS"]
    for view, old in zip(views, before.values(), strict=True):
        np.testing.assert_array_equal(view, old)  # what was handed out does not change under its reader


def test_a_record_made_before_the_step_keeps_its_weights():
    rng = np.random.default_rng(1)
    model, (x, y) = network(rng), batch(rng)
    loss = nn.cross_entropy(model(x), y)
    loss.backward(retain_graph=True)
    before = [p.grad.copy() for p in model.parameters()]
    rank_one(model, nn.cross_entropy, x, y, rng=rng).descend(0.3)
    model.zero_grad()
    loss.backward()
    for parameter, grad in zip(model.parameters(), before, strict=True):
        np.testing.assert_array_equal(parameter.grad, grad)


def test_half_precision_descends_too():
    """BLAS has no half precision and works on a wider copy, whose result must come back into the weights."""
    rng = np.random.default_rng(1)
    model, x = nn.Sequential(nn.Linear(5, 4, rng=rng, dtype=np.float16)), rng.normal(size=(6, 5)).astype(np.float16)
    weight = model[0].weight
    before = np.array(weight.data)
    found = rank_one(model, nn.mse_loss, x, rng.normal(size=(6, 4)).astype(np.float16), rng=rng)
    found.fill()
    found.descend(0.25)
    assert weight.dtype == np.float16
    assert np.all(weight.data != before)
    np.testing.assert_allclose(weight.data, before - 0.25 * weight.grad, rtol=2e-3, atol=2e-3)


def test_over_all_signs_the_mean_is_the_gradient_and_the_length_that_of_full_signs():
    """E8: enumerate every a and b for a 3 by 4 weight, then for two layers at once."""
    G = np.random.default_rng(2).normal(size=(3, 4))
    signs_b, signs_a = (np.array(list(product((-1.0, 1.0), repeat=n))) for n in (3, 4))
    v = np.einsum("pi,qj->pqij", signs_b, signs_a).reshape(-1, 3, 4)
    g = np.sum(v * G, axis=(1, 2))[:, None, None] * v
    np.testing.assert_allclose(g.mean(axis=0), G, rtol=1e-12)
    assert np.mean(np.sum(g**2, axis=(1, 2))) == pytest.approx(12 * np.sum(G**2), rel=1e-12)


def test_the_tails_are_heavier_and_a_higher_rank_brings_them_back():
    """For a gradient u wᵀ with flat u and w the kurtosis of the slope is (3 − 2/m)(3 − 2/n)."""
    m, n = 3, 4
    slopes = np.array([np.sum(b) * np.sum(a) for b in product((-1, 1), repeat=m) for a in product((-1, 1), repeat=n)])
    kurtosis = np.mean(slopes**4.0) / np.mean(slopes**2.0) ** 2
    assert kurtosis == pytest.approx((3 - 2 / m) * (3 - 2 / n), rel=1e-12)
    sums = np.add.outer(slopes, slopes).reshape(-1)
    assert np.mean(sums**4.0) / np.mean(sums**2.0) ** 2 == pytest.approx(3 + (kurtosis - 3) / 2, rel=1e-12)


def test_the_mean_of_many_is_the_gradient_of_backpropagation():
    rng = np.random.default_rng(3)
    model, (x, y) = network(rng), batch(rng)
    loss = nn.cross_entropy(model(x), y)
    loss.backward()
    exact = [np.array(p.grad) for p in model.parameters()]
    size = sum(np.sum(g**2) for g in exact)
    regression = []
    for _ in range(20):
        found = rank_one(model, nn.cross_entropy, x, y, count=2000, rng=rng)
        regression.append(found.slopes**2 / size)
    assert largest_z(np.concatenate(regression)[:, None], [1.0]) < WORLD


def peak_of_a_pass(depth, width=64, rows=512):
    rng = np.random.default_rng(0)
    layers = [nn.Linear(width, width, rng=rng) for _ in range(depth)]
    model = nn.Sequential(*(step for layer in layers for step in (layer, nn.ReLU())))
    x, y = rng.normal(size=(rows, width)), rng.integers(0, width, rows)
    rank_one(model, nn.cross_entropy, x, y, rng=rng)
    tracemalloc.start()
    try:
        rank_one(model, nn.cross_entropy, x, y, rng=rng)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_the_peak_does_not_grow_with_depth():
    """M1: between 4 and 32 layers the peak grows by less than one activation."""
    one_activation = 512 * 64 * 8
    assert peak_of_a_pass(32) - peak_of_a_pass(4) < one_activation


def test_any_optimizer_takes_the_filled_gradients():
    rng = np.random.default_rng(5)
    model, (x, y) = network(rng), batch(rng, n=40)
    optimizer = optimizers.Adam(model.parameters(), lr=0.01)
    losses = []
    for _ in range(150):
        loss, _ = fill_by_rank_one(model, nn.cross_entropy, x, y, count=8, rng=rng)
        optimizer.step()
        losses.append(float(loss))
    assert np.mean(losses[-10:]) < 0.8 * losses[0]


def test_models_that_do_not_fit_get_advice():
    rng = np.random.default_rng(0)
    x, y = batch(rng)
    with pytest.raises(TypeError, match=r"nn\.Sequential; got Linear"):
        rank_one(nn.Linear(5, 3, rng=rng), nn.cross_entropy, x, y, rng=rng)
    with pytest.raises(TypeError, match="LayerNorm has parameters, too; for this model use fill_gradients"):
        rank_one(nn.Sequential(nn.LayerNorm(5), nn.Linear(5, 3, rng=rng)), nn.cross_entropy, x, y, rng=rng)
    with pytest.raises(TypeError, match="no Linear layer"):
        rank_one(nn.Sequential(nn.ReLU()), nn.cross_entropy, x, y, rng=rng)
    with pytest.raises(ValueError, match=r"rows of 5 numbers, got an array of shape \(6, 4\)"):
        rank_one(network(rng), nn.cross_entropy, x[:, :4], y, rng=rng)
    with pytest.raises(ValueError, match="count=0"):
        rank_one(network(rng), nn.cross_entropy, x, y, count=0, rng=rng)
    with pytest.raises(TypeError, match="Generator"):
        rank_one(network(rng), nn.cross_entropy, x, y, rng=0)
