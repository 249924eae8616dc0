"""From a specification to numbers: the compiled check that ``judge`` reads.

What the learner's tree gets holds inputs, expected numbers and the numbers of each wrong idea, no formula and no
reference. Where each learner has hidden inputs of their own, the numbers of a wrong idea are worked out only when the
judge looks for them, since most answers are right.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from coursepkg.grading.calling import Outcome
from coursepkg.grading.drivers import DRIVERS
from coursepkg.grading.ideas import Ideas
from coursepkg.grading.own_answers import inputs_of
from coursepkg.grading.spec import Exercise, Misconception, SpecError
from coursepkg.grading.values import encode

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
        cases = exercise.visible if rng is None else exercise.hidden(rng)
        inputs = [
            {
                "args": [encode(arg, DIGITS) for arg in item.args],
                "kwargs": {k: encode(v, DIGITS) for k, v in item.kwargs.items()},
            }
            for item in cases
        ]
        ideas = Ideas(exercise, inputs_of(inputs))
        if not (problems := ideas.problems(thorough=thorough)):
            return _check(exercise, inputs, ideas, hidden=rng is not None)
    kind = "visible" if rng is None else f"hidden (after {REDRAWS} draws)"
    raise SpecError(_listed(exercise, [f"{kind} inputs: {problem}" for problem in problems]))


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
        "cases": [
            {**item, "expected": encode(outcome.value, DIGITS)}
            for item, outcome in zip(inputs, ideas.expected, strict=True)
        ],
        "misconceptions": [_Entry(entry, ideas) for entry in exercise.bank],
    }


class _Entry(dict[str, Any]):
    """An entry of the bank as the judge reads it; its numbers come when they are looked for."""

    def __init__(self, entry: Misconception, ideas: Ideas):
        super().__init__(id=entry.id, looks_like=entry.looks_like, why=entry.why, look_at=entry.look_at)
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
