"""Arrays that come out of the sandbox are exact, and whatever else comes is refused before anything is built."""

import base64
import json
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from coursepkg.grading.judging.calling import Outcome
from coursepkg.grading.judging.packing import MAX_ENTRIES, TYPES, pack, unpack
from coursepkg.grading.judging.values import decode, encode


@given(
    st.sampled_from(list(TYPES.values())).flatmap(
        lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))
    )
)
def test_an_array_comes_back_bit_for_bit(array):
    back = unpack(json.loads(json.dumps(pack(array))))
    assert back.dtype == array.dtype
    assert back.shape == array.shape
    assert back.tobytes() == array.tobytes()
    assert back.flags.writeable


@pytest.mark.parametrize("make", [
    lambda a: a.T, lambda a: a[::2, ::-1], np.asfortranarray, lambda a: a.astype(a.dtype.newbyteorder(">")),
], ids=["transposed", "strided", "fortran", "big endian"])  # fmt: skip
def test_entries_keep_their_places_however_they_lie_in_memory(make):
    array = make(np.arange(12.0).reshape(3, 4) / 7)
    np.testing.assert_array_equal(unpack(pack(array)), array)


def test_the_bytes_are_little_endian_on_every_machine():
    assert base64.b64decode(pack(np.array([1.5, -2.0]))["base64"]) == struct.pack("<2d", 1.5, -2.0)


def test_odd_numbers_survive():
    odd = np.array([np.nan, np.inf, -np.inf, -0.0, 5e-324, 1.7976931348623157e308, 0.1])
    odd[0] = struct.unpack("<d", b"\x01\x00\x00\x00\x00\x00\xf4\x7f")[0]  # a NaN with a message in it
    back = unpack(pack(odd))
    assert back.tobytes() == odd.tobytes()
    assert np.isnan(back[0])


@given(
    st.lists(st.floats(allow_nan=False)).map(np.array)
    | st.tuples(hnp.arrays(np.float64, (2, 3)), st.integers(-9, 9)).map(list)
    | st.dictionaries(st.text(), hnp.arrays(np.complex128, (2,)))
)
def test_an_outcome_comes_back_with_its_arrays_whatever_holds_them(value):
    back = Outcome.from_json(json.loads(json.dumps(Outcome("value", value).to_json(), allow_nan=False))).value
    assert encode(back, packed=True) == encode(value, packed=True)


def text(size):
    """Base64 of so many zero bytes."""
    return base64.b64encode(bytes(size)).decode()


HOSTILE = {
    "one number too few": {"array": [3], "dtype": "float64", "base64": text(16)},
    "one number too many": {"array": [1], "dtype": "float64", "base64": text(16)},
    "one byte too many": {"array": [1], "dtype": "float64", "base64": text(9)},
    "half a number": {"array": [1], "dtype": "float64", "base64": text(4)},
    "of another type's size": {"array": [2], "dtype": "complex128", "base64": text(16)},
    "nothing at all": {"array": [], "dtype": "float64", "base64": ""},
    "a huge shape": {"array": [10**9], "dtype": "float64", "base64": ""},
    "a shape whose product overflows": {"array": [2**32, 2**32], "dtype": "bool", "base64": ""},
    "a shape that is empty and huge": {"array": [0, 10**18], "dtype": "float64", "base64": ""},
    "a shape without end": {"array": [1] * 33, "dtype": "float64", "base64": text(8)},
    "one entry too many": {"array": [MAX_ENTRIES + 1], "dtype": "bool", "base64": text(MAX_ENTRIES + 1)},
    "a size below zero": {"array": [-1], "dtype": "float64", "base64": ""},
    "two sizes below zero": {"array": [-1, -1], "dtype": "float64", "base64": text(8)},
    "a size that is no whole number": {"array": [1.0], "dtype": "float64", "base64": text(8)},
    "a size that is True": {"array": [True], "dtype": "float64", "base64": text(8)},
    "a shape that is a number": {"array": 1, "dtype": "float64", "base64": text(8)},
    "a shape that is text": {"array": "1", "dtype": "float64", "base64": text(8)},
    "objects": {"array": [1], "dtype": "object", "base64": text(8)},
    "text": {"array": [1], "dtype": "<U2", "base64": text(8)},
    "records": {"array": [1], "dtype": "f8,f8", "base64": text(16)},
    "big endian": {"array": [1], "dtype": ">f8", "base64": text(8)},
    "another name of a type": {"array": [1], "dtype": "double", "base64": text(8)},
    "a type that is a list": {"array": [1], "dtype": ["float64"], "base64": text(8)},
    "a type that is nothing": {"array": [1], "dtype": None, "base64": text(8)},
    "no base64": {"array": [1], "dtype": "float64", "base64": "!" * 12},
    "base64 with a line end": {"array": [1], "dtype": "float64", "base64": "AAAAAAAA\nAA="},
    "base64 without its end": {"array": [1], "dtype": "float64", "base64": "AAAAAAAAAAAA"},
    "base64 of another alphabet": {"array": [1], "dtype": "float64", "base64": "ÀAAAAAAAAAA="},
    "bytes that are a list": {"array": [1], "dtype": "float64", "base64": [0] * 12},
    "numbers and bytes": {"array": [1], "dtype": "float64", "base64": text(8), "data": [1.0]},
    "a pickle": {"array": [1], "dtype": "float64", "pickle": text(8)},
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_lying_array_is_refused_without_being_built(name):
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="stored"):
            decode(HOSTILE[name])
        assert tracemalloc.get_traced_memory()[1] < 8 * len(json.dumps(HOSTILE[name])) + 100_000
    finally:
        tracemalloc.stop()


def test_a_bool_of_an_odd_byte_is_an_ordinary_one():
    """numpy takes a byte of 2 for True, and then counts it as 2."""
    back = unpack({"array": [3], "dtype": "bool", "base64": base64.b64encode(b"\x00\x02\xff").decode()})
    assert back.tolist() == [False, True, True]
    assert back.sum() == 2


def test_what_no_answer_should_hold_is_not_packed():
    for array in (np.array([object()]), np.array(["a"]), np.array([1], dtype="u2"), np.zeros(1, "f8,f8")):
        with pytest.raises(TypeError, match="cannot be stored"):
            encode(array, packed=True)
