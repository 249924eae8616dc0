"""One interferometer with its light, and the fringes that its two heaters draw.

The one idea: hardware and curve belong together. Above, the light on its way; below, the power at the two outputs for
every setting of one heater, with a mark at the setting of the drawing above.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from coursepkg.photonics import Mesh, mzi
from coursepkg.visualize.light.mesh import draw_mesh
from coursepkg.visualize.paper import CYCLE, DASHES, MARKERS, Picture, format_number, page, picture_of, svg, use_style


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
    words = _say(theta, phi, entering, out, fringes)
    hardware = draw_mesh(mesh, trace, output_heaters=False)
    curves = picture_of(_plot(fringes, {"theta": theta, "phi": phi}, out, float(entering.sum())), words)
    (wide, top), (width, tall) = svg.size_of(hardware.svg), svg.size_of(curves.svg)
    parts = [svg.nested(hardware.svg, 0, 0), svg.nested(curves.svg, 0, top)]
    return page(max(wide, width), top + tall, parts, words, title=title)


def _plot(fringes: dict[str, np.ndarray], at: dict[str, float], out: np.ndarray, total: float) -> Any:
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


def _say(theta: float, phi: float, entering: np.ndarray, out: np.ndarray, fringes: dict[str, np.ndarray]) -> str:
    ends = [", ".join(_power(p) for p in powers) for powers in (entering, out)]
    reach = [f"from {_power(p[:, 0].min())} to {_power(p[:, 0].max())}" for p in fringes.values()]
    text = f"Interferometer with theta = {format_number(theta)} and phi = {format_number(phi)}. "
    text += f"Powers at the inputs {ends[0]}; at the outputs {ends[1]}. Below, the fringes: "
    return f"{text}over theta the top output goes {reach[0]}; over phi {reach[1]}."


def _power(value: float) -> str:
    """Rounded to three digits after the point, so that no rounding noise is read out."""
    return format_number(round(float(value), 3))
