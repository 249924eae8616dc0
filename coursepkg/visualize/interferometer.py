"""One interferometer with its light, and the fringes that its two heaters draw.

The one idea: hardware and curve belong together. Above, the light on its way; below, the power at the two outputs for
every setting of one heater, with a mark at the setting of the drawing above.
"""

import math
from collections.abc import Sequence

import numpy as np

from coursepkg.photonics import Mesh, mzi
from coursepkg.visualize import svg
from coursepkg.visualize.axes import Frame
from coursepkg.visualize.mesh import draw_mesh
from coursepkg.visualize.picture import Picture
from coursepkg.visualize.scale import Scale
from coursepkg.visualize.style import CYCLE, MUTED
from coursepkg.visualize.text import format_number

_PLOT, _TALL, _LEFT, _GAP = 210.0, 120.0, 56.0, 70.0
_TOP, _BOTTOM = CYCLE[0], CYCLE[1]


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

    Returns
    -------
    Picture

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
    hardware = draw_mesh(mesh, trace, output_heaters=False, title=title)
    total = float((np.abs(fields) ** 2).sum())
    angles = np.linspace(0, 2 * np.pi, 97)
    fringes = {
        "theta": np.abs(mzi(angles, np.full(97, phi)) @ fields) ** 2,
        "phi": np.abs(mzi(np.full(97, theta), angles) @ fields) ** 2,
    }
    out = np.abs(trace[-1]) ** 2
    return Picture(
        _page(hardware.svg, fringes, angles, {"theta": theta, "phi": phi}, out, total, title),
        _say(theta, phi, np.abs(fields) ** 2, out, fringes, title),
    )


def _page(
    hardware: str, fringes: dict[str, np.ndarray], angles: np.ndarray, at: dict[str, float], out: np.ndarray,
    total: float, title: str,
) -> str:  # fmt: skip
    top = (188.0 if title else 162.0) + 30
    parts = [svg.nested(hardware, 0, 0)]
    for number, (name, powers) in enumerate(fringes.items()):
        left = _LEFT + number * (_PLOT + _GAP)
        frame = Frame(Scale(0, 2 * math.pi, left, left + _PLOT), Scale(0, 1.05 * total, top + _TALL, top))
        parts += frame.axes(xlabel=name, ylabel="power" if number == 0 else "", half_turns=True)
        for port, (stroke, dash, kind) in enumerate(((_TOP, "-", "o"), (_BOTTOM, "--", "s"))):
            parts.append(frame.curve(angles, powers[:, port], stroke=stroke, dash=dash))
            parts += frame.dots([at[name] % (2 * math.pi)], [out[port]], fill=stroke, kind=kind, size=5)
    y = top + _TALL + 58
    parts += frame_legend(_LEFT, y, (("top output", _TOP, ""), ("bottom output", _BOTTOM, "6 4")))
    return svg.document(_LEFT + 2 * _PLOT + _GAP + 24, y + 14, parts, title=title)


def frame_legend(x: float, y: float, entries: Sequence[tuple[str, str, str]]) -> list[str]:
    """Names beside short lines: (name, colour, dash)."""
    parts = []
    for name, stroke, dash in entries:
        parts.append(svg.line(x, y - 4, x + 28, y - 4, stroke=stroke, width=2.4, dash=dash))
        parts.append(svg.text(x + 36, y, name, size=12, fill=MUTED, halo=False))
        x += 60 + 7.2 * len(name)
    return parts


def _say(
    theta: float, phi: float, entering: np.ndarray, out: np.ndarray, fringes: dict[str, np.ndarray], title: str
) -> str:
    text = f"{title.rstrip('. ')}. " if title else ""
    text += f"Interferometer with theta = {format_number(theta)} and phi = {format_number(phi)}."
    ends = [", ".join(_power(p) for p in powers) for powers in (entering, out)]
    reach = {name: (_power(p[:, 0].min()), _power(p[:, 0].max())) for name, p in fringes.items()}
    text += f" Powers at the inputs {ends[0]}; at the outputs {ends[1]}. Below, the fringes: over theta the top output "
    text += (
        f"goes from {reach['theta'][0]} to {reach['theta'][1]}; over phi from {reach['phi'][0]} to {reach['phi'][1]}."
    )
    return text


def _power(value: float) -> str:
    """Rounded to three digits after the point, so that no rounding noise is read out."""
    return format_number(round(float(value), 3))
