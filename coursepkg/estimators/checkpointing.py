"""Gradient checkpointing: forget what a part of a model computed, and compute it again when the gradient comes back.

The one idea: a segment of the model becomes one node of the tape that keeps the segment's input and nothing else. On
the way back the segment runs a second time, with a tape of its own, which is used at once. The gradient is exact, bit
for bit; the price is one more forward pass. With a chain of n layers in about sqrt(n) segments, memory grows with
sqrt(n) (Griewank and Walther 2000; Chen et al. 2016, "Training deep nets with sublinear memory cost").
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import numpy as np

from coursepkg.autodiff.dispatch import Traced
from coursepkg.autodiff.reverse_mode import vjp
from coursepkg.autodiff.table import Each, Primitive
from coursepkg.autodiff.tensor import Tensor, enable_grad, no_grad
from coursepkg.nn.module import Module, Sequential, functional_call
from coursepkg.nn.recurrent.sweep_parts import Memo

__all__ = ["checkpoint", "in_segments"]


class Segment:
    """A part of a model, where its generators stood before it ran, and what its second run has found."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.parameters = dict(module.named_parameters())
        parts = [part for _, part in module.named_modules()]
        generators = [rng for part in parts if isinstance(rng := getattr(part, "rng", None), np.random.Generator)]
        self.before = [(rng, rng.bit_generator.state) for rng in generators]
        self.memo = Memo()

    def run(self, x: Any, *values: Any) -> Any:
        """The module with these values for its parameters."""
        return functional_call(self.module, dict(zip(self.parameters, values, strict=True)), x)

    def gradients(self, g: np.ndarray, x: np.ndarray, values: tuple[np.ndarray, ...]) -> list[Any]:
        """Run again as the first time, and send a gradient back: one for the input, one for each parameter."""
        inputs = Tensor.leaf(x, 1) if x.dtype.kind == "f" else Tensor.on(x, None)
        leaves = [Tensor.leaf(value, 1) for value in values]
        with self._as_before(), enable_grad():
            self.run(inputs, *leaves).backward(g)
        return [a.grad if a.grad is not None else np.zeros(a.shape, a.dtype) for a in (inputs, *leaves)]

    def traced_gradients(self, g: Any, x: Any, values: tuple[Any, ...]) -> tuple[Any, ...]:
        """The same where the backward pass is recorded, for second derivatives."""
        with self._as_before():
            if x.dtype.kind != "f":
                return x, *vjp(lambda *moved: self.run(x, *moved), *values)[1](g)
            return vjp(self.run, x, *values)[1](g)

    @contextmanager
    def _as_before(self) -> Iterator[None]:
        """Generators draw the same numbers again, and running statistics do not count the batch twice."""
        now = [(rng, rng.bit_generator.state) for rng, _ in self.before]
        buffers = [(p, n, getattr(p, n)) for _, p in self.module.named_modules() for n in p.buffer_names]
        try:
            for rng, state in self.before:
                rng.bit_generator.state = state
            yield
        finally:
            for rng, state in now:
                rng.bit_generator.state = state
            for part, name, value in buffers:
                setattr(part, name, value)


def _run(segment: Segment, x: np.ndarray, *_values: np.ndarray) -> np.ndarray:
    with no_grad():
        out = segment.module(x)
    return out._value if type(out) is Tensor else out


def _send_back(index: int, g: Any, _out: Any, segment: Segment, x: Any, *values: Any) -> Any:
    recorded = any(isinstance(a, Traced) for a in (g, x, *values))
    route = segment.traced_gradients if recorded else segment.gradients
    return segment.memo.get(index - 1, g, lambda: route(g, x, values))


# Not an entry of the table: it is a whole part of a model, and no operation.
CHECKPOINT = Primitive(name="checkpoint", function=_run, forward=_run, vjp=Each(_send_back), jvp=[])
CHECKPOINT.reads_out = False  # one rule for any number of arguments counts as reading everything; this one does not


def checkpoint(module: Module, x: Any) -> Any:
    """Call a module and keep only its input; in the backward pass the module runs again.

    Parameters
    ----------
    module : Module
        From one array to one array. What its parts draw from a generator stored as ``rng`` is drawn again, the same.
    x : array
        The input.

    Returns
    -------
    array
        The output, as ``module(x)`` gives it.

    Examples
    --------
    >>> import numpy as np
    >>> from coursepkg import nn
    >>> model = nn.Sequential(nn.Linear(3, 4, rng=np.random.default_rng(0)), np.tanh)
    >>> np.sum(checkpoint(model, np.ones((2, 3)))).backward()
    >>> model[0].weight.grad.shape
    (4, 3)
    """
    plain_or_recorded = type(x) is np.ndarray or (type(x) is Tensor and type(x._value) is np.ndarray)
    segment = Segment(module)
    if not plain_or_recorded or any(type(p._value) is not np.ndarray for p in segment.parameters.values()):
        return module(x)  # another kind of trace passes through: nothing is recorded here that could be forgotten
    return Tensor.apply(CHECKPOINT, (segment, x, *segment.parameters.values()), {})


def in_segments(model: Sequential, x: Any, segments: int) -> Any:
    """Call a sequence of modules in segments, each but the last with :func:`checkpoint`.

    Parameters
    ----------
    model : Sequential
        The steps.
    x : array
        The input.
    segments : int
        How many, from 1 (nothing is forgotten) to the number of steps.

    Returns
    -------
    array
        ``model(x)``.

    Raises
    ------
    ValueError
        If there are fewer steps than segments.
    """
    if not 1 <= segments <= len(model):
        raise ValueError(f"{len(model)} steps can be cut into 1 to {len(model)} segments, got {segments}")
    cuts = np.linspace(0, len(model), segments + 1).round().astype(int)
    steps = list(model)
    parts = [Sequential(*steps[start:stop]) for start, stop in pairwise(cuts)]
    for part in parts[:-1]:
        x = checkpoint(part, x)
    return parts[-1](x)
