"""How a stand-in for a function of ``scipy.linalg`` is made, and what all of them ask of their arguments."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ...dispatch import UnsupportedArgumentError, plain
from ...gate import _holds_traced, bind, composite_call, parameters_of, public_name
from ...table import Example, composite


def standing_in(
    function: Callable[..., Any], definition: Callable[..., Any], *examples: Example, **properties: Any
) -> Any:
    """Make a function of SciPy's signature that is SciPy's on plain arrays, and a composite on traced ones.

    Parameters
    ----------
    function : callable
        SciPy's.
    definition, *examples, **properties
        As for :func:`~coursepkg.autodiff.table.composite`.

    Returns
    -------
    callable
        The function to export.
    """

    @functools.wraps(function)
    def traced_or_plain(*args: Any, **kwargs: Any) -> Any:
        if any(map(_holds_traced, (*args, *kwargs.values()))):
            _check_switches(traced_or_plain, args, kwargs)
            return composite_call(entry, args, kwargs)
        return function(*args, **kwargs)

    entry = composite(traced_or_plain, definition, *examples, name=f"scipy.linalg.{function.__name__}", **properties)
    return traced_or_plain


def _check_switches(function, args, kwargs):
    """Refuse what LAPACK does not take for true or false."""
    for key, value in bind(function, args, kwargs)[0].items():
        if type(parameters_of(function).defaults.get(key)) is not bool or _holds_traced(value):
            continue
        if not isinstance(value, (bool, int, np.bool_, np.integer)) or value not in (0, 1):
            raise UnsupportedArgumentError(f"{public_name(function)}(..., {key}=...) is True or False, got {value!r}")


def _computed(x):
    """Return an array in the precision that LAPACK computes with: float16 as float32, whole numbers as float64."""
    chars = {"e": np.float32, "G": np.complex128}
    return x if x.dtype.char in "fdFD" else np.astype(x, chars.get(x.dtype.char, np.float64))


def _finite(check_finite, *arrays):
    """Return arrays as LAPACK takes them; refuse infinities and nan as SciPy does."""
    for a in arrays if check_finite else ():
        np.asarray_chkfinite(plain(a))
    return tuple(map(_computed, arrays))


def _matrix(a, name):
    if a.ndim != 2:
        raise UnsupportedArgumentError(
            f"linalg.{name} of traced values takes one matrix, got shape {a.shape}; call it once for each of a stack"
        )
    return a


def _square(a, name):
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise UnsupportedArgumentError(f"linalg.{name} of traced values takes square matrices, got shape {a.shape}")
    return a


def _refused(name, option, advice):
    raise UnsupportedArgumentError(f"linalg.{name}(..., {option}) is not supported on traced values; {advice}")
