"""What the reference and every wrong idea give on the inputs of a check, worked out no further than somebody asks.

Inputs are good if no two ideas give the same numbers on them. One case shows that for most pairs, so most ideas are
never run on the other cases; where a wrong answer has to be named, the judge asks for what is missing. It matters: for
each notebook there would be several times as many calls of these as of the learner's answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from coursepkg.grading.judging.calling import Outcome
from coursepkg.grading.judging.values import SINGLE_RTOL, Unfit, difference, is_informative, leaves
from coursepkg.grading.specification.exercise import Exercise
from coursepkg.grading.specification.own_answers import Inputs, run_each, run_own

MIN_CASES = 3
REFERENCE = "the reference"
Pair = tuple[str, str]


class Ideas:
    """The outcomes of an exercise's reference and bank.

    Parameters
    ----------
    exercise : Exercise
        The specification.
    inputs : sequence of (list, dict)
        Arguments for each case.
    usual : int, optional
        How many of them lie where numbers are of a usual size (default: all).
    known : sequence of Outcome
        What the reference gives for the last of them, where that is known.

    Attributes
    ----------
    expected : list of Outcome
        Those of the reference.
    """

    def __init__(self, exercise: Exercise, inputs: Inputs, usual: int | None = None, known: Sequence[Outcome] = ()):
        self.exercise, self.inputs, self._usual = exercise, inputs, len(inputs) if usual is None else usual
        new = inputs[: len(inputs) - len(known)]
        outcomes = run_own(exercise.reference, exercise.driver, [*new, *inputs[:1]])
        self.expected, self._again = [*outcomes[: len(new)], *known], outcomes[len(new) :]
        self._answers = {entry.id: entry.answer for entry in exercise.bank}
        self._known: dict[str, list[Outcome]] = {name: [] for name in self._answers}  # of the first cases

    def outcomes(self, name: str) -> Iterator[Outcome]:
        """The outcomes of an entry of the bank, case by case; what was never asked for is worked out now."""
        known = self._known[name]
        for number in range(len(self.inputs)):
            if number == len(known):
                known += run_own(self._answers[name], self.exercise.driver, self.inputs[number:])
            yield known[number]

    def problems(self, *, thorough: bool) -> list[str]:
        """Why these inputs cannot tell right from wrong.

        Parameters
        ----------
        thorough : bool
            Look at every case of every idea. Otherwise at as few as show that the ideas differ; what an idea may do
            in the other cases (return no plain data, say) is then for those to find who wrote it.
        """
        if problems := self._reference_problems():
            return problems
        if thorough:
            for name in self._answers:
                list(self.outcomes(name))
        alike = self._alike()
        return self._bank_problems() or [f"{a} and {b} cannot be told apart by these inputs" for a, b in alike]

    # --- the reference ---

    def _reference_problems(self) -> list[str]:
        exercise, expected = self.exercise, self.expected
        if len(expected) < MIN_CASES:
            return [f"at least {MIN_CASES} cases are needed, not {len(expected)}"]
        for number, outcome in enumerate(expected, 1):
            if outcome.kind != "value":
                words = f"{outcome.kind} {outcome.error} {outcome.message}"
                return [f"the reference fails in case {number}: {words}".strip()]
            if outcome.changed:
                return [f"the reference changes its arguments in case {number}; let it work on a copy"]
            if _holds_unfit(outcome):
                return [f"the reference returns something that is no plain data in case {number}"]
        problems, usual = [], expected[: self._usual]
        informative = sum(is_informative(outcome.value, exercise.atol) for outcome in usual)
        if 2 * informative < len(usual) or informative < 2:
            problems.append(
                f"the expected values are near zero (below 1000 * atol = {1000 * exercise.atol:g}) in "
                f"{len(usual) - informative} of {len(usual)} cases, and zero agrees with zero whatever it means"
            )
        if exercise.driver == "call" and all(_same(exercise, expected[0], outcome) for outcome in expected[1:]):
            problems.append("all cases expect the same value, so a constant would pass")
        if not _same(exercise, expected[0], self._again[0]):
            problems.append("the reference gives another value when it is called again")
        return problems

    # --- the bank ---

    def _bank_problems(self) -> list[str]:
        problems = []
        for name, outcomes in self._known.items():
            kinds = {outcome.kind for outcome in outcomes}
            if not kinds <= {"value", "error"}:
                problems.append(f"misconception {name} ends in {', '.join(sorted(kinds - {'value', 'error'}))}")
            elif "value" not in kinds:
                problems.append(
                    f"misconception {name} raises {outcomes[0].error} in every case; it needs numbers in one"
                )
            elif any(outcome.kind == "value" and _holds_unfit(outcome) for outcome in outcomes):
                problems.append(f"misconception {name} returns something that is no plain data")
        return problems

    def _alike(self) -> list[Pair]:
        """The pairs that no case tells apart. Case after case, only ideas run about which something is still open."""
        pairs = list(combinations([REFERENCE, *self._answers], 2))
        silent = set(self._answers)  # entries that have given no number yet
        for number, (args, kwargs) in enumerate(self.inputs):
            open_names = {name for pair in pairs for name in pair} | silent
            if not open_names:
                break
            late = [name for name, known in self._known.items() if name in open_names and len(known) == number]
            new = run_each([self._answers[name] for name in late], self.exercise.driver, args, kwargs)
            for name, outcome in zip(late, new, strict=True):
                self._known[name].append(outcome)
            of_case = {name: self._of(name)[number] for name in open_names}
            pairs = _not_apart(self.exercise, of_case, pairs)
            silent = {name for name in silent if of_case[name].kind != "value"}
        return [(a, b) for a, b in pairs if self._changes(a) == self._changes(b)]

    def _of(self, name: str) -> list[Outcome]:
        return self.expected if name == REFERENCE else self._known[name]

    def _changes(self, name: str) -> bool:
        return any(outcome.changed for outcome in self._of(name))


def _holds_unfit(outcome: Outcome) -> bool:
    return any(isinstance(leaf, Unfit) for leaf in leaves(outcome.value))


# --- too close to be told apart --------------------------------------------------------------------------------------


def _indistinct(exercise: Exercise) -> tuple[float, float]:
    """Tolerances within which two ideas are too close to be told apart; ten times what an answer is granted."""
    return 10 * max(exercise.rtol, SINGLE_RTOL), 10 * exercise.atol


def _same(exercise: Exercise, first: Outcome, second: Outcome) -> bool:
    """Whether two outcomes are too close to be told apart."""
    if "error" in (first.kind, second.kind):
        return first.kind == second.kind and first.error == second.error
    return difference(first.value, second.value, *_indistinct(exercise)) is None


def _not_apart(exercise: Exercise, outcomes: Mapping[str, Outcome], pairs: Iterable[Pair]) -> list[Pair]:
    """The pairs whose outcomes in one case are too close."""
    far, near = far_and_near(outcomes, *_indistinct(exercise))
    return [
        (a, b) for a, b in pairs if (a, b) not in far and ((a, b) in near or _same(exercise, outcomes[a], outcomes[b]))
    ]


def far_and_near(outcomes: Mapping[str, Outcome], rtol: float, atol: float) -> tuple[set[Pair], set[Pair]]:
    """A quick look that settles most pairs: those in which some number is clearly another one, or none is."""
    rows: dict[int, dict[str, list[float]]] = {}
    forms: dict[str, Any] = {}
    for name, outcome in outcomes.items():
        numbers = _numbers(outcome)
        if numbers is not None:
            rows.setdefault(len(numbers), {})[name] = numbers
            forms[name] = _form(outcome.value)
    far: set[Pair] = set()
    near: set[Pair] = set()
    for alike in rows.values():
        names, table = list(alike), np.array(list(alike.values()), dtype=float)
        with np.errstate(all="ignore"):
            gap, most = np.abs(table[:, None] - table), atol + rtol * np.abs(table[:, None])
            apart, close = (
                (gap > 2 * most).any(axis=-1),
                (2 * gap <= most).all(axis=-1) & np.isfinite(table).all(axis=-1)[:, None],
            )
        far |= {(names[i], names[j]) for i, j in np.argwhere(apart).tolist()}
        pairs = ((names[i], names[j]) for i, j in np.argwhere(close).tolist() if i != j)
        near |= {(a, b) for a, b in pairs if forms[a] == forms[b]}
    return far, near


def _form(value: Any) -> Any:
    """The containers of an answer, with a type and a shape in the place of each number."""
    if isinstance(value, dict):
        return {key: _form(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [type(value).__name__, *map(_form, value)]
    return type(value).__name__, np.shape(value)


def _numbers(outcome: Outcome) -> list[float] | None:
    """All numbers of an answer in a row; None if it holds anything else, or float32, which is compared otherwise."""
    kept: list[float] = []
    for leaf in leaves(outcome.value):
        if isinstance(leaf, np.ndarray) and leaf.dtype in (np.float64, np.int64):
            kept.extend(leaf.ravel().tolist())
        elif type(leaf) in (float, int):
            kept.append(leaf)
        else:
            return None
    return kept
