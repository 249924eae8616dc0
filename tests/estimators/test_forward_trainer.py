"""Forward gradients in the training loop and under every optimizer."""

from functools import partial

import numpy as np
import pytest

from coursepkg import nn, optimizers
from coursepkg.estimators import ForwardTrainer, fill_by_activities, fill_by_rank_one, fill_gradients
from coursepkg.training import Trainer, TrainingDiverged, accuracy

FIRST_ORDER = {
    "GD": partial(optimizers.GD, lr=0.1),
    "SGD": partial(optimizers.SGD, lr=0.05, momentum=0.9),
    "Momentum": partial(optimizers.Momentum, lr=0.05),
    "Nesterov": partial(optimizers.Nesterov, lr=0.05),
    "Adagrad": partial(optimizers.Adagrad, lr=0.05),
    "RMSprop": partial(optimizers.RMSprop, lr=0.01),
    "Adam": partial(optimizers.Adam, lr=0.01),
    "AdamW": partial(optimizers.AdamW, lr=0.01, weight_decay=0.01),
    "RPROP": optimizers.RPROP,
    "IRPROPMinus": optimizers.IRPROPMinus,
    "IRPROPPlus": optimizers.IRPROPPlus,
}


def small(seed=0):
    rng = np.random.default_rng(seed)
    model = nn.Sequential(nn.Linear(3, 4, rng=rng), np.tanh, nn.Linear(4, 2, rng=rng))
    x = rng.normal(size=(40, 3))
    return model, x, (x[:, 0] * x[:, 1] > 0).astype(int)


def parameters_in(model):
    return sum(p.size for p in model.parameters())


def test_every_first_order_optimizer_of_the_package_is_listed():
    kinds = {name for name in optimizers.__all__ if isinstance(getattr(optimizers, name), type)}
    kinds = {name for name in kinds if issubclass(getattr(optimizers, name), optimizers.FirstOrder)}
    assert kinds - {"FirstOrder"} == set(FIRST_ORDER)


@pytest.mark.parametrize("name", list(FIRST_ORDER))
def test_with_as_many_directions_as_parameters_training_is_that_of_backpropagation(name):
    histories = []
    for forward in (False, True):
        model, x, y = small()
        optimizer = FIRST_ORDER[name](model.parameters())
        if forward:
            rng = np.random.default_rng(1)
            fill = partial(fill_gradients, directions="orthonormal", count=parameters_in(model), rng=rng)
            trainer = ForwardTrainer(model, nn.cross_entropy, optimizer, fill=fill, metric=accuracy)
        else:
            trainer = Trainer(model, nn.cross_entropy, optimizer, metric=accuracy)
        trainer.fit((x, y), epochs=6, batch_size=20, rng=np.random.default_rng(2))
        histories.append(trainer.history)
    np.testing.assert_allclose(histories[1].loss, histories[0].loss, rtol=1e-7)
    assert histories[1].metric == histories[0].metric


def test_the_closure_of_l_bfgs_may_fill_gradients_too():
    ends = []
    for forward in (False, True):
        model, x, y = small()
        optimizer = optimizers.LBFGS(model.parameters(), max_iter=4)
        rng = np.random.default_rng(1)

        def closure(model=model, x=x, y=y, optimizer=optimizer, forward=forward, rng=rng):
            optimizer.zero_grad()
            if forward:
                options = {"directions": "coordinate", "count": parameters_in(model), "rng": rng}
                return fill_gradients(model, nn.cross_entropy, x, y, **options)[0]
            loss = nn.cross_entropy(model(x), y)
            loss.backward()
            return loss

        optimizer.step(closure)
        ends.append(closure().item())
    assert ends[1] == pytest.approx(ends[0], rel=1e-6)


@pytest.mark.parametrize(
    "fill",
    [
        partial(fill_gradients, count=4),
        partial(fill_gradients, directions="gaussian", count=4),
        partial(fill_by_rank_one, count=4),
        fill_by_activities,
        partial(fill_by_activities, directions="gaussian"),
    ],
)
def test_each_way_to_fill_learns(fill):
    model, x, y = small()
    trainer = ForwardTrainer(
        model, nn.cross_entropy, optimizers.Adam(model.parameters(), lr=0.02),
        fill=partial(fill, rng=np.random.default_rng(3)), metric=accuracy, max_grad_norm=10.0, watch_gradients=True,
    )  # fmt: skip
    history = trainer.fit((x, y), epochs=60, batch_size=20, rng=np.random.default_rng(4))
    assert history.loss[-1] < 0.75 * history.loss[0]
    assert set(history.gradient_norms) == {"0.weight", "0.bias", "2.weight", "2.bias"}


def test_the_loss_and_the_output_are_those_before_the_step():
    model, x, y = small()
    expected = nn.cross_entropy(model(x), y).item()
    for fill in (fill_gradients, fill_by_activities, fill_by_rank_one):
        loss, output = fill(model, nn.cross_entropy, x, y, rng=np.random.default_rng(0))
        assert float(loss) == pytest.approx(expected, rel=1e-12)
        np.testing.assert_allclose(output, model(x).numpy(), rtol=1e-12)
        assert type(output) is np.ndarray


def test_every_direction_meets_the_same_dropout_and_batch_norm_keeps_plain_statistics():
    rng = np.random.default_rng(0)
    model = nn.Sequential(nn.Linear(3, 4, rng=rng), nn.BatchNorm(4), nn.Dropout(0.5, rng=rng), nn.Linear(4, 2, rng=rng))
    x, y = rng.normal(size=(8, 3)), rng.integers(0, 2, 8)
    size = parameters_in(model)
    exact, masks = [], []
    for forward in (True, False):
        model[2].rng = np.random.default_rng(7)
        model.zero_grad()
        if forward:
            fill_gradients(model, nn.cross_entropy, x, y, directions="orthonormal", count=size, rng=rng)
        else:
            nn.cross_entropy(model(x), y).backward()
        exact.append(np.concatenate([np.ravel(p.grad) for p in model.parameters()]))
        masks.append(type(model[1].running_mean))
    np.testing.assert_allclose(exact[0], exact[1], rtol=1e-8, atol=1e-12)
    assert masks == [np.ndarray, np.ndarray]


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_recurrent_nets_take_forward_gradients_too(kind):
    rng = np.random.default_rng(0)
    model = nn.ManyToOne(getattr(nn, kind)(2, 3, batch_first=True, rng=rng), nn.Linear(3, 2, rng=rng))
    x, y = rng.normal(size=(4, 5, 2)), rng.integers(0, 2, 4)
    nn.cross_entropy(model(x), y).backward()
    exact = [np.array(p.grad) for p in model.parameters()]
    fill_gradients(model, nn.cross_entropy, x, y, directions="coordinate", count=parameters_in(model), rng=rng)
    for expected, parameter in zip(exact, model.parameters(), strict=True):
        np.testing.assert_allclose(parameter.grad, expected, rtol=1e-8, atol=1e-12)


def test_divergence_is_named():
    model, x, _ = small()
    optimizer = optimizers.GD(model.parameters(), lr=1e200)
    fill = partial(fill_gradients, rng=np.random.default_rng(0))
    trainer = ForwardTrainer(model, nn.mse_loss, optimizer, fill=fill)
    with pytest.raises(TrainingDiverged, match="Try a smaller learning rate"):
        trainer.fit((x, np.stack([x[:, 0], x[:, 1]], axis=1)), epochs=20, batch_size=20, rng=np.random.default_rng(0))


def test_a_fill_that_cannot_be_called_gets_advice():
    model, _, _ = small()
    with pytest.raises(TypeError, match=r"partial\(fill_gradients, rng=rng\), got str"):
        ForwardTrainer(model, nn.mse_loss, optimizers.GD(model.parameters(), lr=0.1), fill="rademacher")


def test_a_model_without_parameters_gets_advice():
    with pytest.raises(ValueError, match="ReLU has no parameters, so there is nothing to move"):
        fill_gradients(nn.ReLU(), nn.mse_loss, np.ones((2, 3)), np.ones((2, 3)), rng=np.random.default_rng(0))
