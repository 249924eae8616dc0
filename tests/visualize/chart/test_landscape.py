"""A map shows what it was given: contours at their levels, paths where they went, words that are true."""

import re

import numpy as np
import pytest

from coursepkg.visualize import Landscape
from coursepkg.visualize.paper.style import CYCLE


def bowl(x, y):
    return (x - 1) ** 2 + 4 * (y + 0.5) ** 2


@pytest.fixture(scope="module")
def bowl_map():
    return Landscape(bowl, x_range=(-3, 5), y_range=(-2, 2), levels=[1, 4, 9], goal=2.0, minimum=(1, -0.5))


def points_of(svg, role):
    """The points of all paths of a role, back from pixels."""
    found = re.findall(rf'<path d="([^"]*)"[^>]*class="{role}"', svg)
    return [np.array(re.findall(r"-?[\d.]+ -?[\d.]+", commands)) for commands in found]


def places(landscape, svg, role):
    rows = [np.array([pair.split() for pair in pairs], dtype=float) for pairs in points_of(svg, role)]
    return [
        np.stack(
            [row[:, 0] / landscape.scale + landscape.x_range[0], landscape.y_range[1] - row[:, 1] / landscape.scale],
            axis=1,
        )
        for row in rows
    ]


def test_a_contour_holds_points_of_one_height(bowl_map):
    svg = bowl_map.draw().svg
    heights = [bowl(*line.T) for line in places(bowl_map, svg, "contour")]
    assert sorted(round(float(np.median(height))) for height in heights) == [1, 4, 9]
    for height in heights:
        np.testing.assert_allclose(height, np.median(height), rtol=0.05)
    [goal] = places(bowl_map, svg, "goal")
    np.testing.assert_allclose(bowl(*goal.T), 2.0, rtol=0.05)


def test_every_contour_carries_its_number(bowl_map):
    assert {"1", "2", "4", "9"} <= set(re.findall(r">([^<>]+)</text>", bowl_map.ground))


def test_a_path_goes_where_it_went(bowl_map):
    track = np.array([[-2.0, 1.0], [0.5, -1.0], [1.0, -0.5]])
    [drawn] = places(bowl_map, bowl_map.draw({"GD": track}).svg, "path")
    np.testing.assert_allclose(drawn, track, atol=0.01)


def test_a_gradient_is_at_right_angles_to_the_contour_that_is_drawn(bowl_map):
    [line] = places(bowl_map, bowl_map.draw().svg, "goal")
    for k in range(10, len(line) - 10, 7):
        tangent = line[k + 4] - line[k - 4]
        gradient = np.array([2 * (line[k, 0] - 1), 8 * (line[k, 1] + 0.5)])
        cosine = tangent @ gradient / np.linalg.norm(tangent) / np.linalg.norm(gradient)
        assert abs(cosine) < 0.1


def test_both_axes_have_one_scale():
    wide = Landscape(bowl, x_range=(-3, 5), y_range=(-1, 1), levels=[1])
    assert wide.width / 8 == pytest.approx(wide.height / 2, rel=1e-9)


def test_the_words_say_steps_and_ends(bowl_map):
    picture = bowl_map.draw({"GD": [(-2.0, 1.0), (1.0, -0.5)]})
    assert picture.alt == ("Contours of L over θ₁ and θ₂. GD goes from (−2, 1) to (1, −0.5) in 1 step, L from 18 to 0.")


@pytest.mark.parametrize("end", [(np.inf, 0.0), (np.nan, np.nan), (1e200, -1e200)])
def test_a_run_that_diverges_is_drawn_up_to_where_it_leaves(bowl_map, end):
    picture = bowl_map.draw({"bold": [(0.0, 0.0), (2.0, 1.0), end]})
    [drawn] = places(bowl_map, picture.svg, "path")
    np.testing.assert_allclose(drawn, [[0.0, 0.0], [2.0, 1.0]], atol=0.01)
    assert "out of all bounds in 2 steps" in picture.alt
    assert "nan" not in picture.svg


def test_methods_differ_in_more_than_colour(bowl_map):
    picture = bowl_map.draw({str(k): [(0.0, 0.0), (1.0, k / 9)] for k in range(6)})
    dashes = re.findall(r'class="path"( stroke-dasharray="[^"]*")?', picture.svg)
    assert len(set(dashes)) == 6


def test_a_second_picture_does_not_ask_the_function_on_the_grid_again():
    asked = []

    def counted(x, y):
        asked.append((x, y))
        return bowl(x, y)

    landscape = Landscape(counted, x_range=(-1, 1), y_range=(-1, 1), levels=[1])
    before = len(asked)
    landscape.draw({"GD": [(0.0, 0.0), (0.5, 0.5)]})
    assert len(asked) - before == 2


def test_the_same_map_gives_the_same_bytes():
    maps = [Landscape(bowl, x_range=(-3, 5), y_range=(-2, 2), levels=[1, 4], names=("a", "b")) for _ in range(2)]
    assert maps[0].draw({"GD": [(0, 0), (1, 1)]}).svg == maps[1].draw({"GD": [(0, 0), (1, 1)]}).svg


def test_arrows_point_to_where_they_lead(bowl_map):
    [head] = places(bowl_map, bowl_map.draw(arrows=[(0.0, 1.0, 0.5, -0.25)]).svg, "arrow")
    np.testing.assert_allclose(head[0], [0.5, 0.75], atol=0.01)  # its corners, the tip first


def test_wrong_input_gets_advice(bowl_map):
    with pytest.raises(ValueError, match=r"shape \(steps \+ 1, 2\)"):
        bowl_map.draw({"GD": [1.0, 2.0, 3.0]})
    with pytest.raises(ValueError, match=f"at most {len(CYCLE)}"):
        bowl_map.draw({str(k): [(0, 0)] for k in range(7)})
    with pytest.raises(ValueError, match="smaller to a larger"):
        Landscape(bowl, x_range=(1, 1), y_range=(0, 1), levels=[1])
    with pytest.raises(ValueError, match="not finite"):
        Landscape(lambda x, y: np.inf, x_range=(0, 1), y_range=(0, 1), levels=[1])
