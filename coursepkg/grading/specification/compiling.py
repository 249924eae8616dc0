"""From a specification to numbers: the compiled check that ``judge`` reads.

What the learner's tree gets holds inputs, expected numbers and the numbers of each wrong idea, no formula and no
reference. Of hidden inputs, the numbers of a wrong idea are worked out only when the judge looks for them, since most
answers are right.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from coursepkg.grading.judging.calling import Outcome
from coursepkg.grading.judging.drivers import DRIVERS
from coursepkg.grading.judging.judge import Check
from coursepkg.grading.judging.values import encode
from coursepkg.grading.specification.cases import DIGITS, Made, agreed, extreme_cases, fair, stored, with_boundaries
from coursepkg.grading.specification.credit import credit_problems
from coursepkg.grading.specification.exercise import Case, Exercise, Misconception, SpecError
from coursepkg.grading.specification.ideas import Ideas
from coursepkg.grading.specification.own_answers import inputs_of

FORMAT = 1
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


def hidden_check(exercise: Exercise, rng: np.random.Generator) -> Compiled:
    """The same check as that of ``compile_check``, but the numbers of wrong ideas come when the judge reads them.

    Cases far out on which right answers do not agree are still in it.

    Raises
    ------
    SpecError
        If the specification cannot judge.
    """
    return _compiled(exercise, rng, thorough=False)


class Compiled(Check):
    """A check of one draw, as the judge reads it.

    Parameters
    ----------
    exercise : Exercise
        The specification.
    given : sequence of Case
        The inputs that its author gives.
    usual : sequence of dict
        These and those at boundaries, as they are stored.
    far : sequence of Made
        Cases far out.
    ideas : Ideas
        What the reference and the wrong ideas give for all of them.
    hidden : bool
        Whether the inputs are hidden ones.
    """

    def __init__(
        self,
        exercise: Exercise,
        given: Sequence[Case],
        usual: Sequence[dict[str, Any]],
        far: Sequence[Made],
        ideas: Ideas,
        *,
        hidden: bool,
    ):
        inputs = [*usual, *(made.stored for made in far)]
        super().__init__(_check(exercise, inputs, ideas, hidden=hidden))
        self._parts = exercise, given, usual, far
        self._counting: dict[int, bool] = {}
        self._agreeing: dict[int, bool] = {}

    def settled(self, failed: Collection[int] | None = None) -> Compiled:
        """The check without the cases on which right answers do not agree.

        Parameters
        ----------
        failed : collection of int, optional
            The cases to look at (default: all that lie far out).
        """
        exercise, given, usual, far = self._parts
        near = [
            item for number, item in enumerate(usual) if failed is None or number not in failed or self.counts(number)
        ]
        kept = [
            made
            for number, made in enumerate(far, len(usual))
            if (failed is not None and number not in failed) or self._agree(number, made)
        ]
        if len(near) == len(usual) and len(kept) == len(far):
            return self
        return Compiled(exercise, given, near, kept, _ideas(exercise, near, kept), hidden=self["hidden"])

    def counts(self, number: int) -> bool:
        """Whether an answer that fails on a case is wrong, whatever it does elsewhere.

        It is so where no right answer fails on it: not far out, and not where rounding decides.
        """
        exercise, _, usual, _ = self._parts
        if number >= len(usual):
            return False
        if number not in self._counting:
            self._counting[number] = fair(exercise, usual[number], self.expected[number])
        return self._counting[number]

    def _agree(self, number: int, made: Made) -> bool:
        if number not in self._agreeing:
            exercise, given, *_ = self._parts
            self._agreeing[number] = agreed(exercise, given, made)
        return self._agreeing[number]


def _ideas(exercise: Exercise, usual: Sequence[dict[str, Any]], far: Sequence[Made]) -> Ideas:
    inputs = [*inputs_of(usual), *(made.read for made in far)]
    return Ideas(exercise, inputs, len(usual), [made.outcome for made in far])


def _compiled(exercise: Exercise, rng: np.random.Generator | None, *, thorough: bool) -> Compiled:
    if problems := _form_problems(exercise):
        raise SpecError(_listed(exercise, problems))
    for _ in range(1 if rng is None else REDRAWS):
        given = exercise.visible if rng is None else exercise.hidden(rng)
        cases, untried = with_boundaries(exercise, given, decided=rng is not None)
        far = extreme_cases(exercise, given) if rng is not None and not untried else []
        if thorough:
            far = [made for made in far if agreed(exercise, given, made)]
        usual = [stored(item, DIGITS) for item in cases]
        ideas = _ideas(exercise, usual, far)
        problems = untried or ideas.problems(thorough=thorough)
        problems = problems or credit_problems(exercise, ideas.inputs, [outcome.value for outcome in ideas.expected])
        if not problems:
            return Compiled(exercise, given, usual, far, ideas, hidden=rng is not None)
    kind = "visible" if rng is None else f"hidden (after {REDRAWS} draws)"
    raise SpecError(_listed(exercise, [f"{kind} inputs: {problem}" for problem in problems]))


def _check(exercise: Exercise, inputs: Sequence[Mapping[str, Any]], ideas: Ideas, *, hidden: bool) -> dict[str, Any]:
    encoded = partial(encode, packed=True) if hidden else partial(encode, digits=DIGITS)
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
            {**item, "expected": encoded(outcome.value)} for item, outcome in zip(inputs, ideas.expected, strict=True)
        ],
        "misconceptions": [_Entry(entry, ideas, encoded) for entry in exercise.bank],
    }


def _words_for_results(exercise: Exercise) -> dict[str, Any]:
    """What the judge is told about the form of a result, where there is anything to tell."""
    parts = list(exercise.parts) if isinstance(exercise.parts, tuple) else exercise.parts
    told = {"result": exercise.result, "parts": parts, "extra_axes": exercise.extra_axes}
    return {name: value for name, value in told.items() if value}


class _Entry(dict[str, Any]):
    """An entry of the bank as the judge reads it; its numbers come when they are looked for."""

    def __init__(self, entry: Misconception, ideas: Ideas, encoded: Callable[[Any], Any]):
        super().__init__(id=entry.id, looks_like=entry.looks_like, why=entry.why, look_at=entry.look_at)
        if entry.keeps_state is not None:
            self["keeps_state"] = entry.keeps_state
        self._ideas, self._encoded = ideas, encoded

    def __missing__(self, key: str) -> Any:
        outcomes = self._ideas.outcomes(self["id"])
        if key == "changes":
            return any(outcome.changed for outcome in outcomes)
        if key == "outcomes":
            return map(self._outcome, outcomes)
        raise KeyError(key)

    def _outcome(self, outcome: Outcome) -> dict[str, Any]:
        return {"value": self._encoded(outcome.value)} if outcome.kind == "value" else {"error": outcome.error}


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
