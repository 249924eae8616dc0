"""What a step must remember: the record, the allocator and the formulas say the same."""

from itertools import pairwise

import numpy as np
import pytest

from coursepkg import nn
from coursepkg.autodiff.tensor import Tensor
from coursepkg.estimators import LeanReLU, linear_bytes, randomize, step_memory, tape_holdings
from coursepkg.estimators.ledger import predict_moments, predict_step
from coursepkg.estimators.sketches import sketch_size


def stack(widths, activation=LeanReLU, dtype=np.float32):
    rng, steps = np.random.default_rng(0), []
    for n, m in pairwise(widths):
        steps += [nn.Linear(n, m, rng=rng, dtype=dtype), activation()]
    return nn.Sequential(*steps[:-1])


def problem(widths, rows, activation=LeanReLU):
    rng, model = np.random.default_rng(1), stack(widths, activation)
    x, y = rng.normal(size=(rows, widths[0])).astype(np.float32), rng.integers(0, widths[-1], rows)
    x.flags.writeable = y.flags.writeable = False  # the batch is the caller's: frozen, so that the tape copies nothing
    return model, lambda: nn.cross_entropy(model(x), y), (x, y)


# --- read from the record


def test_a_linear_layer_and_the_relu_before_it_share_one_array():
    model, run, given = problem((7, 20, 30, 3), 50, nn.ReLU)
    held = {h.name: (h.own, h.shared) for h in tape_holdings(model, run, given=given)}
    assert held["0 Linear"] == (0, 50 * 7 * 4)
    assert held["1 ReLU"] == (50 * 20 * 4, 0)
    assert held["2 Linear"] == (0, 50 * 20 * 4)
    assert held["4 Linear"] == (0, 50 * 30 * 4)
    assert list(held)[-1] == "loss"


def test_what_is_not_given_counts():
    model, run, (_, y) = problem((7, 20, 3), 50, nn.ReLU)
    assert tape_holdings(model, run, given=[y])[0].own == 50 * 7 * 4


def test_a_view_holds_all_of_what_it_looks_at():
    rng = np.random.default_rng(0)
    model = nn.Linear(4, 2, rng=rng)
    wide = Tensor(rng.normal(size=(10, 40)))
    assert tape_holdings(model, lambda: np.sum(model(wide[:, :4])))[0].own == 10 * 40 * 8


def test_of_a_plain_array_that_may_change_the_tape_holds_its_own_copy_of_what_it_reads():
    rng = np.random.default_rng(0)
    model = nn.Linear(4, 2, rng=rng)
    wide, batch = rng.normal(size=(10, 40)), rng.normal(size=(10, 4))
    assert tape_holdings(model, lambda: np.sum(model(wide[:, :4])), given=[wide])[0][1:] == (10 * 4 * 8, 0)
    assert tape_holdings(model, lambda: np.sum(model(batch)), given=[batch])[0][1:] == (10 * 4 * 8, 0)
    batch.flags.writeable = False
    assert tape_holdings(model, lambda: np.sum(model(batch)), given=[batch])[0][1:] == (0, 10 * 4 * 8)


def test_the_symbols_of_an_embedding_are_held_by_the_caller_if_they_are_frozen():
    layer = nn.Embedding(9, 4, rng=np.random.default_rng(0))
    symbols = np.random.default_rng(1).integers(0, 9, (6, 5))
    assert tape_holdings(layer, lambda: np.sum(layer(symbols)), given=[symbols])[0][1:] == (6 * 5 * 8, 0)
    symbols.flags.writeable = False
    assert tape_holdings(layer, lambda: np.sum(layer(symbols)), given=[symbols])[0][1:] == (0, 6 * 5 * 8)


def test_three_readers_of_one_input_pay_once_if_exact_and_three_times_if_sketched():
    class Three(nn.Module):
        def __init__(self):
            rng = np.random.default_rng(0)
            self.q, self.k, self.v = (nn.Linear(8, 8, bias=False, rng=rng) for _ in range(3))

        def forward(self, x):
            return self.q(x) + self.k(x) + self.v(x)

    x, model = nn.Parameter(np.random.default_rng(1).normal(size=(60, 8)) + 1), Three()
    run = lambda: np.sum(model(np.exp(x)))  # noqa: E731
    array = 60 * 8 * 8
    exact = [h for h in tape_holdings(model, run, given=[x.numpy()]) if h.name[0] in "qkv"]
    assert sum(h.own for h in exact) == 0  # exp has it already
    randomize(model, rate=0.5, rng=np.random.default_rng(2))
    sketched = [h for h in tape_holdings(model, run) if h.name[0] in "qkv"]
    assert [h.own for h in sketched] == [array / 2] * 3


@pytest.mark.parametrize("rate", [0.5, 0.2, 0.1])
def test_a_sketched_layer_saves_what_the_formula_says(rate):
    widths, rows = (12, 40, 24, 5), 100
    model, run, given = problem(widths, rows)
    before = sum(h.own for h in tape_holdings(model, run, given=given))
    randomize(model, rate=rate, rng=np.random.default_rng(0))
    after = sum(h.own for h in tape_holdings(model, run, given=given))
    seed = 8
    exact = sum(linear_bytes(rows, n) for n in widths[1:-1])
    sketched = sum(linear_bytes(rows, n, rate=rate) - seed for n in widths[:-1])
    assert before - after == exact - sketched


def test_with_the_usual_relu_nothing_is_saved():
    model, run, given = problem((12, 40, 24, 5), 100, nn.ReLU)
    before = sum(h.own for h in tape_holdings(model, run, given=given))
    randomize(model, rate=0.2, rng=np.random.default_rng(0))
    assert sum(h.own for h in tape_holdings(model, run, given=given)) > before


def test_published_example_of_bytes():
    assert linear_bytes(2048, 768) == 6_291_456
    assert linear_bytes(2048, 768, rate=0.2) == 1_256_448 + 8
    assert linear_bytes(10, 4, itemsize=8) == 320


# --- measured, and predicted

SHAPES = [((64, 256, 256, 256, 10), 2048), ((96,) * 9 + (10,), 2048), ((32, 400, 60, 200, 200, 5), 2500)]
OBJECTS = 50_000  # bytes of Python's own objects (nodes, lists) that come and go; the formulas count arrays alone


@pytest.fixture(scope="module", params=SHAPES, ids=str)
def exact_step(request):
    """A shape, its model, and the memory of its exact step."""
    model, run, _ = problem(*request.param)
    return *request.param, model, run, step_memory(model, run)


def test_an_exact_step_needs_what_is_predicted(exact_step):
    widths, rows, _, _, exact = exact_step
    predicted = predict_step(widths, rows)
    assert predicted.held == pytest.approx(exact.held, rel=0.02)
    assert predicted.peak == pytest.approx(exact.peak, rel=0.02)


@pytest.mark.parametrize("sketch", ["fold", "rows", "gaussian", "rademacher", "dct"])
def test_measured_saving_is_the_predicted_one_within_a_tenth(exact_step, sketch):
    widths, rows, model, run, exact = exact_step
    predicted = predict_step(widths, rows)
    for rate in (0.5, 0.25, 0.1):
        randomize(model, rate=rate, sketch=sketch, rng=np.random.default_rng(0))
        found, expected = step_memory(model, run), predict_step(widths, rows, rate=rate, sketch=sketch)
        assert exact.held - found.held == pytest.approx(predicted.held - expected.held, rel=0.1)
        saved, promised = exact.peak - found.peak, predicted.peak - expected.peak
        assert saved == pytest.approx(promised, rel=0.1, abs=OBJECTS)


def test_with_few_rows_and_wide_layers_the_peak_stays():
    """Gradients of the weights pile up at the end; what was saved in the middle does not matter there."""
    widths, rows = (784, 512, 512, 10), 64
    model, run, _ = problem(widths, rows)
    exact = step_memory(model, run)
    randomize(model, rate=0.1, rng=np.random.default_rng(0))
    found = step_memory(model, run)
    assert found.held < 0.4 * exact.held
    assert found.peak > 0.99 * exact.peak
    assert max(predict_moments(widths, rows), key=lambda m: m.alive).name == "weight gradient 0"


def test_moments_are_told_in_order():
    names = [m.name for m in predict_moments((4, 5, 3), 10, rate=0.5)]
    assert names[:3] == ["start", "sketch 0", "forward 0"]
    assert names.index("held") < names.index("weight gradient 1") < names.index("weight gradient 0")
    assert names[-1] == "gradients"


def test_measuring_leaves_no_gradients_and_no_tracing_behind():
    import tracemalloc

    model, run, _ = problem((7, 20, 3), 50)
    step_memory(model, run)
    assert not tracemalloc.is_tracing()
    assert all(p.grad is None for p in model.parameters())


def test_a_step_that_fails_is_not_measured_for_ever():
    import tracemalloc

    model, run, _ = problem((7, 20, 3), 50)
    calls = iter([run, lambda: 1 / 0])
    with pytest.raises(ZeroDivisionError):
        step_memory(model, lambda: next(calls)())
    assert not tracemalloc.is_tracing()


def test_wrong_predictions_are_refused():
    with pytest.raises(ValueError, match="above 0 and at most 1"):
        predict_step((4, 3), 10, rate=2.0)
    with pytest.raises(ValueError, match="there is no sketch"):
        predict_step((4, 3), 10, rate=0.5, sketch="none")
    assert predict_step((4, 3), 10, rate=0.5).held == 4 * sketch_size(0.5, 10) * 4 + 2 * 10 * 3 * 4
