"""Layers, losses and initializers: what they compute, how they start, and what they refuse."""

import math

import numpy as np
import pytest

from coursepkg import nn
from coursepkg.autodiff.catalogue import linear
from coursepkg.autodiff.tensor import Tensor
from coursepkg.nn import init


@pytest.fixture
def rng():
    return np.random.default_rng(13)


def central_difference(f, x, direction, h=1e-6):
    return (f(x + h * direction) - f(x - h * direction)) / (2 * h)


LAYERS = {
    "Linear": (lambda rng: nn.Linear(5, 3, rng=rng), (4, 5)),
    "Linear, no bias, 3-d": (lambda rng: nn.Linear(5, 3, bias=False, rng=rng), (2, 4, 5)),
    "Conv2d": (lambda rng: nn.Conv2d(2, 3, (3, 2), stride=(2, 1), padding=(1, 0), rng=rng), (2, 2, 7, 5)),
    "LayerNorm": (lambda rng: nn.LayerNorm((3, 4)), (5, 3, 4)),
    "BatchNorm": (lambda rng: nn.BatchNorm(3), (6, 3)),
    "BatchNorm, images": (lambda rng: nn.BatchNorm(3), (4, 3, 2, 5)),
    "GELU": (lambda rng: nn.GELU(), (3, 4)),
    "LeakyReLU": (lambda rng: nn.LeakyReLU(0.2), (3, 4)),
    "Softmax": (lambda rng: nn.Softmax(), (3, 4)),
    "MaxPool2d": (lambda rng: nn.MaxPool2d((2, 3), stride=(1, 2)), (2, 3, 5, 7)),
    "Flatten": (lambda rng: nn.Flatten(), (4, 2, 3, 5)),
}


@pytest.mark.parametrize(("make", "shape"), LAYERS.values(), ids=LAYERS)
def test_gradients_of_layers_agree_with_central_differences(make, shape, rng):
    layer = make(rng)
    for parameter in layer.parameters():
        parameter.data = rng.normal(size=parameter.shape)
    x = nn.Parameter(rng.normal(size=shape))
    out = layer(x)
    cotangent = rng.normal(size=out.shape)
    out.backward(cotangent)
    for variable in (x, *layer.parameters()):
        value, direction = variable.numpy().copy(), rng.normal(size=variable.shape)

        def loss(new, variable=variable):
            variable.data = new
            return float(np.sum(layer(x).numpy() * cotangent))

        numeric = central_difference(loss, value, direction)
        variable.data = value
        assert abs(numeric) > 1e-3
        assert np.sum(variable.grad * direction) == pytest.approx(numeric, rel=1e-6)


@pytest.mark.parametrize(("make", "shape"), LAYERS.values(), ids=LAYERS)
def test_an_input_of_single_precision_stays_single(make, shape, rng):
    layer = make(rng)
    for module in (layer,):
        for name, parameter in list(vars(module).items()):
            if hasattr(parameter, "requires_grad"):
                setattr(module, name, nn.Parameter(parameter.numpy().astype(np.float32)))
        for name in module.buffer_names:
            setattr(module, name, getattr(module, name).astype(np.float32))
    x = nn.Parameter(rng.normal(size=shape).astype(np.float32))
    out = layer(x)
    out.backward(rng.normal(size=out.shape).astype(np.float32))
    assert {out.dtype, x.grad.dtype, *(p.grad.dtype for p in layer.parameters())} == {np.dtype(np.float32)}


def test_dropout_keeps_the_mean_and_scales_up_the_rest(rng):
    layer = nn.Dropout(0.25, rng=rng)
    out = layer(np.ones((200, 300)))
    assert set(np.unique(out)) == {0.0, 1.0 / 0.75}
    assert out.mean() == pytest.approx(1.0, abs=0.01)
    assert not np.array_equal(out, layer(np.ones((200, 300))))
    x = rng.normal(size=(2, 3))
    assert layer.eval()(x) is x


def test_dropout_stops_the_gradient_exactly_where_it_stopped_the_value(rng):
    x = nn.Parameter(rng.uniform(1.0, 2.0, (20, 30)))
    out = nn.Dropout(0.4, rng=rng)(x)
    cotangent = rng.uniform(1.0, 2.0, out.shape)
    out.backward(cotangent)
    np.testing.assert_allclose(x.grad, cotangent * out.numpy() / x.numpy(), rtol=1e-12)


@pytest.mark.parametrize(("p", "expected"), [(0.0, 1.0), (1.0, 0.0)])
def test_dropout_at_its_ends(p, expected, rng):
    np.testing.assert_array_equal(nn.Dropout(p, rng=rng)(np.ones((3, 2))), expected)


def test_layer_norm_forgets_shift_and_scale_of_each_example(rng):
    x = rng.normal(size=(3, 8))
    layer = nn.LayerNorm(8, eps=0.0)
    np.testing.assert_allclose(layer(x).data, layer(x * [[2.0], [5.0], [0.1]] + [[1.0], [-3.0], [7.0]]).data, rtol=1e-9)
    np.testing.assert_allclose(layer(x).data.mean(axis=1), 0.0, atol=1e-14)


def test_batch_norm_learns_the_statistics_that_evaluation_uses(rng):
    layer = nn.BatchNorm(2, eps=0.0)
    for _ in range(400):
        layer(rng.normal([3.0, -1.0], [2.0, 0.5], size=(64, 2)))
    np.testing.assert_allclose(layer.running_mean, [3.0, -1.0], atol=0.2)
    np.testing.assert_allclose(layer.running_var, [4.0, 0.25], rtol=0.2)
    x = rng.normal(size=(1, 2))
    expected = (x - layer.running_mean) / np.sqrt(layer.running_var)
    tracked = int(layer.num_batches_tracked)
    np.testing.assert_allclose(layer.eval()(x).data, expected, rtol=1e-12)
    assert int(layer.num_batches_tracked) == tracked == 400


def test_an_embeddings_gradient_adds_up_where_a_symbol_repeats(rng):
    table = nn.Embedding(5, 3, rng=rng)
    index = np.array([[1, 4, 1], [1, 0, 4]])
    out = table(index)
    assert out.shape == (2, 3, 3)
    cotangent = rng.normal(size=out.shape)
    out.backward(cotangent)
    expected = np.zeros((5, 3))
    np.add.at(expected, index, cotangent)
    np.testing.assert_allclose(table.weight.grad, expected, rtol=1e-12)
    assert np.all(table.weight.grad[[2, 3]] == 0.0)


def test_layers_refuse_inputs_that_do_not_fit(rng):
    with pytest.raises(ValueError, match="takes 4 features"):
        nn.Linear(4, 4, rng=rng)(np.ones((4, 3)))
    with pytest.raises(ValueError, match="channels in"):
        nn.Conv2d(3, 2, 2, rng=rng)(np.ones((1, 2, 5, 5)))
    with pytest.raises(ValueError, match="last axes"):
        nn.LayerNorm(3)(np.ones((3, 4)))
    with pytest.raises(ValueError, match="axis 1"):
        nn.BatchNorm(3)(np.ones((3, 4)))
    with pytest.raises(ValueError, match="more than one value"):
        nn.BatchNorm(3)(np.ones((1, 3)))
    with pytest.raises(TypeError, match="integers"):
        nn.Embedding(3, 2, rng=rng)([0.0, 1.0])
    with pytest.raises(ValueError, match=r"0\.\.2, got -1\.\.3"):
        nn.Embedding(3, 2, rng=rng)([-1, 3])
    with pytest.raises(ValueError, match="probability"):
        nn.Dropout(1.5, rng=rng)
    with pytest.raises(ValueError, match="at least one input"):
        nn.Linear(0, 3, rng=rng)
    with pytest.raises(TypeError, match="default_rng"):
        nn.Linear(2, 3, rng=0)


# --- losses


def test_losses_by_hand():
    assert float(nn.mse_loss(np.array([1.0, 4.0]), np.array([3.0, 1.0]))) == pytest.approx(6.5)
    z = np.array([[2.0, 1.0, -1.0], [0.5, 0.5, 3.0]])
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    expected = -np.log([p[0, 1], p[1, 2]])
    np.testing.assert_allclose(nn.cross_entropy(z, [1, 2], reduction="none"), expected, rtol=1e-12)
    assert float(nn.cross_entropy(z, [1, 2])) == pytest.approx(expected.mean(), rel=1e-12)
    assert float(nn.cross_entropy(z, [1, 2], reduction="sum")) == pytest.approx(expected.sum(), rel=1e-12)
    assert float(nn.cross_entropy(z, np.eye(3)[[1, 2]])) == pytest.approx(expected.mean(), rel=1e-12)
    assert float(nn.cross_entropy(z[0], 1)) == pytest.approx(expected[0], rel=1e-12)
    s, t = np.array([0.3, -2.0]), np.array([1.0, 0.25])
    q = 1.0 / (1.0 + np.exp(-s))
    np.testing.assert_allclose(
        nn.binary_cross_entropy_with_logits(s, t, reduction="none"),
        -(t * np.log(q) + (1 - t) * np.log(1 - q)),
        rtol=1e-12,
    )


def test_the_gradient_of_cross_entropy_is_predicted_minus_true(rng):
    z = nn.Parameter(rng.normal(size=(4, 3)))
    labels = np.array([2, 0, 0, 1])
    nn.cross_entropy(z, labels).backward()
    p = np.exp(z.data) / np.exp(z.data).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(z.grad, (p - np.eye(3)[labels]) / 4, rtol=1e-12)


def test_losses_from_logits_survive_scores_that_overflow_a_softmax():
    z = nn.Parameter([[1000.0, -1000.0, 0.0]])
    loss = nn.cross_entropy(z, [1])
    loss.backward()
    assert float(loss.numpy()) == pytest.approx(2000.0)
    np.testing.assert_allclose(z.grad, [[1.0, -1.0, 0.0]], atol=1e-15)
    s = nn.Parameter([1000.0, -1000.0])
    loss = nn.binary_cross_entropy_with_logits(s, np.array([0.0, 1.0]))
    loss.backward()
    assert float(loss.numpy()) == pytest.approx(1000.0)
    np.testing.assert_allclose(s.grad, [0.5, -0.5], rtol=1e-12)


def test_losses_refuse_what_would_be_broadcast_or_misread(rng):
    with pytest.raises(ValueError, match="one shape"):
        nn.mse_loss(rng.normal(size=(4, 1)), rng.normal(size=4))
    with pytest.raises(ValueError, match="one shape"):
        nn.binary_cross_entropy_with_logits(rng.normal(size=(4, 1)), np.ones(4))
    with pytest.raises(ValueError, match=r"0\.\.2"):
        nn.cross_entropy(np.ones((2, 3)), [0, 3])
    with pytest.raises(ValueError, match="integers of shape"):
        nn.cross_entropy(np.ones((2, 3)), [0.0, 1.0])
    with pytest.raises(ValueError, match="integers of shape"):
        nn.cross_entropy(np.ones((2, 3)), [0, 1, 2])
    with pytest.raises(ValueError, match="'mean', 'sum' or 'none'"):
        nn.mse_loss(np.ones(2), np.zeros(2), reduction="average")


# --- initializers


@pytest.mark.parametrize(
    ("make", "deviation"),
    [
        (init.glorot_uniform, math.sqrt(2 / (300 * 6 + 80 * 6))),
        (init.glorot_normal, math.sqrt(2 / (300 * 6 + 80 * 6))),
        (init.he_uniform, math.sqrt(2 / (300 * 6))),
        (init.he_normal, math.sqrt(2 / (300 * 6))),
    ],
)
def test_initializers_have_their_published_variance(make, deviation, rng):
    weight = make((80, 300, 2, 3), rng=rng)
    assert weight.shape == (80, 300, 2, 3)
    assert weight.mean() == pytest.approx(0.0, abs=5 * deviation / math.sqrt(weight.size))
    assert weight.std() == pytest.approx(deviation, rel=0.01)
    if "uniform" in make.__name__:
        assert np.abs(weight).max() <= math.sqrt(3) * deviation
    assert make((2, 3), rng=rng, dtype=np.float32).dtype == np.float32
    ratio = make((2, 3), gain=3.0, rng=np.random.default_rng(1)) / make((2, 3), gain=1.0, rng=np.random.default_rng(1))
    np.testing.assert_allclose(ratio, 3.0, rtol=1e-12)


@pytest.mark.parametrize("shape", [(3, 7), (7, 3), (5, 5), (4, 2, 3, 3)])
def test_orthogonal_weights_keep_lengths(shape, rng):
    W = init.orthogonal(shape, gain=2.0, rng=rng).reshape(shape[0], -1)
    singular_values = np.linalg.svd(W, compute_uv=False)
    np.testing.assert_allclose(singular_values, 2.0, rtol=1e-12)


def test_orthogonal_weights_prefer_no_direction(rng):
    entries = np.array([init.orthogonal((2, 2), rng=rng)[0, 0] for _ in range(2000)])
    assert entries.mean() == pytest.approx(0.0, abs=0.06)


def test_he_keeps_the_size_of_signals_through_fifty_relu_layers(rng):
    x = rng.normal(size=(64, 256))
    sizes = {}
    for name, make in (("he", init.he_normal), ("glorot", init.glorot_normal)):
        h = x
        for _ in range(50):
            h = np.maximum(h @ make((256, 256), rng=rng).T, 0.0)
        sizes[name] = np.sqrt(np.mean(h**2))
    assert 0.1 < sizes["he"] < 10.0
    assert sizes["glorot"] < 1e-5


def test_initializers_explain_a_shape_without_fan(rng):
    with pytest.raises(ValueError, match="biases may start at zero"):
        init.he_normal((3,), rng=rng)
    with pytest.raises(TypeError, match="default_rng"):
        init.orthogonal((3, 2), rng=None)


def test_linear_wants_one_bias_per_output():
    x, w = np.ones((3, 4)), Tensor(np.ones((2, 4)), requires_grad=True)
    for bias in (np.ones(1), np.ones((3, 2)), 0.0):
        with pytest.raises(ValueError, match=r"goes with a bias of shape \(2,\)"):
            linear(x, w, bias)


def test_the_gradient_of_a_linear_layer_lies_in_memory_as_its_weight_does():
    """In the other order each update would walk through one of the two in long strides."""
    layer = nn.Linear(300, 200, rng=np.random.default_rng(0))
    x = np.random.default_rng(1).normal(size=(5, 2, 300))
    np.sum(np.tanh(layer(x))).backward()
    assert layer.weight.grad.flags.c_contiguous
    g = 1 - np.tanh(layer(x).numpy()) ** 2
    np.testing.assert_allclose(layer.weight.grad, np.einsum("abo,abi->oi", g, x), rtol=1e-11)
