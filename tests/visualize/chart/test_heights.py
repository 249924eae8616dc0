"""A map of heights is cut where it is told, and says how high and how steep it is there."""

import numpy as np
import pytest

from coursepkg.visualize import draw_heights

FRAME = {"x_range": (0.0, 2.0), "y_range": (-1.0, 1.0)}


def step(x, y):
    return x * (1 + 1 / (1 + np.exp(-40 * (y - 0.25))))


def test_the_cut_is_the_function_along_its_line():
    said = draw_heights(step, cut=1.5, names=("w", "b"), **FRAME).alt
    assert "Heights of L over w and b, from 0 to 4." in said
    assert "Cut at w = 1.5: L goes from 1.5 to 3, and is steepest at b = 0.25." in said


def test_paths_are_named_with_their_ends():
    said = draw_heights(step, cut=1.0, paths={"plain": [(0.0, 0.5), (1.0, 0.25)]}, **FRAME).alt
    assert "plain goes from (0, 0.5) to (1, 0.25)." in said


def test_the_map_is_the_same_wherever_it_is_cut():
    one, other = (draw_heights(step, cut=cut, **FRAME).svg for cut in (0.5, 1.5))
    assert one != other
    shared = set(one.split("<path")) & set(other.split("<path"))
    assert len(shared) > 0.5 * len(one.split("<path"))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"cut": 3.0}, "between 0.0 and 2.0"),
        ({"cut": 1.0, "paths": {name: [(0.0, 0.0)] for name in "abcd"}}, "at most three"),
    ],
)
def test_what_cannot_be_drawn_is_refused(changed, words):
    with pytest.raises(ValueError, match=words):
        draw_heights(step, **FRAME, **changed)


def test_a_function_that_is_not_finite_is_refused():
    with pytest.raises(ValueError, match="not finite"):
        draw_heights(lambda x, y: np.where(x > 1, np.inf, y), cut=1.0, **FRAME)
