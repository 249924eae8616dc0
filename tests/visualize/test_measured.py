"""Measured against expected, and the toggled signal of a tap."""

import numpy as np
import pytest
from drawn import misplaced, shapes, texts

from coursepkg.visualize.axes import Frame
from coursepkg.visualize.measured import draw_agreement, draw_toggle
from coursepkg.visualize.scale import Scale

E = np.array([0.4, -0.2, 0.1])


def test_points_that_agree_lie_on_the_diagonal():
    svg = draw_agreement({"all": (E, E)}, title="Agreement").svg
    (line,) = shapes(svg, "diagonal")
    (x0, y0), (x1, y1) = (map(float, end.split()) for end in line["d"].removeprefix("M").split("L"))
    for dot in shapes(svg, "dot")[:3]:
        share = (float(dot["cx"]) - x0) / (x1 - x0)
        assert float(dot["cy"]) == pytest.approx(y0 + share * (y1 - y0), abs=0.2)


def test_groups_differ_in_their_marks_and_notes_are_written():
    picture = draw_agreement({"a": (E, E), "b": (E, 2 * E)}, note="cosine 1, slope 2")
    assert [t.content for t in texts(picture.svg) if t.role == "note"] == ["cosine 1", "slope 2"]
    assert len(shapes(picture.svg, "dot")) == 8  # with those beside the names
    assert sum("d" in dot for dot in shapes(picture.svg, "dot")) == 4
    assert picture.alt.endswith("cosine 1, slope 2.")
    assert misplaced(picture.svg) == []


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ({}, "one to 5 groups"),
        ({"a": (E, E[:2])}, "equally many"),
        ({"a": ([np.nan], [1.0])}, "not finite"),
        ({name: (E, E) for name in "abcdef"}, "one to 5 groups"),
    ],
)
def test_what_cannot_be_compared_is_explained(groups, message):
    with pytest.raises(ValueError, match=message):
        draw_agreement(groups)


def test_a_toggle_shows_both_levels_and_their_distance():
    trace = np.repeat(np.tile([2.0, 0.5], 3), 4)
    picture = draw_toggle(trace, 4, title="One tap")
    assert len(shapes(picture.svg, "level")) == 6
    assert len(shapes(picture.svg, "half")) == 3
    assert [t.content for t in texts(picture.svg) if t.role == "swing"] == ["swing 1.5"]
    assert picture.alt.endswith("Mean 2 in the first halves, 0.5 in the second; the swing is 1.5.")
    assert misplaced(picture.svg) == []


@pytest.mark.parametrize(("trace", "samples"), [([1.0, 2.0, 3.0], 2), ([], 2), ([1.0, 2.0], 0)])
def test_a_trace_holds_whole_periods(trace, samples):
    with pytest.raises(ValueError, match="whole periods"):
        draw_toggle(trace, samples)


def test_angles_are_marked_at_half_turns():
    frame = Frame(Scale(0, 2 * np.pi, 50, 250), Scale(0, 1, 150, 20))
    svg = "".join(frame.axes(xlabel="phase", half_turns=True))
    for words in (">0<", ">0.5π<", ">π<", ">1.5π<", ">2π<"):
        assert words in svg
