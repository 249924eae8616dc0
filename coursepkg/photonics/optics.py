"""What light does in a mesh, column by column: the small matrices of the interferometers, and the sweep through them.

A column is one batched product of 2 x 2 matrices with pairs of neighbouring waveguides: O(N) work per field, written
into buffers that are kept. No N x N matrix is built.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from coursepkg.photonics.layout import columns, offsets


class Optics(NamedTuple):
    """The interferometers of a mesh at their present settings; K of them on n waveguides.

    Light in a waveguide of the column is reduced by ``transmission`` at the column's entry, then meets ``blocks``. A
    tap sits behind each heater. Light going forward has the field ``ahead @ (inputs)`` at the two taps (theta, phi) of
    an interferometer, light going backward ``behind @ (what comes in at the outputs)``.
    """

    blocks: np.ndarray  # (K, 2, 2): outputs by inputs
    ahead: np.ndarray  # (K, 2, 2): taps by inputs
    behind: np.ndarray  # (K, 2, 2): taps by outputs
    transmission: np.ndarray  # (depth,)
    ends: np.ndarray  # (n, 1): the output heaters


def build(
    n: int,
    layout: str,
    phases: np.ndarray,
    coupler_errors: np.ndarray,
    heater_transmission: np.ndarray,
    column_transmission: np.ndarray,
) -> Optics:
    """Multiply out every interferometer: heater, coupler, heater, coupler."""
    turns = np.empty(n * n, dtype=complex)
    np.cos(phases, out=turns.real)
    np.sin(phases, out=turns.imag)
    turns *= heater_transmission
    inner = turns[: n * n - n]
    theta, phi = inner[0::2], inner[1::2]
    angles = np.pi / 4 + coupler_errors
    (c1, c2), (s1, s2) = np.cos(angles).T, np.sin(angles).T
    ahead = np.zeros((len(theta), 2, 2), dtype=complex)
    ahead[:, 0, 0], ahead[:, 0, 1] = theta * (c1 * phi), theta * (1j * s1)
    ahead[:, 1, 0] = phi
    behind = np.empty_like(ahead)
    behind[:, 0, 0], behind[:, 0, 1] = c2, 1j * s2
    behind[:, 1, 0] = c2 * c1 * theta - s2 * s1
    behind[:, 1, 1] = 1j * (s2 * c1 * theta + c2 * s1)
    blocks = np.empty_like(ahead)
    blocks[:, 0, 0], blocks[:, 1, 0] = behind[:, 1, 0] * phi, behind[:, 1, 1] * phi
    blocks[:, 0, 1] = 1j * (c2 * s1 * theta + s2 * c1)
    blocks[:, 1, 1] = c2 * c1 - s2 * s1 * theta
    if not (column_transmission == 1.0).all():
        each = np.repeat(column_transmission, np.diff(offsets(n, layout)))[:, None, None]
        # The taps see light that has come through the column's entry; going backward they sit before it.
        blocks, ahead = blocks * each, ahead * each
    return Optics(blocks, ahead, behind, column_transmission, turns[n * n - n :, None])


class Sweeper:
    """Sends batches of fields through the columns of a layout, with buffers that are reused.

    Parameters
    ----------
    n : int
        Number of waveguides.
    layout : str
        Layout of the columns.
    """

    def __init__(self, n: int, layout: str) -> None:
        starts = offsets(n, layout)
        self.n = n
        self.spans = [(row.start, row[-1] + 2, starts[c], starts[c + 1]) for c, row in enumerate(columns(n, layout))]
        self._buffers: dict[str, np.ndarray] = {}

    def buffer(self, name: str, *shape: int) -> np.ndarray:
        """An array to write into; the same one as long as the shape stays."""
        held = self._buffers.get(name)
        if held is None or held.shape != shape:
            held = self._buffers[name] = np.empty(shape, dtype=complex)
        return held

    def step(self, c: int, blocks: np.ndarray, transmission: float, source: np.ndarray, target: np.ndarray) -> None:
        """Send fields through column ``c``; ``source`` and ``target`` have shape (n, batch)."""
        start, stop, first, last = self.spans[c]
        shape = last - first, 2, source.shape[1]
        np.matmul(blocks[first:last], source[start:stop].reshape(shape), out=target[start:stop].reshape(shape))
        if start > 0:
            np.multiply(source[:start], transmission, out=target[:start])
        if stop < self.n:
            np.multiply(source[stop:], transmission, out=target[stop:])

    def pair(self, c: int, fields: np.ndarray) -> np.ndarray:
        """The fields at the interferometers of column ``c``, shape (interferometers, 2, batch)."""
        start, stop, first, last = self.spans[c]
        return fields[start:stop].reshape(last - first, 2, fields.shape[1])

    def forward(self, optics: Optics, fields: np.ndarray, record: Recorder | None = None) -> np.ndarray:
        """Send light from left to right and return it in a new array of the shape of ``fields``."""
        source = fields
        both = self.buffer("forward", 2, *fields.shape)
        for c in range(len(self.spans)):
            target = both[c % 2]
            if record is not None:
                record.taps(c, optics.ahead, source)
            self.step(c, optics.blocks, optics.transmission[c], source, target)
            source = target
        out = source * optics.ends
        if record is not None:
            record.outputs(out)
        return out

    def backward(self, optics: Optics, fields: np.ndarray, record: Recorder | None = None) -> np.ndarray:
        """Send light from right to left: the same columns transposed, in reverse order."""
        if record is not None:
            record.outputs(fields)
        both = self.buffer("backward", 2, *fields.shape)
        transposed = optics.blocks.swapaxes(1, 2)
        source = np.multiply(fields, optics.ends, out=both[0])
        for turn, c in enumerate(reversed(range(len(self.spans))), start=1):
            if record is not None:
                record.taps(c, optics.behind, source)
            target = both[turn % 2]
            self.step(c, transposed, optics.transmission[c], source, target)
            source = target
        return source.copy()


class Recorder:
    """Writes down what the taps see during a sweep, as fields or, as a camera would, as powers."""

    def __init__(self, sweeper: Sweeper, batch: int, *, powers: bool) -> None:
        self.sweeper = sweeper
        self.powers = powers
        self.seen = np.empty((sweeper.n**2, batch), dtype=float if powers else complex)

    def taps(self, c: int, rows: np.ndarray, source: np.ndarray) -> None:
        """The taps of column ``c``, two for each interferometer."""
        _, _, first, last = self.sweeper.spans[c]
        count, batch = last - first, source.shape[1]
        there = self.seen[2 * first : 2 * last].reshape(count, 2, batch)
        pairs = self.sweeper.pair(c, source)
        if self.powers:
            fields = self.sweeper.buffer("taps", self.sweeper.n, batch)[: 2 * count].reshape(count, 2, batch)
            _power(np.matmul(rows[first:last], pairs, out=fields), there)
        else:
            np.matmul(rows[first:last], pairs, out=there)

    def outputs(self, fields: np.ndarray) -> None:
        """The taps behind the output heaters."""
        there = self.seen[-self.sweeper.n :]
        if self.powers:
            _power(fields, there)
        else:
            there[...] = fields


def _power(fields: np.ndarray, out: np.ndarray) -> None:
    np.square(fields.real, out=out)
    out += np.square(fields.imag)
