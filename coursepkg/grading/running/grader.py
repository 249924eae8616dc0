"""Grading many notebooks of others: a pure function of notebook, specification and seed, spread over processes.

The trusted side holds references, hidden inputs and the bank, and compares; the sandbox holds the answers and sees
inputs alone. Hidden inputs follow from a secret (HMAC of the exercise under it) and are those of everybody who is
graded with it: all answer the same questions, and what the reference gives for them is worked out once. Results are
stored when a whole notebook is done; a run that is killed goes on where it stopped, and the files are the same bytes in
the end.

That everybody has the same ones is safe because nobody can pass them on. An answer meets them in a process without a
way out; its mark and message tell whether it was right and which known idea it follows, about three bits. So it takes
hundreds of answers to read the inputs of one exercise out, and a table of results needs a right answer to fill it.
"""

from __future__ import annotations

import builtins
import contextlib
import hashlib
import hmac
import json
import platform
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import metadata
from typing import Any

import numpy as np

from coursepkg import __version__
from coursepkg.grading.judging import feedback
from coursepkg.grading.judging.calling import Outcome
from coursepkg.grading.judging.judge import FATAL, Check, Verdict, judge_all
from coursepkg.grading.judging.values import decode, difference, encode
from coursepkg.grading.running.results import (
    GRADED,
    INFRASTRUCTURE_ERROR,
    STUDENT_ERROR,
    WHOLE_SUBMISSION,
    Item,
    Result,
)
from coursepkg.grading.running.suspicions import flags_of, flags_of_notebook, not_run
from coursepkg.grading.sandbox.launch import Unavailable
from coursepkg.grading.sandbox.process import Sandbox, SandboxedWorker
from coursepkg.grading.sandbox.worker_process import Worker
from coursepkg.grading.specification.chapters import Chapter
from coursepkg.grading.specification.compiling import Compiled, compile_check, hidden_check
from coursepkg.grading.specification.exercise import Exercise
from coursepkg.grading.submissions.answers import MOST_COMPARED, answer_in, fingerprint
from coursepkg.grading.submissions.cells import Cells, UnreadableNotebook, cells_of, sha256_of
from coursepkg.grading.submissions.choosing import exercises_in

_OUR_WORDS = {"time-limit", "wrong-kind", "ProcessEnded", "BadReply", "Misfit"}
_SETTLED = ("not-attempted", "infrastructure")
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{4,}")


@dataclass(frozen=True)
class Work:
    """One notebook of one learner, ready to be graded."""

    student: str
    name: str
    chapter: str
    notebook: str
    data: bytes
    flags: tuple[str, ...] = ()

    @property
    def sha256(self) -> str:
        """Hash of the file that was handed in."""
        return sha256_of(self.data)


@dataclass(frozen=True)
class Graded:
    """What grading one notebook gave: results, their times, and whether time ran out that no answer had spent."""

    results: tuple[Result, ...]
    times: tuple[dict[str, Any], ...]
    out_of_time: bool = False


@cache
def versions() -> dict[str, str]:
    """What could change a number: the versions of Python, numpy, sympy and the package."""
    found = {"python": platform.python_version(), "numpy": np.__version__, "coursepkg": __version__}
    with contextlib.suppress(metadata.PackageNotFoundError):
        found["sympy"] = metadata.version("sympy")
    return found


# --- seeds -----------------------------------------------------------------------------------------------------------


def seed_of(secret: bytes, exercise: str) -> bytes:
    """The seed of the hidden inputs of one exercise: 32 bytes that only the secret's holder can make."""
    return hmac.new(secret, json.dumps([exercise]).encode(), hashlib.sha256).digest()


def seed_id(seed: bytes) -> str:
    """A name for a seed that does not give it away."""
    return hashlib.sha256(b"seed id" + seed).hexdigest()[:16]


# --- one notebook ----------------------------------------------------------------------------------------------------


class Grader:
    """Grades notebooks, one after another, in one tier of the sandbox.

    Parameters
    ----------
    chapters : mapping of str to Chapter
        Specifications.
    secret : bytes
        Seeds derive from it.
    tier : str
        Tier of the sandbox.
    """

    def __init__(self, chapters: Mapping[str, Chapter], secret: bytes, tier: str):
        self.chapters, self.secret, self.tier = chapters, secret, tier
        self._sandbox: Sandbox | None = None
        self._visible: dict[str, Check] = {}
        self._hidden: dict[str, Compiled] = {}

    def grade(self, work: Work) -> Graded:
        """Grade one notebook; nothing in it can raise here, and an infrastructure error is a result as well."""
        try:
            return self._grade(work)
        except Exception as error:  # noqa: BLE001 - nobody thought of it: no mark, and the other notebooks go on
            words = f"the grader itself failed ({type(error).__name__}); look at this notebook by hand"
            return self.lost(replace(work, flags=(*work.flags, words)), words)

    def _grade(self, work: Work) -> Graded:
        exercises = self.chapters[work.chapter].exercises
        try:
            cells = cells_of(work.data, work.notebook)
        except UnreadableNotebook as error:
            return self._all_alike(work, STUDENT_ERROR, 0.0, "error", "UnreadableNotebook", str(error))
        flags, whole = self._found_by_name(work), flags_of_notebook(cells)
        try:
            self._sandbox = self._sandbox or Sandbox(self.tier)
        except Unavailable as error:
            return self.lost(work, str(error))
        before = self._sandbox.cpu_seconds
        with SandboxedWorker(cells.code, self._sandbox) as worker:
            worker.asked = [(exercise.id, exercise.function) for exercise in exercises]
            judged = self._judge_all(work, exercises, worker)
        whole += [
            f"cell {cell} {why}; its statement {at + 1} was left out"
            for (cell, at), why in zip(worker.left_out, worker.reasons, strict=True)
        ]
        spent = self._sandbox.cpu_seconds - before
        results, times = [], []
        compared = cells.code if sum(map(len, cells.code)) <= MOST_COMPARED else []  # each exercise reads all of it
        for exercise in exercises:
            answer = judged[exercise.id]
            more: tuple[str, ...] = ()
            if answer.hidden.status == "not-attempted":
                answer.more = not_run(exercise, cells)
            else:
                notes = worker.notes.get(exercise.id, ())
                by_name = () if "checked" in notes else flags.get(exercise.id, ())
                more = (*by_name, *flags_of(exercise, cells, notes), *whole, *_of_newer_python(cells, answer.visible))
            results.append(self._result(work, exercise, answer, more))
            seconds = {"seconds": round(answer.seconds, 4), "sandbox_cpu_seconds_of_notebook": round(spent, 4)}
            source, lines = fingerprint(answer_in(compared, exercise.id, exercise.function))
            signature = "" if answer.hidden.passed else _signature(answer.outcomes)
            times.append({**seconds, "signature": signature, "source": source, "lines": lines})
        return Graded(tuple(results), tuple(times), worker.crowded)

    def close(self) -> None:
        """Take the sandbox down."""
        if self._sandbox is not None:
            self._sandbox.close()

    def lost(self, work: Work, words: str) -> Graded:
        """What to say of a notebook whose grading came to no end, for no fault of its own."""
        return self._all_alike(work, INFRASTRUCTURE_ERROR, None, "infrastructure", "", words)

    def expected(self, work: Work) -> list[Result]:
        """What the results will say apart from the judgement; tells whether stored ones are still good."""
        return [self._frame(work, exercise) for exercise in self.chapters[work.chapter].exercises]

    def _judge_all(self, work: Work, exercises: Sequence[Exercise], worker: Worker) -> dict[str, _Answer]:
        """Visible inputs first, for all exercises: what we show of them cannot hold a hidden input."""
        seen = {exercise.id: self._judge_visible(exercise, worker) for exercise in exercises}
        for exercise in exercises:
            answer = seen[exercise.id]
            began = time.perf_counter()
            if answer.visible.finding in ("time-limit", *FATAL) or answer.visible.status in _SETTLED:
                answer.hidden = answer.visible
            else:
                answer.hidden = self._judge_hidden(exercise, worker)
            answer.seconds += time.perf_counter() - began
        return seen

    def _judge_visible(self, exercise: Exercise, worker: Worker) -> _Answer:
        began = time.perf_counter()
        outcomes: list[Outcome] = []

        def compiled() -> Check:
            if exercise.id not in self._visible:
                self._visible[exercise.id] = _packed(compile_check(exercise))
            return self._visible[exercise.id]

        verdict = _judged(exercise, compiled, worker, outcomes)
        return _Answer(verdict, verdict, time.perf_counter() - began, outcomes)

    def _judge_hidden(self, exercise: Exercise, worker: Worker) -> Verdict:
        def compiled() -> Compiled:
            if exercise.id not in self._hidden:
                rng = np.random.default_rng(int.from_bytes(seed_of(self.secret, exercise.id), "big"))
                self._hidden[exercise.id] = hidden_check(exercise, rng)
            return self._hidden[exercise.id]

        return _judged(exercise, compiled, worker, [])

    # --- results ---

    def _frame(self, work: Work, exercise: Exercise) -> Result:
        return Result(
            student=work.student,
            name=work.name,
            exercise=exercise.id,
            notebook_sha256=work.sha256,
            spec_sha256=self.chapters[work.chapter].sha256,
            seed_id=seed_id(seed_of(self.secret, exercise.id)),
            sandbox=self.tier,
            versions=dict(versions()),
            flags=work.flags,
        )

    def _result(self, work: Work, exercise: Exercise, answer: _Answer, more: tuple[str, ...]) -> Result:
        hidden, visible = answer.hidden, answer.visible
        status = {"infrastructure": INFRASTRUCTURE_ERROR, "error": STUDENT_ERROR}.get(hidden.status, GRADED)
        points = None if status == INFRASTRUCTURE_ERROR else float(exercise.points if hidden.passed else hidden.earned)
        if visible.passed and hidden.status in ("wrong", "error"):
            more = (*more, "passes the visible inputs only")
        item = Item(
            exercise.id, exercise.title, points, float(exercise.points), hidden.status, _finding(hidden),
            _ADDRESS.sub("0x...", "\n".join((_message(exercise, answer), *hidden.credit))),
        )  # fmt: skip
        return self._with(self._frame(work, exercise), item, more, status)

    @staticmethod
    def _with(frame: Result, item: Item, more: tuple[str, ...], status: str) -> Result:
        return Result(**{**frame.__dict__, "items": (item,), "flags": (*frame.flags, *more), "status": status})

    def _all_alike(
        self, work: Work, status: str, points: float | None, verdict: str, finding: str, words: str
    ) -> Graded:
        results = []
        for exercise in self.chapters[work.chapter].exercises:
            item = Item(exercise.id, exercise.title, points, float(exercise.points), verdict, finding, words)
            results.append(self._with(self._frame(work, exercise), item, (), status))
        return Graded(tuple(results), tuple({"seconds": 0.0, "signature": ""} for _ in results))

    def _found_by_name(self, work: Work) -> dict[str, tuple[str, ...]]:
        """Exercises whose own cell is gone: copied, retyped, or stripped of its mark and of its check."""
        known = {f"{a}.{b}" for a, b in exercises_in(work.data)}
        words = "found by its name; the cell that it was asked in is gone"
        return {e.id: (words,) for e in self.chapters[work.chapter].exercises if e.id not in known}


@dataclass
class _Answer:
    visible: Verdict
    hidden: Verdict
    seconds: float
    outcomes: Sequence[Outcome]
    more: str = ""  # where else the answer stands


def _of_newer_python(cells: Cells, verdict: Verdict) -> list[str]:
    """What to say where code cannot be read that a newer Python ran."""
    own = sys.version_info[:2]
    if cells.python <= own or verdict.finding not in ("SyntaxError", "IndentationError"):
        return []
    (new, newer), (old, older) = cells.python, own
    return [f"cannot be read by Python {old}.{older}, and was run with {new}.{newer}; grade with that version"]


def _judged(exercise: Exercise, compiled: Callable[[], Check], worker: Worker, outcomes: list[Outcome]) -> Verdict:
    worker.starts = 0  # each exercise may crash its worker three times, and costs no other one anything

    def ask(items: Sequence[Mapping[str, Any]]) -> list[Outcome]:
        found = worker.ask(check, items)
        outcomes.extend(found)
        return found

    try:
        check = compiled()
        verdict = judge_all(check, ask)
        settled = _settled(check, outcomes) if verdict.status in ("wrong", "error") else check
        return verdict if settled is check else judge_all(settled, ask)
    except Exception as error:  # noqa: BLE001 - a fault of ours is no mark, and the other exercises go on
        words = feedback.infrastructure(f"the grader itself failed ({type(error).__name__}: {error})")
        return Verdict(exercise.id, "infrastructure", lines=tuple(words))


def _packed(check: dict[str, Any]) -> Check:
    """A check whose arrays are compact, since they are sent and read again for each notebook."""

    def repacked(stored: Any) -> Any:
        return encode(decode(stored), packed=True)

    cases = [
        {
            "args": [repacked(each) for each in item["args"]],
            "kwargs": {name: repacked(each) for name, each in item["kwargs"].items()},
            "expected": repacked(item["expected"]),
        }
        for item in check["cases"]
    ]
    return Check({**check, "cases": cases})


def _settled(check: Check, outcomes: Sequence[Outcome]) -> Check:
    """The check without those cases that the answer fails and on which right answers do not agree.

    They are looked for where a mark depends on them: where nothing else was wrong, and where parts have points.
    """
    if not isinstance(check, Compiled):
        return check
    given = enumerate(zip(check.expected, outcomes, strict=False))
    wrong: set[int] = set()
    for number in (number for number, each in given if _is_wrong(check, *each)):
        if "credit" not in check and check.counts(number):
            return check  # it is wrong, whatever else it is
        wrong.add(number)
    return check.settled(wrong)


def _is_wrong(check: Check, expected: Any, outcome: Outcome) -> bool:
    if outcome.kind != "value":
        return True
    more = bool(check.get("extra_axes"))
    return difference(expected, outcome.value, check["rtol"], check["atol"], extra_axes=more) is not None


def _message(exercise: Exercise, answer: _Answer) -> str:
    """Words for the learner: about the visible inputs if those fail; about hidden ones only what is in the bank.

    Anything that an answer can choose (an error's text or type, a shape, a string) could carry a hidden input out.
    """
    # What parts have earned is added once, and is that of the hidden inputs.
    hidden, visible = replace(answer.hidden, credit=()), replace(answer.visible, credit=())
    if answer.more:
        return f"{hidden.text}\n{answer.more}"
    if hidden.status in ("passed", "infrastructure") or answer.hidden is answer.visible:
        return hidden.text
    ideas = {entry.id: entry for entry in exercise.bank}
    if not visible.passed:
        entry = ideas.get(visible.finding)
        if entry is None or hidden.finding == visible.finding:
            return visible.text
        return visible.text.replace(f"\n{entry.why}", f"\nCould this be why? {entry.why}", 1)  # not on hidden inputs
    lines = [f"{exercise.id} not yet · Right for the inputs that you see, and not for others."]
    for entry in [ideas[name] for name in hidden.finding.split("+") if name in ideas]:
        why = entry.why if hidden.sure else f"Could this be why? {entry.why}"
        lines += [entry.looks_like, why, f"Look again at: {entry.look_at}"]
    return "\n".join(lines)


def _finding(verdict: Verdict) -> str:
    """What was recognised; an error's type only if it is Python's own, since a learner may name a type anything."""
    own = vars(builtins).get(verdict.finding)
    if verdict.status != "error" or isinstance(own, type) or verdict.finding in _OUR_WORDS:
        return verdict.finding
    return "Error"


def _signature(outcomes: Sequence[Outcome]) -> str:
    """The same for answers that give the same numbers on the visible inputs, to six digits."""
    told = [[outcome.kind, outcome.error, encode(outcome.value, 6)] for outcome in outcomes]
    return hashlib.sha256(json.dumps(told).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def nothing_readable(student: str, name: str, flags: Sequence[str], tier: str) -> Result:
    """The result of a submission in which no notebook of any chapter was found."""
    return Result(
        student, name, WHOLE_SUBMISSION, "", "", "", tier, dict(versions()), (), tuple(flags), STUDENT_ERROR
    )  # fmt: skip
