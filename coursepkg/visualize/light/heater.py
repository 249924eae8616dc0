"""One heater and one interferometer: what the light does there, and the curve that turning a heater draws.

The one idea: hardware and curve belong together. At a heater two fields meet as two arrows; where both together are
brighter than the two apart, the loss rises with the phase, and half of the difference is the slope (T. Hughes et al.,
*Optica* 5, 2018). Below an interferometer stand the fringes of its two heaters.
"""

import cmath
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from coursepkg.photonics import Mesh, mzi
from coursepkg.visualize.light.mesh import draw_mesh
from coursepkg.visualize.paper import Picture, Plane, format_number, page, picture_of, svg, use_style
from coursepkg.visualize.paper.style import CYCLE, DASHES, GRADIENT, GRID, HIGHLIGHT, INK, MARKERS, MUTED, PAPER, VALUE

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
    for top, end in ((84, 97), (116, 144)):  # not through what is written between the bars
        parts.append(svg.line(edge, y + top, edge, y + end, stroke=MUTED, width=1.4, dash="4 3"))
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


def draw_interferometer(theta: float, phi: float, x: Sequence[complex] = (1.0, 0.0), *, title: str = "") -> Picture:
    """Draw one interferometer at work and its fringes over theta and over phi.

    Parameters
    ----------
    theta, phi : float
        Phases of the heaters, in radians.
    x : sequence of two complex
        Fields at the top and the bottom input; not both zero.
    title : str
        A line over the drawing.

    Raises
    ------
    ValueError
        If there is no light, or a number is not finite.

    Examples
    --------
    >>> print(draw_interferometer(0.0, 0.0).alt)
    Interferometer with theta = 0 and phi = 0. Powers at the inputs 1, 0; at the outputs 0, 1. Below, the fringes: over theta the top output goes from 0 to 1; over phi from 0 to 0.
    """  # noqa: E501
    fields = np.asarray(x, dtype=complex)
    if fields.shape != (2,) or not np.isfinite(fields).all() or not np.abs(fields).any():
        raise ValueError(f"an interferometer has two inputs, at least one of them with light; got {x!r}")
    mesh = Mesh(2, phases=[theta, phi, 0.0, 0.0])
    trace = mesh.trace(fields)
    angles = np.linspace(0, 2 * np.pi, 97)
    fringes = {
        "theta": np.abs(mzi(angles, np.full(97, phi)) @ fields) ** 2,
        "phi": np.abs(mzi(np.full(97, theta), angles) @ fields) ** 2,
    }
    entering, out = np.abs(fields) ** 2, np.abs(trace[-1]) ** 2
    words = _say_fringes(theta, phi, entering, out, fringes)
    hardware = draw_mesh(mesh, trace, output_heaters=False)
    curves = picture_of(_plot_fringes(fringes, {"theta": theta, "phi": phi}, out, float(entering.sum())), words)
    (wide, top), (width, tall) = svg.size_of(hardware.svg), svg.size_of(curves.svg)
    parts = [svg.nested(hardware.svg, 0, 0), svg.nested(curves.svg, 0, top)]
    return page(max(wide, width), top + tall, parts, words, title=title)


def _plot_fringes(fringes: dict[str, np.ndarray], at: dict[str, float], out: np.ndarray, total: float) -> Any:
    import matplotlib.pyplot as plt

    with use_style():
        fig, plots = plt.subplots(1, 2, figsize=(5.6, 2.3), sharey=True, layout="none")  # as in charts that turn
        fig.subplots_adjust(left=0.13, right=0.97, bottom=0.34, top=0.96, wspace=0.1)
        for ax, (name, powers) in zip(plots, fringes.items(), strict=True):
            for port, label in enumerate(("top output", "bottom output")):
                style: Any = {"color": CYCLE[port], "linestyle": DASHES[port]}
                ax.plot(np.linspace(0, 2, len(powers)), powers[:, port], label=label, **style)
                ax.plot(at[name] / np.pi % 2, out[port], marker=MARKERS[port], color=CYCLE[port])
            ax.set(xlabel=f"{name} / π", ylim=(0, 1.08 * total))
        plots[0].set_ylabel("power")
        fig.legend(*plots[0].get_legend_handles_labels(), loc="lower center", ncols=2)
    return fig


def _say_fringes(
    theta: float, phi: float, entering: np.ndarray, out: np.ndarray, fringes: dict[str, np.ndarray]
) -> str:
    ends = [", ".join(_power(p) for p in powers) for powers in (entering, out)]
    reach = [f"from {_power(p[:, 0].min())} to {_power(p[:, 0].max())}" for p in fringes.values()]
    text = f"Interferometer with theta = {format_number(theta)} and phi = {format_number(phi)}. "
    text += f"Powers at the inputs {ends[0]}; at the outputs {ends[1]}. Below, the fringes: "
    return f"{text}over theta the top output goes {reach[0]}; over phi {reach[1]}."


def _power(value: float) -> str:
    """Rounded to three digits after the point, so that no rounding noise is read out."""
    return format_number(round(float(value), 3))
