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
import json
import linecache
import os
import random
import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any, TextIO

import numpy as np

from coursepkg.grading.judging.calling import LAST_KINDS, PROCESSOR, LocalCall, Outcome, guarded, now
from coursepkg.grading.judging.values import Unfit, encode
from coursepkg.grading.sandbox.replies import TooLarge, hold_against_bounds

LOAD_SECONDS = 60.0
STATEMENT_SECONDS = 15.0
_FILLED = re.compile(r"^([ \t]*[\w.\[\], \t]+?=[ \t]*)[!%].*")
_NO_PYTHON = (SyntaxError, ValueError, RecursionError, MemoryError)  # the last two: nested without end


class Answers:
    """What the cells of a notebook define, by name; the last definition counts."""

    def __init__(self) -> None:
        self.namespace: dict[str, Any] = {"__name__": "__main__", "display": lambda *args, **kwargs: None}
        self.defined: dict[str, Any] = {}
        self.failures: dict[str, Outcome] = {}
        self.calls: dict[tuple[str, str], LocalCall] = {}

    def load(self, cells: list[str]) -> None:
        """Run all cells, statement by statement, so that a failing line takes no definition after it away."""
        deadline = now(PROCESSOR) + LOAD_SECONDS
        for number, source in enumerate(cells, 1):
            name = f"<cell {number}>"
            linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
            try:
                statements = _statements(source, name)
            except _NO_PYTHON as error:
                self._note_syntax_error(source, error)
                continue
            for statement in statements:
                self._run(statement, name, deadline - now(PROCESSOR))

    def _run(self, statement: ast.stmt, name: str, seconds: float) -> None:
        before = dict(self.namespace)
        defines = statement.name if isinstance(statement, ast.FunctionDef | ast.ClassDef) else None
        try:
            code = compile(ast.Module([statement], []), name, "exec")
        except _NO_PYTHON as error:  # `return` outside a function is found only here
            if defines is not None:
                self.failures[defines] = _syntax_outcome(error)
            return
        # A notebook is a program, and running it is this process's whole purpose; it has no other rights than that.
        outcome = guarded(lambda: exec(code, self.namespace), min(max(seconds, 0.01), STATEMENT_SECONDS), PROCESSOR)
        for key, value in self.namespace.items():
            if callable(value) and before.get(key) is not value:
                self.defined[key] = value
                self.failures.pop(key, None)
        if outcome.kind != "value" and defines is not None:
            self.failures[defines] = outcome

    def _note_syntax_error(self, source: str, error: Exception) -> None:
        """The names that the broken cell was going to define cannot be judged; say why. A method is no such name."""
        outcome = _syntax_outcome(error)
        for name in re.findall(r"^(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)", source, re.MULTILINE):
            self.failures[name] = outcome

    def call(self, request: Mapping[str, Any], case: Mapping[str, Any]) -> Outcome:
        """Use one answer on one case."""
        name = request["function"]
        if name in self.failures:
            return self.failures[name]
        if name not in self.defined:
            return Outcome("not-attempted", message=f"nothing called {name} is defined")
        key = name, request["driver"]
        if key not in self.calls:
            self.calls[key] = LocalCall(self.defined[name], request["driver"], time_by=PROCESSOR)
        self.calls[key].deadline = now(PROCESSOR) + request["seconds"]
        return self.calls[key](case)


def _statements(source: str, name: str) -> list[ast.stmt]:
    """The statements of a cell; if Python cannot read it, those without what only IPython understands."""
    try:
        return ast.parse(source, name).body
    except _NO_PYTHON:
        return ast.parse(python_lines(source), name).body


def python_lines(source: str) -> str:
    """A cell without magics, shell lines and help requests; line numbers stay as they are."""
    lines = source.splitlines()
    first = lines[0].strip() if lines else ""
    if first.startswith("%%") and not first.startswith(("%%time", "%%capture", "%%prun")):
        return ""
    kept = []
    for line in lines:
        bare = line.strip()
        line = _FILLED.sub(r"\1None", line)  # `files = !ls`, `times = %timeit -o f()`
        foreign = bare.startswith(("%", "!", "?")) or (bare.endswith("?") and not bare.startswith("#"))
        kept.append(line[: len(line) - len(line.lstrip())] + "pass" if foreign else line)
    return "\n".join(kept)


def _syntax_outcome(error: Exception) -> Outcome:
    line = getattr(error, "lineno", None)
    text = linecache.getline(str(getattr(error, "filename", "")), line or 0).strip()[:200]
    message = str(error.args[0])[:200] if error.args else ""
    return Outcome("error", error=type(error).__name__, message=message, line=line, source=text)


def serve(requests: TextIO, replies: TextIO) -> None:
    """Answer requests until there are no more."""
    random.seed(0)  # what a learner draws without a seed of their own is the same each time
    np.random.seed(0)  # noqa: NPY002 - the global one, for those who use it
    answers = Answers()
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
        text = json.dumps({**reply, "value": encode(Unfit(f"something very large ({error})"))})
    return text + "\n"


def _replies(answers: Answers, request: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if "cells" in request:
        answers.load(request["cells"])
        yield {"loaded": len(request["cells"])}
        return
    for number, case in enumerate(request["cases"], request["id"]):
        outcome = answers.call(request, case)
        yield {"id": number, **outcome.to_json()}
        if outcome.kind in LAST_KINDS:
            return


def main() -> None:
    """Serve on standard input and output; the learner's own output goes nowhere."""
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
        os.dup2(nowhere.fileno(), sys.stderr.fileno())
        requests = os.fdopen(os.dup(sys.stdin.fileno()), encoding="utf-8")
        with open(os.devnull, encoding="utf-8") as nothing:
            os.dup2(nothing.fileno(), sys.stdin.fileno())  # `input()` in a notebook ends at once
        serve(requests, replies)


if __name__ == "__main__":
    main()
