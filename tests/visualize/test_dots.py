"""One dot per run: none hidden, and the mean is that of the dots."""

import re

import numpy as np
import pytest
from drawn import misplaced, shapes, texts

from coursepkg.visualize.dots import draw_dots


def dots(picture):
    return [(float(dot["cx"]), float(dot["cy"])) for dot in shapes(picture.svg, "dot")]


def test_every_run_has_a_dot_and_equal_runs_do_not_hide_each_other():
    found = dots(draw_dots({"best": [0.9, 0.9, 0.9, 1.0], "last": [0.9, 0.8]}))
    assert len(found) == 6
    assert len(set(found)) == 6


def test_dots_are_as_far_apart_as_their_values():
    (a, _), (b, _), (c, _) = dots(draw_dots({"row": [0.0, 1.0, 3.0]}, ends=(0.0, 3.0)))
    assert (c - b) / (b - a) == pytest.approx(2.0, rel=1e-3)


def test_the_mean_is_marked_and_written():
    picture = draw_dots({"row": [0.90, 1.00, 0.95, 0.91]}, ends=(0.9, 1.0), percent=True)
    (line,) = [mark for mark in shapes(picture.svg, "mean") if "d" in mark]
    xs = [x for x, _ in dots(picture)]
    assert float(re.match(r"M(\S+) ", line["d"])[1]) == pytest.approx(sum(xs) / 4, abs=0.2)
    assert [text.content for text in texts(picture.svg) if text.role == "mean"] == ["94.0 %"]
    assert "row: 4 values from 90.0 % to 100.0 %, mean 94.0 %." in picture.alt


@pytest.mark.parametrize("count", [1, 10, 40])
def test_words_are_apart_and_on_the_paper(count):
    rng = np.random.default_rng(1)
    rows = {name: rng.uniform(0.8, 1.0, count) for name in ("best snapshot on the test set", "best validation", "last")}
    picture = draw_dots(
        rows, percent=True, xlabel="test accuracy, one dot per run", title="The same runs, scored three ways"
    )
    assert not misplaced(picture.svg)


def test_wrong_rows_get_advice():
    with pytest.raises(ValueError, match="at least one row"):
        draw_dots({})
    with pytest.raises(ValueError, match="at least one value in each"):
        draw_dots({"a": [1.0], "b": []})
    with pytest.raises(ValueError, match="no place on an axis"):
        draw_dots({"a": [float("inf")]})
