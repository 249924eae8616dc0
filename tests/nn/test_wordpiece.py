"""Texts as numbers: the longest pieces first, and nothing that a text holds can break it."""

import numpy as np
import pytest

from coursepkg.nn import WordPiece

VOCABULARY = [
    "[PAD]", "[UNK]", "[CLS]", "[SEP]", "back", "##ward", "##wards", "##s", "prop", "##ag", "##ation", "cafe", "!", "'",
    "-", "東", "京", "a", "##b", "naive", "$",
]  # fmt: skip


@pytest.fixture
def pieces():
    return WordPiece(VOCABULARY)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Backwards!", "back ##wards !"),  # and not "##ward ##s", which is shorter at first
        ("backward propagation", "back ##ward prop ##ag ##ation"),
        ("Café naïve CAFE\u0301", "cafe naive cafe"),
        ("back-prop'ab$", "back - prop ' a ##b $"),
        ("  \t\nback\u00a0 \r prop\u200b", "back prop"),  # a space that does not break, and one without width
        ("東京a", "東 京 a"),
        ("backx a", "[UNK] a"),  # a word whose rest has no piece is unknown as a whole
        ("a" * 101 + " a", "[UNK] a"),
        ("\x00ba\ufffdck\x1f", "back"),
        ("", ""),
        ("[SEP]", "[UNK] [UNK] [UNK]"),  # marks are no words that a text could say
    ],
)
def test_texts_are_split_into_the_longest_pieces(pieces, text, expected):
    assert pieces.split(text) == expected.split()


def test_numbers_have_marks_around_them_and_fit_the_length(pieces):
    assert pieces.numbered("back a") == [2, 4, 17, 3]
    assert pieces.numbered("back a back a", length=4) == [2, 4, 17, 3]
    assert pieces.numbered("") == [2, 3]
    with pytest.raises(ValueError, match="length=1"):
        pieces.numbered("back", length=1)


def test_a_batch_is_padded_to_its_longest_text(pieces):
    found = pieces.batch(["a back prop", "", "a"], length=4)
    np.testing.assert_array_equal(found, [[2, 17, 4, 3], [2, 3, 0, 0], [2, 17, 3, 0]])
    assert found.dtype == int
    with pytest.raises(ValueError, match="no text"):
        pieces.batch([])


def test_a_vocabulary_without_its_marks_is_refused():
    with pytest.raises(ValueError, match=r"lacks \[UNK\], \[SEP\]"):
        WordPiece(["[PAD]", "[CLS]", "a"])
    with pytest.raises(ValueError, match=r"\[PAD\] comes first; it is number 3"):
        WordPiece(["[UNK]", "[CLS]", "[SEP]", "[PAD]"])
