"""A notebook without its outputs: they are stepped over while the file is still text, whatever their size.

Nothing is built from what is left out. Strings, and lists and objects nested a few deep, are passed in one step of a
compiled pattern, so time goes with the number of bytes; text that takes a step for each byte is given up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

LEFT_OUT = (b"outputs", b"attachments", b"widgets")  # results, pictures in texts, and the state of controls
MAX_STEPS = 3_000_000
_BLANK = re.compile(rb"[ \t\r\n]*+")
_NO_QUOTE = re.compile(rb'[^"]*+')
_IN_STRING = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
_SCALAR = re.compile(rb"[^,\]}\s]*+")
_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_NESTED = 4  # how deep lists and objects may be to be passed in one step


def _inside(depth: int) -> bytes:
    """A pattern for whatever stands in brackets, with brackets inside down to a depth; no two parts begin alike."""
    parts = rb'[^"\[\]{}]++|' + _STRING
    if depth:
        deeper = _inside(depth - 1)
        parts += rb"|\[%b\]|\{%b\}" % (deeper, deeper)
    return rb"(?:%b)*+" % parts


_INSIDE = re.compile(_inside(_NESTED), re.DOTALL)


class TooLarge(ValueError):
    """What is left without outputs is more than a learner writes."""


def without_outputs(chunks: Iterator[bytes], most: int) -> bytes:
    """The text of a JSON file with ``null`` in place of outputs.

    Parameters
    ----------
    chunks : iterator of bytes
        The file in UTF-8 or any encoding that has ASCII in it, piece by piece.
    most : int
        How many bytes may be left.

    Raises
    ------
    TooLarge
        If more are left, or if it takes far more steps than notebooks of any size do.
    """
    text, kept = _Text(chunks), _Kept(most)
    while True:
        kept.add(*text.run(_NO_QUOTE))
        if not (quote := text.byte()):
            return bytes(kept.data)
        key = text.run(_IN_STRING)
        kept.add(quote, *key, text.byte(), *text.run(_BLANK))
        if sum(map(len, key)) < 16 and b"".join(key) in LEFT_OUT and text.peek() == b":":
            kept.add(text.byte())
            _step_over(text)
            kept.add(b" null")


def _step_over(text: _Text) -> None:
    """Leave a whole value behind."""
    text.run(_BLANK, keep=False)
    if text.peek() not in (b"[", b"{", b'"'):
        text.run(_SCALAR, keep=False)
        return
    depth = 0
    while found := text.byte():
        if found == b'"':
            text.run(_IN_STRING, keep=False)
            text.byte()
        depth += (found in b"[{") - (found in b"]}")
        if depth <= 0:
            return
        text.run(_INSIDE, keep=False)


class _Text:
    """A text that comes piece by piece, read forwards."""

    def __init__(self, chunks: Iterator[bytes]):
        self._chunks, self._buffer, self._at, self._steps = chunks, b"", 0, 0

    def run(self, pattern: re.Pattern[bytes], *, keep: bool = True) -> list[bytes]:
        """What the pattern matches from here on, in pieces; it can end anywhere, and go on in the next piece."""
        found = []
        while True:
            self._steps += 1
            if self._steps > MAX_STEPS:
                raise TooLarge
            match = pattern.match(self._buffer, self._at)
            assert match is not None
            if keep and match.end() > self._at:
                found.append(match[0])
            self._at = match.end()
            # A backslash at the end may belong to what comes; so may a string or a list that is not closed yet.
            if self._at < len(self._buffer) - 1 or not self._more():
                return found

    def byte(self) -> bytes:
        """The next byte, or nothing at the end."""
        found = self.peek()
        self._at += len(found)
        return found

    def peek(self) -> bytes:
        """The next byte, which stays."""
        if self._at == len(self._buffer):
            self._more()
        return self._buffer[self._at : self._at + 1]

    def _more(self) -> bool:
        chunk = next(self._chunks, b"")
        if chunk:
            self._buffer, self._at = self._buffer[self._at :] + chunk, 0
        return bool(chunk)


class _Kept:
    def __init__(self, most: int):
        self.data, self._most = bytearray(), most

    def add(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.data += piece
        if len(self.data) > self._most:
            raise TooLarge
