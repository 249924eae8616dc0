"""Pictures and signs in a row."""

import pytest
from drawn import texts

from coursepkg.visualize.matrix.still import draw_equation, draw_matrix

ROW, SQUARE = draw_matrix([[4.0, -1.0]]), draw_matrix([[1.0, 0.0], [0.0, 2.0]])


def test_factors_and_signs_are_all_there_and_in_order():
    drawn = draw_equation(ROW, "·", SQUARE, "=", ROW, title="A product")
    signs = [text.content for text in texts(drawn.svg) if text.role == "sign"]
    assert signs == ["·", "="]
    assert drawn.svg.count("<svg ") == 4
    assert drawn.alt == f"A product. {ROW.alt} · {SQUARE.alt} = {ROW.alt}"


def test_the_page_is_as_wide_as_its_parts_together():
    def width(picture):
        return float(picture.svg.split('width="')[1].split('"')[0])

    assert width(draw_equation(ROW, SQUARE)) == pytest.approx(width(ROW) + width(SQUARE), abs=0.2)


def test_a_number_is_no_picture():
    with pytest.raises(TypeError, match="got float"):
        draw_equation(ROW, 2.0)


def test_signs_alone_are_no_equation():
    with pytest.raises(ValueError, match="at least one picture"):
        draw_equation("=")
