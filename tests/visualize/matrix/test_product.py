"""A product of matrices, multiplied out step by step."""

import pytest
from drawn import shapes, texts

from coursepkg.visualize.matrix.product import draw_product

SHAPES = [(1, 20), (20, 30), (30, 40)]


def prices(picture):
    return [text.content for text in texts(picture.svg) if text.role == "price"]


def test_the_order_changes_the_price():
    assert prices(draw_product(SHAPES, [0, 0]))[-1] == f"{20 * 30 + 30 * 40:,} multiplications in all"
    assert prices(draw_product(SHAPES, [1, 0]))[-1] == f"{20 * 30 * 40 + 20 * 40:,} multiplications in all"


def test_each_line_has_one_factor_less():
    assert len(shapes(draw_product(SHAPES, [0, 0]).svg, "factor")) == 3 + 2 + 1


def test_rectangles_are_to_scale():
    first, second, third = shapes(draw_product(SHAPES, [0, 0]).svg, "factor")[:3]
    assert float(third["width"]) == pytest.approx(2 * float(first["width"]), rel=0.01)
    assert float(second["height"]) == pytest.approx(float(first["width"]), rel=0.01)


def test_products_are_named_after_their_factors():
    written = [text.content for text in texts(draw_product(SHAPES, [1, 0], names=["g", "A", "B"]).svg)]
    assert "AB" in written
    assert "gAB" in written


@pytest.mark.parametrize(
    ("sizes", "order", "message"),
    [
        ([(1, 2), (3, 4)], [0], "2 is not 3"),
        ([(1, 2), (2, 4)], [], "need 1 steps"),
        ([(1, 2), (2, 4)], [1], "right neighbour"),
        ([(1, 2)], [], "two factors"),
    ],
)
def test_what_cannot_be_multiplied_is_explained(sizes, order, message):
    with pytest.raises(ValueError, match=message):
        draw_product(sizes, order)
