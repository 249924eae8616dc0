"""Hidden cases far from the usual ones: tiny and huge entries, long axes, whole numbers, equal rows, squares.

An answer that drops what is small, clips what is large, or looks at the first 64 rows passes a check whose numbers lie
around one and whose arrays are short; one that keys a dictionary by its entries passes where no two are equal. So for
each argument, and each axis, one case goes far out. Such a case is taken
only if every accepted answer agrees with the reference there: what only one way of computing survives would turn right
answers away. None of them is among the visible inputs, which would grow by as much as they hold now.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

import numpy as np

from coursepkg.grading.judging.arguments import copied
from coursepkg.grading.judging.values import is_number, leaves
from coursepkg.grading.specification.boundaries import entries_of, like
from coursepkg.grading.specification.coincidences import coincidences, with_integers
from coursepkg.grading.specification.domain import (
    Argument,
    Array,
    Choice,
    Listing,
    Number,
    Values,
    least_lengths,
    most_lengths,
    outside,
)

LONG = 70  # beyond the blocks of 64 that people write
HUGE = (1e6, 1e3, 40.0)  # the first in which right answers agree
TINY = (1e-9, 1e-6, 1e-4)
SMALL = (1e-8, 3e-5)  # what is linear in it, or quadratic, is then ten times what two numbers may differ by
BASES = 3  # so many usual cases are tried; a few more would seldom help, and each costs a run of every right answer
NOTHING = 1e-12
TURNS = (17.21, -17.21)
NEARLY = 4e-6  # so far beside whole numbers; np.allclose takes them for whole
_GOLDEN = 0.6180339887498949
Way = tuple[int, int]  # which attempt, and on which case


@dataclass(frozen=True)
class Wish:
    """A case that is wanted, and the ways to come by one.

    Attributes
    ----------
    key : tuple
        Names it in every draw: the choices of the cases that it is made of, and a number.
    attempts : sequence of callable
        What makes it of another case, the best first.
    cases : list of dict
        The cases that it may be made of.
    firm : bool
        Whether all numbers of its result must be of a usual size.
    """

    key: tuple[Any, ...]
    attempts: Sequence[Callable[[Values], Values | None]]
    cases: Sequence[Values]
    firm: bool

    def fits(self, wanted: Any) -> bool:
        """Whether what the reference gives for a case can be compared with."""
        return wanted is not None and (not self.firm or _is_firm(wanted))

    def tries(self, domain: Mapping[str, Argument], first: Way = (0, 0)) -> Iterator[tuple[Way, Values]]:
        """All that can be made and lies in the domain, and how; ``first`` comes first."""
        ways = [(k, j) for k in range(len(self.attempts)) for j in range(min(BASES, len(self.cases)))]
        for k, j in sorted(ways, key=lambda way: way != first):
            new = self.attempts[k](copied(self.cases[j]))
            if new is not None and not outside(domain, new):
                yield (k, j), new


def wishes(domain: Mapping[str, Argument], cases: Sequence[Values], *, integers: bool = False) -> Iterator[Wish]:
    """Cases far from those that are there, as they are wanted.

    Parameters
    ----------
    domain : mapping of str to Argument
        As in a specification.
    cases : sequence of dict
        The arguments of each case by name.
    integers : bool
        Whether arrays may be of an integer kind.
    """
    for choices, alike in _by_choice(domain, cases).items():
        small = [attempts for name, argument in domain.items() if _is_free(argument) for attempts in _small(name)]
        together = [[make] for make in (*coincidences(domain), *(with_integers(domain) if integers else ()))]
        for number, attempts in enumerate([*small, *_wishes(domain), *together]):
            yield Wish((choices, number), attempts, alike, number >= len(small))


def far_out(
    domain: Mapping[str, Argument],
    cases: Sequence[Values],
    answer: Callable[[Values], Any],
    agreed: Callable[[Values, Any], bool],
    *,
    integers: bool = False,
) -> Iterator[tuple[tuple[Any, ...], Way, Values]]:
    """Cases far from those that are there: of each wish the first that works, with its key and the way to it.

    Parameters
    ----------
    domain, cases, integers
        As for ``wishes``.
    answer : callable
        What the reference gives for a case, as plain data; None if that is nothing to compare with.
    agreed : callable
        Whether all right answers give that for a case.
    """
    for wish in wishes(domain, cases, integers=integers):
        for way, new in wish.tries(domain):
            if wish.fits(wanted := answer(new)) and agreed(new, wanted):
                yield wish.key, way, new
                break


def _is_firm(value: Any) -> bool:
    """Whether the numbers of each part are of a usual size or nothing, and not too far from each other.

    Far out, what is left between is rounding; and who takes differences loses small numbers beside large ones.
    """
    parts = [np.abs(leaf) for leaf in leaves(value) if is_number(leaf)]
    sizes = [part[part > NOTHING] for part in map(np.atleast_1d, parts)]
    return all(part.max() >= 1e-3 and part.min() >= 1e-5 * part.max() for part in sizes if part.size)


def in_single(domain: Mapping[str, Argument], values: Values) -> Values:
    """A case in float32, as right answers may compute: where that goes astray, no answer can be asked for."""
    return {name: _single(domain.get(name), value) for name, value in values.items()}


def _single(argument: Argument | None, value: Any) -> Any:
    if isinstance(argument, Listing) and argument.item is not None and value is not None:
        return type(value)(_single(argument.item, item) for item in value)
    entries = entries_of({"value": value}, "value")
    if not isinstance(argument, Number) or entries.dtype.kind not in "fc":
        return value
    single = as_single(entries)
    return single if isinstance(value, np.ndarray) else _nested(single)


def as_single(entries: np.ndarray) -> np.ndarray:
    """Real and complex numbers in half the digits; whole ones stay."""
    with np.errstate(over="ignore"):
        return entries.astype({"f": np.float32, "c": np.complex64}.get(entries.dtype.kind, entries.dtype))


def _nested(entries: np.ndarray) -> Any:
    return entries[()] if not entries.ndim else [_nested(part) for part in entries]


def _by_choice(domain: Mapping[str, Argument], cases: Sequence[Values]) -> dict[tuple[Any, ...], list[Values]]:
    """The cases in groups with the same choices: what is tried of one operation says nothing about another."""
    names = [name for name, argument in domain.items() if isinstance(argument, Choice)]
    groups: dict[tuple[Any, ...], list[Values]] = {}
    for case in cases:
        groups.setdefault(tuple(case.get(name) for name in names), []).append(case)
    return groups


def _wishes(domain: Mapping[str, Argument]) -> Iterator[list[Callable[[Values], Values | None]]]:
    """What to try; of each list, the first that works."""
    for off in (0.0, NEARLY):
        yield [_with_whole_numbers(domain, off)]
    for name, argument in domain.items():
        if _is_free(argument):
            for numbers in _far_numbers(argument):
                yield [_with_entries(name, x) for x in numbers]
    most = most_lengths(domain)
    for axis, least in least_lengths(domain).items():
        if (length := min(LONG, most.get(axis, LONG))) > least and not _is_bound(domain, axis):
            yield [_stretched(domain, axis, length, varied=varied) for varied in (True, False)]


def _small(name: str) -> Iterator[list[Callable[[Values], Values | None]]]:
    """What makes results small by itself, and leaves all their digits."""
    for factor in SMALL:
        yield [_scaled(name, factor)]
    for sign in (1, -1):
        yield [_with_entries(name, sign * x) for x in TINY]


def _is_free(argument: Argument) -> TypeGuard[Number]:
    """Whether its entries may be other ones. A square matrix is often more than its numbers: orthogonal, a graph."""
    return (
        isinstance(argument, Number) and not argument.whole and not (isinstance(argument, Array) and _twice(argument))
    )


def _twice(argument: Array) -> bool:
    return len(set(argument.names)) < len(argument.names)


def _is_bound(domain: Mapping[str, Argument], axis: str) -> bool:
    """Whether an axis cannot be made longer by repeating what is there."""
    arrays = [argument for argument in domain.values() if isinstance(argument, Array) and axis in argument.names]
    return any(_twice(argument) or argument.order == "given" for argument in arrays)


def _far_numbers(argument: Number) -> list[list[float]]:
    """Numbers to try in each direction, the furthest first."""
    if argument.period is not None:
        return [[turns * argument.period] for turns in TURNS]
    low = argument.at_least if argument.more_than is None else argument.more_than
    high = argument.at_most if argument.less_than is None else argument.less_than
    return [
        [(low or 0) + x for x in HUGE] if high is None else [high - x for x in TINY],
        [(high or 0) - x for x in HUGE] if low is None else [low + x for x in TINY],
    ]


def _with_entries(name: str, x: float) -> Callable[[Values], Values | None]:
    def make(v: Values) -> Values | None:
        entries = entries_of(v, name)
        if not entries.size or entries.dtype.kind not in "fic":
            return None
        entries = entries.astype(np.result_type(entries, float))
        some = entries.reshape(-1)[::2]
        some[:] = x * np.exp(2j * np.pi * _GOLDEN * np.arange(len(some))) if entries.dtype.kind == "c" else x
        return {**v, name: like(v[name], entries)}

    return make


def _scaled(name: str, factor: float) -> Callable[[Values], Values | None]:
    def make(v: Values) -> Values | None:
        entries = entries_of(v, name)
        return {**v, name: like(v[name], entries * factor)} if entries.any() and entries.dtype.kind in "fc" else None

    return make


def _with_whole_numbers(domain: Mapping[str, Argument], off: float) -> Callable[[Values], Values | None]:
    def make(v: Values) -> Values | None:
        made = {name: _whole(domain.get(name), value, off) for name, value in v.items()}
        changed = any(made[name] is not v[name] for name in made)
        return made if changed else None

    return make


def _whole(argument: Argument | None, value: Any, off: float) -> Any:
    """Each number a whole one, or a little beside; whatever may hold none stays as it is, and a float remains one."""
    if isinstance(argument, Listing) and argument.item is not None and value is not None:
        return type(value)(_whole(argument.item, item, off) for item in value)
    entries = entries_of({"value": value}, "value")
    if argument is None or not _is_free(argument) or entries.dtype.kind != "f" or not entries.size:
        return value
    rounded = np.sign(entries) * np.ceil(np.abs(entries)) * (1 + off)
    if not np.isfinite(rounded).all() or not all(argument.allows(x) for x in rounded.ravel().tolist()):
        return value
    return like(value, rounded)


def _stretched(
    domain: Mapping[str, Argument], axis: str, length: int, *, varied: bool
) -> Callable[[Values], Values | None]:
    def make(v: Values) -> Values | None:
        return {name: _repeated(domain.get(name), value, axis, length, varied) for name, value in v.items()}

    return make


def _repeated(argument: Argument | None, value: Any, axis: str, length: int, varied: bool) -> Any:
    """The slices along an axis again and again, each a little different where the argument is made of real numbers."""
    if value is None:
        return None
    if isinstance(argument, Listing):
        items = [_repeated(argument.item, item, axis, length, varied) for item in value]
        if argument.name == axis:
            items = [copied(items[k % len(items)]) for k in range(length)] if items else items
        return type(value)(items) if isinstance(value, list | tuple) else value
    if not isinstance(argument, Array) or axis not in argument.names:
        return value
    entries = np.asarray(value)
    for place, name in enumerate(argument.names):
        if name == axis and entries.size:
            along = entries.ndim - len(argument.names) + place
            entries = np.take(entries, np.arange(length) % entries.shape[along], axis=along)
            if varied and entries.dtype.kind == "f" and not argument.whole:
                factors = 0.6 + 0.8 * (np.arange(length) * _GOLDEN % 1)
                entries = entries * factors.reshape([-1 if k == along else 1 for k in range(entries.ndim)])
    return like(value, entries)
