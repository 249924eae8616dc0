"""Values whose own methods raise, lie, recurse or never end, and other values that nobody expects, each made anew."""

import array
import ctypes
import decimal
import fractions
import itertools
import sys

import numpy as np
import sympy

METHODS = (
    "__array__", "__float__", "__len__", "__iter__", "__eq__", "__hash__", "__repr__", "__str__", "__getattr__",
    "__getattribute__", "__bool__", "__index__", "__int__", "__complex__", "__getitem__", "__next__", "__class__",
    "__array_ufunc__", "__array_function__", "__array_interface__", "__array_struct__", "__buffer__", "__call__",
    "__contains__", "__copy__", "__deepcopy__", "__reduce__", "__sizeof__", "__dir__", "__format__", "__neg__",
    "__sub__", "__abs__", "__lt__", "__gt__", "data", "shape", "dtype", "toarray", "tolist", "keys", "items", "values",
    "free_symbols", "real", "imag", "ndim", "size", "item", "detach", "numpy",
)  # fmt: skip
BASES = (object, dict, list, tuple, str, int, float, complex, np.ndarray, set)


class Boom(BaseException):
    """No Exception, so nothing but the widest net catches it."""


def raising(error):
    def method(*args, **kwargs):
        raise error

    return method


def recursing(self, *args, **kwargs):
    return recursing(self, *args, **kwargs)


BEHAVIOURS = {
    "raises": raising(ValueError("\ud800 no")),
    "raises widely": raising(Boom("no")),
    "exits": raising(SystemExit(0)),
    "recurses": recursing,
    "gives itself": lambda self, *args, **kwargs: self,
    "lies": lambda self, *args, **kwargs: "7",
    "gives a huge number": lambda self, *args, **kwargs: 10**30,
    "gives less than nothing": lambda self, *args, **kwargs: -1,
    "gives nothing": lambda self, *args, **kwargs: None,
}


def made_of(base, method, behaviour, *, as_property):
    """An object of a class with one method of its own; None where Python does not let it be made."""
    function = BEHAVIOURS[behaviour]
    try:
        kind = type("Evil", (base,), {method: property(function) if as_property else function})
        return kind((2,)) if base is np.ndarray else kind()
    except BaseException:  # noqa: BLE001 - some cannot even be built, and so nobody can return them
        return None


def evil_objects(rng, count):
    """So many of them, by name, drawn from all combinations."""
    found = {}
    while len(found) < count:
        base, method = BASES[rng.integers(len(BASES))], METHODS[rng.integers(len(METHODS))]
        behaviour = list(BEHAVIOURS)[rng.integers(len(BEHAVIOURS))]
        as_property = bool(rng.integers(2))
        name = f"{base.__name__} whose {method} {behaviour}{' as a property' if as_property else ''}"

        def make(base=base, method=method, behaviour=behaviour, as_property=as_property):
            return made_of(base, method, behaviour, as_property=as_property)

        found[name] = make
    return found


# --- things that Python and its libraries do give --------------------------------------------------------------------


def inside_itself(kind):
    made = kind()
    if isinstance(made, dict):
        made["a"] = made
    else:
        made.append(made)
    return made


def array_inside_itself(shape):
    made = np.empty(shape, dtype=object)
    made[...] = 0.0
    made[(0,) * len(shape)] = made
    return made


def nested(depth):
    made = 1.0
    for _ in range(depth):
        made = [made]
    return made


class Text(str):
    """A string that is equal to nothing and hashes at random."""

    def __eq__(self, other):
        raise ValueError("not to be compared")

    def __hash__(self):
        return 7


class Fields(ctypes.Structure):
    _fields_ = [("a", ctypes.c_double), ("b", ctypes.c_int)]


class Meta(type):
    """A class whose own name cannot be asked for."""

    @property
    def __name__(cls):
        raise ValueError("no name")

    @property
    def __module__(cls):
        raise ValueError("no module")


class Nameless(metaclass=Meta):
    pass


GIVEN = {
    "a list inside itself": lambda: inside_itself(list),
    "a dictionary inside itself": lambda: inside_itself(dict),
    "an array inside itself": lambda: array_inside_itself((2,)),
    "an array of no axes inside itself": lambda: array_inside_itself(()),
    "a hundred brackets": lambda: nested(100),
    "forty axes": lambda: np.ones((1,) * 30).tolist(),
    "structured": lambda: np.zeros(2, dtype=[("a", "f8"), ("b", "O")]),
    "records": lambda: np.rec.array([(1.0, 2)], dtype=[("x", float), ("y", int)]),
    "one record": lambda: np.rec.array([(1.0, 2)], dtype=[("x", float), ("y", int)])[0],
    "dates": lambda: np.array(["NaT", "2020-01-01"], dtype="datetime64[s]"),
    "a date": lambda: np.datetime64("NaT"),
    "durations": lambda: np.array([1, 2], dtype="timedelta64[s]"),
    "all masked": lambda: np.ma.masked_all((2,)),
    "masked itself": lambda: np.ma.masked,
    "nothing masked": lambda: np.ma.masked_array([1.0, 2.0], mask=False),
    "a matrix": lambda: np.matrix([[1.0, 2.0]]),
    "halves": lambda: np.array([0.1, np.inf, np.nan], dtype=np.float16),
    "long doubles": lambda: np.array(["1e4000", "nan"], dtype=np.longdouble),
    "long complex": lambda: np.array([1e300 + 1j], dtype=np.clongdouble),
    "unsigned": lambda: np.array([2**64 - 1], dtype=np.uint64),
    "huge": lambda: 10**5000,
    "huge and negative": lambda: [-(10**400), 1],
    "a whole number too long to be written": lambda: [1 << 100_000],
    "decimal nan": lambda: decimal.Decimal("NaN"),
    "decimal signalling nan": lambda: decimal.Decimal("sNaN"),
    "decimals": lambda: [decimal.Decimal("1e999999"), decimal.Decimal("-0")],
    "fraction": lambda: fractions.Fraction(10**400, 3),
    "sympy nan": lambda: sympy.nan,
    "sympy zoo": lambda: sympy.zoo,
    "sympy oo": lambda: [sympy.oo, -sympy.oo],
    "sympy i": lambda: sympy.I * sympy.oo,
    "sympy matrix": lambda: sympy.Matrix([[1, sympy.Symbol("x")]]),
    "sympy true": lambda: sympy.true,
    "sympy set": lambda: sympy.FiniteSet(1, 2),
    "a generator": lambda: (x for x in (1.0, 2.0)),
    "a counter without end": itertools.count,
    "a range without end": lambda: range(10**18),
    "a range": lambda: range(3, 0, -1),
    "a coroutine function": lambda: nested,
    "bytes to look at": lambda: memoryview(b"abc"),
    "doubles to look at": lambda: memoryview(array.array("d", [1.0])).cast("B").cast("c"),
    "a released memoryview": lambda: released(),
    "half floats to look at": lambda: memoryview(np.ones(2, dtype=np.float16)),
    "fields to look at": lambda: memoryview(Fields()),
    "an array of ctypes": lambda: (ctypes.c_double * 2)(1.0, 2.0),
    "a pointer to nothing": lambda: ctypes.POINTER(ctypes.c_double)(),
    "an object array of no axes": lambda: np.array(object(), dtype=object),
    "an object array of numbers": lambda: np.array([1.0, None, "x", np.nan], dtype=object),
    "no entries": lambda: np.zeros((0,)),
    "no rows": lambda: np.zeros((3, 0)),
    "no rows, listed": lambda: [[], [], []],
    "void": lambda: np.void(b"abc"),
    "bytes in an array": lambda: np.array([b"a", b"bc"]),
    "new strings": lambda: np.array(["a", "b"], dtype=np.dtypes.StringDType()),
    "strided by nothing": lambda: np.lib.stride_tricks.as_strided(np.ones(1), (10**7,), (0,)),
    "big endian": lambda: np.array([1.0, 2.0], dtype=">f8"),
    "half of a pair": lambda: ["\ud800", {"\udfff": "\ud83d"}],
    "nulls": lambda: "\x00" * 10,
    "strings that are not to be compared": lambda: {Text("a"): 1.0, Text("b"): 2.0},
    "a string that is not to be compared": lambda: Text("loss"),
    "keys of every kind": lambda: {
        1: 0, 1.5: 0, None: 0, False: 0, (1, (2,)): 0, frozenset({1}): 0, b"a": 0, np.float64(3): 0, 1j: 0, nested: 0,
        float("nan"): 0, 10**400: 0, Ellipsis: 0,
    },
    "deep keys": lambda: {deep_tuple(60): 0},
    "two keys that become one": lambda: {1j: 1.0, 2j: 2.0},
    "a nameless object": lambda: Nameless(),
    "a nameless class": lambda: Nameless,
    "a long name": lambda: type("A" * 5000, (), {})(),
    "the module": lambda: sys,
    "not implemented": lambda: NotImplemented,
    "an error": lambda: ValueError("as a value"),
    "a slice": lambda: slice(1, 2),
    "a frame": lambda: sys._getframe(),
    "thousands": lambda: list(range(8000)),
    "negative zero": lambda: [-0.0, np.float32(-0.0)],
    "a poly": lambda: np.poly1d([1, 2]),
    "bits": lambda: np.array([True, False]) & np.array([True, True]),
}  # fmt: skip


def released():
    view = memoryview(b"abc")
    view.release()
    return view


def deep_tuple(depth):
    made = 1
    for _ in range(depth):
        made = (made,)
    return made


# --- what never ends; each is tried once, against a clock ------------------------------------------------------------


def forever(self=None, *args, **kwargs):
    while True:
        pass


def _endless(method, base=object):
    return lambda: type("Endless", (base,), {method: forever})()


class EndlessList(list):
    def __iter__(self):
        return itertools.count()


class EndlessKeys(dict):
    def items(self):
        return ((n, 0) for n in itertools.count())


ENDLESS = {
    **{name: _endless(name) for name in ("__array__", "__float__", "__getattribute__", "__complex__", "__index__")},
    "data": lambda: type("Endless", (), {"data": property(forever)})(),
    "toarray": _endless("toarray"),
    "a list without end": EndlessList,
    "a list of a list of a list": lambda: inside_itself_many_times(),
    "len of a dictionary": _endless("__len__", dict),
    "items": EndlessKeys,
}


def inside_itself_many_times():
    made = []
    made.extend([made] * 1000)
    return made
