"""What a person should know about an answer before they believe its mark. Marks never change by it.

It is read off the text of a notebook, and off a few known words that its process says. Whoever wants to hide such
things can, so this is no proof of honesty: it points at answers that are worth a look.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import accumulate
from types import CodeType, ModuleType
from typing import Any

from coursepkg.grading.specification.exercise import Exercise
from coursepkg.grading.submissions.cells import Cells

LOOKED_AT = 1_000_000  # letters of code
GIVEN = {"01": ("autodiff",), "11": ("photonics",)}  # what the first cell of a chapter's notebook imports for all
_ENGINES = frozenset({"autodiff", "gradients"})  # two doors to the same room
_COURSE = re.compile(r"\bcoursepkg\b(?!\.grading\b)")
# Both are bounded in what they look ahead, so that time goes with the length of a cell, whatever stands in it.
_IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+coursepkg([\w.]*)[ \t]+import[ \t]+(\([^)]{0,2000}\)|[^\n;]{0,500})"
    r"|import[ \t]+coursepkg\b([\w.]*)(?:[ \t]+as[ \t]+(\w+))?)",
    re.MULTILINE,
)
_FRAMES = re.compile(
    r"\b(?:_getframe|_current_frames|currentframe|get_objects|get_referrers|f_back|tb_frame|settrace|setprofile)\b"
    r"|\binspect[ \t]*\.[ \t]*(?:stack|trace)\b|\bfrom[ \t]+inspect[ \t]+import[^\n]{0,200}\bstack\b"
)


_TO_A_FILE = re.compile(r"\s{0,99}%%(?:writefile|file)\b")


def flags_of_notebook(cells: Cells) -> list[str]:
    """What is odd about a notebook as a whole, and so about each answer in it."""
    looked_at = _looked_at(cells.code)
    found = ["the notebook reads frames or memory that are not its own"] if reads_frames(looked_at) else []
    if len(looked_at) < len(cells.code):
        found.append(f"the notebook holds more than {LOOKED_AT:,} letters of code, and the rest was not looked at")
    return found


def flags_of(exercise: Exercise, cells: Cells, notes: Collection[str]) -> list[str]:
    """What is odd about the answer to one exercise.

    Parameters
    ----------
    exercise : Exercise
        What was asked.
    cells : Cells
        The notebook.
    notes : collection of str
        Known words of the notebook's process ("reused", "rebound", "broken", "own").
    """
    name = exercise.function
    words = {
        "reused": f"the name `{name}` is used again after its check; the answer that was checked is judged",
        "rebound": f"what `{name}` uses means something else after its check; it is judged with what it meant then",
        "broken": f"a later `{name}` cannot be read or run; the earlier one is judged",
        "own": "the answer is the course's own",
    }
    found = [words[note] for note in notes if note in words]
    if "own" not in notes and (module := leans_on(exercise, _looked_at(cells.code))):
        found.append(f"leans on `coursepkg.{module}`, which is not what was asked")
    return found


def _looked_at(code: Sequence[str]) -> Sequence[str]:
    """The first cells that hold no more than ``LOOKED_AT`` letters together: no honest notebook has more."""
    lengths = accumulate(map(len, code))
    return [cell for cell, length in zip(code, lengths, strict=True) if length <= LOOKED_AT]


def reads_frames(code: Sequence[str]) -> bool:
    """Whether cells look into the frames or objects of whoever calls them, where inputs and checks can be seen."""
    return any(_FRAMES.search(cell) for cell in code)


def not_run(exercise: Exercise, cells: Cells) -> str:
    """What to say where an answer stands in a cell that is not run, and in no other; or ""."""
    defines = re.compile(rf"^[ \t>]*(?:def|class)[ \t]+{exercise.function}\b", re.MULTILINE)
    if any(_TO_A_FILE.match(cell) and defines.search(cell) for cell in cells.code):
        return (
            f"`{exercise.function}` stands in a cell that `%%writefile` puts into a file, and no such file is there"
            " when answers are graded; take that line out."
        )
    if any(map(defines.search, cells.code)) or not any(map(defines.search, cells.prose)):
        return ""
    return f"`{exercise.function}` stands in a Markdown or raw cell, which is not run; make it a code cell."


# --- what an answer leans on -----------------------------------------------------------------------------------------


def leans_on(exercise: Exercise, code: Sequence[str]) -> str:
    """The part of the course's package that an answer uses, and that no right answer needs; or ""."""
    imported = _imported(tuple(code))
    if not imported:
        return ""
    allowed = {*GIVEN.get(exercise.id.split(".")[0], ()), *_used_by_right_answers(exercise)}
    allowed |= _ENGINES if allowed & _ENGINES else set()
    own = re.compile(
        rf"^[ \t]*(?:def|class)[ \t]+{exercise.function}\b|^[ \t]*{exercise.function}[ \t]*="
        rf"|\bcheck\([ \t]*[\"']{re.escape(exercise.id)}[\"']",
        re.MULTILINE,
    )
    used = {word for cell in code if own.search(cell) for word in re.findall(r"\w+", _IMPORT.sub("", cell))}
    return next((part for name, part in imported.items() if name in used and part not in allowed), "")


@lru_cache(maxsize=1)
def _imported(code: tuple[str, ...]) -> Mapping[str, str]:
    """Names that cells import from the course's package, and the part of it that each is from."""
    return dict(_imports(code))


def _imports(code: Sequence[str]) -> Iterator[tuple[str, str]]:
    for cell in code:
        if not _COURSE.search(cell):
            continue
        for module, names, whole, alias in _IMPORT.findall(cell):
            part = (module or whole).strip(".").partition(".")[0]
            if names:
                for words in (entry.split() for entry in names.strip("()").split(",")):
                    if words and (part or words[0]) != "grading":
                        yield words[-1], part or words[0]
            elif part != "grading":
                yield alias or "coursepkg", part


@lru_cache(maxsize=256)
def _parts(id: str, answers: tuple[Any, ...]) -> frozenset[str]:
    return frozenset(part for answer in answers for part in _used_by(answer, set()))


def _used_by_right_answers(exercise: Exercise) -> frozenset[str]:
    """Parts of the package that right answers use; where a class is asked for, using it is never the answer."""
    answers = [answer for answer in (exercise.reference, *exercise.accepted) if hasattr(answer, "__code__")]
    return _parts(exercise.id, tuple(answers))


def _used_by(function: Any, seen: set[CodeType]) -> Iterator[str]:
    """Parts of the package that a function uses, itself or by what it calls in its own specification."""
    if function.__code__ in seen:
        return
    seen.add(function.__code__)
    for name in _names_in(function.__code__):
        value = function.__globals__.get(name)
        module = value.__name__ if isinstance(value, ModuleType) else str(getattr(value, "__module__", ""))
        if module.startswith("coursepkg."):
            yield module.split(".")[1]
        elif name.startswith("coursepkg."):  # imported where it is used, as the next one
            yield name.split(".")[1]
        elif name == "coursepkg":
            yield from _names_in(function.__code__)
        elif hasattr(value, "__code__") and module == function.__module__:
            yield from _used_by(value, seen)


def _names_in(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names_in(constant)
