"""The key to the colours."""

from drawn import misplaced

from coursepkg.visualize import draw_legend
from coursepkg.visualize.paper.style import GRADIENT, VALUE


def test_the_key_shows_each_colour_beside_what_it_means():
    picture = draw_legend()
    assert not misplaced(picture.svg)
    assert picture.svg.index(VALUE) < picture.svg.index(GRADIENT)
    for words in ("Values: green", "Gradients: red", "negative blue, positive orange"):
        assert words in picture.alt
