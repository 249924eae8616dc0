"""Answers as plain data: how a value is read, stored, and compared.

``tree`` turns whatever a learner returns into plain data, ``encode`` and ``decode`` carry plain data through JSON
(never pickle), and ``difference`` compares two trees entry by entry.

What counts as the same answer is decided here, and nowhere else:

- Numbers are right in whatever holds them: Python's, NumPy's, sympy's, fractions; 0-d arrays; ``Scalar`` and
  ``Tensor`` objects, PyTorch's and a learner's own (anything with ``.data`` or the array protocol), whether they
  carry a gradient or not.
- Lists, tuples, arrays, deques, ranges, arrays of the ``array`` module, memoryviews of numbers and the views of a
  dictionary are the same sequence. A set has no order and a generator no length, so they are not.
- A number may come as an array of one entry, with any number of axes: ``x.sum(axis=0, keepdims=True)`` is a number
  to whoever reads it. A list of one number is a list.
- An array must have the shape that the task asks for. A missing axis is wrong, and so is one more, be it of length
  1: such an array broadcasts into something else in the next line. Only an exercise with ``extra_axes`` takes more
  axes of length 1 than it asks for.
- An array in which entries are masked has no number there, so it is none.
"""

from __future__ import annotations

import array
import math
import numbers
from collections import Counter, deque
from collections.abc import Callable, ItemsView, Iterator, KeysView, Mapping, Sequence, ValuesView
from dataclasses import dataclass
from itertools import islice
from typing import Any

from coursepkg.grading.judging.arrays import np
from coursepkg.grading.judging.limits import MAX_ALIKE, MAX_DEPTH, MAX_ENTRIES, MAX_KEYS, MAX_NAME, MAX_WORDS
from coursepkg.grading.judging.packing import TYPES, name_of, pack, shape_of, unpack

SINGLE_RTOL = 1e-4  # float32 has 6e-8; 1 - tanh² near saturation loses up to three digits of it
_SINGLE = (np.dtype(np.float32), np.dtype(np.complex64))
_EPS = float(np.finfo(np.float32).eps)
# Named, since `isinstance(x, A | B)` makes the union anew each time, and these lines run thousands of times a notebook.
_PLAIN = frozenset({type(None), bool, int, float, str})
_FLOAT, _READ = frozenset({float}), frozenset({type(None), bool, float, complex})  # nothing to be read off these
_ARRAYS, _SEQUENCES = (np.ndarray, np.generic), (list, tuple)
_SEQUENTIAL = (*_SEQUENCES, deque, KeysView, ValuesView, ItemsView, Sequence)
_SCALARS = (bool, int, float, complex)
_NUMBERS = (*_SCALARS, np.ndarray)


@dataclass(frozen=True)
class Unfit:
    """A value that holds no numbers; ``kind`` says in words what it is ("a function")."""

    kind: str


# --- plain data from anything ----------------------------------------------------------------------------------------


def tree(value: Any, depth: int = 0) -> Any:
    """Read any answer as plain data: None, bool, str, numbers, arrays, lists, tuples, dicts, or ``Unfit``.

    Parameters
    ----------
    value : object
        What the learner's function returned.
    depth : int
        How deep inside another value this one stands.

    Returns
    -------
    object
        The same numbers in plain containers, as the text of this module lists them. What the answer's own classes do
        while they are read happens here, under the guard of the call; nothing of theirs is left in what is returned.

    Examples
    --------
    >>> from fractions import Fraction
    >>> tree([Fraction(1, 2), 3])
    [0.5, 3]
    """
    if depth > MAX_DEPTH:
        return Unfit("something nested very deeply")
    if value is None or type(value) in (bool, int, float, complex):
        return _python_number(value) if type(value) is int else value
    if isinstance(value, _ARRAYS):
        if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
            return Unfit("an array in which entries are masked")
        return _from_array(np.asarray(value), depth)
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, (bytes, bytearray)):
        return Unfit(kind_of(value))
    if isinstance(value, (array.array, memoryview)):
        return _from_buffer(value, depth)
    if isinstance(value, Mapping):
        if len(value) > MAX_KEYS:
            return Unfit("a very large dictionary")
        return {_key(key): tree(item, depth + 1) for key, item in value.items()}
    if isinstance(value, _SEQUENTIAL):
        if len(value) > MAX_ENTRIES:
            return Unfit("a very long list")
        # Once: it may be of a class that gives other items the next time, or goes on giving some.
        items = list(islice(value, MAX_ENTRIES + 1))
        if len(items) > MAX_ENTRIES:
            return Unfit("a very long list")
        if depth == MAX_DEPTH or not _READ.issuperset(map(type, items)):  # most lists hold numbers alone
            items = [tree(item, depth + 1) for item in items]
        return tuple(items) if isinstance(value, tuple) else items
    return _unwrap(value, depth)


def storable(text: str) -> str:
    """A text as Python's own, without halves of a pair of surrogates, which no file could hold."""
    text = str.__str__(text)
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _python_number(value: int) -> Any:
    return value if abs(value) < 2**63 else _as_float(value)


def _key(key: Any, depth: int = 0) -> Any:
    """A key as Python's own, so that comparing it asks nothing of a learner's class."""
    if isinstance(key, np.generic):
        key = key.item()
    if key is None or type(key) in (bool, int, float):
        return key
    if isinstance(key, tuple) and depth < MAX_DEPTH:
        return tuple(_key(item, depth + 1) for item in tuple.__iter__(key))
    if isinstance(key, str):
        return storable(key)
    if isinstance(key, int):
        return int.__int__(key)
    return float.__float__(key) if isinstance(key, float) else kind_of(key)


def _from_buffer(value: Any, depth: int) -> Any:
    try:
        return _from_array(np.asarray(value), depth)
    except (TypeError, ValueError, BufferError):
        return Unfit(kind_of(value))


def _from_array(array: np.ndarray, depth: int) -> Any:
    kind = array.dtype.kind
    if array.size > MAX_ENTRIES:
        return Unfit("a very large array")
    if kind == "O":
        return tree(array.tolist(), depth + 1)
    if kind == "U":
        return array.tolist()
    if kind not in "biufc":
        return Unfit(f"an array of {array.dtype}")
    if kind == "u" or array.dtype.itemsize > 16 or array.dtype == np.longdouble or array.dtype == np.float16:
        array = array.astype(np.complex128 if kind == "c" else np.float64)
    elif kind == "i":
        array = array.astype(np.int64)
    elif not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    if array.ndim == 0 and array.dtype not in _SINGLE:
        return array.item()
    return np.array(array, subok=False)


def _unwrap(value: Any, depth: int) -> Any:
    """Numbers inside an object: ``.data``, the array protocol, lists, the float protocol.

    ``.data`` comes first, since a tensor that carries a gradient refuses to be an array, and has its numbers there.
    """
    if isinstance(value, type) or callable(getattr(type(value), "__next__", None)):
        return Unfit(kind_of(value))
    if callable(dense := getattr(value, "toarray", None)):  # a sparse matrix, whose data are not all of its numbers
        return tree(dense(), depth + 1)
    inner = getattr(value, "data", None)
    if inner is not None and not callable(inner) and type(inner) is not type(value):
        return tree(inner, depth + 1)
    if hasattr(value, "__array__"):
        return _from_protocol([value] if inner is None else [value, inner], depth)
    if inner is not None and not callable(inner):
        return tree(inner, depth + 1)
    if isinstance(value, numbers.Number) or any(hasattr(type(value), name) for name in _AS_NUMBER):
        return _as_float(value)
    return Unfit(kind_of(value))


_AS_NUMBER = ("__float__", "__index__", "__complex__")


def _from_protocol(ways: list[Any], depth: int) -> Any:
    """The numbers of a tensor, or of its ``.data``; as lists where its dtype or device is none of NumPy's."""
    for read in (np.asarray, lambda tensor: np.asarray(tensor.tolist())):
        for tensor in ways:
            try:
                return _from_array(read(tensor), depth)
            except Exception:  # noqa: BLE001 - each library has its own error for this
                continue
    return Unfit(kind_of(ways[0]))


def _as_float(value: Any) -> Any:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        pass
    try:
        return complex(value)
    except OverflowError:
        return Unfit("a number too large for a float")
    except (TypeError, ValueError):
        return Unfit(kind_of(value))


_KINDS: tuple[tuple[str, str], ...] = (
    ("NoneType", "None"),
    ("bool", "True or False"),
    ("str", "a string"),
    ("int", "a number"),
    ("float", "a number"),
    ("complex", "a complex number"),
    ("list", "a list"),
    ("tuple", "a tuple"),
    ("dict", "a dictionary"),
    ("set", "a set"),
    ("frozenset", "a set"),
    ("bytes", "a string of bytes"),
    ("bytearray", "a string of bytes"),
    ("ndarray", "an array"),
    ("generator", "a generator (`yield` where `return` was meant?)"),
    ("coroutine", "a coroutine (`async def` where `def` was meant?)"),
    ("function", "a function"),
    ("builtin_function_or_method", "a function"),
    ("method", "a method (are the brackets of the call missing?)"),
    ("module", "a module"),
    ("map", "a `map` object (wrap it in `list(...)`)"),
    ("zip", "a `zip` object (wrap it in `list(...)`)"),
    ("filter", "a `filter` object (wrap it in `list(...)`)"),
    ("ellipsis", "`...`"),
    ("Symbol", "a sympy symbol"),
    ("Verdict", "the result of a check"),
)


def name_of_type(kind: type) -> str:
    """The name of a class as Python has it, cut where it goes on for ever; a metaclass may say anything else."""
    return storable(_TYPE_NAME(kind))[:MAX_NAME]


_TYPE_NAME = type.__dict__["__name__"].__get__


def kind_of(value: Any) -> str:
    """Say in words what kind of thing a value is."""
    if isinstance(value, type):
        return f"the class {name_of_type(value)}"
    if isinstance(value, Unfit):
        return value.kind
    if isinstance(value, np.generic):
        value = value.item()
    name = name_of_type(type(value))
    if isinstance(value, np.ndarray) and name == "ndarray":
        if value.ndim == 0:
            return "a number"
        return f"an array of {'True and False, ' if value.dtype.kind == 'b' else ''}shape {value.shape}"
    if str(vars(type(value)).get("__module__")).startswith("sympy") and getattr(value, "free_symbols", None):
        return "a sympy formula that still holds symbols"
    return dict(_KINDS).get(name, f"an object of type {name}")


# --- JSON ------------------------------------------------------------------------------------------------------------


def encode(value: Any, digits: int | None = None, *, packed: bool = False) -> Any:
    """Turn plain data into what JSON can hold, without losing tuples, arrays, complex numbers, NaN or infinity.

    Parameters
    ----------
    value : object
        Plain data as ``tree`` returns it, or the arguments of a case.
    digits : int, optional
        Round numbers to so many significant digits.
    packed : bool
        Write arrays as base64, compact and exact, in place of numbers that people can read; nothing is rounded.

    Raises
    ------
    TypeError
        If the value is no plain data.

    Examples
    --------
    >>> encode((1, 2.5, float("inf")))
    {'tuple': [1, 2.5, {'float': 'inf'}]}
    """
    if isinstance(value, float) and not isinstance(value, np.generic):
        return _rounded(value, digits) if math.isfinite(value) else {"float": str(value)}
    if type(value) in _PLAIN or isinstance(value, str):
        return value
    if isinstance(value, np.ndarray):
        return _encoded_array(value, digits, packed)
    if isinstance(value, np.generic):
        value = np.asarray(value)
        return encode(value if value.dtype in _SINGLE else value.item(), digits, packed=packed)
    if isinstance(value, int):
        return value
    if isinstance(value, complex):
        return {"complex": [encode(value.real, digits), encode(value.imag, digits)]}
    if isinstance(value, list):
        if digits is None and _FLOAT.issuperset(map(type, value)) and all(map(math.isfinite, value)):
            return list(value)  # as below, only sooner
        return [encode(item, digits, packed=packed) for item in value]
    if isinstance(value, tuple):
        return {"tuple": [encode(item, digits, packed=packed) for item in value]}
    if isinstance(value, dict):
        return {
            "dict": [
                [encode(key, digits, packed=packed), encode(item, digits, packed=packed)] for key, item in value.items()
            ]
        }
    if isinstance(value, Unfit):
        return {"unfit": value.kind}
    raise TypeError(f"{kind_of(value)} cannot be stored in a check; use numbers, strings, lists, dicts or arrays")


def _encoded_array(array: np.ndarray, digits: int | None, packed: bool) -> dict[str, Any]:
    name = name_of(array.dtype)
    if name is None:
        raise TypeError(f"an array of {array.dtype} cannot be stored; use one of {', '.join(TYPES)}")
    if packed:
        return pack(array)
    data = [encode(item, digits) for item in array.ravel().tolist()]
    return {"array": list(array.shape), "dtype": name, "data": data}


def _rounded(value: float, digits: int | None) -> float:
    return value if digits is None else float(f"{value:.{digits - 1}e}") + 0.0


def decode(data: Any) -> Any:
    """Rebuild what ``encode`` stored; every call gives fresh objects.

    Raises
    ------
    ValueError
        If the data is malformed: an unknown tag, a shape that does not fit its numbers, an unknown dtype.
    """
    if type(data) in _PLAIN:
        return data
    if isinstance(data, list):
        return list(data) if _PLAIN.issuperset(map(type, data)) else [decode(item) for item in data]
    if not isinstance(data, dict):
        raise ValueError(f"a stored value cannot be a {type(data).__name__}")
    keys = set(data)
    if keys == {"float"} and data["float"] in ("nan", "inf", "-inf"):
        return float(data["float"])
    if keys == {"complex"} and isinstance(data["complex"], list) and len(data["complex"]) == 2:
        return complex(decode(data["complex"][0]), decode(data["complex"][1]))
    if keys == {"tuple"} and isinstance(data["tuple"], list):
        return tuple(decode(item) for item in data["tuple"])
    if keys == {"dict"} and isinstance(data["dict"], list):
        if len(data["dict"]) > MAX_KEYS:  # keys that a stranger chose can make every one of them be compared with all
            raise ValueError(f"a stored dictionary has more than {MAX_KEYS} keys")
        return _decode_dict(data["dict"])
    if keys == {"unfit"} and isinstance(data["unfit"], str):
        return Unfit(storable(data["unfit"])[:MAX_WORDS])
    if keys == {"array", "dtype", "base64"}:
        return unpack(data)
    if keys == {"array", "dtype", "data"}:
        return _decode_array(data)
    raise ValueError(f"a stored value has an unknown form: {sorted(map(str, keys))}")


def _decode_dict(pairs: list[Any]) -> dict[Any, Any]:
    """A dictionary; keys that a stranger chose to have the same hash would all be compared with each other."""
    decoded = [(decode(key), decode(item)) for key, item in pairs]
    most = max(Counter(hash(key) for key, _ in decoded).values(), default=0)
    if most > MAX_ALIKE:
        raise ValueError(f"a stored dictionary has {most} keys that hash alike; {MAX_ALIKE} are allowed")
    return dict(decoded)


def _decode_array(data: dict[str, Any]) -> np.ndarray:
    shape, dtype, entries = shape_of(data["array"]), data["dtype"], data["data"]
    if not isinstance(dtype, str) or dtype not in TYPES or not isinstance(entries, list):
        raise ValueError("a stored array needs a shape, a known dtype and a list of numbers")
    if math.prod(shape) != len(entries):
        raise ValueError(f"a stored array says shape {shape} but holds {len(entries)} numbers")
    items = [item if type(item) is float else decode(item) for item in entries]
    if not all(isinstance(item, _SCALARS) for item in items):
        raise ValueError("a stored array holds something that is no number")
    return np.array(items, dtype=dtype).reshape(shape)


# --- comparing -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Difference:
    """The first place where two trees differ: ``kind`` is "kind", "shape", "length", "keys" or "value"."""

    kind: str
    path: tuple[Any, ...] = ()
    index: tuple[int, ...] = ()
    expected: Any = None
    got: Any = None


def is_number(value: Any) -> bool:
    """Whether a tree node is a number or an array of numbers (bools included)."""
    return isinstance(value, _NUMBERS)


def stacked(value: Any) -> Any:
    """A list of equally shaped numbers as one array; anything else as it is."""
    if not isinstance(value, _SEQUENCES) or not value:
        return value
    if all(type(item) is float for item in value):
        return np.array(value)
    items = [stacked(item) for item in value]
    if not all(is_number(item) for item in items):
        return value
    arrays = [np.asarray(item) for item in items]
    return np.stack(arrays) if len({array.shape for array in arrays}) == 1 else value


def row_of(value: Any) -> np.ndarray | None:
    """A list or an array of numbers along one axis, as an array; None if it is anything else."""
    if isinstance(value, _SEQUENCES) and not value:
        return np.zeros(0, dtype=int)
    value = stacked(value)
    return value if isinstance(value, np.ndarray) and value.ndim == 1 else None


def parts(expected: Any) -> list[Any] | None:
    """Names of the separately judged parts of an answer: keys of a dict, positions of a tuple or a list of arrays."""
    if isinstance(expected, dict):
        return list(expected)
    if isinstance(expected, tuple) and expected:
        return list(range(len(expected)))
    return list(range(len(expected))) if isinstance(expected, list) and _has_items(expected) else None


def groups(expected: Sequence[Any], path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths of the parts that several expected values have in common, opened as far as all have the same form.

    Lists of numbers, and lists of such lists, are one part; a list of arrays has one for each of them.

    Examples
    --------
    >>> groups([{"value": 1.0, "gradients": [1.0, 2.0]}, {"value": 3.0, "gradients": [4.0]}])
    [('value',), ('gradients',)]
    """
    first = expected[0]
    if all(isinstance(value, dict) and set(value) == set(first) for value in expected):
        names = list(first)
    elif all(type(value) is type(first) and _has_items(value) and len(value) == len(first) for value in expected):
        names = list(range(len(first)))
    else:
        return [path]
    return [found for name in names for found in groups([value[name] for value in expected], (*path, name))]


def _is_sequence(value: Any) -> bool:
    return isinstance(value, _SEQUENCES) or (isinstance(value, np.ndarray) and value.ndim > 0)


def _has_items(value: Any) -> bool:
    if not isinstance(value, _SEQUENCES) or not value:
        return False
    return isinstance(value, tuple) or _holds_arrays(value) or not is_number(stacked(value))


def _holds_arrays(value: Any) -> bool:
    """Whether there are arrays in a list, at any depth; such a list stays one, though it might be stacked."""
    if isinstance(value, np.ndarray):
        return value.ndim > 0
    return isinstance(value, _SEQUENCES) and any(map(_holds_arrays, value))


def is_one_for_several(expected: Any, got: Any) -> bool:
    """Whether one array was given where several are asked for, so that its rows are none of those."""
    if not isinstance(got, np.ndarray):
        return False
    return got.ndim == 0 or any(is_number(part := stacked(item)) and np.ndim(part) >= got.ndim for item in expected)


def at(value: Any, expected: Any, path: tuple[Any, ...]) -> tuple[Any] | None:
    """``(part,)``, the part of a value at a path, if its containers have the form of the expected ones."""
    for name in path:
        if isinstance(expected, dict):
            if not isinstance(value, dict) or set(value) != set(expected):
                return None
        elif not _is_sequence(value) or len(value) != len(expected) or is_one_for_several(expected, value):
            return None
        value, expected = value[name], expected[name]
        if isinstance(value, np.generic):  # an int64 from an array is no Python int
            value = np.asarray(value)
    return (value,)


def difference(
    expected: Any, got: Any, rtol: float, atol: float, path: tuple[Any, ...] = (), *, extra_axes: bool = False
) -> Difference | None:
    """The first difference between two trees, or None when they agree.

    Parameters
    ----------
    expected, got : object
        Plain data. Lists, tuples and arrays are interchangeable; numbers agree when
        ``|got - expected| <= atol + rtol * |expected|``, or to float32 precision if ``got`` is in float32.
    rtol, atol : float
        Tolerances for numbers.
    path : tuple
        Where inside the answer these trees stand.
    extra_axes : bool
        Whether an array may have more axes of length 1 than the expected one.

    Returns
    -------
    Difference or None
    """
    names = parts(expected)
    if names is None:
        return _leaf_difference(expected, got, rtol, atol, path, extra_axes)
    if isinstance(expected, dict):
        if not isinstance(got, dict):
            return Difference("kind", path, expected=expected, got=got)
        if set(got) != set(expected):
            return Difference("keys", path, expected=expected, got=got)
    else:
        array = isinstance(got, np.ndarray) and not is_one_for_several(expected, got)
        if not array and not isinstance(got, _SEQUENCES):
            return Difference("kind", path, expected=expected, got=got)
        if len(got) != len(expected):  # before anything is taken apart: it may have a million entries
            return Difference("length", path, expected=expected, got=got)
        if array:
            got = [np.asarray(item) for item in got]  # an int64 from an array is no Python int
    for name in names:
        found = difference(expected[name], got[name], rtol, atol, (*path, name), extra_axes=extra_axes)
        if found is not None:
            return found
    return None


Flat = tuple[list[Any], list[float]]  # the form of a value, and its numbers in a row


def flat(value: Any) -> Flat | None:
    """A value as its form and a row of numbers; None if it holds numbers that are no Python or NumPy floats of 64 bits.

    Examples
    --------
    >>> flat({"loss": 0.5, "rates": [1.0, 2.0]})
    ([(<class 'dict'>, ('loss', 'rates')), <class 'float'>, (<class 'list'>, 2, <class 'float'>)], [0.5, 1.0, 2.0])
    """
    form: list[Any] = []
    row: list[float] = []
    return (form, row) if _flatten(value, form, row) else None


def _flatten(value: Any, form: list[Any], row: list[float]) -> bool:
    kind = type(value)
    if kind is float:
        form.append(kind)
        row.append(value)
        return True
    if kind is np.ndarray and value.dtype == np.float64:
        form.append(value.shape)
        row.extend(value.ravel().tolist())
        return True
    if kind is list or kind is tuple:
        if _FLOAT.issuperset(map(type, value)):
            form.append((kind, len(value), float))
            row.extend(value)
            return True
        form.append((kind, len(value)))
        return all(_flatten(item, form, row) for item in value)
    if kind is dict:
        form.append((kind, tuple(value)))
        return all(_flatten(item, form, row) for item in value.values())
    form.append((kind, value))
    return kind in _PLAIN


def agreeing(expected: Sequence[Flat | None], got: Sequence[Flat | None], rtol: float, atol: float) -> set[int]:
    """Which of many values surely agree, found in one comparison of all their numbers; ``difference`` tells of others.

    Parameters
    ----------
    expected, got : sequence of (list, list) or None
        As ``flat`` gives them.
    rtol, atol : float
        As in ``difference``, which finds nothing in the values that are named here.
    """
    alike = [
        number
        for number, (one, other) in enumerate(zip(expected, got, strict=False))
        if one is not None and other is not None and one[0] == other[0]
    ]
    ends = np.cumsum([len(expected[number][1]) for number in alike])  # type: ignore[index]
    wanted, given = (
        np.array([x for number in alike for x in side[number][1]], dtype=np.float64)  # type: ignore[index]
        for side in (expected, got)
    )
    with np.errstate(all="ignore"):
        most = atol + rtol * np.abs(wanted)
        agree = (np.abs(given - wanted) <= most) & (most < np.inf)
    doubtful = set(np.searchsorted(ends, np.flatnonzero(~agree), side="right").tolist())
    return {number for place, number in enumerate(alike) if place not in doubtful}


def _leaf_difference(
    expected: Any, got: Any, rtol: float, atol: float, path: tuple[Any, ...], extra_axes: bool
) -> Difference | None:
    if type(expected) is type(got) is float:  # as below, only sooner: most answers are right, or clearly wrong
        gap, size = abs(got - expected), abs(expected)
        if gap <= atol + rtol * size < math.inf:
            return None
        if gap > atol + max(rtol, SINGLE_RTOL) * size:
            return Difference("value", path, (), expected, got)
    whole, expected = got, stacked(expected)
    got = stacked(got)
    if is_number(expected) and (not is_number(got) or np.shape(got) != np.shape(expected)):
        got = stacked(_reduced(np.asarray(expected), whole))
    if isinstance(expected, _SEQUENCES) and not expected and (row := row_of(got)) is not None and not row.size:
        return None
    if not is_number(expected):
        same = type(expected) is type(got) and expected == got
        kind = "value" if type(expected) is type(got) else "kind"
        return None if same else Difference(kind, path, expected=expected, got=got)
    if not is_number(got):
        if not isinstance(got, list | tuple) or got or not np.ndim(expected):
            return Difference("kind", path, expected=expected, got=whole)
        return Difference("shape", path, expected=expected, got=np.array([])) if np.size(expected) else None
    wanted, given = np.asarray(expected), np.asarray(got)
    if extra_axes and given.ndim > wanted.ndim and _long_axes(given) == _long_axes(wanted):
        given = given.reshape(wanted.shape)
    if wanted.shape != given.shape:
        return Difference("shape", path, expected=wanted, got=given)
    if wanted.dtype.kind == "b" and not np.isin(given, (0, 1)).all():
        return Difference("kind", path, expected=expected, got=got)
    wrong = ~close(wanted, given, rtol, atol)
    if not wrong.any():
        return None
    index = tuple(int(i) for i in np.argwhere(wrong)[0])
    return Difference("value", path, index, wanted.item(index), given.item(index))


def _reduced(expected: np.ndarray, got: Any) -> Any:
    """What was given, with an array of one entry as a number wherever a number is expected, in lists of them too."""
    if isinstance(got, np.ndarray):
        return got.reshape(()) if expected.ndim == 0 and got.ndim and got.size == 1 else got
    if isinstance(got, _SEQUENCES) and expected.ndim and len(got) == len(expected):
        return [_reduced(np.asarray(wanted), given) for wanted, given in zip(expected, got, strict=True)]
    return got


def _long_axes(array: np.ndarray) -> list[int]:
    return [length for length in array.shape if length != 1]


def close(wanted: np.ndarray, given: np.ndarray, rtol: float, atol: float) -> np.ndarray:
    """Entry-wise agreement of two arrays of one shape; NaN agrees with NaN, infinity with the same infinity."""
    if wanted.dtype == given.dtype == np.float64:  # as below, only sooner: most answers are right, or clearly wrong
        with np.errstate(all="ignore"):
            gap, size = np.abs(given - wanted), np.abs(wanted)
            most = atol + rtol * size
            agree = (gap <= most) & (most < np.inf)
            if (agree | (gap > atol + max(rtol, SINGLE_RTOL) * size)).all():
                return agree
    kind = np.complex128 if "c" in (wanted.dtype.kind, given.dtype.kind) else np.float64
    w, g = wanted.astype(kind), given.astype(kind)
    finite = np.isfinite(w)
    with np.errstate(all="ignore"):
        gap, size = np.abs(g - w), np.abs(w)
        same = (g == w) | (np.isnan(g) & np.isnan(w))
        agree = np.where(finite, gap <= atol + rtol * size, same)
        if agree.all() or rtol >= SINGLE_RTOL or not (given.dtype in _SINGLE or _single(g)):
            return agree
        # Sums of float32 numbers are off by the rounding of the largest term, hence a term with the scale. Where both
        # numbers are whole, no more than that is granted: float32 has those below 2²⁴ exactly, so a count is right or
        # wrong. Above, every float32 is whole, and says nothing; but if a whole number of that size is asked for, too
        # few digits are no right answer.
        scale = float(size[finite].max()) if finite.any() and given.dtype in _SINGLE else 0.0
        counts = (w == np.round(w)) & (g == np.round(g)) & (size < 2**24)
        near = np.where(counts, gap <= _EPS * scale, gap <= max(atol, 1e-6 * scale) + SINGLE_RTOL * size)
        if wanted.dtype.kind == "i":
            near &= size < 2**24
        return agree | (finite & near)


def _single(values: np.ndarray) -> bool:
    """Whether numbers were computed in float32 and then turned into Python floats: all are exact in float32."""
    if values.dtype.kind == "c":
        return False
    return bool(np.array_equal(values.astype(np.float32).astype(np.float64), values))


def leaves(value: Any) -> Iterator[Any]:
    """All leaves of a tree, containers opened (arrays are leaves), dicts in the order of their keys."""
    if isinstance(value, dict):
        value = [value[key] for key in sorted(value, key=str)]
    if isinstance(value, list | tuple):
        for item in value:
            yield from leaves(item)
    else:
        yield value


def count_values(value: Any, most: float = math.inf) -> int:
    """How many Python objects a tree is made of, an array being one; counting stops beyond ``most``."""
    found, waiting = 0, [value]
    while waiting and found <= most:
        found, value = found + 1, waiting.pop()
        if isinstance(value, _SEQUENCES):
            if len(value) > most:
                return len(value)
            waiting.extend(value)
        elif isinstance(value, dict):
            waiting.extend(value.values())
    return found


def map_numbers(function: Callable[[np.ndarray], Any], value: Any) -> Any:
    """Apply a function to every number and array of numbers in a tree, keeping its containers; bools stay."""
    if isinstance(value, dict):
        return {key: map_numbers(function, item) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(map_numbers(function, item) for item in value)
    if isinstance(value, list):
        return [map_numbers(function, item) for item in value]
    is_choice = isinstance(value, bool) or (isinstance(value, np.ndarray) and value.dtype.kind == "b")
    return function(np.asarray(value)) if is_number(value) and not is_choice else value


def is_informative(value: Any, atol: float) -> bool:
    """Whether a value says anything: a string, a bool, or a number well away from zero.

    Two numbers near zero agree whatever they mean, so such an agreement is never counted as evidence.
    """
    for leaf in leaves(value):
        if is_number(leaf) and not isinstance(leaf, bool):
            array = np.asarray(leaf)
            if array.dtype.kind == "b" and array.size:
                return True
            with np.errstate(all="ignore"):
                if array.size and bool((np.abs(array) > 1000 * atol).any()):
                    return True
        elif leaf is not None and leaf != "":
            return True
    return False
