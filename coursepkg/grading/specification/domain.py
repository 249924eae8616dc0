"""What a task allows: a small vocabulary for the domain of an exercise, and the boundaries that follow from it.

A check that knows only the reference's code tries what the code happens to distinguish. The holes are elsewhere: in a
batch of one example, a zero, a tie, a probability of exactly 1. So each exercise says, argument by argument, what its
task and docstring allow::

    domain={
        "X": Array("n i"),                             # n rows, i columns: 1 or more of each, any numbers
        "T": Array("n k", at_least=0, at_most=1),      # as many rows as X; both ends may occur
        "rate": Number(more_than=0, less_than=1),
        "steps": Number(whole=True, at_least=0),
        "phases": Array("m", period=2 * math.pi),
        "kind": Choice("sgd", "adam"),
    }

From this follow *boundaries*: X has one row, an entry of T is exactly 0, steps is 0, a phase lies beyond half a turn.
``boundaries`` finds them. ``outside`` says where a case leaves the domain. An axis has one length throughout a case,
whatever argument it belongs to; ``n>=2`` gives it another least length than 1, ``n<=8`` a greatest one, ``3`` a fixed
one, and ``...`` stands for any axes in front.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

import numpy as np

Values = dict[str, Any]  # the arguments of a case by name
_AXIS = re.compile(r"(\w+|\.\.\.)(?:>=(\d+))?(?:<=(\d+))?")


@dataclass(frozen=True)
class Argument:
    """What one argument may be.

    Parameters
    ----------
    optional : bool
        Whether it may be left out or None; then both must occur.
    """

    optional: bool = field(default=False, kw_only=True)

    def problems(self, name: str, value: Any) -> list[str]:
        """Why a value is none that this argument may have."""
        return []

    @property
    def least(self) -> dict[str, int | None]:
        """The least length of each axis; None where it is not said."""
        return {}

    @property
    def most(self) -> dict[str, int]:
        """The greatest length of each axis that has one."""
        return {}

    def lengths(self, value: Any) -> Iterator[tuple[str, int]]:
        """Names and lengths of the axes of a value; a name may come several times."""
        yield from ()


@dataclass(frozen=True)
class Number(Argument):
    """A number: ``Number(at_least=0, less_than=1)``.

    Parameters
    ----------
    at_least, more_than, at_most, less_than : float, optional
        Where it ends; ``at_least`` and ``at_most`` may be reached, and must occur.
    zero : bool
        Whether it may be 0.
    whole : bool
        Whether it is a whole number.
    period : float, optional
        It is an angle or the like, of which whole turns may be taken away; more than half a turn must occur.
    """

    at_least: float | None = field(default=None, kw_only=True)
    more_than: float | None = field(default=None, kw_only=True)
    at_most: float | None = field(default=None, kw_only=True)
    less_than: float | None = field(default=None, kw_only=True)
    zero: bool = field(default=True, kw_only=True)
    whole: bool = field(default=False, kw_only=True)
    period: float | None = field(default=None, kw_only=True)

    def allows(self, x: float) -> bool:
        """Whether a number lies inside."""
        return (
            (self.at_least is None or x >= self.at_least)
            and (self.more_than is None or x > self.more_than)
            and (self.at_most is None or x <= self.at_most)
            and (self.less_than is None or x < self.less_than)
            and (self.zero or x != 0)
            and (not self.whole or float(x).is_integer())
        )

    def problems(self, name: str, value: Any) -> list[str]:
        """Why a value is none that this argument may have."""
        entries = numbers_of(value)
        if entries is None:
            return [f"{name} holds something that is no number"]
        if words := self._form_problems(name, entries.shape):
            return words
        if entries.dtype.kind == "c" or self._allows_all(entries):
            return []
        bad = [x for x in entries.ravel().tolist() if not self.allows(x)]
        return [f"{name} holds {bad[0]:g}, which the domain excludes"] if bad else []

    @cached_property
    def _is_unbounded(self) -> bool:
        ends = (self.at_least, self.more_than, self.at_most, self.less_than)
        return self.zero and not self.whole and ends == (None, None, None, None)

    def _allows_all(self, entries: np.ndarray) -> bool:
        """Whether all entries lie inside, as far as the two ends tell; it is quicker than to look at each."""
        if not entries.size or self.whole:
            return False
        if self._is_unbounded:
            return True
        low, high = entries.min().item(), entries.max().item()
        return self.allows(low) and self.allows(high) and (self.zero or low > 0 or high < 0)

    def _form_problems(self, name: str, shape: tuple[int, ...]) -> list[str]:
        return [f"{name} has the shape {shape}, and is no number"] if shape else []


@dataclass(frozen=True)
class Array(Number):
    """An array, or lists in its place, with entries limited as a ``Number`` is: ``Array("n k>=2", at_most=1)``.

    Parameters
    ----------
    axes : str
        A name for each axis, with its least length if that is not 1 (``"n>=0"``), a fixed length (``"3"``), or
        ``...`` in front for any axes.
    all_zero : bool
        Whether all entries may be 0 at once, and must be in some case.
    ties : bool
        Whether equal entries matter, so that two largest ones must occur.
    order : str
        "any": the largest and the smallest entry must not always stand at one end; "given": the task says in which
        order they come; "free": the result does not depend on it.
    """

    axes: str
    all_zero: bool = field(default=False, kw_only=True)
    ties: bool = field(default=False, kw_only=True)
    order: str = field(default="any", kw_only=True)

    def __post_init__(self) -> None:
        parsed(self.axes)  # says what is wrong with it
        if self.order not in ("any", "given", "free"):
            raise ValueError(f'the order of an array is "any", "given" or "free", not {self.order!r}')

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The axes without ``...``."""
        return tuple(name for name, _ in parsed(self.axes) if name != "...")

    @property
    def any_in_front(self) -> bool:
        """Whether there may be further axes in front."""
        return self.axes.startswith("...")

    @cached_property
    def least(self) -> dict[str, int | None]:
        """The least length of each axis; None where it is not said."""
        return {name: low for name, low in parsed(self.axes) if not name.isdigit() and name != "..."}

    @cached_property
    def most(self) -> dict[str, int]:
        """The greatest length of each axis that has one."""
        return greatest(self.axes)

    def lengths(self, value: Any) -> Iterator[tuple[str, int]]:
        """Names and lengths of the axes of a value."""
        shape = np.shape(value)
        for axis, length in zip(self.names, shape[len(shape) - len(self.names) :], strict=False):
            if not axis.isdigit():
                yield axis, length

    def _form_problems(self, name: str, shape: tuple[int, ...]) -> list[str]:
        front = len(shape) - len(self.names)
        fits = front >= 0 if self.any_in_front else front == 0
        if fits:
            fits = all(not a.isdigit() or int(a) == n for a, n in zip(self.names, shape[front:], strict=True))
        return [] if fits else [f"{name} has the shape {shape}, not ({self.axes})"]


@dataclass(frozen=True)
class Listing(Argument):
    """A list or tuple of things of one kind: ``Listing("layers", Array("n k"))``.

    Parameters
    ----------
    axis : str
        The name of its length, with the least one if that is not 1: ``"steps>=0"``.
    item : Argument, optional
        What each item may be.
    """

    axis: str
    item: Argument | None = None

    def __post_init__(self) -> None:
        parsed(self.axis)

    @property
    def name(self) -> str:
        """The name of its length."""
        return parsed(self.axis)[0][0]

    @cached_property
    def least(self) -> dict[str, int | None]:
        """The least length of the list, and of each axis of its items; None where it is not said."""
        return {**(self.item.least if self.item else {}), **dict(parsed(self.axis))}

    @cached_property
    def most(self) -> dict[str, int]:
        """The greatest length of the list, and of each axis of its items, where there is one."""
        return {**(self.item.most if self.item else {}), **greatest(self.axis)}

    def lengths(self, value: Any) -> Iterator[tuple[str, int]]:
        """The length of the list, and those of its items."""
        yield self.name, len(value)
        for item in value if self.item else ():
            yield from self.item.lengths(item) if self.item else ()

    def problems(self, name: str, value: Any) -> list[str]:
        """Why a value is no such list."""
        if not isinstance(value, list | tuple | np.ndarray):
            return [f"{name} is no list"]
        return [words for k, x in enumerate(value) if self.item for words in self.item.problems(f"{name}[{k}]", x)]


@dataclass(frozen=True)
class Choice(Argument):
    """One of a few values, each of which must occur: ``Choice("sgd", "adam")``; also ``Choice(True, False)``."""

    values: tuple[Any, ...]

    def __init__(self, *values: Any, optional: bool = False):
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "optional", optional)

    def problems(self, name: str, value: Any) -> list[str]:
        """Why a value is none of them."""
        known = any(type(value) is type(option) and value == option for option in self.values)
        return [] if known else [f"{name} = {value!r} is none of {', '.join(map(repr, self.values))}"]


@dataclass(frozen=True)
class Formula(Argument):
    """A formula for an engine to build; each operation must occur, and an intermediate that is used twice.

    Parameters
    ----------
    operations : str
        Their names, with blanks between them: ``Formula("add mul tanh")``.
    fan_out : bool
        Whether an intermediate result may be used more than once.
    """

    operations: str
    fan_out: bool = True


@dataclass(frozen=True)
class Anything(Argument):
    """What the vocabulary has no word for: say what it is, and give its boundaries as ``meets``."""

    reason: str


@cache
def parsed(axes: str) -> list[tuple[str, int | None]]:
    """The names and least lengths of axes: ``"n k>=2"`` gives ``[("n", None), ("k", 2)]``.

    Raises
    ------
    ValueError
        If an axis is written in another way.
    """
    found: list[tuple[str, int | None]] = []
    for word in axes.split():
        match = re.fullmatch(_AXIS, word)
        if match is None or (match[1] == "..." and found):
            raise ValueError(f"an axis is written n, n>=2, n<=8, 3 or, in front of the others, ...; not {word!r}")
        found.append((match[1], int(match[2]) if match[2] else None))
    return found


def greatest(axes: str) -> dict[str, int]:
    """The greatest length of each axis that has one: ``"n k<=8"`` gives ``{"k": 8}``."""
    matches = [re.fullmatch(_AXIS, word) for word in axes.split()]
    return {match[1]: int(match[3]) for match in matches if match and match[3]}


def numbers_of(value: Any) -> np.ndarray | None:
    """A number, an array or nested lists of equal lengths as an array; None if it is nothing of that kind."""
    try:
        entries = np.asarray(value)
    except ValueError:
        return None
    return entries if entries.dtype.kind in "fiubc" else None


# --- where is a case? --------------------------------------------------------------------------------------------


def outside(domain: Mapping[str, Argument], values: Values) -> list[str]:
    """Why a case does not lie in the domain; empty if it does."""
    problems: list[str] = []
    lengths: dict[str, set[int]] = {}
    for name, argument in domain.items():
        value = values.get(name)
        if value is None:
            problems += [] if argument.optional else [f"{name} is missing"]
        elif words := argument.problems(name, value):
            problems += words
        else:
            for axis, length in argument.lengths(value):
                lengths.setdefault(axis, set()).add(length)
    if not lengths:
        return problems
    least, most = least_lengths(domain), most_lengths(domain)
    for axis, found in lengths.items():
        if len(found) > 1:
            problems.append(f"the axis {axis} has the lengths {', '.join(map(str, sorted(found)))}")
        if min(found) < least.get(axis, 0):
            problems.append(f"the axis {axis} has the length {min(found)}, and {least[axis]} is the least")
        if max(found) > most.get(axis, max(found)):
            problems.append(f"the axis {axis} has the length {max(found)}, and {most[axis]} is the greatest")
    return problems


def least_lengths(domain: Mapping[str, Argument]) -> dict[str, int]:
    """The least length of each axis of a domain: as one of its arguments says, or else 1."""
    found: dict[str, int] = {}
    for argument in domain.values():
        for axis, low in argument.least.items():
            if low is not None:
                found[axis] = low
            found.setdefault(axis, 1)
    return found


def most_lengths(domain: Mapping[str, Argument]) -> dict[str, int]:
    """The greatest length of each axis of a domain that has one."""
    return {axis: length for argument in domain.values() for axis, length in argument.most.items()}
