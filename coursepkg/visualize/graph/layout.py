"""A layered layout for graphs whose edges carry numbers (after Sugiyama, Tagawa and Toda 1981).

The one idea: every box stands in a column no earlier than all it depends on, edges that skip columns get a place in
each column they cross, the order within columns is improved by barycentre sweeps as long as crossings fall, and heights
are a least-squares problem with minimum spacing, solved column by column by pooling adjacent violators.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise, product

_SWEEPS = 12
_HEIGHT_SWEEPS = 40
_MARGIN = 14.0  # pixels of white border


@dataclass
class Box:
    """What stands at one place: a body of width `body`, then a flat wire of length `tail` that carries text.

    `above` and `below` say how much room it needs over and under the line of its wire.
    """

    body: float
    tail: float
    above: float
    below: float


@dataclass
class Layout:
    """Where everything stands, in pixels from the upper left corner.

    Attributes
    ----------
    right : list of float
        For each box the x at which its body ends and its wire begins.
    end : list of float
        For each box the x at which its wire forks.
    y : list of float
        For each box the height of its wire.
    routes : list of list of (float, float, float)
        For each edge the flat pieces it runs through between its ends: (x start, x stop, y).
    arrival : list of (float, float)
        For each edge the x of the column it enters, and the y at which it reaches its target.
    """

    width: float
    height: float
    right: list[float]
    end: list[float]
    y: list[float]
    routes: list[list[tuple[float, float, float]]]
    arrival: list[tuple[float, float]]
    columns: list[list[int]]
    crossings: int


def assign_columns(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """Columns by longest path; a source is then pulled next to the first box that uses it.

    `edges` are (source, target) with every source numbered before its target.
    """
    column = [0] * count
    has_input = [False] * count
    for source, target in sorted(edges, key=lambda edge: edge[1]):
        column[target] = max(column[target], column[source] + 1)
        has_input[target] = True
    users: list[list[int]] = [[] for _ in range(count)]
    for source, target in edges:
        users[source].append(column[target])
    for box in range(count):
        if not has_input[box] and users[box]:
            column[box] = min(users[box]) - 1
    return column


@dataclass
class _Work:
    """Boxes and dummies of one layout: `pieces` are the steps between neighbouring columns."""

    boxes: list[Box]
    columns: list[list[int]]
    column_of: list[int]
    pieces: list[tuple[int, int]]
    chains: list[list[int]]
    before: list[list[int]] = field(default_factory=list)
    after: list[list[int]] = field(default_factory=list)
    rank: list[int] = field(default_factory=list)


def arrange(
    boxes: Sequence[Box],
    edges: Sequence[tuple[int, int]],
    column: Sequence[int],
    *,
    port_step: float = 9,
) -> Layout:
    """Lay out a graph.

    Parameters
    ----------
    boxes : sequence of Box
        What to place.
    edges : sequence of (int, int)
        Source and target; several edges between the same two boxes are kept apart where they arrive.
    column : sequence of int
        The column of each box; every edge goes to a later column.
    port_step : float
        Vertical distance between edges that arrive at the same box.
    """
    work = _with_dummies(list(boxes), edges, column)
    crossings = _order(work)
    heights = _heights(work)
    return _place(work, heights, edges, crossings, port_step)


def _with_dummies(boxes: list[Box], edges: Sequence[tuple[int, int]], column: Sequence[int]) -> _Work:
    column_of = list(column)
    chains: list[list[int]] = []
    pieces: list[tuple[int, int]] = []
    for source, target in edges:
        chain = [source]
        for between in range(column_of[source] + 1, column_of[target]):
            boxes.append(Box(0, 0, 7, 7))
            column_of.append(between)
            chain.append(len(boxes) - 1)
        chain.append(target)
        chains.append(chain)
        pieces.extend(pairwise(chain))
    columns: list[list[int]] = [[] for _ in range(max(column_of) + 1)]
    work = _Work(boxes, columns, column_of, pieces, chains)
    work.before = [[] for _ in boxes]
    work.after = [[] for _ in boxes]
    for left, right in pieces:
        work.before[right].append(left)
        work.after[left].append(right)
    work.rank = [0] * len(boxes)
    return work


def _start(work: _Work, *, upside_down: bool) -> None:
    """Order columns depth first from the results, operands in their written order: x above y in x - y when it can."""
    seen: set[int] = set()
    work.columns = [[] for _ in work.columns]
    for result in (item for item in range(len(work.boxes)) if not work.after[item]):
        stack = [result]
        while stack:
            item = stack.pop()
            if item not in seen:
                seen.add(item)
                work.columns[work.column_of[item]].append(item)
                stack.extend(work.before[item] if upside_down else reversed(work.before[item]))
    _renumber(work)


def _renumber(work: _Work) -> None:
    for column in work.columns:
        for position, item in enumerate(column):
            work.rank[item] = position


def _count_crossings(work: _Work) -> int:
    total = 0
    for column in work.columns[1:]:
        ends = [sorted(work.rank[left] for left in work.before[item]) for item in column]
        seen: list[int] = []
        for positions in ends:
            total += sum(1 for position in positions for other in seen if other > position)
            seen.extend(positions)
    return total


def _order(work: _Work) -> int:
    """Find columns with few crossings: sweeps from several starts, the first one preferred while it is as good."""
    best, kept = -1, work.columns
    for upside_down, ties_turned in product((False, True), repeat=2):
        _start(work, upside_down=upside_down)
        for sweep in range(_SWEEPS):
            crossings = _count_crossings(work)
            if best < 0 or crossings < best:
                best, kept = crossings, [list(column) for column in work.columns]
            if best == 0:
                break
            _barycentre_sweep(work, forward=sweep % 2 == 1, ties_turned=ties_turned)
            _swap_neighbours(work)
        if best == 0:
            break
    work.columns = kept
    _renumber(work)
    return best


def _barycentre_sweep(work: _Work, *, forward: bool, ties_turned: bool) -> None:
    neighbours = work.before if forward else work.after
    for column in work.columns if forward else reversed(work.columns):
        if ties_turned:
            column.reverse()
        column.sort(key=lambda item: _barycentre(work, neighbours[item], work.rank[item]))
        for position, item in enumerate(column):
            work.rank[item] = position


def _barycentre(work: _Work, neighbours: list[int], fallback: int) -> float:
    return sum(work.rank[item] for item in neighbours) / len(neighbours) if neighbours else fallback


def _swap_neighbours(work: _Work) -> None:
    """Swap two neighbours of a column wherever that removes crossings."""
    for column in work.columns:
        for position in range(len(column) - 1):
            upper, lower = column[position], column[position + 1]
            if _pair_crossings(work, upper, lower) > _pair_crossings(work, lower, upper):
                column[position], column[position + 1] = lower, upper
                work.rank[upper], work.rank[lower] = position + 1, position


def _pair_crossings(work: _Work, upper: int, lower: int) -> int:
    return sum(
        work.rank[first] > work.rank[second]
        for side in (work.before, work.after)
        for first in side[upper]
        for second in side[lower]
    )


def _heights(work: _Work) -> list[float]:
    """Heights that minimise the squared height differences along edges, given the order and the room each box needs."""
    y = [0.0] * len(work.boxes)
    for column in work.columns:
        for item, height in zip(column, _spaced(work, column, [0.0] * len(column), [1.0] * len(column)), strict=True):
            y[item] = height
    for sweep in range(_HEIGHT_SWEEPS):
        for column in work.columns if sweep % 2 else reversed(work.columns):
            neighbours = [work.before[item] + work.after[item] for item in column]
            wanted = [
                sum(y[other] for other in others) / len(others) if others else y[item]
                for item, others in zip(column, neighbours, strict=True)
            ]
            weights = [float(len(others) or 1) for others in neighbours]
            for item, height in zip(column, _spaced(work, column, wanted, weights), strict=True):
                y[item] = height
    return y


def _spaced(work: _Work, column: list[int], wanted: list[float], weights: list[float]) -> list[float]:
    """The heights nearest to `wanted` that keep the boxes of a column apart (pool adjacent violators)."""
    offsets = [0.0]
    for upper, lower in pairwise(column):
        offsets.append(offsets[-1] + work.boxes[upper].below + work.boxes[lower].above)
    pools: list[list[float]] = []  # [mean, weight, count]
    for height, offset, weight in zip(wanted, offsets, weights, strict=True):
        pools.append([height - offset, weight, 1])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            mean, mass, count = pools.pop()
            total = pools[-1][1] + mass
            pools[-1] = [(pools[-1][0] * pools[-1][1] + mean * mass) / total, total, pools[-1][2] + count]
    heights = [mean for mean, _, count in pools for _ in range(int(count))]
    return [height + offset for height, offset in zip(heights, offsets, strict=True)]


def _place(work: _Work, y: list[float], edges: Sequence[tuple[int, int]], crossings: int, port_step: float) -> Layout:
    top = min(height - box.above for height, box in zip(y, work.boxes, strict=True)) - _MARGIN
    y = [height - top for height in y]
    height = max(level + box.below for level, box in zip(y, work.boxes, strict=True)) + _MARGIN
    start, stop, body = _column_edges(work, y)
    right = [start[column] + body[column] for column in work.column_of]
    end = [stop[column] for column in work.column_of]
    routes = [[(start[work.column_of[item]], end[item], y[item]) for item in chain[1:-1]] for chain in work.chains]
    ports = _ports(work, y, port_step)
    arrival = [(start[work.column_of[target]], y[target] + ports[number]) for number, (_, target) in enumerate(edges)]
    count = len(right) - sum(len(chain) - 2 for chain in work.chains)
    columns = [[item for item in column if item < count] for column in work.columns]
    return Layout(
        stop[-1] + _MARGIN, height, right[:count], end[:count], y[:count], routes, arrival, columns, crossings
    )


def _column_edges(work: _Work, y: list[float]) -> tuple[list[float], list[float], list[float]]:
    start, stop, bodies = [], [], []
    x = _MARGIN
    for number, column in enumerate(work.columns):
        if number:
            steep = max((abs(y[item] - y[left]) for item in column for left in work.before[item]), default=0.0)
            x += min(26 + 0.2 * steep, 70)
        body = max((work.boxes[item].body for item in column), default=0.0)
        tail = max((work.boxes[item].tail for item in column), default=0.0)
        start.append(x)
        bodies.append(body)
        x += body + tail
        stop.append(x)
    return start, stop, bodies


def _ports(work: _Work, y: list[float], port_step: float) -> list[float]:
    """How far above or below the middle of its target each edge arrives, in the order of where the edges come from."""
    arriving: dict[int, list[int]] = {}
    for number, chain in enumerate(work.chains):
        arriving.setdefault(chain[-1], []).append(number)
    offsets = [0.0] * len(work.chains)
    for numbers in arriving.values():
        numbers.sort(key=lambda number: y[work.chains[number][-2]])
        middle = (len(numbers) - 1) / 2
        for position, number in enumerate(numbers):
            offsets[number] = (position - middle) * port_step
    return offsets
