"""Reading what a worker says: one line of JSON, held against every bound as text before anything is built from it.

The line may have been written by a learner's code. So its strings are taken out, and what is left (brackets, commas,
colons, digits) tells how much Python would have to build. All steps take time in proportion to the length of the line.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from coursepkg.grading.judging.limits import MAX_DIGITS, MAX_MEMBERS, MAX_NESTING, MAX_REPLY, MAX_VALUES

# A string that is never closed, or ends in a backslash, reaches to the end of the line: nothing is read twice.
_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+\\?+"?+', re.DOTALL)
_LONG_NUMBER = re.compile(rf"[-+.0-9eE]{{{MAX_DIGITS + 1}}}")
_BRACKETS = re.compile(r"[\[\]{}]")


class TooLarge(ValueError):
    """A reply that asks for more than any answer needs; nothing was built from it."""


def read_reply(line: str) -> dict[str, Any]:
    """One line of a worker as JSON data.

    Parameters
    ----------
    line : str
        Whatever a process wrote.

    Returns
    -------
    dict
        With at most ``MAX_VALUES`` values in it, nested at most ``MAX_NESTING`` deep.

    Raises
    ------
    TooLarge
        If it is longer, deeper or wider than any honest reply, or holds a longer number.
    ValueError
        If it is no JSON object, names a key twice, or holds NaN or infinity, which JSON has not.
    """
    hold_against_bounds(line)
    reply = _JSON.decode(line)
    if not isinstance(reply, dict):
        raise ValueError("a reply is a JSON object")
    return reply


def hold_against_bounds(line: str) -> None:
    """Raise ``TooLarge`` if a line asks for more than any answer needs; builds nothing."""
    if len(line) > MAX_REPLY:
        raise TooLarge(f"more than {MAX_REPLY // 10**6} MB")
    few = len(line) < MAX_VALUES and line.count("[") + line.count("{") <= MAX_NESTING
    if few and not _LONG_NUMBER.search(line):  # most replies: what is in their strings could only make them look larger
        return
    bare = _STRING.sub("", line)
    if bare.count(",") + bare.count("[") + bare.count("{") > MAX_VALUES:
        raise TooLarge(f"more than {MAX_VALUES} values")
    if _LONG_NUMBER.search(bare):
        raise TooLarge(f"a number of more than {MAX_DIGITS} characters")
    depth = 0
    for bracket in _BRACKETS.findall(bare):
        depth += 1 if bracket in "[{" else -1
        if depth > MAX_NESTING:
            raise TooLarge(f"more than {MAX_NESTING} brackets in brackets")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) > MAX_MEMBERS:
        raise TooLarge(f"an object of more than {MAX_MEMBERS} members")
    built = dict(pairs)
    if len(built) != len(pairs):
        raise ValueError("an object names a key twice")
    return built


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


_JSON = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_refuse_constant)
