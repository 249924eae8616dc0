"""What is wrong with real hardware, one class per flaw: of the chip itself, and of launching and reading light.

Errors of the chip are drawn once, when it is made: ``fabricate(mesh, CouplerError(0.02), HeaterLoss(0.05), rng=rng)``.
Errors of a measurement are drawn anew each time: ``Bench(mesh, [TapNoise(0.01)], rng=rng)``. Any of them can be
combined; at strength zero each changes nothing, to the last bit. ``LITERATURE`` has the magnitudes.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from coursepkg._checks import check_rng
from coursepkg.photonics.drivers import Heat, Offset
from coursepkg.photonics.mesh import Mesh

__all__ = [
    "LITERATURE", "ChipError", "ColumnLoss", "CouplerError", "Crosstalk", "DetectorNoise", "HeaterLoss", "Magnitude",
    "MeasurementError", "PhaseError", "PortError", "Quantisation", "TapNoise", "amplitude", "fabricate",
]  # fmt: skip


# --- the chip


class ChipError(ABC):
    """A flaw that a chip has from the day it is made."""

    @abstractmethod
    def install(self, mesh: Mesh, rng: np.random.Generator) -> Mesh:
        """Return the mesh with this flaw added; the given one is left as it is."""


def fabricate(mesh: Mesh, *errors: ChipError, rng: np.random.Generator) -> Mesh:
    """Make a mesh with the same settings and real, flawed hardware.

    Parameters
    ----------
    mesh : Mesh
        The design; it is not changed.
    *errors : ChipError
        Flaws, added in this order.
    rng : numpy.random.Generator
        Source of all random parts.

    Returns
    -------
    Mesh

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> design = Mesh.random(8, rng=rng)
    >>> chip = fabricate(design, CouplerError(0.02), Quantisation(8), rng=rng)
    >>> bool(0.01 < np.abs(chip.matrix() - design.matrix()).max() < 0.2)
    True
    """
    rng = check_rng(rng)
    for error in errors:
        if not isinstance(error, ChipError):
            raise TypeError(
                f"{type(error).__name__} is no flaw of a chip; errors of launching and reading belong to a Bench: "
                "Bench(mesh, [error], rng=rng)"
            )
        mesh = error.install(mesh, rng)
    return mesh


@dataclass(frozen=True)
class CouplerError(ChipError):
    """Couplers that miss 50:50: each angle is pi/4 plus a normal error.

    The matrix stays unitary but moves away by ``||dU||_F / sqrt(n) = sigma sqrt(2 (n - 1))``.

    Parameters
    ----------
    sigma : float
        Standard deviation in radians.
    """

    sigma: float

    def __post_init__(self) -> None:
        _strength("sigma", self.sigma)

    def install(self, mesh: Mesh, rng: np.random.Generator) -> Mesh:
        errors = self.sigma * rng.standard_normal(mesh.coupler_errors.shape)
        return mesh.with_hardware(coupler_errors=mesh.coupler_errors + errors)


@dataclass(frozen=True)
class PhaseError(ChipError):
    """Heaters in the interferometers that are off by a fixed, unknown normal error.

    The matrix stays unitary but moves away by ``||dU||_F / sqrt(n) = sigma sqrt(n - 1)``.

    Parameters
    ----------
    sigma : float
        Standard deviation in radians.
    """

    sigma: float

    def __post_init__(self) -> None:
        _strength("sigma", self.sigma)

    def install(self, mesh: Mesh, rng: np.random.Generator) -> Mesh:
        offsets = self.sigma * rng.standard_normal(mesh.phases.shape)
        offsets[-mesh.n :] = 0.0
        return mesh.with_hardware(drivers=(*mesh.drivers, Offset(offsets)))


@dataclass(frozen=True)
class Quantisation(ChipError):
    """Heaters driven by a digital converter: phases come in ``2**bits`` steps per turn.

    The matrix moves away by about ``(2 pi / 2**bits) sqrt(n / 12)``. The gradient is passed through the rounding
    unchanged, as training does that keeps fine phases in a computer.

    Parameters
    ----------
    bits : float
        Resolution; ``math.inf`` for none.
    """

    bits: float

    def __post_init__(self) -> None:
        if not self.bits >= 1:
            raise ValueError(f"a converter has at least 1 bit (math.inf for no rounding), got bits={self.bits}")

    def install(self, mesh: Mesh, rng: np.random.Generator) -> Mesh:
        return mesh.with_hardware(drivers=(self, *mesh.drivers))  # the converter comes before the heater

    def settle(self, phases: np.ndarray) -> np.ndarray:
        """The nearest phases that the converter can ask for."""
        step = 2 * math.pi * 2.0**-self.bits
        return phases if step == 0.0 else np.round(phases / step) * step

    def ask(self, phases: np.ndarray) -> np.ndarray:
        """The phases themselves: rounding finds the nearest ones."""
        return phases

    def pull(self, gradient: np.ndarray) -> np.ndarray:
        """The gradient, unchanged."""
        return gradient


@dataclass(frozen=True)
class Crosstalk(ChipError):
    """Heat that reaches the neighbours: each heater also gets ``kappa exp(-distance)`` of every other one's phase.

    Distance counts in the pitch of the grid that heaters sit on, two heaters per column and one per waveguide; what is
    farther than 6 is left out. ``dL/d(asked)`` is the transpose of this map applied to ``dL/d(reached)``.

    Parameters
    ----------
    kappa : float
        Strength; about 0.01.
    """

    kappa: float

    def __post_init__(self) -> None:
        _strength("kappa", self.kappa)

    def install(self, mesh: Mesh, rng: np.random.Generator) -> Mesh:
        return mesh.with_hardware(drivers=(*mesh.drivers, Heat(self.kappa, mesh.positions, mesh.depth, mesh.n)))


@dataclass(frozen=True)
class HeaterLoss(ChipError):
    """Heaters that absorb: each heater's arm loses ``|N(0, spread_db)|`` decibels, its partner none.

    The matrix is no longer unitary, which is the one flaw that in situ gradients do not forgive.

    Parameters
    ----------
    spread_db : float
        Spread in decibels of power.
    """

    spread_db: float

    def __post_init__(self) -> None:
        _strength("spread_db", self.spread_db)

    def install(self, mesh: Mesh, rng: np.random.Generator) -> Mesh:
        lost = self.spread_db * np.abs(rng.standard_normal(mesh.phases.shape))
        return mesh.with_hardware(heater_transmission=mesh.heater_transmission * amplitude(lost))


@dataclass(frozen=True)
class ColumnLoss(ChipError):
    """Loss that all waveguides share: at the entry of each column, the same number of decibels everywhere.

    Parameters
    ----------
    db : float
        Decibels of power per column.
    """

    db: float

    def __post_init__(self) -> None:
        _strength("db", self.db)

    def install(self, mesh: Mesh, rng: np.random.Generator) -> Mesh:
        return mesh.with_hardware(column_transmission=mesh.column_transmission * amplitude(self.db))


def amplitude(db: Any) -> Any:
    """What a loss in decibels of power leaves of the amplitude."""
    return 10.0 ** (-np.asarray(db) / 20)


# --- the measurement


class MeasurementError:
    """An error of launching or reading, new at each measurement; what a kind does not touch it passes on."""

    def port(self, fields: np.ndarray, rng: Any) -> np.ndarray:
        """Fields as they really are launched, or as they really are read at the outputs."""
        return fields

    def tap(self, powers: np.ndarray, rng: Any) -> np.ndarray:
        """Powers as the camera over the taps reads them."""
        return powers

    def detector(self, powers: np.ndarray, rng: Any) -> np.ndarray:
        """Powers as the detectors at the outputs read them."""
        return powers


@dataclass(frozen=True)
class PortError(MeasurementError):
    """Modulators and coherent receivers: a field becomes ``field (1 + amplitude n1) exp(i pi phase n2)``.

    Mind the factor pi: ``phase=0.025`` is 0.079 rad, as in the simulations of Pai et al.

    Parameters
    ----------
    amplitude : float
        Relative standard deviation of amplitudes.
    phase : float
        Standard deviation of phases, in units of pi.
    """

    amplitude: float = 0.0
    phase: float = 0.0

    def __post_init__(self) -> None:
        _strength("amplitude", self.amplitude)
        _strength("phase", self.phase)

    def port(self, fields: np.ndarray, rng: Any) -> np.ndarray:
        larger = 1.0 + self.amplitude * rng.standard_normal(fields.shape)
        return fields * larger * np.exp(1j * np.pi * self.phase * rng.standard_normal(fields.shape))


@dataclass(frozen=True)
class TapNoise(MeasurementError):
    """Shot noise at the taps: a power p is read as ``p + strength sqrt(p) n``, for light of total power 1.

    Parameters
    ----------
    strength : float
        One over the square root of the number of photons that a tap would count of all the light.
    """

    strength: float

    def __post_init__(self) -> None:
        _strength("strength", self.strength)

    def tap(self, powers: np.ndarray, rng: Any) -> np.ndarray:
        return _shot(powers, self.strength, rng)


@dataclass(frozen=True)
class DetectorNoise(MeasurementError):
    """Shot noise at the output detectors, by the same law as :class:`TapNoise`.

    Parameters
    ----------
    strength : float
        One over the square root of the number of photons that a detector would count of all the light.
    """

    strength: float

    def __post_init__(self) -> None:
        _strength("strength", self.strength)

    def detector(self, powers: np.ndarray, rng: Any) -> np.ndarray:
        return _shot(powers, self.strength, rng)


def _shot(powers: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    return powers + strength * np.sqrt(powers) * rng.standard_normal(powers.shape)


def _strength(name: str, value: float) -> None:
    if not (value >= 0 and math.isfinite(value)):
        raise ValueError(f"{name} is the strength of an error, a finite number and at least 0; got {value}")


# --- magnitudes


class Magnitude(NamedTuple):
    """How large an error is in practice."""

    error: str
    typical: tuple[float, ...]
    unit: str
    source: str


LITERATURE = (
    Magnitude("CouplerError", (0.02, 0.05), "rad", "typical of silicon photonics foundries"),
    Magnitude("PhaseError", (0.01, 0.05), "rad", "typical setting error of a calibrated heater"),
    Magnitude("Quantisation", (8.0,), "bits", "Pai et al. 2023, converters of the energy model"),
    Magnitude("Crosstalk", (0.01,), "of the neighbour's phase", "order of magnitude of thermal crosstalk"),
    Magnitude("HeaterLoss", (0.05,), "dB", "Pai et al. 2023, simulations of MNIST"),
    Magnitude("ColumnLoss", (0.1, 0.2), "dB", "Pai et al. 2023, loss of one interferometer"),
    Magnitude("TapNoise", (0.005, 0.01, 0.02), "of full scale", "Pai et al. 2023, simulations of MNIST"),
    Magnitude("PortError.amplitude", (0.025, 0.05), "relative", "Pai et al. 2023, simulations of MNIST"),
    Magnitude("PortError.phase", (0.025, 0.05), "pi rad", "Pai et al. 2023, simulations of MNIST"),
)
