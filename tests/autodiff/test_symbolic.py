"""The symbolic witness: the same function on formulas, differentiated, shown and evaluated."""

import math
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
import sympy

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
from coursepkg.autodiff.symbolic import Derivation, Symbolic, derive


def neuron(w, x, b):
    return sigmoid(w * x + b)


def test_free_functions_and_methods_write_the_same_formula():
    x = Symbolic("x")
    for free in (exp, log, sin, cos, tanh, sigmoid, relu, sqrt):
        assert free(x) == getattr(x, free.__name__)()
    assert abs(x) == x.abs()
    assert maximum(2, x) == x.maximum(2)
    assert minimum(x, 2) == x.minimum(2)


def test_operators_work_on_both_sides():
    x = sympy.Symbol("x", real=True)
    made = Symbolic("x")
    for formula, expected in (
        (made + 2, x + 2),
        (2 + made, x + 2),
        (made - 2, x - 2),
        (2 - made, 2 - x),
        (3 * made, 3 * x),
        (made / 4, x / 4),
        (4 / made, 4 / x),
        (made**3, x**3),
        (2**made, 2**x),
        (-made, -x),
        (abs(made), sympy.Abs(x)),
    ):
        assert formula.expression == expected


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (0.5, sympy.Rational(1, 2)),
        (0.1, sympy.Rational(1, 10)),
        (1 / 3, sympy.Rational(1, 3)),
        (2.0, sympy.Integer(2)),
        (Fraction(2, 7), sympy.Rational(2, 7)),
        (np.float64(0.25), sympy.Rational(1, 4)),
        (np.int64(3), sympy.Integer(3)),
        (math.pi, sympy.Float(math.pi)),
    ],
)
def test_short_fractions_are_written_as_fractions(number, written):
    assert (Symbolic("x") * number).expression == sympy.Symbol("x", real=True) * written


def test_numpy_leaves_the_operation_to_the_formula():
    assert isinstance(np.float64(2) * Symbolic("x"), Symbolic)
    with pytest.raises(TypeError, match="symbols and real numbers"):
        np.array([1.0, 2.0]) * Symbolic("x")


def test_a_derivation_shows_formula_and_gradient():
    witness = derive(lambda x, y, z: (x + y) * z, "x", "y", "z")
    x, y, z = sympy.symbols("x y z", real=True)
    assert witness.expression == (x + y) * z
    assert witness.gradient == {"x": z, "y": z, "z": x + y}
    assert witness.at(x=-2, y=5, z=-4) == (-4.0, -4.0, 3.0)
    assert witness.value_at(-2, 5, -4) == -12.0
    assert repr(witness) == "f = z*(x + y)\n∂f/∂x = z\n∂f/∂y = z\n∂f/∂z = x + y"


def test_latex_is_the_same_every_time():
    expected = (
        "\\begin{aligned}\n"
        "f &= \\theta w_{1} \\\\[4pt]\n"
        "\\frac{\\partial f}{\\partial \\theta} &= w_{1} \\\\[4pt]\n"
        "\\frac{\\partial f}{\\partial w_{1}} &= \\theta\n"
        "\\end{aligned}"
    )
    for _ in range(2):
        witness = derive(lambda a, b: a * b, "theta", "w_1")
        assert witness.latex() == expected
        assert witness._repr_latex_() == f"$\\displaystyle {expected}$"
    assert Symbolic("x").relu()._repr_latex_().startswith(r"$\displaystyle \begin{cases} x")


def test_latex_does_not_depend_on_the_hash_seed():
    program = """
from coursepkg.autodiff.scalar import exp, maximum, relu, sigmoid, tanh
from coursepkg.autodiff.symbolic import derive
print(derive(lambda a, b, c: sigmoid(a * b) * tanh(c + a) + maximum(a, b) * exp(-c) / (b + c) + relu(a)).latex())
"""
    shown = {
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(shown) == 1
    assert "partial f" in shown.pop()


def test_names_come_from_the_function_when_left_out():
    assert derive(neuron).names == ("w", "x", "b")
    assert derive(lambda x, scale=2.0: x * scale).names == ("x",)
    assert list(derive(neuron).at(0.5, x=2.0, b=-1.0)) == pytest.approx([0.5, 0.125, 0.25], rel=1e-15)


def test_the_gradient_at_a_point_has_names():
    at = derive(neuron, "w", "x", "b").at(w=0.5, x=2.0, b=-1.0)
    assert (at.w, at.x, at.b) == (0.5, 0.125, 0.25)
    assert str(at) == "Gradient(w=0.5, x=0.125, b=0.25)"


def test_a_variable_named_f_is_no_confusion():
    assert r"\frac{\partial F}{\partial f}" in derive(lambda f, g: f * g, "f", "g").latex()


def test_evaluation_keeps_all_digits_where_floats_would_cancel():
    witness = derive(lambda x: (1 - cos(x)) / x**2, "x")
    assert witness.value_at(1e-9) == pytest.approx(0.5, rel=1e-15)
    assert witness.at(1e-5).x == pytest.approx(-1e-5 / 12, rel=1e-9)
    assert derive(tanh, "x").at(40.0).x == pytest.approx(4 * math.exp(-80), rel=1e-14)
    assert derive(sigmoid, "x").at(-1e6).x == 0.0


def test_slopes_at_kinks_are_those_of_the_engine():
    for f, point in (
        (relu, (0.0,)),
        (abs, (0.0,)),
        (sqrt, (0.0,)),
        (lambda x: x**0, (0.0,)),
        (lambda x, y: maximum(x, y), (2.0, 2.0)),
        (lambda x, y: minimum(x, y), (2.0, 2.0)),
        (lambda x: maximum(x, 1.5), (1.5,)),
    ):
        leaves = [Scalar(v) for v in point]
        f(*leaves).backward()
        names = ("x", "y")[: len(point)]
        assert list(derive(f, *names).at(*point)) == [leaf.grad for leaf in leaves]


def test_a_constant_has_gradient_zero():
    assert derive(lambda x: 3.0, "x").at(1.0) == (0.0,)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: derive(neuron, "w", "x"), TypeError, "does not take 2 arguments"),
        (lambda: derive(neuron, "w", "x", "w"), ValueError, "a name of its own"),
        (lambda: derive(lambda x: x if x > 0 else -x), TypeError, "maximum, minimum, relu or abs"),
        (lambda: derive(lambda x: math.exp(x)), TypeError, r"methods such as x\.exp"),
        (lambda: derive(lambda x: [x, x]), TypeError, "got list"),
        (lambda: derive(lambda x: x * "2"), TypeError, "got str"),
        (lambda: derive(lambda x: x + True), TypeError, "got bool"),
        (lambda: derive(lambda x: x * 1j), TypeError, "got complex"),
        (lambda: Symbolic("x") * Scalar(2.0), TypeError, "got Scalar"),
        (lambda: Scalar(2.0) * Symbolic("x"), TypeError, "cannot be mixed with Scalars"),
        (lambda: derive(neuron).at(1.0, 2.0), TypeError, "one number for each of w, x, b"),
        (lambda: derive(neuron).at(w=1.0, x=2.0, c=3.0), TypeError, "one number for each of w, x, b"),
        (lambda: derive(log, "x").at(0.0), ValueError, "infinite there"),
        (lambda: derive(log, "x").at(-1.0), ValueError, "not a real number"),
        (lambda: derive(lambda x: 1 / x).at(0.0), ValueError, "infinite there"),
    ],
)
def test_mistakes_are_answered_in_words(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_a_formula_without_symbols_is_a_number():
    assert float(Symbolic(2).exp()) == pytest.approx(math.e**2, rel=1e-15)
    assert repr(Symbolic("x") + 1) == "Symbolic(x + 1)"
    assert {Symbolic("x"), Symbolic("x")} == {Symbolic("x")}
    assert Symbolic("x") != 1


def test_the_parts_are_public():
    assert isinstance(derive(neuron), Derivation)
