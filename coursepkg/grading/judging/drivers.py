"""Drivers: how an answer is put to use so that it yields numbers.

Most answers are functions and are simply called. A class (a learner's own ``Scalar``), a ``backward`` function or an
ordering of a graph needs a little world around it; a driver builds that world from plain data, uses the answer in it
and returns plain data. A specification names its driver, so the same trusted code runs in a notebook and in a worker.

To add a driver, write a function ``run(answer, *args, **kwargs)`` below and register it::

    @driver("counted_calls", takes="function", arity=1)
    def counted_calls(answer, start, *, times=2):
        ...                                       # use the answer; return numbers, lists, dicts or arrays
        return {"value": ..., "calls": ...}       # the keys appear in the feedback ("in `calls`: ...")

``args`` are the arguments of the specification's ``case(...)``. A driver never judges. It lets the learner's errors
pass, and raises ``Misfit`` with a plain sentence where the answer does not have the form that it needs. ``arity`` is
the number of arguments that the answer itself gets; ``show`` words a case for the feedback.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from coursepkg.derivatives import OPERATIONS
from coursepkg.grading.judging.arrays import np

Expression = tuple[Any, ...]


class Misfit(Exception):
    """The answer does not have the form that its exercise needs; the message is shown to the learner."""


@dataclass(frozen=True)
class Driver:
    """A named way to use an answer; ``takes`` is "function" or "class"."""

    run: Callable[..., Any]
    takes: str
    arity: int | None = None
    show: Callable[..., str] | None = None


DRIVERS: dict[str, Driver] = {}


def driver(
    name: str, *, takes: str, arity: int | None = None, show: Callable[..., str] | None = None
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a driver under a name."""

    def register(run: Callable[..., Any]) -> Callable[..., Any]:
        DRIVERS[name] = Driver(run, takes, arity, show)
        return run

    return register


# --- expressions as nested tuples ------------------------------------------------------------------------------------

BINARY: dict[str, tuple[str, Callable[[Any, Any], Any]]] = {
    "add": ("+", lambda a, b: a + b),
    "sub": ("-", lambda a, b: a - b),
    "mul": ("*", lambda a, b: a * b),
    "div": ("/", lambda a, b: a / b),
    "pow": ("**", lambda a, b: a**b),
    "matmul": ("@", lambda a, b: a @ b),
}


NUMBERS = (bool, int, float, np.float32, np.float64, np.int64)


def build(expression: Expression, variables: Sequence[Any], nodes: dict[Any, Any] | None = None) -> Any:
    """Evaluate ``("add", ("var", 0), ("tanh", ("const", 2.0)))`` on any objects with operators and methods.

    Equal sub-expressions become one and the same object, so ``("mul", s, s)`` makes a diamond. Operations other than
    ``add sub mul div pow matmul neg`` are methods: ``("tanh", a)`` is ``a.tanh()``.
    """
    nodes = {} if nodes is None else nodes
    if expression in nodes:
        return nodes[expression]
    op, *operands = expression
    if op == "var":
        value = variables[operands[0]]
    elif op == "const":
        value = operands[0]
    else:
        value = _apply(op, [build(item, variables, nodes) for item in operands])
    nodes[expression] = value
    return value


def _apply(op: str, values: list[Any]) -> Any:
    if op in BINARY:
        return BINARY[op][1](*values)
    if op == "neg":
        return -values[0]
    method = getattr(values[0], op, None)
    if method is None and type(values[0]) in NUMBERS:
        raise Misfit(f"An operation gave a plain {type(values[0]).__name__}, which has no method `{op}()`.")
    if method is None:
        raise Misfit(f"An object of your class {type(values[0]).__name__} has no method `{op}()`.")
    return method(*values[1:])


def formula(expression: Expression) -> str:
    """Write an expression for a reader: ``(x0 + 2) * x1``."""
    op, *operands = expression
    if op == "var":
        return f"x{operands[0]}"
    if op == "const":
        return f"{operands[0]:g}" if isinstance(operands[0], int | float) else str(operands[0])
    words = [formula(item) for item in operands]
    if op in BINARY:
        words = [
            f"({word})" if item[0] in (*BINARY, "neg") else word for word, item in zip(words, operands, strict=True)
        ]
        return f" {BINARY[op][0]} ".join(words)
    return f"-({words[0]})" if op == "neg" else f"{op}({', '.join(words)})"


def show_expression(expression: Expression, values: Sequence[float], **options: Any) -> str:
    """Word a case of the expression drivers."""
    at = ", ".join(f"x{i} = {value:g}" for i, value in enumerate(values))
    after = f", after a call on {_cut(formula(options.pop('after')), 70)}" if "after" in options else ""
    more = "".join(f", {name} = {value}" for name, value in options.items())
    return f"{_cut(formula(expression), 160 - len(after))} at {at}{more}{after}"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most // 2]} ... {text[-most // 4 :]}"


def _attribute(thing: Any, name: str, what: str) -> Any:
    if isinstance(thing, int | float) or not hasattr(thing, name):
        raise Misfit(f"{what} has no `.{name}`; it is of type {type(thing).__name__}.")
    return getattr(thing, name)


# --- functions -------------------------------------------------------------------------------------------------------


@driver("call", takes="function")
def call(answer: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """``answer(*args)``: its value."""
    return answer(*args, **kwargs)


@driver("changed_arguments", takes="function")
def changed_arguments(answer: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """``answer(*args)`` is expected to change its arguments in place: returns the list of them afterwards."""
    own = copy.deepcopy(args)
    answer(*own, **copy.deepcopy(kwargs))
    return list(own)


@driver("repeated", takes="function")
def repeated(answer: Callable[..., Any], state: Any, *args: Any, times: int = 3) -> Any:
    """``state = answer(state, *args)``, so many times: the list of all states (an update rule, a training step)."""
    states = []
    for _ in range(times):
        state = answer(state, *args)
        states.append(copy.deepcopy(state))
    return states


# Written with + - * and whole numbers alone: rounding is the same on every processor, and fractions stay exact.
POLYNOMIALS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "square": ("x*x", lambda x: x * x),
    "cube": ("x*x*x", lambda x: x * x * x),
    "bowl": ("(x - 7)*(x - 7)", lambda x: (x - 7) * (x - 7)),
    "valley": ("x*x*x - 75*x", lambda x: x * x * x - 75 * x),
    "quartic": ("x*x*x*x - 3*x*x + x", lambda x: x * x * x * x - 3 * x * x + x),
    "wiggle": ("x*x*x*x*x - x*x + 2*x", lambda x: x * x * x * x * x - x * x + 2 * x),
    "ninth": ("x*x*x*x*x*x*x*x*x - 2*x", lambda x: x * x * x * x * x * x * x * x * x - 2 * x),
}


def _show_slope(name: str, x: float, **options: Any) -> str:
    after = f", after a call with f(x) = {POLYNOMIALS[options['after']][0]} there" if options else ""
    return f"f(x) = {POLYNOMIALS[name][0]} at x = {x:g}{after}"


@driver("slope_of", takes="function", arity=2, show=_show_slope)
def slope_of(answer: Callable[..., Any], name: str, x: float, *, after: str = "") -> Any:
    """``answer(f, x)`` for a polynomial f chosen by name, which takes floats, complex numbers and arrays: its value.

    With ``after``, the name of another one, the answer is called with that one first, at the same place.
    """
    if after:
        answer(POLYNOMIALS[after][1], x)
    return answer(POLYNOMIALS[name][1], x)


# --- a learner's own Scalar ------------------------------------------------------------------------------------------


def _root(answer: type, expression: Expression, variables: list[Any]) -> Any:
    nodes: dict[Any, Any] = {}
    out = build(expression, variables, nodes)
    _attribute(out, "data", "The result")
    for item, value in nodes.items():
        if item[0] not in ("var", "const"):
            _attribute(value, "data", f"`{formula(item)}`")
    return out


@driver("scalar_forward", takes="class", show=show_expression)
def scalar_forward(answer: type, expression: Expression, values: Sequence[float]) -> Any:
    """The value of an expression built from ``answer(value)`` objects; no backward pass is needed."""
    return _root(answer, expression, [answer(value) for value in values]).data


@driver("scalar_local", takes="class", show=show_expression)
def scalar_local(answer: type, expression: Expression, values: Sequence[float]) -> dict[str, Any]:
    """What one operation recorded: its value, its parents' values and its local derivatives."""
    out = _root(answer, expression, [answer(value) for value in values])
    parents = _attribute(out, "parents", "The result")
    rates = _attribute(out, "local_grads", "The result")
    return {
        "value": out.data,
        "parents": [_attribute(parent, "data", "A parent") for parent in parents],
        "local_grads": list(rates),
    }


@driver("scalar_expression", takes="class", show=show_expression)
def scalar_expression(
    answer: type,
    expression: Expression,
    values: Sequence[float],
    *,
    repeat: int = 1,
    any_from_0_to: float | None = None,
) -> dict[str, Any]:
    """Value and gradients after ``backward()``.

    With ``repeat``, the expression is built anew on the same variables and gone through backward that many times, so
    gradients add up in the variables. With ``any_from_0_to``, at a kink, each gradient between 0 and this one is
    given as 0.
    """
    variables = [answer(value) for value in values]
    for _ in range(repeat):
        out = _root(answer, expression, variables)
        _attribute(out, "backward", "The result")()
    gradients = [_attribute(leaf, "grad", "A variable") for leaf in variables]
    if any_from_0_to is not None:
        gradients = [0.0 if _lies_between(0, gradient, any_from_0_to) else gradient for gradient in gradients]
    return {"value": out.data, "gradients": gradients}


def _lies_between(low: float, value: Any, high: float) -> bool:
    if type(value) is np.ndarray and value.dtype.kind in "fi" and value.size == 1:
        value = value.item()
    return type(value) in NUMBERS and bool(low <= value <= high)


# --- a learner's own Tensor ------------------------------------------------------------------------------------------


def _show_tensor(expression: Expression, arrays: Sequence[Any], gradient: Any) -> str:
    shapes = ", ".join(f"x{i} of shape {np.shape(array)}" for i, array in enumerate(arrays))
    return f"{formula(expression)} with {shapes}"


@driver("tensor_expression", takes="class", show=_show_tensor)
def tensor_expression(answer: type, expression: Expression, arrays: Sequence[Any], gradient: Any) -> dict[str, Any]:
    """Value and gradients of an expression built from ``answer(array)`` objects, after ``backward(gradient)``.

    Methods get plain constants: ``("sum", a, ("const", 1))`` is ``a.sum(1)``. Where relu of a variable alone is taken
    of 0, each gradient between 0 and what arrives is given as 0, since any slope from 0 to 1 is right.
    """
    variables = [answer(np.array(array, dtype=float)) for array in arrays]
    out = _root(answer, expression, variables)
    _attribute(out, "backward", "The result")(np.array(gradient, dtype=float))
    gradients = [_attribute(leaf, "grad", "A variable") for leaf in variables]
    if expression == ("relu", ("var", 0)):
        gradients = [_with_any_slope_as_none(gradients[0], np.where(np.equal(arrays[0], 0), gradient, 0.0))]
    return {"value": out.data, "gradients": gradients}


def _with_any_slope_as_none(given: Any, arriving: np.ndarray) -> Any:
    """Gradients at a kink, with 0 for whatever lies between 0 and what arrives there."""
    if type(given) is not np.ndarray or given.dtype.kind != "f" or given.shape != arriving.shape:
        return given
    most = arriving * (1 + 1e-6)  # float32 may round up
    return np.where((np.minimum(0, most) <= given) & (given <= np.maximum(0, most)), 0.0, given)


# --- functions on a given graph --------------------------------------------------------------------------------------


class Node:
    """A finished node of a computational graph: what a learner's ``backward`` or ordering function is given."""

    def __init__(self, data: float, parents: tuple[Node, ...] = (), local_grads: tuple[float, ...] = (), op: str = ""):
        self.data = data
        self.grad = 0.0
        self.parents = parents
        self.local_grads = local_grads
        self.op = op

    def __repr__(self) -> str:
        return f"Node({self.op or 'variable'}, data={self.data:.4g})"


def graph(
    expression: Expression, values: Sequence[float], known: dict[Expression, Node] | None = None
) -> tuple[Node, list[Node], list[Node]]:
    """The graph of an expression as ``Node`` objects: its output, its variables, and all nodes, inputs first.

    Two graphs that are made with one dictionary ``known`` share the nodes of equal sub-expressions. ``("sum", a, b,
    c)`` has as many parents as it is given.
    """
    known = {} if known is None else known
    variables = [known.setdefault(("var", i), Node(float(value), op=f"x{i}")) for i, value in enumerate(values)]
    behind: dict[Expression, Node] = {}

    def visit(item: Expression) -> Node:
        if item not in behind:
            op, *operands = item
            parents = () if op in ("var", "const") else tuple(visit(operand) for operand in operands)
            behind[item] = known.get(item) or known.setdefault(item, _node(op, operands, parents))
        return behind[item]

    return visit(expression), variables, list(behind.values())


def _node(op: str, operands: Sequence[Any], parents: tuple[Node, ...]) -> Node:
    if op == "const":
        return Node(float(operands[0]), op="constant")
    numbers = [parent.data for parent in parents]
    if op == "sum":
        return Node(sum(numbers), parents, (1.0,) * len(parents), op)
    data, *rates = OPERATIONS[op, len(parents)].at(math, *numbers)
    return Node(data, parents, tuple(rates), op)


def _graph_after(
    answer: Callable[[Node], Any], expression: Expression, values: Sequence[float], after: Expression | None
) -> tuple[Node, list[Node], list[Node], list[tuple[Node, dict[str, Any]]]]:
    """The graph of an expression, some of whose nodes the answer has met in another graph if there was one.

    Last comes what all nodes were made with, before the answer met any of them.
    """
    known: dict[Expression, Node] = {}
    found = graph(expression, values, known)
    if after is None:
        return *found, _as_made(found[2])
    other = graph(after, values, known)[0]
    made = _as_made(list(known.values()))
    earlier = answer(other)
    if type(earlier) is list:
        earlier.clear()  # it is the caller's, and nobody else's
    for node in known.values():
        node.grad = 0.0
    return *found, made


def _as_made(nodes: Sequence[Node]) -> list[tuple[Node, dict[str, Any]]]:
    return [(node, dict(vars(node))) for node in nodes]


def _left_changed(made: Sequence[tuple[Node, dict[str, Any]]], *allowed: str) -> int:
    """How many nodes hold something else than they were made with, or something more."""

    def kept(now: Any, before: Any) -> bool:
        return now is before or (type(now) is type(before) is float and now == before)

    def is_left(node: Node, before: dict[str, Any]) -> bool:
        now = vars(node)
        return now.keys() == before.keys() and all(
            kept(now[name], before[name]) for name in before if name not in allowed
        )

    return sum(not is_left(node, before) for node, before in made)


@driver("backward_on_graph", takes="function", arity=1, show=show_expression)
def backward_on_graph(
    answer: Callable[[Node], Any], expression: Expression, values: Sequence[float], *, after: Expression | None = None
) -> dict[str, Any]:
    """``answer(output)`` fills in ``.grad``: returns it for the variables and for the nodes in between.

    The nodes are finished: ``.data``, ``.parents``, ``.local_grads`` are set, ``.grad`` is 0.0. With ``after``, the
    answer is called first on the graph of that expression, which shares the nodes of equal parts; then every ``.grad``
    is set back. All else on the nodes should stay as it is: those that do not are counted.
    """
    output, variables, nodes, made = _graph_after(answer, expression, values, after)
    inner = [node for node in nodes if node not in variables and node.op != "constant"]
    answer(output)
    return {
        "gradients": [_attribute(node, "grad", "A variable") for node in variables],
        "inner nodes": [_attribute(node, "grad", "A node") for node in inner],
        "nodes left changed": _left_changed(made, "grad"),
    }


@driver("topological_order", takes="function", arity=1, show=show_expression)
def topological_order(
    answer: Callable[[Node], Any],
    expression: Expression,
    values: Sequence[float],
    *,
    output: str = "last",
    after: Expression | None = None,
) -> dict[str, Any]:
    """``answer(output)`` lists the nodes so that each comes after its parents (``output="first"``: before them).

    Many orders are right, so the order itself is not compared: how many nodes there are, how many are listed, how
    many edges point the wrong way, whether the output stands at its end of the list, and how many nodes were left with
    something else on them, or something more. With ``after``, the answer is called first on the graph of that
    expression, which shares the nodes of equal parts.
    """
    root, _, nodes, made = _graph_after(answer, expression, values, after)
    made_from = [(parent, node) for node in nodes for parent in node.parents]
    listed = answer(root)
    if isinstance(listed, str | dict) or not hasattr(listed, "__iter__"):
        raise Misfit(f"A list of nodes is needed; your function returned {type(listed).__name__}.")
    order = list(listed)
    if not all(isinstance(item, Node) for item in order):
        raise Misfit("The list must hold the nodes themselves, and nothing else.")
    place = {id(node): position for position, node in enumerate(order)}
    sign = 1 if output == "last" else -1
    edges = [(parent, node) for parent, node in made_from if id(parent) in place and id(node) in place]
    wrong = sum(sign * (place[id(node)] - place[id(parent)]) <= 0 for parent, node in edges)
    end = -1 if output == "last" else 0
    return {
        "different nodes": len(place),
        "entries in the list": len(order),
        "edges in the wrong direction": wrong,
        "output at its end of the list": bool(order) and order[end] is root,
        "nodes left changed": _left_changed(made),
    }


# --- training steps --------------------------------------------------------------------------------------------------


class Parameter:
    """A number to be trained: ``.data`` and ``.grad``."""

    def __init__(self, data: float):
        self.data = data
        self.grad = 0.0

    def zero_grad(self) -> None:
        """Set the gradient back to zero."""
        self.grad = 0.0


class QuadraticLoss:
    """``0.5 Σ c (θ - t)² + 0.5 k (Σ (θ - t))²``; ``backward()`` adds its gradient to ``.grad``, as engines do.

    With ``k``, the coupling, each parameter's gradient depends on where all of them are.
    """

    def __init__(
        self,
        parameters: Sequence[Parameter],
        curvatures: Sequence[float],
        targets: Sequence[float],
        coupling: float = 0.0,
    ):
        self._terms = [(p, c, p.data - t) for p, c, t in zip(parameters, curvatures, targets, strict=True)]
        total = sum(gap for _, _, gap in self._terms)
        self._shared = coupling * total
        self.data = 0.5 * sum(c * gap**2 for _, c, gap in self._terms) + 0.5 * coupling * total**2

    def backward(self) -> None:
        """Add the gradient of the loss, at the point where it was computed."""
        for parameter, c, gap in self._terms:
            parameter.grad += c * gap + self._shared


def _show_training(
    start: Sequence[float], curvatures: Sequence[float], targets: Sequence[float], eta: float, **options: Any
) -> str:
    return f"{options.get('steps', 3)} steps from {list(start)} with eta = {eta:g}"


@driver("training_step", takes="function", arity=3, show=_show_training)
def training_step(
    answer: Callable[..., Any],
    start: Sequence[float],
    curvatures: Sequence[float],
    targets: Sequence[float],
    eta: float,
    *,
    steps: int = 3,
    coupling: float = 0.0,
) -> dict[str, Any]:
    """``answer(parameters, loss_of, eta)`` makes one step: returns all parameters after each of several steps.

    ``loss_of()`` computes the loss afresh, an object with ``.data`` and ``.backward()``; gradients accumulate in the
    parameters' ``.grad`` until they are set back. All steps get one list and one ``loss_of``, as a loop would hand
    them over; a step returns nothing and leaves the list as it is.
    """
    parameters = [Parameter(float(value)) for value in start]
    handed, path = list(parameters), []

    def loss_of() -> QuadraticLoss:
        return QuadraticLoss(parameters, curvatures, targets, coupling)

    for _ in range(steps):
        returned = answer(handed, loss_of, eta)
        if len(handed) != len(parameters) or any(
            one is not other for one, other in zip(handed, parameters, strict=True)
        ):
            raise Misfit(
                "The list of parameters is not as it was: a step changes the numbers in these objects, no more."
            )
        if returned is not None:
            raise Misfit(f"A step returns nothing; yours returned an object of type {type(returned).__name__}.")
        path.append([_attribute(parameter, "data", "A parameter") for parameter in parameters])
    return {"parameters": np.array(path, dtype=float)}
