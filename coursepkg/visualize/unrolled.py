"""A recurrent net unrolled in time, and the bucket in which the contributions to its shared weight are collected.

The one idea: one weight, used at every step, has one gradient: whatever each use contributes on the way back drops into
the same bucket and is added.
"""

from collections.abc import Sequence

from coursepkg.visualize import svg
from coursepkg.visualize.picture import Picture
from coursepkg.visualize.style import CYCLE, EDGE, GRADIENT, HIGHLIGHT, INK, MUTED, PAPER, SHADE, VALUE
from coursepkg.visualize.text import format_number, plural

_PITCH = 132.0
_CELL = 56.0
_LEFT = 84.0
_MIDDLE = 84.0
_BUCKET = 196.0


def draw_unrolled(
    states: Sequence[float],
    gradients: Sequence[float],
    contributions: Sequence[float],
    *,
    back: int | None = None,
    weight: str = "w",
    title: str = "",
) -> Picture:
    """Draw the states of a net with one hidden unit, and how far its backward pass has come.

    Parameters
    ----------
    states : sequence of float
        h_0 to h_T; written above the edges.
    gradients : sequence of float
        The gradient of the loss at h_0 to h_T; written below the edges that the backward pass has reached.
    contributions : sequence of float
        What each of the T uses of the weight contributes to its gradient, the first use first.
    back : int, optional
        Steps that the backward pass has gone back, 0 to T; by default all.
    weight : str
        Name of the shared weight.
    title : str
        A line over the drawing.

    Returns
    -------
    Picture

    Raises
    ------
    ValueError
        If the lengths do not fit, or there are more than seven steps.

    Examples
    --------
    >>> picture = draw_unrolled([0.0, 0.8, 0.7], [0.2, 0.3, 1.0], [0.0, 0.4], back=1)
    >>> print(picture.alt.split(". ")[-1])
    In the bucket of w: 0.4, together 0.4.
    """
    steps = len(contributions)
    if not len(states) == len(gradients) == steps + 1:
        raise ValueError(
            f"{steps} uses of a weight need {steps + 1} states and gradients, got {len(states)} and {len(gradients)}"
        )
    if not 1 <= steps <= 7:
        raise ValueError(f"1 to 7 steps can be drawn so that they can be read, got {steps}")
    back = steps if back is None else back
    if not 0 <= back <= steps:
        raise ValueError(f"back must lie between 0 and {steps}, got {back}")
    return Picture(
        _page(states, gradients, contributions, back, weight, title),
        _say(states, gradients, contributions, back, weight, title),
    )


def _page(
    states: Sequence[float],
    gradients: Sequence[float],
    contributions: Sequence[float],
    back: int,
    weight: str,
    title: str,
) -> str:
    steps = len(contributions)
    middle, parts = _MIDDLE + (18 if title else 0), []
    if title:
        parts.append(svg.text(14, 22, title, size=15, weight="bold", halo=False))
    right = _LEFT + steps * _PITCH
    for t in range(steps + 1):
        start = 14 if t == 0 else _LEFT + (t - 1) * _PITCH + _CELL
        stop = _LEFT + t * _PITCH if t < steps else right + 20
        center = (start + stop) / 2
        reached = t >= steps - back
        parts.append(svg.line(start, middle, stop - 1, middle, stroke=EDGE, width=1.8))
        parts.append(svg.arrow_head(stop, middle, fill=EDGE))
        value = svg.text(center, middle - 9, format_number(states[t]), fill=VALUE, anchor="middle", role="value")
        parts += [value, svg.text(center, middle - 26, f"h{t}", fill=MUTED, anchor="middle", size=12)]
        if reached:
            written = format_number(gradients[t])
            parts.append(svg.text(center, middle + 20, written, fill=GRADIENT, anchor="middle", role="grad"))
    for t in range(1, steps + 1):
        parts += _cell(
            _LEFT + (t - 1) * _PITCH, middle, t, weight, contributions[t - 1], t > steps - back, t == steps - back + 1
        )
    parts += _bucket(right, middle + _BUCKET - _MIDDLE, contributions, back, weight)
    return svg.document(right + 96, middle + _BUCKET - _MIDDLE + 74, parts, title=title)


def _cell(x: float, middle: float, t: int, weight: str, contribution: float, reached: bool, newest: bool) -> list[str]:
    """One use of the weight; what it contributes falls out below once the backward pass has been there."""
    fill = HIGHLIGHT if newest else SHADE
    center = x + _CELL / 2
    parts = [
        svg.rectangle(x, middle - 24, _CELL, 48, radius=8, fill=fill, stroke=INK, role="cell"),
        svg.text(center, middle - 3, f"× {weight}", anchor="middle", halo=False),
        svg.text(center, middle + 14, f"step {t}", anchor="middle", size=11, fill=MUTED, halo=False),
    ]
    if reached:
        bottom = middle + _BUCKET - _MIDDLE - 8
        parts.append(svg.line(center, middle + 24, center, bottom, stroke=GRADIENT, width=1.6, dash="4 4"))
        parts.append(
            svg.path(f"M{svg.number(center)} {svg.number(bottom + 6)}l-4 -8h8z", fill=GRADIENT, stroke=GRADIENT)
        )
        written = format_number(contribution)
        parts.append(svg.text(center, middle + 62, written, fill=GRADIENT, anchor="middle", role="drop"))
    return parts


def _bucket(right: float, top: float, contributions: Sequence[float], back: int, weight: str) -> list[str]:
    left, width = _LEFT - 14, right - _LEFT
    parts = [
        svg.path(
            f"M{svg.number(left)} {svg.number(top)}l10 40h{svg.number(width - 20)}l10 -40",
            stroke=INK, fill=PAPER, width=2, role="bucket",
        )
    ]  # fmt: skip
    total = sum(contributions[len(contributions) - back :])
    text = f"bucket of {weight}:  sum so far {format_number(total)}" if back else f"bucket of {weight}:  empty"
    parts.append(svg.text(left + width / 2, top + 25, text, anchor="middle", fill=GRADIENT, weight="bold", halo=False))
    used = [abs(c) for c in contributions]
    scale = (width - 20) / (sum(used) or 1.0)
    x = left + 10
    for number in range(len(contributions) - 1, len(contributions) - 1 - back, -1):
        long = used[number] * scale
        fill = CYCLE[1] if contributions[number] < 0 else CYCLE[0]
        parts.append(
            svg.rectangle(x, top + 50, max(long, 0.5), 12, fill=fill, stroke=PAPER, line_width=1, role="share")
        )
        x += long
    return parts


def _say(
    states: Sequence[float],
    gradients: Sequence[float],
    contributions: Sequence[float],
    back: int,
    weight: str,
    title: str,
) -> str:
    steps = len(contributions)
    text = f"{title.rstrip('. ')}. " if title else ""
    text += f"A recurrent net unrolled over {plural(steps, 'step')}, states {', '.join(map(format_number, states))}."
    if not back:
        return f"{text} The backward pass has not begun, the bucket of {weight} is empty."
    reached = range(steps - back, steps + 1)
    named = ", ".join(f"{format_number(gradients[t])} at h{t}" for t in reached)
    drops = list(reversed(contributions[steps - back :]))
    text += f" The backward pass has gone back {plural(back, 'step')}, with gradients {named}."
    together = format_number(sum(drops))
    return f"{text} In the bucket of {weight}: {', '.join(map(format_number, drops))}, together {together}."
