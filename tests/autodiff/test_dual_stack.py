"""Several directions in one run of forward mode: the same numbers as one direction after the other."""

import numpy as np
import pytest

from coursepkg import gradients, nn  # noqa: F401  (the recurrent layers enter their sweeps into the table)
from coursepkg.autodiff.catalogue import affine, operation, relu, softmax_cross_entropy
from coursepkg.autodiff.dual_stack import DualStack
from coursepkg.autodiff.entry_checks import prepare, stacked_problems
from coursepkg.autodiff.table import COMPOSITES, LINEAR, PRIMITIVES, SAME, Each, example
from coursepkg.autodiff.trees import leaves_of, rebuild

K = 3
ENTRIES = [*PRIMITIVES.values(), *COMPOSITES.values()]
CASES = [
    pytest.param(entry, call, id=f"{entry.name}-{i}") for entry in ENTRIES for i, call in enumerate(entry.examples)
]


def directions_for(leaves, rng, count=K):
    """K random directions per leaf, real or complex, of its dtype."""
    drawn = []
    for leaf in leaves:
        t = rng.normal(size=(count, *leaf.shape))
        if leaf.dtype.kind == "c":
            t = t + 1j * rng.normal(size=t.shape)
        drawn.append(t.astype(leaf.dtype))
    return drawn


def one_by_one(f, x, stacks, count=K):
    """What K separate runs of forward mode say, stacked per output."""
    runs = [leaves_of(gradients.jvp(f, x, rebuild(x, [t[k] for t in stacks]))[1]) for k in range(count)]
    return [np.stack(parts) for parts in zip(*runs, strict=True)]


@pytest.mark.parametrize(("entry", "call"), CASES)
def test_many_directions_in_one_run_give_what_single_runs_give(entry, call):
    rng = np.random.default_rng(0)
    f, x = prepare(entry, call, rng)
    stacks = directions_for(leaves_of(x), rng)
    value, found = gradients.jvps(f, x, rebuild(x, stacks))
    for a, b in zip(leaves_of(value), leaves_of(f(x)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13)
    for a, b in zip(leaves_of(found), one_by_one(f, x, stacks), strict=True):
        assert a.shape == b.shape
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("entry", "call"), CASES)
def test_each_argument_alone_can_move(entry, call):
    """An argument that stays is a plain array, and each rule is asked for by itself."""
    rng = np.random.default_rng(1)
    f, x = prepare(entry, call, rng)
    leaves = leaves_of(x)
    for i, leaf in enumerate(leaves):
        if (entry.function is np.full_like and i == 1) or entry.function is np.select:
            continue  # NumPy does not ask this argument alone who handles the call

        def moved(a, i=i):
            return f(rebuild(x, [*leaves[:i], a, *leaves[i + 1 :]]))

        (stack,) = directions_for([leaf], rng)
        found = leaves_of(gradients.jvps(moved, leaf, stack)[1])
        for a, b in zip(found, one_by_one(moved, leaf, [stack]), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


def test_each_primitive_with_several_axes_handles_the_directions_together():
    """The loop over directions is for what users add and for strange indices; NumPy's own functions do without."""
    alone = {e.name for e in PRIMITIVES.values() if not e.elementwise and e.jvps is None}
    assert alone == {"conv2d to images", "conv2d to kernels", "full convolution"}  # steps of a second derivative


def test_a_primitive_without_a_rule_for_many_directions_pushes_them_one_by_one():
    asked = []

    def change(t, out, x):
        asked.append(t.shape)
        return t[::-1]

    turned = operation(
        lambda x: x[::-1], vjp=[lambda g, _out, _x: g[::-1]], jvp=[change], examples=[example((3,))], name="turned"
    )
    try:
        x, t = np.array([1.0, 2.0, 3.0]), np.arange(6.0).reshape(2, 3)
        np.testing.assert_array_equal(gradients.jvps(turned, x, t)[1], t[:, ::-1])
        assert asked == [(3,), (3,)]
        assert gradients.jvps(turned, x, t[:0])[1].shape == (0, 3)
    finally:
        del PRIMITIVES[turned]


def network(parameters):
    x, labels = np.linspace(-1, 1, 15).reshape(5, 3), np.array([0, 1, 1, 0, 1])
    w1, b1, w2, b2 = parameters
    return softmax_cross_entropy(affine(relu(affine(x, w1, b1)), w2, b2), labels)


def test_a_network_in_many_directions_at_once():
    rng = np.random.default_rng(2)
    parameters = [rng.normal(size=shape) for shape in ((3, 4), (4,), (4, 2), (2,))]
    stacks = directions_for(parameters, rng, count=7)
    value, slopes = gradients.jvps(network, parameters, stacks)
    assert slopes.shape == (7,)
    np.testing.assert_allclose(value, network(parameters), rtol=1e-12)
    gradient = gradients.reverse(network)(parameters)
    expected = sum(np.sum(t * g, axis=tuple(range(1, t.ndim))) for t, g in zip(stacks, gradient, strict=True))
    np.testing.assert_allclose(slopes, expected, rtol=1e-12)


def test_one_run_of_the_function_serves_all_directions():
    calls = []

    def f(x):
        calls.append(x.shape)
        return np.sin(x) * x

    gradients.jvps(f, np.array([0.3, 0.4]), np.ones((50, 2)))
    assert calls == [(2,)]


def test_hessian_by_many_directions_over_reverse_mode():
    def f(x):
        return np.sum(np.exp(x) * x[::-1]) ** 2

    x = np.array([0.3, -0.7, 1.1])
    _, hessian = gradients.jvps(gradients.reverse(f), x, np.eye(3))
    np.testing.assert_allclose(hessian, np.stack([gradients.hvp(f, x, e) for e in np.eye(3)]), rtol=1e-12)
    np.testing.assert_allclose(hessian, gradients.jacobian(gradients.reverse(f))(x), rtol=1e-12)


def test_directions_of_nested_differentiations_stay_apart():
    def inner(x):
        return gradients.jvps(lambda y: x * y * y, x, np.array([[1.0], [2.0]]))[1][:, 0]

    x = np.array([3.0])
    # d/dy of x y^2 along 1 and 2 at y = x is 2 x^2 and 4 x^2; its slope in x is 4 x and 8 x.
    np.testing.assert_allclose(inner(x), [18.0, 36.0], rtol=1e-12)
    _, found = gradients.jvps(inner, x, np.array([[1.0], [-1.0], [0.5]]))
    np.testing.assert_allclose(found, np.outer([1, -1, 0.5], [12.0, 24.0]), rtol=1e-12)
    np.testing.assert_allclose(gradients.jacobian(inner, route="reverse")(x), [[12.0], [24.0]], rtol=1e-12)
    np.testing.assert_allclose(gradients.jvp(inner, x, np.array([1.0]))[1], [12.0, 24.0], rtol=1e-12)


@pytest.mark.parametrize("index", [(slice(None), 0, [1, 2]), ([0, 1], slice(None), [2, 0]), (0, slice(None), [1, 1])])
def test_arrays_of_indices_with_slices_between(index):
    x, t = np.random.default_rng(3).normal(size=(2, 3, 4)), np.random.default_rng(4).normal(size=(5, 2, 3, 4))
    np.testing.assert_array_equal(gradients.jvps(lambda a: a[index], x, t)[1], np.stack([d[index] for d in t]))


def test_what_does_not_depend_on_the_point_has_zero_tangents():
    value, tangents = gradients.jvps(lambda x: (np.ones((2, 3), np.float32), x > 0), np.array([1.0]), np.ones((4, 1)))
    assert [t.shape for t in tangents] == [(4, 2, 3), (4, 1)]
    assert not np.any(tangents[0])
    assert value[0].dtype == tangents[0].dtype == np.float32


def test_float32_stays_float32():
    value, tangents = gradients.jvps(lambda x: np.tanh(x) @ x, np.float32([0.3, 0.4]), np.ones((2, 2)))
    assert value.dtype == tangents.dtype == np.float32


def test_tangents_without_an_axis_of_directions_are_refused():
    x = np.array([1.0, 2.0, 3.0])
    with pytest.raises(
        ValueError, match=r"first axis that counts the directions; got value \(3,\) and tangents \(3,\)"
    ):
        gradients.jvps(np.sin, x, np.ones(3))
    with pytest.raises(ValueError, match="same number of directions"):
        gradients.jvps(lambda p: p[0] * p[1], [x, x], [np.ones((2, 3)), np.ones((4, 3))])
    with pytest.raises(ValueError, match="counts the directions"):
        DualStack(x, np.ones((3, 2)))


@pytest.mark.parametrize("size", [3, 64, 65, 130])
def test_jacobian_by_chunks_of_columns(size):
    rng = np.random.default_rng(5)
    w = rng.normal(size=(4, size))
    x = rng.normal(size=size)
    found = gradients.jacobian(lambda v: np.tanh(w @ v), route="forward")(x)
    np.testing.assert_allclose(found, (1 - np.tanh(w @ x) ** 2)[:, None] * w, rtol=1e-12, atol=1e-13)


def wrong_for_many(entry):
    """Ways to break the rules for many directions of an entry, each with its name."""
    original = entry.jvps

    def with_rule(change):
        if isinstance(original, Each):
            return Each(lambda index, t, out, *a, **k: change(original[index](t, out, *a, **k)))

        def broken(i):
            def rule(t, out, *args, **kwargs):
                if original[i] is not SAME:
                    return change(original[i](t, out, *args, **kwargs))
                values = [*args[:i], t, *args[i + 1 :]]
                single = entry.jvp[i]
                return change(entry.forward(*values, **kwargs) if single is LINEAR else single(t, out, *args, **kwargs))

            return rule

        return [None if rule is None else broken(i) for i, rule in enumerate(original)]

    yield "sign", with_rule(lambda term: -term)
    yield "order", with_rule(lambda term: term[::-1])
    yield "first only", with_rule(lambda term: term[:1] + 0 * term)


BROKEN = [entry for entry in PRIMITIVES.values() if entry.jvps is not None]


@pytest.mark.parametrize("entry", BROKEN, ids=lambda entry: entry.name)
def test_a_wrong_rule_for_many_directions_is_caught(entry, monkeypatch):
    def caught():
        return any(stacked_problems(entry, call, np.random.default_rng(0)) for call in entry.examples)

    assert not caught()
    for name, rules in wrong_for_many(entry):
        with monkeypatch.context() as patch:
            patch.setattr(entry, "jvps", rules)
            assert caught(), name


def test_no_directions_and_empty_arrays():
    w = np.random.default_rng(6).normal(size=(3, 2))
    assert gradients.jvps(lambda x: np.cumsum(x @ w), np.ones((4, 3)), np.ones((0, 4, 3)))[1].shape == (0, 8)
    _, tangents = gradients.jvps(lambda x: x @ np.ones((0, 2)), np.ones((4, 0)), np.ones((5, 4, 0)))
    np.testing.assert_array_equal(tangents, np.zeros((5, 4, 2)))
