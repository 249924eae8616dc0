"""Sums, products and extremes along axes.

A sum copies its gradient to every entry it added; a maximum gives it to the winner, and equal winners share it evenly
(as PyTorch's ``amax``).
"""

from __future__ import annotations

from itertools import accumulate

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ..dispatch import UnsupportedArgumentError
from ..table import LINEAR, apart, composite, constant, example, normal, primitive
from .indexing import getitem


def axes_of(x, axis):
    """Return ``axis`` as a tuple of non-negative integers; None means every axis."""
    if axis is None:
        return tuple(range(x.ndim))
    if x.ndim == 0 and not isinstance(axis, (tuple, list)) and axis in (0, -1):
        return ()  # NumPy lets a single number pass as a row of one
    return normalize_axis_tuple(axis, x.ndim, "axis")


def from_the_end(x, axis):
    """Return ``axis`` as a tuple of negative integers, which stay right when axes are added in front."""
    return tuple(a - x.ndim for a in axes_of(x, axis))


def count_along(x, axis):
    """Return how many entries are combined into one."""
    axes = range(x.ndim) if axis is None else normalize_axis_tuple(axis, x.ndim, "axis")
    return int(np.prod([x.shape[a] for a in axes], dtype=int))


def keep(g, x, axis, keepdims):
    """Put the axes that a reduction removed back, with length one, so that ``g`` broadcasts against ``x``."""
    if keepdims or x.ndim == 0:
        return g
    reduced = axes_of(x, axis)
    return np.reshape(g, tuple(1 if i in reduced else n for i, n in enumerate(x.shape)))


REDUCED = [
    example((3, 4)),
    example((3, 4), axis=0),
    example((2, 3, 4), axis=(0, -1), keepdims=True),
    example((2, 3, 4), axis=1),
    example(()),
]


def only(x, where, otherwise=0):
    """Return the entries that take part, and what changes nothing in place of the others."""
    return x if where is True else np.where(where, x, np.asarray(otherwise, x.dtype))


CHOSEN = np.array([True, False, True, True])
NOTHING = np._NoValue  # what NumPy has in place of an option that was not given

sum_ = primitive(
    np.sum,
    vjp=[
        lambda g, out, x, axis=None, keepdims=False, where=True, initial=0: only(
            np.broadcast_to(keep(g, x, axis, keepdims), x.shape), where
        )
    ],
    jvp=[
        lambda t, out, x, axis=None, keepdims=False, where=True, initial=0: np.sum(
            only(t, where), axis=axis, keepdims=keepdims
        )
    ],
    jvps=[
        lambda t, out, x, axis=None, keepdims=False, where=True, initial=0: np.sum(
            only(t, where), axis=from_the_end(x, axis), keepdims=keepdims
        ),
    ],
    options="axis keepdims where initial",
    examples=[
        *REDUCED,
        example((3, 4), axis=1, where=CHOSEN, initial=1.5),
        example((0, 3), axis=0),
        example((0, 3), axis=1),
        example((4, 3), axis=None),
    ],
    sympy_array=lambda sp, values, x, where=True, **options: np.asarray(np.sum(np.where(where, x, 0), **options)),
    reads="",
)


def _mean(a, axis=None, keepdims=False, where=True):
    if a.dtype == np.float16:  # NumPy adds up in single precision, because half precision ends at 65,504
        return np.astype(_mean(np.astype(a, np.float32), axis, keepdims, where), np.float16)
    if where is not True:
        count = np.sum(np.broadcast_to(where, a.shape), axis=axis, keepdims=keepdims)
        return np.sum(a, axis=axis, keepdims=keepdims, where=where, initial=0) / count.astype(
            np.zeros((), a.dtype).real.dtype
        )
    return np.sum(a, axis=axis, keepdims=keepdims) / count_along(a, axis)


def degrees(ddof, correction):
    """Return how many degrees of freedom to subtract, by either of its names."""
    if correction is not NOTHING:
        if ddof:
            raise ValueError("ddof and correction mean the same; give one of them")
        ddof = correction
    if np.ndim(ddof) or np.asarray(ddof).dtype.kind not in "biuf":
        raise UnsupportedArgumentError(f"the degrees of freedom to subtract are one number, got {ddof!r}")
    return ddof


def _var(a, axis=None, ddof=0, keepdims=False, where=True, mean=None, correction=NOTHING):
    ddof = degrees(ddof, correction)
    centred = only(a - (_mean(a, axis, True, where) if mean is None else mean), where)
    squares = np.real(centred * np.conj(centred)) if a.dtype.kind == "c" else centred * centred
    total = np.sum(squares, axis=axis, keepdims=keepdims)
    if where is True:
        return total / max(count_along(a, axis) - ddof, 0)
    count = np.sum(np.broadcast_to(where, a.shape), axis=axis, keepdims=keepdims)
    return total / np.maximum(count - ddof, 0).astype(total.dtype)


def _std(a, axis=None, ddof=0, keepdims=False, where=True, mean=None, correction=NOTHING):
    variance = _var(a, axis, ddof, keepdims, where, mean, correction)
    zero = variance == 0  # the root has no slope there; PyTorch takes the gradient 0
    return np.where(zero, 0.0, np.sqrt(np.where(zero, 1.0, variance)))


composite(np.mean, _mean, *REDUCED, example((3, 4), axis=1, where=CHOSEN))
SPREAD = [*REDUCED[:3], example((3, 4), axis=1, ddof=1), example((3, 4), axis=1, where=CHOSEN), REDUCED[3]]
composite(np.var, _var, *SPREAD, arrays="a mean")
composite(np.std, _std, *SPREAD, arrays="a mean", note="0 where all entries are equal, as PyTorch")


def _winners(out, x, axis, keepdims, initial, where):
    """Return each entry's share of the gradient: 1 for the winner, 1/k for k equal ones, 0 for the others."""
    best = keep(out, x, axis, keepdims)
    won = np.equal(x, best) & where
    if not x.ndim and initial is NOTHING:
        return won.astype(x.dtype)
    # Counted in whole numbers: in half precision, very many ties would be infinitely many.
    count = np.sum(won, axis=axis, keepdims=True)
    if initial is not NOTHING and initial is not None:
        count = count + np.equal(best, np.asarray(initial, x.dtype))
    return (won / count).astype(x.dtype)


def _extreme_vjp(g, out, x, axis=None, keepdims=False, initial=NOTHING, where=True):
    return keep(g, x, axis, keepdims) * _winners(out, x, axis, keepdims, initial, where)


def _extreme_jvp(t, out, x, axis=None, keepdims=False, initial=NOTHING, where=True):
    return np.sum(t * _winners(out, x, axis, keepdims, initial, where), axis=axis, keepdims=keepdims)


def _extreme_jvps(t, out, x, axis=None, keepdims=False, initial=NOTHING, where=True):
    return np.sum(t * _winners(out, x, axis, keepdims, initial, where), axis=from_the_end(x, axis), keepdims=keepdims)


APART = [example(*e.args, domain=apart, **e.kwargs) for e in REDUCED]

# The symbolic trace knows the numbers too, so it follows the winner at the point.
EXTREMES = "equal ones share the gradient evenly; `initial` counts as one of them"
max_ = primitive(
    np.max, vjp=[_extreme_vjp], jvp=[_extreme_jvp], jvps=[_extreme_jvps], options="axis keepdims initial where",
    examples=[*APART, example((3, 4), axis=1, where=CHOSEN, initial=-0.4, domain=apart)], note=EXTREMES,
    sympy_array=lambda sp, values, x, **kw: _pick(values, x, np.argmax, **kw),
)  # fmt: skip
min_ = primitive(
    np.min, vjp=[_extreme_vjp], jvp=[_extreme_jvp], jvps=[_extreme_jvps], options="axis keepdims initial where",
    examples=[*APART, example((3, 4), axis=1, where=CHOSEN, initial=0.4, domain=apart)], note=EXTREMES,
    sympy_array=lambda sp, values, x, **kw: _pick(values, x, np.argmin, **kw),
)  # fmt: skip


def _pick(values, expressions, best, axis=None, keepdims=False, initial=NOTHING, where=True):
    """Return the expressions that stand where ``best`` finds the winning numbers."""
    values = np.where(where, values[0], -np.inf if best is np.argmax else np.inf)
    if initial is not NOTHING and initial is not None:  # one more entry, in front
        axis = axes_of(values, axis)
        first = np.full(values.shape, initial, values.dtype)
        start = np.asarray(np.full(values.shape, initial, object))
        values, expressions = (np.stack(pair, axis=-1) for pair in ((first, values), (start, expressions)))
        out = _pick([values], expressions, best, (*axis, values.ndim - 1), keepdims)
        return out[..., 0] if keepdims else out
    axes = axes_of(values, axis)
    kept = tuple(i for i in range(values.ndim) if i not in axes)
    order = kept + axes
    flat_shape = (*(values.shape[i] for i in kept), -1)
    numbers, entries = (np.transpose(a, order).reshape(flat_shape) for a in (values, expressions))
    picked = np.take_along_axis(entries, best(numbers, axis=-1)[..., None], axis=-1)[..., 0]
    return picked.reshape([1 if i in axes else n for i, n in enumerate(values.shape)]) if keepdims else picked


def _others(x, out, axis, keepdims, initial, where):
    """Return, for each entry, the product of all the others along ``axis``."""
    x = only(x, where, 1)
    if not np.any(x == 0):
        return keep(out, x, axis, keepdims) / x
    # With a zero among the entries division fails; multiply the others out, one row of a masked square per entry.
    axes = axes_of(x, axis)
    kept = tuple(i for i in range(x.ndim) if i not in axes)
    order = kept + axes
    moved = np.transpose(x, order)
    flat = np.reshape(moved, (*moved.shape[: len(kept)], 1, -1))
    square = np.where(np.eye(flat.shape[-1], dtype=bool), 1.0, flat)
    products = np.reshape(np.prod(square, axis=-1), moved.shape)
    return np.transpose(products, tuple(int(i) for i in np.argsort(order))) * np.asarray(initial, x.dtype)


def _prod_vjp(g, out, x, axis=None, keepdims=False, initial=1, where=True):
    return only(keep(g, x, axis, keepdims) * _others(x, out, axis, keepdims, initial, where), where)


def _prod_jvp(t, out, x, axis=None, keepdims=False, initial=1, where=True):
    return np.sum(only(t, where) * _others(x, out, axis, keepdims, initial, where), axis=axis, keepdims=keepdims)


def _prod_jvps(t, out, x, axis=None, keepdims=False, initial=1, where=True):
    axes = from_the_end(x, axis)
    return np.sum(only(t, where) * _others(x, out, axis, keepdims, initial, where), axis=axes, keepdims=keepdims)


def _with_a_zero(rng, shape):
    x = normal(rng, shape)
    x[(0,) * x.ndim] = 0.0
    return x


prod = primitive(
    np.prod, vjp=[_prod_vjp], jvp=[_prod_jvp], jvps=[_prod_jvps], options="axis keepdims initial where",
    examples=[
        *REDUCED, example((2, 3), axis=1, domain=_with_a_zero), example((3, 4), axis=1, where=CHOSEN, initial=1.5),
    ],
    sympy_array=lambda sp, values, x, where=True, **options: np.asarray(np.prod(np.where(where, x, 1), **options)),
)  # fmt: skip


def _reverse_cumsum(g, axis):
    return np.flip(np.cumsum(np.flip(g, axis), axis=axis), axis)


def _cumsum_jvps(t, out, x, axis=None):
    if axis is None:
        return np.cumsum(np.reshape(t, (len(t), x.size)), axis=1)
    return np.cumsum(np.reshape(t, (len(t), *out.shape)), axis=normalize_axis_index(axis, out.ndim) + 1)


cumsum = primitive(
    np.cumsum,
    vjp=[lambda g, out, x, axis=None: np.reshape(_reverse_cumsum(g, 0 if axis is None else axis), x.shape)],
    jvp=[LINEAR],
    jvps=[_cumsum_jvps],
    options="axis",
    examples=[example((3, 4), axis=0), example((3, 4), axis=-1), example((3, 4)), example((5,))],
    reads="",
)


def _cumprod(a, axis=None):
    """Multiply up, one entry after the other: exact with zeros among them, where dividing would fail."""
    if axis is None or a.ndim == 0:
        a, axis = np.reshape(a, -1), 0 if axis is None else normalize_axis_index(axis, 1)
    axis = normalize_axis_index(axis, a.ndim)
    if not a.shape[axis]:
        return a * 1
    parts = [getitem(a, (slice(None),) * axis + (slice(i, i + 1),)) for i in range(a.shape[axis])]
    return np.concatenate(list(accumulate(parts, np.multiply)), axis=axis)


def _cumulative(function, numpys, neutral):
    def definition(x, *, axis=None, include_initial=False):
        numpys(np.broadcast_to(0.0, x.shape), axis=axis, include_initial=include_initial)  # for NumPy's errors
        x = np.atleast_1d(x)
        axis = axis[0] if isinstance(axis, (tuple, list)) else axis
        axis = normalize_axis_index(0 if axis is None else axis, x.ndim)
        if include_initial:
            start = np.full((*x.shape[:axis], 1, *x.shape[axis + 1 :]), neutral, x.dtype)
            return np.concatenate([start, function(x, axis=axis)], axis=axis)
        return function(x, axis=axis)

    return definition


composite(
    np.cumprod, _cumprod, example((3, 4), axis=0), example((2, 3), axis=-1, domain=_with_a_zero), example((2, 3)),
)  # fmt: skip
for _function, _definition in (
    (np.cumulative_sum, _cumulative(np.cumsum, np.cumulative_sum, 0)),
    (np.cumulative_prod, _cumulative(np.cumprod, np.cumulative_prod, 1)),
):  # fmt: skip
    composite(_function, _definition, example((4,)), example((3, 4), axis=-1, include_initial=True))


def _named_otherwise(function):
    return lambda a, axis=None, keepdims=False, initial=NOTHING, where=True: function(
        a, axis=axis, keepdims=keepdims, initial=initial, where=where
    )


# In NumPy these are functions of their own.
composite(np.amax, _named_otherwise(np.max), *APART[:3], note=EXTREMES)
composite(np.amin, _named_otherwise(np.min), *APART[:3], note=EXTREMES)

constant(
    np.argmax, np.argmin, np.argsort, np.all, np.any, np.count_nonzero, np.nonzero, np.searchsorted,
    np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal,
    np.logical_and, np.logical_or, np.logical_not, np.logical_xor,
    np.isnan, np.isinf, np.isfinite, np.isclose, np.allclose, np.array_equal, np.signbit,
    np.floor, np.ceil, np.trunc, np.rint, np.round, np.around, np.floor_divide,
    np.shape, np.ndim, np.size, np.zeros_like, np.ones_like, np.empty_like,
    np.iscomplexobj, np.isrealobj, np.result_type, np.can_cast, np.shares_memory, np.may_share_memory,
    np.tril_indices_from, np.triu_indices_from, np.argwhere, np.flatnonzero, np.argpartition,
    np.array_repr, np.array_str, np.array2string,
)  # fmt: skip
