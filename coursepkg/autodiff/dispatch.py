"""How ordinary NumPy code reaches the table: NumPy's dispatch protocols, shared by every kind of traced value.

``np.tanh(x)`` asks its argument for ``__array_ufunc__`` and ``np.sum(x)`` for ``__array_function__`` (NumPy enhancement
proposals 13 and 18). Both look the function up in the table, bind the call at the gate and hand the entry to the newest
kind of value among the operands.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import numpy as np
from numpy import ndarray

from .array_methods import ArrayMethods
from .errors import LeavesGraphError, MissingPrimitiveError, UnsupportedArgumentError
from .gate import as_operand, composite_call, parameters_of, primitive_call, public_name
from .table import COMPOSITES, CONSTANTS, PRIMITIVES, Example, Primitive, composite, elementwise, primitive
from .traced import ORDER, Traced, nesting, newest, plain, tracing

__all__ = [
    "ORDER", "LeavesGraphError", "MissingPrimitiveError", "Traced", "TracedArray", "UnsupportedArgumentError", "apply",
    "call", "nesting", "newest", "operation", "plain", "rewriting", "tracing",
]  # fmt: skip


WRITING = frozenset({np.copyto, np.put, np.place, np.putmask, np.put_along_axis, np.fill_diagonal})


def apply(entry: Primitive, operands: Sequence[Any], options: dict[str, Any]) -> Any:
    """Run a primitive on operands that passed the gate, by the class of the newest; plainly if none is traced."""
    kind = newest(operands)
    if kind is None:
        out = entry.forward(*operands, **options)
        return out[0] if entry.saves else out
    return kind.apply(entry, operands, options)


def call(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run a function of the table on arguments of which some are traced.

    Parameters
    ----------
    function : callable
        The key in the table, e.g. ``numpy.tanh``.
    args, kwargs : tuple, dict
        As the user gave them.

    Returns
    -------
    Traced or numpy.ndarray
        Traced if a derivative flows through.

    Raises
    ------
    MissingPrimitiveError
        If the table has no entry for the function, or the entry does not support an argument.
    """
    entry = PRIMITIVES.get(function)
    if entry is not None:
        operands, options = primitive_call(entry, args, kwargs)
        return apply(entry, operands, options)
    rewritten = COMPOSITES.get(function)
    if rewritten is not None:
        return composite_call(rewritten, args, kwargs)
    if function in CONSTANTS:
        if kwargs.get("out") is not None:
            raise UnsupportedArgumentError(f"{public_name(function)}(..., out=...): assign the result instead")
        for value in args:
            if isinstance(value, (np.ma.MaskedArray, np.matrix)):
                as_operand(value, public_name(function))  # which says what to do
        return function(*plain(args), **{k: plain(v) for k, v in kwargs.items()})
    if _load_further(function):
        return call(function, args, kwargs)
    name = public_name(function)
    if function in WRITING:
        raise LeavesGraphError(
            f"{name} writes into an array, which a gradient cannot follow; build a new one: np.where(mask, new, old), "
            "np.stack, or np.broadcast_to(value, shape)"
        )
    raise MissingPrimitiveError(
        f"{name} has no entry in the table of primitives, so nothing knows its derivative. Write it with functions "
        "that are there (docs/supported.md lists them), or give its derivative yourself: "
        "coursepkg.gradients.custom_gradient"
    )


def _load_further(function: Callable[..., Any]) -> bool:
    """Enter what few models use, now that a function is missing; return whether there is something new in the table.

    Loading everything at once would double the engine's start. ``scipy.special`` takes longer still, so its functions
    wait until somebody else has loaded it.
    """
    for name, asked in (("further", True), ("special", "scipy.special" in sys.modules or function is np.i0)):
        entries = f"{__package__}.primitives.{name}"
        if asked and entries not in sys.modules:
            import_module(entries)
            return True
    return False


def operation(function: Callable[..., Any], *, forward: Callable[..., Any] | None = None, **properties: Any) -> Any:
    """Make a function of our own that traces like NumPy's: plain on plain arrays, through the table otherwise.

    Parameters
    ----------
    function : callable
        Its signature and docstring are what users see. Its body is the forward rule unless ``forward`` is given.
    forward : callable, optional
        A forward rule that differs from the body; one that saves values must run on traced values as it is.
    **properties
        As for :func:`~coursepkg.autodiff.table.primitive`, or ``rules`` or ``slope``, and ``domain``, as for
        :func:`~coursepkg.autodiff.table.elementwise`. ``options`` are by default the parameters behind the operands.

    Returns
    -------
    callable
        The function to export.
    """
    forward = forward or function
    saves = properties.get("saves", False)
    known_as = properties.get("name") or function.__name__.lstrip("_")

    @functools.wraps(function)
    def traced_or_plain(*args: Any, **kwargs: Any) -> Any:
        for a in (*args, *kwargs.values()) if kwargs else args:
            if type(a) is not ndarray and isinstance(a, Traced):
                if len(args) == count and not kwargs:
                    return a.run(entry, args)
                return apply(entry, *primitive_call(entry, args, kwargs))
        out = forward(*args, **kwargs)
        return out[0] if saves else out

    traced_or_plain.__name__ = traced_or_plain.__qualname__ = known_as
    rules = properties.pop("rules", None) or ()
    if "options" not in properties:
        parameters = parameters_of(function)
        behind = 0 if parameters.rest else len(rules or properties.get("vjp", (None,)))
        names = [*parameters.positional[behind:], *sorted(parameters.known - {*parameters.positional})]
        properties["options"] = " ".join(names)
    enter = elementwise if rules or "slope" in properties else primitive
    entry = enter(traced_or_plain, *rules, forward=forward, **properties)
    count = -1 if entry.variadic else len(entry.operands)
    return traced_or_plain


def rewriting(*examples: Example, **properties: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Enter a function of our own that is written in terms of others; traced values pass the gate, as in NumPy's.

    Parameters
    ----------
    *examples, **properties
        As for :func:`~coursepkg.autodiff.table.composite`.

    Returns
    -------
    callable
        A decorator.
    """

    def enter(definition: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(definition)
        def function(*args: Any, **kwargs: Any) -> Any:
            if any(isinstance(a, Traced) for a in (*args, *kwargs.values())):
                return composite_call(entry, args, kwargs)
            return definition(*args, **kwargs)

        entry = composite(function, definition, *examples, **properties)
        return function

    return enter


REDUCTIONS: dict[Any, Callable[..., Any]] = {
    np.add: np.sum,
    np.multiply: np.prod,
    np.maximum: np.max,
    np.minimum: np.min,
}
ACCUMULATIONS: dict[Any, Callable[..., Any]] = {np.add: np.cumsum, np.multiply: np.cumprod}


class TracedArray(Traced, ArrayMethods):
    """A traced value that NumPy's functions and operators take: the base of every engine's own kind."""

    __slots__ = ()

    @classmethod
    def apply(cls, entry: Primitive, operands: tuple[Any, ...], options: dict[str, Any]) -> Any:
        """Run a primitive on operands of which at least one is of this kind."""
        raise NotImplementedError

    def run(self, entry: Primitive, operands: tuple[Any, ...]) -> Any:
        """Run a primitive on operands of which this value is one, but perhaps not the newest."""
        return apply(entry, operands, {})

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method == "__call__":
            return call(ufunc, inputs, kwargs)
        if method == "reduce" and ufunc in REDUCTIONS:
            return call(REDUCTIONS[ufunc], inputs[:1], {"axis": inputs[1] if len(inputs) > 1 else 0, **kwargs})
        if method == "accumulate" and ufunc in ACCUMULATIONS:
            return call(ACCUMULATIONS[ufunc], inputs[:1], {"axis": inputs[1] if len(inputs) > 1 else 0, **kwargs})
        if method == "outer" and not kwargs:
            left, right = inputs
            return ufunc(np.reshape(left, np.shape(left) + (1,) * np.ndim(right)), right)
        raise MissingPrimitiveError(
            f"np.{ufunc.__name__}.{method} is not traced; write it with reductions or indexing instead"
        )

    def __array_function__(self, function: Any, types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return call(function, args, kwargs)
