"""A chain of exchange rates: boxes for quantities, arrows that say how much of the next one each unit buys.

The one idea: along a path rates multiply and their units cancel, and over parallel paths the products add. The caller
brings all the numbers; they are drawn with the same colours as in a computational graph. Pure Python.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from coursepkg.visualize import svg
from coursepkg.visualize.layout import Box, Layout, arrange
from coursepkg.visualize.picture import Picture
from coursepkg.visualize.style import EDGE, GRADIENT, INK, MUTED, SHADE, VALUE
from coursepkg.visualize.text import format_number, join_words, text_width, wrap

_SIZE = 13.0


def quantity(value: Any) -> str:
    """A number, a (number, unit) pair or a text, as it is written: "12", "500 g/€".

    Examples
    --------
    >>> quantity((-0.5, "€")), quantity(3), quantity("a pinch")
    ('−0.5 €', '3', 'a pinch')
    """
    if isinstance(value, str):
        return value
    if isinstance(value, tuple):
        number, unit = value
        return f"{format_number(number)} {unit}".strip()
    return format_number(value)


@dataclass
class _Stage:
    name: str
    value: str
    gradient: str
    width: float
    half: float


def draw_chain(
    stages: Sequence[str | Sequence[str]],
    rates: Mapping[tuple[str, str], Any],
    *,
    values: Mapping[str, Any] | None = None,
    gradients: Mapping[str, Any] | None = None,
    title: str = "",
    caption: str = "",
) -> Picture:
    """Draw quantities that influence each other, with the exchange rate on each arrow.

    Parameters
    ----------
    stages : sequence of str or of sequences of str
        The quantities from first cause to last effect; names in an inner sequence stand above each other.
    rates : mapping of (str, str) to quantity
        For each arrow (from, to) its rate: a number, a (number, unit) pair, or a text.
    values : mapping of str to quantity, optional
        Forward values, written in green in the boxes, under the names.
    gradients : mapping of str to quantity, optional
        How much the last quantity changes with each, written in red beneath the boxes.
    title, caption : str
        A line over and a few lines under the drawing, such as the product of the rates with its units.

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
    values, gradients = dict(values or {}), dict(gradients or {})
    boxes = [_stage(name, values, gradients) for column in columns for name in column]
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
    return Picture(_page(layout, parts, title, caption), _say(columns, rates, values, gradients, title, caption))


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


def _stage(name: str, values: Mapping[str, Any], gradients: Mapping[str, Any]) -> _Stage:
    value = quantity(values[name]) if name in values else ""
    gradient = quantity(gradients[name]) if name in gradients else ""
    width = max(text_width(name, _SIZE) * svg.BOLD, text_width(value, _SIZE), text_width(gradient, _SIZE)) + 24
    return _Stage(name, value, gradient, max(width, 70), 24 if value else 15)


def _arrange(
    boxes: Sequence[_Stage], edges: Sequence[tuple[int, int]], labels: Sequence[str], place: Sequence[int]
) -> tuple[Layout, list[int]]:
    """Lay out the boxes with a place for each rate in the column after its arrow leaves."""
    room = [Box(box.width, 8, box.half + 9, box.half + (26 if box.gradient else 9)) for box in boxes]
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
    top = y - box.half
    parts = [svg.rectangle(left, top, box.width, 2 * box.half, radius=8, fill=SHADE, role="stage")]
    parts.append(svg.text(middle, top + 20, box.name, weight="bold", anchor="middle", halo=False, role="stage-name"))
    if box.value:
        parts.append(svg.text(middle, top + 38, box.value, fill=VALUE, anchor="middle", halo=False, role="value"))
    if box.gradient:
        below = y + box.half + 17
        parts.append(svg.text(middle, below, box.gradient, fill=GRADIENT, anchor="middle", role="gradient"))
    return parts


def _page(layout: Layout, parts: Sequence[str], title: str, caption: str) -> str:
    width = max(layout.width, text_width(title, 15) * svg.BOLD + 28, 320)
    top = 30 if title else 0
    lines = wrap(caption, _SIZE, width - 28)
    page = [f'<g transform="translate(0 {top})">', *parts, "</g>"]
    if title:
        page.append(svg.text(14, 24, title, size=15, weight="bold", halo=False))
    for row, line in enumerate(lines):
        page.append(svg.text(14, layout.height + top + 14 + 19 * row, line, fill=MUTED, halo=False))
    return svg.document(width, layout.height + top + (19 * len(lines) + 10 if lines else 0), page, title=title)


def _say(
    columns: Sequence[Sequence[str]], rates: Mapping[tuple[str, str], Any], values: Mapping[str, Any],
    gradients: Mapping[str, Any], title: str, caption: str,
) -> str:  # fmt: skip
    parts = [f"{title.rstrip('. ')}."] if title else []
    parts.append(f"Chain from {join_words(list(columns[0]))} to {join_words(list(columns[-1]))}.")
    parts += [f"{start} to {end}: {quantity(rate)}." for (start, end), rate in rates.items()]
    if values:
        parts.append("Values: " + ", ".join(f"{name} {quantity(value)}" for name, value in values.items()) + ".")
    if gradients:
        parts.append("Gradients: " + ", ".join(f"{name} {quantity(value)}" for name, value in gradients.items()) + ".")
    return " ".join([*parts, caption]).strip()
