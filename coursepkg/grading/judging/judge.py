"""The judge: one engine behind the check in a notebook and the grading of many submissions.

``judge(compiled, call)`` knows inputs, expected numbers and the numbers of every wrong idea; ``call`` runs the answer,
in this process or in a sandboxed worker. What is wrong is looked for in this order: something kept between calls, wrong
ideas of the bank (``naming``), generic patterns (``patterns``), the first difference. The comparison sees plain data
alone. In a sandbox that is all there is; in a notebook, answer and judge share an interpreter, and an answer that
rewrites the judge deceives nobody but its author.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Any

from coursepkg.grading.judging import feedback
from coursepkg.grading.judging.arrays import np
from coursepkg.grading.judging.calling import LAST_KINDS, Outcome
from coursepkg.grading.judging.limits import MAX_EXCESS
from coursepkg.grading.judging.naming import ENOUGH, Evidence, Named, Namer
from coursepkg.grading.judging.patterns import Pattern, explain, meaning
from coursepkg.grading.judging.showing import place
from coursepkg.grading.judging.values import (
    Difference,
    Flat,
    agreeing,
    at,
    count_values,
    decode,
    difference,
    flat,
    groups,
    is_number,
    leaves,
    row_of,
    stacked,
)

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
        The misconception's id ("a+b" where two are there at once), the pattern's name, the error's type, "time-limit",
        "kind", "shape", "value", or "".
    right, total : int
        Cases answered rightly, and all cases.
    lines : tuple of str
        The feedback, at most four lines.
    printed : tuple of str
        The first lines that the answer printed.
    sure : bool
        Whether the finding is certain; a misconception that is only asked about is not.
    earned : float
        Points for parts that are right, where the exercise gives some and the whole is not right.
    credit : tuple of str
        What they are for, in one line, where there are any.
    call : (tuple, dict) or None
        Arguments of the first call that failed, fresh copies; None where all went well, and always for hidden inputs.
        For drivers other than "call" they are what the driver gets.
    """

    exercise: str
    status: str
    finding: str = ""
    right: int = 0
    total: int = 0
    lines: tuple[str, ...] = ()
    printed: tuple[str, ...] = ()
    sure: bool = True
    earned: float = 0.0
    credit: tuple[str, ...] = ()
    call: tuple[tuple[Any, ...], dict[str, Any]] | None = field(default=None, compare=False)

    @property
    def passed(self) -> bool:
        """Whether every case was answered rightly."""
        return self.status == "passed"

    @property
    def text(self) -> str:
        """The feedback as text."""
        return "\n".join((*self.lines, *self.credit, *self.printed))

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return feedback.html(self.status, (*self.lines, *self.credit), self.printed)


class Check(dict[str, Any]):
    """A compiled check, with what is the same for all answers that are held against it, worked out once."""

    @cached_property
    def inputs(self) -> list[Mapping[str, Any]]:
        """What an answer is asked for, and the first of it again, to see whether something is kept between calls."""
        inputs = [{"args": item["args"], "kwargs": item["kwargs"]} for item in self["cases"]]
        return [*inputs, inputs[0]]

    @cached_property
    def asked(self) -> str:
        """The inputs as a worker is sent them."""
        return json.dumps(self.inputs)

    @cached_property
    def expected(self) -> list[Any]:
        """What is expected of each case."""
        return [decode(item["expected"]) for item in self["cases"]]

    @cached_property
    def flat(self) -> list[Flat | None]:
        """The same, for a quick comparison."""
        return [flat(value) for value in self.expected]

    def told(self, entry: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """What a wrong idea gives in each case: a ``value`` or an ``error``, read once, when somebody asks for it."""
        known, rest = self._told.setdefault(entry["id"], ([], iter(entry["outcomes"])))
        for number in range(len(self["cases"])):
            if number == len(known):
                wrong = next(rest)
                known.append(wrong if "error" in wrong else {"value": decode(wrong["value"])})
            yield known[number]

    @cached_property
    def _told(self) -> dict[str, tuple[list[Mapping[str, Any]], Iterator[Mapping[str, Any]]]]:
        return {}

    @cached_property
    def most(self) -> int:
        """How many values of an answer are looked at: each wrong idea would be held against every part of it."""
        return MAX_EXCESS * max((count_values(value) + _entries(value) for value in self.expected), default=1)


def judge(compiled: Mapping[str, Any], call: Call) -> Verdict:
    """Judge an answer.

    Parameters
    ----------
    compiled : mapping
        A compiled check (``coursepkg.grading.specification.compiling.compile_check``).
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
    check = compiled if isinstance(compiled, Check) else Check(compiled)
    outcomes: list[Outcome] = []
    replies = iter(ask(check.inputs))
    for outcome in islice(replies, len(check.expected)):
        outcomes.append(outcome)
        if outcome.kind in LAST_KINDS or outcome.error in FATAL:
            break
    return _Judgement(check, outcomes, replies).verdict()


def _entries(value: Any) -> int:
    """How many numbers a value holds, since what is expected as one array may come as a list of numbers."""
    return sum(np.size(leaf) for leaf in leaves(value) if is_number(leaf))


class _Judgement:
    """One answer's outcomes, looked at in the order in which things are named."""

    def __init__(self, check: Check, outcomes: Sequence[Outcome], replies: Iterator[Outcome]):
        self.compiled, self.outcomes, self.replies = check, outcomes, replies
        self.inputs, self.expected = check.inputs[:-1], check.expected
        self.kept = False
        self.again: Outcome | None = None  # of the first case, called once more
        self.rtol, self.atol = check["rtol"], check["atol"]
        given = [flat(outcome.value) if outcome.kind == "value" else None for outcome in outcomes]
        right = agreeing(check.flat, given, self.rtol, self.atol)
        self.differences = [
            None if number in right or outcome.kind != "value" else self._difference(value, outcome.value)
            for number, (value, outcome) in enumerate(zip(check.expected, outcomes, strict=False))
        ]
        self.wrong = [
            number
            for number, outcome in enumerate(outcomes)
            if outcome.kind != "value" or self.differences[number] is not None
        ]

    @cached_property
    def comparable(self) -> bool:
        """Whether the answer gives nothing so much larger than what is asked for that no idea is held against it."""
        most = self.compiled.most
        return all(count_values(outcome.value, most) <= most for outcome in self.outcomes)

    def _difference(self, wanted: Any, given: Any) -> Difference | None:
        allowed = bool(self.compiled.get("extra_axes", False))
        return difference(wanted, given, self.rtol, self.atol, extra_axes=allowed)

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
            number = len(self.outcomes) - 1
            words = feedback.time_limit(self.compiled, self.inputs[number], self.outcomes[number].message)
            return self._verdict("error", "time-limit", words, number)
        complete = len(self.outcomes) == len(self.inputs)
        kept = self.kept = complete and "value" in kinds and self._keeps_state()
        if kinds != {"value"}:
            return self._error(kept)
        return self._wrong(kept) if self.wrong else self._right(kept)

    def _error(self, kept: bool) -> Verdict:
        number = next(n for n, outcome in enumerate(self.outcomes) if outcome.kind != "value")
        outcome = self.outcomes[number]
        if (found := self._named()) is not None:
            return self._recognised(found, kept, outcome, number)
        if kept:
            return self._pattern("accumulates", 0)
        words = feedback.error(self.compiled, outcome, self.inputs[number])
        return self._verdict("error", outcome.error or "NotImplementedError", words, number)

    def _right(self, kept: bool) -> Verdict:
        if kept:
            return self._pattern("accumulates", 0)
        changing = [number for number, outcome in enumerate(self.outcomes) if outcome.changed]
        if changing:
            found = self._named()
            if found is not None:
                return self._recognised(found, kept, None, changing[0])
            return self._pattern("changes-input", changing[0])
        if self.again is not None and self.again.overwrote:
            return self._pattern("one-object-for-all-calls", 0)
        return self._verdict("passed", "", feedback.passed(self.compiled))

    def _wrong(self, kept: bool) -> Verdict:
        number = self.wrong[0]
        if not self.comparable:
            first = self.differences[number]
            assert first is not None
            return self._verdict("wrong", first.kind, self._first_difference(number, first), number)
        if (found := self._named()) is not None:
            return self._recognised(found, kept, None, number)
        if kept:
            return self._pattern("accumulates", 0)
        changed = any(outcome.changed for outcome in self.outcomes)
        if not changed and self._remembers():
            return self._pattern("remembers", number)
        first, whole = self.differences[number], self.expected[number]
        assert first is not None
        patterns = self._patterns()
        constant = not changed and any(one.name == "ignores-input" for one in patterns)
        if constant and (found := self._namer().partly(self._wrong_parts())) is not None:
            return self._recognised(found, kept, None, number)
        if patterns:
            name, lines = patterns[0].name, feedback.pattern(self.compiled, patterns, first, whole)
        else:
            name, lines = first.kind, self._first_difference(number, first)
        if changed:
            name, lines = "changes-input", feedback.changed(self.compiled, lines)
        return self._verdict("wrong", name, lines, number)

    def _patterns(self) -> list[Pattern]:
        called = self.compiled["driver"] == "call"  # other drivers get more than the arguments of the answer
        inputs = [dict(enumerate(item["args"])) | dict(item["kwargs"]) for item in self.inputs]
        given = [outcome.value for outcome in self.outcomes]
        result = self.compiled.get("result") or {}
        return explain(inputs, self.expected, given, self.rtol, self.atol, result, called=called)

    def _wrong_parts(self) -> list[tuple[Any, ...]]:
        pairs = [(value, outcome.value) for value, outcome in zip(self.expected, self.outcomes, strict=True)]

        def is_wrong(wanted: Any, given: Any, path: tuple[Any, ...]) -> bool:
            got, right = at(given, wanted, path), at(wanted, wanted, path)
            return got is None or right is None or self._difference(right[0], got[0]) is not None

        return [path for path in groups(self.expected) if any(is_wrong(*pair, path) for pair in pairs)]

    def _first_difference(self, number: int, first: Difference) -> list[str]:
        whole, item, right = self.expected[number], self.inputs[number], len(self.inputs) - len(self.wrong)
        count, path = (right, len(self.inputs)), self._part_of(first.path)
        parts = [found[0] for value in self.expected if (found := at(value, value, path)) is not None]
        kind = meaning(self.compiled.get("result") or {}, path, parts)["kind"]
        if kind == "positions":
            wanted, got = at(whole, whole, path), at(self.outcomes[number].value, whole, path)
            if wanted is not None and got is not None and _places(wanted[0]) and _places(got[0]):
                where = place(self.compiled, path, (), whole)
                return feedback.positions(self.compiled, list(wanted[0]), list(got[0]), where, item, count)
        return feedback.difference(self.compiled, first, item, count, whole, kind)

    def _part_of(self, path: tuple[Any, ...]) -> tuple[Any, ...]:
        """The part of the answer, as far as all cases have it, in which a place is."""
        return next((part for part in groups(self.expected) if path[: len(part)] == part), ())

    # --- what explains it ---

    def _named(self) -> Named | None:
        if not self.comparable or len(self.outcomes) != len(self.inputs):
            return None
        return self._namer().name()

    def _namer(self) -> Namer:
        return Namer(self.compiled, self.expected, self.outcomes, self.compiled.told)

    def _recognised(self, found: Named, kept: bool, outcome: Outcome | None, number: int) -> Verdict:
        [entry, *others] = found.entries
        if found.how == "two":
            words = feedback.together(self.compiled, found.entries, found.sure)
            return self._verdict("wrong", f"{entry['id']}+{others[0]['id']}", words, number, sure=found.sure)
        if kept and entry.get("keeps_state") is False:
            return self._pattern("accumulates", 0)
        if found.sure:
            more = "The same call made twice also gives two different answers." if kept else ""
            words = feedback.misconception(self.compiled, entry, outcome, more)
            return self._verdict("wrong", entry["id"], words, number)
        words = feedback.asked(self.compiled, found.entries, self.inputs[number], outcome)
        return self._verdict("wrong", entry["id"], words, number, sure=False)

    def _pattern(self, name: str, number: int) -> Verdict:
        return self._verdict("wrong", name, feedback.pattern(self.compiled, [Pattern(name)]), number)

    def _keeps_state(self) -> bool:
        """Whether the first case, called once more, gives something else."""
        first, again = self.outcomes[0], next(self.replies, None)
        self.again = again
        if again is None or again.kind not in ("value", "error"):
            return False
        if first.kind != "value" or again.kind != "value":
            return first.kind != again.kind
        return difference(first.value, again.value, self.rtol, self.atol) is not None

    def _remembers(self) -> bool:
        """Whether each wrong answer is that of an earlier call, which was right, with other numbers in every array.

        The numbers must tell something: a constant is the right answer of many calls, and small counts come twice.
        """
        right = [number for number in range(len(self.inputs)) if number not in self.wrong]

        def repeats(late: int, early: int) -> bool:
            given = self.outcomes[late].value
            return difference(self.outcomes[early].value, given, 0.0, 0.0) is None and self._other_numbers(late, early)

        evidence, namer = Evidence(self.atol), self._namer()
        for late in self.wrong:
            given = self.outcomes[late].value
            elsewhere = [value for value in self.expected if self._difference(value, given) is None]
            if len(elsewhere) != 1 or not any(repeats(late, early) for early in right if early < late):
                return False
            for leaf in leaves(given):
                if is_number(leaf):
                    evidence.add(np.asarray(leaf), np.ones(np.shape(leaf), bool), namer.inputs(late))
        return len(evidence.numbers) >= ENOUGH

    def _other_numbers(self, late: int, early: int) -> bool:
        pairs = [
            (stacked(one), stacked(other))
            for one, other in zip(*(_arguments(self.inputs[number])[0] for number in (late, early)), strict=False)
        ]
        arrays = [(one, other) for one, other in pairs if is_number(one) and np.ndim(one) and np.size(one) > 1]
        return bool(arrays) and not any(is_number(other) and np.array_equal(one, other) for one, other in arrays)

    def _verdict(
        self, status: str, finding: str, lines: Sequence[str], number: int | None = None, *, sure: bool = True
    ) -> Verdict:
        right = len(self.outcomes) - len(self.wrong)
        printed: tuple[str, ...] = ()
        call = None
        if status != "passed" and not self.compiled["hidden"]:
            printed = feedback.side_effects(self.outcomes)
            call = None if number is None else _arguments(self.inputs[number])
        earned, credit = self._credit() if status == "wrong" else (0.0, ())
        return Verdict(
            self.compiled["id"], status, finding, right, len(self.inputs), tuple(lines), printed, sure,
            earned, credit, call,
        )  # fmt: skip

    def _credit(self) -> tuple[float, tuple[str, ...]]:
        """Points for the parts that are right in all cases, and a line that names them.

        There are none for an answer that raises, that changes its arguments, or that keeps something between calls:
        what it returns is right by chance.
        """
        whole = len(self.outcomes) == len(self.inputs) and not self.kept
        if not whole or any(outcome.kind != "value" or outcome.changed for outcome in self.outcomes):
            return 0.0, ()
        wrong = self._wrong_parts()
        given = [((name,), points) for name, points in self.compiled.get("credit", ())]
        right = [(path, points) for path, points in given if not any(part[: len(path)] == path for part in wrong)]
        if not right or len(right) == len(given) or () in wrong:
            return 0.0, ()
        earned = float(sum(points for _, points in right))
        good = [path for path, _ in right]
        bad = [path for path, _ in given if path not in good]
        return earned, (feedback.credit(self.compiled, earned, good, bad, self.expected[0]),)


def _arguments(item: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    return tuple(map(decode, item["args"])), {name: decode(value) for name, value in item["kwargs"].items()}


def _places(value: Any) -> bool:
    """Whether a value is a list of whole numbers, or an empty one."""
    row = row_of(value)
    return row is not None and (row.size == 0 or row.dtype.kind in "iu")
