"""Which of a learner's notebooks counts: for each chapter of the assignment one, and whatever is odd is said.

What a notebook is, its release wrote into it; where that is gone, its exercises say it, then the functions it defines,
and its name only if nothing in it says otherwise.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from coursepkg.grading.submissions.archives import short

_NUMBERED = re.compile(r"(\d\d)(?!\d)")
_UNTOUCHED = b": write your answer here"
_AGAIN = re.compile(r"(.*?)(?:-(\d+))?\.ipynb", re.IGNORECASE | re.DOTALL)
# It begins with letters, which are found quickly, and looks back for the end of another name: `recheck(` is no check.
_CHECK_CALL = re.compile(r"""check\((?<!\wcheck\()\s*["'](\d\d)\.(\d+)["']""")
_MARK = re.compile(r'"grade_id"\s*:\s*"ex-(\d\d)-(\d+)"')
_DEFINED = re.compile(r"""(?:\b(?:def|class)\s+|^["\t ]*)([^\W\d]\w*)(?=\s*[(:=])""", re.MULTILINE)


@dataclass(frozen=True)
class Wanted:
    """What is looked for.

    Attributes
    ----------
    assignment : str
        Its name.
    released : bool
        Whether its notebooks were handed out with that name in them, so that another name is a contradiction.
    functions : mapping of str to frozenset of str
        Its chapters, and the names of the answers in each.
    known : frozenset of str
        All chapters that there are.
    """

    assignment: str
    released: bool
    functions: Mapping[str, frozenset[str]]
    known: frozenset[str]


def exercises_in(data: bytes) -> list[tuple[str, str]]:
    """The exercises whose checks or answer cells stand in a notebook, as (chapter, number), as often as they do."""
    text = readable(data)
    return [*_CHECK_CALL.findall(text), *_MARK.findall(text)]


def chapter_of_text(data: bytes) -> str:
    """The chapter that a notebook's exercises belong to, from the marks and checks in its text, or ""."""
    found = Counter(chapter for chapter, _ in exercises_in(data))
    return _first(found) if found else ""


def chapter_of(name: str, data: bytes) -> str:
    """The chapter of a notebook by its exercises, or where there are none by the number that its name begins with."""
    return chapter_of_text(data) or _named(name)


def _named(name: str) -> str:
    found = _NUMBERED.match(name)
    return found[1] if found else ""


def readable(data: bytes) -> str:
    """The text of a notebook's file with line ends and quotes as they stand in its cells."""
    return data.decode("utf-8", "replace").replace("\\n", "\n").replace('\\"', '"')


def assignment_of(data: bytes) -> str:
    """The assignment that a notebook says it belongs to, as its release wrote it there, or ""."""
    if b'"assignment"' not in data:
        return ""
    try:
        name = json.loads(data)["metadata"]["coursepkg"]["assignment"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    return name if isinstance(name, str) else ""


def choose(
    notebooks: Iterable[tuple[str, bytes]], wanted: Wanted, *, numbered: bool = False
) -> tuple[dict[str, tuple[str, bytes]], list[str]]:
    """One notebook for each chapter of an assignment, and words about everything that is odd.

    Parameters
    ----------
    notebooks : iterable of (name, bytes)
        What was handed in.
    wanted : Wanted
        What is looked for.
    numbered : bool
        Whether the platform numbers later attempts ("x-1.ipynb" after "x.ipynb", as Canvas does).

    Returns
    -------
    chosen : dict
        Name and bytes by chapter. Of several the platform's later attempt counts, else the one with most answers begun.
    notes : list of str
    """
    chosen: dict[str, tuple[str, bytes]] = {}
    notes: list[str] = []
    for name, data in sorted(notebooks, key=lambda one: _order(one, numbered)):
        chapter, words = _chapter(name, data, wanted)
        notes += words
        if not chapter:
            continue
        if chapter in chosen:
            chosen[chapter] = _later(chosen[chapter], (name, data), numbered)
            notes.append(f"several notebooks for chapter {chapter}; {short(chosen[chapter][0])} counts")
        else:
            chosen[chapter] = (name, data)
    return chosen, notes


def _chapter(name: str, data: bytes, wanted: Wanted) -> tuple[str, list[str]]:
    """The chapter that a notebook is graded as, "" if it is none of the assignment's; and what is odd about it."""
    shown = short(name)
    said = assignment_of(data) if wanted.released else ""
    if said and said != wanted.assignment:
        return "", [f"{shown} says that it belongs to {short(said)}, so it is not graded as {wanted.assignment}"]
    named = _named(name)
    content, notes = _by_content(shown, data, wanted, named)
    if said and content and content not in wanted.functions and len(wanted.functions) == 1:
        notes.append(f"{shown} says that it belongs to {wanted.assignment}, and its exercises are of chapter {content}")
        return next(iter(wanted.functions)), notes
    chapter = content or named
    if not chapter:
        return "", [f"{shown} belongs to no chapter"]
    if chapter not in wanted.functions:
        return "", [*notes, f"{shown} is of chapter {chapter}, which is no part of {wanted.assignment}"]
    if named in wanted.known and named != chapter:
        notes.append(f"{shown} is named as chapter {named}, and its exercises are of chapter {chapter}")
    return chapter, notes


def _by_content(shown: str, data: bytes, wanted: Wanted, named: str) -> tuple[str, list[str]]:
    """The chapter of most exercises in a notebook; where none are left, of the functions that it defines."""
    found = Counter(chapter for chapter, _ in exercises_in(data))
    if len(found) > 1:
        return _first(found), [f"{shown} holds exercises of the chapters {' and '.join(sorted(found))}"]
    if found:
        return _first(found), []
    defined = set(_DEFINED.findall(readable(data)))
    counts = Counter({chapter: len(defined & functions) for chapter, functions in wanted.functions.items()})
    if not any(counts.values()):
        return "", []
    best = _first(counts)
    words = f"{shown} holds no checks; it was recognised by the functions that it defines"
    return best, [] if best == named else [words]


def _first(counts: Counter[str]) -> str:
    return min(counts, key=lambda chapter: (-counts[chapter], chapter))


def _later(first: tuple[str, bytes], second: tuple[str, bytes], numbered: bool) -> tuple[str, bytes]:
    """Which of two notebooks counts; the second one comes later in order."""
    if numbered and _order(first, numbered)[0] == _order(second, numbered)[0]:
        return second
    left = [notebook[1].count(_UNTOUCHED) for notebook in (first, second)]
    return first if left[0] < left[1] else second


def _order(notebook: tuple[str, bytes], numbered: bool) -> tuple[str, int, bytes]:
    found = _AGAIN.fullmatch(notebook[0]) if numbered else None
    if found is None:
        return notebook[0], 0, notebook[1]
    return found[1], int((found[2] or "0")[:9]), notebook[1]
