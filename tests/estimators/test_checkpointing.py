"""Checkpointing: the same gradient to the last bit, from less memory and one more forward pass."""

import weakref
from functools import partial

import numpy as np
import pytest

from coursepkg import gradients, nn
from coursepkg.autodiff.tensor import Tensor, no_grad
from coursepkg.autodiff.traced import plain
from coursepkg.estimators import LeanReLU, checkpoint, in_segments, randomize
from coursepkg.estimators.checkpointing import SAMPLES
from coursepkg.estimators.memory import step_memory, tape_holdings


def deep(layers=8, width=6, dtype=np.float64, activation=nn.Tanh):
    rng, steps = np.random.default_rng(0), []
    for _ in range(layers):
        steps += [nn.Linear(width, width, rng=rng, dtype=dtype), activation()]
    return nn.Sequential(*steps)


def step(model, call, x, y):
    model.zero_grad()
    inputs = nn.Parameter(x)
    loss = nn.cross_entropy(call(inputs), y)
    loss.backward()
    return [loss.numpy(), inputs.grad, *(p.grad for p in model.parameters())]


def assert_same_bits(found, exact):
    assert len(found) == len(exact)
    for a, b in zip(found, exact, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("segments", [1, 2, 3, 5, 16])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_gradients_are_the_same_bits(segments, dtype):
    rng = np.random.default_rng(1)
    model, x, y = deep(dtype=dtype), rng.normal(size=(9, 6)).astype(dtype), rng.integers(0, 6, 9)
    exact = step(model, model, x, y)
    assert_same_bits(step(model, lambda inputs: in_segments(model, inputs, segments), x, y), exact)


def test_randomness_and_running_statistics_are_as_without():
    """Dropout drops the same entries in the second run, sketches are drawn with the same seeds, batches count once."""
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(9, 6)), rng.integers(0, 3, 9)

    def run(segments):
        own = np.random.default_rng(7)
        first, last = nn.Linear(6, 5, rng=own), nn.Linear(5, 3, rng=own)
        model = nn.Sequential(first, nn.Dropout(0.4, rng=own), nn.BatchNorm(5), LeanReLU(), last)
        randomize(model, rate=0.5, rng=own)
        results = [step(model, lambda inputs: in_segments(model, inputs, segments), x, y) for _ in range(2)]
        return results, [model[2].running_mean, model[2].num_batches_tracked], own.random()

    exact, statistics, drawn = run(1)
    assert not np.array_equal(exact[0][2], exact[1][2])
    for segments in (2, 3, 5):
        found, also, next_number = run(segments)
        for a, b in zip(found, exact, strict=True):
            assert_same_bits(a, b)
        assert_same_bits(also, statistics)
        assert next_number == drawn


def test_an_encoder_block_and_one_inside_another():
    rng = np.random.default_rng(3)
    block = nn.TransformerEncoderLayer(6, nhead=2, dim_feedforward=8, rng=rng)
    head = nn.Linear(6, 3, rng=rng)
    model = nn.Sequential(block, head)
    x, y = rng.normal(size=(2, 5, 6)), rng.integers(0, 3, (2, 5))
    exact = step(model, model, x, y)

    class Nested(nn.Module):
        def __init__(self):
            self.block = block

        def forward(self, x):
            return checkpoint(self.block, x)

    assert_same_bits(step(model, lambda inputs: head(checkpoint(block, inputs)), x, y), exact)
    assert_same_bits(step(model, lambda inputs: head(checkpoint(Nested(), inputs)), x, y), exact)


def test_integers_may_come_in():
    rng = np.random.default_rng(4)
    model = nn.Sequential(nn.Embedding(9, 4, rng=rng), nn.Tanh())
    words, g = rng.integers(0, 9, (5, 3)), rng.normal(size=(5, 3, 4))
    gradients = []
    for call in (model, lambda words: checkpoint(model, words)):
        model.zero_grad()
        np.sum(call(words) * g).backward()
        gradients.append(model[0].weight.grad)
    assert_same_bits(gradients[1:], gradients[:1])


def test_a_module_used_twice_adds_up_and_a_second_pass_is_a_second_pass():
    rng = np.random.default_rng(5)
    model, x = deep(2), rng.normal(size=(4, 6))
    kept = None
    for call in (model, lambda inputs: checkpoint(model, inputs)):
        model.zero_grad()
        loss = np.sum(call(call(x)) ** 2)
        loss.backward(retain_graph=True)
        once = [p.grad.copy() for p in model.parameters()]
        loss.backward()
        for p, g in zip(model.parameters(), once, strict=True):
            np.testing.assert_allclose(p.grad, 2 * g, rtol=1e-12)
        kept = kept or once
        assert_same_bits(once, kept)


def test_the_tape_holds_the_inputs_of_segments_alone():
    rng = np.random.default_rng(6)
    model, x = deep(9, width=20), rng.normal(size=(50, 20))
    x.flags.writeable = False  # so that the tape need not copy it
    array = 50 * 20 * 8
    whole = tape_holdings(model, lambda: np.sum(model(x)), given=[x])
    cut = tape_holdings(model, lambda: np.sum(in_segments(model, x, 3)), given=[x])
    assert sum(h.own for h in whole) == 9 * array
    sample = len(range(0, 50 * 20, 50 * 20 // SAMPLES)) * 8  # of each result, to tell whether the second run agrees
    # Two later inputs, and the last segment of three layers.
    assert sum(h.own for h in cut) == (2 - 1 + 1 + 3) * array + 2 * sample


def test_peak_memory_falls():
    rng = np.random.default_rng(7)
    model, x = deep(16, width=32), rng.normal(size=(4000, 32))
    whole = step_memory(model, lambda: np.mean(model(x)))
    cut = step_memory(model, lambda: np.mean(in_segments(model, x, 4)))
    assert cut.held < 0.55 * whole.held
    assert cut.peak < 0.75 * whole.peak


def test_what_is_not_recorded_is_passed_on():
    rng = np.random.default_rng(8)
    model, x = deep(2), rng.normal(size=(4, 6))
    cut, whole = (lambda x, call=call: np.sum(call(model, x) ** 2) for call in (checkpoint, lambda m, x: m(x)))
    for route in (gradients.forward, gradients.reverse):
        np.testing.assert_allclose(plain(route(cut)(x)), plain(route(whole)(x)), rtol=1e-12)
    with no_grad():
        assert not checkpoint(model, x).requires_grad


def test_second_derivatives_go_through():
    rng = np.random.default_rng(9)
    model, x, g = deep(2), rng.normal(size=(4, 6)), rng.normal(size=(4, 6))
    found = []
    for call in (model, lambda inputs: checkpoint(model, inputs)):
        model.zero_grad()
        inputs = nn.Parameter(x)
        np.sum(call(inputs) * g).backward(create_graph=True)
        slope = np.sum(inputs.grad**3)
        model.zero_grad()
        slope.backward()
        found.append([p.grad for p in model.parameters()])
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10)


def test_wrong_use_gets_advice():
    model, x = deep(2), np.ones((4, 6))
    for segments in (0, 5):
        with pytest.raises(ValueError, match="4 steps can be cut into 1 to 4 segments"):
            in_segments(model, x, segments)


# --- functions


def called(f, *args, **options):
    """``f`` itself, to be compared with ``checkpoint``."""
    return f(*args, **options)


def both_ways(build, *arrays, dtype=np.float64):
    """Gradients of what ``build(call, *leaves)`` computes, without and with a checkpoint."""
    found = []
    for call in (called, checkpoint):
        leaves = [nn.Parameter(np.asarray(a, dtype=dtype)) for a in arrays]
        out = build(call, *leaves)
        g = np.random.default_rng(11).normal(size=out.shape).astype(out.dtype)
        out.backward(g)
        found.append([out.numpy(), *(leaf.grad for leaf in leaves)])
    return found


def draw(*shapes, seed=10):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape) for shape in shapes]


def dense(x, w, b):
    return np.tanh(x @ w + b) * np.exp(-x[:, :1])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(
    "build",
    [
        lambda call, x, w, b: call(dense, x, w, b),
        lambda call, x, w, b: x[:, :1] * call(dense, x, w, b) + x[:, 1:2] * np.sum(w),  # everything is used outside too
        lambda call, x, w, b: call(dense, np.tanh(x), w * 2.0, b),
        lambda call, x, w, b: call(lambda h: dense(h, w, b), x),
        lambda call, x, w, b: call(lambda h: np.sum(dense(h, w, b) * w[0], axis=-1), x) * b[0] + w[0, 0],
        lambda call, x, w, b: call(partial(dense, w=w, b=b), x),
        lambda call, x, w, b: call(dense, x, w=w, b=b),
        lambda call, x, w, b: call(lambda a, c: np.sin(a @ w) + np.sum(c * a) + b, x, x),
        lambda call, x, w, b: call(lambda h: call(dense, h, w, b) @ np.ones((4, 4), h.dtype) + h @ w, x + b[:3]),
        lambda call, x, w, b: call(lambda: dense(x, w, b)) if call is called else call(lambda _: dense(x, w, b), 0),
    ],
    ids=[
        "arguments", "used outside", "computed arguments", "closure", "closure used twice", "partial", "options",
        "twice the same", "nested", "closure alone",
    ],
)  # fmt: skip
def test_a_function_has_the_same_bits_of_gradients(build, dtype):
    exact, found = both_ways(build, *draw((5, 3), (3, 4), (4,)), dtype=dtype)
    assert_same_bits(found, exact)
    assert found[0].dtype == dtype
    assert all(np.any(g != 0) for g in found[1:])


@pytest.mark.parametrize("shape", [(), (1,), (0, 3), (2, 1, 3)])
def test_shapes_without_axes_and_without_entries(shape):
    exact, found = both_ways(lambda call, x, y: call(lambda a, c: np.exp(a) * c + a, x, y) * y, *draw(shape, shape))
    assert_same_bits(found, exact)
    assert found[1].shape == shape


def test_a_computed_tensor_in_the_closure_passes_its_gradient_on():
    """The walk inside the segment stops there, and the one outside goes on, once."""

    def build(call, x, w):
        h = np.tanh(x @ w)
        return call(lambda a: a * h + h, x[:, :2]) * h

    exact, found = both_ways(build, *draw((4, 3), (3, 2)))
    assert_same_bits(found, exact)


def test_what_a_function_does_not_read_gets_no_gradient():
    x, unused = nn.Parameter([1.0, 2.0]), nn.Parameter([3.0])
    np.sum(checkpoint(lambda a, b: a**2, x, unused)).backward()
    np.testing.assert_array_equal(x.grad, [2.0, 4.0])
    assert unused.grad is None


def test_a_weight_that_has_new_values_by_then_has_the_gradient_of_its_old_ones():
    w, x = nn.Parameter([2.0, 3.0]), nn.Parameter([0.5, 0.25])
    loss = np.sum(checkpoint(lambda a, b: np.exp(a * b), x, w))
    model = nn.Linear(2, 1, bias=False, rng=np.random.default_rng(0))
    before = np.array(model.weight.data)
    other = np.sum(np.ones(2) * checkpoint(model, x[None]) ** 2)
    exact = np.array(w.data) * np.exp([1.0, 0.75])
    w.data, model.weight.data = np.array([9.0, 9.0]), np.array([[9.0, 9.0]])
    loss.backward()
    np.testing.assert_allclose(x.grad, exact, rtol=1e-14)
    x.grad = None
    other.backward()
    np.testing.assert_allclose(x.grad, 2 * 2 * (before @ x.data) * before[0], rtol=1e-13)


def test_a_buffer_that_is_written_into_again_has_the_gradient_of_its_old_values():
    buffer, x = np.empty(3), nn.Parameter([0.5, -1.0, 2.0])
    total = 0.0
    for k in range(3):
        buffer[:] = k + 1
        total = total + np.sum(checkpoint(lambda a, b: a * b, x, buffer))
    total.backward()
    np.testing.assert_array_equal(x.grad, [6.0, 6.0, 6.0])


def closes_over_a_weight_that_changes():
    w, x = nn.Parameter([2.0, 3.0]), nn.Parameter([0.5, 0.25])
    return np.sum(checkpoint(lambda a: a * w, x)), partial(setattr, w, "data", np.array([2.0, 3.01]))


def closes_over_a_buffer_that_changes():
    buffer, x = np.ones(3), nn.Parameter([0.5, -1.0, 2.0])
    return np.sum(checkpoint(lambda a: np.exp(a * buffer), x)), partial(np.copyto, buffer, 1.01)


def counts_its_calls():
    calls, x = [], nn.Parameter([0.5, -1.0])
    return np.sum(checkpoint(lambda a: (calls.append(1), a * len(calls))[1], x)), lambda: None


def draws_from_a_hidden_generator():
    hidden, x = {np.random.default_rng(0): "key"}, nn.Parameter([0.5, -1.0])
    return np.sum(checkpoint(lambda a: a * next(iter(hidden)).normal(size=2), x)), lambda: None


def reads_another_weight_the_second_time():
    weights, x = [nn.Parameter([2.0]), nn.Parameter([2.0])], nn.Parameter([0.5, -1.0])
    return np.sum(checkpoint(lambda a: a * weights[-1], x)), weights.pop


def forgets_its_weight_the_second_time():
    kept, x = {"w": nn.Parameter([2.0])}, nn.Parameter([0.5, -1.0])
    return np.sum(checkpoint(lambda a: a * kept["w"], x)), lambda: kept.update(w=np.array([2.0]))


@pytest.mark.parametrize(
    "make",
    [
        closes_over_a_weight_that_changes, closes_over_a_buffer_that_changes, counts_its_calls,
        draws_from_a_hidden_generator, reads_another_weight_the_second_time, forgets_its_weight_the_second_time,
    ],
)  # fmt: skip
def test_a_second_run_that_differs_is_refused(make):
    loss, change = make()
    change()
    with pytest.raises(
        RuntimeError, match=r"<lambda> gave something else when it ran again .* checkpoint\(f, x, rng=rng\)"
    ):
        loss.backward()


def test_numbers_that_are_not_finite_are_no_difference():
    exact, found = both_ways(lambda call, x: call(lambda a: a * np.array([np.nan, np.inf, 2.0]), x), [1.0, -1.0, 4.0])
    np.testing.assert_array_equal(found[0], [np.nan, -np.inf, 8.0])
    assert_same_bits(found, exact)


GLOBAL = np.random.default_rng(6)


def drop(x, rng):
    return x * (rng.random(x.shape) < 0.5)


def drop_by_the_global(x):
    return drop(x, GLOBAL)


class Global:
    def __call__(self, x):
        return drop(x, GLOBAL)


class Noisy:
    def __init__(self, rng):
        self.rng = rng

    def __call__(self, x):
        return drop(x, self.rng) * 3.0

    def method(self, x):
        return drop(x, self.rng)


@pytest.mark.parametrize(
    "use",
    [
        lambda call, x, rng: call(drop, x, rng),
        lambda call, x, rng: call(drop, x, rng=rng),
        lambda call, x, rng: call(lambda a: drop(a, rng), x),
        lambda call, x, rng: call(lambda a: (lambda b: drop(b, rng))(a), x),
        lambda call, x, rng: call(lambda a: drop(a, GLOBAL), x),
        lambda call, x, rng: call(lambda a: (lambda b: drop(b, GLOBAL))(a), x),
        lambda call, x, rng: call(lambda a, own=rng: drop(a, own), x),
        lambda call, x, rng: call(lambda a, *, own=rng: drop(a, own), x),
        lambda call, x, rng: call(partial(drop, rng=rng), x),
        lambda call, x, rng: call(partial(partial(drop_by_the_global)), x),
        lambda call, x, rng: call(lambda a: drop_by_the_global(a), x),
        lambda call, x, rng: call(Global(), x),
        lambda call, x, rng: call(Global().__call__, x),
        lambda call, x, rng: call(Noisy(rng), x),
        lambda call, x, rng: call(Noisy(rng).method, x),
        lambda call, x, rng: call(lambda a, b: drop(a, b[0]["rng"]), x, [{"rng": rng}]),
        lambda call, x, rng: call(nn.Sequential(nn.Tanh(), nn.Dropout(0.5, rng=rng)), x),
        lambda call, x, rng: (lambda part: call(lambda a: part(a) * 2.0, x))(nn.Dropout(0.5, rng=rng)),
        lambda call, x, rng: call(lambda a: call(drop, call(drop, a, rng), rng) + drop(a, rng), x),
    ],
    ids=[
        "argument", "option", "closure", "closure of a closure", "global", "global inside", "default",
        "keyword default", "partial", "partial of a global", "global of a global", "object and global",
        "method and global", "object", "method", "list", "module", "module in a closure", "nested",
    ],
)  # fmt: skip
def test_what_is_drawn_is_drawn_again(use):
    found, states = [], []
    for call in (called, checkpoint):
        GLOBAL.bit_generator.state = np.random.default_rng(6).bit_generator.state
        rng, x = np.random.default_rng(5), nn.Parameter(draw((6, 4))[0])
        out = use(call, x, rng)
        states.append([rng.random(), GLOBAL.random()])
        np.sum(out**2).backward()
        states.append([rng.random(), GLOBAL.random()])
        found.append([out.numpy(), x.grad])
    assert_same_bits(found[1], found[0])
    assert states[:2] == states[2:]
    assert np.any(found[0][1] == 0)
    assert np.any(found[0][1] != 0)


def test_statistics_of_a_module_in_a_closure_count_a_batch_once():
    (x,) = draw((6, 3))
    seen = []
    for call in (called, checkpoint):
        norm, leaf = nn.BatchNorm(3), nn.Parameter(x)
        np.sum(np.exp(call(lambda a, norm=norm: norm(a) * a, leaf))).backward()
        seen.append([norm.running_mean, norm.running_var, norm.num_batches_tracked, leaf.grad, norm.weight.grad])
    assert_same_bits(seen[1], seen[0])


def test_derivatives_of_every_order_and_all_routes():
    x, w, v = draw((4, 3), (3, 3), (4, 3))

    def through(call):
        return lambda z: np.sum(call(lambda h: call(np.tanh, h @ w) * h, np.sin(z)) ** 3)

    cut, whole = through(checkpoint), through(called)
    for route in (gradients.forward, gradients.reverse, lambda f: lambda z: gradients.hvp(f, z, v)):
        np.testing.assert_allclose(route(cut)(x), route(whole)(x), rtol=1e-11)
    slopes = [gradients.reverse(lambda z, f=f: np.sum(gradients.reverse(f)(z) * v)) for f in (cut, whole)]
    np.testing.assert_allclose(slopes[0](x), slopes[1](x), rtol=1e-10)
    thirds = [gradients.reverse(lambda z, s=s: np.sum(s(z) * v)) for s in slopes]
    np.testing.assert_allclose(thirds[0](x), thirds[1](x), rtol=1e-9)


def test_a_derivative_inside_is_not_confused_with_the_one_outside():
    """The second run takes place when the derivative outside is closed already, and its mark is free again."""
    x, c = draw((4,), (4,))

    def inside(z):
        return gradients.reverse(lambda u: np.sum(np.sin(u * z) * u))(c) * z

    slopes = [gradients.reverse(lambda z, call=call: np.sum(call(inside, z) ** 2))(x) for call in (called, checkpoint)]
    np.testing.assert_allclose(slopes[1], slopes[0], rtol=1e-12)
    np.testing.assert_allclose(slopes[1], gradients.numeric(lambda z: np.sum(inside(z) ** 2))(x), rtol=1e-5)


def test_a_penalty_on_a_gradient_together_with_the_loss_itself():
    found = []
    for call in (called, checkpoint):
        x, w = (nn.Parameter(a) for a in draw((4, 3), (3, 2)))
        loss = np.sum(call(lambda h, w=w: np.tanh(h @ w), x) ** 3)
        loss.backward(create_graph=True)
        total = loss + np.sum(x.grad**2)
        x.grad = w.grad = None
        total.backward()
        found.append([x.grad, w.grad])
    for a, exact in zip(found[1], found[0], strict=True):
        np.testing.assert_allclose(a, exact, rtol=1e-10)


def test_second_derivatives_reach_what_a_function_closes_over():
    found = []
    for call in (called, checkpoint):
        x, w, b = (nn.Parameter(a) for a in draw((4, 3), (3, 2), (2,)))
        scaled = w * 2.0
        out = call(lambda h, scaled=scaled, b=b: np.tanh(h @ scaled + b) * b, x)
        np.sum(out**2).backward(create_graph=True)
        penalty = np.sum(x.grad**3) + np.sum(w.grad * w) + np.sum(b.grad**2)
        for p in (x, w, b):
            p.grad = None
        penalty.backward()
        found.append([p.grad for p in (x, w, b)])
    for a, exact in zip(found[1], found[0], strict=True):
        np.testing.assert_allclose(a, exact, rtol=1e-10)


def test_a_second_backward_pass_through_a_function():
    x, w = nn.Parameter([1.0, 2.0]), nn.Parameter([3.0, -1.0])
    out = np.sum(checkpoint(lambda a: np.exp(a) * w, x))
    out.backward(retain_graph=True)
    once = x.grad.copy(), w.grad.copy()
    out.backward()
    np.testing.assert_allclose(x.grad, 2 * once[0], rtol=1e-15)
    np.testing.assert_allclose(w.grad, 2 * once[1], rtol=1e-15)
    with pytest.raises(RuntimeError, match="freed"):
        out.backward()


def test_a_pass_that_keeps_the_tape_keeps_no_second_run():
    kept, x = [], nn.Parameter([1.0, 2.0])

    def f(a):
        h = np.exp(a)
        kept.append(weakref.ref(h.numpy().base))  # the array itself, which the rule of exp reads
        return h * 3.0

    out = np.sum(checkpoint(f, x) ** 2)
    assert [ref() for ref in kept] == [None]
    for _ in range(2):
        out.backward(retain_graph=True)
    assert [ref() for ref in kept] == [None] * 3


def test_complex_arguments():
    exact, found = [], []
    z = np.array([1.0 + 2.0j, -0.5 + 0.25j])
    for call, kept in ((called, exact), (checkpoint, found)):
        leaf = Tensor(z, requires_grad=True)
        np.sum(np.abs(call(lambda a: a * np.exp(a), leaf))).backward()
        kept.append(leaf.grad)
    assert_same_bits(found, exact)


def test_an_error_in_the_second_run_leaves_the_tape_as_it_was():
    broken, x = [], nn.Parameter([1.0, 2.0])

    def f(a):
        if broken:
            raise ZeroDivisionError
        return np.exp(a)

    h = x * 3.0
    loss = np.sum(checkpoint(f, h) * h)
    broken.append(True)
    with pytest.raises(ZeroDivisionError):
        loss.backward(retain_graph=True)
    broken.clear()
    x.grad = None
    np.sum(h).backward()
    np.testing.assert_array_equal(x.grad, [3.0, 3.0])


def test_what_needs_no_gradient_comes_out_as_it_is():
    x = nn.Parameter([1.0, 2.0])
    assert checkpoint(lambda a: a, x) is x
    assert type(checkpoint(np.exp, np.ones(2))) is np.ndarray
    assert checkpoint(lambda a: 3.0, x) == 3.0
    assert not checkpoint(np.exp, x.detach()).requires_grad
    with no_grad():
        assert not checkpoint(np.exp, x).requires_grad


def test_without_arguments_it_makes_a_function_as_jax_does():
    x = nn.Parameter([1.0, 2.0])
    np.sum(checkpoint(lambda a, scale: np.exp(a) * scale)(x, scale=2.0)).backward()
    np.testing.assert_array_equal(x.grad, 2.0 * np.exp([1.0, 2.0]))


def test_a_function_keeps_its_inputs_alone():
    """Ten steps of six arrays each: the tape holds ten arrays, and one segment's when it runs again."""
    model, x = deep(1, width=40), np.random.default_rng(7).normal(size=(2000, 40))

    def long_step(h):
        for _ in range(6):
            h = np.tanh(h) + np.sin(h)
        return h

    def run(call):
        h = model(x)
        for _ in range(10):
            h = call(long_step, h)
        return np.mean(h)

    whole, cut = (step_memory(model, lambda call=call: run(call)) for call in (called, checkpoint))
    assert cut.held < 0.2 * whole.held
    assert cut.peak < 0.4 * whole.peak


def test_functions_that_do_not_fit_get_advice():
    x = nn.Parameter([1.0, 2.0])
    with pytest.raises(TypeError, match="<lambda> gave NoneType; did you forget `return`"):
        checkpoint(lambda a: None, x)
    with pytest.raises(TypeError, match=r"returns one array; <lambda> gave tuple; join several by np\.concatenate"):
        checkpoint(lambda a: (a, a), x)
    with pytest.raises(TypeError, match="function or a module, then its arguments; got Tensor first"):
        checkpoint(x, np.exp)
