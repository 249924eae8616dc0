"""What an answer changes around itself is put back: the folder, NumPy's settings, functions under another name.

An answer shares its kernel with the judge and with everything that the notebook runs later. So the kernel is brought
back to what it was after each call, before anything is compared. This protects learners from accidents. It is no wall:
whoever wants to replace the judge in their own kernel can, and marks come from the sandbox, where an answer runs in
another process.
"""

from __future__ import annotations

import builtins
import cmath
import functools
import itertools
import math
import operator
import os
import random
import sys
from collections.abc import Iterator
from typing import Any

from coursepkg.grading.judging.arrays import NUMPY_IS_HERE, ErrorSettings, np

_MODULES = {
    "": builtins, "math.": math, "cmath.": cmath, "random.": random, "operator.": operator, "functools.": functools,
    "itertools.": itertools,
}  # fmt: skip
if NUMPY_IS_HERE:
    _MODULES |= {"np.": np, "np.linalg.": np.linalg, "np.random.": np.random}
_THE_KERNELS = ("display", "exit", "get_ipython", "input", "quit")  # a notebook gives these to each cell anew
_GONE = object()
_ORIGINALS = [
    (prefix, vars(module), {name: value for name, value in vars(module).items() if not name.startswith("_")})
    for prefix, module in _MODULES.items()
]
for _name in _THE_KERNELS:
    _ORIGINALS[0][2].pop(_name, None)


def mend_modules() -> list[str]:
    """Put back what was replaced in modules that answers and the judge share; returns the names of it."""
    return [*_mended()]  # without `list`, which may be what was replaced


def _mended() -> Iterator[str]:
    for prefix, present, originals in _ORIGINALS:
        for name, value in originals.items():
            if present.get(name, _GONE) is not value:
                present[name] = value
                yield f"`{prefix}{name}`"


class Surroundings:
    """The state around an answer as it is now, to be put back later.

    ``restore`` puts back what one call may change for the next; ``restore_draws`` puts back the state of the global
    generators, once at the end, since an answer that draws from them gives other numbers from call to call.

    Attributes
    ----------
    changed : list of str
        What had to be put back so far, in words.
    """

    def __init__(self) -> None:
        self.changed = mend_modules()
        self._folder = _folder()
        self._environment = dict(os.environ)
        self._limit = sys.getrecursionlimit()
        self._draws = random.getstate()
        self._numpy = _NumPysState() if NUMPY_IS_HERE else None

    def restore(self) -> None:
        """Put back everything except the state of the global generators."""
        found = mend_modules()
        if self._folder is not None and _folder() != self._folder and _went_to(self._folder):
            found.append("the working folder")
        if dict(os.environ) != self._environment:
            self._restore_environment()
            found.append("the environment variables")
        if sys.getrecursionlimit() != self._limit:
            sys.setrecursionlimit(self._limit)
            found.append("the recursion limit")
        if self._numpy is not None:
            found += self._numpy.restore()
        self.changed += [words for words in found if words not in self.changed]

    def restore_draws(self) -> None:
        """Put back the state of the global generators of ``random`` and NumPy."""
        if random.getstate() != self._draws:
            random.setstate(self._draws)
            self.changed.append("the state of `random`")
        if self._numpy is not None and self._numpy.restore_draws():
            self.changed.append("the state of `np.random`")

    def _restore_environment(self) -> None:
        for name in [name for name in os.environ if name not in self._environment]:
            del os.environ[name]
        for name, value in self._environment.items():
            if os.environ.get(name) != value:
                os.environ[name] = value


class _NumPysState:
    """What NumPy keeps for everybody: settings, and its global generator."""

    def __init__(self) -> None:
        self._errors, self._printing = ErrorSettings(), np.get_printoptions()
        self._source, self._draws = _generator().get_bit_generator(), np.random.get_state(legacy=False)

    def restore(self) -> list[str]:
        """Put the settings back; returns in words which of them had changed."""
        found = ["NumPy's settings for errors"] if self._errors.restore() else []
        if repr(np.get_printoptions()) != repr(self._printing):
            np.set_printoptions(**self._printing)
            found.append("NumPy's settings for printing")
        return found

    def restore_draws(self) -> bool:
        """Put back the state of the global generator; returns whether it had changed."""
        drew = _generator().get_bit_generator() is not self._source
        if not drew and _listed(np.random.get_state(legacy=False)) == _listed(self._draws):
            return False
        _generator().set_bit_generator(self._source)
        np.random.set_state(self._draws)
        return True


def _generator() -> Any:
    return sys.modules["numpy.random.mtrand"]


def _listed(state: Any) -> Any:
    """A generator's state as what can be compared at once, the arrays in it as lists."""
    if isinstance(state, dict):
        return {name: _listed(value) for name, value in state.items()}
    return state.tolist() if isinstance(state, np.ndarray) else state


def _folder() -> str | None:
    try:
        return os.getcwd()
    except OSError:  # it was removed
        return None


def _went_to(folder: str) -> bool:
    try:
        os.chdir(folder)
    except OSError:  # it was removed in the meantime: there is nothing to go back to
        return False
    return True


def words_for(changed: list[str]) -> tuple[str, ...]:
    """The line that says what was put back, or none."""
    if not changed:
        return ()
    shown = [*changed[:4], *(["and more"] if len(changed) > 4 else [])]
    return (f"Put back as it was: {', '.join(shown)}. Nothing of the kind outlives its check.",)
