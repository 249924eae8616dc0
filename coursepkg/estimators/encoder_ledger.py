"""The memory of one step of fine-tuning an encoder, moment by moment, predicted from shapes.

The one idea is that of :mod:`coursepkg.estimators.ledger`: run the step with sizes in place of arrays. What is new is
what a transformer keeps beside the inputs of its linear layers, and a sketch does not touch: queries, keys and values,
the attention weights, normalized activations, and the slope of the GELU. They are three fifths of all.
"""

from __future__ import annotations

from coursepkg.autodiff.primitives.activations import BLOCK
from coursepkg.estimators.ledger import Ledger, Moment, sketch_passing
from coursepkg.estimators.memory import StepMemory
from coursepkg.estimators.sketches import check_kind, sketch_size

__all__ = ["predict_encoder_moments", "predict_encoder_step"]


def predict_encoder_moments(
    texts: int,
    length: int,
    *,
    width: int,
    heads: int,
    hidden: int,
    blocks: int,
    classes: int,
    rate: float | None = None,
    sketch: str = "fold",
    itemsize: int = 4,
) -> list[Moment]:
    """Predict the memory of one step of a :class:`~coursepkg.nn.SentenceClassifier` whose embeddings are frozen.

    Parameters
    ----------
    texts, length : int
        Shape of the batch.
    width, heads, hidden, blocks : int
        Shape of the encoder, as for :class:`~coursepkg.nn.TextEncoder`.
    classes : int
        Scores of a text.
    rate : float, optional
        rho of the sketched layers of the encoder; without, they are exact. The head is always exact.
    sketch : str
        Which sketch.
    itemsize : int
        Bytes per number.

    Returns
    -------
    list of Moment
        In the order of the step; the batch and the parameters are there before it and do not count.
    """
    check_kind(sketch)
    rows = texts * length
    size = None if rate is None else sketch_size(rate, rows)
    book = Ledger()
    x, z, attention = (itemsize * n for n in (rows * width, rows * hidden, texts * heads * length * length))
    sigma, closed, pooled = itemsize * rows, itemsize * texts * length, itemsize * texts * width

    def linear(name: str, inputs: str, n: int, m: int) -> None:
        """Apply a layer to what is called ``inputs``; an exact one keeps it, a sketched one a summary of it."""
        if size is not None:
            book(f"sketch {name}", passing=sketch_passing(sketch, rows, size, n, itemsize))
            book.sizes[f"summary {name}"] = size * n * itemsize
        book.sizes[f"out {name}"] = rows * m * itemsize
        book(f"forward {name}")
        if size is None:
            book.sizes[f"kept {name}"] = book.sizes.pop(inputs, 0)

    def norm(name: str) -> None:
        """Normalize a sum that is alive; the result is the next x."""
        book.sizes[f"normalized {name}"], book.sizes[f"sigma {name}"] = x, sigma
        book.sizes["result"] = x
        book(f"forward {name}")

    book.sizes["x"] = x
    for k in range(blocks):
        first = k == 0
        book.sizes["input"] = book.sizes.pop("x")  # whoever called the block has it until the block returns
        linear(f"in {k}", "none", width, 3 * width)
        book.sizes[f"query {k}"] = x
        book.sizes[f"closed {k}"] = closed
        book.sizes["scores"] = attention
        book(f"scores {k}", passing=attention)
        book.sizes[f"softmax {k}"] = attention
        book(f"softmax {k}", passing=attention)
        book.sizes["heard"], book.sizes["joined"] = x, x
        book(f"heard {k}")
        linear(f"out {k}", "joined", width, width)
        book.let_go("heard", "joined", "scores")
        book.sizes["sum"] = x
        book(f"first sum {k}")
        book.let_go(f"out out {k}")
        norm(f"norm1 {k}")
        if size is None or first:  # in the first block the sum keeps its frozen operand, too
            book.sizes[f"kept in {k}"] = x
            book.let_go("input")
        book.let_go("sum")
        book.sizes["x"] = book.sizes.pop("result")
        linear(f"linear1 {k}", "none", width, hidden)
        book.sizes["active"], book.sizes[f"slope {k}"] = z, z
        book(f"gelu {k}", passing=2 * min(z, BLOCK * itemsize))
        book.let_go(f"out linear1 {k}")
        linear(f"linear2 {k}", "active", hidden, width)
        book.let_go("active")
        book.sizes["sum"] = x
        book(f"second sum {k}")
        book.let_go(f"out linear2 {k}")
        norm(f"norm2 {k}")
        if size is None:
            book.sizes[f"kept linear1 {k}"] = x
        book.let_go("x", "sum", "input")
        book.sizes["x"] = book.sizes.pop("result")
    book.sizes["mean"] = pooled
    book.sizes["shares"] = itemsize * rows
    book.sizes["error"] = itemsize * texts * classes
    book("held")
    _backward(book, x, z, attention, width, hidden, blocks, classes, rows, size, sketch, itemsize)
    return book.moments


def _backward(
    book: Ledger,
    x: int,
    z: int,
    attention: int,
    width: int,
    hidden: int,
    blocks: int,
    classes: int,
    rows: int,
    size: int | None,
    sketch: str,
    itemsize: int,
) -> None:
    """The walk back: gradients of activations come and go, those of weights stay."""

    def linear(name: str, n: int, m: int, *gone: str) -> None:
        book.sizes["to inputs"] = rows * n * itemsize
        book(f"inputs' gradient {name}")
        if size is not None:
            book(f"sketch of the gradient {name}", passing=sketch_passing(sketch, rows, size, m, itemsize))
        book.sizes[f"gradient {name}"] = (n * m + m) * itemsize
        book(f"weight gradient {name}", passing=0 if size is None else size * m * itemsize)
        book.let_go(f"kept {name}", f"summary {name}", *gone)

    def norm(name: str) -> None:
        book.sizes[f"gradient {name}"] = 2 * width * itemsize
        book(f"{name} back", passing=3 * x)
        book.let_go(f"normalized {name}", f"sigma {name}")

    book.sizes["gradient head"] = (width + 1) * classes * itemsize
    book.let_go("error", "mean")
    book.sizes["g"] = x
    book("mean back")
    book.let_go("x", "shares")
    for k in reversed(range(blocks)):
        norm(f"norm2 {k}")
        linear(f"linear2 {k}", hidden, width)
        book.sizes["g hidden"] = book.sizes.pop("to inputs")
        book.let_go(f"slope {k}")
        linear(f"linear1 {k}", width, hidden, "g hidden")
        book.let_go("to inputs")  # added to what the sum sent back
        norm(f"norm1 {k}")
        linear(f"out {k}", width, width)
        book.sizes["g heard"] = book.sizes.pop("to inputs")
        book.sizes["g weights"], book.sizes["g value"] = attention, x
        book(f"softmax back {k}", passing=attention)
        book.let_go("g heard", f"softmax {k}", f"closed {k}")
        book.sizes["g query"], book.sizes["g key"] = x, x
        book(f"scores back {k}")
        book.let_go("g weights")
        book(f"scale back {k}", passing=x)
        book.let_go(f"query {k}", f"out in {k}")
        book.sizes["g parts"] = 3 * x
        book(f"parts back {k}")
        book.let_go("g query", "g key", "g value")
        if k:
            linear(f"in {k}", width, 3 * width, "g parts")
            book.let_go("to inputs")
        else:  # nothing before it learns
            book.sizes[f"gradient in {k}"] = (width + 1) * 3 * width * itemsize
            book(f"weight gradient in {k}")
            book.let_go("g", "g parts", f"kept in {k}", f"summary in {k}")
    book("gradients")


def predict_encoder_step(
    texts: int,
    length: int,
    *,
    width: int,
    heads: int,
    hidden: int,
    blocks: int,
    classes: int,
    rate: float | None = None,
    sketch: str = "fold",
    itemsize: int = 4,
) -> StepMemory:
    """Predict what :func:`~coursepkg.estimators.memory.step_memory` will measure.

    Parameters
    ----------
    texts, length, width, heads, hidden, blocks, classes, rate, sketch, itemsize
        As for :func:`predict_encoder_moments`.

    Returns
    -------
    StepMemory
    """
    moments = predict_encoder_moments(
        texts, length, width=width, heads=heads, hidden=hidden, blocks=blocks, classes=classes, rate=rate,
        sketch=sketch, itemsize=itemsize,
    )  # fmt: skip
    held = next(moment.alive for moment in moments if moment.name == "held")
    return StepMemory(held, max(moment.alive for moment in moments))
