"""Small changes of a reference answer: each is a slip that a learner might make, so each must fail the check.

The changes are made in the syntax tree of the reference and of the helpers that it calls in its own module: operators
swapped, a term or a factor dropped, a constant or sign changed, an argument ignored, an axis or transpose exchanged,
a comparison moved, a statement left out.
"""

import ast
import copy
import inspect
import textwrap
import warnings
from collections import Counter
from dataclasses import dataclass
from typing import Any

ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow)
SWAPS = {op: tuple(other for other in ARITHMETIC[:4] if other is not op) for op in ARITHMETIC}
COMPARISONS = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq}
FLIPPED = {ast.Lt: ast.Gt, ast.LtE: ast.GtE, ast.Gt: ast.Lt, ast.GtE: ast.LtE}
NAMES = {
    "max": "min",
    "min": "max",
    "sum": "max",
    "sin": "cos",
    "cos": "sin",
    "exp": "sin",
    "mean": "sum",
    "tanh": "sin",
}
NAMES |= {
    "argmin": "argmax",
    "argmax": "argmin",
    "reversed": "list",
    "sorted": "list",
    "maximum": "minimum",
    "log": "sqrt",
}
NAMES |= {"minimum": "maximum", "outer": "kron", "zeros": "ones", "ones": "zeros", "zeros_like": "ones_like"}


@dataclass(frozen=True)
class Mutant:
    """A changed reference, and the change in words ("`a * b` → `a / b`")."""

    label: str
    answer: Any


def mutants(reference):
    """All mutants of a reference function or class.

    Parameters
    ----------
    reference : callable
        A function or class that is defined by a ``def`` or ``class`` statement.

    Returns
    -------
    list of Mutant
    """
    module, namespace = _sources(reference)
    nodes = list(ast.walk(module))
    parents = {id(child): node for node in nodes for child in ast.iter_child_nodes(node)}
    seen: Counter[str] = Counter()
    found = []
    for node in nodes:
        for replacement in list(_changes(node, parents)):
            label = f"`{_words(node)}` → `{_words(replacement)}`"
            seen[label] += 1
            own = dict(namespace)
            try:
                with warnings.catch_warnings(action="ignore"):
                    exec(compile(_replaced(module, parents, node, replacement), "<mutant>", "exec"), own)
            except (SyntaxError, TypeError, ValueError, NameError):
                continue
            found.append(Mutant(label if seen[label] == 1 else f"{label} #{seen[label]}", own[reference.__name__]))
    return found


def _sources(reference):
    """The reference and the functions that it reaches in its own chapter, as one module, and their namespace."""
    home = inspect.getmodule(reference)
    waiting, taken, namespace = [reference], {}, {}
    while waiting:
        item = waiting.pop()
        if item.__name__ in taken:
            continue
        definition = ast.parse(textwrap.dedent(inspect.getsource(item))).body[0]
        taken[item.__name__] = definition
        own = inspect.getmodule(item)
        namespace = {**vars(own), **namespace}  # the reference's own names come first
        if item is not reference and isinstance(item, type):
            continue
        for node in ast.walk(definition):
            target = getattr(own, node.id, None) if isinstance(node, ast.Name) else None
            if inspect.isfunction(target) and target.__name__ == node.id and _neighbours(target, home):
                waiting.append(target)
    for definition in taken.values():
        _drop_docstrings(definition)
    return ast.Module(list(taken.values()), []), namespace


def _neighbours(function, home):
    """Whether a function belongs to the same module, or to the same folder of a specification."""
    package = home.__name__.rpartition(".")[0]
    return function.__module__ == home.__name__ or (package != "" and function.__module__.startswith(f"{package}."))


def _drop_docstrings(definition):
    for node in ast.walk(definition):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]


def _changes(node, parents):
    """Replacements for one node."""
    if isinstance(node, ast.BinOp):
        yield from _changed_operation(node)
    elif isinstance(node, ast.Constant) and getattr(parents.get(id(node)), "arg", "") != "strict":
        yield from _changed_constant(node, parents)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Not):
        yield node.operand
    elif isinstance(node, ast.Compare) and len(node.ops) == 1:
        for table in (COMPARISONS, FLIPPED):
            if type(node.ops[0]) in table:
                yield ast.Compare(node.left, [table[type(node.ops[0])]()], node.comparators)
    elif isinstance(node, ast.BoolOp):
        yield from node.values
    elif isinstance(node, ast.IfExp):
        yield node.body
        yield node.orelse
    elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
        if node.attr == "T":
            yield node.value
        if node.attr in NAMES:
            yield ast.Attribute(node.value, NAMES[node.attr], node.ctx)
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in NAMES:
        yield ast.Name(NAMES[node.id], node.ctx)
    elif isinstance(node, ast.AugAssign):
        yield ast.Assign([node.target], node.value)
        for op in SWAPS.get(type(node.op), ()):
            yield ast.AugAssign(node.target, op(), node.value)
        yield ast.Pass()
    elif isinstance(node, ast.Expr) and not isinstance(node.value, ast.Constant):
        yield ast.Pass()
    elif isinstance(node, ast.Return) and node.value is not None and not isinstance(node.value, ast.Constant):
        yield ast.Return(ast.UnaryOp(ast.USub(), node.value))
        yield ast.Return(ast.BinOp(ast.Constant(2), ast.Mult(), node.value))
    elif isinstance(node, ast.If) and not node.orelse:
        yield ast.If(ast.Constant(True), node.body, [])
        yield ast.If(ast.Constant(False), node.body, [])
    elif isinstance(node, ast.FunctionDef):
        yield from _ignored_arguments(node)


def _changed_operation(node):
    for op in SWAPS.get(type(node.op), ()):
        yield ast.BinOp(node.left, op(), node.right)
    if isinstance(node.op, ast.Mult):
        yield ast.BinOp(node.right, ast.Div(), node.left)
    if isinstance(node.op, ast.Sub | ast.Div | ast.MatMult | ast.Pow):
        yield ast.BinOp(node.right, node.op, node.left)
    if isinstance(node.op, ast.Add | ast.Sub | ast.Mult | ast.Div | ast.Pow | ast.MatMult):
        yield node.left
        yield node.right


def _changed_constant(node, parents):
    if isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node.value, int | float):
        keyword = parents.get(id(node))
        yield ast.Constant(1 - node.value if getattr(keyword, "arg", "") == "axis" else node.value + 1)
        if node.value:
            yield ast.UnaryOp(ast.USub(), ast.Constant(node.value))


def _ignored_arguments(node):
    """The same function with one argument taken for 1 wherever it is used."""
    names = [item.arg for item in node.args.args if item.arg not in ("self", "cls", "other")]
    for name in names:
        changed = copy.deepcopy(node)
        _Ignore(name).visit(changed)
        if ast.dump(changed) != ast.dump(node):
            changed.ignored = name
            yield changed


class _Ignore(ast.NodeTransformer):
    def __init__(self, name):
        self.name = name

    def visit_Name(self, node):
        return ast.Constant(1.0) if node.id == self.name and isinstance(node.ctx, ast.Load) else node


def _words(node):
    if isinstance(node, ast.FunctionDef):
        ignored = getattr(node, "ignored", None)
        return f"{node.name} ignores {ignored}" if ignored else node.name
    return ast.unparse(ast.fix_missing_locations(copy.deepcopy(node))).splitlines()[0]


def _replaced(module, parents, old, new):
    """A copy of a module with one node replaced. Only what lies above that node is copied; the rest is shared."""
    while old is not module:
        parent = parents[id(old)]
        fields = {name: _put(value, old, new) for name, value in ast.iter_fields(parent)}
        old, new = parent, ast.copy_location(type(parent)(**fields), parent)
    return ast.fix_missing_locations(new)


def _put(value, old, new):
    if isinstance(value, list):
        return [new if item is old else item for item in value]
    return new if value is old else value
