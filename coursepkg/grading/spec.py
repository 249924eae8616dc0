"""Exercises, specified once: what is asked, the reference, the inputs, and the wrong ideas that must be recognised.

A specification lives in ``solutions/specs/ex_NN.py`` as ``EXERCISES: list[Exercise]``. ``compile_check`` runs the
reference and every wrong answer on the inputs and keeps only numbers: what the learner's tree gets holds inputs,
expected numbers and the numbers of each wrong idea, no formula and no reference. It refuses a specification whose
inputs cannot tell right from wrong.

How to write one::

    from coursepkg.grading import Exercise, Misconception, case

    def slope(x, w):
        return 2 * w * x                       # the reference: a plain function

    def forgets_factor(x, w):
        return w * x                           # a wrong idea is code, too

    def hidden(rng):                           # other inputs, drawn afresh; any number of cases, three at least
        return [case(rng.uniform(0.5, 2), rng.uniform(-3, -1)) for _ in range(4)]

    EXERCISES = [
        Exercise(
            id="01.2", title="...", function="slope", minutes=5, difficulty=1, points=2,
            see="notebook 01, 'Units cancel'",
            reference=slope,
            visible=[case(1.5, 2.0), case(-0.5, 3.0), case(2.0, 0.7)],
            hidden=hidden,
            accepted=[...],                    # at least 5 right answers in other words: loops, einsum, float32, lists
            bank=[Misconception(id="forgets-factor", answer=forgets_factor,
                                looks_like="Every number is half of what it should be.",
                                why="The square has two equal factors, and each of them changes.",
                                look_at="notebook 01, 'Squares'"), ...],        # at least 5
            hints=("a nudge", "more", "nearly the answer"),
        ),
    ]

Good inputs: not square where shapes matter, different sizes n from case to case, no ones and no zeros only, signs
mixed, values between 0.1 and 10. Then no two ideas give the same numbers by accident, and ``build`` will say so if two
do. An answer that is a class, a ``backward`` function or a training step names its driver (see
``coursepkg.grading.drivers``). A wrong idea may raise in some cases ("forgot ``__radd__``"): it is recognised by the
cases in which it raises, and must give numbers in at least one.

The proof in ``tests/grading`` changes the reference in many small ways (an operator, a sign, a constant, an argument
ignored); each change must fail on visible and on hidden inputs. One that passes asks for better inputs. Only if it
changes nothing that could be seen, list it: ``equivalent_mutants={"`a > b` → `a >= b`": "equal values give zero
either way"}``.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from coursepkg.grading.calling import Outcome
from coursepkg.grading.drivers import DRIVERS
from coursepkg.grading.own_answers import inputs_of, run_own
from coursepkg.grading.values import SINGLE_RTOL, Unfit, difference, encode, is_informative, leaves

FORMAT = 1
DIGITS = 12
MIN_CASES = 3
MIN_ACCEPTED = 5
MIN_BANK = 5
REDRAWS = 20


class SpecError(ValueError):
    """A specification that cannot judge; the message lists what is wrong with it."""


@dataclass(frozen=True)
class Case:
    """One call: the arguments that the driver gets."""

    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)


def case(*args: Any, **kwargs: Any) -> Case:
    """One call of the answer: ``case(1.0, [2.0, 3.0], eta=0.1)``.

    Numbers, strings, None, lists, tuples, dicts and arrays are allowed.
    """
    return Case(args, kwargs)


@dataclass(frozen=True)
class Misconception:
    """A typical wrong answer, as code, and what to tell the learner who gives it.

    Parameters
    ----------
    id : str
        Short name with dashes ("adds-rates").
    answer : callable
        The wrong answer itself.
    looks_like : str
        What the learner sees in the numbers.
    why : str
        What leads there; never the right formula.
    look_at : str
        Where to read again.
    """

    id: str
    answer: Any
    looks_like: str
    why: str
    look_at: str


@dataclass(frozen=True)
class Exercise:
    """One exercise; see the module's text for an example.

    Parameters
    ----------
    id : str
        Chapter and number ("01.2").
    title, see : str
        Title, and the place in the course that it practises.
    function : str
        The name that the learner defines.
    minutes, difficulty, points : int
        Expected time, difficulty from 1 to 3, weight.
    reference : callable
        The answer.
    visible : sequence of Case
        The inputs of the check in the notebook.
    hidden : callable
        ``hidden(rng) -> list of Case``: inputs for grading.
    accepted : sequence of callable
        Right answers, written differently.
    bank : sequence of Misconception
        Typical wrong answers.
    hints : tuple of str
        Three hints, from a nudge to nearly the answer.
    driver : str
        How the answer is used; "call" is ``answer(*args)``.
    rtol, atol : float
        Tolerances for numbers.
    equivalent_mutants : mapping of str to str
        Small changes of the reference that change nothing ("`a > b` → `a >= b`"), each with the reason.
    """

    id: str
    title: str
    function: str
    minutes: int
    difficulty: int
    points: int
    see: str
    reference: Any
    visible: Sequence[Case]
    hidden: Callable[[np.random.Generator], Sequence[Case]]
    accepted: Sequence[Any]
    bank: Sequence[Misconception]
    hints: tuple[str, str, str]
    driver: str = "call"
    rtol: float = 1e-6
    atol: float = 1e-9
    equivalent_mutants: Mapping[str, str] = field(default_factory=dict)


# --- compiling -------------------------------------------------------------------------------------------------------


def compile_check(exercise: Exercise, rng: np.random.Generator | None = None) -> dict[str, Any]:
    """Turn a specification into numbers: the compiled check that ``judge`` reads.

    Parameters
    ----------
    exercise : Exercise
        The specification.
    rng : numpy.random.Generator, optional
        Draw hidden inputs from it; without, the visible inputs are used. Draws that cannot tell two ideas apart are
        thrown away and drawn again, so a seed always gives the same check.

    Returns
    -------
    dict
        JSON data: inputs, expected numbers, the numbers of each wrong idea.

    Raises
    ------
    SpecError
        With all reasons, if the specification cannot judge.
    """
    if problems := _form_problems(exercise):
        raise SpecError(_listed(exercise, problems))
    draws = 1 if rng is None else REDRAWS
    for _ in range(draws):
        cases = exercise.visible if rng is None else exercise.hidden(rng)
        compiled, problems = _compile_cases(exercise, cases, hidden=rng is not None)
        if not problems:
            return compiled
    kind = "visible" if rng is None else f"hidden (after {REDRAWS} draws)"
    raise SpecError(_listed(exercise, [f"{kind} inputs: {problem}" for problem in problems]))


def _listed(exercise: Exercise, problems: list[str]) -> str:
    return f"exercise {exercise.id} ({exercise.function}):\n" + "\n".join(f"  - {problem}" for problem in problems)


def _form_problems(exercise: Exercise) -> list[str]:
    names = [entry.id for entry in exercise.bank]
    words = [exercise.title, exercise.see, *exercise.hints]
    words += [text for entry in exercise.bank for text in (entry.looks_like, entry.why, entry.look_at)]
    rules = {
        f"there is no driver {exercise.driver!r}; known: {', '.join(sorted(DRIVERS))}": exercise.driver in DRIVERS,
        f"at least {MIN_ACCEPTED} accepted answers are needed, not {len(exercise.accepted)}": len(exercise.accepted)
        >= MIN_ACCEPTED,
        f"at least {MIN_BANK} misconceptions are needed, not {len(exercise.bank)}": len(exercise.bank) >= MIN_BANK,
        "two misconceptions have the same id": len(set(names)) == len(names),
        "exactly three hints are needed": len(exercise.hints) == 3,
        "a title, hint, `see` or misconception text is empty": all(text.strip() for text in words),
        "a text has more than one line; write one short sentence": not any("\n" in text.strip() for text in words),
        "minutes, difficulty (1 to 3) and points must be positive": exercise.minutes > 0
        and exercise.difficulty in (1, 2, 3)
        and exercise.points > 0,
        "the tolerance is too loose: rtol and atol must not exceed 1e-3": 0 <= exercise.rtol <= 1e-3
        and 0 < exercise.atol <= 1e-3,
    }
    return [problem for problem, holds in rules.items() if not holds]


def _compile_cases(exercise: Exercise, cases: Sequence[Case], *, hidden: bool) -> tuple[dict[str, Any], list[str]]:
    inputs = [
        {
            "args": [encode(arg, DIGITS) for arg in item.args],
            "kwargs": {k: encode(v, DIGITS) for k, v in item.kwargs.items()},
        }
        for item in cases
    ]
    arguments = inputs_of(inputs)
    expected = run_own(exercise.reference, exercise.driver, arguments)
    again = run_own(exercise.reference, exercise.driver, arguments[:1])
    if problems := _reference_problems(exercise, expected, again):
        return {}, problems
    wrong = {entry.id: run_own(entry.answer, exercise.driver, arguments) for entry in exercise.bank}
    problems = _bank_problems(exercise, expected, wrong)
    compiled = {
        "id": exercise.id,
        "title": exercise.title,
        "function": exercise.function,
        "driver": exercise.driver,
        "points": exercise.points,
        "minutes": exercise.minutes,
        "difficulty": exercise.difficulty,
        "see": exercise.see,
        "hints": list(exercise.hints),
        "rtol": exercise.rtol,
        "atol": exercise.atol,
        "hidden": hidden,
        "cases": [
            {**item, "expected": encode(outcome.value, DIGITS)} for item, outcome in zip(inputs, expected, strict=True)
        ],
        "misconceptions": [
            {
                "id": entry.id,
                "looks_like": entry.looks_like,
                "why": entry.why,
                "look_at": entry.look_at,
                "changes": any(outcome.changed for outcome in wrong[entry.id]),
                "outcomes": [_wrong_outcome(outcome) for outcome in wrong[entry.id]],
            }
            for entry in exercise.bank
        ],
    }
    return compiled, problems


def _wrong_outcome(outcome: Outcome) -> dict[str, Any]:
    if outcome.kind == "value":
        return {"value": encode(outcome.value, DIGITS)}
    return {"error": outcome.error}


def _reference_problems(exercise: Exercise, expected: list[Outcome], again: list[Outcome]) -> list[str]:
    if len(expected) < MIN_CASES:
        return [f"at least {MIN_CASES} cases are needed, not {len(expected)}"]
    for number, outcome in enumerate(expected, 1):
        if outcome.kind != "value":
            return [f"the reference fails in case {number}: {outcome.kind} {outcome.error} {outcome.message}".strip()]
        if outcome.changed:
            return [f"the reference changes its arguments in case {number}; let it work on a copy"]
        if any(isinstance(leaf, Unfit) for leaf in leaves(outcome.value)):
            return [f"the reference returns something that is no plain data in case {number}"]
    problems = []
    informative = sum(is_informative(outcome.value, exercise.atol) for outcome in expected)
    if 2 * informative < len(expected) or informative < 2:
        problems.append(
            f"the expected values are near zero (below 1000 * atol = {1000 * exercise.atol:g}) in "
            f"{len(expected) - informative} of {len(expected)} cases, and zero agrees with zero whatever it means"
        )
    if all(_same(exercise, expected[0], outcome) for outcome in expected[1:]) and exercise.driver == "call":
        problems.append("all cases expect the same value, so a constant would pass")
    if not _same(exercise, expected[0], again[0]):
        problems.append("the reference gives another value when it is called again")
    return problems


def _bank_problems(exercise: Exercise, expected: list[Outcome], wrong: Mapping[str, list[Outcome]]) -> list[str]:
    problems = []
    for name, outcomes in wrong.items():
        kinds = {outcome.kind for outcome in outcomes}
        if not kinds <= {"value", "error"}:
            problems.append(f"misconception {name} ends in {', '.join(sorted(kinds - {'value', 'error'}))}")
        elif "value" not in kinds:
            problems.append(f"misconception {name} raises {outcomes[0].error} in every case; it needs numbers in one")
        elif any(o.kind == "value" and any(isinstance(x, Unfit) for x in leaves(o.value)) for o in outcomes):
            problems.append(f"misconception {name} returns something that is no plain data")
    if problems:
        return problems
    signatures = {"the reference": expected, **wrong}
    numbers = {name: _numbers(outcomes) for name, outcomes in signatures.items()}
    for first, second in combinations(signatures, 2):
        if _far_apart(exercise, numbers[first], numbers[second]):
            continue
        if _alike(exercise, signatures[first], signatures[second]):
            problems.append(f"{first} and {second} cannot be told apart by these inputs")
    return problems


def _numbers(outcomes: list[Outcome]) -> np.ndarray | None:
    """All numbers of an answer in a row; None if it holds anything else, or float32, which is compared otherwise."""
    kept: list[float] = []
    for outcome in outcomes:
        for leaf in leaves(outcome.value):
            if isinstance(leaf, np.ndarray) and leaf.dtype in (np.float64, np.int64):
                kept.extend(leaf.ravel().tolist())
            elif type(leaf) in (float, int):
                kept.append(leaf)
            else:
                return None
    return np.array(kept, dtype=float)


def _far_apart(exercise: Exercise, first: np.ndarray | None, second: np.ndarray | None) -> bool:
    """A quick look that settles most pairs: whether some number is clearly another one."""
    if first is None or second is None or first.shape != second.shape:
        return False
    rtol, atol = _indistinct(exercise)
    with np.errstate(all="ignore"):
        return bool((np.abs(first - second) > 2 * (atol + rtol * np.abs(first))).any())


def _alike(exercise: Exercise, first: list[Outcome], second: list[Outcome]) -> bool:
    if any(outcome.changed for outcome in first) != any(outcome.changed for outcome in second):
        return False
    return all(_same(exercise, a, b) for a, b in zip(first, second, strict=True))


def _indistinct(exercise: Exercise) -> tuple[float, float]:
    """Tolerances within which two ideas are too close to be told apart; ten times what an answer is granted."""
    return 10 * max(exercise.rtol, SINGLE_RTOL), 10 * exercise.atol


def _same(exercise: Exercise, first: Outcome, second: Outcome) -> bool:
    """Whether two outcomes are too close to be told apart."""
    if "error" in (first.kind, second.kind):
        return first.kind == second.kind and first.error == second.error
    return difference(first.value, second.value, *_indistinct(exercise)) is None


# --- chapters --------------------------------------------------------------------------------------------------------


def load_specs(folder: Path) -> dict[str, list[Exercise]]:
    """All chapters of a ``specs`` folder: ``{"01": [Exercise, ...], ...}``; raises as ``load_chapter`` does."""
    return {path.stem.removeprefix("ex_"): load_chapter(path) for path in sorted(folder.glob("ex_*.py"))}


def load_chapter(path: Path) -> list[Exercise]:
    """The exercises of one specification module.

    Raises
    ------
    SpecError
        If the module has no ``EXERCISES``, or an id does not belong to its chapter or occurs twice.
    """
    chapter = path.stem.removeprefix("ex_")
    exercises = getattr(_load_module(path), "EXERCISES", None)
    if not isinstance(exercises, list) or not exercises:
        raise SpecError(f"{path.name} defines no list EXERCISES")
    ids = [exercise.id for exercise in exercises]
    if any(name.split(".")[0] != chapter for name in ids) or len(set(ids)) != len(ids):
        raise SpecError(f"{path.name}: ids must be unique and begin with {chapter}: {', '.join(ids)}")
    functions = [exercise.function for exercise in exercises]
    if len(set(functions)) != len(functions):
        raise SpecError(f"{path.name}: two exercises ask for the same name, so answers could not be told apart")
    return exercises


def _load_module(path: Path) -> ModuleType:
    name = f"coursepkg_spec_{path.stem}"
    found = importlib.util.spec_from_file_location(name, path)
    if found is None or found.loader is None:
        raise SpecError(f"{path} cannot be loaded")
    module = importlib.util.module_from_spec(found)
    sys.modules[name] = module  # dataclasses in a specification look their own module up
    # No byte code is kept: it is looked up by the second, and would hide an edit made within the same one.
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        found.loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = before
    return module
