"""The line where a predictor is undecided: it lies where the answers change sides, and the words count them."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from coursepkg.visualize.field.boundary import draw_decision_boundary

POINTS = np.array([[0.0, 0.0], [1.0, 0.5], [3.0, 0.0], [4.0, 1.0], [0.5, 2.0]])
LABELS = np.array([-1, -1, 1, 1, 1])


def test_the_boundary_lies_where_the_predictor_is_undecided(axes):
    picture = draw_decision_boundary(lambda p: p[:, 0] - 2.0, POINTS, LABELS, names=("left", "right"))
    paths = [path for collection in axes[-1].collections for path in collection.get_paths() if len(path.vertices)]
    on_line = [path.vertices for path in paths if np.ptp(path.vertices[:, 0]) < 1e-9]
    assert on_line
    np.testing.assert_allclose(on_line[-1][:, 0], 2.0, rtol=1e-9)
    assert picture.alt == (
        "5 points, 2 of left (circles) and 3 of right (squares), and the boundary between them. "
        "4 of 5 are on their side."
    )


def test_classes_have_their_own_markers(axes):
    draw_decision_boundary(lambda p: p[:, 0] - 2.0, POINTS, LABELS)
    circles, squares = axes[-1].lines
    assert (circles.get_marker(), squares.get_marker()) == ("o", "s")
    np.testing.assert_array_equal(np.stack(squares.get_data(), axis=1), POINTS[LABELS == 1])


def test_scores_may_be_lists_of_scalars_and_levels_move_the_line():
    class Number:
        def __init__(self, value):
            self.value = value

        def __float__(self):
            return float(self.value)

    picture = draw_decision_boundary(lambda p: [Number(x - 1.5) for x, _ in p], POINTS, LABELS, level=0.5)
    assert picture.alt.endswith("4 of 5 are on their side.")


def test_a_predictor_that_never_decides_is_drawn_too():
    assert draw_decision_boundary(lambda p: p[:, 0] + 100.0, POINTS, LABELS).alt.endswith("3 of 5 are on their side.")


def test_wrong_shapes_get_advice():
    with pytest.raises(ValueError, match=r"shape \(n, 2\)"):
        draw_decision_boundary(lambda p: p[:, 0], np.zeros((4, 3)), np.zeros(4))
    with pytest.raises(ValueError, match="two classes"):
        draw_decision_boundary(lambda p: p[:, 0], POINTS, np.ones(5))
    with pytest.raises(ValueError, match="returned 1 scores"):
        draw_decision_boundary(lambda p: p.sum(), POINTS, LABELS)


def test_the_same_boundary_gives_the_same_bytes_and_leaves_no_figure():
    first, second = (draw_decision_boundary(lambda p: p[:, 0] - 2.0, POINTS, LABELS) for _ in range(2))
    assert first.svg == second.svg
    assert not plt.get_fignums()
