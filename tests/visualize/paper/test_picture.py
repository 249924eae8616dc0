"""Pictures carry their words, and refuse words that say nothing."""

import base64
import re
from html import unescape

import pytest

from coursepkg.visualize.paper import svg
from coursepkg.visualize.paper.picture import Picture, page

SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>'


def test_the_page_gets_an_image_with_its_words():
    bundle = Picture(SVG, 'A "square" of 1 by 1 < 2')._repr_mimebundle_()
    assert set(bundle) == {"text/html", "text/plain"}
    assert bundle["text/plain"] == 'Figure: A "square" of 1 by 1 < 2'
    first, image = bundle["text/html"].split("\n")
    assert first.strip() == ""  # a folded output shows its first line
    alt, data = re.search(r'<img alt="([^"]*)" src="data:image/svg\+xml;base64,([^"]*)" [^>]*>', image).groups()
    assert unescape(alt) == 'A "square" of 1 by 1 < 2'
    assert base64.b64decode(data).decode() == SVG


@pytest.mark.parametrize("alt", ["", "  ", "plot", "Figure.", "a graph", "loss curve"])
def test_lazy_words_are_refused(alt):
    with pytest.raises(ValueError, match="phone"):
        Picture(SVG, alt)


def test_words_must_be_text():
    with pytest.raises(TypeError, match="NoneType"):
        Picture(SVG, None)


def test_words_are_one_line():
    assert Picture(SVG, "one\n   two\tthree").alt == "one two three"


def test_a_picture_scrolls_before_its_smallest_letters_are_too_small_to_read():
    words = [svg.text(14, 20, "small", size=12), svg.text(90, 20, "large", size=24)]
    wide = page(900, 40, words, "Two words, one of them small")
    assert svg.least_width(wide.svg) == round(900 * svg.READ / 12 + 0.5)
    assert f"min-width:{svg.least_width(wide.svg)}px" in wide.html()
    assert svg.least_width(page(300, 40, [svg.text(14, 20, "tiny", size=6)], "One word, very small").svg) == 300
    assert svg.least_width(page(900, 40, [svg.line(0, 0, 900, 40)], "A line without words").svg) == 0
