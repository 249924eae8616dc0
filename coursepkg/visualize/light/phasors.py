"""Light in drawings: power is the width of a line, phase is a colour that comes round again, and the hand of a clock.

The one idea: a complex amplitude has a length and an angle, and neither may be told by colour alone. So wherever a
colour shows a phase, a small clock shows it too, and powers are also written as numbers.
"""

import cmath
import math
from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise

from coursepkg.visualize.paper import CYCLE, EDGE, GRID, INK, MUTED, PAPER, Plane, format_number, mixed, svg, text_width
from coursepkg.visualize.paper.picture import Picture, page

# Blue, purple, orange and green at 0, 1/4, 1/2 and 3/4 of a turn; dark enough for white paper, and back at blue.
WHEEL = ("#0b4f8a", "#8a2f7a", "#c26204", "#1a6f4c")
DARK_WHEEL = ("#82bbff", "#e39bd6", "#ffae70", "#63d69d")  # the same on dark paper
WIDEST = 9.0
FAINT = 0.004
_SIDE = 250.0


def phase_colour(field: complex, wheel: Sequence[str] = WHEEL) -> str:
    """The colour of a field's phase: the four of the wheel at the quarter turns, mixtures in between."""
    turn = (cmath.phase(complex(field)) / (2 * math.pi)) % 1.0 * len(wheel)
    return mixed([*wheel, wheel[0]], turn)


def beam(commands: str, field: complex, full: float) -> str:
    """A piece of waveguide with light in it; `full` is the power that makes the line as wide as it gets."""
    power = abs(field) ** 2 / full
    if power < FAINT:
        return ""
    width = max(1.0, WIDEST * min(power, 1.0))
    return svg.path(commands, stroke=phase_colour(field), width=width, role="light")


def clock(x: float, y: float, field: complex, full: float, *, radius: float = 7.0) -> list[str]:
    """A small clock whose hand shows the phase, three o'clock being 0; nothing where it is dark."""
    if abs(field) ** 2 / full < FAINT:
        return []
    colour, angle = phase_colour(field), cmath.phase(complex(field))
    tip = x + radius * math.cos(angle), y - radius * math.sin(angle)
    return [
        svg.circle(x, y, radius, fill=PAPER, stroke=colour, width=1.2, role="clock"),
        svg.line(x, y, *tip, stroke=INK, width=1.6),
    ]


def legend(x: float, y: float) -> list[str]:
    """What width, colour and clocks mean, in one line."""
    parts = [svg.text(x, y + 4, "width: power", size=12, fill=MUTED, halo=False)]
    x += text_width("width: power", 12) + 14
    parts.append(svg.text(x, y + 4, "phase:", size=12, fill=MUTED, halo=False))
    x += text_width("phase:", 12) + 14
    for turn, words in ((0.0, "0"), (0.25, "¼ turn"), (0.5, "½ turn"), (0.75, "¾ turn")):
        field = cmath.exp(2j * math.pi * turn)
        parts.append(svg.line(x - 9, y, x + 9, y, stroke=phase_colour(field), width=4))
        parts += clock(x, y, field, 1.0, radius=6)
        parts.append(svg.text(x + 14, y + 4, words, size=12, fill=MUTED, halo=False))
        x += 28 + text_width(words, 12)
    return parts


def draw_phasors(fields: Mapping[str, complex], *, title: str = "") -> Picture:
    """Add up fields as arrows in the complex plane, head to tail, and compare powers.

    Parameters
    ----------
    fields : mapping of str to complex
        One to six fields that meet in one place.
    title : str
        A line over the drawing.

    Raises
    ------
    ValueError
        If there is no field, there are more than six, or one is not finite.

    Examples
    --------
    >>> print(draw_phasors({"a": 1.0, "b": -0.8}).alt)
    Fields added as arrows: a = 1 + 0i, b = −0.8 + 0i. Their sum is 0.2 + 0i. Powers 1 and 0.64, together 1.64; the power of the sum is 0.04.
    """  # noqa: E501
    arrows = {name: complex(value) for name, value in fields.items()}
    if not 1 <= len(arrows) <= 6:
        raise ValueError(f"1 to 6 fields can be told apart as arrows, got {len(arrows)}")
    if not all(cmath.isfinite(value) for value in arrows.values()):
        raise ValueError("a field is not finite, and cannot be drawn as an arrow")
    total = _clean(sum(arrows.values()), max(map(abs, arrows.values())))
    powers = [abs(value) ** 2 for value in arrows.values()]
    said = ", ".join(f"{name} = {format_number(_clean(value, abs(value)))}" for name, value in arrows.items())
    listed = " and ".join(format_number(p) for p in powers)
    alt = f"Fields added as arrows: {said}. Their sum is "
    alt += f"{format_number(total)}. Powers {listed}, together {format_number(sum(powers))}; the power of the sum is "
    parts = _arrows(list(arrows.values()), total) + _table(arrows, total, 14 + _SIDE + 24, 32)
    return page(_SIDE + 264, _SIDE + 28, parts, f"{alt}{format_number(abs(total) ** 2)}.", title=title)


def _clean(field: complex, largest: float) -> complex:
    """A field without the rounding noise beside the largest, which nobody wants to hear."""
    return complex(*(0.0 if abs(part) < 1e-12 * largest else part for part in (field.real, field.imag)))


def _arrows(fields: Sequence[complex], total: complex) -> list[str]:
    """The fields head to tail, and their sum."""
    corners = [(c.real, c.imag) for c in accumulate(fields, initial=0j)]
    plane = Plane(1.15 * max(abs(x) for corner in corners for x in corner), side=_SIDE)
    parts = [svg.rectangle(14, 14, _SIDE, _SIDE, fill=PAPER, stroke=GRID), *plane.axes(("Re", "Im"))]
    for number, (start, stop) in enumerate(pairwise(map(plane.at, corners))):
        parts += svg.arrow(start, stop, stroke=CYCLE[number], role="arrow")
    return parts + plane.arrow((total.real, total.imag), stroke=INK, width=3.4, dash="6 3", role="arrow")


def _table(arrows: Mapping[str, complex], total: complex, x: float, y: float) -> list[str]:
    rows = [(name, value, CYCLE[number], "") for number, (name, value) in enumerate(arrows.items())]
    parts = [svg.text(x + 110, y, "power", size=12, fill=MUTED, halo=False)]
    for name, value, colour, dash in [*rows, ("sum of the fields", total, INK, "6 3")]:
        y += 26 if not dash else 40
        parts.append(svg.line(x, y - 4, x + 26, y - 4, stroke=colour, width=3, dash=dash))
        parts.append(svg.text(x + 34, y, name, halo=False, weight="bold" if dash else "normal"))
        y += 18 if dash else 0
        written = format_number(abs(value) ** 2)
        parts.append(svg.text(x + 110, y, written, halo=False, role="power", weight="bold" if dash else "normal"))
        if not dash and name == rows[-1][0]:
            together = format_number(sum(abs(v) ** 2 for v in arrows.values()))
            parts.append(svg.line(x + 100, y + 8, x + 170, y + 8, stroke=EDGE, width=1))
            parts.append(svg.text(x + 110, y + 26, f"{together}  together", halo=False, role="together"))
            y += 26
    return parts
