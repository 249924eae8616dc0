"""In situ backpropagation as a figure that moves: three passes of light, and the gradient that a camera reads off them.

The one idea: one piece of hardware is lit three times, from the left, from behind, and by both together. At each heater
two arrows meet, and the power of their sum tells how they stand to each other. That is the gradient.
"""

import cmath
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from coursepkg.visualize.alive.story import Question, Story
from coursepkg.visualize.light.mesh import LARGEST, draw_mesh, heater_places, line_of, size_of, stretches
from coursepkg.visualize.light.phasors import DARK_WHEEL, FAINT, WIDEST, phase_colour
from coursepkg.visualize.paper import format_number, plural, subscripted, svg

_TOP = 44.0
_PLANE, _BARS = 188.0, 260.0  # pixels: the side of the plane of the arrows, the longest bar
_NAMES = ("Forward pass", "Backward pass", "Third pass")
_SENT = (
    "x is sent from the left",
    "the adjoint field is sent from the right, into the same hardware",
    "x and, with a factor −i, the conjugate of what came out at the left are sent together",
)
_SEEN = ("|x|²", "|a|²", "the interference of both beams")
_CAPTION = (
    "A beam is as wide as its power; its colour and the clocks show its phase. Below, one heater: the field that comes "
    "[forward](value), the one that the [backward](gradient) light brings, and [both together](hot), each with the "
    "power that a camera sees. Press a heater to choose it."
)


def tell_light(mesh: Any, x: Any, adjoint: Any, gradient: Sequence[float], *, title: str = "") -> Story:
    """Show the forward, the backward and the third pass of light, and the subtraction.

    Parameters
    ----------
    mesh : coursepkg.photonics.Mesh
        At most 8 waveguides.
    x, adjoint : array, shape (n,)
        Field at the inputs, and the field that is sent back from the outputs.
    gradient : sequence of float, shape (n * n,)
        The measured gradient, in the order of ``mesh.phases``, computed by the caller.
    title : str
        A line over the figure.

    Raises
    ------
    ValueError
        If the mesh is too large to be read, or there is not one number for each heater.
    """
    slopes = [float(value) for value in gradient]
    if mesh.n > LARGEST:
        raise ValueError(f"a mesh of up to {LARGEST} waveguides can be drawn so that it can be read, got {mesh.n}")
    if len(slopes) != mesh.n**2:
        raise ValueError(f"this mesh has {mesh.n**2} heaters, got {len(slopes)} numbers")
    start = np.asarray(x, dtype=complex)
    back = mesh.backward_trace(adjoint)
    both = start - 1j * np.conj(back[0])
    light = [mesh.trace(start), back, mesh.trace(both)]
    powers = [mesh.forward_taps(start, powers=True)[1], mesh.backward_taps(adjoint, powers=True)[1]]
    powers.append(mesh.forward_taps(both, powers=True)[1])
    arrows = mesh.forward_taps(start)[1], -1j * np.conj(mesh.backward_taps(adjoint)[1]), mesh.forward_taps(both)[1]
    names = _heater_names(mesh)
    largest = max(range(len(slopes)), key=lambda k: abs(slopes[k]))
    right, tall, _ = size_of(mesh)
    states = _states(mesh)
    data = {
        "size": [right + 60, _TOP + tall + 44],
        **_beams(mesh, light), **_heaters(mesh, names, powers, slopes),
        "part": [part for part, _, _ in states], "front": [front for _, front, _ in states],
        "seen": [seen for _, _, seen in states], "ends": [_ends(mesh, fields, right) for fields in light],
        "ways": ["light goes forward →", "← light goes backward", "light goes forward →"],
        "first": largest, "plane": _PLANE, **_meetings(arrows, powers, slopes),
        "told": [_told(name, [float(row[k]) for row in powers], slopes[k]) for k, name in enumerate(names)],
    }  # fmt: skip
    say = _say(mesh, slopes[largest], names[largest])
    last = len(say) - 1
    return Story(
        "light", len(say), title, _CAPTION, data,
        draw_mesh(mesh, light[2], heaters=slopes, title="Both beams, and the gradient at each heater"),
        say=say, phases=_phases(states), asks={last: _ask(names[largest], [float(row[largest]) for row in powers])},
    )  # fmt: skip


def _states(mesh: Any) -> list[tuple[int, float, int]]:
    """Of each state the pass, how far its light has come in pixels, and how many passes the camera has seen."""
    right, _, left = size_of(mesh)
    found = []
    for part in range(3):
        way = [line_of(mesh, c) for c in range(mesh.depth + 1)]
        fronts = [*way[:-1], right] if part != 1 else [way[-1], *way[-2:0:-1], left]
        found += [(part, front, part) for front in fronts] + [(part, fronts[-1], part + 1)]
    return [*found, (3, right, 4)]


def _phases(states: Sequence[tuple[int, float, int]]) -> list[tuple[int, str, str]]:
    first = [next(k for k, (part, _, _) in enumerate(states) if part == which) for which in range(4)]
    names = (("forward", "value"), ("backward", "gradient"), ("both", "hot"), ("", ""))
    return [(k, *name) for k, name in zip(first, names, strict=True)]


def _say(mesh: Any, slope: float, name: str) -> list[str]:
    say = []
    for part, words in enumerate(_NAMES):
        say.append(f"{words}: {_SENT[part]}.")
        columns = range(1, mesh.depth + 1)
        say += [f"{words}: the light has gone through {plural(c, 'column')} of {mesh.depth}." for c in columns]
        say.append(f"{words}: done. The camera writes down the power at every heater: {_SEEN[part]}.")
    end = "Half of (sum − forward − backward) at each heater is the gradient of its phase. "
    end += f"The largest is {format_number(slope, 2)}, at {name}; a step of descent turns that heater "
    return [*say, f"{end}{'down' if slope > 0 else 'up'}."]


def _ask(name: str, seen: Sequence[float]) -> Question:
    """Which sign the gradient has, before the subtraction is shown."""
    forward, backward, both = seen
    numbers = _alike(seen)
    text = f"At {name} the camera saw {numbers[0]} forward, {numbers[1]} backward and {numbers[2]} with both. "
    text += "What sign has the gradient there?"
    hint = "Compare the power of both with what the two passes give together."
    grows = bool(both > forward + backward)
    return Question(text, choices=[("positive", grows, hint), ("negative", not grows, hint)])


def _told(name: str, seen: Sequence[float], slope: float) -> str:
    forward, backward, both, half = _alike([*seen, slope])
    return f"At {name}: half of ({both} − {forward} − {backward}) is {half}."


def _alike(values: Sequence[float]) -> list[str]:
    """Numbers with equally many digits after the point, four in the largest, so that their difference comes out."""
    places = 3 - math.floor(math.log10(max(map(abs, values)) or 1.0))
    return [format_number(round(value, places), 4) for value in values]


# --- the hardware and the light in it ---------------------------------------------------------------------------


def _beams(mesh: Any, light: Sequence[Any]) -> dict[str, Any]:
    """Where light runs, how wide and in which colours in each pass, and the clocks between the columns."""
    passes = [stretches(mesh, fields, _TOP, backward=part == 1) for part, fields in enumerate(light)]
    full = max(float((np.abs(fields) ** 2).sum(axis=1).max()) for fields in light) or 1.0
    where = [(line_of(mesh, c), _TOP + m * (size_of(mesh)[1] / max(mesh.n - 1, 1))) for c, m in _places(mesh)]
    return {
        "pieces": [[each.commands, round(each.start, 1), round(each.end, 1)] for each in passes[0]],
        "beams": [[_beam(piece.field, full) for piece in pieces] for pieces in passes],
        "clocks": [[round(x, 1), round(y, 1)] for x, y in where],
        "hands": [[_hand(complex(fields[c][m]), full) for c, m in _places(mesh)] for fields in light],
    }


def _places(mesh: Any) -> list[tuple[int, int]]:
    return [(c, m) for c in range(mesh.depth + 1) for m in range(mesh.n)]


def _colours(field: complex) -> list[str]:
    return [phase_colour(field), phase_colour(field, DARK_WHEEL)]


def _beam(field: complex, full: float) -> list[Any]:
    """Width and both colours; nothing where it is dark."""
    share = abs(field) ** 2 / full
    return [round(max(1.0, WIDEST * min(share, 1.0)), 1), *_colours(field)] if share >= FAINT else []


def _hand(field: complex, full: float) -> list[Any]:
    if abs(field) ** 2 / full < FAINT:
        return []
    angle = cmath.phase(field)
    return [round(7 * math.cos(angle), 1), round(-7 * math.sin(angle), 1), *_colours(field)]


def _ends(mesh: Any, fields: Any, right: float) -> list[list[Any]]:
    """The powers at both ends: place, and the words."""
    pitch = size_of(mesh)[1] / max(mesh.n - 1, 1)
    at = [(size_of(mesh)[2] - 16, 0), (right + 12, -1)]
    return [
        [round(x, 1), round(_TOP + m * pitch + 4, 1), format_number(round(abs(complex(fields[end][m])) ** 2, 6), 2)]
        for x, end in at for m in range(mesh.n)
    ]  # fmt: skip


# --- the heaters ------------------------------------------------------------------------------------------------


def _heater_names(mesh: Any) -> list[str]:
    inner = mesh.n * (mesh.n - 1)
    names = [f"{'θφ'[k % 2]}{k // 2 + 1}" for k in range(inner)] + [f"γ{m + 1}" for m in range(mesh.n)]
    return [subscripted(name) for name in names]


def _heaters(mesh: Any, names: Sequence[str], powers: Sequence[Any], slopes: Sequence[float]) -> dict[str, Any]:
    """Where the heaters are, and what is written on each after each pass: words, and a share of the largest."""
    largest = max(float(np.max(row)) for row in powers) or 1.0
    steepest = max(abs(slope) for slope in slopes) or 1.0
    heat = [[[format_number(float(value), 2), round(float(value) / largest, 3)] for value in row] for row in powers]
    heat.append([[format_number(slope, 2), round(slope / steepest, 3)] for slope in slopes])
    return {"heaters": [[round(x, 1), round(y, 1)] for x, y in heater_places(mesh, _TOP)], "names": names, "heat": heat}


def _meetings(arrows: Sequence[Any], powers: Sequence[Any], slopes: Sequence[float]) -> dict[str, Any]:
    """At each heater three arrows, head to tail, and the bars of their powers: all heaters to one scale."""
    reach = 1.1 * max(float(np.abs(np.stack([part.real, part.imag])).max()) for part in arrows)
    scale = _PLANE / 2 / reach
    longest = max(float(np.max(powers[2])), float(np.max(powers[0] + powers[1]))) or 1.0

    def pixels(field: complex) -> tuple[float, float]:
        return _PLANE / 2 + scale * field.real, _PLANE / 2 - scale * field.imag

    drawn, bars = [], []
    for k, slope in enumerate(slopes):
        x, a, both = (complex(row[k]) for row in arrows)
        drawn.append([svg.arrow_path(pixels(0j), pixels(x)), svg.arrow_path(pixels(x), pixels(x + a)),
                      svg.arrow_path(pixels(0j), pixels(both), size=18)])  # fmt: skip
        forward, backward, sum_of_both = (_BARS * float(row[k]) / longest for row in powers)
        background = forward + backward
        low, high = sorted((background, sum_of_both))
        ends = [(0.0, forward), (forward, background), (0.0, sum_of_both), (low, high), (low, (low + high) / 2)]
        words = _alike([*(float(row[k]) for row in powers), 2 * slope, slope])
        bars.append([[round(a, 1), round(b, 1), text] for (a, b), text in zip(ends, words, strict=True)])
    return {"arrows": drawn, "bars": bars, "longest": _BARS}
