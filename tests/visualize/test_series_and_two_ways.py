"""Measured series with predicted lines, and the memory of two ways through a network."""

import numpy as np
import pytest
from drawn import misplaced, shapes, texts

from coursepkg.visualize.chart.series import draw_series
from coursepkg.visualize.two_ways import draw_two_ways


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
    with pytest.raises(ValueError, match="as many x as y"):
        draw_series({"a": ([1, 2], [1])})
    with pytest.raises(ValueError, match="logarithmic y axis"):
        draw_series({"a": ([1], [-1])}, log="y")
    with pytest.raises(ValueError, match="got 'log'"):
        draw_series({"a": ([1], [1])}, log="log")
    with pytest.raises(ValueError, match="one to 6 names, got 7"):
        draw_series({str(k): ([1], [1]) for k in range(7)})
