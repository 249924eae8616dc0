"""The edges of a call: options, lists, reused buffers, aliases, dtypes, kinks. Right on every route, or refused.

`agree` says that differences, reverse mode, forward mode and algebra give one gradient; `refused` that every route by
rules says no before the backward pass, in words that name what was given.
"""

import copy
import pickle
import threading
from fractions import Fraction

import numpy as np
import pytest

from coursepkg import gradients as G
from coursepkg.autodiff import catalogue
from coursepkg.autodiff.dual import Dual
from coursepkg.autodiff.dual_stack import DualStack
from coursepkg.autodiff.errors import LeavesGraphError, MissingPrimitiveError, UnsupportedArgumentError
from coursepkg.autodiff.gate import public_name
from coursepkg.autodiff.symbolic_array import SymbolicArray, symbols_like
from coursepkg.autodiff.table import COMPOSITES, CONSTANTS, PRIMITIVES
from coursepkg.autodiff.tensor import Tensor, no_grad
from coursepkg.optimizers import GD

X = np.array([0.7, -1.3, 2.1])
W = np.array([1.0, 2.0, 3.0])
A = np.arange(9.0).reshape(3, 3) + 0.5
HOUSE = (MissingPrimitiveError, LeavesGraphError)
BY_RULES = {"reverse": G.reverse, "forward": G.forward, "symbolic": G.symbolic}


def agree(f, x=X, gradient=None):
    """Every route gives one gradient (and this one), with evidence in some entry."""
    G.check(f, x)
    if gradient is not None:
        np.testing.assert_allclose(G.reverse(f)(x), gradient, rtol=1e-10, atol=1e-13)


def flat(f, x=X):
    """Differences and every route by rules give zeros, and no route gets there by refusing."""
    for route in (G.numeric, *BY_RULES.values()):
        np.testing.assert_array_equal(route(f)(x), np.zeros_like(x))


def refused(f, x=X, words=None, kinds=HOUSE):
    """Every route by rules refuses in the forward pass."""
    for route in BY_RULES.values():
        with pytest.raises(kinds, match=words):
            route(f)(x)
    with pytest.raises(kinds, match=words):
        G.vjp(f, x)
    with pytest.raises(kinds, match=words):
        G.jvp(f, x, np.ones_like(x))


def forward_gradient_by_dual(f, x):
    """The gradient by one direction per entry."""
    return np.array([G.jvp(f, x, way)[1] for way in np.eye(x.size)])


# --- arrays that a model writes into again


def test_a_buffer_that_a_loop_fills_again_counts_as_it_was():
    def f(z):
        b, s = np.empty(3), 0.0
        for k in range(3):
            b[:] = k + 1
            s = s + np.sum(z * b)
        return s

    agree(f, gradient=[6.0, 6.0, 6.0])


@pytest.mark.parametrize(
    "use",
    [
        lambda z, b: z * b, lambda z, b: b * z, lambda z, b: z / b, lambda z, b: b / z, lambda z, b: b**z,
        lambda z, b: (z * z) ** b, lambda z, b: z @ b, lambda z, b: b @ z, lambda z, b: np.outer(z, b) @ W,
        lambda z, b: np.dot(np.tanh(z), b), lambda z, b: np.einsum("i,i", z, b), lambda z, b: np.arctan2(z, b),
        lambda z, b: np.hypot(b, z), lambda z, b: np.clip(z, -b, b) * b, lambda z, b: np.maximum(z, b - 2.25),
        lambda z, b: np.where(b > 1.5, z, 2 * z) * b, lambda z, b: catalogue.linear(z, np.outer(b, b)),
        lambda z, b: np.linalg.solve(np.eye(3) + 0.1 * np.outer(b, z), b), lambda z, b: np.logaddexp(z, b),
        lambda z, b: z * b[::-1], lambda z, b: z[:2] * b[1:], lambda z, b: z * b.reshape(3, 1),
        lambda z, b: np.interp(0.3, [0.0, 1.0], [1.0, 2.0]) * z * b,
    ],
)  # fmt: skip
def test_every_use_of_a_buffer_counts_as_it_was(use):
    def reused(z):
        b, s = np.empty(3), 0.0
        for k in range(3):
            b[:] = (k + 1) * W / 2
            s = s + np.sum(use(z, b))
        return s

    def fresh(z):
        return sum(np.sum(use(z, (k + 1) * W / 2)) for k in range(3))

    agree(reused)
    np.testing.assert_allclose(G.reverse(reused)(X), G.reverse(fresh)(X), rtol=1e-12)


def test_a_part_of_a_larger_buffer_counts_as_it_was():
    def f(z):
        buffer, s = np.empty((2, 3)), 0.0
        for k in range(4):
            buffer[k % 2] = k + 1
            s = s + np.sum(z * buffer[k % 2])
        return s

    agree(f, gradient=[10.0, 10.0, 10.0])


def test_a_read_only_view_of_a_buffer_counts_as_it_was():
    def f(z):
        b, s = np.empty(3), 0.0
        view = np.broadcast_to(b, (2, 3))
        for k in range(3):
            b[:] = k + 1
            s = s + np.sum(z * view)
        return s

    agree(f, gradient=[12.0, 12.0, 12.0])


def test_an_index_array_that_is_filled_again_counts_as_it_was():
    def f(z):
        index, s = np.zeros(2, int), 0.0
        for k in range(3):
            index[:] = k
            s = s + (k + 1) * np.sum(z[index] ** 2)
        return s

    agree(f, gradient=4 * W * X)


def test_a_mask_that_is_filled_again_counts_as_it_was():
    def f(z):
        mask, s = np.zeros(3, bool), 0.0
        for k in range(3):
            mask[:] = False
            mask[k] = True
            s = s + (k + 1) * np.sum(z[mask] ** 2) + np.sum(np.where(mask, z, 0.0))
        return s

    agree(f, gradient=2 * W * X + 1)


def test_a_list_index_that_grows_counts_as_it_was():
    def f(z):
        rows, s = [], 0.0
        for k in range(3):
            rows.append(k)
            s = s + np.sum(z[rows] * z[(rows,)])
        return s

    agree(f, gradient=[6 * X[0], 4 * X[1], 2 * X[2]])


def test_option_arrays_that_are_filled_again_count_as_they_were():
    def f(z):
        where, axes, shape, s = np.zeros((1, 2), int), [0, 1], [3, 1], 0.0
        square = np.outer(z, W)
        for k in range(3):
            where[:] = k
            s = s + np.sum(np.take(z, where) * (k + 1)) + np.sum(np.take_along_axis(square, where, axis=1)) * k
            s = s + np.sum(np.transpose(square, axes) * W) + np.sum(np.reshape(z, shape)[k])
            axes.reverse()
            shape.reverse()
            shape[:] = [3, 1]
        return s

    agree(f)


def test_a_constant_that_changes_before_the_backward_pass_counts_as_it_was():
    t, c = Tensor(X, requires_grad=True), W.copy()
    y = np.sum(t * c) + np.sum(t[np.array([0, 0])]) + c @ np.exp(t)
    c[:] = 0
    y.backward()
    np.testing.assert_allclose(t.grad, W + [2, 0, 0] + W * np.exp(X), rtol=1e-12)


def test_what_a_pull_reads_does_not_change_with_the_argument():
    x = X.copy()
    _, pull = G.vjp(lambda z: np.sum(z**3), x)
    x[:] = 0
    np.testing.assert_allclose(pull(1.0), 3 * X**2, rtol=1e-12)


def test_what_a_pull_reads_does_not_change_with_the_value():
    value, pull = G.vjp(np.exp, X)
    value[:] = 0
    np.testing.assert_allclose(pull(W), W * np.exp(X), rtol=1e-12)


def test_the_value_of_the_identity_is_no_part_of_the_argument():
    x = X.copy()
    value, pull = G.vjp(lambda z: z, x)
    value[:] = 0
    np.testing.assert_array_equal(x, X)
    np.testing.assert_array_equal(pull(W), W)


# --- functions without a derivative

WHY = {
    "a truth value": [
        np.all, np.allclose, np.any, np.array_equal, np.array_equiv, np.can_cast, np.equal, np.greater,
        np.greater_equal, np.isclose, np.iscomplex, np.iscomplexobj, np.isfinite, np.isin, np.isinf, np.isnan,
        np.isneginf, np.isposinf, np.isreal, np.isrealobj, np.less, np.less_equal, np.logical_and, np.logical_not,
        np.logical_or, np.logical_xor, np.may_share_memory, np.not_equal, np.shares_memory, np.signbit,
    ],
    "a count, a place or an order": [
        np.argmax, np.argmin, np.argpartition, np.argsort, np.argwhere, np.count_nonzero, np.digitize, np.flatnonzero,
        np.lexsort, np.linalg.matrix_rank, np.nanargmax, np.nanargmin, np.nonzero, np.searchsorted,
    ],
    "a function of the shape or the dtype": [
        np.empty_like, np.ndim, np.ones_like, np.result_type, np.shape, np.size, np.tril_indices_from,
        np.triu_indices_from, np.zeros_like,
    ],
    "steps, flat between them": [
        np.around, np.ceil, np.fix, np.floor, np.floor_divide, np.rint, np.round, np.spacing, np.trunc,
    ],
    "text": [np.array2string, np.array_repr, np.array_str],
}  # fmt: skip
"""Why each function of CONSTANTS sends no gradient: what it returns."""

SECOND = {
    np.allclose: W, np.array_equal: W, np.array_equiv: W, np.isin: W, np.digitize: W,
    np.can_cast: float, np.isclose: W, np.logical_and: W, np.logical_or: W,
    np.logical_xor: W, np.may_share_memory: W, np.shares_memory: W, np.argpartition: 1, np.searchsorted: W,
    np.floor_divide: 0.4, np.equal: W, np.not_equal: W, np.greater: W, np.greater_equal: W, np.less: W,
    np.less_equal: W,
}  # fmt: skip


def called(function, z):
    """A call of a function of CONSTANTS."""
    if function in (np.tril_indices_from, np.triu_indices_from):
        z = np.outer(z, W)
    if function is np.lexsort:
        return np.lexsort((z, W))
    if function is np.linalg.matrix_rank:
        return np.linalg.matrix_rank(np.outer(z, W))
    if function is np.can_cast:
        return np.can_cast(np.result_type(z), float)
    return function(z, SECOND[function]) if function in SECOND else function(z)


def test_every_function_that_is_taken_for_a_constant_has_its_reason():
    given = [function for functions in WHY.values() for function in functions]
    assert sorted(map(public_name, set(given))) == sorted(map(public_name, CONSTANTS))


@pytest.mark.parametrize("function", sorted(CONSTANTS - {np.empty_like}, key=public_name), ids=public_name)
def test_a_function_that_is_taken_for_a_constant_gives_plain_values_that_small_changes_leave_alone(function):
    for traced in (Tensor(X, requires_grad=True), Dual(X, W), DualStack(X, np.eye(3)), symbols_like(X, "x")[0]):
        found = called(function, traced)
        assert not isinstance(found, (Tensor, Dual, DualStack, SymbolicArray))
        if function not in WHY["text"]:
            for near in (X, X + 1e-6, X - 1e-6):
                np.testing.assert_equal(found, called(function, near))


def test_functions_that_carry_values_are_no_constants():
    agree(lambda z: np.sum(np.full_like(z, z[0]) * W), gradient=[6.0, 0.0, 0.0])
    agree(lambda z: np.sum(np.unique(z) * W), gradient=[2.0, 1.0, 3.0])
    agree(lambda z: np.sum(np.sort(z) * W))
    agree(lambda z: np.ptp(z) * np.max(z))


# --- np.pad


@pytest.mark.parametrize("mode", ["constant", "edge", "reflect", "symmetric", "wrap"])
@pytest.mark.parametrize("widths", [2, (0, 3), ((4, 1),)])
def test_pad_moves_entries_as_numpy_does(mode, widths):
    agree(lambda z: np.sum(np.pad(z, widths, mode=mode) * np.arange(np.pad(X, widths).size)))
    np.testing.assert_array_equal(np.pad(Tensor(X), widths, mode=mode).numpy(), np.pad(X, widths, mode=mode))


@pytest.mark.parametrize("mode", ["linear_ramp", "maximum", "mean", "median", "minimum", "empty"])
def test_pad_refuses_the_modes_that_compute(mode):
    refused(lambda z: np.sum(np.pad(z, 1, mode=mode)), words=rf"np\.pad\(\.\.\., mode='{mode}'\)")


def test_pad_refuses_what_its_modes_do_not_read():
    refused(lambda z: np.sum(np.pad(z, 1, mode="reflect", reflect_type="odd")), words="reflect_type")
    refused(lambda z: np.sum(np.pad(z, 1, mode=lambda *args: None)), words="mode")


# --- optional arguments


def test_a_dtype_by_position_is_no_keepdims():
    agree(lambda z: np.sum(np.sum(z * A, 1, float) * W), A)
    assert np.sum(Tensor(A), 1, float).shape == (3,)


def test_an_initial_value_is_added_and_chosen_entries_are_summed():
    agree(lambda z: np.sum(z * z, initial=5.0) ** 2, X)
    agree(lambda z: np.sum(z * z, where=[True, False, True]) ** 2, X)
    agree(lambda z: np.prod(z * W, where=[True, False, True], initial=2.0) ** 2, X)
    agree(lambda z: np.max(z * W, where=[True, True, False], initial=-50.0) ** 2, X)
    assert np.sum(Tensor(X), initial=5.0).item() == np.sum(X, initial=5.0)


@pytest.mark.parametrize(
    ("words", "call"),
    [
        ("where", lambda z: np.sum(np.multiply(z, W, where=np.array([True, False, True])))),
        ("where", lambda z: np.sum(np.exp(z, where=np.array([True, False, True])))),
        ("initial", lambda z: np.max(z, initial=z[0])),
        ("initial", lambda z: np.prod(z, initial=z[1])),
        ("out", lambda z: np.sum(np.exp(z, out=np.empty(3)))),
        ("out", lambda z: np.sum(np.exp(z, np.empty(3)))),
        ("out", lambda z: np.sum(z, out=np.empty(()))),
        ("dtype", lambda z: np.sum(z, dtype=int)),
        ("casting", lambda z: np.sum(np.exp(z, casting="no"))),
        ("subok", lambda z: np.sum(np.multiply(z, z, subok=False))),
        ("order", lambda z: np.sum(np.exp(z, order="F"))),
        ("axes", lambda z: np.matmul(z, z, axes=[0, 0, ()])),
    ],
)
def test_what_an_entry_does_not_support_is_refused_by_name(words, call):
    refused(call, words=words)


@pytest.mark.parametrize(
    "call",
    [
        lambda z: np.sum(z, dtype=np.float64),
        lambda z: np.sum(z, None, None, None),
        lambda z: np.var(z, correction=1),
        lambda z: np.std(z, ddof=1),
        lambda z: np.sum(np.sort(z, kind="stable") * W),
        lambda z: np.sum(np.ravel(np.outer(z, W), order="F") * np.arange(9)),
        lambda z: np.sum(np.reshape(np.outer(z, W), -1, "F") * np.arange(9)),
        lambda z: np.sum(np.diff(z, prepend=0.5, append=[1.0, 2.0]) ** 2),
        lambda z: np.trace(np.outer(z, W) ** 2, offset=1, axis1=1, axis2=0),
        lambda z: np.sum(np.diagonal(np.outer(z, W), axis1=1, axis2=0, offset=np.int64(1)) ** 2),
        lambda z: np.sum(z.astype(float, copy=False) ** 2),
        lambda z: np.sum(np.repeat(z, np.int64(2)) ** 2),
        lambda z: np.sum(np.roll(z, np.int64(1)) * W),
        lambda z: np.sum(np.sum(np.outer(z, W), axis=np.int64(0)) ** 2),
        lambda z: np.sum(np.where(z, z, 0.0) ** 2),
        lambda z: np.sum(np.where(z > 0, z, [1.0, 2.0, 3.0]) ** 2),
    ],
)  # fmt: skip
def test_what_numpy_reads_as_the_plain_call_has_its_gradient(call):
    agree(call)


# --- dtypes


@pytest.mark.parametrize("kind", [int, np.int32, bool, "int64"])
def test_conversion_to_whole_numbers_lets_no_gradient_through(kind):
    flat(lambda z: np.sum(z.astype(kind)) * 1.0)
    agree(lambda z: np.sum(z.astype(kind) * z), gradient=X.astype(kind).astype(float))
    flat(lambda z: np.sum(np.astype(z, kind)) * 1.0)


def test_einsum_takes_its_other_form():
    agree(lambda z: np.sum(np.einsum(z, [0], A, [0, 1], [1]) * W), gradient=A @ W)
    agree(lambda z: np.einsum(np.outer(z, W), [0, 0]), gradient=W)


def test_several_shifts_along_one_axis_add_up():
    agree(lambda z: np.sum(np.roll(z, (1, 1), (0, 0)) * W), gradient=np.roll(W, -2))
    np.testing.assert_array_equal(np.roll(Tensor(A), (1, 2, -1), (0, 1, 0)).numpy(), np.roll(A, (1, 2, -1), (0, 1, 0)))


@pytest.mark.parametrize(
    "call",
    [
        lambda z: np.sum(np.ma.array(W) * z),
        lambda z: np.sum(z * np.ma.array(W, mask=[True, False, False])),
        lambda z: np.sum(np.ma.array(W) / z),
        lambda z: np.sum(np.ma.array(W) @ z),
        lambda z: np.sum(np.multiply(np.ma.array(W), z)),
        lambda z: np.sum(np.where(np.ma.array(W) > 1.5, z, 0.0)),
        lambda z: np.sum(np.matrix(A) * z),
        lambda z: np.sum(z @ np.matrix(A)),
        lambda z: np.sum(np.concatenate([np.ma.array(W), z])),
    ],
)
@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
def test_a_masked_array_or_a_matrix_counts_or_is_refused(call):
    try:
        value = G.vjp(call, X)[0]
    except HOUSE:
        refused(call)
    else:
        np.testing.assert_allclose(value, call(X), rtol=1e-12)
        agree(call)


def test_float16_sums_where_it_would_overflow():
    x = np.full(70000, 2.0, np.float16)
    assert np.mean(Tensor(x)).item() == np.mean(x) == 2.0
    np.testing.assert_allclose(G.vjp(np.mean, x)[1](np.float16(1000.0)), 1000 / 70000, rtol=1e-2)


def test_float16_shares_a_gradient_among_very_many_ties():
    x = np.zeros(66000, np.float16)
    g = G.vjp(np.max, x)[1](np.float16(1000.0))
    np.testing.assert_allclose(g.astype(float), 1000 / 66000, rtol=1e-2)


# --- writing into values

WRITING = {
    "+=": lambda a, b: a.__iadd__(b), "-=": lambda a, b: a.__isub__(b), "*=": lambda a, b: a.__imul__(b),
    "/=": lambda a, b: a.__itruediv__(b), "**=": lambda a, b: a.__ipow__(b), "@=": lambda a, b: a.__imatmul__(b),
    "//=": lambda a, b: a.__ifloordiv__(b), "%=": lambda a, b: a.__imod__(b),
}  # fmt: skip
TRACED = {
    "Tensor": lambda x: Tensor(x, requires_grad=True) * 1.0,
    "leaf Tensor": lambda x: Tensor(x, requires_grad=True),
    "Dual": lambda x: Dual(x, np.ones_like(x)),
    "DualStack": lambda x: DualStack(x, np.ones((2, *x.shape))),
    "SymbolicArray": lambda x: symbols_like(x, "x")[0],
}


@pytest.mark.parametrize("kind", TRACED)
@pytest.mark.parametrize("sign", WRITING)
def test_an_array_of_any_traced_kind_is_not_written_into(kind, sign):
    y = TRACED[kind](A)
    view = y[:2]
    with pytest.raises(HOUSE, match=r"writes into an array|in place"):
        WRITING[sign](y, A)
    np.testing.assert_array_equal(y.numpy(), A)
    np.testing.assert_array_equal(view.numpy(), A[:2])


@pytest.mark.parametrize("kind", TRACED)
@pytest.mark.parametrize("index", [0, slice(None), ..., (0, 1), [0, 2]])
def test_entries_of_any_traced_kind_are_not_assigned(kind, index):
    y = TRACED[kind](A)
    with pytest.raises(LeavesGraphError, match="cannot be written into"):
        y[index] = 0.0
    with pytest.raises(LeavesGraphError, match="cannot be written into"):
        y.fill(0.0)
    np.testing.assert_array_equal(y.numpy(), A)


@pytest.mark.parametrize("kind", [kind for kind in TRACED if kind != "leaf Tensor"])
@pytest.mark.parametrize("sign", ["+=", "-=", "*=", "/=", "**="])
def test_a_single_number_is_bound_again_as_numpys_are(kind, sign):
    y = before = TRACED[kind](np.array(1.5))
    y = WRITING[sign](y, 2.0)
    assert y.item() == pytest.approx(WRITING[sign].__call__(np.array(1.5), 2.0).item(), rel=1e-12)
    assert before.item() == 1.5


def test_a_sum_that_starts_at_a_number_may_grow_in_place():
    def f(z):
        s = 0.0
        for k in range(3):
            s += np.sum(z * (k + 1))
            s *= 2.0
        return s

    agree(f, gradient=[22.0] * 3)


@pytest.mark.parametrize("sign", WRITING)
def test_a_plain_array_does_not_take_a_traced_one_in_place(sign):
    def f(z):
        b = A.copy()
        return np.sum(WRITING[sign](b, np.outer(z, W)))

    refused(f)


def test_an_alias_or_a_view_sees_what_numpy_would_show_it():
    def alias(z):
        y = z * 1.0
        v = y[:2]
        y *= 3
        return np.sum(v)

    def argument(z):
        z *= 2
        return np.sum(z)

    refused(alias, words=r"\*=")
    refused(argument, words=r"\*=")


def test_a_refusal_to_write_says_what_to_write_instead():
    with pytest.raises(LeavesGraphError, match=r"Write x = x \* \.\.\. instead"):
        WRITING["*="](Dual(X, W), 2.0)
    with pytest.raises(LeavesGraphError, match="no_grad"):
        WRITING["*="](Tensor(X, requires_grad=True), 2.0)


# --- determinants


def test_slogdet_holds_where_the_determinant_underflows():
    tiny = 1e-3 * np.eye(200) + 1e-5
    sign, logabs = np.linalg.slogdet(Tensor(tiny))
    assert (sign, logabs.item()) == tuple(np.linalg.slogdet(tiny))
    g = G.reverse(lambda z: np.linalg.slogdet(z).logabsdet)(tiny)
    np.testing.assert_allclose(g, np.linalg.inv(tiny).T, rtol=1e-8, atol=1e-8)


def test_slogdet_of_complex_matrices_counts_or_is_refused():
    z = A + 1j * np.eye(3)

    def f(z):
        sign, logabs = np.linalg.slogdet(z)
        return np.real(sign) + np.imag(sign) * 2 + logabs

    try:
        found = G.reverse(f)(z)
    except HOUSE:
        return
    np.testing.assert_allclose(found, G.numeric(f)(z), rtol=1e-6)


def test_the_sign_of_a_complex_number_turns_with_it():
    z = np.array([1.0 + 2.0j, -0.5 + 0.3j])
    agree(lambda z: np.sum(np.real(np.sign(z)) + 2 * np.imag(np.sign(z))), z)


def test_the_determinant_of_a_singular_matrix_has_its_cofactors():
    a = np.array([[1.0, 2.0], [2.0, 4.0]])
    agree(np.linalg.det, a, gradient=[[4.0, -2.0], [-2.0, 1.0]])
    rank_two = np.outer([1.0, 2.0, 3.0], [1.0, 0.0, 1.0]) + np.outer([0.0, 1.0, 1.0], [2.0, 1.0, 0.0])
    agree(np.linalg.det, rank_two)


# --- infinities and kinks


@pytest.mark.parametrize("triangle", [np.tril, np.triu])
def test_a_triangle_of_infinities_is_zero_outside(triangle):
    bad = np.full((3, 3), -np.inf)

    def f(z):
        scores = np.outer(z, W) + triangle(bad, 1 if triangle is np.triu else -1)
        return np.sum(np.exp(scores - 3.0))

    agree(f)
    g = G.vjp(lambda m: triangle(m), bad)[1](A)
    np.testing.assert_array_equal(g, triangle(A))
    np.testing.assert_array_equal(triangle(Tensor(bad)).numpy(), triangle(bad))


@pytest.mark.parametrize(
    ("f", "x", "gradient"),
    [
        (np.std, np.ones(3), [0.0, 0.0, 0.0]),
        (lambda z: np.std(z, ddof=1), np.ones(3), [0.0, 0.0, 0.0]),
        (lambda z: np.linalg.norm(z), np.zeros(3), [0.0, 0.0, 0.0]),
        (lambda z: np.linalg.norm(z, 3), np.zeros(3), [0.0, 0.0, 0.0]),
        (lambda z: np.linalg.norm(z, 1), np.zeros(3), [0.0, 0.0, 0.0]),
        (lambda z: np.arctan2(z[0], z[1]), np.zeros(2), [0.0, 0.0]),
        (lambda z: np.logaddexp(z[0], z[1]), np.array([np.inf, 0.0]), [1.0, 0.0]),
        (lambda z: np.angle(z), np.array(0j), 0.0),
        (lambda z: np.sum(np.abs(z)), np.zeros(2), [0.0, 0.0]),
        (lambda z: np.maximum(z[0], z[1]), np.ones(2), [0.5, 0.5]),
    ],
)
def test_kinks_take_pytorchs_number(f, x, gradient):
    np.testing.assert_array_equal(G.reverse(f)(x), gradient)
    np.testing.assert_array_equal(G.forward(f)(x), gradient)


# --- lists, tuples and numbers where an array may stand


@pytest.mark.parametrize(
    "call",
    [
        lambda z: np.dot(z, [1.0, 2, 3]),
        lambda z: np.dot([1.0, 2, 3], z),
        lambda z: z @ [1.0, 2, 3],
        lambda z: [1.0, 2, 3] @ z,
        lambda z: np.sum(z * (1.0, 2, 3)),
        lambda z: np.sum([1.0, 2, 3] / z),
        lambda z: np.sum(np.concatenate([[1.0, 2.0], z]) * np.arange(5)),
        lambda z: np.sum(np.stack([z, (1.0, 2.0, 3.0)]) ** 2),
        lambda z: np.sum(Fraction(1, 2) * z),
        lambda z: np.sum(z**2 / Fraction(1, 3)),
        lambda z: np.sum(np.real(abs(z) ** (2 + 1j))),
        lambda z: np.sum(np.maximum(z, [0.0, 0, 0])),
        lambda z: np.sum(np.where([True, False, True], z, (0, 0, 0))),
        lambda z: np.sum(np.linalg.solve((np.eye(3) * 2).tolist(), z)),
        lambda z: np.einsum("i,i", [1.0, 2, 3], z),
        lambda z: np.sum(np.outer(z, [1, 2]) ** 2),
        lambda z: np.sum(z * np.float32(2) + np.int64(3) * z + True * z),
    ],
)
def test_lists_and_numbers_stand_for_arrays(call):
    agree(call)


# --- axes and shapes


@pytest.mark.parametrize(
    "call",
    [
        lambda z: np.flip(z, 7), lambda z: np.moveaxis(z, 5, 0), lambda z: np.moveaxis(z, 0, -7),
        lambda z: np.squeeze(z[None], 7), lambda z: np.take(z, 0, axis=7), lambda z: np.tensordot(z, z, ([7], [0])),
        lambda z: np.swapaxes(z, 0, 7), lambda z: np.expand_dims(z, 7), lambda z: np.roll(z, 1, 7),
        lambda z: np.sum(z, axis=7), lambda z: np.max(z, -7), lambda z: np.stack([z, z], 7), lambda z: np.sort(z, 7),
        lambda z: np.concatenate([z, z], 7), lambda z: np.cumsum(z, 7), lambda z: np.repeat(z, 2, 7),
        lambda z: np.take_along_axis(z, np.array([0]), 7), lambda z: np.diff(z, axis=7), lambda z: np.split(z, 3, 7),
    ],
)  # fmt: skip
def test_an_axis_out_of_range_is_an_error_as_in_numpy(call):
    with pytest.raises((np.exceptions.AxisError, IndexError)):
        call(X)
    refused(lambda z: np.sum(call(z)), kinds=(np.exceptions.AxisError,), words="out of bounds")


@pytest.mark.parametrize(
    "call",
    [
        lambda z: np.sum(np.repeat(np.sum(z), 3) * W),
        lambda z: np.prod(np.sum(z)) ** 2,
        lambda z: np.sum(np.hstack([np.sum(z), z, 1.0]) * np.arange(5)),
        lambda z: np.sum(np.take_along_axis(np.outer(z, W), np.array([[2]]), axis=1) ** 2),
        lambda z: np.sum(np.take_along_axis(np.outer(z, W), np.array([[2, 0, 0]]), axis=0) ** 2),
        lambda z: np.sum(np.matmul(np.zeros((2, 0)), np.zeros((0, 3))) @ z) + z[0],
        lambda z: np.sum(np.outer(z, W)[:, :0] @ np.zeros((0, 2))) + z[1] ** 2,
        lambda z: np.sum(z[:0]) + z[2] ** 2,
        lambda z: np.cumsum(np.sum(z))[0] ** 2,
        lambda z: np.sum(np.max(z[0], axis=0) * z),
    ],
)
def test_single_numbers_and_empty_arrays_pass(call):
    agree(call)


# --- steps without a derivative, and words


@pytest.mark.parametrize(
    "call",
    [
        lambda z: np.sum(z // 0.4),
        lambda z: np.sum(2.0 // z),
        lambda z: np.sum(np.round(z, 1)),
        lambda z: np.sum(np.floor(z) + np.sign(z)),
        lambda z: divmod(z[0], 0.4)[0] * 1.0,
        lambda z: round(z[0] * 10, 0),
    ],
)
def test_steps_are_flat(call):
    flat(call)


@pytest.mark.parametrize(
    "call", [lambda z: np.sum(z % 0.4), lambda z: np.sum(7.1 % z), lambda z: divmod(z[0], 0.4)[1] * 3]
)
def test_remainders_count_or_are_refused_by_name(call):
    try:
        G.vjp(call, X)
    except HOUSE:
        refused(call, words="np.remainder")
    else:
        agree(call)


def test_traced_indices_and_counts_are_refused_in_words():
    refused(lambda z: np.sum(X[z]), words="index|plain NumPy array")
    refused(lambda z: np.sum(z[z]), kinds=(*HOUSE, IndexError))
    refused(lambda z: np.sum(np.take(z, z)), words="traced|whole numbers")
    refused(lambda z: np.sum(np.roll(z, z[0])), words="traced")
    refused(lambda z: np.sum(z, axis=z[0]), words="traced")


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda z: np.histogram(z)[0], r"np\.histogram"),
        (lambda z: np.linalg.tensorinv(np.outer(z, z)), r"np\.linalg\.tensorinv"),
        (lambda z: np.sum(None * z), "return"),
        (lambda z: np.sum(z + "a"), "'a'"),
        (lambda z: np.sum(np.multiply(z, None)), r"np\.multiply got None; did a function forget its `return`"),
        (lambda z: np.sum(z, nonsense=1), "sum.*nonsense"),
        (lambda z: np.concatenate([z, None]), r"np\.concatenate got None"),
        (lambda z: np.add.reduceat(z, [0, 1]), r"np\.add\.reduceat"),
    ],
)
def test_refusals_name_what_was_given(call, words):
    refused(lambda z: np.sum(call(z)), words=words, kinds=(*HOUSE, TypeError))


def test_a_function_of_scipy_is_named_as_one_writes_it():
    special = pytest.importorskip("scipy.special")
    for function in (special.spence, special.expit):
        name = rf"^scipy\.special\.{function.__name__} has no entry"
        if public_name(function) in {public_name(known) for known in (*PRIMITIVES, *COMPOSITES)}:
            agree(lambda z, function=function: np.sum(function(z * z + 2)))
        else:
            refused(lambda z, function=function: np.sum(function(z * z + 2)), words=name)


@pytest.mark.parametrize(
    "call",
    [lambda z: np.amax(z) * z[0], lambda z: np.sum(np.deg2rad(z) ** 2), lambda z: np.sum(np.flipud(z) * W)],
)
def test_one_liners_work(call):
    agree(call)


@pytest.mark.parametrize("kind", TRACED)
@pytest.mark.parametrize(
    "leaving", [lambda y: np.array(y), lambda y: float(y[0, 0]), lambda y: int(y[0, 0]), lambda y: np.asarray(y)]
)
def test_leaving_the_graph_is_refused_with_advice_that_holds_on_every_route(kind, leaving):
    with pytest.raises(LeavesGraphError, match=r"stop_gradient|x\.item\(\)"):
        leaving(TRACED[kind](A))


def test_the_advice_is_right():
    for route in BY_RULES.values():
        np.testing.assert_allclose(route(lambda z: np.sum(z * G.stop_gradient(z)))(X), X, rtol=1e-12)
        np.testing.assert_allclose(route(lambda z: z[0].item() * z[1])(X), [0.0, X[0], 0.0], rtol=1e-12)


# --- copies


@pytest.mark.parametrize("copied", [lambda t: pickle.loads(pickle.dumps(t)), copy.deepcopy, copy.copy])
def test_a_copy_of_a_leaf_is_a_leaf_of_its_own(copied):
    leaf = Tensor(X, requires_grad=True)
    np.sum(leaf * W).backward()
    other = copied(leaf)
    assert other.requires_grad
    assert other.is_leaf
    np.testing.assert_array_equal(other.data, X)
    np.testing.assert_array_equal(other.grad, W)
    np.sum(other**2).backward()
    with no_grad():
        other *= 2
    np.testing.assert_array_equal(other.grad, W + 2 * X)
    np.testing.assert_array_equal(leaf.grad, W)
    np.testing.assert_array_equal(leaf.data, X)
    assert not copied(Tensor(X)).requires_grad


@pytest.mark.parametrize("copied", [pickle.dumps, copy.deepcopy, copy.copy])
def test_a_result_is_not_copied_with_its_history(copied):
    result = Tensor(X, requires_grad=True)
    for _ in range(5000):
        result = result * 1.0001
    with pytest.raises(LeavesGraphError, match=r"x\.numpy\(\)"):
        copied(result)
    with pytest.raises(LeavesGraphError, match=r"x\.numpy\(\)"):
        copied({"loss": [result]} if copied is not copy.copy else result)


def test_a_parameter_given_twice_is_not_stepped_twice():
    p = Tensor(X, requires_grad=True)
    with pytest.raises(ValueError, match="twice"):
        GD([p, p], lr=0.1)


def test_threads_that_share_a_leaf_lose_no_gradient():
    threads, rounds = 4, 200
    leaf = Tensor(np.zeros(3), requires_grad=True)
    barrier = threading.Barrier(threads)
    failed = []

    def work(k):
        try:
            for _ in range(rounds):
                barrier.wait()
                np.sum(leaf * (k + 1)).backward()
        except Exception as error:  # noqa: BLE001 (a thread's error must reach the test)
            failed.append(error)
            barrier.abort()

    running = [threading.Thread(target=work, args=(k,)) for k in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    assert not failed
    np.testing.assert_array_equal(leaf.grad, np.full(3, rounds * 10.0))


def test_an_error_of_the_gate_is_of_both_kinds():
    assert issubclass(UnsupportedArgumentError, MissingPrimitiveError)
    assert issubclass(UnsupportedArgumentError, TypeError)
