"""A history as dots in lanes: when each thing happened, to which family it belongs, and one of them in words.

Dots stand in the order of their years and at equal distances, so that decades with much in them can be read.
"""

from collections.abc import Sequence
from typing import Any

from coursepkg.visualize.paper import EDGE, GRID, HIGHLIGHT, INK, MUTED, PAPER, ROUTE, Picture, page, plural, svg, wrap

_LEFT, _RIGHT, _STEP, _LANE, _TOP = 102.0, 14.0, 15.5, 27.0, 10.0  # narrow enough for a phone, without scrolling
_CARD, _ROW = 88.0, 19.0


def draw_timeline(events: Sequence[Any], chosen: int = 0, *, title: str = "") -> Picture:
    """Draw events as dots, and tell one of them below.

    Parameters
    ----------
    events : sequence
        In the order of their years, each with ``year``, ``lane``, ``who`` and ``what``.
    chosen : int
        Which one is told.
    title : str
        A line above.

    Raises
    ------
    ValueError
        If there are no events, they are not in order, or there is none of that number.

    Examples
    --------
    >>> from coursepkg.history import EVENTS
    >>> print(draw_timeline(EVENTS, 3).alt[:60])
    25 events from 1676 to 2023, in lanes. Told here: 1960, H. J
    """
    years = [event.year for event in events]
    if not years or years != sorted(years):
        raise ValueError("a timeline needs at least one event, and all of them in the order of their years")
    if not 0 <= chosen < len(events):
        raise ValueError(f"there are {len(events)} events, 0 to {len(events) - 1}; got number {chosen}")
    lanes = list(dict.fromkeys(event.lane for event in events))
    bottom, width = _TOP + _LANE * len(lanes), _LEFT + _STEP * len(events) + _RIGHT
    parts = []
    for k, lane in enumerate(lanes):
        y = _TOP + _LANE * (k + 0.5)
        parts.append(svg.line(_LEFT, y, width - _RIGHT, y, stroke=GRID, width=1.4))
        parts.append(svg.text(14, y + 4.5, lane, size=13, halo=False, role="lane"))
    for number, event in enumerate(events):
        parts += _stop(number, event, _TOP + _LANE * (lanes.index(event.lane) + 0.5), bottom, number == chosen)
    parts += _card(events[chosen], bottom + 34, width)
    told = events[chosen]
    alt = f"{plural(len(events), 'event')} from {years[0]} to {years[-1]}, in lanes. "
    alt += f"Told here: {told.year}, {told.who} ({told.lane}): {told.what}"
    return page(width, bottom + 34 + _CARD, parts, alt, title=title)


def _stop(number: int, event: Any, y: float, bottom: float, told: bool) -> list[str]:
    x = _LEFT + _STEP * (number + 0.5)
    parts = [svg.line(x, y, x, bottom, stroke=EDGE if told else GRID, width=2 if told else 1)]
    fill, radius = (HIGHLIGHT, 9.0) if told else (ROUTE, 5.5)
    parts.append(svg.circle(x, y, radius, fill=fill, stroke=INK, width=2.4 if told else 0.8, role="event"))
    if told or number % 3 == 0:
        y, weight = (bottom + 27, "bold") if told else (bottom + 13, "normal")
        parts.append(svg.text(x, y, str(event.year), size=12, weight=weight, anchor="middle", role="year"))
    return parts


def _card(event: Any, top: float, width: float) -> list[str]:
    parts = [svg.rectangle(14, top, width - 28, _CARD - 14, radius=8, fill=PAPER, stroke=INK, line_width=1.4)]
    parts.append(svg.text(28, top + 24, f"{event.year} · {event.who}", size=14, weight="bold", halo=False, role="who"))
    for row, line in enumerate(wrap(event.what, 13, width - 64)):
        parts.append(svg.text(28, top + 24 + _ROW * (row + 1.1), line, size=13, fill=INK, halo=False, role="what"))
    parts.append(svg.text(width - 28, top + 24, event.lane, size=13, fill=MUTED, anchor="end", halo=False, role="kind"))
    return parts
