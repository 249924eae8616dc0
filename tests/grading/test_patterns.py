"""Generic patterns: part by part, of numbers alone, and never of what a part of the answer is not."""

import numpy as np
import pytest
from made_up import verdict

from coursepkg.grading import case
from coursepkg.grading.judging.patterns import explain, meaning

RNG = np.random.default_rng(5)
TURN = 2 * np.pi
LAYERS = [case(RNG.normal(size=(n, d)), RNG.normal(size=(n, k))) for n, d, k in [(4, 3, 2), (3, 2, 4), (5, 4, 3)]]
EQUAL = [case(RNG.normal(size=(n, d)), RNG.normal(size=(n, d))) for n, d in [(4, 3), (3, 2), (5, 4)]]
NUMBERS = [case(1.5, 2.2), case(-0.5, 3.1), case(2.4, 0.7), case(0.9, -1.3)]


def gradients(x, g):
    return {"W": x.T @ g, "b": g.sum(axis=0)}


def of_equal_shape(x, g):
    """A tuple of two matrices of one shape."""
    return x.T @ g, x.T @ (g * g)


def in_a_list(x, g):
    return list(of_equal_shape(x, g))


# --- one part wrong of several ---------------------------------------------------------------------------------------

ONE_PART = {
    "transposed": lambda x, g: {**gradients(x, g), "W": g.T @ x},
    "one-nth": lambda x, g: {**gradients(x, g), "W": x.T @ g / len(x)},
    "negative": lambda x, g: {**gradients(x, g), "W": -x.T @ g},
    "zero": lambda x, g: {**gradients(x, g), "W": 0 * x.T @ g},
}


@pytest.mark.parametrize("name", ONE_PART)
def test_a_pattern_in_one_part_is_said_of_that_part(name):
    found = verdict(gradients, LAYERS, ONE_PART[name])
    assert found.finding == name
    assert "In `W`: " in found.text
    assert "`b`" not in found.text


@pytest.mark.parametrize(("cases", "whole", "words"), [
    (EQUAL, of_equal_shape, "the second of two results"),
    (EQUAL, in_a_list, "the second of two entries"),
    (LAYERS, of_equal_shape, "the second of two results"),
])  # fmt: skip
def test_parts_of_equal_shape_are_not_taken_for_one_array(cases, whole, words):
    if whole is of_equal_shape and cases is LAYERS:

        def whole(x, g):
            return x.T @ g, x.T @ (g + 1)

    found = verdict(whole, cases, lambda x, g: [whole(x, g)[0], whole(x, g)[1].T])
    assert found.finding == "transposed"
    assert f"In {words}: the numbers are right, but the matrix is transposed" in found.text


def test_the_wrong_axis_is_said_of_one_part():
    found = verdict(gradients, LAYERS, lambda x, g: {**gradients(x, g), "b": g.sum(axis=1)})
    assert found.finding == "wrong-axis"
    assert "In `b`: the total is right" in found.text
    assert "`b` should have shape (2,); it has (4,)" in found.text


def test_a_stack_of_matrices_may_be_transposed_one_by_one():
    stacks = [case(RNG.normal(size=shape)) for shape in [(2, 3, 4), (3, 2, 2), (4, 1, 3)]]
    assert verdict(lambda x: 2 * x, stacks, lambda x: 2 * np.swapaxes(x, 1, 2)).finding == "transposed"


def test_two_parts_with_two_patterns_are_both_told():
    found = verdict(gradients, LAYERS, lambda x, g: {"W": g.T @ x, "b": 2 * g.sum(axis=0)})
    assert "At least two things" in found.lines[0]
    assert "In `W`: the numbers are right, but the matrix is transposed." in found.text
    assert "In `b`: every number is twice" in found.text
    assert len(found.lines) <= 4


def test_parts_with_one_pattern_share_it():
    found = verdict(gradients, LAYERS, lambda x, g: {name: -part for name, part in gradients(x, g).items()})
    assert found.lines[0].endswith("Every number has the wrong sign.")


@pytest.mark.parametrize("swap", [lambda a, b: (b, a), lambda a, b: [b, a]])
def test_results_in_exchanged_places_are_told(swap):
    found = verdict(lambda a, b: (a * b, a - b), NUMBERS, lambda a, b: swap(a * b, a - b))
    assert found.finding == "exchanged-parts"
    assert "Which of the results is which?" in found.text


# --- diagnostics -----------------------------------------------------------------------------------------------------


def steps(a, b):
    return {"value": a * b, "steps": int(abs(10 * a)) + 2, "met": bool(a > 0), "name": f"step {a}"}


@pytest.mark.parametrize(("key", "change"), [
    ("steps", lambda count: 2 * count), ("steps", lambda count: -count), ("steps", lambda count: 0),
    ("steps", lambda count: 3), ("met", lambda flag: not flag), ("met", lambda flag: True),
    ("name", lambda name: "step"),
])  # fmt: skip
def test_patterns_never_speak_of_counts_flags_and_names(key, change):
    found = verdict(steps, NUMBERS, lambda a, b: {**steps(a, b), key: change(steps(a, b)[key])})
    assert (found.status, found.finding) == ("wrong", "value")
    assert f"`{key}` is" in found.lines[0]
    assert "wrong sign" not in found.text


def test_a_number_that_is_a_diagnostic_is_one_if_the_exercise_says_so():
    def both(a, b):
        return {"value": a * b, "error": a + b}

    def doubled(a, b):
        return {"value": a * b, "error": 2 * (a + b)}

    assert verdict(both, NUMBERS, doubled).finding == "twice"
    told = {"result": {"error": {"kind": "diagnostic"}}}
    assert verdict(both, NUMBERS, doubled, fields=told).finding == "value"
    assert verdict(steps, NUMBERS, lambda a, b: {**steps(a, b), "steps": 2 * steps(a, b)["steps"]},
                   fields={"result": {"steps": {"kind": "number"}}}).finding == "twice"  # fmt: skip


def test_a_pattern_in_the_numbers_is_told_whatever_the_diagnostics_are():
    found = verdict(steps, NUMBERS, lambda a, b: {**steps(a, b), "value": 0.0, "steps": 1})
    assert "In `value`: every number is zero" in found.text


def test_an_answer_that_should_never_vary_is_not_said_to_ignore_its_inputs():
    def constant_part(a, b):
        return a * b, 2.5

    found = verdict(constant_part, NUMBERS, lambda a, b: (a * b, 4.1))
    assert found.finding != "ignores-input"


# --- angles ----------------------------------------------------------------------------------------------------------

PHASES = [case(RNG.uniform(0.3, 2.8, size=n), RNG.uniform(-3, 3, size=n)) for n in (3, 4, 2)]


def phases(a, b):
    return {"theta": a + b, "phi": a - b}


@pytest.mark.parametrize("turns", [1, -1, 3, np.array([1, -2])])
def test_angles_off_by_full_turns_are_said_to_be_right_up_to_them(turns):
    def turned(a, b):
        return {**phases(a, b), "phi": a - b + TURN * np.resize(turns, a.shape)}

    found = verdict(phases, PHASES, turned, fields={"result": {"phi": {"kind": "angle", "period": TURN}}})
    assert found.finding == "full-turn"
    assert "In `phi`: every angle is right up to a full turn" in found.text
    assert "angle" not in verdict(phases, PHASES, turned).text  # a number need not be one


def test_a_period_of_its_own_is_what_the_exercise_says():
    def halved(a, b):
        return {**phases(a, b), "theta": a + b - np.pi}

    assert verdict(phases, PHASES, halved).finding == "value"
    told = {"result": {"theta": {"kind": "angle", "period": np.pi}}}
    assert "up to a whole period" in verdict(phases, PHASES, halved, fields=told).text


@pytest.mark.parametrize(
    "change", [lambda x: -x, lambda x: 2 * x, lambda x: x / 2, lambda x: 1.7 * x, lambda x: -x + 1]
)
def test_nothing_is_said_of_the_sign_or_size_of_an_angle(change):
    told = {"result": {"kind": "angle", "period": TURN}}
    found = verdict(phases, PHASES, lambda a, b: {name: change(x) for name, x in phases(a, b).items()}, fields=told)
    assert found.finding == "value"
    for word in ("sign", "twice", "half of", "factor", "too large", "too small"):
        assert word not in found.text


# --- positions -------------------------------------------------------------------------------------------------------

ROWS = [case([1.0, -2.0, -3.0, 4.0]), case([-1.0, 5.0, 2.0]), case([-2.0, -1.0, -4.0, 1.0, -6.0])]


def guilty(xs):
    return [i for i, x in enumerate(xs) if x < 0]


@pytest.mark.parametrize(("answer", "words"), [
    (lambda xs: guilty(xs)[:-1], "2 is missing."),
    (lambda xs: [*guilty(xs), 3], "3 is not one of them."),
    (lambda xs: [i for i, x in enumerate(xs) if x > 0], "1 and 2 are missing; 0 and 3 are not among them."),
    (lambda xs: [], "1 and 2 are missing."),
    (lambda xs: guilty(xs)[::-1], "in another order."),
    (lambda xs: [guilty(xs)[0], *guilty(xs)], "there twice."),
    (lambda xs: np.array(guilty(xs)[1:]), "1 is missing."),
    (lambda xs: [0] * len(guilty(xs)), "1 and 2 are missing; 0 is not one of them."),
])  # fmt: skip
def test_positions_are_compared_as_a_set_and_what_is_wrong_with_it_is_named(answer, words):
    for fields in ({}, {"result": {"kind": "positions"}}):
        found = verdict(guilty, ROWS, answer, fields=fields)
        assert found.status == "wrong"
        assert words in found.lines[0]


def test_positions_in_one_part_are_named_with_their_place():
    def both(xs):
        return {"guilty": guilty(xs), "sum": sum(xs)}

    found = verdict(both, ROWS, lambda xs: {**both(xs), "guilty": [*guilty(xs), 7]})
    assert "In `guilty`: 7 is not one of them." in found.text


def test_hidden_positions_stay_hidden():
    found = verdict(guilty, ROWS, lambda xs: [*guilty(xs)[1:], 9], fields={"hidden": True})
    assert "something is missing and something does not belong there" in found.text.lower()
    assert not any(digit in found.text.partition("not yet")[2] for digit in "0123456789")


def test_shapes_and_counts_are_no_positions():
    assert meaning({}, (), [[2, 3], [4, 5]])["kind"] == "diagnostic"
    assert meaning({}, (), [[2, 3], [1, 4, 5], []])["kind"] == "positions"
    assert meaning({}, ("a",), [[2, 1], [1, 4, 5]])["kind"] == "diagnostic"
    assert meaning({"0": {"kind": "positions"}}, (0,), [[2, 1]])["kind"] == "positions"
    assert meaning({}, (), [np.array([0.5])])["kind"] == "number"


# --- in another shape ------------------------------------------------------------------------------------------------

TABLES = [case(RNG.normal(size=shape)) for shape in [(2, 3), (4, 2), (3, 5)]]
BLOCKS = [case(RNG.normal(size=shape)) for shape in [(2, 4, 3), (3, 2, 2), (2, 3, 5)]]


@pytest.mark.parametrize(("cases", "reshaped", "name"), [
    (TABLES, lambda x: x.ravel(), "flattened"), (BLOCKS, lambda x: x.ravel(), "flattened"),
    (BLOCKS, lambda x: x.reshape(-1, x.shape[-1]), "regrouped"), (TABLES, lambda x: x.reshape(-1, 1), "regrouped"),
    (TABLES, lambda x: x[:, None], "extra-axis"), (BLOCKS, lambda x: x[None, ..., None], "extra-axis"),
])  # fmt: skip
def test_an_axis_of_length_one_is_spoken_of_only_if_nothing_else_differs(cases, reshaped, name):
    found = verdict(lambda x: 2 * x, cases, lambda x: reshaped(2 * x))
    assert found.finding == name
    assert ("length 1" in found.text) == (name == "extra-axis")
    assert "should have shape" in found.text


# --- where a count comes from ----------------------------------------------------------------------------------------


def total(x):
    return x.sum(axis=0)


SQUARES = [case(RNG.normal(size=(n, n))) for n in (3, 4, 2)]
SOME_LENGTH = "a factor, in each call the length of something that was given."
EQUAL_TABLES = [case(RNG.normal(size=(3, 2))) for _ in range(4)]


@pytest.mark.parametrize(("cases", "reference", "answer", "words"), [
    (TABLES, total, lambda x: total(x) * len(x), "too large by the number of rows of the first argument."),
    (TABLES, total, lambda x: total(x) / x.shape[1], "too small by the number of columns of the first argument."),
    (SQUARES, total, lambda x: total(x) * len(x), f"too large by {SOME_LENGTH}"),
    (EQUAL_TABLES, total, lambda x: total(x) / len(x), f"too small by {SOME_LENGTH}"),
    (PHASES, lambda a, b: a + b, lambda a, b: (a + b) * len(a), SOME_LENGTH),
    (BLOCKS, total, lambda x: total(x) * x.shape[1], SOME_LENGTH),
])  # fmt: skip
def test_it_is_said_where_a_count_comes_from_only_if_one_axis_gives_it(cases, reference, answer, words):
    found = verdict(reference, cases, answer)
    assert found.finding in ("n-times", "one-nth")
    assert words in found.lines[0]


def test_an_axis_of_an_argument_with_a_name_is_called_by_it():
    cases = [case(1.5, w=RNG.normal(size=n)) for n in (3, 4, 2)]
    found = verdict(lambda a, w: a * w, cases, lambda a, w: a * w * len(w))
    assert "too large by the length of `w`." in found.text


# --- rounded ---------------------------------------------------------------------------------------------------------

QUOTIENTS = [case(7.3, 2.0), case(-5.2, 3.0), case(12.4, 3.5), case(8.9, 1.25)]


@pytest.mark.parametrize(("rounded", "words"), [
    (np.round, "rounded to whole numbers"), (int, "cut to whole numbers"), (np.floor, "rounded down to whole numbers"),
    (np.ceil, "rounded up to whole numbers"), (lambda x: round(x, 1), "rounded to one digit after the point"),
    (lambda x: round(x, 3), "rounded to three digits after the point"),
    (lambda x: float(f"{x:.3g}"), "rounded to three digits."),
])  # fmt: skip
def test_rounding_that_explains_all_numbers_is_told(rounded, words):
    def quotient(a, b):
        return 17.77 * a / b, a * b / 3

    found = verdict(quotient, QUOTIENTS, lambda a, b: tuple(map(rounded, quotient(a, b))))
    assert found.finding == "rounded"
    assert words in found.text
    assert "too small" not in found.text


def test_a_part_that_is_constant_by_rounding_is_not_said_to_ignore_its_inputs():
    def near_one(a, b):
        return {"product": a * b, "share": 1 + 1 / (3 + a * a)}

    found = verdict(near_one, QUOTIENTS, lambda a, b: {name: int(x) for name, x in near_one(a, b).items()})
    assert (found.finding, "cut to whole numbers" in found.text) == ("rounded", True)
    found = verdict(near_one, QUOTIENTS, lambda a, b: {**near_one(a, b), "share": 1})
    assert found.finding == "value"


def test_a_constant_part_is_called_one_and_a_constant_answer_asks_for_the_arguments():
    def both(a, b):
        return {"product": a * b, "sum": a + b}

    found = verdict(both, QUOTIENTS, lambda a, b: {**both(a, b), "sum": 4.25})
    assert "In `sum`: this part is the same in every call, and should not be." in found.text
    assert "every argument" not in found.text
    assert "Does every argument take part?" in verdict(both, QUOTIENTS, lambda a, b: both(7.25, 2.0)).text


# --- what is kept between calls --------------------------------------------------------------------------------------

SAME_SHAPES = [case(RNG.normal(size=(3, 2))) for _ in range(2)] + [case(RNG.normal(size=(4, 2))) for _ in range(2)]


def test_a_cache_that_looks_at_shapes_is_told_and_not_called_a_number():
    def remembering():
        seen = {}

        def answer(x):
            return seen.setdefault(x.shape, x.sum(axis=0))

        return answer

    found = verdict(lambda x: x.sum(axis=0), SAME_SHAPES, remembering())
    assert found.finding == "remembers"
    assert "earlier call" in found.text


@pytest.mark.parametrize("numbers", [[2, 2, 1], [2.5, 2.5, 7.25, 2.5], [3, 4, 5], [0.25, 7.75, 0.75]])
def test_a_constant_a_small_count_or_one_number_is_no_memory(numbers):
    """Each call but one or two is right; the others give what the first one should."""
    cases = [case(RNG.normal(size=3), number) for number in (*numbers, numbers[0] + 1)]
    found = verdict(lambda x, n: n, cases, lambda x, n: n if n != numbers[0] + 1 else numbers[0])
    assert found.finding == "value"


@pytest.mark.parametrize("grow", [lambda n: 2.0, lambda n: float(n), lambda n: -1.0])
def test_state_is_looked_for_before_patterns_and_names(grow):
    def stateful():
        calls = []

        def answer(x):
            calls.append(x)
            return x.sum(axis=0) * (1 if len(calls) == 1 else grow(len(calls)))

        return answer

    assert verdict(lambda x: x.sum(axis=0), SAME_SHAPES, stateful()).finding == "accumulates"


def test_an_answer_that_fails_only_when_called_again_is_one_that_keeps_something():
    left = [1.0]

    def answer(x):
        return x.sum(axis=0) * left.pop() if len(x) == 3 and len(left) else {}["gone"]

    assert verdict(lambda x: x.sum(axis=0), SAME_SHAPES, answer).finding == "accumulates"


def test_an_answer_without_one_of_its_arguments_does_not_remember():
    cases = [case(1.5, 2.0), case(1.5, 3.0), case(0.5, 2.0), case(-0.7, 1.0)]
    assert verdict(lambda a, b: a * b, cases, lambda a, b: 2.0 * a).finding == "value"


# --- other containers ------------------------------------------------------------------------------------------------


def test_a_factor_of_nearly_one_is_no_factor():
    wanted = [np.array([1.5, -2.0]), np.array([0.5, 4.0])]
    assert explain([{0: 1}, {0: 2}], wanted, [x * (1 + 3e-5) for x in wanted], 1e-6, 1e-9) == []
    assert [p.name for p in explain([{0: 1}, {0: 2}], wanted, [x * 1.03 for x in wanted], 1e-6, 1e-9)] == [
        "constant-factor"
    ]


def test_parts_whose_number_varies_from_case_to_case_are_one():
    def layers(x, g):
        return [x.T @ g] * len(g[0])

    found = verdict(layers, LAYERS, lambda x, g: [g.T @ x] * len(g[0]))
    assert found.finding == "transposed"
