"""The Mach-Zehnder interferometer: two beam splitters and two heaters, and with them any 2 x 2 unitary of light.

Light in two waveguides is two complex amplitudes. It meets, in this order, a heater ``phi`` on the top input arm, a
50:50 coupler, a heater ``theta`` on the top internal arm, and a second coupler::

    u ──[phi]──╮   ╭──[theta]──╮   ╭── u'
               │ B │           │ B │                 B = 1/sqrt(2) [[1, i], [i, 1]]
    v ─────────╯   ╰───────────╯   ╰── v'

    T(theta, phi) = B diag(e^{i theta}, 1) B diag(e^{i phi}, 1)
                  = i e^{i theta/2} [[e^{i phi} sin(theta/2),  cos(theta/2)],
                                     [e^{i phi} cos(theta/2), -sin(theta/2)]]

``theta`` divides the power: 0 sends all of it across, pi keeps it in its waveguide ("bar"). ``phi`` sets the phase
between the inputs. The factor in front is a phase too, and inside a mesh it must be carried along: for a heater on the
top arm it is ``e^{+i theta/2}``. The convention is that of the chip of Pai et al., Science 380:398 (2023); other
authors put ``phi`` elsewhere, so formulas cannot be copied across.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["bar_power", "coupler", "mzi", "null_bottom", "null_top", "symbolic_mzi"]


def coupler(error: Any = 0.0) -> np.ndarray:
    """Matrix of a beam splitter, ``[[cos a, i sin a], [i sin a, cos a]]`` with ``a = pi/4 + error``.

    Parameters
    ----------
    error : float or array, shape (...)
        Angle by which the splitter misses 50:50, in radians; what crosses over is the power ``sin(a)**2``.

    Returns
    -------
    ndarray, shape (..., 2, 2)
        Complex and symmetric: light sent backward meets the same matrix.
    """
    angle = np.pi / 4 + np.asarray(error, dtype=float)
    stay, cross = np.cos(angle), 1j * np.sin(angle)
    return np.stack([np.stack([stay, cross], -1), np.stack([cross, stay], -1)], -2)


def mzi(theta: Any, phi: Any, coupler_errors: Any = (0.0, 0.0)) -> np.ndarray:
    """Matrix of a Mach-Zehnder interferometer, the product of its four parts.

    Parameters
    ----------
    theta, phi : float or array, shape (...)
        Phases of the heaters, in radians.
    coupler_errors : array_like, shape (..., 2)
        Angles by which the first and the second coupler miss 50:50, in radians.

    Returns
    -------
    ndarray, shape (..., 2, 2)
        ``T`` with ``(u', v') = T (u, v)``. Unitary, whatever the coupler errors.

    Raises
    ------
    ValueError
        If a phase is not a finite number.

    Examples
    --------
    >>> mzi(np.pi, 0.0).round(3) + 0.0  # the bar state: each beam stays in its waveguide
    array([[-1.+0.j,  0.+0.j],
           [ 0.+0.j,  1.+0.j]])
    """
    theta, phi = np.broadcast_arrays(check_phases("theta", theta), check_phases("phi", phi))
    errors = np.asarray(coupler_errors, dtype=float)
    first, second = coupler(errors[..., 0]), coupler(errors[..., 1])
    return second @ (_heater(theta) @ (first @ _heater(phi)))


def _heater(phase: np.ndarray) -> np.ndarray:
    """diag(e^{i phase}, 1), one for each phase."""
    matrix = np.zeros((*phase.shape, 2, 2), dtype=complex)
    matrix[..., 0, 0] = np.exp(1j * phase)
    matrix[..., 1, 1] = 1.0
    return matrix


def bar_power(theta: Any) -> Any:
    """Share of the power that stays in its waveguide, ``sin(theta/2)**2``; the rest crosses over."""
    return np.sin(np.asarray(theta) / 2) ** 2


def null_bottom(u: Any, v: Any) -> tuple[Any, Any]:
    """Settings ``(theta, phi)`` that send all light of the inputs ``u``, ``v`` to the top output.

    Parameters
    ----------
    u, v : complex or array
        Amplitudes at the top and the bottom input.

    Returns
    -------
    theta, phi : float or array
        With ``theta`` in [0, pi] and ``phi`` in [0, 2 pi).

    Examples
    --------
    >>> theta, phi = null_bottom(0.6, 0.8j)
    >>> np.abs(mzi(theta, phi) @ [0.6, 0.8j]).round(12)
    array([1., 0.])
    """
    theta = 2 * np.arctan2(np.abs(u), np.abs(v))
    return theta, (np.angle(v) - np.angle(u)) % (2 * np.pi)


def null_top(u: Any, v: Any) -> tuple[Any, Any]:
    """Settings ``(theta, phi)`` that send all light of the inputs ``u``, ``v`` to the bottom output."""
    theta = 2 * np.arctan2(np.abs(v), np.abs(u))
    return theta, (np.angle(v) - np.angle(u) + np.pi) % (2 * np.pi)


def symbolic_mzi() -> tuple[Any, Any, Any, Any]:
    """Derive the matrix with sympy, by multiplying its four parts.

    Returns
    -------
    product : sympy.Matrix
        The parts multiplied out.
    closed_form : sympy.Matrix
        The formula of this module's docstring.
    theta, phi : sympy.Symbol
        The two phases.
    """
    import sympy as sp

    theta, phi = sp.symbols("theta phi", real=True)
    splitter = sp.Matrix([[1, sp.I], [sp.I, 1]]) / sp.sqrt(2)
    product = splitter * sp.diag(sp.exp(sp.I * theta), 1) * splitter * sp.diag(sp.exp(sp.I * phi), 1)
    sine, cosine, turn = sp.sin(theta / 2), sp.cos(theta / 2), sp.exp(sp.I * phi)
    closed_form = sp.I * sp.exp(sp.I * theta / 2) * sp.Matrix([[turn * sine, cosine], [turn * cosine, -sine]])
    return product, closed_form, theta, phi


def check_phases(name: str, phases: Any) -> np.ndarray:
    """Return phases as an array of floats, or say what is wrong with them."""
    array = np.asarray(phases)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} holds phases in radians, which are real numbers; got {array.dtype}")
    array = array.astype(float)
    if not np.isfinite(array).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise ValueError(
            f"{name} must be finite phases in radians, got {array[where]}{f' at position {where}' if where else ''}; "
            "a training step with too large a learning rate is the usual cause"
        )
    return array
