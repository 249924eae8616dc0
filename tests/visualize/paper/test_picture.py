"""Pictures carry their words, and refuse words that say nothing."""

import base64
import re
from html import unescape

import pytest

from coursepkg.visualize.paper.picture import Picture

SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>'


def test_the_page_gets_an_image_with_its_words():
    bundle = Picture(SVG, 'A "square" of 1 by 1 < 2')._repr_mimebundle_()
    assert set(bundle) == {"text/html", "text/plain"}
    assert bundle["text/plain"] == 'Figure: A "square" of 1 by 1 < 2'
    first, image = bundle["text/html"].split("\n")
    assert first.strip() == ""  # a folded output shows its first line
    alt, data = re.fullmatch(r'<img alt="([^"]*)" src="data:image/svg\+xml;base64,([^"]*)" [^>]*>', image).groups()
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
