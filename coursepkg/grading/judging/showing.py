"""Values and places in words: what a learner's call looked like, and where in an answer a number stands.

Arrays of a dozen entries are printed whole, larger ones by shape and first entries. A place is named by what it is: the
key of a dictionary, the words that an exercise has for its parts, or else an ordinal ("the second of three results").
The words are ``parts`` of a compiled check: ``["the value", "the tangent"]`` for a tuple, ``"batch"`` for each item of
a list, ``{"each": "batch", "parts": ["the images", "the labels"]}`` for a list of tuples. Rows, columns and entries
count from 0, as in Python.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from coursepkg.grading.judging.arrays import np
from coursepkg.grading.judging.drivers import DRIVERS
from coursepkg.grading.judging.values import decode, kind_of

WHOLE, FIRST = 12, 4  # entries of an array that is printed whole; of one that is not
DIGITS, MOST = 6, 12  # of a number, and where it takes more to tell it from its neighbours
CALL_WIDTH = 220
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_ONE = {"results": "result", "parts": "part", "entries": "entry"}
_COUNTS = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_SHOWN_ARRAY = re.compile(r", (x\d+) of shape|^(x\d+) of shape")


# --- values ----------------------------------------------------------------------------------------------------------


def short(value: Any, whole: int = WHOLE, digits: int = DIGITS) -> str:
    """A value as a learner would type it, or by its size where it is long; unequal numbers side by side stay unequal.

    Examples
    --------
    >>> short([1.0, np.array([[0.25, -2.0]])])
    '[1, array([[0.25, -2]])]'
    >>> short(np.arange(20.0).reshape(4, 5))
    'array of shape (4, 5): 0, 1, 2, 3, ...'
    """
    if isinstance(value, bool | np.bool_) or value is None:
        return str(value)
    if isinstance(value, float | complex):
        return f"{value:.{digits}g}"
    if isinstance(value, np.ndarray):
        digits = _telling_apart(value.ravel()[:WHOLE].tolist())
        if value.ndim == 0:
            return short(value.item())
        if value.size <= whole:
            return f"array({short(value.tolist(), whole, digits)})"
        first = ", ".join(short(item, digits=digits) for item in value.ravel()[:FIRST].tolist())
        return f"array of shape {value.shape}: {first}, ..." if whole else f"array of shape {value.shape}"
    if isinstance(value, list | tuple):
        digits = max(digits, _telling_apart(value[:WHOLE]))
        if len(value) > max(whole, FIRST):
            if not whole or any(isinstance(item, list | tuple | dict | np.ndarray) for item in value[:FIRST]):
                return f"{kind_of(value)[2:]} of length {len(value)}"
            first = ", ".join(short(item, 0, digits) for item in value[:FIRST])
            return f"{kind_of(value)[2:]} of length {len(value)}: {first}, ..."
        inner = ", ".join(short(item, whole, digits) for item in value)
        return f"[{inner}]" if isinstance(value, list) else f"({inner}{',' if len(value) == 1 else ''})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {short(item, whole)}" for key, item in value.items()) + "}"
    return repr(value)[:60]


def _telling_apart(values: Sequence[Any]) -> int:
    """With how many digits unequal numbers look unequal; six, where that is enough."""
    found = {value for value in values if isinstance(value, float | complex) and value == value}
    return next((n for n in range(DIGITS, MOST) if len({f"{x:.{n}g}" for x in found}) == len(found)), MOST)


def call_line(compiled: Mapping[str, Any], item: Mapping[str, Any]) -> list[str]:
    """The call of a case in one line; nothing where inputs are hidden."""
    if compiled["hidden"]:
        return []
    args = [decode(arg) for arg in item["args"]]
    kwargs = {name: decode(value) for name, value in item["kwargs"].items()}
    show = DRIVERS[compiled["driver"]].show
    if show is not None:
        return [f"For {_with_small_arrays(show(*args, **kwargs), args)}"]
    arguments = [("", arg) for arg in args] + [(f"{name}=", value) for name, value in kwargs.items()]
    words = _fitting(arguments, CALL_WIDTH - len(compiled["function"]) - 2)
    text = f"{compiled['function']}({', '.join(words)})"
    return [f"For `{text}`" if len(text) <= CALL_WIDTH else f"For `{text[: CALL_WIDTH - 4]}...`"]


def _fitting(arguments: Sequence[tuple[str, Any]], width: int) -> list[str]:
    """Arguments as words, whole if there is room; else the longest ones are shortened first."""
    ways = [[f"{name}{short(value, whole)}" for whole in (WHOLE, WHOLE // 2, 0)] for name, value in arguments]
    while sum(len(words[0]) + 2 for words in ways) > width:
        longest = max((words for words in ways if len(words) > 1), key=lambda words: len(words[0]), default=None)
        if longest is None:
            break
        del longest[0]
    return [words[0] for words in ways]


def _with_small_arrays(text: str, args: Sequence[Any]) -> str:
    """The words of a driver; where it names arrays by their shapes alone, small ones are added whole."""
    arrays = args[1] if len(args) > 1 and isinstance(args[1], list) else []
    if not _SHOWN_ARRAY.search(text.partition(" with ")[2]):
        return text
    told = [f"x{i} = {short(np.asarray(array))}" for i, array in enumerate(arrays) if np.size(array) <= WHOLE]
    longer = f"{text}: {', '.join(told)}"
    return longer if told and len(longer) <= CALL_WIDTH else text


# --- numbers that nearly agree ---------------------------------------------------------------------------------------


def yours(got: Any, expected: Any) -> str:
    """A learner's number, with as many digits as it takes to differ from the right one."""
    if not isinstance(got, int | float | complex) or isinstance(got, bool) or not np.isfinite(got):
        return short(got)
    if not isinstance(expected, int | float | complex):
        return short(got)
    for digits in range(4, 18):
        text = f"{got:.{digits}g}"
        if text != f"{expected:.{digits}g}":
            return text
    return repr(got)


def agreeing_digits(got: Any, expected: Any) -> int:
    """To how many digits a number is right: 3 for 1.001 in place of 1; 0 if not even the first one is."""
    if not all(isinstance(value, int | float | complex) and np.isfinite(value) for value in (got, expected)):
        return 0
    gap = abs(got - expected)
    if not expected or not gap or gap >= abs(expected):
        return 0
    return int(np.floor(-np.log10(gap / abs(expected)) + 1e-9))


def count_word(number: int) -> str:
    """A small number as a word."""
    return _COUNTS[number] if 0 <= number < len(_COUNTS) else str(number)


# --- places ----------------------------------------------------------------------------------------------------------


def place(compiled: Mapping[str, Any], path: Sequence[Any], index: Sequence[int], expected: Any) -> str:
    """Name a place inside an answer: "`gradients`, entry 2", "the second of three results", "batch 1, row 0".

    Parameters
    ----------
    compiled : mapping
        The compiled check, for its names of parts.
    path, index : sequence
        Where in the containers, and where in the array that stands there.
    expected : object
        The whole right answer, for the form of its containers.
    """
    names, words = compiled.get("parts"), []
    for depth, name in enumerate(path):
        each, names = (names.get("each"), names.get("parts")) if isinstance(names, Mapping) else (names, None)
        words.append(_step(name, expected, each, depth == 0))
        expected = _inner(expected, name)
    if index:
        words.append(_entry(index, names.get("each") if isinstance(names, Mapping) else names))
    return ", ".join(words)


def _inner(expected: Any, name: Any) -> Any:
    try:
        return expected[name]
    except (KeyError, IndexError, TypeError):
        return None


def _step(name: Any, expected: Any, names: Any, outermost: bool) -> str:
    if isinstance(name, str):
        return f"`{name}`"
    if isinstance(expected, dict) or not isinstance(name, int):
        return f"`{name!r}`"
    if isinstance(names, list) and name < len(names):
        return str(names[name])
    if isinstance(names, str):
        return f"{names} {name}"
    count = len(expected) if isinstance(expected, list | tuple) else 0
    if name < len(ORDINALS):
        things = ("results" if outermost else "parts") if isinstance(expected, tuple) else "entries"
        return f"the {ORDINALS[name]} of {count_word(count)} {things}" if count != 1 else f"the only {_ONE[things]}"
    return f"entry {name}"


def _entry(index: Sequence[int], names: Any) -> str:
    if isinstance(names, list) and len(index) == 1 and index[0] < len(names):
        return str(names[index[0]])
    if isinstance(names, str):
        rest = index[1:]
        inner = {0: "", 1: f", row {rest[0]}" if rest else ""}.get(len(rest), f", entry {tuple(rest)}")
        return f"{names} {index[0]}{inner}"
    if len(index) == 2:
        return f"row {index[0]}, column {index[1]}"
    return f"entry {index[0] if len(index) == 1 else tuple(index)}"


def all_places(compiled: Mapping[str, Any], paths: Sequence[Sequence[Any]], expected: Any) -> str:
    """Name several places: "`W` and `b`", "the images of each batch", "`a`, `b`, `c` and 4 more"."""
    inner = {tuple(path[1:]) for path in paths}
    if isinstance(expected, list) and len(paths) == len(expected) > 1 and len(inner) == 1:
        names = compiled.get("parts")
        each = names.get("each") if isinstance(names, Mapping) else names
        last = place(compiled, paths[0], (), expected).split(", ", 1)
        noun = each if isinstance(each, str) else "entry"
        return f"{last[1]} of each {noun}" if len(last) > 1 else f"each {noun}"
    words = [place(compiled, path, (), expected) for path in paths]
    if len(words) > 3:
        return f"{'; '.join(words[:3])} and {len(words) - 3} more"
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
