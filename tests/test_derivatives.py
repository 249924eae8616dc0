"""One table of derivatives: each is right, each is said rightly, and everyone who differentiates agrees with it."""

import doctest
import math
import subprocess
import sys

import numpy as np
import pytest
import sympy

import coursepkg.autodiff.catalogue  # noqa: F401 - fills the table of primitives
from coursepkg import derivatives
from coursepkg.autodiff import scalar
from coursepkg.autodiff.graph_reader import Node, local_derivatives
from coursepkg.autodiff.table import PRIMITIVES
from coursepkg.derivatives import OPERATIONS
from coursepkg.grading.judging.drivers import graph
from coursepkg.visualize.graph.notation import local_formula, symbol

TABLE = {each.names[0]: each for each in OPERATIONS.values()}
UNARY = {name: each for name, each in TABLE.items() if len(each.slopes) == 1}
BINARY = {name: each for name, each in TABLE.items() if len(each.slopes) == 2}

# Points inside each domain, on both sides of zero where there are two.
POINTS = dict.fromkeys(UNARY, (-1.7, -0.4, 0.3, 2.2))
POINTS |= dict.fromkeys(["log", "log2", "log10", "sqrt"], (0.2, 0.9, 3.1))
POINTS |= dict.fromkeys(["arcsin", "arccos", "arctanh"], (-0.8, -0.1, 0.6))
POINTS |= {"log1p": (-0.6, 0.4, 2.5), "arccosh": (1.3, 2.4, 5.0)}
PAIRS = dict.fromkeys(BINARY, ((1.3, 0.7), (-1.2, 0.4), (0.6, -2.1), (-0.5, -1.9)))
PAIRS |= {"power": ((1.3, 0.7), (0.4, -2.0), (2.2, 3.0), (0.8, 0.0))}
CALLS = [(name, (x,)) for name in UNARY for x in POINTS[name]] + [
    (name, pair) for name in BINARY for pair in PAIRS[name]
]
EDGES = [
    ("relu", (0.0,)), ("absolute", (0.0,)), ("sqrt", (0.0,)), ("maximum", (1.5, 1.5)), ("minimum", (-2.0, -2.0)),
    ("power", (0.0, 0.0)), ("power", (0.0, 1.0)), ("power", (0.0, 2.5)), ("power", (0.0, 0.5)),
]  # fmt: skip


def differences(each, numbers):
    """The slopes by central differences, one for each operand."""
    found = []
    for i, x in enumerate(numbers):
        above, below = ([*numbers[:i], x + h, *numbers[i + 1 :]] for h in (1e-6, -1e-6))
        found.append((each.value(math, *above) - each.value(math, *below)) / 2e-6)
    return found


@pytest.mark.parametrize(("name", "numbers"), CALLS)
def test_each_slope_is_that_of_its_value(name, numbers):
    each = TABLE[name]
    value, *slopes = each.at(math, *numbers)
    assert value == each.value(math, *numbers)
    assert slopes == pytest.approx(differences(each, list(numbers)), rel=1e-7, abs=1e-9)


@pytest.mark.parametrize(("name", "numbers"), CALLS)
def test_each_slope_is_said_as_it_is_computed(name, numbers):
    each, names = TABLE[name], {"x": numbers[0], "y": numbers[-1], "out": TABLE[name].value(math, *numbers)}
    for slope, words in zip(each.slopes, each.words, strict=True):
        said = words.format(x="x", y="y", out="out")
        for letters, formula in (("the sign of x", "sign(x)"), ("1 if x > 0, else 0", "Heaviside(x)")):
            said = said.replace(letters, formula)
        for first, second in ("xy", "yx"):
            said = said.replace(f"1 if {first} is the larger, else 0", f"Heaviside({first} - {second})")
            said = said.replace(f"1 if {first} is the smaller, else 0", f"Heaviside({second} - {first})")
        for sign, written in (("×", "*"), ("÷", "/"), ("−", "-"), ("²", "**2"), ("^", "**")):
            said = said.replace(sign, written)
        assert float(sympy.sympify(said).subs(names)) == pytest.approx(slope(math, names["out"], *numbers), rel=1e-12)


def test_slopes_at_kinks_and_at_the_ends_of_a_domain():
    at = {(name, numbers): TABLE[name].at(math, *numbers)[1:] for name, numbers in EDGES}
    assert at == {
        ("relu", (0.0,)): (0.0,),
        ("absolute", (0.0,)): (0.0,),
        ("sqrt", (0.0,)): (math.inf,),
        ("maximum", (1.5, 1.5)): (0.5, 0.5),
        ("minimum", (-2.0, -2.0)): (0.5, 0.5),
        ("power", (0.0, 0.0)): (0.0, 0.0),
        ("power", (0.0, 1.0)): (1.0, 0.0),
        ("power", (0.0, 2.5)): (0.0, 0.0),
        ("power", (0.0, 0.5)): (math.inf, 0.0),
    }
    base, exponent = TABLE["power"].at(math, -2.0, 3.0)[1:]
    assert base == 12.0
    assert math.isnan(exponent)


# --- the array primitives


ENTRIES = {entry.name: entry for entry in PRIMITIVES.values()}


@pytest.mark.parametrize("name", TABLE)
def test_an_array_primitive_has_the_slope_of_the_table(name):
    each, entry = TABLE[name], ENTRIES[name]
    operands = [np.array(POINTS[name])] if name in UNARY else list(np.array(PAIRS[name]).T)
    g = np.linspace(-1.5, 2.5, len(operands[0]))
    out = entry.forward(*operands)
    for slope, vjp in zip(each.slopes, entry.vjp, strict=True):
        found = vjp(g, out, *operands)
        np.testing.assert_allclose(g * slope(np, out, *operands), found, rtol=1e-14)
        one_by_one = [slope(math, *numbers) for numbers in zip(*(a.tolist() for a in (out, *operands)), strict=True)]
        np.testing.assert_allclose(g * one_by_one, found, rtol=1e-14)


@pytest.mark.parametrize(("name", "numbers"), [*EDGES, ("power", (-2.0, 3.0))])
def test_an_array_primitive_has_the_slope_of_the_table_at_an_edge(name, numbers):
    entry, operands = ENTRIES[name], [np.array([x]) for x in numbers]
    with np.errstate(divide="ignore", invalid="ignore"):
        found = [vjp(np.array([2.5]), entry.forward(*operands), *operands) for vjp in entry.vjp]
    np.testing.assert_array_equal(np.ravel(found), 2.5 * np.array(TABLE[name].at(math, *numbers)[1:]))


# --- those who read the table


def test_the_scalar_engine_reads_the_table():
    assert set(scalar.RULES.values()) <= {each.at for each in TABLE.values()}
    x, y = scalar.Scalar(-1.3), scalar.Scalar(0.7)
    assert (x / y).local_grads == OPERATIONS["/", 2].at(math, -1.3, 0.7)[1:]
    assert (x * y).local_grads == OPERATIONS["*", 2].at(math, -1.3, 0.7)[1:]  # written out there, for speed
    assert (x + y).local_grads == OPERATIONS["+", 2].at(math, -1.3, 0.7)[1:]


@pytest.mark.parametrize(("name", "numbers"), CALLS)
def test_given_graphs_and_drawings_read_the_table(name, numbers):
    value, *slopes = TABLE[name].at(math, *numbers)
    output, _, _ = graph((name, *(("var", i) for i in range(len(numbers)))), numbers)
    assert (output.data, *output.local_grads) == (value, *slopes)
    assert local_derivatives(name, list(numbers), value) == slopes
    node = Node(2, None, value, None, "", name, list(range(len(numbers))))
    said = [local_formula(node, i, ["p", "q"][: len(numbers)], "r") for i in range(len(numbers))]
    assert said == [words.format(x="p", y="q", out="r") for words in TABLE[name].words]


def test_all_names_of_an_operation_are_drawn_alike():
    assert {symbol(name) for name in ("multiply", "mul", "*", "·")} == {"×"}
    assert {symbol(name) for name in ("negative", "neg", "subtract", "sub", "-")} == {"−"}
    assert (symbol("absolute"), symbol("√"), symbol("tanh"), symbol("my own")) == ("abs", "sqrt", "tanh", "my own")


def test_nobody_can_change_the_table():
    with pytest.raises(TypeError, match="does not support item assignment"):
        OPERATIONS["tanh", 1] = OPERATIONS["sin", 1]
    with pytest.raises(AttributeError, match="cannot assign to field"):
        OPERATIONS["tanh", 1].slopes = OPERATIONS["sin", 1].slopes


def test_a_rule_changed_in_the_engine_is_not_the_judges(monkeypatch):
    monkeypatch.setitem(scalar.RULES, "tanh", lambda m, x: (0.0, 0.0))
    output, _, _ = graph(("tanh", ("var", 0)), [0.5])
    assert output.local_grads == (pytest.approx(1 - math.tanh(0.5) ** 2, rel=1e-15),)


def test_the_table_loads_nothing_heavy():
    code = """
import sys
for heavy in ("numpy", "sympy", "matplotlib"):
    sys.modules[heavy] = None
import coursepkg.derivatives
print(sorted(name for name in sys.modules if name.startswith("coursepkg")))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "['coursepkg', 'coursepkg._drawings', 'coursepkg.derivatives']\n", done.stderr


def test_the_examples_in_the_docstrings_are_right():
    tried = doctest.testmod(derivatives)
    assert (tried.failed, tried.attempted) == (0, 3)
