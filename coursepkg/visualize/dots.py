"""One dot per run, one row per rule: what a mean is made of. In pure Python.

The one idea: a mean alone hides the runs. Equal results are stacked, so none hides another, and each row's mean is
marked and written.
"""

from collections.abc import Mapping, Sequence

from coursepkg.visualize import svg
from coursepkg.visualize.picture import Picture
from coursepkg.visualize.scale import Scale, span, tick_words
from coursepkg.visualize.style import CYCLE, GRADIENT, GRID, INK
from coursepkg.visualize.text import format_number, text_width

_WIDTH, _ROW, _RADIUS = 430.0, 54.0, 4.2
_SIZE = 13.0


def draw_dots(
    rows: Mapping[str, Sequence[float]],
    *,
    ends: tuple[float, float] | None = None,
    percent: bool = False,
    xlabel: str = "value",
    title: str = "",
) -> Picture:
    """Draw each row's values as dots on one axis, and their mean.

    Parameters
    ----------
    rows : mapping of str to sequence of float
        One row per name, drawn from top to bottom.
    ends : (float, float), optional
        Where the axis begins and ends.
    percent : bool
        The values are shares, to be written in per cent.
    xlabel, title : str
        Labels.

    Returns
    -------
    Picture

    Raises
    ------
    ValueError
        If there are no rows, a row is empty, or a value is not finite.

    Examples
    --------
    >>> print(draw_dots({"best": [0.9, 1.0], "last": [0.8, 0.8]}, xlabel="accuracy").alt)
    Dots by accuracy. best: 2 values from 0.9 to 1, mean 0.95. last: 2 values from 0.8 to 0.8, mean 0.8.
    """
    data = {name: [float(value) for value in values] for name, values in rows.items()}
    if not data or not all(data.values()):
        raise ValueError("draw_dots needs at least one row, and at least one value in each")
    everything = [value for values in data.values() for value in values]
    if any(not abs(value) < float("inf") for value in everything):
        raise ValueError("a value is infinite or not a number, and has no place on an axis")
    means = {name: sum(values) / len(values) for name, values in data.items()}
    alt = f"{title.rstrip('. ') + '. ' if title else ''}Dots by {xlabel}."
    for name, values in data.items():
        low, high, mean = (_words(number, percent) for number in (min(values), max(values), means[name]))
        alt += f" {name}: {len(values)} values from {low} to {high}, mean {mean}."
    return Picture(_page(data, means, ends or span(everything), percent, xlabel, title), alt)


def _words(number: float, percent: bool) -> str:
    return f"{100 * number:.1f} %" if percent else format_number(number)


def _page(
    data: Mapping[str, Sequence[float]],
    means: Mapping[str, float],
    ends: tuple[float, float],
    percent: bool,
    xlabel: str,
    title: str,
) -> str:
    left = 14 + max(text_width(name, _SIZE) for name in data) + 22
    top = 44.0 if title else 16.0
    bottom = top + _ROW * len(data)
    across = Scale(*ends, left, left + _WIDTH)
    parts = [svg.text(14, 23, title, size=15, weight="bold", halo=False)] if title else []
    for tick in across.ticks():
        x = across.at(tick)
        parts.append(svg.line(x, top, x, bottom, stroke=GRID, width=1))
        words = tick_words(tick, percent)
        parts.append(svg.text(x, bottom + 18, words, size=_SIZE, anchor="middle", halo=False, role="tick"))
    for row, (name, values) in enumerate(data.items()):
        y = top + _ROW * (row + 0.5)
        parts.append(svg.text(left - 16, y + 4.5, name, size=_SIZE, anchor="end", halo=False, role="row"))
        parts.append(svg.line(left, y, left + _WIDTH, y, stroke=GRID, width=1))
        parts += _row_of_dots(values, across, y, CYCLE[row % len(CYCLE)])
        parts += _mean_mark(means[name], across, y, percent)
    right = left + _WIDTH
    parts.append(svg.line(left, bottom, right, bottom, stroke=INK, width=1.4))
    parts.append(svg.text((left + right) / 2, bottom + 39, xlabel, size=_SIZE, anchor="middle", halo=False))
    widest = max(text_width(_words(mean, percent), _SIZE) * svg.BOLD for mean in means.values())
    width = max(right + 20 + widest, text_width(title, 15) * svg.BOLD + 28)
    parts.append(svg.text(right + 14, top - 4, "mean", size=_SIZE, halo=False))
    return svg.document(width, bottom + 50, parts, title=title)


def _row_of_dots(values: Sequence[float], across: Scale, y: float, colour: str) -> list[str]:
    """Dots that would cover each other are stacked, by turns above and below the line."""
    parts: list[str] = []
    here: dict[int, int] = {}
    for value in sorted(values):
        place = round(across.at(value) / (1.6 * _RADIUS))
        stacked = here[place] = here.get(place, -1) + 1
        offset = (stacked + 1) // 2 * (1 if stacked % 2 else -1)
        shift = max(-0.42 * _ROW, min(0.42 * _ROW, offset * 2.1 * _RADIUS))
        parts.append(svg.circle(across.at(value), y + shift, _RADIUS, fill=colour, stroke=INK, width=0.8, role="dot"))
    return parts


def _mean_mark(mean: float, across: Scale, y: float, percent: bool) -> list[str]:
    x = min(max(across.at(mean), across.start), across.stop)
    return [
        svg.line(x, y - 0.44 * _ROW, x, y + 0.44 * _ROW, stroke=GRADIENT, width=2.6, role="mean"),
        svg.text(across.stop + 14, y + 4.5, _words(mean, percent), size=_SIZE, weight="bold", halo=False, role="mean"),
    ]
