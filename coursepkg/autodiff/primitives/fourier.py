"""Discrete Fourier transforms: all of ``np.fft``.

A transform is multiplication by a matrix, and that matrix is symmetric: so the transpose of a transform is the same
transform again. Only the real ones need thought. ``rfft`` leaves out the negative frequencies, which are conjugates of
the positive ones, and ``irfft`` puts them back, so that most frequencies count twice. What ``n`` cuts off gets no
gradient, and what it pads with zeros loses its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..errors import UnsupportedArgumentError
from ..table import LINEAR, complex_normal, composite, example, normal, primitive
from .indexing import getitem

OPPOSITE: dict[Any, Any] = {None: "forward", "backward": "forward", "forward": "backward", "ortho": "ortho"}
"""The norm with which the inverse transform is the transpose (conjugated), not the inverse."""


def _resized(g, like, axis):
    """Cut or pad with zeros along an axis, to the length that it has in another array."""
    axis = normalize_axis_index(axis, like.ndim)
    have, want = g.shape[axis], like.shape[axis]
    if have > want:
        return getitem(g, (slice(None),) * axis + (slice(want),))
    return g if have == want else np.pad(g, [(0, want - have if i == axis else 0) for i in range(g.ndim)])


def _counts(n, g, axis):
    """Return how many frequencies of a full spectrum each of a half one stands for, so that they broadcast."""
    axis = normalize_axis_index(axis, g.ndim)
    counts = np.full(n // 2 + 1, 2.0, np.zeros((), g.dtype).real.dtype)
    counts[0] = 1.0
    if n % 2 == 0:
        counts[-1] = 1.0
    return counts.reshape([-1 if i == axis else 1 for i in range(g.ndim)])


def _once_more(function):
    """Return the vjp of a transform whose matrix is symmetric."""
    return lambda g, out, a, n=None, axis=-1, norm=None: _resized(function(g, axis=axis, norm=norm), a, axis)


def _several_ways(function):
    """Return the rule for several directions: the same transform, along an axis counted from the end."""

    def rule(t, out, a, n=None, axis=-1, norm=None):
        return function(t, n=n, axis=normalize_axis_index(axis, a.ndim) - a.ndim, norm=norm)

    return rule


def _rfft_vjp(g, out, a, n=None, axis=-1, norm=None):
    n = a.shape[axis] if n is None else int(n)
    halves = np.conj(g) / _counts(n, g, axis)
    return _resized(np.fft.irfft(halves, n=n, axis=axis, norm=OPPOSITE[norm]), a, axis)


def _irfft(a, n=None, axis=-1, norm=None):
    out = np.fft.irfft(a, n=n, axis=axis, norm=norm)
    if not a.shape[axis]:  # NumPy pads everything but the frequency zero, and reads that from nowhere
        raise UnsupportedArgumentError(
            f"np.fft.irfft needs at least one frequency along axis {axis}, got shape {a.shape}; put a zero there first"
        )
    return out


def _irfft_vjp(g, out, a, n=None, axis=-1, norm=None):
    spectrum = np.conj(np.fft.rfft(g, axis=axis, norm=OPPOSITE[norm]))
    return _resized(spectrum * _counts(g.shape[axis], g, axis), a, axis)


def _exact(sp, x, n, axis, norm, sign, frequencies=None, real=False):
    """Return a transform of an array of expressions, by its matrix."""
    axis = normalize_axis_index(axis, x.ndim)
    length = min(x.shape[axis], n // 2 + 1 if real else n)
    scaled = {"ortho": 1 / sp.sqrt(n), "forward": sp.Rational(1, n) if sign < 0 else 1}
    scale = scaled.get(norm, 1 if sign < 0 or norm == "forward" else sp.Rational(1, n))
    turns = [[2 * sp.pi * j * k / n for j in range(length)] for k in range(frequencies or n)]
    weights = [1 if not real or j == 0 or 2 * j == n else 2 for j in range(length)]
    matrix = np.array(
        [
            [w * scale * (sp.cos(angle) + sign * sp.I * sp.sin(angle)) for w, angle in zip(weights, row, strict=True)]
            for row in turns
        ],
        dtype=object,
    )
    out = np.moveaxis(np.tensordot(matrix, np.moveaxis(x, axis, 0)[:length], axes=1), 0, axis)
    return np.frompyfunc(lambda z: sp.re(z).expand(complex=True), 1, 1)(out) if real else out


def _symbols(sign, real=False, half=False):
    """Return the sympy form of one of the four transforms."""

    def form(sp, values, a, n=None, axis=-1, norm=None):
        n = n or (2 * (a.shape[axis] - 1) if real else a.shape[axis])
        return _exact(sp, a, n, axis, norm, sign, n // 2 + 1 if half else None, real)

    return form


NUMBERS = [
    example((5,), domain=complex_normal),
    example((2, 4), n=3, axis=-1, domain=complex_normal),
    example((3, 2), n=5, axis=0, norm="ortho", domain=complex_normal),
    example((2, 3), axis=1, norm="forward", domain=complex_normal),
]
REAL = [
    example(*call.args, domain=normal, **call.kwargs)
    for call in [example((5,)), example((2, 4)), *NUMBERS[1:], example((3, 4), n=6, axis=1), example((1,))]
]

_function: Callable[..., Any]
for _function, _sign in ((np.fft.fft, -1), (np.fft.ifft, 1)):
    primitive(
        _function, vjp=[_once_more(_function)], jvp=[LINEAR], jvps=[_several_ways(_function)],
        sympy_array=_symbols(_sign), options="n axis norm", examples=[*NUMBERS, *REAL[:3], example((1,))], reads="",
    )  # fmt: skip
rfft = primitive(
    np.fft.rfft, vjp=[_rfft_vjp], jvp=[LINEAR], jvps=[_several_ways(np.fft.rfft)], sympy_array=_symbols(-1, half=True),
    options="n axis norm", examples=REAL, reads="",
)  # fmt: skip
irfft = primitive(
    np.fft.irfft, forward=_irfft, vjp=[_irfft_vjp], jvp=[LINEAR], jvps=[_several_ways(np.fft.irfft)],
    sympy_array=_symbols(1, real=True), options="n axis norm", reads="",
    examples=[
        *NUMBERS, example((2, 3), n=7, domain=complex_normal), example((4,), n=1, domain=complex_normal), *REAL[:2],
    ],
)  # fmt: skip


# --- along several axes


def _axes_and_lengths(a, s, axes, back_to_real=False):
    """Return along which axes to transform, and over how many entries, as NumPy fills in what is left out."""
    lengths = None if s is None else list(s)
    if axes is None:
        axes = range(-(a.ndim if lengths is None else len(lengths)), 0)
    axes = list(axes)
    if lengths is None:
        lengths = [a.shape[axis] for axis in axes]
        if back_to_real:
            lengths[-1] = 2 * (lengths[-1] - 1)
    if len(lengths) != len(axes):
        raise ValueError(f"one length belongs to each axis, got s={s!r} for the axes {axes}")
    return axes, [a.shape[axis] if n == -1 else n for axis, n in zip(axes, lengths, strict=True)]


def _along_axes(function, axes=None):
    def definition(a, s=None, axes=axes, norm=None):
        axes, lengths = _axes_and_lengths(a, s, axes)
        for axis, n in zip(axes[::-1], lengths[::-1], strict=True):
            a = function(a, n=n, axis=axis, norm=norm)
        return a

    return definition


def _to_half_spectrum(axes=None):
    def definition(a, s=None, axes=axes, norm=None):
        axes, lengths = _axes_and_lengths(a, s, axes)
        a = np.fft.rfft(a, n=lengths[-1], axis=axes[-1], norm=norm)
        for axis, n in zip(axes[-2::-1], lengths[-2::-1], strict=True):
            a = np.fft.fft(a, n=n, axis=axis, norm=norm)
        return a

    return definition


def _from_half_spectrum(axes=None):
    def definition(a, s=None, axes=axes, norm=None):
        axes, lengths = _axes_and_lengths(a, s, axes, back_to_real=True)
        for axis, n in zip(axes[:-1], lengths[:-1], strict=True):
            a = np.fft.ifft(a, n=n, axis=axis, norm=norm)
        return np.fft.irfft(a, n=lengths[-1], axis=axes[-1], norm=norm)

    return definition


PLANES = [
    example((2, 3), domain=complex_normal),
    example((3, 2), s=(2, 3), axes=(0, 1), norm="ortho", domain=complex_normal),
    example((2, 3, 2), axes=(-1, 0), domain=complex_normal),
]
REAL_PLANES = [example(*call.args, domain=normal, **call.kwargs) for call in [*PLANES, example((2, 4))]]
for _function, _one in ((np.fft.fftn, np.fft.fft), (np.fft.ifftn, np.fft.ifft)):
    composite(_function, _along_axes(_one), *PLANES, REAL_PLANES[0])
for _function, _one in ((np.fft.fft2, np.fft.fft), (np.fft.ifft2, np.fft.ifft)):
    composite(_function, _along_axes(_one, (-2, -1)), *PLANES, REAL_PLANES[0])
composite(np.fft.rfftn, _to_half_spectrum(), *REAL_PLANES)
composite(np.fft.rfft2, _to_half_spectrum((-2, -1)), *REAL_PLANES)
composite(np.fft.irfftn, _from_half_spectrum(), *PLANES, REAL_PLANES[0])
composite(np.fft.irfft2, _from_half_spectrum((-2, -1)), *PLANES, REAL_PLANES[0])


# --- spectra of signals that mirror themselves, and the order of frequencies


def _opposite(norm):
    if norm not in OPPOSITE:
        raise ValueError(f'Invalid norm value {norm}; should be "backward", "ortho" or "forward".')
    return OPPOSITE[norm]


def _hfft(a, n=None, axis=-1, norm=None):
    return np.fft.irfft(np.conj(a), n=n, axis=axis, norm=_opposite(norm))


def _ihfft(a, n=None, axis=-1, norm=None):
    return np.conj(np.fft.rfft(a, n=n, axis=axis, norm=_opposite(norm)))


composite(np.fft.hfft, _hfft, *NUMBERS)
composite(np.fft.ihfft, _ihfft, *REAL[:4])


def _shift(back):
    def definition(x, axes=None):
        axes = range(x.ndim) if axes is None else (axes,) if np.ndim(axes) == 0 else axes
        if not len(axes):
            raise ValueError(f"a shift of frequencies needs at least one axis, got axes={tuple(axes)}")
        shifts = tuple(-(x.shape[axis] // 2) if back else x.shape[axis] // 2 for axis in axes)
        return np.roll(x, shifts, tuple(axes))

    return definition


for _function, _back in ((np.fft.fftshift, False), (np.fft.ifftshift, True)):
    composite(_function, _shift(_back), example((5,)), example((2, 3), axes=1), example((3, 4), axes=(0, -1)))
