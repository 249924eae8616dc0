"""What the energy argument says: conversions grow like N, operations like N squared. And what it assumes.

A mesh of N ports does N**2 multiplications for the price of 2N conversions between light and numbers, so for large N
light wins. Where it starts to win depends on every number in :class:`Costs`, above all on what a digital operation
costs today. Model and default values: Pai et al., Science 380:398 (2023), supplementary text, at 1 GHz.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

__all__ = ["Costs", "advantage", "crossover", "digital_energy", "latency", "optical_energy", "smallest_batch"]

FEMTO = 1e-15


@dataclass(frozen=True)
class Costs:
    """Energy per sample, in joules.

    Parameters
    ----------
    operation : float
        One digital operation (six of them make a complex multiply and add).
    modulator : float
        One modulator of amplitude or phase.
    dac : float
        8-bit converter to a voltage; 0 with segmented phase shifters, which are driven by bits directly.
    adc : float
        8-bit converter from a voltage.
    tia : float
        Amplifier behind a photodiode.
    light : float
        Light in one waveguide.
    switch : float
        Switching one analog update.
    """

    operation: float = 100 * FEMTO
    modulator: float = 1 * FEMTO
    dac: float = 5000 * FEMTO
    adc: float = 1380 * FEMTO
    tia: float = 700 * FEMTO
    light: float = 1000 * FEMTO
    switch: float = 1 * FEMTO

    def segmented(self) -> Costs:
        """The same with segmented phase shifters: no converters at the inputs, modulators of 16 fJ."""
        return replace(self, dac=0.0, modulator=16 * FEMTO)


def digital_energy(ports: int, batch: int, costs: Costs | None = None, *, training: bool = False) -> float:
    """Energy of a matrix product, or of a gradient, done by digital operations.

    Parameters
    ----------
    ports, batch : int
        Size N of the matrix and number M of examples.
    costs : Costs, optional
        Energy of the parts.
    training : bool
        A gradient, ``12 M N**2`` operations, in place of an inference, ``6 M N**2``.

    Returns
    -------
    float
        Joules.
    """
    costs = costs or Costs()
    return (12 if training else 6) * batch * ports**2 * costs.operation


def optical_energy(ports: int, batch: int, costs: Costs | None = None, *, training: bool = False) -> float:
    """Energy of the same done by light, analog update included.

    Parameters
    ----------
    ports, batch : int
        Number N of ports of the mesh and number M of examples.
    costs : Costs, optional
        Energy of the parts.
    training : bool
        A gradient: the conversions of three passes, and one analog read-out and update per heater and batch.

    Returns
    -------
    float
        Joules.
    """
    c = costs or Costs()
    if not training:
        each = 12 * c.operation + 2 * (c.modulator + c.dac + c.light) + 4 * (c.adc + c.tia)
        return batch * ports * each
    each = 36 * c.operation + 6 * (c.modulator + c.dac + c.light) + 8 * (c.adc + c.tia)
    return batch * ports * each + ports**2 * (4 * c.tia + 20 * c.switch)


def advantage(ports: int, batch: int, costs: Costs | None = None, *, training: bool = False) -> float:
    """How many times less energy light needs.

    Parameters
    ----------
    ports, batch, costs, training
        As for :func:`optical_energy`.

    Examples
    --------
    >>> round(advantage(64, 16, Costs().segmented(), training=True), 4)
    2.0417
    """
    return digital_energy(ports, batch, costs, training=training) / optical_energy(
        ports, batch, costs, training=training
    )


def crossover(factor: float = 1.0, batch: int = 1, costs: Costs | None = None, *, training: bool = False) -> int | None:
    """Smallest number of ports at which light needs ``factor`` times less energy.

    Parameters
    ----------
    factor : float
        The advantage asked for.
    batch, costs, training
        As for :func:`optical_energy`.

    Returns
    -------
    int or None
        ``None`` if no number of ports is enough.

    Examples
    --------
    >>> crossover(), crossover(2.0, 16, training=True), crossover(2.0, 4, training=True)
    (36, 133, None)
    """
    # The advantage is a N / (b + c N) with positive numbers: it rises towards a / c, so one division finds the place.
    base = digital_energy(1, batch, costs, training=training)
    first, second = (optical_energy(n, batch, costs, training=training) for n in (1, 2))
    square = (second - 2 * first) / 2
    linear = first - square
    room = base - factor * square
    if room <= 0 or math.isclose(base, factor * square, rel_tol=1e-12):
        return None
    ports = max(1, math.floor(factor * linear / room) - 1)
    while advantage(ports, batch, costs, training=training) < factor:
        ports += 1
    return ports


def smallest_batch(ports: int, factor: float, costs: Costs | None = None, *, limit: int = 1_000_000) -> int | None:
    """Smallest batch at which training with light needs ``factor`` times less energy.

    Parameters
    ----------
    ports : int
        Number of ports.
    factor : float
        The advantage asked for.
    costs : Costs, optional
        Energy of the parts.
    limit : int
        Where to stop looking.

    Returns
    -------
    int or None
        ``None`` if no batch up to ``limit`` is enough.

    Examples
    --------
    >>> smallest_batch(64, 2.0, Costs().segmented())
    15
    """
    if advantage(ports, limit, costs, training=True) < factor:
        return None
    low, high = 1, limit
    while low < high:
        middle = (low + high) // 2
        if advantage(ports, middle, costs, training=True) >= factor:
            high = middle
        else:
            low = middle + 1
    return low


def latency(ports: int, *, column_length: float = 300e-6, group_index: float = 4.2) -> float:
    """Time that light takes through a rectangular mesh: one pass is one matrix product.

    Parameters
    ----------
    ports : int
        Number of ports, which is the number of columns.
    column_length : float
        Length of a column in metres; 300 micrometres is typical of silicon with thermal heaters.
    group_index : float
        How many times slower than in vacuum a pulse travels in a silicon waveguide.

    Returns
    -------
    float
        Seconds.

    Examples
    --------
    >>> f"{1e9 * latency(64):.2f} ns"
    '0.27 ns'
    """
    return ports * column_length * group_index / 299_792_458.0
