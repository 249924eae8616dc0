"""Arrays between the sandbox and the grader: a shape, a type, and the bytes in base64. Exact, compact, never pickle.

What is read here may have been written by a learner's code. So the size that the shape and the type ask for is compared
with the length of the text before a byte is decoded, and nothing is built that is larger than the text itself.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Mapping
from typing import Any

from coursepkg.grading.judging.arrays import np
from coursepkg.grading.judging.limits import MAX_DIMENSIONS, MAX_ENTRIES

TYPES = {name: np.dtype(name) for name in ("bool", "int64", "float32", "float64", "complex64", "complex128")}
_NAMES = {dtype: name for name, dtype in TYPES.items()}  # `dtype.name` is built anew each time, which is slow


def name_of(dtype: np.dtype[Any]) -> str | None:
    """The name of a type that can be stored, in whatever byte order; None for others."""
    return _NAMES.get(dtype) or _NAMES.get(dtype.newbyteorder("="))


def pack(array: np.ndarray) -> dict[str, Any]:
    """An array as JSON data, bit for bit.

    Parameters
    ----------
    array : ndarray
        Of one of the six types in ``TYPES``, any shape.

    Examples
    --------
    >>> pack(np.array([[1.5, -2.0]]))
    {'array': [1, 2], 'dtype': 'float64', 'base64': 'AAAAAAAA+D8AAAAAAAAAwA=='}
    """
    name = name_of(array.dtype)
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return {
        "array": list(array.shape), "dtype": name, "base64": base64.b64encode(little.tobytes()).decode("ascii"),
    }  # fmt: skip


def unpack(data: Mapping[str, Any]) -> np.ndarray:
    """Rebuild an array; it is a fresh one, in this machine's byte order.

    Raises
    ------
    ValueError
        If shape, type and text do not fit together, or are no shape, no known type, no base64.
    """
    name, text = data["dtype"], data["base64"]
    shape = shape_of(data["array"])
    if not isinstance(name, str) or name not in TYPES:
        raise ValueError(f"a stored array has an unknown type; use one of {', '.join(TYPES)}")
    dtype = TYPES[name].newbyteorder("<")
    size = math.prod(shape) * dtype.itemsize
    if not isinstance(text, str) or len(text) != 4 * -(-size // 3):
        raise ValueError(f"a stored array says shape {shape}, which does not fit its text")
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("a stored array is no base64") from None
    if len(raw) != size:
        raise ValueError(f"a stored array says shape {shape} but holds {len(raw)} bytes")
    if name == "bool":
        return (np.frombuffer(raw, np.uint8) != 0).reshape(shape)  # a byte of 2 is no bool that numpy could live with
    return np.frombuffer(raw, dtype).astype(TYPES[name]).reshape(shape)


def shape_of(sizes: Any) -> tuple[int, ...]:
    """A shape that can be trusted.

    Raises
    ------
    ValueError
        If it is no list of whole numbers, or asks for more than ``MAX_ENTRIES`` entries or ``MAX_DIMENSIONS``.
    """
    if not isinstance(sizes, list) or len(sizes) > MAX_DIMENSIONS:
        raise ValueError(f"a stored array needs a list of at most {MAX_DIMENSIONS} sizes")
    if not all(type(size) is int and 0 <= size <= MAX_ENTRIES for size in sizes) or math.prod(sizes) > MAX_ENTRIES:
        raise ValueError(f"a stored array needs sizes from 0, and at most {MAX_ENTRIES} entries")
    return tuple(sizes)
