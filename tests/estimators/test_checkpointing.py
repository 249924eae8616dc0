"""Checkpointing: the same gradient to the last bit, from less memory and one more forward pass."""

import numpy as np
import pytest

from coursepkg import gradients, nn
from coursepkg.autodiff.dispatch import plain
from coursepkg.autodiff.tensor import no_grad
from coursepkg.estimators import LeanReLU, checkpoint, in_segments, randomize
from coursepkg.estimators.memory import step_memory, tape_holdings


def deep(layers=8, width=6, dtype=np.float64, activation=nn.Tanh):
    rng, steps = np.random.default_rng(0), []
    for _ in range(layers):
        steps += [nn.Linear(width, width, rng=rng, dtype=dtype), activation()]
    return nn.Sequential(*steps)


def step(model, call, x, y):
    model.zero_grad()
    inputs = nn.Parameter(x)
    loss = nn.cross_entropy(call(inputs), y)
    loss.backward()
    return [loss.numpy(), inputs.grad, *(p.grad for p in model.parameters())]


def assert_same_bits(found, exact):
    assert len(found) == len(exact)
    for a, b in zip(found, exact, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("segments", [1, 2, 3, 5, 16])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_gradients_are_the_same_bits(segments, dtype):
    rng = np.random.default_rng(1)
    model, x, y = deep(dtype=dtype), rng.normal(size=(9, 6)).astype(dtype), rng.integers(0, 6, 9)
    exact = step(model, model, x, y)
    assert_same_bits(step(model, lambda inputs: in_segments(model, inputs, segments), x, y), exact)


def test_randomness_and_running_statistics_are_as_without():
    """Dropout drops the same entries in the second run, sketches are drawn with the same seeds, batches count once."""
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(9, 6)), rng.integers(0, 3, 9)

    def run(segments):
        own = np.random.default_rng(7)
        first, last = nn.Linear(6, 5, rng=own), nn.Linear(5, 3, rng=own)
        model = nn.Sequential(first, nn.Dropout(0.4, rng=own), nn.BatchNorm(5), LeanReLU(), last)
        randomize(model, rate=0.5, rng=own)
        results = [step(model, lambda inputs: in_segments(model, inputs, segments), x, y) for _ in range(2)]
        return results, [model[2].running_mean, model[2].num_batches_tracked], own.random()

    exact, statistics, drawn = run(1)
    assert not np.array_equal(exact[0][2], exact[1][2])
    for segments in (2, 3, 5):
        found, also, next_number = run(segments)
        for a, b in zip(found, exact, strict=True):
            assert_same_bits(a, b)
        assert_same_bits(also, statistics)
        assert next_number == drawn


def test_an_encoder_block_and_one_inside_another():
    rng = np.random.default_rng(3)
    block = nn.TransformerEncoderLayer(6, nhead=2, dim_feedforward=8, rng=rng)
    head = nn.Linear(6, 3, rng=rng)
    model = nn.Sequential(block, head)
    x, y = rng.normal(size=(2, 5, 6)), rng.integers(0, 3, (2, 5))
    exact = step(model, model, x, y)

    class Nested(nn.Module):
        def __init__(self):
            self.block = block

        def forward(self, x):
            return checkpoint(self.block, x)

    assert_same_bits(step(model, lambda inputs: head(checkpoint(block, inputs)), x, y), exact)
    assert_same_bits(step(model, lambda inputs: head(checkpoint(Nested(), inputs)), x, y), exact)


def test_integers_may_come_in():
    rng = np.random.default_rng(4)
    model = nn.Sequential(nn.Embedding(9, 4, rng=rng), nn.Tanh())
    words, g = rng.integers(0, 9, (5, 3)), rng.normal(size=(5, 3, 4))
    gradients = []
    for call in (model, lambda words: checkpoint(model, words)):
        model.zero_grad()
        np.sum(call(words) * g).backward()
        gradients.append(model[0].weight.grad)
    assert_same_bits(gradients[1:], gradients[:1])


def test_a_module_used_twice_adds_up_and_a_second_pass_is_a_second_pass():
    rng = np.random.default_rng(5)
    model, x = deep(2), rng.normal(size=(4, 6))
    kept = None
    for call in (model, lambda inputs: checkpoint(model, inputs)):
        model.zero_grad()
        loss = np.sum(call(call(x)) ** 2)
        loss.backward(retain_graph=True)
        once = [p.grad.copy() for p in model.parameters()]
        loss.backward()
        for p, g in zip(model.parameters(), once, strict=True):
            np.testing.assert_allclose(p.grad, 2 * g, rtol=1e-12)
        kept = kept or once
        assert_same_bits(once, kept)


def test_the_tape_holds_the_inputs_of_segments_alone():
    rng = np.random.default_rng(6)
    model, x = deep(9, width=20), rng.normal(size=(50, 20))
    array = 50 * 20 * 8
    whole = tape_holdings(model, lambda: np.sum(model(x)), given=[x])
    cut = tape_holdings(model, lambda: np.sum(in_segments(model, x, 3)), given=[x])
    assert sum(h.own for h in whole) == 9 * array
    assert sum(h.own for h in cut) == (2 - 1 + 1 + 3) * array  # two later inputs and the last segment of three layers


def test_peak_memory_falls():
    rng = np.random.default_rng(7)
    model, x = deep(16, width=32), rng.normal(size=(4000, 32))
    whole = step_memory(model, lambda: np.mean(model(x)))
    cut = step_memory(model, lambda: np.mean(in_segments(model, x, 4)))
    assert cut.held < 0.55 * whole.held
    assert cut.peak < 0.75 * whole.peak


def test_what_is_not_recorded_is_passed_on():
    rng = np.random.default_rng(8)
    model, x = deep(2), rng.normal(size=(4, 6))
    cut, whole = (lambda x, call=call: np.sum(call(model, x) ** 2) for call in (checkpoint, lambda m, x: m(x)))
    for route in (gradients.forward, gradients.reverse):
        np.testing.assert_allclose(plain(route(cut)(x)), plain(route(whole)(x)), rtol=1e-12)
    with no_grad():
        assert not checkpoint(model, x).requires_grad


def test_second_derivatives_go_through():
    rng = np.random.default_rng(9)
    model, x, g = deep(2), rng.normal(size=(4, 6)), rng.normal(size=(4, 6))
    found = []
    for call in (model, lambda inputs: checkpoint(model, inputs)):
        model.zero_grad()
        inputs = nn.Parameter(x)
        np.sum(call(inputs) * g).backward(create_graph=True)
        slope = np.sum(inputs.grad**3)
        model.zero_grad()
        slope.backward()
        found.append([p.grad for p in model.parameters()])
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10)


def test_wrong_use_gets_advice():
    model, x = deep(2), np.ones((4, 6))
    for segments in (0, 5):
        with pytest.raises(ValueError, match="4 steps can be cut into 1 to 4 segments"):
            in_segments(model, x, segments)
