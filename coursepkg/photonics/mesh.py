"""A mesh of interferometers: a unitary matrix made of light, which can be run in both directions.

Light sent through from the left is multiplied by ``U``; light sent back from the right by the transpose ``U^T``
(reciprocity), in the same hardware. That is all that backpropagation needs (Hughes et al., Optica 5:864, 2018; Pai et
al., Science 380:398, 2023). Fields are columns, shape (n,) or (n, batch), so ``mesh.forward(x)`` is ``U @ x``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from coursepkg._checks import check_rng
from coursepkg.photonics import layout as layouts
from coursepkg.photonics.decomposition import decompose, haar_unitary
from coursepkg.photonics.drivers import Driver
from coursepkg.photonics.mzi import check_phases
from coursepkg.photonics.optics import Optics, Recorder, Sweeper, build

__all__ = ["Mesh"]


class Mesh:
    """A mesh of Mach-Zehnder interferometers, ideal or with the errors of real hardware.

    Parameters
    ----------
    n : int
        Number of waveguides (ports), at least 2.
    layout : {"rectangular", "triangular"}
        Where the interferometers sit; see :func:`coursepkg.photonics.layout.columns`.
    phases : array_like, shape (n * n,), optional
        Settings of all heaters, in radians. Default: zeros, all light crosses in every interferometer.
    coupler_errors : array_like, shape (K, 2), optional
        Angles by which the couplers of the K = n(n-1)/2 interferometers miss 50:50.
    heater_transmission : array_like, shape (n * n,), optional
        Amplitude that each heater's arm lets through, from 0 to 1 (or a little above, relative to the mean).
    column_transmission : array_like, shape (depth,), optional
        Amplitude that all waveguides let through at the entry of each column.
    drivers : sequence of Driver, optional
        Applied in turn to the phases before the light sees them.

    Attributes
    ----------
    phases : ndarray, shape (n * n,)
        What is asked of the heaters. Change it in place (an optimizer does) or assign a new array. Interferometer by
        interferometer, column by column, ``theta, phi, theta, phi, ...``, then the n output phases.
    theta, phi : ndarray, shape (K,)
    gamma : ndarray, shape (n,)
        Views of ``phases``.
    """

    def __init__(
        self,
        n: int,
        layout: str = "rectangular",
        phases: Any = None,
        *,
        coupler_errors: Any = None,
        heater_transmission: Any = None,
        column_transmission: Any = None,
        drivers: Sequence[Driver] = (),
    ) -> None:
        self.columns = layouts.columns(n, layout)
        self.n = n
        self.layout = layout
        count = n * (n - 1) // 2
        self._phases = np.zeros(n * n)
        if phases is not None:
            self.phases = phases
        self.coupler_errors = _part("coupler_errors", coupler_errors, 0.0, (count, 2))
        self.heater_transmission = _part("heater_transmission", heater_transmission, 1.0, (n * n,))
        self.column_transmission = _part("column_transmission", column_transmission, 1.0, (len(self.columns),))
        self.drivers = tuple(drivers)
        self._sweeper = Sweeper(n, layout)
        self._optics: tuple[np.ndarray, Optics] | None = None

    # --- ways to make one

    @classmethod
    def from_unitary(cls, unitary: Any, layout: str = "rectangular") -> Self:
        """Make the ideal mesh that multiplies by a unitary matrix.

        Parameters
        ----------
        unitary : array_like, shape (n, n)
            The matrix.
        layout : {"rectangular", "triangular"}
            Where the interferometers sit.

        Raises
        ------
        ValueError
            If the matrix is not unitary or the layout is unknown.

        Examples
        --------
        >>> import numpy as np
        >>> fourier = np.exp(2j * np.pi * np.outer(range(3), range(3)) / 3) / np.sqrt(3)
        >>> mesh = Mesh.from_unitary(fourier)
        >>> len(mesh.theta), bool(np.allclose(mesh.matrix(), fourier, rtol=1e-12))
        (3, True)
        """
        phases = decompose(unitary, layout)
        return cls(len(np.asarray(unitary)), layout, phases)

    @classmethod
    def random(cls, n: int, layout: str = "rectangular", *, rng: np.random.Generator) -> Self:
        """Make an ideal mesh whose matrix is drawn from the Haar measure, with no direction preferred.

        Parameters
        ----------
        n : int
            Number of waveguides.
        layout : {"rectangular", "triangular"}
            Where the interferometers sit.
        rng : numpy.random.Generator
            Source of the matrix.
        """
        layouts.columns(n, layout)
        return cls.from_unitary(haar_unitary(n, rng=check_rng(rng)), layout)

    def with_hardware(self, **parts: Any) -> Mesh:
        """A mesh with the same settings (its own copy) and other parts.

        Parameters
        ----------
        **parts
            ``coupler_errors``, ``heater_transmission``, ``column_transmission`` or ``drivers``, as for the class.
            What is not named is kept.
        """
        kept: dict[str, Any] = {
            "coupler_errors": self.coupler_errors,
            "heater_transmission": self.heater_transmission,
            "column_transmission": self.column_transmission,
            "drivers": self.drivers,
        }
        return Mesh(self.n, self.layout, self.phases, **(kept | parts))

    # --- settings

    @property
    def phases(self) -> np.ndarray:
        """All settings; see the class."""
        return self._phases

    @phases.setter
    def phases(self, values: Any) -> None:
        array = check_phases("phases", values)
        if array.shape != self._phases.shape:
            raise ValueError(
                f"a mesh of {self.n} waveguides has {self.n**2} phases ({self.n * (self.n - 1)} in its "
                f"interferometers and {self.n} at its outputs), got shape {array.shape}"
            )
        self._phases[...] = array

    @property
    def theta(self) -> np.ndarray:
        """Phases of the internal heaters, a view of ``phases``."""
        return self._phases[: -self.n : 2]

    @theta.setter
    def theta(self, values: Any) -> None:
        self.theta[...] = check_phases("theta", values)

    @property
    def phi(self) -> np.ndarray:
        """Phases of the input heaters, a view of ``phases``."""
        return self._phases[1 : -self.n : 2]

    @phi.setter
    def phi(self, values: Any) -> None:
        self.phi[...] = check_phases("phi", values)

    @property
    def gamma(self) -> np.ndarray:
        """Phases of the heaters at the outputs, a view of ``phases``."""
        return self._phases[-self.n :]

    @gamma.setter
    def gamma(self, values: Any) -> None:
        self.gamma[...] = check_phases("gamma", values)

    def settled_phases(self) -> np.ndarray:
        """The phases that the heaters reach: those asked for, unless drivers come between."""
        phases = check_phases("phases", self._phases)
        for driver in self.drivers:
            phases = driver.settle(phases)
        return phases

    def settle_at(self, phases: Any) -> None:
        """Ask for whatever makes the heaters reach these phases, in radians; the drivers are known."""
        wanted = check_phases("phases", phases)
        for driver in reversed(self.drivers):
            wanted = driver.ask(wanted)
        self.phases = wanted

    def pull(self, gradient: np.ndarray) -> np.ndarray:
        """Turn dL/d(reached phases), which light measures, into dL/d(phases asked for)."""
        for driver in reversed(self.drivers):
            gradient = driver.pull(gradient)
        return gradient

    @property
    def positions(self) -> tuple[np.ndarray, np.ndarray]:
        """Column and top waveguide of each interferometer, two integer arrays of shape (K,)."""
        return layouts.positions(self.n, self.layout)

    @property
    def depth(self) -> int:
        """Number of columns."""
        return len(self.columns)

    # --- light

    def forward(self, fields: Any) -> np.ndarray:
        """Send light from left to right: ``U @ fields``, without the matrix.

        Parameters
        ----------
        fields : array_like, shape (n,) or (n, batch)
            Complex amplitudes at the inputs.

        Returns
        -------
        ndarray
            Complex amplitudes at the outputs, of the same shape.

        Raises
        ------
        ValueError
            If the number of ports is wrong, or a phase or a field is not a finite number.
        """
        x, shape = self.incoming(fields)
        return self._sweeper.forward(self.optics(), x).reshape(shape)

    def backward(self, fields: Any) -> np.ndarray:
        """Send light from right to left through the same hardware: ``U.T @ fields`` (not the inverse).

        Parameters
        ----------
        fields : array_like, shape (n,) or (n, batch)
            Complex amplitudes that enter at the outputs.

        Returns
        -------
        ndarray
            Complex amplitudes that leave at the inputs.
        """
        y, shape = self.incoming(fields)
        return self._sweeper.backward(self.optics(), y).reshape(shape)

    def forward_taps(self, fields: Any, *, powers: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """Send light forward and look at it behind every heater.

        Parameters
        ----------
        fields : array_like, shape (n,) or (n, batch)
            Amplitudes at the inputs.
        powers : bool
            Give what a camera over the gratings sees, ``|field|**2``, in place of the fields.

        Returns
        -------
        outputs : ndarray, of the shape of ``fields``
        taps : ndarray, shape (n * n,) or (n * n, batch)
            In the order of ``phases``.
        """
        return self._tapped(self._sweeper.forward, fields, powers)

    def backward_taps(self, fields: Any, *, powers: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """Send light backward and look at it at the same places; see :meth:`forward_taps`."""
        return self._tapped(self._sweeper.backward, fields, powers)

    def _tapped(self, sweep: Any, fields: Any, powers: bool) -> tuple[np.ndarray, np.ndarray]:
        x, shape = self.incoming(fields)
        record = Recorder(self._sweeper, x.shape[1], powers=powers)
        out = sweep(self.optics(), x, record)
        return out.reshape(shape), record.seen.reshape(self.n**2, *shape[1:])

    def trace(self, fields: Any) -> np.ndarray:
        """Send light forward and keep it on all waveguides between the columns.

        Parameters
        ----------
        fields : array_like, shape (n,) or (n, batch)
            Amplitudes at the inputs.

        Returns
        -------
        ndarray, shape (depth + 2, n) or (depth + 2, n, batch)
            At the inputs, after each column, and after the output heaters.
        """
        x, shape = self.incoming(fields)
        optics = self.optics()
        places = np.empty((self.depth + 2, *x.shape), dtype=complex)
        places[0] = x
        for c in range(self.depth):
            self._sweeper.step(c, optics.blocks, optics.transmission[c], places[c], places[c + 1])
        places[-1] = places[-2] * optics.ends
        return places.reshape(self.depth + 2, *shape)

    def backward_trace(self, fields: Any) -> np.ndarray:
        """Send light backward and keep it at the places of :meth:`trace`, in the same order, inputs first."""
        y, shape = self.incoming(fields)
        optics = self.optics()
        transposed = optics.blocks.swapaxes(1, 2)
        places = np.empty((self.depth + 2, *y.shape), dtype=complex)
        places[-1] = y
        places[-2] = y * optics.ends
        for c in reversed(range(self.depth)):
            self._sweeper.step(c, transposed, optics.transmission[c], places[c + 1], places[c])
        return places.reshape(self.depth + 2, *shape)

    def rewind(self, fields: Any, c: int) -> np.ndarray:
        """Light at the inputs that would be ``fields`` behind column ``c``, for a mesh without loss.

        Time runs backward: each column's conjugate transpose, from column ``c`` to the first.

        Parameters
        ----------
        fields : array_like, shape (n,) or (n, batch)
            Amplitudes on all waveguides behind column ``c``.
        c : int
            Number of the column, from 0.
        """
        y, shape = self.incoming(fields)
        optics = self.optics()
        inverse = optics.blocks.swapaxes(1, 2).conj()
        for column in reversed(range(c + 1)):
            earlier = np.empty_like(y)
            self._sweeper.step(column, inverse, 1.0, y, earlier)
            y = earlier
        return y.reshape(shape)

    def matrix(self) -> np.ndarray:
        """The matrix ``U`` that the mesh multiplies by, measured by sending light into one input after the other."""
        return self.forward(np.eye(self.n))

    # --- inner workings

    def optics(self) -> Optics:
        """The small matrices of all interferometers at the present settings; computed again when a phase changes."""
        if self._optics is None or not np.array_equal(self._optics[0], self._phases):
            settled = self.settled_phases()
            hardware = (self.coupler_errors, self.heater_transmission, self.column_transmission)
            self._optics = self._phases.copy(), build(self.n, self.layout, settled, *hardware)
        return self._optics[1]

    @property
    def sweeper(self) -> Sweeper:
        """Sends fields through the columns; for code that needs to stop between them."""
        return self._sweeper

    def incoming(self, fields: Any) -> tuple[np.ndarray, tuple[int, ...]]:
        """Fields as a contiguous complex array of shape (n, batch), and the shape they came in."""
        array = np.asarray(fields)
        if array.ndim not in (1, 2) or array.shape[0] != self.n:
            hint = "; fields are columns, transpose rows of examples" if array.shape[-1:] == (self.n,) else ""
            raise ValueError(
                f"this mesh has {self.n} ports: fields have shape ({self.n},) or ({self.n}, batch), got "
                f"{array.shape}{hint}"
            )
        if array.dtype.kind not in "biufc":
            raise TypeError(f"fields are complex amplitudes, got {array.dtype}")
        batch = np.ascontiguousarray(array, dtype=complex).reshape(self.n, array[0].size)
        if not np.isfinite(batch).all():
            raise ValueError("the fields hold NaN or infinity; look at what was sent into the mesh")
        return batch, array.shape

    def __repr__(self) -> str:
        return f"Mesh({self.n} waveguides, {self.layout}, {len(self.theta)} interferometers in {self.depth} columns)"


def _part(name: str, values: Any, default: float, shape: tuple[int, ...]) -> np.ndarray:
    """A read-only array of hardware properties."""
    array = np.full(shape, default) if values is None else np.array(values, dtype=float)
    if array.shape != shape:
        raise ValueError(f"{name} has one entry for each part of the mesh, shape {shape}; got {array.shape}")
    if not np.isfinite(array).all() or (default == 1.0 and (array < 0).any()):
        wanted = "amplitude factors, finite and not negative" if default == 1.0 else "finite angles in radians"
        raise ValueError(f"{name} must hold {wanted}")
    array.flags.writeable = False
    return array
