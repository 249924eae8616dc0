"""A map shows what it was given: contours at their levels, paths where they went, words that are true."""

import numpy as np
import pytest
from matplotlib.contour import ContourSet

from coursepkg.visualize import Landscape
from coursepkg.visualize.paper.style import CYCLE


def bowl(x, y):
    return (x - 1) ** 2 + 4 * (y + 0.5) ** 2


@pytest.fixture(scope="module")
def bowl_map():
    return Landscape(bowl, x_range=(-3, 5), y_range=(-2, 2), levels=[1, 4, 9], goal=2.0, minimum=(1, -0.5))


def contours(ax):
    [found] = (each for each in ax.collections if isinstance(each, ContourSet))
    return found


def path(ax, name):
    [line] = (line for line in ax.lines if line.get_label().startswith(f"{name}:"))
    return line


def test_a_contour_holds_points_of_one_height_and_carries_its_number(axes, bowl_map):
    bowl_map.draw()
    found = contours(axes[-1])
    assert found.levels.tolist() == [1, 2, 4, 9]
    for level, pieces in zip(found.levels, found.allsegs, strict=True):
        np.testing.assert_allclose(bowl(*np.concatenate(pieces).T), level, rtol=0.02)
    assert {"1", "2", "4", "9"} <= {text.get_text() for text in found.labelTexts}
    assert found.get_linewidths()[1] == max(found.get_linewidths())  # the goal


def test_a_path_goes_where_it_went(axes, bowl_map):
    track = np.array([[-2.0, 1.0], [0.5, -1.0], [1.0, -0.5]])
    bowl_map.draw({"GD": track})
    np.testing.assert_array_equal(path(axes[-1], "GD").get_xydata(), track)


def test_a_gradient_is_at_right_angles_to_the_contour_that_is_drawn(axes, bowl_map):
    bowl_map.draw()
    assert axes[-1].get_aspect() == 1
    line = contours(axes[-1]).allsegs[1][0]
    for k in range(10, len(line) - 10, 7):
        tangent = line[k + 4] - line[k - 4]
        gradient = np.array([2 * (line[k, 0] - 1), 8 * (line[k, 1] + 0.5)])
        cosine = tangent @ gradient / np.linalg.norm(tangent) / np.linalg.norm(gradient)
        assert abs(cosine) < 0.1


def test_both_axes_have_one_scale():
    wide = Landscape(bowl, x_range=(-3, 5), y_range=(-1, 1), levels=[1])
    assert wide.width / 8 == pytest.approx(wide.height / 2, rel=1e-9)


def test_the_words_say_steps_and_ends(bowl_map):
    assert bowl_map.draw({"GD": [(-2.0, 1.0), (1.0, -0.5)]}).alt == (
        "Contours of L over θ₁ and θ₂. GD goes from (−2, 1) to (1, −0.5) in 1 step, L from 18 to 0."
    )


@pytest.mark.parametrize("end", [(np.inf, 0.0), (np.nan, np.nan), (1e200, -1e200)])
def test_a_run_that_diverges_is_drawn_up_to_where_it_leaves(axes, bowl_map, end):
    picture = bowl_map.draw({"bold": [(0.0, 0.0), (2.0, 1.0), end]})
    np.testing.assert_array_equal(path(axes[-1], "bold").get_xydata(), [[0.0, 0.0], [2.0, 1.0]])
    assert "out of all bounds in 2 steps" in picture.alt
    assert "nan" not in picture.svg


def test_methods_differ_in_more_than_colour(axes, bowl_map):
    bowl_map.draw({str(k): [(0.0, 0.0), (1.0, k / 9)] for k in range(6)})
    assert len({path(axes[-1], str(k)).get_marker() for k in range(6)}) == 6


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


def test_arrows_point_to_where_they_lead(axes, bowl_map):
    bowl_map.draw(arrows=[(0.0, 1.0, 0.5, -0.25)])
    [arrow] = (text for text in axes[-1].texts if text.get_text() == "")
    assert (*arrow.xyann, *arrow.xy) == (0.0, 1.0, 0.5, 0.75)


def test_wrong_input_gets_advice(bowl_map):
    with pytest.raises(ValueError, match=r"shape \(steps \+ 1, 2\)"):
        bowl_map.draw({"GD": [1.0, 2.0, 3.0]})
    with pytest.raises(ValueError, match=f"at most {len(CYCLE)}"):
        bowl_map.draw({str(k): [(0, 0)] for k in range(7)})
    with pytest.raises(ValueError, match="smaller to a larger"):
        Landscape(bowl, x_range=(1, 1), y_range=(0, 1), levels=[1])
    with pytest.raises(ValueError, match="not finite"):
        Landscape(lambda x, y: np.inf, x_range=(0, 1), y_range=(0, 1), levels=[1])


def test_the_name_of_an_axis_and_a_long_legend_stay_on_the_paper(axes):
    hill = Landscape(lambda a, b: a + b, x_range=(-5, 4.5), y_range=(-5, 1), levels=[0.5, 1, 2], names=("w₁", "w₂"))
    hill.draw({"cross-entropy": [(1.0, 1.0)] * 188})
    figure = axes[-1].figure
    figure.draw_without_rendering()
    assert axes[-1].yaxis.label.get_window_extent().x0 >= 0
    assert axes[-1].get_legend().get_window_extent().x1 <= figure.bbox.x1


@pytest.mark.parametrize("ends", [{"x_range": (-1, 1), "y_range": (-4, 4)}, {"x_range": (-9, 9), "y_range": (-1, 1)}])
def test_a_long_name_fits_over_a_narrow_map(axes, ends):
    Landscape(bowl, levels=[1, 4], **ends).draw({"batches of 100, without momentum": [(0.5, 0.5), (1.0, 0.0)]})
    figure = axes[-1].figure
    figure.draw_without_rendering()
    key = axes[-1].get_legend().get_window_extent()
    assert figure.bbox.x0 <= key.x0
    assert key.x1 <= figure.bbox.x1
    assert figure.bbox.x0 < axes[-1].yaxis.label.get_window_extent().x0


def test_no_level_is_written_where_the_frame_would_cut_it(axes):
    bowl = Landscape(lambda x, y: x * x + y * y, x_range=(-2, 2), y_range=(-1, 1), levels=[0.1, 0.5, 1, 2, 3, 4, 4.5])
    bowl.draw()
    ax = axes[-1]
    ax.figure.draw_without_rendering()
    assert len(ax.texts) >= 3
    for text in ax.texts:
        box = text.get_window_extent()
        assert ax.bbox.x0 <= box.x0
        assert box.x1 <= ax.bbox.x1
        assert ax.bbox.y0 <= box.y0
        assert box.y1 <= ax.bbox.y1


def test_a_path_that_ends_outside_is_said_to():
    bowl = Landscape(lambda x, y: x * x + y * y, x_range=(-2, 2), y_range=(-1, 1), levels=[0.5])
    alt = bowl.draw({"out": [(0.0, 0.0), (3.0, 0.0)], "in": [(0.0, 0.0), (1.0, 0.0)]}).alt
    assert "out goes from (0, 0) to (3, 0), outside of the map, in 1 step" in alt
    assert "in goes from (0, 0) to (1, 0) in 1 step" in alt
