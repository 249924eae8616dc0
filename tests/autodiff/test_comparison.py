"""Comparisons of routes: evidence counts and zeros do not, who stands alone is named, and two views say the same."""

import math

import numpy as np
import pytest

from coursepkg.autodiff import comparison
from coursepkg.autodiff.comparison import compare_routes
from coursepkg.autodiff.differences import Difference
from coursepkg.autodiff.scalar import Scalar, cos, exp, minimum, relu, sigmoid, sin, tanh
from coursepkg.gradients import compare, numeric, reverse


def circuit(x, y, z):
    return (x + y) * z


def smooth(x, y):
    return exp(x * y) + tanh(x) / 2.5 + sigmoid(y) * sin(x)


AT = {"x": 0.3, "y": -0.7}

# --- functions of numbers


def test_the_table_of_a_circuit():
    report = compare_routes(circuit, {"x": -2.0, "y": 5.0, "z": -4.0})
    assert str(report) == (
        "entry  reverse mode  central difference  complex step  sympy  verdict\n"
        "x      -4            -4                  -4            -4     agree\n"
        "y      -4            -4                  -4            -4     agree\n"
        "z      3             3                   3             3      agree\n"
        "All routes agree (relative tolerance 1e-06)."
    )
    assert repr(report) == str(report)
    assert report
    assert report.evidence == 3


def test_html_says_what_the_text_says():
    report = compare_routes(smooth, AT, routes={"<mine>": lambda f, p: [1.0, 2.0]})
    page = report._repr_html_()
    for cell in (
        "reverse mode",
        "central difference",
        "&lt;mine&gt;",
        "DIFFER",
        report.summary.replace("<", "&lt;").replace(">", "&gt;"),
    ):
        assert cell in page
    assert page.count("<tr>") == 3
    assert page.count('scope="row"') == 2
    assert page.count('scope="col"') == 7
    assert "<mine>" not in page


def test_the_table_is_the_same_every_time():
    first, second = (compare_routes(smooth, AT) for _ in range(2))
    assert str(first) == str(second)
    assert first._repr_html_() == second._repr_html_()


def test_bare_numbers_get_names():
    report = compare_routes(smooth, (0.3, -0.7))
    assert [row.name for row in report.rows] == ["x0", "x1"]
    assert report


WRONG = {
    "half": lambda gradient: [value / 2 for value in gradient],
    "sign": lambda gradient: [gradient[0], -gradient[1]],
    "swapped": lambda gradient: gradient[::-1],
    "zero": lambda gradient: [0.0 for value in gradient],
    "slightly off": lambda gradient: [value * (1 + 1e-5) for value in gradient],
    "one entry lost": lambda gradient: [gradient[0], 0.0],
    "nan": lambda gradient: [math.nan, gradient[1]],
    "infinite": lambda gradient: [gradient[0], math.inf],
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_route_is_named(name):
    def learner(f, point):
        leaves = [Scalar(value) for value in point.values()]
        f(*leaves).backward()
        return WRONG[name]([leaf.grad for leaf in leaves])

    report = compare_routes(smooth, AT, routes={"learner": learner})
    assert not report
    assert report.worst.verdict == "DIFFER"
    assert report.routes[report.worst.odd].name == "learner"
    assert "learner says" in report.summary
    assert report.worst.name in report.summary


def test_the_worst_entry_is_named():
    report = compare_routes(circuit, {"x": -2.0, "y": 5.0, "z": -4.0}, routes={"mine": lambda f, p: [-4, -4.4, 6]})
    assert report.worst.name == "z"
    assert report.summary == "The routes differ, most in z: mine says 6, the others say 3."
    assert [row.verdict for row in report.rows] == ["agree", "DIFFER", "DIFFER"]
    assert report.worst.difference == pytest.approx(0.5, rel=1e-9)


def test_routes_may_answer_with_a_dict_or_an_array():
    answers = {"dict": lambda f, p: {"y": -4, "x": -4, "z": 3}, "array": lambda f, p: np.array([-4, -4, 3])}
    assert compare_routes(circuit, {"x": -2.0, "y": 5.0, "z": -4.0}, routes=answers)
    with pytest.raises(ValueError, match=r"short returned 2 numbers for 3 variables \(x, y, z\)"):
        compare_routes(circuit, {"x": -2.0, "y": 5.0, "z": -4.0}, routes={"short": lambda f, p: [1, 2]})


def test_two_zeros_are_no_evidence():
    report = compare_routes(lambda x, y: x * x + 0 * y, {"x": 1.5, "y": 2.0})
    assert [row.verdict for row in report.rows] == ["agree", "no evidence"]
    assert report.evidence == 1
    assert "1 of 2 entries are evidence" in str(report)
    assert "≈ 0" in str(report)
    nothing = compare_routes(lambda x: 0 * x, {"x": 1.5})
    assert not nothing
    assert "No evidence" in nothing.summary


def test_what_only_rounding_left_is_no_evidence():
    report = compare_routes(lambda x: sin(x) ** 2 + cos(x) ** 2, {"x": 0.7})
    assert [row.verdict for row in report.rows] == ["no evidence"]
    assert not report


def test_a_wrong_zero_is_found_beside_a_right_value():
    report = compare_routes(circuit, {"x": -2.0, "y": 5.0, "z": -4.0}, routes={"stub": lambda f, p: [0, 0, 0]})
    assert {row.verdict for row in report.rows} == {"DIFFER"}


def test_a_nonzero_answer_where_all_others_say_zero_is_found():
    report = compare_routes(lambda x, y: x * x + 0 * y, {"x": 1.5, "y": 2.0}, routes={"mine": lambda f, p: [3.0, 0.5]})
    assert not report
    assert report.worst.name == "y"


def test_at_a_kink_every_slope_between_left_and_right_is_as_good():
    report = compare_routes(lambda x, y: relu(x) + y * y, {"x": 0.0, "y": 2.0})
    assert [row.verdict for row in report.rows] == ["kink", "agree"]
    assert report
    tie = compare_routes(lambda x, y: 3 * minimum(x, y), {"x": 2.0, "y": 2.0})
    assert [row.verdict for row in tie.rows] == ["kink", "kink"]
    assert not tie  # no derivative, no evidence


def test_a_kink_excuses_no_slope_outside():
    report = compare_routes(lambda x: relu(x), {"x": 0.0}, routes={"mine": lambda f, p: [1.5]})
    assert [row.verdict for row in report.rows] == ["DIFFER"]


def test_routes_that_cannot_be_taken_say_why():
    report = compare_routes(lambda x: x**3 if x > 0 else -x, {"x": 2.0})
    assert [route.name for route in report.routes] == ["reverse mode", "central difference"]
    assert set(report.absent) == {"complex step", "sympy"}
    assert "maximum, minimum, relu or abs" in report.absent["sympy"]
    assert "complex numbers" in report.absent["complex step"]
    assert report


def test_a_cut_graph_is_an_error_in_words():
    with pytest.raises(TypeError, match="the graph is cut"):
        compare_routes(lambda x: math.sin(x), {"x": 2.0})
    with pytest.raises(ValueError, match="point is empty"):
        compare_routes(lambda: 1.0, {})


def test_a_wrong_engine_does_not_pass_for_reverse_mode(monkeypatch):
    def overwrite(self):
        self.grad = 1.0
        for node in reversed(self._operations()):
            for parent, local in zip(node.parents, node.local_grads, strict=True):
                parent.grad = node.grad * local

    monkeypatch.setattr(Scalar, "backward", overwrite)
    report = compare_routes(lambda x: x * x * x, {"x": 3.0})
    assert not report
    assert report.routes[report.worst.odd].name == "reverse mode"


def test_a_blurred_difference_does_not_agree_with_everything(monkeypatch):
    right = comparison.differences

    def blurred(f, x, **settings):
        return [Difference(d.slope * 1.01, abs(d.slope)) for d in right(f, x, **settings)]

    monkeypatch.setattr(comparison, "differences", blurred)
    report = compare_routes(lambda x: x * x, {"x": 3.0}, routes={"mine": lambda f, p: [6.0]})
    assert not report
