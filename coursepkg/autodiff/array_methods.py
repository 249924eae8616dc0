"""Operators and array methods of traced values, each one line that calls the NumPy function of the same name.

They are written once here for ``Tensor``, ``Dual`` and ``SymbolicArray``. Comparisons give plain arrays of booleans, so
``if np.all(x > 0)`` and ``np.where(x > 0, a, b)`` read as they do for arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from .primitives import elementwise as e
from .table import Primitive

__all__ = ["ArrayMethods"]

PLAIN = frozenset({np.ndarray, float, int, complex, bool, np.float64, np.float32, np.complex128})
NO_KEYWORDS: dict[str, Any] = {}


def _operator(entry: Primitive) -> Callable[[Any, Any], Any]:
    """Make ``x + y``; the common cases go straight to the table, the rest lets NumPy find out who handles it."""
    function = entry.function

    def method(self: Any, other: Any) -> Any:
        kind = type(other)
        if kind is type(self) or kind in PLAIN:
            return self.apply(entry, (self, other), NO_KEYWORDS)
        return function(self, other)

    return method


def _reflected(entry: Primitive) -> Callable[[Any, Any], Any]:
    """Make ``y + x`` for a ``y`` that does not know traced values."""
    function = entry.function

    def method(self: Any, other: Any) -> Any:
        if type(other) in PLAIN:
            return self.apply(entry, (other, self), NO_KEYWORDS)
        return function(other, self)

    return method


def _unary(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def method(self: Any) -> Any:
        return function(self)

    method.__doc__ = f"Return ``numpy.{function.__name__}`` of this value, entry by entry."
    return method


class ArrayMethods:
    """Everything on a traced value that is only another spelling of a NumPy function."""

    __slots__ = ()

    if TYPE_CHECKING:

        def _under(self) -> Any: ...

        def __getattr__(self, name: str) -> Any: ...

    __add__, __radd__ = _operator(e.add), _reflected(e.add)
    __sub__, __rsub__ = _operator(e.subtract), _reflected(e.subtract)
    __mul__, __rmul__ = _operator(e.multiply), _reflected(e.multiply)
    __truediv__, __rtruediv__ = _operator(e.divide), _reflected(e.divide)
    __pow__, __rpow__ = _operator(e.power), _reflected(e.power)

    def __matmul__(self, other: Any) -> Any:
        return np.matmul(self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return np.matmul(other, self)

    def __neg__(self) -> Any:
        return np.negative(self)

    def __pos__(self) -> Any:
        return self

    def __abs__(self) -> Any:
        return np.abs(self)

    def __eq__(self, other: Any) -> Any:
        return np.equal(self, other)

    def __ne__(self, other: Any) -> Any:
        return np.not_equal(self, other)

    def __lt__(self, other: Any) -> Any:
        return np.less(self, other)

    def __le__(self, other: Any) -> Any:
        return np.less_equal(self, other)

    def __gt__(self, other: Any) -> Any:
        return np.greater(self, other)

    def __ge__(self, other: Any) -> Any:
        return np.greater_equal(self, other)

    # Equal values are not the same node of a graph: hash by identity, as PyTorch does.
    __hash__ = object.__hash__

    exp = _unary(np.exp)
    log = _unary(np.log)
    sqrt = _unary(np.sqrt)
    tanh = _unary(np.tanh)
    sin = _unary(np.sin)
    cos = _unary(np.cos)
    abs = _unary(np.abs)
    conj = conjugate = _unary(np.conj)

    @property
    def real(self) -> Any:
        """The real part."""
        return np.real(self)

    @property
    def imag(self) -> Any:
        """The imaginary part."""
        return np.imag(self)

    # --- shape

    @property
    def shape(self) -> tuple[int, ...]:
        """Length along each axis."""
        return self._under().shape

    @property
    def dtype(self) -> np.dtype:
        """The type of the entries."""
        return self._under().dtype

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self._under().ndim

    @property
    def size(self) -> int:
        """Number of entries."""
        return self._under().size

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError(f"len() of a 0-d {type(self).__name__}")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        if not self.shape:
            raise TypeError(f"a 0-d {type(self).__name__} cannot be iterated over")
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index: Any) -> Any:
        from .primitives.indexing import getitem

        return getitem(self, index)

    @property
    def T(self) -> Any:
        """The transpose: axes in reverse order."""
        return np.transpose(self)

    @property
    def mT(self) -> Any:
        """The matrix transpose: the last two axes swapped."""
        return np.swapaxes(self, -1, -2)

    def reshape(self, *shape: Any) -> Any:
        """Return the same entries in another shape: ``x.reshape(2, 3)`` or ``x.reshape((2, 3))``."""
        return np.reshape(self, shape[0] if len(shape) == 1 else shape)

    def transpose(self, *axes: Any) -> Any:
        """Permute the axes; without arguments, reverse them."""
        return np.transpose(self, (axes[0] if len(axes) == 1 else axes) or None)

    def swapaxes(self, axis1: int, axis2: int) -> Any:
        """Swap two axes."""
        return np.swapaxes(self, axis1, axis2)

    def ravel(self) -> Any:
        """Return the entries as one axis."""
        return np.reshape(self, -1)

    flatten = ravel

    def squeeze(self, axis: Any = None) -> Any:
        """Drop axes of length one."""
        return np.squeeze(self, axis)

    def astype(self, dtype: Any) -> Any:
        """Convert the entries; the gradient is converted back."""
        from .primitives.shaping import astype

        return astype(self, dtype)

    # --- reductions

    def sum(self, axis: Any = None, keepdims: bool = False) -> Any:
        """Add up the entries along ``axis``."""
        return np.sum(self, axis=axis, keepdims=keepdims)

    def mean(self, axis: Any = None, keepdims: bool = False) -> Any:
        """Average along ``axis``."""
        return np.mean(self, axis=axis, keepdims=keepdims)

    def var(self, axis: Any = None, ddof: int = 0, keepdims: bool = False) -> Any:
        """Return the variance along ``axis``."""
        return np.var(self, axis=axis, ddof=ddof, keepdims=keepdims)

    def std(self, axis: Any = None, ddof: int = 0, keepdims: bool = False) -> Any:
        """Return the standard deviation along ``axis``."""
        return np.std(self, axis=axis, ddof=ddof, keepdims=keepdims)

    def prod(self, axis: Any = None, keepdims: bool = False) -> Any:
        """Multiply the entries along ``axis``."""
        return np.prod(self, axis=axis, keepdims=keepdims)

    def max(self, axis: Any = None, keepdims: bool = False) -> Any:
        """Return the largest entry along ``axis``; equal ones share the gradient."""
        return np.max(self, axis=axis, keepdims=keepdims)

    def min(self, axis: Any = None, keepdims: bool = False) -> Any:
        """Return the smallest entry along ``axis``; equal ones share the gradient."""
        return np.min(self, axis=axis, keepdims=keepdims)

    def cumsum(self, axis: int | None = None) -> Any:
        """Return running sums along ``axis``."""
        return np.cumsum(self, axis=axis)

    def clip(self, min: Any = None, max: Any = None) -> Any:
        """Limit the entries; the gradient is zero where the limit binds."""
        return np.clip(self, min, max)

    def dot(self, other: Any) -> Any:
        """Return ``numpy.dot`` with another array."""
        return np.dot(self, other)

    def argmax(self, axis: int | None = None) -> Any:
        """Return where the largest entry is, as plain integers."""
        return np.argmax(self, axis=axis)

    def argmin(self, axis: int | None = None) -> Any:
        """Return where the smallest entry is, as plain integers."""
        return np.argmin(self, axis=axis)
