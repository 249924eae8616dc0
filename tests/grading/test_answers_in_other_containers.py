"""An answer in another container than the one asked for is told so; it never stops the judge."""

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
