"""02.4 One variable, two uses."""

from __future__ import annotations

import numpy as np

from coursepkg.autodiff.scalar import Scalar
from coursepkg.grading.specification.domain import Number
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import numbers


def fan_out_gradients(a, b, e_bar):
    c, d = a + b, b + 1
    c_bar, d_bar = e_bar * d, e_bar * c
    return c_bar, c_bar + d_bar


def fan_out_closed(a, b, e_bar):
    return [e_bar * (b + 1), e_bar * (a + 2 * b + 1)]


def fan_out_accumulate(a, b, e_bar):
    grads = {"a": 0.0, "b": 0.0}
    for name, amount in (("a", b + 1), ("b", b + 1), ("b", a + b)):
        grads[name] += e_bar * amount
    return tuple(grads.values())


def fan_out_jacobian(a, b, e_bar):
    inner = np.array([[1.0, 1.0], [0.0, 1.0]])
    return e_bar * np.array([b + 1, a + b]) @ inner


def fan_out_engine(a, b, e_bar):
    a, b = Scalar(a), Scalar(b)
    ((a + b) * (b + 1) * e_bar).backward()
    return np.array([a.grad, b.grad])


def fan_out_complex(a, b, e_bar):
    h = 1e-25
    return ((a + 1j * h + b) * (b + 1)).imag / h * e_bar, ((a + b + 1j * h) * (b + 1j * h + 1)).imag / h * e_bar


def fan_out_edges(rng):
    """Each of the two factors is zero once; a variable is zero; variables or factors are equal; nothing arrives."""
    a, b, e_bar = numbers(rng, 3)
    return [
        case(a, -a, e_bar),
        case(a, -1.0, e_bar),
        case(0.0, b, e_bar),
        case(b, 0.0, a),
        case(b, b, a),
        case(a, b, 0.0),
        case(1.0, b, e_bar),
        case(a * 1e6, b * 1e-6, e_bar * 1e-5),
        case(a * 1e-6, -1 + b * 1e-5, e_bar * 1e5),
        case(a, b, a),
        case(a, b, b),
    ]


_draw = np.random.default_rng(24)

BANK = [
    wrong("overwrites-with-second-use", lambda a, b, e_bar: (e_bar * (b + 1), e_bar * (a + b)),
          "notebook 02, section 5, 'Gradients add where a value fans out'",
          "The gradient of b holds only what came through d = b + 1.",
          "The report of the second use replaced that of the first. A nudge of b moves c and d, and both move e."),
    wrong("keeps-first-use", lambda a, b, e_bar: (e_bar * (b + 1), e_bar * (b + 1)),
          "notebook 02, section 5, 'Gradients add where a value fans out'",
          "The gradient of b holds only what came through c = a + b.",
          "b is used a second time, in d = b + 1, and that use reports as well."),
    wrong("multiplies-the-paths", lambda a, b, e_bar: (e_bar * (b + 1), e_bar * (b + 1) * (a + b)),
          "notebook 02, section 5: along a path you multiply, over paths you add",
          "The two reports that reach b were multiplied.",
          "Along one path rates multiply. Two paths are two separate effects of the same nudge, and effects add."),
    wrong("averages-the-paths", lambda a, b, e_bar: (e_bar * (b + 1), e_bar * (a + 2 * b + 1) / 2),
          "notebook 02, section 5, 'Gradients add where a value fans out'",
          "The gradient of b is the mean of its two reports.",
          "Both uses move at once when b moves, so their effects add up in full."),
    wrong("ignores-upstream", lambda a, b, e_bar: (b + 1, a + 2 * b + 1),
          "notebook 02, section 2, 'downstream = upstream × local'",
          "Your numbers are right when e_bar is 1 and wrong otherwise.",
          "The product hands on what it has received: upstream × local."),
    wrong("product-keeps-its-own", lambda a, b, e_bar: (e_bar * (a + b), e_bar * (a + 2 * b + 1)),
          "notebook 02, section 2: a product swaps",
          "a got the value of c instead of the value of d.",
          "a acts through c, and at the product c receives the other factor."),
    wrong("adds-into-both", lambda a, b, e_bar: (e_bar * (a + 2 * b + 1), e_bar * (a + 2 * b + 1)),
          "notebook 02, section 5: draw the graph; which edges leave a?",
          "a got the same total as b.",
          "Only b is used twice. There is a single path from a to e, through c."),
    wrong("upstream-on-one-path-only", lambda a, b, e_bar: (e_bar * (b + 1), e_bar * (b + 1) + a + b),
          "notebook 02, section 2, 'downstream = upstream × local'",
          "One of the two reports that reach b has not been multiplied by e_bar.",
          "Both reports start at e, and both carry what arrived there."),
    wrong("results-exchanged", lambda a, b, e_bar: (e_bar * (a + 2 * b + 1), e_bar * (b + 1)),
          "'Gradients add where a value fans out', and the docstring of the exercise",
          "Both numbers are right, and stand in the other order.",
          "The gradient of a comes first, then that of b."),
    wrong("forgets-the-one", lambda a, b, e_bar: (e_bar * b, e_bar * (a + 2 * b)),
          "notebook 02, section 2: what is the value of d?",
          "The value of d was taken to be b.",
          "A constant has no gradient, but it has a value, and the product hands out values."),
    wrong("a-for-c", lambda a, b, e_bar: (e_bar * (b + 1), e_bar * (b + 1) + e_bar * a),
          "notebook 02, section 2: a product swaps",
          "The report through d was multiplied by a, not by c.",
          "d meets c in the product. c is made of a and of b."),
    wrong("counts-the-constant", lambda a, b, e_bar: (e_bar * (b + 1), e_bar * (b + 1) + 2 * e_bar * (a + b)),
          "notebook 02, section 5, 'Gradients add where a value fans out'",
          "The report through d was counted twice.",
          "Of the two summands of d only one is b. The other is a constant, and hands nothing to b."),
    wrong("equal-reports-count-once", lambda a, b, e_bar: (e_bar * (b + 1), sum({e_bar * (b + 1), e_bar * (a + b)})),
          "notebook 02, section 5, 'Gradients add where a value fans out'",
          "Where c equals d, the gradient of b holds one report in place of two.",
          "Two reports that happen to be equal are still two reports."),
    wrong("subtracts-the-paths", lambda a, b, e_bar: (e_bar * (b + 1), e_bar * (b + 1) - e_bar * (a + b)),
          "notebook 02, section 5, 'Gradients add where a value fans out'",
          "The second report was taken away from the first.",
          "A nudge of b moves both factors upwards, and both effects count with their own sign."),
]  # fmt: skip

EXERCISE = Exercise(
    id="02.4",
    title="One variable, two uses",
    function="fan_out_gradients",
    minutes=6,
    difficulty=1,
    points=2,
    see="notebook 02, section 5, 'Gradients add where a value fans out'",
    reference=fan_out_gradients,
    domain={"a": Number(), "b": Number(), "e_bar": Number()},
    meets={
        "c is 0": lambda a, b: a + b == 0,
        "d is 0": lambda b: b == -1,
        "c equals d": lambda a: a == 1,
        "a equals b": lambda a, b: a == b,
    },
    parts=["a_bar", "b_bar"],
    visible=[
        case(2.0, 1.5, 1.0),
        case(-1.2, 0.6, 2.0),
        case(0.7, -2.5, -1.5),
        case(3.0, -0.4, 0.5),
        *fan_out_edges(_draw),
    ],
    hidden=lambda rng: [*(case(*numbers(rng, 3)) for _ in range(4)), *fan_out_edges(rng)],
    accepted=[fan_out_closed, fan_out_accumulate, fan_out_jacobian, fan_out_engine, fan_out_complex],
    equivalent_mutants={"squeezes": "there are always as many results"},
    bank=BANK,
    hints=(
        "Draw the graph: c = a + b, d = b + 1, e = c * d. How many edges leave b?",
        "First the product: c_bar and d_bar. Then a receives from c alone, and b receives from c and from d.",
        "c_bar is e_bar times d, d_bar is e_bar times c. b's gradient is the sum of the two, because both "
        "sums pass on what they get.",
    ),
)
