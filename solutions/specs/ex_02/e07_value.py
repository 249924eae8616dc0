"""02.7 Finish the engine."""

from __future__ import annotations

import math

import numpy as np

from coursepkg.autodiff.scalar import Scalar
from coursepkg.grading.judging.drivers import graph
from coursepkg.grading.specification.domain import Array, Formula
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .e05_topological_order import A, B, C, inputs_are_equal, order_recursive
from .e06_backward import backward


class Start:
    """The engine that the exercise begins with."""

    def __init__(self, data, parents=(), local_grads=()):
        self.data, self.grad = data, 0.0
        self.parents, self.local_grads = parents, local_grads

    def __add__(self, other):
        other = other if isinstance(other, Start) else type(self)(other)
        return type(self)(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other):
        other = other if isinstance(other, Start) else type(self)(other)
        return type(self)(self.data * other.data, (self, other), (other.data, self.data))

    __radd__, __rmul__ = __add__, __mul__

    def backward(self):
        backward(self)


class Engine(Start):
    def __neg__(self):
        return self * -1.0

    def __sub__(self, other):
        return self + -other

    def __rsub__(self, other):
        return other + -self

    def __pow__(self, n):
        return type(self)(self.data**n, (self,), (n * self.data ** (n - 1),))

    def __truediv__(self, other):
        other = other if isinstance(other, Start) else type(self)(other)
        return self * other**-1

    def __rtruediv__(self, other):
        return other * self**-1

    def tanh(self):
        t = math.tanh(self.data)
        return type(self)(t, (self,), (1 - t * t,))

    def relu(self):
        return type(self)(max(self.data, 0.0), (self,), (1.0 if self.data > 0 else 0.0,))


class DirectEngine(Engine):
    """Each operation with local derivatives of its own."""

    def __neg__(self):
        return DirectEngine(-self.data, (self,), (-1,))

    def __sub__(self, other):
        if isinstance(other, DirectEngine):
            return DirectEngine(self.data - other.data, (self, other), (1, -1))
        return DirectEngine(self.data - other, (self,), (1,))

    def __rsub__(self, other):
        return DirectEngine(other - self.data, (self,), (-1,))

    def __truediv__(self, other):
        if isinstance(other, DirectEngine):
            a, b = self.data, other.data
            return DirectEngine(a / b, (self, other), (1 / b, -a / b / b))
        return DirectEngine(self.data / other, (self,), (1 / other,))

    def __rtruediv__(self, other):
        return DirectEngine(other / self.data, (self,), (-other / self.data**2,))


class NumpyEngine(Engine):
    """Numbers as 0-d arrays, slopes from hyperbolic identities."""

    def tanh(self):
        return NumpyEngine(np.tanh(self.data), (self,), (np.cosh(np.clip(self.data, -300, 300)) ** -2.0,))

    def relu(self):
        return NumpyEngine(np.maximum(self.data, 0), (self,), (np.heaviside(self.data, 0.0),))

    def __pow__(self, n):
        base = np.asarray(self.data, dtype=float)
        return NumpyEngine(base**n, (self,), (n * base ** (n - 1),))


class ComposedEngine(Engine):
    """tanh and relu from other operations; e to a negative number cannot grow too large."""

    def exp(self):
        e = math.exp(self.data)
        return ComposedEngine(e, (self,), (e,))

    def tanh(self):
        if self.data > 0:
            return 2 / ((-2 * self).exp() + 1) - 1
        return 1 - 2 / ((2 * self).exp() + 1)

    def relu(self):
        return self * (self.data > 0)


class ClosureEngine:
    """The same operations in the manner of closures, with a class hierarchy of its own."""

    def __init__(self, data):
        self.data, self.grad, self.parents = data, 0.0, ()
        self.pull = lambda: None

    def make(self, data, *rates):
        out = ClosureEngine(data)
        out.parents = tuple(parent for parent, _ in rates)

        def pull():
            for parent, rate in rates:
                parent.grad += out.grad * rate

        out.pull = pull
        return out

    @staticmethod
    def wrap(other):
        return other if isinstance(other, ClosureEngine) else ClosureEngine(other)

    def __add__(self, other):
        other = self.wrap(other)
        return self.make(self.data + other.data, (self, 1), (other, 1))

    def __sub__(self, other):
        other = self.wrap(other)
        return self.make(self.data - other.data, (self, 1), (other, -1))

    def __mul__(self, other):
        other = self.wrap(other)
        return self.make(self.data * other.data, (self, other.data), (other, self.data))

    def __truediv__(self, other):
        other = self.wrap(other)
        return self.make(self.data / other.data, (self, 1 / other.data), (other, -self.data / other.data**2))

    def __pow__(self, n):
        return self.make(self.data**n, (self, n * self.data ** (n - 1)))

    def __neg__(self):
        return self.make(-self.data, (self, -1))

    __radd__, __rmul__ = __add__, __mul__

    def __rsub__(self, other):
        return self.wrap(other) - self

    def __rtruediv__(self, other):
        return self.wrap(other) / self

    def tanh(self):
        t = math.tanh(self.data)
        return self.make(t, (self, (1 - t) * (1 + t)))

    def relu(self):
        return self.make(self.data * (self.data > 0), (self, int(self.data > 0)))

    def backward(self):
        self.grad = 1.0
        for node in reversed(order_recursive(self)):
            node.pull()


class HalfAtTheBend(Engine):
    def relu(self):
        return type(self)(max(self.data, 0.0), (self,), (float(np.heaviside(self.data, 0.5)),))


class PackageEngine(Scalar):
    """The course's own engine answers, too."""


class TanhByGrowingPowers(Engine):
    def tanh(self):
        e = math.exp(2 * self.data)
        t = (e - 1) / (e + 1)
        return type(self)(t, (self,), (1 - t * t,))


class ReluOfPlainZero(Engine):
    def relu(self):
        return self if self.data > 0 else 0.0


class PowerOfPlainOne(Engine):
    def __pow__(self, n):
        return super().__pow__(n) if n else 1.0


class NothingLeft(Engine):
    def __sub__(self, other):
        return 0.0 if other is self else super().__sub__(other)


class OnceInItself(Engine):
    def __truediv__(self, other):
        return 1.0 if other is self else super().__truediv__(other)


class EqualNumbersAreOne(Engine):
    def __truediv__(self, other):
        if self.data == (other.data if isinstance(other, Start) else other):
            return type(self)(1.0)
        return super().__truediv__(other)


class ZeroIsNoOperand(Engine):
    def __rsub__(self, other):
        return super().__rsub__(other) if other else self


class ReluCutAtSix(Engine):
    def relu(self):
        return type(self)(min(max(self.data, 0.0), 6.0), (self,), (float(0 < self.data < 6),))


class ReluBendsTwice(Engine):
    def relu(self):
        return type(self)(max(self.data, 0.0), (self,), (float(self.data >= 0) + float(self.data == 0),))


class SwappedReflection(Engine):
    def __rsub__(self, other):
        return self + -1.0 * other


class SubtractionLikeSum(Engine):
    def __sub__(self, other):
        other = other if isinstance(other, Start) else type(self)(other)
        return type(self)(self.data - other.data, (self, other), (1.0, 1.0))


class SwappedDivision(Engine):
    def __rtruediv__(self, other):
        return self * other**-1


class PowerForgetsFactor(Engine):
    def __pow__(self, n):
        return type(self)(self.data**n, (self,), (self.data ** (n - 1),))


class PowerKeepsExponent(Engine):
    def __pow__(self, n):
        return type(self)(self.data**n, (self,), (n * self.data**n,))


class PowerThroughSize(Engine):
    def __pow__(self, n):
        return type(self)(abs(self.data) ** n, (self,), (n * abs(self.data) ** (n - 1),))


class PowerThroughLogarithms(Engine):
    def __pow__(self, n):
        value = math.exp(n * math.log(self.data))
        return type(self)(value, (self,), (n * value / self.data,))


class PowerOfWholeExponents(Engine):
    def __pow__(self, n):
        return super().__pow__(int(n))


class PowerSlopeByDivision(Engine):
    def __pow__(self, n):
        value = self.data**n
        return type(self)(value, (self,), (n * value / self.data,))


class PowerByProducts(Engine):
    def __pow__(self, n):
        out = type(self)(1.0)
        for _ in range(int(abs(n))):
            out = out * self
        return out


class DivisionByAConstant(Engine):
    def __truediv__(self, other):
        return self * (1 / (other.data if isinstance(other, Start) else other))


class ReflectedDivisionWithoutSquare(Engine):
    def __rtruediv__(self, other):
        return type(self)(other / self.data, (self,), (-other / self.data,))


class MinusPassesOnUnchanged(Engine):
    def __neg__(self):
        return type(self)(-self.data, (self,), (1.0,))


class ReluWritesInPlace(Engine):
    def relu(self):
        slope = 1.0 if self.data > 0 else 0.0
        self.data = max(self.data, 0.0)
        return type(self)(self.data, (self,), (slope,))


class TanhWritesInPlace(Engine):
    def tanh(self):
        self.data = math.tanh(self.data)
        return type(self)(self.data, (self,), (1 - self.data**2,))


class TanhSlopeAtInput(Engine):
    def tanh(self):
        return type(self)(math.tanh(self.data), (self,), (1 - self.data**2,))


class TanhSlopeWithoutSquare(Engine):
    def tanh(self):
        t = math.tanh(self.data)
        return type(self)(t, (self,), (1 - t,))


class ReluCutAtOne(Engine):
    def relu(self):
        return type(self)(max(self.data, 0.0), (self,), (1.0 if self.data > 1 else 0.0,))


class ReluSlopeEverywhere(Engine):
    def relu(self):
        return type(self)(max(self.data, 0.0), (self,), (1.0,))


class ReluSlopeIsValue(Engine):
    def relu(self):
        r = max(self.data, 0.0)
        return type(self)(r, (self,), (r,))


class CurvesAsConstants(Engine):
    def tanh(self):
        return type(self)(math.tanh(self.data))


class PowerOfSmallExponents(Engine):
    def __pow__(self, n):
        return super().__pow__(max(-2, min(n, 3)))


class DividesTheSize(Engine):
    def __rtruediv__(self, other):
        return super().__rtruediv__(abs(other))


class WholeNumbersStayWhole(Engine):
    def __truediv__(self, other):
        if type(other) is int and self.data == int(self.data):
            return type(self)(self.data // other, (self,), (1 / other,))
        return super().__truediv__(other)


class DividedByOneIsPlain(Engine):
    def __truediv__(self, other):
        return self.data if type(other) is not type(self) and other == 1 else super().__truediv__(other)


class MinusZeroIsAlone(Engine):
    def __neg__(self):
        return super().__neg__() if self.data else type(self)(0.0)


class TanhFlatTooSoon(Engine):
    def tanh(self):
        t = math.tanh(self.data)
        return type(self)(t, (self,), (1 - t * t if abs(self.data) < 5 else 0.0,))


THREE, HALF, FOUR, TWO = ("const", 3.0), ("const", 0.5), ("const", -4.0), ("const", 2)

# In the order of the methods, so that the first case that fails points to the method to write next.
EXPRESSIONS = (
    ("neg", ("mul", A, B)),
    ("sub", ("mul", A, B), ("mul", B, C)),
    ("mul", ("sub", THREE, A), B),
    ("mul", ("pow", A, ("const", 3.0)), B),
    ("add", ("pow", ("mul", A, B), ("const", -2.0)), C),
    ("div", ("add", A, C), B),
    ("div", THREE, ("mul", A, B)),
    ("mul", ("div", B, FOUR), ("sub", A, HALF)),
    ("tanh", ("sub", ("mul", A, B), HALF)),
    ("add", ("relu", ("mul", A, B)), ("mul", ("relu", C), C)),
    ("neg", ("mul", ("tanh", A), ("relu", B))),
)

POINTS = (
    [0.6, -1.7, 1.0],
    [1.5, -0.5, 2.0],
    [-1.5, 0.7, 0.5],
    [-1.5, 0.5, 2.0],
    [-1.6, 0.5, 0.3],
    [1.2, -0.8, 0.4],
    [0.8, -2.5, 1.0],
    [-0.8, 2.4, 1.0],
    [0.9, -1.4, 0.5],
    [-0.6, 0.9, 0.7],
    [0.7, 1.6, -0.5],
)


M = ("mul", A, B)


def total(*terms):
    first, *others = terms
    return ("add", first, total(*others)) if others else first


FRACTIONAL_POWERS = total(
    ("pow", A, ("const", 1.5)),
    ("mul", ("pow", A, ("const", 0.5)), ("pow", B, ("const", -1))),
    ("mul", ("pow", ("neg", C), ("const", 0.5)), C),
    ("mul", ("pow", B, ("const", -0.5)), C),
    ("mul", ("pow", B, ("const", 3.25)), ("pow", A, ("const", 0.3))),
)

# At an A of 0 and a B below zero.
WHOLE_POWERS = total(
    ("mul", ("pow", A, TWO), B),
    ("sub", ("pow", A, ("const", 1)), ("pow", B, ("const", 0))),
    ("mul", ("const", 0.01), ("pow", B, ("const", 9))),
    ("pow", B, ("const", -5)),
    ("mul", ("pow", B, TWO), THREE),
    ("pow", A, ("const", 3.5)),
)

# At an A of 0, a B below zero and a C that is a whole number.
WHOLE_CONSTANTS = total(
    ("mul", ("sub", ("div", A, B), TWO), ("sub", TWO, ("div", TWO, B))),
    ("mul", ("tanh", ("div", C, ("const", 1))), ("div", C, TWO)),
    ("mul", ("div", ("const", -2), B), ("sub", C, ("const", -2))),
    ("mul", ("neg", ("sub", A, ("mul", A, B))), C),
    ("mul", ("sub", C, A), ("neg", A)),
)

# relu and tanh of numbers that are nearly 0, and of such that are not far enough out to be flat.
CURVES_AT_ALL_SIZES = total(
    ("mul", ("const", 1e13), ("relu", ("mul", ("const", 1e-13), A))),
    ("relu", ("mul", ("const", 1e5), ("relu", ("mul", ("const", 3.0), A)))),
    ("mul", ("const", 1e4), ("tanh", ("add", B, ("const", 5.5)))),
    ("mul", ("const", 1e4), ("tanh", ("sub", ("const", -5.0), B))),
)

USED_TWICE = ("sub", ("mul", ("add", M, M), M), ("div", ("sub", M, A), ("sub", M, A)))

USED_LATER = ("add", ("mul", ("relu", M), C), ("mul", M, ("add", ("mul", ("tanh", M), M), C)))

CURVES_OF_ONE = ("add", ("mul", ("relu", A), A), ("mul", THREE, ("tanh", A)))

CURVES_OF_TWO = ("sub", ("mul", ("tanh", A), ("add", ("tanh", B), ("relu", B))), ("relu", A))

POWERS_OF_TWO_INPUTS = (
    "add",
    ("mul", ("pow", A, TWO), ("neg", B)),
    ("mul", ("pow", B, TWO), ("neg", ("mul", THREE, A))),
)

S = ("add", A, B)

KEPT = ("add", ("sub", S, C), ("mul", ("neg", S), ("add", ("div", S, C), ("add", ("pow", S, TWO), ("sub", S, S)))))


ZERO = ("const", 0)

# Each result is asked for its next operation, so a plain number in place of a Value shows.
ZERO_AS_OPERAND = ("mul", ("tanh", ("sub", ZERO, A)), ("tanh", ("add", ("sub", A, ZERO), ("div", ZERO, B))))

NOTHING_LEFT = ("relu", ("neg", ("relu", ("sub", A, ("add", ("sub", B, B), ("div", B, B))))))

TWINS = ("add", ("mul", ("div", A, B), C), ("mul", ("sub", A, B), ("div", A, ("mul", B, C))))

QUOTIENTS_OF_INPUTS = total(
    ("div", A, B),
    ("mul", ("div", B, A), C),
    ("sub", ("div", ("const", 3), B), ("div", A, ("const", -2))),
    ("mul", ("pow", A, ("const", -2)), ("relu", C)),
)

# Much arrives where tanh is flat.
MUCH_OF_NOTHING = ("mul", ("const", 1e10), ("sub", ("tanh", A), ("tanh", B)))

BEYOND = ("add", ("mul", ("tanh", A), B), ("mul", ("tanh", ("sub", ZERO, C)), ("relu", C)))


def engine_edges(rng):
    """Other exponents, zero in every place that allows it, values used again, two inputs that hold one number.

    Also results that stand still, relu at its bend, the far ends of tanh and relu.
    """
    a, b, c = (round(float(x), 3) for x in rng.uniform(0.5, 1.8, 3))
    return [
        case(FRACTIONAL_POWERS, [a, b, -c]),
        case(WHOLE_POWERS, [0.0, -b]),
        case(WHOLE_CONSTANTS, [0.0, -c, 7]),
        case(CURVES_AT_ALL_SIZES, [a, c]),
        case(USED_TWICE, [a, -b]),
        case(USED_LATER, [-a, b, c]),
        case(KEPT, [a, b, -c]),
        case(CURVES_OF_ONE, [0.0]),
        case(CURVES_OF_TWO, [round(b + 0.6, 3)] * 2),
        case(POWERS_OF_TWO_INPUTS, [c, c]),
        case(CURVES_OF_TWO, [-a, round(float(rng.uniform(0.04, 0.09)), 3)]),
        case(ZERO_AS_OPERAND, [a, -b]),
        case(NOTHING_LEFT, [a - 3, b]),
        *(case((op, A, A), [c]) for op in ("sub", "div")),
        case(TWINS, [a, a, -c]),
        case(("div", A, ("const", b)), [b]),
        case(BEYOND, [400.0 + round(a, 1), b, 800.0 + round(c, 1)]),
        case(("relu", A), [0.0], any_from_0_to=1),
    ]


def somewhere(op, test):
    """Whether an operation is used on numbers that pass a test."""

    def found(expression, values):
        nodes = graph(expression, values)[2]
        return any(node.op == op and test(*(parent.data for parent in node.parents)) for node in nodes)

    return found


_draw = np.random.default_rng(27)


def engine_cases(rng):
    """Bases of both signs; relu is met below zero, between zero and one, and above one."""
    negative, small, large = -rng.uniform(0.6, 1.4), rng.uniform(0.4, 0.8), rng.uniform(1.3, 2.2)
    a, b, c = (round(float(value), 3) for value in (negative, small, large))
    points = [[a, b, c], [a, c, b], [c, a, b], [a, b, c], [a, c, b], [b, a, c], [c, b, a], [b, a, c], [a, b, c]]
    points += [[a, c, b], [c, b, a]]
    in_order = [case(expression, point) for expression, point in zip(EXPRESSIONS, points, strict=True)]
    others = [case(QUOTIENTS_OF_INPUTS, [-7, 2, 3]), case(MUCH_OF_NOTHING, [40.0 + c, -400.0 - b])]
    return [*in_order, *others, *engine_edges(rng)]


BANK = [
    wrong("reflected-minus-swapped", SwappedReflection, "notebook 02, section 6, the prediction about `1 - x`",
          "`3 - x` gives what `x - 3` should give.",
          "Python calls `__rsub__` on the number to the right of the minus sign: `self` is what is taken away."),
    wrong("minus-with-the-slopes-of-plus", SubtractionLikeSum, "exercise 02.1, the minus sign",
          "Differences have the right value, and the second operand's gradient has the wrong sign.",
          "If you take away more, less is left."),
    wrong("reflected-division-swapped", SwappedDivision, "notebook 02, section 6, the cell with `__rtruediv__`",
          "`3 / x` gives what `x / 3` should give.",
          "Python calls `__rtruediv__` on the number to the right of the stroke: `self` is the denominator."),
    wrong("power-forgets-the-exponent-in-front", PowerForgetsFactor, "notebook 02, section 6, `power`",
          "The slope of x**n misses the factor n.",
          "A cube has three equal factors, and a nudge of x moves each of them."),
    wrong("power-keeps-its-exponent", PowerKeepsExponent, "notebook 02, section 6, `power`",
          "The slope of x**n has one power of x too many.",
          "Nudging one of n equal factors leaves n - 1 of them standing."),
    wrong("power-through-logarithms", PowerThroughLogarithms, "notebook 02, section 6, `power`",
          "Powers of negative numbers raise an error.",
          "A negative number has no real logarithm, but its cube is perfectly real. Let Python's ** do the work."),
    wrong("power-loses-the-sign", PowerThroughSize, "notebook 02, section 6, `power`",
          "Powers of negative numbers come out as if the number were positive.",
          "Taking the size first avoids trouble with logarithms and changes odd powers, and the slopes of even ones."),
    wrong("power-of-whole-exponents-only", PowerOfWholeExponents, "notebook 02, section 6, `power`",
          "Powers are right for whole exponents; others come out as if their fraction were cut off.",
          "A plain number may be 1.5 as well. Python's ** and the power rule hold for any exponent."),
    wrong("power-slope-divides-by-x", PowerSlopeByDivision, "notebook 02, section 6, `power`",
          "Powers of 0 raise an error.",
          "The slope was found by dividing the power by its base. The power rule does without a division."),
    wrong("power-by-repeated-products", PowerByProducts, "notebook 02, section 6, `power`",
          "Powers are right for whole positive exponents, and for no others.",
          "A loop multiplies a whole number of times. For other exponents a power needs a slope of its own."),
    wrong("division-by-a-constant", DivisionByAConstant,
          "notebook 02, section 6: a division is a product with a negative power",
          "The denominator gets no gradient.",
          "You took the number out of the denominator, and with it everything that it remembers."),
    wrong("reflected-division-without-square", ReflectedDivisionWithoutSquare, "exercise 02.1, the division",
          "`3 / x` has the right value, and its slope misses one division by x.",
          "The slope of 1/x is steeper than 1/x itself where x is small."),
    wrong("minus-passes-on-unchanged", MinusPassesOnUnchanged, "exercise 02.1, the minus sign",
          "-x has the right value, and hands the gradient on with the wrong sign.",
          "Nudge x upwards: -x goes down by as much."),
    wrong("relu-writes-in-place", ReluWritesInPlace, "notebook 02, section 4: what a Value remembers",
          "A value that is used again after its relu is no longer what it was.",
          "relu makes a new Value. The old one keeps its number, for all others that use it."),
    wrong("tanh-writes-in-place", TanhWritesInPlace, "notebook 02, section 4: what a Value remembers",
          "A value that is used again after its tanh is no longer what it was.",
          "tanh makes a new Value. The old one keeps its number, for all others that use it."),
    wrong("tanh-slope-at-the-input", TanhSlopeAtInput, "notebook 02, section 6, the two curved operations",
          "tanh has the right value; its slope is one minus the square of the input.",
          "It is the output that is squared. Near zero the two agree, so this slip hides well."),
    wrong("tanh-slope-without-square", TanhSlopeWithoutSquare, "notebook 02, section 6, the two curved operations",
          "tanh has the right value; its slope is 1 - tanh.",
          "At -1 tanh is as flat as at +1; only a square treats both ends alike."),
    wrong("relu-cut-at-one", ReluCutAtOne, "the docstring of relu, in the exercise",
          "relu passes no gradient to inputs between 0 and 1.",
          "The bend of relu is where its input changes sign."),
    wrong("relu-always-open", ReluSlopeEverywhere, "the docstring of relu, in the exercise",
          "relu passes a gradient to negative inputs.",
          "Nudge a negative input: relu stays at zero, so nothing may flow back."),
    wrong("relu-slope-is-its-value", ReluSlopeIsValue, "notebook 02, section 1: change per unit of nudge",
          "relu multiplies the gradient by its own value.",
          "A local derivative says how fast the output changes, not how large it is."),
    wrong("tanh-by-growing-powers", TanhByGrowingPowers, "notebook 02, section 6, the two curved operations",
          "tanh of a large number raises an error.",
          "e to a large power and cosh outgrow every float. tanh stays between -1 and 1, and so does its slope."),
    wrong("relu-gives-a-plain-zero", ReluOfPlainZero, "notebook 02, section 4: what a Value remembers",
          "relu of what is not positive gives a plain number.",
          "A plain 0.0 has no data, no parents and no tanh. Each operation returns a Value."),
    wrong("power-zero-gives-a-plain-one", PowerOfPlainOne, "notebook 02, section 4: what a Value remembers",
          "x ** 0 gives a plain number.",
          "Its slope is 0, but it is still a result, with which one may go on. Each operation returns a Value."),
    wrong("nothing-left-is-a-plain-zero", NothingLeft, "notebook 02, section 4: what a Value remembers",
          "x - x gives a plain number.",
          "The result does not move, but it is still a result. Each operation returns a Value."),
    wrong("once-in-itself-is-a-plain-one", OnceInItself, "notebook 02, section 4: what a Value remembers",
          "x / x gives a plain number.",
          "The result does not move, but it is still a result. Each operation returns a Value."),
    wrong("equal-numbers-are-one", EqualNumbersAreOne, "notebook 02, section 5: what is kept in `seen`?",
          "Nothing flows back through a quotient of two equal numbers.",
          "Two Values that happen to hold the same number are still two Values, and each may move alone."),
    wrong("zero-is-no-operand", ZeroIsNoOperand, "notebook 02, section 6, the prediction about `1 - x`",
          "`0 - x` gives x.",
          "`if other` asks whether a number is 0, not whether there is one."),
    wrong("relu-cut-at-six", ReluCutAtSix, "the docstring of relu, in the exercise",
          "relu of a large number is too small.",
          "Where its input is positive relu hands it on, however large it is."),
    wrong("relu-bends-twice", ReluBendsTwice, "the docstring of relu, in the exercise",
          "At exactly 0 the slope of relu is 2.",
          "On one side the slope is 0, on the other it is 1. At the bend it lies between the two."),
    wrong("exponents-cut-off", PowerOfSmallExponents, "notebook 02, section 6, `power`",
          "Powers beyond the third, or below -2, are those of the nearest exponent in between.",
          "Python's ** and the power rule hold for any exponent."),
    wrong("divides-the-size", DividesTheSize, "notebook 02, section 6, the cell with `__rtruediv__`",
          "`-2 / x` has the sign of `2 / x`.",
          "The plain number in front of the stroke keeps its sign."),
    wrong("whole-numbers-stay-whole", WholeNumbersStayWhole, "notebook 02, section 6: a division is a product",
          "A whole number divided by a whole number was rounded down.",
          "`//` leaves the rest away. A quotient of whole numbers may well be a fraction."),
    wrong("divided-by-one-is-plain", DividedByOneIsPlain, "notebook 02, section 4: what a Value remembers",
          "`x / 1` gives a plain number.",
          "It holds the same number as x, and has to pass gradients on to it. Each operation returns a Value."),
    wrong("minus-zero-is-alone", MinusZeroIsAlone, "notebook 02, section 4: what a Value remembers",
          "Nothing flows back through the negative of a zero.",
          "`if self.data` asks whether a number is 0. -x moves against x there as anywhere."),
    wrong("tanh-flat-too-soon", TanhFlatTooSoon, "notebook 02, section 6, the two curved operations",
          "Where tanh is nearly flat you let nothing through.",
          "tanh becomes flatter and flatter, and nowhere all at once. What is small may be multiplied by much."),
    wrong("forgets-the-parents", CurvesAsConstants, "notebook 02, section 4: what a Value remembers",
          "Nothing flows back through tanh.",
          "The result was made without parents, so the backward pass takes it for an input."),
]  # fmt: skip

EXERCISE = Exercise(
    id="02.7",
    title="Finish the engine",
    function="Value",
    minutes=20,
    difficulty=3,
    points=5,
    see="notebook 02, section 6",
    driver="scalar_expression",
    reference=Engine,
    domain={"expression": Formula("neg sub mul pow add div tanh relu"), "values": Array("v")},
    meets={
        "a fractional exponent": somewhere("pow", lambda x, n: n % 1 != 0),
        "a negative exponent": somewhere("pow", lambda x, n: n < 0),
        "a square root": somewhere("pow", lambda x, n: n == 0.5),
        "the exponent -1": somewhere("pow", lambda x, n: n == -1),
        "an exponent above 3": somewhere("pow", lambda x, n: n > 3),
        "an exponent below -2": somewhere("pow", lambda x, n: n < -2),
        "a fractional exponent above 3": somewhere("pow", lambda x, n: n > 3 and n % 1 != 0),
        "a negative number is squared": somewhere("pow", lambda x, n: x < 0 and n == 2),
        "a negative number is divided": somewhere("div", lambda x, y: x == -2),
        "a number is divided by 1": somewhere("div", lambda x, y: y == 1),
        "an input is a whole number": lambda values: any(type(x) is int for x in values),
        "a whole number is divided": somewhere("div", lambda x, y: x == 7 and y == 2),
        "minus 0": somewhere("neg", lambda x: x == 0),
        "tanh is nearly flat": somewhere("tanh", lambda x: 5 < x < 8),
        "tanh is nearly flat on the other side": somewhere("tanh", lambda x: -8 < x < -5),
        "relu of a number that is nearly 0": somewhere("relu", lambda x: 0 < x < 1e-12),
        "relu of a large number": somewhere("relu", lambda x: x > 1e5),
        "the exponent 0": somewhere("pow", lambda x, n: n == 0),
        "the exponent 1": somewhere("pow", lambda x, n: n == 1),
        "a power of 0": somewhere("pow", lambda x, n: x == 0),
        "a power of a negative number": somewhere("pow", lambda x, n: x < 0),
        "0 is divided": somewhere("div", lambda x, y: x == 0),
        "a number is divided by itself": somewhere("div", lambda x, y: x == y),
        "tanh of 0": somewhere("tanh", lambda x: x == 0),
        "relu of 0": somewhere("relu", lambda x: x == 0),
        "relu of a number between 0 and 0.1": somewhere("relu", lambda x: 0 < x < 0.1),
        "relu of a number above 1": somewhere("relu", lambda x: x > 1),
        "relu of a number above 6": somewhere("relu", lambda x: x > 6),
        "tanh of a large number": somewhere("tanh", lambda x: x > 350),
        "tanh of a large negative number": somewhere("tanh", lambda x: x < -710),
        "a number is taken from 0": somewhere("sub", lambda x, y: x == 0),
        "0 is taken from a number": somewhere("sub", lambda x, y: y == 0 != x),
        "relu of a negative number": somewhere("relu", lambda x: x < 0),
        "two inputs hold one number": inputs_are_equal,
    },
    visible=[
        *(case(expression, point) for expression, point in zip(EXPRESSIONS, POINTS, strict=True)),
        *engine_edges(_draw),
    ],
    hidden=engine_cases,
    accepted=[DirectEngine, NumpyEngine, ComposedEngine, ClosureEngine, HalfAtTheBend, PackageEngine],
    bank=BANK,
    equivalent_mutants={
        "`self * -1.0` → `self / -1.0`": "dividing by -1 is multiplying by -1",
        "`self.data > 0` → `self.data >= 0`": "at exactly zero relu has no slope, and any from 0 to 1 is as good",
        "`other if isinstance(other, Start) else type(self)(other)` → `other`": "a plain number has a power -1, too",
    },
    hints=(
        "You have + and * already. Which of the missing operations can be spelled with them and a power?",
        "a - b is a + (-1) * b, and a / b is a * b**-1. In the reflected methods self stands on the right. "
        "Power, tanh and relu need a Value of their own: result, parent, slope.",
        "Power: slope n * x**(n - 1). tanh: compute t first, slope 1 - t*t. relu: slope 1 where the input is "
        "above zero, otherwise 0.",
    ),
)
