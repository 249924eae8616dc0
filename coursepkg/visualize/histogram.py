"""How often each size occurs, as bars, with marks for what theory expects. In pure Python, so that a slider is fluent.

The one idea: a sample is believed when it lies around a number that was computed without it; so the mark is drawn in.
"""

from collections.abc import Mapping, Sequence

from coursepkg.visualize import svg
from coursepkg.visualize.picture import Picture
from coursepkg.visualize.scale import Scale, span
from coursepkg.visualize.style import CYCLE, GRADIENT, GRID, INK, PAPER, VALUE
from coursepkg.visualize.text import format_number, plural, text_width

_LEFT, _WIDTH, _HEIGHT = 64.0, 540.0, 220.0
_SIZE = 13.0
_MARKS = ((GRADIENT, ""), (VALUE, "7 4"), (CYCLE[1], "2 3"))


def draw_histogram(
    samples: Sequence[float],
    *,
    marks: Mapping[str, float] | None = None,
    bins: int = 24,
    ends: tuple[float, float] | None = None,
    xlabel: str = "value",
    title: str = "",
) -> Picture:
    """Draw how often each size occurs.

    Parameters
    ----------
    samples : sequence of float
        What was measured or drawn.
    marks : mapping of str to float, optional
        Up to three numbers to mark by a vertical line, such as a mean that theory expects.
    bins : int
        Number of bars.
    ends : (float, float), optional
        Where the axis begins and ends; samples beyond are counted, and said, but not drawn.
    xlabel, title : str
        Labels.

    Returns
    -------
    Picture

    Raises
    ------
    ValueError
        If there are no samples, one is not finite, or there are too many marks.

    Examples
    --------
    >>> print(draw_histogram([1.0, 2.0, 2.0, 9.0], marks={"mean": 3.5}, xlabel="leaves").alt)
    Histogram of 4 values by leaves, from 1 to 9, half of them at or below 2. Marked: mean 3.5.
    """
    values = sorted(float(value) for value in samples)
    marked = {name: float(value) for name, value in (marks or {}).items()}
    _check(values, marked, bins)
    low, high = ends or span([*values, *marked.values()])
    counts = [0] * bins
    for value in values:
        place = int((value - low) / (high - low) * bins)
        if 0 <= place < bins:
            counts[place] += 1
    middle = values[(len(values) - 1) // 2]
    alt = f"{title.rstrip('. ') + '. ' if title else ''}Histogram of {plural(len(values), 'value')} by {xlabel}, "
    alt += f"from {format_number(values[0])} to {format_number(values[-1])}, half of them at or below "
    alt += f"{format_number(middle)}."
    if marked:
        alt += f" Marked: {', '.join(f'{name} {format_number(value)}' for name, value in marked.items())}."
    beyond = len(values) - sum(counts)
    if beyond:
        alt += f" {plural(beyond, 'value')} beyond the axis."
    return Picture(_page(counts, marked, low, high, beyond, xlabel, title), alt)


def _check(values: Sequence[float], marked: Mapping[str, float], bins: int) -> None:
    if not values:
        raise ValueError("draw_histogram needs at least one sample")
    if any(not abs(value) < float("inf") for value in [*values, *marked.values()]):
        raise ValueError("a histogram is made of finite numbers; a sample or mark is infinite or not a number")
    if len(marked) > len(_MARKS):
        raise ValueError(f"{len(marked)} marks cannot be told apart; mark at most {len(_MARKS)}")
    if bins < 1:
        raise ValueError(f"bins must be at least 1, got {bins}")


def _page(
    counts: Sequence[int], marked: Mapping[str, float], low: float, high: float, beyond: int, xlabel: str, title: str
) -> str:
    top = (34.0 if title else 8.0) + 20.0 * len(marked) + 24
    bottom = top + _HEIGHT
    across = Scale(low, high, _LEFT, _LEFT + _WIDTH)
    up = Scale(0, max(1, *counts), bottom, top)
    parts = [svg.text(14, 23, title, size=15, weight="bold", halo=False)] if title else []
    parts.append(svg.text(14, top - 10, "how many", size=_SIZE, halo=False))
    for tick in up.ticks(4):
        parts.append(svg.line(_LEFT, up.at(tick), _LEFT + _WIDTH, up.at(tick), stroke=GRID, width=1))
        parts.append(svg.text(_LEFT - 8, up.at(tick) + 4.5, format_number(tick), size=_SIZE, anchor="end", halo=False))
    width = _WIDTH / len(counts)
    for place, count in enumerate(counts):
        if count:
            box = (_LEFT + place * width, up.at(count), width, bottom - up.at(count))
            parts.append(svg.rectangle(*box, fill=CYCLE[3], stroke=PAPER, line_width=0.8, role="bar"))
    parts.append(svg.line(_LEFT, bottom, _LEFT + _WIDTH, bottom, stroke=INK, width=1.4))
    for tick in across.ticks():
        x = across.at(tick)
        parts.append(svg.line(x, bottom, x, bottom + 5, stroke=INK, width=1))
        parts.append(
            svg.text(x, bottom + 20, format_number(tick), size=_SIZE, anchor="middle", halo=False, role="tick")
        )
    parts += _mark_lines(marked, across, top, bottom)
    foot = f"{xlabel}  (and {beyond} beyond the axis)" if beyond else xlabel
    parts.append(svg.text(_LEFT + _WIDTH / 2, bottom + 41, foot, size=_SIZE, anchor="middle", halo=False))
    page_width = max(_LEFT + _WIDTH + 24, text_width(title, 15) * svg.BOLD + 28)
    return svg.document(page_width, bottom + 52, parts, title=title)


def _mark_lines(marked: Mapping[str, float], across: Scale, top: float, bottom: float) -> list[str]:
    """Each mark has a row of its own over the plot, so that two of them may lie side by side."""
    parts = []
    for row, ((name, value), (colour, dash)) in enumerate(zip(marked.items(), _MARKS, strict=False)):
        x = min(max(across.at(value), _LEFT), _LEFT + _WIDTH)
        y = top - 24 - 20 * (len(marked) - 1 - row)
        words = f"{name}: {format_number(value)}"
        right = x + 8 + text_width(words, _SIZE) <= _LEFT + _WIDTH + 16
        parts.append(svg.line(x, y - 10, x, bottom, stroke=colour, width=2, dash=dash, role="mark"))
        place = (x + 7, "start") if right else (x - 7, "end")
        parts.append(svg.text(place[0], y, words, size=_SIZE, anchor=place[1], fill=colour, role="mark"))
    return parts
