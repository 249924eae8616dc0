"""The answers that a person should look at, in order: exercise by exercise, and the same answers together.

The code comes from what was handed in, read as the grader reads it. It is text and stays text; characters that hide or
reorder others are shown as their code.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from coursepkg.grading.reporting.analysis import FINDINGS, IN_WORDS, headline
from coursepkg.grading.reporting.gradebook import in_order, number, plain
from coursepkg.grading.reporting.journal import Journal, Key, Mark, journal_beside
from coursepkg.grading.reporting.page import in_words
from coursepkg.grading.running.class_list import read_class
from coursepkg.grading.running.results import Item, Result, read_results
from coursepkg.grading.specification.chapters import Chapters
from coursepkg.grading.submissions.answers import Helpers
from coursepkg.grading.submissions.archives import Refused, open_tree
from coursepkg.grading.submissions.cells import UnreadableNotebook, cells_of, sha256_of
from coursepkg.grading.submissions.contents import load
from coursepkg.grading.submissions.learners import discover

MARK = 16  # so many characters of a hash tell notebooks apart
MOST_CODE = 60_000  # characters of an answer that are shown
MOST_KEPT = 2_000_000
MOST_FLAG = 300

Codes = Mapping[tuple[str, str], str]  # by the notebook's hash and the exercise


@dataclass(frozen=True)
class Answer:
    """One answer of one learner, or the same answer of several.

    Attributes
    ----------
    title, exercise : str
        What was asked.
    members : tuple of (Key, notebook, name)
        Whose it is.
    code : str
        What they wrote; "" if it is not known.
    verdict, found, message : str
        What the judge says, in words.
    flags : tuple of str
        Why it is worth a look.
    points : float or None
        What it has so far.
    max : float
        What it can have.
    """

    exercise: str
    title: str
    members: tuple[tuple[Key, str, str], ...]
    code: str
    verdict: str
    found: str
    message: str
    flags: tuple[str, ...]
    points: float | None
    max: float

    @property
    def id(self) -> str:
        """Names the answer in the page, and says nothing about whose it is."""
        told = "\0".join("\0".join((*key, notebook)) for key, notebook, _ in self.members)
        return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:20]


def answers_to_mark(
    results: Path, codes: Codes | None = None, everything: bool = False, anonymous: bool = False
) -> list[Answer]:
    """The answers to look at.

    Parameters
    ----------
    results : Path
        What ``grade batch`` wrote.
    codes : mapping, optional
        What ``read_codes`` found.
    everything : bool
        All answers, and not only those without a mark or with a flag.
    anonymous : bool
        Names are replaced by others, the same each time; in code and flags as well, as far as they stand there.

    Raises
    ------
    ValueError
        If there are no results.
    """
    found = list(read_results(results)) if results.is_dir() else []
    if not found:
        raise ValueError(f"{results} holds no results; `grade batch` writes them")
    known = read_class(results)
    names = {entry.id: entry.name for entry in known[1].learners} if known is not None else {}
    single = [
        _answer(result, item, codes or {}, anonymous, names.get(result.student, ""))
        for result in found
        for item in result.items
        if everything or item.points is None or (result.flags and item.verdict != "not-attempted")
    ]
    marks = Journal(journal_beside(results)).marks()
    return sorted(
        _together(single, marks), key=lambda answer: (in_order(answer.exercise), -len(answer.members), answer.id)
    )


def _answer(result: Result, item: Item, codes: Codes, anonymous: bool, rostered: str) -> Answer:
    name = pseudonym(result.student) if anonymous else plain(result.name or result.student)
    code = codes.get((result.notebook_sha256, item.id), "")
    shown = [visible(code), item.message, *result.flags]
    if anonymous:
        shown = [_without_names(text, (result.student, result.name, rostered), name) for text in shown]
    member = (Key(result.student, result.exercise, item.id), result.notebook_sha256[:MARK], name)
    return Answer(
        item.id, plain(item.title), (member,), shown[0], in_words(item.verdict),
        _found(item), "\n".join(plain(line) for line in shown[1].splitlines())[:MOST_CODE],
        tuple(plain(flag)[:MOST_FLAG] for flag in shown[2:]), item.points, item.max,
    )  # fmt: skip


def _found(item: Item) -> str:
    """What was recognised, in words."""
    if item.verdict == "error":
        return IN_WORDS.get(item.misconception, plain(item.misconception))
    if item.verdict != "wrong" or not item.misconception:
        return ""
    return f"differs in {FINDINGS[item.misconception]}" if item.misconception in FINDINGS else headline(item.message)


def _together(answers: Iterable[Answer], marks: Mapping[Key, Mark]) -> Iterable[Answer]:
    """Answers with the same code, verdict and mark as one; only white space may differ, as one is shown for all."""
    groups: dict[Any, Answer] = {}
    for answer in answers:
        same = tuple(line.rstrip() for line in answer.code.splitlines() if line.strip()) or answer.id
        judged = (answer.verdict, answer.found, answer.message, answer.flags, answer.points, answer.max)
        [(member, notebook, _)] = answer.members
        mark = marks.get(member)
        given = (mark.points, mark.comment) if mark is not None and mark.notebook == notebook else None
        key = (same, answer.exercise, *judged, given)
        known = groups.get(key)
        groups[key] = answer if known is None else replace(known, members=(*known.members, *answer.members))
    return groups.values()


# --- names and characters --------------------------------------------------------------------------------------------


def pseudonym(student: str) -> str:
    """Another name for a learner, the same each time."""
    return f"Learner {hashlib.sha256(student.encode('utf-8', 'surrogatepass')).hexdigest()[:6]}"


def _without_names(text: str, names: Iterable[str], other: str) -> str:
    """A text in which a learner's id and names are replaced, whole and in parts; of two letters only as written."""
    whole = {name for name in names if len(name) > 2}
    parts = {part for name in names for part in re.findall(r"[^\W\d_]+|\d+", name)}
    long = sorted(whole | {part for part in parts if len(part) > 2}, key=len, reverse=True)
    short = sorted(part for part in parts if len(part) == 2 and (part.istitle() or not part.isascii()))
    told = [f"(?i:{re.escape(name)})" for name in long] + [rf"(?<![^\W_]){re.escape(part)}(?![^\W_])" for part in short]
    return re.sub("|".join(told), other, text) if told else text


def visible(code: str) -> str:
    """Code as a person can see it: characters that hide or reorder others as their code, of long ones the start."""
    shown = code[:MOST_CODE]
    start = "".join(letter if letter in "\n\t" or _is_plain(letter) else _escaped(letter) for letter in shown)
    left = len(code) - MOST_CODE
    return f"{start}\n[{left} more characters are not shown]" if left > 0 else start


def _is_plain(letter: str) -> bool:
    return unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def _escaped(letter: str) -> str:
    return f"\\u{ord(letter):04x}"


# --- what was handed in ----------------------------------------------------------------------------------------------


def read_codes(submissions: Path, results: Path, specs: Path) -> dict[tuple[str, str], str]:
    """The code of every answer in a download, of the notebooks that were graded.

    Raises
    ------
    ValueError
        If the download cannot be read, or the specifications.
    """
    try:
        tree = open_tree(submissions)
    except Refused as error:
        raise ValueError(str(error)) from None
    asked: dict[str, list[str]] = {}
    for result in read_results(results):
        if result.notebook_sha256:
            asked.setdefault(result.notebook_sha256, []).extend(item.id for item in result.items)
    chapters = Chapters(specs)
    functions = {
        exercise.id: exercise.function
        for chapter in sorted({name.partition(".")[0] for names in asked.values() for name in names})
        if chapter in chapters
        for exercise in chapters[chapter].exercises
    }
    codes: dict[tuple[str, str], str] = {}
    for learner in discover(tree).learners:
        for name, data in load(tree, learner).notebooks:
            sha256 = sha256_of(data)
            wanted = {exercise: functions[exercise] for exercise in asked.get(sha256, ()) if exercise in functions}
            codes |= {(sha256, exercise): code for exercise, code in _answers_in(data, name, wanted)}
    return codes


def _answers_in(data: bytes, name: str, wanted: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Exercises and the code of their answers; of what is far too long for a page, as much as tells that it is."""
    try:
        code = cells_of(data, name).code if wanted else []
    except UnreadableNotebook:
        return
    helpers = Helpers(code)
    for exercise, function in wanted.items():
        yield exercise, helpers.with_answer(exercise, function)[:MOST_KEPT]


def as_data(answer: Answer, marks: Mapping[Key, Any]) -> dict[str, Any]:
    """An answer as the page gets it: text, numbers and an id, and nothing that could say whose it is but the names."""
    given = [marks.get(key) for key, _, _ in answer.members]
    fresh = [m for m, (_, notebook, _) in zip(given, answer.members, strict=True) if m and m.notebook == notebook]
    alike = len(fresh) == len(given) and len({(mark.points, mark.comment) for mark in fresh}) == 1
    mark = fresh[-1] if alike else None
    return {
        "id": answer.id, "exercise": answer.exercise, "title": answer.title,
        "names": [name for _, _, name in answer.members], "code": answer.code, "verdict": answer.verdict,
        "found": answer.found, "message": answer.message, "flags": list(answer.flags),
        "points": number(answer.points), "max": answer.max,
        "mark": None if mark is None else {"points": mark.points, "comment": mark.comment},
        "seen": max((m.entry for m in given if m), default=0),
    }  # fmt: skip
