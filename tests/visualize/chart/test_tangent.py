"""Axes in SVG, and a function with its tangent on them: what is drawn is where its numbers say."""

import itertools
import math
import re
import xml.etree.ElementTree as ET

import pytest
from drawn import misplaced, shapes, texts

from coursepkg.visualize.chart import axes
from coursepkg.visualize.chart.axes import Axes, Named, key_rows
from coursepkg.visualize.chart.common import ticks
from coursepkg.visualize.chart.tangent import draw_tangent
from coursepkg.visualize.paper import parse_number, style


def corners(picture, role):
    """The points of a line, in pixels."""
    [shape] = shapes(picture.svg, role)
    return [tuple(map(float, pair)) for pair in re.findall(r"(-?[\d.]+) (-?[\d.]+)", shape["d"])]


def scale(picture):
    """From pixels to numbers, read off the numbers that stand at the axes."""
    words = [(t, parse_number(t.content)) for t in texts(picture.svg) if re.fullmatch(r"−?[\d.]+", t.content)]
    lowest = max(t.bottom for t, _ in words)
    across = [((t.left + t.right) / 2, number) for t, number in words if t.bottom == lowest]
    up = [((t.top + t.bottom) / 2, number) for t, number in words if t.bottom < lowest]

    def along(pairs):
        (a, low), (b, high) = pairs[0], pairs[-1]
        return lambda pixel: low + (pixel - a) * (high - low) / (b - a)

    x, y = along(across), along(up)
    return lambda point: (x(point[0]), y(point[1]))


def cube(**how):
    return draw_tangent(lambda x: x**3 - 3 * x, at=0.5, slope=-2.25, low=-2, high=2.5, **how)


def test_the_tangent_touches_and_has_the_given_slope():
    picture = cube(name="g(x)", title="Slope")
    number = scale(picture)
    tangent = [number(corner) for corner in corners(picture, "tangent")]
    (x0, y0), (x1, y1) = tangent[0], tangent[-1]
    assert (y1 - y0) / (x1 - x0) == pytest.approx(-2.25, rel=5e-3)
    assert y0 + (0.5 - x0) * (y1 - y0) / (x1 - x0) == pytest.approx(-1.375, abs=0.05)
    [point] = shapes(picture.svg, "point")
    assert number((float(point["cx"]), float(point["cy"]))) == pytest.approx((0.5, -1.375), abs=0.05)
    assert picture.alt == (
        "Slope. g(x) for x from −2 to 2.5. At x = 0.5 its value is −1.38 and the tangent has slope −2.25."
    )


def test_the_curve_is_the_function():
    picture = cube()
    number = scale(picture)
    found = [number(corner) for corner in corners(picture, "curve")]
    assert len(found) == 121
    for x, y in found:
        assert y == pytest.approx(x**3 - 3 * x, abs=0.08)


def test_a_nudge_is_a_line_of_its_own_with_its_own_slope():
    picture = draw_tangent(lambda x: x * x, at=1.0, slope=2.0, nudge=0.5)
    number = scale(picture)
    seen = [number(corner) for corner in corners(picture, "nudge")]
    assert seen[0] == pytest.approx((1.0, 1.0), abs=0.1)
    assert seen[1] == pytest.approx((1.5, 2.25), abs=0.1)
    assert len(shapes(picture.svg, "point")) == 2
    assert picture.alt.endswith("the tangent has slope 2; a nudge of 0.5 sees slope 2.5.")
    assert "nudge 0.5, slope 2.5" in [word.content for word in texts(picture.svg) if word.role == "key"]
    with pytest.raises(ValueError, match="a nudge of zero has no slope"):
        draw_tangent(lambda x: x * x, at=1.0, slope=2.0, nudge=0)


def test_a_tangent_outside_the_range_gets_advice():
    with pytest.raises(ValueError, match="outside the range"):
        draw_tangent(math.sin, at=5.0, slope=0.1, low=0, high=1)


PICTURES = {
    "plain": cube,
    "titled": lambda: cube(title="A function with a title", name="g(x)"),
    "nudged": lambda: cube(nudge=0.8, name="g(x)"),
    "beyond the edge": lambda: cube(nudge=9.0),
    "steep": lambda: draw_tangent(lambda x: 1e5 * x**3, at=-2.0, slope=1.2e6, nudge=0.05),
    "small": lambda: draw_tangent(lambda x: 1e-7 * math.sin(x), at=1.0, slope=5.4e-8),
    "level": lambda: draw_tangent(lambda x: 3.0, at=0.0, slope=0.0),
}


@pytest.mark.parametrize("name", PICTURES)
def test_words_keep_apart_and_lines_stay_in_their_axes(name):
    picture = PICTURES[name]()
    assert misplaced(picture.svg) == []
    assert picture == PICTURES[name]()
    [frame] = [e for e in ET.fromstring(picture.svg) if e.get("stroke") == style.MUTED]
    (left, top), (_, bottom), (right, _) = (map(float, p) for p in re.findall(r"([\d.]+) ([\d.]+)", frame.get("d")))
    for role in ("curve", "tangent"):
        for x, y in corners(picture, role):
            assert left - 0.1 <= x <= right + 0.1
            assert top - 0.1 <= y <= bottom + 0.1


def test_a_function_that_is_not_finite_somewhere_is_drawn_where_it_is():
    picture = draw_tangent(lambda x: 1 / x if abs(x) > 0.4 else math.inf, at=1.0, slope=-1.0, low=-2, high=2)
    [curve] = shapes(picture.svg, "curve")
    assert curve["d"].count("M") == 2


def test_a_line_is_cut_where_it_leaves_the_axes_and_goes_on_where_it_returns():
    square = Axes((0, 10), (0, 10), left=0, top=0, width=100, height=100)
    drawn = square.line([(-5, 5), (5, 5), (5, 15), (8, 15), (8, 5)], stroke="#000000")
    assert 'd="M0 50L50 50L50 0M80 0L80 50"' in drawn
    assert 'd=""' in square.line([(-5, 12), (15, 12)], stroke="#000000")


def test_the_place_of_an_entry_does_not_follow_its_digits():
    for one, other in (("slope 1.5", "slope −1.5"), ("slope 2", "slope 20")):
        rows = [
            key_rows([Named("f(x)", "#000"), Named(each, "#000"), Named("end", "#000")], 600) for each in (one, other)
        ]
        assert [place for place, _ in rows[0][0]] == [place for place, _ in rows[1][0]]
    assert len(key_rows([Named("a long name of a line", "#000")] * 4, 300)) == 4


def test_dashes_keep_lines_apart_like_those_of_the_style():
    assert len(set(axes.DASHES)) == len(style.DASHES) == len(style.CYCLE)


@pytest.mark.parametrize("ends", [(0, 60), (-2.2, 2.6), (-5.17, 1.3e4), (1e-9, 4e-9)])
def test_ticks_are_a_few_round_numbers_in_even_steps(ends):
    found = ticks(*ends)
    assert 3 <= len(found) <= 8
    assert ends[0] <= found[0] < found[-1] <= ends[1]
    steps = {f"{b - a:.3g}" for a, b in itertools.pairwise(found)}
    assert len(steps) == 1
