"""Named points in a plane, with a diagonal if both axes measure the same thing.

Each point carries its name beside it, in the first free place around it, so that no legend is needed.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from coursepkg.visualize.chart.common import finite, in_percent, words
from coursepkg.visualize.paper.figure import picture_of
from coursepkg.visualize.paper.picture import Picture, lead
from coursepkg.visualize.paper.style import CYCLE, EDGE, INK, MUTED, use_style

# Where a name may stand beside its point, in points of print, in the order of preference.
_BESIDE = ((8, 0), (-8, 0), (8, 11), (8, -11), (-8, 11), (-8, -11), (0, 14), (0, -14))
_FURTHER = tuple((right, factor * up) for factor in (2.2, 3.4, 4.6) for right, up in _BESIDE if up)


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
        Names whose points are filled squares; all others are circles.
    title : str
        A line over the plot.

    Raises
    ------
    ValueError
        If there are no points, one has no place in the plane, or an emphasised name is none of them.

    Examples
    --------
    >>> print(draw_scatter({"a": (1.0, 2.0), "b": (3.0, 2.5)}, xlabel="x", ylabel="y", diagonal=True).alt)
    y against x. a: x 1, y 2. b: x 3, y 2.5. 1 of 2 points lie below the diagonal.
    """
    data = {name: (float(x), float(y)) for name, (x, y) in points.items()}
    if not data:
        raise ValueError("draw_scatter needs at least one point")
    for name, (x, y) in data.items():
        finite((x, y), f"a number of the point {name!r}")
        if log_x and x <= 0:
            raise ValueError(f"the point {name!r} has x = {x}; a logarithmic axis has only positive numbers")
    unknown = [name for name in emphasis if name not in data]
    if unknown:
        raise ValueError(f"emphasis names {unknown[0]!r}, which is no point; there are {', '.join(data)}")
    alt = f"{lead(title)}{ylabel} against {xlabel}{' (logarithmic)' if log_x else ''}."
    for name, pair in data.items():
        said = [f"{axis} {words(value, axis in percent)}" for axis, value in zip("xy", pair, strict=True)]
        alt += f" {name}: {', '.join(said)}."
    if diagonal:
        alt += f" {sum(y < x for x, y in data.values())} of {len(data)} points lie below the diagonal."
    import matplotlib.pyplot as plt

    with use_style():
        fig, ax = plt.subplots(figsize=(6.4, 4.6))
        for name, (x, y) in data.items():
            marker, colour = ("s", CYCLE[1]) if name in emphasis else ("o", CYCLE[3])
            ax.plot(x, y, marker=marker, color=colour, markeredgecolor=INK, markersize=8, linestyle="none")
        ax.margins(0.12)
        ax.set(xlabel=xlabel, ylabel=ylabel, title=title, xscale="log" if log_x else "linear")
        ax.set(xlim=x_ends or ax.get_xlim(), ylim=y_ends or ax.get_ylim())
        for axis in percent:
            in_percent(ax.xaxis if axis == "x" else ax.yaxis)
        if diagonal:
            (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
            low, high = max(left, bottom), min(right, top)
            ax.plot([low, high], [low, high], color=MUTED, linestyle="--", linewidth=1.4, zorder=1)
        _name(fig, ax, data, emphasis)
    return picture_of(fig, alt)


def _name(fig: Any, ax: Any, data: Mapping[str, tuple[float, float]], emphasis: Sequence[str]) -> None:
    """Write each name at the first place around its point where it covers no point, no line and no other name."""
    from matplotlib.transforms import Bbox

    fig.draw_without_rendering()  # the layout is decided here, and with it where a name's box lies
    pixels = {name: ax.transData.transform(pair) for name, pair in data.items()}
    taken = [Bbox.from_bounds(x - 6, y - 6, 12, 12) for x, y in pixels.values()]
    lines = [line.get_transform().transform_path(line.get_path()) for line in ax.lines if len(line.get_xdata()) > 1]
    for name, pair in data.items():
        for right, up in (*_BESIDE, *_FURTHER):
            text = ax.annotate(
                name, pair, (right, up), textcoords="offset points", va="center",
                ha="left" if right > 0 else "right" if right else "center",
                weight="bold" if name in emphasis else "normal",
                arrowprops={"arrowstyle": "-", "color": EDGE, "linewidth": 0.8} if abs(up) > 20 else None,
            )  # fmt: skip
            box = text.get_window_extent().padded(1)
            inside = box.x1 < fig.bbox.x1 and ax.bbox.x0 < box.x0 and ax.bbox.y0 < box.y0 and box.y1 < ax.bbox.y1 + 4
            crossed = any(line.intersects_bbox(box, filled=False) for line in lines)
            if inside and not crossed and not any(box.overlaps(other) for other in taken):
                break
            text.remove()
        else:
            text = ax.annotate(name, pair, _BESIDE[0], textcoords="offset points", va="center")
            box = text.get_window_extent()
        taken.append(box)
