"""Derivatives of one's own take part in every route, and a check says which of them is wrong."""

import math

import numpy as np
import pytest

from coursepkg.autodiff.table import COMPOSITES, PRIMITIVES
from coursepkg.autodiff.tensor import Tensor
from coursepkg.gradients import (
    check,
    check_custom,
    compare,
    custom_gradient,
    forward,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    jvps,
    numeric,
    reverse,
)

X = np.array([0.7, -1.3, 2.1])
Y = np.array([[0.5], [1.5]])


def plain_sine(x):
    return np.sin(x)


@custom_gradient(vjp=lambda g, out, x, y, scale: (g * y * scale, g * x * scale))
def product(x, y, scale=2.0):
    """Broadcasts, so its rules leave the sums to the engine."""
    return scale * x * y


@custom_gradient(vjp=lambda g, out, x: g * np.cos(x))
def sine(x):
    """Computed by code that nobody can trace."""
    return np.array([math.sin(v) for v in x.ravel().tolist()]).reshape(x.shape)


# --- on every route


def test_every_route_agrees_with_rules_that_are_right():
    table = check(lambda x, y: product(x, y) ** 2, X, Y)
    assert [route.name for route in table.routes] == ["reverse", "forward", "numeric", "symbolic"]


def test_code_that_nobody_can_trace_has_a_derivative():
    table = check(sine, X)
    assert [route.name for route in table.routes] == ["reverse", "forward", "numeric"]
    assert "sine is no formula" in table.absent["symbolic"]


def test_it_is_a_plain_function_on_plain_arrays():
    assert product.__name__ == "product"
    np.testing.assert_array_equal(product(X, 3.0, scale=5.0), 15.0 * X)
    assert product not in PRIMITIVES
    assert product not in COMPOSITES


def test_second_derivatives_follow_from_the_rules():
    np.testing.assert_allclose(hessian(lambda x: np.sum(sine(x)))(X), np.diag(-np.sin(X)), rtol=1e-14)
    np.testing.assert_allclose(hvp(lambda x: np.sum(sine(x) ** 2), X, X), 2 * np.cos(2 * X) * X, rtol=1e-13)
    np.testing.assert_allclose(jacobian(grad(lambda x: np.sum(product(x, x))), "reverse")(X), 4 * np.eye(3), rtol=1e-15)


@pytest.mark.parametrize("outer", [reverse, forward])
@pytest.mark.parametrize("inner", [reverse, forward])
def test_operands_may_belong_to_different_differentiations(inner, outer):
    w = np.array([1.0, -2.0, 0.5])
    found = outer(lambda z: np.sum(w * inner(lambda x: np.sum(product(x, z) ** 2))(X)))(X)
    np.testing.assert_allclose(found, 16 * w * X * X, rtol=1e-13)


def test_forward_mode_transposes_the_rule():
    value, change = jvp(lambda x, y: product(x, y, scale=3.0), X, Y, (np.cos(X), Y**2))
    np.testing.assert_allclose(value, 3 * X * Y, rtol=1e-15)
    np.testing.assert_allclose(change, 3 * (np.cos(X) * Y + X * Y**2), rtol=1e-14)
    np.testing.assert_allclose(jvps(sine, X, np.eye(3))[1], np.diag(np.cos(X)), rtol=1e-15)


def test_complex_rules_are_the_plain_transpose():
    square = custom_gradient(vjp=lambda g, out, z: 2 * g * z)(lambda z: z * z)
    z, t = np.array([1 + 2j, 0.5 - 1j]), np.array([1j, 2 + 1j])
    assert check(square, z)
    check_custom(square, z)
    np.testing.assert_allclose(jvp(square, z, t)[1], 2 * z * t, rtol=1e-15)


def test_an_own_jvp_rule_is_used():
    calls = []

    def change(t, out, x):
        calls.append(t)
        return 3 * x**2 * t

    cube = custom_gradient(vjp=lambda g, out, x: 3 * x**2 * g, jvp=change)(lambda x: x**3)
    np.testing.assert_allclose(jvp(cube, X, np.cos(X))[1], 3 * X**2 * np.cos(X), rtol=1e-15)
    assert len(calls) == 1


def test_rules_one_by_one_run_only_where_they_are_needed():
    ran = []

    def rule(name, factor):
        def vjp(g, out, x, y):
            ran.append(name)
            return g * (y if factor == "y" else x)

        return vjp

    times = custom_gradient(vjp=[rule("x", "y"), rule("y", "x")])(lambda x, y: x * y)
    np.testing.assert_array_equal(grad(lambda x: np.sum(times(x, 5.0)))(X), [5.0, 5.0, 5.0])
    assert ran == ["x"]


def test_none_is_no_gradient():
    @custom_gradient(vjp=lambda g, out, table, rows: (rowwise(g, table, rows), None))
    def look_up(table, rows):
        return table[rows]

    def rowwise(g, table, rows):
        return np.stack([np.sum(g[rows == k], axis=0) for k in range(len(table))])

    table, rows = np.array([[0.3, 1.0], [2.0, -0.7], [1.1, 0.4]]), np.array([2, 0, 2, 2])
    check_custom(look_up, table, rows)
    only = custom_gradient(vjp=[lambda g, out, x, y: g * y, None])(lambda x, y: x * y)
    gx, gy = reverse(lambda x, y: np.sum(only(x, y)))(X, X + 1)
    np.testing.assert_array_equal(gx, X + 1)
    np.testing.assert_array_equal(gy, np.zeros(3))


@pytest.mark.parametrize("x", [np.array(0.7), np.array([0.7]), np.zeros((0, 2))])
def test_shapes_at_the_edge(x):
    np.testing.assert_allclose(grad(lambda x: np.sum(sine(x)))(x), np.cos(x), rtol=1e-15)
    np.testing.assert_allclose(forward(lambda x: np.sum(sine(x)))(x), np.cos(x), rtol=1e-15)


def test_dtype_stays():
    x = np.float32([0.5, 1.5])
    assert grad(lambda x: np.sum(product(x, 3.0)))(x).dtype == np.float32
    assert jvp(lambda x: product(x, 3.0), x, x)[1].dtype == np.float32


def test_an_operand_that_is_returned_as_gradient_is_not_written_into():
    same = custom_gradient(vjp=lambda g, out, x: x)(lambda x: 0.5 * x * x)
    x = X.copy()
    np.testing.assert_allclose(grad(lambda x: np.sum(same(x)) + np.sum(same(x)) + np.sum(x))(x), 2 * X + 1, rtol=1e-15)
    np.testing.assert_array_equal(x, X)


HELD = np.array([1.5, -2.0, 0.5])


@pytest.mark.parametrize(
    "rule",
    [lambda g, out, x: HELD, [lambda g, out, x: HELD], lambda g, out, x: out, lambda g, out, x: x],
    ids=["an array of the rule", "a rule in a list", "the result", "the operand"],
)
@pytest.mark.parametrize("below", [np.exp, lambda x: 2.0 * x + np.sin(x)], ids=["a slope", "a sum"])
def test_what_a_rule_holds_besides_is_not_written_into(rule, below):
    held = HELD.copy()
    leaf = Tensor(X, requires_grad=True)
    middle = below(leaf)
    loss = np.sum(custom_gradient(vjp=rule)(lambda x: x * 2.0)(middle)) + np.sum(middle)
    loss.backward(retain_graph=True)
    first, leaf.grad = leaf.grad, None
    loss.backward()
    np.testing.assert_array_equal(HELD, held)
    np.testing.assert_array_equal(leaf.grad, first)


def test_the_gradient_of_a_leaf_is_not_the_array_that_a_rule_holds():
    leaf = Tensor(X, requires_grad=True)
    np.sum(custom_gradient(vjp=lambda g, out, x: HELD)(lambda x: x * 2.0)(leaf)).backward()
    assert not np.shares_memory(leaf.grad, HELD)


# --- rules that are no derivatives on purpose


@custom_gradient(vjp=lambda g, out, x: g)
def rounded(x):
    """A straight-through estimator."""
    return np.round(x)


@custom_gradient(vjp=lambda g, out, x, limit: np.clip(g, -limit, limit))
def limited(x, *, limit=1.0):
    """Clips the gradient on its way back."""
    return x * 1.0


def test_a_straight_through_estimator_lets_the_gradient_through():
    def f(x):
        return np.sum(rounded(x) ** 2)

    np.testing.assert_array_equal(reverse(f)(X), 2 * np.round(X))
    np.testing.assert_array_equal(forward(f)(X), 2 * np.round(X))
    np.testing.assert_array_equal(numeric(f)(X), np.zeros(3))
    assert not compare(f, X)


def test_a_gradient_is_clipped_on_its_way_back():
    np.testing.assert_allclose(reverse(lambda x: np.sum(limited(x, limit=2.0) ** 2))(X), [1.4, -2.0, 2.0], rtol=1e-15)


def test_a_rule_that_is_not_linear_has_no_forward_form():
    with pytest.raises(TypeError, match=r"limited is not linear in g.*jvp="):
        jvp(limited, X, X)


# --- the check


def test_the_check_passes_what_is_right():
    check_custom(product, X, Y)
    check_custom(product, X, 2.0, scale=0.3)
    check_custom(np.tanh, X)


@pytest.mark.parametrize(
    ("vjp", "named"),
    [
        (lambda g, out, x, y: (g * x, g * x), "argument x: the vjp rule"),
        (lambda g, out, x, y: (g * y, g * y), "argument y: the vjp rule"),
        (lambda g, out, x, y: (g * y, None), "argument y: the vjp rule"),
        (lambda g, out, x, y: (y + 0 * g, g * x), "argument x: the vjp rule"),
        (lambda g, out, x, y: (-g * y, g * x), "argument x: the vjp rule"),
    ],
)
def test_the_check_names_the_argument_that_is_wrong(vjp, named):
    wrong = custom_gradient(vjp=vjp)(lambda x, y: x * y)
    with pytest.raises(AssertionError) as caught:
        check_custom(wrong, X, Y)
    assert str(caught.value).count("argument") == 1
    assert named in str(caught.value)


def test_the_check_names_a_jvp_rule_that_is_wrong():
    wrong = custom_gradient(vjp=lambda g, out, x: g * np.cos(x), jvp=lambda t, out, x: -t * np.cos(x))(plain_sine)
    with pytest.raises(AssertionError, match="argument x: the jvp rule is not the derivative"):
        check_custom(wrong, X)


def test_the_check_finds_a_rule_that_cannot_be_differentiated():
    once = custom_gradient(vjp=lambda g, out, x: g * np.array([math.cos(v) for v in x.tolist()]))(plain_sine)
    with pytest.raises(AssertionError, match="argument x: its vjp rule is right, but"):
        check_custom(once, X)
    check_custom(once, X, order=1)


def test_the_check_does_not_pass_an_estimator():
    with pytest.raises(AssertionError, match="not the derivative"):
        check_custom(rounded, X)


def test_the_check_needs_something_to_check():
    with pytest.raises(ValueError, match="nothing to check"):
        check_custom(lambda x: np.zeros(3), X)
    with pytest.raises(ValueError, match="nothing to check"):
        check_custom(lambda x: x * 2, np.array([1, 2]))
    with pytest.raises(TypeError, match="forget `return`"):
        check_custom(lambda x: None, X)
    with pytest.raises(TypeError, match="one array"):
        check_custom(lambda x: (x, x), X)


# --- refused in words


@pytest.mark.parametrize(
    ("vjp", "function", "said"),
    [
        (lambda g, out: g, lambda x: x, r"is called as vjp\(g, out, x\), but takes \(g, out\)"),
        (lambda g, out, x: g, lambda x, k=1: x, r"vjp\(g, out, x, k\)"),
        ([lambda g, out, x, y: g], lambda x, y: x, "the arrays x, y, but 1 vjp rules"),
        (lambda g, out, *x: g, lambda *x: x[0], "needs named parameters"),
        (lambda g, out: g, lambda k=1: k, "no array to differentiate by"),
        (None, lambda x: x, "needs a rule"),
    ],
)
def test_rules_that_do_not_fit_are_refused_at_once(vjp, function, said):
    with pytest.raises(TypeError, match=said):
        custom_gradient(vjp=vjp)(function)


@pytest.mark.parametrize(
    ("vjp", "error", "said"),
    [
        (lambda g, out, x, y: g, TypeError, "a tuple of 2 gradients"),
        (lambda g, out, x, y: (g,), TypeError, "a tuple of 2 gradients"),
        (lambda g, out, x, y: (g[:2], g), ValueError, r"shape \(2,\) for argument 0, which has shape \(3,\)"),
        (lambda g, out, x, y: ("g", g), TypeError, "returned 'g' for argument 0"),
    ],
)
def test_gradients_that_do_not_fit_are_refused(vjp, error, said):
    with pytest.raises(error, match=said):
        reverse(lambda x: np.sum(custom_gradient(vjp=vjp)(lambda x, y: x * y)(x, 2.0)))(X)


@pytest.mark.parametrize(
    ("result", "said"),
    [(None, "forget `return`"), ((X, X), "each part"), ("text", "each part"), (np.array([1, 2]), "whole numbers")],
)
def test_results_that_do_not_fit_are_refused(result, said):
    with pytest.raises(TypeError, match=said):
        reverse(custom_gradient(vjp=lambda g, out, x: g)(lambda x: result))(X)


def test_a_gradient_through_an_option_is_refused():
    with pytest.raises(TypeError, match="scale"):
        grad(lambda s: np.sum(product(X, Y, scale=s)))(2.0)
