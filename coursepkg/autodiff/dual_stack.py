"""Forward mode in several directions at once: ``DualStack`` carries a value and a stack of its rates of change.

The one idea: the value and everything computed from it are the same for every direction, so they are computed once, and
the directions stand side by side along one more axis, the first ("vector mode": Griewank and Walther 2008, section
3.2). A matrix product with K directions is then one product with K times as many rows.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from . import catalogue  # noqa: F401  (fills the table)
from .dispatch import TracedArray
from .table import LINEAR, SAME, Primitive
from .traced import Traced

__all__ = ["DualStack"]


class DualStack(TracedArray):
    """A value and several directions in which it moves.

    Parameters
    ----------
    value : array_like
        The value.
    tangents : array_like, shape (directions, *value.shape)
        Its rates of change.
    traces : int
        The mark of the differentiation this belongs to (see :class:`~coursepkg.autodiff.traced.tracing`).

    Raises
    ------
    ValueError
        If the tangents do not have the value's shape behind their first axis.

    Examples
    --------
    >>> import numpy as np
    >>> x = DualStack(np.array([2.0, 3.0]), np.eye(2))
    >>> (x * x).tangents
    array([[4., 0.],
           [0., 6.]])
    """

    __slots__ = ("tangents", "traces", "value")
    rank: ClassVar[int] = 0

    def __init__(self, value: Any, tangents: Any, traces: int = 1) -> None:
        self.value = value if isinstance(value, (np.ndarray, Traced)) else np.asarray(value)
        self.tangents = tangents if isinstance(tangents, (np.ndarray, Traced)) else np.asarray(tangents)
        self.traces = traces
        if not self.tangents.shape or self.tangents.shape[1:] != self.value.shape:
            raise ValueError(
                "tangents have the shape of their value behind a first axis that counts the directions; got value "
                f"{self.value.shape} and tangents {self.tangents.shape}"
            )

    @classmethod
    def apply(cls, entry: Primitive, operands: tuple[Any, ...], options: dict[str, Any]) -> Any:
        """Run a primitive and push the tangents of its operands through; older differentiations are constants here."""
        mark = max(a.traces for a in operands if type(a) is DualStack)
        stacks = [a.tangents if type(a) is DualStack and a.traces == mark else None for a in operands]
        values = [a if t is None else a.value for a, t in zip(operands, stacks, strict=True)]
        directions = next(len(t) for t in stacks if t is not None)
        nested = any(type(v) is not np.ndarray and isinstance(v, Traced) for v in values)
        out = (entry.on_traced if nested else entry.forward)(*values, **options)
        value, saved = out if entry.saves else (out, out)
        total = None
        for i, (t, rule) in enumerate(zip(stacks, entry.jvp)):  # noqa: B905 (one rule may serve any number)
            if t is None or rule is None:
                continue
            term = _lined_up(_push(entry, i, t, value, saved, values, options), value.ndim)
            total = term if total is None else total + term
        if total is None:
            total = np.zeros((directions, *value.shape), value.dtype)
        if total.shape[1:] != value.shape:
            total = np.broadcast_to(total, (directions, *value.shape))
        if total.dtype != value.dtype:
            total = (np.real(total) if value.dtype.kind != "c" else total).astype(value.dtype)
        result = DualStack.__new__(DualStack)
        result.value = np.asarray(value) if isinstance(value, np.generic) else value
        result.tangents, result.traces = total, mark
        return result

    def _under(self) -> Any:
        return self.value

    def __repr__(self) -> str:
        return f"DualStack({self.value}, tangents={self.tangents})"


def _push(entry: Primitive, i: int, t: Any, value: Any, saved: Any, values: list[Any], options: dict[str, Any]) -> Any:
    """Return how the output changes if operand ``i`` changes by each of the stacked tangents."""

    def change(direction: Any) -> Any:
        if entry.jvp[i] is LINEAR:
            moved = [*values[:i], direction, *values[i + 1 :]]
            nested = any(isinstance(v, Traced) for v in moved)
            out = (entry.on_traced if nested else entry.forward)(*moved, **options)
            return out[0] if entry.saves else out
        return entry.jvp[i](direction, saved, *values, **options)  # type: ignore[operator, misc]

    if entry.elementwise:  # broadcasting does it, once the axes of the value stand below those of the output
        return change(_lined_up(t, np.ndim(value)))
    together = None if entry.jvps is None else entry.jvps[i]
    if together is SAME:
        return change(t)
    if together is not None:
        term = together(t, saved, *values, **options)  # type: ignore[operator]
        if term is not NotImplemented:
            return term
    if not len(t):
        return np.zeros((0, *np.shape(value)))
    return np.stack([change(t[k]) for k in range(len(t))])


def _lined_up(t: Any, ndim: int) -> Any:
    """Put axes of length one behind the first, so that the others align with those of an array of ``ndim`` axes."""
    missing = ndim + 1 - t.ndim
    return np.reshape(t, (len(t), *(1,) * missing, *t.shape[1:])) if missing > 0 else t
