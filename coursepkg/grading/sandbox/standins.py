"""What stands in, in the sandbox, for what a notebook meets in Jupyter: IPython's shell, and ``check``.

Neither does anything beyond what later cells need: magics and shell lines fill their names, a check notes which object
was checked.
"""

from __future__ import annotations

import ast
import functools
import os
import re
import sys
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any

from coursepkg.grading.judging.judge import Verdict
from coursepkg.grading.sandbox.reading import PYTHON_MAGICS, as_ipython_reads

_PACKAGE = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "")
_ROOM = __name__.split(".")[0] + "."  # "coursepkg."
_NOT_BEGUN = ": write your answer here"  # what is raised where an answer belongs
_RUN_IN_PLACE = ("time", "prun")  # line magics that leave behind what their line defines


class Shell:
    """A shell that runs what is Python, and nothing else: ``files = !ls`` gives an empty list.

    Parameters
    ----------
    namespace : dict
        The names of the notebook.
    """

    def __init__(self, namespace: dict[str, Any]):
        self.user_ns = namespace

    def run_line_magic(self, name: str, line: str, *rest: Any, **options: Any) -> Any:
        """``%time f()`` runs its line; other line magics do nothing."""
        return self.run_cell(re.sub(r"^(?:-\S+\s+)*", "", line)) if name in _RUN_IN_PLACE else None

    def run_cell_magic(self, name: str, line: str, cell: str) -> Any:
        """A magic around Python runs it."""
        return self.run_cell(cell) if name in PYTHON_MAGICS else None

    def run_cell(self, source: str, *rest: Any, **options: Any) -> Any:
        """Run code in the notebook, and return the value of its last expression."""
        statements = ast.parse(as_ipython_reads(source), "<magic>").body
        last = statements[-1] if statements else None
        before = statements[:-1] if isinstance(last, ast.Expr) else statements
        exec(compile(ast.Module(before, []), "<magic>", "exec"), self.user_ns)
        if not isinstance(last, ast.Expr):
            return None
        return FunctionType(compile(ast.Expression(last.value), "<magic>", "eval"), self.user_ns)()

    def getoutput(self, *words: Any, **options: Any) -> list[str]:
        """The lines that a shell command prints: none."""
        return []

    def __getattr__(self, name: str) -> Callable[..., None]:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *words, **options: None


class Checks:
    """A ``check`` that notes what is checked, and judges nothing.

    Attributes
    ----------
    answers : dict
        By exercise, what the last call of its check was given.
    times : dict
        By exercise, the number of the statement that called it.
    """

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.times: dict[str, int] = {}
        self.now = 0

    def __call__(self, exercise_id: Any = None, answer: Any = None) -> Verdict:
        """Note an answer; one that is not begun takes the place of no other, be it before or after its check."""
        if isinstance(exercise_id, str) and callable(answer) and not _is_not_begun(answer):
            self.answers[exercise_id], self.times[exercise_id] = answer, self.now
        return Verdict(str(exercise_id), "infrastructure", lines=("Answers are checked after the notebook has run.",))

    def last_call(self) -> tuple[list[Any], dict[str, Any]]:
        """No call was wrong."""
        return [], {}

    def install(self) -> None:
        """Take the place of the package's ``check``, wherever it is known; for a process that does nothing else."""
        package = __name__.rpartition(".sandbox.")[0]
        real = sys.modules[package].check
        for name, module in list(sys.modules.items()):
            if name.startswith(package) and vars(module).get("check") is real:
                vars(module)["check"] = self


def _is_not_begun(answer: Any) -> bool:
    """Whether an answer is still as it was handed out, in a part of it at least."""
    inside = list(vars(answer).values()) if isinstance(answer, type) else [answer]
    codes = [code for part in inside if (code := getattr(part, "__code__", None)) is not None]
    return any(isinstance(text, str) and text.endswith(_NOT_BEGUN) for code in codes for text in code.co_consts)


def is_the_courses_own(answer: Any) -> bool:
    """Whether an answer, what it wraps, or a class that it is made from comes from the course's package."""
    return any(_is_own(part) for part in _behind(answer))


def _behind(answer: Any) -> Iterator[Any]:
    for _ in range(20):
        yield answer
        if isinstance(answer, type):
            yield from answer.__mro__[1:]
        elif not hasattr(answer, "__code__"):
            yield from type(answer).__mro__
        if isinstance(answer, functools.partial):
            answer = answer.func
        elif (inner := getattr(answer, "__wrapped__", None) or getattr(answer, "__func__", None)) is not None:
            answer = inner
        else:
            return


def _is_own(part: Any) -> bool:
    code = getattr(part, "__code__", None)
    if code is not None:
        return str(code.co_filename).startswith(_PACKAGE)
    if not isinstance(part, type):
        return False
    inside = (getattr(value, "__code__", None) for value in vars(part).values())
    made_here = any(code is not None and str(code.co_filename).startswith(_PACKAGE) for code in inside)
    return made_here or str(part.__module__).startswith(_ROOM)
