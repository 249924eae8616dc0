"""A cell as IPython reads it, cut into statements; what cannot be read costs what it defines, and nothing around it.

Plain Python is parsed as it stands. Only where that fails, IPython's own rules are applied (prompts, magics, shell
lines, requests for help); where that fails, too, the cell falls into the statements at its left margin, and those that
can be read are kept. Notebooks of strangers are read in the sandbox, under a time limit, never by the grader.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

NO_PYTHON = (SyntaxError, ValueError, RecursionError, MemoryError)  # the last two: nested without end
MOST = 100_000  # characters of a cell that is no plain Python; no learner writes as many in one
PYTHON_MAGICS = frozenset({
    "time", "timeit", "capture", "prun", "python", "python3", "debug", "memit", "mprun", "pyinstrument", "snakeviz",
})  # fmt: skip
_PROMPT = re.compile(r"\s{0,99}In \[\d+\]:")  # Python would take it for the type of an entry of `In`
_CELL_MAGIC = re.compile(r"%%(\w+)[ \t]*(.*)")
_FILLED = re.compile(r"--(?:out|err|proc)[ =]+(\w+)")
_MARGIN = re.compile(r"(?![ \u00a0\t\n#)\]}]|(?:else|elif|except|finally)\b)")
# What cannot be seen may come along with copied code: no Python, and it shows all the same what it was going to define.
_UNSEEN = r"[\u00a0\u00ad\u200b-\u200f\u2060\ufeff]*"
_DEFINES = re.compile(rf"{_UNSEEN}(?:(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)|(\w+)[ \t]*(?::[^=]*)?=(?!=))")
_REACH = 20  # blocks that may belong together, as the lines of a text in three quotes do


@dataclass(frozen=True)
class Broken:
    """A part of a cell that cannot be read: what it was going to define, and why it cannot."""

    names: tuple[str, ...]
    error: Exception


@dataclass(frozen=True)
class Reading:
    """What a cell holds, in order, and its text with the lines that the statements count."""

    parts: Sequence[ast.stmt | Broken]
    text: str


def read_cell(source: str, name: str) -> Reading:
    """The statements of a cell.

    Parameters
    ----------
    source : str
        The cell as it was typed.
    name : str
        What its code is called in tracebacks.
    """
    try:
        if _PROMPT.match(source) is None:
            return Reading(ast.parse(source, name).body, source)
    except NO_PYTHON as error:
        if len(source) > MOST:
            return Reading([Broken(defined_by(source.splitlines()), error)], source)
    text = as_ipython_reads(source)
    try:
        return Reading(ast.parse(text, name).body, text)
    except NO_PYTHON:
        return Reading(_apart(text, name), text)


# --- IPython's rules -------------------------------------------------------------------------------------------------


@cache
def _ipython() -> Any:
    """IPython's own rules, or None where there is no IPython: then its lines are lines that cannot be read."""
    try:
        from IPython.core.inputtransformer2 import TransformerManager
    except ImportError:
        return None
    return TransformerManager()


def as_ipython_reads(source: str) -> str:
    """A cell as Python, with calls of ``get_ipython()`` in place of what IPython alone knows.

    Lines keep their numbers, but for commands that go over several lines.
    """
    rules = _ipython()
    if rules is None:
        return source
    lines, filled = source.splitlines(keepends=True), ""
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    count = len(lines)
    try:
        while True:
            for clean in rules.cleanup_transforms:
                lines = clean(lines)
            magic = _CELL_MAGIC.match(lines[0]) if lines else None
            if magic is None:
                break
            filled += "".join(f"{name} = None; " for name in _filled(magic[1], magic[2]))
            lines = lines[1:] if magic[1] in PYTHON_MAGICS else []
        lines = rules.transform_cell("".join(lines)).splitlines(keepends=True) if lines else []
    except (
        SyntaxError,
        RuntimeError,
        ValueError,
        LookupError,
    ):  # it gives up on some that are broken, and on hundreds of commands in one cell
        pass
    # What stood above (empty lines, the magic itself) stays as lines, and the last of them holds what the magic fills.
    return "\n" * (count - len(lines) - bool(filled)) + (f"{filled}\n" if filled else "") + "".join(lines)


def _filled(magic: str, words: str) -> list[str]:
    """The names that a cell magic fills."""
    if magic == "capture":
        return [word for word in words.split() if word.isidentifier()][:1]
    return _FILLED.findall(words)


# --- what is broken --------------------------------------------------------------------------------------------------


def _apart(text: str, name: str) -> list[ast.stmt | Broken]:
    """The statements of a cell that cannot be read as a whole, one by one."""
    found: list[ast.stmt | Broken] = []
    blocks = _blocks(text.splitlines(keepends=True))
    line = 0
    while blocks:
        statements, error = _first_of(blocks, name)
        taken = 1 if isinstance(error, Exception) else error
        if isinstance(error, Exception):
            if hasattr(error, "lineno"):
                error.lineno = (error.lineno or 1) + line
            if "unterminated triple-quoted" in str(error):  # what comes after could be text as well
                taken = len(blocks)
            found.append(Broken(defined_by([row for block in blocks[:taken] for row in block]), error))
        for statement in statements:
            found.append(ast.increment_lineno(statement, line))
        line += sum(map(len, blocks[:taken]))
        del blocks[:taken]
    return found


def _first_of(blocks: Sequence[Sequence[str]], name: str) -> tuple[list[ast.stmt], Exception | int]:
    """The statements in the first block, or in the first few together, and how many those are; or why it has none."""
    first: Exception | None = None
    for taken in range(1, min(len(blocks), _REACH) + 1):
        try:
            return ast.parse("".join(row for block in blocks[:taken] for row in block), name).body, taken
        except NO_PYTHON as error:
            first = first or error
    assert first is not None
    return [], first


def _blocks(lines: Sequence[str]) -> list[list[str]]:
    """Lines from one that begins at the left margin to the next; decorators stay with what they decorate."""
    blocks: list[list[str]] = []
    decorated = False
    for line in lines:
        begins = _MARGIN.match(line) is not None
        if (begins and not decorated) or not blocks:
            blocks.append([])
        blocks[-1].append(line)
        decorated = line.startswith("@") if begins else decorated
    return blocks


def defined_by(lines: Sequence[str]) -> tuple[str, ...]:
    """The names that lines at the left margin define. What stands further in is a method or a name of its own."""
    found = [match[1] or match[2] for line in lines if (match := _DEFINES.match(line))]
    return tuple(dict.fromkeys(found))
