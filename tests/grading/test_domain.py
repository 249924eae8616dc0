"""The vocabulary of domains: what lies inside, which boundaries follow, and the cases that are made for them."""

import math

import numpy as np
import pytest

from coursepkg.grading.specification.boundaries import boundaries, completed, make_twin, special, twins
from coursepkg.grading.specification.domain import Array, Choice, Formula, Listing, Number, outside

LAYER = {"X": Array("n i"), "W": Array("i k"), "rate": Number(more_than=0, less_than=1)}
CASE = {"X": np.array([[0.5, -2.0], [1.5, 0.7], [0.3, 3.0]]), "W": np.array([[1.5], [-0.5]]), "rate": 0.3}


def labels(domain, **meets):
    return [boundary.label for boundary in boundaries(domain, meets)]


# --- inside and outside ------------------------------------------------------------------------------------------


def test_a_case_of_the_domain_lies_inside():
    assert outside(LAYER, CASE) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"rate": 0.0}, "rate holds 0, which the domain excludes"),
        ({"rate": 1.0}, "rate holds 1, which the domain excludes"),
        ({"rate": [0.5]}, "rate has the shape (1,), and is no number"),
        ({"rate": None}, "rate is missing"),
        ({"rate": "fast"}, "rate holds something that is no number"),
        ({"W": np.ones((3, 1))}, "the axis i has the lengths 2, 3"),
        ({"W": np.ones(2)}, "W has the shape (2,), not (i k)"),
        ({"X": np.ones((0, 2))}, "the axis n has the length 0, and 1 is the least"),
    ],
)
def test_what_leaves_the_domain_is_said(change, words):
    assert outside(LAYER, CASE | change) == [words]


def test_lists_of_arrays_share_their_axes():
    domain = {"gradients": Listing("layers", Array("n")), "sizes": Array("layers", whole=True, at_least=1)}
    assert outside(domain, {"gradients": [np.ones(3), [1.0, 2.0, 3.0]], "sizes": [2, 5]}) == []
    assert outside(domain, {"gradients": [np.ones(3)], "sizes": [2, 5]}) == ["the axis layers has the lengths 1, 2"]
    assert outside(domain, {"gradients": [np.ones(3), 1.0], "sizes": [2, 5]}) == [
        "gradients[1] has the shape (), not (n)"
    ]
    assert outside(domain, {"gradients": 3.0, "sizes": [0.5]}) == [
        "gradients is no list", "sizes holds 0.5, which the domain excludes",
    ]  # fmt: skip


@pytest.mark.parametrize("low", [0, 2])
def test_the_least_length_of_an_axis_is_said_once(low):
    for domain in ({"x": Array(f"n>={low}"), "y": Array("n")}, {"y": Array("n"), "x": Array(f"n>={low}")}):
        assert outside(domain, {"x": np.ones(low), "y": np.ones(low)}) == []
        assert f"the axis n has the length {low}" in labels(domain)


def test_a_choice_is_compared_with_its_type():
    assert outside({"flag": Choice(True, False)}, {"flag": True}) == []
    assert outside({"flag": Choice(True, False)}, {"flag": 1}) == ["flag = 1 is none of True, False"]


def test_axes_that_are_written_in_another_way_are_refused():
    for axes in ("n, k", "n ...", "n>=x", "n>1"):
        with pytest.raises(ValueError, match="an axis is written"):
            Array(axes)
    with pytest.raises(ValueError, match="the order of an array"):
        Array("n", order="ascending")


# --- boundaries ----------------------------------------------------------------------------------------------------


def test_the_boundaries_of_a_number():
    assert labels({"p": Number(at_least=0, less_than=1)}) == ["p is 0, the least allowed"]
    assert labels({"p": Number(at_least=0, at_most=1)}) == ["p is 0, the least allowed", "p is 1, the largest allowed"]
    assert labels({"x": Number()}) == ["x is 0", "x is negative"]
    assert labels({"x": Number(zero=False)}) == ["x is negative"]
    assert labels({"n": Number(whole=True, at_least=2)}) == ["n is 2, the least allowed"]
    assert labels({"a": Number(period=2 * math.pi, more_than=-math.pi, at_most=math.pi)})[-1] == "a is negative"


def test_an_angle_must_go_beyond_half_a_turn():
    words = [words for words, _, _ in special(Number(period=360))]
    assert words[-3:] == ["beyond half a turn", "beyond half a turn the other way", "beyond a whole turn"]


def test_the_boundaries_of_arrays_choices_and_what_arguments_do_together():
    domain = {"z": Array("n k>=2", ties=True, all_zero=True), "kind": Choice("a", "b"), "t": Number(at_least=1)}
    found = labels(domain, **{"t is n": lambda z, t: len(z) == t})
    assert {
        "t is n", "an entry of z is 0", "an entry of z is negative", "all entries of z are 0",
        "the largest entry of z occurs twice", "the largest entry of z is not the first", "kind is 'a'", "kind is 'b'",
        "the axis n has the length 1", "the axis k has the length 2", "t is 1, the least allowed",
    } <= set(found)  # fmt: skip


def test_any_axes_in_front_are_tried_with_none_one_and_two():
    assert [label for label in labels({"x": Array("... n")}) if "in front" in label] == [
        "x has no axes in front", "x has one axis in front", "x has two axes or more in front",
    ]  # fmt: skip


def test_a_formula_must_use_an_intermediate_twice():
    [*_, twice] = boundaries({"f": Formula("mul add")}, {})
    x, square = ("var", 0), ("mul", ("var", 0), ("var", 0))
    assert not twice.holds({"f": ("add", x, x)})
    assert not twice.holds({"f": ("add", square, x)})
    assert twice.holds({"f": ("add", square, square)})
    assert twice.holds({"f": ("mul", ("add", square, x), square)})


# --- cases that are made ---------------------------------------------------------------------------------------------


def test_simple_boundaries_get_a_case_out_of_one_that_is_there():
    tried = completed(LAYER, {}, [CASE], lambda values: True)
    assert tried.untried == []
    for boundary in boundaries(LAYER, {}):
        assert boundary.optional or any(boundary.holds(values) for values in [CASE, *tried.made]), boundary.label
    assert all(outside(LAYER, values) == [] for values in tried.made)
    assert {values["X"].shape for values in tried.made} >= {(1, 2), (3, 1)}
    assert CASE["X"][0, 0] == 0.5


def test_all_axes_of_one_length_are_tried_where_they_can_be():
    wide = {**CASE, "W": np.array([[1.5, 0.2, -1.0], [-0.5, 0.4, 2.0]])}
    made = completed(LAYER, {}, [wide], lambda values: True).made
    assert ((2, 2), (2, 2)) in {(values["X"].shape, values["W"].shape) for values in made}
    assert completed(LAYER, {}, [CASE], lambda values: True).untried == []


def test_what_the_reference_has_no_answer_for_is_asked_of_the_author():
    tried = completed(LAYER, {}, [CASE], lambda values: len(values["X"]) > 1)
    assert tried.untried == ["the axis n has the length 1"]


def test_what_arguments_do_together_is_never_made():
    tried = completed(LAYER, {"the rate is W": lambda W, rate: (rate == W).all()}, [CASE], lambda values: True)
    assert tried.untried == ["the rate is W"]


def test_a_made_case_keeps_lists_whole_numbers_and_yes_or_no():
    domain = {"labels": Array("n", whole=True, at_least=0), "kept": Array("n", whole=True, at_least=0, at_most=1)}
    values = {"labels": [2, 1, 3], "kept": np.array([True, True, True])}
    made = completed(domain, {}, [values], lambda values: True).made
    assert all(type(label) is int for new in made for label in new["labels"])
    assert {new["kept"].dtype for new in made} == {np.dtype(bool)}


def test_two_cases_of_equal_shapes_are_there_or_made():
    assert not twins([CASE])
    twin = make_twin(LAYER, CASE)
    assert twins([CASE, twin])
    assert not twins([CASE, CASE])
    assert twin["X"][0].tolist() == [0.3, 3.0]
    assert make_twin({"times": Array("n", order="given")}, {"times": [1.0, 2.0]}) is None
