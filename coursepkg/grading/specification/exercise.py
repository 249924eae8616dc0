"""Exercises, specified once: what is asked, its domain, the reference, and the wrong ideas that must be recognised.

A chapter is a folder ``solutions/specs/ex_NN/`` with a file for each exercise, ``e01_name.py`` and so on, that defines
``EXERCISE``; ``shared.py`` holds what several of them use. ``compiling`` turns a specification into numbers, and
refuses it if its inputs cannot tell right from wrong, or leave a boundary of its own domain untried.

How to write one::

    from coursepkg.grading.specification.domain import Number
    from coursepkg.grading.specification.exercise import Exercise, case, wrong

    def slope(x, w):
        return 2 * w * x                       # the reference: a plain function

    def forgets_factor(x, w):
        return w * x                           # a wrong idea is code, too

    def hidden(rng):                           # other inputs, drawn afresh; any number of cases, three at least
        return [case(rng.uniform(0.5, 2), rng.uniform(-3, -1)) for _ in range(4)]

    BANK = [                                   # at least 7: name, answer, where to look again, what it looks like, why
        wrong("forgets-factor", forgets_factor, "notebook 01, 'Squares'",
              "Every number is half of what it should be.",
              "The square has two equal factors, and each of them changes."),
    ]  # fmt: skip

    EXERCISE = Exercise(
        id="01.2", title="...", function="slope", minutes=5, difficulty=1, points=2,
        see="notebook 01, 'Units cancel'",
        reference=slope,
        domain={"x": Number(), "w": Number(more_than=0)},   # what the task allows, and no more
        visible=[case(1.5, 2.0), case(-0.5, 3.0), case(2.0, 0.7)],
        hidden=hidden,
        accepted=[...],                        # at least 5 right answers in other words: loops, einsum, float32, lists
        bank=BANK,
        hints=("a nudge", "more", "nearly the answer"),
    )

The domain says per argument what the task's text and docstring allow (``domain`` has the words), and ``meets`` names
what several arguments may do together: ``meets={"the batch size divides n": lambda n, size: n % size == 0}``. Every
boundary must occur among the visible inputs and in every draw of the hidden ones. Simple ones (an axis of length 1, a
zero, a least value) are made from your own cases where you give none; the others are yours to give. Hidden inputs go
far out as well (``extremes``): tiny and huge entries, long axes, nearly whole numbers, wherever all accepted answers
agree. What the task promises of several arguments stands in ``always``; no case breaks it.

Good inputs: not square where shapes matter, different sizes n from case to case, signs mixed, values between 0.1 and
10, and beside these the boundaries. Then no two ideas give the same numbers by accident, and ``build`` will say so if
two do. An answer that is a class, a ``backward`` function or a training step names its driver (see
``judging.drivers``). A wrong idea may raise in some cases ("forgot ``__radd__``"): it is recognised by the cases in
which it raises, and must give numbers in at least one.

The proof in ``tests/grading`` changes the reference in many small ways (an operator, a sign, a constant, an argument
ignored), and goes wrong at each boundary of the domain; every change must fail on visible and on hidden inputs. One
that passes asks for better inputs. Only if it changes nothing that could be seen, list it: ``equivalent_mutants={"`a >
b` → `a >= b`": "equal values give zero either way"}``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from coursepkg.grading.specification.domain import Argument


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
    keeps_state : bool, optional
        Whether it gives something else when it is called again, where that is part of the idea or excluded by it.
    """

    id: str
    answer: Any
    looks_like: str
    why: str
    look_at: str
    keeps_state: bool | None = None


def wrong(
    id: str, answer: Any, look_at: str, looks_like: str, why: str, *, keeps_state: bool | None = None
) -> Misconception:
    """An entry of a bank: the fields of ``Misconception`` by position, what fits on the first line first."""
    return Misconception(id, answer, looks_like, why, look_at, keeps_state)


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
    domain : mapping of str to Argument
        What each argument may be, in the order of a case's arguments.
    meets : mapping of str to callable
        Further boundaries: a name, and whether a case (its arguments by name) lies on it.
    always : mapping of str to callable
        What the task promises about arguments together: a name, and whether it holds. No case is without it.
    integers : bool
        Whether the arrays that are given may be of an integer kind, as the task says.
    driver : str
        How the answer is used; "call" is ``answer(*args)``.
    result : mapping, optional
        What the result is where it is no plain number: ``{"kind": "angle", "period": 6.28}``, ``{"kind":
        "positions"}`` or ``{"kind": "diagnostic"}``; for one part of several, by its key or position as a string.
    parts : sequence of str, str or mapping, optional
        What feedback calls the items of a tuple, ``["the value", "the tangent"]``, each item of a list, ``"batch"``, or
        the items of each item, ``{"each": "batch", "parts": ["the images", "the labels"]}``.
    credit : mapping, optional
        Points for parts of the result that stand for different ideas, by key or position, ``{"loss": 1, "z_bar": 2}``.
        A part earns them if it is right on all hidden inputs; the whole is right only if every part is.
    extra_axes : bool
        Whether arrays may have more axes of length 1 than the reference gives.
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
    domain: Mapping[str, Argument] = field(default_factory=dict)
    meets: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    always: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    integers: bool = False
    driver: str = "call"
    result: Mapping[Any, Any] | None = None
    parts: Sequence[str] | str | Mapping[str, Any] | None = None
    credit: Mapping[Any, float] | None = None
    extra_axes: bool = False
    rtol: float = 1e-6
    atol: float = 1e-9
    equivalent_mutants: Mapping[str, str] = field(default_factory=dict)
