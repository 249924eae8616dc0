"""Pictures of the kitchen: the ingredients of a dinner, a discount, a repair.

The one idea is the course's drawing convention carried into the kitchen: what flows forward is green, what is asked
backward is red, and words and numbers say the same as the colours.
"""

from collections.abc import Callable, Sequence
from typing import Any

from coursepkg.kitchen import Kitchen
from coursepkg.visualize.chart.axes import DASHES, LETTERS, Axes, Named, above, draw_key, margin
from coursepkg.visualize.paper import Picture, format_number, join_words, plural, svg, text_width
from coursepkg.visualize.paper.style import CYCLE, GRADIENT, HIGHLIGHT, INK, MUTED, SHADE, VALUE

_COINS = 60  # the right end of the picture of a discount
_WIDTH = 640.0  # pixels: of a chart


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
    width, bottom = 300.0, 34 + 44 * len(limits)

    def x(value: float) -> float:
        return left + width * min(value, top) / top

    parts = [svg.text(left, 18, "portions each would allow", size=13, fill=VALUE)]
    parts.append(svg.text(left + width + 20, 18, "∂ portions / ∂ share", size=13, fill=GRADIENT))
    words = []
    for row, (name, limit) in enumerate(limits.items()):
        y = 32 + 44 * row
        scarce = abs(limit - portions) < 1e-9 * portions
        share_slope = format_number(slope[f"{name} share"].value)
        fill = HIGHLIGHT if scarce else SHADE
        parts.append(svg.rectangle(left, y, x(limit) - left, 28, fill=fill, line_width=1.8 if scarce else 1.0))
        parts.append(svg.text(left - 10, y + 19, name, size=14, anchor="end", weight="bold" if scarce else "normal"))
        number, place = format_number(limit), left + 8
        half = text_width(number, 13) / 2
        struck = abs(x(portions) - place - half) < half + 4  # by the line at what is cooked
        if struck or place + 2 * half > x(limit):
            place = max(x(limit), x(portions) if struck else 0) + 8
        parts.append(svg.text(place, y + 19, number, size=13, fill=VALUE, role="value"))
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
    half = text_width(label, 13) / 2
    return svg.text(min(max(x, left + half), right - half), y, label, size=13, anchor="middle")


def draw_discount(kilograms: Callable[[Any], Any], coins: float, slope: float) -> Picture:
    """Draw what money buys when the price falls with the amount, and the straight line that one rate believes in.

    Parameters
    ----------
    kilograms : callable
        From coins to kg.
    coins : float
        Where the rate was measured.
    slope : float
        That rate, in kg per coin.
    """
    here = kilograms(coins)
    average = here / coins if coins else slope
    entries = [
        Named(f"bought: {format_number(here)} kg", VALUE),
        Named(f"next coin: {format_number(slope)} kg/coin", GRADIENT, DASHES[1]),
        Named(f"average: {format_number(average)} kg/coin", MUTED, DASHES[3]),
    ]
    y_range = (0.0, 1.08 * kilograms(_COINS))
    left = margin(y_range)
    axes = Axes((0, _COINS), y_range, left=left, top=6 + above("kg"), width=_WIDTH - left - 20, height=270)
    key, _ = draw_key(entries, left + 20, axes.top + 4, 0)  # one below the other, where a curve bending upward is not
    bought = [(float(c), float(kilograms(c))) for c in range(_COINS + 1)]
    believed = [(float(c), here + slope * (c - coins)) for c in (0, _COINS)]
    parts = [*axes.frame("coins spent", "kg bought"), *key, axes.line(bought, stroke=VALUE, role="curve")]
    parts.append(axes.line(believed, stroke=GRADIENT, dash=DASHES[1], role="tangent"))
    parts.append(axes.line([(0.0, 0.0), (coins, here)], stroke=MUTED, dash=DASHES[3], role="average"))
    parts.append(axes.dot(coins, here, fill=HIGHLIGHT, radius=6.5))
    alt = (
        f"A curve bending upward: kg bought against coins spent. At {format_number(coins)} coins it stands at "
        f"{format_number(here)} kg; the dashed tangent has slope {format_number(slope)} kg per coin, "
        f"the dotted line from the origin only {format_number(average)}."
    )
    return Picture(svg.document(_WIDTH, axes.bottom + 52, parts, title="A discount"), alt)


def draw_repair(history: Sequence[Kitchen], *, guests: float) -> Picture:
    """Draw a repair step by step: portions against guests, and below how the budget is split.

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
    cooked = (0.0, 1.12 * max([*portions, guests]))
    split_in = (0.0, 1.08 * max(map(max, shares.values())))
    left = max(margin(cooked), margin(split_in))
    room = {"left": left, "width": _WIDTH - left - 20, "height": 170}
    first = Axes((0, last), cooked, top=above("portions"), **room)
    entries = [
        Named(name, CYCLE[number % len(CYCLE)], DASHES[number % len(DASHES)]) for number, name in enumerate(shares)
    ]
    key, high = draw_key(entries, 10, first.bottom + 18, _WIDTH - 10)
    second = Axes((0, last), split_in, top=first.bottom + 18 + high + above("share"), **room)
    parts = [*first.frame(ylabel="portions cooked"), *key, *second.frame("step", "share of the budget")]
    x, y = first.at(0, guests)
    parts.append(first.line([(0, guests), (last, guests)], stroke=MUTED, dash=DASHES[1], role="guests"))
    parts.append(svg.text(x + 6, y - 6, f"{format_number(guests)} guests", size=LETTERS, fill=MUTED))
    parts.append(first.line(enumerate(portions), stroke=VALUE, role="portions"))
    for entry, values in zip(entries, shares.values(), strict=True):
        parts.append(second.line(enumerate(values), stroke=entry.stroke, dash=entry.dash, role="share"))
    split = join_words([f"{name} {v[0]:.2f} to {v[-1]:.2f}" for name, v in shares.items()])
    alt = (
        f"Over {plural(last, 'step')} the portions go from {format_number(portions[0])} to "
        f"{format_number(portions[-1])}, for {format_number(guests)} guests. Shares of the budget: {split}."
    )
    return Picture(svg.document(_WIDTH, second.bottom + 52, parts, title="A repair, step by step"), alt)
