"""Gradient checks: differences at every scale, complex steps only where they are right, a table that is not fooled."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coursepkg.autodiff import gradcheck
from coursepkg.autodiff.gradcheck import central_difference, compare_routes, complex_step, differences
from coursepkg.autodiff.scalar import Scalar, cos, exp, log, maximum, minimum, relu, sigmoid, sin, sqrt, tanh

hundred = settings(deadline=None, derandomize=True, max_examples=100)


def circuit(x, y, z):
    return (x + y) * z


def smooth(x, y):
    return exp(x * y) + tanh(x) / 2.5 + sigmoid(y) * sin(x)


AT = {"x": 0.3, "y": -0.7}

# --- differences ---


@pytest.mark.parametrize("x", [1e-200, 1e-10, 1e-3, 0.7, 1.0, 30.0, 1e5, 1e12])
def test_the_step_follows_the_magnitude(x):
    for f, slope in ((log, 1 / x), (sqrt, 0.5 / math.sqrt(x)), (lambda v: 1 / v, -1 / x / x)):
        if math.isfinite(slope):
            assert central_difference(lambda p, f=f: f(p[0]), [x])[0] == pytest.approx(slope, rel=1e-8)
    assert central_difference(lambda p: p[0] ** 3, [x])[0] == pytest.approx(3 * x * x, rel=1e-8, abs=1e-10)


@pytest.mark.parametrize("x", [0.0, 1e-12, -1e-5, 0.4, 100.0, -1e6])
def test_a_small_entry_in_a_function_of_order_one_needs_a_step_of_order_one(x):
    assert central_difference(lambda p: 5 + sin(p[0]), [x])[0] == pytest.approx(math.cos(x), rel=1e-7)


@hundred
@given(x=st.floats(-30, 30), y=st.floats(0.1, 30))
def test_differences_of_smooth_functions_are_right_within_their_own_error(x, y):
    found = differences(lambda p: sin(p[0]) * log(p[1]) + p[0] * p[1], [x, y])
    for difference, slope in zip(found, (math.cos(x) * math.log(y) + y, math.sin(x) / y + x), strict=True):
        assert abs(difference.slope - slope) <= 2 * difference.error + 1e-9 * abs(slope)
        assert difference.error <= 1e-5 * (1 + abs(slope))
        assert difference.kink is None


def test_every_entry_is_moved_alone():
    assert central_difference(lambda p: circuit(*p), [-2.0, 5.0, -4.0]) == pytest.approx([-4.0, -4.0, 3.0], rel=1e-9)
    assert central_difference(lambda p: circuit(*p), (-2, 5, -4)) == pytest.approx([-4.0, -4.0, 3.0], rel=1e-9)


def test_the_point_is_left_alone():
    for point in ([1.0, 2.0], np.array([1.0, 2.0])):
        central_difference(lambda p: p[0] * p[1], point)
        complex_step(lambda p: p[0] * p[1], point)
        assert list(point) == [1.0, 2.0]


@pytest.mark.parametrize(("dtype", "digits"), [(np.float32, 1e-3), (np.float64, 1e-8)])
def test_arrays_keep_their_dtype_and_get_a_step_that_fits_it(dtype, digits):
    seen = set()

    def f(v):
        seen.add(v.dtype)
        return (np.sin(v) * v).sum()

    x = np.array([0.5, -2.0, 3.0, 100.0], dtype)
    exact = np.cos(x.astype(float)) * x + np.sin(x.astype(float))
    assert central_difference(f, x) == pytest.approx(exact, rel=digits, abs=digits)
    assert seen == {np.dtype(dtype)}


def test_a_float32_function_of_float64_numbers_gets_a_float32_step():
    found = central_difference(lambda p: np.float32(np.sin(p[0])), [1.2])
    assert found == pytest.approx([math.cos(1.2)], rel=1e-3)


def test_a_step_of_ones_own():
    assert central_difference(lambda p: p[0] ** 3, [2.0], step=0.5) == pytest.approx([12.25], rel=1e-12)


def test_the_edge_of_the_domain_is_said_in_words():
    with pytest.raises(ValueError, match=r"both sides of entry 1 = 0\.0; move the point inward"):
        central_difference(lambda p: p[0] * sqrt(p[1]), [1.0, 0.0])
    with pytest.raises(ValueError, match="not a real number"):
        central_difference(lambda p: log(p[0]), [0.0])


def test_kinks_are_found_with_their_two_slopes():
    (difference,) = differences(lambda p: 3 * relu(p[0]) - p[0], [0.0])
    assert difference.kink == pytest.approx((-1.0, 2.0), rel=1e-9)
    for f in (lambda p: abs(p[0] - 0.3), lambda p: maximum(p[0], 0.3), lambda p: minimum(2 * p[0], p[0] + 0.3)):
        assert differences(f, [0.3])[0].kink
        assert not differences(f, [0.31])[0].kink


@pytest.mark.parametrize("f", [lambda x: tanh(1e3 * x), lambda x: sin(50 * x), lambda x: x**4, lambda x: exp(20 * x)])
@pytest.mark.parametrize("x", [0.0, 1e-3, math.pi / 100, 0.5])
def test_a_bend_is_no_kink(f, x):
    assert differences(lambda p: f(p[0]), [x])[0].kink is None


# --- complex steps ---


@hundred
@given(x=st.floats(-20, 20), y=st.floats(0.01, 20))
def test_complex_steps_lose_no_digits(x, y):
    slopes = complex_step(lambda p: sin(p[0]) * log(p[1]) + tanh(p[0]) ** 3 / p[1], [x, y])
    t = math.tanh(x)
    exact = (
        math.cos(x) * math.log(y) + 3 * t * t * (1 - t * t) / y,
        math.sin(x) / y - t**3 / y**2,
    )
    for slope, expected in zip(slopes, exact, strict=True):
        assert slope == pytest.approx(expected, rel=1e-10, abs=1e-13 * (1 + 1 / y**2))


def test_complex_steps_work_on_arrays():
    x = np.array([1.0, 2.0])
    assert complex_step(lambda v: (np.sin(v) * v).sum(), x) == pytest.approx(np.cos(x) * x + np.sin(x), rel=1e-14)


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (abs, 0.7),
        (lambda x: x * abs(x), -0.7),  # complex, smooth along the real line, and its complex step is half the slope
        (lambda x: x if x > 0 else -x, 0.7),
        (lambda x: math.sin(x), 0.7),
        (relu, 0.0),
        (abs, 0.0),
        (lambda x: complex(x).conjugate() * 2, 0.7),
    ],
)
def test_where_a_complex_step_would_be_wrong_it_says_so(f, x):
    with pytest.raises(ValueError, match="a complex step needs"):
        complex_step(lambda p: real_or_complex(f, p[0]), [x])


def real_or_complex(f, x):
    result = f(x)
    return result.real if not isinstance(x, complex) else result


# --- the table ---


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
    assert report.routes[report.worst.odd] == "learner"
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
    assert report.routes == ["reverse mode", "central difference"]
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
    assert report.routes[report.worst.odd] == "reverse mode"


def test_a_blurred_difference_does_not_agree_with_everything(monkeypatch):
    right = gradcheck.differences

    def blurred(f, x, **settings):
        return [gradcheck.Difference(d.slope * 1.01, abs(d.slope)) for d in right(f, x, **settings)]

    monkeypatch.setattr(gradcheck, "differences", blurred)
    report = compare_routes(lambda x: x * x, {"x": 3.0}, routes={"mine": lambda f, p: [6.0]})
    assert not report
