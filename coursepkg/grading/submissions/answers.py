"""The text of one answer in a notebook, for people to read, and a form of it in which alike answers are equal.

Nothing is parsed: what strangers wrote could be made to bring a parser down, so regular expressions of linear cost do.
"""

from __future__ import annotations

import hashlib
import re
from collections import deque
from collections.abc import Iterable, Sequence
from itertools import accumulate

MOST = 200_000  # characters; longer answers are not compared
MOST_COMPARED = 1_000_000  # of a whole notebook
_DOCSTRING = re.compile(r'"""(?:[^"]|"(?!""))*"""' + r"|'''(?:[^']|'(?!''))*'''")
_COMMENT = re.compile(r"#[^\n]*")
_TOKEN = re.compile(r"[^\W\d]\w*|[\d.]\w*|[^\w\s]")
_NAME = re.compile(r"[^\W\d]\w*")
_DEFINED = re.compile(
    r"^(?:async[ \t]+)?(?:def|class)[ \t]+([^\W\d]\w*)|^([^\W\d]\w*)[ \t]*=[ \t]*lambda\b", re.MULTILINE
)
_GIVEN = re.compile(r"[ \t]*(?:(?:check|hint)\(|(?:import|from)[ \t]|(?:def|class)[ \t]|@)")


def answer_in(code: Sequence[str], exercise: str, function: str) -> str:
    """The cells that hold the answer to an exercise, one after another; "" if there are none.

    Parameters
    ----------
    code : sequence of str
        The code cells of a notebook.
    exercise : str
        Its id, such as "02.3".
    function : str
        What the answer is called.
    """
    return _joined(code, _answering(code, exercise, function))


def _answering(code: Sequence[str], exercise: str, function: str) -> list[int]:
    own = re.compile(
        rf"^[ \t]*(?:async[ \t]+)?(?:def|class)[ \t]+{re.escape(function)}\b|^[ \t]*{re.escape(function)}[ \t]*=(?!=)"
        rf"|\bcheck\([ \t]*[\"']{re.escape(exercise)}[\"']",
        re.MULTILINE,
    )
    return [k for k, cell in enumerate(code) if (function in cell or exercise in cell) and own.search(cell)]


def _joined(code: Sequence[str], cells: Iterable[int]) -> str:
    return "\n\n".join(code[k].strip("\n") for k in cells)


class Helpers:
    """Which cells of a notebook define which functions and classes, found once for all of its answers.

    Parameters
    ----------
    code : sequence of str
        The code cells of a notebook; what lies behind the first million characters is not looked into.
    """

    def __init__(self, code: Sequence[str]):
        self._code = code
        self._defining: dict[str, list[int]] = {}
        self._words: dict[int, set[str]] = {}
        lengths = accumulate(map(len, code))
        for k in (k for k, length in enumerate(lengths) if length <= MOST_COMPARED):
            for name in {name for names in _DEFINED.findall(code[k]) for name in names if name}:
                self._defining.setdefault(name, []).append(k)

    def with_answer(self, exercise: str, function: str) -> str:
        """An answer behind the cells that define what it uses, and what these use, until ``MOST`` characters stand.

        Two answers may be the same line that calls a helper, and the helpers differ. Each word and each cell is looked
        at once, as thousands of helpers may call each other in a chain.
        """
        own = _answering(self._code, exercise, function)
        seen, known, helpers = set(own), set[str](), list[int]()
        waiting = deque(own)
        length = 0
        while waiting and length <= MOST:
            k = waiting.popleft()
            length += len(self._code[k])
            helpers += [k] if k not in own else []
            new = self._words_of(k) - known
            known |= new
            found = sorted({each for word in new for each in self._defining.get(word, ())} - seen)
            seen.update(found)
            waiting.extend(found)
        return _joined(self._code, [*sorted(helpers), *own])

    def _words_of(self, k: int) -> set[str]:
        if k not in self._words:
            self._words[k] = set(_NAME.findall(self._code[k]))
        return self._words[k]


def fingerprint(answer: str) -> tuple[str, int]:
    """A hash that answers share if they differ in comments, spacing and names of variables only, and their own lines.

    Returns
    -------
    hash : str
        "" if there is nothing to compare.
    lines : int
        How many lines the learner wrote: without comments, imports, the head of the function and its docstring.
    """
    if len(answer) > MOST:
        return "", 0
    bare = _COMMENT.sub("", _DOCSTRING.sub("", answer))
    own = [line for line in bare.splitlines() if line.strip() and not _GIVEN.match(line)]
    tokens = _TOKEN.findall("\n".join(own))
    if not tokens:
        return "", 0
    bound = _bound(tokens)
    numbered: dict[str, str] = {}
    told = [numbered.setdefault(token, f"\0{len(numbered)}") if token in bound else token for token in tokens]
    return hashlib.sha256("\n".join(told).encode("utf-8", "surrogatepass")).hexdigest()[:16], len(own)


def _bound(tokens: Sequence[str]) -> set[str]:
    """Names that an answer gives to its variables: what stands before a lone ``=``, and what loops run over."""
    found = set()
    looping = False
    for before, token, after in zip(("", *tokens), tokens, (*tokens[1:], ""), strict=False):
        looping = token == "for" or (looping and token != "in")
        named = _NAME.fullmatch(token) and before != "." and token != "for"
        if named and (looping or after == "="):
            found.add(token)
    return found
