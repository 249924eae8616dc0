"""Recurrent layers: the cell in a loop, unequal lengths, starting states, and what they refuse."""

import numpy as np
import pytest

from coursepkg import gradients, nn
from coursepkg.autodiff.tensor import Tensor

KINDS = {
    "RNN": (nn.RNN, nn.RNNCell, {}),
    "ReLU RNN": (nn.RNN, nn.RNNCell, {"nonlinearity": "relu"}),
    "LSTM": (nn.LSTM, nn.LSTMCell, {}),
    "GRU": (nn.GRU, nn.GRUCell, {}),
}
every_kind = pytest.mark.parametrize(("make", "make_cell", "options"), KINDS.values(), ids=KINDS)


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def hidden(state):
    return state[0] if isinstance(state, tuple) else state


@every_kind
@pytest.mark.parametrize("fused", [True, False])
def test_a_layer_is_its_cell_in_a_loop(make, make_cell, options, fused, rng):
    layer, cell = make(3, 4, fused=fused, rng=rng, **options), make_cell(3, 4, rng=rng, **options)
    cell.load_state_dict({name.removesuffix("_l0"): array for name, array in layer.state_dict().items()})
    x, state = rng.normal(size=(5, 2, 3)), None
    output, final = layer(x)
    for t in range(5):
        state = cell(x[t], state)
        np.testing.assert_allclose(output.numpy()[t], hidden(state).numpy(), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(hidden(final).numpy()[0], hidden(state).numpy(), rtol=1e-12, atol=1e-14)


@every_kind
def test_fused_sweep_and_tape_give_the_same_gradients_in_a_stack(make, make_cell, options, rng):
    layer = make(3, 4, 2, rng=rng, **options)
    x, cotangent = Tensor(rng.normal(size=(6, 2, 3)), True), rng.normal(size=(6, 2, 4))
    found = []
    for layer.fused in (True, False):
        layer.zero_grad()
        x.zero_grad()
        output, final = layer(x)
        (np.sum(output * cotangent) + np.sum(np.sin(hidden(final)))).backward()
        found.append([x.grad, *(p.grad for p in layer.parameters())])
    for ours, theirs in zip(*found, strict=True):
        assert np.abs(theirs).max() > 1e-3
        np.testing.assert_allclose(ours, theirs, rtol=1e-11, atol=1e-13)


@every_kind
def test_every_route_gives_the_gradient_of_a_layer(make, make_cell, options, rng):
    layer = make(2, 3, rng=rng, **options)
    x, cotangent = rng.normal(size=(3, 2, 2)), rng.normal(size=(3, 2, 3))
    gradients.check(
        lambda values: np.sum(nn.functional_call(layer, values, x)[0] * cotangent),
        layer.state_dict(),
        routes={"reverse": gradients.reverse, "forward": gradients.forward, "numeric": gradients.numeric},
    )


@every_kind
def test_padding_with_a_mask_changes_nothing(make, make_cell, options, rng):
    layer = make(3, 4, 2, rng=rng, **options)
    sequences = [rng.normal(size=(length, 3)) for length in (5, 2, 4)]
    cotangents = [rng.normal(size=(length, 4)) for length in (5, 2, 4)]
    expected, alone, finals = [0.0] * 8, [], []
    for x, c in zip(sequences, cotangents, strict=True):
        layer.zero_grad()
        output, final = layer(x[:, None])
        np.sum(output * c[:, None]).backward()
        expected = [e + p.grad for e, p in zip(expected, layer.parameters(), strict=True)]
        alone.append(output.numpy()[:, 0])
        finals.append(hidden(final).numpy()[:, 0])
    x, mask = nn.pad_sequences(sequences)
    padded = np.where(mask[..., None], x, 77.0)  # whatever stands in the padding
    for fused in (True, False):
        layer.fused = fused
        layer.zero_grad()
        output, final = layer(padded, None, mask)
        np.sum(output * nn.pad_sequences(cotangents)[0]).backward()
        for k, own in enumerate(alone):
            np.testing.assert_allclose(output.numpy()[: len(own), k], own, rtol=1e-12)
            np.testing.assert_array_equal(output.numpy()[len(own) :, k], 0.0)
            np.testing.assert_allclose(hidden(final).numpy()[:, k], finals[k], rtol=1e-12)
        for p, e in zip(layer.parameters(), expected, strict=True):
            np.testing.assert_allclose(p.grad, e, rtol=1e-10, atol=1e-13)


@every_kind
def test_batch_first_only_swaps_axes(make, make_cell, options, rng):
    layer = make(3, 4, rng=rng, **options)
    x, mask = rng.normal(size=(5, 2, 3)), np.array([[True, True]] * 3 + [[True, False]] * 2)
    output, final = layer(x, None, mask)
    layer.batch_first = True
    swapped, same = layer(x.swapaxes(0, 1), None, mask.T)
    np.testing.assert_array_equal(swapped.numpy().swapaxes(0, 1), output.numpy())
    np.testing.assert_array_equal(hidden(same).numpy(), hidden(final).numpy())


@every_kind
def test_a_sequence_in_two_parts_is_one_sequence(make, make_cell, options, rng):
    layer = make(3, 4, 2, rng=rng, **options)
    x = rng.normal(size=(7, 2, 3))
    whole, end = layer(x)
    first, state = layer(x[:3])
    second, final = layer(x[3:], state)
    np.testing.assert_allclose(np.concatenate([first.numpy(), second.numpy()]), whole.numpy(), rtol=1e-12)
    np.testing.assert_allclose(hidden(final).numpy(), hidden(end).numpy(), rtol=1e-12)


@every_kind
def test_without_biases(make, make_cell, options, rng):
    layer = make(3, 4, bias=False, rng=rng, **options)
    assert [name for name, _ in layer.named_parameters()] == ["weight_ih_l0", "weight_hh_l0"]
    full = make(3, 4, rng=rng, **options)
    zeros = {name: np.zeros_like(array) for name, array in full.state_dict().items()}
    full.load_state_dict(zeros | layer.state_dict())
    x = rng.normal(size=(5, 2, 3))
    np.testing.assert_allclose(layer(x)[0].numpy(), full(x)[0].numpy(), rtol=1e-13)


def test_a_gru_whose_update_gate_is_one_is_the_identity(rng):
    layer = nn.GRU(2, 3, rng=rng)
    bias = np.zeros(9)
    bias[3:6] = 60.0
    layer.bias_hh_l0.data = bias
    h0 = Tensor(rng.normal(size=(1, 2, 3)), True)
    output, final = layer(rng.normal(size=(20, 2, 2)), h0)
    cotangent = rng.normal(size=(1, 2, 3))
    final.backward(cotangent)
    np.testing.assert_allclose(output.numpy()[-1], h0.numpy()[0], rtol=1e-12)
    np.testing.assert_allclose(h0.grad, cotangent, rtol=1e-12)


def test_an_lstm_that_forgets_nothing_and_writes_nothing_keeps_its_cell(rng):
    layer = nn.LSTM(2, 3, rng=rng)
    layer.weight_ih_l0.data, layer.weight_hh_l0.data = np.zeros((12, 2)), np.zeros((12, 3))
    layer.bias_hh_l0.data, layer.bias_ih_l0.data = np.zeros(12), np.repeat([-60.0, 60.0, 0.3, 0.2], 3)
    c0 = Tensor(rng.normal(size=(1, 2, 3)), True)
    _, (_, c) = layer(rng.normal(size=(50, 2, 2)), (np.zeros((1, 2, 3)), c0))
    cotangent = rng.normal(size=(1, 2, 3))
    c.backward(cotangent)
    np.testing.assert_allclose(c.numpy(), c0.numpy(), rtol=1e-12)
    np.testing.assert_allclose(c0.grad, cotangent, rtol=1e-12)


@pytest.mark.parametrize(("bias", "kept"), [(1.0, 1.6e-7), (5.0, 0.715), (np.log(49.0), 0.364)])
def test_the_forget_bias_decides_what_is_left_after_fifty_steps(bias, kept, rng):
    layer = nn.LSTM(2, 3, forget_bias=bias, rng=rng)
    layer.weight_ih_l0.data, layer.weight_hh_l0.data = np.zeros((12, 2)), np.zeros((12, 3))
    c0 = Tensor(np.zeros((1, 1, 3)), True)
    _, (_, c) = layer(np.zeros((50, 1, 2)), (np.zeros((1, 1, 3)), c0))
    c.backward(np.ones((1, 1, 3)))
    np.testing.assert_allclose(c0.grad, kept, rtol=0.02)


def test_many_to_one_reads_the_last_true_step_and_many_to_many_every_step(rng):
    recurrence, head = nn.LSTM(2, 4, batch_first=True, rng=rng), nn.Linear(4, 3, rng=rng)
    x, mask = nn.pad_sequences([rng.normal(size=(5, 2)), rng.normal(size=(3, 2))], batch_first=True)
    every = nn.ManyToMany(recurrence, head)(x, mask).numpy()
    one = nn.ManyToOne(recurrence, head)(x, mask).numpy()
    assert every.shape == (2, 5, 3)
    np.testing.assert_allclose(one, every[[0, 1], [4, 2]], rtol=1e-12)


def test_initial_loss_is_the_logarithm_of_the_vocabulary_for_tiny_weights(rng):
    model = nn.ManyToMany(nn.GRU(7, 5, rng=rng), nn.Linear(5, 7, rng=rng))
    for parameter in model.parameters():
        parameter.data = 1e-6 * parameter.numpy()
    x = np.eye(7)[rng.integers(0, 7, (20, 3))]
    loss = nn.cross_entropy(model(x), rng.integers(0, 7, (20, 3)))
    assert loss.item() == pytest.approx(np.log(7), abs=1e-5)


def test_the_gradient_at_the_scores_sums_to_zero_over_classes_at_each_time(rng):
    model = nn.ManyToMany(nn.RNN(4, 5, rng=rng), nn.Linear(5, 4, rng=rng))
    scores = model(rng.normal(size=(6, 3, 4)))
    scores.retain_grad()
    nn.cross_entropy(scores, rng.integers(0, 4, (6, 3)), reduction="sum").backward()
    assert np.abs(scores.grad).max(axis=-1).min() > 0.1
    np.testing.assert_allclose(scores.grad.sum(axis=-1), 0.0, atol=1e-14)


def test_a_layer_prints_what_it_is(rng):
    assert repr(nn.RNN(2, 3, rng=rng)) == "RNN(2, 3)"
    assert repr(nn.LSTM(2, 3, 2, batch_first=True, rng=rng)) == "LSTM(2, 3, num_layers=2, batch_first=True)"
    assert repr(nn.GRUCell(2, 3, rng=rng)) == "GRUCell(2, 3)"


def test_mistakes_get_an_explanation(rng):
    layer = nn.RNN(2, 3, rng=rng)
    with pytest.raises(ValueError, match=r"\(T, n, input_size\) with input_size=2.*got \(4, 2\)"):
        layer(np.ones((4, 2)))
    with pytest.raises(ValueError, match=r"at least one step"):
        layer(np.ones((0, 3, 2)))
    with pytest.raises(ValueError, match=r"\(num_layers, n, hidden_size\) = \(1, 4, 3\), got \(4, 3\)"):
        layer(np.ones((5, 4, 2)), np.zeros((4, 3)))
    with pytest.raises(TypeError, match=r"a pair \(h, c\), got ndarray"):
        nn.LSTM(2, 3, rng=rng)(np.ones((5, 4, 2)), np.zeros((1, 4, 3)))
    with pytest.raises(TypeError, match="True where there is an input"):
        layer(np.ones((5, 4, 2)), None, np.ones((5, 4)))
    with pytest.raises(ValueError, match=r"\(5, 4\), got \(4, 5\)"):
        layer(np.ones((5, 4, 2)), None, np.ones((4, 5), bool))
    with pytest.raises(ValueError, match="'tanh' or 'relu', got 'sigmoid'"):
        nn.RNN(2, 3, nonlinearity="sigmoid", rng=rng)
    with pytest.raises(ValueError, match="at least one layer"):
        nn.GRU(2, 3, 0, rng=rng)
    with pytest.raises(ValueError, match="no forget bias"):
        nn.LSTM(2, 3, forget_bias=1.0, bias=False, rng=rng)
    with pytest.raises(ValueError, match="same features"):
        nn.pad_sequences([np.ones((3, 2)), np.ones((3, 1))])
    with pytest.raises(TypeError, match="Generator"):
        nn.RNN(2, 3, rng=0)
