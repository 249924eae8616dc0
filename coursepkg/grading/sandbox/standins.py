"""What stands in, in the sandbox, for what a notebook meets in Jupyter: IPython's shell, and ``check``.

Neither does anything beyond what later cells need: magics and shell lines fill their names, a check notes which object
was checked.
"""

from __future__ import annotations

import ast
import builtins
import dis
import functools
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from types import CodeType, FunctionType
from typing import Any

from coursepkg.grading.judging.judge import Verdict
from coursepkg.grading.sandbox.reading import PYTHON_MAGICS, as_ipython_reads

_PACKAGE = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "")
_ROOM = __name__.split(".")[0] + "."  # "coursepkg."
_NOT_BEGUN = ": write your answer here"  # what is raised where an answer belongs
_RUN_IN_PLACE = ("time", "prun")  # line magics that leave behind what their line defines
_PYTHONS_OWN = frozenset(vars(builtins))
_FUTURE = annotations.compiler_flag  # of what can be imported from there, all else holds anyway


class Shell:
    """A shell that runs what is Python, and nothing else: ``files = !ls`` gives an empty list.

    Parameters
    ----------
    namespace : dict
        The names of the notebook.
    """

    def __init__(self, namespace: dict[str, Any]):
        self.user_ns = namespace
        self._future = 0

    def compiled(self, tree: ast.Module | ast.Expression, name: str, flags: int = 0) -> CodeType:
        """Code as Jupyter compiles it: what a cell imports from ``__future__`` holds from then on, and ours nowhere."""
        mode = "exec" if isinstance(tree, ast.Module) else "eval"
        code: CodeType = compile(tree, name, mode, self._future | flags, dont_inherit=True)
        self._future |= code.co_flags & _FUTURE
        return code

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
        exec(self.compiled(ast.Module(before, []), "<magic>"), self.user_ns)
        if not isinstance(last, ast.Expr):
            return None
        return FunctionType(self.compiled(ast.Expression(last.value), "<magic>"), self.user_ns)()

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
    namespace : dict
        The names of the notebook.
    answers : dict
        By exercise, what the last call of its check was given.
    times : dict
        By exercise, the number of the statement that called it.
    unwritten : dict
        By exercise, how many parts of the answer are still as they were handed out.
    """

    def __init__(self) -> None:
        self.namespace: dict[str, Any] = {}
        self.answers: dict[str, Any] = {}
        self.times: dict[str, int] = {}
        self.unwritten: dict[str, int] = {}
        self.now = 0
        self._names: dict[str, dict[str, Any]] = {}
        self._held: dict[str, Any] = {}  # by name, the last checked answer that was called so

    def __call__(self, exercise_id: Any = None, answer: Any = None) -> Verdict:
        """Note an answer, and the names around it; one of which less is written takes the place of no other."""
        if isinstance(exercise_id, str) and callable(answer):
            left = unwritten(answer)
            if left <= self.unwritten.get(exercise_id, left):
                self.answers[exercise_id], self.times[exercise_id], self.unwritten[exercise_id] = answer, self.now, left
                self._names[exercise_id] = dict(self.namespace)
                if not left:
                    self._held.update((name, answer) for name, value in self.namespace.items() if value is answer)
        return Verdict(str(exercise_id), "infrastructure", lines=("Answers are checked after the notebook has run.",))

    def names_for(self, exercise: str, at_end: dict[str, Any]) -> dict[str, Any]:
        """The names that a checked answer is judged with: those at its check, whatever became of them later.

        A name that is younger, or was not written yet, is taken as it is in the end, unless it would hide one of
        Python's own. A name of another exercise's answer is the one that was checked last.
        """
        then = self._names[exercise]
        own = {name: value for name, value in then.items() if value is self.answers[exercise]}
        younger = {name: value for name, value in at_end.items() if name not in _PYTHONS_OWN}
        written = {name: value for name, value in then.items() if name not in younger or not unwritten(value)}
        return {**younger, **written, **self._held, **own}

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


def unwritten(answer: Any) -> int:
    """How many parts of an answer are still as they were handed out: functions that never return, and say so."""
    return sum(_says_so(code) and not _returns(code) for code in _codes(answer))


def _codes(answer: Any) -> list[CodeType]:
    inside = vars(answer).values() if isinstance(answer, type) else [answer]
    return [part.__code__ for part in inside if type(part) is FunctionType]


def _says_so(code: CodeType) -> bool:
    return any(isinstance(text, str) and text.endswith(_NOT_BEGUN) for text in code.co_consts)


def _returns(code: CodeType) -> bool:
    return any(each.opname in ("RETURN_VALUE", "RETURN_CONST") for each in dis.get_instructions(code))


def reads(answer: Any, names: Mapping[str, Any]) -> set[str]:
    """The names that an answer takes from around it, itself or by the functions and classes that it uses."""
    found: set[str] = set()
    to_do = [answer]
    while to_do:
        codes = _codes(to_do.pop())
        while codes:
            code = codes.pop()
            codes += [constant for constant in code.co_consts if isinstance(constant, CodeType)]
            read = {str(step.argval) for step in dis.get_instructions(code) if step.opname == "LOAD_GLOBAL"}
            to_do += [names[name] for name in read - found if name in names]
            found |= read
    return found


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
