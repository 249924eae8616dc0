"""The worker: a process that holds a learner's answers and never their judgement.

It reads one JSON request a line: first the cells of a notebook, then calls of the names that they define, all cases of
an exercise at once. It writes one JSON reply a line, one for each case as soon as that is over, so that a case which
ends the process takes no other reply along. It has the interpreter, the drivers and the inputs it is sent, but no
reference and no score, so there is nothing in it to forge: a faked reply is merely a wrong number. Its time limits are
in processor time, since a crowded machine is not the learner's fault; whoever speaks to it limits wall time, more
generously.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import inspect
import io
import json
import linecache
import os
import random
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import CodeType, FunctionType, ModuleType
from typing import Any, TextIO

import numpy as np

from coursepkg.grading.judging.calling import LAST_KINDS, PROCESSOR, LocalCall, Outcome, guarded, now
from coursepkg.grading.judging.values import Unfit, encode
from coursepkg.grading.sandbox.reading import NO_PYTHON, Broken, Reading, defined_by, read_cell
from coursepkg.grading.sandbox.replies import TooLarge, hold_against_bounds
from coursepkg.grading.sandbox.standins import Checks, Shell, is_the_courses_own, reads, unwritten

LOAD_SECONDS = 60.0
STATEMENT_SECONDS = 15.0
READ_SECONDS = 5.0
NOTE_SECONDS = 0.5
NOTES = ("checked", "reused", "rebound", "broken", "own")  # all that is ever said about an answer beside its numbers


class Answers:
    """What the cells of a notebook define: by exercise what was checked, else by name; the last one counts.

    Parameters
    ----------
    checks : Checks, optional
        Where the notebook's own checks note what they are given.

    Attributes
    ----------
    module : ModuleType
        The notebook as a module, which it is in Jupyter, too.
    namespace : dict
        Its names.
    """

    def __init__(self, checks: Checks | None = None) -> None:
        self.module = ModuleType("__main__")
        self.namespace: dict[str, Any] = vars(self.module)
        self.shell = Shell(self.namespace)
        self.namespace.update(display=lambda *args, **kwargs: None, get_ipython=lambda: self.shell)
        self.checks = checks or Checks()
        self.checks.namespace = self.namespace
        self.defined: dict[str, Any] = {}
        self.bound: dict[str, int] = {}
        self.failures: dict[str, Outcome] = {}
        self.calls: dict[tuple[str, str, str], LocalCall] = {}
        self._at_end: dict[str, Any] = {}  # the names when all cells have run
        self._names: dict[str, dict[str, Any]] = {}  # by exercise whose answer was checked
        self._in_force = ""  # the exercise whose names stand in the namespace

    def load(self, cells: Sequence[str]) -> None:
        """Run all cells."""
        for _ in self.loading(cells):
            pass

    def loading(self, cells: Sequence[str], left_out: Sequence[Sequence[int]] = ()) -> Iterator[tuple[int, int]]:
        """Run all cells, statement by statement, so that a failing line takes no definition after it away.

        Yields
        ------
        (int, int)
            Number of the cell, and of the statement in it that comes next; those that are ``left_out`` do not.
        """
        skipped = set(map(tuple, left_out))
        deadline = now(PROCESSOR) + LOAD_SECONDS
        for number, source in enumerate(cells, 1):
            name = f"<cell {number}>"
            cell = _read(source, name)
            linecache.cache[name] = (len(cell.text), None, cell.text.splitlines(keepends=True), name)
            for statement, part in enumerate(cell.parts):
                if (number, statement) in skipped:
                    continue
                yield number, statement
                self.checks.now += 1
                if isinstance(part, Broken):
                    self.failures.update(dict.fromkeys(part.names, _syntax_outcome(part.error)))
                else:
                    self._run(part, name, deadline - now(PROCESSOR))
        self._at_end = dict(self.namespace)

    def _run(self, statement: ast.stmt, name: str, seconds: float) -> None:
        before = dict(self.namespace)
        defines = _names_of(statement)
        try:
            code = self.shell.compiled(ast.Module([statement], []), name, ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        except NO_PYTHON as error:  # `return` outside a function is found only here
            self.failures.update(dict.fromkeys(defines, _syntax_outcome(error)))
            return
        # A notebook is a program, and running it is this process's whole purpose; it has no other rights than that.
        outcome = guarded(lambda: _execute(code, self.namespace), min(max(seconds, 0.01), STATEMENT_SECONDS), PROCESSOR)
        for key, value in self.namespace.items():
            if before.get(key) is not value:
                self.bound[key] = self.checks.now
                if callable(value):
                    self.defined[key] = value
                    self.failures.pop(key, None)
        if outcome.kind != "value":
            self.failures.update(dict.fromkeys(defines, outcome))

    def call(self, request: Mapping[str, Any], case: Mapping[str, Any]) -> Outcome:
        """Use one answer on one case; what is only a stub gives way to a later definition that failed."""
        name, exercise = request["function"], request.get("exercise", "")
        (answer, checked), failure = self._answer(exercise, name), self.failures.get(name)
        if answer is None:
            return failure or Outcome("not-attempted", message=f"nothing called {name} is defined")
        if exercise != self._in_force:
            self._bring_in_force(self._names_for(exercise) if checked else self._at_end)
            self._in_force = exercise
        key = exercise, name, request["driver"]
        if key not in self.calls:
            self.calls[key] = LocalCall(answer, request["driver"], time_by=PROCESSOR)
        self.calls[key].deadline = now(PROCESSOR) + request["seconds"]
        outcome = self.calls[key](case)
        return failure if failure is not None and outcome.kind == "not-attempted" else outcome

    def _bring_in_force(self, names: dict[str, Any]) -> None:
        """Give the namespace other names.

        It is never empty meanwhile: all functions of the notebook have it for their globals, one that traces, too.
        """
        self.namespace.update(names)
        for name in self.namespace.keys() - names.keys():
            del self.namespace[name]

    def _answer(self, exercise: str, name: str) -> tuple[Any, bool]:
        """The answer to an exercise, and whether it is what was checked last; else it has its name. None if neither is.

        What is checked while a part of it is not written gives way to what has the name and is further on.
        """
        checked, named = self.checks.answers.get(exercise), self.defined.get(name)
        left = self.checks.unwritten.get(exercise, 0)
        if checked is None or (left and named is not None and unwritten(named) < left):
            return named, False
        return checked, True

    def _names_for(self, exercise: str) -> dict[str, Any]:
        if exercise not in self._names:
            self._names[exercise] = self.checks.names_for(exercise, self._at_end)
        return self._names[exercise]

    def notes(self, asked: Sequence[Sequence[str]]) -> list[list[str]]:
        """For each exercise and its name what a person should know, in words of ``NOTES``."""
        found = [guarded(functools.partial(self._notes, *each), NOTE_SECONDS, PROCESSOR).value for each in asked]
        return [words if isinstance(words, list) else [] for words in found]  # of an answer that fails even here, none

    def _notes(self, exercise: str, name: str) -> list[str]:
        answer, checked = self._answer(exercise, name)
        later = self.bound.get(name, 0) > self.checks.times.get(exercise, 0)
        held = {
            "checked": checked,
            "reused": checked and later and self._at_end.get(name) is not answer,
            "rebound": checked and self._rebound(exercise, answer),
            "broken": answer is not None and name in self.failures,
            "own": answer is not None and is_the_courses_own(answer),
        }
        return [word for word in NOTES if held[word]]

    def _rebound(self, exercise: str, answer: Any) -> bool:
        """Whether a name that a checked answer reads means something else in the end."""
        names = self._names_for(exercise)
        other = {name for name in self._at_end.keys() | names if self._at_end.get(name) is not names.get(name)}
        other -= {name for name in other if names.get(name) is answer}
        return bool(other) and not other.isdisjoint(reads(answer, names))


def _names_of(statement: ast.stmt) -> list[str]:
    """The names that a definition or an import gives to what may be an answer."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [statement.name]
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return [each.asname or each.name for each in statement.names]
    return []


def _read(source: str, name: str) -> Reading:
    """The statements of a cell; of one that takes longer to read than any that a person writes, none."""
    outcome = guarded(lambda: read_cell(source, name), READ_SECONDS, PROCESSOR)
    if isinstance(outcome.value, Reading):
        return outcome.value
    return Reading([Broken(defined_by(source.splitlines()), SyntaxError("this cell cannot be read"))], source)


def _execute(code: CodeType, namespace: dict[str, Any]) -> None:
    """Run a statement; one that awaits is driven to its end, as long as nothing in it waits for the outside."""
    if not code.co_flags & inspect.CO_COROUTINE:
        exec(code, namespace)
        return
    running = FunctionType(code, namespace)()
    with contextlib.suppress(StopIteration):
        while True:
            running.send(None)


def _syntax_outcome(error: Exception) -> Outcome:
    line = getattr(error, "lineno", None)
    text = linecache.getline(str(getattr(error, "filename", "")), line or 0).strip()[:200]
    message = str(error.args[0])[:200] if error.args else ""
    return Outcome("error", error=type(error).__name__, message=message, line=line, source=text)


def serve(requests: Iterable[str], replies: TextIO, checks: Checks | None = None, *, as_main: bool = False) -> None:
    """Answer requests until there are no more; ``as_main`` makes the notebook this process's ``__main__``."""
    random.seed(0)  # what a learner draws without a seed of their own is the same each time
    np.random.seed(0)  # noqa: NPY002 - the global one, for those who use it
    answers = Answers(checks)
    if as_main:
        sys.modules["__main__"] = answers.module
    for line in requests:
        request = json.loads(line)
        for reply in _replies(answers, request):
            replies.write(_line(reply))
            replies.flush()


def _line(reply: Mapping[str, Any]) -> str:
    """A reply as a line; one that its reader would refuse, since the answer in it is too large, says so."""
    text = json.dumps(reply)
    try:
        hold_against_bounds(text + "\n")
    except TooLarge as error:
        text = json.dumps({**reply, "value": encode(Unfit(f"an answer of {error}"))})
    return text + "\n"


def _replies(answers: Answers, request: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if "cells" in request:
        for cell, statement in answers.loading(request["cells"], request.get("left_out", ())):
            if request.get("careful"):
                yield {"at": [cell, statement]}
        about = {"notes": answers.notes(request["asked"])} if "asked" in request else {}
        yield {"loaded": len(request["cells"]), **about}
        return
    for number, case in enumerate(request["cases"], request["id"]):
        outcome = answers.call(request, case)
        yield {"id": number, **outcome.to_json()}
        if outcome.kind in LAST_KINDS:
            return


@functools.cache
def installed_checks() -> Checks:
    """The ``check`` of this process."""
    checks = Checks()
    checks.install()
    return checks


_OURS = """import numpy as np

def answer(x, rows, rate):
    return {"a": x @ x.T + rate, "b": [float(row) for row in rows], "c": np.sum(x, axis=0).tolist()}"""


def warm_up() -> None:
    """Do once, before any process is forked, what each of them would have to do anew.

    ``check`` is put in its place, and a notebook of our own is served. A process that is forked then finds that code
    ready, and has a third fewer pages to copy.
    """
    installed_checks()
    case = {"args": [encode(np.ones((2, 3)), packed=True), [1.0, 2.0], 0.5], "kwargs": {}}
    asked = {"id": 1, "exercise": "", "function": "answer", "driver": "call", "seconds": 1.0, "cases": [case] * 12}
    serve([json.dumps({"cells": [_OURS]}), *[json.dumps(asked)] * 3], io.StringIO(), Checks())


def main() -> None:
    """Serve on standard input and output; the learner's own output goes nowhere."""
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
        os.dup2(nowhere.fileno(), sys.stderr.fileno())
        requests = os.fdopen(os.dup(sys.stdin.fileno()), encoding="utf-8")
        with open(os.devnull, encoding="utf-8") as nothing:
            os.dup2(nothing.fileno(), sys.stdin.fileno())  # `input()` in a notebook ends at once
        serve(requests, replies, installed_checks(), as_main=True)


if __name__ == "__main__":
    main()
