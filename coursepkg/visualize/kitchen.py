"""Pictures of the kitchen: a market, the ingredients of a dinner, a discount, a repair.

The one idea is the course's drawing convention carried into the kitchen: what flows forward is green, what is asked
backward is red, and words and numbers say the same as the colours. Pure SVG, so that a slider can redraw them at once.
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from coursepkg.kitchen import Kitchen, Links, rates_by_sweep
from coursepkg.visualize import svg
from coursepkg.visualize.picture import Picture
from coursepkg.visualize.style import CYCLE, EDGE, GRADIENT, GRID, HIGHLIGHT, INK, MUTED, SHADE, VALUE
from coursepkg.visualize.text import format_number, join_words, plural, text_width

_DASHES = ("", "8 4", "8 3 2 3", "2 3", "12 3", "4 2")


def draw_market(links: Links, goal: str = "portion") -> Picture:
    """Draw a layered market with every link, and at each place the rate from there to the goal.

    Parameters
    ----------
    links : mapping of (str, str) to number
        Such as :func:`coursepkg.kitchen.supply_chain` makes; all paths to a place have the same length.
    goal : str
        The place that rates are counted to.
    """
    rates, _ = rates_by_sweep(links, goal)
    at, depth, (width, height) = places_of(links, goal)
    rows = [[place for place in at if depth[place] == column] for column in range(max(depth.values()) + 1)]
    parts = [svg.line(at[a][0], at[a][1], at[b][0], at[b][1], stroke=EDGE, width=1.1) for a, b in links]
    for place, (x, y) in at.items():
        outer = depth[place] == 0 or place == goal
        half = text_width(place, 13) / 2 + 10 if outer else 13.0
        parts.append(svg.rectangle(x - half, y - 13, 2 * half, 26, radius=6 if outer else 13, fill=SHADE))
        if outer:
            parts.append(svg.text(x, y + 4.5, place, anchor="middle", halo=False))
        number = format_number(rates[place])
        parts.append(svg.text(x, y + 28, number, size=12, fill=GRADIENT, anchor="middle", role="gradient"))
    sources = join_words([f"{place} {format_number(rates[place])}" for place in rows[0]])
    alt = (
        f"A market in {len(rows)} columns of {join_words([str(len(row)) for row in rows])} places, joined by "
        f"{len(links)} links. Each place carries its rate to the {goal}; at the start: {sources}."
    )
    return Picture(svg.document(width, height, parts, title="A market of many paths"), alt)


def places_of(links: Links, goal: str) -> tuple[dict[str, tuple[float, float]], dict[str, int], tuple[float, float]]:
    """Where each place stands in the drawing of a market, in which column, and how large the drawing is."""
    depth = _depths(links)
    rows: dict[int, list[str]] = {}
    for place in sorted(depth, key=lambda place: (depth[place], place)):
        rows.setdefault(depth[place], []).append(place)
    height = 62 * max(map(len, rows.values())) + 28
    at = {
        place: (70.0 + 150 * column, 14 + (height - 28) * (k + 0.5) / len(column_places))
        for column, column_places in rows.items()
        for k, place in enumerate(column_places)
    }
    return at, depth, (140.0 + 150 * (len(rows) - 1), float(height))


def _depths(links: Links) -> dict[str, int]:
    """Number of links on the longest way to each place."""
    depth = {place: 0 for link in links for place in link}
    for _ in depth:
        for here, there in links:
            depth[there] = max(depth[there], depth[here] + 1)
    return depth


def draw_limits(kitchen: Kitchen, *, guests: float | None = None, top: float | None = None) -> Picture:
    """Draw how many portions each ingredient would allow, how many there are, and who gets the gradient.

    Parameters
    ----------
    kitchen : Kitchen
        With plain numbers.
    guests : float, optional
        Marks the portions that are wanted.
    top : float, optional
        End of the scale, so that it stands still while a slider moves; by default a little above the longest bar.
    """
    limits = {name: float(limit.value) for name, limit in kitchen.limits().items()}
    portions = float(kitchen.portions().value)
    slope = kitchen.gradient()
    top = top or 1.15 * max([*limits.values(), guests or 0.0])
    left = max(text_width(name, 14) for name in limits) + 28
    width, bottom = 400.0, 34 + 44 * len(limits)

    def x(value: float) -> float:
        return left + width * min(value, top) / top

    parts = [svg.text(left, 18, "portions each would allow", size=12, fill=VALUE)]
    parts.append(svg.text(left + width + 20, 18, "∂ portions / ∂ share", size=12, fill=GRADIENT))
    words = []
    for row, (name, limit) in enumerate(limits.items()):
        y = 32 + 44 * row
        scarce = abs(limit - portions) < 1e-9 * portions
        share_slope = format_number(slope[f"{name} share"].value)
        fill = HIGHLIGHT if scarce else SHADE
        parts.append(svg.rectangle(left, y, x(limit) - left, 28, fill=fill, line_width=1.8 if scarce else 1.0))
        parts.append(svg.text(left - 10, y + 19, name, size=14, anchor="end", weight="bold" if scarce else "normal"))
        parts.append(svg.text(left + 8, y + 19, format_number(limit), size=13, fill=VALUE, halo=False, role="value"))
        parts.append(svg.text(left + width + 20, y + 19, share_slope, size=13, fill=GRADIENT, role="gradient"))
        words.append(f"{name} allows {format_number(limit)} (gradient {share_slope})")
    parts.append(svg.line(x(portions), 26, x(portions), bottom, stroke=INK, width=1.8))
    label = f"cooked: {format_number(portions)}"
    parts.append(_under(label, x(portions), bottom + 16, left, left + width))
    if guests:
        parts.append(svg.line(x(guests), 26, x(guests), bottom, stroke=MUTED, width=1.6, dash="5 4"))
        parts.append(_under(f"guests: {format_number(guests)}", x(guests), bottom + 33, left, left + width))
    wanted = f" {format_number(guests)} are wanted." if guests else ""
    alt = f"Portions cooked: {format_number(portions)}, the shortest bar.{wanted} {'; '.join(words)}."
    return Picture(svg.document(left + width + 175, bottom + 44, parts, title="The scarcest ingredient decides"), alt)


def _under(label: str, x: float, y: float, left: float, right: float) -> str:
    half = text_width(label, 12.5) / 2
    return svg.text(min(max(x, left + half), right - half), y, label, size=12.5, anchor="middle")


def draw_discount(kilograms: Callable[[Any], Any], coins: float, slope: float, *, top: float = 60.0) -> Picture:
    """Draw what money buys when the price falls with the amount, and the straight line that one rate believes in.

    Parameters
    ----------
    kilograms : callable
        From coins to kg.
    coins : float
        Where the rate was measured.
    slope : float
        That rate, in kg per coin.
    top : float
        Right end of the picture, in coins.
    """
    here = kilograms(coins)
    axes = _Axes((64, 16, 440, 250), (0.0, top), (0.0, 1.08 * kilograms(top)), "coins spent", "kg bought")
    grid = [top * k / 60 for k in range(61)]
    average = here / coins if coins else slope
    parts = axes.frame()
    parts.append(axes.curve([(c, here + slope * (c - coins)) for c in grid], stroke=GRADIENT, dash="7 4"))
    parts.append(axes.curve([(0.0, 0.0), (coins, here)], stroke=MUTED, dash="2 3"))
    parts.append(axes.curve([(c, kilograms(c)) for c in grid], stroke=VALUE, width=2.4))
    parts.append(svg.circle(axes.x(coins), axes.y(here), 5, fill=HIGHLIGHT))
    parts.append(svg.text(84, 40, f"bought: {format_number(here)} kg", size=13, fill=VALUE))
    parts.append(svg.text(84, 60, f"next coin: {format_number(slope)} kg/coin (dashed)", size=13, fill=GRADIENT))
    parts.append(svg.text(84, 80, f"average: {format_number(average)} kg/coin (dotted)", size=13, fill=MUTED))
    alt = (
        f"A curve bending upward: kg bought against coins spent. At {format_number(coins)} coins it stands at "
        f"{format_number(here)} kg; the dashed tangent has slope {format_number(slope)} kg per coin, "
        f"the dotted line from the origin only {format_number(average)}."
    )
    return Picture(svg.document(524, 316, parts, title="A rate is local"), alt)


def draw_repair(history: Sequence[Kitchen], *, guests: float) -> Picture:
    """Draw a repair step by step: portions against guests on the left, the budget split on the right.

    Parameters
    ----------
    history : sequence of Kitchen
        As :func:`coursepkg.kitchen.repair` returns it.
    guests : float
        Portions wanted.
    """
    last = len(history) - 1
    portions = [float(kitchen.portions().value) for kitchen in history]
    names = history[0].ingredients
    shares = {name: [float(kitchen.inputs[f"{name} share"].value) for kitchen in history] for name in names}
    ceiling = 1.12 * max([*portions, guests])
    first = _Axes((64, 20, 250, 210), (0.0, last), (0.0, ceiling), "step", "portions cooked")
    parts = first.frame()
    parts.append(first.curve([(0.0, guests), (last, guests)], stroke=MUTED, dash="5 4"))
    parts.append(svg.text(first.x(0) + 8, first.y(guests) - 6, f"{format_number(guests)} guests", size=12, fill=MUTED))
    parts.append(first.curve(list(enumerate(portions)), stroke=VALUE, width=2.4))
    highest = max(max(values) for values in shares.values())
    second = _Axes((400, 20, 250, 210), (0.0, last), (0.0, 1.2 * highest), "step", "share of the budget")
    parts.extend(second.frame())
    ends = _apart([second.y(values[-1]) + 4 for values in shares.values()], 15)
    for k, (name, values) in enumerate(shares.items()):
        colour = CYCLE[k % len(CYCLE)]
        parts.append(second.curve(list(enumerate(values)), stroke=colour, dash=_DASHES[k % len(_DASHES)], width=2.2))
        parts.append(svg.text(658, ends[k], name, size=12.5, fill=INK))
    split = join_words([f"{name} {v[0]:.2f} to {v[-1]:.2f}" for name, v in shares.items()])
    alt = (
        f"Over {plural(last, 'step')} the portions go from {format_number(portions[0])} to "
        f"{format_number(portions[-1])}, for {format_number(guests)} guests. Shares of the budget: {split}."
    )
    width = 674 + max(text_width(name, 12.5) for name in names)
    return Picture(svg.document(width, 280, parts, title="Repairing a dinner"), alt)


def _apart(heights: list[float], gap: float) -> list[float]:
    """The same heights, moved down where two texts would overlap."""
    result = list(heights)
    order = sorted(range(len(heights)), key=lambda k: heights[k])
    for before, after in pairwise(order):
        result[after] = max(result[after], result[before] + gap)
    return result


class _Axes:
    """A frame with round ticks; `x` and `y` turn numbers into pixels."""

    def __init__(
        self,
        box: tuple[float, float, float, float],
        across: tuple[float, float],
        up: tuple[float, float],
        x_label: str,
        y_label: str,
    ) -> None:
        self.left, self.top, self.width, self.height = box
        self.across, self.up = across, up
        self.x_label, self.y_label = x_label, y_label

    def x(self, value: float) -> float:
        return self.left + self.width * (value - self.across[0]) / ((self.across[1] - self.across[0]) or 1.0)

    def y(self, value: float) -> float:
        inside = min(max(value, self.up[0]), self.up[1])
        return self.top + self.height * (1 - (inside - self.up[0]) / ((self.up[1] - self.up[0]) or 1.0))

    def frame(self) -> list[str]:
        bottom = self.top + self.height
        parts = []
        for tick in _ticks(*self.up):
            parts.append(
                svg.line(self.left, self.y(tick), self.left + self.width, self.y(tick), stroke=GRID, width=0.8)
            )
            number = format_number(tick)
            parts.append(svg.text(self.left - 8, self.y(tick) + 4, number, size=11, fill=MUTED, anchor="end"))
        for tick in _ticks(*self.across):
            parts.append(svg.line(self.x(tick), bottom, self.x(tick), bottom + 4, stroke=MUTED, width=1.0))
            number = format_number(tick)
            parts.append(svg.text(self.x(tick), bottom + 17, number, size=11, fill=MUTED, anchor="middle"))
        parts.append(svg.line(self.left, bottom, self.left + self.width, bottom, stroke=MUTED, width=1.0))
        parts.append(svg.text(self.left + self.width / 2, bottom + 36, self.x_label, size=12, anchor="middle"))
        parts.append(svg.text(self.left, self.top - 5, self.y_label, size=12))
        return parts

    def curve(self, points: Sequence[tuple[float, float]], *, stroke: str, dash: str = "", width: float = 1.6) -> str:
        """A polyline, cut off where it leaves the frame."""
        inside = [(self.x(a), self.y(b)) for a, b in points if self.up[0] <= b <= self.up[1]]
        commands = "L".join(f"{svg.number(a)} {svg.number(b)}" for a, b in inside)
        return svg.path("M" + commands, stroke=stroke, dash=dash, width=width)


def _ticks(low: float, high: float) -> list[float]:
    """Four to eight round numbers between `low` and `high`."""
    rough = (high - low) / 5 or 1.0
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * k for k in (1, 2, 5, 10) if rough <= size * k)
    first = math.ceil(low / step - 1e-9)
    return [round(k * step, 10) for k in range(first, math.floor(high / step + 1e-9) + 1)]
