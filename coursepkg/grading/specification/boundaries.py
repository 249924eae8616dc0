"""The boundaries of a domain: which of them no case of a check touches, and cases made for the simple ones.

An answer that fails at a boundary passes a check that never goes there. So each boundary must occur; where the author
of an exercise gives no case for it, one is made out of a case that is there: an axis is cut to its least length, an
entry becomes 0 or the end of its range, the largest two are made equal. Such a case is taken only if it lies in the
domain and the reference has an answer for it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np

from coursepkg.grading.judging.arguments import copied
from coursepkg.grading.specification.domain import (
    Argument,
    Array,
    Choice,
    Formula,
    Listing,
    Number,
    Values,
    least_lengths,
    numbers_of,
    outside,
)


@dataclass(frozen=True)
class Boundary:
    """A place of the domain that has to be tried.

    Attributes
    ----------
    label : str
        In words: "X has one row (n = 1)".
    holds : callable
        Whether a case lies there.
    make : callable, optional
        A case that lies there, made of another one; None if it cannot be made of that one.
    beside : callable, optional
        A case moved off the boundary by a little, to see whether the boundary itself is judged.
    edge : bool
        Whether it is an edge, where an answer may fail, and no mere variety that the inputs must have.
    optional : bool
        Whether the domain may exclude it without saying so: then it is tried if a case can be made.
    """

    label: str
    holds: Callable[[Values], bool]
    make: Callable[[Values], Values | None] | None = None
    beside: Callable[[Values], Values] | None = None
    edge: bool = True
    optional: bool = False


def boundaries(domain: Mapping[str, Argument], meets: Mapping[str, Callable[..., Any]]) -> list[Boundary]:
    """All boundaries of a domain, and of what its arguments may do together."""
    found = [Boundary(label, partial(met, test)) for label, test in meets.items()]
    for name, argument in domain.items():
        found += _of_argument(name, argument)
    axes = least_lengths(domain)
    for axis, low in axes.items():
        found.append(_shortest(domain, axis, low))
    if len(axes) > 1:
        found.append(_all_alike(domain, list(axes)))
    return found


def met(test: Callable[..., Any], values: Values) -> bool:
    """Whether a test holds, which asks for those arguments that it names."""
    return bool(test(**{name: values[name] for name in _named(test)}))


@cache
def _named(test: Callable[..., Any]) -> tuple[str, ...]:
    return tuple(inspect.signature(test).parameters)


def _of_argument(name: str, argument: Argument) -> Iterator[Boundary]:
    if argument.optional:
        yield Boundary(f"{name} is left out", lambda v: v.get(name) is None, lambda v: {**v, name: None})
    if isinstance(argument, Choice):
        for value in argument.values:
            yield Boundary(f"{name} is {value!r}", partial(_is_value, name, value), partial(_with_value, name, value))
    elif isinstance(argument, Number):
        yield from _of_entries(name, argument)
    elif isinstance(argument, Formula):
        yield from _of_formula(name, argument)


def _is_value(name: str, value: Any, v: Values) -> bool:
    return type(v.get(name)) is type(value) and bool(v[name] == value)


def _with_value(name: str, value: Any, v: Values) -> Values:
    return {**v, name: value}


def special(argument: Number) -> list[tuple[str, Callable[[np.ndarray], np.ndarray], float]]:
    """Kinds of numbers that must occur: words, which entries are of the kind, and one such number."""
    found: list[tuple[str, Callable[[np.ndarray], np.ndarray], float]] = []
    for end, word in ((argument.at_least, "least"), (argument.at_most, "largest")):
        if end is not None and argument.allows(end):
            found.append((f"{end:g}, the {word} allowed", partial(_is, end), end))
    if argument.allows(0.0) and 0.0 not in (argument.at_least, argument.at_most):
        found.append(("0", partial(_is, 0.0), 0.0))
    low = next((-x for x in (0.7, 0.1, 1.0, 2.0, 1e-3) if argument.allows(-x)), None)
    if low is not None:
        found.append(("negative", partial(_is_beyond, 0.0, -1.0), low))
    if argument.period is not None:
        half, whole = argument.period / 2, argument.period
        for words, size, x in (
            ("beyond half a turn", half, 1.2 * half),
            ("beyond half a turn the other way", half, -1.2 * half),
            ("beyond a whole turn", whole, 1.2 * whole),
        ):
            if argument.allows(x):
                found.append((words, partial(_is_beyond, size, float(np.sign(x))), x))
    return found


def _is(wanted: float, x: np.ndarray) -> np.ndarray:
    return x == wanted


def _is_beyond(size: float, sign: float, x: np.ndarray) -> np.ndarray:
    return sign * x.real > size


def _of_entries(name: str, argument: Number) -> Iterator[Boundary]:
    what = f"an entry of {name}" if isinstance(argument, Array) else name
    for words, test, example in special(argument):

        def holds(v: Values, test: Callable[[np.ndarray], np.ndarray] = test) -> bool:
            entries = entries_of(v, name)
            return bool(test(entries).any())

        def beside(v: Values, test: Callable[[np.ndarray], np.ndarray] = test) -> Values:
            entries = entries_of(v, name)
            moved = np.where(test(entries), _moved(argument, entries), entries)
            return {**v, name: like(v[name], moved)}

        def make(v: Values, example: float = example) -> Values | None:
            entries = entries_of(v, name)
            if not entries.size:
                return None
            kept = entries.dtype if argument.whole else np.result_type(entries, float)
            entries = entries.astype(kept, copy=True)
            entries.reshape(-1)[::2] = example  # several: a single one might stand where it changes nothing
            return {**v, name: like(v[name], entries)}

        exact = words == "0" or words.endswith("allowed")
        yield Boundary(f"{what} is {words}", holds, make, beside if exact and not argument.whole else None)
    if isinstance(argument, Array):
        yield from _of_arrangement(name, argument)


def _of_arrangement(name: str, argument: Array) -> Iterator[Boundary]:
    if argument.any_in_front:
        for count, words in enumerate(("no axes", "one axis", "two axes or more")):
            yield Boundary(f"{name} has {words} in front", partial(_has_in_front, name, len(argument.names), count))
    if argument.all_zero:
        yield Boundary(
            f"all entries of {name} are 0",
            lambda v: entries_of(v, name).size > 0 and not entries_of(v, name).any(),
            lambda v: {**v, name: like(v[name], 0 * entries_of(v, name))},
        )
    if argument.ties:
        yield Boundary(f"the largest entry of {name} occurs twice", lambda v: _tied(entries_of(v, name)), _tie(name))
    if argument.order == "any" and argument.names:
        yield from _of_order(name)


def _has_in_front(name: str, own: int, count: int, v: Values) -> bool:
    return v.get(name) is not None and min(np.ndim(v[name]) - own, 2) == count


def entries_of(values: Values, name: str) -> np.ndarray:
    entries = None if values.get(name) is None else numbers_of(values[name])
    return np.zeros(0) if entries is None else entries


def _moved(argument: Number, entries: np.ndarray) -> np.ndarray:
    """Each entry a little further inside the domain."""
    step = 0.05
    return entries + np.where(np.vectorize(argument.allows, otypes=[bool])(entries + step), step, -step)


def like(old: Any, new: np.ndarray) -> Any:
    """A new array in the form of the old value: an array, nested lists, or a number."""
    if isinstance(old, np.ndarray):
        return new
    if isinstance(old, tuple):
        return tuple(new.tolist())
    return new.tolist()


def _rows(entries: np.ndarray) -> np.ndarray:
    """The slices along the last axis, one in each row."""
    return entries.reshape(-1, entries.shape[-1]) if entries.ndim and entries.size else np.zeros((0, 0))


def _tied(entries: np.ndarray) -> bool:
    rows = _rows(entries)
    return any(len(row) > 1 and np.count_nonzero(row == row.max()) > 1 and np.ptp(row) > 0 for row in rows) or any(
        len(row) == 2 and row[0] == row[1] for row in rows
    )


def _tie(name: str) -> Callable[[Values], Values | None]:
    def make(v: Values) -> Values | None:
        entries = entries_of(v, name).copy()
        if not entries.ndim or entries.shape[-1] < 2 or not entries.size:
            return None
        row = entries.reshape(-1, entries.shape[-1])[0]
        row[(int(row.argmax()) + 1) % len(row)] = row.max()
        return {**v, name: like(v[name], entries)}

    return make


def _of_order(name: str) -> Iterator[Boundary]:
    """The largest and the smallest entry stand in first, last and other places, in one case or another."""
    places = {
        "the largest entry of {} is not the first": lambda row: row.argmax() != 0,
        "the largest entry of {} is not the last": lambda row: row.argmax() != len(row) - 1,
        "the smallest entry of {} is not the first": lambda row: row.argmin() != 0,
        "the smallest entry of {} is not the last": lambda row: row.argmin() != len(row) - 1,
    }
    for words, test in places.items():

        def holds(v: Values, test: Callable[[np.ndarray], bool] = test) -> bool:
            entries = entries_of(v, name)
            rows = _rows(entries.real)
            along = np.moveaxis(entries.real, 0, -1).reshape(-1, len(entries)) if entries.ndim > 1 else rows
            return any(len(row) > 1 and test(row) for row in (*rows, *along))

        def make(v: Values) -> Values | None:
            entries = entries_of(v, name)
            if not entries.ndim or max(entries.shape) < 2:
                return None
            return {**v, name: like(v[name], np.flip(entries))}

        yield Boundary(words.format(name), holds, make, edge=False)


def _shortest(domain: Mapping[str, Argument], axis: str, low: int) -> Boundary:
    """An axis has its least length, in all arguments that have it."""

    def holds(v: Values) -> bool:
        found = [
            length
            for name, argument in domain.items()
            if v.get(name) is not None
            for known, length in argument.lengths(v[name])
            if known == axis
        ]
        return bool(found) and min(found) == low

    def make(v: Values) -> Values | None:
        return {name: cut(domain[name], v[name], axis, low) if name in domain else v[name] for name in v}

    return Boundary(f"the axis {axis} has the length {low}", holds, make)


def _all_alike(domain: Mapping[str, Argument], axes: Sequence[str]) -> Boundary:
    """All axes have one length, so that a matrix or its transpose, and a sum over any axis, fit everywhere."""

    def lengths(v: Values) -> dict[str, int]:
        given = [(domain[name], v[name]) for name in domain if v.get(name) is not None]
        return {axis: length for argument, value in given for axis, length in argument.lengths(value)}

    def holds(v: Values) -> bool:
        found = lengths(v)
        return len(found) > 1 and len(set(found.values())) == 1 and min(found.values()) > 1

    def make(v: Values) -> Values | None:
        low = min(lengths(v).values(), default=0)
        for axis in axes:
            v = {name: cut(domain[name], v[name], axis, low) if name in domain else v[name] for name in v}
        return v

    return Boundary("all axes have one length", holds, make, optional=True, edge=False)


def cut(argument: Argument, value: Any, axis: str, low: int) -> Any:
    """The value of an argument with one axis shortened to the length ``low``."""
    if value is None:
        return None
    if isinstance(argument, Array):
        entries = np.asarray(value)
        for place, name in enumerate(argument.names):
            if name == axis:
                entries = np.take(entries, np.arange(low), axis=entries.ndim - len(argument.names) + place)
        return like(value, entries)
    if isinstance(argument, Listing):
        kept = value[:low] if argument.name == axis else value
        inner = argument.item
        return kept if inner is None else type(value)(cut(inner, item, axis, low) for item in kept)
    return value


# --- formulas --------------------------------------------------------------------------------------------------------


def _of_formula(name: str, argument: Formula) -> Iterator[Boundary]:
    for operation in argument.operations.split():
        yield Boundary(f"{name} holds {operation}", partial(_holds_operation, name, operation))
    if argument.fan_out:
        yield Boundary(f"an intermediate of {name} is used twice", lambda v: _fans_out(v.get(name)))


def _holds_operation(name: str, operation: str, v: Values) -> bool:
    return any(node[0] == operation for node in _nodes(v.get(name)))


def _nodes(formula: Any) -> list[Any]:
    """All distinct nodes of a formula of nested tuples ``("mul", ("var", 0), ("const", 2.0))``."""
    found: dict[Any, None] = {}

    def visit(node: Any) -> None:
        if isinstance(node, tuple) and node and isinstance(node[0], str) and node not in found:
            found[node] = None
            for operand in node[1:]:
                visit(operand)

    visit(formula)
    return list(found)


def _fans_out(formula: Any) -> bool:
    nodes = _nodes(formula)
    uses = [operand for node in nodes for operand in node[1:] if isinstance(operand, tuple)]
    inner = [node for node in nodes if node[0] not in ("var", "const")]
    return any(uses.count(node) > 1 for node in inner)


# --- what is left untried ------------------------------------------------------------------------------------------


def twins(cases: Sequence[Values]) -> bool:
    """Whether two cases have equal shapes and other numbers, as a cache by shape needs to be seen."""
    described = [_shapes(values) for values in cases]
    return any(
        described[i] == described[j] and not _equal(cases[i], cases[j]) for i in range(len(cases)) for j in range(i)
    )


def make_twin(domain: Mapping[str, Argument], values: Values) -> Values | None:
    """The same shapes and other numbers: the rows of arrays exchanged, the numbers moved a little."""
    made = {name: _turned(domain[name], value) if name in domain else value for name, value in values.items()}
    return None if _equal(made, values) or outside(domain, made) else made


def _turned(argument: Argument, value: Any) -> Any:
    entries = numbers_of(value)
    if isinstance(argument, Array) and argument.order != "given" and entries is not None and entries.ndim:
        return like(value, np.roll(entries, 1, axis=0))
    if type(argument) is Number and not argument.whole and entries is not None:
        return like(value, _moved(argument, entries.astype(float)))
    if isinstance(argument, Listing) and argument.item is not None:
        return type(value)(_turned(argument.item, item) for item in value)
    return value


def _shapes(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _shapes(item) for key, item in value.items()}
    if isinstance(value, str | bool) or value is None:
        return value
    entries = numbers_of(value)
    if entries is not None:
        return entries.shape
    return tuple(_shapes(item) for item in value) if isinstance(value, list | tuple) else type(value).__name__


def _equal(first: Any, second: Any) -> bool:
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(_equal(first[key], second[key]) for key in first)
    if isinstance(first, list | tuple) and isinstance(second, list | tuple):
        return len(first) == len(second) and all(map(_equal, first, second))
    return np.array_equal(np.asarray(first, dtype=object), np.asarray(second, dtype=object))


@dataclass(frozen=True)
class Tried:
    """Cases with what was missing added, and what is missing still.

    Attributes
    ----------
    made : list of dict
        Further cases, by name of the argument.
    untried : list of str
        Labels of the boundaries that no case touches and none could be made for.
    """

    made: list[Values]
    untried: list[str]


def completed(
    domain: Mapping[str, Argument],
    meets: Mapping[str, Callable[..., Any]],
    cases: Sequence[Values],
    works: Callable[[Values], bool],
) -> Tried:
    """What has to be added to some cases so that each boundary of the domain is tried.

    Parameters
    ----------
    domain, meets
        As in a specification.
    cases : sequence of dict
        The arguments of each case by name.
    works : callable
        Whether the reference gives numbers for a case.

    Returns
    -------
    Tried
    """
    known, made, untried = list(cases), [], []
    for boundary in boundaries(domain, meets):
        if any(boundary.holds(values) for values in known):
            continue
        new = _made(domain, boundary.make, boundary.holds, cases, works)
        if new is None:
            untried += [] if boundary.optional else [boundary.label]
        else:
            known.append(new)
            made.append(new)
    if domain and not twins(known):
        new = _made(domain, lambda values: make_twin(domain, values), lambda values: True, cases, works)
        if new is None:
            untried.append("two cases with equal shapes and other numbers")
        else:
            made.append(new)
    return Tried(made, untried)


def _made(
    domain: Mapping[str, Argument],
    make: Callable[[Values], Values | None] | None,
    holds: Callable[[Values], bool],
    cases: Sequence[Values],
    works: Callable[[Values], bool],
) -> Values | None:
    """The first case that can be made of those that are there, lies in the domain and has an answer."""
    if make is None:
        return None
    for values in cases:
        new = make(copied(values))
        if new is not None and holds(new) and not outside(domain, new) and works(new):
            return new
    return None
