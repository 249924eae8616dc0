"""``check`` and ``hint``: what a learner types in an exercise notebook.

Neither ever raises: whatever is wrong with the answer, the id or the files is said in two or three plain lines. The
compiled checks are found from the working folder upwards, so a notebook works from ``exercises/``, ``solutions/`` or
``notebooks/``; the environment variable ``COURSEPKG_CHECKS`` names another folder.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coursepkg.grading import feedback
from coursepkg.grading.calling import LocalCall
from coursepkg.grading.judge import Verdict, judge
from coursepkg.grading.values import kind_of

_MISSING = object()
_hints_shown: dict[str, int] = {}


def check(exercise_id: Any = _MISSING, answer: Any = _MISSING) -> Verdict:
    """Check an answer, show the verdict, and return it.

    Parameters
    ----------
    exercise_id : str
        Id of the exercise ("01.2").
    answer : callable
        The function or class that the exercise asks for, itself (no brackets after its name).

    Returns
    -------
    Verdict
        ``.passed`` is True or False, ``.text`` is what was shown.
    """
    return _show(_verdict(exercise_id, answer))


def hint(exercise_id: Any = _MISSING) -> Verdict:
    """Show the next hint for an exercise; after the last one it says so.

    Parameters
    ----------
    exercise_id : str
        Id of the exercise ("01.2").

    Returns
    -------
    Verdict
        With status "hint", or "error" where there is no such exercise.
    """
    found = _find(exercise_id, 'hint("01.2")')
    if isinstance(found, Verdict):
        return _show(found)
    number = _hints_shown.get(exercise_id, 0)
    hints = found["hints"]
    if number < len(hints):
        _hints_shown[exercise_id] = number + 1
        lines = [f"{exercise_id} hint {number + 1} of {len(hints)} · {hints[number]}"]
    else:
        lines = [f"{exercise_id} · there are no more hints.", f"Read again: {found['see']}"]
    return _show(Verdict(exercise_id, "hint", lines=tuple(lines)))


def _verdict(exercise_id: Any, answer: Any) -> Verdict:
    if callable(exercise_id) and isinstance(answer, str):
        lines = ("The id comes first, then the answer.", f'Write `check("{answer}", {_name(exercise_id)})`.')
        return Verdict(answer, "error", "wrong-call", lines=lines)
    found = _find(exercise_id, 'check("01.2", your_function)')
    if isinstance(found, Verdict):
        return found
    if answer is _MISSING:
        call = f'check("{found["id"]}", {found["function"]})'
        return Verdict(found["id"], "error", "wrong-call", lines=("The answer is missing.", f"Write `{call}`."))
    try:
        return judge(found, LocalCall(answer, found["driver"]))
    except Exception as error:  # noqa: BLE001 - a fault of ours must not become a traceback in the learner's notebook
        words = feedback.infrastructure(f"the checker itself failed ({type(error).__name__}: {error})")
        return Verdict(found["id"], "infrastructure", lines=tuple(words))


def _name(answer: Any) -> str:
    return getattr(answer, "__name__", "your_function")


# --- finding a compiled check ----------------------------------------------------------------------------------------


def checks_folder(start: Path | None = None) -> Path | None:
    """The folder of compiled checks, searched from ``start`` (the working folder) upwards."""
    if named := os.environ.get("COURSEPKG_CHECKS"):
        return Path(named)
    here = os.getcwd() if start is None else os.path.realpath(start)
    while True:
        for names in (("exercises", ".checks"), (".checks",)):
            if os.path.isdir(candidate := os.path.join(here, *names)):
                return Path(candidate)
        above = os.path.dirname(here)
        if above == here:
            return None
        here = above


def _find(exercise_id: Any, example: str) -> Mapping[str, Any] | Verdict:
    """The compiled check of an exercise, or the verdict that says why there is none."""
    if not isinstance(exercise_id, str):
        given = "nothing" if exercise_id is _MISSING else kind_of(exercise_id)
        lines = (f"An exercise is named by its id in quotes; it was given {given}.", f"For example: `{example}`")
        return Verdict("", "error", "wrong-call", lines=lines)
    folder = checks_folder()
    if folder is None or not folder.is_dir():
        return _infrastructure(exercise_id, f"no folder `exercises/.checks` in {Path.cwd().name!r} or above it")
    try:
        return _lookup(folder, exercise_id)
    except (OSError, ValueError, KeyError, TypeError) as error:
        return _infrastructure(exercise_id, f"the stored check cannot be read ({type(error).__name__}: {error})")


def _lookup(folder: Path, exercise_id: str) -> Mapping[str, Any] | Verdict:
    chapter = exercise_id.split(".")[0]
    path = folder / f"ex_{chapter}.json"
    if re.fullmatch(r"\d\d", chapter) and path.is_file():
        for compiled in json.loads(path.read_text(encoding="utf-8"))["exercises"]:
            if compiled["id"] == exercise_id:
                return compiled
    known = {
        item["id"]: item["title"]
        for other in sorted(folder.glob("ex_*.json"))
        for item in json.loads(other.read_text(encoding="utf-8"))["exercises"]
    }
    if not known:
        return _infrastructure(exercise_id, f"the folder {folder.name} holds no checks")
    near = difflib.get_close_matches(exercise_id.strip(), known, n=2, cutoff=0.4) or list(known)[:2]
    words = " or ".join(f"`{name}` ({known[name]})" for name in near)
    return Verdict(
        exercise_id,
        "error",
        "unknown-id",
        lines=(f"There is no exercise `{exercise_id[:20]}`.", f"Did you mean {words}?"),
    )


def _infrastructure(exercise_id: str, message: str) -> Verdict:
    return Verdict(exercise_id, "infrastructure", lines=tuple(feedback.infrastructure(message)))


# --- showing ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, repr=False)
class ShownVerdict(Verdict):
    """A verdict that is on the page already: it is not repeated when it ends the cell that showed it."""

    shown_in: int = 0

    def _ipython_display_(self) -> None:
        shell = _shell()
        if shell is None or shell.execution_count != self.shown_in:
            _display(self)


def _display(verdict: Verdict) -> None:
    from IPython.display import display

    display({"text/plain": verdict.text, "text/html": verdict._repr_html_()}, raw=True)


def _show(verdict: Verdict) -> Verdict:
    """Display in a notebook, print elsewhere (a Python prompt shows the returned verdict by itself)."""
    shell = _shell()
    if shell is None:
        if not hasattr(sys, "ps1"):
            print(verdict.text)
        return verdict
    _display(verdict)
    return ShownVerdict(**verdict.__dict__, shown_in=shell.execution_count)


def _shell() -> Any:
    module = sys.modules.get("IPython")
    return module.get_ipython() if module is not None else None
