"""Matrices as heat maps."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from drawn import shapes, texts

from coursepkg.visualize.matrix.still import draw_matrix
from coursepkg.visualize.paper.picture import RULE
from coursepkg.visualize.paper.style import signed
from coursepkg.visualize.paper.text import format_number

ENTRIES = np.array([[1.0, 0.0, -0.5], [0.0, -2.0, 0.001]])


def test_entries_are_written_and_zeros_are_dots():
    svg = draw_matrix(ENTRIES).svg
    written = [text.content for text in texts(svg) if text.role == "entry"]
    assert written == [format_number(entry) for entry in ENTRIES.ravel() if entry != 0]
    assert len(shapes(svg, "zero")) == 2
    assert len(shapes(svg, "cell")) == 6


def test_zero_is_white_and_signs_have_two_hues():
    assert signed(0.0) == "#ffffff"
    red = lambda code: int(code[1:3], 16) - int(code[5:7], 16)  # noqa: E731
    assert all(red(signed(share)) > 0 > red(signed(-share)) for share in (0.1, 0.5, 1.0))
    assert signed(float("inf")) == signed(1.0)


def dark(code):
    """What a dark page makes of a colour: the filter of every picture, after the CSS specification of its functions."""
    amount = float(re.search(r"invert\(([.\d]+)\)", RULE)[1])
    turn = np.array([[0.213, 0.715, 0.072]] * 3) * 2 - np.eye(3)  # hue-rotate(180deg)
    rgb = np.array([int(code[start : start + 2], 16) / 255 for start in (1, 3, 5)])
    return np.clip(turn @ (amount + (1 - 2 * amount) * rgb), 0, 1)


def luminance(rgb):
    return float(np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722])


def test_every_number_has_contrast_on_white_and_on_black_paper():
    svg = draw_matrix([np.linspace(-1, 1, 16).tolist()]).svg
    ink = next(text.get("fill") for text in ET.fromstring(svg).iter() if text.get("class") == "entry")
    for cell in shapes(svg, "cell"):
        for seen in (lambda code: np.array([int(code[k : k + 2], 16) / 255 for k in (1, 3, 5)]), dark):
            low, high = sorted(luminance(seen(code)) for code in (ink, cell["fill"]))
            assert (high + 0.05) / (low + 0.05) >= 4.5, cell["fill"]


def test_large_matrices_are_drawn_without_numbers():
    svg = draw_matrix(np.eye(30)).svg
    assert not [text for text in texts(svg) if text.role == "entry"]
    assert len(shapes(svg, "zero")) == 870


def test_the_words_count_the_zeros():
    alt = draw_matrix(ENTRIES, rows=["y₁", "y₂"], columns=["a", "b", "c"], title="Jacobian").alt
    assert alt == (
        "Jacobian. Matrix of 2 rows and 3 columns, 2 of 6 entries are zero. Row y₁: 1, 0, −0.5. Row y₂: 0, −2, 0.001."
    )
    assert len(draw_matrix(np.eye(30)).alt) < 100


def test_lists_will_do():
    assert draw_matrix(ENTRIES.tolist()) == draw_matrix(ENTRIES)


@pytest.mark.parametrize(
    ("matrix", "message"), [([1.0, 2.0], "two dimensions"), ([[1.0], [1.0, 2.0]], "equal length"), ([], "equal length")]
)
def test_what_is_no_matrix_gets_advice(matrix, message):
    with pytest.raises(ValueError, match=message):
        draw_matrix(matrix)


def test_names_must_match():
    with pytest.raises(ValueError, match="3 columns, but 2 names"):
        draw_matrix(ENTRIES, columns=["a", "b"])


def test_the_same_number_has_the_same_colour_in_matrices_with_the_same_full_colour():
    fills = [
        [cell["fill"] for cell in shapes(draw_matrix(each, full=9.0).svg, "cell")] for each in ([[4.0, 9.0]], [[4.0]])
    ]
    assert fills[0][0] == fills[1][0] != fills[0][1]
    with pytest.raises(ValueError, match="full is the size"):
        draw_matrix(ENTRIES, full=-1)
