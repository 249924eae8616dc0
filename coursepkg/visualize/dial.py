"""The curse dial: how far random estimates point away from the gradient, drawn against the density that was predicted.

The one idea: turn the number of dimensions up and watch both, the bars that were drawn and the line that was computed
without drawing anything, move to the wall of right angles.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from coursepkg.visualize import svg
from coursepkg.visualize.picture import Picture
from coursepkg.visualize.style import CYCLE, GRADIENT, INK, MUTED
from coursepkg.visualize.text import format_number, plural, text_width

_WIDE, _HIGH, _LEFT = 460.0, 220.0, 40.0
_COLOURS = (GRADIENT, CYCLE[1], CYCLE[2])
_DASHES = ("", "7 4", "2 3")


def draw_dial(
    samples: Any,
    *,
    low: float,
    high: float,
    bins: int = 40,
    density: tuple[Any, Any],
    marks: Mapping[str, float] | None = None,
    xlabel: str = "value",
    notes: Sequence[str] = (),
    title: str = "",
) -> Picture:
    """Draw a histogram, scaled to area 1, with a predicted density, marks and notes.

    Parameters
    ----------
    samples : array
        What came out. Values outside the range are left out of the bars and counted in the words.
    low, high : float
        The range that is shown.
    bins : int
        Number of bars.
    density : (x, y)
        The predicted density, drawn as a line.
    marks : mapping of str to float, optional
        Up to three vertical lines with their names.
    xlabel : str
        What is counted.
    notes : sequence of str
        Lines of text under the picture.
    title : str
        A line over it.

    Returns
    -------
    Picture

    Raises
    ------
    ValueError
        If there are no samples, the range is empty, or there are more than three marks.

    Examples
    --------
    >>> flat = ([0.0, 1.0], [1.0, 1.0])
    >>> marks = {"expected": 0.4}
    >>> print(draw_dial([0.1, 0.2, 0.2, 0.9], low=0, high=1, density=flat, marks=marks, xlabel="cosine").alt)
    Histogram of 4 values of cosine between 0 and 1; their mean is 0.35, half of them lie below 0.2. expected: 0.4.
    """
    values = np.asarray(samples, dtype=float).reshape(-1)
    marks = dict(marks or {})
    if not values.size or not low < high or len(marks) > len(_COLOURS):
        raise ValueError(
            f"a dial needs values, low < high and at most {len(_COLOURS)} marks; got {values.size} values, "
            f"{low} to {high}, {len(marks)} marks"
        )
    heights, edges = np.histogram(values, bins=bins, range=(low, high))
    heights = heights / values.size / (edges[1] - edges[0])
    line = np.stack([np.asarray(part, dtype=float) for part in density])
    top = float(max(heights.max(), min(line[1].max(), 1.6 * heights.max()))) or 1.0
    parts = [svg.text(14, 22, title, size=15, weight="bold", halo=False)] if title else []
    start = 44.0 + 20.0 * len(marks)
    parts += [*_bars(heights / top, start), _density(line, low, high, top, start)]
    parts += _marks(marks, low, high, start) + _axis(low, high, xlabel, start)
    for row, note in enumerate(notes):
        parts.append(svg.text(_LEFT, start + _HIGH + 58 + 20 * row, note, size=13, halo=False, role="note"))
    width = max(_LEFT + _WIDE + 40, *(text_width(t, 15) * svg.BOLD + 60 for t in (title, *notes)))
    page = svg.document(width, start + _HIGH + 52 + 20 * len(notes), parts, title=title)
    return Picture(page, _say(values, low, high, marks, xlabel, notes, title))


def _bars(heights: np.ndarray, start: float) -> list[str]:
    step = _WIDE / len(heights)
    return [
        svg.rectangle(
            _LEFT + k * step, start + _HIGH * (1 - h), step, _HIGH * h, fill="#c9d6e4", stroke=CYCLE[0], line_width=0.6,
            role="bar",
        )
        for k, h in enumerate(heights)
        if h > 0
    ]  # fmt: skip


def _density(line: np.ndarray, low: float, high: float, top: float, start: float) -> str:
    x, y = line[:, (line[0] >= low) & (line[0] <= high)]
    spots = zip(_LEFT + _WIDE * (x - low) / (high - low), start + _HIGH * (1 - np.minimum(y / top, 1.0)), strict=True)
    path = "M" + "L".join(f"{svg.number(a)} {svg.number(b)}" for a, b in spots)
    return svg.path(path, stroke=INK, width=2.0, role="density")


def _marks(marks: Mapping[str, float], low: float, high: float, start: float) -> list[str]:
    parts = []
    for row, (name, value) in enumerate(marks.items()):
        x = _LEFT + _WIDE * min(max((value - low) / (high - low), 0.0), 1.0)
        y = start - 8 - 20 * (len(marks) - 1 - row)
        words = f"{name} {format_number(value)}"
        room = x + 8 + text_width(words, 13) < _LEFT + _WIDE + 30
        parts.append(
            svg.line(x, y - 10, x, start + _HIGH, stroke=_COLOURS[row], width=2.2, dash=_DASHES[row], role="mark")
        )
        anchor, shift = ("start", 7) if room else ("end", -7)
        parts.append(svg.text(x + shift, y, words, size=13, fill=_COLOURS[row], anchor=anchor))
    return parts


def _axis(low: float, high: float, xlabel: str, start: float) -> list[str]:
    bottom = start + _HIGH
    parts = [svg.line(_LEFT, bottom, _LEFT + _WIDE, bottom, stroke=INK, width=1.4)]
    for k in range(5):
        x, value = _LEFT + _WIDE * k / 4, low + (high - low) * k / 4
        parts.append(svg.line(x, bottom, x, bottom + 5, stroke=MUTED, width=1))
        parts.append(
            svg.text(x, bottom + 18, format_number(value, 2), size=12, anchor="middle", fill=MUTED, halo=False)
        )
    return [*parts, svg.text(_LEFT + _WIDE / 2, bottom + 36, xlabel, size=13, anchor="middle", halo=False)]


def _say(
    values: np.ndarray,
    low: float,
    high: float,
    marks: Mapping[str, float],
    xlabel: str,
    notes: Sequence[str],
    title: str,
) -> str:
    text = f"{title.rstrip('. ')}. " if title else ""
    text += f"Histogram of {plural(values.size, 'value')} of {xlabel} between {format_number(low)} and "
    text += f"{format_number(high)}; their mean is {format_number(values.mean())}, half of them lie below "
    text += f"{format_number(np.median(values))}."
    outside = int(np.sum((values < low) | (values > high)))
    text += f" {outside} lie outside." if outside else ""
    text += "".join(f" {name}: {format_number(value)}." for name, value in marks.items())
    return text + "".join(f" {note.rstrip('. ')}." for note in notes)
