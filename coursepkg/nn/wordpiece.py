"""WordPiece: a text as numbers, for a model whose vocabulary holds words and pieces of words.

The one idea: take the longest piece of the vocabulary that the word begins with, then the longest that the rest begins
with, and so on; a piece inside a word is written with ``##`` before it. So a vocabulary of thirty thousand entries
spells every word (Wu et al. 2016; as BERT does it, Devlin et al. 2019).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

import numpy as np

__all__ = ["WordPiece"]

LONGEST_WORD = 100  # letters; what is longer is no word
# Chinese characters are written without spaces, so that each counts as a word.
IDEOGRAPHS = (
    (0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F), (0x2B740, 0x2B81F), (0x2B820, 0x2CEAF),
    (0xF900, 0xFAFF), (0x2F800, 0x2FA1F),
)  # fmt: skip


class WordPiece:
    """Splits texts into pieces of a vocabulary, in lower case and without accents.

    Parameters
    ----------
    vocabulary : sequence of str
        All pieces, each at its number. It holds ``[PAD]`` at 0, ``[UNK]``, ``[CLS]`` and ``[SEP]``.

    Raises
    ------
    ValueError
        If one of the four is missing, or ``[PAD]`` is not the first.

    Examples
    --------
    >>> pieces = WordPiece(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "back", "##ward", "##s", "!"])
    >>> pieces.split("Backwards!")
    ['back', '##ward', '##s', '!']
    >>> pieces.batch(["Backwards!", "forward"], length=6)
    array([[2, 4, 5, 6, 7, 3],
           [2, 1, 3, 0, 0, 0]])
    """

    def __init__(self, vocabulary: Sequence[str]) -> None:
        self.numbers = {piece: number for number, piece in enumerate(vocabulary)}
        missing = [piece for piece in ("[PAD]", "[UNK]", "[CLS]", "[SEP]") if piece not in self.numbers]
        if missing:
            raise ValueError(f"the vocabulary lacks {', '.join(missing)}; is it that of an uncased BERT?")
        if self.numbers["[PAD]"] != 0:
            raise ValueError(f"0 stands for padding, so [PAD] comes first; it is number {self.numbers['[PAD]']} here")
        self._longest = max(map(len, self.numbers))
        self._known: dict[str, list[str]] = {}  # words met before

    def split(self, text: str) -> list[str]:
        """Return the pieces of a text, without the marks of beginning and end."""
        return [piece for word in _words(text) for piece in self._pieces(word)]

    def numbered(self, text: str, length: int | None = None) -> list[int]:
        """Return ``[CLS]``, the pieces and ``[SEP]`` as numbers.

        Parameters
        ----------
        text : str
            Any text.
        length : int, optional
            The most numbers, at least 2; the end of a longer text is left out.

        Returns
        -------
        list of int
        """
        if length is not None and length < 2:
            raise ValueError(f"the two marks alone have length 2, got length={length}")
        pieces = self.split(text)
        pieces = pieces if length is None else pieces[: length - 2]
        return [self.numbers[piece] for piece in ("[CLS]", *pieces, "[SEP]")]

    def batch(self, texts: Iterable[str], length: int | None = None) -> np.ndarray:
        """Return many texts as one array, padded with 0 to the longest of them.

        Parameters
        ----------
        texts : iterable of str
            At least one.
        length : int, optional
            As for :meth:`numbered`.

        Returns
        -------
        ndarray of int, shape (n, T)
        """
        rows = [self.numbered(text, length) for text in texts]
        if not rows:
            raise ValueError("there is no text to turn into numbers")
        made = np.zeros((len(rows), max(map(len, rows))), int)
        for i, row in enumerate(rows):
            made[i, : len(row)] = row
        return made

    def _pieces(self, word: str) -> list[str]:
        found = self._known.get(word)
        if found is None:
            found = self._known[word] = self._spelled(word)
        return found

    def _spelled(self, word: str) -> list[str]:
        if len(word) > LONGEST_WORD:
            return ["[UNK]"]
        pieces: list[str] = []
        start = 0
        while start < len(word):
            mark = "##" if start else ""
            for stop in range(min(len(word), start + self._longest), start, -1):
                if mark + word[start:stop] in self.numbers:
                    pieces.append(mark + word[start:stop])
                    start = stop
                    break
            else:
                return ["[UNK]"]
        return pieces


def _words(text: str) -> list[str]:
    """Words and single punctuation marks: control characters and accents taken out, in lower case."""
    kept = "".join(_cleaned(letter) for letter in text)
    # An accent comes apart from its letter in the decomposed form.
    plain = "".join(letter for letter in unicodedata.normalize("NFD", kept) if unicodedata.category(letter) != "Mn")
    return "".join(f" {letter} " if _is_mark(letter) else letter for letter in plain.lower()).split()


def _cleaned(letter: str) -> str:
    code = ord(letter)
    if letter in "\t\n\r":
        return " "
    if code == 0xFFFD or unicodedata.category(letter) in ("Cc", "Cf", "Co"):  # control, format, private use
        return ""
    if letter.isspace():
        return " "
    return f" {letter} " if any(first <= code <= last for first, last in IDEOGRAPHS) else letter


def _is_mark(letter: str) -> bool:
    """Whether a character is punctuation; of ASCII everything counts that is no letter, digit or space."""
    code = ord(letter)
    if code < 128:
        return code >= 33 and not letter.isalnum() and code != 127
    return unicodedata.category(letter).startswith("P")
