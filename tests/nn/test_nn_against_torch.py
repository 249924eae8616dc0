"""Layers and losses side by side with PyTorch: outputs and gradients, random cotangents, shapes that are not square."""

import numpy as np
import pytest

from coursepkg import nn

torch = pytest.importorskip("torch", reason="PyTorch is the witness here and is not installed; `make peers` adds it")

TIGHT = {"rtol": 1e-10, "atol": 1e-12}


@pytest.fixture
def rng():
    return np.random.default_rng(17)


def double(module):
    return module.to(torch.float64)


PAIRS = {
    "Linear": (lambda r: nn.Linear(5, 3, rng=r), lambda: torch.nn.Linear(5, 3), (4, 5)),
    "Linear 3-d": (lambda r: nn.Linear(5, 3, rng=r), lambda: torch.nn.Linear(5, 3), (2, 4, 5)),
    "Linear without bias": (
        lambda r: nn.Linear(5, 3, bias=False, rng=r),
        lambda: torch.nn.Linear(5, 3, bias=False),
        (4, 5),
    ),
    "Conv2d": (lambda r: nn.Conv2d(2, 4, 3, rng=r), lambda: torch.nn.Conv2d(2, 4, 3), (3, 2, 6, 5)),
    "Conv2d strided and padded": (
        lambda r: nn.Conv2d(3, 2, (3, 2), stride=(2, 1), padding=(1, 2), rng=r),
        lambda: torch.nn.Conv2d(3, 2, (3, 2), stride=(2, 1), padding=(1, 2)),
        (2, 3, 7, 5),
    ),
    "Conv2d without bias": (
        lambda r: nn.Conv2d(1, 3, 2, bias=False, rng=r),
        lambda: torch.nn.Conv2d(1, 3, 2, bias=False),
        (2, 1, 4, 6),
    ),
    "MaxPool2d": (lambda r: nn.MaxPool2d(2), lambda: torch.nn.MaxPool2d(2), (2, 3, 5, 7)),
    "MaxPool2d overlapping": (
        lambda r: nn.MaxPool2d((3, 2), stride=(1, 2)),
        lambda: torch.nn.MaxPool2d((3, 2), stride=(1, 2)),
        (2, 3, 5, 7),
    ),
    "Flatten": (lambda r: nn.Flatten(), lambda: torch.nn.Flatten(), (2, 3, 4, 5)),
    "LayerNorm": (lambda r: nn.LayerNorm((4, 3)), lambda: torch.nn.LayerNorm((4, 3)), (5, 4, 3)),
    "BatchNorm of vectors": (lambda r: nn.BatchNorm(3), lambda: torch.nn.BatchNorm1d(3), (6, 3)),
    "BatchNorm of images": (
        lambda r: nn.BatchNorm(3, momentum=0.3),
        lambda: torch.nn.BatchNorm2d(3, momentum=0.3),
        (4, 3, 2, 5),
    ),
    "ReLU": (lambda r: nn.ReLU(), lambda: torch.nn.ReLU(), (3, 4)),
    "LeakyReLU": (lambda r: nn.LeakyReLU(0.2), lambda: torch.nn.LeakyReLU(0.2), (3, 4)),
    "Tanh": (lambda r: nn.Tanh(), lambda: torch.nn.Tanh(), (3, 4)),
    "Sigmoid": (lambda r: nn.Sigmoid(), lambda: torch.nn.Sigmoid(), (3, 4)),
    "GELU": (lambda r: nn.GELU(), lambda: torch.nn.GELU(approximate="tanh"), (3, 4)),
    "Softmax": (lambda r: nn.Softmax(dim=1), lambda: torch.nn.Softmax(dim=1), (3, 4, 2)),
    "a convolutional network": (
        lambda r: nn.Sequential(
            nn.Conv2d(1, 3, 3, padding=1, rng=r),
            nn.BatchNorm(3),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(18, 4, rng=r),
        ),
        lambda: torch.nn.Sequential(
            torch.nn.Conv2d(1, 3, 3, padding=1),
            torch.nn.BatchNorm2d(3),
            torch.nn.ReLU(),
            torch.nn.MaxPool2d(2),
            torch.nn.Flatten(),
            torch.nn.Linear(18, 4),
        ),
        (5, 1, 4, 6),
    ),
}


@pytest.mark.parametrize(("make", "make_torch", "shape"), PAIRS.values(), ids=PAIRS)
@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
def test_outputs_gradients_and_state_agree(make, make_torch, shape, training, rng):
    ours, theirs = make(rng), double(make_torch())
    state = {}
    for name, tensor in theirs.state_dict().items():
        values = rng.uniform(0.5, 1.5, tuple(tensor.shape)) if tensor.is_floating_point() else tensor.numpy()
        state[name] = values
    theirs.load_state_dict({name: torch.as_tensor(array) for name, array in state.items()})
    ours.load_state_dict(state)
    ours.train(training)
    theirs.train(training)
    for _ in range(2):
        x = rng.normal(size=shape)
        mine, their = nn.Parameter(x), torch.tensor(x, requires_grad=True)
        out, expected = ours(mine), theirs(their)
        np.testing.assert_allclose(out.numpy(), expected.detach().numpy(), **TIGHT)
        cotangent = rng.normal(size=out.shape)
        ours.zero_grad()
        theirs.zero_grad()
        out.backward(cotangent)
        expected.backward(torch.tensor(cotangent))
        np.testing.assert_allclose(mine.grad, their.grad.numpy(), **TIGHT)
        gradients = dict(theirs.named_parameters())
        for name, parameter in ours.named_parameters():
            np.testing.assert_allclose(parameter.grad, gradients[name].grad.numpy(), **TIGHT)
    for name, array in ours.state_dict().items():
        np.testing.assert_allclose(array, theirs.state_dict()[name].numpy(), **TIGHT)


def test_embeddings_agree(rng):
    ours, theirs = nn.Embedding(6, 3, rng=rng), double(torch.nn.Embedding(6, 3))
    theirs.load_state_dict({"weight": torch.tensor(ours.weight.numpy().copy())})
    index = rng.integers(0, 6, (4, 5))
    cotangent = rng.normal(size=(4, 5, 3))
    out, expected = ours(index), theirs(torch.tensor(index))
    out.backward(cotangent)
    expected.backward(torch.tensor(cotangent))
    np.testing.assert_allclose(out.numpy(), expected.detach().numpy(), **TIGHT)
    np.testing.assert_allclose(ours.weight.grad, theirs.weight.grad.numpy(), **TIGHT)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(
    "name", ["mse_loss", "binary_cross_entropy_with_logits", "cross_entropy", "soft cross_entropy"]
)
def test_losses_agree(name, reduction, rng):
    prediction = rng.normal(scale=3.0, size=(4, 3))
    target = {
        "mse_loss": rng.normal(size=(4, 3)),
        "binary_cross_entropy_with_logits": rng.uniform(size=(4, 3)),
        "cross_entropy": rng.integers(0, 3, 4),
        "soft cross_entropy": rng.dirichlet(np.ones(3), 4),
    }[name]
    function = name.removeprefix("soft ")
    mine, their = nn.Parameter(prediction), torch.tensor(prediction, requires_grad=True)
    loss = getattr(nn, function)(mine, target, reduction=reduction)
    expected = getattr(torch.nn.functional, function)(their, torch.tensor(target), reduction=reduction)
    np.testing.assert_allclose(loss.numpy(), expected.detach().numpy(), **TIGHT)
    cotangent = rng.normal(size=loss.shape)
    loss.backward(cotangent)
    expected.backward(torch.tensor(cotangent))
    np.testing.assert_allclose(mine.grad, their.grad.numpy(), **TIGHT)


@pytest.mark.parametrize("shape", [(7, 4), (6, 3, 2, 5)])
def test_initializers_have_pytorchs_bounds(shape, rng):
    weight = torch.empty(shape, dtype=torch.float64)
    for ours, theirs, options in (
        (nn.init.glorot_uniform, torch.nn.init.xavier_uniform_, {}),
        (nn.init.he_uniform, torch.nn.init.kaiming_uniform_, {"nonlinearity": "relu"}),
    ):
        largest = max(np.abs(ours(shape, rng=rng)).max() for _ in range(200))
        expected = max(theirs(weight, **options).abs().max().item() for _ in range(200))
        assert largest == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize(
    ("make", "make_torch"),
    [
        (lambda r: nn.Linear(6, 3, rng=r), lambda: torch.nn.Linear(6, 3)),
        (lambda r: nn.Conv2d(2, 3, (3, 2), rng=r), lambda: torch.nn.Conv2d(2, 3, (3, 2))),
    ],
)
def test_layers_start_within_pytorchs_bounds(make, make_torch, rng):
    for name in ("weight", "bias"):
        ours = max(np.abs(make(rng).state_dict()[name]).max() for _ in range(200))
        theirs = max(make_torch().state_dict()[name].abs().max().item() for _ in range(200))
        assert ours == pytest.approx(theirs, rel=0.03)
