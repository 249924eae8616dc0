"""05.9 A Tensor of your own."""

from __future__ import annotations

from functools import partial
from itertools import product

import numpy as np

from coursepkg.autodiff.tensor import Tensor as PackageTensor
from coursepkg.grading.judging.drivers import tensor_expression
from coursepkg.grading.specification.domain import Array, Formula, Listing
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import FIXED, array, scales, settled


class Start:
    """The engine that the exercise begins with; `type(self)` makes the results, so that each class keeps its own."""

    def __init__(self, data, parents=(), pull=lambda g: ()):
        self.data, self.grad = np.asarray(data), 0.0
        self.parents, self.pull = parents, pull

    def __add__(self, other):
        return type(self)(self.data + other.data, (self, other), lambda g: (g, g))

    def backward(self, gradient):
        self.grad = self.grad + gradient
        for parent, share in zip(self.parents, self.pull(gradient), strict=True):
            parent.backward(share)


class Engine(Start):
    def __mul__(self, other):
        return type(self)(self.data * other.data, (self, other), lambda g: (g * other.data, g * self.data))

    def __matmul__(self, other):
        return type(self)(self.data @ other.data, (self, other), lambda g: (g @ other.data.T, self.data.T @ g))

    def relu(self):
        return type(self)(np.maximum(self.data, 0.0), (self,), lambda g: (g * (self.data > 0),))

    def sum(self, axis):
        shape = self.data.shape
        return type(self)(
            self.data.sum(axis=axis), (self,), lambda g: (np.broadcast_to(np.expand_dims(g, axis), shape),)
        )

    def rows(self, index):
        def pull(g):
            share = np.zeros(self.data.shape)
            np.add.at(share, list(index), g)
            return (share,)

        return type(self)(self.data[list(index)], (self,), pull)


class EinsumEngine(Engine):
    """The same rules in letters."""

    def __matmul__(self, other):
        a, b = self.data, other.data
        return EinsumEngine(
            np.einsum("ij,jk->ik", a, b),
            (self, other),
            lambda g: (np.einsum("ik,jk->ij", g, b), np.einsum("ij,ik->jk", a, g)),
        )

    def sum(self, axis):
        letters = "ij"
        out, ones = letters.replace(letters[axis], ""), np.ones(self.data.shape[axis])
        return EinsumEngine(self.data.sum(axis), (self,), lambda g: (np.einsum(f"{out},{letters[axis]}->ij", g, ones),))


class OneHotEngine(Engine):
    """Picking and summing as products with fixed matrices."""

    def rows(self, index):
        picked = np.eye(len(self.data))[list(index)]
        return OneHotEngine(picked @ self.data, (self,), lambda g: (picked.T @ g,))

    def relu(self):
        gate = np.heaviside(self.data, 0.0)
        return OneHotEngine(self.data * gate, (self,), lambda g: (np.where(gate == 1, g, 0.0),))


class HalfOpenEngine(Engine):
    """The slope of relu at 0 is the mean of those on both sides."""

    def relu(self):
        slopes = np.heaviside(self.data, 0.5)
        return HalfOpenEngine(self.data * slopes, (self,), lambda g: (slopes * g,))


class LoopEngine(Engine):
    """One entry at a time."""

    def sum(self, axis):
        def pull(g):
            share = np.empty(self.data.shape)
            for i, j in np.ndindex(share.shape):
                share[i, j] = g[j] if axis == 0 else g[i]
            return (share,)

        return LoopEngine(sum(list(self.data if axis == 0 else self.data.T)), (self,), pull)

    def rows(self, index):
        def pull(g):
            share = np.zeros_like(self.data)
            for row, arriving in zip(index, g, strict=True):
                share[row] += arriving
            return [share]

        return LoopEngine(np.stack([self.data[row] for row in index]), (self,), pull)


class IndexEngine(Engine):
    """What is handed back is put into place by indices; a sum is a product with ones."""

    def relu(self):
        above = np.nonzero(self.data > 0)

        def pull(g):
            share = np.zeros(self.data.shape)
            share[above] = np.asarray(g)[above]
            return [share]

        return IndexEngine(self.data * (self.data > 0), (self,), pull)

    def sum(self, axis):
        n, m = self.data.shape
        if axis == 0:
            return IndexEngine(np.ones(n) @ self.data, (self,), lambda g: (np.outer(np.ones(n), g),))
        return IndexEngine(self.data @ np.ones(m), (self,), lambda g: (np.outer(g, np.ones(m)),))


class ClosureEngine:
    """In the manner of micrograd: each node knows how to go back, and an order decides when."""

    def __init__(self, data, parents=()):
        self.data, self.parents = np.array(data), parents
        self.grad = np.zeros_like(self.data)
        self.go_back = lambda: None

    def make(self, data, *shares):
        out = ClosureEngine(data, tuple(parent for parent, _ in shares))

        def go_back():
            for parent, share in shares:
                parent.grad = parent.grad + share(out.grad)

        out.go_back = go_back
        return out

    def __add__(self, other):
        return self.make(self.data + other.data, (self, lambda g: g), (other, lambda g: g))

    def __mul__(self, other):
        return self.make(self.data * other.data, (self, lambda g: g * other.data), (other, lambda g: g * self.data))

    def __matmul__(self, other):
        return self.make(
            self.data @ other.data, (self, lambda g: (other.data @ g.T).T), (other, lambda g: (g.T @ self.data).T)
        )

    def relu(self):
        return self.make(self.data.clip(min=0), (self, lambda g: g * np.sign(self.data.clip(min=0))))

    def sum(self, axis):
        return self.make(self.data.sum(axis), (self, lambda g: np.stack([g] * self.data.shape[axis], axis)))

    def rows(self, index):
        index = np.array(index)
        rows = range(len(self.data))
        return self.make(self.data[index], (self, lambda g: np.stack([g[index == row].sum(axis=0) for row in rows])))

    def backward(self, gradient):
        order, seen = [], set()

        def visit(node):
            if id(node) not in seen:
                seen.add(id(node))
                for parent in node.parents:
                    visit(parent)
                order.append(node)

        visit(self)
        self.grad = np.array(gradient)
        for node in reversed(order):
            node.go_back()


class PackageEngine:
    """The course's own engine answers, too."""

    def __init__(self, data):
        self.tensor = data if isinstance(data, PackageTensor) else PackageTensor(data, requires_grad=True)

    data = property(lambda self: self.tensor.numpy())
    grad = property(lambda self: self.tensor.grad)

    def __add__(self, other):
        return PackageEngine(self.tensor + other.tensor)

    def __mul__(self, other):
        return PackageEngine(self.tensor * other.tensor)

    def __matmul__(self, other):
        return PackageEngine(self.tensor @ other.tensor)

    def relu(self):
        return PackageEngine(np.maximum(self.tensor, 0.0))

    def sum(self, axis):
        return PackageEngine(self.tensor.sum(axis=axis))

    def rows(self, index):
        return PackageEngine(self.tensor[list(index)])

    def backward(self, gradient):
        self.tensor.backward(gradient)


def _uses(expression):
    """The operands of all distinct operations of a formula, each as often as it is used."""
    found, waiting = {}, [expression]
    while waiting:
        node = waiting.pop()
        if node[0] not in ("var", "const") and node not in found:
            found[node] = node[1:]
            waiting += node[1:]
    return [operand for operands in found.values() for operand in operands]


def _used_twice(operation):
    def test(expression):
        uses = _uses(expression)
        return any(node[0] == operation and uses.count(node) > 1 for node in uses)

    return test


def _has(*nodes):
    return lambda expression: any(node in (expression, *_uses(expression)) for node in nodes)


class KeepsItsOwnFactor(Engine):
    def __mul__(self, other):
        return type(self)(self.data * other.data, (self, other), lambda g: (g * self.data, g * other.data))


class ProductWithoutTranspose(Engine):
    def __matmul__(self, other):
        return type(self)(self.data @ other.data, (self, other), lambda g: (g @ other.data, self.data @ g))


class ProductFromTheWrongSide(Engine):
    def __matmul__(self, other):
        return type(self)(self.data @ other.data, (self, other), lambda g: (other.data.T @ g, g @ self.data.T))


class ReluLooksAtTheGradient(Engine):
    def relu(self):
        return type(self)(np.maximum(self.data, 0.0), (self,), lambda g: (g * (g > 0),))


class ReluMultipliesByItsOutput(Engine):
    def relu(self):
        out = np.maximum(self.data, 0.0)
        return type(self)(out, (self,), lambda g: (g * out,))


class ReluLetsAllThrough(Engine):
    def relu(self):
        return type(self)(np.maximum(self.data, 0.0), (self,), lambda g: (g,))


class SumOnTheWrongAxis(Engine):
    def sum(self, axis):
        return type(self)(self.data.sum(axis=axis), (self,), lambda g: (np.broadcast_to(g, self.data.shape),))


class SumOfOnes(Engine):
    def sum(self, axis):
        return type(self)(self.data.sum(axis=axis), (self,), lambda g: (np.ones(self.data.shape),))


class SumLikeAMean(Engine):
    def sum(self, axis):
        shape = self.data.shape
        return type(self)(
            self.data.sum(axis=axis),
            (self,),
            lambda g: (np.broadcast_to(np.expand_dims(g, axis), shape) / shape[axis],),
        )


class SumAlwaysOverColumns(Engine):
    def sum(self, axis):
        shape = self.data.shape
        return type(self)(self.data.sum(axis=axis), (self,), lambda g: (np.broadcast_to(g[..., None], shape),))


class RowsIntoOneBuffer(Engine):
    def rows(self, index):
        share = np.zeros(self.data.shape)

        def pull(g):
            np.add.at(share, list(index), g)
            return (share,)

        return type(self)(self.data[list(index)], (self,), pull)


class PullsOnlyOnce(Engine):
    def __init__(self, data, parents=(), pull=lambda g: ()):
        known = []

        def once(g):
            if not known:
                known.extend(pull(g))
            return tuple(known)

        super().__init__(data, parents, once)


class ReluWritesInPlace(Engine):
    def relu(self):
        open_at = self.data > 0
        self.data[~open_at] = 0.0
        return type(self)(self.data, (self,), lambda g: (g * open_at,))


class ReluWritesIntoTheGradient(Engine):
    def relu(self):
        def pull(g):
            g[self.data <= 0] = 0.0
            return (g,)

        return type(self)(np.maximum(self.data, 0.0), (self,), pull)


class ProductDividesItsResult(Engine):
    def __mul__(self, other):
        out = self.data * other.data

        def pull(g):
            with np.errstate(all="ignore"):
                return g * out / self.data, g * out / other.data

        return type(self)(out, (self, other), pull)


class ProductAddsOnePart(Engine):
    def __mul__(self, other):
        if other is self:
            return type(self)(self.data * self.data, (self,), lambda g: (g * self.data,))
        return super().__mul__(other)


class RowsKeptOnTheClass(Engine):
    index = ()

    def rows(self, index):
        type(self).index = list(index)

        def pull(g):
            share = np.zeros(self.data.shape)
            for row, arriving in zip(type(self).index, g, strict=False):
                if row < len(share):
                    share[row] += arriving
            return (share,)

        return type(self)(self.data[list(index)], (self,), pull)


class RowsAsARange(Engine):
    def rows(self, index):
        if list(index) != sorted(set(index)):
            return super().rows(index)
        return super().rows(tuple(range(index[0], index[-1] + 1)))


class ProductLosesAxes(Engine):
    def __matmul__(self, other):
        out = self.data @ other.data

        def pull(g):
            g = np.reshape(g, out.shape)
            return g @ other.data.T, self.data.T @ g

        return type(self)(out.squeeze(), (self, other), pull)


class ReluWithAThreshold(Engine):
    def relu(self):
        return type(self)(np.maximum(self.data, 0.0), (self,), lambda g: (g * (self.data > 1e-6),))


class ReluWithASlopeOfTwoAtZero(Engine):
    def relu(self):
        slopes = np.where(self.data == 0, 2.0, self.data > 0)
        return type(self)(np.maximum(self.data, 0.0), (self,), lambda g: (g * slopes,))


class RowsKeptOnTheParent(Engine):
    def rows(self, index):
        self.index = list(index)

        def pull(g):
            share = np.zeros(self.data.shape)
            np.add.at(share, self.index[-len(g) :], g)
            return (share,)

        return type(self)(self.data[list(index)], (self,), pull)


class FactorKeptOnTheParent(Engine):
    def __mul__(self, other):
        self.other = other
        return type(self)(self.data * other.data, (self, other), lambda g: (g * self.other.data, g * self.data))


class MatrixKeptOnTheParent(Engine):
    def __matmul__(self, other):
        self.other = other
        return type(self)(self.data @ other.data, (self, other), lambda g: (g @ self.other.data.T, self.data.T @ g))


class OneMaskForAll(Engine):
    mask = None

    def relu(self):
        type(self).mask = self.data > 0
        return type(self)(np.maximum(self.data, 0.0), (self,), lambda g: (g * type(self).mask,))


class SumNotStretched(Engine):
    def sum(self, axis):
        return type(self)(self.data.sum(axis=axis), (self,), lambda g: (np.expand_dims(g, axis),))


class ReluReportsTwice(Engine):
    def relu(self):
        def pull(g):
            share = g * (self.data > 0)
            self.grad = self.grad + share
            return (share,)

        return type(self)(np.maximum(self.data, 0.0), (self,), pull)


class RowsWithoutParents(Engine):
    def rows(self, index):
        return type(self)(self.data[list(index)])


class RowsAsPlaces(Engine):
    def rows(self, index):
        def pull(g):
            share = np.zeros(self.data.shape)
            np.add.at(share, index, g)
            return (share,)

        return type(self)(self.data[index], (self,), pull)


class RowsOverwrite(Engine):
    def rows(self, index):
        def pull(g):
            share = np.zeros(self.data.shape)
            share[list(index)] += g
            return (share,)

        return type(self)(self.data[list(index)], (self,), pull)


class RowsInOrderOfArrival(Engine):
    def rows(self, index):
        def pull(g):
            share = np.zeros(self.data.shape)
            rows = min(len(g), len(share))
            share[:rows] = g[:rows]
            return (share,)

        return type(self)(self.data[list(index)], (self,), pull)


x0, x1, x2, x3 = (("var", k) for k in range(4))

LAYERED = ("matmul", ("relu", ("matmul", x0, x1)), x2)

REPEATED = ("rows", ("mul", x0, x0), ("const", (1, 0, 1)))

# In these, a result is used twice, and different gradients arrive at it.
PICKED = ("rows", x0, ("const", (2, 0, 2)))

GATED = ("relu", PICKED)

FANNED_ROWS = ("add", ("mul", GATED, x1), ("add", GATED, PICKED))

PRODUCT = ("matmul", x0, x1)

WEIGHTED = ("mul", PRODUCT, x2)

FANNED_PRODUCTS = ("add", ("mul", WEIGHTED, PRODUCT), WEIGHTED)

DOWN, ACROSS = ("sum", x0, ("const", 0)), ("sum", x0, ("const", 1))

FANNED_SUMS = ("add", ("mul", ("add", DOWN, ACROSS), x1), ("mul", DOWN, ("add", DOWN, ACROSS)))

SQUARE = ("add", ("matmul", x0, x1), ("mul", x0, x1))


# In these, an operation is used several times with one operand in common, and has to keep apart what goes with it.
THREE_PRODUCTS = ("add", ("add", ("mul", x0, x1), ("mul", x0, x2)), ("mul", x1, x2))

THREE_MATRIX_PRODUCTS = ("add", ("add", ("matmul", x0, x1), ("matmul", x0, x2)), ("matmul", x3, x2))

TWO_PICKS = ("add", ("rows", x0, ("const", (0, 1))), ("rows", x0, ("const", (3, 1))))

TWO_TABLES = ("add", ("rows", x0, ("const", (0, 2))), ("rows", x1, ("const", (2, 1))))

ROW_SUMMED = ("sum", PRODUCT, ("const", 0))

TWO_GATES = ("add", ("relu", x0), ("relu", x1))

# The first summand gets one array together with the second, and another one afterwards.
SHARED_GRADIENT = ("mul", ("add", ("add", x0, x1), x0), x1)


# The factors are two Tensors, though they may hold the same numbers.
PRODUCT_OF_SUMS = ("mul", DOWN, ("sum", x1, ("const", 0)))


def away_from_the_kink(rng, *shapes):
    """Matrices whose product, or sum if they have one shape, holds nothing near zero, where relu has no slope."""
    while True:
        a, b = (array(rng, *shape) for shape in shapes)
        if np.abs(a + b if a.shape == b.shape else a @ b).min() > 0.02:
            return [a, b]


def with_zeros(rng, *shape):
    """A factor of 0 here and there: what is made by dividing by it gives itself away."""
    a = array(rng, *shape)
    a.flat[rng.permutation(a.size)[:2]] = 0.0
    return a


def engine_cases(rng):
    picked = ("rows", LAYERED, ("const", (2, 0, 2, 2)))
    gated = array(rng, 2, 4)
    gated[:, rng.permutation(4)[:2]] *= -1.0
    alike = array(rng, 1, 3)
    shut, arriving = with_zeros(rng, 3, 2), array(rng, 3, 2)
    shut.flat[np.flatnonzero(shut)[:3]] = rng.permutation([1e-9, 2e-12, -3e-9])
    return [
        case(("mul", x0, ("add", x0, x1)), [array(rng, 2, 3), array(rng, 2, 3)], array(rng, 2, 3)),
        case(SQUARE, [array(rng, 3, 3), array(rng, 3, 3)], array(rng, 3, 3)),
        case(LAYERED, [*away_from_the_kink(rng, (4, 3), (3, 5)), array(rng, 5, 2)], array(rng, 4, 2)),
        case(("sum", ("mul", x0, x1), ("const", 1)), [array(rng, 2, 4), array(rng, 2, 4)], array(rng, 2)),
        case(("sum", ("relu", ("add", x0, x1)), ("const", 0)), away_from_the_kink(rng, (4, 3), (4, 3)), array(rng, 3)),
        case(("sum", ("mul", x0, x0), ("const", 1)), [array(rng, 3, 3)], array(rng, 3)),
        case(REPEATED, [array(rng, 3, 2)], array(rng, 3, 2)),
        case(picked, [*away_from_the_kink(rng, (3, 2), (2, 4)), array(rng, 4, 3)], array(rng, 4, 3)),
        case(FANNED_ROWS, [array(rng, 4, 2), array(rng, 3, 2)], array(rng, 3, 2)),
        case(FANNED_PRODUCTS, [array(rng, 3, 2), array(rng, 2, 3), with_zeros(rng, 3, 3)], array(rng, 3, 3)),
        case(FANNED_SUMS, [array(rng, 3, 3), array(rng, 3)], array(rng, 3)),
        case(("matmul", x0, x0), [array(rng, 3, 3)], array(rng, 3, 3)),
        case(("relu", ("mul", x0, ("add", x1, x1))), [array(rng, 2, 1, 3), array(rng, 2, 1, 3)], array(rng, 2, 1, 3)),
        case(("sum", ("rows", x0, ("const", (1,))), ("const", 0)), [array(rng, 2, 1)], array(rng, 1)),
        case(ACROSS, [array(rng, 3, 4)], with_zeros(rng, 3)),
        case(DOWN, [array(rng, 2, 3)], array(rng, 3) * scales(3)),
        case(ACROSS, [array(rng, 1, 3)], array(rng, 1)),
        case(DOWN, [array(rng, 3, 1)], array(rng, 1)),
        case(THREE_PRODUCTS, [array(rng, 2, 4) for _ in range(3)], array(rng, 2, 4) * scales(4)),
        case(
            THREE_MATRIX_PRODUCTS,
            [array(rng, *s) for s in ((2, 3), (3, 4), (3, 4), (2, 3))],
            array(rng, 2, 4) * scales(4),
        ),
        case(TWO_PICKS, [array(rng, 4, 3)], array(rng, 2, 3) * scales(3)),
        case(PRODUCT, [array(rng, 1, 3), array(rng, 3, 1)], array(rng, 1, 1)),
        case(TWO_TABLES, [array(rng, 4, 3), array(rng, 3, 3)], array(rng, 2, 3)),
        case(ROW_SUMMED, [array(rng, 1, 3), array(rng, 3, 2)], array(rng, 2)),
        case(TWO_GATES, [gated, -gated * rng.uniform(0.5, 0.9, (2, 4)).round(2)], array(rng, 2, 4)),
        case(SHARED_GRADIENT, [array(rng, 2, 3), array(rng, 2, 3)], array(rng, 2, 3)),
        case(("relu", x0), [shut], arriving),
        case(("matmul", ("rows", x0, ("const", (2, 1))), x1), [array(rng, 3, 1), array(rng, 1, 4)], array(rng, 2, 4)),
        case(PRODUCT_OF_SUMS, [alike, alike.copy()], array(rng, 3)),
    ]


def any_formula(rng, n):
    """One of each operation in any order, on square matrices, where everything fits; results are used again."""
    a, b = array(rng, n, n), array(rng, n, n)
    made = [(x0, a), (x1, b), (PRODUCT, a @ b)]
    for name in rng.permutation(["add", "mul", "matmul", "relu", "rows"]):
        (new, u), (old, v) = made[-1], made[rng.integers(len(made))]
        index = tuple(rng.integers(n, size=n).tolist())
        if name == "relu" and ((abs(u) > 0) & (abs(u) < 0.02)).any():
            return any_formula(rng, n)
        found = {
            "add": (("add", old, new), v + u),
            "mul": (("mul", new, old), u * v),
            "matmul": (("matmul", old, new), v @ u),
            "relu": (("relu", new), np.maximum(u, 0.0)),
            "rows": (("rows", new, ("const", index)), u[list(index)]),
        }
        made.append(found[name])
    last = made[-1][0]
    if rng.random() < 0.5:
        return case(("sum", last, ("const", int(rng.integers(2)))), [a, b], array(rng, n))
    return case(last, [a, b], array(rng, n, n))


def every_way(rng):
    """Each operation by itself, with all small shapes, kinds of index, and operands that are alike; and formulas."""
    picks = ((0,), (2,), (1, 1), (2, 2, 2), (1, 2, 0), (2, 1, 0), (0, 2), (0, 0, 1, 1), (1, 0, 1, 0), (2, 2, 0, 0, 1))
    shapes = ((1, 1), (1, 3), (3, 1), (2, 2), (3, 3), (2, 3))
    same = array(rng, 3, 3)
    return [
        *(
            case(PRODUCT, [array(rng, n, d), array(rng, d, m)], array(rng, n, m))
            for n, d, m in product((1, 2, 3), repeat=3)
        ),
        *(case(DOWN, [array(rng, *shape)], array(rng, shape[1])) for shape in shapes),
        *(case(ACROSS, [array(rng, *shape)], array(rng, shape[0])) for shape in shapes),
        *(
            case(("rows", x0, ("const", index)), [array(rng, 3, 1 + k % 3)], array(rng, len(index), 1 + k % 3))
            for k, index in enumerate(picks)
        ),
        *(case(("rows", x0, ("const", (0,) * n)), [array(rng, 1, 2)], array(rng, n, 2)) for n in (1, 2, 3)),
        *(
            case((name, x0, x1), [array(rng, *shape), array(rng, *shape)], array(rng, *shape))
            for name in ("add", "mul")
            for shape in ((1,), (4,), (1, 1), (1, 3), (2, 2, 2), (1, 2, 1, 2))
        ),
        *(case((name, x0, x1), [same, same.copy()], same.copy()) for name in ("add", "mul", "matmul")),
        *(case(("relu", x0), [x], array(rng, *x.shape)) for x in (same, -abs(same), abs(same), same[0], same[None])),
        *(any_formula(rng, n) for n in (2, 3, 2, 3, 2, 3, 2, 3)),
    ]


BANK = [
    wrong("product-keeps-its-own", KeepsItsOwnFactor, "notebook 05, section 8, the table of rules",
          "In `*` each factor gets its own entries instead of the other's.",
          "Nudge an entry of one factor: the product moves by the entry that stands beside it in the other one."),
    wrong("matrix-product-without-transpose", ProductWithoutTranspose, "notebook 05, section 1, the boxed rule",
          "Matrix products go back without transposing, which fits only square matrices.",
          "Going back swaps the factors as `*` does, and rows and columns as well."),
    wrong("matrix-product-from-the-wrong-side", ProductFromTheWrongSide,
          "notebook 05, section 3, 'The square-matrix trap'",
          "Matrix products go back with the factors in the wrong order, which fits only square matrices.",
          "For square matrices both orders fit, and shapes cannot warn you."),
    wrong("relu-looks-at-the-gradient", ReluLooksAtTheGradient, "notebook 05, section 8, the table of rules",
          "relu lets positive gradients through, whatever went in.",
          "Where relu was open is decided in the forward pass, by its input."),
    wrong("relu-multiplies-by-its-output", ReluMultipliesByItsOutput, "notebook 05, section 8, the table of rules",
          "relu multiplies the gradient by its own output.",
          "Where it is open, the output moves exactly as the input does: the slope is 1, not the value."),
    wrong("relu-lets-all-through", ReluLetsAllThrough, "notebook 05, section 8, the table of rules",
          "relu hands the whole gradient back, even where its input was negative.",
          "Where the output stays at zero, nudging the input changes nothing."),
    wrong("sum-on-the-wrong-axis", SumOnTheWrongAxis,
          "notebook 05, section 5: the sum removed an axis, and it has to come back where it was",
          "After `sum(1)` the gradient comes back along the wrong axis, or not at all.",
          "NumPy adds a missing axis on the left. The sum removed another one."),
    wrong("sum-of-ones", SumOfOnes, "notebook 05, section 5: a sum copies backward",
          "A sum hands back ones, whatever arrives.",
          "One is the local derivative. Downstream is upstream × local."),
    wrong("sum-like-a-mean", SumLikeAMean, "notebook 05, section 5: a sum copies backward",
          "A sum hands back too little, by the length of its axis.",
          "A gradient is no cake: each summand moves the sum by its whole nudge."),
    wrong("rows-overwrite", RowsOverwrite, "notebook 05, section 6: three ways to put gradients into a table",
          "A row that is picked twice gets the gradient of one of its copies only.",
          "`share[index] += g` adds once and then assigns; repetitions are lost."),
    wrong("sum-always-over-axis-1", SumAlwaysOverColumns,
          "notebook 05, section 5: the sum removed an axis, and it has to come back where it was",
          "`sum(1)` is right; after `sum(0)` the gradient comes back along axis 1, or not at all.",
          "The way back has to remember which axis the sum removed."),
    wrong("rows-hand-out-the-last-gradient-again", RowsIntoOneBuffer, "notebook 05, section 8, 'Your own Tensor'",
          "Right for a result that is used once; used twice, picked rows get too much.",
          "What an earlier call of pull brought is in your share as well. An array made in the forward pass keeps it,"
          " and so does the result's own `.grad`; what counts is the g of this call."),
    wrong("pulls-only-once", PullsOnlyOnce, "notebook 05, section 8, 'Your own Tensor'",
          "Right for results that are used once; used twice, the first gradient arrives two times.",
          "A pull that keeps its answer gives it again to another gradient. Each path brings its own."),
    wrong("relu-writes-in-place", ReluWritesInPlace, "notebook 05, section 8, 'Your own Tensor'",
          "Right where nobody but relu looks at its input; where another operation does, that one finds zeros.",
          "relu wrote its result into the array of its input, which is still needed."),
    wrong("relu-writes-into-the-gradient", ReluWritesIntoTheGradient, "notebook 05, section 8, 'Your own Tensor'",
          "Right on its own; where `+` hands one gradient to two parents, the other one finds zeros in it.",
          "pull wrote into the array that it was given. That array belongs to others as well."),
    wrong("product-divides-its-result", ProductDividesItsResult, "notebook 05, section 8, the table of rules",
          "`*` is right until a factor holds a zero, and gives `nan` there.",
          "The product divided by one factor is the other one only where there is something to divide by."),
    wrong("square-counts-once", ProductAddsOnePart, "notebook 05, section 8, 'Your own Tensor'",
          "A Tensor times itself gets half of its gradient; other products are right.",
          "It is used twice, and each use reports."),
    wrong("one-index-per-parent", RowsKeptOnTheParent, "notebook 05, section 8, 'Your own Tensor'",
          "Right for one pick; where two picks are made from one Tensor, both gradients go to rows of the last.",
          "The index was kept on the Tensor that is picked from. The second pick overwrites it before backward."),
    wrong("one-index-for-all", RowsKeptOnTheClass, "notebook 05, section 8, 'Your own Tensor'",
          "Right for one pick; where two are made, from whatever Tensors, all gradients go to rows of the last.",
          "The index was kept on the class, which all Tensors share. Each result needs its own."),
    wrong("rows-as-a-range", RowsAsARange, "the docstring of `rows`",
          "Rows between those in `index` are picked as well, if their numbers rise.",
          "`index` names the rows one by one; it does not say from where to where."),
    wrong("product-loses-axes", ProductLosesAxes, "'Your own Tensor', and the docstring of `__matmul__`",
          "Right for matrices with two rows and columns or more; of others the product loses an axis.",
          "The product of two matrices is a matrix, even if it has one row or one column."),
    wrong("relu-with-a-threshold", ReluWithAThreshold, "the docstring of `relu`",
          "Right except where an input is positive and tiny: there nothing goes back.",
          "Above 0 is above 0, by however little: the output moves as the input does."),
    wrong("slope-of-two-at-zero", ReluWithASlopeOfTwoAtZero, "the docstring of `relu`",
          "Right except where an input is exactly 0: there relu hands back twice what arrives.",
          "Left of 0 its slope is 0, right of it 1. At 0 it may be either, or between, and nothing else."),
    wrong("one-factor-per-parent", FactorKeptOnTheParent, "notebook 05, section 8, 'Your own Tensor'",
          "Right for one product; in x * y + x * z, x gets two gradients from the last factor.",
          "The other factor was kept on the left one. The second product overwrites it before backward."),
    wrong("one-matrix-per-parent", MatrixKeptOnTheParent, "notebook 05, section 8, 'Your own Tensor'",
          "Right for one matrix product; in x @ w + x @ v, x gets two gradients from the last matrix.",
          "The right matrix was kept on the left one. The second product overwrites it before backward."),
    wrong("one-mask-for-all", OneMaskForAll, "notebook 05, section 8, 'Your own Tensor'",
          "Right for one relu; where there are two, both open where the last one does.",
          "The mask was kept on the class, which all Tensors share. Each result needs its own."),
    wrong("sum-not-stretched", SumNotStretched, "notebook 05, section 5: a sum copies backward",
          "Values are right; the gradient of what was summed has length 1 along the axis of the sum.",
          "The axis came back, and nothing was copied along it. A gradient has the shape of its variable."),
    wrong("relu-reports-twice", ReluReportsTwice, "notebook 05, section 8, 'Your own Tensor'",
          "What goes into relu gets twice its gradient.",
          "pull returns what the parent should get, and `backward` adds it. Here pull has added it as well."),
    wrong("rows-without-parents", RowsWithoutParents, "notebook 05, section 8, 'Your own Tensor'",
          "Values are right; a variable whose rows were picked gets no gradient from them.",
          "The result does not know what it was made of, so `backward` ends there."),
    wrong("index-taken-for-a-place", RowsAsPlaces, "the docstring of `rows`",
          "`rows` fails, or gives single entries, or loses an axis, since NumPy reads a tuple as one place.",
          "`a[(2, 1)]` is the entry in row 2 and column 1. A list or an array of rows picks rows."),
    wrong("rows-in-order-of-arrival", RowsInOrderOfArrival,
          "notebook 05, section 6: gather forward, scatter-add backward",
          "Gradients of picked rows are put into the first rows.",
          "They belong to the rows that were picked."),
]  # fmt: skip

EXERCISE = Exercise(
    id="05.9",
    title="A Tensor of your own",
    function="Tensor",
    minutes=20,
    difficulty=3,
    points=5,
    see="notebook 05, section 8, 'Your own Tensor'",
    driver="tensor_expression",
    reference=Engine,
    domain={
        "expression": Formula("add mul matmul relu sum rows"),
        "arrays": Listing("variables", Array("...")),
        "gradient": Array("... n"),
    },
    meets={
        **{
            f"what {operation} gives is used twice": _used_twice(operation)
            for operation in ("add", "mul", "matmul", "relu", "sum", "rows")
        },
        **{
            f"a variable with itself in {name}": _has((name, x0, x0), (name, x1, x1))
            for name in ("add", "mul", "matmul")
        },
        "a factor is 0": lambda arrays: any((array == 0).any() for array in arrays),
        "sum over axis 0 of a variable alone": lambda expression: expression == DOWN,
        "sum over axis 1 of a variable alone": lambda expression: expression == ACROSS,
        "sum over axis 1 of a single row": lambda expression, arrays: expression == ACROSS and len(arrays[0]) == 1,
        "sum over axis 0 of a single column": lambda expression, arrays: expression == DOWN and arrays[0].shape[1] == 1,
        "products with a factor in common": lambda expression: expression == THREE_PRODUCTS,
        "matrix products with a matrix in common": lambda expression: expression == THREE_MATRIX_PRODUCTS,
        "two picks from one variable": lambda expression: expression == TWO_PICKS,
        "picks from two variables, rows with a gap between them": lambda expression: expression == TWO_TABLES,
        "a product with one entry": lambda expression, gradient: expression == PRODUCT and gradient.size == 1,
        "a product with one row": lambda expression, arrays: expression == ROW_SUMMED and len(arrays[0]) == 1,
        "a gate that is open by next to nothing": lambda expression, arrays: (
            expression == ("relu", x0) and ((arrays[0] > 0) & (arrays[0] < 1e-8)).any()
        ),
        "gradients are very small and very large": lambda gradient: (
            abs(gradient).min() < 1e-8 < 1e8 < abs(gradient).max()
        ),
        "two gates with different masks": lambda expression, arrays: (
            expression == TWO_GATES and ((arrays[0] > 0) != (arrays[1] > 0)).any()
        ),
        "two variables get one array, and one of them more": lambda expression: expression == SHARED_GRADIENT,
        "factors that hold the same numbers": lambda expression, arrays: (
            expression == PRODUCT_OF_SUMS and np.array_equal(*arrays)
        ),
        "something arrives where relu was taken of 0": lambda expression, arrays, gradient: (
            expression == ("relu", x0) and ((arrays[0] == 0) & (gradient != 0)).any()
        ),
        "sum over axis 0": _has(("const", 0)),
        "sum over axis 1": _has(("const", 1)),
        "one row is picked": _has(("const", (1,))),
        "two rows are picked": _has(("const", (2, 1))),
        "more rows are picked than there are": _has(("const", (2, 0, 2, 2))),
        "a matrix has one column": lambda arrays: any(array.shape[1:] == (1,) for array in arrays),
        "a matrix has one row": lambda arrays: any(array.ndim == 2 and len(array) == 1 for array in arrays),
        "three axes": lambda arrays: any(array.ndim == 3 for array in arrays),
        "one axis": lambda arrays: any(array.ndim == 1 for array in arrays),
    },
    visible=engine_cases(FIXED),
    hidden=lambda rng: [*engine_cases(rng), *settled(partial(tensor_expression, Engine), every_way(rng))],
    accepted=[EinsumEngine, OneHotEngine, HalfOpenEngine, LoopEngine, ClosureEngine, PackageEngine, IndexEngine],
    rtol=1e-8,
    atol=1e-13,
    bank=BANK,
    parts={"parts": "the gradient of variable"},
    equivalent_mutants={
        "`self.data > 0` → `self.data >= 0`": "where an input is exactly 0, any slope from 0 to 1 will do"
    },
    hints=(
        "Each operation is one line of NumPy forward and one function `pull` that returns a tuple with one "
        "gradient per parent. `__add__` shows the pattern.",
        "The rules are in section 8: `*` swaps, `@` swaps and transposes, relu looks at its input. A sum copies "
        "along the axis it removed, a pick adds into zeros.",
        "sum: give g its axis back with np.expand_dims, then np.broadcast_to the old shape. rows: zeros of the "
        "old shape, then np.add.at(zeros, index, g).",
    ),
)
