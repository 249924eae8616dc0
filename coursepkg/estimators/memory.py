"""What backward must remember: looked up on the tape, measured by the allocator, and predicted from shapes.

The one idea: between forward and backward a network holds one array for every rule that will read one, and in a stack
of linear layers nearly all of that is the layers' inputs. Three witnesses say how much: the record itself, node by
node; ``tracemalloc``; and a formula, B N numbers for an exact layer and b N for a sketched one.
"""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from types import FunctionType, ModuleType
from typing import Any, NamedTuple

import numpy as np

from coursepkg.autodiff.dispatch import ORDER, Traced
from coursepkg.autodiff.table import PRIMITIVES, Primitive
from coursepkg.autodiff.tape import Node
from coursepkg.autodiff.tensor import Tensor
from coursepkg.estimators.sketches import sketch_size
from coursepkg.nn.module import Module

__all__ = ["Holding", "StepMemory", "around_calls", "linear_bytes", "step_memory", "tape_bytes", "tape_holdings"]


class Holding(NamedTuple):
    """What one part of a model makes the tape hold.

    Attributes
    ----------
    name : str
        The part's dotted name and class, or ``"loss"`` for what comes after the model.
    own : int
        Bytes that nobody before it holds.
    shared : int
        Bytes that it reads, too, but that the tape holds already for an earlier part.
    """

    name: str
    own: int
    shared: int


class StepMemory(NamedTuple):
    """Bytes of one training step, above what was there before it.

    Attributes
    ----------
    held : int
        Between forward and backward.
    peak : int
        The most at any moment.
    """

    held: int
    peak: int


def linear_bytes(rows: int, features: int, *, rate: float | None = None, itemsize: int = 4) -> int:
    """Predict what one linear layer makes the tape hold.

    Parameters
    ----------
    rows, features : int
        B, examples times time steps, and N, the length of an input.
    rate : float, optional
        rho of a sketched layer; without, the layer is exact.
    itemsize : int
        Bytes per number.

    Returns
    -------
    int
        ``B N`` numbers, or ``b N`` numbers and the eight bytes of a seed.

    Examples
    --------
    >>> linear_bytes(2048, 768), linear_bytes(2048, 768, rate=0.2)
    (6291456, 1256456)
    """
    if rate is None:
        return rows * features * itemsize
    return sketch_size(rate, rows) * features * itemsize + 8


# --- read from the record


@contextmanager
def around_calls(model: Module, wrap: Callable[[str, Module], Callable[..., Any]]) -> Iterator[None]:
    """Put a function around the ``forward`` of every part of a model, for a while.

    Parameters
    ----------
    model : Module
        The model.
    wrap : callable
        ``wrap(name, part)`` is what runs in place of ``part.forward``; it can call ``type(part).forward(part, ...)``.
    """
    parts = {part: name for name, part in model.named_modules()}
    try:
        for part, name in parts.items():
            part.forward = wrap(name, part)  # type: ignore[method-assign]
        yield
    finally:
        for part in parts:
            vars(part).pop("forward", None)


def tape_holdings(model: Module, run: Callable[[], Any], *, given: Sequence[np.ndarray] = ()) -> list[Holding]:
    """List what the tape holds after a forward pass, part by part, in the order in which it was recorded.

    Parameters
    ----------
    model : Module
        The model.
    run : callable
        ``run()`` calls the model and returns the loss, a tensor.
    given : sequence of ndarray
        Arrays that the caller holds anyway, such as the batch; they count as shared if the tape looks at them. Freeze
        them for that (``x.flags.writeable = False``): of an array that may still change it keeps a copy.

    Returns
    -------
    list of Holding
        Parameters are left out: they are there with or without a tape.
    """
    spans: list[tuple[int, int, str]] = []

    def noting(name: str, part: Module) -> Callable[..., Any]:
        label = f"{name} {type(part).__name__}".strip()

        def forward(*inputs: Any) -> Any:
            start = -next(ORDER)  # the record counts down
            out = type(part).forward(part, *inputs)
            spans.append((start, -next(ORDER), label))
            return out

        return forward

    with around_calls(model, noting):
        loss = run()
    parameters = {_buffer(p._value)[0] for p in model.parameters()}
    seen = {_buffer(a)[0] for a in given}
    rows: dict[str, list[int]] = {}
    for node in sorted(_nodes([loss]), key=lambda node: -node.order):
        row = rows.setdefault(_innermost(spans, -node.order), [0, 0])
        for key, size in _held_by(node).items():
            if key not in parameters:
                row[key in seen] += size
                seen.add(key)
    return [Holding(name, own, shared) for name, (own, shared) in rows.items()]


def tape_bytes(results: Iterable[Tensor], *, given: Sequence[np.ndarray] = ()) -> int:
    """Count the bytes of all arrays that the tape of some results holds.

    Parameters
    ----------
    results : iterable of Tensor
        What was computed. Their own values count only if a rule reads them.
    given : sequence of ndarray
        Arrays that are there with or without a tape, such as the batch and the parameters; they do not count.

    Returns
    -------
    int
        Each piece of memory once, and of a view all of what it looks at.

    Examples
    --------
    >>> x = Tensor(np.ones((3, 4)), requires_grad=True)
    >>> tape_bytes([np.exp(x)]), tape_bytes([np.sin(x)]), tape_bytes([np.sin(x)], given=[x.numpy()])
    (96, 96, 0)
    """
    known = {_buffer(a)[0] for a in given}
    held: dict[int, int] = {}
    for node in _nodes(results):
        held |= _held_by(node)
    return sum(size for key, size in held.items() if key not in known)


def _nodes(results: Iterable[Tensor]) -> Iterator[Any]:
    """Every step of the computation that the tape still knows."""
    found, waiting = set(), [result._node for result in results]
    while waiting:
        node = waiting.pop()
        if node is None or node in found or node.entry is None:
            continue
        found.add(node)
        waiting.extend(node.parents)
        yield node


def _held_by(node: Node) -> dict[int, int]:
    """The pieces of memory that a step keeps alive, with their sizes."""
    entry = node.entry
    own_rules = None if PRIMITIVES.get(entry.function) is entry else entry.vjp  # those of the table are there anyway
    return dict(_buffer(array) for array in _arrays([node.values, node.options, node.out, own_rules]))


def _innermost(spans: Sequence[tuple[int, int, str]], order: int) -> str:
    around = [(stop - start, name) for start, stop, name in spans if start < order < stop]
    return min(around)[1] if around else "loss"


APART = (Node, Primitive, Module, ModuleType, type)
"""What is looked at by itself, or is there with or without a tape."""


def _arrays(value: Any) -> Iterator[np.ndarray]:
    """Every array that something keeps alive, in containers, in attributes, and in what functions close over."""
    seen, waiting = {}, [value]
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen or isinstance(thing, APART):
            continue
        seen[id(thing)] = thing
        if isinstance(thing, np.ndarray):
            yield thing
        elif isinstance(thing, Traced):
            waiting.append(thing._under())
        elif isinstance(thing, FunctionType):  # and not its global names
            waiting += [thing.__closure__, thing.__defaults__, thing.__kwdefaults__]
        else:
            waiting += gc.get_referents(thing)


def _buffer(array: Any) -> tuple[int, int]:
    """The memory that an array keeps alive: a view keeps all of what it looks at."""
    base = array
    while (base := getattr(base, "base", None)) is not None:
        array = base if isinstance(base, np.ndarray) else array
    return id(array), array.nbytes


# --- measured


def step_memory(model: Module, run: Callable[[], Any]) -> StepMemory:
    """Measure the memory of one forward and one backward pass.

    Parameters
    ----------
    model : Module
        The model; its gradients are emptied.
    run : callable
        ``run()`` calls the model and returns the loss, a tensor. It runs twice; only the second time counts, so that
        what is loaded or set up once does not. A batch that is not frozen counts, because the tape copies it.

    Returns
    -------
    StepMemory
        The gradients of the parameters are part of the peak.
    """
    run().backward()
    model.zero_grad()
    gc.collect()
    already = tracemalloc.is_tracing()
    if not already:
        tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        loss = run()
        held = tracemalloc.get_traced_memory()[0] - before
        loss.backward()
        peak = tracemalloc.get_traced_memory()[1] - before
    finally:
        if not already:
            tracemalloc.stop()
    model.zero_grad()
    return StepMemory(held, peak)
