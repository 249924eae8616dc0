"""The calls of the routes: what is differentiated, what a function may return, and what is held constant."""

import threading

import numpy as np
import pytest

from coursepkg.autodiff.tensor import Tensor
from coursepkg.gradients import (
    check,
    compare,
    forward,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    jvps,
    numeric,
    reverse,
    stop_gradient,
    symbolic,
    value_and_grad,
    value_and_gradient,
    vjp,
)

ROUTES = {"reverse": reverse, "forward": forward, "numeric": numeric, "symbolic": symbolic}
every_route = pytest.mark.parametrize("route", ROUTES.values(), ids=ROUTES)

X = np.array([0.7, -1.3, 2.1])
Y = np.array([1.5, 0.4, -0.6])


def energy(x, y, power=2, scale=1.0):
    """x and y are arrays, power is a whole number."""
    assert isinstance(power, int)
    return scale * np.sum(x**power * np.sin(y))


# --- argnums, keywords, and what is left alone


def test_grad_is_by_the_first_argument():
    np.testing.assert_allclose(grad(energy)(X, Y), 2 * X * np.sin(Y), rtol=1e-14)


def test_value_and_grad_give_both():
    value, g = value_and_grad(energy)(X, Y, 3)
    assert value == pytest.approx(energy(X, Y, 3), rel=1e-15)
    np.testing.assert_allclose(g, 3 * X**2 * np.sin(Y), rtol=1e-14)


@every_route
@pytest.mark.parametrize("argnums", [1, -2])
def test_argnums_choose_an_argument_and_leave_the_others_alone(route, argnums):
    np.testing.assert_allclose(route(energy, argnums=argnums)(X, Y, 3), X**3 * np.cos(Y), rtol=1e-8)


@every_route
def test_several_argnums_are_a_tuple_in_their_own_order(route):
    found = route(energy, argnums=(1, 0))(X, Y, 2)
    assert type(found) is tuple
    np.testing.assert_allclose(found, [X**2 * np.cos(Y), 2 * X * np.sin(Y)], rtol=1e-8)
    assert type(route(energy, argnums=(0,))(X, Y, 2)) is tuple


@every_route
def test_keywords_reach_the_function_as_they_are(route):
    gx, gy = route(energy)(X, Y, power=3, scale=0.5)
    np.testing.assert_allclose(gx, 1.5 * X**2 * np.sin(Y), rtol=1e-8)
    np.testing.assert_allclose(gy, 0.5 * X**3 * np.cos(Y), rtol=1e-8)


def test_value_and_gradient_are_by_all_arguments():
    value, (gx, gy) = value_and_gradient(energy)(X, Y)
    assert value == pytest.approx(energy(X, Y), rel=1e-15)
    np.testing.assert_allclose(gx, grad(energy)(X, Y), rtol=1e-15)
    np.testing.assert_allclose(gy, grad(energy, 1)(X, Y), rtol=1e-15)


def test_arguments_that_stand_still_may_be_anything():
    found = grad(lambda x, how, table: np.sum(x) * table[how])(X, "twice", {"twice": 2})
    np.testing.assert_array_equal(found, [2.0, 2.0, 2.0])


@pytest.mark.parametrize(
    ("argnums", "error", "said"),
    [
        (2, ValueError, "argument 2, but f was called with 2 by position"),
        (-3, ValueError, "argument -3"),
        ((0, -2), ValueError, "the same argument twice"),
        ((), ValueError, "nothing to differentiate by"),
        (0.0, TypeError, "an integer, a tuple of integers"),
        ("x", TypeError, "an integer, a tuple of integers"),
    ],
)
def test_wrong_argnums_are_refused(argnums, error, said):
    with pytest.raises(error, match=said):
        grad(energy, argnums)(X, Y)


def test_a_point_by_keyword_is_refused():
    with pytest.raises(TypeError, match="by position"):
        grad(energy)(x=X, y=Y)


def test_an_argument_that_is_no_array_is_refused_with_the_way_out():
    with pytest.raises(TypeError, match="by keyword, or stand outside of argnums"):
        reverse(lambda x, how: np.sum(x))(X, "twice")


# --- something beside the value


def with_note(x, factor=1.0):
    inner = np.tanh(x) * factor
    return np.sum(inner**2), {"inner": inner, "note": "seen", "nothing": None}


SLOPE = 2 * np.tanh(X) * (1 - np.tanh(X) ** 2)


def test_aux_comes_along_plain():
    (value, aux), g = value_and_grad(with_note, has_aux=True)(X)
    np.testing.assert_allclose(g, SLOPE, rtol=1e-13)
    assert value == pytest.approx(np.sum(np.tanh(X) ** 2), rel=1e-15)
    assert type(aux["inner"]) is np.ndarray
    np.testing.assert_array_equal(aux["inner"], np.tanh(X))
    assert (aux["note"], aux["nothing"]) == ("seen", None)


def test_every_call_with_aux_gives_it_last():
    for g, aux in (grad(with_note, has_aux=True)(X), reverse(with_note, has_aux=True)(X)):
        np.testing.assert_allclose(g, SLOPE, rtol=1e-13)
        assert aux["note"] == "seen"
    _, pull, aux = vjp(with_note, X, has_aux=True, factor=2.0)
    np.testing.assert_allclose(pull(1.0), 4 * SLOPE, rtol=1e-13)
    np.testing.assert_array_equal(aux["inner"], 2 * np.tanh(X))
    _, change, aux = jvp(with_note, X, Y, has_aux=True)
    np.testing.assert_allclose(change, SLOPE @ Y, rtol=1e-13)
    assert type(aux["inner"]) is np.ndarray


@pytest.mark.parametrize("route", ["forward", "reverse"])
def test_jacobian_with_aux(route):
    found, aux = jacobian(lambda x: (x**2, "aside"), route, has_aux=True)(X)
    np.testing.assert_allclose(found, np.diag(2 * X), rtol=1e-15)
    assert aux == "aside"


def test_aux_of_an_inner_derivative_is_followed_by_the_outer_one():
    def outer(x):
        _, aux = grad(lambda y: (np.sum(y * x), y * x), has_aux=True)(x)
        return np.sum(aux)

    np.testing.assert_allclose(reverse(outer)(X), 2 * X, rtol=1e-15)


@pytest.mark.parametrize(("f", "said"), [(np.sum, "a Tensor"), (lambda x: (x, x, x), "a tuple of 3")])
def test_aux_needs_a_pair(f, said):
    with pytest.raises(TypeError, match=f"a pair .*{said}"):
        grad(f, has_aux=True)(X)


# --- several arguments for directions


def test_jvp_of_several_arguments():
    value, change = jvp(lambda x, y: x * np.sin(y), X, Y, (Y, X))
    np.testing.assert_allclose(value, X * np.sin(Y), rtol=1e-15)
    np.testing.assert_allclose(change, Y * np.sin(Y) + X * np.cos(Y) * X, rtol=1e-14)


def test_jvps_of_several_arguments():
    s, t = np.random.default_rng(0).normal(size=(2, 4, 3))
    value, changes = jvps(lambda x, y, k: k * x * y, X, Y, (s, t), k=3)
    np.testing.assert_allclose(value, 3 * X * Y, rtol=1e-15)
    np.testing.assert_allclose(changes, 3 * (s * Y + X * t), rtol=1e-13)


def test_hvp_of_several_arguments():
    v, w = np.random.default_rng(1).normal(size=(2, 3))
    hv = hvp(energy, X, Y, (v, w), power=2)
    (hxx, hxy), (hyx, hyy) = hessian(energy, (0, 1))(X, Y)
    np.testing.assert_allclose(hv[0], hxx @ v + hxy @ w, rtol=1e-12)
    np.testing.assert_allclose(hv[1], hyx @ v + hyy @ w, rtol=1e-12)


def test_a_tuple_is_one_argument():
    assert jvp(lambda p: p[0] * p[1], (2.0, 3.0), (1.0, 10.0))[1] == 23.0


def test_a_function_that_takes_no_tuple_says_how_to_give_several():
    with pytest.raises(TypeError, match=r"one argument, a tuple of 2 .*jvp\(f, x, y, \(s, t\)\)"):
        jvp(lambda x, y: x * y, (X, Y), (Y, X))
    with pytest.raises(TypeError, match=r"\(x, y\) was called with 1 by position"):
        reverse(lambda x, y: np.sum(x * y))(X)
    with pytest.raises(TypeError, match=r"and wrong by keyword"):
        reverse(lambda x: np.sum(x))(X, wrong=1)


def test_a_tuple_of_one_is_noted():
    with pytest.raises(TypeError) as caught:
        jvp(lambda x: x * x, (X,), (Y,))
    assert "A single one is no tuple" in caught.value.__notes__[0]


def test_an_error_inside_the_function_stays_what_it_is():
    def broken(x):
        return x + {}

    with pytest.raises(TypeError) as caught:
        reverse(broken)(X)
    assert "one by one" not in str(caught.value)
    assert not getattr(caught.value, "__notes__", [])


def test_a_direction_is_needed():
    for route in (jvp, jvps, hvp):
        with pytest.raises(TypeError, match=rf"{route.__name__}\(f, x, t\)"):
            route(np.sum, X)


# --- matrices


@pytest.mark.parametrize("route", [None, "forward", "reverse"])
def test_jacobian_of_several_arguments_is_a_tuple_of_blocks(route):
    x, y = np.array([[0.3, -0.2, 0.5], [1.0, 0.7, -0.4]]), np.array([0.6, 1.2])

    def f(x, y):
        return np.sin(x.T @ y)

    by_x, by_y = jacobian(f, route)(x, y)
    assert (by_x.shape, by_y.shape) == ((3, 2, 3), (3, 2))
    for i in range(3):
        gx, gy = numeric(lambda x, y, i=i: f(x, y)[i])(x, y)
        np.testing.assert_allclose(by_x[i], gx, rtol=1e-8, atol=1e-11)
        np.testing.assert_allclose(by_y[i], gy, rtol=1e-8, atol=1e-11)
    np.testing.assert_array_equal(jacobian(f, route, argnums=1)(x, y), by_y)
    np.testing.assert_array_equal(jacobian(f, route, argnums=(1,))(x, y)[0], by_y)


@pytest.mark.parametrize("route", ["forward", "reverse"])
def test_jacobian_of_empty_and_single_arrays(route):
    assert jacobian(lambda x: x[:0], route)(X).shape == (0, 3)
    assert jacobian(lambda x: np.ones(4) * np.sum(x), route)(np.zeros((0, 2))).shape == (4, 0, 2)
    assert jacobian(lambda x: x**2, route)(3.0) == 6.0


def test_hessian_is_symmetric_and_what_differences_of_the_gradient_give():
    x = np.array([[0.5, -0.3], [0.8, 1.1], [-0.7, 0.2]])

    def f(x):
        return np.sum(np.tanh(x @ x.T) * np.arange(9.0).reshape(3, 3))

    found = hessian(f)(x)
    assert found.shape == (3, 2, 3, 2)
    np.testing.assert_allclose(found, np.transpose(found, (2, 3, 0, 1)), rtol=1e-12, atol=1e-12)
    for index in np.ndindex(3, 2):
        np.testing.assert_allclose(
            found[index], numeric(lambda x, index=index: grad(f)(x)[index])(x), rtol=1e-7, atol=1e-8
        )


def test_hessian_blocks_of_two_arguments():
    (xx, xy), (yx, yy) = hessian(energy, argnums=(0, 1))(X, Y, 3)
    np.testing.assert_allclose(xx, np.diag(6 * X * np.sin(Y)), rtol=1e-13)
    np.testing.assert_allclose(xy, np.diag(3 * X**2 * np.cos(Y)), rtol=1e-13)
    np.testing.assert_allclose(yx, xy.T, rtol=1e-13)
    np.testing.assert_allclose(yy, np.diag(-(X**3) * np.sin(Y)), rtol=1e-13)
    np.testing.assert_allclose(hessian(energy, argnums=-1)(X, Y), np.diag(-(X**2) * np.sin(Y)), rtol=1e-13)


def test_hessian_with_aux():
    found, aux = hessian(lambda x: (np.sum(x**3), "aside"), has_aux=True)(X)
    np.testing.assert_allclose(found, np.diag(6 * X), rtol=1e-15)
    blocks, aux_too = hessian(lambda x, y: (np.sum(x**2 * y), x), (0, 1), has_aux=True)(X, Y)
    np.testing.assert_allclose(blocks[1][0], np.diag(2 * X), rtol=1e-15)
    assert aux == "aside"
    np.testing.assert_array_equal(aux_too, X)


@pytest.mark.parametrize("route", [None, "forward", "reverse"])
def test_the_jacobian_of_a_constant_is_zero(route):
    assert jacobian(lambda x: 3.0, route)(X).tolist() == [0.0, 0.0, 0.0]
    assert jacobian(lambda x: np.arange(2), route)(X).shape == (2, 3)


def test_hessian_of_a_tree_is_refused_in_words():
    with pytest.raises(ValueError, match="one array"):
        hessian(lambda p: p["a"] ** 2)({"a": 1.0})


# --- results that are no numbers

CALLS = {
    **{name: lambda f, route=route: route(f)(X) for name, route in ROUTES.items()},
    "grad": lambda f: grad(f)(X),
    "value_and_grad": lambda f: value_and_grad(f)(X),
    "jacobian": lambda f: jacobian(f)(X),
    "hessian": lambda f: hessian(f)(X),
    "hvp": lambda f: hvp(f, X, Y),
    "vjp": lambda f: vjp(f, X),
    "jvp": lambda f: jvp(f, X, Y),
    "jvps": lambda f: jvps(f, X, Y[None]),
    "compare": lambda f: compare(f, X),
}
every_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)


@every_call
def test_a_forgotten_return_is_found(call):
    def loss(x):
        np.sum(x**2)

    with pytest.raises(TypeError, match=r"loss returned None.*did you forget `return`"):
        call(loss)
    with pytest.raises(TypeError, match="forget `return`"):
        call(lambda x: (np.sum(x), None))
    with pytest.raises(TypeError, match="forget `return`"):
        call(lambda x: {"loss": None})


@every_call
@pytest.mark.parametrize(
    ("result", "said"),
    [
        (True, "truth value"),
        (np.True_, "truth value"),
        (np.array([True, False]), "truth value"),
        ("text", "'text'"),
        (b"text", "type bytes"),
        (object(), "type object"),
        ({1, 2}, "type set"),
        (np.array([None, 1]), "np.stack"),
        ((1.0, "text"), "text"),
        ({"a": [True]}, "True"),
    ],
)
def test_what_is_no_number_is_refused(call, result, said):
    with pytest.raises(TypeError, match=said):
        call(lambda x: result)


@pytest.mark.parametrize("route", [forward, numeric])
def test_a_forgotten_return_is_found_where_there_are_no_entries(route):
    with pytest.raises(TypeError, match="forget `return`"):
        route(lambda x: None)(np.zeros((0, 3)))


# --- values held constant


def held(x):
    """As c * x with c = sin(x) held: the gradient is c."""
    return np.sum(stop_gradient(np.sin(x)) * x)


@every_route
def test_stop_gradient_holds_on_every_route(route):
    np.testing.assert_allclose(route(held)(X), np.sin(X), rtol=1e-9)


def test_all_routes_agree_on_what_is_held():
    assert check(lambda x: stop_gradient(np.exp(x)) * x + stop_gradient(x[0]) * x**2, X)


def test_stop_gradient_holds_for_many_directions():
    np.testing.assert_allclose(jvps(held, X, np.eye(3))[1], np.sin(X), rtol=1e-15)


@pytest.mark.parametrize("outer", [reverse, forward, numeric])
@pytest.mark.parametrize("inner", [reverse, forward])
def test_stop_gradient_holds_for_every_nesting(inner, outer):
    """The gradient of stop(x) x² is 2 stop(x) x, in which stop(x) is constant again."""
    found = outer(lambda x: np.sum(Y * inner(lambda z: np.sum(stop_gradient(z) * z**2))(x)))(X)
    np.testing.assert_allclose(found, 2 * X * Y, rtol=1e-8)


def test_differences_of_differences_hold_what_both_should():
    inner = numeric(lambda z: stop_gradient(z) * z**2)
    np.testing.assert_allclose(numeric(lambda x: float(inner(x)))(0.7), 1.4, rtol=1e-5)


@every_route
def test_trees_can_be_held(route):
    def f(p):
        still = stop_gradient({"a": p["a"], "rest": (p["b"],)})
        return np.sum(still["a"] * p["a"] + still["rest"][0] * p["b"])

    found = route(f)({"a": X, "b": Y})
    np.testing.assert_allclose(found["a"], X, rtol=1e-8)
    np.testing.assert_allclose(found["b"], Y, rtol=1e-8)


def test_plain_values_come_back_as_they_are():
    assert stop_gradient(X) is X
    assert stop_gradient(2.5) == 2.5


def test_what_is_held_cannot_change_the_computation():
    def f(x):
        c = stop_gradient(x)
        with pytest.raises(ValueError, match="read-only"):
            c[0] = 100.0
        return np.sum(x**2)

    np.testing.assert_allclose(reverse(f)(X), 2 * X, rtol=1e-15)


def test_differences_run_the_function_once_more_only_if_it_stops_something():
    calls = []

    def count(x):
        calls.append(None)
        return np.sum(x * x)

    numeric(count)(X)
    assert len(calls) == 12
    calls.clear()
    numeric(lambda x: count(x) * stop_gradient(x[0]))(X)
    assert len(calls) == 13


@pytest.mark.parametrize("at_first", [True, False])
def test_differences_complain_if_other_values_are_held_beside_the_point(at_first):
    def f(x):
        inside = (x[0] > X[0]) == at_first
        return np.sum(x) * (stop_gradient(x[1]) if inside else 1.0) * stop_gradient(x[2])

    with pytest.raises(ValueError, match=r"f stops \d values at the point and \d beside it"):
        numeric(f)(X)


def test_differences_complain_if_a_run_beside_the_point_holds_nothing():
    with pytest.raises(ValueError, match="f stops 1 values at the point and 0 beside it"):
        numeric(lambda x: np.sum(x) * (stop_gradient(x[1]) if x[0] == X[0] else 1.0))(X)


def test_arrays_of_the_model_that_are_held_stay_its_own():
    w = np.array([1.0, -2.0, 0.5])
    np.testing.assert_allclose(numeric(lambda x: np.sum(stop_gradient(w) * x))(X), w, rtol=1e-9)
    w[:] = 0.0


def test_differences_complain_if_shapes_change_beside_the_point():
    with pytest.raises(ValueError, match="value of shape"):
        numeric(lambda x: np.sum(stop_gradient(x[: 2 if x[0] > X[0] else 1]) * x[0]))(X)


def test_an_error_in_a_run_leaves_nothing_behind():
    def f(x):
        stop_gradient(x)
        raise ArithmeticError("no value here")

    with pytest.raises(ArithmeticError):
        numeric(f)(X)
    assert stop_gradient(X) is X


def test_a_scalar_of_the_other_engine_is_not_let_through():
    from coursepkg.autodiff.scalar import Scalar

    with pytest.raises(TypeError, match="Scalar"):
        stop_gradient(Scalar(2.0))


@pytest.mark.parametrize("route", [reverse, forward, symbolic])
def test_detach_holds_where_values_are_traced(route):
    np.testing.assert_allclose(route(lambda x: np.sum(x.detach() * x))(X), X, rtol=1e-15)


@pytest.mark.parametrize("call", [lambda f: numeric(f)(X), lambda f: compare(f, X)])
def test_detach_of_a_plain_array_says_what_to_write(call):
    with pytest.raises(TypeError, match=r"stop_gradient\(x\).*from coursepkg\.gradients import"):
        call(lambda x: np.sum(x.detach() * x))


# --- what happens between the two passes


@pytest.mark.parametrize("f", [lambda x: x * x, lambda x: np.tanh(x), lambda x: np.exp(x) * x[::-1], lambda x: x])
def test_vjp_does_not_mind_what_is_written_in_between(f):
    x, g = X.copy(), np.array([1.0, -2.0, 0.5])
    expected = vjp(f, X)[1](g)
    value, pull = vjp(f, x)
    x[:] = 100.0
    value[:] = -7.0
    np.testing.assert_array_equal(pull(g), expected)
    np.testing.assert_array_equal(pull(g), expected)


def test_vjp_gives_values_that_are_not_the_point():
    x = X.copy()
    value, _ = vjp(lambda x: x, x)
    assert not np.shares_memory(value, x)


def test_the_gradient_that_is_pulled_back_stays_as_it_is():
    g = np.array([1.0, -2.0, 0.5])
    _, pull = vjp(lambda x: (x, x + x), X)
    back = pull((g, g))
    back[:] = 0.0
    np.testing.assert_array_equal(g, [1.0, -2.0, 0.5])


# --- comparing


def test_compare_takes_several_arguments_and_keywords():
    table = check(energy, X, Y, power=3, scale=0.5)
    assert table.entries == table.evidence == 6
    assert [row.name for row in table.rows][:4] == ["x[0][0]", "x[0][1]", "x[0][2]", "x[1][0]"]


# --- threads


def test_threads_that_share_a_leaf_get_their_own_gradients_and_one_sum():
    w = Tensor([1.0, -2.0, 0.5], requires_grad=True)
    start, found = threading.Barrier(2, timeout=60), {}

    def work(k):
        start.wait()
        for _ in range(50):
            found[k] = reverse(lambda x: np.sum(w.numpy() * x**k))(X)
            np.sum(w * X * k).backward()

    threads = [threading.Thread(target=work, args=(k,)) for k in (2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    for k in (2, 3):
        np.testing.assert_allclose(found[k], w.numpy() * k * X ** (k - 1), rtol=1e-14)
    np.testing.assert_allclose(w.grad, 50 * 5 * X, rtol=1e-12)


def test_threads_hold_values_each_for_itself():
    start, found = threading.Barrier(2, timeout=60), {}

    def work(k):
        start.wait()
        found[k] = numeric(lambda x: np.sum(stop_gradient(x) ** k * x))(X)

    threads = [threading.Thread(target=work, args=(k,)) for k in (2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    for k in (2, 3):
        np.testing.assert_allclose(found[k], X**k, rtol=1e-9)


def test_a_thread_inside_a_differentiation_may_use_its_values():
    def slope_of_a_sum(x):
        found = []
        thread = threading.Thread(target=lambda: found.append(forward(lambda y: x + y)(1.0)))
        thread.start()
        thread.join(timeout=60)
        return found[0] * x

    np.testing.assert_allclose(forward(slope_of_a_sum)(5.0), 1.0, rtol=1e-14)
