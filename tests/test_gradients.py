"""Routes to a gradient: each gives the same answer to the same call, and a comparison counts only evidence."""

import re
import subprocess
import sys
import threading

import numpy as np
import pytest

from coursepkg.autodiff.catalogue import affine, softmax_cross_entropy
from coursepkg.autodiff.dual import Dual
from coursepkg.autodiff.symbolic_array import SymbolicArray, symbols_like
from coursepkg.autodiff.table import PRIMITIVES
from coursepkg.autodiff.tensor import Tensor, no_grad
from coursepkg.gradients import (
    check,
    compare,
    forward,
    hvp,
    jacobian,
    jvp,
    numeric,
    reverse,
    symbolic,
    value_and_gradient,
    vjp,
)

ROUTES = {"reverse": reverse, "forward": forward, "numeric": numeric, "symbolic": symbolic}
every_route = pytest.mark.parametrize("route", ROUTES.values(), ids=ROUTES)


def points(seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(2, 3)), rng.normal(size=(3, 2)), rng.normal(size=2)


def network(p):
    x, w, b = p
    return softmax_cross_entropy(np.tanh(x @ w + b), np.array([1, 0]))


# --- one call for every route


@every_route
def test_every_route_gives_the_gradient_of_a_network(route):
    p = points()
    for found, exact in zip(route(network)(p), symbolic(network)(p), strict=True):
        np.testing.assert_allclose(found, exact, rtol=1e-7, atol=1e-10)


@every_route
def test_the_gradient_has_the_structure_of_the_point(route):
    p = {"a": np.array([1.0, 2.0]), "rest": [np.array(3.0), (np.array([[4.0]]),)]}

    def f(q):
        return np.sum(q["a"] ** 2) * q["rest"][0] * np.sum(q["rest"][1][0])

    g = route(f)(p)
    np.testing.assert_allclose(g["a"], [24.0, 48.0], rtol=1e-8)
    np.testing.assert_allclose(g["rest"][0], 20.0, rtol=1e-8)
    np.testing.assert_allclose(g["rest"][1][0], [[15.0]], rtol=1e-8)


@every_route
def test_several_arguments_are_a_tuple(route):
    g = route(lambda x, y: np.sum(x * y))(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    np.testing.assert_allclose(g, [[3.0, 4.0], [1.0, 2.0]], rtol=1e-8)


@every_route
def test_python_numbers_and_integers_are_points_too(route):
    np.testing.assert_allclose(route(lambda x: x * x * x)(2), 12.0, rtol=1e-8)
    np.testing.assert_allclose(route(lambda x: np.sum(x * x))(np.array([1, 2])), [2.0, 4.0], rtol=1e-8)


@every_route
def test_a_function_that_ignores_its_argument_has_gradient_zero(route):
    np.testing.assert_array_equal(route(lambda x: np.float64(3.0))(np.array([1.0, 2.0])), [0.0, 0.0])


@every_route
def test_branches_on_values_follow_the_branch_taken(route):
    def f(x):
        return np.sum(x**2) if x[0] > 0 else np.sum(-x)

    np.testing.assert_allclose(route(f)(np.array([1.0, 3.0])), [2.0, 6.0], rtol=1e-8)
    np.testing.assert_allclose(route(f)(np.array([-1.0, 3.0])), [-1.0, -1.0], rtol=1e-8)


@every_route
def test_complex_gradient_is_two_real_ones(route):
    z = np.array([1.0 + 2.0j, -0.5 + 0.3j])

    def f(z):
        return np.sum(np.abs(np.exp(z) * z[::-1]) ** 2) + np.sum(np.imag(z * z))

    g = route(f)(z)
    parts = numeric(lambda x, y: f(x + 1j * y))(z.real, z.imag)
    np.testing.assert_allclose(g, parts[0] + 1j * parts[1], rtol=1e-6)
    assert g.dtype == np.complex128


@every_route
def test_an_array_instead_of_a_number_is_refused_in_words(route):
    with pytest.raises(ValueError, match=r"shape \(3,\).*vjp"):
        route(lambda x: x * 2.0)(np.array([1.0, 2.0, 3.0]))
    with pytest.raises(ValueError, match="tuple"):
        route(lambda x: (np.sum(x), np.sum(x)))(np.array([1.0]))
    with pytest.raises(ValueError, match="complex"):
        route(lambda x: np.sum(x * 1j))(np.array([1.0]))


@every_route
def test_a_point_of_something_else_is_refused_in_words(route):
    with pytest.raises(TypeError, match="needs numbers"):
        route(lambda x: x)("text")
    with pytest.raises(TypeError, match=r"reverse\(f\)\(x\)"):
        route(lambda x: x)()


def test_numeric_needs_only_numbers():
    assert numeric(lambda x: float(x[0]) ** 2)(np.array([3.0])).round(8) == 6.0


def test_numeric_runs_float32_in_double_precision():
    x = np.array([0.5, 1.5], np.float32)
    np.testing.assert_allclose(numeric(lambda x: np.sum(np.sin(x)))(x), np.cos([0.5, 1.5]), rtol=1e-10)


def test_value_and_gradient_come_together():
    value, g = value_and_gradient(lambda x: np.sum(x**3))(np.array([1.0, 2.0]))
    assert value == 9.0
    np.testing.assert_array_equal(g, [3.0, 12.0])


# --- products with the Jacobian


def test_vjp_can_be_pulled_again_with_another_gradient():
    value, pull = vjp(lambda x: np.tanh(x), np.array([0.1, 0.2, 0.3]))
    slope = 1 - value**2
    for c in np.random.default_rng(0).normal(size=(3, 3)):
        np.testing.assert_allclose(pull(c), c * slope, rtol=1e-14)


def test_vjp_of_several_outputs():
    value, pull = vjp(lambda x: {"a": x * 2.0, "b": (np.sum(x), 5.0)}, np.array([1.0, 2.0]))
    assert value["b"][0] == 3.0
    np.testing.assert_array_equal(pull({"a": np.array([1.0, 0.0]), "b": (10.0, 7.0)}), [12.0, 10.0])


def test_jvp_is_adjoint_to_vjp():
    rng = np.random.default_rng(3)
    x, t, c = rng.normal(size=(2, 3)), rng.normal(size=(2, 3)), rng.normal(size=(3, 3))

    def f(x):
        return np.tanh(x.T @ x) / (1 + np.sum(x**2))

    change, back = jvp(f, x, t)[1], vjp(f, x)[1](c)
    np.testing.assert_allclose(np.sum(c * change), np.sum(back * t), rtol=1e-13)
    assert abs(np.sum(back * t)) > 1e-3


@pytest.mark.parametrize("route", [None, "forward", "reverse"])
def test_jacobian_both_ways(route):
    x = np.array([[0.3, -0.2, 0.5], [1.0, 0.7, -0.4]])

    def f(x):
        return np.concatenate([np.sin(x[0]) * x[1], np.sum(x**2, axis=1)])[None]

    j = jacobian(f, route)(x)
    assert j.shape == (1, 5, 2, 3)
    for i in range(5):
        np.testing.assert_allclose(j[0, i], numeric(lambda x, i=i: f(x)[0, i])(x), rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize(("inputs", "outputs", "runs"), [(2, 6, 2), (6, 2, 1)])
def test_jacobian_takes_the_cheaper_way(inputs, outputs, runs):
    calls = []
    matrix = np.random.default_rng(0).normal(size=(outputs, inputs))

    def f(x):
        calls.append(type(x))
        return matrix @ x

    np.testing.assert_allclose(jacobian(f)(np.ones(inputs)), matrix, rtol=1e-15)
    # One run to learn the output's shape; where the columns are fewer, forward mode finds all of them in one more.
    assert len(calls) == runs


def test_jacobian_refuses_what_is_not_one_array():
    with pytest.raises(ValueError, match="route"):
        jacobian(np.tanh, "sideways")
    with pytest.raises(ValueError, match="one array"):
        jacobian(np.tanh)((np.ones(2), np.ones(2)))
    with pytest.raises(ValueError, match="one array"):
        jacobian(lambda x: (x, x))(np.ones(2))


# --- derivatives of derivatives


def rosenbrock(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def hessian(x):
    """The Hessian of Rosenbrock's function of three variables, by hand."""
    a, b, _ = x
    return np.array(
        [
            [1200 * a**2 - 400 * b + 2, -400 * a, 0.0],
            [-400 * a, 202 + 1200 * b**2 - 400 * x[2], -400 * b],
            [0.0, -400 * b, 200.0],
        ]
    )


def test_hvp_is_the_hessian_times_the_vector():
    x, v = np.array([0.5, -0.3, 0.8]), np.array([1.0, 2.0, -0.5])
    np.testing.assert_allclose(hvp(rosenbrock, x, v), hessian(x) @ v, rtol=1e-13)


def test_plain_and_traced_gradients_meet_in_one_variable():
    """x is used four times, and only some of what it receives depends on x again."""
    t = np.array([0.2, -0.5, 1.5])

    def loss(x):
        m = np.max(x)
        return m + np.log(np.sum(np.exp(x - m))) - np.sum(t * x) + 2.0 * x[1] - np.sum(x * 3.0)

    x, v = np.array([2.0, 1.0, -1.0]), np.array([0.5, -1.0, 2.0])
    p = np.exp(x) / np.sum(np.exp(x))
    expected = p * v - p * (p @ v)
    np.testing.assert_allclose(hvp(loss, x, v), expected, rtol=1e-12)
    np.testing.assert_allclose(reverse(lambda x: jvp(loss, x, v)[1])(x), expected, rtol=1e-12)
    np.testing.assert_allclose(jacobian(reverse(loss), "reverse")(x) @ v, expected, rtol=1e-12)


@pytest.mark.parametrize("outer", ["forward", "reverse"])
@pytest.mark.parametrize("inner", [reverse, forward])
def test_hessian_by_every_nesting(inner, outer):
    x = np.array([0.5, -0.3, 0.8])
    np.testing.assert_allclose(jacobian(inner(rosenbrock), outer)(x), hessian(x), rtol=1e-12, atol=1e-11)


@pytest.mark.parametrize("first", [reverse, forward])
@pytest.mark.parametrize("second", [reverse, forward])
@pytest.mark.parametrize("third", [reverse, forward])
def test_third_derivatives(first, second, third):
    assert third(second(first(lambda x: x**5)))(2.0) == pytest.approx(240.0, rel=1e-13)


@pytest.mark.parametrize("outer", [reverse, forward])
@pytest.mark.parametrize("inner", [reverse, forward])
def test_nested_derivatives_do_not_confuse_their_variables(inner, outer):
    """d/dx of x times d/dy of (x + y) is 1, not 2 (Siskind and Pearlmutter 2005)."""
    assert outer(lambda x: x * inner(lambda y: x + y)(1.0))(1.0) == 1.0
    assert outer(lambda x: x * inner(lambda y: x * y)(2.0))(3.0) == 6.0
    assert outer(lambda x: inner(lambda y: y * y)(x * x))(3.0) == 12.0


@pytest.mark.parametrize("outer", [reverse, forward])
@pytest.mark.parametrize("inner", [reverse, forward])
@pytest.mark.parametrize("of_inner", range(3))
def test_three_arguments_may_belong_to_different_differentiations(inner, outer, of_inner):
    """One argument is that of the inner derivative, the next that of the outer one, the third is plain."""
    rng = np.random.default_rng(of_inner)
    given = [rng.normal(size=shape) for shape in ((3, 4), (4, 2), (3, 2))]
    of_outer = (of_inner + 1) % 3
    weights = rng.normal(size=given[of_inner].shape)

    def slope(b):
        def energy(a):
            args = list(given)
            args[of_inner], args[of_outer] = a, b
            return np.sum(np.tanh(affine(*args)))

        return np.sum(weights * inner(energy)(given[of_inner]))

    np.testing.assert_allclose(outer(slope)(given[of_outer]), numeric(slope)(given[of_outer]), rtol=1e-6, atol=1e-8)


def test_directions_are_not_written_into():
    """The contributions of three arguments are added up in place, but never in an array that the caller holds."""
    rng = np.random.default_rng(0)
    point = tuple(rng.normal(size=shape) for shape in ((3, 4), (4, 2), (3, 2)))
    directions = tuple(rng.normal(size=a.shape) for a in point)
    before = [d.copy() for d in directions]
    change = jvp(lambda p: affine(*p), point, directions)[1]
    (x, w, _), (t, v, c) = point, directions
    np.testing.assert_allclose(change, t @ w + x @ v + c, rtol=1e-13)
    for a, b in zip(directions, before, strict=True):
        np.testing.assert_array_equal(a, b)
        assert not np.shares_memory(change, a)


def test_a_tensor_parameter_outside_an_inner_derivative_gets_its_gradient():
    w = Tensor([2.0, -1.0], requires_grad=True)
    g = reverse(lambda x: np.sum(w * x**3))(np.array([1.0, 2.0]))
    np.sum(g).backward()  # d/dw of sum 3 w x^2
    np.testing.assert_allclose(w.grad, [3.0, 12.0], rtol=1e-15)
    v = Tensor([2.0, -1.0], requires_grad=True)
    jvp(lambda x: np.sum(v * x**3), np.array([1.0, 2.0]), np.array([1.0, 10.0]))[1].backward()
    np.testing.assert_allclose(v.grad, [3.0, 120.0], rtol=1e-15)


@pytest.mark.parametrize("route", [reverse, forward, lambda f: reverse(lambda x: reverse(f)(x) * x)])
def test_routes_do_not_mind_no_grad(route):
    expected = route(lambda x: x**3)(2.0)
    with no_grad():
        assert route(lambda x: x**3)(2.0) == expected != 0


# --- comparing routes


def test_compare_agrees_on_a_network_and_counts_runs():
    table = compare(network, points())
    assert table.agree
    assert [r.name for r in table.routes] == ["reverse", "forward", "numeric", "symbolic"]
    assert [r.calls for r in table.routes] == [1, 14, 56, 1]
    assert table.evidence == table.entries == 14


def test_compare_uses_a_random_gradient_for_an_array():
    x = np.random.default_rng(1).normal(size=(2, 3))
    table = check(lambda x: x @ x.T * 0.5, x)
    assert table.cotangent == (2, 2)
    assert "shape (2, 2)" in table.show()


def wrong(route, change):
    """A route that is right except for a known mistake."""
    return lambda f: lambda x: change(route(f)(x))


@pytest.mark.parametrize(
    "mistake",
    [
        lambda g: -g,
        lambda g: 2 * g,
        lambda g: 0 * g,
        lambda g: g[::-1],
        lambda g: g + 1e-6,
        lambda g: g[:1],
        lambda g: g * np.nan,
    ],
)
def test_a_wrong_route_is_found_and_named(mistake):
    routes = {"reverse": reverse, "mine": wrong(reverse, mistake), "numeric": numeric}
    x = np.array([0.3, -1.2, 0.7])
    table = compare(lambda x: np.sum(np.sin(x) * x), x, routes=routes)
    assert not table.agree
    assert table.outliers == ["mine"]
    assert "mine stands alone" in table.summary
    with pytest.raises(AssertionError, match="DISAGREE"):
        check(lambda x: np.sum(np.sin(x) * x), x, routes=routes)


def test_a_rule_that_ignores_the_gradient_it_is_given_is_found(monkeypatch):
    entry = PRIMITIVES[np.log]
    monkeypatch.setattr(entry, "vjp", [lambda g, out, x: np.ones_like(g) / x])
    assert not compare(np.log, np.array([0.3, 1.5]))


def test_two_zeros_are_no_evidence():
    table = compare(lambda x: np.sum(0.0 * x), np.array([1.0, 2.0]))
    assert not table.agree
    assert table.evidence == 0
    assert "No evidence" in table.summary
    with pytest.raises(AssertionError, match="No evidence"):
        check(lambda x: np.sum(0.0 * x) + 5.0, np.array([1.0, 2.0]))


def test_zeros_among_others_are_told_apart():
    table = compare(lambda x: np.sum(x[:2] ** 2), np.array([1.0, 2.0, 3.0]))
    assert table.agree
    assert (table.evidence, table.entries) == (2, 3)


def test_one_route_alone_is_no_witness():
    assert not compare(lambda x: np.sum(x), np.array([1.0]), routes={"reverse": reverse})


def test_large_points_leave_out_the_costly_routes_and_say_so():
    table = compare(lambda x: np.sum(x**2), np.linspace(0.1, 1.0, 100))
    assert table.agree
    assert list(table.absent) == ["symbolic"]
    assert "symbolic: not taken, x has 100 entries" in table.show()


def test_a_route_that_cannot_be_taken_says_why():
    table = compare(lambda x: np.sum(np.floor(x) * x) if type(x) is np.ndarray else np.roots(x), np.array([1.5]))
    assert "roots" in table.absent["reverse"]
    assert not table.agree


def test_float32_is_compared_with_a_wider_tolerance():
    assert compare(lambda x: np.sum(np.tanh(x) ** 2), np.array([0.3, -1.2], np.float32))


def test_cost_is_measured_on_request_and_can_be_left_out():
    table = compare(lambda x: np.sum(x**3), np.array([1.0, 2.0]), measure=True)
    assert all(r.seconds > 0 and r.peak_bytes > 0 for r in table.routes)
    assert "peak memory" in str(table)
    assert table.show(timing=False) == compare(lambda x: np.sum(x**3), np.array([1.0, 2.0])).show()


def test_the_table_shows_itself_in_a_notebook():
    page = compare(lambda x: np.sum(x**3), np.array([1.0, 2.0]))._repr_html_()
    assert re.search(r"<caption[^>]*>[^<]*All 4 routes agree", page)
    assert '<th scope="row">reverse</th>' in page


# --- the pieces


def test_dual_checks_its_shapes_and_shows_both_parts():
    with pytest.raises(ValueError, match=r"\(2,\).*\(3,\)"):
        Dual(np.ones(2), np.ones(3))
    assert repr(Dual(1.5, 2.0)) == "Dual(1.5, tangent=2.0)"


def test_dual_keeps_dtype():
    y = np.tanh(Dual(np.float32([0.5]), np.float32([1.0])) * 2.0) + 1
    assert y.value.dtype == y.tangent.dtype == np.float32


def test_symbols_stand_for_entries():
    array, symbols = symbols_like(np.array([[1.0, -2.0]]), "w")
    assert [str(s) for s in symbols] == ["w_0_0", "w_0_1"]
    assert str(np.sum(np.exp(array)).expressions.item()) == "exp(w_0_0) + exp(w_0_1)"
    with pytest.raises(ValueError, match="shape"):
        SymbolicArray(np.array([1, 2], object), np.ones(3))


# --- import


def test_importing_the_engine_loads_neither_scipy_nor_matplotlib_nor_sympy():
    code = (
        "import sys, numpy; before = set(sys.modules); import coursepkg.gradients; "
        "new = set(sys.modules) - before; print(len(new)); "
        "print([m for m in new if m.split('.')[0] in ('scipy', 'matplotlib', 'sympy', 'mpmath', 'IPython')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    count, heavy = done.stdout.splitlines()
    assert heavy == "[]"
    assert int(count) < 60


@pytest.mark.parametrize("route", [reverse, forward])
def test_differentiations_in_other_threads_do_not_mix_with_nested_ones(route):
    """The derivative of x times d/dy (x + y) is 1; it comes out as 2 if the inner change is taken for the outer one."""
    opened, closed = threading.Event(), threading.Event()

    def elsewhere(x):
        opened.set()
        assert inside.wait(timeout=60)
        return x * x

    def f(x):
        inside.set()
        other.join(timeout=60)  # the differentiation that was opened before this one is closed
        return x * route(lambda y: x + y)(np.array(1.0))

    inside = threading.Event()
    other = threading.Thread(target=lambda: (jvp(elsewhere, np.array(3.0), np.array(1.0)), closed.set()))
    other.start()
    assert opened.wait(timeout=60)
    assert route(f)(np.array(5.0)) == 1.0
    assert closed.is_set()
