"""What a learner types in an exercise notebook: ``check`` and ``hint``, ``progress`` and ``review``.

None of them ever raises: whatever is wrong with the answer, the id or the files is said in two or three plain lines.
The compiled checks are found from the working folder upwards, so a notebook works from ``exercises/``, ``solutions/``
or ``notebooks/``; elsewhere, those that came with the package are used. The environment variable ``COURSEPKG_CHECKS``
names another folder.

An answer runs in the notebook's own kernel here. Its accidents are mended (``surroundings``), but a learner who wants
to be told "passed" can have that in their own kernel; marks are given by the sandbox, in another process.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from coursepkg import _course
from coursepkg.grading.judging import feedback
from coursepkg.grading.judging.arguments import copied
from coursepkg.grading.judging.arrays import numpy_came_later
from coursepkg.grading.judging.calling import LocalCall, Outcome
from coursepkg.grading.judging.drivers import DRIVERS
from coursepkg.grading.judging.judge import Verdict, judge
from coursepkg.grading.judging.values import kind_of
from coursepkg.grading.learning import course, record
from coursepkg.grading.learning.course import Page
from coursepkg.grading.learning.places import Course, Links
from coursepkg.grading.learning.surroundings import Surroundings, words_for

_MISSING = object()
_UNREADABLE = (OSError, ValueError, KeyError, TypeError)


class Check:
    """Check an answer, show the verdict, and return it: ``check("01.2", total_rate)``.

    ``check.last_call()`` gives the arguments of the last call that was not right, to run again.
    """

    def __init__(self) -> None:
        self._last: tuple[Mapping[str, Any], tuple[Any, Any]] | None = None

    def __call__(self, exercise_id: Any = _MISSING, answer: Any = _MISSING) -> Verdict:
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
        if callable(exercise_id) and isinstance(answer, str):
            lines = ("The id comes first, then the answer.", f'Write `check("{answer}", {_name(exercise_id)})`.')
            return _show(Verdict(answer, "error", "wrong-call", lines=lines))
        found = _find(exercise_id, 'check("01.2", your_function)')
        if isinstance(found, Verdict):
            return _show(found)
        if answer is _MISSING:
            call = f'check("{found["id"]}", {found["function"]})'
            lines = ("The answer is missing.", f"Write `{call}`.")
            return _show(Verdict(found["id"], "error", "wrong-call", lines=lines))
        verdict = _judged(found, answer)
        if not verdict.passed and numpy_came_later():  # then an array is nothing that this judge can read
            return _show(Verdict(found["id"], "error", "numpy-came-later", lines=_RESTART))
        if verdict.status != "infrastructure":
            self._last = None if verdict.call is None else (found, verdict.call)
        return _show(*_with_standing(found, verdict))

    def last_call(self) -> tuple[Any, Any]:
        """The arguments of the last call that was not right, as fresh copies: ``args, kwargs = check.last_call()``.

        Returns
        -------
        tuple of (list, dict)
            For ``your_function(*args, **kwargs)``; both are empty if the last check found no such call.
        """
        if self._last is None:
            print("There is no call to run again: the last check found none that was not right.")
            return [], {}
        found, (args, kwargs) = self._last
        print("\n".join(_how_to_run(found, len(args))))
        return list(copied(args)), dict(copied(kwargs))


check = Check()


def hint(exercise_id: Any = _MISSING, number: Any = 1) -> Verdict:
    """Show a hint for an exercise: the first one, or the one that is asked for.

    Parameters
    ----------
    exercise_id : str
        Id of the exercise ("01.2").
    number : int
        Which hint, from 1, a nudge, to 3, nearly the answer.

    Returns
    -------
    Verdict
        With status "hint", or "error" where there is no such exercise.
    """
    found = _find(exercise_id, 'hint("01.2")')
    if isinstance(found, Verdict):
        return _show(found)
    hints = found["hints"]
    if type(number) is not int or not 1 <= number <= len(hints):
        lines = [f"{exercise_id} · there are {len(hints)} hints, with the numbers 1 to {len(hints)}."]
    else:
        lines = [f"{exercise_id} hint {number} of {len(hints)} · {hints[number - 1]}"]
    if type(number) is int and 1 <= number < len(hints):
        lines.append(f'For the next one: `hint("{exercise_id}", {number + 1})`')
    else:
        lines.append(f"Read again: {found['see']}")
    return _show(Verdict(exercise_id, "hint", lines=tuple(lines)), _links(found))


def progress() -> ShownPage:
    """Show how far you are in the whole course: exercises passed, tried and not begun, and points, by chapter."""
    return _show_page(_overview())


def review(card: Any = None, *, remembered: bool | None = None, today: date | None = None) -> ShownPage:
    """Show the review cards that are due: wrong ideas that a check has named, to be recognised once more.

    Parameters
    ----------
    card : str, optional
        Name of one card ("02.5/adds-rates"): shows its answer.
    remembered : bool, optional
        With a card: whether you knew. Then it comes back after twice the time; else tomorrow.
    today : datetime.date, optional
        The day it is (default: what the clock says).

    Raises
    ------
    TypeError
        If ``today`` is no date.
    """
    if today is not None and not isinstance(today, date):
        raise TypeError(f"today is a date, such as datetime.date(2026, 3, 1); it was given {today!r}")
    return _show_page(_review(card, remembered, today or date.today()))


# --- a check, and what it leaves behind ------------------------------------------------------------------------------


_RESTART = (
    "NumPy was loaded after `check`, which had begun to do without it. Nothing was judged.",
    "Restart the kernel, write `import numpy as np` above everything else, and run the cells again.",
)


def _judged(found: Mapping[str, Any], answer: Any) -> Verdict:
    """The verdict on an answer; what the answer changed around itself is put back before anything is compared."""
    try:
        around = Surroundings()
        call = LocalCall(answer, found["driver"])

        def call_and_restore(case: Mapping[str, Any]) -> Outcome:
            try:
                return call(case)
            finally:
                around.restore()

        try:
            verdict = judge(found, call_and_restore)
        finally:
            around.restore_draws()
    except Exception as error:  # noqa: BLE001 - a fault of ours must not become a traceback in the learner's notebook
        return _infrastructure(found["id"], f"the checker itself failed ({type(error).__name__}: {error})")
    return _with_lines(verdict, words_for(around.changed))


def _with_lines(verdict: Verdict, lines: Sequence[str]) -> Verdict:
    return type(verdict)(**{**verdict.__dict__, "lines": (*verdict.lines, *lines)}) if lines else verdict


def _with_standing(found: Mapping[str, Any], verdict: Verdict) -> tuple[Verdict, Links]:
    """The verdict, with a line about where the learner stands if it is a pass; and the links for its words."""
    links = _links(found, verdict)
    checks = checks_folder()
    if checks is None or verdict.status in ("infrastructure", "not-attempted"):
        return verdict, links
    try:
        kept = _noted(found, verdict)
        lines = [kept.notice] if kept is not None and kept.notice else []
        if verdict.passed:
            line, after = course.standing(checks, found["id"], kept)
            lines.insert(0, line)
            if after is not None and (link := Course(checks).to_exercise(after)) is not None:
                links[f"{'Next' if kept is None else 'next'}: {after}"] = link
    except _UNREADABLE:  # another chapter's file, or the record's folder: the verdict is what counts
        return verdict, links
    return _with_lines(verdict, lines), links


def _noted(found: Mapping[str, Any], verdict: Verdict) -> record.Record | None:
    """The record with this check in it; None if none is kept."""
    path = own_record()
    if path is None or verdict.finding == "wrong-kind":
        return None if path is None else record.read(path)
    known = {entry["id"] for entry in found["misconceptions"]}
    certain = verdict.status == "wrong" and verdict.sure
    ideas = [idea for idea in verdict.finding.split("+") if certain and idea in known]
    now = datetime.now(UTC)
    return record.update(path, lambda kept: kept.note(found["id"], verdict.passed, ideas, date.today(), now))


def own_record() -> Path | None:
    """The file of the learner's record; None if none is kept here."""
    return record.location(checks_folder(), person=_person())


def _links(found: Mapping[str, Any], verdict: Verdict | None = None) -> Links:
    """The links for what a verdict or a hint names as places to read."""
    checks = checks_folder()
    if checks is None or (verdict is not None and verdict.passed):
        return {}
    try:
        texts = [found["see"], *(entry["look_at"] for entry in found["misconceptions"])]
        shown = texts if verdict is None else [words for words in texts if words in verdict.text]
        return Course(checks).links(shown, found["id"].split(".")[0])
    except _UNREADABLE:
        return {}


def _how_to_run(found: Mapping[str, Any], count: int) -> list[str]:
    """The lines that say what the arguments of a call are for."""
    function, driver = found["function"], DRIVERS[found["driver"]]
    if found["driver"] == "call":
        return [f"The call of {found['id']} that was not right. Run it again with: {function}(*args, **kwargs)"]
    return [
        f"The case of {found['id']} that was not right. Your {function} does not get these arguments themselves:",
        f"the check builds its input from them, and this is how: {_first_line(driver.run.__doc__)}",
        "Run it again with: from coursepkg.grading.judging.drivers import DRIVERS",
        f"then: DRIVERS[{found['driver']!r}].run({function}, *args, **kwargs)",
    ]


def _first_line(text: str | None) -> str:
    return " ".join((text or "").strip().split("\n\n")[0].split()).replace("``", "`")


def _name(answer: Any) -> str:
    return getattr(answer, "__name__", "your_function")


# --- the course's pages ----------------------------------------------------------------------------------------------


def _overview() -> Page:
    checks = checks_folder()
    if checks is None:
        return _plain("There are no exercises here: run this in the course's folder.")
    path = record.location(checks, person=True)
    if path is None:
        return _plain("Your progress is not kept: COURSEPKG_PROGRESS is off.")
    try:
        return course.overview(checks, record.read(path), Course(checks))
    except _UNREADABLE as error:
        return _plain(f"A stored check cannot be read ({type(error).__name__}: {error}).")


def _review(card: Any, remembered: bool | None, today: date) -> Page:
    checks = checks_folder()
    path = record.location(checks, person=True)
    if checks is None or path is None:
        return _overview()
    kept = record.read(path)
    if card is None:
        return course.cards_due(checks, kept, Course(checks), today)
    if not isinstance(card, str) or card not in kept.cards:
        return _plain(f"There is no card {card!r}.", "`review()` shows those that are due.")
    if remembered is not None:
        kept = record.update(path, lambda now: now.answer(card, bool(remembered), today) if card in now.cards else None)
    when = kept.cards[card].due
    told = [] if remembered is None else [f"This card comes back on {when.isoformat()}."]
    page = course.card_answer(checks, card, Course(checks), told + ([kept.notice] if kept.notice else []))
    return page or _plain(f"No check knows the card {card!r} any more.")


def _plain(*lines: str) -> Page:
    return Page("\n".join(lines), "".join(f"<p>{feedback.markup(line)}</p>" for line in lines))


# --- finding a compiled check ----------------------------------------------------------------------------------------


def checks_folder(start: Path | None = None) -> Path | None:
    """The folder of compiled checks: around ``start`` (the working folder), else the one that the package brings."""
    own = _course.folder() / "exercises" / ".checks"
    return checks_around(start) or (own if own.is_dir() else None)


def checks_around(start: Path | None = None) -> Path | None:
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


class _Shown:
    """Something that is on the page already: it is not repeated when it ends the cell that showed it."""

    shown_in: int

    def _ipython_display_(self) -> None:
        shell = _shell()
        if shell is None or shell.execution_count != self.shown_in:
            _display(self)


@dataclass(frozen=True, repr=False)
class ShownVerdict(_Shown, Verdict):
    """A verdict that is on the page already, with links for its words."""

    links: Links = field(default_factory=dict)
    shown_in: int = -1

    def _repr_html_(self) -> str:
        return course.linked(super()._repr_html_(), self.links)


@dataclass(frozen=True, repr=False)
class ShownPage(_Shown):
    """A page that is shown already; ``.text`` is what it says."""

    text: str
    html: str
    shown_in: int = -1

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return self.html


def _display(shown: Any) -> None:
    from IPython.display import display

    display({"text/plain": shown.text, "text/html": shown._repr_html_()}, raw=True)


def _show(verdict: Verdict, links: Links | None = None) -> Verdict:
    """Display in a notebook, print elsewhere (a Python prompt shows the returned verdict by itself)."""
    return _put(ShownVerdict(**verdict.__dict__, links=links or {}, shown_in=_cell()))


def _show_page(page: Page) -> ShownPage:
    return _put(ShownPage(page.text, page.html, _cell()))


def _put(shown: Any) -> Any:
    if _shell() is not None:
        _display(shown)
    elif not hasattr(sys, "ps1"):
        print(shown.text)
    return shown


def _cell() -> int:
    shell = _shell()
    return shell.execution_count if shell is not None else -1


def _person() -> bool:
    """Whether somebody sits in front of this process: it is a notebook's kernel, or a prompt."""
    return _shell() is not None or hasattr(sys, "ps1")


def _shell() -> Any:
    module = sys.modules.get("IPython")
    return module.get_ipython() if module is not None else None
