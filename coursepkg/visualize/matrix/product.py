"""A product of matrices, each drawn to scale, multiplied pair by pair.

The one idea: every order of multiplying gives the same matrix, but not at the same price; the price of one step is read
off the rectangles, rows times common length times columns.
"""

from collections.abc import Sequence
from itertools import pairwise

from coursepkg.visualize.paper import CYCLE, HIGHLIGHT, MUTED, PAPER, SHADE, Picture, page, plural, svg, text_width

_LONGEST = 64.0
_THINNEST = 4.0
_GAP = 12.0
_LINE = _LONGEST + 48.0

Shape = tuple[int, int]
Factor = tuple[str, Shape]


def draw_product(
    shapes: Sequence[Shape], order: Sequence[int], *, names: Sequence[str] | None = None, title: str = ""
) -> Picture:
    """Draw how a product of matrices is multiplied out, one line per step, with the multiplications it takes.

    Parameters
    ----------
    shapes : sequence of (rows, columns)
        The factors, from left to right.
    order : sequence of int
        For each step, which of the matrices that are left is multiplied by its right neighbour (0 is the leftmost).
    names : sequence of str, optional
        Names of the factors.
    title : str
        A line over the picture.

    Raises
    ------
    ValueError
        If neighbours do not fit, or the steps do not lead to one matrix.

    Examples
    --------
    >>> draw_product([(4, 3), (3, 5)], [0], names=["A", "B"])
    Figure: A product of 2 matrices. Step 1: A times B, 4×3 by 3×5, 60 multiplications. 60 multiplications in all.
    """
    names = [f"A{number}" for number in range(1, len(shapes) + 1)] if names is None else list(names)
    if len(names) != len(shapes) or len(shapes) < 2:
        raise ValueError(
            f"draw_product needs two factors or more and a name for each, got {len(shapes)} and {len(names)}"
        )
    for left, right in pairwise(shapes):
        if left[1] != right[0]:
            raise ValueError(
                f"a matrix of shape {left} cannot be multiplied by one of shape {right}: {left[1]} is not {right[0]}"
            )
    factors: list[Factor] = list(zip(names, [(int(rows), int(columns)) for rows, columns in shapes], strict=True))
    largest = max(length for shape in shapes for length in shape)
    lines, total, said = [], 0, []
    for number, place in enumerate(order, 1):
        if not 0 <= place < len(factors) - 1:
            raise ValueError(f"step {number} takes matrix {place} and its right neighbour, but {len(factors)} are left")
        (one, (m, k)), (two, (_, n)) = factors[place : place + 2]
        total += m * k * n
        lines.append((factors, place, f"{m}×{k} by {k}×{n}: {plural(m * k * n, 'multiplication')}"))
        said.append(f"Step {number}: {one} times {two}, {m}×{k} by {k}×{n}, {plural(m * k * n, 'multiplication')}.")
        factors = [*factors[:place], (one + two, (m, n)), *factors[place + 2 :]]
    if len(factors) > 1:
        raise ValueError(f"{len(shapes)} factors need {len(shapes) - 1} steps, got {len(order)}")
    lines.append((factors, -1, f"{plural(total, 'multiplication')} in all"))
    said = [f"A product of {len(shapes)} matrices.", *said, f"{plural(total, 'multiplication')} in all."]
    return page(*_drawn(lines, largest), " ".join(said), title=title)


def _drawn(lines: list[tuple[list[Factor], int, str]], largest: int) -> tuple[float, float, list[str]]:
    """Width, height and parts."""
    parts: list[str] = []
    rows = [_row(factors, place, 6 + number * _LINE, largest) for number, (factors, place, _) in enumerate(lines)]
    edge = max(right for _, right in rows) + 26
    for number, ((drawn, _), (_, place, words)) in enumerate(zip(rows, lines, strict=True)):
        middle = 6 + number * _LINE + 14 + _LONGEST / 2 + 4
        parts += drawn
        parts.append(svg.text(edge, middle, words, weight="bold" if place < 0 else "normal", halo=False, role="price"))
    width = edge + max(text_width(words, 13) * svg.BOLD for _, _, words in lines) + 14
    return width, len(lines) * _LINE + 12, parts


def _row(factors: list[Factor], place: int, y: float, largest: int) -> tuple[list[str], float]:
    parts, x = [], 14.0
    for number, (name, (rows, columns)) in enumerate(factors):
        width = max(_THINNEST, _LONGEST * columns / largest)
        height = max(_THINNEST, _LONGEST * rows / largest)
        label = f"{rows}×{columns}"
        cell = max(width, text_width(label, 13), text_width(name, 13))
        middle = x + cell / 2
        taken = place >= 0 and number in (place, place + 1)
        parts.append(svg.text(middle, y + 8, name, size=13, anchor="middle", halo=False))
        parts.append(
            svg.rectangle(
                middle - width / 2, y + 16 + (_LONGEST - height) / 2, width, height,
                fill=HIGHLIGHT if taken else SHADE if place >= 0 else PAPER, stroke=CYCLE[0],
                line_width=2.2 if taken else 1.2, role="factor",
            )
        )  # fmt: skip
        parts.append(svg.text(middle, y + _LONGEST + 30, label, size=13, anchor="middle", fill=MUTED, halo=False))
        x += cell + _GAP
    return parts, x - _GAP
