"""Order statistics, weighted averages, and reductions that pass over what is not a number.

Sorted, a quantile is a weighted mean of two neighbours. Which two, and with which weights, NumPy says itself: asked
for the quantile of the ranks 0, 1, 2, ... it answers with a place between two ranks, for every one of its methods.
Equal entries are not told apart by their order, so the one that the sorting puts there gets the gradient.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from ..dispatch import UnsupportedArgumentError, plain
from ..table import apart, composite, example, fixed, positive
from .reductions import axes_of, count_along, degrees

SORTED = "of equal entries those that the stable sorting puts there get the gradient; where the result is nan, none do"


def _axes_last(a, axis):
    """Return the array with the axes that are reduced merged into one, the last."""
    axes = range(a.ndim) if axis is None else normalize_axis_tuple(axis, a.ndim)
    axes = tuple(axes)
    kept = tuple(i for i in range(a.ndim) if i not in axes)
    moved = np.transpose(a, kept + axes)
    shape = moved.shape[: len(kept)]
    count = int(np.prod(moved.shape[len(kept) :], dtype=int))
    return np.reshape(moved, (*shape, count))


def _kept(out, a, axis, lead=()):
    """Put the reduced axes back with length one, behind those in front."""
    axes = axes_of(a, axis)
    return np.reshape(out, (*lead, *(1 if i in axes else n for i, n in enumerate(a.shape))))


def _at(ordered, places):
    """Return the entries of each row at so many places."""
    return np.take_along_axis(ordered, places, axis=-1)


def _median(a, axis=None, overwrite_input=False, keepdims=False):
    return _middle(a, axis, keepdims, skip=False)


def _nanmedian(a, axis=None, overwrite_input=False, keepdims=False):
    return _middle(a, axis, bool(keepdims), skip=True)


def _middle(a, axis, keepdims, skip):
    rows = _axes_last(a, axis)
    values = plain(rows)
    nan = np.isnan(values)
    count = np.full(rows.shape[:-1], rows.shape[-1]) - (np.sum(nan, axis=-1) if skip else 0)
    out = _mean_of_middle(rows, count)
    empty = count == 0 if skip else nan.any(axis=-1)
    if empty.any():
        out = np.where(empty, np.asarray(np.nan, a.dtype), out)
    return _kept(out, a, axis) if keepdims else out


def _mean_of_middle(rows, count):
    if not rows.shape[-1]:
        return np.full(rows.shape[:-1], np.nan, rows.dtype)
    ordered = np.sort(rows, axis=-1)  # what is no number comes last
    low, high = np.maximum(count - 1, 0) // 2, np.minimum(count // 2, rows.shape[-1] - 1)
    lower, upper = _at(ordered, low[..., None])[..., 0], _at(ordered, high[..., None])[..., 0]
    return np.where(low == high, lower, lower / 2 + upper / 2)


def _quantile(a, q, axis=None, overwrite_input=False, method="linear", keepdims=False):
    return _between(a, q, axis, method, keepdims, False, np.quantile)


def _percentile(a, q, axis=None, overwrite_input=False, method="linear", keepdims=False):
    return _between(a, q, axis, method, keepdims, False, np.percentile)


def _nanquantile(a, q, axis=None, overwrite_input=False, method="linear", keepdims=False):
    return _between(a, q, axis, method, bool(keepdims), True, np.quantile)


def _nanpercentile(a, q, axis=None, overwrite_input=False, method="linear", keepdims=False):
    return _between(a, q, axis, method, bool(keepdims), True, np.percentile)


def _between(a, q, axis, method, keepdims, skip, function):
    if a.dtype.kind == "c":
        raise TypeError("complex numbers have no order, so no quantiles")
    dtype = function(np.zeros(1, a.dtype), q, method=method).dtype
    rows = _axes_last(a, axis)
    if not rows.shape[-1] or (skip and not rows.size):
        raise UnsupportedArgumentError(f"np.{function.__name__} needs entries along the axis, got shape {a.shape}")
    lead, nan = np.shape(q), np.isnan(plain(rows))
    count = np.full(rows.shape[:-1], rows.shape[-1]) - (np.sum(nan, axis=-1) if skip else 0)
    place = np.zeros(lead + count.shape)
    for n in np.unique(count[count > 0]):
        place[..., count == n] = np.asarray(function(np.arange(float(n)), q, method=method))[..., None]
    places = np.moveaxis(np.reshape(place, (int(np.prod(lead, dtype=int)), *count.shape)), 0, -1)
    low = np.floor(places).astype(int)
    ordered = np.sort(rows, axis=-1)
    lower, upper = _at(ordered, low), _at(ordered, np.minimum(low + 1, rows.shape[-1] - 1))
    part = (places - low).astype(dtype)
    step = upper - lower
    between = np.where(part < 0.5, lower + step * part, upper - step * (1 - part))  # from the nearer one, as NumPy
    out = np.where(part == 0, lower, between)
    empty = nan.any(axis=-1) if not skip else count == 0
    if empty.any():
        out = np.where(empty[..., None], np.asarray(np.nan, dtype), out)
    out = np.astype(np.reshape(np.moveaxis(out, -1, 0), lead + count.shape), dtype)
    return _kept(out, a, axis, lead) if keepdims else out


ORDERED = [
    example((5,), domain=apart),
    example((3, 4), axis=0, domain=apart),
    example((2, 3, 4), axis=(0, -1), keepdims=True, domain=apart),
]
for _function, _definition in ((np.median, _median), (np.nanmedian, _nanmedian)):
    composite(_function, _definition, *ORDERED, note=SORTED)
for _function, _definition, _full in (  # type: ignore[assignment]
    (np.quantile, _quantile, 1), (np.percentile, _percentile, 100), (np.nanquantile, _nanquantile, 1),
    (np.nanpercentile, _nanpercentile, 100),
):  # fmt: skip
    composite(
        _function,
        _definition,
        example((5,), q=0.3 * _full, domain=apart),
        example((3, 4), q=[0.25 * _full, 0.9 * _full], axis=0, domain=apart),
        example((2, 3, 4), q=0.5 * _full, axis=(0, -1), keepdims=True, method="lower", domain=apart),
        note=SORTED,
    )


def _ptp(a, axis=None, keepdims=False):
    return np.max(a, axis=axis, keepdims=keepdims) - np.min(a, axis=axis, keepdims=keepdims)


def _average(a, axis=None, weights=None, returned=False, *, keepdims=False):
    axis = tuple(axis) if isinstance(axis, list) else axis
    if weights is None:
        mean = np.mean(a, axis=axis, keepdims=keepdims)
        return (mean, np.full(mean.shape, count_along(a, axis), mean.dtype)) if returned else mean
    if weights.shape != a.shape:
        axes = axes_of(a, axis)
        if axis is None:
            raise TypeError(f"an axis is needed where weights of shape {weights.shape} differ from {a.shape}")
        if weights.shape != tuple(a.shape[i] for i in axes):
            raise ValueError(f"weights of shape {weights.shape} do not fit axis={axis} of shape {a.shape}")
        order = tuple(int(i) for i in np.argsort(axes))
        shape = tuple(a.shape[i] if i in axes else 1 for i in range(a.ndim))
        weights = np.reshape(np.transpose(weights, order), shape)
    a, weights = (np.astype(x, np.result_type(a.dtype, weights.dtype)) for x in (a, weights))
    total = np.sum(np.broadcast_to(weights, a.shape), axis=axis, keepdims=keepdims)
    if np.any(plain(total) == 0):
        raise ZeroDivisionError("Weights sum to zero, can't be normalized")
    # Around the mean as it is, so that the weight of a single entry gets no rounding errors for a gradient.
    middle = np.sum(plain(a) * plain(weights), axis=axis, keepdims=True) / np.sum(
        np.broadcast_to(plain(weights), a.shape), axis=axis, keepdims=True
    )
    away = np.sum((a - middle) * weights, axis=axis, keepdims=keepdims) / total
    mean = away + np.reshape(middle, away.shape)
    return (mean, np.astype(np.broadcast_to(total, mean.shape), mean.dtype)) if returned else mean


composite(
    np.ptp, _ptp, example((5,), domain=apart), example((3, 4), axis=1, keepdims=True, domain=apart),
    note="equal extremes share the gradient",
)  # fmt: skip
composite(
    np.average, _average, example((3, 4)), example((3, 4), weights=np.array([0.2, 0.3, 0.5]), axis=0),
    example((3, 4), fixed(None), (3, 4), domain=positive),
    arrays="a weights",
)  # fmt: skip


def _zeroed(a, value):
    nan = np.isnan(plain(a))
    return np.where(nan, np.asarray(value, a.dtype), a) if nan.any() else a


def _nansum(a, axis=None, keepdims=False, initial=0, where=True):
    return np.sum(_zeroed(a, 0), axis=axis, keepdims=keepdims, initial=initial, where=where)


def _nanprod(a, axis=None, keepdims=False, initial=1, where=True):
    return np.prod(_zeroed(a, 1), axis=axis, keepdims=keepdims, initial=initial, where=where)


def _nancumsum(a, axis=None):
    return np.cumsum(_zeroed(a, 0), axis=axis)


def _nancumprod(a, axis=None):
    return np.cumprod(_zeroed(a, 1), axis=axis)


def _numbers(a, axis, keepdims=True, where=True):
    """Return how many entries along the axes are numbers."""
    numbers = ~np.isnan(plain(a)) & where
    return np.sum(numbers, axis=axis, keepdims=keepdims).astype(np.zeros((), a.dtype).real.dtype)


def _over_count(total, count):
    """Divide by a count; where there is nothing to count comes nan, whose slope is 0 on all routes."""
    empty = count <= 0
    if not empty.any():
        return total / count
    return np.where(empty, np.asarray(np.nan, total.dtype), total / np.where(empty, np.ones_like(count), count))


def _nanmean(a, axis=None, keepdims=False, *, where=True):
    return _over_count(_nansum(a, axis, keepdims, where=where), _numbers(a, axis, bool(keepdims), where))


def _nanvar(a, axis=None, ddof=0, keepdims=False, *, where=True, correction=np._NoValue):
    ddof = degrees(ddof, correction)
    mean = _over_count(_nansum(a, axis, True, where=where), _numbers(a, axis, True, where))
    away = np.where(np.isnan(plain(a)) | np.logical_not(where), np.zeros((), a.dtype), a - mean)
    squares = np.real(away * np.conj(away)) if a.dtype.kind == "c" else away * away
    count = _numbers(a, axis, bool(keepdims), where)
    return _over_count(np.sum(squares, axis=axis, keepdims=bool(keepdims)), (count - ddof).astype(count.dtype))


def _nanstd(a, axis=None, ddof=0, keepdims=False, *, where=True, correction=np._NoValue):
    variance = _nanvar(a, axis, ddof, keepdims, where=where, correction=correction)
    flat = ~(plain(variance) > 0)  # the root has no slope at 0, where PyTorch takes 0, and none at nan
    return np.where(flat, plain(variance), np.sqrt(np.where(flat, np.ones((), variance.dtype), variance)))


def _nan_extreme(function, worst):
    def definition(a, axis=None, keepdims=False, initial=np._NoValue, where=True):
        nan = np.isnan(plain(a))
        numbers = np.where(nan, np.asarray(worst, a.dtype), a) if nan.any() else a
        out = function(numbers, axis=axis, keepdims=keepdims, initial=initial, where=where)
        if initial is not np._NoValue or not nan.any():
            return out
        empty = np.all(nan, axis=axis, keepdims=bool(keepdims))
        return np.where(empty, np.asarray(np.nan, a.dtype), out) if np.any(empty) and a.size else out

    return definition


SKIPPED = [
    example((3, 4), domain=apart),
    example((3, 4), axis=1, domain=apart),
    example((2, 3), axis=0, keepdims=True, domain=apart),
]
ALONE = "nan gets the gradient 0, also where there is nothing else"
for _function, _definition, _note in (  # type: ignore[assignment]
    (np.nansum, _nansum, ""), (np.nanprod, _nanprod, ""), (np.nanmean, _nanmean, ""), (np.nanvar, _nanvar, ""),
    (np.nanstd, _nanstd, "; 0 where all are equal"),
    (np.nanmax, _nan_extreme(np.max, -np.inf), "; equal extremes share it"),
    (np.nanmin, _nan_extreme(np.min, np.inf), "; equal extremes share it"),
):  # fmt: skip
    composite(_function, _definition, *SKIPPED, note=ALONE + _note)
for _function, _definition in ((np.nancumsum, _nancumsum), (np.nancumprod, _nancumprod)):  # type: ignore[assignment]
    composite(_function, _definition, example((3, 4)), example((3, 4), axis=-1), note="nan gets the gradient 0")
