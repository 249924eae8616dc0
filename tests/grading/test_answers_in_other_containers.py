"""An answer in another container than the one asked for is told so; it never stops the judge."""

from array import array
from collections import deque
from fractions import Fraction

import numpy as np
import pytest
from made_up import verdict

from coursepkg.grading.judging.patterns import explain
from coursepkg.grading.specification.exercise import case

NAMED = [{"X": np.array([1.5, -2.0]), "W": np.array([3.0])}, {"X": np.array([0.5, 4.0]), "W": np.array([-7.0])}]
PLACED = [tuple(item.values()) for item in NAMED]


@pytest.mark.parametrize("container", [tuple, list])
def test_places_do_not_answer_for_names(container):
    assert explain([[1], [2]], NAMED, [container(item) for item in PLACED], 1e-6, 1e-9) == []


def test_names_do_not_answer_for_places():
    assert explain([[1], [2]], PLACED, [dict(enumerate(item)) for item in PLACED], 1e-6, 1e-9) == []


# --- an array where a tuple of numbers is asked for: its entries are NumPy's numbers, and those are numbers ---

VISIBLE = [case(1.5, -2.0), case(0.25, 3.5), case(-4.75, 0.6)]
IN_ARRAYS = pytest.mark.parametrize(
    "kept", [tuple, list, np.array, lambda numbers: np.array(numbers, dtype=np.float32)],
    ids=["tuple", "list", "array", "array of 32 bits"],
)  # fmt: skip


def slopes(a, b):
    return (7.25 * a * b, 3.5 * a - b)


@IN_ARRAYS
def test_twice_is_named_in_whatever_array_it_comes(kept):
    found = verdict(slopes, VISIBLE, lambda a, b: kept([2 * number for number in slopes(a, b)]))
    assert (found.status, found.finding) == ("wrong", "twice")


@IN_ARRAYS
def test_a_right_part_earns_its_points_in_whatever_array_it_comes(kept):
    def answer(a, b):
        first, second = slopes(a, b)
        return kept([first, second + 0.375])

    assert verdict(slopes, VISIBLE, answer, fields={"points": 3, "credit": [[0, 1], [1, 2]]}).earned == 1


def test_whole_numbers_in_an_array_are_named_as_those_in_a_tuple_are():
    cut = [verdict(slopes, VISIBLE, lambda a, b, to=to: to([int(number) for number in slopes(a, b)]))
           for to in (tuple, np.array)]  # fmt: skip
    assert [found.finding for found in cut] == ["rounded", "rounded"]
    assert cut[0].text == cut[1].text


# --- one object for all calls ---


@pytest.mark.parametrize(
    "shared", [[0.0, 0.0], deque([0.0, 0.0]), array("d", [0.0, 0.0]), memoryview(array("d", [0.0, 0.0])), np.zeros(2)],
    ids=lambda shared: type(shared).__name__,
)  # fmt: skip
@pytest.mark.parametrize("kept", [lambda shared: shared, lambda shared: (shared, 1.5)], ids=["alone", "in a tuple"])
def test_an_object_that_all_calls_share_is_found_whatever_it_is(shared, kept):
    def answer(a, b):
        shared[0], shared[1] = slopes(a, b)
        return kept(shared)

    found = verdict(lambda a, b: kept(np.array(slopes(a, b))), VISIBLE, answer)
    assert (found.status, found.finding) == ("wrong", "one-object-for-all-calls")


@pytest.mark.parametrize("huge", [10**400, -(10**400), Fraction(10**400, 3)])
def test_a_number_that_no_float_can_hold_is_said_to_be_too_large(huge):
    found = verdict(lambda a, b: a * b, VISIBLE, lambda a, b: huge)
    assert "the answer should be a number; it is a number too large for a float" in found.text
