"""From a specification to numbers: the compiled check that ``judge`` reads.

What the learner's tree gets holds inputs, expected numbers and the numbers of each wrong idea, no formula and no
reference. Where each learner has hidden inputs of their own, the numbers of a wrong idea are worked out only when the
judge looks for them, since most answers are right.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from coursepkg.grading.judging.calling import Outcome
from coursepkg.grading.judging.drivers import DRIVERS
from coursepkg.grading.judging.values import difference, encode, is_number, leaves, map_numbers
from coursepkg.grading.specification.boundaries import completed, met
from coursepkg.grading.specification.credit import credit_problems
from coursepkg.grading.specification.domain import Values, outside
from coursepkg.grading.specification.exercise import Case, Exercise, Misconception, SpecError
from coursepkg.grading.specification.extremes import as_single, far_out, in_single
from coursepkg.grading.specification.ideas import Ideas
from coursepkg.grading.specification.own_answers import inputs_of, run_own
from coursepkg.grading.specification.scales import at_scales

FORMAT = 1
DIGITS = 12
MIN_ACCEPTED = 5
MIN_BANK = 5
REDRAWS = 20


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
    check = _compiled(exercise, rng, thorough=True)
    for entry in check["misconceptions"]:
        entry |= {"changes": entry["changes"], "outcomes": list(entry["outcomes"])}
    return {**check, "misconceptions": [dict(entry) for entry in check["misconceptions"]]}


def hidden_check(exercise: Exercise, rng: np.random.Generator) -> dict[str, Any]:
    """The same check as that of ``compile_check``, but the numbers of wrong ideas come when the judge reads them.

    Raises
    ------
    SpecError
        If the specification cannot judge.
    """
    return _compiled(exercise, rng, thorough=False)


def _compiled(exercise: Exercise, rng: np.random.Generator | None, *, thorough: bool) -> dict[str, Any]:
    if problems := _form_problems(exercise):
        raise SpecError(_listed(exercise, problems))
    for _ in range(1 if rng is None else REDRAWS):
        given = exercise.visible if rng is None else exercise.hidden(rng)
        cases, untried = with_boundaries(exercise, given)
        usual = len(cases)
        if rng is not None and not untried:
            cases += extreme_cases(exercise, given)
        inputs = [_encoded(item) for item in cases]
        ideas = Ideas(exercise, inputs_of(inputs), usual)
        problems = untried or ideas.problems(thorough=thorough)
        problems = problems or credit_problems(exercise, ideas.inputs, [outcome.value for outcome in ideas.expected])
        if not problems:
            return _check(exercise, inputs, ideas, hidden=rng is not None)
    kind = "visible" if rng is None else f"hidden (after {REDRAWS} draws)"
    raise SpecError(_listed(exercise, [f"{kind} inputs: {problem}" for problem in problems]))


def _encoded(item: Case) -> dict[str, Any]:
    return {
        "args": [encode(arg, DIGITS) for arg in item.args],
        "kwargs": {name: encode(value, DIGITS) for name, value in item.kwargs.items()},
    }


def _check(exercise: Exercise, inputs: list[dict[str, Any]], ideas: Ideas, *, hidden: bool) -> dict[str, Any]:
    return {
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
        **({"credit": [[name, points] for name, points in exercise.credit.items()]} if exercise.credit else {}),
        **_words_for_results(exercise),
        "cases": [
            {**item, "expected": encode(outcome.value, DIGITS)}
            for item, outcome in zip(inputs, ideas.expected, strict=True)
        ],
        "misconceptions": [_Entry(entry, ideas) for entry in exercise.bank],
    }


def _words_for_results(exercise: Exercise) -> dict[str, Any]:
    """What the judge is told about the form of a result, where there is anything to tell."""
    parts = list(exercise.parts) if isinstance(exercise.parts, tuple) else exercise.parts
    told = {"result": exercise.result, "parts": parts, "extra_axes": exercise.extra_axes}
    return {name: value for name, value in told.items() if value}


def with_boundaries(exercise: Exercise, cases: Sequence[Case]) -> tuple[list[Case], list[str]]:
    """The cases, those added so that each boundary of the domain is tried, and what is wrong with them.

    Parameters
    ----------
    exercise : Exercise
        The specification.
    cases : sequence of Case
        The inputs that its author gives.

    Returns
    -------
    list of Case
        The given ones first.
    list of str
        Cases that leave the domain, and boundaries that no case touches and none could be made for.
    """
    if not exercise.domain:
        return list(cases), []
    values = [by_name(exercise, item) for item in cases]
    problems = [f"case {k}: {words}" for k, item in enumerate(values, 1) for words in _outside(exercise, item)]
    if problems:
        return list(cases), problems

    def answer(item: Values) -> Any:
        return _answer(exercise, _positional(cases), exercise.reference, item)

    tried = completed(exercise.domain, exercise.meets, values, lambda item: answer(item) is not None)
    scaled = at_scales(exercise.domain, values, answer)
    made = [_as_case(exercise, item, _positional(cases)) for item in (*tried.made, *scaled)]
    return [*cases, *made], [f"the domain allows it, but no case tries it: {label}" for label in tried.untried]


def extreme_cases(exercise: Exercise, cases: Sequence[Case]) -> list[Case]:
    """Cases far from the given ones, which all lie in the domain; those on which all accepted answers agree."""
    answer = partial(_answer, exercise, _positional(cases))

    def agreed(item: Values, wanted: Any) -> bool:
        return all(difference(wanted, other, exercise.rtol / 10, exercise.atol) is None for other in others(item))

    def others(item: Values) -> Iterator[Any]:
        yield map_numbers(as_single, answer(exercise.reference, in_single(exercise.domain, item)))
        for right in exercise.accepted:
            yield answer(right, item)

    values = [by_name(exercise, item) for item in cases]
    found = far_out(exercise.domain, values, partial(answer, exercise.reference), agreed, integers=exercise.integers)
    return [_as_case(exercise, item, _positional(cases)) for item in found]


def _answer(exercise: Exercise, positional: int, given_by: Any, item: Values) -> Any:
    """What the reference or an accepted answer gives for a case; None where there is nothing to compare with."""
    if given_by is exercise.reference and _outside(exercise, item):
        return None
    made = inputs_of([_encoded(_as_case(exercise, item, positional))])  # as learners' answers get them
    [outcome] = run_own(given_by, exercise.driver, made)
    works = outcome.kind == "value" and not outcome.changed and not _has_nan(outcome.value)
    return outcome.value if works else None


def _positional(cases: Sequence[Case]) -> int:
    return min((len(item.args) for item in cases), default=0)


def _outside(exercise: Exercise, values: Values) -> list[str]:
    """Why a case does not lie in the domain, or breaks what the task promises."""
    if words := outside(exercise.domain, values):
        return words
    return [f"it is not so that {promise}" for promise, test in exercise.always.items() if not met(test, values)]


def by_name(exercise: Exercise, item: Case) -> Values:
    """The arguments of a case under the names of the domain."""
    return {**dict.fromkeys(exercise.domain), **dict(zip(exercise.domain, item.args, strict=False)), **item.kwargs}


def _as_case(exercise: Exercise, values: Values, positional: int) -> Case:
    names = list(exercise.domain)
    kwargs = {name: values[name] for name in names[positional:] if values[name] is not None}
    return Case(tuple(values[name] for name in names[:positional]), kwargs)


def _has_nan(value: Any) -> bool:
    arrays = [np.asarray(leaf) for leaf in leaves(value) if is_number(leaf)]
    return any(array.dtype.kind in "fc" and bool(np.isnan(array).any()) for array in arrays)


class _Entry(dict[str, Any]):
    """An entry of the bank as the judge reads it; its numbers come when they are looked for."""

    def __init__(self, entry: Misconception, ideas: Ideas):
        super().__init__(id=entry.id, looks_like=entry.looks_like, why=entry.why, look_at=entry.look_at)
        if entry.keeps_state is not None:
            self["keeps_state"] = entry.keeps_state
        self._ideas = ideas

    def __missing__(self, key: str) -> Any:
        outcomes = self._ideas.outcomes(self["id"])
        if key == "changes":
            return any(outcome.changed for outcome in outcomes)
        if key == "outcomes":
            return map(_wrong_outcome, outcomes)
        raise KeyError(key)


def _wrong_outcome(outcome: Outcome) -> dict[str, Any]:
    if outcome.kind == "value":
        return {"value": encode(outcome.value, DIGITS)}
    return {"error": outcome.error}


# --- what a specification must hold ----------------------------------------------------------------------------------


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
