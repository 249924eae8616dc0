"""A histogram: every sample is in a bar or counted as beyond, and every mark stands where its number is."""

import re

import numpy as np
import pytest
from drawn import misplaced, shapes, texts

from coursepkg.visualize.histogram import draw_histogram


def heights(picture):
    return [float(bar["height"]) for bar in shapes(picture.svg, "bar")]


def mark_positions(picture):
    return [float(re.match(r"M(\S+) ", line["d"])[1]) for line in shapes(picture.svg, "mark") if "d" in line]


def test_heights_are_proportional_to_counts():
    picture = draw_histogram([0.5] * 3 + [1.5] * 6 + [2.5] * 12, bins=3, ends=(0.0, 3.0))
    assert heights(picture) == pytest.approx([55, 110, 220], abs=0.2)


def test_samples_beyond_the_axis_are_said():
    picture = draw_histogram([0.5, 1.5, 9.0, 11.0], bins=2, ends=(0.0, 2.0), xlabel="nodes")
    assert len(heights(picture)) == 2
    assert picture.alt.endswith("2 values beyond the axis.")
    assert any("2 beyond the axis" in text.content for text in texts(picture.svg))


def test_marks_stand_at_their_numbers():
    picture = draw_histogram([0.0, 10.0], marks={"a": 2.5, "b": 7.5}, ends=(0.0, 10.0))
    first, second = mark_positions(picture)
    assert (first, second) == pytest.approx((64 + 135, 64 + 405), abs=0.2)
    assert "Marked: a 2.5, b 7.5." in picture.alt


def test_a_mark_beyond_the_axis_stays_on_the_paper():
    picture = draw_histogram([0.0, 10.0], marks={"far": 99.0, "low": -99.0}, ends=(0.0, 10.0))
    assert max(mark_positions(picture)) == pytest.approx(604, abs=0.2)
    assert not misplaced(picture.svg)


@pytest.mark.parametrize("scale", [1e-4, 1.0, 300.0, 1e7])
@pytest.mark.parametrize(
    "title", ["", "A thousand random trees of a rather long name, drawn with the dice of the paper"]
)
def test_words_are_apart_and_on_the_paper(scale, title):
    values = scale * np.random.default_rng(0).gamma(4.0, size=500)
    marks = {
        "expected": float(values.mean()),
        "mean of the sample": 1.001 * float(values.mean()),
        "largest": max(values),
    }
    assert not misplaced(draw_histogram(values, marks=marks, xlabel="nodes", title=title).svg)


def test_wrong_samples_get_advice():
    with pytest.raises(ValueError, match="at least one sample"):
        draw_histogram([])
    with pytest.raises(ValueError, match="finite numbers"):
        draw_histogram([1.0, float("nan")])
    with pytest.raises(ValueError, match="at most 3"):
        draw_histogram([1.0], marks=dict.fromkeys("abcd", 1.0))
    with pytest.raises(ValueError, match="at least 1"):
        draw_histogram([1.0, 2.0], bins=0)
