"""Forward mode: a ``Dual`` carries a value and its rate of change through ordinary NumPy code.

The one idea: push the change of the input through each primitive by the table's jvp rule, beside the value itself.
Nothing is recorded and nothing is kept, so memory does not grow with depth (Wengert, 1964).
"""

from __future__ import annotations

from sys import getrefcount
from typing import Any, ClassVar

import numpy as np
from numpy import ndarray

from . import catalogue  # noqa: F401  (fills the table)
from .array_methods import NO_KEYWORDS
from .dispatch import Traced, apply, newest
from .references import NAME
from .table import LINEAR, Primitive

__all__ = ["Dual"]


class Dual(Traced):
    """A value and the direction in which it moves.

    Parameters
    ----------
    value : array_like
        The value.
    tangent : array_like
        Its rate of change, of the same shape.
    traces : int
        The mark of the differentiation this belongs to (see :class:`~coursepkg.autodiff.dispatch.tracing`).

    Examples
    --------
    >>> import numpy as np
    >>> y = np.tanh(Dual(0.5, 1.0))
    >>> float(y.tangent.round(6)), float((1 - np.tanh(0.5) ** 2).round(6))
    (0.786448, 0.786448)
    """

    __slots__ = ("tangent", "traces", "value")
    rank: ClassVar[int] = 0

    def __init__(self, value: Any, tangent: Any, traces: int = 1) -> None:
        if type(value) is not ndarray and not isinstance(value, (ndarray, Traced)):
            value = np.asarray(value)
        if type(tangent) is not ndarray and not isinstance(tangent, (ndarray, Traced)):
            tangent = np.asarray(tangent)
        if value.shape != tangent.shape:
            raise ValueError(
                f"a tangent has the shape of its value; got value {value.shape} and tangent {tangent.shape}"
            )
        self.value, self.tangent, self.traces = value, tangent, traces

    @classmethod
    def apply(cls, entry: Primitive, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run a primitive on arguments of which a dual is the newest."""
        return next(a for a in args if type(a) is Dual).run(entry, args, kwargs)

    def run(self, entry: Primitive, args: tuple[Any, ...], kwargs: dict[str, Any] = NO_KEYWORDS) -> Any:
        """Run a primitive and push the tangents of its arguments through; older differentiations are constants here."""
        mark = self.traces
        values: list[Any] = []
        changes: list[Any] = []
        nested = False
        for a in args:
            t = None
            if type(a) is Dual:
                if a.traces == mark:
                    t, a = a.tangent, a.value
                elif a.traces > mark:
                    return a.run(entry, args, kwargs)
            if type(a) is not ndarray and isinstance(a, Traced):
                nested = True
            values.append(a)
            changes.append(t)
        if nested and newest(args) is not Dual:
            return apply(entry, args, kwargs)
        out = (entry.forward if nested else entry.on_arrays)(*values, **kwargs)
        value = out[0] if entry.saves else out
        tangent: Any = None
        for i, t in enumerate(changes):
            rule: Any = None if t is None else entry.jvp[i]
            if rule is None:
                continue
            if rule is LINEAR:
                term = entry.forward(*values[:i], t, *values[i + 1 :], **kwargs)
            else:
                term = rule(t, out, *values, **kwargs)
            if tangent is None:
                tangent = term
            elif (
                getrefcount(tangent) == NAME  # nobody else holds it, so the sum may take its place
                and type(tangent) is ndarray
                and type(term) is ndarray
                and tangent.base is None
                and tangent.dtype is term.dtype
                and tangent.shape == value.shape
            ):
                tangent += term
            else:
                tangent = tangent + term
        if tangent is None:
            tangent = np.zeros_like(value)
        if tangent.shape != value.shape:
            tangent = np.broadcast_to(tangent, value.shape)
        if tangent.dtype is not value.dtype and tangent.dtype != value.dtype:
            tangent = (np.real(tangent) if value.dtype.kind != "c" else tangent).astype(value.dtype)
        result = _new(Dual)
        result.value = value if type(value) is ndarray or isinstance(value, Traced) else np.asarray(value)
        result.tangent = tangent if type(tangent) is ndarray or isinstance(tangent, Traced) else np.asarray(tangent)
        result.traces = mark
        return result

    def _under(self) -> Any:
        return self.value

    def __repr__(self) -> str:
        return f"Dual({self.value}, tangent={self.tangent})"


_new = Dual.__new__
