"""Running what a specification holds: the reference and the wrong ideas.

They are ours, so one guard around all cases is enough, and the inputs are copied rather than stored and read again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from coursepkg.grading.judging.arguments import copied, unchanged
from coursepkg.grading.judging.calling import Outcome, failure, guarded, misuse
from coursepkg.grading.judging.drivers import DRIVERS
from coursepkg.grading.judging.values import decode, tree

Inputs = Sequence[tuple[list[Any], dict[str, Any]]]


def inputs_of(cases: Sequence[Mapping[str, Any]]) -> Inputs:
    """The arguments of encoded cases; ``run_own`` works on copies of them."""
    return [
        ([decode(arg) for arg in item["args"]], {name: decode(value) for name, value in item["kwargs"].items()})
        for item in cases
    ]


def run_own(answer: Any, driver_name: str, inputs: Inputs, *, seconds: float = 60.0) -> list[Outcome]:
    """Use an answer of a specification on all inputs.

    Parameters
    ----------
    answer : callable or class
        A reference, or an entry of the bank; not what a learner wrote.
    driver_name : str
        Name of its driver.
    inputs : sequence of (list, dict)
        Arguments for each case.
    seconds : float
        Time for all of them together.

    Returns
    -------
    list of Outcome
        One for each case. What was printed and warned is not kept.
    """
    return _outcomes([(answer, args, kwargs) for args, kwargs in inputs], driver_name, seconds)


def run_each(
    answers: Iterable[Any], driver_name: str, args: list[Any], kwargs: dict[str, Any], *, seconds: float = 60.0
) -> list[Outcome]:
    """Use several answers of a specification on one input; as ``run_own``, with one outcome for each answer."""
    return _outcomes([(answer, args, kwargs) for answer in answers], driver_name, seconds)


def _outcomes(
    calls: Sequence[tuple[Any, list[Any], dict[str, Any]]], driver_name: str, seconds: float
) -> list[Outcome]:
    outcomes: list[Outcome] = []

    def run() -> None:
        for answer, args, kwargs in calls:
            outcomes.append(_one(answer, driver_name, args, kwargs))

    ended = guarded(run, seconds)
    return [*outcomes, *[ended] * (len(calls) - len(outcomes))]


def _one(answer: Any, driver_name: str, args: list[Any], kwargs: dict[str, Any]) -> Outcome:
    words = _misuse(answer, driver_name, len(args), tuple(kwargs))
    if words is not None:
        return Outcome("wrong-kind", message=words)
    own_args, own_kwargs = copied(args), copied(kwargs)
    try:
        outcome = Outcome("value", tree(DRIVERS[driver_name].run(answer, *own_args, **own_kwargs)))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a wrong idea may raise anything
        outcome = failure(error)
    if unchanged(own_args, args) and unchanged(own_kwargs, kwargs):
        return outcome
    return Outcome(**{**outcome.__dict__, "changed": True})


@cache
def _misuse(answer: Any, driver_name: str, count: int, names: tuple[str, ...]) -> str | None:
    return misuse(answer, DRIVERS[driver_name], [None] * count, dict.fromkeys(names))
