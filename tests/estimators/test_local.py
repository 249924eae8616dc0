"""Local losses: each block's mean is the gradient of its own loss, nothing flows between blocks, memory stays flat."""

import tracemalloc
from functools import partial

import numpy as np
import pytest
from averages import WORLD, largest_z

from coursepkg import nn, optimizers
from coursepkg.estimators import ForwardTrainer, LocalNetwork, fill_by_local_losses
from coursepkg.training import accuracy


def two_blocks(rng):
    blocks = [nn.Sequential(nn.Linear(4, 3, rng=rng), np.tanh), nn.Sequential(nn.Linear(3, 5, rng=rng), nn.ReLU())]
    return LocalNetwork(blocks, [3, 5], 2, rng=rng)


def local_gradients(model, x, y):
    """By backpropagation, cut between the blocks."""
    model.zero_grad()
    h = x
    for block, readout in zip(model.blocks, model.readouts, strict=True):
        out = block(h)
        nn.cross_entropy(readout(np.reshape(out, (len(x), -1))), y).backward()
        h = out.detach()
    found = [np.array(p.grad) for p in model.parameters()]
    model.zero_grad()
    return found


def test_the_mean_of_each_block_is_the_gradient_of_its_own_loss():
    rng = np.random.default_rng(0)
    model, x, y = two_blocks(rng), rng.normal(size=(6, 4)), rng.integers(0, 2, 6)
    target = np.concatenate([g.reshape(-1) for g in local_gradients(model, x, y)])
    samples = []
    for _ in range(1500):
        loss, output = fill_by_local_losses(model, nn.cross_entropy, x, y, rng=rng)
        samples.append(np.concatenate([p.grad.reshape(-1) for p in model.parameters()]))
    assert largest_z(np.array(samples), target) < WORLD
    np.testing.assert_allclose(output, model(x).numpy(), rtol=1e-12)
    assert float(loss) == pytest.approx(nn.cross_entropy(output, y), rel=1e-12)


def test_images_are_flattened_for_the_readouts_only():
    rng = np.random.default_rng(1)
    blocks = [
        nn.Sequential(nn.Conv2d(1, 2, 3, padding=1, rng=rng), nn.ReLU(), nn.MaxPool2d(2)),
        nn.Sequential(nn.Conv2d(2, 3, 3, padding=1, rng=rng), nn.ReLU()),
    ]
    model = LocalNetwork(blocks, [8, 12], 3, rng=rng)
    x, y = rng.normal(size=(5, 1, 4, 4)), rng.integers(0, 3, 5)
    target = np.concatenate([g.reshape(-1) for g in local_gradients(model, x, y)])
    samples = []
    for _ in range(800):
        fill_by_local_losses(model, nn.cross_entropy, x, y, rng=rng)
        samples.append(np.concatenate([p.grad.reshape(-1) for p in model.parameters()]))
    assert largest_z(np.array(samples), target) < WORLD


def test_it_trains_in_the_loop():
    rng = np.random.default_rng(2)
    model, x = two_blocks(rng), rng.normal(size=(200, 4))
    y = (x[:, 0] + x[:, 1] > x[:, 2]).astype(int)
    optimizer = optimizers.Adam(model.parameters(), lr=0.02)
    fill = partial(fill_by_local_losses, rng=rng)
    trainer = ForwardTrainer(model, nn.cross_entropy, optimizer, fill=fill, metric=accuracy)
    history = trainer.fit((x, y), epochs=40, batch_size=20, rng=rng)
    assert history.metric[-1] > 0.85
    assert trainer.evaluate((x, y)).metric > 0.85


def peak(depth, width=64, rows=512):
    rng = np.random.default_rng(0)
    blocks = [nn.Sequential(nn.Linear(width, width, rng=rng), nn.ReLU()) for _ in range(depth)]
    model = LocalNetwork(blocks, [width] * depth, 4, rng=rng)
    x, y = rng.normal(size=(rows, width)), rng.integers(0, 4, rows)
    fill_by_local_losses(model, nn.cross_entropy, x, y, rng=rng)
    tracemalloc.start()
    try:
        fill_by_local_losses(model, nn.cross_entropy, x, y, rng=rng)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_what_a_block_needed_is_forgotten_when_the_next_begins():
    """Between 2 and 12 blocks the peak grows by the gradients of the parameters and not by activations."""
    gradients_of_a_block = (64 * 64 + 64 + 4 * 64 + 4) * 8
    one_activation = 512 * 64 * 8
    assert peak(12) - peak(2) < 10 * gradients_of_a_block + one_activation


def test_what_does_not_fit_gets_advice():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="got 1 blocks, 2 widths"):
        LocalNetwork([nn.Sequential(nn.Linear(2, 2, rng=rng))], [2, 2], 2, rng=rng)
    with pytest.raises(TypeError, match="a LocalNetwork; got Linear"):
        fill_by_local_losses(nn.Linear(2, 2, rng=rng), nn.cross_entropy, np.ones((2, 2)), np.zeros(2, int), rng=rng)
    with pytest.raises(ValueError, match="got 'sphere'"):
        fill_by_local_losses(
            two_blocks(rng), nn.cross_entropy, np.ones((2, 4)), np.zeros(2, int), directions="sphere", rng=rng
        )
