"""Named points in a plane, with a diagonal if both axes measure the same thing. In pure Python.

The one idea: each point carries its name beside it, in the first free place around it, so that no legend is needed.
"""

from collections.abc import Mapping, Sequence

from coursepkg.visualize import svg
from coursepkg.visualize.picture import Picture
from coursepkg.visualize.scale import Scale, span, tick_words
from coursepkg.visualize.style import CYCLE, EDGE, GRID, INK, MUTED
from coursepkg.visualize.text import format_number, text_width

_LEFT, _WIDTH, _HEIGHT = 78.0, 520.0, 340.0
_SIZE, _RADIUS = 13.0, 5.5
# Where a name may stand beside its point, in the order of preference: (direction right, direction down).
_AROUND = ((1, 0), (-1, 0), (1, -1), (1, 1), (-1, -1), (-1, 1), (0, -1), (0, 1))
Box = tuple[float, float, float, float]


def draw_scatter(
    points: Mapping[str, tuple[float, float]],
    *,
    xlabel: str,
    ylabel: str,
    x_ends: tuple[float, float] | None = None,
    y_ends: tuple[float, float] | None = None,
    log_x: bool = False,
    percent: str = "",
    diagonal: bool = False,
    emphasis: Sequence[str] = (),
    title: str = "",
) -> Picture:
    """Draw points with their names.

    Parameters
    ----------
    points : mapping of str to (float, float)
        Name to (x, y).
    xlabel, ylabel : str
        What is measured.
    x_ends, y_ends : (float, float), optional
        Where the axes begin and end.
    log_x : bool
        A logarithmic axis for x.
    percent : str
        The axes on which shares are written in per cent: "x", "y" or "xy".
    diagonal : bool
        Draw the line of equal x and y.
    emphasis : sequence of str
        Names whose points are filled squares; all others are open circles.
    title : str
        A line over the plot.

    Returns
    -------
    Picture

    Raises
    ------
    ValueError
        If there are no points, one is not finite, or an emphasised name is none of them.

    Examples
    --------
    >>> print(draw_scatter({"a": (1.0, 2.0), "b": (3.0, 2.5)}, xlabel="x", ylabel="y", diagonal=True).alt)
    y against x. a: x 1, y 2. b: x 3, y 2.5. 1 of 2 points lie below the diagonal.
    """
    data = {name: (float(x), float(y)) for name, (x, y) in points.items()}
    _check(data, emphasis)
    alt = f"{title.rstrip('. ') + '. ' if title else ''}{ylabel} against {xlabel}{' (logarithmic)' if log_x else ''}."
    for name, (x, y) in data.items():
        said = [f"{axis} {_words(value, axis in percent)}" for axis, value in (("x", x), ("y", y))]
        alt += f" {name}: {', '.join(said)}."
    if diagonal:
        alt += f" {sum(y < x for x, y in data.values())} of {len(data)} points lie below the diagonal."
    xs, ys = zip(*data.values(), strict=True)
    bottom = (56.0 if title else 28.0) + _HEIGHT
    across = Scale(*(x_ends or span(xs, margin=0.12, log=log_x)), _LEFT, _LEFT + _WIDTH, log=log_x)
    up = Scale(*(y_ends or span(ys, margin=0.12)), bottom, bottom - _HEIGHT)
    return Picture(_page(data, across, up, xlabel, ylabel, percent, diagonal, emphasis, title), alt)


def _words(value: float, percent: bool) -> str:
    return f"{100 * value:.1f} %" if percent else format_number(value)


def _check(data: Mapping[str, tuple[float, float]], emphasis: Sequence[str]) -> None:
    if not data:
        raise ValueError("draw_scatter needs at least one point")
    broken = [name for name, pair in data.items() if any(not abs(value) < float("inf") for value in pair)]
    if broken:
        raise ValueError(f"the point {broken[0]!r} is {data[broken[0]]}, which has no place in the plane")
    unknown = [name for name in emphasis if name not in data]
    if unknown:
        raise ValueError(f"emphasis names {unknown[0]!r}, which is no point; there are {', '.join(data)}")


def _page(
    data: Mapping[str, tuple[float, float]], across: Scale, up: Scale, xlabel: str, ylabel: str, percent: str,
    diagonal: bool, emphasis: Sequence[str], title: str,
) -> str:  # fmt: skip
    parts = [svg.text(14, 23, title, size=15, weight="bold", halo=False)] if title else []
    parts.append(svg.text(14, up.stop - 10, ylabel, size=_SIZE, halo=False))
    for tick in up.ticks():
        y = up.at(tick)
        parts.append(svg.line(_LEFT, y, _LEFT + _WIDTH, y, stroke=GRID, width=1))
        words = tick_words(tick, "y" in percent)
        parts.append(svg.text(_LEFT - 8, y + 4.5, words, size=_SIZE, anchor="end", halo=False, role="tick"))
    for tick in across.ticks():
        x = across.at(tick)
        parts.append(svg.line(x, up.stop, x, up.start, stroke=GRID, width=1))
        words = tick_words(tick, "x" in percent)
        parts.append(svg.text(x, up.start + 19, words, size=_SIZE, anchor="middle", halo=False, role="tick"))
    parts.append(svg.line(_LEFT, up.start, _LEFT + _WIDTH, up.start, stroke=INK, width=1.4))
    parts.append(svg.line(_LEFT, up.start, _LEFT, up.stop, stroke=INK, width=1.4))
    if diagonal:
        low, high = max(across.low, up.low), min(across.high, up.high)
        ends = (across.at(low), up.at(low), across.at(high), up.at(high))
        parts.append(svg.line(*ends, stroke=MUTED, width=1.6, dash="7 5", role="diagonal"))
    pixels = {name: (across.at(x), up.at(y)) for name, (x, y) in data.items()}
    for name, (x, y) in pixels.items():
        parts.append(_marker(x, y, strong=name in emphasis))
    for name, (x, y, anchor) in _places(pixels, up).items():
        weight = "bold" if name in emphasis else "normal"
        if abs(x - pixels[name][0]) > 3 * _RADIUS and anchor == "middle":
            parts.append(svg.line(*pixels[name], x, y, stroke=EDGE, width=1))
        parts.append(svg.text(x, y, name, size=_SIZE, anchor=anchor, weight=weight, role="name"))
    parts.append(svg.text(_LEFT + _WIDTH / 2, up.start + 42, xlabel, size=_SIZE, anchor="middle", halo=False))
    width = max(_LEFT + _WIDTH + 30, text_width(title, 15) * svg.BOLD + 28)
    return svg.document(width, up.start + 54, parts, title=title)


def _marker(x: float, y: float, *, strong: bool) -> str:
    if strong:
        side = 2 * _RADIUS
        box = (x - _RADIUS, y - _RADIUS, side, side)
        return svg.rectangle(*box, fill=CYCLE[1], stroke=INK, line_width=1.2, role="point")
    return svg.circle(x, y, _RADIUS, fill=CYCLE[3], stroke=INK, width=1.2, role="point")


def _places(pixels: Mapping[str, tuple[float, float]], up: Scale) -> dict[str, tuple[float, float, str]]:
    """Where each name stands: the first place around its point where it covers no point and no other name."""
    taken: list[Box] = [(x - _RADIUS, y - _RADIUS, x + _RADIUS, y + _RADIUS) for x, y in pixels.values()]
    found = {}
    for name, (x, y) in pixels.items():
        width = text_width(name, _SIZE) * svg.BOLD
        tried = [_beside(x, y, width, step, right, down) for step in (1, 2.4, 4) for right, down in _AROUND]
        free = [place for place in tried if _fits(place[1], taken, up)]
        (tx, ty, anchor), box = free[0] if free else tried[0]
        found[name] = (tx, ty, anchor)
        taken.append(box)
    return found


def _beside(
    x: float, y: float, width: float, step: float, right: int, down: int
) -> tuple[tuple[float, float, str], Box]:
    tx = x + right * (_RADIUS + 5)
    ty = y + 4.5 + down * step * (_RADIUS + 10)
    anchor = {1: "start", -1: "end", 0: "middle"}[right]
    left = {1: tx, -1: tx - width, 0: tx - width / 2}[right]
    return (tx, ty, anchor), (left, ty - 0.8 * _SIZE, left + width, ty + 0.25 * _SIZE)


def _fits(box: Box, taken: Sequence[Box], up: Scale) -> bool:
    inside = box[0] > _LEFT and box[2] < _LEFT + _WIDTH + 26 and up.stop - 6 < box[1] and box[3] < up.start - 1
    return inside and not any(
        min(box[2], other[2]) > max(box[0], other[0]) and min(box[3], other[3]) > max(box[1], other[1])
        for other in taken
    )
