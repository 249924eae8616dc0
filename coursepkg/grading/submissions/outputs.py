"""A notebook without its outputs: they are stepped over while the file is still text, whatever their size.

Nothing is built from what is left out. Strings, and lists and objects nested a few deep, are passed in one step of a
compiled pattern, so time goes with the number of bytes; text that takes a step for each byte is given up.
All of a learner's notebooks have one ``Bounds`` together: the work is bounded by learner, and not by notebook.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

LEFT_OUT = (b"outputs", b"attachments", b"widgets")  # results, pictures in texts, and the state of controls
MAX_STEPS = 3_000_000
MAX_ENTRIES = 3_000_000
_FEW = 50_000  # entries that are not worth counting exactly
_BLANK = re.compile(rb"[ \t\r\n]*+")
_IN_STRING = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
_SCALAR = re.compile(rb"[^,\]}\s]*+")
_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_TO_A_KEY = re.compile(rb'(?:[^"]++|(?!"(?:%b)")%b)*+' % (b"|".join(LEFT_OUT), _STRING), re.DOTALL)
_TO_AN_ENTRY = re.compile(rb'(?:[^",\[{]++|%b)*+(?:[,\[{]|".*+|\Z)' % _STRING, re.DOTALL)
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


class TooMuchWork(TooLarge):
    """Reading it takes more steps, or builds more, than all notebooks of a learner do."""


class Bounds:
    """How much work the notebooks of one learner may take together.

    Parameters
    ----------
    steps : int, optional
        Of patterns, through text with outputs.
    entries : int, optional
        Of lists and objects, which are built from text.
    """

    def __init__(self, steps: int | None = None, entries: int | None = None):
        self.steps = MAX_STEPS if steps is None else steps
        self.entries = MAX_ENTRIES if entries is None else entries

    def count(self, text: bytes) -> None:
        """Take the entries of a JSON text off, before anything is built from it.

        Raises
        ------
        TooMuchWork
            If there are more than are left.
        """
        if not text.lstrip().startswith((b"{", b"[")):
            return  # nothing is built from it
        most = sum(map(text.count, (b",", b"[", b"{")))  # some of them stand in texts
        if most > _FEW:
            most = sum(1 for _ in islice(_TO_AN_ENTRY.finditer(text), max(self.entries, 0) + 1))
        self.entries -= most
        if self.entries < 0:
            raise TooMuchWork

    def step(self) -> None:
        """Take one step off; raises ``TooMuchWork`` if nothing is left."""
        self.steps -= 1
        if self.steps < 0 or self.entries < 0:
            raise TooMuchWork


def without_outputs(chunks: Iterator[bytes], most: int, bounds: Bounds | None = None) -> bytes:
    """The text of a JSON file with ``null`` in place of outputs.

    Parameters
    ----------
    chunks : iterator of bytes
        The file in UTF-8 or any encoding that has ASCII in it, piece by piece.
    most : int
        How many bytes may be left.
    bounds : Bounds, optional
        What it may take (default: as much as all notebooks of a learner).

    Raises
    ------
    TooLarge
        If more are left.
    TooMuchWork
        If it takes far more steps than notebooks of any size do.
    """
    text, kept = _Text(chunks, bounds or Bounds()), _Kept(most)
    while True:
        kept.add(*text.run(_TO_A_KEY))
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

    def __init__(self, chunks: Iterator[bytes], bounds: Bounds):
        self._chunks, self._buffer, self._at, self._bounds = chunks, b"", 0, bounds

    def run(self, pattern: re.Pattern[bytes], *, keep: bool = True) -> list[bytes]:
        """What the pattern matches from here on, in pieces; it can end anywhere, and go on in the next piece."""
        found = []
        while True:
            self._bounds.step()
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
