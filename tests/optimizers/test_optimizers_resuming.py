"""Training that is saved and goes on elsewhere ends at the same bits as training that was never interrupted."""

import io
import json

import numpy as np
import pytest

from coursepkg import nn
from coursepkg import optimizers as opt
from coursepkg.autodiff.scalar import Scalar
from coursepkg.autodiff.tensor import Tensor
from coursepkg.training import Trainer, accuracy

MAKERS = {
    "GD": lambda p: opt.GD(p, lr=0.05, weight_decay=0.1),
    "SGD": lambda p: opt.SGD(p, lr=0.05, momentum=0.8, nesterov=True, weight_decay=0.01),
    "SGD without momentum": lambda p: opt.SGD(p, lr=0.05),
    "Momentum": lambda p: opt.Momentum(p, lr=0.05),
    "Nesterov": lambda p: opt.Nesterov(p, lr=0.05),
    "Adagrad": lambda p: opt.Adagrad(p, lr=0.05),
    "RMSprop": lambda p: opt.RMSprop(p, lr=0.05, alpha=0.9),
    "Adam": lambda p: opt.Adam(p, lr=0.05, betas=(0.8, 0.95), weight_decay=0.01),
    "AdamW": lambda p: opt.AdamW(p, lr=0.05, betas=(0.8, 0.95), weight_decay=0.2),
    "Adam with a schedule": lambda p: opt.Adam(p, lr=opt.warm_up(opt.cosine(0.1, steps=6), steps=3)),
    "RPROP": lambda p: opt.RPROP(p, lr=0.05),
    "IRPROPMinus": lambda p: opt.IRPROPMinus(p, lr=0.05),
    "IRPROPPlus": lambda p: opt.IRPROPPlus(p, lr=0.05),
}
every_optimizer = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)


def as_it_is(state):
    return state


def through_a_file_of_arrays(state):
    file = io.BytesIO()
    np.savez(file, **state)
    file.seek(0)
    return np.load(file, allow_pickle=False)


def through_json(state):
    plain = {name: entry.tolist() if isinstance(entry, np.ndarray) else entry for name, entry in state.items()}
    return json.loads(json.dumps(plain))


ways = pytest.mark.parametrize("way", [as_it_is, through_a_file_of_arrays, through_json])


def network(dtype):
    rng = np.random.default_rng(0)
    return nn.Sequential(nn.Linear(3, 5, rng=rng, dtype=dtype), np.tanh, nn.Linear(5, 2, rng=rng, dtype=dtype))


def train(model, optimizer, steps, dtype):
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(20, 3)).astype(dtype), rng.normal(size=(20, 2)).astype(dtype)
    for _ in range(steps):
        optimizer.zero_grad()
        loss = nn.mse_loss(model(x), y)
        loss.backward()
        optimizer.step(loss=loss)


def named(model):
    return dict(model.named_parameters())


@ways
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@every_optimizer
def test_ten_steps_are_five_and_five(make, dtype, way):
    whole = network(dtype)
    train(whole, make(named(whole)), 10, dtype)
    first = network(dtype)
    stopped = make(named(first))
    train(first, stopped, 5, dtype)
    again = network(dtype)
    optimizer = make(named(again))
    again.load_state_dict(way(first.state_dict()))
    optimizer.load_state_dict(way(stopped.state_dict()))
    assert optimizer.steps == 5
    train(again, optimizer, 5, dtype)
    for name, array in whole.state_dict().items():
        np.testing.assert_array_equal(again.state_dict()[name], array, err_msg=name)
        assert not np.array_equal(array, first.state_dict()[name])


@ways
@every_optimizer
def test_arrays_without_axes_empty_ones_and_scalars_go_on_too(make, way):
    def start():
        return [np.array(1.5), np.zeros((0, 3)), np.array([[0.25], [-2.0]]), Scalar(0.7)]

    def walk(parameters, optimizer, steps):
        *arrays, scalar = parameters
        for _ in range(steps):
            loss = sum(float(np.sum(p**4)) for p in arrays) + scalar.data**4
            optimizer.step([4 * p**3 - 0.3 for p in arrays] + [4 * scalar.data**3 - 0.3], loss=loss)

    whole, cut = start(), start()
    walk(whole, make(whole), 9)
    stopped = make(cut)
    walk(cut, stopped, 4)
    optimizer = make(cut)
    optimizer.load_state_dict(way(stopped.state_dict()))
    walk(cut, optimizer, 5)
    for ours, exact in zip(cut[:-1], whole[:-1], strict=True):
        np.testing.assert_array_equal(ours, exact)
    assert cut[-1].data == whole[-1].data
    assert type(cut[-1].data) is float


@ways
def test_lbfgs_goes_on(way):
    A = np.array([[3.0, 1.0], [1.0, 2.0]])

    def walk(x, optimizer, steps):
        for _ in range(steps):
            optimizer.step(lambda: (0.5 * x @ A @ x + np.sum(np.cos(x)), A @ x - np.sin(x)))

    whole, cut = np.array([2.0, -3.0]), np.array([2.0, -3.0])
    uninterrupted = opt.LBFGS(whole, max_iter=2)
    walk(whole, uninterrupted, 4)
    stopped = opt.LBFGS(cut, max_iter=2)
    walk(cut, stopped, 2)
    optimizer = opt.LBFGS(cut)
    optimizer.load_state_dict(way(stopped.state_dict()))
    walk(cut, optimizer, 2)
    np.testing.assert_array_equal(cut, whole)
    assert (optimizer.steps, optimizer.evaluations) == (4, uninterrupted.evaluations)


def test_irprop_plus_remembers_the_last_loss():
    """The loss rises exactly at the first step after the pause, so the step that went too far is taken back."""

    def path(pause):
        w, walked = np.array([0.0]), []
        optimizer = opt.IRPROPPlus(w, lr=0.1)
        for number, (sign, loss) in enumerate(zip((2.0, 3.0, -4.0, -5.0), (4.0, 3.0, 3.5, 1.0), strict=True)):
            if number == pause:
                state = optimizer.state_dict()
                optimizer = opt.IRPROPPlus(w, lr=0.1)
                optimizer.load_state_dict(state)
            optimizer.step(np.array([sign]), loss=loss)
            walked.append(float(w[0]))
        return walked

    exact = path(None)
    np.testing.assert_allclose(exact, [-0.1, -0.22, -0.1, -0.04], rtol=1e-12)
    for pause in range(4):
        assert path(pause) == exact


def test_a_rule_of_ones_own_is_saved_with_no_further_work():
    class Averaged(opt.FirstOrder):
        def change(self, gradient, state, lr):
            state["step"] = state.get("step", 0) + 1
            state["mean"] = state.get("mean", 0.0) + (gradient - state.get("mean", 0.0)) / state["step"]
            return -lr * state["mean"]

    whole, cut = np.array([1.0, 5.0]), np.array([1.0, 5.0])
    uninterrupted, stopped = Averaged(whole, lr=0.3), Averaged(cut, lr=0.3)
    for _ in range(6):
        uninterrupted.step(2 * whole)
    for _ in range(3):
        stopped.step(2 * cut)
    optimizer = Averaged(cut, lr=0.3)
    optimizer.load_state_dict(stopped.state_dict())
    for _ in range(3):
        optimizer.step(2 * cut)
    np.testing.assert_array_equal(cut, whole)


def test_the_state_is_flat_and_named_by_parameter():
    theta = {"w": np.array([1.0, 2.0]), "unused": np.array([3.0])}
    optimizer = opt.Adam(theta, lr=0.1)
    state = optimizer.state_dict()
    assert state == {
        "optimizer": "Adam", "parameters": ["w", "unused"], "steps": 0, "lr": 0.1, "weight_decay": 0.0,
        "betas": [0.9, 0.999], "eps": 1e-8, "memory": [],
    }  # fmt: skip
    w, unused = (Tensor(p, requires_grad=True) for p in theta.values())
    optimizer = opt.Adam({"w": w, "unused": unused}, lr=opt.constant(0.1))
    w.grad = np.array([1.0, -1.0])
    optimizer.step()
    state = optimizer.state_dict()
    assert state["memory"] == ["w.step", "w.mean", "w.mean square"]
    assert state["w.step"] == 1
    assert "lr" not in state
    assert {type(entry) for entry in state.values()} == {str, list, int, float, np.ndarray}


@every_optimizer
def test_a_state_is_a_copy_both_ways(make):
    theta, gradient = np.array([1.0, -2.0]), np.array([0.5, 0.25])
    optimizer = make(theta)
    optimizer.step(gradient, loss=1.0)
    state, later = optimizer.state_dict(), optimizer.state_dict()
    optimizer.step(gradient, loss=0.5)
    for entry in state.values():
        if isinstance(entry, np.ndarray):
            entry *= 100.0
    untouched = make(theta.copy())
    untouched.load_state_dict(later)
    for entry, array in later.items():
        if isinstance(array, np.ndarray):
            before = array.copy()
            array *= 100.0
            np.testing.assert_array_equal(untouched.state_dict()[entry], before)


def test_settings_come_back_as_in_pytorch():
    """A learning rate that was lowered by hand on the way belongs to where the run stood."""
    first = opt.Momentum(np.ones(2), lr=0.5, momentum=0.7)
    first.lr = 0.01
    second = opt.Momentum(np.ones(2), lr=0.5)
    second.load_state_dict(first.state_dict())
    assert (second.lr, second.momentum) == (0.01, 0.7)


def test_a_state_of_double_precision_serves_single_precision():
    saved = opt.Momentum(np.ones(3), lr=0.1)
    saved.step(np.array([1.0, 2.0, 3.0]) / 7)
    optimizer = opt.Momentum(np.ones(3, dtype=np.float32), lr=0.1)
    optimizer.load_state_dict(saved.state_dict())
    velocity = optimizer.state[0]["velocity"]
    assert velocity.dtype == np.float32
    np.testing.assert_array_equal(velocity, (np.array([1.0, 2.0, 3.0]) / 7).astype(np.float32))


def saved(make=opt.Momentum, **parameters):
    parameters = parameters or {"w": np.ones((2, 3)), "b": np.ones(2)}
    optimizer = make(parameters, lr=0.1)
    optimizer.step({name: p / 3 for name, p in parameters.items()})
    return optimizer, optimizer.state_dict()


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        (lambda s: s.pop("b.velocity"), KeyError, r"does not fit this optimizer \(missing: b.velocity\)"),
        (lambda s: s.pop("momentum"), KeyError, "missing: momentum"),
        (lambda s: s.pop("memory"), KeyError, "missing: memory; unknown: w.velocity, b.velocity"),
        (lambda s: s.update(extra=1.0), KeyError, "unknown: extra"),
        (lambda s: s.update(parameters=["w"]), KeyError, "for the parameters w, but this optimizer moves w, b"),
        (lambda s: s.update(parameters=["b", "w"]), KeyError, "same parameters in the same order"),
        (lambda s: s.update({"memory": ["c.velocity"], "c.velocity": 1.0}), KeyError, "unknown: w.velocity"),
        (lambda s: s.pop("optimizer"), KeyError, "not the state of an optimizer: it has no 'optimizer'"),
        (lambda s: s.update(optimizer="Nesterov"), ValueError, "by Nesterov, but this optimizer is Momentum"),
        (lambda s: s.update({"w.velocity": np.ones((3, 2))}), ValueError, r"w.velocity has shape \(3, 2\) .* \(2, 3\)"),
        (lambda s: s.update({"b.velocity": 0.5}), ValueError, r"b.velocity has shape \(\) in the state, but \(2,\)"),
        (lambda s: s.update({"b.velocity": np.ones(2) * 1j}), ValueError, "real numbers, got dtype complex128"),
        (lambda s: s.update({"b.velocity": ["x", "y"]}), ValueError, "real numbers, got dtype <U1"),
        (lambda s: s.update(steps=2.5), ValueError, "steps counts, so it must be a whole number from 0, got 2.5"),
        (lambda s: s.update(steps=-1), ValueError, "whole number from 0, got -1"),
        (lambda s: s.update(steps=True), ValueError, "whole number from 0, got True"),
        (lambda s: s.update(momentum="much"), ValueError, "momentum must be a number such as 0.9, got 'much'"),
        (lambda s: s.update(momentum=[0.9]), ValueError, r"momentum has shape \(1,\) in the state"),
        (lambda s: s.update(lr=float("nan")), ValueError, "lr must not be negative, got nan"),
        (lambda s: s.pop("lr"), KeyError, "saved with a schedule, which is a function and no data"),
    ],
)
def test_a_state_that_does_not_fit_is_refused_and_changes_nothing(change, kind, message):
    _, state = saved()
    optimizer, _ = saved()
    optimizer.step({"w": np.ones((2, 3)), "b": np.ones(2)})
    before = optimizer.state_dict()
    change(state)
    with pytest.raises(kind, match=message):
        optimizer.load_state_dict(state)
    after = optimizer.state_dict()
    assert list(after) == list(before)
    for name, entry in before.items():
        np.testing.assert_array_equal(after[name], entry)


def test_what_is_no_state_at_all_is_refused():
    optimizer, _ = saved()
    with pytest.raises(TypeError, match=r"a dict as from state_dict\(\), got list"):
        optimizer.load_state_dict([1, 2])
    with pytest.raises(KeyError, match=r"among 0.weight, .*a model has a state of its own"):
        optimizer.load_state_dict(network(np.float64).state_dict())
    with pytest.raises(KeyError, match="among nothing"):
        optimizer.load_state_dict({})


def test_a_number_and_a_schedule_are_not_confused():
    w = np.ones(2)
    with_number, with_schedule = opt.GD(w, lr=0.1), opt.GD(w, lr=opt.step_decay(0.1, every=2))
    with_schedule.step(w)
    with pytest.raises(KeyError, match=r"lr=schedule; the state knows how many steps were taken"):
        with_number.load_state_dict(with_schedule.state_dict())
    with pytest.raises(KeyError, match=r"the state has lr=0.1, .*optimizer.lr = schedule afterwards"):
        with_schedule.load_state_dict(with_number.state_dict())
    other = opt.GD(w, lr=opt.step_decay(0.1, every=1))
    other.load_state_dict(with_schedule.state_dict())
    assert other.current_lr == pytest.approx(0.01, rel=1e-12)


def test_a_truth_value_stays_one():
    optimizer = opt.SGD(np.ones(2), lr=0.1, momentum=0.9, nesterov=True)
    state = optimizer.state_dict()
    optimizer.load_state_dict(through_a_file_of_arrays(state))
    assert optimizer.nesterov is True
    with pytest.raises(ValueError, match="nesterov must be True or False such as True, got 1"):
        optimizer.load_state_dict(state | {"nesterov": 1})


# --- one parameter, moved once


def test_a_parameter_that_stands_there_twice_is_refused():
    w, b, s = Tensor([1.0, 2.0], requires_grad=True), Tensor(0.5, requires_grad=True), Scalar(1.0)
    with pytest.raises(ValueError, match="parameter 0 and parameter 2 are the same Tensor, which would be moved twice"):
        opt.GD([w, b, w], lr=0.1)
    with pytest.raises(ValueError, match="first and second are the same Tensor"):
        opt.Adam({"first": w, "second": w})
    with pytest.raises(ValueError, match="the same Scalar"):
        opt.Momentum([s, s], lr=0.1)
    array = np.ones(3)
    with pytest.raises(ValueError, match="the same ndarray"):
        opt.LBFGS([array, array])


@pytest.mark.parametrize(
    "look",
    [lambda a: a[1:], lambda a: a.reshape(2, 3), lambda a: a[::-1], lambda a: a[3:4].reshape(()), lambda a: a[:]],
)
def test_views_of_the_same_memory_are_refused(look):
    array = np.arange(6.0)
    with pytest.raises(ValueError, match="parameter 0 and parameter 2 share memory"):
        opt.GD([array, np.ones(2), look(array)], lr=0.1)


def test_parts_that_do_not_overlap_are_welcome():
    flat = np.arange(6.0)
    parts = [flat[:4:2], flat[1:4:2], flat[4:].reshape(2, 1), flat[6:]]
    opt.GD(parts, lr=1.0).step([np.full(p.shape, 0.5) for p in parts])
    np.testing.assert_array_equal(flat, np.arange(6.0) - 0.5)
    same = Tensor(flat, requires_grad=True), Tensor(flat, requires_grad=True)  # two tensors with arrays of their own
    assert len(opt.GD(same, lr=1.0).parameters) == 2


# --- the training loop


def loop(dtype=np.float64, watch_gradients=True):
    model = network(dtype)
    optimizer = opt.Adam(named(model), lr=opt.cosine(0.05, steps=30))
    return Trainer(model, nn.cross_entropy, optimizer, metric=accuracy, watch_gradients=watch_gradients)


def points():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(30, 3))
    return x, (x[:, 0] > x[:, 1] * x[:, 2]).astype(int)


@ways
def test_the_loop_goes_on_as_if_it_had_not_been_interrupted(way):
    whole, rng = loop(), np.random.default_rng(4)
    whole.fit(points(), epochs=6, batch_size=8, rng=rng, validation=points())
    first, rng = loop(), np.random.default_rng(4)
    first.fit(points(), epochs=2, batch_size=8, rng=rng, validation=points())
    again, drawn = loop(), np.random.default_rng()
    again.load_state_dict(way(first.state_dict()))
    drawn.bit_generator.state = json.loads(json.dumps(rng.bit_generator.state))
    again.fit(points(), epochs=4, batch_size=8, rng=drawn, validation=points())
    assert again.history == whole.history
    assert len(again.history.gradient_norms["0.weight"]) == 6
    assert len(first.history.loss) == 2
    for name, array in whole.model.state_dict().items():
        np.testing.assert_array_equal(again.model.state_dict()[name], array, err_msg=name)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("model.0.bias"), "missing: 0.bias"),
        (lambda s: s.pop("optimizer.0.bias.mean"), "missing: 0.bias.mean"),
        (lambda s: s.update({"history.time": [1.0]}), "no record of time; there are loss, metric"),
        (lambda s: s.update({"history.loss.0": [1.0]}), "no record of loss.0"),
        (lambda s: [s.pop(name) for name in list(s) if name.startswith("history")], "nothing under 'history.'"),
    ],
)
def test_a_loop_whose_state_does_not_fit_stays_as_it_is(change, message):
    saved, trainer = loop(), loop()
    saved.fit(points(), epochs=2, batch_size=8, rng=np.random.default_rng(4))
    state, before = saved.state_dict(), trainer.state_dict()
    change(state)
    with pytest.raises(KeyError, match=message):
        trainer.load_state_dict(state)
    after = trainer.state_dict()
    assert list(after) == list(before)
    for name, entry in before.items():
        np.testing.assert_array_equal(after[name], entry)


def test_a_model_that_is_a_plain_function_has_no_state():
    w = Tensor([1.0, 2.0, 3.0], requires_grad=True)
    trainer = Trainer(lambda x: x @ w, nn.mse_loss, opt.SGD([w], lr=0.1))
    with pytest.raises(TypeError, match=r"the optimizer by optimizer.state_dict\(\)"):
        trainer.state_dict()
