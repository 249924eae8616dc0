"""Gradient norms by layer, on a logarithmic axis.

The one idea: vanishing and exploding are ratios between layers, and only a logarithmic axis shows ratios. A norm of
exactly zero has no place on such an axis, so it is written out. Written as SVG, so that a slider can redraw it at once.
"""

import math
from collections.abc import Iterator, Mapping, Sequence

from coursepkg.visualize import svg
from coursepkg.visualize.picture import Picture
from coursepkg.visualize.style import CYCLE, GRID, INK, PAPER
from coursepkg.visualize.text import format_number, text_width

_LEFT, _WIDTH, _HEIGHT = 74.0, 540.0, 270.0
_SIZE = 13.0
_MOST_DECADES = 8  # with a label each
# What is drawn in white over a bar, so that runs stay apart in greyscale; one 8 by 8 pixel tile each.
_TILES = (
    "",
    "M0 8L8 0M-2 2L2 -2M6 10L10 6",
    "M4 3.2a.8 .8 0 1 0 .01 0z",
    "M0 0L8 8M0 8L8 0",
    "M0 0L8 8M-2 6L2 10M6 -2L10 2",
    "M0 4H8",
)


def draw_layer_norms(
    norms: Mapping[str, Sequence[float]] | Sequence[float],
    *,
    layers: Sequence[str] | None = None,
    xlabel: str = "layer",
    ylabel: str = "norm of the gradient",
    title: str = "",
) -> Picture:
    """Draw gradient norms as bars, one group per layer (or per time step), one bar per run.

    Parameters
    ----------
    norms : sequence of float, or mapping of str to sequence of float
        One norm per layer, for one run or several named ones; at most six.
    layers : sequence of str, optional
        The names of the layers; by default 1, 2, ...
    xlabel, ylabel, title : str
        Labels.

    Returns
    -------
    Picture

    Raises
    ------
    ValueError
        If runs differ in length, a norm is negative or not finite, or there are too many runs.

    Examples
    --------
    >>> print(draw_layer_norms([0.001, 0.1]).alt)
    norm of the gradient by layer, logarithmic axis. Layer 1: 0.001, layer 2: 0.1.
    """
    runs = {k: [float(v) for v in run] for k, run in (norms if isinstance(norms, Mapping) else {"": norms}).items()}
    names = (
        [str(name) for name in layers]
        if layers is not None
        else [str(k + 1) for k in range(len(next(iter(runs.values()), [])))]
    )
    _check(runs, names)
    text = f"{title.rstrip('. ') + '. ' if title else ''}{ylabel} by {xlabel}, logarithmic axis."
    for run, values in runs.items():
        said = ", ".join(f"{xlabel} {name}: {format_number(value)}" for name, value in zip(names, values, strict=True))
        text += f" {run}: {said}." if run else f" {said[0].upper()}{said[1:]}."
    return Picture(_page(runs, names, xlabel, ylabel, title), text)


def _check(runs: Mapping[str, Sequence[float]], names: Sequence[str]) -> None:
    if not runs or not names:
        raise ValueError("draw_layer_norms needs at least one norm")
    if len(runs) > len(CYCLE):
        raise ValueError(f"{len(runs)} runs in one plot cannot be told apart; draw at most {len(CYCLE)}")
    for run, values in runs.items():
        if len(values) != len(names):
            raise ValueError(f"the run {run!r} has {len(values)} norms for {len(names)} layers")
        if any(not 0 <= value < float("inf") for value in values):
            raise ValueError(f"the run {run!r} holds a norm that is negative or not finite: {values}")


def _page(runs: Mapping[str, Sequence[float]], names: Sequence[str], xlabel: str, ylabel: str, title: str) -> str:
    legend, legend_height = _legend(list(runs)) if any(runs) else ([], 0.0)
    top = (34.0 if title else 8.0) + legend_height + 24
    low, high = _decades([value for values in runs.values() for value in values if value > 0])
    bottom = top + _HEIGHT
    labels, label_height = _layer_labels(names, bottom)
    width = max(_LEFT + _WIDTH + 12, text_width(title, 15) * svg.BOLD + 28)
    parts = [_patterns(len(runs))]
    if title:
        parts.append(svg.text(14, 23, title, size=15, weight="bold", halo=False))
    parts += [f'<g transform="translate(0 {svg.number(34 if title else 8)})">', *legend, "</g>"]
    parts.append(svg.text(_LEFT, top - 12, ylabel, size=_SIZE, halo=False))
    parts += _axis(low, high, top)
    parts += _bars(runs, len(names), low, high, bottom)
    parts += [svg.line(_LEFT, bottom, _LEFT + _WIDTH, bottom, stroke=INK, width=1.4), *labels]
    middle, foot = _LEFT + _WIDTH / 2, bottom + label_height + 20
    parts.append(svg.text(middle, foot, xlabel, size=_SIZE, anchor="middle", halo=False))
    return svg.document(width, foot + 10, parts, title=title)


def _decades(values: Sequence[float]) -> tuple[int, int]:
    """The whole powers of ten around all values, with a little room below the smallest."""
    logs = [math.log10(value) for value in values] or [0.0]
    low, high = math.floor(min(logs) - 0.15), math.ceil(max(logs))
    return low, max(high, low + 1)


def _axis(low: int, high: int, top: float) -> Iterator[str]:
    step = -(-(high - low) // _MOST_DECADES)
    for power in range(low, high + 1, step):
        y = top + _HEIGHT * (high - power) / (high - low)
        yield svg.line(_LEFT, y, _LEFT + _WIDTH, y, stroke=GRID, width=1)
        yield svg.text(_LEFT - 8, y + 4.5, _power_of_ten(power), size=_SIZE, anchor="end", halo=False, role="tick")


def _power_of_ten(power: int) -> str:
    if -3 <= power <= 3:
        return format_number(10.0**power)
    return "10" + str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _patterns(count: int) -> str:
    tiles = [
        f'<pattern id="tile{k}" width="8" height="8" patternUnits="userSpaceOnUse">'
        f'<path d="{tile}" fill="none" stroke="{PAPER}" stroke-width="1.3"/></pattern>'
        for k, tile in enumerate(_TILES[:count])
        if tile
    ]
    return f"<defs>{''.join(tiles)}</defs>" if tiles else ""


def _block(x: float, y: float, width: float, height: float, run: int, role: str) -> Iterator[str]:
    shape = {"line_width": 1.0, "stroke": INK}
    yield svg.rectangle(x, y, width, height, fill=CYCLE[run], role=f"{role} run{run}", **shape)  # type: ignore[arg-type]
    if _TILES[run]:
        yield svg.rectangle(x, y, width, height, fill=f"url(#tile{run})", **shape)  # type: ignore[arg-type]


def _bars(runs: Mapping[str, Sequence[float]], groups: int, low: int, high: int, bottom: float) -> Iterator[str]:
    slot = _WIDTH / groups
    width = 0.8 * slot / len(runs)
    for number, values in enumerate(runs.values()):
        for group, value in enumerate(values):
            x = _LEFT + slot * (group + 0.1) + number * width
            if value == 0:
                size = min(_SIZE, width / text_width("0", 1))
                yield svg.text(x + width / 2, bottom - 4, "0", size=size, anchor="middle", role="zero")
                continue
            height = _HEIGHT * (math.log10(value) - low) / (high - low)
            yield from _block(x, bottom - height, 0.94 * width, height, number, "bar")


def _legend(names: Sequence[str]) -> tuple[list[str], float]:
    """The names of the runs beside a piece of their bars, over the plot where no bar can hide them."""
    parts, x, y = [], _LEFT, 0.0
    for number, name in enumerate(names):
        width = 24 + text_width(name, _SIZE) + 22
        if x > _LEFT and x + width > _LEFT + _WIDTH:
            x, y = _LEFT, y + 22
        parts += [*_block(x, y, 16, 14, number, "key")]
        parts.append(svg.text(x + 24, y + 12, name, size=_SIZE, halo=False, role="run"))
        x += width
    return parts, y + 22


def _layer_labels(names: Sequence[str], bottom: float) -> tuple[list[str], float]:
    """Names under their groups: side by side, or by turns in two rows, or only every second, third ... name."""
    slot = _WIDTH / len(names)
    needed = max(text_width(name, _SIZE) for name in names) + 8
    rows = 1 if needed <= slot else 2
    step = max(1, math.ceil(needed / (2 * slot))) if rows == 2 else 1
    parts = []
    for place, k in enumerate(range(0, len(names), step)):
        x, row = _LEFT + slot * (k + 0.5), place % rows
        reach = text_width(names[k], _SIZE) / 2
        x = min(max(x, reach + 4), _LEFT + _WIDTH + 8 - reach)
        parts.append(
            svg.text(x, bottom + 18 + 17 * row, names[k], size=_SIZE, anchor="middle", halo=False, role="layer")
        )
    return parts, 18.0 + 17 * (rows - 1)
