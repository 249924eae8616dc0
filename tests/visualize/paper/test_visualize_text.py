"""Numbers and words in drawings."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

from coursepkg.visualize.paper.text import format_number, join_words, parse_number, plural, shorten, text_width, wrap


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"), (-0.0, "0"), (3, "3"), (-12.0, "−12"), (0.1 + 0.2, "0.3"), (1234.5678, "1235"), (99999, "99999"),
        (123456.0, "1.23e5"), (100000.0, "1e5"), (1.2e-9, "1.2e−9"), (-5e-324, "−4.94e−324"), (1e308, "1e308"),
        (math.inf, "∞"), (-math.inf, "−∞"), (math.nan, "nan"), (None, "none"), (np.float32(0.5), "0.5"),
        (np.array(2.5), "2.5"), (np.zeros((2, 3)), "2×3 array"), (1 - 2j, "1 − 2i"), (999.9999, "1000"),
        (0.00012345, "0.000123"), (-0.0004, "−0.0004"),
    ],
)  # fmt: skip
def test_numbers_as_they_are_written(value, text):
    assert format_number(value) == text


@given(st.floats(min_value=-1e308, max_value=1e308))
def test_a_written_number_is_right_to_three_digits(value):
    text = format_number(value)
    assert parse_number(text) == pytest.approx(value, rel=5.1e-3, abs=0)
    assert "-" not in text
    assert len(text) <= 10


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e6, max_value=1e6))
def test_writing_twice_changes_nothing(value):
    assert format_number(parse_number(format_number(value))) == format_number(value)


def test_stored_widths_are_those_of_the_font():
    font = FT2Font(font_manager.findfont("DejaVu Sans"))
    font.set_size(1000, 72)
    for text in ("−0.123", "1.23e−17", "backpropagation", "w₁x₂ + b = θ", "∂L/∂z", "÷×∞≈", "WIDE MIX: 50 %"):
        advance = sum(font.load_char(ord(character)).linearHoriAdvance / 65536 for character in text) / 1000
        assert text_width(text, 1) == pytest.approx(advance, rel=0.03)


def test_lines_break_at_blanks_and_fit():
    lines = wrap("Recurrent networks and backpropagation through time", 12, 140)
    assert " ".join(lines) == "Recurrent networks and backpropagation through time"
    assert all(text_width(line, 12) <= 140 for line in lines)
    assert wrap("", 12, 140) == []


def test_words_are_joined_and_counted():
    assert [join_words(list("abc")[:n]) for n in range(4)] == ["", "a", "a and b", "a, b and c"]
    assert [plural(1, "box", "boxes"), plural(2, "box", "boxes"), plural(1200, "node")] == [
        "1 box",
        "2 boxes",
        "1,200 nodes",
    ]
    assert [shorten("short", 5), shorten("too long", 5)] == ["short", "too…"]
