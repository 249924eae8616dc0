"""09.2 The rules of a dual number."""

from __future__ import annotations

import math

import numpy as np

from coursepkg.autodiff.dual import Dual
from coursepkg.grading.specification.domain import Array, Choice
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import numbers


def dual_rule(operation, x, y):
    (a, da), (b, db) = x, y
    if operation == "add":
        return (a + b, da + db)
    if operation == "multiply":
        return (a * b, da * b + a * db)
    if operation == "divide":
        return (a / b, (da * b - a * db) / b**2)
    if operation == "tanh":
        return (math.tanh(a), (1 - math.tanh(a) ** 2) * da)
    return (a, da) if a > 0 else (0.0, 0.0)


def dual_by_partials(operation, x, y):
    (a, da), (b, db) = x, y
    value, by_a, by_b = {
        "add": lambda: (a + b, 1.0, 1.0),
        "multiply": lambda: (a * b, b, a),
        "divide": lambda: (a / b, 1 / b, -a / b / b),
        "tanh": lambda: (np.tanh(a), 1 / np.cosh(a) ** 2, 0.0),
        "relu": lambda: (max(a, 0.0), float(a > 0), 0.0),
    }[operation]()
    return [value, by_a * da + by_b * db]


def dual_by_engine(operation, x, y):
    from coursepkg.autodiff.catalogue import relu

    f = {
        "add": lambda a, b: a + b, "multiply": lambda a, b: a * b, "divide": lambda a, b: a / b,
        "tanh": lambda a, b: np.tanh(a), "relu": lambda a, b: relu(a),
    }[operation]  # fmt: skip
    out = f(Dual(x[0], x[1]), Dual(y[0], y[1]))
    return out.value, out.tangent


def dual_by_complex_step(operation, x, y):
    a, b = x[0] + 1e-30j * x[1], y[0] + 1e-30j * y[1]
    out = {
        "add": lambda: a + b, "multiply": lambda: a * b, "divide": lambda: a / b, "tanh": lambda: np.tanh(a),
        "relu": lambda: a * (a.real > 0),
    }[operation]()  # fmt: skip
    return (out.real, out.imag / 1e-30)


def dual_quotient_rule(operation, x, y):
    """Division through the derivative of the quotient: q b = a."""
    if operation == "divide":
        q = x[0] / y[0]
        return np.array([q, (x[1] - q * y[1]) / y[0]])
    if operation == "tanh":
        t = np.tanh(x[0])
        return np.array([t, x[1] - t * t * x[1]])
    return np.array(dual_rule(operation, x, y))


def dual_float32(operation, x, y):
    return tuple(np.float32(n) for n in dual_rule(operation, x, y))


def dual_with(operation, tangent):
    """One rule changed, the others right."""

    def answer(asked, x, y):
        value, right = dual_rule(asked, x, y)
        return (value, tangent(*x, *y)) if asked == operation else (value, right)

    return answer


def dual_relu_of_both(operation, x, y):
    value, tangent = dual_rule(operation, x, y)
    return (max(x[0], 0.0), max(x[1], 0.0)) if operation == "relu" else (value, tangent)


OPERATIONS = ("add", "multiply", "divide", "tanh", "relu")


def dual_edges(rng):
    """A factor, a numerator, an input of tanh that is 0; factors that stand still, or are equal; both gates."""
    p, q, r, s, u, w = numbers(rng, 6)
    up, down = abs(numbers(rng, 1, 0.3, 0.9)[0]), -abs(numbers(rng, 1, 0.3, 0.9)[0])
    return [
        case("multiply", [0.0, p], [q, 0.0]),
        case("multiply", [s, 0.0], [0.0, w]),
        case("multiply", [w, q], [w, 2 * s]),
        case("divide", [0.0, u], [abs(p), 0.0]),
        case("divide", [w, s], [-0.5 * abs(r), p]),
        case("tanh", [0.0, s], [q, w]),
        case("tanh", [-0.9 * abs(q), r], [p, u]),
        case("tanh", [10.1 + 0.3 * abs(p), 1e6 * q], [p, u]),
        case("divide", [7.0, 3.0], [2.0, 5.0]),
        case("relu", [1200.0 + p, q], [s, w]),
        case("tanh", [800.0 + p, r], [s, w]),
        case("tanh", [-800.0 + q, u], [p, s]),
        case("relu", [up, down], numbers(rng, 2)),
        case("relu", [down, up], numbers(rng, 2)),
        case("relu", [1.3 * up, 0.7 * up], numbers(rng, 2)),
    ]


def dual_pairs(rng):
    """Pairs that any operation may be given: tangents that are equal, large or 0; values of 1; small beside large."""
    p, q, r, s = numbers(rng, 4)
    return [
        ([p, q], [r, q]),
        ([p, 0.0], [r, 0.0]),
        ([abs(p), abs(q)], [abs(r), abs(s)]),
        ([-abs(p), -abs(q)], [-abs(r), -abs(s)]),
        ([1.0, q], [r, s]),
        ([p, q], [1.0, s]),
        ([4 * p, q], [round(0.2 * r, 3), s]),
        ([p, 300 * q], [r, s]),
        ([p, q], [r, 300 * s]),
    ]


def hidden_dual(rng):
    p, q, r, s = numbers(rng, 4)
    large = [round(float(rng.uniform(300, 900)), 1) for _ in range(4)]
    return [
        *(case(name, numbers(rng, 2), numbers(rng, 2)) for name in OPERATIONS[:4]),
        *dual_edges(rng),
        *(case(name, x, y) for name in OPERATIONS for x, y in dual_pairs(rng)),
        *(case(name, [p, q], [sign * p, 2 * r]) for name in OPERATIONS[:3] for sign in (1, -1)),
        *(case(name, [large[0], 90 * q], [-large[1], 70 * r]) for name in OPERATIONS[:3]),
        case("divide", [-large[2], 80 * q], [large[3], 60 * s]),
        case("divide", [s, q], [large[2], large[3]]),
        case("divide", [-abs(p), s], [-abs(r), q]),
        case("divide", [abs(r), q], [abs(s), p]),
        case("multiply", [-large[0], q], [-large[1], s]),
        case("tanh", [7.0 + 0.3 * abs(p), 1e6 * q], [p, r]),
        case("tanh", [-10.1 - 0.3 * abs(r), 1e6 * q], [p, s]),
        case("tanh", [3.0 * q, s], [0.0, 0.0]),
        case("relu", [-large[0], q], [s, r]),
        case("relu", [large[1], 0.0], [s, r]),
        case("relu", [-abs(p), -abs(q)], [0.0, 0.0]),
    ]


BANK = [
    wrong("tangents-multiplied", dual_with("multiply", lambda a, da, b, db: da * db),
          "notebook 09, section 1: the rule for a product",
          "The tangent of the product is the product of the tangents.",
          "To first order only one factor moves at a time; da db is of second order."),
    wrong("factors-swapped", dual_with("multiply", lambda a, da, b, db: a * da + b * db),
          "chapter 02: the local derivative of a product is the other factor",
          "In the product each tangent was multiplied by its own value.",
          "The change of one factor counts as often as the other factor says."),
    wrong("quotient-with-a-plus", dual_with("divide", lambda a, da, b, db: (da * b + a * db) / b**2),
          "notebook 09, section 1: try it with a = 1",
          "The tangent of the quotient has the wrong sign in its second part.",
          "A larger divisor makes a quotient smaller."),
    wrong("quotient-of-the-tangents", dual_with("divide", lambda a, da, b, db: da / db),
          "notebook 09, section 1: the rule for a quotient",
          "The tangent of the quotient is the quotient of the tangents.",
          "Only sums can be taken part by part."),
    wrong("tanh-slope-at-the-input", dual_with("tanh", lambda a, da, b, db: (1 - a * a) * da),
          "chapter 02: the slope of tanh from its result",
          "The slope of tanh was computed from its input.",
          "It is one minus the square of what comes out."),
    wrong("tanh-of-the-tangent", dual_with("tanh", lambda a, da, b, db: math.tanh(da)),
          "notebook 09, section 1: values bend, tangents are stretched",
          "The tangent was sent through tanh as if it were a value.",
          "A tangent is only stretched, by the slope at the value."),
    wrong("relu-of-the-tangent", dual_relu_of_both, "notebook 09, section 1: the gate belongs to the value",
          "For relu the tangent was cut at zero by its own sign.",
          "The value decides whether the gate is open; an open gate lets a negative change pass, too."),
    wrong("tanh-without-its-tangent", dual_with("tanh", lambda a, da, b, db: 1 - math.tanh(a) ** 2),
          "notebook 09, section 1, 'One pass, one number'",
          "For tanh stands the slope alone.",
          "A slope says by what a change is stretched. Which change came in?"),
    wrong("tanh-square-times-tangent", dual_with("tanh", lambda a, da, b, db: 1 - math.tanh(a) ** 2 * da),
          "notebook 09, section 1, 'One pass, one number'",
          "In the rule for tanh the tangent stretches only a part of the slope.",
          "The whole slope multiplies the change. Look at what a product binds without brackets."),
    wrong("divisor-not-squared", dual_with("divide", lambda a, da, b, db: (da * b - a * db) / b),
          "notebook 09, section 1, 'One pass, one number'",
          "The tangent of the quotient is too large by the factor b.",
          "Let the divisor stand still. Then only the numerator moves, and you can say what must come out."),
    wrong("not-divided-by-anything", dual_with("divide", lambda a, da, b, db: da * b - a * db),
          "notebook 09, section 1, 'One pass, one number'",
          "The tangent of the quotient is too large by the square of b.",
          "Let the divisor stand still. Then only the numerator moves, and you can say what must come out."),
    wrong("quotient-the-other-way", dual_with("divide", lambda a, da, b, db: (a * db - da * b) / b**2),
          "notebook 09, section 1, 'One pass, one number'",
          "The tangent of the quotient has the opposite sign.",
          "A larger numerator makes a quotient larger if the divisor is positive."),
    wrong("divisor-stands-still", dual_with("divide", lambda a, da, b, db: da / b),
          "notebook 09, section 1, 'One pass, one number'",
          "In the quotient only the numerator moves.",
          "The divisor has a tangent, too."),
    wrong("product-divided-by-its-factors",
          dual_with("multiply", lambda a, da, b, db: a * b * (np.float64(da) / a + np.float64(db) / b)),
          "notebook 09, section 1, 'One pass, one number'",
          "The product is right until one of its factors is 0.",
          "Relative changes add up, but what is 0 has no relative change. The rule for products divides by nothing."),
    wrong("gate-for-the-value-only", dual_with("relu", lambda a, da, b, db: da),
          "notebook 09, section 1: the gate belongs to the value",
          "For relu the value was cut and the tangent was not.",
          "Where the gate is closed, a small change of the input changes nothing."),
]  # fmt: skip

EXERCISE = Exercise(
    id="09.2",
    title="The rules of a dual number",
    function="dual_rule",
    minutes=12,
    difficulty=1,
    points=3,
    see="notebook 09, section 1",
    reference=dual_rule,
    domain={"operation": Choice(*OPERATIONS), "x": Array("2"), "y": Array("2")},
    meets={
        "the first factor is 0": lambda operation, x: operation == "multiply" and x[0] == 0,
        "the second factor is 0": lambda operation, y: operation == "multiply" and y[0] == 0,
        "the numerator is 0": lambda operation, x: operation == "divide" and x[0] == 0,
        "the divisor stands still": lambda operation, y: operation == "divide" and y[1] == 0,
        "the divisor is positive, and moves": lambda operation, x, y: operation == "divide" and y[0] > 0 != x[0] * y[1],
        "the divisor is negative, and moves": lambda operation, x, y: operation == "divide" and y[0] < 0 != x[0] * y[1],
        "factors are equal, and move differently": lambda operation, x, y: (
            operation == "multiply" and x[0] == y[0] and x[1] != y[1]
        ),
        "a factor stands still": lambda operation, x, y: operation == "multiply" and 0 in (x[1], y[1]),
        "tanh of 0": lambda operation, x: operation == "tanh" and x[0] == 0,
        "tanh of a positive number": lambda operation, x: operation == "tanh" and x[0] > 0,
        "tanh of a negative number": lambda operation, x: operation == "tanh" and x[0] < 0,
        "tanh is nearly flat, and much arrives": lambda operation, x: (
            operation == "tanh" and 10 < x[0] < 11 < abs(x[1])
        ),
        "whole numbers are divided": lambda operation, x, y: (
            operation == "divide" and x[0] % 1 == y[0] % 1 == 0 != x[0] % y[0]
        ),
        "relu of a large number": lambda operation, x: operation == "relu" and x[0] > 1000,
        "tanh of a large number": lambda operation, x: operation == "tanh" and x[0] > 750,
        "tanh of a large number below 0": lambda operation, x: operation == "tanh" and x[0] < -750,
        "an open gate, and a tangent below 0": lambda operation, x: operation == "relu" and x[1] < 0 < x[0],
        "a closed gate, and a tangent above 0": lambda operation, x: operation == "relu" and x[0] < 0 < x[1],
    },
    visible=[
        case("add", [1.2, 0.5], [-0.4, 1.1]),
        case("multiply", [1.2, 0.5], [-0.4, 1.1]),
        case("divide", [0.9, -0.7], [-1.3, 0.6]),
        case("tanh", [0.8, 1.4], [0.6, -0.5]),
        *dual_edges(np.random.default_rng(92)),
    ],
    hidden=hidden_dual,
    accepted=[dual_by_partials, dual_by_engine, dual_by_complex_step, dual_quotient_rule, dual_float32],
    bank=BANK,
    hints=(
        "The first number of each pair follows ordinary arithmetic. For the second ask: by how much does the result "
        "change, to first order?",
        "It is always (derivative by the first) times da plus (derivative by the second) times db.",
        "add: da + db; multiply: da b + a db; divide: (da b − a db) / b²; tanh: (1 − tanh(a)²) da; relu: da where a is "
        "positive, otherwise 0.",
    ),
    equivalent_mutants={
        "`a > 0` → `a >= 0`": "no input is zero",
        "squeezes": "both results are numbers",
    },
)
