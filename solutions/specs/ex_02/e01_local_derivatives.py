"""02.1 Local derivatives."""

from __future__ import annotations

import numpy as np

from coursepkg.autodiff.scalar import Scalar
from coursepkg.grading.specification.domain import Choice, Number
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import numbers


def local_derivatives(op, a, b):
    if op == "+":
        return 1.0, 1.0
    if op == "-":
        return 1.0, -1.0
    if op == "*":
        return b, a
    return 1 / b, -a / b**2


def local_from_table(op, a, b):
    table = {"+": (1, 1), "-": (1, -1), "*": (b, a), "/": (b**-1, -a * b**-2)}
    return list(table[op])


def local_by_match(op, a, b):
    match op:
        case "+":
            rates = [1.0, 1.0]
        case "-":
            rates = [1.0, -1.0]
        case "*":
            rates = [b, a]
        case "/":
            rates = [1.0 / b, -(a / b) / b]
    return np.array(rates)


def local_by_complex_step(op, a, b):
    operation = {"+": lambda u, v: u + v, "-": lambda u, v: u - v, "*": lambda u, v: u * v, "/": lambda u, v: u / v}[op]
    h = 1e-30
    return operation(a + h * 1j, b).imag / h, operation(a, b + h * 1j).imag / h


def local_by_engine(op, a, b):
    u, v = Scalar(a), Scalar(b)
    out = u + v if op == "+" else u - v if op == "-" else u * v if op == "*" else u / v
    out.backward()
    return u.grad, v.grad


def local_in_float32(op, a, b):
    return tuple(np.float32(rate) for rate in local_derivatives(op, np.float32(a), np.float32(b)))


def instead(op_wrong, rule):
    """The right table with one entry replaced."""

    def answer(op, a, b):
        return rule(a, b) if op == op_wrong else local_derivatives(op, a, b)

    return answer


def hidden_locals(rng):
    """Each operation twice, with all signs turned round, so that the larger operand stands on either side."""
    usual = [case(op, sign * a, sign * b) for op in "+-*/" for a, b in [numbers(rng, 2)] for sign in (1, -1)]
    same, other, small = numbers(rng, 3)
    edges = [case("/", 0.0, other), case("*", 0.0, small), case("/", same, same), case("*", same, same)]
    others = [case("/", small, other), case("/", other, small), case("*", small, other)]
    others += [case("/", small, -small), case("*", other, -other), case("/", same, 1.0), case("/", 1.0, other)]
    return [*usual, *edges, *others, *extremes(rng)]


def extremes(rng):
    """Quotients of numbers near 0 and far from it; equal operands, and opposite ones, under each operation."""
    first, second, third = numbers(rng, 3)
    return [
        case("/", first, second * 1e-7),
        case("/", first * 1e6, third * 1e5),
        case("*", first * 1e-6, second * 1e7),
        case("-", third, third),
        case("+", first, first),
        case("-", second, -second),
        case("+", third, -third),
    ]


_draw = np.random.default_rng(21)


BANK = [
    wrong("sum-hands-out-its-inputs", instead("+", lambda a, b: (a, b)),
          "notebook 02, section 2: what happens to q when x is nudged?",
          "For `+` your local derivatives are the two inputs themselves.",
          "A local derivative does not say how large an input is, but how far the result moves per unit of a small "
          "nudge."),
    wrong("minus-forgets-its-sign", instead("-", lambda a, b: (1.0, 1.0)), "notebook 02, section 6, subtraction",
          "For `-` both of your local derivatives are +1.",
          "If you take away more, less is left: the result moves against the second input."),
    wrong("minus-points-the-wrong-way", instead("-", lambda a, b: (-1.0, 1.0)), "notebook 02, section 6, subtraction",
          "For `-` the minus sign stands at the wrong input.",
          "In a - b it is b that is taken away; a counts as it is."),
    wrong("product-keeps-its-own", instead("*", lambda a, b: (a, b)),
          "notebook 02, section 2: a product hands to each input the other one",
          "For `*` you gave each input its own value.",
          "Nudge one factor of a rectangle: the area grows by the length of the side that you did not touch."),
    wrong("product-like-a-sum", instead("*", lambda a, b: (1.0, 1.0)),
          "notebook 02, section 2: a product hands to each input the other one",
          "For `*` both of your local derivatives are 1, as for a sum.",
          "The derivative of a product is not the product of the derivatives."),
    wrong("equal-factors-like-a-square", instead("*", lambda a, b: (2 * a, 2 * a) if a == b else (b, a)),
          "notebook 02, section 5: what is the gradient of x * x?",
          "For `*` each factor got the slope of a square where both hold the same number.",
          "Two inputs that happen to be equal are still two inputs, and each is nudged while the other stands still."),
    wrong("product-gives-the-product", instead("*", lambda a, b: (a * b, a * b)),
          "notebook 02, section 1: change per unit of nudge",
          "For `*` you gave the result of the product, twice.",
          "That is the forward value. The local derivative says how fast the value changes."),
    wrong("quotient-sign", instead("/", lambda a, b: (1 / b, a / b**2)),
          "notebook 02, section 6: a division is a product with a negative power",
          "For `/` the second number has the wrong sign.",
          "Sharing among more leaves less for each: the result falls when the denominator grows (both positive)."),
    wrong("quotient-forgets-the-square", instead("/", lambda a, b: (1 / b, -a / b)),
          "notebook 02, section 6: the power rule for the exponent -1",
          "For `/` the second number misses one division by the denominator.",
          "The slope of 1/b is steeper than 1/b itself when b is small; try b = 0.1 with a nudge."),
    wrong("quotient-forgets-the-numerator", instead("/", lambda a, b: (1 / b, -1 / b**2)),
          "notebook 02, section 6: a division is a product with a negative power",
          "For `/` the second number does not depend on the numerator.",
          "You gave the slope of 1/b. Here a of them are taken."),
    wrong("quotient-like-a-product", instead("/", lambda a, b: (b, a)),
          "notebook 02, section 6: a division is a product with a negative power",
          "For `/` you gave the local derivatives of a product.",
          "A larger denominator makes a quotient smaller, and each share is 1/b of what is shared."),
    wrong("quotient-halves-exchanged", instead("/", lambda a, b: (-a / b**2, 1 / b)),
          "the docstring of the exercise",
          "For `/` the two numbers are exchanged.",
          "The first number belongs to a, which is shared out; the second to b, among which it is shared."),
    wrong("quotient-squares-the-wrong-one", instead("/", lambda a, b: (1 / b, -(a**2) / b)),
          "notebook 02, section 6: the power rule for the exponent -1",
          "For `/` the square stands at the numerator.",
          "It is b that stands in a power, and whose power changes. a stands in front as it is."),
    wrong("zero-numerator-passes-nothing", instead("/", lambda a, b: (1 / b if a else 0.0, -a / b**2)),
          "notebook 02, section 1: change per unit of nudge",
          "For `/` nothing flows to a where a is 0.",
          "A quotient is 0 there, but it moves as fast as anywhere else when a moves."),
    wrong("a-little-added-to-the-denominator", instead("/", lambda a, b: (1 / b, -a / (b**2 + 1e-8))),
          "notebook 02, section 6: a division is a product with a negative power",
          "For `/` your numbers are nearly right, and too small where the denominator is small.",
          "A small number added below the stroke keeps a zero from harm, and b is never zero here."),
    wrong("nothing-left-stands-still", instead("-", lambda a, b: (0.0, 0.0) if a == b else (1.0, -1.0)),
          "notebook 02, section 1: change per unit of nudge",
          "For `-` both of your local derivatives are 0 where the two numbers are equal.",
          "The result is 0 there, and it moves as soon as one of the two is nudged."),
    wrong("inputs-exchanged", lambda op, a, b: local_derivatives(op, a, b)[::-1], "the docstring of the exercise",
          "The two numbers of each pair are exchanged.",
          "The first number belongs to a, the second to b: the order of the parents."),
]  # fmt: skip

EXERCISE = Exercise(
    id="02.1",
    title="Local derivatives",
    function="local_derivatives",
    minutes=6,
    difficulty=1,
    points=2,
    see="notebook 02, section 2, 'The backward pass, by hand'",
    reference=local_derivatives,
    domain={"op": Choice("+", "-", "*", "/"), "a": Number(), "b": Number(zero=False)},
    meets={
        "a product of 0": lambda op, a: op == "*" and a == 0,
        "a number is multiplied by itself": lambda op, a, b: op == "*" and a == b,
        "0 is divided": lambda op, a: op == "/" and a == 0,
        "a number is taken from itself": lambda op, a, b: op == "-" and a == b,
        "a number is added to itself": lambda op, a, b: op == "+" and a == b,
        "a number is added to its opposite": lambda op, a, b: op == "+" and a == -b,
        "the denominator is nearly 0": lambda op, b: op == "/" and abs(b) < 1e-6,
        "the denominator is large": lambda op, b: op == "/" and abs(b) > 1e4,
        "a number is divided by itself": lambda op, a, b: op == "/" and a == b,
    },
    parts=["d/da", "d/db"],
    visible=[
        case("+", 1.5, -2.0),
        case("-", -0.5, 3.0),
        case("+", -0.8, 2.4),
        case("-", 2.6, -1.1),
        case("*", 2.5, -1.5),
        case("/", 3.0, -2.0),
        case("*", -0.75, 4.0),
        case("/", -1.25, 0.45),
        case("/", 0.0, -1.7),
        case("*", 0.0, -2.3),
        case("/", 1.35, 1.35),
        case("*", 1.85, 1.85),
        case("/", -2.0, 3.0),
        case("*", 4.0, -0.75),
        *extremes(_draw),
    ],
    hidden=hidden_locals,
    accepted=[local_from_table, local_by_match, local_by_complex_step, local_by_engine, local_in_float32],
    equivalent_mutants={"squeezes": "there are always as many results"},
    bank=BANK,
    hints=(
        "For each operation ask: if a moves by a tiny h and b stands still, by how many h does the result "
        "move? Then the other way round.",
        "A sum passes a nudge on as it is, a difference turns one of them round, a product multiplies the "
        "nudge by the factor that stood still.",
        "A quotient is a * b**-1: a product for a, and for b the power rule with exponent -1, times the a "
        "that stands in front.",
    ),
)
