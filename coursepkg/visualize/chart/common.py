"""What all charts share: how they write numbers, and what has no place on paper."""

import math
from collections.abc import Iterable
from typing import Any

from coursepkg.visualize.paper import format_number


def words(number: float, percent: bool = False) -> str:
    """A number, or a share in per cent."""
    return f"{100 * number:.1f} %" if percent else format_number(number)


def finite(values: Iterable[float], what: str) -> None:
    """Raise ``ValueError`` if one of the values is infinite or not a number."""
    broken = [value for value in values if not abs(value) < float("inf")]
    if broken:
        raise ValueError(f"{what} is {broken[0]}, which has no place on paper; use finite numbers")


def ticks(low: float, high: float) -> list[float]:
    """About six round numbers in a range."""
    rough = (high - low) / 6
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    return [round(k * step, 10) for k in range(math.ceil(low / step), math.floor(high / step) + 1)]


def plain_logs(axes: Any) -> None:
    """Write the ticks of logarithmic axes as plain numbers: small exponents cannot be read on a phone."""
    from matplotlib.ticker import LogFormatter

    class Plain(LogFormatter):
        def __call__(self, x: float, pos: Any = None) -> str:
            return format_number(x) if super().__call__(x, pos) else ""

    for axis in (axes.xaxis, axes.yaxis):
        if axis.get_scale() == "log":
            axis.set_major_formatter(Plain())
            axis.set_minor_formatter(Plain())


def in_percent(axis: Any) -> None:
    """Write the ticks of a Matplotlib axis in per cent."""
    axis.set_major_formatter(lambda value, _: f"{format_number(100 * value)} %")
