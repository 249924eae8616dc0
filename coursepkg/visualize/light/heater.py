"""Two fields at one heater, three powers, and the loss while the heater turns.

The one idea: the light that comes from the left and the light that comes from behind meet as two arrows. Where both
together are brighter than the two apart, the loss rises with the phase of this heater; where they are darker, it falls.
Half of the difference is the slope (T. Hughes et al., *Optica* 5, 2018).
"""

import cmath
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from coursepkg.visualize.paper import Picture, Plane, format_number, page, picture_of, svg
from coursepkg.visualize.paper.style import GRADIENT, GRID, HIGHLIGHT, INK, MUTED, PAPER, VALUE, use_style

_SIDE, _LEFT, _BARS, _LONGEST, _WIDTH = 230.0, 14.0, 260.0, 236.0, 520.0


def draw_heater(
    forward: complex, backward: complex, losses: Sequence[float], *, turned: float, title: str = ""
) -> Picture:
    """Draw what meets at one heater, the three powers that a camera sees, and the loss over the heater's phase.

    Parameters
    ----------
    forward, backward : complex
        Field of the light that was sent from the left, and of the adjoint light that came from behind, behind this
        heater. The second arrow is ``-1j`` times the conjugate of `backward`: that is what is sent in the third pass.
    losses : sequence of float
        The loss at evenly spaced phases of this heater, from no turn to a full one.
    turned : float
        How far the heater has turned, in radians; the mark on the curve.
    title : str
        A line over the drawing.

    Raises
    ------
    ValueError
        If a field is not finite, both are dark, or there are fewer than three losses.

    Examples
    --------
    >>> print(draw_heater(1.0, 0.5j, [0, 0.5, 0], turned=math.pi).alt)
    Two fields at one heater: forward 1 + 0i, from behind −0.5 + 0i. Powers 1 and 0.25, together 0.25, which is 1 less than both apart. Half of it is the slope, −0.5. Below, the loss over the phase, from 0 to 0.5.
    """  # noqa: E501
    first, second = complex(forward), -1j * complex(backward).conjugate()
    if not (cmath.isfinite(first) and cmath.isfinite(second)) or not (first or second):
        raise ValueError(f"two finite fields, at least one of them with light, can meet; got {forward}, {backward}")
    if len(losses) < 3:
        raise ValueError(f"a curve of the loss needs at least three values, got {len(losses)}")
    powers = [abs(first) ** 2, abs(second) ** 2, abs(first + second) ** 2]
    slope = (powers[2] - powers[0] - powers[1]) / 2
    parts = _arrows(first, second) + _bars(powers, (abs(first) + abs(second)) ** 2, slope)
    words = _words(first, second, powers, slope, losses)
    curve = picture_of(_plot(losses, turned, slope), words).svg
    top = 2 * _LEFT + _SIDE
    parts.append(svg.nested(curve, 0, top))
    return page(_WIDTH, top + svg.size_of(curve)[1], parts, words, title=title)


def _arrows(first: complex, second: complex) -> list[str]:
    """Both fields head to tail, and what they are together, at a scale that no turn of the phase changes."""
    plane = Plane(1.08 * (abs(first) + abs(second)), side=_SIDE, left=_LEFT)
    middle, corner, end = (plane.at((z.real, z.imag)) for z in (0j, first, first + second))
    return [
        svg.rectangle(_LEFT, _LEFT, _SIDE, _SIDE, fill=PAPER, stroke=GRID),
        *plane.axes(("Re", "Im")),
        *svg.arrow(middle, end, stroke=INK, width=3.4, dash="6 3", role="arrow"),
        *svg.arrow(middle, corner, stroke=VALUE, width=3, role="arrow"),
        *svg.arrow(corner, end, stroke=GRADIENT, width=3, role="arrow"),
    ]


def _bars(powers: Sequence[float], most: float, slope: float) -> list[str]:
    """The first two powers end to end, the third under them, and the difference in words."""
    scale, apart = _LONGEST / most, powers[0] + powers[1]
    rows = (
        ("forward", VALUE, 0.0, powers[0]),
        ("from behind", GRADIENT, powers[0], powers[1]),
        ("both together", INK, 0.0, powers[2]),
    )
    edge, y = _BARS + scale * apart, _LEFT + 24
    parts = [svg.text(_BARS, _LEFT + 10, "power at this heater", size=13, fill=MUTED, halo=False)]
    parts.append(svg.line(edge, y + 84, edge, y + 144, stroke=MUTED, width=1.4, dash="4 3"))
    for name, colour, start, power in rows:
        parts.append(svg.text(_BARS, y + 12, f"{name}: {_number(power)}", fill=colour, role="power"))
        x, width = _BARS + scale * start, max(scale * power, 1.0)
        parts.append(svg.rectangle(x, y + 18, width, 16, fill=colour, stroke=colour, role="bar"))
        y += 50
    words = "more" if slope > 0 else "less"
    parts.append(svg.text(_BARS, y + 18, f"{_number(abs(2 * slope))} {words} than both apart", halo=False))
    parts.append(svg.text(_BARS, y + 40, f"half of it, the slope: {_number(slope)}", halo=False, weight="bold"))
    return parts


def _plot(losses: Sequence[float], turned: float, slope: float) -> Any:
    """The loss over the phase, and the straight line that the slope promises at the mark."""
    import matplotlib.pyplot as plt

    at = turned % (2 * math.pi)
    phases = [2 * k / (len(losses) - 1) for k in range(len(losses))]
    with use_style():
        fig, ax = plt.subplots(figsize=(_WIDTH / 100, 2.2))
        ax.plot(phases, losses, color=MUTED, linestyle="-")
        limits = ax.get_ylim()
        [here] = np.interp([at / math.pi], phases, losses)
        ends = np.array([-0.6, 0.6])
        ax.plot((at + ends) / math.pi, here + slope * ends, color=INK, linestyle="--")
        ax.plot(at / math.pi, here, marker="o", markersize=9, color=HIGHLIGHT, markeredgecolor=INK)
        ax.set(xlim=(0, 2), ylim=limits, xlabel="phase of this heater / π", ylabel="loss")
    return fig


def _number(value: float) -> str:
    return format_number(round(value, 2) + 0.0)


def _words(first: complex, second: complex, powers: Sequence[float], slope: float, losses: Sequence[float]) -> str:
    forward, behind, both = (_number(power) for power in powers)
    fields = [format_number(complex(round(z.real, 3), round(z.imag, 3))) for z in (first, second)]
    text = f"Two fields at one heater: forward {fields[0]}, from behind {fields[1]}. Powers {forward} and {behind}, "
    text += f"together {both}, which is {_number(abs(2 * slope))} {'more' if slope > 0 else 'less'} than both apart. "
    text += f"Half of it is the slope, {_number(slope)}. Below, the loss over the phase, "
    return f"{text}from {_number(min(losses))} to {_number(max(losses))}."
