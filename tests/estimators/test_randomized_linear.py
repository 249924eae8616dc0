"""The sketched layer: all but one gradient to the last bit, that one right on average, in every kind of network."""

import math

import numpy as np
import pytest

from coursepkg import gradients, nn, optimizers
from coursepkg.autodiff.tensor import no_grad
from coursepkg.estimators import LeanReLU, RandomizedLinear, gradient_noise, randomize, sketch_variance
from coursepkg.estimators import randomized_linear as module
from coursepkg.estimators.memory import tape_holdings
from coursepkg.estimators.sketches import SKETCHES, Sketch

KINDS = list(SKETCHES)


def step(model, x, y):
    """Loss, and the gradients of the inputs and of all parameters."""
    model.zero_grad()
    inputs = nn.Parameter(x)
    loss = nn.cross_entropy(model(inputs), y)
    loss.backward()
    return loss.numpy(), inputs.grad, {name: p.grad for name, p in model.named_parameters()}


def mlp(dtype=np.float64, bias=True):
    rng = np.random.default_rng(0)
    layers = [nn.Linear(n, m, bias, rng=rng, dtype=dtype) for n, m in ((5, 7), (7, 6), (6, 3))]
    return nn.Sequential(layers[0], LeanReLU(), layers[1], np.tanh, layers[2])


# --- R1: what is exact


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(12,), (2, 6)])
def test_loss_inputs_and_biases_are_exact_to_the_last_bit(kind, dtype, bias, shape):
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(*shape, 5)).astype(dtype), rng.integers(0, 3, shape)
    model = mlp(dtype, bias)
    loss, dx, exact = step(model, x, y)
    again, same, found = step(randomize(model, rate=0.4, sketch=kind, rng=rng), x, y)
    np.testing.assert_array_equal(again, loss)
    np.testing.assert_array_equal(same, dx)
    for name, gradient in exact.items():
        assert found[name].dtype == gradient.dtype
        assert found[name].shape == gradient.shape
        assert np.array_equal(found[name], gradient) == name.endswith("bias")


@pytest.mark.parametrize("kind", ["rows", "dct", "fold"])
def test_rate_one_is_the_exact_layer(kind):
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(12, 5)), rng.integers(0, 3, 12)
    model = mlp()
    _, _, exact = step(model, x, y)
    _, _, found = step(randomize(model, rate=1.0, sketch=kind, rng=rng), x, y)
    for name, gradient in exact.items():
        np.testing.assert_allclose(found[name], gradient, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("kind", KINDS)
def test_backward_draws_the_sketch_of_forward_again(kind, monkeypatch):
    drawn = []

    class Watched(Sketch):
        def project(self, a):
            drawn.append(self.matrix())
            return super().project(a)

        def matrix(self):
            return Sketch.project(self, np.eye(self.rows)).T

    monkeypatch.setattr(module, "Sketch", Watched)
    rng = np.random.default_rng(0)
    layer = RandomizedLinear(3, 2, rate=0.5, sketch=kind, rng=rng)
    for _ in range(2):
        np.sum(layer(rng.normal(size=(8, 3))) ** 2).backward()
    first, first_back, second, second_back = drawn
    np.testing.assert_array_equal(first, first_back)
    np.testing.assert_array_equal(second, second_back)
    assert not np.array_equal(first, second)


def test_in_evaluation_it_is_the_exact_layer_and_draws_nothing():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(12, 5)), rng.integers(0, 3, 12)
    model = mlp()
    _, _, exact = step(model, x, y)
    randomize(model, rate=0.3, rng=rng).eval()
    state = rng.bit_generator.state
    _, _, found = step(model, x, y)
    assert rng.bit_generator.state == state
    for name, gradient in exact.items():
        np.testing.assert_array_equal(found[name], gradient)


def test_an_empty_batch_and_a_single_example_pass():
    layer = RandomizedLinear(3, 2, rate=0.5, rng=np.random.default_rng(0))
    np.sum(layer(np.ones((0, 3)))).backward()
    np.testing.assert_array_equal(layer.weight.grad, np.zeros((2, 3)))
    layer.zero_grad()
    np.sum(layer(np.array([1.0, 2.0, 3.0]))).backward()
    np.testing.assert_allclose(layer.weight.grad, [[1.0, 2.0, 3.0]] * 2, rtol=1e-12)


def test_nothing_recorded_means_nothing_sketched():
    rng = np.random.default_rng(0)
    layer = RandomizedLinear(3, 2, rate=0.5, rng=rng)
    with no_grad():
        assert not layer(rng.normal(size=(8, 3))).requires_grad


# --- R2 and S5 to S7, through the layer: right on average, as noisy as predicted, fresh noise at each step


def z_scores(run, exact, count):
    """Largest |z| over all entries of all weights, of the mean over ``count`` backward passes."""
    sums = {name: np.zeros((2, *g.shape)) for name, g in exact.items()}
    for _ in range(count):
        for name, gradient in run().items():
            error = gradient - exact[name]
            sums[name] += error, error * error
    largest = 0.0
    for name, (total, squares) in sums.items():
        if name.endswith("weight") or "weight_" in name:
            mean, sigma = total / count, np.sqrt(np.maximum(squares / count - (total / count) ** 2, 1e-30))
            largest = max(largest, float(np.abs(mean / (sigma / math.sqrt(count))).max()))
    return largest


@pytest.mark.parametrize("kind", KINDS)
def test_weight_gradients_of_an_mlp_are_right_on_average(kind):
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(12, 5)), rng.integers(0, 3, 12)
    model = mlp()
    _, _, exact = step(model, x, y)
    randomize(model, rate=0.5, sketch=kind, rng=rng)
    assert z_scores(lambda: step(model, x, y)[2], exact, 1500) < 4.8


class Elman(nn.Module):
    """A recurrent net whose input and state go through linear layers, one step at a time."""

    def __init__(self, rng):
        self.inputs, self.state, self.head = (
            nn.Linear(3, 4, rng=rng),
            nn.Linear(4, 4, rng=rng),
            nn.Linear(4, 2, rng=rng),
        )

    def forward(self, x):
        h = np.zeros((x.shape[1], 4))
        for t in range(x.shape[0]):
            h = np.tanh(self.inputs(x[t]) + self.state(h))
        return self.head(h)


def recurrent():
    rng = np.random.default_rng(3)
    return Elman(rng), rng.normal(size=(4, 8, 3)), rng.integers(0, 2, 8)


def gru_with_heads():
    rng = np.random.default_rng(3)
    model = nn.ManyToMany(nn.GRU(3, 4, rng=rng), nn.Linear(4, 2, rng=rng))
    return model, rng.normal(size=(4, 6, 3)), rng.integers(0, 2, (4, 6))


def encoder():
    rng = np.random.default_rng(3)
    block = nn.TransformerEncoderLayer(6, nhead=2, dim_feedforward=8, rng=rng)
    return nn.Sequential(block, nn.Linear(6, 2, rng=rng)), rng.normal(size=(4, 3, 6)), rng.integers(0, 2, (4, 3))


@pytest.mark.parametrize("build", [recurrent, gru_with_heads, encoder], ids=lambda f: f.__name__)
def test_weight_gradients_in_other_networks_are_right_on_average(build):
    model, x, y = build()
    loss, dx, exact = step(model, x, y)
    randomize(model, rate=0.5, rng=np.random.default_rng(4))
    again, same, _ = step(model, x, y)
    np.testing.assert_array_equal(again, loss)
    np.testing.assert_array_equal(same, dx)
    sketched = {name for name, part in model.named_modules() if isinstance(part, RandomizedLinear)}
    weights = {f"{name}.weight": exact[f"{name}.weight"] for name in sketched}

    def run():
        found = step(model, x, y)[2]
        return {name: found[name] for name in weights}

    assert z_scores(run, weights, 800) < 4.8


def errors_of_a_layer(layer, x, g, count):
    exact = g.T @ x
    found = []
    for _ in range(count):
        layer.zero_grad()
        np.sum(layer(x) * g).backward()
        found.append(np.sum((layer.weight.grad - exact) * exact))
    return np.array(found)


def test_the_slope_is_one_and_a_bias_of_two_per_cent_would_be_caught():
    rng = np.random.default_rng(5)
    x = rng.normal(size=(16, 3))
    g = x @ rng.normal(size=(3, 2))
    layer = RandomizedLinear(3, 2, rate=0.875, rng=rng)
    slopes = 1 + errors_of_a_layer(layer, x, g, 3000) / np.sum((g.T @ x) ** 2)
    standard_error = slopes.std(ddof=1) / math.sqrt(3000)
    assert abs(slopes.mean() - 1) < 4.5 * standard_error
    for planted in (0.98, 1.02):
        assert abs(planted * slopes.mean() - 1) > 4.5 * planted * standard_error


def test_noise_is_fresh_at_each_step():
    rng = np.random.default_rng(6)
    x, g = rng.normal(size=(10, 3)), rng.normal(size=(10, 2))
    layer = RandomizedLinear(3, 2, rate=0.5, rng=rng)
    errors = errors_of_a_layer(layer, x, g, 3000)
    assert abs(np.corrcoef(errors[:-1], errors[1:])[0, 1]) < 4.5 / math.sqrt(3000)
    assert len(np.unique(errors.round(9))) > 2000
    layer.rng = Repeating()
    assert np.ptp(errors_of_a_layer(layer, x, g, 5)) == 0.0  # what a generator that starts anew each time would do


class Repeating:
    """A generator that gives the same seed for ever."""

    def integers(self, high):
        return 4


def test_measured_variance_is_the_predicted_one():
    rng = np.random.default_rng(7)
    x, g = rng.normal(size=(16, 5)), rng.normal(size=(16, 4))
    layer = RandomizedLinear(5, 4, rate=0.375, rng=rng)
    squares = []
    for _ in range(6000):
        layer.zero_grad()
        np.sum(layer(x) * g).backward()
        squares.append(np.sum((layer.weight.grad - g.T @ x) ** 2))
    error = np.std(squares) / math.sqrt(len(squares))
    assert abs(np.mean(squares) - sketch_variance("fold", x, g, 6)) < 4.5 * error
    assert gradient_noise(x, g, 6).sketch == sketch_variance("fold", x, g, 6)


# --- memory, as far as it is not measured (M1; the rest is in test_tape_memory.py)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("kept", [np.asarray, nn.Parameter], ids=["plain", "tensor"])
def test_the_tape_holds_b_rows_and_no_input(kind, kept):
    rng = np.random.default_rng(0)
    layer = RandomizedLinear(7, 3, rate=0.25, sketch=kind, rng=rng)
    x = kept(rng.normal(size=(40, 7)))
    held = tape_holdings(layer, lambda: np.sum(layer(x)))
    assert tuple(held[0]) == ("RandomizedLinear", 10 * 7 * 8, 0)


# --- drop-in


def test_state_and_parameters_are_those_of_linear():
    rng = np.random.default_rng(0)
    exact, sketched = nn.Linear(4, 3, rng=rng), RandomizedLinear(4, 3, rate=0.5, rng=rng)
    sketched.load_state_dict(exact.state_dict())
    assert list(sketched.state_dict()) == list(exact.state_dict())
    np.testing.assert_array_equal(sketched(np.ones((2, 4))).numpy(), exact(np.ones((2, 4))).numpy())
    assert "rate=0.5, sketch='fold'" in repr(sketched)


def test_starting_weights_are_those_of_linear():
    exact = nn.Linear(4, 3, rng=np.random.default_rng(5))
    sketched = RandomizedLinear(4, 3, rate=0.5, rng=np.random.default_rng(5))
    np.testing.assert_array_equal(sketched.weight.numpy(), exact.weight.numpy())


def test_randomize_shares_parameters_and_can_be_called_again():
    model = mlp()
    parameters = model.parameters()
    for rate in (0.5, 0.25):
        randomize(model, rate=rate, sketch="rows", rng=np.random.default_rng(0))
        assert all(a is b for a, b in zip(model.parameters(), parameters, strict=True))
        assert [model[k].rate for k in (0, 2, 4)] == [rate] * 3
    assert isinstance(
        randomize(nn.Linear(2, 2, rng=np.random.default_rng(0)), rate=0.5, rng=np.random.default_rng(0)),
        RandomizedLinear,
    )


@pytest.mark.parametrize("kind", KINDS)
def test_it_trains(kind):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 4))
    y = (x[:, 0] * x[:, 1] > 0).astype(int)
    model = nn.Sequential(nn.Linear(4, 24, rng=rng), LeanReLU(), nn.Linear(24, 2, rng=rng))
    randomize(model, rate=0.25, sketch=kind, rng=rng)
    optimizer = optimizers.Adam(model.parameters(), lr=0.02)
    for _ in range(150):
        optimizer.zero_grad()
        nn.cross_entropy(model(x), y).backward()
        optimizer.step()
    model.eval()
    assert nn.cross_entropy(model(x), y).item() < 0.2


def test_other_routes_see_the_exact_layer():
    """Forward mode and differences know nothing of the sketch; reverse mode does, while the model trains."""
    rng = np.random.default_rng(0)
    layer = RandomizedLinear(3, 2, rate=0.5, rng=rng)
    x, g = rng.normal(size=(6, 3)), rng.normal(size=(6, 2))
    f = lambda p: np.sum(g * nn.functional_call(layer, p, x) ** 2)  # noqa: E731
    theta = layer.state_dict()
    exact = gradients.numeric(f)(theta)["weight"]
    np.testing.assert_allclose(gradients.forward(f)(theta)["weight"], exact, rtol=1e-6)
    assert np.abs(gradients.reverse(f)(theta)["weight"] - exact).max() > 1e-3
    layer.eval()
    assert gradients.compare(f, theta).agree


def test_second_derivatives_are_refused_rather_than_wrong():
    rng = np.random.default_rng(0)
    layer = RandomizedLinear(3, 2, rate=0.5, rng=rng)
    loss = np.sum(layer(rng.normal(size=(6, 3))) ** 2)
    with pytest.raises(NotImplementedError, match=r"model\.eval\(\)"):
        loss.backward(create_graph=True)
    with pytest.raises(NotImplementedError, match=r"model\.eval\(\)"):
        np.sum(layer(nn.Parameter(np.ones((6, 3))))).backward(create_graph=True)


# --- bad input


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("kind", ["gaussian", "fold", "dct"])
def test_inputs_that_are_not_finite_are_named(bad, kind):
    layer = RandomizedLinear(3, 2, rate=0.5, sketch=kind, rng=np.random.default_rng(0))
    x = np.ones((6, 3))
    x[4, 1] = bad
    with pytest.raises(ValueError, match="holds NaN or infinity"), np.errstate(invalid="ignore"):
        layer(x)


def test_wrong_arguments_get_advice():
    rng = np.random.default_rng(0)
    for rate in (0.0, 1.5, -1.0, math.nan):
        with pytest.raises(ValueError, match="above 0 and at most 1"):
            RandomizedLinear(3, 2, rate=rate, rng=rng)
    with pytest.raises(ValueError, match="there is no sketch 'folded'"):
        RandomizedLinear(3, 2, rate=0.5, sketch="folded", rng=rng)
    with pytest.raises(TypeError, match=r"numpy\.random\.Generator"):
        RandomizedLinear(3, 2, rate=0.5, rng=0)
    layer = RandomizedLinear(3, 2, rate=0.5, rng=rng)
    with pytest.raises(ValueError, match="takes 3 features"):
        layer(np.ones((6, 4)))


def test_integers_become_the_dtype_of_the_weights():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 9, (6, 3))
    layer = RandomizedLinear(3, 2, rate=1.0, rng=rng)
    np.sum(layer(x)).backward()
    np.testing.assert_allclose(layer.weight.grad, np.tile(x.sum(axis=0), (2, 1)), rtol=1e-12)
