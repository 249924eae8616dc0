"""The gate: a call as NumPy understands it, before any rule runs.

The one idea: NumPy's own signature says what each argument is, wherever it stands and however it is spelled. So a call
is bound to that signature first. Defaults are dropped, operands become arrays, everything else becomes a keyword
under NumPy's name, and whatever an entry of the table does not declare is refused here, in words. No rule ever sees
an argument that it does not know.

Operators between tensors and arrays do not pass through: there is nothing to bind in ``x * y``.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from numbers import Rational
from typing import Any

import numpy as np
from numpy import ndarray

from .errors import LeavesGraphError, UnsupportedArgumentError
from .table import Composite, Primitive
from .traced import Traced, plain

__all__ = ["composite_call", "primitive_call", "public_name"]

NUMBERS = (bool, int, float, complex)
HINTS = {
    "where": "choose first: np.where(mask, x, 0.0) and the like",
    "dtype": "convert first: x.astype(dtype), with a floating point dtype",
    "initial": "combine it with the result afterwards",
    "order": "leave it out: the order in memory changes no value",
    "casting": "leave it out, or convert first: x.astype(dtype)",
    "subok": "leave it out",
}


@dataclass(frozen=True)
class Parameters:
    """A signature, taken apart.

    Attributes
    ----------
    positional : tuple of str
        What may be given by position, in order.
    nameless : frozenset of str
        What may only be given by position.
    defaults : dict
        Of every named parameter; those without one are missing.
    known : frozenset of str
        All names.
    rest, more : str or None
        Names of ``*args`` and ``**kwargs``, if there are any.
    """

    positional: tuple[str, ...]
    nameless: frozenset[str]
    defaults: dict[str, Any]
    known: frozenset[str]
    rest: str | None
    more: str | None


@cache
def parameters_of(function: Callable[..., Any]) -> Parameters:
    """Return the parameters of a function of NumPy, SciPy or our own."""
    given = list(inspect.signature(function).parameters.values())
    return Parameters(
        tuple(p.name for p in given if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)),
        frozenset(p.name for p in given if p.kind is p.POSITIONAL_ONLY),
        {p.name: p.default for p in given if p.default is not p.empty},
        frozenset(p.name for p in given if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)),
        next((p.name for p in given if p.kind is p.VAR_POSITIONAL), None),
        next((p.name for p in given if p.kind is p.VAR_KEYWORD), None),
    )


def bind(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[dict[str, Any], tuple]:
    """Return what is given, by name and without what is the default anyway, and what ``*args`` took up."""
    parameters, name = parameters_of(function), public_name(function)
    count = len(parameters.positional)
    if len(args) > count and parameters.rest is None:
        raise UnsupportedArgumentError(
            f"{name} takes at most {count} arguments by position ({', '.join(parameters.positional)}), got {len(args)}"
        )
    given = dict(zip(parameters.positional, args, strict=False))
    for key, value in kwargs.items():
        if key in given:
            raise UnsupportedArgumentError(f"{name} got {key} twice, by position and as {key}=")
        if key in parameters.nameless or (key not in parameters.known and parameters.more is None):
            raise UnsupportedArgumentError(
                f"{name} has no argument {key}= ; it takes {', '.join(sorted(parameters.known)) or 'arrays'}"
            )
        given[key] = value
    for key in parameters.positional:
        if key not in given and key not in parameters.defaults:
            raise UnsupportedArgumentError(f"{name} needs the argument {key}")
    return {k: v for k, v in given.items() if not _is_default(v, parameters.defaults, k)}, args[count:]


def _is_default(value: Any, defaults: dict[str, Any], key: str) -> bool:
    if key not in defaults:
        return False
    default = defaults[key]
    return value is default or (
        type(value) is type(default) and isinstance(value, (*NUMBERS, str)) and value == default
    )


def primitive_call(
    entry: Primitive, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Bind a call of a primitive.

    Parameters
    ----------
    entry : Primitive
        The entry of the table.
    args, kwargs : tuple, dict
        As the user gave them.

    Returns
    -------
    operands : tuple
        Traced values, plain arrays, and numbers where those stay numbers.
    options : dict
        Only what the entry declares, plain.

    Raises
    ------
    UnsupportedArgumentError
        If the call has an argument that NumPy or the entry does not know, or an operand that is no array of numbers.
    """
    given, rest = bind(entry.function, args, kwargs)
    name = public_name(entry.function)
    if entry.variadic:
        operands = [as_operand(value, name, weak=entry.elementwise) for value in rest]
    else:
        operands = []
        for key, rule in zip(parameters_of(entry.function).positional, entry.vjp, strict=False):
            if key not in given:
                break
            value = given.pop(key)
            operands.append(as_operand(value if rule else plain(value), name, weak=entry.elementwise))
        if entry.elementwise and len(operands) < len(entry.vjp):  # only np.where can do with fewer
            raise UnsupportedArgumentError(
                f"{name} of traced values needs {len(entry.vjp)} arrays, got {len(operands)}; see also np.nonzero"
            )
    declared = entry.options.split()
    dtype = None if "dtype" in declared else _floating(given.pop("dtype", None), name)
    if dtype is not None:
        operands = [_cast(value, dtype, name) for value in operands]
    defaults = parameters_of(entry.function).defaults
    options = {key: as_option(value, key, declared, name, defaults.get(key)) for key, value in given.items()}
    return tuple(operands), options


def composite_call(entry: Composite, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Bind a call of a composite and run its definition on it; parameters and errors as for :func:`primitive_call`."""
    given, rest = bind(entry.function, args, kwargs)
    name, takes = public_name(entry.function), parameters_of(entry.definition)
    arrays, sequences = entry.arrays.split(), entry.sequences.split()
    casts = "dtype" not in takes.known and takes.rest is None
    dtype = _floating(given.pop("dtype", None), name) if casts else None
    for key, value in given.items():
        if key in entry.nested.split():
            continue
        if key in sequences:
            given[key] = _sequence(value, name)
        elif key in arrays and not (value is None and takes.defaults.get(key, ...) in (None, np._NoValue)):
            given[key] = as_operand(value, name, weak=key in entry.weak.split())
        else:
            given[key] = as_option(value, key, takes.known, name, parameters_of(entry.function).defaults.get(key))
        if dtype is not None and (key in sequences or key in arrays):
            given[key] = (
                [_cast(v, dtype, name) for v in given[key]] if key in sequences else _cast(given[key], dtype, name)
            )
    if takes.rest is not None:  # what stands before it has to be given by position too
        return entry.definition(*[given.pop(key) for key in takes.positional if key in given], *rest, **given)
    return entry.definition(**given)


def _sequence(value: Any, name: str) -> list[Any]:
    if isinstance(value, (ndarray, Traced)) and np.ndim(value):
        return list(value)  # type: ignore[arg-type]
    if not isinstance(value, (list, tuple)):
        raise UnsupportedArgumentError(f"{name} needs a list or a tuple of arrays, got {type(value).__name__}")
    return [as_operand(item, name) for item in value]


def as_operand(value: Any, name: str, *, weak: bool = False) -> Any:
    """Return a value as what NumPy would compute with: a traced value or an array of numbers.

    Parameters
    ----------
    value : object
        What was given.
    name : str
        The function, for the error.
    weak : bool
        Leave Python's numbers as they are, so that they take the dtype of the arrays beside them, as in NumPy.

    Returns
    -------
    Traced, numpy.ndarray or number

    Raises
    ------
    UnsupportedArgumentError
        If it is nothing that has a derivative.
    """
    kind = type(value)
    if kind is ndarray:
        array = value
    elif isinstance(value, Traced):
        return value
    elif kind in NUMBERS or isinstance(value, np.number):
        return value if weak else np.asarray(value)
    elif isinstance(value, Rational):
        return float(value) if weak else np.asarray(float(value))
    elif isinstance(value, (np.ma.MaskedArray, np.matrix)):
        masked = isinstance(value, np.ma.MaskedArray)
        advice = "m.filled(0.0), or np.where(mask, x, 0.0)" if masked else "np.asarray(m), and @ for the product"
        raise UnsupportedArgumentError(
            f"{name} got a {kind.__name__}, whose operations mean something else than those of arrays; use {advice}"
        )
    elif isinstance(value, (list, tuple)) and _holds_traced(value):
        return np.stack([as_operand(item, name) for item in value])
    else:
        array = _converted(value, name)
    if array.dtype.kind not in "biufc":
        forgotten = "; did a function forget its `return`?" if value is None else "; expected numbers"
        raise UnsupportedArgumentError(f"{name} got {_described(value)}{forgotten}")
    return array


def _converted(value: Any, name: str) -> ndarray:
    try:
        return np.asarray(value)
    except (TypeError, ValueError) as error:
        if isinstance(error, LeavesGraphError):
            raise
        raise UnsupportedArgumentError(f"{name} got {_described(value)}, which is no array: {error}") from error


def _described(value: Any) -> str:
    return repr(value) if value is None or isinstance(value, str) else f"a {type(value).__name__}"


def _holds_traced(value: Any) -> bool:
    return isinstance(value, Traced) or (isinstance(value, (list, tuple)) and any(map(_holds_traced, value)))


def as_option(value: Any, key: str, declared: Any, name: str, default: Any = None) -> Any:
    """Return an option as plain values, or refuse it. What NumPy's default is tells switches and whole numbers."""
    if key == "out":
        raise LeavesGraphError(
            f"{name}(..., out=...) writes into an array, which a gradient cannot follow; assign the result instead: "
            f"y = {name}(...)"
        )
    if key not in declared:
        hint = HINTS.get(key, "leave it out, or write the step with functions that are supported").format(name=name)
        raise UnsupportedArgumentError(f"{name}(..., {key}=...) is not supported on traced values; {hint}")
    if _holds_traced(value):
        value = plain(value)
        if np.asarray(value).dtype.kind not in "biu":
            raise UnsupportedArgumentError(
                f"{name}(..., {key}=<traced>) is not followed: the gradient would be cut; give plain numbers"
            )
    value = _settled(value)
    if key == "keepdims" or type(default) is bool:
        if not isinstance(value, (bool, int, str)):
            raise UnsupportedArgumentError(f"{name}(..., {key}=...) is True or False, got {_described(value)}")
        return value if isinstance(value, str) else bool(value)
    if type(default) is float and not isinstance(value, (int, float, np.number)):
        raise UnsupportedArgumentError(f"{name}(..., {key}=...) is a number, got {_described(value)}")
    if type(default) is int and key not in ("ddof", "ord") and np.asarray(value).dtype.kind == "f":
        raise UnsupportedArgumentError(f"{name}(..., {key}=...) is a whole number, got {value!r}")
    if key == "order" and value not in ("C", "F", None):
        raise UnsupportedArgumentError(
            f"{name}(..., order={value!r}) follows the order in memory, which traced values lack; write 'C' or 'F'"
        )
    return value


def _settled(value: Any) -> Any:
    """Return lists and arrays as ones of their own, because a model may write into its own again."""
    if type(value) is ndarray:
        return value.copy()
    return type(value)(map(_settled, value)) if type(value) in (list, tuple) else value


def _floating(dtype: Any, name: str) -> Any:
    if isinstance(dtype, Traced):  # NumPy would ask it for its own dtype
        raise UnsupportedArgumentError(f"{name}(..., dtype=...) got a {type(dtype).__name__}; write x.dtype")
    if dtype is not None and np.dtype(dtype).kind == "c":
        raise UnsupportedArgumentError(
            f"{name}(..., dtype={np.dtype(dtype)}) is not supported on traced values; convert first: x.astype(complex)"
        )
    if dtype is not None and np.dtype(dtype).kind != "f":
        raise UnsupportedArgumentError(
            f"{name}(..., dtype={np.dtype(dtype)}) rounds to whole numbers, through which no gradient flows; use a "
            "floating point dtype, or round at the end: np.round(x)"
        )
    return dtype


def _cast(value: Any, dtype: Any, name: str) -> Any:
    from_number = not isinstance(value, (Traced, ndarray))
    if not from_number and value.dtype.kind == "c":
        raise UnsupportedArgumentError(
            f"{name}(..., dtype={np.dtype(dtype)}) of complex numbers would drop a part of them; write np.real(x)"
        )
    return np.asarray(value, dtype) if from_number else value if value.dtype == dtype else np.astype(value, dtype)


@cache
def public_name(function: Callable[..., Any]) -> str:
    """Return how one writes a function: ``np.linalg.solve``, ``scipy.special.expit``, ``relu``."""
    name = getattr(function, "__name__", str(function))
    for room, short in (
        ("numpy", "np"), ("numpy.linalg", "np.linalg"), ("numpy.fft", "np.fft"),
        ("scipy.special", "scipy.special"), ("scipy.linalg", "scipy.linalg"), (f"{__package__}.linalg", "linalg"),
    ):  # fmt: skip
        if getattr(sys.modules.get(room), name, None) is function:
            return f"{short}.{name}"
    return name
