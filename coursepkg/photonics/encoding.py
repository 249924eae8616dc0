"""Data as light: the amplitudes that represent a point of the plane or an image at the input ports."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["encode_points", "fourier_features"]


def encode_points(points: Any, *, power: float = 9.0) -> np.ndarray:
    """Points of the plane as four amplitudes of constant total power, ``(x1, x2, b, b)``.

    Light is always launched with the same power, which would lose the length of the vector; two further ports take up
    what is missing, ``b = sqrt((power - x1**2 - x2**2) / 2)`` (Pai et al. 2023).

    Parameters
    ----------
    points : array_like, shape (batch, 2)
        The points.
    power : float
        Total power of each example.

    Returns
    -------
    ndarray of complex, shape (batch, 4)

    Raises
    ------
    ValueError
        If a point is so far out that its power alone is larger.

    Examples
    --------
    >>> encode_points([[2.0, 1.0]]).real.round(3)
    array([[2.   , 1.   , 1.414, 1.414]])
    """
    array = np.asarray(points, dtype=float)
    if array.ndim != 2 or array.shape[1] != 2:
        raise ValueError(f"points of the plane have shape (batch, 2), got {array.shape}")
    missing = power - np.sum(array**2, axis=1)
    if not (missing >= 0).all():
        raise ValueError(
            f"a point lies farther from the origin than sqrt(power) = {np.sqrt(power):.3g}; scale the points down or "
            "raise the power"
        )
    rest = np.sqrt(missing / 2)
    return np.column_stack([array, rest, rest]).astype(complex)


def fourier_features(images: Any, ports: int = 64) -> np.ndarray:
    """Images as the lowest frequencies of their Fourier transform: complex amplitudes, divided by their mean size.

    Parameters
    ----------
    images : array_like, shape (batch, height, width)
        Grey levels.
    ports : int
        A square number: the central ``sqrt(ports) x sqrt(ports)`` block of the shifted transform is kept.

    Returns
    -------
    ndarray of complex, shape (batch, ports)

    Raises
    ------
    ValueError
        If ``ports`` is not a square number, or the images are smaller than the block.
    """
    array = np.asarray(images, dtype=float)
    side = round(ports**0.5)
    if side * side != ports:
        raise ValueError(
            f"the block of frequencies is square, so ports is a square number such as 16 or 64; got {ports}"
        )
    if array.ndim != 3 or min(array.shape[1:]) < side:
        raise ValueError(f"images have shape (batch, height, width), at least {side} x {side}; got {array.shape}")
    spectrum = np.fft.fftshift(np.fft.fft2(array), axes=(1, 2))
    top, left = (array.shape[1] - side) // 2, (array.shape[2] - side) // 2
    block = spectrum[:, top : top + side, left : left + side].reshape(len(array), ports)
    mean = np.mean(np.abs(block), axis=1, keepdims=True)
    return block / np.where(mean > 0, mean, 1.0)
