"""A matrix product as a figure that moves: click an entry, and the row and the column that make it light up.

The one idea: the factors stand left of and above the product, so each entry stands where its row and its column meet.
Below an entry stands what belongs to it on the way back, as below the wires of a graph: for an entry of the product
that is chosen, how it moves with each entry of the factors; later the gradients.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np

from coursepkg.visualize.alive.story import Question, Story, around
from coursepkg.visualize.matrix.still import draw_equation, draw_matrix
from coursepkg.visualize.paper import bracketed, format_number

_WIDE, _HIGH, _GAP, _LEFT, _TOP = 58.0, 46.0, 34.0, 16.0, 30.0
_MOST = 40
_CAPTION = (
    "[Values](value) stand above, what belongs to them on the way back, [derivatives and gradients](gradient), below. "
    "Click an entry, or choose one by the up and down keys and Enter."
)


@dataclass
class _State:
    """What one state says and marks: pairs of cells that are multiplied, and the cell that gets their sum."""

    say: str
    sum: str = ""
    pairs: list[tuple[int, int]] = field(default_factory=list)
    target: int = -1
    below: dict[int, str] = field(default_factory=dict)
    names: tuple[str, str, str] = ("", "", "")


def tell_product(
    left: Any, right: Any, *, gradient: Any = None, names: Sequence[str] = ("X", "W", "Y"), title: str = ""
) -> Story:
    """Compute a product entry by entry, then the gradients of its factors.

    Parameters
    ----------
    left, right : array, shape (n, d) and (d, m)
        The factors. There are at most 40 entries to compute.
    gradient : array, shape (n, m), optional
        The gradient that arrives at the product.
    names : three of str
        Capital letters for the factors and the product.
    title : str
        A line over the figure.

    Raises
    ------
    ValueError
        If shapes do not fit, or there are too many entries.
    """
    from coursepkg.autodiff.reverse_mode import vjp

    one, two = np.asarray(left, dtype=float), np.asarray(right, dtype=float)
    if one.ndim != 2 or two.ndim != 2 or one.shape[1] != two.shape[0]:
        raise ValueError(f"a product needs matrices (n, d) and (d, m), got {one.shape} and {two.shape}")
    product, pull = vjp(lambda factors: factors[0] @ factors[1], (one, two))
    if gradient is not None and np.shape(gradient) != product.shape:
        raise ValueError(f"the gradient of the product has its shape {product.shape}, got {np.shape(gradient)}")
    page = _Page([one, two, product], list(names))
    states = [_State(f"{names[2]} is {names[0]} times {names[1]}. Each entry is a row times a column.")]
    states += page.forward(pull)
    phases = [(0, "", ""), (1, "forward", "value")]
    if gradient is not None:
        phases.append((len(states), "backward", "gradient"))
        states += page.backward(np.asarray(gradient, dtype=float), pull)
    if len(states) > _MOST + 1:
        raise ValueError(f"{len(states) - 1} entries are too many to compute one by one, at most {_MOST}; take fewer")
    asks = {k: page.question(state, states[k - 1]) for k, state in enumerate(states) if k}
    still = draw_equation(
        draw_matrix(one, title=names[0]),
        "·",
        draw_matrix(two, title=names[1]),
        "=",
        draw_matrix(product, title=names[2]),
    )
    say = [state.say for state in states]
    data = page.told(states)
    return Story("matrix", len(states), title, _CAPTION, data, still, say=say, phases=phases, asks=asks)


class _Page:
    """The three tables, their cells numbered through, and the states of a story about them."""

    def __init__(self, tables: list[np.ndarray], names: list[str]) -> None:
        self.tables, self.names = tables, names
        self.starts = [0, tables[0].size, tables[0].size + tables[1].size]
        rows, inner, columns = *tables[0].shape, tables[1].shape[1]
        across, down = _LEFT + inner * _WIDE + _GAP, _TOP + inner * _HIGH + _GAP
        self.corners = [(_LEFT, down), (across, _TOP), (across, down)]
        self.size = [across + columns * _WIDE + _LEFT, down + rows * _HIGH + 12]
        self.gradients: dict[int, str] = {}
        self.numbers: dict[int, float] = {}  # what each gradient is, as it was computed

    def cell(self, table: int, row: int, column: int) -> int:
        return self.starts[table] + row * self.tables[table].shape[1] + column

    def name(self, table: int, row: int, column: int) -> str:
        return f"{self.names[table].lower()}{row}{column}"

    def value(self, cell: int) -> float:
        table = sum(cell >= start for start in self.starts[1:])
        return float(self.tables[table].flat[cell - self.starts[table]])

    def forward(self, pull: Any) -> Iterator[_State]:
        one, two, product = self.names
        for row, column in np.ndindex(self.tables[2].shape):
            unit = np.zeros_like(self.tables[2])
            unit[row, column] = 1.0
            moves = [np.asarray(part) for part in pull(unit)]
            name, target = self.name(2, row, column), self.cell(2, row, column)
            inner = range(self.tables[0].shape[1])
            pairs = [(self.cell(0, row, d), self.cell(1, d, column)) for d in inner]
            words, marked = self._sum(name, pairs, [self.value] * 2, self.value(target), target)
            say = (
                f"Row {row} of {one} times column {column} of {two}: {words}. Below, how {name} moves with each entry."
            )
            below = {
                self.starts[n] + k: format_number(v) for n, part in enumerate(moves) for k, v in enumerate(part.flat)
            }
            yield _State(say, marked, pairs, target, below, (f"∂{name}/∂{one}", f"∂{name}/∂{two}", product))

    def backward(self, gradient: np.ndarray, pull: Any) -> Iterator[_State]:
        one, two, product = self.names
        bars = (f"{one} and {one}\u0304", f"{two} and {two}\u0304", f"{product} and {product}\u0304")
        self._know(2, gradient)
        yield _State(f"Backward: the gradient {product}\u0304 arrives, one number for each entry of {product}.",
                     below=dict(self.gradients), names=bars)  # fmt: skip
        for table, found in enumerate(pull(gradient)):
            for row, column in np.ndindex(self.tables[table].shape):
                target, name = self.cell(table, row, column), f"{self.names[table].lower()}\u0304{row}{column}"
                if table == 0:
                    meets = range(self.tables[1].shape[1])
                    pairs = [(self.cell(2, row, m), self.cell(1, column, m)) for m in meets]
                    rule = f"Row {row} of {product}\u0304 times row {column} of {two}"
                else:
                    meets = range(self.tables[0].shape[0])
                    pairs = [(self.cell(0, n, row), self.cell(2, n, column)) for n in meets]
                    rule = f"Column {row} of {one} times column {column} of {product}\u0304"
                reads = [self.numbers.__getitem__, self.value] if table == 0 else [self.value, self.numbers.__getitem__]
                total = float(np.asarray(found)[row, column])
                words, marked = self._sum(name, pairs, reads, total, target)
                self.gradients[target], self.numbers[target] = format_number(total), total
                yield _State(f"{rule}: {words}.", marked, pairs, target, dict(self.gradients), bars)

    def _know(self, table: int, gradient: np.ndarray) -> None:
        for k, value in enumerate(gradient.flat):
            self.numbers[self.starts[table] + k] = float(value)
            self.gradients[self.starts[table] + k] = format_number(float(value))

    def _sum(
        self, name: str, pairs: list[tuple[int, int]], reads: list[Any], total: float, target: int
    ) -> tuple[str, str]:
        """The sum of products in words, and as HTML in which each number lights its cell."""
        words, marked = [], []
        for pair in pairs:
            texts = [bracketed(format_number(read(cell))) for read, cell in zip(reads, pair, strict=True)]
            words.append(" · ".join(texts))
            spans = [f'<b data-ref="c{cell}">{text}</b>' for cell, text in zip(pair, texts, strict=True)]
            marked.append(" · ".join(spans))
        result = format_number(total)
        html = f'{escape(name)} = {" + ".join(marked)} = <b data-ref="c{target}">{result}</b>'
        return f"{name} = {' + '.join(words)} = {result}", html

    def question(self, state: _State, before: _State) -> Question:
        """What a state asks before it is shown; nothing can be asked where a gradient arrives."""
        if state.target < 0:
            ready = [("Yes", True, ""), ("No", False, "It has: a gradient has the shape of its variable.")]
            return Question("Will what arrives have the shape of the product?", choices=ready)
        forward = state.target >= self.starts[2]
        right = self.value(state.target) if forward else self.numbers[state.target]
        rule, name = state.say.split(":")[0], state.sum.split(" =")[0]
        replies = [(*around(-right), "The size is right; look at the signs.")] if right else []
        if not forward and self.value(state.target) != right:
            replies.append((*around(self.value(state.target)), "That is the entry itself. Its gradient is asked for."))
        otherwise = f"Not yet. {rule}: multiply pair by pair, then add."
        return Question(f"Which number is {name}?", around(right), replies, otherwise)

    def told(self, states: list[_State]) -> dict[str, Any]:
        goes = {state.target: k for k, state in enumerate(states) if state.target >= 0}
        cells = []
        for table, (x, y) in enumerate(self.corners):
            for row, column in np.ndindex(self.tables[table].shape):
                cell = self.cell(table, row, column)
                name, value = self.name(table, row, column), format_number(self.value(cell))
                place = [round(x + (column + 0.5) * _WIDE, 1), round(y + (row + 0.5) * _HIGH, 1)]
                cells.append([*place, value, name, goes.get(cell, 0), table == 2])
        below: list[list[list[Any]]] = []
        for state in states:
            below.append([[cell, text] for cell, text in state.below.items()])
        titles = [[x, y - 9, name] for (x, y), name in zip(self.corners, self.names, strict=True)]
        return {
            "size": self.size, "cell": [_WIDE, _HIGH], "cells": cells, "below": below, "titles": titles,
            "names": [list(state.names) for state in states], "sums": [state.sum for state in states],
            "pairs": [[list(pair) for pair in state.pairs] for state in states],
            "targets": [state.target for state in states],
        }  # fmt: skip
