"""Backpropagation through time and its relatives: what is exact, what is cut off, and what is right on average."""

import numpy as np
import pytest

from coursepkg import nn
from coursepkg.autodiff.scalar import Scalar
from coursepkg.nn.recurrent import bptt, chunked_bptt, randomised_bptt, rtrl, truncated_bptt
from coursepkg.nn.recurrent.cells import rnn_step

LAYERS = {
    "RNN": lambda rng: nn.RNN(2, 3, rng=rng),
    "ReLU RNN": lambda rng: nn.RNN(2, 3, nonlinearity="relu", rng=rng),
    "LSTM": lambda rng: nn.LSTM(2, 3, rng=rng),
    "GRU": lambda rng: nn.GRU(2, 3, rng=rng),
    "GRU without biases": lambda rng: nn.GRU(2, 3, bias=False, rng=rng),
}
every_layer = pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)


def problem(make, steps=12, seed=0):
    rng = np.random.default_rng(seed)
    layer = make(rng)
    x, weights = rng.normal(size=(steps, 4, 2)), rng.normal(size=(steps, 4, 3))
    return layer, x, lambda t, h: np.sum(weights[t] * h * h)


def flat(gradients):
    return np.concatenate([g.ravel() for g in gradients.values()])


def error(found, exact):
    return np.linalg.norm(flat(found) - flat(exact)) / np.linalg.norm(flat(exact))


@every_layer
def test_real_time_recurrent_learning_finds_the_same_gradient_going_forward(make):
    layer, x, loss = problem(make)
    exact = bptt(layer, x, loss)
    forward = rtrl(layer, x, loss)
    assert list(exact) == list(forward)
    for name, gradient in exact.items():
        assert np.abs(gradient).max() > 0.01
        np.testing.assert_allclose(forward[name], gradient, rtol=1e-10, atol=1e-12)


@every_layer
def test_the_gradient_is_the_slope_of_the_loss(make):
    layer, x, loss = problem(make, steps=6)
    found = bptt(layer, x, loss)
    for name, direction in ((n, np.random.default_rng(1).normal(size=g.shape)) for n, g in found.items()):
        values = layer.state_dict()

        def at(step, name=name, direction=direction, values=values):
            moved = values | {name: values[name] + step * direction}
            output, _ = nn.functional_call(layer, moved, x)
            return sum(loss(t, h) for t, h in enumerate(output))

        slope = (at(1e-5) - at(-1e-5)) / 2e-5
        assert np.sum(found[name] * direction) == pytest.approx(slope, rel=1e-6)


@every_layer
@pytest.mark.parametrize("window", [12, 40])
def test_a_window_as_long_as_the_sequence_is_exact(make, window):
    layer, x, loss = problem(make)
    assert error(truncated_bptt(layer, x, loss, window=window), bptt(layer, x, loss)) < 1e-12
    assert error(chunked_bptt(layer, x, loss, size=window), bptt(layer, x, loss)) < 1e-12


def test_wider_windows_are_better_on_average():
    windows = (1, 2, 3, 5, 8, 12)
    errors = np.zeros(len(windows))
    for seed in range(10):
        layer, x, loss = problem(LAYERS["RNN"], seed=seed)
        exact = bptt(layer, x, loss)
        errors += [error(truncated_bptt(layer, x, loss, window=k), exact) / 10 for k in windows]
    assert (np.diff(errors) < 0).all()
    assert errors[0] > 0.1


def test_a_window_of_one_sees_only_the_weight_of_that_step():
    layer, x, loss = problem(LAYERS["RNN"], steps=5)
    states = np.concatenate([np.zeros((1, 4, 3)), layer(x)[0].numpy()])
    weights = {name: tensor.numpy() for name, tensor in layer.weights().items()}
    expected = np.zeros((3, 3))
    for t in range(5):
        h = states[t + 1]
        probe = np.stack([loss(t, h + 1e-6 * e) - loss(t, h - 1e-6 * e) for e in np.eye(12).reshape(12, 4, 3)])
        expected += (probe.reshape(4, 3) / 2e-6 * (1 - h * h)).T @ states[t]
    found = truncated_bptt(layer, x, loss, window=1)["weight_hh_l0"]
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-8)
    assert weights["weight_hh"].shape == found.shape


@every_layer
def test_chunks_carry_the_value_but_not_the_gradient(make):
    layer, x, loss = problem(make)
    found = chunked_bptt(layer, x, loss, size=4)
    expected = 0.0
    state = None
    for start in (0, 4, 8):
        layer.zero_grad()
        output, state = layer(x[start : start + 4], state)
        sum(loss(start + k, output[k]) for k in range(4)).backward()
        expected = expected + np.concatenate([p.grad.ravel() for p in layer.parameters()])
        state = tuple(s.detach() for s in state) if isinstance(state, tuple) else state.detach()
    np.testing.assert_allclose(flat(found), expected, rtol=1e-11)
    assert error(found, bptt(layer, x, loss)) > 1e-3


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_random_truncation_is_right_on_average_and_a_fixed_window_is_not(kind):
    layer, x, loss = problem(LAYERS[kind], steps=5)
    exact = flat(bptt(layer, x, loss))
    rng = np.random.default_rng(2)
    drawn = np.stack([flat(randomised_bptt(layer, x, loss, keep=0.6, rng=rng)) for _ in range(700)])
    deviation = (drawn.mean(axis=0) - exact) / (drawn.std(axis=0, ddof=1) / np.sqrt(len(drawn)) + 1e-12)
    assert np.abs(deviation).max() < 5.0
    fixed = flat(truncated_bptt(layer, x, loss, window=2))
    biased = (fixed - exact) / (drawn.std(axis=0, ddof=1) / np.sqrt(len(drawn)) + 1e-12)
    assert np.abs(biased).max() > 5.0


def test_keeping_every_gradient_is_full_backpropagation():
    layer, x, loss = problem(LAYERS["LSTM"])
    found = randomised_bptt(layer, x, loss, keep=1.0, rng=np.random.default_rng(0))
    assert error(found, bptt(layer, x, loss)) < 1e-12


def test_a_shared_weight_gets_the_sum_over_its_untied_copies():
    rng = np.random.default_rng(7)
    x, w, u = rng.normal(size=(6, 2)), 0.8, rng.normal(size=2)
    copies, shared = [Scalar(w) for _ in range(6)], Scalar(w)
    for weights in (copies, [shared] * 6):
        h = Scalar(0.3)
        for t in range(6):
            h = (weights[t] * h + float(u @ x[t])).tanh()
        (h * h).backward()
    assert len({round(c.grad, 6) for c in copies}) == 6
    assert sum(c.grad for c in copies) == pytest.approx(shared.grad, rel=1e-12)


def test_hand_numbers_of_the_two_step_net():
    """w = 0.5, u = 1, v = 2, x = (1, 0.5), t = 1, E = (y - t)^2 / 2, with and without a starting state."""
    for start, expected in ((0.8, (0.420636, 0.263198, 0.023390)), (0.0, (0.315280, 0.293916, None))):
        w, u, h0 = Scalar(0.5), Scalar(1.0), Scalar(start)
        h = h0
        for x in (1.0, 0.5):
            h = (w * h + u * x).tanh()
        error_ = 2 * h - 1.0
        (error_ * error_ * 0.5).backward()
        assert w.grad == pytest.approx(expected[0], abs=1e-6)
        assert u.grad == pytest.approx(expected[1], abs=1e-6)
        if expected[2]:
            assert h0.grad == pytest.approx(expected[2], abs=1e-6)


def test_routes_refuse_what_they_cannot_do():
    layer, x, loss = problem(LAYERS["RNN"])
    for window in (0, -1, 2.5, True):
        with pytest.raises(ValueError, match="whole number of at least 1"):
            truncated_bptt(layer, x, loss, window=window)
    with pytest.raises(ValueError, match="above 0 and at most 1"):
        randomised_bptt(layer, x, loss, keep=0.0, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="single layer"):
        rtrl(nn.RNN(2, 3, 2, rng=np.random.default_rng(0)), x, loss)


def test_a_step_runs_on_plain_arrays():
    x, w, u, b = np.array([[0.5]]), np.array([[1.0, -0.4]]), np.array([[0.0, 1.0], [2.0, 0.0]]), np.array([0.1, 0.2])
    (h,) = rnn_step(x, (np.array([[0.3, 0.4]]),), w, u, b)
    np.testing.assert_allclose(h, np.tanh([[0.5 + 0.8 + 0.1, -0.2 + 0.3 + 0.2]]), rtol=1e-15)
