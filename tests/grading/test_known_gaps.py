"""Wrong answers that the tests of well-known courses let through, and right ones that they turn away.

Each was found by running those tests against deliberately wrong solutions. Here each one fails its check, or the
inputs that let it pass are refused when the check is built.
"""

import math

import numpy as np
import pytest
from grading_chapters import OWN, judged

from coursepkg.grading import Exercise, Misconception, case
from coursepkg.grading.judging.calling import LocalCall
from coursepkg.grading.judging.judge import judge
from coursepkg.grading.specification.chapters import load_specs
from coursepkg.grading.specification.compiling import compile_check
from coursepkg.grading.specification.exercise import SpecError

NUMBER = {exercise.id: exercise for exercise in load_specs(OWN / "solutions" / "specs")["90"]}["90.3"].reference
X0, X1 = ("var", 0), ("var", 1)


def exercise(reference, visible, mutants, **options):
    """An exercise whose bank is a set of mutants, by name."""
    bank = [Misconception(name, answer, "It is off.", "Why.", "There.") for name, answer in mutants.items()]
    return Exercise(
        id="07.1", title="A title", function="answer", minutes=3, difficulty=1, points=1, see="a page",
        reference=reference, visible=visible, hidden=lambda rng: visible, accepted=[reference] * 5, bank=bank,
        hints=("one", "two", "three"), **options,
    )  # fmt: skip


def assert_killed_and_named(spec):
    check = compile_check(spec)
    assert judge(check, LocalCall(spec.reference, spec.driver)).passed
    for entry in spec.bank:
        found = judge(check, LocalCall(entry.answer, spec.driver))
        assert (found.status, found.finding) == ("wrong", entry.id)


def fillers(reference, count):
    return {f"filler-{k}": lambda *args, k=k: np.asarray(reference(*args)) * (k + 3.5) for k in range(count)}


RNG = np.random.default_rng(11)
ENTRIES = [case(RNG.normal(size=n), RNG.normal(size=n)) for n in (3, 4, 2)]  # (incoming gradient, x)


# --- UDL 7.2: "Success!" for no work at all --------------------------------------------------------------------------


def test_zero_equals_zero_is_no_success():
    """The untouched network is constant and the untouched gradient zero, and their comparison succeeds."""

    def stub_loss_gradient(x):
        return np.zeros_like(x)

    inputs = [case(RNG.normal(size=n)) for n in (3, 4, 2)]
    with pytest.raises(SpecError, match="zero agrees with zero"):
        compile_check(exercise(stub_loss_gradient, inputs, fillers(lambda x: x, 5)))
    spec = exercise(lambda x: 2 * x, inputs, fillers(lambda x: x, 5))
    assert judge(compile_check(spec), LocalCall(stub_loss_gradient, "call")).finding == "zero"


# --- ARENA: values in the place of tolerances, and a bare except -----------------------------------------------------


def test_every_wrong_gradient_of_exp_fails():
    """Zero, -g, g, g/2, g x and g + 1 all pass where the tolerance is as large as the value."""
    assert_killed_and_named(
        exercise(
            lambda g, x: g * np.exp(x),
            ENTRIES,
            {
                "zero-for-all": lambda g, x: 0 * g,
                "minus-upstream": lambda g, x: -g,
                "upstream-alone": lambda g, x: g,
                "half-of-upstream": lambda g, x: g / 2,
                "times-the-input": lambda g, x: g * x,
                "upstream-plus-one": lambda g, x: g + 1,
                "doubled": lambda g, x: 2 * g * np.exp(x),
            },
        )
    )


@pytest.mark.parametrize("slip", [{"rtol": 1 / math.e}, {"atol": 0.53, "rtol": 1e-6}, {"rtol": 2.7}, {"atol": 41.0}])
def test_a_value_in_the_place_of_a_tolerance_is_refused(slip):
    with pytest.raises(SpecError, match="too loose"):
        compile_check(exercise(lambda g, x: g * np.exp(x), ENTRIES, fillers(lambda g, x: g, 5), **slip))


def test_an_empty_stub_is_never_taken_for_the_right_error():
    """Behind a bare `except`, NotImplementedError passes for the error that was asked for."""

    def stub(output):
        raise NotImplementedError

    assert judged("90.4", stub).status == "not-attempted"
    assert judged("90.5", stub).status == "not-attempted"


# --- MiniTorch: inputs at which the derivative cannot be seen --------------------------------------------------------


@pytest.mark.parametrize("shift", [-200.0, -700.0])
def test_exp_far_to_the_left_is_refused(shift):
    """exp'(a - 200) is 1e-87: zero, negated or squared, it looks the same."""
    inputs = [case(1.0, a + shift) for a in (0.3, 1.1, 2.0)]
    with pytest.raises(SpecError, match="near zero"):
        compile_check(exercise(lambda g, x: g * math.exp(x), inputs, fillers(lambda g, x: g, 5)))


def test_log_far_to_the_right_is_refused():
    """log'(a + 100000) is 1e-5, and with a tolerance of 1e-2 a hundred times as much passes."""
    inputs = [case(1.0, a + 100_000) for a in (0.3, 1.1, 2.0)]
    spec = exercise(lambda g, x: g / x, inputs, fillers(lambda g, x: g, 5), atol=1e-3)
    with pytest.raises(SpecError, match="near zero"):
        compile_check(spec)


def test_derivatives_of_exp_and_log_at_visible_points():
    inputs = [case(g, x) for g, x in [(0.7, 0.4), (-1.3, 1.6), (2.1, 2.5)]]
    assert_killed_and_named(
        exercise(
            lambda g, x: (g * math.exp(x), g / x),
            inputs,
            {
                "exp-zero": lambda g, x: (0.0, g / x),
                "exp-negated": lambda g, x: (-g * math.exp(x), g / x),
                "exp-squared": lambda g, x: (g * math.exp(x) ** 2, g / x),
                "log-zero": lambda g, x: (g * math.exp(x), 0.0),
                "log-negated": lambda g, x: (g * math.exp(x), -g / x),
                "log-hundredfold": lambda g, x: (g * math.exp(x), 100 * g / x),
            },
        )
    )


# --- dlsys, TinyTorch: the incoming gradient is always one -----------------------------------------------------------

RULES = {
    "add": (lambda g, a, b: (g, g), lambda g, a, b: (np.ones_like(g), np.ones_like(g))),
    "multiply": (lambda g, a, b: (g * b, g * a), lambda g, a, b: (b, a)),
    "divide": (lambda g, a, b: (g / b, -g * a / b**2), lambda g, a, b: (1 / b, -a / b**2)),
    "power": (lambda g, a, b: (g * b * a ** (b - 1),), lambda g, a, b: (b * a ** (b - 1),)),
    "negate": (lambda g, a, b: (-g,), lambda g, a, b: (-np.ones_like(g),)),
    "exp": (lambda g, a, b: (g * np.exp(a),), lambda g, a, b: (np.exp(a),)),
    "log": (lambda g, a, b: (g / a,), lambda g, a, b: (1 / a,)),
    "tanh": (lambda g, a, b: (g * (1 - np.tanh(a) ** 2),), lambda g, a, b: (1 - np.tanh(a) ** 2,)),
    "matmul": (lambda g, a, b: (g @ b.T, a.T @ g), lambda g, a, b: (np.ones_like(g) @ b.T, a.T @ np.ones_like(g))),
    "sum": (lambda g, a, b: (g[:, :1] * np.ones_like(a),), lambda g, a, b: (np.ones_like(a),)),
    "transpose": (lambda g, a, b: (g.T,), lambda g, a, b: (np.ones_like(g.T),)),
    "reshape": (lambda g, a, b: (g.reshape(-1),), lambda g, a, b: (np.ones(g.size),)),
}


def rule_cases(name, cotangent):
    shapes = [((3, 2), (2, 4), (3, 4)), ((2, 4), (4, 3), (2, 3)), ((4, 3), (3, 2), (4, 2))]
    if name != "matmul":
        shapes = [(shape, shape, shape) for shape, _, _ in shapes]
    return [case(cotangent(g), *(RNG.uniform(0.5, 2, size=size) for size in (a, b))) for a, b, g in shapes]


@pytest.mark.parametrize("name", RULES)
def test_a_rule_that_ignores_the_incoming_gradient_fails(name):
    rule, ignoring = RULES[name]
    others = {f"filler-{k}": lambda *args, k=k: tuple((k + 2.5) * part for part in rule(*args)) for k in range(4)}
    mutants = {"ignores-upstream": ignoring, **others}
    assert_killed_and_named(exercise(rule, rule_cases(name, lambda size: RNG.normal(size=size)), mutants))
    with pytest.raises(SpecError, match="the reference and ignores-upstream cannot be told apart"):
        compile_check(exercise(rule, rule_cases(name, np.ones), mutants))


def test_an_exponent_that_is_always_zero_is_refused():
    """`randint(1)` is always 0, and the gradient of x**0 is zero whatever the rule says."""

    def power_gradient(g, x, n):
        return g * n * x ** (n - 1)

    mutants = {
        "no-power": lambda g, x, n: g * n * x,
        "exponent-alone": lambda g, x, n: n * np.ones_like(x),
        "sign-flipped": lambda g, x, n: -g * n * x ** (n - 1),
        "power-not-lowered": lambda g, x, n: g * n * x**n,
        "exponent-forgotten": lambda g, x, n: g * x ** (n - 1),
    }
    xs = [(RNG.normal(size=n), RNG.uniform(0.5, 2, size=n)) for n in (3, 4, 2)]
    with pytest.raises(SpecError, match="near zero"):
        compile_check(exercise(power_gradient, [case(g, x, 0) for g, x in xs], mutants))
    cases = [case(g, x, n) for (g, x), n in zip(xs, (3, 4, 5), strict=True)]
    assert_killed_and_named(exercise(power_gradient, cases, mutants))


# --- micrograd, TinyTorch: engines -----------------------------------------------------------------------------------


class Engine(NUMBER):
    """A right engine with subtraction and ReLU."""

    cut = 0.0

    def __neg__(self):
        return self * -1.0

    def __sub__(self, other):
        return self + (-self.wrap(other))

    def __rsub__(self, other):
        return type(self)(other) + (-self)

    def wrap(self, other):
        return other if isinstance(other, NUMBER) else type(self)(other)

    def relu(self):
        on = float(self.data > self.cut)
        return type(self)(self.data * on, (self,), (on,))


class WrongReflectedDifference(Engine):
    def __rsub__(self, other):
        return self - other


class CutAtOne(Engine):
    cut = 1.0


class OverwritesWithoutOrder(Engine):
    """Overwrites ``grad`` and recurses at once: d(x x)/dx at 3 is 3, and 1 for (a + a) + (a + a)."""

    def backward(self, arrived=1.0):
        self.grad = arrived
        for parent, rate in zip(self.parents, self.local_grads, strict=True):
            parent.backward(rate * arrived)


class RecursesBeforeAllHasArrived(Engine):
    """Adds up, but passes the running sum on each time it is reached."""

    def backward(self, first=True):
        self.grad = 1.0 if first else self.grad
        for parent, rate in zip(self.parents, self.local_grads, strict=True):
            parent.grad += rate * self.grad
            parent.backward(False)


class OverwritesInOrder(Engine):
    """In the right order, and still only the last contribution stays."""

    def backward(self):
        order = []

        def visit(node):
            if node not in order:
                for parent in node.parents:
                    visit(parent)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            for parent, rate in zip(node.parents, node.local_grads, strict=True):
                parent.grad = rate * node.grad


class KeepsGradOfClass(Engine):
    """One list of gradients for all numbers there are."""

    shared: list = []  # noqa: RUF012 - the slip itself

    @property
    def grad(self):
        return sum(self.shared)

    @grad.setter
    def grad(self, value):
        self.shared.append(value)


A_PLUS_A = ("add", X0, X0)
ENGINE = Exercise(
    id="07.2", title="An engine", function="Engine", minutes=3, difficulty=1, points=1, see="a page",
    reference=Engine,
    visible=[
        case(("mul", X0, X0), [3.0]),
        case(("add", A_PLUS_A, A_PLUS_A), [1.5]),
        case(("mul", A_PLUS_A, ("add", A_PLUS_A, X1)), [1.5, 0.5]),
        case(("add", ("tanh", X0), X0), [0.75]),
        case(("mul", ("sub", ("const", 2.0), X0), X1), [0.5, -1.5]),
        case(("mul", ("relu", X0), ("relu", X1)), [0.5, 0.75]),
        case(("add", ("relu", X0), X1), [-0.5, 1.25]),
    ],
    hidden=lambda rng: [], accepted=[Engine] * 5,
    bank=[
        Misconception(name, answer, "It is off.", "Why.", "There.")
        for name, answer in {
            "reflected-difference": WrongReflectedDifference,
            "relu-cut-at-one": CutAtOne,
            "overwrites-without-order": OverwritesWithoutOrder,
            "recurses-too-early": RecursesBeforeAllHasArrived,
            "overwrites-in-order": OverwritesInOrder,
        }.items()
    ],
    hints=("one", "two", "three"), driver="scalar_expression",
)  # fmt: skip


def test_wrong_engines_fail_and_are_named():
    assert_killed_and_named(ENGINE)


def test_gradients_shared_by_a_whole_class_fail():
    assert judge(compile_check(ENGINE), LocalCall(KeepsGradOfClass, "scalar_expression")).status == "wrong"


def test_an_object_that_agrees_with_everything_fails():
    """Overloaded comparisons act where objects are compared; here only plain numbers are."""

    class Agreeable:
        def __eq__(self, other):
            return True

        def __array_ufunc__(self, *args, **kwargs):
            return True

        __hash__ = None
        shape = ()

    assert judged("90.1", lambda a, b: Agreeable()).status == "wrong"


# --- fastai, nbgrader: right by accident, wrong by accident ----------------------------------------------------------


def test_a_value_from_a_stale_global_fails():
    res = {"portions": 1.5}
    assert judged("90.1", lambda portions_per_gram, grams_per_money: res["portions"]).status == "wrong"
    assert judged("90.2", lambda inputs, targets, weights: np.zeros(len(res) + 2)).status == "wrong"


def test_a_returned_zero_is_no_full_mark():
    for answer in (lambda a, b: 0, lambda a, b: False, lambda a, b: None):
        assert judged("90.1", answer).status == "wrong"


def test_two_rows_hide_a_forgotten_factor_and_are_refused():
    """With n = 2 rows, forgetting the 2 and the 1/n changes nothing."""

    def reference(x, r):
        return 2 * x.T @ r / len(r)

    mutants = {"forgets-both": lambda x, r: x.T @ r, **fillers(reference, 4)}
    two = [case(RNG.normal(size=(2, d)), RNG.normal(size=2)) for d in (3, 4, 2)]
    with pytest.raises(SpecError, match="the reference and forgets-both cannot be told apart"):
        compile_check(exercise(reference, two, mutants))
    mixed = [case(RNG.normal(size=(n, d)), RNG.normal(size=n)) for n, d in ((2, 3), (5, 4), (3, 2))]
    assert_killed_and_named(exercise(reference, mixed, mutants))


def test_a_warning_does_not_make_a_right_answer_wrong():
    def sigmoid_slope(x):
        s = 1 / (1 + np.exp(-x))
        return s * (1 - s)

    inputs = [case(np.array([0.5, -1.0])), case(np.array([1.5, 2.0, -0.3])), case(np.array([-2.0, 0.1]))]
    check = compile_check(exercise(sigmoid_slope, inputs, fillers(sigmoid_slope, 5)))

    def warns(x):
        np.log(np.zeros(1))  # divide by zero encountered
        return sigmoid_slope(x)

    assert judge(check, LocalCall(warns, "call")).passed
