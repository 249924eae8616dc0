"""How ordinary NumPy code reaches the table: NumPy's dispatch protocols, shared by every kind of traced value.

``np.tanh(x)`` asks its argument for ``__array_ufunc__`` and ``np.sum(x)`` for ``__array_function__`` (NumPy enhancement
proposals 13 and 18). Both look the function up in the table and hand the entry to the newest kind of value among the
arguments. Whatever would leave the graph in silence raises an error that says what to write instead.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from threading import local
from typing import Any, ClassVar

import numpy as np
from numpy import ndarray

from .array_methods import ArrayMethods
from .table import COMPOSITES, CONSTANTS, PRIMITIVES, Primitive, elementwise, name_of, primitive

__all__ = ["LeavesGraphError", "MissingPrimitiveError", "Traced", "call", "nesting", "operation", "plain", "tracing"]


class MissingPrimitiveError(NotImplementedError):
    """A NumPy function was called on a traced value and the table has no entry for it."""


class LeavesGraphError(TypeError):
    """A traced value was about to be turned into plain numbers, which would cut its gradient in silence."""


class _Nesting(local):
    """How many differentiations are open, in each thread for itself: in one count for all, they would mix up."""

    depth = 0


nesting = _Nesting()


class tracing:
    """Open a new differentiation: ``with tracing() as bit`` gives the bit that marks every value which depends on it.

    An inner differentiation always has the higher bit, so the larger mark is the newer one. This is what keeps nested
    derivatives apart ("perturbation confusion": Siskind and Pearlmutter, 2005).
    """

    __slots__ = ()

    def __enter__(self) -> int:
        nesting.depth = depth = nesting.depth + 1
        return 1 << depth

    def __exit__(self, *exception: object) -> None:
        nesting.depth -= 1


ORDER = count(0, -1)


def plain(x: Any) -> Any:
    """Return ``x`` with every traced value in it, also inside lists and tuples, replaced by its plain array."""
    while isinstance(x, Traced):
        x = x._under()
    if isinstance(x, (list, tuple)):
        return type(x)(plain(item) for item in x)
    return x


def newest(args: tuple[Any, ...]) -> type[Traced] | None:
    """Return the class that must handle a call: that of the newest traced argument, or None if there is none."""
    best = None
    for a in args:
        if type(a) is ndarray or not isinstance(a, Traced):
            continue
        if best is None or (type(a) is not type(best) and (a.traces, a.rank) > (best.traces, best.rank)):
            best = a
    return type(best) if best is not None else None


def apply(entry: Primitive, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run a primitive on arguments of which some are traced, by the class of the newest."""
    kind = newest(args)
    if kind is None:
        raise LeavesGraphError(
            f"{entry.name} got its traced array by keyword or inside a list; pass it as a positional argument"
        )
    if kwargs:
        refuse_untraceable(entry.name, kwargs)
    return kind.apply(entry, args, kwargs)


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
        If the table has no entry for the function.
    LeavesGraphError
        If the call asks for something that cannot be traced, such as ``out=``.
    """
    entry = PRIMITIVES.get(function)
    if entry is not None:
        return apply(entry, args, kwargs)
    rewritten = COMPOSITES.get(function)
    if rewritten is not None:
        refuse_untraceable(rewritten.name, kwargs)
        return rewritten.definition(*args, **kwargs)
    if function in CONSTANTS:
        return function(*plain(args), **{k: plain(v) for k, v in kwargs.items()})
    name = name_of(function)
    raise MissingPrimitiveError(
        f"numpy's {name!r} has no entry in the table of primitives, so nothing knows its derivative. Write it with "
        f"functions that are there (coursepkg.autodiff.table.PRIMITIVES lists them), or add an entry: "
        f"primitive(np.{name}, vjp=..., jvp=..., examples=[...]), see coursepkg/autodiff/table.py"
    )


def refuse_untraceable(name: str, kwargs: dict[str, Any]) -> None:
    """Raise if keywords ask for an in-place result or hold a traced value."""
    if kwargs.get("out") is not None:
        raise LeavesGraphError(
            f"{name}(..., out=...) writes into an array, which a gradient cannot follow; assign the result: y = "
            f"{name}(...)"
        )
    for key, value in kwargs.items():
        if isinstance(value, Traced):
            raise LeavesGraphError(f"{name}(..., {key}=<traced>) is not followed; pass that array by position")


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
        :func:`~coursepkg.autodiff.table.elementwise`.

    Returns
    -------
    callable
        The function to export.
    """
    forward = forward or function
    saves = properties.get("saves", False)

    def traced_or_plain(*args: Any, **kwargs: Any) -> Any:
        for a in args:
            if type(a) is not ndarray and isinstance(a, Traced):
                return apply(entry, args, kwargs) if kwargs else a.run(entry, args)
        out = forward(*args, **kwargs)
        return out[0] if saves else out

    for attribute in ("__name__", "__qualname__", "__doc__", "__module__", "__annotations__"):
        setattr(traced_or_plain, attribute, getattr(function, attribute))
    traced_or_plain.__wrapped__ = function  # type: ignore[attr-defined]
    rules = properties.pop("rules", ())
    if rules or "slope" in properties:
        entry = elementwise(
            traced_or_plain, *rules, forward=forward if saves else traced_or_plain, on_arrays=forward, **properties
        )
    else:
        entry = primitive(
            traced_or_plain, forward=forward if saves else traced_or_plain, on_arrays=forward, **properties
        )
    return traced_or_plain


REDUCTIONS: dict[Any, Callable[..., Any]] = {
    np.add: np.sum,
    np.multiply: np.prod,
    np.maximum: np.max,
    np.minimum: np.min,
}


class Traced(ArrayMethods):
    """What every traced value has in common: NumPy's protocols, operators, and the array methods people expect.

    ``traces`` is the set of differentiations a value depends on, as bits of an integer.
    """

    __slots__ = ()
    rank: ClassVar[int] = 0
    traces: Any

    def _under(self) -> Any:
        """Return the value one level down: an array, or a traced value of an outer differentiation."""
        raise NotImplementedError

    @classmethod
    def apply(cls, entry: Primitive, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run a primitive on arguments of which at least one is of this kind."""
        raise NotImplementedError

    def run(self, entry: Primitive, args: tuple[Any, ...]) -> Any:
        """Run a primitive on arguments of which this value is one, but perhaps not the newest."""
        return apply(entry, args, {})

    # --- NumPy's protocols

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method == "__call__":
            return call(ufunc, inputs, kwargs)
        if method == "reduce" and ufunc in REDUCTIONS:
            return call(REDUCTIONS[ufunc], inputs[:1], {"axis": inputs[1] if len(inputs) > 1 else 0, **kwargs})
        if method == "accumulate" and ufunc is np.add:
            return call(np.cumsum, inputs[:1], {"axis": inputs[1] if len(inputs) > 1 else 0, **kwargs})
        if method == "outer":
            left, right = inputs
            column = np.reshape(left, np.shape(left) + (1,) * np.ndim(right))
            return ufunc(column, right, **kwargs)
        raise MissingPrimitiveError(
            f"np.{ufunc.__name__}.{method} is not traced; write it with reductions or indexing instead"
        )

    def __array_function__(self, function: Any, types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return call(function, args, kwargs)

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        raise LeavesGraphError(
            f"turning a {type(self).__name__} into a plain NumPy array would cut its gradient. For an array of "
            "traced values write np.stack([...]) instead of np.array([...]) and np.concatenate or np.where "
            "instead of a[i] = value; to leave the graph on purpose write x.detach().numpy()"
        )

    def __float__(self) -> float:
        raise self._refusal("float(x)")

    def __int__(self) -> int:
        raise self._refusal("int(x)")

    def __complex__(self) -> complex:
        raise self._refusal("complex(x)")

    def __index__(self) -> int:
        raise self._refusal("using x as an index")

    def _refusal(self, what: str) -> LeavesGraphError:
        return LeavesGraphError(
            f"{what} on a {type(self).__name__} would cut its gradient (math.sin and its kin do this too). "
            "Write np.sin in place of math.sin and keep the value traced; to read the number on purpose write x.item()"
        )

    def __bool__(self) -> bool:
        return bool(plain(self))

    def __setitem__(self, index: Any, value: Any) -> None:
        raise LeavesGraphError(
            f"a {type(self).__name__} cannot be written into: its old entries may be needed by the backward "
            "pass. Build a new one: np.where(mask, new, x), np.concatenate, or np.stack"
        )

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec and self.size == 1 else str(self)

    def item(self) -> Any:
        """Return the single entry as a Python number, leaving the graph on purpose."""
        return plain(self).item()

    def tolist(self) -> Any:
        """Return the entries as nested lists of Python numbers, leaving the graph on purpose."""
        return plain(self).tolist()

    def numpy(self) -> np.ndarray:
        """Return the plain array, leaving the graph on purpose; it is read-only, because the tape may need it."""
        view = np.asarray(plain(self)).view()
        view.flags.writeable = False
        return view

    __hash__ = object.__hash__
