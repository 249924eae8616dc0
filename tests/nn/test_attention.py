"""Attention and the encoder block: PyTorch's numbers, every route's gradients, and padding that no one hears."""

import importlib.util

import numpy as np
import pytest

from coursepkg import gradients, nn

torch = pytest.importorskip("torch") if importlib.util.find_spec("torch") else None
needs_torch = pytest.mark.skipif(torch is None, reason="PyTorch is not installed (make peers)")


def block(width=6, heads=2, hidden=10, dtype=np.float64):
    made = nn.TransformerEncoderLayer(width, heads, hidden, rng=np.random.default_rng(0), dtype=dtype)
    rng = np.random.default_rng(1)
    for norm in (made.norm1, made.norm2):  # not ones and zeros, which would hide a missing factor
        norm.weight.data, norm.bias.data = rng.uniform(0.5, 1.5, width), rng.normal(size=width)
    return made


def sequences(n=3, steps=5, width=6):
    rng = np.random.default_rng(2)
    return rng.normal(size=(n, steps, width)), np.arange(steps) < np.array([[5], [2], [4]])


def in_torch(made, width=6, heads=2, hidden=10):
    theirs = torch.nn.TransformerEncoderLayer(
        width, heads, hidden, dropout=0.0, batch_first=True, norm_first=True, dtype=torch.float64
    )
    names = {n: n.replace("in_proj.", "in_proj_") for n in made.state_dict()}
    theirs.load_state_dict({names[n]: torch.tensor(v) for n, v in made.state_dict().items()})
    return theirs, names


@needs_torch
@pytest.mark.parametrize("masked", [False, True])
def test_block_and_all_its_gradients_are_pytorchs(masked):
    made, (x, mask) = block(), sequences()
    mask = mask if masked else np.ones_like(mask)
    theirs, names = in_torch(made)
    g = np.random.default_rng(3).normal(size=x.shape) * mask[:, :, None]
    inputs, other = nn.Parameter(x), torch.tensor(x, requires_grad=True)
    out, expected = made(inputs, mask if masked else None), theirs(other, src_key_padding_mask=torch.tensor(~mask))
    np.testing.assert_allclose(out.numpy()[mask], expected.detach().numpy()[mask], rtol=1e-10, atol=1e-12)
    np.sum(out * g).backward()
    (expected * torch.tensor(g)).sum().backward()
    np.testing.assert_allclose(inputs.grad, other.grad.numpy(), rtol=1e-9, atol=1e-12)
    found = dict(theirs.named_parameters())
    for name, parameter in made.named_parameters():
        np.testing.assert_allclose(parameter.grad, found[names[name]].grad.numpy(), rtol=1e-9, atol=1e-12)


def test_all_routes_agree():
    made, (x, mask) = block(4, 2, 3), sequences(width=4)
    x, mask = x[:2, :3], np.array([[True, True, False], [True, True, True]])
    f = lambda p: nn.functional_call(made, p, x, mask)  # noqa: E731
    assert gradients.compare(f, made.state_dict()).agree


def test_padding_changes_nothing():
    made, (x, mask) = block(), sequences()
    noisy = np.where(mask[:, :, None], x, 100.0 * np.random.default_rng(4).normal(size=x.shape))
    np.testing.assert_allclose(made(noisy, mask).numpy()[mask], made(x, mask).numpy()[mask], rtol=1e-12)
    short = made(x[1:2, :2])
    np.testing.assert_allclose(made(x, mask).numpy()[1, :2], short.numpy()[0], rtol=1e-12)


def test_without_positions_order_does_not_matter():
    made, (x, _) = block(), sequences()
    order = [3, 0, 4, 1, 2]
    np.testing.assert_allclose(made(x[:, order]).numpy(), made(x).numpy()[:, order], rtol=1e-11, atol=1e-13)


def classifier(dtype=np.float64):
    return nn.TextClassifier(
        20, 3, length=6, width=8, heads=2, hidden=12, blocks=2, rng=np.random.default_rng(0), dtype=dtype
    )


def test_classifier_reads_words_and_not_padding():
    model = classifier()
    words = np.array([[3, 5, 7, 0, 0], [1, 2, 3, 4, 5]])
    scores = model(words).numpy()
    assert scores.shape == (2, 3)
    np.testing.assert_allclose(model(words[:1, :3]).numpy()[0], scores[0], rtol=1e-11)
    assert np.abs(model(words[:, ::-1][1:]).numpy() - scores[1]).max() > 1e-3  # places count


def test_classifier_keeps_single_precision_and_saves_every_part():
    model = classifier(np.float32)
    nn.cross_entropy(model(np.array([[1, 2, 0]])), np.array([1])).backward()
    assert {p.dtype for p in model.parameters()} == {np.dtype(np.float32)}
    assert all(p.grad is not None and p.grad.dtype == np.float32 for p in model.parameters())
    names = list(model.state_dict())
    assert {"embedding.weight", "positions", "block1.self_attn.in_proj.weight", "norm.bias", "head.weight"} <= set(
        names
    )


def test_wrong_use_gets_advice():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="7 features cannot be divided evenly among 2 heads"):
        nn.MultiheadSelfAttention(7, 2, rng=rng)
    made, (x, mask) = block(), sequences()
    with pytest.raises(ValueError, match=r"bool of shape \(3, 5\)"):
        made(x, mask.astype(int))
    with pytest.raises(ValueError, match="all padding"):
        made(x, np.zeros_like(mask))
    with pytest.raises(ValueError, match="all padding"):
        classifier()(np.zeros((2, 4), int))
