"""Generic patterns: what a wrong answer has in common with the right one, found from the numbers alone.

Twice, half, negative, n times, transposed, summed over the wrong axis, ...: each pattern is a relation between the
expected and the given numbers that must hold in every case before it is named, and two numbers near zero never count
as evidence for it. It is looked for in each part of an answer by itself.

Patterns speak of numbers alone. What a part of an answer is, a compiled check may say in ``result``:
``{"kind": "number"}``, ``{"kind": "angle", "period": 6.28...}``, ``{"kind": "positions"}`` (a list of places, which is
compared as a set once it is wrong) or ``{"kind": "diagnostic"}`` (a count, a flag, a name); either of the whole answer,
or of its parts by key or position: ``{"0": {"kind": "angle", "period": 3.14...}}``. Where it says nothing, answers that
hold only whole numbers, yes and no, and strings are taken for diagnostics, and rising lists of them for positions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from coursepkg.grading.values import at, close, decode, difference, groups, is_number, leaves, row_of, stacked

Pair = tuple[np.ndarray, np.ndarray]
Path = tuple[Any, ...]
FULL_TURN = 2 * math.pi
NEARLY = 1e-3  # relative differences below this are a loss of digits
_NOT_OF_ANGLES = ("twice", "half", "negative", "n-times", "one-nth", "constant-factor")


@dataclass(frozen=True)
class Pattern:
    """A recognised pattern, and the parts of the answer that it concerns (none: the whole)."""

    name: str
    paths: tuple[Path, ...] = ()


# --- what a result is ------------------------------------------------------------------------------------------------


def meaning(result: Mapping[str, Any], path: Path, expected: Sequence[Any]) -> Mapping[str, Any]:
    """What a part of an answer is, as the compiled check says, or by the look of its expected values in all cases."""
    if isinstance(result.get("kind"), str):
        return result
    if path and isinstance(told := result.get(str(path[0])), Mapping):
        return told
    found = [leaf for value in expected for leaf in leaves(value)]
    if any(is_number(leaf) and np.asarray(leaf).dtype.kind in "fc" for leaf in found):
        return {"kind": "number"}
    rising = all(_rising(value) for value in expected) and len({np.size(value) for value in expected}) > 1
    return {"kind": "positions" if rising else "diagnostic"}


def _rising(value: Any) -> bool:
    row = row_of(value)
    if row is None:
        return False
    return row.size == 0 or (row.dtype.kind == "i" and row.min() >= 0 and bool((np.diff(row) > 0).all()))


# --- evidence --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Evidence:
    """All cases of an exercise: pairs of (expected, given) arrays per case, and the lengths of the input's axes."""

    cases: list[list[Pair]]
    lengths: list[dict[Any, int]]
    shapes: list[set[tuple[int, ...]]]
    rtol: float
    atol: float
    period: float = FULL_TURN

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
    inputs: Sequence[Any],
    expected: Sequence[Any],
    given: Sequence[Any],
    rtol: float,
    atol: float,
    result: Mapping[str, Any] | None = None,
) -> list[Pattern]:
    """The patterns in the wrong parts of an answer: each part has one at most, and parts with the same one share it.

    Parameters
    ----------
    inputs : sequence
        Per case, the encoded arguments.
    expected, given : sequence
        Per case, the expected and the given value as plain data.
    rtol, atol : float
        Tolerances.
    result : mapping, optional
        What the parts of the answer are.

    Returns
    -------
    list of Pattern
        In the order of the parts; empty where nothing is recognised.
    """
    paths = groups(expected)
    inner = [at(value, wanted, path) for path in paths for value, wanted in zip(given, expected, strict=True)]
    if any(found is None for found in inner):
        return []  # another container: parts with names cannot be looked up by position, nor the other way round
    parts = {path: _part(expected, given, path) for path in paths}
    wrong = [path for path, (e, g) in parts.items() if any(map(lambda a, b: difference(a, b, rtol, atol), e, g))]
    if len(wrong) > 1 and _exchanged(parts, wrong, rtol, atol):
        return [Pattern("other-order", () if len(wrong) == len(paths) else tuple(wrong))]
    values = [decode(item) for item in inputs]
    lengths, shapes = [dict(_axis_lengths(value)) for value in values], [set(_array_shapes(value)) for value in values]
    named: dict[str, list[Path]] = {}
    for path in wrong:
        told = meaning(result or {}, path, parts[path][0])
        if told["kind"] not in ("number", "angle"):
            continue
        evidence = _evidence(*parts[path], lengths, shapes, rtol, atol, told)
        if evidence is not None and (name := _recognised(evidence, told["kind"])) is not None:
            named.setdefault(name, []).append(path)
    return [Pattern(name, () if len(found) == len(paths) else tuple(found)) for name, found in named.items()]


def _part(expected: Sequence[Any], given: Sequence[Any], path: Path) -> tuple[list[Any], list[Any]]:
    wanted = [at(value, value, path)[0] for value in expected]  # type: ignore[index]
    return wanted, [at(got, value, path)[0] for got, value in zip(given, expected, strict=True)]  # type: ignore[index]


def _exchanged(
    parts: Mapping[Path, tuple[list[Any], list[Any]]], wrong: Sequence[Path], rtol: float, atol: float
) -> bool:
    """Whether each wrong part holds, in every case, the numbers of another one."""

    def holds(got: Sequence[Any], other: Path) -> bool:
        return not any(map(lambda a, b: difference(a, b, rtol, atol), parts[other][0], got))

    telling = {
        path for path in wrong for value in parts[path][0] for leaf in leaves(value)
        if is_number(leaf) and (np.abs(np.asarray(leaf)) > 1000 * atol).any()
    }  # fmt: skip
    taken = [[other for other in wrong if other != path and holds(parts[path][1], other)] for path in wrong]
    return (
        telling == set(wrong) and all(len(others) == 1 for others in taken) and len({o[0] for o in taken}) == len(wrong)
    )


def _evidence(
    expected: Sequence[Any],
    given: Sequence[Any],
    lengths: list[dict[Any, int]],
    shapes: list[set[tuple[int, ...]]],
    rtol: float,
    atol: float,
    told: Mapping[str, Any],
) -> _Evidence | None:
    cases = []
    for wanted, got in zip(expected, given, strict=True):
        pairs = list(_pairs(wanted, got))
        if not pairs or any(pair is None for pair in pairs):
            return None
        cases.append([pair for pair in pairs if pair is not None])
    if not all(np.isfinite(g).all() for case in cases for _, g in case):
        return None
    return _Evidence(cases, lengths, shapes, rtol, atol, told.get("period", FULL_TURN))


def _recognised(evidence: _Evidence, kind: str) -> str | None:
    same_shape = all(e.shape == g.shape for case in evidence.cases for e, g in case)
    for name, holds in (SAME_SHAPE if same_shape else OTHER_SHAPE).items():
        fits = name not in _NOT_OF_ANGLES if kind == "angle" else name != "full-turn"
        if fits and holds(evidence):
            return name
    return None


def _pairs(expected: Any, given: Any) -> Iterator[Pair | None]:
    """(expected, given) arrays in step, matrices of a list one by one; None where they have different forms."""
    if isinstance(expected, list | tuple) and any(np.ndim(item) > 0 for item in expected if is_number(item)):
        in_order = isinstance(given, list | tuple) or (isinstance(given, np.ndarray) and given.ndim > 0)
        if not in_order or len(expected) != len(given):
            yield None
            return
        for wanted, got in zip(expected, given, strict=True):
            yield from _pairs(wanted, got)
        return
    expected, given = stacked(expected), stacked(given)
    if not (is_number(expected) and is_number(given)):
        yield None
        return
    wanted, got = np.asarray(expected, dtype=complex), np.asarray(given, dtype=complex)
    yield wanted, got.reshape(()) if got.size == 1 and not wanted.ndim else got


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
        return expected.ndim >= 2 and evidence.near(np.swapaxes(expected, -1, -2), given)

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


def _full_turn(evidence: _Evidence) -> bool:
    """Right up to whole periods, of which there are some."""

    def holds(expected: np.ndarray, given: np.ndarray) -> bool:
        turns = np.round((given - expected).real / evidence.period)
        return evidence.near(expected, given - turns * evidence.period)

    return evidence.everywhere(holds)


def _ignores_input(evidence: _Evidence) -> bool:
    first = evidence.cases[0]
    others = evidence.cases[1:]
    varies = any(
        len(case) != len(first) or not all(evidence.near(e, f) for (e, _), (f, _) in zip(first, case, strict=True))
        for case in others
    )
    return varies and all(
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
    if abs(factor - 1) < NEARLY:  # a loss of digits, and no constant
        return False
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
    "full-turn": _full_turn,
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
