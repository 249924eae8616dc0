"""Every argument that NumPy's own signatures allow, in every spelling: NumPy's value and its slope, or a refusal.

The calls are made from the table and from ``inspect.signature``; whoever adds an entry adds its tests. A call ends in
one of three ways. It gives NumPy's value, shape and dtype, and reverse mode, forward mode and differences agree on the
slope. Or it is refused in the forward pass by an error of the house. Or NumPy refuses the same call on plain arrays,
and so do we. Anything else is a fault, above all a number without its gradient.
"""

import inspect
import re
import warnings
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from coursepkg.autodiff import catalogue
from coursepkg.autodiff.dual import Dual
from coursepkg.autodiff.errors import LeavesGraphError, MissingPrimitiveError
from coursepkg.autodiff.forward_mode import jvp, jvps
from coursepkg.autodiff.gate import public_name
from coursepkg.autodiff.reverse_mode import vjp
from coursepkg.autodiff.symbolic_array import SymbolicArray
from coursepkg.autodiff.table import COMPOSITES, CONSTANTS, PRIMITIVES
from coursepkg.autodiff.tensor import Tensor
from coursepkg.autodiff.trees import leaves_of

OURS = {getattr(catalogue, name) for name in catalogue.__all__}
"""Our own functions that users see; NumPy's are told by their module."""

ENTRIES = {
    function: entry
    for function, entry in {**PRIMITIVES, **COMPOSITES}.items()
    # SciPy's ufuncs crash the interpreter on some plain calls with odd keywords; test_special.py calls them by hand.
    if function in OURS or public_name(function).startswith(("np.", "linalg."))
}
every_entry = pytest.mark.parametrize("function", ENTRIES, ids=lambda function: ENTRIES[function].name)

HOUSE = (MissingPrimitiveError, LeavesGraphError)
CONFUSING = re.compile(
    r"<lambda>|NoneType|unexpected keyword|has no attribute|not callable|not subscriptable|(?<![\w.'`])_[a-z]\w*"
)


class Operand:
    """A place in a call where an array stands that may be traced."""

    def __init__(self, value: Any, option: bool = False) -> None:
        self.option = option  # stands where no array is expected
        value = np.asarray(value)
        self.value = value if value.dtype.kind in "fc" else value.astype(float)


class Call:
    """A call: arguments by name, and what ``*args`` takes up; both may hold operands, also in lists."""

    def __init__(self, function: Any, given: dict[str, Any], rest: tuple[Any, ...]) -> None:
        self.function, self.given, self.rest = function, given, rest

    def but(self, **changed: Any) -> "Call":
        """The same call with other arguments."""
        return Call(self.function, {**self.given, **changed}, self.rest)

    def spelled(self, upto: str | None = None) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Positional arguments and keywords; by position as far as a parameter, and no farther than needed without."""
        args, kwargs, named = [], {}, list(inspect.signature(self.function).parameters.values())
        last = max((i for i, p in enumerate(named) if self.by_position(p, upto)), default=-1)
        for i, p in enumerate(named):
            if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) and i <= last:
                args.append(self.given.get(p.name, p.default))
            elif p.kind is p.VAR_POSITIONAL:
                args.extend(self.rest)
            elif p.kind is p.VAR_KEYWORD:
                kwargs.update(self.given.get(p.name, {}))
            elif p.name in self.given:
                kwargs[p.name] = self.given[p.name]
        return tuple(args), kwargs

    def by_position(self, p: inspect.Parameter, upto: str | None) -> bool:
        """Whether a parameter has to stand at its position."""
        if self.rest and p.kind is p.POSITIONAL_OR_KEYWORD:
            return True
        return p.name in self.given and (p.kind is p.POSITIONAL_ONLY or p.name == upto)


def operands_in(tree: Any) -> list[Operand]:
    """The operands of a call, each once, from left to right."""
    if isinstance(tree, Operand):
        return [tree]
    parts = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, (list, tuple)) else ()
    return list(dict.fromkeys(operand for part in parts for operand in operands_in(part)))


def filled(tree: Any, values: dict[Operand, Any], fraction: Any = Fraction) -> Any:
    """A call with values in place of its operands, and fractions as they are or converted."""
    if isinstance(tree, Operand):
        return values.get(tree, tree.value)
    if isinstance(tree, dict):
        return {key: filled(part, values, fraction) for key, part in tree.items()}
    if type(tree) in (list, tuple):
        return type(tree)(filled(part, values, fraction) for part in tree)
    if isinstance(tree, Fraction):
        return fraction(tree)
    if isinstance(tree, np.matrix) and fraction is float:
        return np.asarray(tree)  # we refuse matrices; NumPy 2.4 crashes on some of them among arrays
    return np.array(tree) if type(tree) is np.ndarray else tree


# --- what a call must do


def problem_of(function: Any, spelled: Any, moving: list[Operand], rng: np.random.Generator) -> str | None:
    """What is wrong with a call in which some operands are traced, or None."""
    args, kwargs = spelled

    def f(x: list[Any], fraction: Any = Fraction) -> Any:
        values = dict(zip(moving, x, strict=True))
        out = function(*filled(args, values, fraction), **filled(kwargs, values, fraction))
        return (
            out.astype(int) if getattr(getattr(out, "dtype", None), "kind", "") == "b" else out
        )  # a derivative is that of numbers

    x = [operand.value for operand in moving]
    t = [random_like(v, rng) for v in x]
    try:
        # What NumPy makes of a fraction is an array of objects; ours is that of the float.
        expected, refusal = f(x, float), None
    except Exception as error:  # noqa: BLE001 (whatever NumPy raises, ours is compared with)
        expected, refusal = None, error
    outcomes = []
    for route in (vjp, lambda f, x: jvp(f, x, t), lambda f, x: jvps(f, x, [np.stack([v, 2 * v]) for v in t])):
        try:
            outcomes.append(route(f, x))
        except Exception as error:  # noqa: BLE001 (judged below)
            if fault := fault_of(error, refusal):
                return fault
            outcomes.append(error)
    errors = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    if errors:
        return None if len(errors) == 3 else f"only some routes refuse: {outcomes}"
    if refusal is not None and function in OURS and isinstance(refusal, (AttributeError, TypeError)):
        return None  # on plain arrays our own functions take arrays only; beside traced ones the gate makes them
    if refusal is not None:
        return f"a value, where the call on plain arrays raises {type(refusal).__name__}: {refusal}"
    return wrong_value(outcomes, expected, f, x, t, rng)


def fault_of(error: Exception, refusal: Exception | None) -> str | None:
    """Whether an error is neither of the house nor NumPy's own, or whether its words confuse."""
    text = f"{type(error).__name__}: {error}"
    if isinstance(error.__cause__, HOUSE):
        return None  # NumPy met a traced number inside a plain argument, and put its own words before ours
    if (
        refusal is not None
        and type(error) is type(refusal)
        and str(error) in (str(refusal), beside_a_fraction(refusal))
    ):
        return None
    if not isinstance(error, HOUSE):
        if refusal is None:
            return f"raises where NumPy gives a value: {text}"
        if not isinstance(error, (type(refusal), TypeError, ValueError)):
            return f"raises {text}, where NumPy raises {type(refusal).__name__}: {refusal}"
    return f"the message confuses: {text}" if CONFUSING.search(str(error)) else None


def beside_a_fraction(refusal: Exception) -> str:
    """What a refusal says where we put a float in place of a fraction for NumPy."""
    return str(refusal).replace("'float'", "'Fraction'")


def wrong_value(outcomes: list[Any], expected: Any, f: Any, x: list, t: list, rng: np.random.Generator) -> str | None:
    """Compare what the three routes found with NumPy's value and with each other."""
    (value, pull), (forward_value, change), (stacked_value, changes) = outcomes
    right = [np.asarray(leaf) for leaf in leaves_of(expected)]
    for found in (value, forward_value, stacked_value):
        leaves = leaves_of(found)
        if len(leaves) != len(right):
            return f"{len(leaves)} results in place of {len(right)}"
        for ours, theirs in zip(leaves, right, strict=True):
            if np.shape(ours) != theirs.shape or np.asarray(ours).dtype != theirs.dtype:
                return f"{np.shape(ours)} {np.asarray(ours).dtype} in place of {theirs.shape} {theirs.dtype}"
            close = (
                1e-2 if theirs.dtype == np.float16 else 1e-5 if theirs.dtype in (np.float32, np.complex64) else 1e-12
            )
            if theirs.dtype.kind not in "biufc" or not np.allclose(
                ours, theirs, rtol=close, atol=close, equal_nan=True
            ):
                return f"{ours} in place of {theirs}"
    if not all(np.isfinite(v).all() for v in right):
        return None  # no slope to compare
    c = [random_like(v, rng) for v in right]
    try:
        gradients = pull_in_structure(pull, value, c)
    except Exception as error:  # noqa: BLE001 (the backward pass may not raise)
        return f"only the backward pass raises {type(error).__name__}: {error}"
    change, changes = leaves_of(change), leaves_of(changes)
    backward, along = paired(gradients, t), paired(c, change)
    size = float(np.sum(np.abs(backward)) + np.sum(np.abs(along)))
    half = any(v.dtype == np.float16 for v in [*right, *x])
    single = half or any(v.dtype in (np.float32, np.complex64) for v in [*right, *x])
    if not abs(backward.sum() - along.sum()) <= (1e-2 if half else 1e-4 if single else 1e-11) * size:
        return f"reverse gives the slope {backward.sum()}, forward {along.sum()}"
    for one, two in zip(change, changes, strict=True):
        both, far = np.stack([one, 2 * one]), 5e-2 if half else 1e-4 if single else 1e-10
        if not np.allclose(both, two, rtol=far, atol=far * float(np.max(np.abs(both), initial=0.0))):
            return "several directions at once differ from one after the other"
    if half:
        return None  # differences of numbers of three digits say nothing
    h = 1e-2 if single else 1e-4

    def at(step: float) -> float:
        moved = [(v + step * way).astype(v.dtype) for v, way in zip(x, t, strict=True)]
        return float(np.sum(paired(c, [np.asarray(leaf) for leaf in leaves_of(f(moved, float))])))

    slope = (at(h) - at(-h)) / (2 * h)
    scale = size + float(np.sum(np.abs(paired(c, right))))
    if not abs(slope - along.sum()) <= (3e-2 if single else 1e-5) * max(scale, 1.0):
        return f"the slope is {slope} by differences, {along.sum()} by the rules"
    return None


def pull_in_structure(pull: Any, value: Any, c: list[np.ndarray]) -> list[np.ndarray]:
    """Pull a list of gradients back, in the structure of the value."""
    if not isinstance(value, (tuple, list)):
        return leaves_of(pull(c[0]))
    return leaves_of(pull(type(value)(*c) if hasattr(value, "_fields") else type(value)(c)))


def random_like(v: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Random numbers of a shape and dtype; zeros where that has no derivative."""
    drawn = rng.normal(size=v.shape)
    if v.dtype.kind == "c":
        drawn = drawn + 1j * rng.normal(size=v.shape)
    return np.asarray(drawn if v.dtype.kind in "fc" else np.zeros(v.shape)).astype(v.dtype)


def paired(a: list[Any], b: list[Any]) -> np.ndarray:
    """All products of matching entries; their sum is the real inner product."""
    parts = [np.ravel(np.real(np.conj(p).astype(np.result_type(p, 1.0)) * q)) for p, q in zip(a, b, strict=True)]
    return np.concatenate([np.zeros(0), *parts])


# --- the calls


NUMBERS = [0, 1, -1, 2, 7, -7, np.int64(1), 1.0, True]
AXES = [0, 1, -1, 7, -7, np.int64(0), (0,), (0, -1), [0], (0, 0), (), None, np.array(0), 0.0, "x"]
SIZES = [1, 2, (1, 2), [1, 1], np.int64(2), 0, -1, (1,), None]
LIMITS = [0.1, -0.5, None, [0.2], np.float32(0.3), np.int64(0), Fraction(1, 3), "x"]
VALUES: dict[str, list[Any]] = {
    "axis": AXES,
    "axes": [None, (0,), (1, 0), (-1, 0), [0, 1], (0, 0), (7, 0), 1, np.int64(1), ([0], [0]), ([-1], [-1]), ([7], [0])],
    "dtype": [np.float32, np.float64, "float32", np.dtype(float), int, complex, bool, None],
    "out": [None, lambda first, result: np.empty_like(result), lambda first, result: (np.empty_like(result),)],
    "where": [True, False, np.True_, lambda first, result: np.arange(np.size(first)).reshape(np.shape(first)) % 2 == 0],
    "initial": [1.5, 0, None, np.float32(2), [1.0]],
    "keepdims": [True, False, np.True_, 1, None],
    "order": ["C", "F", "A", "K", None, "x"],
    "casting": ["same_kind", "unsafe", "no", "x"],
    "subok": [True, False],
    "signature": [None, "d->d", "dd->d", "x"],
    "copy": [True, False, None],
    "kind": ["stable", "quicksort", "mergesort", None, "x"],
    "stable": [True, False, None],
    "correction": [0, 1, 1.5, None, np.int64(1)],
    "ddof": [0, 1, 1.5, np.int64(1)],
    "shape": [-1, (-1,), (2, -1), [-1], np.int64(-1), (), (3, 4), (-1, -1), None, 2.0],
    "ord": [None, 1, 2, 3, -1, -2, 0, 0.5, np.inf, -np.inf, "fro", "nuc", np.int64(3), np.float64(1), "x"],
    "repeats": [0, 1, 2, -1, np.int64(2), [1, 2], [2], np.array([2, 0]), (1, 0, 2), 1.5, None],
    "shift": [0, 1, -1, 7, np.int64(1), (1, 2), [1], np.array([1, 1]), 1.5],
    "reps": [0, 1, 2, np.int64(2), (2,), (1, 2), [2, 1, 1], np.array([2, 1]), (), -1, 1.5],
    "mode": [
        "constant", "edge", "linear_ramp", "maximum", "mean", "median", "minimum", "reflect", "symmetric", "wrap",
        "empty", "raise", "clip", "full", "same", "valid", "x",
    ],
    "pad_width": [0, 1, (1, 2), ((1, 0), (0, 2)), [1], {0: 1}, {-1: (1, 0)}, np.int64(1), np.array([[1, 2]]), -1, 1.5],
    "indices": [0, -1, np.int64(1), [0, 1], (1, 0), np.array([[0, -1]]), np.array([[0], [0]]), 99, -99, [99], 1.0, []],
    "indices_or_sections": [1, 2, 3, np.int64(2), [1], (1, 2), [], np.array([1]), [99], [-1], 0, -1, 1.5],
    "source": AXES[:9],
    "destination": AXES[:9],
    "axis1": [0, 1, -1, 2, 7, np.int64(0), None],
    "axis2": [0, 1, -1, 2, 7, np.int64(0), None],
    "n": NUMBERS,
    "k": NUMBERS,
    "offset": NUMBERS,
    "optimize": [True, False, "greedy", "optimal", ["einsum_path", (0, 1)]],
    "subscripts": ["ij", "ij->j", "...->...", "i j -> j i", "x y z", "ij->k", ""],
    "device": ["cpu", None, "x"],
    "index": [0, -1, 99, slice(1, None), ..., None, (), [0, 1], np.array([True, False]), np.int64(0), 1.0, "x"],
    **{name: SIZES for name in ("stride", "padding", "dilation", "size", "kernel")},
    **{name: LIMITS for name in ("a_min", "a_max", "min", "max", "low", "high", "prepend", "append", "fill_value")},
}  # fmt: skip
"""Sensible values of options, by the name of the parameter; whatever has no line here gets those of ``GENERIC``."""

GENERIC: list[Any] = [None, 0, 1, -1, 1.5, "x", True, (), [0]]
TRACED: list[Any] = [Operand(1.0, True), Operand([0.0, 1.0], True), [Operand(1.0, True), 0]]


def in_place_of(value: np.ndarray) -> list[Any]:
    """What may be given in place of an array of numbers."""
    real = value.real
    return [
        value.tolist(), tuple(value.tolist()) if value.ndim else (value.item(),), nested(value), (Operand(real), 1.0),
        np.float32(0.5), np.int64(2), np.bool_(True), Fraction(1, 2), True, 2, 0.5, 2 + 1j, np.float16(0.5),
        np.ma.array(real, mask=np.zeros(value.shape, bool)), np.matrix(np.atleast_1d(real).reshape(1, -1)[:, :3]),
        real.astype(int), real > 0, real.astype(np.float32), real.astype(object), None, "x", {}, {1.0}, object(), len,
        real.astype(str), [None], [[1.0], [2.0, 3.0]], range(3), slice(2), ..., np.datetime64("2020-01-01"),
    ]  # fmt: skip


def nested(value: np.ndarray) -> Any:
    """Nested lists of 0-d operands."""
    return [nested(part) for part in value] if value.ndim else Operand(value)


def shrunk(value: np.ndarray) -> Iterator[np.ndarray]:
    """The same kind of array with no axis, no entry, or axes of length one."""
    one = value.reshape(-1)[:1] if value.size else np.full(1, 0.5, value.dtype)
    yield from (one.reshape(()), one, one[:0], np.zeros((0, *value.shape[1:]), value.dtype))
    yield np.zeros((*value.shape[:-1], 0), value.dtype)
    yield value[:1, ...] if value.ndim else value[None]
    yield value[..., :1] if value.ndim else value[None, None]
    yield value[None]


def canonical(function: Any, example: Any, rng: np.random.Generator) -> Call:
    """An example as a call, with an operand in place of every array that was drawn."""

    def marked(drawn: Any, given: Any) -> Any:
        if isinstance(given, list):
            return [marked(*pair) for pair in zip(drawn, given, strict=True)]
        return Operand(drawn) if isinstance(given, tuple) and drawn.dtype.kind in "fc" else drawn

    drawn = [marked(*pair) for pair in zip(example.draw(rng), example.args, strict=True)]
    bound = inspect.signature(function).bind(*drawn, **example.kwargs)
    given = dict(bound.arguments)
    rest = next((p.name for p in bound.signature.parameters.values() if p.kind is p.VAR_POSITIONAL), None)
    return Call(function, given, tuple(given.pop(rest, ()) if rest else ()))


def by_parameter(call: Call) -> Iterator[tuple[str, Any]]:
    """Every parameter that is no operand with its default and other values, by keyword and by position."""
    found = operands_in([call.given, call.rest])
    result = plain_result(call.function, call.spelled())
    for p in inspect.signature(call.function).parameters.values():
        if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) or operands_in(call.given.get(p.name)):
            continue
        default = [] if p.default is p.empty else [p.default]
        if p.name == "out" and not isinstance(result, (np.ndarray, np.generic)):
            continue
        # NumPy 2.4 crashes the process on an array of a wrong shape as `out`, so that has the right one.
        traced = [Operand(np.zeros(np.shape(result)), of_arrays(call.function))] if p.name == "out" else TRACED
        traced = [] if p.name == "dtype" else traced  # NumPy asks whatever it gets for its own dtype
        for value in [*default, *VALUES.get(p.name, GENERIC), *traced]:
            if inspect.isfunction(value):
                value = value(found[0].value, 0.0 if result is None else leaves_of(result)[0])
            changed = call.but(**{p.name: value})
            label = f"{p.name}={label_of(value)}"
            by_keyword = [] if p.kind is p.POSITIONAL_ONLY else [("", changed.spelled())]
            by_position = [] if p.kind is p.KEYWORD_ONLY else [(" by position", changed.spelled(p.name))]
            for how, spelled in [*by_keyword, *by_position]:
                # Some defaults in NumPy's signatures are not among the values that it takes (`signature=None`).
                if value is not p.default or plain_result(call.function, spelled) is not None:
                    yield label + how, spelled
    if not of_arrays(call.function):
        yield "unknown=1", (call.spelled()[0], {**call.spelled()[1], "unknown": 1})


def plain_result(function: Any, spelled: tuple[Any, Any]) -> Any:
    """What a call gives on plain arrays; None if it is refused."""
    args, kwargs = filled(spelled, {})
    try:
        return function(*args, **kwargs)
    except Exception:  # noqa: BLE001 (whatever it is, there is no result)
        return None


def by_operand(call: Call) -> Iterator[tuple[str, Any]]:
    """Every operand replaced by something else that NumPy may take for an array, or not."""
    found = operands_in([call.given, call.rest])
    for i, operand in enumerate(found):
        for other in in_place_of(operand.value):
            yield f"operand {i} a {label_of(other)}", replaced(call, {operand: other})
        for small in shrunk(operand.value):
            yield f"operand {i} of shape {small.shape}", replaced(call, {operand: Operand(small)})
    for small in zip(*[list(shrunk(operand.value)) for operand in found], strict=True):
        others = dict(zip(found, map(Operand, small), strict=True))
        yield f"shapes {[v.shape for v in small]}", replaced(call, others)
    for dtype in (np.float32, complex, np.float16):
        others = {
            operand: Operand((operand.value.real + (0.3j if dtype is complex else 0)).astype(dtype))
            for operand in found
        }
        yield f"all {np.dtype(dtype)}", replaced(call, others)


def replaced(call: Call, others: dict[Operand, Any]) -> tuple[Any, Any]:
    """A call, spelled, with other things in place of some operands."""

    def put(tree: Any) -> Any:
        if isinstance(tree, Operand):
            return others.get(tree, tree)
        return type(tree)(map(put, tree)) if type(tree) in (list, tuple) else tree

    return Call(call.function, {k: put(v) for k, v in call.given.items()}, tuple(map(put, call.rest))).spelled()


def label_of(value: Any) -> str:
    """A value as a failing test names it."""
    if isinstance(value, Operand):
        return f"traced array of shape {value.value.shape}"
    if isinstance(value, list) and value and isinstance(value[0], (Operand, list)):
        return "list of traced numbers" if operands_in(value) else "list"
    return f"{type(value).__name__} {value!r}"[:60].replace("\n", " ")


def method(name: str) -> Any:
    """A method of arrays as a function with NumPy's signature."""

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        out = getattr(self, name)(*args, **kwargs)
        return self if out is None else out

    call.__signature__ = inspect.signature(getattr(np.ndarray, name))  # type: ignore[attr-defined]
    call.__name__ = name
    return call


def of_arrays(function: Any) -> bool:
    """Whether a function is a method of arrays, made above."""
    return getattr(function, "__qualname__", "").startswith("method.")


METHODS = [
    name for name in dir(np.ndarray)
    if name[0] != "_" and callable(getattr(np.ndarray, name)) and name not in ("item", "tolist", "fill")
    and getattr(np, name, None) not in CONSTANTS
    and all(hasattr(kind, name) for kind in (Tensor, Dual, SymbolicArray))
]  # fmt: skip
"""What traced values have of NumPy's methods; those left out give plain numbers, or write."""

CALLS = {
    "astype": {"dtype": np.float64}, "dot": {"other": np.array([[1.0, 2.0], [3.0, 4.0], [0.5, -1.0]])},
    "repeat": {"repeats": 2}, "swapaxes": {"axis1": 0, "axis2": 1}, "take": {"indices": [1, 0]},
    "clip": {"min": -0.3, "max": 0.6},
}  # fmt: skip
"""What a method needs besides the array."""


def problems_of(function: Any, calls: Any, rng: np.random.Generator) -> list[str]:
    """Everything that is wrong with some calls, once with all operands traced and once with each alone."""
    problems = []
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for label, spelled in calls:
            found = operands_in(spelled)
            for moving in [found, *([operand] for operand in found if len(found) > 1)][: 4 if len(found) < 9 else 1]:
                if function not in OURS and all(operand.option for operand in moving):
                    continue  # NumPy does not tell us of traced options beside plain arrays
                if moving and (problem := problem_of(function, spelled, moving, rng)):
                    problems.append(f"{public_name(function)}, {label}, {len(moving)} traced: {problem}")
                    break
    return problems


ENOUGH = 3
"""Examples of each entry that are tried: the first ones differ most, and the suite has two hundred entries."""


@every_entry
def test_every_parameter_in_every_spelling_gives_numpys_value_or_a_plain_refusal(function):
    rng = np.random.default_rng(0)
    for example in ENTRIES[function].examples[:ENOUGH]:
        assert problems_of(function, by_parameter(canonical(function, example, rng)), rng) == []


@every_entry
def test_everything_in_place_of_an_array_gives_numpys_value_or_a_plain_refusal(function):
    rng = np.random.default_rng(1)
    for example in ENTRIES[function].examples[:ENOUGH]:
        assert problems_of(function, by_operand(canonical(function, example, rng)), rng) == []


@pytest.mark.parametrize("name", METHODS)
def test_every_method_takes_what_numpys_takes_or_refuses_in_words(name):
    rng = np.random.default_rng(2)
    for value in [np.array([[0.71, -1.33, 0.23], [1.94, -0.42, 0.58]]), np.array([0.71, -1.33, 2.16])]:
        needs = {} if name == "swapaxes" and value.ndim == 1 else CALLS.get(name, {})
        call = Call(method(name), {"self": Operand(value), **needs}, ())
        assert problems_of(call.function, by_parameter(call), rng) == []
