"""Curves with their names at their ends: a race, read without a legend. In pure Python.

The one idea: at the end of a race the names stand in the order of arrival, so the eye goes from curve to name and never
to a box and back.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from coursepkg.visualize import svg
from coursepkg.visualize.picture import Picture
from coursepkg.visualize.scale import Scale, span, tick_words
from coursepkg.visualize.style import CYCLE, EDGE, GRID, INK
from coursepkg.visualize.text import format_number, plural, text_width

_LEFT, _WIDTH, _HEIGHT = 72.0, 450.0, 290.0
_SIZE, _ROW = 13.0, 17.0
_DASHES = ("", "8 4", "2 3", "9 3 2 3", "4 3", "12 4")
_WIDTHS = (2.6, 2.0, 2.0, 2.0, 2.0, 2.0)


def draw_lines(
    runs: Mapping[str, Sequence[float]],
    *,
    log: bool = False,
    percent: bool = False,
    first: int = 1,
    xlabel: str = "epoch",
    ylabel: str = "loss",
    title: str = "",
) -> Picture:
    """Draw up to six curves over the same steps, each named where it ends.

    Parameters
    ----------
    runs : mapping of str to sequence of float
        One curve per name; they may differ in length.
    log : bool
        A logarithmic axis for the values.
    percent : bool
        The values are shares, to be written in per cent.
    first : int
        The number of the first step.
    xlabel, ylabel, title : str
        Labels.

    Returns
    -------
    Picture

    Raises
    ------
    ValueError
        If there are no curves or too many, one has fewer than two values, or a value has no place on the axis.

    Examples
    --------
    >>> print(draw_lines({"fast": [1.0, 0.1], "slow": [1.0, 0.9]}, ylabel="loss").alt)
    loss by epoch. From best to worst at the end: fast from 1 to 0.1, slow from 1 to 0.9 over 2 epochs.
    """
    data = {name: [float(value) for value in run] for name, run in runs.items()}
    _check(data, log)
    longest = max(map(len, data.values()))
    ends = sorted(data, key=lambda name: data[name][-1])
    said = [f"{name} from {_words(data[name][0], percent)} to {_words(data[name][-1], percent)}" for name in ends]
    alt = (
        f"{title.rstrip('. ') + '. ' if title else ''}{ylabel} by {xlabel}{', on a logarithmic axis' if log else ''}. "
    )
    order = "From best to worst at the end" if not percent else "From lowest to highest at the end"
    alt += f"{order}: {', '.join(said)} over {plural(longest + first - 1, xlabel)}."
    return Picture(_page(data, longest, log, percent, first, xlabel, ylabel, title), alt)


def _words(value: float, percent: bool) -> str:
    return f"{100 * value:.1f} %" if percent else format_number(value)


def _check(data: Mapping[str, Sequence[float]], log: bool) -> None:
    if not data or any(len(run) < 2 for run in data.values()):
        raise ValueError("draw_lines needs at least one curve, and at least two values in each")
    if len(data) > len(CYCLE):
        raise ValueError(f"{len(data)} curves in one plot cannot be told apart; draw at most {len(CYCLE)}")
    for name, run in data.items():
        if any(not abs(value) < float("inf") or (log and value <= 0) for value in run):
            kind = "zero, negative or not finite" if log else "not finite"
            raise ValueError(f"the curve {name!r} holds a value that is {kind} and has no place on the axis")


def _page(
    data: Mapping[str, Sequence[float]], longest: int, log: bool, percent: bool, first: int,
    xlabel: str, ylabel: str, title: str,
) -> str:  # fmt: skip
    top = 56.0 if title else 28.0
    bottom, right = top + _HEIGHT, _LEFT + _WIDTH
    across = Scale(first, first + longest - 1, _LEFT, right)
    up = Scale(*span([v for run in data.values() for v in run], margin=0.04, log=log), bottom, top, log=log)
    parts = [svg.text(14, 23, title, size=15, weight="bold", halo=False)] if title else []
    parts.append(svg.text(14, top - 10, ylabel, size=_SIZE, halo=False))
    for tick in up.ticks():
        y = up.at(tick)
        parts.append(svg.line(_LEFT, y, right, y, stroke=GRID, width=1))
        words = tick_words(tick, percent)
        parts.append(svg.text(_LEFT - 8, y + 4.5, words, size=_SIZE, anchor="end", halo=False, role="tick"))
    for tick in (tick for tick in across.ticks() if tick == int(tick)):
        x = across.at(tick)
        parts.append(svg.line(x, bottom, x, bottom + 5, stroke=INK, width=1))
        parts.append(
            svg.text(x, bottom + 20, format_number(tick), size=_SIZE, anchor="middle", halo=False, role="tick")
        )
    parts.append(svg.line(_LEFT, bottom, right, bottom, stroke=INK, width=1.4))
    finish = {}
    for number, (name, run) in enumerate(data.items()):
        points = [(across.at(first + k), up.at(value)) for k, value in enumerate(run)]
        finish[name] = points[-1]
        commands = "M" + "L".join(f"{svg.number(x)} {svg.number(y)}" for x, y in points)
        style = {"stroke": CYCLE[number], "width": _WIDTHS[number], "dash": _DASHES[number]}
        parts.append(svg.path(commands, role="curve", **style))  # type: ignore[arg-type]
    parts += _names(finish, list(data), right, top, bottom)
    parts.append(svg.text((_LEFT + right) / 2, bottom + 41, xlabel, size=_SIZE, anchor="middle", halo=False))
    names = max(text_width(name, _SIZE) * svg.BOLD for name in data)
    width = max(right + 40 + names + 12, text_width(title, 15) * svg.BOLD + 28)
    return svg.document(width, bottom + 52, parts, title=title)


def _names(
    finish: Mapping[str, tuple[float, float]], names: Sequence[str], right: float, top: float, bottom: float
) -> list[str]:
    """The names beside the ends of their curves, pushed apart where curves end close together."""
    order = sorted(finish, key=lambda name: finish[name][1])
    wanted = [min(max(finish[name][1], top), bottom) for name in order]
    places = _apart(wanted, top, bottom)
    parts = []
    for name, y in zip(order, places, strict=True):
        x, end = finish[name]
        number = names.index(name)
        parts.append(svg.line(x + 3, end, right + 34, y, stroke=EDGE, width=1))
        parts.append(svg.circle(x, end, 3.6, fill=CYCLE[number], stroke=INK, width=0.8, role="end"))
        colour = CYCLE[number]
        parts.append(svg.text(right + 38, y + 4.5, name, size=_SIZE, weight="bold", fill=colour, role="name"))
    return parts


def _apart(wanted: Sequence[float], top: float, bottom: float) -> list[float]:
    """Numbers near the wanted ones, in the same order, at least a row apart and between top and bottom."""
    places = list(wanted)
    for _ in range(200):
        for k, (above, below) in enumerate(pairwise(places)):
            short = _ROW - (below - above)
            if short > 1e-6:
                places[k], places[k + 1] = above - short / 2, below + short / 2
        lift = min(0.0, bottom - places[-1])
        places = [max(place + lift, top + k * _ROW) for k, place in enumerate(places)]
    return places
