"""The text of one answer in a notebook, for people to read, and a form of it in which alike answers are equal.

Nothing is parsed: what strangers wrote could be made to bring a parser down, so regular expressions of linear cost do.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
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
    own = re.compile(
        rf"^[ \t]*(?:async[ \t]+)?(?:def|class)[ \t]+{re.escape(function)}\b|^[ \t]*{re.escape(function)}[ \t]*=(?!=)"
        rf"|\bcheck\([ \t]*[\"']{re.escape(exercise)}[\"']",
        re.MULTILINE,
    )
    return "\n\n".join(cell.strip("\n") for cell in code if (function in cell or exercise in cell) and own.search(cell))


def with_helpers(code: Sequence[str], answer: str) -> str:
    """An answer with the cells before it that define functions or classes which it uses, or which these use.

    Two answers may be the same line that calls a helper, and the helpers differ.
    """
    shown = answer
    lengths = accumulate(map(len, code))
    looked_at = [cell for cell, length in zip(code, lengths, strict=True) if length <= MOST_COMPARED]
    defined = {
        k: {name for names in _DEFINED.findall(cell) for name in names if name}
        for k, cell in enumerate(looked_at)
        if cell.strip("\n") not in answer
    }
    helpers: set[int] = set()
    while len(shown) <= MOST:
        words = set(_NAME.findall(shown))
        new = [k for k in defined.keys() - helpers if defined[k] & words]
        if not new:
            break
        helpers.update(new)
        shown = "\n\n".join([*(code[k].strip("\n") for k in sorted(helpers)), answer])
    return shown


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
