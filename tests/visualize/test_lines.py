"""Curves with names at their ends: true to scale, in the order of arrival, and readable where they end together."""

import re

import numpy as np
import pytest
from drawn import misplaced, shapes, texts

from coursepkg.visualize.lines import draw_lines


def points(picture):
    """One array of (x, y) per curve."""
    found = []
    for curve in shapes(picture.svg, "curve"):
        numbers = [float(n) for n in re.findall(r"-?[\d.]+", curve["d"])]
        found.append(np.array(numbers).reshape(-1, 2))
    return found


def names(picture):
    return [text.content for text in sorted(texts(picture.svg), key=lambda t: t.top) if text.role == "name"]


def test_steps_are_evenly_spaced_and_values_to_scale():
    (curve,) = points(draw_lines({"a": [0.0, 1.0, 4.0, 2.0]}))
    assert np.diff(curve[:, 0]) == pytest.approx(150.0, abs=0.2)
    rise = curve[0, 1] - curve[:, 1]
    assert rise[1:] / rise[1] == pytest.approx([1, 4, 2], rel=5e-3)


def test_a_logarithmic_axis_shows_ratios():
    (curve,) = points(draw_lines({"a": [1.0, 0.1, 0.01]}, log=True))
    assert np.diff(curve[:, 1])[0] == pytest.approx(np.diff(curve[:, 1])[1], abs=0.2)


def test_names_stand_in_the_order_of_arrival():
    picture = draw_lines({"slow": [1.0, 0.9], "fast": [1.0, 0.1], "middle": [1.0, 0.5]})
    assert names(picture) == ["slow", "middle", "fast"]
    assert "From best to worst at the end: fast from 1 to 0.1, middle from 1 to 0.5, slow" in picture.alt


def test_curves_are_told_apart_without_colour():
    picture = draw_lines({name: [1.0, 0.5] for name in "abcdef"})
    assert len({curve.get("stroke-dasharray", "") for curve in shapes(picture.svg, "curve")}) == 6


@pytest.mark.parametrize(
    "ends", [[0.5] * 6, [0.0] * 6, [1.0] * 6, [0.5, 0.5, 0.5, 0.51, 0.02, 0.01], [1, 1, 1, 0, 0, 0]]
)
def test_names_of_curves_that_end_together_are_apart(ends):
    runs = {f"optimizer {k}": [1.0, 0.5, 0.0, end] for k, end in enumerate(ends)}
    assert not misplaced(draw_lines(runs, title="Six optimizers on one tree", ylabel="lowest training loss so far").svg)


def test_curves_may_differ_in_length():
    first, second = points(draw_lines({"long": [3.0, 2.0, 1.0], "short": [3.0, 2.5]}))
    assert second[-1, 0] == pytest.approx(first[1, 0], abs=0.1)


def test_shares_are_written_in_per_cent():
    picture = draw_lines({"test": [0.5, 0.945], "validation": [0.5, 0.9]}, percent=True, ylabel="accuracy")
    assert "From lowest to highest at the end: validation from 50.0 % to 90.0 %" in picture.alt
    assert any(text.content.endswith(" %") for text in texts(picture.svg) if text.role == "tick")


def test_wrong_curves_get_advice():
    with pytest.raises(ValueError, match="at least two values"):
        draw_lines({"a": [1.0]})
    with pytest.raises(ValueError, match="at most 6"):
        draw_lines({str(k): [1.0, 2.0] for k in range(7)})
    with pytest.raises(ValueError, match="'b' holds a value that is zero"):
        draw_lines({"a": [1.0, 2.0], "b": [1.0, 0.0]}, log=True)
    with pytest.raises(ValueError, match="not finite"):
        draw_lines({"a": [1.0, float("nan")]})
