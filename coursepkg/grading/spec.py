"""Exercises, specified once: what is asked, the reference, the inputs, and the wrong ideas that must be recognised.

A specification lives in ``solutions/specs/ex_NN.py`` as ``EXERCISES: list[Exercise]``; ``compiling`` turns it into
numbers, and refuses it if its inputs cannot tell right from wrong.

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

import hashlib
import importlib.util
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np


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


# --- chapters --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Chapter:
    """The specification of one chapter, and the hash of its file."""

    exercises: tuple[Exercise, ...]
    sha256: str


class Chapters(Mapping[str, Chapter]):
    """The chapters of a folder of specifications, each loaded when it is asked for, since most classes need one alone.

    Parameters
    ----------
    specs : Path
        The folder.

    Raises
    ------
    SpecError
        If it holds no specification; later, if one cannot be loaded.
    """

    def __init__(self, specs: Path):
        self._paths = {path.stem.removeprefix("ex_"): path for path in sorted(specs.glob("ex_*.py"))}
        self._loaded: dict[str, Chapter] = {}
        if not self._paths:
            raise SpecError(f"{specs} holds no specification (ex_01.py and so on)")

    def __getitem__(self, name: str) -> Chapter:
        if name not in self._loaded:
            path = self._paths[name]
            sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
            self._loaded[name] = Chapter(tuple(load_chapter(path)), sha256)
        return self._loaded[name]

    def __contains__(self, name: object) -> bool:
        return name in self._paths

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)


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
