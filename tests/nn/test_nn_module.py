"""A module is a function that owns its parameters: it finds them, saves them, and lends them out."""

import warnings

import numpy as np
import pytest

from coursepkg import nn
from coursepkg.autodiff.catalogue import relu
from coursepkg.autodiff.tensor import Tensor


@pytest.fixture
def rng():
    return np.random.default_rng(21)


def small_model(seed=0):
    rng = np.random.default_rng(seed)
    return nn.Sequential(nn.Linear(5, 4, rng=rng), nn.BatchNorm(4), np.tanh, nn.Linear(4, 3, bias=False, rng=rng))


class Twice(nn.Module):
    """Uses one layer twice, and stores it under two names."""

    def __init__(self, rng):
        self.first = nn.Linear(3, 3, rng=rng)
        self.second = self.first
        self.scale = nn.Parameter(2.0)

    def forward(self, x):
        return self.scale * self.second(np.tanh(self.first(x)))


def test_parameters_have_pytorchs_names_in_order():
    model = small_model()
    assert [name for name, _ in model.named_parameters()] == ["0.weight", "0.bias", "1.weight", "1.bias", "3.weight"]
    assert list(model.state_dict())[5:] == ["1.running_mean", "1.running_var", "1.num_batches_tracked"]
    assert [p.shape for p in model.parameters()] == [(4, 5), (4,), (4,), (4,), (3, 4)]
    assert all(p.requires_grad for p in model.parameters())


def test_a_shared_layer_is_one_set_of_parameters_and_its_gradients_add(rng):
    model = Twice(rng)
    assert [name for name, _ in model.named_parameters()] == ["scale", "first.weight", "first.bias"]
    x = rng.normal(size=(4, 3))
    G = rng.normal(size=(4, 3))
    np.sum(model(x) * G).backward()
    shared = model.first.weight.grad.copy()
    first, second = nn.Linear(3, 3, rng=rng), nn.Linear(3, 3, rng=rng)
    for copy in (first, second):
        copy.load_state_dict(model.first.state_dict())
    np.sum(model.scale.detach() * second(np.tanh(first(x))) * G).backward()
    np.testing.assert_allclose(shared, first.weight.grad + second.weight.grad, rtol=1e-12)


def test_results_kept_as_attributes_are_not_parameters(rng):
    model = nn.Linear(3, 2, rng=rng)
    model.last_output = model(np.ones((1, 3)))
    assert [name for name, _ in model.named_parameters()] == ["weight", "bias"]


def test_frozen_parameters_get_no_gradient_and_stay_in_the_state(rng):
    model = small_model()
    model[0].weight.requires_grad = False
    np.sum(model(rng.normal(size=(6, 5))) ** 2).backward()
    assert model[0].weight.grad is None
    assert model[3].weight.grad is not None
    assert "0.weight" in model.state_dict()


def test_zero_grad_and_modes_reach_every_part(rng):
    model = nn.Sequential(small_model(), nn.Dropout(rng=rng))
    np.sum(model(rng.normal(size=(6, 5))) ** 2).backward()
    model.zero_grad()
    assert all(p.grad is None for p in model.parameters())
    assert model.eval() is model
    assert not any(module.training for _, module in model.named_modules())
    assert model.train()[0][1].training


def test_the_printed_model_shows_its_parts():
    assert repr(small_model()).splitlines() == [
        "Sequential(",
        "  (0): Linear(in_features=5, out_features=4, bias=True)",
        "  (1): BatchNorm(4, eps=1e-05, momentum=0.1)",
        "  (2): tanh",
        "  (3): Linear(in_features=4, out_features=3, bias=False)",
        ")",
    ]
    assert "(first): Linear" in repr(Twice(np.random.default_rng(0)))
    assert (
        repr(nn.Sequential(nn.Sequential(nn.Flatten())))
        == "Sequential(\n  (0): Sequential(\n    (0): Flatten()\n  )\n)"
    )


def test_sequential_is_indexed_like_a_list():
    model = small_model()
    assert len(model) == 4
    assert model[2] is np.tanh
    assert model[-1] is model[3]
    with pytest.raises(IndexError, match="4 steps"):
        model[4]
    with pytest.raises(TypeError, match="step 1"):
        nn.Sequential(np.tanh, 3)


def test_a_module_without_forward_says_so():
    class Empty(nn.Module):
        pass

    with pytest.raises(NotImplementedError, match="Empty has no forward"):
        Empty()(1.0)


def test_state_moves_from_model_to_model(rng):
    source, target = small_model(1), small_model(2)
    source(rng.normal(size=(8, 5)))
    x = rng.normal(size=(3, 5))
    target.load_state_dict(source.state_dict())
    np.testing.assert_array_equal(source.eval()(x).data, target.eval()(x).data)
    assert int(target[1].num_batches_tracked) == 1


def test_the_state_is_a_copy():
    model = small_model()
    state = model.state_dict()
    state["0.weight"][:] = 0.0
    state["1.running_mean"][:] = 9.0
    assert np.abs(model[0].weight.data).min() > 0.0
    assert np.all(model[1].running_mean == 0.0)


@pytest.mark.parametrize(
    ("spoil", "error", "message"),
    [
        (lambda s: s.pop("0.bias"), KeyError, r"missing: 0\.bias"),
        (lambda s: s.update({"7.weight": np.ones(2)}), KeyError, r"not in this model: 7\.weight"),
        (lambda s: s.update({"0.weight": s["0.weight"].T}), ValueError, r"\(5, 4\) in the state, but \(4, 5\)"),
        (lambda s: s.update({"1.running_var": np.ones(3)}), ValueError, "running_var"),
        (lambda s: s.update({"3.weight": np.full((3, 4), "x")}), ValueError, "real numbers"),
        (lambda s: s.update({"3.weight": np.ones((3, 4), complex)}), ValueError, "real numbers"),
    ],
    ids=["missing", "unknown", "transposed", "buffer", "text", "complex"],
)
def test_a_state_that_does_not_fit_changes_nothing(spoil, error, message):
    model, state = small_model(1), small_model(2).state_dict()
    before = model.state_dict()
    spoil(state)
    with pytest.raises(error, match=message):
        model.load_state_dict(state)
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


def test_loading_keeps_the_dtype_of_the_model(rng):
    model = nn.Linear(3, 2, rng=rng, dtype=np.float32)
    model.load_state_dict({"weight": np.ones((2, 3)), "bias": [1, 2]})
    assert model.weight.dtype == model.bias.dtype == np.float32


def test_a_model_survives_the_file(tmp_path, rng):
    source, target = small_model(1), small_model(2)
    source(rng.normal(size=(8, 5)))
    path = nn.save(source, tmp_path / "model.npz")
    assert nn.load(target, str(path)) is target
    for name, array in source.state_dict().items():
        np.testing.assert_array_equal(target.state_dict()[name], array)
    with np.load(path, allow_pickle=False) as archive:
        assert sorted(archive) == sorted(source.state_dict())
    assert [file.name for file in tmp_path.iterdir()] == ["model.npz"]


def test_files_that_are_not_models_are_refused(tmp_path, rng):
    model = nn.Linear(3, 2, rng=rng)
    before = model.state_dict()
    path = nn.save(model, tmp_path / "model.npz")
    whole = path.read_bytes()
    wrongs = {
        "cut": whole[: len(whole) // 2],
        "html": b"<html>no</html>",
        "empty": b"",
        "flipped": whole[:90] + whole[92:],
    }
    for content in wrongs.values():
        path.write_bytes(content)
        with pytest.raises(ValueError, match="not a model saved by"):
            nn.load(model, path)
    np.savez(path, weight=np.array([{"evil": 1}], dtype=object), bias=np.zeros(2))
    with pytest.raises(ValueError, match="allow_pickle"):
        nn.load(model, path)
    np.savez(path, weight=np.zeros((2, 3)))
    with pytest.raises(KeyError, match="missing: bias"):
        nn.load(model, path)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        nn.load(model, tmp_path / "nowhere.npz")
    with pytest.raises(ValueError, match=r"try 'model\.npz'"):
        nn.save(model, tmp_path / "model.pt")
    np.testing.assert_array_equal(model.weight.data, before["weight"])


def test_functional_call_lends_other_parameters(rng):
    model = small_model()
    x = rng.normal(size=(6, 5))
    before = model.state_dict()
    values = {name: rng.normal(size=p.shape) for name, p in model.named_parameters()}
    other = small_model(3)
    other.load_state_dict(other.state_dict() | values)
    out = nn.functional_call(model, values, x)
    assert type(out) is np.ndarray
    np.testing.assert_allclose(out, other(x).data, rtol=1e-12)
    np.testing.assert_array_equal(model.state_dict()["0.weight"], before["0.weight"])
    assert isinstance(model[0].weight, Tensor)


def test_functional_call_replaces_a_shared_parameter_everywhere(rng):
    model = Twice(rng)
    x = rng.normal(size=(4, 3))
    W = rng.normal(size=(3, 3))
    b = model.first.bias.data
    expected = 2.0 * (np.tanh(x @ W.T + b) @ W.T + b)
    np.testing.assert_allclose(nn.functional_call(model, {"first.weight": W}, x).data, expected, rtol=1e-12)


def test_functional_call_takes_a_whole_state(rng):
    model, other = small_model(1), small_model(2)
    other(rng.normal(size=(8, 5)))
    x = rng.normal(size=(3, 5))
    model.eval()
    out = nn.functional_call(model, other.state_dict(), x)
    np.testing.assert_allclose(out, other.eval()(x).data, rtol=1e-12)
    assert np.all(model[1].running_mean == 0.0)


def test_functional_call_gives_the_parameters_back_after_an_error(rng):
    model = small_model()
    weight = model[0].weight
    with pytest.raises(KeyError, match="no parameter is called w"):
        nn.functional_call(model, {"w": 1.0}, np.ones((2, 5)))
    with pytest.raises(ValueError, match=r"0\.weight has shape \(4, 5\)"):
        nn.functional_call(model, {"0.weight": np.ones((5, 4))}, np.ones((2, 5)))
    with pytest.raises(ValueError, match="5 features"):
        nn.functional_call(model, {"0.weight": np.ones((4, 5))}, np.ones((2, 6)))
    assert model[0].weight is weight


def test_functional_call_opens_the_forward_route(rng):
    from coursepkg import gradients

    model = nn.Sequential(nn.Linear(5, 4, rng=rng), relu, nn.Linear(4, 1, rng=rng))
    x = rng.normal(size=(6, 5))

    state = model.state_dict()

    def loss(weight):
        return np.mean(nn.functional_call(model, state | {"0.weight": weight}, x) ** 2)

    W = state["0.weight"]
    by_reverse, by_forward = gradients.reverse(loss)(W), gradients.forward(loss)(W)
    assert np.abs(by_reverse).max() > 1e-3
    np.testing.assert_allclose(by_forward, by_reverse, rtol=1e-10)


def test_evaluation_outside_the_tape_gives_values_without_history(rng):
    from coursepkg.autodiff.tensor import no_grad

    model = small_model().eval()
    with warnings.catch_warnings(), no_grad():
        assert not model(rng.normal(size=(2, 5))).requires_grad
