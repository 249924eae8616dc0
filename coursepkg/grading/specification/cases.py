"""The cases of a check: those that an author gives, and those that are made of them.

Which cases far out right answers agree on is found by trying, which takes longer than grading a notebook. So it is
tried once for an exercise, on a draw of its own; for every other draw, the same cases are made of its numbers.
Whether all right answers agree on them with these numbers too is looked at where it matters, which is where an answer
fails on them and on nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from coursepkg.grading.judging.calling import Outcome
from coursepkg.grading.judging.values import difference, encode, is_number, leaves, map_numbers
from coursepkg.grading.specification.boundaries import completed, met
from coursepkg.grading.specification.domain import Values, outside
from coursepkg.grading.specification.exercise import Case, Exercise
from coursepkg.grading.specification.extremes import Way, Wish, as_single, far_out, in_single, wishes
from coursepkg.grading.specification.own_answers import inputs_of, run_each, run_own
from coursepkg.grading.specification.scales import Scaled, at_scales, scaled

DIGITS = 12
_DECIDING = 0  # seed of the draw on which is decided what is tried
_KEPT = "_decided"  # beside the fields of an exercise; a changed copy of it decides anew


@dataclass(frozen=True)
class Made:
    """A case that was made of another one, as it is stored and read again, and what the reference gives for it."""

    case: Case
    stored: Mapping[str, Any]
    read: tuple[list[Any], dict[str, Any]]
    outcome: Outcome


# --- beside the given ones -------------------------------------------------------------------------------------------


def with_boundaries(
    exercise: Exercise, cases: Sequence[Case], *, decided: bool = False
) -> tuple[list[Case], list[str]]:
    """The cases, those added so that each boundary of the domain is tried, and what is wrong with them.

    Parameters
    ----------
    exercise : Exercise
        The specification.
    cases : sequence of Case
        The inputs that its author gives.
    decided : bool
        Whether the cases at other scales are those that were decided on for all draws.

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
    positional = _positional(cases)

    def answer(item: Values) -> Any:
        return _answer(exercise, positional, item)

    tried = completed(exercise.domain, exercise.meets, values, lambda item: answer(item) is not None)
    if decided:
        kept = (scaled(exercise.domain, values, *each, answer) for each in _decided(exercise).scales)
        more = [item for item in kept if item is not None]
    else:
        more = [item for _, item in at_scales(exercise.domain, values, answer)]
    made = [_as_case(exercise, item, positional) for item in (*tried.made, *more)]
    return [*cases, *made], [f"the domain allows it, but no case tries it: {label}" for label in tried.untried]


def extreme_cases(exercise: Exercise, cases: Sequence[Case]) -> list[Made]:
    """Cases far from the given ones, which all lie in the domain; ``agreed`` says on which right answers agree."""
    if not exercise.domain:
        return []
    positional, decided = _positional(cases), _decided(exercise)
    tries: list[Iterator[tuple[Wish, Values]]] = []
    for wish in wishes(exercise.domain, [by_name(exercise, item) for item in cases], integers=exercise.integers):
        choices, _ = wish.key
        if choices not in decided.choices:  # chance has kept them out of the draw on which was decided
            tries.append(_ways(exercise, wish, (0, 0)))
        elif (way := decided.ways.get(wish.key)) is not None:
            tries.append(_ways(exercise, wish, way))
    return [made for made in _first_that_fit(exercise, positional, tries) if made is not None]


def _ways(exercise: Exercise, wish: Wish, first: Way) -> Iterator[tuple[Wish, Values]]:
    return ((wish, new) for _, new in wish.tries(exercise.domain, first) if not _broken(exercise, new))


def _first_that_fit(
    exercise: Exercise, positional: int, tries: Sequence[Iterator[tuple[Wish, Values]]]
) -> Iterator[Made | None]:
    """For each wish the first case that can be compared with; most of them at once, since one guard is enough."""
    first = [next(each, None) for each in tries]
    found = iter(_run(exercise, positional, [item for each in first if each is not None for item in each[1:]]))
    for each, rest in zip(first, tries, strict=True):
        if each is None:
            continue
        made = next(found)
        while not each[0].fits(_told(made.outcome)):
            each = next(rest, None)
            if each is None:
                break
            [made] = _run(exercise, positional, [each[1]])
        else:
            yield made


# --- what was decided --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Decided:
    """What is tried of every draw: at which scales, and far out in which ways."""

    scales: Sequence[Scaled]
    ways: Mapping[tuple[Any, ...], Way]
    choices: frozenset[Any]


def _decided(exercise: Exercise) -> _Decided:
    if _KEPT not in vars(exercise):
        cases = exercise.hidden(np.random.default_rng(_DECIDING))
        values, positional = [by_name(exercise, item) for item in cases], _positional(cases)
        answer = partial(_answer, exercise, positional)
        scales = [way for way, _ in at_scales(exercise.domain, values, answer)]
        fair = partial(_agreed, exercise, positional)
        far = far_out(exercise.domain, values, answer, fair, integers=exercise.integers)
        ways = {key: way for key, way, _ in far}
        choices = frozenset(wish.key[0] for wish in wishes(exercise.domain, values))
        vars(exercise)[_KEPT] = _Decided(scales, ways, choices)
    found: _Decided = vars(exercise)[_KEPT]
    return found


def agreed(exercise: Exercise, cases: Sequence[Case], made: Made) -> bool:
    """Whether all right answers give what the reference gives, in half the digits too.

    Parameters
    ----------
    exercise : Exercise
        The specification.
    cases : sequence of Case
        The inputs that its author gives.
    made : Made
        A case made of one of these.
    """
    return _agreed(exercise, _positional(cases), by_name(exercise, made.case), _told(made.outcome))


def fair(exercise: Exercise, kept: Mapping[str, Any], wanted: Any) -> bool:
    """Whether no right answer fails on a case, where the result is compared as plain numbers are.

    Parameters
    ----------
    exercise : Exercise
        The specification.
    kept : dict
        A case as it is stored.
    wanted : number, array, str, list, tuple or dict
        What the reference gives for it.
    """

    def alike(given: Any) -> bool:
        more = exercise.extra_axes
        return difference(wanted, given, exercise.rtol, exercise.atol, extra_axes=more) is None

    return bool(exercise.result) or all(map(alike, _told_by_accepted(exercise, kept)))


def _agreed(exercise: Exercise, positional: int, item: Values, wanted: Any) -> bool:
    def alike(given: Any) -> bool:
        return difference(wanted, given, exercise.rtol / 10, exercise.atol) is None

    single = _answer(exercise, positional, in_single(exercise.domain, item))
    if not alike(map_numbers(as_single, single)):
        return False
    return all(alike(each) for each in _told_by_accepted(exercise, stored(_as_case(exercise, item, positional))))


def _told_by_accepted(exercise: Exercise, kept: Mapping[str, Any]) -> Iterator[Any]:
    [(args, kwargs)] = inputs_of([kept])
    yield from map(_told, run_each(exercise.accepted, exercise.driver, args, kwargs))


# --- the reference ---------------------------------------------------------------------------------------------------


def _answer(exercise: Exercise, positional: int, item: Values) -> Any:
    """What the reference gives for a case; None where there is nothing to compare with."""
    if _outside(exercise, item):
        return None
    [made] = _run(exercise, positional, [item])
    return _told(made.outcome)


def _run(exercise: Exercise, positional: int, items: Sequence[Values]) -> list[Made]:
    cases = [_as_case(exercise, item, positional) for item in items]
    kept = [stored(case) for case in cases]
    inputs = inputs_of(kept)  # as learners' answers get them
    outcomes = run_own(exercise.reference, exercise.driver, inputs)
    return [Made(*each) for each in zip(cases, kept, inputs, outcomes, strict=True)]


def _told(outcome: Outcome) -> Any:
    works = outcome.kind == "value" and not outcome.changed and not _has_nan(outcome.value)
    return outcome.value if works else None


def _has_nan(value: Any) -> bool:
    arrays = [np.asarray(leaf) for leaf in leaves(value) if is_number(leaf)]
    return any(array.dtype.kind in "fc" and bool(np.isnan(array).any()) for array in arrays)


# --- their form ------------------------------------------------------------------------------------------------------


def stored(item: Case, digits: int | None = None) -> dict[str, Any]:
    """The arguments of a case as JSON data: to so many digits, or exact and compact."""
    packed = digits is None
    return {
        "args": [encode(arg, digits, packed=packed) for arg in item.args],
        "kwargs": {name: encode(value, digits, packed=packed) for name, value in item.kwargs.items()},
    }


def by_name(exercise: Exercise, item: Case) -> Values:
    """The arguments of a case under the names of the domain."""
    return {**dict.fromkeys(exercise.domain), **dict(zip(exercise.domain, item.args, strict=False)), **item.kwargs}


def _as_case(exercise: Exercise, values: Values, positional: int) -> Case:
    names = list(exercise.domain)
    kwargs = {name: values[name] for name in names[positional:] if values[name] is not None}
    return Case(tuple(values[name] for name in names[:positional]), kwargs)


def _positional(cases: Sequence[Case]) -> int:
    return min((len(item.args) for item in cases), default=0)


def _outside(exercise: Exercise, values: Values) -> list[str]:
    """Why a case does not lie in the domain, or breaks what the task promises."""
    return outside(exercise.domain, values) or _broken(exercise, values)


def _broken(exercise: Exercise, values: Values) -> list[str]:
    return [f"it is not so that {promise}" for promise, test in exercise.always.items() if not met(test, values)]
