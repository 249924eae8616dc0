"""The memory of a training step, moment by moment, predicted from shapes.

The one idea: run the step with sizes in place of arrays. What is allocated and let go is known for a stack of linear
layers and ReLUs, so the largest sum is known as well, and with it whether a sketch will lower the *peak*: it lowers
what waits between forward and backward, and leaves alone the gradients that pile up at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from coursepkg.estimators.memory import StepMemory
from coursepkg.estimators.sketches import check_kind, sketch_size

__all__ = ["Moment", "predict_moments", "predict_step"]


class Moment(NamedTuple):
    """One moment of a training step.

    Attributes
    ----------
    name : str
        What is going on: ``"forward 2"``, ``"held"``, ``"weight gradient 2"``, ``"gradients"``.
    alive : int
        Bytes allocated since the step began, and not let go yet.
    """

    name: str
    alive: int


class Ledger:
    """Named sizes that come and go, and what they added up to at each moment."""

    def __init__(self) -> None:
        self.sizes: dict[str, int] = {}
        self.moments: list[Moment] = [Moment("start", 0)]

    def __call__(self, name: str, *, passing: int = 0) -> None:
        """Note a moment at which ``passing`` bytes are needed on top of what stays."""
        self.moments.append(Moment(name, sum(self.sizes.values()) + passing))

    def let_go(self, *names: str) -> None:
        for name in names:
            self.sizes.pop(name, None)


def predict_moments(
    widths: Sequence[int], rows: int, *, rate: float | None = None, sketch: str = "fold", itemsize: int = 4
) -> list[Moment]:
    """Predict the memory of one step of ``Linear, LeanReLU, ..., Linear`` with softmax cross-entropy.

    Parameters
    ----------
    widths : sequence of int
        Length of an input, of each layer's output, and at the end the number of classes.
    rows : int
        B.
    rate : float, optional
        rho of sketched layers; without, the layers are exact.
    sketch : str
        Which sketch.
    itemsize : int
        Bytes per number.

    Returns
    -------
    list of Moment
        In the order of the step. The batch and the parameters are there before it and do not count.
    """
    check_kind(sketch)
    size = None if rate is None else sketch_size(rate, rows)
    book, pairs, last = Ledger(), list(pairwise(widths)), len(widths) - 2

    def array(height: int, width: int) -> int:
        return height * width * itemsize

    for k, (n, m) in enumerate(pairs):
        if size is not None:
            book(f"sketch {k}", passing=sketch_passing(sketch, rows, size, n, itemsize))
            book.sizes[f"summary {k}"] = array(size, n)
        book.sizes[f"z {k}"] = array(rows, m)
        book(f"forward {k}")
        if size is not None:
            book.let_go(f"x {k}")
        if k < last:
            book.sizes[f"bits {k}"] = rows * m // 8
            book.sizes[f"x {k + 1}"] = array(rows, m)
            book(f"relu {k}")
            book.let_go(f"z {k}")
    scores = array(rows, widths[-1])
    book("loss", passing=4 * scores)  # shifted, exponentials, one-hot labels, probabilities
    book.sizes["error"] = scores
    book("held")
    book.sizes[f"g {last}"] = scores
    book("loss back")
    book.let_go(f"z {last}", "error")
    for k, (n, m) in reversed(list(enumerate(pairs))):
        if k:
            book.sizes[f"g {k - 1}"] = array(rows, n)
        if size is not None:
            book(f"sketch of the gradient {k}", passing=sketch_passing(sketch, rows, size, m, itemsize))
        book.sizes[f"dW {k}"] = array(n, m)
        book(f"weight gradient {k}", passing=0 if size is None else array(size, m))
        book.let_go(f"g {k}", f"x {k}", f"summary {k}")
        if k:
            book(f"relu back {k - 1}", passing=array(rows, n) + rows * n)
            book.let_go(f"bits {k - 1}")
    book("gradients")
    return book.moments


def predict_step(
    widths: Sequence[int], rows: int, *, rate: float | None = None, sketch: str = "fold", itemsize: int = 4
) -> StepMemory:
    """Predict what :func:`~coursepkg.estimators.memory.step_memory` will measure.

    Parameters
    ----------
    widths, rows, rate, sketch, itemsize
        As for :func:`predict_moments`.

    Returns
    -------
    StepMemory

    Examples
    --------
    >>> predict_step([64, 256, 10], 1000), predict_step([64, 256, 10], 1000, rate=0.1)
    (StepMemory(held=1136000, peak=2346240), StepMemory(held=240000, peak=2371840))
    """
    moments = predict_moments(widths, rows, rate=rate, sketch=sketch, itemsize=itemsize)
    held = next(moment.alive for moment in moments if moment.name == "held")
    return StepMemory(held, max(moment.alive for moment in moments))


def sketch_passing(sketch: str, rows: int, size: int, width: int, itemsize: int) -> int:
    """What drawing a sketch and applying it to a matrix (rows, width) needs for a moment, the result included."""
    result, dense = size * width * itemsize, rows * size * itemsize
    if sketch == "gaussian":
        return dense + result
    if sketch == "rademacher":
        return dense + max(rows * size, result)  # signs come first as a byte each
    if sketch == "dct":
        return rows * width * itemsize + result
    return rows * (8 + itemsize) + result  # an order, and signs
