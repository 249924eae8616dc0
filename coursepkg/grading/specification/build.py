"""From the instructor's tree to the learner's: ``solutions/`` is written by people, ``exercises/`` by this module.

Solution regions become a stub, instructor cells and outputs go, ids stay, and the specifications become numbers. The
result is the same bytes each time; nothing that gives a solution away may reach it, and a search makes sure. Exercise
notebooks are stored without outputs, so that a learner opens a clean page; tests run them and expect "not attempted".
"""

from __future__ import annotations

import ast
import copy
import inspect
import json
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coursepkg.grading.judging.values import difference
from coursepkg.grading.specification.chapters import load_specs
from coursepkg.grading.specification.compiling import FORMAT, compile_check
from coursepkg.grading.specification.exercise import Exercise, SpecError

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
TELLING = 12  # so many characters other than spaces make a line of a solution worth hiding
_CHECK_CALL = re.compile(r"""\bcheck\(\s*["'](\d\d\.\d+)["']\s*,\s*(\w+)""")
_NUMBER_RTOL = 1e-9


class BuildError(ValueError):
    """The instructor's tree cannot be turned into the learner's; the message says where and why."""


@dataclass(frozen=True)
class Tree:
    """The learner's tree as it should be: file names under ``exercises/`` and their texts."""

    files: dict[str, str]


# --- the whole tree --------------------------------------------------------------------------------------------------


def build_tree(root: Path, only: Sequence[str] | None = None) -> Tree:
    """Generate all files of ``exercises/`` from ``solutions/``.

    Parameters
    ----------
    root : Path
        Folder that holds ``solutions/``.
    only : sequence of str, optional
        The chapters to generate ("02"; default: all).

    Raises
    ------
    SpecError, BuildError
        If a specification cannot judge, a notebook has a region in the wrong place, or a solution would show.
    """
    solutions = root / "solutions"
    chapters = load_specs(solutions / "specs", only)
    files: dict[str, str] = {}
    problems: list[str] = []
    for chapter, exercises in chapters.items():
        try:
            compiled = [compile_check(exercise) for exercise in exercises]
        except SpecError as error:
            problems.append(str(error))
            continue
        files[f".checks/ex_{chapter}.json"] = checks_text(chapter, compiled)
    secrets: dict[str, str] = {}
    open_lines: set[str] = set()
    notebooks = [p for p in sorted(solutions.glob("[0-9][0-9]_*.ipynb")) if only is None or p.name[:2] in only]
    without = set(chapters) - {path.name[:2] for path in notebooks}
    problems += [f"chapter {chapter} has a specification but no notebook in solutions/" for chapter in sorted(without)]
    for path in notebooks:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        exercises = chapters.get(path.name[:2], [])
        try:
            files[path.name] = notebook_text(learner_notebook(notebook, exercises, path.name))
        except BuildError as error:
            problems.append(str(error))
        hidden, shown = _solution_lines(notebook)
        secrets.update(dict.fromkeys(hidden, f"a solution of {path.name}"))
        open_lines |= shown
    for exercises in chapters.values():
        for exercise in exercises:
            secrets.update(dict.fromkeys(_spec_lines(exercise), f"the specification of {exercise.id}"))
    problems += leaks(files, {line: where for line, where in secrets.items() if line not in open_lines})
    if problems:
        raise BuildError("\n".join(problems))
    return Tree(files)


def write_tree(tree: Tree, root: Path) -> list[str]:
    """Write the learner's tree, take out generated files that no longer belong, and return the names that changed."""
    changed = [line.split(":")[0] for line in compare_tree(tree, root)]
    for name in changed:
        path = root / "exercises" / name
        if name in tree.files:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(tree.files[name], encoding="utf-8", newline="\n")
        else:
            path.unlink()
    return changed


def compare_tree(tree: Tree, root: Path) -> list[str]:
    """What differs between the learner's tree on disk and as it should be; numbers may differ in the last digits."""
    folder = root / "exercises"
    present = {
        path.relative_to(folder).as_posix()
        for pattern in ("[0-9][0-9]_*.ipynb", ".checks/ex_*.json")
        for path in folder.glob(pattern)
    }
    found = [f"{name}: is not generated from anything in solutions/" for name in sorted(present - set(tree.files))]
    for name, text in sorted(tree.files.items()):
        if name not in present:
            found.append(f"{name}: is missing")
            continue
        stored = (folder / name).read_text(encoding="utf-8")
        if stored == text:
            continue
        if name.endswith(".json"):
            found += [f"{name}: {words}" for words in _json_differences(stored, text)]
        else:
            found.append(f"{name}: {_first_difference(stored, text)}")
    return found


def _first_difference(stored: str, text: str) -> str:
    pairs = zip(stored.splitlines(), text.splitlines(), strict=False)
    for number, (old, new) in enumerate(pairs, 1):
        if old != new:
            return f"line {number} is {old.strip()[:80]!r}, should be {new.strip()[:80]!r}"
    return "has more or fewer lines than it should"


def _json_differences(stored: str, text: str) -> list[str]:
    try:
        old, new = json.loads(stored), json.loads(text)
    except ValueError:
        return ["is no JSON"]
    return list(_walk(old, new, ""))[:5]


def _walk(old: Any, new: Any, path: str) -> Iterator[str]:
    """Differences between two JSON values: numbers by tolerance, everything else exactly."""
    numbers = (int, float)
    if isinstance(old, numbers) and isinstance(new, numbers) and not isinstance(old, bool) | isinstance(new, bool):
        if difference(float(new), float(old), _NUMBER_RTOL, 1e-12) is not None:
            yield f"{path} is {old}, should be {new}"
    elif type(old) is not type(new):
        yield f"{path} is {str(old)[:60]!r}, should be {str(new)[:60]!r}"
    elif isinstance(old, dict):
        if list(old) != list(new):
            yield f"{path} has the keys {', '.join(old)}, should have {', '.join(new)}"
        else:
            for key in old:
                yield from _walk(old[key], new[key], f"{path}.{key}" if path else key)
    elif isinstance(old, list):
        if len(old) != len(new):
            yield f"{path} has {len(old)} entries, should have {len(new)}"
        else:
            for position, (a, b) in enumerate(zip(old, new, strict=True)):
                yield from _walk(a, b, f"{path}[{position}]")
    elif old != new:
        yield f"{path} is {str(old)[:60]!r}, should be {str(new)[:60]!r}"


def checks_text(chapter: str, compiled: Sequence[Mapping[str, Any]]) -> str:
    """A chapter's compiled checks as JSON, one case and one misconception to a line."""
    head = {"format": FORMAT, "generated": "by `python -m coursepkg grade build`; do not edit", "chapter": chapter}
    blocks = []
    for check in compiled:
        rows = []
        for key, value in check.items():
            if key in ("cases", "misconceptions"):
                inner = ",\n".join(f"   {json.dumps(item, ensure_ascii=False)}" for item in value)
                rows.append(f"  {json.dumps(key)}: [\n{inner}\n  ]")
            else:
                rows.append(f"  {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}")
        blocks.append("{\n" + ",\n".join(rows) + "\n }")
    top = ",\n".join(f" {json.dumps(key)}: {json.dumps(value)}" for key, value in head.items())
    return "{\n" + top + ',\n "exercises": [\n ' + ",\n ".join(blocks) + "\n ]\n}\n"


# --- notebooks -------------------------------------------------------------------------------------------------------


def notebook_text(notebook: Mapping[str, Any]) -> str:
    """A notebook as the bytes that ``nbformat`` writes."""
    return json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def learner_notebook(notebook: Mapping[str, Any], exercises: Sequence[Exercise], name: str) -> dict[str, Any]:
    """The learner's version of a solution notebook.

    Both trees lie side by side, so relative links keep working as they are.

    Parameters
    ----------
    notebook : mapping
        The solution notebook (nbformat 4.5 or later, cells with ids).
    exercises : sequence of Exercise
        The specifications of its chapter.
    name : str
        Its file name, for messages.

    Raises
    ------
    BuildError
        If a region is unbalanced or not inside a function, a check call is missing or names something else.
    """
    by_id = {exercise.id: exercise for exercise in exercises}
    checked: set[str] = set()
    cells: list[dict[str, Any]] = []
    for cell in notebook["cells"]:
        tags = cell.get("metadata", {}).get("tags", [])
        if "instructor" in tags:
            continue
        if not cell.get("id"):
            raise BuildError(f"{name}: cell {len(cells) + 1} has no id; store the notebook with tools/notebooks.py")
        cell = copy.deepcopy(dict(cell))
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
            checked |= _strip_cell(cell, by_id, f"{name}, cell {cell['id']}")
        elif BEGIN in source_of(cell):
            raise BuildError(f"{name}, cell {cell['id']}: a solution region stands in a text cell")
        cells.append(cell)
    if missing := [exercise.id for exercise in exercises if exercise.id not in checked]:
        raise BuildError(f"{name}: no answer cell with a solution region and a check call for {', '.join(missing)}")
    kept = {key: notebook["metadata"][key] for key in ("kernelspec", "language_info") if key in notebook["metadata"]}
    kept["coursepkg"] = {"generated": f"from solutions/{name} by `python -m coursepkg grade build`; do not edit"}
    return {
        "cells": cells,
        "metadata": kept,
        "nbformat": notebook["nbformat"],
        "nbformat_minor": notebook["nbformat_minor"],
    }


def source_of(cell: Mapping[str, Any]) -> str:
    """The text of a cell, stored as one string or as a list of lines."""
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def check_calls(source: str) -> list[tuple[str, str]]:
    """The check calls of a cell: pairs of exercise id and name of the answer."""
    return _CHECK_CALL.findall(source)


def _strip_cell(cell: dict[str, Any], by_id: Mapping[str, Exercise], where: str) -> set[str]:
    """Put the stub in place of the regions of one code cell; returns the ids of its exercises."""
    source = source_of(cell)
    if BEGIN not in source and END not in source:
        return set()
    calls = check_calls(source)
    if len(calls) != 1:
        raise BuildError(f"{where}: a cell with a solution region ends with one check call, not {len(calls)}")
    exercise_id, function = calls[0]
    exercise = by_id.get(exercise_id)
    if exercise is None or exercise.function != function:
        wanted = "is not specified" if exercise is None else f"asks for `{exercise.function}`, not `{function}`"
        raise BuildError(f"{where}: exercise {exercise_id} {wanted}")
    stripped = _without_solution(source, exercise_id, where)
    cell["source"] = stripped.splitlines(keepends=True)
    cell.setdefault("metadata", {})["nbgrader"] = nbgrader_metadata(exercise_id, exercise.points)
    return {exercise_id}


def nbgrader_metadata(exercise_id: str, points: int) -> dict[str, Any]:
    """What nbgrader (schema 3) wants to know about an answer cell."""
    return {
        "grade": True,
        "grade_id": f"ex-{exercise_id.replace('.', '-')}",
        "locked": False,
        "points": points,
        "schema_version": 3,
        "solution": True,
        "task": False,
    }


def _without_solution(source: str, exercise_id: str, where: str) -> str:
    stub = f'raise NotImplementedError("{exercise_id}: write your answer here")'
    lines, inside = [], False
    for line in source.splitlines():
        marker = line.strip()
        if marker not in (BEGIN, END):
            lines += [] if inside else [line]
            continue
        if inside == (marker == BEGIN):
            raise BuildError(f"{where}: {BEGIN} and {END} do not take turns")
        inside = not inside
        if inside:
            lines.append(line[: len(line) - len(line.lstrip())] + stub)
    if inside:
        raise BuildError(f"{where}: {END} is missing")
    text = "\n".join(lines)
    _require_stubs_in_functions(text, where)
    return text


def _require_stubs_in_functions(text: str, where: str) -> None:
    """A stub outside a function would raise as soon as the cell runs."""
    try:
        module = ast.parse(text)
    except SyntaxError as error:
        raise BuildError(
            f"{where}: without its solution the cell is no Python ({error.msg}, line {error.lineno})"
        ) from None
    functions = [node for node in ast.walk(module) if isinstance(node, ast.FunctionDef)]
    inside = {id(node) for function in functions for node in ast.walk(function) if isinstance(node, ast.Raise)}
    if any(isinstance(node, ast.Raise) and id(node) not in inside for node in ast.walk(module)):
        raise BuildError(f"{where}: a solution region must stand inside a function, below its `def` line")


# --- searching for what must not be seen -----------------------------------------------------------------------------


def _tidy(line: str) -> str | None:
    """A line as it is searched for, or None if it gives nothing away."""
    line = line.strip()
    if line.startswith(("#", "@", "def ", "class ", "import ", "from ", '"""', "EXERCISES")):
        return None
    return line if len(re.sub(r"\s", "", line)) >= TELLING else None


def _solution_lines(notebook: Mapping[str, Any]) -> tuple[set[str], set[str]]:
    """Lines inside solution regions, and lines that the learner is given anyway."""
    hidden: set[str] = set()
    shown: set[str] = set()
    for cell in notebook["cells"]:
        instructor = "instructor" in cell.get("metadata", {}).get("tags", [])
        inside = False
        for line in source_of(cell).splitlines():
            if line.strip() in (BEGIN, END):
                inside = line.strip() == BEGIN
            elif (tidy := _tidy(line)) is not None and cell["cell_type"] == "code":
                (hidden if inside or instructor else shown).add(tidy)
    return hidden, shown


def _spec_lines(exercise: Exercise) -> Iterator[str]:
    """Source lines of the reference, the accepted answers and the bank, docstrings left out."""
    for answer in (exercise.reference, *exercise.accepted, *(entry.answer for entry in exercise.bank)):
        try:
            module = ast.parse(textwrap.dedent(inspect.getsource(answer)))
        except (OSError, TypeError, SyntaxError):  # a lambda in the middle of a call, or a function made by another
            continue
        for node in ast.walk(module):
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node) is not None:
                node.body = node.body[1:] or [ast.Pass()]
        yield from filter(None, map(_tidy, ast.unparse(module).splitlines()))


def leaks(files: Mapping[str, str], secrets: Mapping[str, str]) -> list[str]:
    """Where a telling line of a solution shows in the learner's tree (spaces and quotes do not hide it)."""
    squeezed = {line: _squeeze(line) for line in secrets}
    found = []
    for name, text in files.items():
        lines = [line for part in _texts(json.loads(text)) for line in part.splitlines()]
        plain = "\n".join(
            _squeeze(line) for line in lines if not line.lstrip().startswith(("def ", "class ", "import "))
        )
        found += [
            f"exercises/{name} shows {line!r}, a line from {secrets[line]}"
            for line, key in squeezed.items()
            if key in plain and re.search(rf"(?<![\w.]){re.escape(key)}", plain)
        ]
    return found


def _squeeze(text: str) -> str:
    return re.sub(r"\s+", "", text).replace('"', "'")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        if value and all(isinstance(item, str) for item in value):
            yield "".join(value)
        else:
            for item in value:
                yield from _texts(item)
