"""A matrix whose rows are shuffled, given signs and folded into fewer rows.

The one idea: a row of the summary is a sum of a few rows with random signs, and where each went is known to whoever has
the seed.
"""

from collections.abc import Iterator, Sequence

from coursepkg.visualize import svg
from coursepkg.visualize.picture import Picture
from coursepkg.visualize.style import CYCLE, EDGE, HIGHLIGHT, INK, MUTED, PAPER, SHADE
from coursepkg.visualize.text import text_width

_ROW, _GAP = 26.0, 6.0
_WIDTH = 92.0
_TOP = 74.0
_COLUMNS = (20.0, 206.0, 420.0)
_MOST = 16


def draw_row_fold(order: Sequence[int], signs: Sequence[int], size: int, *, title: str = "") -> Picture:
    """Draw how a fold makes few rows of many.

    Parameters
    ----------
    order : sequence of int
        The rows of X in their new order, a permutation of 0 to B - 1; B is at most 16.
    signs : sequence of int
        +1 or -1 for each place of the new order.
    size : int
        b, the rows of the summary; bucket after bucket takes its share of the new order.
    title : str
        A line over the drawing.

    Returns
    -------
    Picture

    Raises
    ------
    ValueError
        If ``order`` is no permutation, the signs do not fit, or ``size`` does not lie between 1 and B.

    Examples
    --------
    >>> print(draw_row_fold([2, 0, 1, 3], [1, -1, 1, 1], 2).alt)
    The 4 rows of X are shuffled, signed and folded into 2 rows: row 1 of the summary is +x3 −x1, row 2 is +x2 +x4.
    """
    buckets = buckets_of(order, signs, size)
    sums = [" ".join(f"{'+' if sign > 0 else '−'}x{row + 1}" for row, sign in bucket) for bucket in buckets]
    first, *others = [f"row {k + 1} of the summary is {words}" for k, words in enumerate(sums)]
    said = f"The {len(order)} rows of X are shuffled, signed and folded into {size} rows: {first}"
    said += "".join(f", {words.replace(' of the summary', '')}" for words in others) + "."
    return Picture(_page(order, signs, buckets, sums, title), (f"{title.rstrip('. ')}. " if title else "") + said)


def buckets_of(order: Sequence[int], signs: Sequence[int], size: int) -> list[list[tuple[int, int]]]:
    """What each bucket holds: rows and their signs, in the new order."""
    if sorted(order) != list(range(len(order))) or not 1 <= len(order) <= _MOST:
        raise ValueError(f"order must hold 0 to B - 1, each once, with B from 1 to {_MOST}; got {list(order)}")
    if len(signs) != len(order) or any(sign not in (-1, 1) for sign in signs):
        raise ValueError(f"signs must be {len(order)} numbers +1 or -1, got {list(signs)}")
    if not 1 <= size <= len(order):
        raise ValueError(f"size must lie between 1 and {len(order)}, got {size}")
    pairs, found, start = list(zip(order, signs, strict=True)), [], 0
    for k in range(size):
        count = len(order) // size + (k < len(order) % size)
        found.append(pairs[start : start + count])
        start += count
    return found


def _place(row: int) -> float:
    return _TOP + row * (_ROW + _GAP)


def _box(x: float, y: float, words: str, width: float, negative: bool, fill: str) -> Iterator[str]:
    yield svg.rectangle(x, y, width, _ROW, fill=fill, stroke=INK, line_width=1.2, dash="4 3" if negative else "")
    yield svg.text(x + width / 2, y + 17.5, words, anchor="middle", halo=False, role="row")


def _page(
    order: Sequence[int], signs: Sequence[int], buckets: list[list[tuple[int, int]]], sums: list[str],
    title: str,
) -> str:  # fmt: skip
    last = max(_WIDTH, max(text_width(words, 13) for words in sums) + 24)
    width = max(_COLUMNS[2] + last + 20, text_width(title, 15) * svg.BOLD + 28)
    height = _place(len(order)) + 14
    parts = [svg.text(14, 23, title, size=15, weight="bold", halo=False)] if title else []
    heads = ("X", "shuffled, with signs", f"SᵀX, {len(buckets)} rows")
    for column, head in enumerate(heads):
        parts.append(svg.text(_COLUMNS[column], _TOP - 16, head, fill=MUTED, halo=False, role="head"))
    for row in range(len(order)):
        parts += _box(_COLUMNS[0], _place(row), f"x{row + 1}", _WIDTH, False, SHADE)
    for place, (row, sign) in enumerate(zip(order, signs, strict=True)):
        start, stop = _place(row) + _ROW / 2, _place(place) + _ROW / 2
        x = _COLUMNS[0] + _WIDTH
        way = f"M{svg.number(x)} {svg.number(start)}{svg.curve(x, start, _COLUMNS[1] - 2, stop)}"
        parts.append(svg.path(way, stroke=CYCLE[0] if sign > 0 else CYCLE[1], dash="" if sign > 0 else "5 3"))
    for place, (row, sign) in enumerate(zip(order, signs, strict=True)):
        words = f"{'+' if sign > 0 else '−'}x{row + 1}"
        parts += _box(_COLUMNS[1], _place(place), words, _WIDTH, sign < 0, PAPER)
    parts += _folded(buckets, sums, last)
    return svg.document(width, height, parts, title=title)


def _folded(buckets: list[list[tuple[int, int]]], sums: list[str], width: float) -> Iterator[str]:
    place = 0
    for bucket, words in zip(buckets, sums, strict=True):
        middle = _place(place) + ((len(bucket) - 1) * (_ROW + _GAP) + _ROW) / 2
        x = _COLUMNS[1] + _WIDTH
        for k in range(len(bucket)):
            start = _place(place + k) + _ROW / 2
            yield svg.path(
                f"M{svg.number(x)} {svg.number(start)}{svg.curve(x, start, _COLUMNS[2] - 2, middle)}", stroke=EDGE
            )
        yield from _box(_COLUMNS[2], middle - _ROW / 2, words, width, False, HIGHLIGHT)
        place += len(bucket)
