"""The pretrained encoder: PyTorch's block that normalizes after each sum, BERT's names, and the real weights."""

import importlib.util

import numpy as np
import pytest

from coursepkg import datasets, gradients, nn
from coursepkg.estimators import randomize, tape_holdings

torch = pytest.importorskip("torch") if importlib.util.find_spec("torch") else None
needs_torch = pytest.mark.skipif(torch is None, reason="PyTorch is not installed (make peers)")
WIDTH, HEADS, HIDDEN, EPS = 6, 2, 10, 1e-3


def there():
    try:
        datasets.minilm()
    except datasets.DataNotFound:
        return False
    return True


def encoder(blocks=2, dtype=np.float64):
    rng = np.random.default_rng(0)
    made = nn.TextEncoder(
        20, length=7, width=WIDTH, heads=HEADS, hidden=HIDDEN, blocks=blocks, eps=EPS, rng=rng, dtype=dtype
    )
    for name, parameter in made.named_parameters():
        if "norm" in name or name in ("segment", "positions"):  # not ones and zeros, which would hide a missing factor
            parameter.data = rng.uniform(0.5, 1.5, parameter.shape).astype(dtype)
    return made


TOKENS = np.array([[2, 9, 4, 7, 3], [2, 5, 3, 0, 0], [2, 11, 9, 3, 0]])


def in_torch(block):
    """PyTorch's block with the same weights, and our names for its parameters."""
    theirs = torch.nn.TransformerEncoderLayer(
        WIDTH, HEADS, HIDDEN, dropout=0.0, activation="gelu", layer_norm_eps=EPS, batch_first=True, norm_first=False,
        dtype=torch.float64,
    )  # fmt: skip
    names = {name: name.replace("in_proj.", "in_proj_") for name in block.state_dict()}
    theirs.load_state_dict({names[name]: torch.tensor(array) for name, array in block.state_dict().items()})
    return theirs, names


@needs_torch
def test_encoder_and_all_its_gradients_are_those_of_pytorchs_blocks():
    made, mask = encoder(), TOKENS != 0
    blocks = [in_torch(made.block0), in_torch(made.block1)]
    table, places, segment = (
        torch.tensor(p.data, requires_grad=True) for p in (made.embedding.weight, made.positions, made.segment)
    )
    summed = table[torch.tensor(TOKENS)] + places[:5] + segment
    scale, shift = (torch.tensor(p.data, requires_grad=True) for p in made.norm.parameters())
    expected = torch.nn.functional.layer_norm(summed, (WIDTH,), scale, shift, EPS)
    for block, _ in blocks:
        expected = block(expected, src_key_padding_mask=torch.tensor(~mask))
    out = made(TOKENS)
    np.testing.assert_allclose(out.numpy()[mask], expected.detach().numpy()[mask], rtol=1e-10, atol=1e-12)
    g = np.random.default_rng(1).normal(size=out.shape) * mask[:, :, None]
    np.sum(out * g).backward()
    (expected * torch.tensor(g)).sum().backward()
    found = {"embedding.weight": table, "positions": places, "segment": segment, "norm.weight": scale}
    found |= {"norm.bias": shift}
    for k, (block, names) in enumerate(blocks):
        parameters = dict(block.named_parameters())
        found |= {f"block{k}.{name}": parameters[theirs] for name, theirs in names.items()}
    ours = dict(made.named_parameters())
    assert ours.keys() == found.keys()
    for name, parameter in ours.items():
        np.testing.assert_allclose(parameter.grad, found[name].grad.numpy(), rtol=1e-9, atol=1e-12)


def as_bert(made, prefix=""):
    """Our weights under Hugging Face's names, query, key and value apart, with what we do not use."""
    state = made.state_dict()
    segments = np.stack([state["segment"], np.full(WIDTH, 9.0)])
    found = {
        "embeddings.position_ids": np.arange(7)[None],
        "embeddings.word_embeddings.weight": state["embedding.weight"],
        "embeddings.position_embeddings.weight": state["positions"],
        "embeddings.token_type_embeddings.weight": segments,
        "embeddings.LayerNorm.weight": state["norm.weight"],
        "embeddings.LayerNorm.bias": state["norm.bias"],
        "pooler.dense.weight": np.full((WIDTH, WIDTH), 9.0),
    }
    names = {
        "attention.output.dense": "self_attn.out_proj", "attention.output.LayerNorm": "norm1",
        "intermediate.dense": "linear1", "output.dense": "linear2", "output.LayerNorm": "norm2",
    }  # fmt: skip
    for k in range(2):
        for kind in ("weight", "bias"):
            three = np.split(state[f"block{k}.self_attn.in_proj.{kind}"], 3)
            for part, array in zip(("query", "key", "value"), three, strict=True):
                found[f"encoder.layer.{k}.attention.self.{part}.{kind}"] = array
            for theirs, ours in names.items():
                found[f"encoder.layer.{k}.{theirs}.{kind}"] = state[f"block{k}.{ours}.{kind}"]
    return {prefix + name: array for name, array in found.items()}


@pytest.mark.parametrize("prefix", ["", "bert."])
def test_berts_weights_find_their_places(prefix):
    made = encoder()
    again = nn.TextEncoder.from_bert(as_bert(made, prefix), heads=HEADS, eps=EPS)
    np.testing.assert_array_equal(again(TOKENS).numpy(), made(TOKENS).numpy())
    assert again.state_dict().keys() == made.state_dict().keys()
    assert (
        nn.TextEncoder.from_bert(
            {name: array.astype(np.float32) for name, array in as_bert(made).items()}, heads=HEADS
        )(TOKENS).dtype
        == np.float32
    )


def test_weights_of_something_else_are_refused():
    weights = as_bert(encoder())
    del weights["encoder.layer.1.output.LayerNorm.bias"]
    with pytest.raises(
        ValueError, match=r"not the weights of a BERT encoder: encoder\.layer\.1\.output\.LayerNorm\.bia"
    ):
        nn.TextEncoder.from_bert(weights, heads=HEADS)
    with pytest.raises(ValueError, match="word_embeddings"):
        nn.TextEncoder.from_bert({"weight": np.zeros((2, 2))}, heads=HEADS)
    weights = {name: array for name, array in as_bert(encoder()).items() if "encoder.layer" not in name}
    with pytest.raises(ValueError, match=r"encoder\.layer\.0"):
        nn.TextEncoder.from_bert(weights, heads=HEADS)


def test_a_text_that_is_too_long_gets_advice():
    with pytest.raises(ValueError, match=r"T at most 7, got shape \(2, 8\); cut longer texts"):
        encoder()(np.full((2, 8), 3))


def test_padding_changes_no_score_and_order_does():
    model = nn.SentenceClassifier(encoder(), 3, rng=np.random.default_rng(2))
    scores = model(TOKENS).numpy()
    assert scores.shape == (3, 3)
    np.testing.assert_allclose(model(TOKENS[1:2, :3]).numpy()[0], scores[1], rtol=1e-10)
    assert np.abs(model(TOKENS[:1, [0, 2, 1, 3, 4]]).numpy()[0] - scores[0]).max() > 1e-3


def test_a_score_is_the_head_on_the_mean_over_the_words():
    made = encoder()
    model = nn.SentenceClassifier(made, 2, rng=np.random.default_rng(2))
    out = made(TOKENS).numpy()
    means = np.stack([out[0].mean(axis=0), out[1, :3].mean(axis=0), out[2, :4].mean(axis=0)])
    expected = means @ model.head.weight.data.T + model.head.bias.data
    np.testing.assert_allclose(model(TOKENS).numpy(), expected, rtol=1e-10)


def test_all_routes_agree():
    made = encoder(blocks=1)
    model = nn.SentenceClassifier(made, 2, rng=np.random.default_rng(2))
    f = lambda p: nn.functional_call(model, p, TOKENS[:2, :4])  # noqa: E731
    assert gradients.compare(f, model.state_dict()).agree


def test_frozen_embeddings_get_no_gradient_and_all_else_does():
    made = encoder().freeze_embeddings()
    np.sum(made(TOKENS) ** 2 * np.random.default_rng(3).normal(size=(3, 5, WIDTH))).backward()
    without = {name for name, p in made.named_parameters() if p.grad is None}
    assert without == {"embedding.weight", "positions", "segment", "norm.weight", "norm.bias"}


def test_a_sketched_encoder_holds_less_by_what_its_layers_let_go():
    """Nothing else keeps the inputs of the layers: neither the normalization before them nor the GELU."""

    def held(rate):
        made = encoder(blocks=1, dtype=np.float32)
        if rate is not None:
            randomize(made, rate=rate, rng=np.random.default_rng(0))
        tokens = np.tile(TOKENS, (4, 1))
        return sum(row.own for row in tape_holdings(made, lambda: np.mean(made(tokens) ** 2)))

    rows, kept = 12 * 5, 15
    inputs = 3 * WIDTH + HIDDEN  # into queries and so on, out of the heads, and into both linear layers
    assert held(None) - held(0.25) == (rows - kept) * inputs * 4


# --- the real one


@pytest.mark.skipif(not there(), reason="the pretrained encoder is not on this computer")
def test_the_real_encoder_gives_the_numbers_of_an_independent_implementation():
    """Stored from Hugging Face's BertModel, transformers 5.24, float32: a few numbers of two sentences' means."""
    found = datasets.minilm()
    made = nn.TextEncoder.from_bert(found.weights, heads=found.heads)
    tokens = nn.WordPiece(found.vocabulary).batch(["Backpropagation is the chain rule.", "Café naïve!"])
    expected_tokens = [
        [101, 2067, 21572, 4502, 12540, 2003, 1996, 4677, 3627, 1012, 102],
        [101, 7668, 15743, 999, 102, 0, 0, 0, 0, 0, 0],
    ]
    np.testing.assert_array_equal(tokens, expected_tokens)
    means = nn.SentenceClassifier(made, 2, rng=np.random.default_rng(0)).embed(tokens).numpy()
    np.testing.assert_allclose(
        means[:, ::75],
        [
            [-0.2795, 0.20043, -0.11331, 0.16935, -0.01602, -0.49179],
            [0.18387, 0.30084, 0.26672, -0.09913, 0.26511, -0.02362],
        ],
        atol=1e-4,
    )
