"""A circle of nudges and its image."""

import numpy as np
import pytest
from drawn import shapes, texts

from coursepkg.visualize.matrix.directions import draw_directions

ANGLES = 2 * np.pi * np.arange(24) / 24
CIRCLE = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)
MATRIX = np.array([[1.5, -0.5], [0.25, 2.0]])


def test_the_words_name_the_columns_and_the_chosen_direction():
    alt = draw_directions(CIRCLE, CIRCLE @ MATRIX.T, chosen=6, title="A map").alt
    assert alt.startswith(
        "A map. A circle of nudges becomes an ellipse. The nudge (0, 1) changes the output by (−0.5, 2), "
    )
    assert alt.endswith("The first axis goes to (1.5, 0.25), the second to (−0.5, 2).")


def test_both_sides_are_drawn_to_one_scale():
    def width(outline):
        points = outline["d"].strip("MZ").split("L")
        xs = [float(point.split()[0]) for point in points]
        return max(xs) - min(xs)

    left, right = shapes(draw_directions(CIRCLE, 3 * CIRCLE).svg, "outline")
    assert width(right) == pytest.approx(3 * width(left), rel=0.01)


def test_axes_carry_their_names():
    written = {text.content for text in texts(draw_directions(CIRCLE, CIRCLE, inputs=("r", "θ")).svg)}
    assert {"r", "θ", "axis 1", "axis 2", "column 1", "column 2"} <= written


def test_a_direction_that_is_lost_is_a_dot():
    flat = CIRCLE @ np.array([[0.0, 1.0], [0.0, 0.5]]).T
    tips = shapes(draw_directions(CIRCLE, flat, chosen=0).svg, "tip")
    assert ["r" in tip for tip in tips] == [False, True]


@pytest.mark.parametrize("count", [4, 10])
def test_a_circle_needs_enough_points(count):
    with pytest.raises(ValueError, match="multiple of 4"):
        draw_directions(CIRCLE[:count], CIRCLE[:count])


def test_pictures_with_one_reach_have_the_same_circle():
    of_nudges = [shapes(draw_directions(CIRCLE, k * CIRCLE, reach=3.0).svg, "outline")[0]["d"] for k in (1, 1.8)]
    assert of_nudges[0] == of_nudges[1]
    without = [shapes(draw_directions(CIRCLE, k * CIRCLE).svg, "outline")[0]["d"] for k in (1, 1.8)]
    assert without[0] != without[1]
