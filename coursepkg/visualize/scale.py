"""A number axis: from values to pixels, and the round numbers to write beside it.

The one idea: ticks stand at 1, 2 or 5 times a power of ten, so that a reader can count in between.
"""

import math
from collections.abc import Iterable

_NEAR = 1e-9


class Scale:
    """A stretch of numbers laid along a stretch of pixels.

    Parameters
    ----------
    low, high : float
        The numbers at both ends.
    start, stop : float
        The pixels there.
    log : bool
        Equal ratios, not equal differences, are equally far apart.

    Raises
    ------
    ValueError
        If the ends are not finite or out of order, or not positive on a logarithmic axis.

    Examples
    --------
    >>> scale = Scale(0.0, 2.0, 0.0, 100.0)
    >>> scale.at(0.5), scale.ticks(4)
    (25.0, [0.0, 0.5, 1.0, 1.5, 2.0])
    """

    def __init__(self, low: float, high: float, start: float, stop: float, *, log: bool = False) -> None:
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise ValueError(f"an axis goes from a number to a larger one, got {low} to {high}")
        if log and low <= 0:
            raise ValueError(f"a logarithmic axis has only positive numbers, got {low} to {high}")
        self.low, self.high, self.start, self.stop, self.log = float(low), float(high), start, stop, log

    def at(self, value: float) -> float:
        """The pixel of a number; numbers beyond an end lie beyond the last pixel."""
        low, high, value = (math.log10(v) if self.log else v for v in (self.low, self.high, value))
        return self.start + (self.stop - self.start) * (value - low) / (high - low)

    def ticks(self, most: int = 6) -> list[float]:
        """At most about `most` round numbers between the ends."""
        if self.log:
            return self._powers(most)
        size = (self.high - self.low) / most
        power = 10.0 ** math.floor(math.log10(size))
        step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= size * (1 - _NEAR))
        first, last = math.ceil(self.low / step - _NEAR), math.floor(self.high / step + _NEAR)
        return [float(f"{k * step:.12g}") for k in range(first, last + 1)]

    def _powers(self, most: int) -> list[float]:
        low, high = math.log10(self.low), math.log10(self.high)
        factors = (1, 2, 5) if 3 * (high - low) <= most else (1,)
        step = max(1, math.ceil((high - low) / most)) if factors == (1,) else 1
        powers = range(math.floor(low), math.ceil(high) + 1, step)
        found = [factor * 10.0**power for power in powers for factor in factors]
        return [tick for tick in found if self.low * (1 - _NEAR) <= tick <= self.high * (1 + _NEAR)]


def span(values: Iterable[float], *, margin: float = 0.05, log: bool = False) -> tuple[float, float]:
    """The ends of an axis that holds all values with a little room.

    Examples
    --------
    >>> span([1.0, 3.0], margin=0.5)
    (0.0, 4.0)
    """
    found = [math.log10(v) if log else float(v) for v in values]
    low, high = min(found), max(found)
    room = margin * (high - low) or 0.5
    low, high = low - room, high + room
    return (10.0**low, 10.0**high) if log else (low, high)
