"""A mesh of interferometers drawn as hardware, with light in it.

The one idea: waveguides run from left to right and pinch together where two of them couple. The light is drawn on top,
as wide as its power and in the colour of its phase, so that forward and backward passes are seen in one and the same
hardware; numbers on the heaters say what a camera saw there, or the gradient.
"""

import cmath
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from coursepkg.photonics.mzi import coupler
from coursepkg.visualize.light.phasors import beam, clock, legend
from coursepkg.visualize.paper import EDGE, INK, MUTED, PAPER, Picture, format_number, page, plural, signed, svg

LARGEST = 8
_PITCH, _COLUMN, _LEFT, _END = 58.0, 168.0, 74.0, 70.0
_PHI, _BEND, _FIRST, _OPEN, _THETA, _CLOSE, _SECOND = 26.0, 50.0, 74.0, 94.0, 110.0, 126.0, 146.0
_ARM, _TOUCH, _TOP = 13.0, 2.5, 50.0


@dataclass(frozen=True)
class _Piece:
    """A stretch of one waveguide, the light in it, and from which x to which it goes."""

    commands: str
    field: complex
    start: float
    end: float


def draw_mesh(
    mesh: Any,
    fields: Any = None,
    *,
    backward: bool = False,
    heaters: Sequence[float] | None = None,
    output_heaters: bool = True,
    title: str = "",
) -> Picture:
    """Draw a mesh, the light in it, and a number on each of its heaters.

    Parameters
    ----------
    mesh : coursepkg.photonics.Mesh
        At most 8 waveguides.
    fields : array, shape (depth + 2, n), optional
        Complex amplitudes between the columns: ``mesh.trace(x)``, or ``mesh.backward_trace(y)`` with `backward`.
    backward : bool
        The light goes from right to left.
    heaters : sequence of float, shape (n * n,), optional
        Numbers in the order of ``mesh.phases``; written on the heaters, and as a colour centred at zero.
    output_heaters : bool
        Draw the heaters behind the last column; without them a mesh of two waveguides is one interferometer.
    title : str
        A line over the drawing.

    Raises
    ------
    ValueError
        If the mesh is too large to be read, or arrays do not fit it.

    Examples
    --------
    >>> from coursepkg.photonics import Mesh
    >>> mesh = Mesh(2, phases=[3.141592653589793, 0.0, 0.0, 0.0])
    >>> print(draw_mesh(mesh, mesh.trace([1.0, 0.0])).alt)
    Mesh of 2 waveguides and 1 interferometer in 1 column. Light goes forward. Powers at the inputs 1, 0; at the outputs 1, 0.
    """  # noqa: E501
    _check(mesh, fields, heaters)
    right, tall, _ = size_of(mesh)
    parts = guides(mesh, _TOP)
    if fields is not None:
        full = max(float((abs(row) ** 2).sum()) for row in fields) or 1.0
        parts += light(mesh, fields, _TOP, full, backward=backward) + _ends(mesh, fields, _TOP, right, backward)
        parts += legend(14, _TOP + tall + 36)
    parts += boxes(mesh, _TOP, heaters, mesh.n**2 if output_heaters else mesh.n * (mesh.n - 1))
    return page(right + 76, _TOP + tall + 54, parts, _say(mesh, fields, backward, heaters), title=title)


def _check(mesh: Any, fields: Any, heaters: Sequence[float] | None) -> None:
    if mesh.n > LARGEST:
        raise ValueError(f"a mesh of up to {LARGEST} waveguides can be drawn so that it can be read, got {mesh.n}")
    shape = (mesh.depth + 2, mesh.n)
    if fields is not None and getattr(fields, "shape", None) != shape:
        given = getattr(fields, "shape", type(fields).__name__)
        raise ValueError(f"the light of this mesh has shape {shape}; pass mesh.trace(x) of one x, got {given}")
    if heaters is not None and len(heaters) != mesh.n**2:
        raise ValueError(f"this mesh has {mesh.n**2} heaters, got {len(heaters)} numbers")


# --- the hardware ----------------------------------------------------------------------------------------------------


def guides(mesh: Any, top: float) -> list[str]:
    """The waveguides, as thin grey lines."""
    dark = [[0j] * mesh.n] * (mesh.depth + 2)
    return [svg.path(each.commands, stroke=EDGE, width=1.0, role="guide") for each in stretches(mesh, dark, top)]


def stretches(mesh: Any, fields: Any, top: float, *, backward: bool = False) -> list[_Piece]:
    """Everything that light runs through, from left to right, and the light in it."""
    columns = [piece for c in range(mesh.depth) for piece in _column(mesh, fields, top, c, backward)]
    return columns + _tail(mesh, fields, top)


def size_of(mesh: Any) -> tuple[float, float, float]:
    """The width and the height that the hardware takes, and where its columns begin."""
    return _LEFT + mesh.depth * _COLUMN + _END, (mesh.n - 1) * _PITCH, _LEFT


def line_of(mesh: Any, place: int) -> float:
    """Where in pixels the columns that light has passed end, `place` of them."""
    return _LEFT + min(place, mesh.depth) * _COLUMN


def boxes(mesh: Any, top: float, values: Sequence[float] | None, count: int) -> list[str]:
    """The first `count` heaters, with their numbers if there are some."""
    places = heater_places(mesh, top)[:count]
    largest = max((abs(float(v)) for v in values), default=0.0) if values is not None else 0.0
    parts = []
    for number, (x, y) in enumerate(places):
        share = float(values[number]) / largest if values is not None and largest else 0.0
        fill = signed(share) if values is not None else PAPER
        parts.append(svg.rectangle(x - 9, y - 6, 18, 12, radius=2, fill=fill, stroke=INK, line_width=1, role="heater"))
        if values is not None:
            words = format_number(float(values[number]), 2)
            parts.append(svg.text(x, y - 10, words, size=13, anchor="middle", role="heat"))
        else:
            k = number % 2 if number < mesh.n * (mesh.n - 1) else 2
            parts.append(svg.text(x, y - 10, "θφγ"[k], size=13, anchor="middle", fill=MUTED, role="name"))
    return parts


def heater_places(mesh: Any, top: float) -> list[tuple[float, float]]:
    """Pixels of all heaters, in the order of ``mesh.phases``."""
    found = []
    for c, m in zip(*mesh.positions, strict=True):
        x, y = _LEFT + int(c) * _COLUMN, top + int(m) * _PITCH
        found.append((x + _THETA, y + _PITCH / 2 - _ARM))
        found.append((x + _PHI, y))
    end = _LEFT + mesh.depth * _COLUMN
    return found + [(end + _END / 2 - 6, top + m * _PITCH) for m in range(mesh.n)]


def _column(mesh: Any, fields: Any, top: float, c: int, backward: bool) -> list[_Piece]:
    """All stretches of waveguide in one column."""
    x = _LEFT + c * _COLUMN
    tops = {int(m): k for k, (d, m) in enumerate(zip(*mesh.positions, strict=True)) if d == c}
    pieces = []
    for m in range(mesh.n):
        if m in tops:
            pair = (fields[c][m], fields[c][m + 1]), (fields[c + 1][m], fields[c + 1][m + 1])
            pieces += _interferometer(x, top + m * _PITCH, _inside(mesh, tops[m], *pair, backward))
        elif m - 1 not in tops:
            y = svg.number(top + m * _PITCH)
            pieces.append(_Piece(f"M{svg.number(x)} {y}h{svg.number(_COLUMN)}", fields[c][m], x, x + _COLUMN))
    return pieces


def _inside(mesh: Any, k: int, before: Any, after: Any, backward: bool) -> list[tuple[complex, complex]]:
    """The pairs of fields in an interferometer: before and behind phi, before and behind theta, at its outputs."""
    theta, phi = (cmath.exp(1j * float(mesh.settled_phases()[2 * k + part])) for part in (0, 1))
    first, second = (coupler(error) for error in mesh.coupler_errors[k])
    if backward:
        inner = second @ after
        turned = inner * (theta, 1)
        entry = first @ turned
        return [before, tuple(entry), tuple(turned), tuple(inner), after]
    entry = complex(before[0]) * phi, complex(before[1])
    inner = first @ entry
    return [before, entry, tuple(inner), tuple(inner * (theta, 1)), after]


def _interferometer(x: float, y: float, fields: Sequence[tuple[complex, complex]]) -> list[_Piece]:
    """Both arms of one interferometer, whose top waveguide enters at (x, y)."""
    middle, pieces = y + _PITCH / 2, []
    for arm, sign in ((0, -1), (1, 1)):
        outer, near, wide = middle + sign * _PITCH / 2, middle + sign * _TOUCH, middle + sign * _ARM
        n = svg.number
        stretches = [
            f"M{n(x)} {n(outer)}H{n(x + _PHI)}",
            f"M{n(x + _PHI)} {n(outer)}H{n(x + _BEND)}" + svg.curve(x + _BEND, outer, x + _FIRST, near),
            f"M{n(x + _FIRST)} {n(near)}" + svg.curve(x + _FIRST, near, x + _OPEN, wide) + f"H{n(x + _THETA)}",
            f"M{n(x + _THETA)} {n(wide)}H{n(x + _CLOSE)}" + svg.curve(x + _CLOSE, wide, x + _SECOND, near),
            f"M{n(x + _SECOND)} {n(near)}" + svg.curve(x + _SECOND, near, x + _COLUMN, outer),
        ]
        ends = pairwise([x + place for place in (0.0, _PHI, _FIRST, _THETA, _SECOND, _COLUMN)])
        for stretch, pair, (start, end) in zip(stretches, fields, ends, strict=True):
            pieces.append(_Piece(stretch, complex(pair[arm]), start, end))
    return pieces


def _tail(mesh: Any, fields: Any, top: float) -> list[_Piece]:
    """The waveguides behind the last column, up to and behind their heaters."""
    x, n = _LEFT + mesh.depth * _COLUMN, svg.number
    half = _END / 2 - 6
    pieces = []
    for m in range(mesh.n):
        y = top + m * _PITCH
        middle = x + half
        pieces.append(_Piece(f"M{n(x)} {n(y)}h{n(half)}", complex(fields[mesh.depth][m]), x, middle))
        last = complex(fields[mesh.depth + 1][m])
        pieces.append(_Piece(f"M{n(middle)} {n(y)}h{n(half + 8)}", last, middle, middle + half + 8))
    return pieces


# --- the light -------------------------------------------------------------------------------------------------------


def light(mesh: Any, fields: Any, top: float, full: float, *, backward: bool = False) -> list[str]:
    """The beams and their clocks."""
    pieces = stretches(mesh, fields, top, backward=backward)
    parts = [beam(piece.commands, piece.field, full) for piece in pieces]
    for place in range(mesh.depth + 1):
        for m in range(mesh.n):
            parts += clock(_LEFT + place * _COLUMN, top + m * _PITCH, complex(fields[place][m]), full)
    return parts


def _ends(mesh: Any, fields: Any, top: float, right: float, backward: bool) -> list[str]:
    """Powers at both ends, and which way the light goes."""
    parts = []
    for m in range(mesh.n):
        y = top + m * _PITCH + 4
        at_inputs, at_outputs = (_power(fields[place][m]) for place in (0, -1))
        parts.append(svg.text(_LEFT - 14, y, at_inputs, size=12, anchor="end", halo=False, role="power"))
        parts.append(svg.text(right + 12, y, at_outputs, size=12, halo=False, role="power"))
    y = top - 33
    if backward:
        words = "← light goes backward"
        parts.append(svg.text(right + 60, y, words, size=12, fill=MUTED, anchor="end", halo=False, role="way"))
    else:
        parts.append(svg.text(14, y, "light goes forward →", size=12, fill=MUTED, halo=False, role="way"))
    return parts


def _say(mesh: Any, fields: Any, backward: bool, heaters: Sequence[float] | None) -> str:
    count = plural(len(mesh.theta), "interferometer")
    text = f"Mesh of {plural(mesh.n, 'waveguide')} and {count} in {plural(mesh.depth, 'column')}."
    if fields is not None:
        way = "backward, from right to left" if backward else "forward"
        text += f" Light goes {way}."
        ends = [", ".join(_power(field) for field in fields[place]) for place in (0, -1)]
        text += f" Powers at the inputs {ends[0]}; at the outputs {ends[1]}."
    if heaters is not None:
        listed = [format_number(float(value), 2) for value in heaters]
        inner = mesh.n * (mesh.n - 1)
        text += f" At the heaters theta: {', '.join(listed[0:inner:2])}; phi: {', '.join(listed[1:inner:2])}"
        text += f"; gamma: {', '.join(listed[inner:])}."
    return text


def _power(field: complex) -> str:
    """Power in two digits; rounding noise in the dark is not written."""
    return format_number(round(abs(complex(field)) ** 2, 6), 2)
