"""Forward mode: a ``Dual`` carries a value and its rate of change through ordinary NumPy code.

The one idea: push the change of the input through each primitive by the table's jvp rule, beside the value itself.
Nothing is recorded and nothing is kept, so memory does not grow with depth (Wengert, 1964).
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy import ndarray

from . import catalogue  # noqa: F401  (fills the table)
from .array_methods import NO_KEYWORDS
from .dispatch import TracedArray, apply
from .table import LINEAR, Primitive
from .traced import Traced, newest

__all__ = ["Dual"]


class Dual(TracedArray):
    """A value and the direction in which it moves.

    Parameters
    ----------
    value : array_like
        The value.
    tangent : array_like
        Its rate of change, of the same shape.
    traces : int
        The mark of the differentiation this belongs to (see :class:`~coursepkg.autodiff.traced.tracing`).

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
    def apply(cls, entry: Primitive, operands: tuple[Any, ...], options: dict[str, Any]) -> Any:
        """Run a primitive on operands of which a dual is the newest."""
        return next(a for a in operands if type(a) is Dual).run(entry, operands, options)

    def run(self, entry: Primitive, operands: tuple[Any, ...], options: dict[str, Any] = NO_KEYWORDS) -> Any:
        """Run a primitive and push the tangents of its operands through; older differentiations are constants here."""
        mark = self.traces
        values: list[Any] = []
        changes: list[Any] = []
        nested = False
        for a in operands:
            t = None
            if type(a) is Dual:
                if a.traces == mark:
                    t, a = a.tangent, a.value
                elif a.traces > mark:
                    return a.run(entry, operands, options)
            if type(a) is not ndarray and isinstance(a, Traced):
                nested = True
            values.append(a)
            changes.append(t)
        if nested and newest(operands) is not Dual:
            return apply(entry, operands, options)
        out, saved = _forward(entry, values, options, nested)
        tangent: Any = None
        ours = False  # whether the tangent is an array that a rule has just made, so that we may add to it
        for i, t in enumerate(changes):
            rule: Any = None if t is None else entry.jvp[i]
            if rule is None:
                continue
            if rule is LINEAR:
                moved = [*values[:i], t, *values[i + 1 :]]
                term = _forward(entry, moved, options, nested or type(t) is not ndarray)[0]
            else:
                term = rule(t, saved, *values, **options)
            if tangent is None:
                tangent = term
                ours = type(term) is ndarray and term is not t and term.base is None and term.shape == out.shape
            elif ours and type(term) is ndarray and term.dtype is tangent.dtype:
                tangent += term
            else:
                tangent = tangent + term
                ours = type(tangent) is ndarray and tangent.shape == out.shape
        if tangent is None:
            tangent = np.zeros_like(out)
        if tangent.shape != out.shape:
            tangent = np.broadcast_to(tangent, out.shape)
        if tangent.dtype is not out.dtype and tangent.dtype != out.dtype:
            tangent = (np.real(tangent) if out.dtype.kind != "c" else tangent).astype(out.dtype)
        result = _new(Dual)
        result.value = out if type(out) is ndarray or isinstance(out, Traced) else np.asarray(out)
        result.tangent = tangent if type(tangent) is ndarray or isinstance(tangent, Traced) else np.asarray(tangent)
        result.traces = mark
        return result

    def _under(self) -> Any:
        return self.value

    def __repr__(self) -> str:
        return f"Dual({self.value}, tangent={self.tangent})"


def _forward(entry: Primitive, values: list[Any], options: dict[str, Any], nested: bool) -> tuple[Any, Any]:
    """Return the result of a primitive, and what its rules get in the place of ``out``."""
    out = (entry.on_traced if nested else entry.forward)(*values, **options)
    return out if entry.saves else (out, out)


_new = Dual.__new__
