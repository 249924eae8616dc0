"""Pictures of the kitchen: the ingredients of a dinner, a discount, a repair.

The one idea is the course's drawing convention carried into the kitchen: what flows forward is green, what is asked
backward is red, and words and numbers say the same as the colours.
"""

from collections.abc import Callable, Sequence
from typing import Any

from coursepkg.kitchen import Kitchen
from coursepkg.visualize.paper import Picture, format_number, join_words, picture_of, plural, svg, text_width
from coursepkg.visualize.paper.style import CYCLE, DASHES, GRADIENT, HIGHLIGHT, INK, MUTED, SHADE, VALUE, use_style

_COINS = 60  # the right end of the picture of a discount


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
    import matplotlib.pyplot as plt

    here = kilograms(coins)
    average = here / coins if coins else slope
    grid = list(range(_COINS + 1))
    with use_style():
        fig, ax = plt.subplots(figsize=(5.6, 3.4), layout="none")  # of which a figure turns through many
        fig.subplots_adjust(left=0.12, right=0.97, bottom=0.15, top=0.96)
        for cs, kgs, colour, dash, label in (
            (grid, [kilograms(c) for c in grid], VALUE, "-", f"bought: {format_number(here)} kg"),
            (
                grid,
                [here + slope * (c - coins) for c in grid],
                GRADIENT,
                "--",
                f"next coin: {format_number(slope)} kg/coin",
            ),
            ([0.0, coins], [0.0, here], MUTED, ":", f"average: {format_number(average)} kg/coin"),
        ):
            ax.plot(cs, kgs, color=colour, linestyle=dash, label=label)
        ax.plot(coins, here, marker="o", markersize=9, color=HIGHLIGHT, markeredgecolor=INK, clip_on=False)
        ax.set(xlim=(0, _COINS), ylim=(0, 1.08 * kilograms(_COINS)), xlabel="coins spent", ylabel="kg bought")
        ax.legend(loc="upper left")
    alt = (
        f"A curve bending upward: kg bought against coins spent. At {format_number(coins)} coins it stands at "
        f"{format_number(here)} kg; the dashed tangent has slope {format_number(slope)} kg per coin, "
        f"the dotted line from the origin only {format_number(average)}."
    )
    return picture_of(fig, alt)


def draw_repair(history: Sequence[Kitchen], *, guests: float) -> Picture:
    """Draw a repair step by step: portions against guests, and below how the budget is split.

    Parameters
    ----------
    history : sequence of Kitchen
        As :func:`coursepkg.kitchen.repair` returns it.
    guests : float
        Portions wanted.
    """
    import matplotlib.pyplot as plt

    last = len(history) - 1
    portions = [float(kitchen.portions().value) for kitchen in history]
    names = history[0].ingredients
    shares = {name: [float(kitchen.inputs[f"{name} share"].value) for kitchen in history] for name in names}
    with use_style():
        fig, (first, second) = plt.subplots(2, 1, figsize=(6.4, 5.6), sharex=True)
        first.plot(portions, color=VALUE, linestyle="-")
        first.axhline(guests, color=MUTED, linestyle="--")
        first.annotate(f"{format_number(guests)} guests", (0, guests), (4, 4), textcoords="offset points", color=MUTED)
        first.set(ylabel="portions cooked", ylim=(0, 1.12 * max([*portions, guests])))
        for number, (name, values) in enumerate(shares.items()):
            second.plot(values, color=CYCLE[number % len(CYCLE)], linestyle=DASHES[number % len(DASHES)], label=name)
        second.set(xlabel="step", ylabel="share of the budget", ylim=(0, None))
        second.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0.2)
    split = join_words([f"{name} {v[0]:.2f} to {v[-1]:.2f}" for name, v in shares.items()])
    alt = (
        f"Over {plural(last, 'step')} the portions go from {format_number(portions[0])} to "
        f"{format_number(portions[-1])}, for {format_number(guests)} guests. Shares of the budget: {split}."
    )
    return picture_of(fig, alt)
