"""Optimizers do what their papers say, on arrays, on tensors, and on the course's six points."""

import numpy as np
import pytest

from coursepkg import optimizers as opt
from coursepkg.autodiff.scalar import Scalar
from coursepkg.autodiff.tensor import Tensor

POINTS = np.array([[0.9, 0.3], [0.5, 0.3], [0.2, 0.1], [0.7, 0.5], [0.1, 0.8], [0.1, 0.9]])
TARGETS = np.array([1.0, 1.0, 1.0, 0.0, 0.0, 0.0])


def neuron(w):
    return 1.0 / (1.0 + np.exp(-POINTS @ w))


def mse(w):
    return np.mean((neuron(w) - TARGETS) ** 2)


def mse_gradient(w):
    y = neuron(w)
    return 2.0 / 6.0 * ((y - TARGETS) * y * (1.0 - y)) @ POINTS


def cross_entropy_gradient(w):
    return (neuron(w) - TARGETS) @ POINTS / 6.0


def steps_to_threshold(make, gradient=mse_gradient, limit=2000):
    """Steps from (-4, -4) until the mean squared error is at most 1/8."""
    w = np.array([-4.0, -4.0])
    optimizer = make(w)
    for steps in range(limit):
        if mse(w) <= 0.125:
            assert optimizer.steps == steps
            return steps
        optimizer.step(gradient(w), loss=mse(w))
    return limit


def test_the_six_points_start_where_the_article_starts():
    start = np.array([-4.0, -4.0])
    assert mse(start) == pytest.approx(0.416445, abs=5e-7)
    np.testing.assert_allclose(mse_gradient(start), [-0.017501, -0.008686], atol=5e-7, rtol=0)
    ratio = np.linalg.norm(cross_entropy_gradient(start)) / np.linalg.norm(mse_gradient(start))
    assert ratio == pytest.approx(14, abs=0.5)


@pytest.mark.parametrize(
    ("make", "steps"),
    [
        (lambda w: opt.GD(w, lr=0.3), 797),
        (lambda w: opt.GD(w, lr=10.0), 25),
        (lambda w: opt.Momentum(w, lr=0.3), 92),
        (lambda w: opt.Momentum(w, lr=0.3, momentum=0.5), 401),
        (lambda w: opt.Momentum(w, lr=0.3, momentum=0.95), 80),
        (lambda w: opt.RPROP(w, lr=0.1), 20),
        (lambda w: opt.IRPROPPlus(w, lr=0.1), 17),
        (lambda w: opt.RPROP(w, lr=0.3), 18),
        (lambda w: opt.IRPROPPlus(w, lr=0.3), 16),
        (lambda w: opt.Adam(w, lr=0.3), 25),
        (lambda w: opt.Adam(w, lr=0.1), 64),
        (lambda w: opt.RMSprop(w, lr=0.3, alpha=0.9), 14),
        (lambda w: opt.Adagrad(w, lr=1.0), 16),
    ],
    ids=[
        "GD 0.3",
        "GD 10",
        "momentum 0.9",
        "momentum 0.5",
        "momentum 0.95",
        "RPROP 0.1",
        "iRPROP+ 0.1",
        "RPROP 0.3",
        "iRPROP+ 0.3",
        "Adam 0.3",
        "Adam 0.1",
        "RMSprop",
        "Adagrad",
    ],
)
def test_step_counts_of_the_article_on_visualising_backpropagation(make, steps):
    assert steps_to_threshold(make) == steps


def test_cross_entropy_needs_a_quarter_of_the_steps():
    assert steps_to_threshold(lambda w: opt.GD(w, lr=0.3), cross_entropy_gradient) == 187


def test_momentum_of_0_99_flies_past_and_gets_one_point_wrong():
    w = np.array([-4.0, -4.0])
    optimizer = opt.Momentum(w, lr=0.3, momentum=0.99)
    for _ in range(20_000):
        optimizer.step(mse_gradient(w))
        assert mse(w) > 0.125
    assert mse(w) == pytest.approx(1 / 6, abs=1e-4)


def test_nesterov_counts_92_at_the_textbooks_point_and_91_at_the_point_ahead():
    w = np.array([-4.0, -4.0])
    optimizer = opt.Nesterov(w, lr=0.3)
    ahead = behind = None
    while behind is None and optimizer.steps < 200:
        optimizer.step(mse_gradient(w))
        textbook = w + optimizer.lr * optimizer.momentum * optimizer.state[0]["velocity"]
        if mse(w) <= 0.125 and ahead is None:
            ahead = optimizer.steps
        if mse(textbook) <= 0.125:
            behind = optimizer.steps
    assert (ahead, behind) == (91, 92)


def test_nesterov_in_pytorchs_form_is_the_textbooks_method():
    rng = np.random.default_rng(3)
    A = rng.normal(size=(3, 3))
    A = A @ A.T + np.eye(3)
    theta, v = np.array([1.0, -2.0, 0.5]), np.zeros(3)
    ours = theta.copy()
    optimizer = opt.Nesterov(ours, lr=0.03, momentum=0.8)
    for _ in range(30):
        v = 0.8 * v + 0.03 * A @ (theta - 0.8 * v)
        theta = theta - v
        optimizer.step(A @ ours)
        np.testing.assert_allclose(ours, theta - 0.8 * v, rtol=1e-10)


@pytest.mark.parametrize("make", [opt.RPROP, opt.IRPROPPlus])
def test_the_second_weights_gradient_first_flips_at_step_12(make):
    w = np.array([-4.0, -4.0])
    optimizer = make(w, lr=0.1)
    signs = []
    for _ in range(15):
        signs.append(np.sign(mse_gradient(w)[1]))
        optimizer.step(mse_gradient(w), loss=mse(w))
    assert signs.index(1.0) + 1 == 12


@pytest.mark.parametrize("high", [300.0, 700.0, 1000.0, 2000.0])
def test_golden_section_descent_needs_two_steps_but_many_evaluations(high):
    w, steps, evaluations = np.array([-4.0, -4.0]), 0, 0
    while mse(w) > 0.125 and steps < 5:
        g = mse_gradient(w)
        found = opt.golden_section(lambda eta, w=w, g=g: mse(w - eta * g), 0.0, high)
        w = w - found.x * g
        steps += 1
        evaluations += found.evaluations
    assert steps == 2
    assert evaluations > 2 * 25
    if high == 1000.0:
        assert evaluations == 2 * (2 + 29)


def test_golden_section_finds_the_minimum_to_the_tolerance():
    for lowest in (-0.9, 0.0, 0.3, 1.9):
        found = opt.golden_section(lambda x, m=lowest: abs(x - m) ** 1.5, -1.0, 2.0, tolerance=1e-6)
        assert found.x == pytest.approx(lowest, abs=1e-6)
    with pytest.raises(ValueError, match="low < high"):
        opt.golden_section(abs, 1.0, 1.0)
    with pytest.raises(ValueError, match="tolerance"):
        opt.golden_section(abs, 0.0, 1.0, tolerance=0.0)


def test_rprop_variants_differ_only_after_a_flip():
    """Gradients +, +, -, - of one weight; by hand: -0.1, -0.12, then back, back or rest, then the halved step."""

    def moves(optimizer_class, losses=(1.0, 1.0, 1.0, 1.0)):
        w = np.zeros(1)
        optimizer, path = optimizer_class(w, lr=0.1), []
        for sign, loss in zip((2.0, 3.0, -4.0, -5.0), losses, strict=True):
            before = w.copy()
            optimizer.step(np.array([sign]), loss=loss)
            path.append(round(float((w - before)[0]), 9))
        return path

    assert moves(opt.RPROP) == [-0.1, -0.12, 0.12, 0.06]
    assert moves(opt.IRPROPMinus) == [-0.1, -0.12, 0.0, 0.06]
    assert moves(opt.IRPROPPlus, (4.0, 3.0, 2.0, 1.0)) == [-0.1, -0.12, 0.0, 0.06]
    assert moves(opt.IRPROPPlus, (4.0, 3.0, 3.5, 1.0)) == [-0.1, -0.12, 0.12, 0.06]


def test_rprop_ignores_the_size_of_the_gradient():
    small, large = np.array([1.0, -2.0]), np.array([1.0, -2.0])
    first, second = opt.RPROP(small), opt.RPROP(large)
    for _ in range(20):
        first.step(1e-6 * small)
        second.step(1e6 * large)
    np.testing.assert_array_equal(small, large)


def test_irprop_plus_asks_for_the_loss():
    with pytest.raises(ValueError, match=r"step\(loss=loss\)"):
        opt.IRPROPPlus(np.zeros(2)).step(np.ones(2))


def test_adams_first_step_has_the_length_of_the_learning_rate_for_every_weight():
    theta = np.zeros(3)
    opt.Adam(theta, lr=0.05, eps=0.0).step(np.array([1e-4, -3.0, 500.0]))
    np.testing.assert_allclose(theta, [-0.05, 0.05, -0.05], rtol=1e-12)


FIRST_ORDER = {
    "GD": lambda p: opt.GD(p, lr=0.004, weight_decay=0.1),
    "SGD": lambda p: opt.SGD(p, lr=0.004, momentum=0.5, nesterov=True),
    "Momentum": lambda p: opt.Momentum(p, lr=0.004),
    "Nesterov": lambda p: opt.Nesterov(p, lr=0.004),
    "Adagrad": lambda p: opt.Adagrad(p, lr=0.004),
    "RMSprop": lambda p: opt.RMSprop(p, lr=0.004),
    "Adam": lambda p: opt.Adam(p, lr=opt.cosine(0.004, steps=10)),
    "RPROP": lambda p: opt.RPROP(p, lr=0.004),
    "IRPROPMinus": lambda p: opt.IRPROPMinus(p, lr=0.004),
}


@pytest.mark.parametrize("make", FIRST_ORDER.values(), ids=FIRST_ORDER)
def test_arrays_lists_dicts_tensors_and_scalars_take_the_same_path(make):
    start = [np.array([[1.0, -2.0, 0.5]]), np.array(3.0)]
    arrays = [p.copy() for p in start]
    named = {"w": start[0].copy(), "b": start[1].copy()}
    tensors = [Tensor(p, requires_grad=True) for p in start]
    scalar = Scalar(3.0)
    by_list, by_dict, by_tensor, by_scalar = make(arrays), make(named), make(tensors), make([scalar])
    for _ in range(12):
        by_list.step([4 * p**3 for p in arrays])
        by_dict.step({name: 4 * p**3 for name, p in named.items()})
        by_tensor.zero_grad()
        (np.sum(tensors[0] ** 4) + tensors[1] ** 4).backward()
        by_tensor.step()
        by_scalar.zero_grad()
        (scalar**4).backward()
        by_scalar.step()
    for array, other, tensor in zip(arrays, named.values(), tensors, strict=True):
        np.testing.assert_array_equal(array, other)
        np.testing.assert_allclose(tensor.data, array, rtol=1e-13)
    assert scalar.data == pytest.approx(float(arrays[1]), rel=1e-13)
    assert type(scalar.data) is float


@pytest.mark.parametrize("make", FIRST_ORDER.values(), ids=FIRST_ORDER)
def test_single_precision_stays_single(make):
    theta = Tensor(np.ones((2, 3), dtype=np.float32), requires_grad=True)
    optimizer = make([theta])
    for _ in range(3):
        theta.grad = np.full((2, 3), 0.5, dtype=np.float32)
        optimizer.step()
    assert theta.data.dtype == np.float32
    memory = [array for array in optimizer.state[0].values() if isinstance(array, np.ndarray)]
    assert {array.dtype for array in memory} <= {np.dtype(np.float32)}


@pytest.mark.parametrize("make", FIRST_ORDER.values(), ids=FIRST_ORDER)
def test_the_gradients_themselves_are_never_changed(make):
    theta, g = np.array([1.0, -2.0]), np.array([0.5, 0.25])
    optimizer = make(theta)
    for _ in range(3):
        optimizer.step(g)
    np.testing.assert_array_equal(g, [0.5, 0.25])


def test_arrays_are_changed_in_place():
    theta = np.array([1.0, 2.0, 3.0])
    view = theta[1:]
    opt.GD(theta, lr=1.0).step(np.array([0.0, 1.0, 1.0]))
    np.testing.assert_array_equal(view, [1.0, 2.0])


def test_a_parameter_without_gradient_stays_and_its_memory_does_not_age():
    used, unused = Tensor([2.0], requires_grad=True), Tensor([5.0], requires_grad=True)
    optimizer = opt.Adam([used, unused], lr=0.1)
    np.sum(used**2).backward()
    optimizer.step()
    assert unused.data[0] == 5.0
    assert optimizer.state[1] == {}
    assert used.data[0] < 2.0


def test_zero_grad_forgets_because_backward_accumulates():
    w = Tensor([3.0], requires_grad=True)
    optimizer = opt.GD([w], lr=0.1)
    np.sum(w**2).backward()
    np.sum(w**2).backward()
    np.testing.assert_allclose(w.grad, [12.0], rtol=1e-15)
    optimizer.zero_grad()
    assert w.grad is None


def test_learners_mistakes_get_an_explanation():
    w = Tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(ValueError, match=r"backward\(\)"):
        opt.GD([w], lr=0.1).step()
    with pytest.raises(ValueError, match=r"step\(gradients\)"):
        opt.GD(np.ones(2), lr=0.1).step()
    with pytest.raises(ValueError, match="a gradient has the shape of its variable"):
        opt.GD(np.ones((2, 3)), lr=0.1).step(np.ones(3))
    with pytest.raises(ValueError, match="gradients for w, but the parameters are w, b"):
        opt.GD({"w": np.ones(2), "b": np.ones(1)}, lr=0.1).step({"w": np.ones(2)})
    with pytest.raises(TypeError, match=r"write 1\.0"):
        opt.GD(np.array([1, 2]), lr=0.1)
    with pytest.raises(ValueError, match="no parameters"):
        opt.GD([], lr=0.1)
    with pytest.raises(TypeError, match="list or dict"):
        opt.GD(3, lr=0.1)
    with pytest.raises(ValueError, match="negative"):
        opt.GD(np.ones(2), lr=-0.1)
    with pytest.raises(ValueError, match="negative"):
        opt.GD(np.ones(2), lr=0.1, weight_decay=-1.0)
    with pytest.raises(ValueError, match="share of the past"):
        opt.Momentum(np.ones(2), lr=0.1, momentum=1.0)
    with pytest.raises(ValueError, match="etas"):
        opt.RPROP(np.ones(2), etas=(1.2, 0.5))


def test_a_nan_learning_rate_is_refused():
    with pytest.raises(ValueError, match="lr=nan"):
        opt.GD(np.ones(2), lr=float("nan"))


def rosenbrock(x):
    loss = 100.0 * (x[1] - x[0] ** 2) ** 2 + (1.0 - x[0]) ** 2
    return loss, np.array([-400.0 * x[0] * (x[1] - x[0] ** 2) - 2.0 * (1.0 - x[0]), 200.0 * (x[1] - x[0] ** 2)])


def test_lbfgs_walks_the_banana_valley():
    x = np.array([-1.2, 1.0])
    optimizer = opt.LBFGS(x, max_iter=100)
    loss = optimizer.step(lambda: rosenbrock(x))
    np.testing.assert_allclose(x, [1.0, 1.0], rtol=1e-5)
    assert loss < 1e-10
    assert optimizer.evaluations > 20


def test_lbfgs_takes_a_closure_as_in_pytorch():
    A = np.array([[3.0, 1.0, 0.0], [1.0, 2.0, 0.5]])
    target = np.array([1.0, -2.0])
    w, unused, c = Tensor(np.zeros(3), requires_grad=True), Tensor([7.0], requires_grad=True), Tensor(0.5, True)
    optimizer = opt.LBFGS([w, unused, c], max_iter=200)

    def closure():
        optimizer.zero_grad()
        loss = np.sum((A @ w + c - target) ** 2)
        loss.backward()
        return loss

    assert optimizer.step(closure) < 1e-12
    np.testing.assert_allclose(A @ w.data + c.data, target, rtol=1e-5)
    assert unused.data[0] == 7.0
    with pytest.raises(ValueError, match=r"step\(closure\)"):
        optimizer.step(None)


def test_schedules_have_their_published_shape():
    steps = [0, 4, 5, 9, 10, 25]
    np.testing.assert_allclose(
        [opt.step_decay(0.8, every=5, factor=0.5)(k) for k in steps], [0.8, 0.8, 0.4, 0.4, 0.2, 0.025], rtol=1e-12
    )
    fall = opt.cosine(1.0, steps=8, minimum=0.2)
    np.testing.assert_allclose([fall(0), fall(4), fall(8), fall(80)], [1.0, 0.6, 0.2, 0.2], rtol=1e-12)
    rate = opt.warm_up(opt.cosine(1.0, steps=8), steps=4)
    np.testing.assert_allclose([rate(k) for k in (0, 3, 4, 8, 12)], [0.25, 1.0, 1.0, 0.5, 0.0], atol=1e-15)
    for wrong in (
        lambda: opt.step_decay(0.1, every=0),
        lambda: opt.cosine(0.1, steps=0),
        lambda: opt.warm_up(opt.constant(1.0), steps=0),
    ):
        with pytest.raises(ValueError, match="at least 1"):
            wrong()


def test_a_schedule_is_asked_once_per_step():
    theta = np.array([0.0])
    optimizer = opt.GD(theta, lr=lambda step: 10.0**-step)
    for _ in range(3):
        optimizer.step(np.array([-1.0]))
    assert theta[0] == pytest.approx(1.11, rel=1e-12)
    assert optimizer.current_lr == pytest.approx(1e-3, rel=1e-12)


def test_clipping_by_norm_keeps_the_direction_and_by_value_may_turn_it():
    gradients = [np.array([3.0, 0.0]), np.array([[4.0], [12.0]])]
    assert opt.global_norm(gradients) == pytest.approx(13.0)
    clipped = opt.clip_by_norm(gradients, 6.5)
    for before, after in zip(gradients, clipped, strict=True):
        np.testing.assert_allclose(after, before / 2.0, rtol=1e-12)
    assert opt.clip_by_norm(gradients, 20.0)[0] is gradients[0]
    np.testing.assert_array_equal(opt.clip_by_value([np.array([-9.0, 0.5, 7.0])], 2.0)[0], [-2.0, 0.5, 2.0])
    np.testing.assert_array_equal(opt.clip_by_norm([np.zeros(2)], 1.0)[0], [0.0, 0.0])
    for wrong in (opt.clip_by_norm, opt.clip_by_value):
        with pytest.raises(ValueError, match="positive"):
            wrong(gradients, 0.0)


def test_clipping_the_grad_of_tensors():
    a, b = Tensor([3.0, 0.0], requires_grad=True), Tensor([1.0], requires_grad=True)
    idle = Tensor([1.0], requires_grad=True)

    def run_backward():
        a.grad = b.grad = None
        (np.sum(a * np.array([3.0, 0.0])) + np.sum(4.0 * b)).backward()

    run_backward()
    assert opt.clip_grad_norm_([a, idle, b], 1.0) == pytest.approx(5.0)
    np.testing.assert_allclose(a.grad, [0.6, 0.0], rtol=1e-12)
    np.testing.assert_allclose(b.grad, [0.8], rtol=1e-12)
    run_backward()
    opt.clip_grad_value_([a, idle, b], 3.5)
    np.testing.assert_allclose(b.grad, [3.5], rtol=1e-12)
    assert idle.grad is None


def test_single_precision_gradients_do_not_overflow_their_norm():
    assert opt.global_norm([np.full(4, 1e25, dtype=np.float32)]) == pytest.approx(2e25, rel=1e-6)


def test_a_step_changes_nothing_that_was_taken_from_a_tensor_before():
    w = Tensor(np.arange(6.0).reshape(2, 3), requires_grad=True)
    w.grad = np.ones((2, 3))
    optimizer = opt.GD([w], lr=0.5)
    optimizer.step()
    kept, cut, loss = w.data, w.detach(), np.sum(w * w)  # a view, another tensor, and a record
    optimizer.step()
    np.testing.assert_array_equal(kept, np.arange(6.0).reshape(2, 3) - 0.5)
    np.testing.assert_array_equal(cut.numpy(), np.arange(6.0).reshape(2, 3) - 0.5)
    np.testing.assert_array_equal(w.data, np.arange(6.0).reshape(2, 3) - 1.0)
    w.grad = None
    loss.backward()
    np.testing.assert_array_equal(w.grad, 2 * kept)


@pytest.mark.parametrize("make", FIRST_ORDER.values(), ids=FIRST_ORDER)
@pytest.mark.parametrize("kind", [np.float64, np.int64, np.float16])
def test_a_gradient_takes_the_precision_of_its_parameter(make, kind):
    """Whole numbers for a gradient, or more digits than the parameter has, are not carried into what is remembered."""
    thetas = [np.ones(3, dtype=np.float32) for _ in range(2)]
    optimizers = [make(theta) for theta in thetas]
    for _ in range(4):
        optimizers[0].step(np.array([1, -2, 4], dtype=kind))
        optimizers[1].step(np.array([1, -2, 4], dtype=np.float32))
    np.testing.assert_array_equal(*thetas)
    assert np.all(thetas[0] != 1.0)
    for kept in optimizers[0].state[0].values():
        assert type(kept) is int or kept.dtype == np.float32


def test_numpy_numbers_as_settings_are_made_plain():
    number = np.float64(0.5)
    theta = np.ones(2, dtype=np.float32)
    for optimizer in (
        opt.SGD(theta, number, number, weight_decay=number),
        opt.Adam(theta, number, betas=(number, number), eps=number),
        opt.RMSprop(theta, number, alpha=number, eps=number),
        opt.IRPROPMinus(theta, number, etas=(number, np.float64(1.5)), step_sizes=(number, number)),
    ):
        optimizer.step(np.array([1.0, -1.0], dtype=np.float32))
        kept = [array for array in optimizer.state[0].values() if isinstance(array, np.ndarray)]
        assert kept
        assert {array.dtype for array in kept} == {np.dtype(np.float32)}


def test_a_complex_gradient_is_refused():
    with pytest.raises(TypeError, match="the gradient of w is complex, but w is real"):
        opt.GD({"w": np.ones(2)}, lr=0.1).step({"w": np.ones(2) * 1j})


def test_sgd_is_descent_momentum_or_nesterov():
    pairs = [
        (lambda p: opt.SGD(p, 0.1, weight_decay=0.2), lambda p: opt.GD(p, 0.1, weight_decay=0.2)),
        (lambda p: opt.SGD(p, 0.1, 0.7), lambda p: opt.Momentum(p, 0.1, momentum=0.7)),
        (
            lambda p: opt.SGD(p, lr=0.1, momentum=0.7, nesterov=True, weight_decay=0.2),
            lambda p: opt.Nesterov(p, 0.1, momentum=0.7, weight_decay=0.2),
        ),
    ]
    ends = []
    for pair in pairs:
        walked = []
        for make in pair:
            theta = np.array([[1.0, -2.0, 0.5]])
            optimizer = make(theta)
            for _ in range(5):
                optimizer.step(np.cos(theta))
            walked.append(theta)
        np.testing.assert_array_equal(*walked)
        ends.append(walked[0])
    assert not np.allclose(ends[0], ends[1], rtol=1e-3)
    assert not np.allclose(ends[1], ends[2], rtol=1e-3)
    plain = opt.SGD(np.ones(2))
    plain.step(np.ones(2))
    assert (plain.lr, plain.state) == (1e-3, [{}])
    with pytest.raises(ValueError, match=r"needs a momentum, such as momentum=0\.9"):
        opt.SGD(np.ones(2), lr=0.1, nesterov=True)


def test_a_computed_tensor_is_no_parameter():
    """Adding a step to it would make another tensor, and change nothing."""
    y = Tensor([1.0, 2.0], requires_grad=True) * 2.0
    y.retain_grad()
    np.sum(y * y).backward(retain_graph=True)
    with pytest.raises(TypeError, match="parameter 0 is the result of a computation"):
        opt.GD([y], lr=0.1)
