"""What a tape holds, part by part, as bars: what each part adds, and what it reads but another part keeps already.

The one idea: an array that two parts need is paid for once. So a bar has a filled piece, which counts, and an outlined
piece, which does not. Pure Python, so that a slider can redraw it at once.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from coursepkg.visualize import svg
from coursepkg.visualize.picture import Picture
from coursepkg.visualize.style import CYCLE, INK, MUTED, PAPER
from coursepkg.visualize.text import format_number, text_width

_BAR = 20.0
_GAP = 9.0
_SCALE = 330.0
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

    Returns
    -------
    Picture

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
    alt = f"{title.rstrip('. ') + '. ' if title else ''}Held {'; '.join(said)}. Together {total}."
    return Picture(_page(rows, total, title), alt)


def _words(own: int, shared: int) -> str:
    return f"{format_bytes(own)}, and {format_bytes(shared)} held already" if shared else format_bytes(own)


def _page(rows: Sequence[tuple[str, int, int]], total: str, title: str) -> str:
    label = max(text_width(name, 13) for name, _, _ in [*rows, ("together", 0, 0)]) + 30
    longest = max(own + shared for _, own, shared in rows)
    scale = _SCALE / longest if longest else 0.0
    top = (34.0 if title else 12.0) + 24
    parts = [svg.text(14, 22, title, size=15, weight="bold", halo=False)] if title else []
    parts += _legend(label, top - 22)
    right = label
    for place, (name, own, shared) in enumerate(rows):
        y = top + place * (_BAR + _GAP)
        parts.append(svg.text(label - 14, y + 14.7, name, anchor="end", halo=False, role="part"))
        if own:
            parts.append(_piece(label, y, own * scale, CYCLE[0], "", "own"))
        if shared:
            parts.append(_piece(label + own * scale, y, shared * scale, PAPER, "4 3", "shared"))
        end = label + (own + shared) * scale + 8
        words = format_bytes(own)
        parts.append(svg.text(end, y + 14.7, words, halo=False, role="number"))
        right = max(right, end + text_width(words, 13))
    bottom = top + len(rows) * (_BAR + _GAP)
    parts.append(svg.line(label, top - 4, label, bottom - 4, stroke=INK, width=1.4))
    parts.append(svg.line(14, bottom, right, bottom, stroke=MUTED, width=1))
    parts.append(svg.text(label - 14, bottom + 19, "together", anchor="end", weight="bold", halo=False))
    parts.append(svg.text(label + 8, bottom + 19, total, weight="bold", halo=False, role="total"))
    width = max(right + 16, label + 330, text_width(title, 15) * svg.BOLD + 28)
    return svg.document(width, bottom + 32, parts, title=title)


def _piece(x: float, y: float, width: float, fill: str, dash: str, role: str) -> str:
    return svg.rectangle(x, y, max(width, 0.5), _BAR, fill=fill, stroke=INK, line_width=1, dash=dash, role=role)


def _legend(x: float, y: float) -> list[str]:
    second = x + 24 + text_width("added by this part", 12) + 22
    return [
        svg.rectangle(x, y, 16, 12, fill=CYCLE[0], stroke=INK, line_width=1, role="key"),
        svg.text(x + 22, y + 10.5, "added by this part", size=12, halo=False),
        svg.rectangle(second, y, 16, 12, fill=PAPER, stroke=INK, line_width=1, dash="4 3", role="key"),
        svg.text(second + 22, y + 10.5, "read here, held already", size=12, halo=False),
    ]
