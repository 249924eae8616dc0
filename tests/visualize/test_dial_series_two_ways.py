"""The curse dial, measured series with predicted lines, and the memory of two ways through a network."""

import numpy as np
import pytest
from drawn import misplaced, shapes, texts

from coursepkg.visualize.dial import draw_dial
from coursepkg.visualize.series import draw_series
from coursepkg.visualize.two_ways import draw_two_ways

FLAT = ([0.0, 1.0], [1.0, 1.0])
SAMPLES = np.linspace(0.0, 0.5, 101)


def test_bars_have_area_one_and_stand_on_the_density_of_a_flat_sample():
    picture = draw_dial(np.linspace(0.001, 0.999, 400), low=0, high=1, bins=4, density=FLAT)
    heights = {round(float(bar["height"])) for bar in shapes(picture.svg, "bar")}
    assert heights == {220}
    (line,) = shapes(picture.svg, "density")
    assert line["d"] == "M40 44L500 44"


def test_marks_stand_where_they_belong_and_the_words_hold_every_number():
    marks, notes = {"expected": 0.25, "cos = 1": 1.0}, ["50 times as many steps"]
    picture = draw_dial(SAMPLES, low=0, high=1, density=FLAT, marks=marks, xlabel="cosine", notes=notes, title="Dial")
    places = [float(mark["d"].split("L")[1].split()[0]) for mark in shapes(picture.svg, "mark")]
    assert places == [155, 500]
    assert picture.alt.startswith("Dial. Histogram of 101 values of cosine between 0 and 1; their mean is 0.25")
    assert picture.alt.endswith("expected: 0.25. cos = 1: 1. 50 times as many steps.")
    assert not misplaced(picture.svg)


def test_what_lies_outside_is_counted():
    assert "1 lie outside" in draw_dial([0.5, 2.0], low=0, high=1, density=FLAT).alt


def test_series_name_their_ends_and_axes():
    measured = {"Gaussian": ([10, 100], [12.0, 102.0])}
    alt = draw_series(measured, {"Gaussian": ([10, 100], [11.0, 101.0])}, log="xy", xlabel="d", ylabel="noise").alt
    assert alt == (
        "noise against d, both axes logarithmic. Gaussian: from 12 at 10 to 102 at 100, 2 points. "
        "Gaussian predicted: from 11 at 10 to 101 at 100, 2 points."
    )


def test_series_are_the_same_bytes_twice():
    series = {"loss": (np.arange(30), np.exp(-np.arange(30.0)))}
    assert draw_series(series, joined=True, log="y").svg == draw_series(series, joined=True, log="y").svg


@pytest.mark.parametrize("layers", [2, 5, 8])
def test_backpropagation_keeps_what_it_passed_and_lets_go_on_the_way_back(layers):
    for moment in range(2 * layers + 1):
        kept = len(shapes(draw_two_ways(layers, moment).svg, "kept"))
        backprop = moment if moment <= layers else 2 * layers - moment
        forward = 1 if 1 <= moment <= layers else 0
        assert kept == backprop + forward


def test_the_words_of_both_passes():
    words = [t.content for t in texts(draw_two_ways(3, 4).svg) if t.role == "words"]
    assert words == ["is on its way back and still keeps 2 layers", "is done: one number, ∇L · v, and the direction"]
    for moment in range(7):
        assert not misplaced(draw_two_ways(3, moment).svg)


def test_wrong_input_gets_advice():
    with pytest.raises(ValueError, match="2 to 8 layers"):
        draw_two_ways(9, 0)
    with pytest.raises(ValueError, match="at most 3 marks"):
        draw_dial([], low=0, high=1, density=FLAT)
    with pytest.raises(ValueError, match="as many x as y"):
        draw_series({"a": ([1, 2], [1])})
    with pytest.raises(ValueError, match="logarithmic y axis"):
        draw_series({"a": ([1], [-1])}, log="y")
    with pytest.raises(ValueError, match="got 'log'"):
        draw_series({"a": ([1], [1])}, log="log")
    with pytest.raises(ValueError, match="one to 6 names, got 7"):
        draw_series({str(k): ([1], [1]) for k in range(7)})
