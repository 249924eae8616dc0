"""Exercises, specified once: what is asked, its domain, the reference, and the wrong ideas that must be recognised.

A chapter is a folder ``solutions/specs/ex_NN/`` with a file for each exercise, ``e01_name.py`` and so on, that defines
``EXERCISE``; ``shared.py`` holds what several of them use. ``compiling`` turns a specification into numbers, and
refuses it if its inputs cannot tell right from wrong, or leave a boundary of its own domain untried.

How to write one::

    from coursepkg.grading.domain import Number
    from coursepkg.grading.spec import Exercise, case, wrong

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

The domain says per argument what the task's text and docstring allow (``coursepkg.grading.domain`` has the words), and
``meets`` names what several arguments may do together: ``meets={"the batch size divides n": lambda n, size: n % size ==
0}``. Every boundary must occur among the visible inputs and in every draw of the hidden ones. Simple ones (an axis of
length 1, a zero, a least value) are made from your own cases where you give none; the others are yours to give.

Good inputs: not square where shapes matter, different sizes n from case to case, signs mixed, values between 0.1 and
10, and beside these the boundaries. Then no two ideas give the same numbers by accident, and ``build`` will say so if
two do. An answer that is a class, a ``backward`` function or a training step names its driver (see
``coursepkg.grading.drivers``). A wrong idea may raise in some cases ("forgot ``__radd__``"): it is recognised by the
cases in which it raises, and must give numbers in at least one.

The proof in ``tests/grading`` changes the reference in many small ways (an operator, a sign, a constant, an argument
ignored), and goes wrong at each boundary of the domain; every change must fail on visible and on hidden inputs. One
that passes asks for better inputs. Only if it changes nothing that could be seen, list it: ``equivalent_mutants={"`a >
b` → `a >= b`": "equal values give zero either way"}``.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from coursepkg.grading.domain import Argument


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
    driver : str
        How the answer is used; "call" is ``answer(*args)``.
    result : mapping, optional
        What the result is where it is no plain number: ``{"kind": "angle", "period": 6.28}``, ``{"kind":
        "positions"}`` or ``{"kind": "diagnostic"}``; for one part of several, by its key or position as a string.
    parts : sequence of str, str or mapping, optional
        What feedback calls the items of a tuple, ``["the value", "the tangent"]``, each item of a list, ``"batch"``, or
        the items of each item, ``{"each": "batch", "parts": ["the images", "the labels"]}``.
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
    driver: str = "call"
    result: Mapping[Any, Any] | None = None
    parts: Sequence[str] | str | Mapping[str, Any] | None = None
    extra_axes: bool = False
    rtol: float = 1e-6
    atol: float = 1e-9
    equivalent_mutants: Mapping[str, str] = field(default_factory=dict)


# --- chapters --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Chapter:
    """The specification of one chapter, and the hash of its files."""

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
        self._paths = chapters_in(specs)
        self._loaded: dict[str, Chapter] = {}
        if not self._paths:
            raise SpecError(f"{specs} holds no specification (ex_01 and so on)")

    def __getitem__(self, name: str) -> Chapter:
        if name not in self._loaded:
            path = self._paths[name]
            sha256 = hashlib.sha256(b"".join(file.read_bytes() for file in spec_files(path))).hexdigest()
            self._loaded[name] = Chapter(tuple(load_chapter(path)), sha256)
        return self._loaded[name]

    def __contains__(self, name: object) -> bool:
        return name in self._paths

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)


def chapters_in(specs: Path) -> dict[str, Path]:
    """The chapters of a folder by name; each is a folder of files, or one file."""
    found = [path for path in sorted(specs.glob("ex_*")) if path.suffix == ".py" or (path / "__init__.py").is_file()]
    return {path.stem.removeprefix("ex_"): path for path in found}


def spec_files(path: Path) -> list[Path]:
    """The files of a chapter, or of a folder of chapters."""
    return sorted(path.rglob("*.py")) if path.is_dir() else [path]


def load_specs(folder: Path) -> dict[str, list[Exercise]]:
    """All chapters of a ``specs`` folder: ``{"01": [Exercise, ...], ...}``; raises as ``load_chapter`` does."""
    return {name: load_chapter(path) for name, path in chapters_in(folder).items()}


def load_chapter(path: Path) -> list[Exercise]:
    """The exercises of a chapter: a folder with a file for each, or a file that lists them as ``EXERCISES``.

    Raises
    ------
    SpecError
        If there are none, or an id does not belong to its chapter or occurs twice.
    """
    chapter = path.stem.removeprefix("ex_")
    exercises = _of_folder(path) if path.is_dir() else getattr(_load_module(path), "EXERCISES", None)
    if not isinstance(exercises, list) or not exercises:
        raise SpecError(f"{path.name} defines no list EXERCISES, and holds no files e01_name.py with an EXERCISE")
    ids = [exercise.id for exercise in exercises]
    if any(name.split(".")[0] != chapter for name in ids) or len(set(ids)) != len(ids):
        raise SpecError(f"{path.name}: ids must be unique and begin with {chapter}: {', '.join(ids)}")
    functions = [exercise.function for exercise in exercises]
    if len(set(functions)) != len(functions):
        raise SpecError(f"{path.name}: two exercises ask for the same name, so answers could not be told apart")
    return exercises


def _of_folder(folder: Path) -> list[Exercise]:
    package = _load_module(folder / "__init__.py").__name__
    with _no_byte_code():
        modules = [importlib.import_module(f"{package}.{path.stem}") for path in sorted(folder.glob("e[0-9]*.py"))]
    if missing := [module.__name__.split(".")[-1] for module in modules if not hasattr(module, "EXERCISE")]:
        raise SpecError(f"{folder.name}: no EXERCISE is defined in {', '.join(missing)}")
    return [module.EXERCISE for module in modules]


def _load_module(path: Path) -> ModuleType:
    is_package = path.name == "__init__.py"
    name = f"coursepkg_spec_{path.parent.stem if is_package else path.stem}"
    for earlier in [known for known in sys.modules if known == name or known.startswith(f"{name}.")]:
        del sys.modules[earlier]  # another folder of the same name, or this one before it was edited
    inside = [str(path.parent)] if is_package else None
    found = importlib.util.spec_from_file_location(name, path, submodule_search_locations=inside)
    if found is None or found.loader is None:
        raise SpecError(f"{path} cannot be loaded")
    module = importlib.util.module_from_spec(found)
    sys.modules[name] = module  # relative imports, and dataclasses in a specification, look modules up
    importlib.invalidate_caches()
    with _no_byte_code():
        found.loader.exec_module(module)
    return module


@contextmanager
def _no_byte_code() -> Iterator[None]:
    """No byte code is kept: it is looked up by the second, and would hide an edit made within the same one."""
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        yield
    finally:
        sys.dont_write_bytecode = before
