"""Clipping: a bound on the gradients, so that one steep place cannot throw the parameters far away.

By norm keeps the direction and shortens the step; by value treats each entry alone and may turn it. Both come as
functions of gradients and, under PyTorch's names, as functions that change the ``.grad`` of parameters.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from coursepkg.optimizers.base import value


def global_norm(gradients: Iterable[Any]) -> float:
    """Euclidean norm of all entries of all gradients together."""
    return math.sqrt(sum(float(np.sum(np.square(gradient, dtype=np.float64))) for gradient in gradients))


def clip_by_norm(gradients: Sequence[Any], max_norm: float) -> list[Any]:
    """Scale all gradients by one factor, so that their common norm is at most ``max_norm`` (Pascanu et al., 2013).

    Parameters
    ----------
    gradients : sequence of ndarray
        One gradient per parameter.
    max_norm : float
        Largest norm of all entries together.

    Returns
    -------
    list of ndarray
        The gradients themselves if they are short enough, otherwise scaled copies.

    Examples
    --------
    >>> import numpy as np
    >>> from coursepkg.optimizers import clip_by_norm
    >>> clip_by_norm([np.array([3.0, 0.0]), np.array([4.0])], max_norm=1.0)
    [array([0.6, 0. ]), array([0.8])]
    """
    if not max_norm > 0.0:
        raise ValueError(f"max_norm must be positive, got {max_norm}")
    norm = global_norm(gradients)
    return [gradient * (max_norm / norm) for gradient in gradients] if norm > max_norm else list(gradients)


def clip_by_value(gradients: Sequence[Any], limit: float) -> list[Any]:
    """Move every entry into the interval from ``-limit`` to ``limit``.

    Parameters
    ----------
    gradients : sequence of ndarray
        One gradient per parameter.
    limit : float
        Largest size of an entry.
    """
    if not limit > 0.0:
        raise ValueError(f"the limit must be positive, got {limit}")
    return [np.clip(gradient, -limit, limit) for gradient in gradients]


def clip_grad_norm_(parameters: Iterable[Any], max_norm: float) -> float:
    """Clip the ``.grad`` of parameters by their common norm, and return the norm they had.

    Parameters
    ----------
    parameters : iterable
        Objects with ``.grad``; those without a gradient are left out.
    max_norm : float
        Largest norm of all entries together.

    Returns
    -------
    float
        The norm before clipping, worth a plot of its own.
    """
    present = [parameter for parameter in parameters if parameter.grad is not None]
    gradients = [value(parameter.grad) for parameter in present]
    _replace(present, clip_by_norm(gradients, max_norm))
    return global_norm(gradients)


def clip_grad_value_(parameters: Iterable[Any], clip_value: float) -> None:
    """Clip each entry of the ``.grad`` of parameters.

    Parameters
    ----------
    parameters : iterable
        Objects with ``.grad``; those without a gradient are left out.
    clip_value : float
        Largest size of an entry.
    """
    present = [parameter for parameter in parameters if parameter.grad is not None]
    _replace(present, clip_by_value([value(parameter.grad) for parameter in present], clip_value))


def _replace(parameters: list[Any], gradients: list[Any]) -> None:
    for parameter, gradient in zip(parameters, gradients, strict=True):
        grad = parameter.grad
        parameter.grad = type(grad)(gradient) if hasattr(grad, "requires_grad") else gradient
