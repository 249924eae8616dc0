"""Named points: each where it belongs, each name beside its own point and on no other."""

import numpy as np
import pytest
from drawn import misplaced, shapes, texts

from coursepkg.visualize.scatter import draw_scatter

AXES = {"xlabel": "mean training error", "ylabel": "mean test error"}
CROWD = {
    "iris": (0.076, 0.008), "wine": (0.067, 0.009), "wdbc": (0.034, 0.014), "ionosphere": (0.095, 0.048),
    "heart": (0.152, 0.103), "australian": (0.137, 0.105), "pima": (0.232, 0.178), "vehicle": (0.312, 0.250),
    "glass": (0.320, 0.268),
}  # fmt: skip


def centres(picture):
    """Points in the order of drawing."""
    found = []
    for shape in shapes(picture.svg, "point"):
        if "cx" in shape:
            found.append((float(shape["cx"]), float(shape["cy"])))
        else:
            found.append(
                (float(shape["x"]) + float(shape["width"]) / 2, float(shape["y"]) + float(shape["height"]) / 2)
            )
    return found


def test_points_lie_where_their_numbers_say():
    picture = draw_scatter({"a": (0.0, 0.0), "b": (1.0, 2.0), "c": (4.0, 1.0)}, **AXES)
    (ax, ay), (bx, by), (cx, cy) = centres(picture)
    assert (cx - ax) / (bx - ax) == pytest.approx(4.0, rel=1e-2)
    assert (ay - by) / (ay - cy) == pytest.approx(2.0, rel=1e-2)


def test_a_logarithmic_axis_shows_ratios():
    (ax, _), (bx, _), (cx, _) = centres(
        draw_scatter({"a": (10.0, 0.0), "b": (100.0, 1.0), "c": (1000.0, 2.0)}, log_x=True, **AXES)
    )
    assert cx - bx == pytest.approx(bx - ax, abs=0.3)


def test_points_on_the_diagonal_lie_on_it():
    picture = draw_scatter(
        {"a": (0.1, 0.1), "b": (0.3, 0.3)}, diagonal=True, x_ends=(0.0, 0.5), y_ends=(0.0, 0.4), **AXES
    )
    (line,) = shapes(picture.svg, "diagonal")
    x1, y1, x2, y2 = (float(number) for number in line["d"].replace("M", "").replace("L", " ").split())
    for x, y in centres(picture):
        assert (y - y1) * (x2 - x1) == pytest.approx((y2 - y1) * (x - x1), rel=5e-3)
    assert "0 of 2 points lie below the diagonal." in picture.alt


def test_below_the_diagonal_is_counted():
    assert "9 of 9 points lie below the diagonal." in draw_scatter(CROWD, diagonal=True, **AXES).alt


@pytest.mark.parametrize("seed", range(6))
def test_names_of_scattered_points_are_apart(seed):
    rng = np.random.default_rng(seed)
    points = {f"method {k}": tuple(rng.uniform(0.0, 1.0, 2)) for k in range(12)}
    assert not misplaced(draw_scatter(points, percent="xy", title="Twelve methods", **AXES).svg)


def test_names_of_crowded_points_are_apart():
    assert not misplaced(draw_scatter(CROWD, diagonal=True, percent="xy", title="Published runs", **AXES).svg)
    twins = {"random forest": (2300.0, 0.95), "MLP, 100 units": (2300.0, 0.95), "neural tree": (2290.0, 0.9501)}
    assert not misplaced(draw_scatter(twins, log_x=True, percent="y", emphasis=["neural tree"], **AXES).svg)


def test_emphasis_changes_the_shape_not_only_the_colour():
    picture = draw_scatter({"a": (1.0, 2.0), "b": (2.0, 1.0)}, emphasis=["b"], **AXES)
    assert ["cx" in shape for shape in shapes(picture.svg, "point")] == [True, False]
    assert {text.content for text in texts(picture.svg) if text.role == "name"} == {"a", "b"}


def test_wrong_points_get_advice():
    with pytest.raises(ValueError, match="at least one point"):
        draw_scatter({}, **AXES)
    with pytest.raises(ValueError, match="'b' is"):
        draw_scatter({"a": (1.0, 2.0), "b": (1.0, float("nan"))}, **AXES)
    with pytest.raises(ValueError, match="which is no point"):
        draw_scatter({"a": (1.0, 2.0)}, emphasis=["c"], **AXES)
    with pytest.raises(ValueError, match="only positive"):
        draw_scatter({"a": (1.0, 2.0), "b": (2.0, 1.0)}, log_x=True, x_ends=(0.0, 3.0), **AXES)
