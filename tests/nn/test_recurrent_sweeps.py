"""The hand-written sweeps are entries of the table: adjoint to forward mode, and the slopes of the function."""

import numpy as np
import pytest

from coursepkg.autodiff.entry_checks import prepare, problems_of, second_order_problems
from coursepkg.autodiff.reverse_mode import vjp
from coursepkg.autodiff.table import PRIMITIVES
from coursepkg.autodiff.tensor import Tensor
from coursepkg.autodiff.trees import leaves_of
from coursepkg.nn.recurrent import gru_sweep, lstm_sweep, rnn_sweep

SWEEPS = {"rnn": rnn_sweep, "lstm": lstm_sweep, "gru": gru_sweep}
CASES = [
    pytest.param(PRIMITIVES[sweep], call, id=f"{name}-{number}")
    for name, sweep in SWEEPS.items()
    for number, call in enumerate(PRIMITIVES[sweep].examples)
]
RULES = [
    pytest.param(PRIMITIVES[sweep], argument, id=f"{name}-{argument}")
    for name, sweep in SWEEPS.items()
    for argument in range(len(PRIMITIVES[sweep].vjp))
]


@pytest.mark.parametrize(("entry", "call"), CASES)
def test_sweep_is_adjoint_of_forward_mode_and_the_slope(entry, call):
    for seed in range(5):
        assert problems_of(entry, call, np.random.default_rng(seed)) == []


@pytest.mark.parametrize("name", SWEEPS)
def test_two_steps_agree_with_sympy(name):
    entry = PRIMITIVES[SWEEPS[name]]
    assert problems_of(entry, entry.examples[1], np.random.default_rng(10), algebra=True) == []


@pytest.mark.parametrize(("entry", "call"), CASES)
def test_sweep_can_be_differentiated_again(entry, call):
    assert second_order_problems(entry, call, np.random.default_rng(0)) == []


@pytest.mark.parametrize(("entry", "call"), CASES)
def test_fused_and_tape_agree(entry, call):
    f, x = prepare(entry, call, np.random.default_rng(1))
    by_tape = entry.function.__wrapped__
    value, pull = vjp(f, x)
    expected, pull_tape = vjp(lambda arguments: [by_tape(*arguments, **call.kwargs)], x)
    np.testing.assert_allclose(value[0], expected[0], rtol=1e-13, atol=1e-14)
    c = [np.random.default_rng(2).normal(size=value[0].shape)]
    for ours, theirs in zip(leaves_of(pull(c)), leaves_of(pull_tape(c)), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(("entry", "call"), CASES)
def test_float32_stays_float32(entry, call):
    f, x = prepare(entry, call, np.random.default_rng(3))
    narrow = [leaf.astype(np.float32) for leaf in x]
    value, pull = vjp(f, narrow)
    c = np.random.default_rng(4).normal(size=value[0].shape)
    gradients = pull([c.astype(np.float32)])
    assert value[0].dtype == np.float32
    assert all(g.dtype == np.float32 for g in gradients)
    for single, double in zip(gradients, vjp(f, x)[1]([c]), strict=True):
        np.testing.assert_allclose(single, double, rtol=2e-3, atol=2e-4)


@pytest.mark.parametrize(("entry", "argument"), RULES)
@pytest.mark.parametrize("mistake", ["negative", "stale", "transposed in time"])
def test_a_wrong_rule_is_caught(entry, argument, mistake, monkeypatch):
    right = entry.vjp[argument]
    wrong = {
        "negative": lambda g, out, *args, **kw: -right(g, out, *args, **kw),
        "stale": lambda g, out, *args, **kw: right(np.ones_like(g), out, *args, **kw),
        "transposed in time": lambda g, out, *args, **kw: right(g[::-1], out, *args, **kw),
    }[mistake]
    monkeypatch.setattr(entry, "vjp", [wrong if i == argument else rule for i, rule in enumerate(entry.vjp)])
    assert any(problems_of(entry, call, np.random.default_rng(0)) for call in entry.examples)


def test_a_gradient_changed_in_place_between_two_backward_passes_is_swept_again():
    rng = np.random.default_rng(5)
    x, start, bias = rng.normal(size=(4, 2, 2)), np.zeros((2, 3)), np.zeros(3)
    value, pull = vjp(lambda w, u: rnn_sweep(x, start, w, u, bias), rng.normal(size=(3, 2)), rng.normal(size=(3, 3)))
    c = rng.normal(size=value.shape)
    first = [g.copy() for g in pull(c)]
    c *= 3.0
    for once, thrice in zip(first, pull(c), strict=True):
        np.testing.assert_allclose(thrice, 3.0 * once, rtol=1e-12)


def test_gradients_of_a_sweep_do_not_share_memory_with_its_values():
    rng = np.random.default_rng(6)
    x, u = Tensor(rng.normal(size=(4, 2, 3)), True), Tensor(rng.normal(size=(3, 3)), True)
    h = rnn_sweep(x, np.zeros((2, 3)), np.eye(3), u, np.zeros(3))
    before, cotangent = h.numpy().copy(), rng.normal(size=h.shape)
    kept = cotangent.copy()
    h.backward(cotangent)
    x.grad += 1.0
    np.testing.assert_array_equal(h.numpy(), before)
    np.testing.assert_array_equal(cotangent, kept)


def test_many_blocks_of_time_are_one_sweep():
    """Wide layers are swept in blocks of a few steps; cutting must not show."""
    rng = np.random.default_rng(7)
    for sweep, gates, states in ((rnn_sweep, 1, 1), (lstm_sweep, 4, 2), (gru_sweep, 3, 1)):
        biases = [rng.normal(size=gates * 60)] * (2 if sweep is gru_sweep else 1)
        args = [rng.normal(size=(23, 30, 2)), *[rng.normal(size=(30, 60))] * states]
        args += [rng.normal(size=(gates * 60, 2)), rng.normal(size=(gates * 60, 60)) / 8, *biases]
        value, pull = vjp(sweep, *args)
        expected, pull_tape = vjp(sweep.__wrapped__, *args)
        c = rng.normal(size=value.shape)
        np.testing.assert_allclose(value, expected, rtol=1e-10, atol=1e-12)
        for ours, theirs in zip(pull(c), pull_tape(c), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-10 * np.abs(theirs).max())


def test_large_pre_activations_neither_overflow_nor_warn():
    x, zeros = np.full((3, 1, 1), 1e3), np.zeros((1, 2))
    out = lstm_sweep(x, zeros, zeros, np.ones((8, 1)), np.zeros((8, 2)), np.zeros(8))
    np.testing.assert_allclose(out[-1], 3.0)
    gru = gru_sweep(-x, zeros, np.ones((6, 1)), np.zeros((6, 2)), np.zeros(6), np.zeros(6))
    np.testing.assert_allclose(gru[-1], -1.0, rtol=1e-12)
