"""What is measured of gradients on their way back: norms, Jacobians, two numbers of a matrix, and where they break."""

import numpy as np
import pytest

from coursepkg import nn
from coursepkg.nn.diagnostics import (
    connectivity,
    first_not_finite,
    gates,
    gradient_norms,
    jacobian_product,
    largest_singular_value,
    spectral_radius,
    state_gradients,
    step_jacobians,
)

LAYERS = {
    "RNN": lambda rng: nn.RNN(2, 3, rng=rng),
    "ReLU RNN": lambda rng: nn.RNN(2, 3, nonlinearity="relu", rng=rng),
    "LSTM": lambda rng: nn.LSTM(2, 3, rng=rng),
    "GRU": lambda rng: nn.GRU(2, 3, rng=rng),
}
every_layer = pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)


@every_layer
def test_the_product_of_jacobians_is_the_reverse_sweep(make):
    rng = np.random.default_rng(0)
    layer, x = make(rng), rng.normal(size=(6, 1, 2))
    cotangent = rng.normal(size=3)
    found = state_gradients(layer, x, lambda output: np.sum(output[-1] * cotangent))
    for t in range(1, 7):
        product = jacobian_product(layer, x, t, 6)
        np.testing.assert_allclose(found[t - 1, 0], cotangent @ product[:3, :3], rtol=1e-11, atol=1e-14)
    if isinstance(layer, nn.LSTM):
        # The cell also reaches the loss through its own hidden state, which the Jacobian holds fixed.
        _, (h, c) = layer(x[:2])
        opened = h.numpy()[0, 0] / np.tanh(c.numpy()[0, 0]) * (1 - np.tanh(c.numpy()[0, 0]) ** 2)
        cells = state_gradients(layer, x, lambda output: np.sum(output[-1] * cotangent), of="c")
        expected = cotangent @ jacobian_product(layer, x, 2, 6)[:3, 3:] + found[1, 0] * opened
        np.testing.assert_allclose(cells[1, 0], expected, rtol=1e-11)


@every_layer
def test_step_jacobians_are_those_of_the_sweep(make):
    rng = np.random.default_rng(1)
    layer, x = make(rng), rng.normal(size=(4, 1, 2))
    start = [np.zeros((1, 1, 3))] * layer.kind.states
    pack = tuple if len(start) == 2 else lambda s: s[0]
    leaves = [nn.Parameter(s) for s in start]
    rows = []
    for one in np.eye(3):
        for leaf in leaves:
            leaf.grad = None
        output, _ = layer(x, pack(leaves))
        output.backward(np.concatenate([np.zeros((3, 1, 3)), one.reshape(1, 1, 3)]))
        rows.append(np.concatenate([leaf.grad.ravel() for leaf in leaves]))
    np.testing.assert_allclose(jacobian_product(layer, x)[:3], np.stack(rows), rtol=1e-11, atol=1e-14)
    assert step_jacobians(layer, x).shape == (4, 3 * len(start), 3 * len(start))


def test_gradients_include_the_losses_of_all_later_steps():
    rng = np.random.default_rng(2)
    layer, x, weights = nn.RNN(2, 3, rng=rng), rng.normal(size=(5, 4, 2)), rng.normal(size=(5, 4, 3))
    found = state_gradients(layer, x, lambda output: np.sum(output * weights))
    np.testing.assert_allclose(found[-1], weights[-1], rtol=1e-12)
    h = layer(x)[0].numpy()
    for t in range(4):
        carried = (found[t + 1] * (1 - h[t + 1] ** 2)) @ layer.weight_hh_l0.numpy()
        np.testing.assert_allclose(found[t], weights[t] + carried, rtol=1e-11, atol=1e-14)
    np.testing.assert_allclose(
        gradient_norms(layer, x, lambda output: np.sum(output * weights)), np.sqrt((found**2).sum(axis=(1, 2)))
    )


def test_looking_at_gradients_leaves_none_behind():
    layer = nn.RNN(2, 3, rng=np.random.default_rng(3))
    gradient_norms(layer, np.ones((4, 1, 2)), lambda output: np.sum(output))
    assert all(p.grad is None for p in layer.parameters())
    assert layer.fused


def test_a_largest_singular_value_below_one_forces_gradients_to_vanish():
    rng = np.random.default_rng(4)
    for seed in range(20):
        layer = nn.RNN(2, 6, rng=np.random.default_rng(seed))
        w = rng.normal(size=(6, 6))
        layer.weight_hh_l0.data = 0.9 * w / largest_singular_value(w)
        norms = gradient_norms(layer, rng.normal(size=(40, 1, 2)), lambda output: np.sum(output[-1]))
        assert (norms[:-1] <= 0.9 * norms[1:] + 1e-15).all()
        assert norms[0] <= 0.9**39 * norms[-1]


def test_a_largest_singular_value_above_one_does_not_force_gradients_to_explode():
    rng = np.random.default_rng(5)
    layer = nn.RNN(2, 6, rng=rng)
    w = rng.normal(size=(6, 6))
    layer.weight_hh_l0.data = 1.3 * w / largest_singular_value(w)
    norms = gradient_norms(layer, rng.normal(size=(40, 1, 2)), lambda output: np.sum(output[-1]))
    assert norms[0] < 1e-3 * norms[-1]


def test_powers_can_grow_tenfold_although_every_eigenvalue_is_one_half():
    w = np.array([[0.5, 10.0], [0.0, 0.5]])
    assert spectral_radius(w) == pytest.approx(0.5, abs=1e-7)
    norms = [largest_singular_value(np.linalg.matrix_power(w, k)) for k in range(1, 9)]
    np.testing.assert_allclose(norms[:7], [10.02, 10.01, 7.50, 5.00, 3.13, 1.88, 1.09], atol=0.01)
    assert norms[6] > 1 > norms[7]


def test_connectivity_is_the_size_of_each_derivative_and_the_future_does_not_matter():
    rng = np.random.default_rng(6)
    layer, x = nn.GRU(2, 3, rng=rng), rng.normal(size=(5, 1, 2))
    v = rng.normal(size=3)
    found = connectivity(lambda inputs: (layer(inputs)[0] @ v)[:, 0], x)
    assert (found[np.triu_indices(5, 1)] == 0).all()
    assert (found[np.tril_indices(5)] > 0).all()

    def score(s, k, step):
        moved = x.copy()
        moved[s, 0, k] += step
        return (layer(moved)[0].numpy() @ v)[4, 0]

    for s in range(5):
        slopes = [(score(s, k, 1e-6) - score(s, k, -1e-6)) / 2e-6 for k in range(2)]
        assert found[4, s] == pytest.approx(np.hypot(*slopes), rel=1e-6)


def model(make=nn.RNN, **options):
    rng = np.random.default_rng(8)
    return nn.ManyToOne(make(1, 2, batch_first=True, rng=rng, **options), nn.Linear(2, 1, rng=rng))


def test_an_exploding_state_is_traced_to_its_step_and_weight():
    growing = model(nonlinearity="relu")
    growing.recurrence.weight_hh_l0.data = 1e30 * np.ones((2, 2))
    growing.recurrence.weight_ih_l0.data = np.ones((2, 1))
    found = first_not_finite(growing, lambda: np.sum(growing(np.ones((3, 20, 1)))))
    # The state is 2e30 times larger each step, so it passes the largest double, 1.8e308, after the tenth product.
    assert found == ("state", 12, 20, "recurrence.weight_hh_l0")
    assert "time step 12 of 20, in the product with recurrence.weight_hh_l0" in str(found)


def test_an_input_that_overflows_is_traced_to_the_input_weight():
    shaky = model()
    shaky.recurrence.weight_ih_l0.data = np.full((2, 1), 1e300)
    x = np.ones((3, 20, 1))
    x[1, 6] = np.nan
    found = first_not_finite(shaky, lambda: np.sum(shaky(x)))
    assert found == ("state", 7, 20, "recurrence.weight_ih_l0")


def test_an_exploding_gradient_is_traced_to_the_step_at_which_it_overflows():
    steep = model(nonlinearity="relu")
    steep.recurrence.weight_hh_l0.data = 1e30 * np.eye(2)
    steep.recurrence.weight_ih_l0.data = np.full((2, 1), 0.0)
    steep.recurrence.bias_ih_l0.data = steep.recurrence.bias_hh_l0.data = np.full(2, 1e-320)
    found = first_not_finite(steep, lambda: np.sum(steep(np.ones((1, 20, 1))) * 1e10))
    assert found is not None
    assert (found.what, found.weight) == ("gradient", "recurrence.weight_hh_l0")
    assert 1 <= found.step < 20


def test_nothing_is_found_where_all_is_finite():
    calm = model(nn.LSTM)
    assert first_not_finite(calm, lambda: np.sum(calm(np.ones((2, 5, 1))))) is None
    assert all(p.grad is None for p in calm.parameters())


def test_mistakes_get_an_explanation():
    rng = np.random.default_rng(9)
    with pytest.raises(ValueError, match="has the states h, not 'c'"):
        state_gradients(nn.GRU(1, 2, rng=rng), np.ones((3, 1, 1)), np.sum, of="c")
    with pytest.raises(ValueError, match="single layer"):
        step_jacobians(nn.GRU(1, 2, 2, rng=rng), np.ones((3, 1, 1)))
    with pytest.raises(ValueError, match="one sequence"):
        step_jacobians(nn.GRU(1, 2, rng=rng), np.ones((3, 2, 1)))
    with pytest.raises(ValueError, match="one number per time"):
        connectivity(lambda x: x, np.ones((3, 1, 1)))


# --- gates -----------------------------------------------------------------------------------------------------------


def test_the_forget_gate_is_the_slope_along_the_cell_where_nothing_comes_through_the_hidden_state():
    rng = np.random.default_rng(0)
    layer, x = nn.LSTM(2, 3, rng=rng), rng.normal(size=(5, 1, 2))
    jacobians = step_jacobians(layer, x)
    np.testing.assert_allclose(
        gates(layer, x)["f"][:, 0], np.diagonal(jacobians[:, 3:, 3:], axis1=1, axis2=2), rtol=1e-12
    )


def test_the_gates_of_a_gru_make_its_next_state():
    rng = np.random.default_rng(1)
    layer, x = nn.GRU(2, 3, batch_first=True, rng=rng), rng.normal(size=(4, 6, 2))
    found = gates(layer, x)
    assert {name: gate.shape for name, gate in found.items()} == {"r": (6, 4, 3), "z": (6, 4, 3)}
    weights = {name: weight.numpy() for name, weight in layer.weights().items()}
    inputs, (h, _) = x[:, 0] @ weights["weight_ih"][6:].T + weights["bias_ih"][6:], layer(x[:, :1])
    candidate = np.tanh(inputs + found["r"][0] * weights["bias_hh"][6:])
    np.testing.assert_allclose(h.numpy()[:, 0], (1 - found["z"][0]) * candidate, rtol=1e-12)


@pytest.mark.parametrize("layer", [nn.RNN(2, 3, rng=np.random.default_rng(0))])
def test_a_layer_without_gates_is_refused(layer):
    with pytest.raises(ValueError, match="an LSTM or a GRU"):
        gates(layer, np.ones((2, 1, 2)))
