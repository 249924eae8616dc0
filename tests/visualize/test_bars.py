"""Bars of contributions."""

import pytest
from drawn import misplaced, shapes

from coursepkg.visualize.bars import draw_bars

DINNER = {"flour": 2.0, "butter": -0.53, "an ingredient with a long name": 0.1, "salt": 0.0}


def test_lengths_are_proportional_and_signs_point_apart():
    bars = shapes(draw_bars(DINNER).svg, "bar")
    widths = [float(bar["width"]) for bar in bars]
    assert widths[1] / widths[0] == pytest.approx(0.53 / 2.0, rel=2e-3)
    zero = float(bars[0]["x"])
    assert float(bars[1]["x"]) + widths[1] == pytest.approx(zero, abs=0.2)


def test_negative_bars_differ_without_colour():
    dashes = [bar.get("stroke-dasharray", "") for bar in shapes(draw_bars(DINNER).svg, "bar")]
    assert [bool(dash) for dash in dashes] == [False, True, False, False]


def test_words_are_apart_and_on_the_paper():
    for values in (DINNER, {"only": -3.0}, {"a": 0.0, "b": 0.0}, {"tiny": 1e-12, "huge": 1e15}):
        assert not misplaced(draw_bars(values, unit="portions", title="Contributions", total=True).svg)


def test_the_words_hold_the_numbers_and_the_sum():
    alt = draw_bars(DINNER, unit="portions", total=True).alt
    assert "flour 2 portions, butter −0.53 portions" in alt
    assert alt.endswith("sum 1.57 portions.")


def test_nothing_and_infinity_get_advice():
    with pytest.raises(ValueError, match="at least one bar"):
        draw_bars({})
    with pytest.raises(ValueError, match="'b' is inf"):
        draw_bars({"a": 1.0, "b": float("inf")})
    with pytest.raises(ValueError, match="'a' is nan"):
        draw_bars({"a": float("nan")})
