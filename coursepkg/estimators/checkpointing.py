"""Gradient checkpointing: forget what a part of a model computed, and compute it again when the gradient comes back.

The one idea: a segment of the computation becomes one node of the tape that keeps the segment's inputs and nothing
else. On the way back the segment runs a second time, with a tape of its own, which is used at once. The gradient is
exact, bit for bit; the price is one more forward pass. With a chain of n layers in about sqrt(n) segments, memory grows
with sqrt(n) (Griewank and Walther 2000; Chen et al. 2016, "Training deep nets with sublinear memory cost").

What a segment reads needs no list. Its first run is recorded too, and every node that its tape ends in, older than the
call, is an input, whether it came in as an argument or the function closes over it. That tape is then dropped, and two
nodes stand for it. The backward pass meets the first, whose rule runs the segment again, and makes the second one the
last step of the new tape. The pass goes on from there, through that tape and out at its inputs, as if it had always
been there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from itertools import pairwise
from types import CodeType, FunctionType, MethodType
from typing import Any

import numpy as np

from coursepkg.autodiff.table import Each, Primitive
from coursepkg.autodiff.tape import Node, leaf_node
from coursepkg.autodiff.tensor import Tensor, enable_grad
from coursepkg.autodiff.traced import ORDER, Traced, nesting
from coursepkg.nn.module import Module, Sequential, functional_call

__all__ = ["checkpoint", "in_segments"]

SAMPLES = 256
"""How many numbers of the result are kept, to see that the second run gives them again."""


class Segment:
    """A call that will be repeated: of what, with which arguments, and where its generators stood before."""

    def __init__(self, f: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any]) -> None:
        self.f, self.args, self.options = f, list(args), options
        self.modules, generators = _drawn_from(f, args, options)
        self.before = [(rng, rng.bit_generator.state) for rng in generators]
        self.depth = nesting.depth
        self.places = [i for i, arg in enumerate(args) if isinstance(arg, Tensor | np.ndarray)]
        self.names = [name for name, _ in f.named_parameters()] if isinstance(f, Module) else []

    def stand_for(self, out: Tensor, inputs: list[Node]) -> Tensor:
        """Record two nodes in place of all those between the inputs and the result."""
        arrays = [self.args[i] for i in self.places]
        for i in self.places:
            self.args[i] = None  # the tape keeps it
        arrays += self.f.parameters() if isinstance(self.f, Module) else []
        self.kinds = [type(array) for array in arrays]
        self.nodes = [array._node if type(array) is Tensor else None for array in arrays]
        self.inputs, self.sample, result = inputs, _sample(out), out._under()
        operands = [array.detach() if type(array) is Tensor else array for array in arrays]
        found = Tensor.apply(CHECKPOINT, (Tensor.leaf(result, out.traces), self, *operands), {})
        if found._node is not None:
            self.parents = found._node.parents = [self._last_step(out), *(None for _ in (self, *operands))]
        return found

    def _last_step(self, like: Any) -> Node:
        """Make a node in place of the second run's last step, which does not exist yet."""
        node = leaf_node(like, like.traces)
        node.entry, node.parents = CHECKPOINT, self.inputs
        return node

    def run_again(self, values: Sequence[Any]) -> None:
        """Run as the first time, and let the checkpoint's parent be the last step of what is recorded now."""
        with self._as_before(), enable_grad():
            start = next(ORDER)
            out = self._run(values)
        again = type(out) is Tensor and out._node is not None and set(_inputs(out, start)) == set(self.inputs)
        if not again or not _agree(_sample(out), self.sample):
            raise RuntimeError(
                f"{_name(self.f)} gave something else when it ran again in the backward pass, so the gradient would be "
                "wrong. Whatever it reads must be the same both times: pass what changes before backward() as an "
                "argument, and the generator that it draws from too: checkpoint(f, x, rng=rng)"
            )
        last = self.parents[0]
        for slot in Node.__slots__:
            if hasattr(out._node, slot):
                setattr(last, slot, getattr(out._node, slot))
        # Another backward pass has a tape of its own, because what this one recorded may hold on to these nodes.
        self.parents[0] = self._last_step(last)

    def _run(self, values: Sequence[Any]) -> Any:
        """Call it with arguments and weights as they were, at the places on the tape where they were."""
        again = zip(values, self.kinds, self.nodes, strict=True)
        arrays = [Tensor.on(value, node) if kind is Tensor else value for value, kind, node in again]
        given = dict(zip(self.places, arrays, strict=False))
        args = [given.get(i, arg) for i, arg in enumerate(self.args)]
        if isinstance(self.f, Module):
            return functional_call(self.f, dict(zip(self.names, arrays[len(given) :], strict=True)), *args)
        return self.f(*args, **self.options)

    @contextmanager
    def _as_before(self) -> Iterator[None]:
        """Generators draw the same numbers again, and running statistics do not count the batch twice.

        A derivative that ``f`` takes inside is marked as newer than those that its arguments belong to.
        """
        now = [(rng, rng.bit_generator.state) for rng, _ in self.before]
        buffers = [(p, n, getattr(p, n)) for p in self.modules for n in p.buffer_names]
        depth, nesting.depth = nesting.depth, max(nesting.depth, self.depth)
        try:
            for rng, state in self.before:
                rng.bit_generator.state = state
            yield
        finally:
            nesting.depth = depth
            for rng, state in now:
                rng.bit_generator.state = state
            for part, name, value in buffers:
                setattr(part, name, value)


def _forward(result: np.ndarray, _segment: Segment, *_arrays: Any) -> np.ndarray:
    return result


def _send_back(_index: int, g: Any, _out: Any, _result: Any, segment: Segment, *arrays: Any) -> Any:
    segment.run_again(arrays)
    return g


# Not an entry of the table: it is a whole part of a model, and no operation.
CHECKPOINT = Primitive(
    name="checkpoint", function=_forward, forward=_forward, vjp=Each(_send_back), jvp=[], reads="segment arrays"
)


def checkpoint(f: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """Call a function or a module and keep only its inputs; in the backward pass it runs again.

    The gradient reaches everything that it was computed from: arguments, the parameters of a module, and tensors that
    ``f`` closes over. Derivatives of any order, forward mode and symbols pass through, and checkpoints may be nested.

    The second run must do what the first one did. Generators draw the same numbers again, if they are arguments or
    options, in the closure of ``f`` or global names that it uses, or stored as ``rng`` in modules among these; running
    statistics do not count a batch twice. Arguments and a module's parameters are those of the first run, even if
    they have new values by then. Anything else that ``f`` reads must not change before the backward pass, and a result
    that differs is refused there.

    Parameters
    ----------
    f : callable or Module
        From one or several arrays to one array.
    *args : arrays
        What it is called with. Without any arguments and options, ``checkpoint(f)`` is a function that checkpoints
        each call, as in JAX.
    **options
        Passed on to ``f``.

    Returns
    -------
    array
        The output, as ``f(*args, **options)`` gives it.

    Raises
    ------
    TypeError
        If ``f`` cannot be called, or returns something else than one array.
    RuntimeError
        In the backward pass, if the second run gives another result than the first.

    Examples
    --------
    >>> import numpy as np
    >>> from coursepkg import nn
    >>> model = nn.Sequential(nn.Linear(3, 4, rng=np.random.default_rng(0)), np.tanh)
    >>> np.sum(checkpoint(model, np.ones((2, 3)))).backward()
    >>> model[0].weight.grad.shape
    (4, 3)
    >>> w = nn.Parameter([2.0, 3.0])
    >>> np.sum(checkpoint(lambda x: np.exp(x * w), np.array([0.0, 1.0]))).backward()
    >>> w.grad.round(3)
    array([ 0.   , 20.086])
    """
    if not callable(f):
        raise TypeError(f"checkpoint takes a function or a module, then its arguments; got {type(f).__name__} first")
    if not args and not options:
        return partial(checkpoint, f)
    segment = Segment(f, args, options)
    start = next(ORDER)
    out = f(*args, **options)
    if not isinstance(out, Traced | np.ndarray | np.generic | float | int | complex):
        advice = (
            "did you forget `return`?" if out is None else "join several by np.concatenate, or checkpoint the parts"
        )
        raise TypeError(
            f"checkpoint takes a function that returns one array; {_name(f)} gave {type(out).__name__}; {advice}"
        )
    if type(out) is not Tensor or type(out._under()) is not np.ndarray:
        return out  # another kind of trace passes through: nothing was recorded here that could be forgotten
    inputs = _inputs(out, start)
    return segment.stand_for(out, inputs) if inputs else out


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


def _inputs(out: Tensor, start: int) -> list[Node]:
    """The nodes that a computation ends in: those that were there before it started, none if it added nothing."""
    found: list[Node] = []
    seen: set[Node] = set()
    waiting: list[Any] = [out._node]
    while waiting:
        node = waiting.pop()
        for parent in node.parents if node is not None and node.order < start else ():
            if parent is not None and parent not in seen:
                seen.add(parent)
                (found if parent.order > start else waiting).append(parent)
    return found


def _sample(out: Any) -> np.ndarray:
    """Some numbers of a result, evenly spread over it."""
    values = np.asarray(out._under())
    return np.array(values.flat[:: max(1, values.size // SAMPLES)])


def _agree(found: np.ndarray, expected: np.ndarray) -> bool:
    """Whether two samples are of the same result; the last bits of a matrix product may depend on where arrays lie."""
    if found.shape != expected.shape or found.dtype != expected.dtype:
        return False
    rounding = min(1000 * np.finfo(found.dtype).eps, 0.01)
    scale = np.max(np.abs(expected[np.isfinite(expected)]), initial=0.0)
    return np.allclose(found, expected, rtol=rounding, atol=rounding * scale, equal_nan=True)


def _drawn_from(f: Any, args: Iterable[Any], options: dict[str, Any]) -> tuple[list[Module], list[np.random.Generator]]:
    """Modules and generators that a call can reach: as arguments, in closures, by global names, in modules."""
    modules: list[Module] = []
    generators: list[np.random.Generator] = []
    home, seen, waiting = f, set(), [f, *args, *options.values()]
    while isinstance(home, partial):
        home = home.func
    if not isinstance(home, FunctionType):  # an object that can be called, or a method of one
        waiting += getattr(getattr(home, "__self__", home), "__dict__", {}).values()
        home = getattr(home, "__func__", type(home).__call__)
        waiting.append(home)
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        if isinstance(thing, np.random.Generator):
            generators.append(thing)
        elif isinstance(thing, Module):
            modules.append(thing)
            waiting += [*(part for _, part in thing.named_children()), getattr(thing, "rng", None)]
        elif isinstance(thing, list | tuple):
            waiting += thing
        elif isinstance(thing, dict):
            waiting += thing.values()
        elif isinstance(thing, partial):
            waiting += [thing.func, *thing.args, *thing.keywords.values()]
        elif isinstance(thing, MethodType):
            waiting += [thing.__func__, thing.__self__]
        elif isinstance(thing, FunctionType):
            waiting += _held_by(thing, own=thing.__globals__ is getattr(home, "__globals__", None))
    return modules, generators


def _held_by(function: FunctionType, *, own: bool) -> Iterator[Any]:
    """What a function keeps: in its closure, as defaults and, if these are to be followed, behind its global names."""
    for cell in function.__closure__ or ():
        with suppress(ValueError):  # a name that has no value yet
            yield cell.cell_contents
    yield from function.__defaults__ or ()
    yield from (function.__kwdefaults__ or {}).values()
    codes = [function.__code__] if own else []
    for code in codes:
        yield from (function.__globals__[name] for name in code.co_names if name in function.__globals__)
        codes += [constant for constant in code.co_consts if isinstance(constant, CodeType)]


def _name(f: Any) -> str:
    return getattr(f, "__name__", type(f).__name__)
