"""What the account of the tape says is what NumPy's allocator says, to the byte, for every entry of the table."""

import tracemalloc
from functools import partial

import numpy as np
import pytest

from coursepkg import nn
from coursepkg.autodiff import catalogue, linalg  # noqa: F401  (enter SciPy's linear algebra, too)
from coursepkg.autodiff.entry_checks import prepare
from coursepkg.autodiff.table import COMPOSITES, PRIMITIVES, fixed
from coursepkg.autodiff.tensor import Tensor
from coursepkg.autodiff.trees import leaves_of, rebuild
from coursepkg.estimators import RandomizedLinear, checkpoint, tape_holdings
from coursepkg.estimators.lean_relu import lean_relu
from coursepkg.estimators.memory import tape_bytes
from coursepkg.gradients import custom_gradient

ARRAYS = tracemalloc.DomainFilter(True, np.lib.tracemalloc_domain)  # NumPy's arrays, without Python's objects


def alive(run):
    """Return what ``run()`` returns, and the bytes of the arrays that it made and that are alive still."""
    tracemalloc.start()
    try:
        result = run()
        arrays = tracemalloc.take_snapshot().filter_traces([ARRAYS])
    finally:
        tracemalloc.stop()
    return result, sum(trace.size for trace in arrays.traces)


def tape_of(f, *args):
    """Run ``f`` and forget the values of its results, but not what is behind them."""
    results = [result for result in leaves_of(f(*args)) if isinstance(result, Tensor)]
    return [Tensor.on(None, result._node) for result in results]


@pytest.mark.parametrize("entry", [*PRIMITIVES.values(), *COMPOSITES.values()], ids=lambda entry: entry.name)
def test_account_and_measurement_agree(entry):
    for call in entry.examples:
        f, x = prepare(entry, call, np.random.default_rng(0))
        leaves = [Tensor(leaf, requires_grad=True) for leaf in leaves_of(x)]
        if not all(leaf.size for leaf in leaves):
            continue  # of an array without entries NumPy allocates one
        run = partial(tape_of, f, rebuild(x, leaves))
        run()  # what is set up once does not count
        tape, measured = alive(run)
        example = [a.value for a in call.args if isinstance(a, fixed) and isinstance(a.value, np.ndarray)]
        assert tape_bytes(tape, given=[*example, *(leaf._value for leaf in leaves)]) == measured, call


def with_a_closure(x):
    """A rule that closes over an array of its own."""
    weights = np.linspace(0.0, 1.0, x.size).reshape(x.shape)
    return custom_gradient(vjp=lambda g, out, x: g * weights)(lambda x: x * 2.0)(x)


def with_a_partial(x):
    weights = np.linspace(0.0, 1.0, x.size).reshape(x.shape)

    def rule(weights, g, out, x):
        return g * weights

    return custom_gradient(vjp=partial(rule, weights))(lambda x: x * 2.0)(x)


HIDDEN = {
    "an array that a rule closes over": with_a_closure,
    "an array in a partial function": with_a_partial,
    "packed bits": lean_relu,
    "what runs again": lambda x: checkpoint(lambda y: np.tanh(np.exp(y)), np.sin(x)),
    "a slope": lambda x: catalogue.gelu(x, approximate="none"),
    "nothing but the input": lambda x: x[::2, 1:] * 3.0 + x[1, 0],
}


@pytest.mark.parametrize("what", HIDDEN)
def test_the_account_finds(what):
    x = Tensor(np.random.default_rng(0).normal(size=(40, 30)), requires_grad=True)
    run = partial(tape_of, HIDDEN[what], x)
    run()
    tape, measured = alive(run)
    assert tape_bytes(tape, given=[x._value]) == measured
    assert (measured > 0) == (what != "nothing but the input")


def cnn(rng):
    steps = [
        nn.Conv2d(1, 6, 3, padding=1, rng=rng),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(54, 3, rng=rng),
    ]
    return nn.Sequential(*steps), rng.normal(size=(4, 1, 7, 6))


def encoder(rng):
    return nn.TransformerEncoderLayer(6, 2, 10, rng=rng), rng.normal(size=(3, 4, 6))


def sketched(rng):
    layer = RandomizedLinear(8, 5, rate=0.25, rng=rng)
    return nn.Sequential(nn.Linear(9, 8, rng=rng), nn.Tanh(), layer), rng.normal(size=(40, 9))


MODELS = {
    "cnn": cnn,
    "encoder": encoder,
    "sketched": sketched,
    "lstm": lambda rng: (nn.ManyToOne(nn.LSTM(3, 5, rng=rng), nn.Linear(5, 2, rng=rng)), rng.normal(size=(7, 4, 3))),
    "gru": lambda rng: (nn.ManyToOne(nn.GRU(3, 5, rng=rng), nn.Linear(5, 2, rng=rng)), rng.normal(size=(7, 4, 3))),
}


@pytest.mark.parametrize("kind", MODELS)
def test_the_parts_of_a_model_add_up_to_what_is_measured(kind):
    model, x = MODELS[kind](np.random.default_rng(0))
    x.flags.writeable = False  # the batch is the caller's
    model(x)
    tape, measured = alive(partial(tape_of, model, x))
    assert tape_bytes(tape, given=[x, *(parameter._value for parameter in model.parameters())]) == measured
    parts = tape_holdings(model, lambda: np.sum(model(x)), given=[x])
    assert sum(part.own for part in parts) == measured
