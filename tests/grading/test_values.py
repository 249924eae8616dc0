"""Plain data: whatever holds the right numbers is read, stored without loss, and compared with care."""

import array
import json
import math
from collections import UserDict, UserList, deque
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from coursepkg.autodiff.scalar import Scalar
from coursepkg.autodiff.tensor import Tensor
from coursepkg.grading.judging.values import (
    MAX_KEYS,
    Unfit,
    agreeing,
    decode,
    difference,
    encode,
    flat,
    is_informative,
    kind_of,
    parts,
    tree,
)

EDGES = [float("nan"), float("inf"), -float("inf"), 5e-324, 1.7e308, -0.0]
numbers = st.floats() | st.integers(-(2**60), 2**60) | st.complex_numbers() | st.sampled_from(EDGES)
plain = st.recursive(
    numbers | st.booleans() | st.none() | st.text(),
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


class Boxed:
    """Like a Scalar or a Tensor of ours: the numbers are in ``.data``."""

    def __init__(self, data):
        self.data = data


@given(plain)
def test_json_keeps_every_value(value):
    stored = json.loads(json.dumps(encode(value), allow_nan=False))
    assert repr(decode(stored)) == repr(value)


@pytest.mark.parametrize("dtype", ["bool", "int64", "float32", "float64", "complex64", "complex128"])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3), (2, 1, 3)])
def test_json_keeps_shape_dtype_and_entries_of_arrays(dtype, shape):
    array = (np.arange(1, 7)[: int(np.prod(shape))] * (1.5 if dtype != "int64" else 1)).astype(dtype).reshape(shape)
    back = decode(json.loads(json.dumps(encode(array))))
    np.testing.assert_array_equal(back, array, strict=True)


def test_stored_numbers_have_twelve_digits_and_no_negative_zero():
    assert encode(1 / 3, 12) == 0.333333333333
    assert str(encode(-1e-400, 12)) == "0.0"
    assert encode(np.array([2e10 / 3]), 12)["data"] == [6666666666.67]


MALFORMED = [
    {"array": [2], "dtype": "float64", "data": [1.0]},
    {"array": [10**9, 10**9], "dtype": "float64", "data": []},
    {"array": [-1], "dtype": "float64", "data": []},
    {"array": [1], "dtype": "object", "data": [1]},
    {"array": [1], "dtype": "float64", "data": ["1"]},
    {"array": 1, "dtype": "float64", "data": [1]},
    {"float": "1e400"},
    {"complex": [1.0]},
    {"tuple": 3},
    {"dict": {}},
    {"pickle": "gANYBQ=="},
    {},
]


@pytest.mark.parametrize("data", MALFORMED, ids=str)
def test_malformed_data_is_refused(data):
    with pytest.raises(ValueError, match="stored"):
        decode(data)


@pytest.mark.parametrize("value", [object(), {1, 2}, lambda: 1, np.array([object()]), np.array(["a"])], ids=kind_of)
def test_what_is_no_plain_data_is_not_stored(value):
    with pytest.raises(TypeError, match="cannot be stored"):
        encode(value)


SAME = [
    2.5, np.float64(2.5), np.float32(2.5), np.array(2.5), Fraction(5, 2), Decimal("2.5"), sympy.Rational(5, 2),
    sympy.Float(2.5), Boxed(2.5), Boxed(np.array(2.5)), Boxed(Boxed(2.5)), np.array(Boxed(2.5), dtype=object),
    2.5 + 0j, np.longdouble(2.5), Scalar(2.5), Tensor(2.5), Tensor(2.5, requires_grad=True),
    2 * Tensor(1.25, requires_grad=True), np.array([2.5]), np.array([[[2.5]]]),
    array.array("d", [2.5]), memoryview(np.array([2.5])), Tensor([[2.5]], requires_grad=True), np.ma.array([2.5]),
]  # fmt: skip


@pytest.mark.parametrize("value", SAME, ids=lambda value: type(value).__name__)
def test_a_number_is_right_in_whatever_holds_it(value):
    assert difference(2.5, tree(value), rtol=1e-6, atol=1e-9) is None
    assert difference(2.6, tree(value), rtol=1e-6, atol=1e-9) is not None


ROWS = [[1.0, 2.5], [3.0, -4.0], [5.5, 6.0]]
SAME_ROWS = [
    ROWS, tuple(map(tuple, ROWS)), np.array(ROWS), np.array(ROWS, dtype=np.float32), [np.array(row) for row in ROWS],
    [[Boxed(x) for x in row] for row in ROWS], sympy.Matrix(ROWS), Boxed(np.array(ROWS)),
    [[np.float32(x) for x in row] for row in ROWS], np.array([[Boxed(x) for x in row] for row in ROWS], dtype=object),
    np.asfortranarray(ROWS), np.array(ROWS, dtype=">f8"), np.array(ROWS, dtype=">f4"), deque(map(deque, ROWS)),
    Tensor(ROWS, requires_grad=True) * 1.0, [Tensor(row, requires_grad=True) for row in ROWS],
    memoryview(np.array(ROWS)), [array.array("d", row) for row in ROWS], dict(enumerate(ROWS)).values(),
    np.ma.array(ROWS), UserList(ROWS), [[Scalar(x) for x in row] for row in ROWS],
    [[np.array([x]) for x in row] for row in ROWS],
]  # fmt: skip


@pytest.mark.parametrize("value", SAME_ROWS, ids=lambda value: type(value).__name__)
def test_a_matrix_is_right_in_whatever_holds_it(value):
    assert difference(np.array(ROWS), tree(value), rtol=1e-6, atol=1e-9) is None
    assert difference(np.array(ROWS) + 0.01, tree(value), rtol=1e-6, atol=1e-9) is not None


def test_tensors_of_pytorch_are_right_with_and_without_gradients():
    torch = pytest.importorskip("torch")
    rows = torch.tensor(ROWS, dtype=torch.float64, requires_grad=True)
    for value in (rows, rows * 1.0, rows.detach(), torch.nn.Parameter(rows.detach()), list(rows), rows.bfloat16()):
        assert difference(np.array(ROWS), tree(value), rtol=1e-6, atol=1e-9) is None
        assert difference(np.array(ROWS).T, tree(value), rtol=1e-6, atol=1e-9).kind == "shape"
    assert difference(0.5, tree(rows.min().tanh() / rows.min().tanh() / 2), rtol=1e-6, atol=1e-9) is None
    assert tree(torch.tensor([1 + 2j]).conj())[0] == 1 - 2j
    assert isinstance(tree(torch.ones(3).to_sparse()), Unfit)


SEQUENCES = [
    range(1, 4), deque([1, 2, 3]), array.array("i", [1, 2, 3]), array.array("f", [1, 2, 3]), {1: 0, 2: 0, 3: 0}.keys(),
    {"a": 1, "b": 2, "c": 3}.values(), memoryview(np.array([1, 2, 3])), memoryview(b"\1\2\3"), UserList([1, 2, 3]),
    Boxed(deque([1, 2, 3])), np.array([1, 2, 3], dtype=object), [np.array([1]), np.array(2), np.array([[3.0]])],
]  # fmt: skip


@pytest.mark.parametrize("value", SEQUENCES, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("expected", [[1, 2, 3], [1.0, 2.0, 3.0], (1, 2, 3)], ids=str)
def test_a_row_of_numbers_is_right_in_whatever_holds_it(value, expected):
    assert difference(expected, tree(value), rtol=1e-6, atol=1e-9) is None
    assert difference([3, 1, 2], tree(value), rtol=1e-6, atol=1e-9) is not None
    assert difference([1, 2], tree(value), rtol=1e-6, atol=1e-9) is not None


def test_several_parts_are_right_in_views_and_dictionaries_of_any_class():
    assert difference((1.5, [2.0, 3.0]), tree({"a": 1.5, "b": deque([2, 3])}.values()), 1e-6, 1e-9) is None
    assert difference([(1, 2.5)], tree({1: 2.5}.items()), 1e-6, 1e-9) is None
    assert difference({"a": 2.5}, tree(UserDict(a=np.array([2.5]))), 1e-6, 1e-9) is None
    assert difference({3: 2.5, (1, 2): 0.5}, tree({np.int64(3): 2.5, (np.int8(1), 2): 0.5}), 1e-6, 1e-9) is None


def test_a_key_that_equals_everything_is_no_key():
    class Anything(str):
        def __eq__(self, other):
            return True

        def __hash__(self):
            return hash("value")

    found = tree({Anything("wrong"): 2.5})
    assert difference({"value": 2.5}, found, rtol=1e-6, atol=1e-9).kind == "keys"
    assert {type(key) for key in tree({(Anything("a"),): 1, Anything("b"): 2})} == {tuple, str}


LONGER, WIDER = np.array([1.5, -2.0, 4.0]), np.array([[1.5, -2.0, 4.0]])


def test_what_is_far_too_long_is_not_taken_apart():
    given = np.full(300_000, 0.25)
    found = difference([1.5, "a"], given, rtol=1e-6, atol=0.0)
    assert found.kind == "length"
    assert found.got is given


@pytest.mark.parametrize(("expected", "given"), [
    (LONGER, WIDER), (LONGER, LONGER[:, None]), (WIDER, WIDER[:, :, None]), (WIDER, WIDER[None]),
    (np.array([2.5]), np.array([[2.5]])), (LONGER.tolist(), LONGER[:, None]),
])  # fmt: skip
def test_an_axis_of_length_one_is_one_too_many_unless_the_exercise_allows_it(expected, given):
    assert difference(expected, given, rtol=1e-6, atol=1e-9).kind == "shape"
    assert difference(expected, given, rtol=1e-6, atol=1e-9, extra_axes=True) is None
    assert difference({"W": expected}, {"W": given}, rtol=1e-6, atol=1e-9, extra_axes=True) is None
    assert difference(expected, given + 0.1, rtol=1e-6, atol=1e-9, extra_axes=True) is not None


@pytest.mark.parametrize(("expected", "given"), [
    (WIDER, LONGER), (LONGER[:, None], LONGER), (WIDER, LONGER[:, None]), (np.array([2.5]), 2.5),
    (np.array([2.5]), np.array(2.5)), (np.ones((2, 3)), np.ones((1, 3, 2))), (np.ones((2, 3)), np.ones((1, 6))),
])  # fmt: skip
def test_a_missing_or_another_axis_is_wrong_whatever_the_exercise_allows(expected, given):
    for allowed in (False, True):
        assert difference(expected, given, rtol=1e-6, atol=1e-9, extra_axes=allowed).kind == "shape"


@pytest.mark.parametrize("dtype", [np.int64, np.int8, np.uint16, np.float32, np.float64])
def test_several_numbers_are_right_in_one_array(dtype):
    assert difference((3, 14), np.array([3, 14], dtype), rtol=1e-6, atol=1e-9) is None
    assert difference((3, 14), np.array([3, 15], dtype), rtol=1e-6, atol=1e-9).path == (1,)


def test_zero_and_one_stand_for_false_and_true():
    assert difference(1.0, True, rtol=1e-6, atol=1e-9) is None
    assert difference(np.array([1.0, 0.0]), tree(np.array([3, -1]) > 0), rtol=1e-6, atol=1e-9) is None
    assert difference([True, False], [1, 0], rtol=1e-6, atol=1e-9) is None
    assert difference(True, 1, rtol=1e-6, atol=1e-9) is None
    assert difference(True, 0, rtol=1e-6, atol=1e-9).kind == "value"
    assert difference(True, 1.5, rtol=1e-6, atol=1e-9).kind == "kind"
    assert difference([True, False], [2, 0], rtol=1e-6, atol=1e-9).kind == "kind"


class AlwaysEqual:
    def __eq__(self, other):
        return True

    __hash__ = None


class Lying(np.ndarray):
    def __sub__(self, other):
        return np.zeros(self.shape)

    def __array_ufunc__(self, *args, **kwargs):
        return np.zeros(self.shape)


class Endless:
    @property
    def data(self):
        return Endless()


OTHER = [
    AlwaysEqual(), np.array([9.0]).view(Lying), "2.5", None, [2.5], (2.5,), np.array([2.5, 2.5]),
    np.array([]), [np.array([2.5])], deque([2.5]),
    lambda: 2.5, bytearray(b"2.5"), np.ma.array([2.5], mask=[True]), np.array([[2.6]]), sympy.Symbol("x"),
    (x for x in [2.5]), {2.5}, {"value": 2.5}, float, Endless(), object(), b"2.5", 10**400, float("nan"), float("inf"),
    np.array(["2.5"]), np.datetime64("2024-01-01"), range(2), map(float, [2.5]),
]  # fmt: skip


@pytest.mark.parametrize("value", OTHER, ids=lambda value: type(value).__name__)
def test_what_is_not_the_number_is_never_right(value):
    found = difference(2.5, tree(value), rtol=1e-6, atol=1e-9)
    assert found is not None
    assert kind_of(found.got)


@pytest.mark.parametrize("value", [Unfit("a"), sympy.Symbol("x"), map(int, "1"), type, print, len, json], ids=kind_of)
def test_kinds_are_said_in_words(value):
    assert "<" not in kind_of(value)


def test_float32_answers_pass_if_right_to_float32_precision():
    rng = np.random.default_rng(1)
    exact = rng.normal(size=(40, 3)).T @ rng.normal(size=40)
    rng = np.random.default_rng(1)
    single = rng.normal(size=(40, 3)).astype(np.float32).T @ rng.normal(size=40).astype(np.float32)
    assert not np.allclose(single, exact, rtol=1e-8, atol=1e-12)
    for value in (single, single.tolist(), [float(x) for x in single]):
        assert difference(exact, tree(value), rtol=1e-6, atol=1e-9) is None
    assert difference(exact, tree(single * np.float32(1.0003)), rtol=1e-6, atol=1e-9) is not None
    assert difference(exact, tree(exact * 1.00001), rtol=1e-6, atol=1e-9) is not None, "float64 gets no such room"
    z = 2.8  # where the slope of tanh is the small difference of two numbers near one
    slope, in_single = 1 - np.tanh(z) ** 2, 1 - np.tanh(np.float32(z)) ** 2
    assert abs(in_single / slope - 1) > 1e-6
    assert difference(slope, tree(in_single), rtol=1e-6, atol=1e-9) is None
    assert difference(exact, tree(exact.astype(np.float16)), rtol=1e-6, atol=1e-9) is not None


def test_infinity_and_nan_agree_only_with_themselves():
    inf, nan = float("inf"), float("nan")
    values = [inf, -inf, nan, 0.0, 1e308]
    for a in values:
        for b in values:
            same = difference(np.array([a, 1.0]), np.array([b, 1.0]), rtol=1e-6, atol=1e-9) is None
            assert same == (repr(a) == repr(b))


@pytest.mark.parametrize(("expected", "got", "kind"), [
    (np.ones((2, 3)), np.ones((3, 2)), "shape"),
    (np.ones(3), 1.0, "shape"),
    ({"a": 1.0}, {"b": 1.0}, "keys"),
    ({"a": 1.0}, [1.0], "kind"),
    ((1.0, [1.0, 2.0]), (1.0,), "length"),
    ((1.0, [1.0, 2.0]), (1.0, [1.0, 3.0]), "value"),
    (["a", "b"], ["b", "a"], "value"),
    ("a", 1.0, "kind"),
    (None, 0.0, "kind"),
])  # fmt: skip
def test_differences_say_what_kind_they_are(expected, got, kind):
    assert difference(expected, got, rtol=1e-6, atol=1e-9).kind == kind


def test_a_difference_names_its_place():
    found = difference({"value": 1.5, "gradients": [1.0, 2.0]}, {"value": 1.5, "gradients": [1.0, 3.0]}, 1e-6, 1e-9)
    assert (found.path, found.index, found.expected, found.got) == (("gradients",), (1,), 2.0, 3.0)


def test_parts_are_keys_or_positions_of_tuples():
    assert parts({"value": 1.0, "gradients": [1.0]}) == ["value", "gradients"]
    assert parts((1.0, 2.0)) == [0, 1]
    assert parts([1.0, 2.0]) is None
    assert parts([1.0, [2.0]]) == [0, 1]
    assert parts([[1.0], [2.0]]) is None
    assert parts([np.ones(2), np.ones(2)]) == parts([[np.ones(2)], [np.ones(2)]]) == [0, 1]


@pytest.mark.parametrize(("value", "says"), [
    (0.0, False), (1e-7, False), (np.zeros((2, 3)), False), ({"a": [0.0, None]}, False), ([], False), ("", False),
    (1e-5, True), (np.array([0.0, 2.0]), True), (True, True), (False, True), ("abc", True), ({"a": [0.0, "x"]}, True),
])  # fmt: skip
def test_numbers_near_zero_say_nothing(value, says):
    assert is_informative(value, atol=1e-9) is says


# --- nothing, and counts ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", [[], (), np.zeros(0), np.zeros(0, dtype=int), deque(), range(0), {}.keys()])
@pytest.mark.parametrize("expected", [[], np.zeros(0)])
def test_nothing_is_right_in_whatever_holds_it(expected, given):
    assert difference(expected, tree(given), rtol=1e-6, atol=1e-9) is None


@pytest.mark.parametrize("given", [None, {}, 0, 0.0, "", [0], np.zeros((0, 2)), [[]]])
def test_no_list_at_all_is_not_an_empty_one(given):
    assert difference([], tree(given), rtol=1e-6, atol=1e-9) is not None


@pytest.mark.parametrize("form", [float, np.float32, int, lambda x: [x], lambda x: np.array([x, 3.0])])
def test_a_count_that_is_off_by_one_is_wrong_however_large(form):
    assert difference(tree(form(24610)), tree(form(24610)), rtol=1e-6, atol=1e-9) is None
    assert difference(tree(form(24610)), tree(form(24611)), rtol=1e-6, atol=1e-9) is not None
    assert difference([24610], np.array([24611.0], dtype=np.float32), rtol=1e-6, atol=1e-9) is not None
    rounded_away = np.array([1e8, 8.0], dtype=np.float32)  # (1e8 + 3) - 1e8
    assert difference([1e8, 3.0], rounded_away, rtol=1e-6, atol=1e-9) is None
    assert difference(24610.5, float(np.float32(24610.57)), rtol=1e-6, atol=1e-9) is None
    large = 8423417290752.0  # whole, as every float32 above 2**24 is
    assert difference(large, tree(np.float32(large * (1 + 2e-6))), rtol=1e-6, atol=1e-9) is None


@pytest.mark.parametrize("form", [np.float32, lambda x: float(np.float32(x)), lambda x: int(np.float32(x))])
def test_a_whole_number_that_is_too_large_for_float32_asks_for_its_digits(form):
    count = 3**16 + 2
    assert difference(count, tree(form(count)), rtol=1e-12, atol=1e-9) is not None
    assert difference(np.array([1, count]), np.array([1, form(count)]), rtol=1e-12, atol=1e-9) is not None
    assert difference(2**25, tree(form(2**25)), rtol=1e-12, atol=1e-9) is None


def test_keys_that_all_fall_together_cannot_stall_the_reader():
    """Python's whole numbers that differ by a multiple of 2**61 - 1 have one hash."""
    keys = [k * (2**61 - 1) for k in range(MAX_KEYS + 1)]
    with pytest.raises(ValueError, match="more than 1000 keys"):
        decode({"dict": [[key, 0.0] for key in keys]})
    with pytest.raises(ValueError, match="1000 keys that hash alike"):
        decode({"dict": [[key, 0.0] for key in keys[1:]]})
    assert len(decode({"dict": [[key, 0.0] for key in range(MAX_KEYS)]})) == MAX_KEYS
    assert tree(dict.fromkeys(range(MAX_KEYS + 1), 0.0)) == Unfit("a very large dictionary")


# --- many at once ----------------------------------------------------------------------------------------------------

MANY = [
    1.5, -0.0, 0.0, math.inf, math.nan, 1.5 + 1e-9, 3, True, None, "text", 2.0 + 0j, [], (), {}, [1.5], [1.5, 2.0],
    (1.5, 2.0), [[1.5], [2.0, 3.0]], [[1.5, 2.0], [3.0]], [1.5, [2.0, 3.0]], [1.5, 2.0, 3.0], [[1.5, 2.0, 3.0]],
    {"a": 1.5, "b": [2.0]}, {"b": [2.0], "a": 1.5}, {"a": [1.5], "b": 2.0}, np.array([1.5, 2.0]),
    np.array([[1.5, 2.0]]), np.zeros((0, 3)), np.zeros(0), np.array([1.5, 2.0], np.float32), np.array([1, 2]),
    np.array([1.5, math.nan]), [np.array([1.5, 2.0]), 3.0], [1.5, None], [1.5, "text"], [1.5, 3], [1.5, True],
    (np.array([1.5]), np.array([2.0])), np.array([True, False]), Unfit("a set"),
]  # fmt: skip


def test_what_agrees_in_one_comparison_differs_nowhere_when_looked_at_alone():
    pairs = [(one, other) for one in MANY for other in MANY]
    found = agreeing([flat(one) for one, _ in pairs], [flat(other) for _, other in pairs], 1e-6, 1e-9)
    assert not [pairs[k] for k in found if difference(*pairs[k], 1e-6, 1e-9) is not None]
    finite = [
        k for k, (one, other) in enumerate(pairs) if one is other and flat(one) and np.isfinite(flat(one)[1]).all()
    ]
    assert found >= set(finite)
    assert len(finite) > 20


def test_one_wrong_number_is_found_in_the_case_that_holds_it():
    wanted = [np.zeros(0), [1.0, 2.0], np.zeros((0, 3)), 3.0, {"a": np.array([[4.0, 5.0]])}, [], 6.0]
    wrong = {1: [1.0, 2.001], 3: 3.001, 4: {"a": np.array([[4.001, 5.0]])}, 6: 5.999}
    for place, value in wrong.items():
        given = [*wanted[:place], value, *wanted[place + 1 :]]
        assert agreeing(list(map(flat, wanted)), list(map(flat, given)), 1e-6, 1e-9) == set(range(7)) - {place}


class Fickle(Sequence):
    """Numbers when it is read first, and something else from then on."""

    def __init__(self):
        self.read = 0

    def __len__(self):
        return 2

    def __getitem__(self, place):
        return iter(())

    def __iter__(self):
        self.read += 1
        return iter([1.5, 2.0] if self.read == 1 else [self, object()])


def test_a_sequence_that_gives_other_items_the_next_time_is_read_once():
    assert tree(Fickle()) == [1.5, 2.0]
