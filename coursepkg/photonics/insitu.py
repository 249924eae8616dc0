"""In situ backpropagation: light measures the gradient of the device that it runs through.

Three passes of light through the same mesh (Hughes et al., Optica 5:864, 2018; Pai et al., Science 380:398, 2023):

1. *forward*: send ``x``; at each heater a camera sees the power ``|x_psi|**2``;
2. *backward*: send the adjoint ``y_adj`` into the outputs; the camera sees ``|a_psi|**2``, and ``x_adj = U^T y_adj``
   comes out at the inputs;
3. *sum*: send ``x - i conj(x_adj)``. Run backward in time, the adjoint light retraces its way, so at each heater
   the field is ``x_psi - i conj(a_psi)``, and its power holds the interference ``-2 Im(x_psi a_psi)``.

Therefore ``dL/d psi = -Im(x_psi a_psi) = (p_sum - |x_psi|**2 - |a_psi|**2) / 2``: the chain rule, read off a camera.
The analog variant flips the sign of ``conj(x_adj)`` back and forth in pass 3; the current of each photodiode then
swings by ``4 Im(x_psi a_psi)``, and a lock-in amplifier takes the gradient from it with nothing to store or subtract.

Code here touches a mesh only through a :class:`Bench`, whose readings are powers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from coursepkg._checks import check_rng
from coursepkg.photonics.errors import MeasurementError
from coursepkg.photonics.mesh import Mesh

__all__ = ["Bench", "Device", "InSituPass", "LockIn", "Passes", "Reading", "lock_in"]

QUARTER_TURNS = np.array([1.0, 1.0j, -1.0, -1.0j])
READOUTS = ("subtraction", "toggle")


class Reading(NamedTuple):
    """What the detectors say after one launch: powers, and nothing else.

    Attributes
    ----------
    taps : ndarray of float, shape (n * n, batch)
        Power behind each heater, in the order of :attr:`Mesh.phases`.
    outputs : ndarray of float, shape (4, n, batch)
        Power of each outgoing beam overlaid with a reference beam of power 1 whose phase is 0, 90, 180, 270 degrees.
    """

    taps: np.ndarray
    outputs: np.ndarray

    def fields(self) -> np.ndarray:
        """Amplitude and phase of the outgoing beams, from the four overlays; shape (n, batch)."""
        zero, quarter, half, three_quarters = self.outputs
        return ((zero - half) + 1j * (quarter - three_quarters)) / 4


class Device(Protocol):
    """What can be done with a chip on an optical table: launch light at either end, and read detectors."""

    @property
    def n(self) -> int:
        """Number of ports."""
        ...

    def forward(self, fields: np.ndarray) -> Reading:
        """Launch amplitudes, shape (n, batch), at the inputs."""
        ...

    def backward(self, fields: np.ndarray) -> Reading:
        """Launch amplitudes at the outputs."""
        ...


class Bench:
    """A simulated chip on the optical table: modulators, a camera over the taps, detectors.

    Parameters
    ----------
    mesh : Mesh
        The chip, with whatever flaws it has.
    errors : sequence of MeasurementError
        Errors of launching and reading; see :mod:`coursepkg.photonics.errors`.
    rng : numpy.random.Generator, optional
        Source of these errors; needed if there are any.
    """

    def __init__(
        self, mesh: Mesh, errors: Sequence[MeasurementError] = (), *, rng: np.random.Generator | None = None
    ) -> None:
        for error in errors:
            if not isinstance(error, MeasurementError):
                raise TypeError(
                    f"{type(error).__name__} is no error of launching or reading; errors of the chip itself go into "
                    "the mesh: fabricate(mesh, ..., rng=rng)"
                )
        self._mesh = mesh
        self.errors = tuple(errors)
        self._rng = check_rng(rng) if errors else rng

    @property
    def n(self) -> int:
        """Number of ports."""
        return self._mesh.n

    @property
    def phases(self) -> np.ndarray:
        """What is asked of the heaters; change it in place."""
        return self._mesh.phases

    def waveguides(self, fields: Any) -> np.ndarray:
        """Launch amplitudes, shape (n, batch), at the inputs, and read the power on all waveguides between columns.

        Returns
        -------
        ndarray of float, shape (depth + 2, n, batch)
            At the places of :meth:`Mesh.trace`.
        """
        launched = np.asarray(fields, dtype=complex)
        for error in self.errors:
            launched = error.port(launched, self._rng)
        powers = np.abs(self._mesh.trace(launched)) ** 2
        for error in self.errors:
            powers = error.tap(powers, self._rng)
        return powers

    def forward(self, fields: Any) -> Reading:
        """Launch amplitudes, shape (n, batch), at the inputs, and read powers."""
        return self._run(self._mesh.forward_taps, fields)

    def backward(self, fields: Any) -> Reading:
        """Launch amplitudes, shape (n, batch), at the outputs, and read powers."""
        return self._run(self._mesh.backward_taps, fields)

    def _run(self, sweep: Callable[..., Any], fields: Any) -> Reading:
        launched = np.asarray(fields, dtype=complex)
        for error in self.errors:
            launched = error.port(launched, self._rng)
        out, taps = sweep(launched, powers=True)
        for error in self.errors:
            out = error.port(out, self._rng)
        outputs = np.abs(out + QUARTER_TURNS.reshape(-1, *[1] * out.ndim)) ** 2
        for error in self.errors:
            taps, outputs = error.tap(taps, self._rng), error.detector(outputs, self._rng)
        return Reading(taps, outputs)


class Passes(NamedTuple):
    """Powers at the heaters in the three passes, each of shape (n * n, batch), in the scale of the network's fields.

    With the readout "toggle" the third is the pair of passes, ``(plus, minus)``.
    """

    forward: np.ndarray
    backward: np.ndarray
    sum: np.ndarray | tuple[np.ndarray, np.ndarray]


class InSituPass:
    """Forward and backward through a chip, the gradient taken from measured powers alone.

    The chip is always sent light of total power 1, as the real one is; norms are put back in afterwards.

    Parameters
    ----------
    device : Device
        A :class:`Bench`, or anything else with ``n``, ``forward`` and ``backward``.
    readout : {"subtraction", "toggle"}
        Three powers subtracted digitally, or the difference of two with the adjoint's sign toggled. They agree on a
        loss-free chip; on a lossy one subtraction is biased, and the toggle is not.

    """

    def __init__(self, device: Device, readout: str = "subtraction") -> None:
        if readout not in READOUTS:
            raise ValueError(f"the readout is 'subtraction' or 'toggle', got {readout!r}")
        self.device = device
        self.readout = readout
        self._x: np.ndarray | None = None
        self._seen: dict[str, tuple[np.ndarray, np.ndarray]] = {}  # powers at the taps, and what one unit of them is

    @property
    def passes(self) -> Passes | None:
        """Powers of the last run, for pictures."""
        scaled = {name: taps * unit for name, (taps, unit) in self._seen.items()}
        if "backward" not in scaled:
            return None
        last = scaled["sum"] if self.readout == "subtraction" else (scaled["plus"], scaled["minus"])
        return Passes(scaled["forward"], scaled["backward"], last)

    def forward(self, x: Any) -> np.ndarray:
        """Send a batch, shape (n, batch), and return the outputs, as measured."""
        self._x = _as_batch(x, self.device.n)
        self._seen = {}
        return self._measure("forward", self.device.forward, self._x)

    def backward(self, y_adj: Any) -> tuple[np.ndarray, np.ndarray]:
        """From the adjoint at the outputs to the gradient and the adjoint at the inputs, both measured.

        Parameters
        ----------
        y_adj : array_like, shape (n, batch)
            Conjugate of the gradient at the outputs.

        Returns
        -------
        gradient : ndarray, shape (n * n,)
            dL/d(reached phases), summed over the batch, in the order of :attr:`Mesh.phases`.
        x_adj : ndarray, shape (n, batch)
            Conjugate of the gradient at the inputs.
        """
        adjoint = _as_batch(y_adj, self.device.n)
        if self._x is None or self._x.shape != adjoint.shape:
            raise ValueError(f"backward needs the adjoint of the batch last sent forward, got shape {adjoint.shape}")
        x_adj = self._measure("backward", self.device.backward, adjoint)
        if self.readout == "subtraction":
            self._measure("sum", self.device.forward, self._x - 1j * x_adj.conj())
            return (self._total("sum") - self._total("forward") - self._total("backward")) / 2, x_adj
        self._toggle(self._x, x_adj)
        return (self._total("plus") - self._total("minus")) / 4, x_adj

    def _toggle(self, x: np.ndarray, x_adj: np.ndarray) -> None:
        """Launch the two beams in equal strength, the adjoint's sign one way and the other."""
        (x, size), (back, back_size) = _unit(x), _unit(x_adj.conj())
        unit = 2 * size * back_size  # undoes the even split, 1/sqrt(2) in each field
        for name, sign in (("plus", -1j), ("minus", 1j)):
            self._seen[name] = self.device.forward((x + sign * back) / np.sqrt(2)).taps, unit

    def _measure(self, name: str, send: Callable[[np.ndarray], Reading], fields: np.ndarray) -> np.ndarray:
        """Launch fields at power 1, keep what the taps see, and return what comes out in the fields' own scale."""
        unit, size = _unit(fields)
        reading = send(unit)
        self._seen[name] = reading.taps, size**2
        return reading.fields() * size

    def _total(self, name: str) -> np.ndarray:
        """Power at each tap, added over the batch."""
        taps, unit = self._seen[name]
        return taps @ unit


class LockIn(NamedTuple):
    """A toggled measurement over time.

    Attributes
    ----------
    square : ndarray, shape (samples,)
        +1 while ``x - i conj(x_adj)`` is sent, -1 while the sign is flipped.
    currents : ndarray, shape (n * n, samples)
        Photocurrent behind each heater, added over the batch: a constant and a square wave.
    gradient : ndarray, shape (n * n,)
        What the lock-in amplifiers put out: the currents times the square wave, averaged.
    """

    square: np.ndarray
    currents: np.ndarray
    gradient: np.ndarray


def lock_in(device: Device, x: Any, x_adj: Any, *, periods: int = 5, samples: int = 10) -> LockIn:
    """Measure the gradient by toggling, as an analog circuit would: nothing is stored, nothing subtracted.

    All examples are launched with one common scale, so that their photocurrents may simply be added by an integrator.

    Parameters
    ----------
    device : Device
        The chip.
    x, x_adj : array_like, shape (n,) or (n, batch)
        Inputs, and the adjoint that the backward pass brought to the inputs.
    periods : int
        How often the sign goes back and forth; 5 on the chip of Pai et al.
    samples : int
        Camera frames per half period; 10 there.

    Returns
    -------
    LockIn
        With the gradient summed over the batch.
    """
    if periods < 1 or samples < 1:
        raise ValueError(f"a measurement takes at least 1 period and 1 sample, got {periods} and {samples}")
    fields, back = _as_batch(x, device.n), _as_batch(x_adj, device.n).conj()
    size, back_size = float(_unit(fields)[1].max()), float(_unit(back)[1].max())
    fields, back = fields / size, back / back_size
    square = np.tile(np.repeat([1.0, -1.0], samples), periods)
    frames = [device.forward((fields - 1j * sign * back) / np.sqrt(2)).taps.sum(axis=1) for sign in square]
    currents = np.stack(frames, axis=1)
    return LockIn(square, currents, size * back_size * np.mean(currents * square, axis=1))


def _as_batch(fields: Any, n: int) -> np.ndarray:
    array = np.asarray(fields, dtype=complex)
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim != 2 or len(array) != n:
        raise ValueError(f"this device has {n} ports: fields have shape ({n}, batch), got {np.shape(fields)}")
    return array


def _unit(fields: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fields of total power 1, and what to multiply them by; darkness stays dark."""
    size = np.sqrt(np.sum(np.abs(fields) ** 2, axis=0))
    safe = np.where(size > 0, size, 1.0)
    return fields / safe, safe
