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


def test_the_names_of_the_witnesses_are_taken():
    with pytest.raises(ValueError, match="sympy are taken; give your route another one"):
        compare_routes(circuit, {"x": -2.0, "y": 5.0, "z": -4.0}, routes={"sympy": lambda f, p: [-4, -4, 3]})


# --- functions of arrays

P = {"W": np.array([[0.5, -1.0, 2.0], [0.3, 0.7, -0.2]]), "b": np.array([0.1, -0.4])}


def energy(p):
    return np.sum(np.tanh(p["W"]) ** 2) + np.sum(p["b"] ** 3)


def by_hand(p):
    t = np.tanh(p["W"])
    return {"b": 3 * p["b"] ** 2, "W": 2 * t * (1 - t**2)}


def beside_reverse(answer):
    return compare(energy, P, routes={"reverse": reverse, "numeric": numeric, "mine": lambda f: lambda p: answer})


def test_a_dict_is_compared_by_key():
    found = beside_reverse(by_hand(P))
    assert found
    assert found.evidence == found.entries == 8


def test_entries_of_arrays_are_named_as_one_indexes_them():
    wrong = by_hand(P)
    wrong["W"][1, 2] *= 2
    found = beside_reverse(wrong).by_entry
    assert [row.name for row in found.rows][4:] == ["x['W'][1, 1]", "x['W'][1, 2]", "x['b'][0]", "x['b'][1]"]
    assert [row.name for row in found.rows if row.verdict == "DIFFER"] == ["x['W'][1, 2]"]
    assert found.summary == "The routes differ, most in x['W'][1, 2]: mine says -0.758745, the others say -0.379372."
    (row,) = compare(lambda x: x**3, np.array(2.0)).rows
    assert row.name == "x"


def test_the_two_views_are_of_one_result():
    wrong = by_hand(P)
    wrong["b"] = -wrong["b"]
    found = beside_reverse(wrong)
    assert str(found.by_entry.by_route) == str(found)
    assert found.by_entry.rows == found.rows
    assert found.outliers == found.by_entry.outliers == ["mine"]
    assert not found.by_entry
    assert "mine     0          NO, off by 2" in str(found).splitlines()
    assert "x['b'][1]     0.48       0.48       -0.48      DIFFER" in str(found.by_entry).splitlines()


def test_numbers_can_be_seen_by_route_too():
    found = compare_routes(circuit, {"x": -2.0, "y": 5.0, "z": -4.0}, routes={"mine": lambda f, p: [-4, -4, 6]})
    lines = str(found.by_route).splitlines()
    assert lines[0].split() == ["route", "runs", "of", "f", "agrees", "with", "the", "others"]
    assert lines[1].split() == ["reverse", "mode", "1", "NO,", "off", "by", "0.5"]
    assert lines[-1] == "The routes DISAGREE; mine stands alone (evidence in 3 of 3 entries)."
    assert found.difference("mine", "sympy") == found.difference("sympy", "mine") == 0.5
    assert found.difference("mine", "mine") == 0.0


def test_an_array_of_zeros_and_rounding_is_no_evidence_and_no_difference():
    """3.1 - 3 - 0.1 is zero in the difference quotients, and 8e-17 in the rules."""

    def f(p):
        x, y = p
        return np.sum(x**2) + np.sum(3.1 * y - 3 * y - 0.1 * y)

    found = compare(f, (np.array([1.0, -2.0]), np.array([0.7, 0.9, 1.9])))
    assert [row.verdict for row in found.rows] == ["agree", "agree", "no evidence", "no evidence", "no evidence"]
    assert any(value != 0 for row in found.rows[2:] for value in row.values)
    assert found
    assert found.evidence == 2


def test_a_small_entry_is_measured_by_its_array():
    def slightly_off(f):
        return lambda x: reverse(f)(x) + np.array([0.0, 2e-14])

    found = compare(lambda x: np.sum(x**3), np.array([2.0, 1e-4]), routes={"reverse": reverse, "mine": slightly_off})
    assert found.rows[1].values[0] == pytest.approx(3e-8, rel=1e-6)
    assert found  # of the entry 2e-14 is a millionth, of the array it is nothing


def test_a_wrong_shape_is_a_wrong_answer():
    found = beside_reverse({"W": by_hand(P)["W"].T, "b": by_hand(P)["b"]})
    assert found.outliers == ["mine"]
    assert found.difference("mine", "reverse") == math.inf
    assert found.evidence == 8


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"W": P["W"]}, r"mine returned a dict with entries \['W'\] for x, which is a dict with entries \['W', 'b'\]"),
        ((P["W"], P["b"]), r"mine returned a tuple with entries \[0, 1\] for x"),
        (None, "mine returned a NoneType for x"),
    ],
)
def test_another_structure_is_an_error_in_words(answer, words):
    with pytest.raises(ValueError, match=words):
        beside_reverse(answer)


def test_complex_entries_are_compared_whole():
    z = np.array([0.3 - 0.4j, 1.0 + 2.0j])
    half = {"reverse": reverse, "numeric": numeric, "mine": lambda f: lambda z: reverse(f)(z).conj()}
    found = compare(lambda z: np.sum(np.abs(z) ** 4), z, routes=half)
    assert not found
    assert found.outliers == ["mine"]
    assert "says" in found.by_entry.summary
    assert compare(lambda z: np.sum(np.abs(z) ** 4), z)


@pytest.mark.parametrize("value", [math.inf, math.nan])
def test_no_number_agrees_with_no_other_number(value):
    found = compare(
        lambda x: np.sum(x**2),
        np.array([1.0, 3.0]),
        routes={"reverse": reverse, "mine": lambda f: lambda x: [value, 6.0]},
    )
    assert [row.verdict for row in found.rows] == ["DIFFER", "agree"]
    assert found.difference("reverse", "mine") == math.inf


def test_without_any_route_nothing_is_shown():
    def refuses(f):
        raise NotImplementedError("not today")

    found = compare(lambda x: np.sum(x**2), np.array([1.0, 2.0, 3.0]), routes={"mine": refuses})
    assert not found
    assert found.absent == {"mine": "not today"}
    assert found.entries == 3
    assert found.evidence == 0
    assert str(found).endswith("mine: not today\nFewer than two routes could be taken, so none has a witness.")


def test_a_point_without_entries_is_no_evidence():
    found = compare(lambda x: np.sum(x**2), np.zeros((0, 3)), routes={"reverse": reverse, "numeric": numeric})
    assert not found
    assert found.entries == 0
    assert "No evidence" in str(found.by_entry)
