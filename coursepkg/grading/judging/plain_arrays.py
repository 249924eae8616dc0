"""Arrays in plain Python, under NumPy's names: as much as the judge asks for, for where NumPy is missing.

An answer to the exercises of the first chapters is a number, a text, or a list of such. The judge compares them by
array operations, and in a browser that reaches no network there is no NumPy to do them. Here, an array is a shape and a
flat list of Python numbers. Names and behaviour are NumPy's, as far as the judge needs them; nothing is fast.
"""

from __future__ import annotations

import bisect
import builtins
import contextlib
import itertools
import marshal
import math
import operator
import struct
from collections.abc import Callable, Iterable, Iterator
from typing import Any

inf = math.inf


class dtype:
    """The type of an array's entries; two with one name are one and the same."""

    _known: dict[str, dtype] = {}  # noqa: RUF012 - shared on purpose
    isnative = True

    def __new__(cls, name: Any) -> dtype:
        if isinstance(name, dtype):
            return name
        name = _NAME_OF.get(name, name)
        if name not in cls._known:
            made = cls._known[name] = object.__new__(cls)
            made.name, made.kind = name, {"bool": "b", "int64": "i"}.get(name, name[0])
            made.itemsize = {"bool": 1, "float32": 4, "complex128": 16}.get(name, 8)
        return cls._known[name]

    name: str
    kind: str
    itemsize: int

    def newbyteorder(self, order: str) -> dtype:
        return self

    def __repr__(self) -> str:
        return self.name


_NAME_OF = {bool: "bool", int: "int64", float: "float64", complex: "complex128"}
_READ: dict[str, Callable[[Any], Any]] = {"b": bool, "i": int, "f": float, "c": complex}
int64, float32, float64 = dtype("int64"), dtype("float32"), dtype("float64")
complex64, complex128 = dtype("complex64"), dtype("complex128")
float16, longdouble = dtype("float16"), dtype("longdouble")


def _single(number: Any) -> float:
    """A number as 32 bits hold it."""
    try:
        return float(struct.unpack("f", struct.pack("f", number))[0])
    except OverflowError:
        return math.copysign(inf, number)


class generic:
    """NumPy's numbers, of which there are none here."""


class bool_(generic):
    """NumPy's True and False, likewise."""


class ma:
    """Masked arrays, likewise."""

    class MaskedArray:
        """Never made."""


class finfo:
    """What the judge asks about a type: the step from 1 to the next number in 32 bits."""

    eps = 2.0**-23

    def __init__(self, of: dtype):
        assert of is float32


@contextlib.contextmanager
def errstate(**how: str) -> Iterator[None]:
    """Nothing warns here."""
    yield


class ndarray:
    """Numbers along any number of axes, the last axis varying quickest."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, flat: Iterable[Any], shape: tuple[int, ...], kind: dtype | None = None):
        entries = list(flat)
        self.dtype = kind or dtype(max(map(type, entries), key=list(_NAME_OF).index, default=float))
        read = _single if self.dtype is float32 else _READ[self.dtype.kind]
        self.flat: list[Any] = [entry if type(entry) is read else read(entry) for entry in entries]
        self.shape = shape

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return len(self.flat)

    @property
    def real(self) -> ndarray:
        return ndarray([entry.real for entry in self.flat], self.shape)

    @property
    def imag(self) -> ndarray:
        return ndarray([entry.imag for entry in self.flat], self.shape)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("an array without axes has no length")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        return (self[place] for place in range(len(self)))

    def __bool__(self) -> bool:
        if self.size != 1:
            raise ValueError("an array of several entries is neither True nor False")
        return bool(self.flat[0])

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, ndarray):  # where it is True
            return ndarray(itertools.compress(self.flat, place.flat), (sum(place.flat),), self.dtype)
        if isinstance(place, slice):
            chosen = range(len(self))[place]
            return _joined([self[k] for k in chosen], (len(chosen), *self.shape[1:]), self.dtype)
        if isinstance(place, tuple):
            found = self
            for part in place:
                found = found[part]
            return found
        step = math.prod(self.shape[1:])
        start = range(len(self))[place] * step
        part = self.flat[start : start + step]
        return ndarray(part, self.shape[1:], self.dtype) if self.ndim > 1 else part[0]

    def item(self, place: tuple[int, ...] = ()) -> Any:
        found = self[place] if place else self
        return found.flat[0] if isinstance(found, ndarray) else found

    def tolist(self) -> Any:
        if not self.shape:
            return self.flat[0]
        return [part.tolist() if isinstance(part, ndarray) else part for part in self]

    def astype(self, kind: Any, copy: bool = True) -> ndarray:
        return ndarray(self.flat, self.shape, dtype(kind))

    def copy(self) -> ndarray:
        return ndarray(self.flat, self.shape, self.dtype)

    def tobytes(self) -> bytes:
        """The entries bit for bit, to be compared: other bytes than NumPy's."""
        return marshal.dumps(self.flat, 2)

    def reshape(self, shape: tuple[int, ...]) -> ndarray:
        return ndarray(self.flat, tuple(shape), self.dtype)

    def ravel(self) -> ndarray:
        return self.reshape((self.size,))

    def all(self) -> bool:
        return all(self.flat)

    def any(self) -> bool:
        return any(self.flat)

    def min(self) -> Any:
        return min(self.flat)

    def max(self) -> Any:
        return max(self.flat)

    def argmax(self) -> int:
        return self.flat.index(max(self.flat))

    def sum(self, axis: int | None = None) -> Any:
        if axis is None:
            return sum(self.flat)
        kept = self.shape[:axis] + self.shape[axis + 1 :]
        along = _moved(self, axis)
        return ndarray([sum(row) for row in along], kept, None if self.dtype.kind == "b" else self.dtype)

    def mean(self, axis: int) -> ndarray:
        return self.sum(axis=axis) / self.shape[axis]

    def __neg__(self) -> ndarray:
        return _each(operator.neg, self)

    def __abs__(self) -> ndarray:
        return _each(_size, self)

    def __invert__(self) -> ndarray:
        return _each(operator.not_, self)


def _moved(array: ndarray, axis: int) -> Iterator[list[Any]]:
    """The rows of an array along one of its axes."""
    outer, inner = math.prod(array.shape[:axis]), math.prod(array.shape[axis + 1 :])
    length = array.shape[axis]
    for o in range(outer):
        for i in range(inner):
            yield [array.flat[(o * length + k) * inner + i] for k in range(length)]


def _joined(parts: Iterable[Any], shape: tuple[int, ...], kind: dtype) -> ndarray:
    flat = (entry for part in parts for entry in (part.flat if isinstance(part, ndarray) else [part]))
    return ndarray(flat, shape, kind)


# --- from values to arrays --------------------------------------------------------------------------------------------


def array(value: Any, dtype: Any = None, *, subok: bool = False) -> ndarray:
    """A new array of numbers, or of lists of them in one shape; TypeError or ValueError where there is none."""
    made = _read(value)
    return made if dtype is None else made.astype(dtype)


def asarray(value: Any, dtype: Any = None) -> ndarray:
    """The array itself if it is one, else a new one."""
    return value if isinstance(value, ndarray) and dtype is None else array(value, dtype)


def _read(value: Any) -> ndarray:
    if isinstance(value, ndarray):
        return value.copy()
    if isinstance(value, bool | int | float | complex):
        kind = next(kind for kind in _NAME_OF if isinstance(value, kind))
        return ndarray([kind(value)], ())
    if hasattr(value, "tolist"):  # a buffer of Python's own
        return _read(value.tolist())
    if not isinstance(value, list | tuple):
        raise TypeError(f"a {type(value).__name__} holds no numbers that could be read without NumPy")
    return stack([_read(item) for item in value]) if value else ndarray([], (0,))


def stack(arrays: list[ndarray]) -> ndarray:
    """Arrays of one shape along a new first axis."""
    shapes = {part.shape for part in arrays}
    if len(shapes) != 1:
        raise ValueError("arrays of several shapes are no single array")
    return ndarray([entry for part in arrays for entry in part.flat], (len(arrays), *shapes.pop()))


def concatenate(arrays: Iterable[ndarray]) -> ndarray:
    """Rows of numbers, one after the other."""
    entries = [entry for part in arrays for entry in part.flat]
    return ndarray(entries, (len(entries),))


def zeros(length: int, dtype: Any = float) -> ndarray:
    return array([0] * length).astype(dtype)


def ones(shape: tuple[int, ...], dtype: Any = float) -> ndarray:
    return ndarray([1] * math.prod(shape), shape).astype(dtype)


def shape(value: Any) -> tuple[int, ...]:
    return asarray(value).shape


def ndim(value: Any) -> int:
    return asarray(value).ndim


def size(value: Any) -> int:
    return asarray(value).size


# --- entry by entry ---------------------------------------------------------------------------------------------------


def _each(function: Callable[..., Any], *values: Any) -> Any:
    """A function of each entry, all shapes stretched to one; of Python's numbers alone a Python number."""
    if not any(isinstance(value, ndarray) for value in values):
        return function(*values)
    arrays = [asarray(value) for value in values]
    shape = _common({each.shape for each in arrays})
    return ndarray(map(function, *(_stretched(each, shape) for each in arrays)), shape)


def _common(shapes: set[tuple[int, ...]]) -> tuple[int, ...]:
    columns = itertools.zip_longest(*(shape[::-1] for shape in shapes), fillvalue=1)
    lengths = [{length for length in column if length != 1} or {1} for column in columns]
    if any(len(found) > 1 for found in lengths):
        raise ValueError(f"shapes {', '.join(map(str, sorted(shapes)))} fit no single one")
    return tuple(found.pop() for found in reversed(lengths))


def _stretched(each: ndarray, shape: tuple[int, ...]) -> list[Any]:
    if each.shape == shape:
        return each.flat
    if each.size == 1:
        return each.flat * math.prod(shape)
    own = (1,) * (len(shape) - each.ndim) + each.shape
    steps = [0 if n == 1 else math.prod(own[k + 1 :]) for k, n in enumerate(own)]
    places = itertools.product(*map(range, shape))
    return [each.flat[sum(map(operator.mul, place, steps))] for place in places]


def _quotient(a: Any, b: Any) -> Any:
    if b:
        return a / b
    return math.nan if isinstance(a, complex) or isinstance(b, complex) or not a or a != a else math.copysign(inf, a)


def _power(a: Any, b: Any) -> Any:
    try:
        return a**b
    except (OverflowError, ZeroDivisionError):
        return inf


def _size(a: Any) -> Any:
    try:
        return builtins.abs(a)
    except OverflowError:  # of a complex number
        return inf


_OPERATIONS = {"add": operator.add, "sub": operator.sub, "mul": operator.mul, "truediv": _quotient, "pow": _power,
               "and": operator.and_, "or": operator.or_}  # fmt: skip
for _name, _operation in _OPERATIONS.items():
    setattr(ndarray, f"__{_name}__", lambda a, b, f=_operation: _each(f, a, b))
    setattr(ndarray, f"__r{_name}__", lambda a, b, f=_operation: _each(f, b, a))
for _operation in (operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge):
    setattr(ndarray, f"__{_operation.__name__}__", lambda a, b, f=_operation: _each(f, a, b))


def _is_finite(a: Any) -> bool:
    return math.isfinite(a.real) and math.isfinite(a.imag)


def _whole(to: Callable[[float], Any]) -> Callable[[Any], Any]:
    return lambda value: _each(lambda a: float(to(a)) if math.isfinite(a) else a, value)


def isfinite(value: Any) -> Any:
    return _each(_is_finite, value)


def isnan(value: Any) -> Any:
    return _each(lambda a: a != a, value)


def isinf(value: Any) -> Any:
    return _each(lambda a: not _is_finite(a) and a == a, value)


def abs_of(value: Any) -> Any:
    return _each(_size, value)


def log10(value: Any) -> Any:
    return _each(lambda a: math.log10(a) if a else -inf, value)


floor, ceil, trunc = _whole(math.floor), _whole(math.ceil), _whole(math.trunc)


def rounded(value: Any, digits: int = 0) -> Any:
    """Rounded to so many digits after the point, halves to the even side."""

    def one(a: Any) -> Any:
        if isinstance(a, complex):
            return complex(one(a.real), one(a.imag))
        return builtins.round(a * 10**digits) / 10**digits if math.isfinite(a) else a

    return _each(one, value)


def where(condition: Any, one: Any, other: Any) -> Any:
    return _each(lambda c, a, b: a if c else b, asarray(condition), one, other)


def minimum(one: Any, other: Any) -> Any:
    return _each(min, one, other)


def maximum(one: Any, other: Any) -> Any:
    return _each(max, one, other)


def equal(one: Any, other: Any) -> Any:
    return _each(operator.eq, asarray(one), other)


def isin(value: Any, known: tuple[Any, ...]) -> ndarray:
    return _each(lambda a: a in known, asarray(value))


# --- all entries together ---------------------------------------------------------------------------------------------


def array_equal(one: Any, other: Any) -> bool:
    a, b = asarray(one), asarray(other)
    return a.shape == b.shape and a.flat == b.flat and not any(x != x for x in a.flat)


def allclose(one: Any, other: Any, rtol: float, atol: float) -> bool:
    return bool((abs_of(asarray(one) - other) <= atol + rtol * abs_of(asarray(other))).all())


def sort(value: ndarray, axis: None = None) -> ndarray:
    """All entries in one sorted row."""
    return ndarray(sorted(value.flat, key=lambda a: (a.real, a.imag)), (value.size,), value.dtype)


def swapaxes(value: ndarray, one: int, other: int) -> ndarray:
    order = list(range(value.ndim))
    order[one], order[other] = order[other], order[one]
    lengths = tuple(value.shape[axis] for axis in order)
    places = (tuple(place[order.index(axis)] for axis in range(value.ndim))
              for place in itertools.product(*map(range, lengths)))  # fmt: skip
    return ndarray([value.item(place) for place in places], lengths, value.dtype)


def diff(row: ndarray) -> ndarray:
    return ndarray(map(operator.sub, row.flat[1:], row.flat), (max(row.size - 1, 0),))


def cumsum(row: Iterable[int]) -> ndarray:
    totals = list(itertools.accumulate(row))
    return ndarray(totals, (len(totals),), int64)


def argwhere(value: ndarray) -> list[tuple[int, ...]]:
    return [place for place in itertools.product(*map(range, value.shape)) if value.item(place)]


def flatnonzero(value: ndarray) -> list[int]:
    return [place for place, entry in enumerate(value.flat) if entry]


def searchsorted(row: ndarray, values: list[int], side: str) -> ndarray:
    find = bisect.bisect_right if side == "right" else bisect.bisect_left
    return ndarray([find(row.flat, value) for value in values], (len(values),), int64)


abs, round = abs_of, rounded  # by NumPy's names, which are Python's, too
