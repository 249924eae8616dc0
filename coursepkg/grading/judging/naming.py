"""Which wrong ideas of the bank explain an answer, and how sure that is.

An idea is recognised only if it explains every case, the ones that happen to be right included. It is *named* if no
other idea explains them too and if the agreement tells something; otherwise it is *asked about*.

What tells something: a number that is wrong, and that hardly two different mistakes would share. Zeros, infinities,
NaN, and a whole input handed back are shared by many mistakes and count nothing. Whole numbers below ten, yes and no,
strings, errors, and each different number that an input holds, too, count a tenth. Any other number counts one, however
often it occurs. Two are asked for.

If no idea explains everything, two together may: where only one of them differs from the right answer, entry by entry,
its numbers must stand, where both do those of either, and everywhere else the right ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from coursepkg.grading.judging.arrays import np
from coursepkg.grading.judging.calling import Outcome
from coursepkg.grading.judging.values import at, close, decode, difference, groups, is_number, stacked

ENOUGH, WEAK, SMALL = 2.0, 0.1, 10
Entry = Mapping[str, Any]
# Of one part: what an idea gives, where that differs from the right answer, where the learner's answer agrees with it.
Part = tuple[np.ndarray | str, np.ndarray, np.ndarray]
Spread = list[Part]  # of each part of a case
Rows = list[np.ndarray]  # of each part of a case: where the learner's answer is right


@dataclass(frozen=True)
class Named:
    """Ideas that explain an answer.

    Attributes
    ----------
    entries : list of mapping
        Entries of the bank, in its order: one, or the candidates, or the two that are true together.
    how : str
        "one" (it is this, or each of them might be) or "two" (both are there at once).
    sure : bool
        Whether it can be said; otherwise it is asked.
    """

    entries: list[Entry]
    how: str
    sure: bool


class Namer:
    """The ideas of a compiled check, held against an answer's outcomes.

    Parameters
    ----------
    compiled : mapping
        The compiled check.
    expected : sequence
        Per case, the expected value.
    outcomes : sequence of Outcome
        Per case, what the answer gave.
    told : callable
        ``told(entry)`` gives what a wrong idea gives: per case, a ``value`` or an ``error``.
    """

    def __init__(
        self,
        compiled: Mapping[str, Any],
        expected: Sequence[Any],
        outcomes: Sequence[Outcome],
        told: Callable[[Entry], Iterator[Mapping[str, Any]]],
    ):
        self.compiled, self.expected, self.outcomes, self.told = compiled, expected, outcomes, told
        self.rtol, self.atol = compiled["rtol"], compiled["atol"]
        self.extra_axes = bool(compiled.get("extra_axes", False))
        self._known_inputs: dict[int, tuple[set[float], list[np.ndarray]]] = {}

    def name(self) -> Named | None:
        """The ideas that explain all cases, or None."""
        changed = any(outcome.changed for outcome in self.outcomes)
        found = [
            entry
            for entry in self.compiled["misconceptions"]
            if all(map(self._explains, self.told(entry), self.outcomes)) and (changed or not entry["changes"])
        ]
        if changed and any(entry["changes"] for entry in found):
            found = [entry for entry in found if entry["changes"]]
        if found:
            sure = len(found) == 1 and (found[0]["changes"] or self._tells(found[0]))
            return Named(found, "one", sure)
        return self._together()

    def partly(self, paths: Sequence[tuple[Any, ...]]) -> Named | None:
        """The ideas that explain these parts of all cases, whatever they do to others; they are only asked about."""

        def explains(entry: Entry) -> bool:
            values = [wrong["value"] for wrong in self.told(entry) if "error" not in wrong]
            return len(values) == len(self.outcomes) and all(
                (idea := at(value, wanted, path)) is not None
                and (got := at(outcome.value, wanted, path)) is not None
                and self._same(idea[0], got[0])
                for value, wanted, outcome in zip(values, self.expected, self.outcomes, strict=True)
                for path in paths
            )

        found = [entry for entry in self._pure() if explains(entry)]
        return Named(found, "one", False) if found else None

    def _explains(self, wrong: Mapping[str, Any], outcome: Outcome) -> bool:
        if "error" in wrong:
            return outcome.kind == "error" and outcome.error == wrong["error"]
        return outcome.kind == "value" and self._same(wrong["value"], outcome.value)

    def _same(self, wanted: Any, given: Any) -> bool:
        return difference(wanted, given, self.rtol, self.atol, extra_axes=self.extra_axes) is None

    # --- does an agreement tell anything ---

    def _tells(self, entry: Entry) -> bool:
        evidence = Evidence(self.atol)
        for number, wrong in enumerate(self.told(entry)):
            if "error" in wrong:
                evidence.weak += 1
                continue
            value, wanted = wrong["value"], self.expected[number]
            if self._same(wanted, value):
                continue
            for leaf, differs, _ in self._spread(number, value):
                evidence.add(leaf, differs, self.inputs(number))
            if evidence.enough:  # and what comes takes nothing away from it
                return True
        return evidence.enough

    def inputs(self, number: int) -> tuple[set[float], list[np.ndarray]]:
        """Sizes of all numbers among the inputs of a case, and its arrays."""
        if number not in self._known_inputs:
            item = self.compiled["cases"][number]
            given = [decode(arg) for arg in (*item["args"], *item["kwargs"].values())]
            arrays = [np.asarray(part) for part in _arrays(given)]
            self._known_inputs[number] = {size for array in arrays for size in _sizes(array)}, arrays
        return self._known_inputs[number]

    # --- entry by entry ---

    def _spread(self, number: int, value: Any) -> Spread:
        """Per part of a case: an idea's entries, where they differ from the right ones, where they are as given."""
        wanted, given, rows = self.expected[number], self.outcomes[number].value, []
        for path in groups([wanted]):
            [right] = at(wanted, wanted, path) or (None,)
            idea, got = at(value, wanted, path), at(given, wanted, path)
            if idea is None:
                rows.append((_array(value), np.asarray(True), np.asarray(self._same(value, given))))
            else:
                differs = ~self._agreement(right, idea[0])
                matches = self._agreement(idea[0], got[0]) if got is not None else np.asarray(False)
                rows.append((_array(idea[0]), differs, matches))
        return rows

    def _agreement(self, wanted: Any, given: Any) -> np.ndarray:
        """Where two parts agree: entry by entry if both are numbers in one shape, else all or nothing."""
        one, other = stacked(wanted), stacked(given)
        if is_number(one) and is_number(other) and np.shape(one) == np.shape(other):
            return np.asarray(close(np.asarray(one), np.asarray(other), self.rtol, self.atol))
        return np.asarray(self._same(wanted, given))

    # --- two at once ---

    def _together(self) -> Named | None:
        """The one pair of ideas that explains everything, if there is exactly one."""
        kinds = {outcome.kind for outcome in self.outcomes}
        if "value" not in kinds or not kinds <= {"value", "error"}:  # errors alone would agree with any two that raise
            return None
        entries = self._pure()
        given = [self.told(entry) for entry in entries]  # worked out as far as somebody asks
        pairs, rows = list(combinations(range(len(entries)), 2)), []
        for number, wanted in enumerate(self.expected):  # few pairs are left after the first case, and most often none
            right = [self._right(number, path) for path in groups([wanted])]
            held = {k: self._held(number, next(given[k])) for k in {k for pair in pairs for k in pair}}
            pairs = [(one, other) for one, other in pairs if self._fit(right, held[one], held[other])]
            if not pairs:
                return None
            rows.append((right, held))
        if len(pairs) > 1:
            return None
        one, other = pairs[0]
        sure = self._both_tell([(right, held[one], held[other]) for right, held in rows])
        return Named([entries[one], entries[other]], "two", sure)

    def _pure(self) -> list[Entry]:
        return [entry for entry in self.compiled["misconceptions"] if not entry["changes"]]

    def _right(self, number: int, path: tuple[Any, ...]) -> np.ndarray:
        outcome, wanted = self.outcomes[number], self.expected[number]
        got = at(outcome.value, wanted, path) if outcome.kind == "value" else None
        [right] = at(wanted, wanted, path) or (None,)
        return self._agreement(right, got[0]) if got is not None else np.asarray(False)

    def _held(self, number: int, wrong: Mapping[str, Any]) -> Spread:
        outcome = self.outcomes[number]
        parts = len(groups([self.expected[number]]))
        if "error" in wrong or outcome.kind != "value":
            same = "error" in wrong and self._explains(wrong, outcome)
            differs = "error" in wrong or not self._same(self.expected[number], wrong["value"])
            return [("an error", np.asarray(differs), np.asarray(same))] * parts
        return self._spread(number, wrong["value"])

    @staticmethod
    def _fit(right: Rows, one: Spread, other: Spread) -> bool:
        """Whether two ideas together explain every part of a case."""
        for parts in zip(right, one, other, strict=True):
            is_right, (_, differs_a, same_a), (_, differs_b, same_b) = _in_one_shape(*parts)
            either = np.where(differs_b, same_a | same_b, same_a)
            if not np.where(differs_a, either, np.where(differs_b, same_b, is_right)).all():
                return False
        return True

    def _both_tell(self, rows: Sequence[tuple[Rows, Spread, Spread]]) -> bool:
        """Whether each of two ideas explains numbers that the other does not, and that tell something."""
        for_one, for_other = Evidence(self.atol), Evidence(self.atol)
        for number, parts in enumerate(rows):
            for part in zip(*parts, strict=True):
                _, (leaf_a, differs_a, same_a), (leaf_b, differs_b, same_b) = _in_one_shape(*part)
                for_one.add(leaf_a, differs_a & same_a & ~(differs_b & same_b), self.inputs(number))
                for_other.add(leaf_b, differs_b & same_b & ~(differs_a & same_a), self.inputs(number))
        return for_one.enough and for_other.enough


def _in_one_shape(right: np.ndarray, one: Part, other: Part) -> tuple[np.ndarray, Part, Part]:
    """Where a part is right, and where each of two ideas differs and agrees; as a whole if their shapes are not one."""
    (leaf_a, differs_a, same_a), (leaf_b, differs_b, same_b) = one, other
    if len({part.shape for part in (right, differs_a, same_a, differs_b, same_b)}) > 1:
        right, same_a, same_b = (np.asarray(part.all()) for part in (right, same_a, same_b))
        differs_a, differs_b = np.asarray(differs_a.any()), np.asarray(differs_b.any())
    return right, (leaf_a, differs_a, same_a), (leaf_b, differs_b, same_b)


class Evidence:
    """Wrong numbers that an idea explains, counted by what they tell."""

    def __init__(self, atol: float):
        self.atol = atol
        self.numbers: set[float] = set()
        self.copies: set[float] = set()
        self.weak = 0

    def add(self, leaf: np.ndarray | str, chosen: np.ndarray, inputs: tuple[set[float], list[np.ndarray]]) -> None:
        """Count the chosen entries of a part, or all of it."""
        if isinstance(leaf, str):
            self.weak += bool(chosen.any())
            return
        values = leaf[chosen] if chosen.shape == leaf.shape else leaf.ravel() if chosen.any() else leaf.ravel()[:0]
        sizes, arrays = inputs
        if leaf.dtype.kind == "b":
            self.weak += values.size
        elif not any(np.array_equal(leaf, array) for array in arrays if array.size > 1):
            for size in _sizes(values):
                self._count(size, sizes)

    def _count(self, size: float, inputs: set[float]) -> None:
        if not np.isfinite(size) or size <= 1000 * self.atol:
            return
        if size in inputs:
            self.copies.add(size)
        elif size == round(size) and size < SMALL:
            self.weak += 1
        else:
            self.numbers.add(size)

    @property
    def enough(self) -> bool:
        return len(self.numbers) + WEAK * (self.weak + len(self.copies)) >= ENOUGH


def _arrays(value: Any) -> Iterator[Any]:
    """All numbers and arrays of numbers in a value, lists of numbers as arrays."""
    value = stacked(value)
    if is_number(value):
        yield value
    elif isinstance(value, dict | list | tuple):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _arrays(item)


def _array(value: Any) -> np.ndarray | str:
    value = stacked(value)
    return np.asarray(value) if is_number(value) else "no number"


def _sizes(value: Any) -> list[float]:
    """Absolute values to nine digits, so that a copy is known whatever its sign."""
    with np.errstate(all="ignore"):
        return [float(f"{size:.9g}") for size in np.abs(np.asarray(value) * 1.0).ravel().tolist()]
