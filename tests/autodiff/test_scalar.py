"""The scalar engine: every operation against SymPy, every edge by name, and every usual wrong engine found out."""

import gc
import math
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from coursepkg.autodiff import scalar
from coursepkg.autodiff.comparison import compare_routes
from coursepkg.autodiff.differences import differences
from coursepkg.autodiff.scalar import (
    Scalar,
    cos,
    exp,
    log,
    maximum,
    minimum,
    relu,
    sigmoid,
    sin,
    sqrt,
    tanh,
)
from coursepkg.autodiff.symbolic import derive

sixty = settings(deadline=None, derandomize=True, max_examples=60)


def gradient(f, *numbers):
    """The value and the gradient of f by the engine."""
    leaves = [Scalar(number) for number in numbers]
    result = f(*leaves)
    result.backward()
    return result.data, [leaf.grad for leaf in leaves]


def cube(x):
    return x * x * x


# --- against SymPy ---

UNARY = {
    "neg": (lambda x: -x, (-1e300, 1e300)),
    "abs": (abs, (-1e300, 1e300)),
    "exp": (exp, (-740.0, 709.0)),
    "log": (log, (1e-300, 1e300)),
    "sqrt": (sqrt, (1e-300, 1e300)),
    "sin": (sin, (-1e6, 1e6)),
    "cos": (cos, (-1e6, 1e6)),
    "tanh": (tanh, (-1e300, 1e300)),
    "sigmoid": (sigmoid, (-1e300, 700.0)),
    "relu": (relu, (-1e300, 1e300)),
    "add a number": (lambda x: x + 2.5, (-1e300, 1e300)),
    "number minus": (lambda x: 2.5 - x, (-1e300, 1e300)),
    "minus a number": (lambda x: x - 2.5, (-1e300, 1e300)),
    "times a number": (lambda x: 2.5 * x, (-1e300, 1e300)),
    "over a number": (lambda x: x / 2.5, (-1e300, 1e300)),
    "number over": (lambda x: 2.5 / x, (1e-140, 1e140)),
    "square": (lambda x: x**2, (-1e150, 1e150)),
    "cube": (lambda x: x**3, (-1e100, 1e100)),
    "inverse square": (lambda x: x**-2, (1e-90, 1e90)),
    "fractional power": (lambda x: x**2.5, (1e-100, 1e100)),
    "number to the power": (lambda x: 2.5**x, (-700.0, 700.0)),
    "maximum with a number": (lambda x: maximum(x, 2.5), (-1e300, 1e300)),
    "minimum with a number": (lambda x: minimum(2.5, x), (-1e300, 1e300)),
}
BINARY = {
    "add": (lambda x, y: x + y, (-1e300, 1e300), (-1e300, 1e300)),
    "subtract": (lambda x, y: x - y, (-1e300, 1e300), (-1e300, 1e300)),
    "multiply": (lambda x, y: x * y, (-1e150, 1e150), (-1e150, 1e150)),
    "divide": (lambda x, y: x / y, (-1e100, 1e100), (1e-100, 1e100)),
    "divide by a negative": (lambda x, y: x / y, (-1e100, 1e100), (-1e100, -1e-100)),
    "power": (lambda x, y: x**y, (1e-10, 1e10), (-20.0, 20.0)),
    "maximum": (maximum, (-1e300, 1e300), (-1e300, 1e300)),
    "minimum": (minimum, (-1e300, 1e300), (-1e300, 1e300)),
}
OPERATIONS = UNARY | BINARY
WITNESSES = {}


def assert_sympy_agrees(name, *numbers):
    """Value and slopes to 1e-13 of the larger, or of 1 where a slope such as 1 - tanh² is a difference of ones."""
    f = OPERATIONS[name][0]
    witness = WITNESSES.setdefault(name, derive(f, *"xy"[: len(numbers)]))
    value, slopes = gradient(lambda *v: f(*v) * 3.0, *numbers)  # so that what arrives upstream is not one
    saturating = name in ("tanh", "sigmoid")
    assert value == pytest.approx(3.0 * witness.value_at(*numbers), rel=1e-13, abs=0.0)
    for slope, expected in zip(slopes, witness.at(*numbers), strict=True):
        assert slope == pytest.approx(3.0 * expected, rel=1e-13, abs=1e-15 if saturating else 0.0)


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_agrees_with_sympy_at_random_points(name):
    rng = np.random.default_rng(sum(map(ord, name)))
    for _ in range(12):
        point = [
            float(np.clip(rng.uniform(0.2, 3.0) * rng.choice([-1, 1]), low, high)) for low, high in OPERATIONS[name][1:]
        ]
        assert_sympy_agrees(name, *point)


@pytest.mark.parametrize("name", UNARY)
@sixty
@given(data=st.data())
def test_every_operation_on_one_number_agrees_with_sympy_from_tiny_to_huge(name, data):
    low, high = UNARY[name][1]
    x = data.draw(st.floats(low, high))
    assert_sympy_agrees(name, x)


@pytest.mark.parametrize("name", BINARY)
@sixty
@given(data=st.data())
def test_every_operation_on_two_numbers_agrees_with_sympy_from_tiny_to_huge(name, data):
    x, y = (data.draw(st.floats(low, high)) for low, high in BINARY[name][1:])
    if name == "multiply":
        assume(x * y == 0 or abs(x * y) > 1e-290)  # below that a product has few digits
    if name.startswith("divide"):
        assume(x == 0 or abs(x) > 1e-100)
    assert_sympy_agrees(name, x, y)


@pytest.mark.parametrize("x", [0.0, -0.0, 1e-300, -1e-300, 1e300, -1e300, 5e-324])
@pytest.mark.parametrize("name", ["neg", "abs", "tanh", "relu", "square", "sin", "cos", "sigmoid", "times a number"])
def test_edges_agree_with_sympy(name, x):
    low, high = UNARY[name][1]
    if low <= x <= high or name in ("sin", "cos"):
        assert_sympy_agrees(name, x)


@sixty
@given(x=st.floats(-50, 50), n=st.integers(-8, 8))
def test_whole_powers_of_negative_numbers_agree_with_sympy(x, n):
    assume(abs(x) > 1e-3)
    value, slopes = gradient(lambda x: x**n, x)
    exact = Fraction(x) ** n
    assert value == pytest.approx(float(exact), rel=1e-13)
    assert slopes[0] == pytest.approx(float(n * exact / Fraction(x)), rel=1e-13)


# --- micrograd's published cases ---


def test_micrograd_sanity_expression():
    def f(x):
        z = 2 * x + 2 + x
        q = z.relu() + z * x
        h = (z * z).relu()
        return h + q + q * x

    assert gradient(f, -4.0) == (-20.0, [46.0])


def test_micrograd_more_operations():
    value, grads = gradient(micrograd_readme, -4.0, 2.0)
    assert value == pytest.approx(24.70408163265306, rel=1e-14)
    assert grads == pytest.approx([138.83381924198252, 645.5772594752186], rel=1e-14)


def micrograd_readme(a, b):
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    return g


def test_the_readme_numbers_of_micrograd():
    value, (da, db) = gradient(micrograd_readme, -4.0, 2.0)
    assert (f"{value:.4f}", f"{da:.4f}", f"{db:.4f}") == ("24.7041", "138.8338", "645.5773")


def test_micrograd_names_are_there():
    a, b = Scalar(2.0), Scalar(-3.0)
    c = a * b
    assert c._prev == {a, b}
    assert c._op == c.op == "*"
    assert c.parents == (a, b)
    assert c.local_grads == (-3.0, 2.0)
    assert repr(c) == "Scalar(data=-6.0, grad=0.0)"
    assert (a * a).parents == (a, a)
    assert a._prev == set()
    assert a.op == ""


# --- the graph ---


def test_gradients_of_a_shared_value_add_up():
    assert gradient(lambda x: x + x, 5.0)[1] == [2.0]
    assert gradient(cube, 2.0) == (8.0, [12.0])
    assert gradient(lambda x, y: x * y + x / y - x, 6.0, 2.0)[1] == [2.0 + 0.5 - 1.0, 6.0 - 6.0 / 4]


def test_a_value_used_a_hundred_thousand_times():
    x = Scalar(0.5)
    sum((x * 2.0 for _ in range(100_000)), Scalar(0.0)).backward()
    assert x.grad == 200_000.0


def test_diamonds_cost_one_visit_each_and_not_one_per_path():
    x = Scalar(1.0)
    y = x
    for _ in range(200):  # 2**200 paths
        y = y + y
    y.backward()
    assert (y.data, x.grad) == (2.0**200, 2.0**200)
    assert len(y._operations()) == 200


def test_a_result_waits_for_all_that_is_computed_from_it():
    def f(x):
        early = x * 3.0
        return early + tanh(early * 2.0) * early

    slopes = gradient(f, 0.3)[1]
    assert slopes == pytest.approx(list(derive(f, "x").at(0.3)), rel=1e-14)


def test_a_chain_of_a_million_operations_runs_and_is_freed():
    x = Scalar(0.5)
    y = x
    for _ in range(500_000):
        y = y * 1.000001 + 1e-7
    y.backward()
    assert y.data == pytest.approx(0.5 * math.e**0.5 + 0.1 * (math.e**0.5 - 1), rel=1e-5)
    assert x.grad == pytest.approx(1.000001**500_000, rel=1e-9)
    y.zero_grad()
    assert x.grad == 0.0
    del y  # a chain of Python objects is taken apart without recursion


def test_a_graph_is_freed_at_once_without_the_garbage_collector():
    gc.collect()
    gc.disable()
    try:
        before = sum(type(each) is Scalar for each in gc.get_objects())
        x, y = Scalar(1.5), Scalar(-0.5)
        result = tanh(x * y + x) ** 2 / (1 + exp(y)) - maximum(x, 2 * y)
        result.backward()
        del result
        assert sum(type(each) is Scalar for each in gc.get_objects()) == before + 2
    finally:
        gc.enable()


# --- backward called again ---


def test_a_second_backward_doubles_the_leaves_exactly():
    x = Scalar(2.0)
    y = cube(x * 1.5)
    y.backward()
    once = x.grad
    y.backward()
    assert (once, x.grad) == (40.5, 81.0)


def test_a_second_backward_computes_the_gradients_of_operations_anew():
    x = Scalar(2.0)
    inner = x * 1.5
    outer = inner * inner
    outer.backward()
    outer.backward()
    assert (inner.grad, outer.grad) == (6.0, 1.0)


def test_two_results_add_up_in_the_leaves_they_share():
    x = Scalar(2.0)
    shared = x * 3.0
    (shared * 2.0).backward()
    (shared * shared).backward()
    assert x.grad == 6.0 + 36.0
    assert shared.grad == 12.0  # of the second result alone


def test_zero_grad_reaches_the_whole_graph():
    x, y = Scalar(2.0), Scalar(3.0)
    inner = x * y
    outer = inner + 1
    outer.backward()
    outer.zero_grad()
    assert [each.grad for each in (x, y, inner, outer)] == [0.0] * 4
    x.grad = 5.0
    x.zero_grad()
    assert x.grad == 0.0


def test_backward_of_a_leaf_adds_one_like_pytorch():
    x = Scalar(3.0)
    x.backward()
    x.backward()
    assert x.grad == 2.0


# --- what may stand beside a Scalar ---


def test_integers_become_floats():
    x = Scalar(3)
    assert (x.data, type(x.data)) == (3.0, float)
    assert (7 // 2 + x / 2).data == 4.5
    assert gradient(lambda x: x**2 / 4, 3) == (2.25, [1.5])


@pytest.mark.parametrize(
    "two",
    [2, 2.0, np.float64(2), np.float32(2), np.int64(2), np.uint8(2), np.array(2.0), np.array(2), Fraction(2)],
    ids=lambda two: type(two).__name__ + str(getattr(two, "shape", "")),
)
def test_numbers_on_either_side_give_scalars(two):
    x = Scalar(0.75)
    for result, expected in (
        (x + two, 2.75),
        (two + x, 2.75),
        (x - two, -1.25),
        (two - x, 1.25),
        (x * two, 1.5),
        (two * x, 1.5),
        (x / two, 0.375),
        (two / x, 8 / 3),
        (x**two, 0.5625),
        (two**x, 2**0.75),
        (maximum(two, x), 2.0),
        (minimum(x, two), 0.75),
    ):
        assert type(result) is Scalar
        assert type(result.data) is float
        assert result.data == pytest.approx(expected, rel=1e-15)
        result.backward()
        assert isinstance(result.op, str)
    assert type(Scalar(two).data) is float
    assert (x < two, two > x, x == two, two != x) == (True, True, False, True)


@pytest.mark.parametrize("several", [np.array([1.0, 2.0]), np.array([[1.0]]), np.array([1.0]), [1.0], (1.0,)])
def test_several_numbers_are_refused_and_never_become_an_array_of_objects(several):
    x = Scalar(2.0)
    operations = [lambda: x * several, lambda: Scalar(several), lambda: x - several, lambda: x**several]
    if isinstance(several, np.ndarray):
        operations += [lambda: several * x, lambda: several + x, lambda: several - x, lambda: several / x]
    for operation in operations:
        with pytest.raises(TypeError, match="one Scalar per number"):
            operation()


@pytest.mark.parametrize("other", [True, "3", 1j, None, np.bool_(True), np.complex128(1j), np.str_("3"), Scalar(1.0)])
def test_what_is_no_real_number_is_refused_in_words(other):
    with pytest.raises(TypeError, match="expected a real number, not"):
        Scalar(other)
    if not isinstance(other, Scalar):
        with pytest.raises(TypeError, match="expected a real number, not"):
            Scalar(1.0) * other
        with pytest.raises(TypeError, match="expected a real number, not"):
            other - Scalar(1.0)


def test_numpy_functions_refuse_a_scalar():
    with pytest.raises(TypeError, match="ufunc"):
        np.exp(Scalar(1.0))


def test_nan_is_refused_where_it_comes_in():
    for make in (lambda: Scalar(math.nan), lambda: Scalar(1.0) * math.nan, lambda: np.float64("nan") + Scalar(1.0)):
        with pytest.raises(ValueError, match="NaN"):
            make()


# --- edges ---


@pytest.mark.parametrize(
    ("f", "x", "error", "words"),
    [
        (log, 0.0, ValueError, "log of 0.0 is not a real number"),
        (log, -1.0, ValueError, "log of -1.0 is not a real number"),
        (sqrt, -1.0, ValueError, "sqrt of -1.0 is not a real number"),
        (lambda x: x ** (1 / 3), -8.0, ValueError, "not a real number"),
        (lambda x: x**-0.5, -8.0, ValueError, "not a real number"),
        (lambda x: x**-1, 0.0, ValueError, "not a real number"),
        (lambda x: x**-2.5, 0.0, ValueError, "not a real number"),
        (lambda x: (-2) ** x, 0.5, ValueError, "not a real number"),
        (lambda x: 1 / x, 0.0, ZeroDivisionError, "division by zero"),
        (lambda x: x / 0, 1.0, ZeroDivisionError, "division by zero"),
        (exp, 1000.0, OverflowError, "exp of 1000.0 is too large"),
        (lambda x: x**2, 1e200, OverflowError, "too large"),
        (sin, math.inf, ValueError, "not a real number"),
    ],
)
def test_what_has_no_real_value_is_an_error_in_words(f, x, error, words):
    with pytest.raises(error, match=words):
        f(Scalar(x))


def test_free_functions_refuse_the_same_plain_numbers():
    with pytest.raises(ValueError, match=r"log of 0\.0 is not a real number"):
        log(0)
    with pytest.raises(OverflowError, match=r"exp of 1000\.0 is too large"):
        exp(1000)
    with pytest.raises(TypeError, match="expected a real number, not ndarray"):
        exp(np.array([1.0, 2.0]))


def test_kinks_follow_pytorch():
    assert gradient(relu, 0.0) == (0.0, [0.0])
    assert gradient(abs, 0.0) == (0.0, [0.0])
    assert gradient(sqrt, 0.0) == (0.0, [math.inf])
    assert gradient(lambda x: x**0.5, 0.0) == (0.0, [math.inf])
    assert gradient(lambda x: x**1, 0.0) == (0.0, [1.0])
    assert gradient(lambda x: x**2, 0.0) == (0.0, [0.0])
    assert gradient(lambda x: x**0, 3.0) == (1.0, [0.0])
    assert gradient(lambda x: x**0, 0.0) == (1.0, [0.0])
    assert gradient(lambda x, n: x**n, 0.0, 0.0) == (1.0, [0.0, 0.0])
    assert gradient(lambda x, n: x**n, 0.0, 2.0) == (0.0, [0.0, 0.0])
    assert gradient(maximum, 2.0, 2.0) == (2.0, [0.5, 0.5])
    assert gradient(minimum, 2.0, 2.0) == (2.0, [0.5, 0.5])
    assert gradient(lambda x: maximum(x, 2.0), 2.0) == (2.0, [0.5])


def test_the_winner_takes_the_whole_gradient():
    assert gradient(lambda x, y: 3 * maximum(x, y), 1.0, 2.0) == (6.0, [0.0, 3.0])
    assert gradient(lambda x, y: 3 * minimum(x, y), 1.0, 2.0) == (3.0, [3.0, 0.0])
    assert gradient(lambda x: 3 * maximum(0, x), -1.0) == (0.0, [0.0])


@pytest.mark.parametrize("x", [-1e308, -1000.0, -710.0, 710.0, 1000.0, 1e308])
def test_tanh_and_sigmoid_do_not_overflow(x):
    right = x > 0
    assert gradient(tanh, x) == (1.0 if right else -1.0, [0.0])
    value, (slope,) = gradient(sigmoid, x)
    assert value == (1.0 if right else (math.exp(x) if x > -745 else 0.0))
    assert slope == (0.0 if right else value)


def test_sigmoid_keeps_its_digits_far_to_the_left():
    value, (slope,) = gradient(sigmoid, -40.0)
    assert value == pytest.approx(math.exp(-40), rel=1e-14)
    assert slope == pytest.approx(math.exp(-40), rel=1e-14)


def test_the_exponent_of_a_negative_base_has_no_slope():
    base, exponent = Scalar(-2.0), Scalar(3.0)
    power = base**exponent
    assert power.data == -8.0
    with pytest.raises(ArithmeticError, match="no derivative through"):
        power.backward()


def test_infinite_slopes_never_become_a_silent_nan():
    with pytest.raises(ArithmeticError, match="no derivative through"):
        gradient(lambda x: sqrt(x * x), 0.0)
    with pytest.raises(ArithmeticError, match="no derivative through"):
        gradient(lambda x: sqrt(x) - sqrt(x), 0.0)
    assert gradient(lambda x: 0 * sqrt(x) + x, 0.0) == (0.0, [1.0])  # nothing arrives at sqrt, nothing leaves it
    assert gradient(lambda x, y: sqrt(x - y), 1.0, 1.0)[1] == [math.inf, -math.inf]


# --- comparison, hashing, float ---


def test_comparisons_look_at_values():
    a, b = Scalar(1.0), Scalar(2.0)
    assert a < b
    assert a <= b
    assert b > a
    assert b >= 2
    assert a == 1
    assert a != b
    assert Scalar(2.0) == b
    assert max(a, b, 0.5) is b
    assert (a == "1") is False
    with pytest.raises(TypeError):
        a < "1"  # noqa: B015


def test_the_hash_goes_by_identity():
    a, b = Scalar(2.0), Scalar(2.0)
    assert len({a, b, a}) == 2
    names = {a: "a", b: "b"}
    assert (names[a], names[b]) == ("a", "b")


def test_float_gives_the_value():
    assert float(Scalar(2.5)) == 2.5
    assert f"{float(Scalar(2) / 3):.3f}" == "0.667"


def test_a_function_branches_alike_on_floats_and_scalars():
    def leaky(x):
        return x if x > 0 else 0.1 * x

    for x in (-2.0, 0.0, 2.0):
        assert leaky(Scalar(x)).data == leaky(x)


# --- one function for floats, complex numbers and Scalars ---


def every_function(x):
    return (
        exp(x) + log(x) * sin(x) - cos(x) / sqrt(x) + tanh(x) * sigmoid(-x) + relu(x) + maximum(x, 0.1) - minimum(9, x)
    )


def test_free_functions_and_methods_give_the_same():
    for name in ("exp", "log", "sin", "cos", "tanh", "sigmoid", "relu", "sqrt"):
        free, method = getattr(scalar, name), getattr(Scalar, name)
        assert gradient(free, 0.6) == gradient(method, 0.6)
        assert free(0.6) == method(Scalar(0.6)).data
        assert free.__name__ == name
    assert gradient(Scalar.abs, -0.6) == gradient(abs, -0.6) == (0.6, [-1.0])
    assert exp(1) == math.e
    assert type(exp(np.float64(1))) is float


def test_free_functions_take_complex_numbers():
    z = every_function(complex(0.6, 1e-30))
    value, (slope,) = gradient(every_function, 0.6)
    assert z.real == pytest.approx(value, rel=1e-14)
    assert z.imag / 1e-30 == pytest.approx(slope, rel=1e-13)
    assert relu(-1 + 1j) == 0
    assert sigmoid(-800 + 0j) == pytest.approx(0.0, abs=1e-300)


# --- operations of one's own ---


def test_an_operation_of_ones_own():
    def softplus(x):
        slope = 1 / (1 + math.exp(-x.data))
        return Scalar(math.log1p(math.exp(x.data)), (x,), "softplus", local_grads=(slope,))

    x = Scalar(0.3, label="x")
    y = softplus(2 * x)
    y.backward()
    assert x.grad == pytest.approx(2 / (1 + math.exp(-0.6)), rel=1e-14)
    assert (y.op, y.parents[0].op, x.label) == ("softplus", "* 2", "x")


def test_an_operation_of_ones_own_needs_its_local_derivatives():
    with pytest.raises(ValueError, match="as many local_grads"):
        Scalar(1.0, (Scalar(2.0),), "forgotten")


def test_numbers_in_a_formula_are_part_of_the_operation():
    x = Scalar(2.0)
    assert [(x + 1).op, (3 * x).op, (x**2).op, (x / 4).op, (x - 0.5).op] == ["+ 1", "* 3", "** 2", "/ 4", "- 0.5"]
    assert (x**2).parents == (x,)
    assert (x**2).local_grads == (4.0,)
    assert [parent.data for parent in (1 - x).parents] == [1.0, 2.0]


# --- wrong engines ---


def network(x, y):
    """Every operation, every value used more than once, nothing at a kink, no slope near zero."""
    h = tanh(x * y - 0.3) + sigmoid(x) * y
    k = exp(-h * 0.5) / (1.5 + y * y) + sqrt(h * h + 1) - x / h
    m = maximum(h, k) * 2 - minimum(h * k, 3 * x) + relu(k + 2) + abs(h - 4)
    return (m * log(x + y + 2) - sin(k) * cos(m)) ** 3 / 5 + k**h + 2**x + (-m)


POINT = (0.7, 1.3)


def engine_is_right():
    """What a check of the engine comes down to: its gradient against differences of plain floats."""
    try:
        slopes = gradient(network, *POINT)[1]
    except (ArithmeticError, RecursionError):
        return False
    expected = differences(lambda values: network(*values), POINT)
    return all(abs(a - b.slope) <= 1e-6 * abs(b.slope) for a, b in zip(slopes, expected, strict=True))


def test_the_engine_is_right_and_the_point_is_evidence():
    assert engine_is_right()
    report = compare_routes(network, POINT)
    assert report.evidence == 2
    assert report


def overwrite(self):
    self.grad = 1.0
    for node in reversed(self._operations()):
        for parent, local in zip(node.parents, node.local_grads, strict=True):
            parent.grad = node.grad * local


def ignore_upstream(self):
    self.grad = 1.0
    for node in reversed(self._operations()):
        for parent, local in zip(node.parents, node.local_grads, strict=True):
            parent.grad += local


def ignore_local(self):
    self.grad = 1.0
    for node in reversed(self._operations()):
        for parent in node.parents:
            parent.grad += node.grad


def add_upstream_and_local(self):
    self.grad = 1.0
    for node in reversed(self._operations()):
        for parent, local in zip(node.parents, node.local_grads, strict=True):
            parent.grad += node.grad + local


def recurse_without_order(self):
    def visit(node):
        for parent, local in zip(node.parents, node.local_grads, strict=True):
            parent.grad += node.grad * local
            visit(parent)

    self.grad = 1.0
    visit(self)


def visit_each_node_at_first_sight(self):
    self.grad, stack, seen = 1.0, [self], {self}
    while stack:
        node = stack.pop()
        for parent, local in zip(node.parents, node.local_grads, strict=True):
            parent.grad += node.grad * local
            if parent not in seen:
                seen.add(parent)
                stack.append(parent)


def forward_order(self):
    self.grad = 1.0
    for node in self._operations():
        for parent, local in zip(node.parents, node.local_grads, strict=True):
            parent.grad += node.grad * local


def forget_the_seed(self):
    for node in reversed(self._operations()):
        for parent, local in zip(node.parents, node.local_grads, strict=True):
            parent.grad += node.grad * local


def swap_the_operands(self):
    self.grad = 1.0
    for node in reversed(self._operations()):
        for parent, local in zip(node.parents, node.local_grads[::-1], strict=True):
            parent.grad += node.grad * local


def only_the_first_operand(self):
    self.grad = 1.0
    for node in reversed(self._operations()):
        node.parents[0].grad += node.grad * node.local_grads[0]


def count_each_pair_of_operands_once(self):
    self.grad = 1.0
    for node in reversed(self._operations()):
        for parent, local in dict(zip(node.parents, node.local_grads, strict=True)).items():
            parent.grad += node.grad * local


WRONG_ENGINES = [
    overwrite,
    ignore_upstream,
    ignore_local,
    add_upstream_and_local,
    recurse_without_order,
    visit_each_node_at_first_sight,
    forward_order,
    forget_the_seed,
    swap_the_operands,
    only_the_first_operand,
    count_each_pair_of_operands_once,
]


@pytest.mark.parametrize("wrong", WRONG_ENGINES, ids=lambda wrong: wrong.__name__)
def test_a_wrong_engine_is_found_out(wrong, monkeypatch):
    monkeypatch.setattr(Scalar, "backward", wrong)
    assert not engine_is_right()
    assert not compare_routes(network, POINT)


SLOPE_ERRORS = {
    "zero": lambda d: 0.0,
    "one": lambda d: 1.0,
    "negated": lambda d: -d,
    "doubled": lambda d: 2 * d,
    "halved": lambda d: d / 2,
    "squared": lambda d: d * d,
    "off by a thousandth": lambda d: d * 1.001,
}


@pytest.mark.parametrize("error", SLOPE_ERRORS)
@pytest.mark.parametrize("op", scalar.RULES)
def test_a_wrong_local_derivative_is_found_out(op, error, monkeypatch):
    rule, change = scalar.RULES[op], SLOPE_ERRORS[error]
    slopes_at_the_point = []

    def wrong(m, *numbers):
        value, *slopes = rule(m, *numbers)
        slopes_at_the_point.extend((slope, change(slope)) for slope in slopes)
        return value, *map(change, slopes)

    monkeypatch.setitem(scalar.RULES, op, wrong)
    right = engine_is_right()
    changed = any(before != after for before, after in slopes_at_the_point)
    assert changed or error in ("one", "squared")  # a slope of one cannot be told from one
    assert right is not changed


WRONG_PRODUCTS = {
    "own value": lambda x, y: (x, y),
    "first only": lambda x, y: (y, 0.0),
    "second only": lambda x, y: (0.0, x),
    "negated": lambda x, y: (-y, x),
    "one": lambda x, y: (1.0, 1.0),
    "product of both": lambda x, y: (x * y, x * y),
}


@pytest.mark.parametrize("wrong", WRONG_PRODUCTS)
def test_a_wrong_product_rule_is_found_out(wrong, monkeypatch):
    right = Scalar.__mul__

    def multiply(self, other):
        product = right(self, other)
        if isinstance(other, Scalar):
            product._dx, product._dy = WRONG_PRODUCTS[wrong](self.data, other.data)
        return product

    monkeypatch.setattr(Scalar, "__mul__", multiply)
    assert not engine_is_right()


@pytest.mark.parametrize("slopes", [(1.0, 0.0), (0.0, 1.0), (1.0, -1.0), (0.5, 0.5), (2.0, 2.0)])
def test_a_wrong_sum_rule_is_found_out(slopes, monkeypatch):
    right = Scalar.__add__

    def add(self, other):
        total = right(self, other)
        if isinstance(other, Scalar):
            total._dx, total._dy = slopes
        return total

    monkeypatch.setattr(Scalar, "__add__", add)
    assert not engine_is_right()


# --- alone ---


def test_the_engine_its_witness_and_the_check_run_without_numpy():
    program = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("numpy", "matplotlib", "scipy"):
            raise ImportError(name)
sys.meta_path.insert(0, Refuse())
from coursepkg.autodiff.scalar import Scalar, tanh
assert "sympy" not in sys.modules
from coursepkg.autodiff import comparison, symbolic
report = comparison.compare_routes(lambda w, x: tanh(w * x) * w, {"w": 0.5, "x": -1.25})
assert report and len(report.routes) == 4, str(report)
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_the_engine_stays_readable_in_one_sitting():
    with open(scalar.__file__, encoding="utf-8") as file:
        assert sum(1 for _ in file) <= 200
