"""Notebooks to type along with: the chapters as they are, with their key cells blank.

Nothing is written twice. A code cell of a chapter with the tag ``type-along`` keeps what it asks (`predict()`), what it
imports and what it shows. The lines between are left out, and a comment names what they define. All other cells stay,
checks and predictions included. Outputs are left out, because the room makes them.

    python -m tools.typing_along                    # write build/typing-along/, one notebook for each chapter
    python -m tools.typing_along --into my-course   # write my-course/typing-along/, beside the chapters
"""

from __future__ import annotations

import argparse
import ast
import sys
from collections.abc import Iterator, Sequence
from copy import deepcopy
from pathlib import Path

from nbformat import NotebookNode

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # so that this file also runs by its path

from tools.notebook_file import ROOT, as_text, read, tags

KEY = "type-along"
FOLDER = "typing-along"
TO_TYPE = "# Type here: "
SHOWING = ("print", "draw_", "tell_", "compare", "derive", "flip_through", "visualize.")


class TypingError(ValueError):
    """A key cell that leaves nothing to type, or that shows nothing when it is run."""


def typed_statements(source: str) -> list[ast.stmt]:
    """The statements of a key cell that people type: no guess, import, label of a drawing, or call that only shows."""
    return [each for each in ast.parse(source).body if not (_is_kept(each) or _shows(each))]


def _is_kept(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Import | ast.ImportFrom) or ast.unparse(statement) == "predict()":
        return True
    return isinstance(statement, ast.Assign) and all(name.endswith(".label") for name in _defined(statement))


def _shows(statement: ast.stmt) -> bool:
    """A call whose value or print is the point of the cell, a loop that ends in one, or a name alone."""
    if isinstance(statement, ast.For | ast.With):
        return _shows(statement.body[-1])
    if not isinstance(statement, ast.Expr):
        return False
    return isinstance(statement.value, ast.Name) or ast.unparse(statement).startswith(SHOWING)


def typed_lines(source: str) -> int:
    """How many lines of code a key cell leaves to type."""
    lines = source.splitlines()
    typed = {number for each in typed_statements(source) for number in _lines(each)}
    return sum(bool(lines[number].strip()) and not lines[number].lstrip().startswith("#") for number in typed)


def _lines(statement: ast.stmt) -> range:
    first = min([statement.lineno, *(each.lineno for each in getattr(statement, "decorator_list", []))])
    return range(first - 1, statement.end_lineno or first)


def typed_blocks(source: str) -> list[list[ast.stmt]]:
    """The statements to type, those that follow each other together."""
    typed, blocks, before = {each.lineno for each in typed_statements(source)}, [], False
    for statement in ast.parse(source).body:
        if statement.lineno in typed:
            blocks.append([statement]) if not before else blocks[-1].append(statement)
        before = statement.lineno in typed
    return blocks


def blank(source: str) -> str:
    """A key cell without the lines to type; comments in their place name what they define.

    Raises
    ------
    TypingError
        If nothing would be left to type.
    """
    blocks = typed_blocks(source)
    if not blocks:
        raise TypingError(f"nothing to type in the cell that begins with {source.splitlines()[0]!r}")
    lines: list[str | None] = list(source.splitlines())
    for block in blocks:
        first, last = _lines(block[0]).start, _lines(block[-1]).stop
        lines[first:last] = [None] * (last - first)
        lines[first] = TO_TYPE + ", ".join(dict.fromkeys(name for each in block for name in _defined(each)))
    return _without_double_gaps("\n".join(line for line in lines if line is not None))


def filled(source: str, chapter_source: str) -> str:
    """A blank cell with the chapter's own lines typed in."""
    lines, blocks = chapter_source.splitlines(), iter(typed_blocks(chapter_source))
    made = []
    for line in source.splitlines():
        if line.startswith(TO_TYPE):
            block = next(blocks)
            made += lines[_lines(block[0]).start : _lines(block[-1]).stop]
        else:
            made.append(line)
    return "\n".join(made)


def _defined(statement: ast.stmt) -> Iterator[str]:
    """What a statement defines, as one would name it: a function with its parameters, names, attributes."""
    if isinstance(statement, ast.FunctionDef):
        yield f"{statement.name}({ast.unparse(statement.args)})"
    elif isinstance(statement, ast.ClassDef):
        yield f"class {statement.name}"
    elif isinstance(statement, ast.Assign | ast.AugAssign | ast.AnnAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        for target in targets:
            for each in target.elts if isinstance(target, ast.Tuple) else [target]:
                yield ast.unparse(each)
    elif isinstance(statement, ast.For | ast.While):
        yield "a loop"
    else:
        yield f"a call of {ast.unparse(statement).split('(')[0]}"


def _without_double_gaps(text: str) -> str:
    lines: list[str] = []
    for line in text.splitlines():
        if line.strip() or (lines and lines[-1].strip()):
            lines.append(line)
    return "\n".join(lines).strip("\n")


def key_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """The code cells of a chapter that people type."""
    return [cell for cell in notebook.cells if cell.cell_type == "code" and KEY in tags(cell)]


def to_type_along(chapter: NotebookNode) -> NotebookNode:
    """A chapter as it is handed out for typing along: key cells blank, no outputs, nothing else changed."""
    cells = []
    for cell in chapter.cells:
        made = NotebookNode({key: deepcopy(value) for key, value in cell.items() if key != "outputs"})
        if cell.cell_type == "code":
            made.outputs, made.execution_count = [], None
            made.metadata.pop("outputs_of", None)
        cells.append(made)
    made = NotebookNode(chapter | {"cells": cells})
    for cell in key_cells(made):
        cell.source = blank(cell.source)
    return made


def chapters() -> list[Path]:
    """The chapters that have something to type, in order."""
    return [path for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb")) if key_cells(read(path))]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--into", type=Path, default=ROOT / "build", help="where the folder typing-along is written")
    options = parser.parse_args(arguments)
    folder = options.into / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for path in chapters():
        made = to_type_along(read(path))
        (folder / path.name).write_text(as_text(made), encoding="utf-8", newline="\n")
        print(f"{path.name}: {len(key_cells(made))} cells to type")
    print(f"written to {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
