"""A chain of exchange rates: boxes for quantities, arrows that say how much of the next one each unit buys.

The one idea: along a path rates multiply and their units cancel, and over parallel paths the products add. The caller
brings all the numbers; they are drawn with the same colours as in a computational graph. Pure Python.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from coursepkg.kitchen import Quantity
from coursepkg.visualize import svg
from coursepkg.visualize.layout import Box, Layout, arrange
from coursepkg.visualize.picture import Picture, page
from coursepkg.visualize.style import EDGE, GRADIENT, INK, SHADE
from coursepkg.visualize.text import format_number, join_words, text_width

_SIZE, _HALF = 13.0, 15.0


def quantity(value: Any) -> str:
    """A number, a (number, unit) pair, a text or a quantity of the kitchen, as it is written: "12", "500 g/€".

    Examples
    --------
    >>> quantity((-0.5, "€")), quantity(3), quantity("a pinch")
    ('−0.5 €', '3', 'a pinch')
    """
    if isinstance(value, str | Quantity):
        return str(value)
    if isinstance(value, tuple):
        number, unit = value
        return f"{format_number(number)} {unit}".strip()
    return format_number(value)


@dataclass
class _Stage:
    name: str
    gradient: str
    width: float


def draw_chain(
    stages: Sequence[str | Sequence[str]],
    rates: Mapping[tuple[str, str], Any],
    *,
    gradients: Mapping[str, Any] | None = None,
) -> Picture:
    """Draw quantities that influence each other, with the exchange rate on each arrow.

    Parameters
    ----------
    stages : sequence of str or of sequences of str
        The quantities from first cause to last effect; names in an inner sequence stand above each other.
    rates : mapping of (str, str) to quantity
        For each arrow (from, to) its rate: a number, a (number, unit) pair, or a text.
    gradients : mapping of str to quantity, optional
        How much the last quantity changes with each, written in red beneath the boxes.

    Returns
    -------
    Picture

    Raises
    ------
    ValueError
        If a name appears twice, or an arrow names an unknown quantity or does not lead to a later one.

    Examples
    --------
    >>> draw_chain(["money", "flour", "portions"],
    ...            {("money", "flour"): (500, "g/€"), ("flour", "portions"): (0.01, "portions/g")})
    Figure: Chain from money to portions. money to flour: 500 g/€. flour to portions: 0.01 portions/g.
    """
    columns = [[stage] if isinstance(stage, str) else list(stage) for stage in stages]
    place = _check(columns, rates)
    gradients = dict(gradients or {})
    boxes = [_stage(name, gradients) for column in columns for name in column]
    for column in columns:
        widest = max(box.width for box in boxes if box.name in column)
        for box in boxes:
            box.width = widest if box.name in column else box.width
    number = {box.name: index for index, box in enumerate(boxes)}
    edges = [(number[a], number[b]) for a, b in rates]
    labels = [f"× {quantity(rate)}" for rate in rates.values()]
    layout, taps = _arrange(boxes, edges, labels, [place[box.name] for box in boxes])
    parts = _draw_arrows(layout, boxes, edges, taps, labels)
    for index, box in enumerate(boxes):
        parts += _draw_stage(layout, index, box)
    return page(max(layout.width, 320), layout.height, parts, _say(columns, rates, gradients))


def _check(columns: Sequence[Sequence[str]], rates: Mapping[tuple[str, str], Any]) -> dict[str, int]:
    place: dict[str, int] = {}
    for number, column in enumerate(columns):
        for name in column:
            if name in place:
                raise ValueError(f"the quantity {name!r} appears twice; give each its own name")
            place[name] = number
    for start, end in rates:
        unknown = [name for name in (start, end) if name not in place]
        if unknown:
            raise ValueError(
                f"the arrow {start!r} to {end!r} names {unknown[0]!r}, which is no stage; stages are {list(place)}"
            )
        if place[start] >= place[end]:
            raise ValueError(f"the arrow {start!r} to {end!r} does not lead to a later stage; swap the two names")
    return place


def _stage(name: str, gradients: Mapping[str, Any]) -> _Stage:
    gradient = quantity(gradients[name]) if name in gradients else ""
    width = max(text_width(name, _SIZE) * svg.BOLD, text_width(gradient, _SIZE)) + 24
    return _Stage(name, gradient, max(width, 70))


def _arrange(
    boxes: Sequence[_Stage], edges: Sequence[tuple[int, int]], labels: Sequence[str], place: Sequence[int]
) -> tuple[Layout, list[int]]:
    """Lay out the boxes with a place for each rate in the column after its arrow leaves."""
    room = [Box(box.width, 8, _HALF + 9, _HALF + (26 if box.gradient else 9)) for box in boxes]
    column = [2 * p for p in place]
    pieces, taps = [], []
    for (source, target), label in zip(edges, labels, strict=True):
        taps.append(len(room))
        room.append(Box(0, text_width(label, _SIZE) + 14, 21, 10))
        column.append(column[source] + 1)
        pieces += [(source, taps[-1]), (taps[-1], target)]
    used = {old: new for new, old in enumerate(sorted(set(column)))}
    return arrange(room, pieces, [used[c] for c in column], port_step=12), taps


def _draw_arrows(
    layout: Layout,
    boxes: Sequence[_Stage],
    edges: Sequence[tuple[int, int]],
    taps: Sequence[int],
    labels: Sequence[str],
) -> list[str]:
    parts, words = [], []
    for number, ((source, target), tap, label) in enumerate(zip(edges, taps, labels, strict=True)):
        x, y = layout.end[source], layout.y[source]
        commands = f"M{svg.number(layout.right[source])} {svg.number(y)}H{svg.number(x)}"
        tip = layout.right[target] - boxes[target].width
        for piece, stop in ((2 * number, layout.end[tap]), (2 * number + 1, tip)):
            start, port = layout.arrival[piece]
            for flat_start, flat_stop, level in [*layout.routes[piece], (start, stop, port)]:
                commands += svg.curve(x, y, flat_start, level) + f"H{svg.number(flat_stop)}"
                x, y = flat_stop, level
        parts += [svg.path(commands, stroke=EDGE, width=2), svg.arrow_head(x, y, size=8, fill=EDGE)]
        words.append(svg.text(layout.right[tap] + 7, layout.y[tap] - 6, label, fill=INK, role="rate"))
    return parts + words


def _draw_stage(layout: Layout, index: int, box: _Stage) -> list[str]:
    left, y = layout.right[index] - box.width, layout.y[index]
    middle = left + box.width / 2
    top = y - _HALF
    parts = [svg.rectangle(left, top, box.width, 2 * _HALF, radius=8, fill=SHADE, role="stage")]
    parts.append(svg.text(middle, top + 20, box.name, weight="bold", anchor="middle", halo=False, role="stage-name"))
    if box.gradient:
        below = y + _HALF + 17
        parts.append(svg.text(middle, below, box.gradient, fill=GRADIENT, anchor="middle", role="gradient"))
    return parts


def _say(columns: Sequence[Sequence[str]], rates: Mapping[tuple[str, str], Any], gradients: Mapping[str, Any]) -> str:
    parts = [f"Chain from {join_words(list(columns[0]))} to {join_words(list(columns[-1]))}."]
    parts += [f"{start} to {end}: {quantity(rate)}." for (start, end), rate in rates.items()]
    if gradients:
        parts.append("Gradients: " + ", ".join(f"{name} {quantity(value)}" for name, value in gradients.items()) + ".")
    return " ".join(parts)
