"""Samples of functions: convolution, differences and integrals on a grid, interpolation, polynomials.

Convolution is linear in each of its two arguments; its transpose is convolution with the other one reversed. The rest
is sums of neighbours with weights.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from ..dispatch import Traced, UnsupportedArgumentError, operation, plain
from ..gate import as_operand
from ..table import LINEAR, apart, composite, example
from .indexing import getitem


def _valid(g, kernel, size):
    """Return the part of ``convolve(g, kernel[::-1])`` where the kernel lies inside ``g``."""
    start = kernel.shape[0] - 1
    return getitem(full(g, getitem(kernel, slice(None, None, -1))), slice(start, start + size))


full = operation(
    lambda a, v: np.convolve(a, v),
    vjp=[lambda g, out, a, v: _valid(g, v, a.shape[0]), lambda g, out, a, v: _valid(g, a, v.shape[0])],
    jvp=[LINEAR, LINEAR],
    examples=[example((5,), (3,)), example((2,), (4,)), example((1,), (3,))],
    reads="a v",
    name="full convolution",
)


def _row(x, name):
    x = np.reshape(x, (1,)) if x.ndim == 0 else x
    if x.ndim != 1:
        raise ValueError(f"{name} takes two rows of numbers (1-d), got shape {x.shape}")
    if not x.size:
        raise ValueError(f"{name} takes rows with at least one number, got an empty one")
    return x


def _part(whole, a, v, mode, name):
    """Return NumPy's part of the full convolution."""
    short, long = sorted((a.shape[0], v.shape[0]))
    if mode in ("full", 2):
        return whole
    if mode in ("same", 1):
        start = (short - 1) // 2 if name == "convolve" or a.shape[0] >= v.shape[0] else short // 2
        return getitem(whole, slice(start, start + long))
    if mode in ("valid", 0):
        return getitem(whole, slice(short - 1, long))
    raise ValueError(f"np.{name} knows the modes 'full', 'same' and 'valid', got {mode!r}")


def _convolve(a, v, mode="full"):
    np.convolve([0.0], [0.0], mode)  # for NumPy's errors
    a, v = _row(a, "np.convolve"), _row(v, "np.convolve")
    return _part(full(a, v), a, v, mode, "convolve")


def _correlate(a, v, mode="valid"):
    np.correlate([0.0], [0.0], mode)
    if not a.ndim or not v.ndim:
        raise ValueError("np.correlate takes two rows of numbers (1-d), got a single number")
    a, v = _row(a, "np.correlate"), _row(v, "np.correlate")
    return _part(full(a, getitem(np.conj(v), slice(None, None, -1))), a, v, mode, "correlate")


ROWS = [example((5,), (3,)), example((2,), (4,), mode="same"), example((5,), (2,), mode="same"), example((4,), (4,))]
composite(np.convolve, _convolve, *ROWS, example((3,), (5,), mode="valid"), arrays="a v")
composite(np.correlate, _correlate, *ROWS, example((3,), (5,), mode="full"), arrays="a v")

# --- differences and integrals on a grid


def _trapezoid(y, x=None, dx=1.0, axis=-1):
    np.trapezoid(plain(y), plain(x), dx, axis)  # for NumPy's errors
    axis = normalize_axis_index(axis, y.ndim)
    before = (slice(None),) * axis
    if x is None:
        widths = dx
    elif x.ndim == 1:
        widths = np.reshape(np.diff(x), tuple(-1 if i == axis else 1 for i in range(y.ndim)))
    else:
        widths = np.diff(x, axis=axis if x.ndim == y.ndim else -1)
    left, right = getitem(y, (*before, slice(None, -1))), getitem(y, (*before, slice(1, None)))
    return np.sum(widths * (left + right) / 2.0, axis=axis)


composite(
    np.trapezoid, _trapezoid, example((5,)), example((3, 4), dx=0.5, axis=0), example((3, 4), (4,)), arrays="y x",
)  # fmt: skip


def _gradient(f, *varargs, axis=None, edge_order=1):
    np.gradient(plain(f), *plain(varargs), axis=axis, edge_order=edge_order)  # for NumPy's errors
    axes = tuple(range(f.ndim)) if axis is None else normalize_axis_tuple(axis, f.ndim)
    steps = [as_operand(h, "np.gradient") for h in varargs or (1.0,)]
    if any(h.dtype.kind == "c" for h in steps):
        raise UnsupportedArgumentError("np.gradient takes real coordinates, got complex ones")
    steps = steps * len(axes) if len(steps) == 1 else steps
    out = [_slopes(f, i, h, edge_order) for i, h in zip(axes, steps, strict=True)]
    return out[0] if len(out) == 1 else tuple(out)


def _slopes(f, axis, h, edge_order):
    """Return NumPy's weighted sums of three neighbours, exact for parabolas (at edges of order 1, for lines)."""
    n, dtype = f.shape[axis], f.dtype if f.dtype.kind in "fc" else np.dtype(float)
    if h.ndim and not isinstance(h, Traced):
        widths = np.diff(h)
        h = widths[0] if (widths == widths[0]).all() else h
    widths = np.diff(h) if h.ndim else np.broadcast_to(h, (n - 1,))
    widths = np.reshape(widths, tuple(n - 1 if i == axis else 1 for i in range(f.ndim)))

    def cut(x, start, stop):
        return getitem(x, ((slice(None),) * axis + (slice(start, stop),)))

    a, b = cut(widths, None, -1), cut(widths, 1, None)
    low, middle, high = cut(f, None, -2), cut(f, 1, -1), cut(f, 2, None)
    if h.ndim:
        inner = -b / (a * (a + b)) * low + (b - a) / (a * b) * middle + a / (b * (a + b)) * high
    else:
        inner = (high - low) / (2.0 * a)
    first = (cut(f, 1, 2) - cut(f, 0, 1)) / cut(widths, 0, 1)
    last = (cut(f, -1, None) - cut(f, -2, -1)) / cut(widths, -1, None)
    if edge_order != 1:
        near, far = cut(widths, 0, 1), cut(widths, 1, 2)
        first = _carried_on(cut(f, 0, 1), cut(f, 1, 2), cut(f, 2, 3), near, far)
        near, far = cut(widths, -1, None), cut(widths, -2, -1)
        last = -_carried_on(cut(f, -1, None), cut(f, -2, -1), cut(f, -3, -2), near, far)
    return np.concatenate([np.astype(part, dtype) for part in (first, inner, last)], axis=axis)


def _carried_on(edge, beside, behind, near, far):
    """Return the slope at an edge of the parabola through three neighbours."""
    weights = -(2.0 * near + far) / (near * (near + far)), (near + far) / (near * far), -near / (far * (near + far))
    return weights[0] * edge + weights[1] * beside + weights[2] * behind


composite(
    np.gradient, _gradient, example((5,)), example((4, 3), axis=0, edge_order=2), example((4, 3)),
    example((5,), (5,), domain=lambda rng, s: np.sort(apart(rng, s))),
)  # fmt: skip

# --- interpolation and polynomials


def _interp(x, xp, fp, left=None, right=None):
    np.interp(plain(x), plain(xp), plain(fp), left, right)  # for NumPy's errors  # type: ignore[call-overload]
    if xp.ndim != 1 or fp.ndim != 1 or xp.shape != fp.shape or not xp.size:
        raise ValueError(f"np.interp needs as many values as places, got shapes {fp.shape} and {xp.shape}")
    if any(a.dtype.kind == "c" for a in (x, xp)):
        raise TypeError("np.interp needs real places")
    x, xp, fp = (np.astype(a, np.result_type(a.dtype, np.float64)) for a in (x, xp, fp))
    at, places = plain(x), plain(xp)
    i = np.clip(np.searchsorted(places, at, side="right") - 1, 0, max(len(places) - 2, 0))
    j = np.minimum(i + 1, len(places) - 1)
    start, width = getitem(xp, i), getitem(xp, j) - getitem(xp, i)
    low, high = getitem(fp, i), getitem(fp, j)
    same = plain(width) == 0
    out = low + np.where(same, 0.0, (x - start) / np.where(same, 1.0, width)) * (high - low)
    ends = [fp[0] if left is None else left, fp[-1] if right is None else right]
    out = np.where(at < places[0], ends[0], np.where(at > places[-1], ends[1], np.where(at == places[-1], fp[-1], out)))
    return np.where(np.isnan(at), np.nan, out)


def _rising(rng, shape):
    return np.sort(apart(rng, shape))


def _knots(rng, shape):
    """Draw rising places, each near one of -1, -0.5, 0, 0.5, 1."""
    return np.linspace(-1.0, 1.0, 5) + rng.uniform(-0.05, 0.05, shape)


def _between(rng, shape):
    """Draw places that are at least 0.1 away from those, some of them outside."""
    return rng.choice([-1.25, -0.75, -0.25, 0.25, 0.75, 1.25], shape) + rng.uniform(-0.1, 0.1, shape)


composite(
    np.interp, _interp,
    example((4,), (5,), (5,), domain=(_between, _knots, apart)),
    example((2, 3), (5,), (5,), domain=(_between, _knots, apart)),
    arrays="x xp fp", note="at a place that is given, the slope to the right; outside, 0",
)  # fmt: skip


def _polyval(p, x):
    if not p.ndim:
        raise TypeError("np.polyval takes a row of coefficients, got a single number")
    y = np.zeros_like(plain(x))
    for coefficient in p:
        y = y * x + coefficient
    return y


composite(np.polyval, _polyval, example((4,), (3,)), example((3,), (2, 2)), example((2,), ()), arrays="p x")


def _vander(x, N=None, increasing=False):
    count = np.vander(plain(x), N).shape[1]
    powers = np.arange(count) if increasing else np.arange(count)[::-1]
    wide = np.astype(x, np.promote_types(x.dtype, int))
    return np.power(np.expand_dims(wide, 1), powers.astype(wide.dtype))


composite(np.vander, _vander, example((3,)), example((4,), N=2, increasing=True))
