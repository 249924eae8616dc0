"""A layered network with its numbers: outputs above the units, gradients below, weights on the edges.

The one idea: everything the four phases of an epoch compute has its own place, so that showing them one after the other
only ever adds numbers. A thick edge is a large weight and a dashed one is negative. Pure Python.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any

from coursepkg.visualize.paper import EDGE, GRADIENT, MUTED, SHADE, VALUE, format_number, subscripted, svg
from coursepkg.visualize.paper.picture import Picture, page

_RADIUS = 25.0
_ACROSS, _DOWN = 210.0, 150.0
_SIZE = 13.0
_SHARES = (0.36, 0.64, 0.28, 0.72, 0.32, 0.68, 0.24, 0.76, 0.4, 0.6, 0.5)  # of an edge, in the order of preference
_HALF, _ROOM = 20.0, 17.0  # pixels: half the width of a number, and its height
_MOST_NAMED = 16

Rows = Sequence[Sequence[float]]


def draw_network(
    weights: Sequence[Rows],
    *,
    biases: Sequence[Sequence[float]] | None = None,
    values: Sequence[Sequence[float]] | None = None,
    deltas: Sequence[Sequence[float]] | None = None,
    gradients: Sequence[Rows] | None = None,
    title: str = "",
    caption: str = "",
) -> Picture:
    """Draw a fully connected network, from left to right.

    Parameters
    ----------
    weights : sequence of matrices, each of shape (outputs, inputs)
        One per layer. They are written on the edges where a layer has at most 16 of them.
    biases : sequence of vectors, optional
        One per layer, written inside the units.
    values : sequence of vectors, optional
        What the inputs, then the units of each layer, put out; green, above them. Fewer layers may be given.
    deltas : sequence of vectors, optional
        For each layer the gradient at the pre-activations; red, below the units. Leave a layer empty to omit it.
    gradients : sequence of matrices, optional
        One per layer, of the shape of its weights; red, below the weights. Leave a layer empty to omit it.
    title, caption : str
        A line over and a few lines under the drawing.

    Raises
    ------
    ValueError
        If there is no layer, or neighbouring layers do not fit.

    Examples
    --------
    >>> draw_network([[[2.0, -1.0]]], values=[[0.5, 3.0]])
    Figure: Network with 2 inputs and 1 output. x₁ = 0.5, x₂ = 3. Weights to y₁: 2, −1.
    """
    sizes = _sizes(weights)
    names = _names(sizes)
    places = _places(sizes)
    largest = max((abs(float(w)) for layer in weights for row in layer for w in row), default=0.0) or 1.0
    parts = list(_edges(weights, places, largest)) + list(_labels(weights, gradients or [], places))
    for k, layer in enumerate(names):
        for i, name in enumerate(layer):
            bias = biases[k - 1][i] if biases and k else None
            value = _entry(values, k, i)
            delta = _entry(deltas, k - 1, i) if k else None
            parts += _unit(name, *places[k][i], bias, value, delta)
    width, height = 128 + (len(sizes) - 1) * _ACROSS, 132 + (max(sizes) - 1) * _DOWN
    said = _say(names, weights, biases, values, deltas, gradients)
    return page(width, height, parts, said, title=title, note=caption)


def _sizes(weights: Sequence[Rows]) -> list[int]:
    if not len(weights) or not all(len(layer) and len(layer[0]) for layer in weights):
        raise ValueError("draw_network needs at least one matrix of shape (outputs, inputs)")
    sizes = [len(weights[0][0])]
    for number, layer in enumerate(weights, 1):
        if any(len(row) != sizes[-1] for row in layer):
            raise ValueError(
                f"layer {number} needs one weight for each of the {sizes[-1]} numbers that reach it, got rows of "
                f"{sorted({len(row) for row in layer})}; a weight matrix has shape (outputs, inputs)"
            )
        sizes.append(len(layer))
    return sizes


def _names(sizes: Sequence[int]) -> list[list[str]]:
    several = len(sizes) > 3
    hidden = [f"h{k}." if several else "h" for k in range(1, len(sizes) - 1)]
    return [
        [subscripted(f"{letter}{i + 1}") for i in range(n)]
        for letter, n in zip(["x", *hidden, "y"], sizes, strict=True)
    ]


def _places(sizes: Sequence[int]) -> list[list[tuple[float, float]]]:
    middle = 66 + (max(sizes) - 1) * _DOWN / 2
    return [[(64 + k * _ACROSS, middle + (i - (n - 1) / 2) * _DOWN) for i in range(n)] for k, n in enumerate(sizes)]


def _entry(table: Sequence[Any] | None, k: int, i: int) -> float | None:
    return float(table[k][i]) if table is not None and k < len(table) and len(table[k]) else None


def _edges(weights: Sequence[Rows], places: Any, largest: float) -> Iterator[str]:
    for k, layer in enumerate(weights):
        for i, row in enumerate(layer):
            for j, weight in enumerate(row):
                width = 0.6 + 3.4 * abs(float(weight)) / largest
                dash = "7 5" if weight < 0 else ""
                yield svg.line(*places[k][j], *places[k + 1][i], stroke=EDGE, width=width, dash=dash, role="edge")


def _labels(weights: Sequence[Rows], gradients: Sequence[Rows], places: Any) -> Iterator[str]:
    """Weights on their edges, each where it hides no other one and where no other edge runs through it."""
    for k, layer in enumerate(weights):
        if len(layer) * len(layer[0]) > _MOST_NAMED:
            continue
        edges = [(start, end) for end in places[k + 1] for start in places[k]]
        written = zip(edges, [float(weight) for row in layer for weight in row], strict=True)
        slopes = [float(g) for row in gradients[k] for g in row] if k < len(gradients) else []
        taken: list[svg.Point] = []
        for number, (edge, weight) in enumerate(written):
            others = [other for other in edges if other != edge]
            spots = [_along(edge, share) for share in _SHARES]
            free = [spot for spot in spots if all(_apart(spot, other) for other in taken)]
            x, y = max(free or spots, key=lambda spot: _clear(spot, others) >= _ROOM)
            taken.append((x, y))
            yield svg.text(x, y - 5, format_number(weight), size=_SIZE, anchor="middle", role="weight")
            if slopes:
                text = format_number(slopes[number])
                yield svg.text(x, y + 14, text, size=_SIZE, fill=GRADIENT, anchor="middle", role="gradient")


def _along(edge: tuple[svg.Point, svg.Point], share: float) -> svg.Point:
    (x0, y0), (x1, y1) = edge
    return x0 + share * (x1 - x0), y0 + share * (y1 - y0)


def _apart(a: svg.Point, b: svg.Point) -> bool:
    return abs(a[0] - b[0]) > 66 or abs(a[1] - b[1]) > 33


def _clear(spot: svg.Point, edges: Sequence[tuple[svg.Point, svg.Point]]) -> float:
    """How far above or below a number of usual width the nearest of these edges passes."""
    far = math.inf
    for edge in edges:
        x0, x1 = edge[0][0], edge[1][0]
        heights = [_along(edge, (x - x0) / (x1 - x0))[1] - spot[1] for x in (spot[0] - _HALF, spot[0] + _HALF)]
        far = min(far, 0.0 if heights[0] * heights[1] < 0 else min(map(abs, heights)))
    return far


def _unit(name: str, x: float, y: float, bias: float | None, value: float | None, delta: float | None) -> Iterator[str]:
    yield svg.circle(x, y, _RADIUS, fill=SHADE, role="unit")
    lift = 3.0 if bias is not None else -4.5
    yield svg.text(x, y - lift, name, size=15, weight="bold", anchor="middle", halo=False, role="name")
    if bias is not None:
        yield svg.text(x, y + 14, format_number(bias), size=13, fill=MUTED, anchor="middle", halo=False, role="bias")
    if value is not None:
        text = format_number(value)
        yield svg.text(x, y - _RADIUS - 8, text, size=13, fill=VALUE, anchor="middle", role="value")
    if delta is not None:
        text = f"δ {format_number(delta)}"
        yield svg.text(x, y + _RADIUS + 18, text, size=13, fill=GRADIENT, anchor="middle", role="delta")


def _say(
    names: Sequence[Sequence[str]], weights: Sequence[Rows], biases: Any, values: Any, deltas: Any, gradients: Any
) -> str:
    counts = [len(layer) for layer in names]
    units = ["input" if counts[0] == 1 else "inputs", *["hidden"] * (len(counts) - 2)]
    parts = [f"{n} {unit}" for n, unit in zip(counts, units, strict=False)]
    shape = ", ".join(parts) + f" and {counts[-1]} output{'s' * (counts[-1] > 1)}"
    said = [f"Network with {shape}."]
    for mark, table, first in (("", values, 0), ("bias ", biases, 1), ("δ ", deltas, 1)):
        pairs = [
            f"{mark}{name} = {format_number(entry)}"
            for k, layer in enumerate(names[first:])
            for i, name in enumerate(layer)
            if (entry := _entry(table, k, i)) is not None
        ]
        said += [f" {', '.join(pairs)}."] if pairs else []
    for word, tables in (("Weights", weights), ("Gradients of the weights", gradients or [])):
        for k, table in enumerate(tables):
            if len(table) and len(table) * len(table[0]) <= _MOST_NAMED:
                for name, row in zip(names[k + 1], table, strict=True):
                    said.append(f" {word} to {name}: {', '.join(format_number(float(entry)) for entry in row)}.")
    return "".join(said)
