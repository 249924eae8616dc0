"""The judge: one engine behind the check in a notebook and the grading of many submissions.

``judge(compiled, call)`` knows inputs, expected numbers and the numbers of every wrong idea; ``call`` runs the answer,
in this process or in a sandboxed worker. A wrong idea is named only if it explains every case, the ones that happen to
be right included. Nothing that a learner's code does reaches this comparison: it sees plain data alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from coursepkg.grading import feedback
from coursepkg.grading.calling import LAST_KINDS, Outcome
from coursepkg.grading.patterns import Pattern, explain
from coursepkg.grading.values import decode, difference

FATAL = ("ProcessEnded", "BadReply")  # the answer took its process along; further cases would do it again
Call = Callable[[Mapping[str, Any]], Outcome]
Ask = Callable[[Sequence[Mapping[str, Any]]], Iterable[Outcome]]


@dataclass(frozen=True, repr=False)
class Verdict:
    """What a check found.

    Attributes
    ----------
    exercise : str
        Id of the exercise.
    status : str
        "passed", "wrong", "error", "not-attempted" or "infrastructure" (the grader's fault; never counts).
    finding : str
        The misconception's id, the pattern's name, the error's type, "time-limit", "kind", "shape", "value", or "".
    right, total : int
        Cases answered rightly, and all cases.
    lines : tuple of str
        The feedback, at most four lines.
    printed : tuple of str
        The first lines that the answer printed.
    """

    exercise: str
    status: str
    finding: str = ""
    right: int = 0
    total: int = 0
    lines: tuple[str, ...] = ()
    printed: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every case was answered rightly."""
        return self.status == "passed"

    @property
    def text(self) -> str:
        """The feedback as text."""
        return "\n".join((*self.lines, *self.printed))

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return feedback.html(self.status, self.lines, self.printed)


def judge(compiled: Mapping[str, Any], call: Call) -> Verdict:
    """Judge an answer.

    Parameters
    ----------
    compiled : mapping
        A compiled check (``coursepkg.grading.compiling.compile_check``).
    call : callable
        ``call({"args": [...], "kwargs": {...}}) -> Outcome``, with encoded arguments.

    Returns
    -------
    Verdict
    """
    return judge_all(compiled, lambda items: map(call, items))


def judge_all(compiled: Mapping[str, Any], ask: Ask) -> Verdict:
    """Judge an answer that is asked for several cases at once: as ``judge``, with ``ask(cases) -> outcomes``.

    There may be fewer outcomes than cases, if no further one makes sense after the last of them. No more of them are
    read than are needed.
    """
    inputs = [{"args": item["args"], "kwargs": item["kwargs"]} for item in compiled["cases"]]
    expected = [decode(item["expected"]) for item in compiled["cases"]]
    outcomes: list[Outcome] = []
    replies = iter(ask([*inputs, inputs[0]]))  # the first one again, to see whether something is kept between calls
    for outcome in islice(replies, len(inputs)):
        outcomes.append(outcome)
        if outcome.kind in LAST_KINDS or outcome.error in FATAL:
            break
    return _Judgement(compiled, inputs, expected, outcomes, replies).verdict()


class _Judgement:
    """One answer's outcomes, looked at in the order in which things are named."""

    def __init__(
        self,
        compiled: Mapping[str, Any],
        inputs: Sequence[Mapping[str, Any]],
        expected: Sequence[Any],
        outcomes: Sequence[Outcome],
        replies: Iterator[Outcome],
    ):
        self.compiled, self.inputs, self.expected, self.outcomes = compiled, inputs, expected, outcomes
        self.replies = replies
        self.rtol, self.atol = compiled["rtol"], compiled["atol"]
        self.differences = [
            difference(value, outcome.value, self.rtol, self.atol) if outcome.kind == "value" else None
            for value, outcome in zip(expected, outcomes, strict=False)
        ]
        self.wrong = [
            number
            for number, outcome in enumerate(outcomes)
            if outcome.kind != "value" or self.differences[number] is not None
        ]

    def verdict(self) -> Verdict:
        kinds = {outcome.kind for outcome in self.outcomes}
        if "infrastructure" in kinds:
            return self._verdict("infrastructure", "", feedback.infrastructure(self.outcomes[-1].message))
        if "wrong-kind" in kinds:
            words = feedback.wrong_kind(self.compiled, self.outcomes[-1].message)
            return self._verdict("error", "wrong-kind", words)
        if kinds == {"not-attempted"}:
            return self._verdict("not-attempted", "", feedback.not_attempted(self.compiled, self.outcomes[0].message))
        if "time-limit" in kinds:
            words = feedback.time_limit(self.compiled, self.inputs[len(self.outcomes) - 1])
            return self._verdict("error", "time-limit", words)
        if kinds != {"value"}:
            return self._error()
        return self._wrong() if self.wrong else self._right()

    def _error(self) -> Verdict:
        entry = self._misconception()
        number = next(n for n, outcome in enumerate(self.outcomes) if outcome.kind != "value")
        outcome = self.outcomes[number]
        if entry is not None:
            words = feedback.misconception(self.compiled, entry, outcome)
            return self._verdict("wrong", entry["id"], words)
        words = feedback.error(self.compiled, outcome, self.inputs[number])
        return self._verdict("error", outcome.error or "NotImplementedError", words)

    def _right(self) -> Verdict:
        if any(outcome.changed for outcome in self.outcomes):
            entry = self._misconception()
            if entry is not None:
                return self._verdict("wrong", entry["id"], feedback.misconception(self.compiled, entry))
            return self._verdict("wrong", "changes-input", feedback.pattern(self.compiled, Pattern("changes-input")))
        if self._keeps_state():
            return self._verdict("wrong", "accumulates", feedback.pattern(self.compiled, Pattern("accumulates")))
        return self._verdict("passed", "", feedback.passed(self.compiled))

    def _wrong(self) -> Verdict:
        entry = self._misconception()
        if entry is not None:
            return self._verdict("wrong", entry["id"], feedback.misconception(self.compiled, entry))
        if self._keeps_state():
            return self._verdict("wrong", "accumulates", feedback.pattern(self.compiled, Pattern("accumulates")))
        given = [outcome.value for outcome in self.outcomes]
        found = explain([item["args"] for item in self.inputs], self.expected, given, self.rtol, self.atol)
        number = self.wrong[0]
        first = self.differences[number]
        assert first is not None
        if found is not None:
            return self._verdict("wrong", found.name, feedback.pattern(self.compiled, found, first))
        changed = any(outcome.changed for outcome in self.outcomes)
        words = feedback.difference(self.compiled, first, self.inputs[number], self._count(), changed)
        return self._verdict("wrong", first.kind, words)

    def _misconception(self) -> Mapping[str, Any] | None:
        """The entry of the bank that explains all cases."""
        changed = any(outcome.changed for outcome in self.outcomes)
        for entry in self.compiled["misconceptions"]:
            if all(map(self._explains, entry["outcomes"], self.outcomes)) and (changed or not entry["changes"]):
                return entry
        return None

    def _explains(self, wrong: Mapping[str, Any], outcome: Outcome) -> bool:
        if "error" in wrong:
            return outcome.kind == "error" and outcome.error == wrong["error"]
        return outcome.kind == "value" and self._agree(wrong["value"], outcome.value)

    def _agree(self, encoded: Any, given: Any) -> bool:
        return difference(decode(encoded), given, self.rtol, self.atol) is None

    def _keeps_state(self) -> bool:
        """Whether the first case, called once more, gives something else."""
        first, again = self.outcomes[0], next(self.replies)
        if again.kind != "value":
            return again.kind == "error"
        return difference(first.value, again.value, self.rtol, self.atol) is not None

    def _count(self) -> tuple[int, int]:
        return len(self.inputs) - len(self.wrong), len(self.inputs)

    def _verdict(self, status: str, finding: str, lines: Sequence[str]) -> Verdict:
        right = len(self.outcomes) - len(self.wrong)
        printed: tuple[str, ...] = ()
        if status != "passed" and not self.compiled["hidden"]:
            printed = feedback.side_effects(self.outcomes)
        return Verdict(self.compiled["id"], status, finding, right, len(self.inputs), tuple(lines), printed)
