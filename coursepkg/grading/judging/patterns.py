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

from coursepkg.grading.judging.arrays import np
from coursepkg.grading.judging.showing import ORDINALS, count_word
from coursepkg.grading.judging.values import at, close, decode, difference, groups, is_number, leaves, row_of, stacked

Pair = tuple[np.ndarray, np.ndarray]
Path = tuple[Any, ...]
FULL_TURN = 2 * math.pi
NEARLY = 1e-3  # relative differences below this are a loss of digits
_NOT_OF_ANGLES = ("twice", "half", "negative", "n-times", "one-nth", "constant-factor")


@dataclass(frozen=True)
class Pattern:
    """A recognised pattern, the parts of the answer that it concerns (none: the whole), and what its words need."""

    name: str
    paths: tuple[Path, ...] = ()
    detail: str = ""


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
    *,
    called: bool = True,
) -> list[Pattern]:
    """The patterns in the wrong parts of an answer: each part has one at most, and parts with the same one share it.

    Parameters
    ----------
    inputs : sequence of mapping
        Per case, the encoded arguments by position or name.
    expected, given : sequence
        Per case, the expected and the given value as plain data.
    rtol, atol : float
        Tolerances.
    result : mapping, optional
        What the parts of the answer are.
    called : bool
        Whether the inputs are the arguments of the learner's function, so that words may name them.

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
    concerned = () if len(wrong) == len(paths) else tuple(wrong)
    if len(wrong) > 1 and _exchanged(parts, wrong, rtol, atol):
        return [Pattern("exchanged-parts", concerned)]
    values = [{name: decode(value) for name, value in item.items()} for item in inputs]
    lengths = [
        dict(found for name, value in item.items() for found in _axis_lengths(value, (name,))) for item in values
    ]
    shapes = [set(_array_shapes(list(item.values()))) for item in values]
    evidences: dict[Path, tuple[_Evidence, str]] = {}
    for path in wrong:
        told = meaning(result or {}, path, parts[path][0])
        if told["kind"] in ("number", "angle"):
            evidence = _evidence(*parts[path], lengths, shapes, rtol, atol, told)
            if evidence is not None:
                evidences[path] = evidence, told["kind"]
    if len(evidences) == len(wrong) and (detail := _rounding([evidence for evidence, _ in evidences.values()])):
        return [Pattern("rounded", concerned, detail)]
    named: dict[tuple[str, str], list[Path]] = {}
    for path, (evidence, kind) in evidences.items():
        if (name := _recognised(evidence, kind)) is not None:
            named.setdefault((name, _detail(evidence, name, called)), []).append(path)
    return [
        Pattern(name, () if len(found) == len(paths) else tuple(found), detail)
        for (name, detail), found in named.items()
    ]


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


def _axis_lengths(value: Any, path: tuple[Any, ...]) -> Iterator[tuple[Any, int]]:
    """Lengths of all axes of all arrays and lists in an argument."""
    value = stacked(value) if isinstance(value, list) else value
    if isinstance(value, np.ndarray):
        yield from (((*path, axis), length) for axis, length in enumerate(value.shape))
    elif isinstance(value, list | tuple):
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
    return lambda evidence: evidence.everywhere(lambda e, g: True) and bool(_axes(evidence, power))


def _axes(evidence: _Evidence, power: int) -> list[Any]:
    """All axes of the inputs whose lengths give the factor."""

    def gives(axis: Any) -> bool:
        sizes = [lengths.get(axis, 0) for lengths in evidence.lengths]
        if not all(sizes) or max(sizes) == 1:
            return False
        cases = zip(sizes, evidence.cases, strict=True)
        return all(evidence.near(float(size) ** power * e, g) for size, case in cases for e, g in case)

    return [axis for axis in evidence.lengths[0] if gives(axis)]


def _detail(evidence: _Evidence, name: str, called: bool) -> str:
    """What the words of a pattern need besides: for n times, where the n comes from if only one axis gives it."""
    if name == "rounded":
        return _rounding([evidence])
    if name not in ("n-times", "one-nth"):
        return ""
    axes = _axes(evidence, 1 if name == "n-times" else -1)
    sizes = {lengths[axes[0]] for lengths in evidence.lengths}
    words = _axis_words(axes[0], evidence.lengths) if called and len(axes) == 1 and len(sizes) > 1 else ""
    return words or "a factor, in each call the length of something that was given"


def _axis_words(axis: Any, lengths: Sequence[Mapping[Any, int]]) -> str:
    """An axis in words, "the number of rows of the first argument"; empty for one that has none."""
    argument, number, *deeper = axis
    dimensions = {sum(other[0] == argument for other in axes) for axes in lengths}
    ways = {1: ["the length"], 2: ["the number of rows", "the number of columns"]}
    if deeper or len(dimensions) > 1 or not (found := ways.get(*dimensions)):
        return ""
    whose = f"`{argument}`" if isinstance(argument, str) else f"the {ORDINALS[argument]} argument"
    return f"{found[number]} of {whose}"


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


def _rounding(evidences: Sequence[_Evidence]) -> str:
    """What was done to all numbers of some parts, "rounded to 3 digits"; empty where no rounding explains them."""
    pairs = [pair for evidence in evidences for case in evidence.cases for pair in case]
    if not pairs or any(e.shape != g.shape or e.imag.any() or g.imag.any() for e, g in pairs):
        return ""
    wanted, given = (np.concatenate([array.real.ravel() for array in side]) for side in zip(*pairs, strict=True))
    wrong = ~close(wanted, given, evidences[0].rtol, evidences[0].atol)
    if len(set(wanted[wrong])) < 2 or len(set(given[given != 0])) < 2 or not np.isfinite(wanted).all():
        return ""
    with np.errstate(all="ignore"):
        size = np.floor(np.log10(np.where(wanted == 0, 1.0, np.abs(wanted))))
        ways = {
            "rounded to whole numbers": np.round(wanted),
            "cut to whole numbers": np.trunc(wanted),
            "rounded down to whole numbers": np.floor(wanted),
            "rounded up to whole numbers": np.ceil(wanted),
            **{f"rounded to {_digits(n)} after the point": np.round(wanted, n) for n in range(1, 8)},
            **{f"rounded to {_digits(n)}": np.round(wanted / 10 ** (size - n + 1)) * 10 ** (size - n + 1)
               for n in range(1, 8)},
        }  # fmt: skip
    return next((words for words, to in ways.items() if np.allclose(given, to, rtol=1e-10, atol=1e-13)), "")


def _digits(number: int) -> str:
    return f"{count_word(number)} digit{'s' if number != 1 else ''}"


def _only_rounded(evidence: _Evidence) -> bool:
    """Whether every number is a whole one that stands next to the right one."""
    pairs = [pair for case in evidence.cases for pair in case]
    return all(bool(((g == np.round(g)) & (np.abs(g - e) < 1)).all()) for e, g in pairs)


def _ignores_input(evidence: _Evidence) -> bool:
    if _only_rounded(evidence):  # numbers that lie near each other are one number then
        return False
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


def _regrouped(fits: Callable[[np.ndarray, np.ndarray], bool]) -> Callable[[_Evidence], bool]:
    """The right numbers, one after the other, along axes that differ in a certain way."""

    def holds(evidence: _Evidence) -> bool:
        return evidence.everywhere(
            lambda e, g: e.shape != g.shape and fits(e, g) and evidence.near(e.ravel(), g.ravel())
        )

    return holds


def _only_ones(expected: np.ndarray, given: np.ndarray) -> bool:
    one, other = ([length for length in array.shape if length != 1] for array in (expected, given))
    return one == other


SAME_SHAPE: dict[str, Callable[[_Evidence], bool]] = {
    "full-turn": _full_turn,
    "zero": _times(0.0),
    "twice": _times(2.0),
    "half": _times(0.5),
    "negative": _times(-1.0),
    "rounded": lambda evidence: bool(_rounding([evidence])),
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
    "extra-axis": _regrouped(_only_ones),
    "flattened": _regrouped(lambda e, g: e.ndim > 1 and g.ndim == 1),
    "regrouped": _regrouped(lambda e, g: True),
    "not-summed": _not_summed,
    "not-averaged": _not_averaged,
    "summed-too-far": _summed_too_far,
    "wrong-axis": _wrong_axis,
}
