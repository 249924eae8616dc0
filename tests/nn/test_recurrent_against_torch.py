"""Recurrent cells and layers side by side with PyTorch, on its own weights: values and gradients to 1e-10."""

import numpy as np
import pytest

from coursepkg import nn

torch = pytest.importorskip("torch", reason="PyTorch is the witness here and is not installed; `make peers` adds it")

TIGHT = {"rtol": 1e-10, "atol": 1e-12}
KINDS = {
    "RNN": ("RNN", {}),
    "ReLU RNN": ("RNN", {"nonlinearity": "relu"}),
    "LSTM": ("LSTM", {}),
    "GRU": ("GRU", {}),
}
every_kind = pytest.mark.parametrize(("name", "options"), KINDS.values(), ids=KINDS)


@pytest.fixture
def rng():
    return np.random.default_rng(29)


def pair(name, *sizes, rng, **options):
    """A layer and PyTorch's, with the same weights."""
    ours = getattr(nn, name)(*sizes, rng=rng, **options)
    theirs = getattr(torch.nn, name)(*sizes, **options).to(torch.float64)
    assert [n for n, _ in ours.named_parameters()] == [n for n, _ in theirs.named_parameters()]
    state = {n: rng.normal(size=p.shape) * 0.6 for n, p in ours.named_parameters()}
    ours.load_state_dict(state)
    theirs.load_state_dict({n: torch.tensor(a) for n, a in state.items()})
    return ours, theirs


def tensors(*arrays):
    return [torch.tensor(a, requires_grad=True) for a in arrays]


def both_backward(mine, theirs, rng):
    cotangents = [rng.normal(size=m.shape) for m in mine]
    sum(np.sum(m * c) for m, c in zip(mine, cotangents, strict=True)).backward()
    torch.autograd.backward(list(theirs), [torch.tensor(c) for c in cotangents])


def assert_same(mine, theirs):
    for m, t in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(m if isinstance(m, np.ndarray) else m.numpy(), t.detach().numpy(), **TIGHT)


def outputs_of(result):
    output, state = result
    return [output, *state] if isinstance(state, tuple) else [output, state]


@every_kind
@pytest.mark.parametrize("fused", [True, False], ids=["fused", "tape"])
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no bias"])
def test_layers_agree(name, options, fused, layers, bias, rng):
    ours, theirs = pair(name, 3, 4, layers, bias=bias, rng=rng, **options)
    ours.fused = fused
    states = [rng.normal(size=(layers, 5, 4)) for _ in range(ours.kind.states)]
    x = rng.normal(size=(7, 5, 3))
    mine, their = [nn.Parameter(a) for a in (x, *states)], tensors(x, *states)
    pack = tuple if len(states) == 2 else lambda s: s[0]
    found, expected = outputs_of(ours(mine[0], pack(mine[1:]))), outputs_of(theirs(their[0], pack(their[1:])))
    assert_same(found, expected)
    both_backward(found, expected, rng)
    assert_same([m.grad for m in mine], [t.grad for t in their])
    assert_same([p.grad for p in ours.parameters()], [p.grad for p in theirs.parameters()])


@every_kind
def test_cells_agree(name, options, rng):
    ours, theirs = pair(f"{name}Cell", 3, 4, rng=rng, **options)
    x, *states = [rng.normal(size=(5, n)) for n in (3, *[4] * ours.kind.states)]
    mine, their = [nn.Parameter(a) for a in (x, *states)], tensors(x, *states)
    pack = tuple if len(states) == 2 else lambda s: s[0]
    found, expected = ours(mine[0], pack(mine[1:])), theirs(their[0], pack(their[1:]))
    found, expected = (list(v) if isinstance(v, tuple) else [v] for v in (found, expected))
    assert_same(found, expected)
    both_backward(found, expected, rng)
    assert_same([m.grad for m in mine], [t.grad for t in their])
    assert_same([p.grad for p in ours.parameters()], [p.grad for p in theirs.parameters()])


@every_kind
def test_a_mask_is_a_packed_sequence(name, options, rng):
    ours, theirs = pair(name, 3, 4, 2, rng=rng, **options)
    lengths = [6, 2, 5, 1]
    x, mask = nn.pad_sequences([rng.normal(size=(n, 3)) for n in lengths])
    mine, their = nn.Parameter(x), torch.tensor(x, requires_grad=True)
    packed = torch.nn.utils.rnn.pack_padded_sequence(their, lengths, enforce_sorted=False)
    output, state = theirs(packed)
    padded, _ = torch.nn.utils.rnn.pad_packed_sequence(output)
    found, expected = outputs_of(ours(mine, None, mask)), outputs_of((padded, state))
    assert_same(found, expected)
    both_backward(found, expected, rng)
    assert_same([mine.grad], [their.grad])
    assert_same([p.grad for p in ours.parameters()], [p.grad for p in theirs.parameters()])


@every_kind
def test_batch_first_agrees(name, options, rng):
    ours, theirs = pair(name, 3, 4, batch_first=True, rng=rng, **options)
    x = rng.normal(size=(5, 7, 3))
    assert_same(outputs_of(ours(x)), outputs_of(theirs(torch.tensor(x))))


@every_kind
def test_layers_start_within_pytorchs_bounds(name, options, rng):
    ours = getattr(nn, name)(3, 9, rng=rng, **options).state_dict()
    theirs = getattr(torch.nn, name)(3, 9, **options).state_dict()
    for key, array in ours.items():
        assert 0.2 < np.abs(array).max() <= 1 / 3
        assert np.abs(theirs[key].numpy()).max() <= 1 / 3


def test_float32_agrees(rng):
    ours = nn.LSTM(3, 4, rng=rng, dtype=np.float32)
    theirs = torch.nn.LSTM(3, 4)
    theirs.load_state_dict({n: torch.tensor(a) for n, a in ours.state_dict().items()})
    x = rng.normal(size=(7, 5, 3)).astype(np.float32)
    output, _ = ours(x)
    expected, _ = theirs(torch.tensor(x))
    assert output.dtype == np.float32
    np.testing.assert_allclose(output.numpy(), expected.detach().numpy(), rtol=1e-4, atol=1e-6)
