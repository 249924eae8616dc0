"""The words for a call, for a number that is nearly right, and for a place inside an answer."""

import re

import numpy as np
import pytest
from made_up import verdict

from coursepkg.grading import case
from coursepkg.grading.judging.showing import agreeing_digits, all_places, call_line, place, short, yours
from coursepkg.grading.judging.values import encode

RNG = np.random.default_rng(17)
NUMBERS = [case(1.5, 2.2), case(-0.5, 3.1), case(2.4, 0.7)]

# --- a failing call --------------------------------------------------------------------------------------------------


def shown(*args, **kwargs):
    check = {"hidden": False, "driver": "call", "function": "answer"}
    item = {"args": [encode(arg) for arg in args], "kwargs": {name: encode(value) for name, value in kwargs.items()}}
    return call_line(check, item)[0]


@pytest.mark.parametrize(("value", "words"), [
    (np.array([[0.5, 10], [0, -0.25]]), "array([[0.5, 10], [0, -0.25]])"),
    (np.arange(12.0).reshape(3, 4) / 2, "array([[0, 0.5, 1, 1.5], [2, 2.5, 3, 3.5], [4, 4.5, 5, 5.5]])"),
    (np.array([True, False]), "array([True, False])"), (np.zeros((0, 3)), "array([])"),
    (np.array([1 + 2j, -1j]), "array([1+2j, -0-1j])"), ([np.array([1.5]), [2, 3]], "[array([1.5]), [2, 3]]"),
    ({"W": np.ones((2, 1)), "n": 3}, "{'W': array([[1], [1]]), 'n': 3}"), ((1.25,), "(1.25,)"),
    ([(0, 1), (1, 2)], "[(0, 1), (1, 2)]"), ("ij,jk->ik", "'ij,jk->ik'"), (None, "None"),
    (np.arange(20.0).reshape(4, 5), "array of shape (4, 5): 0, 1, 2, 3, ..."),
    (list(range(30)), "list of length 30: 0, 1, 2, 3, ..."), ([np.ones(2)] * 20, "list of length 20"),
    (1 / 3, "0.333333"), (np.float64(2.0), "2"), (np.array([1000.002, 1000.001]), "array([1000.002, 1000.001])"),
    ([4e9, 3999999999.9], "[4000000000, 3999999999.9]"), ([np.nan, np.nan, 1 / 3], "[nan, nan, 0.333333]"),
])  # fmt: skip
def test_small_values_are_shown_whole_and_large_ones_begin(value, words):
    assert short(value) == words
    assert shown(value) == f"For `answer({words})`"


def test_a_long_call_shortens_its_longest_arguments_and_keeps_the_small_ones():
    small, large = np.array([0.621, -0.58]), [RNG.normal(size=3) for _ in range(9)]
    words = shown(small, large, RNG.normal(size=(3, 4)), eta=0.125)
    assert len(words) <= 230
    assert "array([0.621, -0.58])" in words
    assert "eta=0.125" in words
    assert words.endswith(")`")
    assert len(shown(*[RNG.normal(size=5)] * 40)) <= 230


def test_nothing_is_shown_of_a_hidden_call():
    assert call_line({"hidden": True}, {"args": [1.5], "kwargs": {}}) == []


# --- numbers that are nearly right -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("got", "expected", "text"), [
    (2.9999997, 3.0, "2.9999997"), (3.0000003, 3.0, "3.0000003"), (0.98976, 0.98977, "0.98976"),
    (7.25, 3.0, "7.25"), (-3.0, 3.0, "-3"), (1e-7, 0.0, "1e-07"), (12345.5, 12345.6, "12345.5"),
    (1 + 2.00001j, 1 + 2j, "1+2.00001j"), (3, 4, "3"), (True, False, "True"), (float("nan"), 1.0, "nan"),
])  # fmt: skip
def test_a_number_is_shown_with_as_many_digits_as_it_takes_to_differ(got, expected, text):
    assert yours(got, expected) == text


@pytest.mark.parametrize(("got", "expected", "digits"), [
    (1.001, 1.0, 3), (1.0011, 1.0, 2), (2.9999997, 3.0, 7), (-1.0, 1.0, 0), (5.0, 0.0, 0), (1.5, 1.0, 0),
    (float("inf"), 1.0, 0), (1 + 1e-5j, 1.0, 5), ("1", 1.0, 0),
])  # fmt: skip
def test_digits_that_agree_are_counted(got, expected, digits):
    assert agreeing_digits(got, expected) == digits


@pytest.mark.parametrize(("off", "words", "gap"), [
    (3e-6, "right to five digits", "3e-6"), (4e-4, "right to three digits", "4e-4"), (-2e-5, "four digits", "2e-5"),
])  # fmt: skip
def test_a_near_miss_says_how_near_and_never_that_the_truth_is_too_large(off, words, gap):
    found = verdict(lambda a, b: a * b, NUMBERS, lambda a, b: a * b * (1 + off))
    assert found.finding == "value"
    assert words in found.lines[0]
    assert f"off by {gap} of its size" in found.lines[0]
    assert "too" not in found.lines[0]
    printed = float(re.search(r"yours: ([-\d.e]+)", found.text)[1])
    assert printed != pytest.approx(3.3, rel=1e-9, abs=0)


def test_a_number_that_is_far_off_is_too_large_or_too_small():
    assert "too large (yours: 3.63)" in verdict(lambda a, b: a * b, NUMBERS, lambda a, b: a * b + 0.33).text
    assert "right to" not in verdict(lambda a, b: a * b, NUMBERS, lambda a, b: a * b * 1.01).text


def test_the_sign_is_spoken_of_only_where_little_else_is_wrong():
    assert "of the wrong sign" in verdict(lambda a, b: a * b, NUMBERS, lambda a, b: -a * b + 0.1).text
    for far in (lambda a, b: a * b - 100, lambda a, b: a * b - 3.4):
        assert "too small" in verdict(lambda a, b: a * b, NUMBERS, far).text


def test_an_array_that_is_off_in_the_fourth_digit_is_a_near_miss():
    cases = [case(RNG.uniform(1, 9, size=n)) for n in (3, 4, 2)]
    found = verdict(lambda x: x * 1.01, cases, lambda x: np.round(x * 1.01, 3) + 1e-5)
    assert re.search(r"entry \d is right to (three|four|five) digits", found.text)


# --- places ----------------------------------------------------------------------------------------------------------

TRIPLE = (1.5, np.ones((2, 3)), [1.0, 2.0])
BATCHES = [(np.ones((3, 2)), np.ones(3)), (np.ones((2, 2)), np.ones(2))]


@pytest.mark.parametrize(("parts", "path", "index", "expected", "words"), [
    (None, ("W",), (1,), {"W": np.ones(3)}, "`W`, entry 1"),
    (None, ("W",), (1, 0), {"W": np.ones((3, 2))}, "`W`, row 1, column 0"),
    (None, (1,), (), TRIPLE, "the second of three results"),
    (None, (2,), (1,), TRIPLE, "the third of three results, entry 1"),
    (None, (), (1,), np.ones(3), "entry 1"), (None, (), (0, 1, 2), np.ones((2, 3, 4)), "entry (0, 1, 2)"),
    (None, (3,), (), {3: 1.0}, "`3`"), (None, (11,), (), tuple(range(12)), "entry 11"),
    (["the value", "the tangent"], (1,), (), (1.0, 2.0), "the tangent"),
    (["the value", "the tangent"], (), (1,), np.ones(2), "the tangent"),
    ("batch", (1,), (0, 1), [np.ones((3, 2)), np.ones((2, 2))], "batch 1, row 0, column 1"),
    ("batch", (), (1, 0), np.ones((2, 4)), "batch 1, row 0"),
    ({"each": "batch", "parts": ["the images", "the labels"]}, (1, 0), (0, 1), BATCHES,
     "batch 1, the images, row 0, column 1"),
    ({"each": "batch", "parts": ["the images", "the labels"]}, (0, 1), (2,), BATCHES, "batch 0, the labels, entry 2"),
])  # fmt: skip
def test_a_place_is_named_by_what_is_there(parts, path, index, expected, words):
    assert place({"parts": parts} if parts else {}, path, index, expected) == words


def test_the_same_part_of_every_item_is_named_once():
    names = {"parts": {"each": "batch", "parts": ["the images", "the labels"]}}
    assert all_places(names, [(0, 1), (1, 1)], BATCHES) == "the labels of each batch"
    assert all_places(names, [(0,), (1,)], BATCHES) == "each batch"
    assert all_places(names, [(0, 1)], BATCHES) == "batch 0, the labels"
    assert all_places({}, [("a",), ("b",), ("c",)], dict.fromkeys("abcd", 1.0)) == "`a`, `b` and `c`"


@pytest.mark.parametrize("answer", [
    lambda a, b: (a * b, a - b + 1), lambda a, b: [a * b, None], lambda a, b: (a * b, np.ones(2)),
    lambda a, b: (a * b, "text"), lambda a, b: (a * b, b - a),
])  # fmt: skip
def test_a_result_is_never_called_by_a_number(answer):
    def both(a, b):
        return a * b, a - b

    assert "the second of two results" in verdict(both, NUMBERS, answer).text
    assert "the tangent" in verdict(both, NUMBERS, answer, fields={"parts": ["the value", "the tangent"]}).text
    assert "part 1" not in verdict(both, NUMBERS, answer).text


def test_rows_of_a_batch_are_asked_for_in_that_batch():
    def batches(x):
        return [x[:2], x[2:]]

    tables = [case(RNG.normal(size=(n, 3))) for n in (5, 6, 7)]
    found = verdict(batches, tables, lambda x: [x[:2], x[2:-1]], fields={"parts": "batch"})
    assert "batch 1 should have shape (3, 3); it has (2, 3)" in found.text
