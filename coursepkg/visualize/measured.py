"""What light measured: a scatter of measured against expected values, and the toggled signal of one tap over time.

The one idea: a measurement is drawn as dots and what it stands for as a line, so that the two cannot be confused.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from coursepkg.visualize import svg
from coursepkg.visualize.axes import Frame, marker
from coursepkg.visualize.picture import Picture
from coursepkg.visualize.scale import Scale, span
from coursepkg.visualize.style import CYCLE, GRADIENT, INK, MUTED, SHADE
from coursepkg.visualize.text import format_number, plural, text_width

_LEFT, _WIDTH, _HEIGHT = 66.0, 470.0, 260.0
_SQUARE = 300.0
_KINDS = ("o", "s", "^", "D", "O")
Series = Mapping[str, tuple[Any, Any]]


def draw_agreement(
    groups: Series, *, xlabel: str = "expected", ylabel: str = "measured", note: str = "", title: str = ""
) -> Picture:
    """Draw measured against expected values, with the diagonal on which both are equal.

    Parameters
    ----------
    groups : mapping of str to (expected, measured)
        Up to five groups of points.
    xlabel, ylabel, title : str
        Labels.
    note : str
        What the caller computed of the agreement ("cosine 0.98"), written in the plot and read out.

    Returns
    -------
    Picture

    Examples
    --------
    >>> print(draw_agreement({"theta": ([1.0, -1.0], [1.1, -0.9])}, note="cosine 0.995").alt)
    measured against expected. theta: 2 points, expected from −1 to 1, measured from −0.9 to 1.1. cosine 0.995.
    """
    points = _read(groups)
    top = 62.0 if title else 36.0
    low, high = span(np.concatenate([np.concatenate(pair) for pair in points.values()]), margin=0.07)
    frame = Frame(Scale(low, high, _LEFT, _LEFT + _SQUARE), Scale(low, high, top + _SQUARE, top))
    parts = [svg.text(14, 25, title, size=15, weight="bold", halo=False)] if title else []
    parts += frame.axes(xlabel=xlabel, ylabel=ylabel)
    parts.append(frame.curve((low, high), (low, high), stroke=MUTED, width=1.4, dash="--", role="diagonal"))
    text, x, y = f"{title.rstrip('. ')}. " if title else "", _LEFT + _SQUARE + 20, top + 12
    text += f"{ylabel} against {xlabel}."
    for number, (name, (expected, found)) in enumerate(points.items()):
        parts += frame.dots(expected, found, fill=CYCLE[number], kind=_KINDS[number], size=3.2)
        parts.append(marker(x + 5, y - 4, CYCLE[number], _KINDS[number], 4))
        parts.append(svg.text(x + 18, y, name, size=12, halo=False, role="name"))
        y += 20
        ranges = [f"{_number(v.min())} to {_number(v.max())}" for v in (expected, found)]
        text += f" {name}: {plural(len(expected), 'point')}, {xlabel} from {ranges[0]}, {ylabel} from {ranges[1]}."
    for line in note.split(", ") if note else []:
        y += 18
        parts.append(svg.text(x, y, line, size=12, halo=False, role="note"))
    widest = max(text_width(words, 12) for words in [*points, *note.split(", ")])
    width = max(_LEFT + _SQUARE + 60 + widest, text_width(title, 15) * svg.BOLD + 28)
    page = svg.document(width, top + _SQUARE + 50, parts, title=title)
    return Picture(page, f"{text} {note}." if note else text)


def _read(groups: Series) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    found = {
        name: (np.asarray(x, dtype=float).ravel(), np.asarray(y, dtype=float).ravel())
        for name, (x, y) in groups.items()
    }
    if not 1 <= len(found) <= len(_KINDS):
        raise ValueError(f"one to {len(_KINDS)} groups of points can be told apart, got {len(found)}")
    for name, (x, y) in found.items():
        if len(x) != len(y) or not len(x):
            raise ValueError(
                f"{name!r} has {len(x)} values of x and {len(y)} of y; it needs equally many, at least one"
            )
        if not (np.isfinite(x).all() and np.isfinite(y).all()):
            raise ValueError(f"{name!r} holds values that are not finite, and have no place in a plot")
    return found


def _number(value: float) -> str:
    """Rounding noise next to zero is not read out."""
    return format_number(0.0 if abs(value) < 1e-12 else float(value))


def draw_toggle(trace: Any, samples: int, *, title: str = "") -> Picture:
    """Draw the power at a tap while the beam is toggled: two levels, whose distance is four times the gradient.

    Parameters
    ----------
    trace : array, shape (2 * samples * periods,)
        Power over time, beginning with the beam of the third pass.
    samples : int
        Samples of a half period.
    title : str
        A line over the plot.

    Returns
    -------
    Picture

    Examples
    --------
    >>> print(draw_toggle([3.0, 3.0, 1.0, 1.0], 2).alt)
    Power at a tap over 1 period of 4 samples. Mean 3 in the first halves, 1 in the second; the swing is 2.
    """
    power = np.asarray(trace, dtype=float).ravel()
    if samples < 1 or not len(power) or len(power) % (2 * samples):
        raise ValueError(f"a trace holds whole periods of 2 × {samples} samples, got {len(power)}")
    levels = power.reshape(-1, 2, samples).mean(axis=(0, 2))
    top = 62.0 if title else 36.0
    low, high = span(power, margin=0.15)
    frame = Frame(Scale(0, len(power), _LEFT, _LEFT + _WIDTH), Scale(low, high, top + _HEIGHT, top))
    parts = [svg.text(14, 25, title, size=15, weight="bold", halo=False)] if title else []
    for start in range(0, len(power), 2 * samples):
        left, right = frame.across.at(start), frame.across.at(start + samples)
        box = (left, top, right - left, _HEIGHT)
        parts.append(svg.rectangle(*box, fill=SHADE, stroke=SHADE, line_width=0, role="half"))
    parts += frame.axes(xlabel="sample (shaded: x − i conj(x_adj); white: x + i conj(x_adj))", ylabel="power")
    parts += frame.dots(np.arange(len(power)) + 0.5, power, fill=CYCLE[0], size=2.6)
    for start in range(0, len(power), samples):
        level = levels[start // samples % 2]
        parts.append(frame.curve((start, start + samples), (level, level), stroke=GRADIENT, width=2.6, role="level"))
    parts += _swing(frame, levels)
    periods = len(power) // (2 * samples)
    alt = (
        f"{title.rstrip('. ') + '. ' if title else ''}Power at a tap over {plural(periods, 'period')} of {2 * samples} "
    )
    alt += f"samples. Mean {_number(levels[0])} in the first halves, {_number(levels[1])} in the second; the swing is "
    page = svg.document(_LEFT + _WIDTH + 150, top + _HEIGHT + 50, parts, title=title)
    return Picture(page, f"{alt}{_number(levels[0] - levels[1])}.")


def _swing(frame: Frame, levels: Sequence[float]) -> list[str]:
    """A bracket at the right between the two levels."""
    x, (first, second) = frame.across.stop + 12, (frame.up.at(level) for level in levels)
    words = f"swing {format_number(float(levels[0] - levels[1]))}"
    return [
        svg.path(f"M{svg.number(x - 5)} {svg.number(first)}h5V{svg.number(second)}h-5", stroke=INK, width=1.4),
        svg.text(x + 8, (first + second) / 2 + 4, words, size=12, halo=False, role="swing"),
    ]
