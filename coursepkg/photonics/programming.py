"""Setting up a mesh whose parts are not perfect, with a model of its flaws or without one.

:func:`correct` knows the coupler errors and replaces each interferometer's settings by those that make the flawed one
do the same (Bandyopadhyay, Hamerly and Englund, Optica 8:1247, 2021). :func:`nullify` knows nothing: it sends the
light that an ideal mesh would bring to the top outputs of a column, and turns heaters until the bottom outputs are
dark, one column after the other (parallel nullification, Pai et al., Nanophotonics 9:4705, 2020). In situ training
needs neither, because it measures the gradient of the device as it is.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from coursepkg.photonics.decomposition import check_unitary
from coursepkg.photonics.insitu import Bench
from coursepkg.photonics.mesh import Mesh
from coursepkg.photonics.mzi import bar_power, mzi

__all__ = ["correct", "nullify", "reachable_bar_power"]

ROUNDING = 1e-14


def reachable_bar_power(coupler_errors: Any) -> tuple[np.ndarray, np.ndarray]:
    """Least and largest share of power that a flawed interferometer can keep in its waveguide.

    Parameters
    ----------
    coupler_errors : array_like, shape (..., 2)
        Errors a and b of its couplers, in radians.

    Returns
    -------
    least, largest : ndarray, shape (...)
        ``sin(a + b)**2`` and ``cos(a - b)**2``.
    """
    a, b = np.moveaxis(np.asarray(coupler_errors, dtype=float), -1, 0)
    return np.sin(a + b) ** 2, np.cos(a - b) ** 2


def correct(mesh: Mesh, target: Any) -> np.ndarray:
    """Program a mesh with known coupler errors to do what a unitary matrix does.

    Interferometer by interferometer, ``theta`` is chosen to divide power as in the ideal mesh, ``phi`` to bring the
    inputs together with the right phase, and the phases left over at the outputs are handed on, at last to ``gamma``.

    Parameters
    ----------
    mesh : Mesh
        Its ``coupler_errors`` and drivers are known; its phases are changed.
    target : array_like, shape (n, n)
        The unitary matrix.

    Returns
    -------
    ndarray of bool, shape (K,)
        Which interferometers could be corrected exactly. If all, the mesh now does the target exactly.

    Raises
    ------
    ValueError
        If the target is not unitary or has another number of ports.
    """
    ideal = _ideal(mesh.n, mesh.layout, target)
    wanted = ideal.phases.copy()
    theta, phi, gamma = wanted[: -mesh.n : 2], wanted[1 : -mesh.n : 2], wanted[-mesh.n :]
    least, largest = reachable_bar_power(mesh.coupler_errors)
    bar = bar_power(ideal.theta)
    theta[...] = _theta_for(bar, mesh.coupler_errors)
    ours, models = mzi(theta, 0.0, mesh.coupler_errors), mzi(ideal.theta, 0.0)
    turned = np.angle(ours) - np.angle(models)
    stays = np.abs(ours[:, 0, 0]) > np.abs(ours[:, 1, 0])
    left_over = np.zeros(mesh.n)  # phases of our fields relative to the model's
    for k, m in enumerate(mesh.positions[1]):
        from_above, from_below = left_over[m], left_over[m + 1]
        above, below = from_below + turned[k, :, 1]
        phi[k] += (above - turned[k, 0, 0] if stays[k] else below - turned[k, 1, 0]) - from_above
        left_over[m], left_over[m + 1] = above, below
    gamma -= left_over
    mesh.settle_at(wanted % (2 * np.pi))
    return (bar >= least - ROUNDING) & (bar <= largest + ROUNDING)


def _theta_for(bar: np.ndarray, coupler_errors: np.ndarray) -> np.ndarray:
    """The theta at which flawed interferometers keep this share of power, or come closest to it."""
    angles = np.pi / 4 + coupler_errors
    (c1, c2), (s1, s2) = np.cos(angles).T, np.sin(angles).T
    middle = (c2 * c1) ** 2 + (s2 * s1) ** 2
    return np.arccos(np.clip((middle - bar) / (2 * c1 * c2 * s1 * s2), -1.0, 1.0))


def nullify(bench: Bench, target: Any, *, layout: str = "rectangular", sweeps: int = 30) -> int:
    """Program a chip that nobody knows to do what a unitary matrix does, by turning heaters until ports are dark.

    All interferometers of a column are set at the same time, so n columns take n rounds rather than n(n-1)/2. Only
    powers are read, and at the end the phases of the outputs.

    Parameters
    ----------
    bench : Bench
        The chip; its phases are changed.
    target : array_like, shape (n, n)
        The unitary matrix.
    layout : {"rectangular", "triangular"}
        Layout of the chip.
    sweeps : int
        Largest number of turns of each column's heaters.

    Returns
    -------
    int
        Number of times that light was launched.

    Raises
    ------
    ValueError
        If the target is not unitary or has another number of ports.
    """
    ideal = _ideal(bench.n, layout, target)
    launches = 0
    first = 0
    for c, column in enumerate(ideal.columns):
        heaters = np.arange(2 * first, 2 * (first + len(column)))
        thetas, phis = heaters[0::2], heaters[1::2]
        bottoms = np.array(column) + 1
        light = _for_the_tops(ideal, c)
        bench.phases[thetas], bench.phases[phis] = np.pi / 2, 0.0
        for _ in range(sweeps):
            before = bench.phases[heaters].copy()
            for turned in (phis, thetas):
                launches += _darken(bench, light, c, turned, bottoms)
            if np.abs(np.exp(1j * bench.phases[heaters]) - np.exp(1j * before)).max() < ROUNDING:
                break
        first += len(column)
    everything = ideal.matrix().conj().T.sum(axis=1, keepdims=True) / np.sqrt(bench.n)
    bench.phases[-bench.n :] -= np.angle(bench.forward(everything).fields()[:, 0])
    bench.phases[...] %= 2 * np.pi
    return launches + 1


def _for_the_tops(ideal: Mesh, c: int) -> np.ndarray:
    """Light that ideal columns 0 to c bring to the top outputs of column c, none to the bottoms; shape (n, 1)."""
    tops = np.zeros((ideal.n, 1), dtype=complex)
    tops[np.array(ideal.columns[c])] = 1.0 / np.sqrt(len(ideal.columns[c]))
    return ideal.rewind(tops, c)


def _darken(bench: Bench, light: np.ndarray, c: int, heaters: np.ndarray, bottoms: np.ndarray) -> int:
    """Turn one heater of each interferometer of a column to where its bottom output is darkest.

    The power there is a constant and a cosine of the heater's phase, so four readings a quarter turn apart say where.
    """
    start = bench.phases[heaters].copy()
    powers = []
    for quarter in range(4):
        bench.phases[heaters] = start + quarter * np.pi / 2
        powers.append(bench.waveguides(light)[c + 1, bottoms, 0])
    brightest = np.arctan2(powers[1] - powers[3], powers[0] - powers[2])
    bench.phases[heaters] = start + brightest + np.pi
    return 4


def _ideal(n: int, layout: str, target: Any) -> Mesh:
    unitary = check_unitary(target)
    if len(unitary) != n:
        raise ValueError(f"this mesh has {n} ports, the target is a matrix of {len(unitary)} rows")
    return Mesh.from_unitary(unitary, layout)
