"""What a tape holds, part by part, as bars: what each part adds, and what it reads but another part keeps already.

The one idea: an array that two parts need is paid for once. So a bar has a filled piece, which counts, and an outlined
piece, which does not.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from coursepkg.visualize.paper.figure import key, picture_of
from coursepkg.visualize.paper.picture import Picture, lead
from coursepkg.visualize.paper.style import CYCLE, INK, PAPER, use_style
from coursepkg.visualize.paper.text import format_number

_UNITS = (("B", 1), ("KiB", 1024), ("MiB", 1024**2), ("GiB", 1024**3))


def format_bytes(size: float) -> str:
    """Bytes with the unit that leaves a number from 1 to 1023: ``1536`` is "1.5 KiB"."""
    name, unit = next((u for u in reversed(_UNITS) if size >= u[1]), _UNITS[0])
    return f"{format_number(size / unit)} {name}"


def draw_memory(holdings: Iterable[Any], *, title: str = "") -> Picture:
    """Draw what the tape holds for each part of a model.

    Parameters
    ----------
    holdings : iterable of (name, own, shared)
        Bytes that a part adds, and bytes that it reads but that are held already; drawn from top to bottom.
    title : str
        A line over the chart.

    Raises
    ------
    ValueError
        If there is nothing to draw, or a number of bytes is negative.

    Examples
    --------
    >>> draw_memory([("0 Linear", 2048, 0), ("1 ReLU", 0, 2048)], title="On the tape")
    Figure: On the tape. Held by 0 Linear: 2 KiB; by 1 ReLU: 0 B, and 2 KiB held already. Together 2 KiB.
    """
    rows = [(str(name), int(own), int(shared)) for name, own, shared in holdings]
    if not rows:
        raise ValueError("draw_memory needs at least one part: draw_memory([('layer', 2048, 0)])")
    if any(own < 0 or shared < 0 for _, own, shared in rows):
        raise ValueError("a number of bytes cannot be negative")
    total = format_bytes(sum(own for _, own, _ in rows))
    said = [f"by {name}: {_words(own, shared)}" for name, own, shared in rows]
    return picture_of(_plot(rows, total, title), f"{lead(title)}Held {'; '.join(said)}. Together {total}.")


def _words(own: int, shared: int) -> str:
    return f"{format_bytes(own)}, and {format_bytes(shared)} held already" if shared else format_bytes(own)


def _plot(rows: Sequence[tuple[str, int, int]], total: str, title: str) -> Any:
    import matplotlib.pyplot as plt

    names, own, shared = zip(*rows, strict=True)
    with use_style():
        fig, ax = plt.subplots(figsize=(6.4, 1.4 + 0.3 * len(rows)))
        style: Any = {"height": 0.68, "edgecolor": INK, "linewidth": 1}
        ax.barh(range(len(rows)), own, color=CYCLE[0], label="added by this part", **style)
        ax.barh(
            range(len(rows)), shared, left=own, color=PAPER, linestyle="--", label="read here, held already", **style
        )
        for place, (_, here, already) in enumerate(rows):
            ax.annotate(format_bytes(here), (here + already, place), (6, 0), textcoords="offset points", va="center")
        ax.annotate(total, (0, len(rows)), (6, 0), textcoords="offset points", va="center", weight="bold")
        ax.set_yticks(range(len(rows) + 1), [*names, "together"])
        ax.set_xlim(0, 1.18 * max(here + already for _, here, already in rows) or 1.0)
        ax.set_ylim(len(rows) + 0.6, -0.6)
        ax.xaxis.set_visible(False)
        ax.spines["bottom"].set_visible(False)
        ax.tick_params(axis="y", length=0)
        ax.grid(False)
        key(ax, title)
    return fig
