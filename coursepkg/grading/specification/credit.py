"""Partial credit by parts: what an exercise must hold so that a part can earn points of its own.

Points are for an idea. So a part earns none if an answer that does nothing would get it right: one that returns zeros,
ones, a constant, or what it was given.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from coursepkg.grading.judging.values import difference, is_number, map_numbers, parts
from coursepkg.grading.specification.exercise import Exercise
from coursepkg.grading.specification.own_answers import Inputs


def credit_problems(exercise: Exercise, inputs: Inputs, expected: Sequence[Any]) -> list[str]:
    """Why parts of an exercise cannot earn points of their own on these inputs.

    Parameters
    ----------
    exercise : Exercise
        The specification.
    inputs : sequence of (list, dict)
        Arguments for each case.
    expected : sequence
        The right answer for each case, as plain data.
    """
    if exercise.credit is None:
        return []
    named = [parts(value) for value in expected]
    if any(names is None or set(names) != set(exercise.credit) for names in named):
        return [f"`credit` names {list(exercise.credit)}; the parts of the answer are {named[0]}"]
    if sum(exercise.credit.values()) != exercise.points or min(exercise.credit.values()) <= 0:
        return [f"the points of `credit` must be positive, and be {exercise.points} together"]
    problems = []
    for name in exercise.credit:
        part = [value[name] for value in expected]
        found = next((words for words, made in _idle(inputs, part) if _all_same(exercise, part, made)), None)
        if found is not None:
            problems.append(f"part {name!r} would earn its points by {found}; add inputs on which it differs")
    return problems


def _idle(inputs: Inputs, part: Sequence[Any]) -> Iterator[tuple[str, list[Any]]]:
    """What answers without any idea would give for a part, case by case, and in words what they do."""
    yield "zeros", [map_numbers(np.zeros_like, value) for value in part]
    yield "ones", [map_numbers(np.ones_like, value) for value in part]
    yield "a constant", [part[0]] * len(part)
    for position in range(min(len(args) for args, _ in inputs)):
        yield f"returning argument {position + 1}", [args[position] for args, _ in inputs]
    for name in inputs[0][1]:
        if all(name in kwargs for _, kwargs in inputs):
            yield f"returning `{name}`", [kwargs[name] for _, kwargs in inputs]


def _all_same(exercise: Exercise, part: Sequence[Any], made: Sequence[Any]) -> bool:
    return all(
        (is_number(value) or not is_number(wanted))
        and difference(wanted, value, exercise.rtol, exercise.atol, extra_axes=exercise.extra_axes) is None
        for wanted, value in zip(part, made, strict=True)
    )
