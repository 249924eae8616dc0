"""The loop learns, records honestly, keeps quiet, and stops early with a plain message."""

import io
import subprocess
import sys
import tempfile
from itertools import pairwise

import numpy as np
import pytest

from coursepkg import datasets, nn
from coursepkg import optimizers as opt
from coursepkg.autodiff.tensor import Tensor
from coursepkg.training import History, Trainer, TrainingDiverged, accuracy, matthews_correlation, progress_bar
from tools.notebook_run import kernel_environment


def network(rng, sizes=(2, 8, 2)):
    layers = []
    for fan_in, fan_out in pairwise(sizes):
        layers += [nn.Linear(fan_in, fan_out, rng=rng), np.tanh]
    return nn.Sequential(*layers[:-1])


def moons_trainer(seed=0, **options):
    rng = np.random.default_rng(seed)
    model = network(rng)
    trainer = Trainer(model, nn.cross_entropy, opt.Adam(model.parameters(), lr=0.05), metric=accuracy, **options)
    return trainer, datasets.moons(120, rng=rng), datasets.moons(60, rng=rng), rng


def test_a_small_network_learns_the_8x8_digits():
    rng = np.random.default_rng(0)
    X, y = datasets.digits()
    parts = datasets.split(X / 16.0, y, validation=0.1, test=0.2, stratify=True, rng=rng)
    model = nn.Sequential(nn.Linear(64, 48, rng=rng), nn.ReLU(), nn.Linear(48, 10, rng=rng))
    trainer = Trainer(model, nn.cross_entropy, opt.Adam(model.parameters(), lr=3e-3), metric=accuracy)
    trainer.fit(parts.train, epochs=15, batch_size=32, rng=rng, validation=parts.validation)
    assert trainer.evaluate(parts.test).metric > 0.94


def test_a_batch_goes_onto_the_tape_without_a_copy_and_the_data_stay_writeable():
    rng, seen = np.random.default_rng(0), []
    X, t = rng.normal(size=(12, 3)), rng.normal(size=(12, 2))
    layer = nn.Linear(3, 2, rng=rng)

    def model(x):
        out = layer(x)
        seen.append(any(value is x for value in out._node.values))
        return out

    Trainer(model, nn.mse_loss, opt.GD(layer.parameters(), lr=0.1)).fit((X, t), epochs=2, batch_size=5, rng=rng)
    assert seen == [True] * 6
    assert X.flags.writeable
    assert t.flags.writeable


def test_every_first_order_optimizer_fits_the_same_loop():
    X, t = np.linspace(-1, 1, 32)[:, None], np.sin(3 * np.linspace(-1, 1, 32))[:, None]
    for make in (opt.GD, opt.Momentum, opt.Nesterov, opt.Adagrad, opt.RMSprop, opt.Adam, opt.RPROP, opt.IRPROPPlus):
        rng = np.random.default_rng(1)
        model = network(rng, (1, 6, 1))
        trainer = Trainer(model, nn.mse_loss, make(model.parameters(), lr=0.02))
        history = trainer.fit((X, t), epochs=40, batch_size=32, rng=rng)
        assert history.loss[-1] < 0.9 * history.loss[0], make.__name__


def test_the_history_has_one_entry_per_epoch_and_goes_on():
    trainer, data, held_out, rng = moons_trainer(watch_gradients=True)
    trainer.fit(data, epochs=3, batch_size=50, rng=rng, validation=held_out)
    history = trainer.fit(data, epochs=2, batch_size=50, rng=rng, validation=held_out)
    assert history is trainer.history
    for run in (history.loss, history.metric, history.validation_loss, history.validation_metric, history.lr):
        assert len(run) == 5
    assert list(history.gradient_norms) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert all(len(run) == 5 and min(run) > 0 for run in history.gradient_norms.values())
    assert repr(history).startswith("History(5 epochs: loss ")
    assert "validation accuracy" in repr(history)


def test_the_same_generator_gives_the_same_run():
    histories = []
    for _ in range(2):
        trainer, data, _, rng = moons_trainer(seed=4)
        histories.append(trainer.fit(data, epochs=3, batch_size=16, rng=rng).loss)
    assert histories[0] == histories[1]


def test_the_recorded_loss_is_the_mean_over_examples_not_over_batches():
    X = np.array([[1.0], [1.0], [1.0], [5.0]])
    w = nn.Parameter(np.zeros((1, 1)))
    trainer = Trainer(lambda x: x @ w, nn.mse_loss, opt.GD([w], lr=0.0))
    history = trainer.fit((X, X), epochs=1, batch_size=3, rng=np.random.default_rng(0))
    assert history.loss == [pytest.approx((1 + 1 + 1 + 25) / 4, rel=1e-12)]
    assert trainer.evaluate((X, X), batch_size=3).loss == pytest.approx(7.0, rel=1e-12)


def test_recorded_gradient_norms_are_those_of_the_gradients():
    x = np.array([[3.0, 4.0]])
    w = nn.Parameter(np.zeros((2, 1)))
    trainer = Trainer(lambda x: x @ w, lambda out, t: np.sum(out), opt.GD([w], lr=0.1), watch_gradients=True)
    history = trainer.fit((x, x), epochs=2, batch_size=1, rng=np.random.default_rng(0))
    assert history.gradient_norms == {"parameter 0": [pytest.approx(5.0), pytest.approx(5.0)]}


def test_evaluation_learns_nothing_and_keeps_the_mode():
    rng = np.random.default_rng(2)
    model = nn.Sequential(nn.Linear(2, 4, rng=rng), nn.BatchNorm(4), nn.Dropout(0.5, rng=rng), nn.Linear(4, 2, rng=rng))
    trainer = Trainer(model, nn.cross_entropy, opt.GD(model.parameters(), lr=0.1), metric=accuracy)
    data = datasets.moons(50, rng=rng)
    model[1].eval()
    before = model.state_dict()
    first, second = trainer.evaluate(data), trainer.evaluate(data, batch_size=7)
    assert first.loss == pytest.approx(second.loss, rel=1e-12)
    assert first.metric == pytest.approx(second.metric, rel=1e-12)
    assert [module.training for _, module in model.named_modules()] == [True, True, False, True, True]
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])
    assert all(p.grad is None for p in model.parameters())


def test_validation_data_never_change_the_weights():
    weights = []
    for shift in (0.0, 100.0):
        trainer, data, (X, y), rng = moons_trainer(seed=5)
        trainer.fit(data, epochs=2, batch_size=16, rng=rng, validation=(X + shift, y))
        weights.append(trainer.model.state_dict())
    for name, array in weights[0].items():
        np.testing.assert_array_equal(array, weights[1][name])


def test_clipping_bounds_the_step():
    w = nn.Parameter(np.array([[1.0], [1.0]]))
    X = np.array([[3000.0, 4000.0]])
    trainer = Trainer(lambda x: x @ w, lambda out, t: np.sum(out), opt.GD([w], lr=1.0), max_grad_norm=0.5)
    trainer.fit((X, X), epochs=1, batch_size=1, rng=np.random.default_rng(0))
    np.testing.assert_allclose(w.data, [[1.0 - 0.3], [1.0 - 0.4]], rtol=1e-12)


def test_a_schedule_runs_through_the_epochs():
    trainer, data, _, rng = moons_trainer()
    trainer.optimizer.lr = opt.step_decay(0.1, every=4, factor=0.5)
    history = trainer.fit(data, epochs=3, batch_size=30, rng=rng)
    assert history.lr == [0.1, 0.05, 0.025]


# --- when numbers stop being finite


def test_nan_in_the_inputs_is_found_before_anything_else():
    trainer, (X, y), _, rng = moons_trainer()
    X[:, 1] = np.nan
    before = trainer.model.state_dict()
    with pytest.raises(TrainingDiverged, match=r"epoch 1, step 1: the inputs hold NaN"):
        trainer.fit((X, y), epochs=1, batch_size=10, rng=rng)
    np.testing.assert_array_equal(trainer.model.state_dict()["0.weight"], before["0.weight"])


def test_the_first_broken_parameter_is_named():
    trainer, data, _, rng = moons_trainer()
    broken = trainer.model[2].weight.numpy().copy()
    broken[0, 3] = np.inf
    trainer.model[2].weight.data = broken
    with pytest.raises(TrainingDiverged, match=r"the parameter 2\.weight holds infinity.*smaller learning rate"):
        trainer.fit(data, epochs=1, batch_size=10, rng=rng)


def test_a_gradient_that_overflows_is_named_and_not_used():
    w, v = nn.Parameter(np.array([2.0])), nn.Parameter(np.array([0.0]))
    trainer = Trainer(lambda x: w * x + np.sqrt(v * x), lambda out, t: np.sum(out), opt.GD({"w": w, "v": v}, lr=0.1))
    with pytest.raises(TrainingDiverged, match=r"the gradient of v holds infinity"):
        trainer.fit((np.ones((2, 1)), np.ones((2, 1))), epochs=1, batch_size=2, rng=np.random.default_rng(0))
    assert w.data[0] == 2.0


def test_a_learning_rate_far_too_large_ends_in_a_message_not_in_nan():
    rng = np.random.default_rng(3)
    model = nn.Linear(3, 1, rng=rng)
    X = rng.normal(size=(20, 3)) * 100
    trainer = Trainer(model, nn.mse_loss, opt.GD(model.parameters(), lr=10.0))
    with pytest.raises(TrainingDiverged, match=r"weight|loss"):
        trainer.fit((X, X[:, :1]), epochs=500, batch_size=20, rng=rng)
    assert len(trainer.history.loss) < 500


def test_a_loss_of_nan_alone_is_reported():
    w = nn.Parameter(np.array([1.0]))
    trainer = Trainer(lambda x: w * x, lambda out, t: np.sum(out) * 0.0 + np.nan, opt.GD([w], lr=0.1))
    with pytest.raises(TrainingDiverged, match="the loss is nan"):
        trainer.fit((np.ones((2, 1)), np.ones((2, 1))), epochs=1, batch_size=2, rng=np.random.default_rng(0))


# --- mistakes


def test_mistakes_get_an_explanation():
    rng = np.random.default_rng(0)
    w = nn.Parameter(np.ones((2, 1)))
    with pytest.raises(TypeError, match=r"step\(closure\)"):
        Trainer(lambda x: x @ w, nn.mse_loss, opt.LBFGS([w]))
    detached = Trainer(lambda x: x @ w.data, nn.mse_loss, opt.GD([w], lr=0.1))
    with pytest.raises(TypeError, match="without a history"):
        detached.fit((np.ones((3, 2)), np.ones((3, 1))), epochs=1, batch_size=3, rng=rng)
    with pytest.raises(ValueError, match="no examples"):
        detached.evaluate((np.ones((0, 2)), np.ones((0, 1))))
    with pytest.raises(TypeError, match="default_rng"):
        detached.fit((np.ones((3, 2)), np.ones((3, 1))), epochs=1, batch_size=3, rng=1)


# --- pictures and progress


def test_the_history_plots_itself():
    trainer, data, held_out, rng = moons_trainer(watch_gradients=True)
    history = trainer.fit(data, epochs=3, batch_size=50, rng=rng, validation=held_out)
    assert "training goes from" in history.plot().alt
    assert history.plot(what="metric").alt.startswith("Accuracy by epoch. training goes from")
    assert "epoch 1: parameter 0.weight" in history.plot_gradients().alt
    with pytest.raises(ValueError, match="'loss' or 'metric'"):
        history.plot(what="accuracy")
    with pytest.raises(ValueError, match="no loss to plot"):
        History().plot()
    with pytest.raises(ValueError, match="watch_gradients=True"):
        History(loss=[1.0]).plot_gradients()
    assert repr(History()) == "History(no epochs)"


def test_the_history_finds_the_drawings_by_itself():
    code = "from coursepkg.training import History; print(History(loss=[2.0, 1.0]).plot().alt)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "training goes from" in done.stdout, done.stderr


@pytest.mark.parametrize(("progress", "shown"), [(None, False), (False, False), (True, True)])
def test_progress_appears_only_in_a_terminal_or_on_request(progress, shown, capsys):
    trainer, data, _, rng = moons_trainer()
    trainer.fit(data, epochs=2, batch_size=50, rng=rng, progress=progress)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert ("training" in captured.err) is shown


class Kernel(io.StringIO):
    """Stands in for the stdout of a notebook."""


Kernel.__module__ = "ipykernel.iostream"


def as_a_page_shows_it(text):
    """What is left on a line when each carriage return goes back to its start."""
    line = ""
    for part in text.split("\r"):
        line = part + line[len(part) :]
    return line.strip()


def test_in_a_notebook_the_bar_is_live_and_takes_itself_away(monkeypatch, capsys):
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    page = Kernel()
    monkeypatch.setattr(sys, "stdout", page)
    seen = [as_a_page_shows_it(page.getvalue()) for _ in progress_bar(range(3), "reading", unit="page")]
    assert seen[0].startswith("reading:   0%")
    assert as_a_page_shows_it(page.getvalue()) == ""
    for _ in progress_bar(range(1000), "reading"):
        break
    assert as_a_page_shows_it(page.getvalue()) == ""
    assert "\n" not in page.getvalue()
    trainer, data, _, rng = moons_trainer()
    trainer.fit(data, epochs=2, batch_size=50, rng=rng)
    assert "training:" in page.getvalue()
    assert capsys.readouterr().err == ""


def test_stored_and_tested_notebooks_show_no_bar():
    code = """if True:
        import io, sys
        class Kernel(io.StringIO): pass
        Kernel.__module__ = "ipykernel.iostream"
        page, sys.stdout = sys.stdout, Kernel()
        from coursepkg.training import progress_bar
        total = sum(progress_bar(range(4), "adding"))
        print(total, repr(sys.stdout.getvalue()), file=page)"""
    with tempfile.TemporaryDirectory() as folder:
        environment = kernel_environment(folder)
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "6 ''"
    assert done.stderr == ""


def test_training_does_not_load_the_plots():
    code = "import sys, coursepkg.training; print(*{'matplotlib', 'sklearn', 'scipy', 'tqdm'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_accuracy_reads_arrays_and_tensors():
    logits = np.array([[0.1, 2.0, 0.0], [3.0, 0.2, 1.0], [0.0, 0.1, 0.2]])
    assert accuracy(logits, np.array([1, 2, 2])) == pytest.approx(2 / 3)
    assert accuracy(Tensor(logits, requires_grad=True), np.array([1, 0, 2])) == 1.0


def test_matthews_correlation_is_the_correlation_of_the_two_answers():
    rng = np.random.default_rng(0)
    scores, classes = rng.normal(size=(40, 2)), rng.integers(0, 2, 40)
    scores[classes == 1, 1] += 0.7
    expected = np.corrcoef(np.argmax(scores, axis=1), classes)[0, 1]
    assert abs(expected) > 0.1
    assert matthews_correlation(scores, classes) == pytest.approx(expected, rel=1e-12)
    assert matthews_correlation(Tensor(scores), classes) == pytest.approx(expected, rel=1e-12)
    assert matthews_correlation(scores[:, ::-1], classes) == pytest.approx(-expected, rel=1e-12)
    assert matthews_correlation(np.array([[1.0, 0.0]] * 5), np.array([0, 1, 1, 0, 1])) == 0.0  # always the same answer


def test_matthews_correlation_is_for_two_classes():
    with pytest.raises(ValueError, match="two scores per example"):
        matthews_correlation(np.zeros((4, 3)), np.zeros(4, int))
    with pytest.raises(ValueError, match="classes 0 or 1"):
        matthews_correlation(np.zeros((3, 2)), np.array([0, 1, 2]))
