"""Hidden cases in which things coincide: two equal rows, an array of nothing but zeros, squares, two arguments alike.

Random numbers are all different, none is zero, and random shapes are seldom square. An answer that looks up an entry
by its value, divides by a sum that may vanish, or takes the wrong axis where both are of one length is right on all of
them. Here are ways to make such a case of another one; ``extremes`` takes those on which all right answers agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np

from coursepkg.grading.specification.boundaries import cut, entries_of, like
from coursepkg.grading.specification.domain import Argument, Array, Listing, Values, least_lengths

Make = Callable[[Values], Values | None]


def coincidences(domain: Mapping[str, Argument]) -> Iterator[Make]:
    """Ways to make two things of a case coincide.

    Parameters
    ----------
    domain : mapping of str to Argument
        As in a specification.

    Yields
    ------
    callable
        Gives the arguments of a new case for those of another one, by name; None if it cannot.
    """
    for name in _arrays(domain):
        for change in (_nothing, _constant, _with_equal_slices, _with_empty_slices):
            yield partial(_changed, name, change)
    for first, second in combinations(_arrays(domain), 2):
        yield partial(_alike, first, second)
    axes = _axes(domain)
    if axes:
        yield partial(_shortest, domain, axes)
    if len(axes) > 1:
        yield partial(_square, domain, axes)


def with_integers(domain: Mapping[str, Argument]) -> Iterator[Make]:
    """Ways to give arrays of an integer kind: each argument by itself, and all of them."""
    names = [name for name, argument in domain.items() if _array(argument) is not None]
    for chosen in ([name] for name in names):
        yield partial(_integers, domain, chosen)
    if len(names) > 1:
        yield partial(_integers, domain, names)


def _array(argument: Argument | None) -> Array | None:
    """The arrays that an argument is made of, if their entries may be any numbers; matrices like a graph's are not."""
    if isinstance(argument, Listing):
        return _array(argument.item)
    if isinstance(argument, Array) and not argument.whole and len(set(argument.names)) == len(argument.names):
        return argument
    return None


def _arrays(domain: Mapping[str, Argument]) -> list[str]:
    return [name for name, argument in domain.items() if isinstance(argument, Array) and _array(argument)]


def _axes(domain: Mapping[str, Argument]) -> dict[str, int]:
    """The axes that may be cut, with their least lengths; a matrix that is square by nature stays as it is."""
    bound = {
        axis
        for argument in domain.values()
        if isinstance(array := argument.item if isinstance(argument, Listing) else argument, Array)
        for axis in array.names
        if array.names.count(axis) > 1
    }
    return {axis: max(low, 1) for axis, low in least_lengths(domain).items() if axis not in bound}


def _changed(name: str, change: Callable[[np.ndarray], np.ndarray], v: Values) -> Values | None:
    entries = entries_of(v, name)
    if entries.dtype.kind not in "fic" or not entries.size:
        return None
    new = change(entries.copy())
    return None if np.array_equal(new, entries) else {**v, name: like(v[name], new)}


def _nothing(entries: np.ndarray) -> np.ndarray:
    return 0 * entries


def _constant(entries: np.ndarray) -> np.ndarray:
    return np.full_like(entries, entries.flat[-1])


def _with_equal_slices(entries: np.ndarray) -> np.ndarray:
    """Along each axis the second slice is the first one again."""
    for axis in range(entries.ndim):
        along = np.moveaxis(entries, axis, 0)
        along[1:2] = along[:1]
    return entries


def _with_empty_slices(entries: np.ndarray) -> np.ndarray:
    """The last slice along each axis holds nothing but zeros."""
    for axis in range(entries.ndim):
        np.moveaxis(entries, axis, 0)[-1:] = 0
    return entries


def _alike(first: str, second: str, v: Values) -> Values | None:
    one, other = entries_of(v, first), entries_of(v, second)
    if one.shape != other.shape or not one.size or np.array_equal(one, other):
        return None
    return {**v, second: like(v[second], one.copy())}


def _shortest(domain: Mapping[str, Argument], axes: Mapping[str, int], v: Values) -> Values | None:
    """Every axis as short as it may be."""
    made = v
    for axis, low in axes.items():
        made = _with_length(domain, made, axis, low)
    return made


def _square(domain: Mapping[str, Argument], axes: Mapping[str, int], v: Values) -> Values | None:
    """All axes of one length."""
    found = [
        (axis, length)
        for name, argument in domain.items()
        if v.get(name) is not None
        for axis, length in argument.lengths(v[name])
        if axis in axes
    ]
    low = min((length for _, length in found), default=0)
    if low < 2:
        return None
    for axis, _ in found:
        v = _with_length(domain, v, axis, low)
    return v


def _with_length(domain: Mapping[str, Argument], v: Values, axis: str, length: int) -> Values:
    return {name: cut(domain[name], v[name], axis, length) if name in domain else v[name] for name in v}


def _integers(domain: Mapping[str, Argument], names: list[str], v: Values) -> Values | None:
    made = {name: _whole(_array(domain.get(name)), v[name]) if name in names else v[name] for name in v}
    return None if any(made[name] is v[name] and v[name] is not None for name in names) else made


def _whole(argument: Array | None, value: Any) -> Any:
    """An array of integers in place of one of other numbers; the value itself where the domain has none there."""
    if isinstance(value, list | tuple):
        items = [_whole(argument, item) for item in value]
        return value if any(new is old for new, old in zip(items, value, strict=True)) else type(value)(items)
    if argument is None or not isinstance(value, np.ndarray) or value.dtype.kind != "f" or not value.size:
        return value
    rounded = np.sign(value) * np.ceil(np.abs(value))
    allowed = np.isfinite(rounded).all() and all(argument.allows(x) for x in rounded.ravel().tolist())
    return rounded.astype(np.int64) if allowed else value
