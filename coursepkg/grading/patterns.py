"""Generic patterns: what a wrong answer has in common with the right one, found from the numbers alone.

Twice, half, negative, n times, transposed, summed over the wrong axis, ...: each pattern is a relation between the
expected and the given numbers that must hold in every case before it is named, and two numbers near zero never count
as evidence for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from coursepkg.grading.values import close, decode, difference, is_number, parts, stacked

Pair = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Pattern:
    """A recognised pattern, and the part of the answer that it concerns (None: the whole)."""

    name: str
    part: Any = None


@dataclass(frozen=True)
class _Evidence:
    """All cases of an exercise: pairs of (expected, given) arrays per case, and the lengths of the input's axes."""

    cases: list[list[Pair]]
    lengths: list[dict[Any, int]]
    shapes: list[set[tuple[int, ...]]]
    rtol: float
    atol: float

    def near(self, expected: Any, given: np.ndarray) -> bool:
        expected = np.asarray(expected)
        return expected.shape == given.shape and bool(close(expected, given, self.rtol, self.atol).all())

    def tells(self, array: np.ndarray) -> bool:
        return bool(array.size) and bool((np.abs(array) > 1000 * self.atol).any())

    def everywhere(self, holds: Callable[[np.ndarray, np.ndarray], bool]) -> bool:
        """Whether a relation holds for all pairs, and at least two of them are away from zero."""
        pairs = [pair for case in self.cases for pair in case]
        telling = sum(int((np.abs(expected) > 1000 * self.atol).sum()) for expected, _ in pairs)
        return telling >= 2 and all(holds(expected, given) for expected, given in pairs)


def explain(
    inputs: Sequence[Any], expected: Sequence[Any], given: Sequence[Any], rtol: float, atol: float
) -> Pattern | None:
    """The pattern that explains all wrong answers at once, or None.

    Parameters
    ----------
    inputs : sequence
        Per case, the encoded arguments.
    expected, given : sequence
        Per case, the expected and the given value as plain data.
    rtol, atol : float
        Tolerances.
    """
    names = parts(expected[0])
    if names is None:
        return _explain_part(inputs, expected, given, rtol, atol, None)
    pairs = list(zip(expected, given, strict=True))
    if any(parts(value) != names or not _has_parts(got, names) for value, got in pairs):
        return None
    if any(isinstance(value, dict) != isinstance(got, dict) for value, got in pairs):
        return None  # parts with names cannot be looked up by position, nor the other way round
    wrong = [
        name
        for name in names
        if any(difference(e[name], g[name], rtol, atol) for e, g in zip(expected, given, strict=True))
    ]
    chosen_expected = [[value[name] for name in wrong] for value in expected]
    chosen_given = [[value[name] for name in wrong] for value in given]
    part = None if len(wrong) == len(names) else wrong[0] if len(wrong) == 1 else tuple(wrong)
    return _explain_part(inputs, chosen_expected, chosen_given, rtol, atol, part)


def _has_parts(got: Any, names: list[Any]) -> bool:
    if isinstance(got, dict):
        return set(got) == set(names)
    return isinstance(got, list | tuple | np.ndarray) and getattr(got, "ndim", 1) > 0 and len(got) == len(names)


def _explain_part(
    inputs: Sequence[Any], expected: Sequence[Any], given: Sequence[Any], rtol: float, atol: float, part: Any
) -> Pattern | None:
    cases = []
    for wanted, got in zip(expected, given, strict=True):
        pairs = list(_pairs(wanted, got))
        if not pairs or any(pair is None for pair in pairs):
            return None
        cases.append([pair for pair in pairs if pair is not None])
    values = [decode(item) for item in inputs]
    lengths = [dict(_axis_lengths(value)) for value in values]
    shapes = [set(_array_shapes(value)) for value in values]
    evidence = _Evidence(cases, lengths, shapes, rtol, atol)
    if not all(np.isfinite(g).all() for case in cases for _, g in case):
        return None
    same_shape = all(e.shape == g.shape for case in cases for e, g in case)
    for name, holds in (SAME_SHAPE if same_shape else OTHER_SHAPE).items():
        if holds(evidence):
            return Pattern(name, part)
    return None


def _pairs(expected: Any, given: Any) -> Iterator[Pair | None]:
    """(expected, given) arrays in step, or None where they have different forms."""
    expected, given = stacked(expected), stacked(given)
    if is_number(expected) and is_number(given):
        yield np.asarray(expected, dtype=complex), np.asarray(given, dtype=complex)
    elif isinstance(expected, dict) and isinstance(given, dict) and set(expected) == set(given):
        for key in expected:
            yield from _pairs(expected[key], given[key])
    elif isinstance(expected, list | tuple) and isinstance(given, list | tuple | np.ndarray):
        if len(expected) != len(given):
            yield None
            return
        for wanted, got in zip(expected, given, strict=True):
            yield from _pairs(wanted, got)
    else:
        yield None


def _axis_lengths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, int]]:
    """Lengths of all axes of all arrays and lists among the inputs."""
    value = stacked(value) if isinstance(value, list) and path else value
    if isinstance(value, np.ndarray):
        yield from (((*path, axis), length) for axis, length in enumerate(value.shape))
    elif isinstance(value, list | tuple):
        if path:
            yield (*path, 0), len(value)
        for position, item in enumerate(value):
            yield from _axis_lengths(item, (*path, position))


def _array_shapes(value: Any, top: bool = True) -> Iterator[tuple[int, ...]]:
    value = stacked(value) if isinstance(value, list) and not top else value
    if isinstance(value, np.ndarray):
        yield value.shape
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _array_shapes(item, False)


# --- patterns in answers of the right shape --------------------------------------------------------------------------


def _times(factor: float) -> Callable[[_Evidence], bool]:
    return lambda evidence: evidence.everywhere(lambda e, g: evidence.near(factor * e, g))


def _times_length(power: int) -> Callable[[_Evidence], bool]:
    """n times or 1/n: one and the same axis of the inputs gives the factor in every case."""

    def holds(evidence: _Evidence) -> bool:
        for axis in evidence.lengths[0]:
            sizes = [lengths.get(axis, 0) for lengths in evidence.lengths]
            if all(size > 0 for size in sizes) and any(size > 1 for size in sizes):
                factors = [float(size) ** power for size in sizes]
                if evidence.everywhere(lambda e, g: True) and all(
                    evidence.near(factor * e, g)
                    for factor, case in zip(factors, evidence.cases, strict=True)
                    for e, g in case
                ):
                    return True
        return False

    return holds


def _transposed(evidence: _Evidence) -> bool:
    def holds(expected: np.ndarray, given: np.ndarray) -> bool:
        return expected.ndim == 2 and evidence.near(expected.T, given)

    return evidence.everywhere(holds)


def _other_order(evidence: _Evidence) -> bool:
    def holds(expected: np.ndarray, given: np.ndarray) -> bool:
        in_order = evidence.near(expected, given)
        return not in_order and evidence.near(np.sort(expected, axis=None), np.sort(given, axis=None))

    return evidence.everywhere(holds)


def _wrong_axis(evidence: _Evidence) -> bool:
    """Sums of one array over two different axes have the same total."""
    totals = [complex(e.sum()) for case in evidence.cases for e, _ in case]
    if len({np.round(total, 6) for total in totals}) < 2:  # softmax rows always total one: no evidence
        return False

    def holds(case: list[Pair], shapes: set[tuple[int, ...]]) -> bool:
        sums = {shape[:axis] + shape[axis + 1 :] for shape in shapes for axis in range(len(shape))}
        return all(
            e.ndim > 0
            and {e.shape, g.shape} <= sums
            and not evidence.near(e, g)
            and evidence.tells(np.asarray(e.sum()))
            and evidence.near(e.sum(), np.asarray(g.sum()))
            for e, g in case
        )

    return all(holds(case, shapes) for case, shapes in zip(evidence.cases, evidence.shapes, strict=True))


def _ignores_input(evidence: _Evidence) -> bool:
    first = evidence.cases[0]
    others = evidence.cases[1:]
    return bool(others) and all(
        len(case) == len(first) and all(evidence.near(g, h) for (_, g), (_, h) in zip(first, case, strict=True))
        for case in others
    )


def _constant_factor(evidence: _Evidence) -> bool:
    expected = np.concatenate([e.ravel() for case in evidence.cases for e, _ in case])
    given = np.concatenate([g.ravel() for case in evidence.cases for _, g in case])
    largest = int(np.abs(expected).argmax()) if expected.size else 0
    distinct = {np.round(abs(value), 9) for value in expected if abs(value) > 1000 * evidence.atol}
    if len(distinct) < 2 or abs(given[largest]) <= 1000 * evidence.atol:
        return False
    factor = given[largest] / expected[largest]
    return evidence.everywhere(lambda e, g: evidence.near(factor * e, g))


# --- patterns in answers of another shape ----------------------------------------------------------------------------


def _not_summed(evidence: _Evidence) -> bool:
    """The right numbers appear once an axis is summed away."""

    def holds(expected: np.ndarray, given: np.ndarray) -> bool:
        return given.ndim == expected.ndim + 1 and any(
            evidence.near(expected, given.sum(axis=axis)) for axis in range(given.ndim)
        )

    return evidence.everywhere(holds)


def _not_averaged(evidence: _Evidence) -> bool:
    def holds(expected: np.ndarray, given: np.ndarray) -> bool:
        return given.ndim == expected.ndim + 1 and any(
            given.shape[axis] and evidence.near(expected, given.mean(axis=axis)) for axis in range(given.ndim)
        )

    return evidence.everywhere(holds)


def _summed_too_far(evidence: _Evidence) -> bool:
    def holds(expected: np.ndarray, given: np.ndarray) -> bool:
        return expected.ndim == given.ndim + 1 and any(
            evidence.near(expected.sum(axis=axis), given) for axis in range(expected.ndim)
        )

    return evidence.everywhere(holds)


def _extra_axis(evidence: _Evidence) -> bool:
    def holds(expected: np.ndarray, given: np.ndarray) -> bool:
        return expected.shape != given.shape and evidence.near(expected.ravel(), given.ravel())

    return evidence.everywhere(holds)


SAME_SHAPE: dict[str, Callable[[_Evidence], bool]] = {
    "zero": _times(0.0),
    "twice": _times(2.0),
    "half": _times(0.5),
    "negative": _times(-1.0),
    "n-times": _times_length(1),
    "one-nth": _times_length(-1),
    "transposed": _transposed,
    "other-order": _other_order,
    "wrong-axis": _wrong_axis,
    "ignores-input": _ignores_input,
    "constant-factor": _constant_factor,
}

OTHER_SHAPE: dict[str, Callable[[_Evidence], bool]] = {
    "transposed": _transposed,
    "extra-axis": _extra_axis,
    "not-summed": _not_summed,
    "not-averaged": _not_averaged,
    "summed-too-far": _summed_too_far,
    "wrong-axis": _wrong_axis,
}
