"""Operators and array methods of traced values, each one line that calls the NumPy function of the same name.

They are written once here for ``Tensor``, ``Dual`` and ``SymbolicArray``. Comparisons give plain arrays of booleans, so
``if np.all(x > 0)`` and ``np.where(x > 0, a, b)`` read as they do for arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import LeavesGraphError, MissingAttributeError
from .table import PRIMITIVES
from .traced import plain

__all__ = ["ArrayMethods"]

PLAIN = frozenset({np.ndarray, float, int, complex, bool, np.float64, np.float32, np.complex128})
NO_KEYWORDS: dict[str, Any] = {}


def _operator(ufunc: np.ufunc) -> Callable[[Any, Any], Any]:
    """Make ``x + y``; the common cases go straight to the table, the rest lets NumPy find out who handles it."""

    def method(self: Any, other: Any) -> Any:
        kind = type(other)
        if (kind is type(self) or kind in PLAIN) and not (kind is np.ndarray and other.dtype.hasobject):
            return self.run(PRIMITIVES[ufunc], (self, other))
        return ufunc(self, other)

    return method


def _reflected(ufunc: np.ufunc) -> Callable[[Any, Any], Any]:
    """Make ``y + x`` for a ``y`` that does not know traced values."""

    def method(self: Any, other: Any) -> Any:
        if type(other) in PLAIN and not (type(other) is np.ndarray and other.dtype.hasobject):
            return self.run(PRIMITIVES[ufunc], (other, self))
        return ufunc(other, self)

    return method


def refused_in_place(x: Any, ufunc: Any, sign: str, other: Any) -> Any:
    """Handle ``x += y``: a single number is bound again, as NumPy's are; an array cannot be written into.

    Other names and views of the same array would have to see the change, and rules may still need the old values.
    """
    if x.ndim == 0:
        return ufunc(x, other)
    raise LeavesGraphError(
        f"`x {sign}= ...` writes into an array of shape {x.shape}, which a {type(x).__name__} does not allow: other "
        f"views of it, and the backward pass, need the old entries. Write x = x {sign} ... instead"
    )


def _in_place(ufunc: Any, sign: str) -> Callable[[Any, Any], Any]:
    def method(self: Any, other: Any) -> Any:
        return refused_in_place(self, ufunc, sign, other)

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
        def __getitem__(self, index: Any) -> Any: ...

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or not hasattr(np.ndarray, name):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        writes = name in ("byteswap", "partition", "put", "resize", "setfield", "setflags", "sort")
        advice = (
            f"it writes into the array; build a new value, for example with np.{name} if NumPy has it"
            if writes
            else f"use NumPy's functions, or stop_gradient(x).numpy().{name} where no gradient is wanted"
        )
        raise MissingAttributeError(f"a {type(self).__name__} has no {name}, which arrays have: {advice}")

    __add__, __radd__ = _operator(np.add), _reflected(np.add)
    __sub__, __rsub__ = _operator(np.subtract), _reflected(np.subtract)
    __mul__, __rmul__ = _operator(np.multiply), _reflected(np.multiply)
    __truediv__, __rtruediv__ = _operator(np.divide), _reflected(np.divide)
    __pow__, __rpow__ = _operator(np.power), _reflected(np.power)

    __matmul__, __rmatmul__ = _operator(np.matmul), _reflected(np.matmul)

    __iadd__ = _in_place(np.add, "+")
    __isub__ = _in_place(np.subtract, "-")
    __imul__ = _in_place(np.multiply, "*")
    __itruediv__ = _in_place(np.divide, "/")
    __ipow__ = _in_place(np.power, "**")
    __imatmul__ = _in_place(np.matmul, "@")
    __imod__ = _in_place(np.remainder, "%")
    __ifloordiv__ = _in_place(np.floor_divide, "//")

    def __mod__(self, other: Any) -> Any:
        return np.remainder(self, other)

    def __rmod__(self, other: Any) -> Any:
        return np.remainder(other, self)

    def __floordiv__(self, other: Any) -> Any:
        return np.floor_divide(self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return np.floor_divide(other, self)

    def __divmod__(self, other: Any) -> Any:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> Any:
        return other // self, other % self

    def __round__(self, decimals: int = 0) -> Any:
        return np.round(self, decimals)

    def __neg__(self) -> Any:
        return np.negative(self)

    def __pos__(self) -> Any:
        return np.positive(self)

    def __abs__(self) -> Any:
        return np.abs(self)

    def __eq__(self, other: Any) -> Any:
        return plain(self) == plain(other)

    def __ne__(self, other: Any) -> Any:
        return plain(self) != plain(other)

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
    def itemsize(self) -> int:
        """Bytes of an entry."""
        return self.dtype.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of all entries."""
        return self.size * self.itemsize

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

    @property
    def T(self) -> Any:
        """The transpose: axes in reverse order."""
        return np.transpose(self)

    @property
    def mT(self) -> Any:
        """The matrix transpose: the last two axes swapped."""
        return np.swapaxes(self, -1, -2)

    def reshape(self, *shape: Any, **options: Any) -> Any:
        """Return the same entries in another shape: ``x.reshape(2, 3)`` or ``x.reshape((2, 3))``."""
        return np.reshape(self, shape[0] if len(shape) == 1 else shape, **options)

    def transpose(self, *axes: Any) -> Any:
        """Permute the axes; without arguments, reverse them."""
        return np.transpose(self, (axes[0] if len(axes) == 1 else axes) or None)

    def ravel(self, order: str = "C") -> Any:
        """Return the entries as one axis."""
        return np.ravel(self, order)  # type: ignore[call-overload]

    flatten = ravel

    def clip(self, min: Any = None, max: Any = None, *args: Any, **options: Any) -> Any:
        """Limit the entries; the gradient is zero where the limit binds."""
        return np.clip(self, min, max, *args, **options)

    def astype(
        self, dtype: Any, order: Any = "K", casting: Any = "unsafe", subok: bool = True, copy: bool = True
    ) -> Any:
        """Convert the entries; the gradient is converted back."""
        np.empty(0, self.dtype).astype(dtype, order, casting, subok, copy)  # NumPy says what is wrong with these
        return np.astype(self, dtype)  # type: ignore[call-overload]

    def nonzero(self) -> Any:
        """Return where the entries are not zero, as plain integers."""
        return np.nonzero(self)

    def fill(self, value: Any) -> Any:
        """Refuse: a traced value cannot be written into."""
        self[...] = value

    @property
    def flat(self) -> Any:
        """The entries as one axis."""
        return np.reshape(self, -1)


def _method(name: str, doc: str) -> Callable[..., Any]:
    """Make ``x.sum(...)`` from ``np.sum(x, ...)``: what a method takes, NumPy's function takes in the same order."""

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return getattr(np, name)(self, *args, **kwargs)

    method.__name__, method.__doc__ = name, doc
    return method


for _name, _doc in {
    "all": "Return whether all entries are not zero, as plain booleans.",
    "argpartition": "Return an order that divides the entries at a rank, as plain integers.",
    "searchsorted": "Return where entries would have to be put in, as plain integers.",
    "any": "Return whether some entry is not zero, as plain booleans.",
    "argmax": "Return where the largest entry is, as plain integers.",
    "argmin": "Return where the smallest entry is, as plain integers.",
    "argsort": "Return the order of the entries, as plain integers.",
    "copy": "Return the same entries as a value of its own.",
    "cumprod": "Return running products along an axis.",
    "cumsum": "Return running sums along an axis.",
    "diagonal": "Return the entries on a diagonal.",
    "dot": "Return ``numpy.dot`` with another array.",
    "max": "Return the largest entry along an axis; equal ones share the gradient.",
    "mean": "Average along an axis.",
    "min": "Return the smallest entry along an axis; equal ones share the gradient.",
    "prod": "Multiply the entries along an axis.",
    "ptp": "Return the largest entry minus the smallest along an axis.",
    "repeat": "Repeat each entry.",
    "round": "Round to so many decimals, through which no gradient flows.",
    "squeeze": "Drop axes of length one.",
    "std": "Return the standard deviation along an axis.",
    "sum": "Add up the entries along an axis.",
    "swapaxes": "Swap two axes.",
    "take": "Return the entries at so many positions.",
    "trace": "Add up the entries on a diagonal.",
    "var": "Return the variance along an axis.",
}.items():
    setattr(ArrayMethods, _name, _method(_name, _doc))
