"""Initializers: random starting weights whose size suits the layer, so that signals neither fade nor explode.

With ``fan_in`` inputs per unit, the variance of a sum of inputs times weights is ``fan_in`` times that of one product;
the right weights have a variance of about one over the fan (Glorot and Bengio, 2010; He et al., 2015; Saxe et al.,
2014). Shapes are those of the layers: (outputs, inputs), or (outputs, inputs, height, width) for convolutions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from coursepkg._checks import check_rng


def fans(shape: Sequence[int]) -> tuple[int, int]:
    """Number of inputs that reach one unit, and of units that one input reaches.

    Parameters
    ----------
    shape : sequence of int
        (outputs, inputs) or (outputs, inputs, *kernel).

    Returns
    -------
    fan_in, fan_out : int
    """
    if len(shape) < 2:
        raise ValueError(f"a weight has shape (outputs, inputs, ...), got {tuple(shape)}; biases may start at zero")
    window = math.prod(shape[2:])
    return shape[1] * window, shape[0] * window


def glorot_uniform(shape: Sequence[int], *, gain: float = 1.0, rng: np.random.Generator, dtype: Any = None) -> Any:
    """Uniform with variance ``gain**2 * 2 / (fan_in + fan_out)``; for tanh and sigmoid (Glorot and Bengio, 2010).

    Parameters
    ----------
    shape : sequence of int
        Shape of the weight.
    gain : float
        Factor for the activation that follows.
    rng : numpy.random.Generator
        Source of the numbers.
    dtype : dtype, optional
        float64 if not given.
    """
    return _uniform(shape, gain * math.sqrt(2.0 / sum(fans(shape))), rng, dtype)


def glorot_normal(shape: Sequence[int], *, gain: float = 1.0, rng: np.random.Generator, dtype: Any = None) -> Any:
    """Normal with the variance of :func:`glorot_uniform`, and its parameters."""
    return _normal(shape, gain * math.sqrt(2.0 / sum(fans(shape))), rng, dtype)


def he_uniform(
    shape: Sequence[int], *, gain: float = math.sqrt(2.0), rng: np.random.Generator, dtype: Any = None
) -> Any:
    """Uniform with variance ``gain**2 / fan_in``; for ReLU, which halves the variance (He et al., 2015, eq. 10).

    Parameters
    ----------
    shape : sequence of int
        Shape of the weight.
    gain : float
        Factor for the activation that follows; the square root of 2 for ReLU.
    rng : numpy.random.Generator
        Source of the numbers.
    dtype : dtype, optional
        float64 if not given.
    """
    return _uniform(shape, gain / math.sqrt(fans(shape)[0]), rng, dtype)


def he_normal(
    shape: Sequence[int], *, gain: float = math.sqrt(2.0), rng: np.random.Generator, dtype: Any = None
) -> Any:
    """Normal with the variance of :func:`he_uniform`, and its parameters."""
    return _normal(shape, gain / math.sqrt(fans(shape)[0]), rng, dtype)


def orthogonal(shape: Sequence[int], *, gain: float = 1.0, rng: np.random.Generator, dtype: Any = None) -> Any:
    """A random matrix with orthonormal rows or columns, whichever are fewer, times ``gain`` (Saxe et al., 2014).

    Parameters
    ----------
    shape : sequence of int
        (rows, columns); further dimensions count as columns.
    gain : float
        Factor of all singular values.
    rng : numpy.random.Generator
        Source of the numbers.
    dtype : dtype, optional
        float64 if not given.
    """
    fans(shape)
    rows, columns = shape[0], math.prod(shape[1:])
    q, r = np.linalg.qr(check_rng(rng).standard_normal((max(rows, columns), min(rows, columns))))
    # The signs of the diagonal make the distribution uniform over all such matrices (Mezzadri, 2007).
    q = q * np.sign(np.diag(r))
    matrix = q if rows >= columns else q.T
    return (gain * matrix.reshape(shape)).astype(dtype or np.float64)


def _uniform(shape: Sequence[int], deviation: float, rng: np.random.Generator, dtype: Any) -> np.ndarray:
    bound = math.sqrt(3.0) * deviation
    return check_rng(rng).uniform(-bound, bound, tuple(shape)).astype(dtype or np.float64)


def _normal(shape: Sequence[int], deviation: float, rng: np.random.Generator, dtype: Any) -> np.ndarray:
    return check_rng(rng).normal(0.0, deviation, tuple(shape)).astype(dtype or np.float64)
