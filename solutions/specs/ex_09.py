"""Chapter 09, the forward gradient: what each exercise asks, and the wrong ideas that it must recognise.

The wrong ideas are those of real learners and of published code: a slope taken for a gradient, the loss in place of the
slope, a direction scaled to length one, a relu that looks at the tangent, "unbiased means exact", a cost that counts
passes in place of products, one slope for a whole batch.
"""

from __future__ import annotations

import math
from itertools import pairwise, product

import numpy as np

from coursepkg import gradients
from coursepkg.autodiff.dual import Dual
from coursepkg.estimators import expectations
from coursepkg.grading.spec import Exercise, Misconception, case


def numbers(rng, count, low=0.4, high=1.6):
    """Numbers of both signs, none of them near zero, with few digits so that feedback reads well."""
    return [round(float(rng.choice([-1.0, 1.0]) * rng.uniform(low, high)), 2) for _ in range(count)]


def array(rng, *shape, low=0.2, high=1.2):
    """The same as an array."""
    return np.round(rng.choice([-1.0, 1.0], shape) * rng.uniform(low, high, shape), 2)


def signs(rng, *shape):
    return rng.choice([-1.0, 1.0], shape)


# --- 09.1 one walk, one number ---------------------------------------------------------------------------------------


def one_sample(a, b, c, theta, v):
    x, y = theta
    slope = (2 * a * x + b * y) * v[0] + (b * x + c) * v[1]
    return {"slope": slope, "estimate": [slope * v[0], slope * v[1]]}


def surface(a, b, c, theta):
    return a * theta[0] ** 2 + b * theta[0] * theta[1] + c * theta[1]


def one_sample_dual(a, b, c, theta, v):
    x, y = Dual(theta[0], v[0]), Dual(theta[1], v[1])
    slope = float(surface(a, b, c, (x, y)).tangent)
    return {"slope": slope, "estimate": tuple(slope * part for part in v)}


def one_sample_complex(a, b, c, theta, v):
    t = np.array(theta) + 1e-30j * np.array(v)
    slope = surface(a, b, c, t).imag / 1e-30
    return {"estimate": slope * np.array(v), "slope": np.array(slope)}


def one_sample_engine(a, b, c, theta, v):
    slope = gradients.jvp(lambda t: surface(a, b, c, t), np.array(theta), np.array(v))[1]
    return {"slope": slope, "estimate": slope * np.array(v)}


def one_sample_by_backpropagation(a, b, c, theta, v):
    gradient = gradients.reverse(lambda t: surface(a, b, c, t))(np.array(theta))
    return {"slope": gradient @ np.array(v), "estimate": np.outer(v, v) @ gradient}


def one_sample_tangents(a, b, c, theta, v):
    (x, y), (dx, dy) = theta, v
    total = a * (x * dx + dx * x)
    total += b * (dx * y + x * dy)
    total += c * dy
    return {"slope": np.float64(total), "estimate": [total * d for d in (dx, dy)]}


def one_sample_float32(a, b, c, theta, v):
    found = one_sample(*(np.float32(n) for n in (a, b, c)), np.float32(theta), np.float32(v))
    return {"slope": np.float32(found["slope"]), "estimate": np.float32(found["estimate"])}


def one_sample_with(combine):
    """The right slope and gradient, put together in another way."""

    def answer(a, b, c, theta, v):
        g = [2 * a * theta[0] + b * theta[1], b * theta[0] + c]
        slope, estimate = combine(g, g[0] * v[0] + g[1] * v[1], v, surface(a, b, c, theta))
        return {"slope": slope, "estimate": estimate}

    return answer


def one_sample_big_step(a, b, c, theta, v):
    moved = [theta[0] + v[0], theta[1] + v[1]]
    slope = surface(a, b, c, moved) - surface(a, b, c, theta)
    return {"slope": slope, "estimate": [slope * v[0], slope * v[1]]}


def one_sample_half_product(a, b, c, theta, v):
    slope = 2 * a * theta[0] * v[0] + b * v[0] * v[1] + c * v[1]
    return {"slope": slope, "estimate": [slope * v[0], slope * v[1]]}


def hidden_one_sample(rng):
    return [case(*numbers(rng, 3), numbers(rng, 2), numbers(rng, 2)) for _ in range(5)]


ONE_SAMPLE = Exercise(
    id="09.1",
    title="One walk, one number",
    function="one_sample",
    minutes=10,
    difficulty=1,
    points=2,
    see="notebook 09, sections 1 and 2",
    reference=one_sample,
    visible=[
        case(1.0, 0.0, 3.0, [2.0, 5.0], [1.0, -1.0]),
        case(0.8, -1.1, 0.6, [1.4, -0.7], [0.9, 1.3]),
        case(-0.7, 0.9, 1.2, [-1.1, 0.8], [-0.6, 1.5]),
        case(1.3, 0.7, -0.9, [0.5, 1.6], [1.2, -0.8]),
    ],
    hidden=hidden_one_sample,
    accepted=[
        one_sample_dual,
        one_sample_complex,
        one_sample_engine,
        one_sample_by_backpropagation,
        one_sample_tangents,
        one_sample_float32,
    ],
    bank=[
        Misconception(
            id="entry-by-entry",
            answer=one_sample_with(lambda g, s, v, f: (s, [g[0] * v[0], g[1] * v[1]])),
            looks_like="Each entry of the estimate is its own partial derivative times its own entry of v.",
            why="A forward pass never sees the partial derivatives one by one; it gives their sum, a single number.",
            look_at="notebook 09, section 1: one pass, one number",
        ),
        Misconception(
            id="stops-at-the-slope",
            answer=one_sample_with(lambda g, s, v, f: (s, [s, s])),
            looks_like="Both entries of the estimate are the slope.",
            why="The slope is a number without a direction; it has to be laid along the direction you walked.",
            look_at="notebook 09, section 2: multiply by the direction",
        ),
        Misconception(
            id="takes-it-for-exact",
            answer=one_sample_with(lambda g, s, v, f: (s, g)),
            looks_like="The estimate is the gradient itself.",
            why="Only the average over many directions is the gradient; one sample lies along v.",
            look_at="notebook 09, section 3: the fan",
        ),
        Misconception(
            id="scaled-by-the-loss",
            answer=one_sample_with(lambda g, s, v, f: (f, [f * v[0], f * v[1]])),
            looks_like="The direction was multiplied by the value of f.",
            why="The value says how high you stand, not how steep it is along v.",
            look_at="notebook 09, section 1: value and tangent",
        ),
        Misconception(
            id="direction-of-length-one",
            answer=one_sample_with(
                lambda g, s, v, f: (
                    s / math.hypot(*v),
                    [s * v[0] / (v[0] ** 2 + v[1] ** 2), s * v[1] / (v[0] ** 2 + v[1] ** 2)],
                )
            ),
            looks_like="The direction was first scaled to length one.",
            why="Then the mean is the gradient divided by d: the second moment of v is no longer the identity.",
            look_at="notebook 09, section 3: what is asked of v",
        ),
        Misconception(
            id="a-whole-step",
            answer=one_sample_big_step,
            looks_like="The slope is f(theta + v) − f(theta).",
            why="That is a difference over a step as long as v. A tangent has no step: it is exact at the point.",
            look_at="notebook 09, section 1: no step size anywhere",
        ),
        Misconception(
            id="product-of-the-tangents",
            answer=one_sample_half_product,
            looks_like="In the term b θ₁ θ₂ the two tangents were multiplied with each other.",
            why="A product changes by each factor in turn, while the other one stays what it is.",
            look_at="notebook 09, section 1: the rule for a product",
        ),
    ],
    hints=(
        "Let both entries of theta move at the same time, theta₁ by v₁ and theta₂ by v₂, and ask how f changes.",
        "x² changes by 2 x dx, x y by dx y + x dy, c y by c dy. Add the three up: that is the slope.",
        "slope = (2 a x + b y) v₁ + (b x + c) v₂, and the estimate is that number times v₁ and times v₂.",
    ),
    equivalent_mutants={
        "`1` → `-1`": "a direction has two entries, so the one at index 1 is the last one",
        "`1` → `-1` #2": "a direction has two entries, so the one at index 1 is the last one",
    },
)


# --- 09.2 the rules of a dual number ---------------------------------------------------------------------------------


def dual_rule(operation, x, y):
    (a, da), (b, db) = x, y
    if operation == "add":
        return (a + b, da + db)
    if operation == "multiply":
        return (a * b, da * b + a * db)
    if operation == "divide":
        return (a / b, (da * b - a * db) / b**2)
    if operation == "tanh":
        return (math.tanh(a), (1 - math.tanh(a) ** 2) * da)
    return (a, da) if a > 0 else (0.0, 0.0)


def dual_by_partials(operation, x, y):
    (a, da), (b, db) = x, y
    value, by_a, by_b = {
        "add": lambda: (a + b, 1.0, 1.0),
        "multiply": lambda: (a * b, b, a),
        "divide": lambda: (a / b, 1 / b, -a / b / b),
        "tanh": lambda: (np.tanh(a), 1 / np.cosh(a) ** 2, 0.0),
        "relu": lambda: (max(a, 0.0), float(a > 0), 0.0),
    }[operation]()
    return [value, by_a * da + by_b * db]


def dual_by_engine(operation, x, y):
    from coursepkg.autodiff.catalogue import relu

    f = {
        "add": lambda a, b: a + b, "multiply": lambda a, b: a * b, "divide": lambda a, b: a / b,
        "tanh": lambda a, b: np.tanh(a), "relu": lambda a, b: relu(a),
    }[operation]  # fmt: skip
    out = f(Dual(x[0], x[1]), Dual(y[0], y[1]))
    return out.value, out.tangent


def dual_by_complex_step(operation, x, y):
    a, b = x[0] + 1e-30j * x[1], y[0] + 1e-30j * y[1]
    out = {
        "add": lambda: a + b, "multiply": lambda: a * b, "divide": lambda: a / b, "tanh": lambda: np.tanh(a),
        "relu": lambda: a * (a.real > 0),
    }[operation]()  # fmt: skip
    return (out.real, out.imag / 1e-30)


def dual_quotient_rule(operation, x, y):
    """Division through the derivative of the quotient: q b = a."""
    if operation == "divide":
        q = x[0] / y[0]
        return np.array([q, (x[1] - q * y[1]) / y[0]])
    if operation == "tanh":
        t = np.tanh(x[0])
        return np.array([t, x[1] - t * t * x[1]])
    return np.array(dual_rule(operation, x, y))


def dual_float32(operation, x, y):
    return tuple(np.float32(n) for n in dual_rule(operation, x, y))


def dual_with(operation, tangent):
    """One rule changed, the others right."""

    def answer(asked, x, y):
        value, right = dual_rule(asked, x, y)
        return (value, tangent(*x, *y)) if asked == operation else (value, right)

    return answer


def dual_relu_of_both(operation, x, y):
    value, tangent = dual_rule(operation, x, y)
    return (max(x[0], 0.0), max(x[1], 0.0)) if operation == "relu" else (value, tangent)


OPERATIONS = ("add", "multiply", "divide", "tanh", "relu")


def hidden_dual(rng):
    cases = [case(name, numbers(rng, 2), numbers(rng, 2)) for name in OPERATIONS]
    up, down = abs(numbers(rng, 1, 0.3, 0.9)[0]), -abs(numbers(rng, 1, 0.3, 0.9)[0])
    return [*cases[:4], case("relu", [up, down], numbers(rng, 2)), case("relu", [down, up], numbers(rng, 2))]


DUAL = Exercise(
    id="09.2",
    title="The rules of a dual number",
    function="dual_rule",
    minutes=12,
    difficulty=1,
    points=3,
    see="notebook 09, section 1",
    reference=dual_rule,
    visible=[
        case("add", [1.2, 0.5], [-0.4, 1.1]),
        case("multiply", [1.2, 0.5], [-0.4, 1.1]),
        case("divide", [0.9, -0.7], [-1.3, 0.6]),
        case("tanh", [0.8, 1.4], [0.6, -0.5]),
        case("relu", [0.7, -1.2], [1.1, 0.4]),
        case("relu", [-0.7, 1.2], [-1.1, 0.4]),
    ],
    hidden=hidden_dual,
    accepted=[dual_by_partials, dual_by_engine, dual_by_complex_step, dual_quotient_rule, dual_float32],
    bank=[
        Misconception(
            id="tangents-multiplied",
            answer=dual_with("multiply", lambda a, da, b, db: da * db),
            looks_like="The tangent of the product is the product of the tangents.",
            why="To first order only one factor moves at a time; da db is of second order.",
            look_at="notebook 09, section 1: the rule for a product",
        ),
        Misconception(
            id="factors-swapped",
            answer=dual_with("multiply", lambda a, da, b, db: a * da + b * db),
            looks_like="In the product each tangent was multiplied by its own value.",
            why="The change of one factor counts as often as the other factor says.",
            look_at="chapter 02: the local derivative of a product is the other factor",
        ),
        Misconception(
            id="quotient-with-a-plus",
            answer=dual_with("divide", lambda a, da, b, db: (da * b + a * db) / b**2),
            looks_like="The tangent of the quotient has the wrong sign in its second part.",
            why="A larger divisor makes a quotient smaller.",
            look_at="notebook 09, section 1: try it with a = 1",
        ),
        Misconception(
            id="quotient-of-the-tangents",
            answer=dual_with("divide", lambda a, da, b, db: da / db),
            looks_like="The tangent of the quotient is the quotient of the tangents.",
            why="Only sums can be taken part by part.",
            look_at="notebook 09, section 1: the rule for a quotient",
        ),
        Misconception(
            id="tanh-slope-at-the-input",
            answer=dual_with("tanh", lambda a, da, b, db: (1 - a * a) * da),
            looks_like="The slope of tanh was computed from its input.",
            why="It is one minus the square of what comes out.",
            look_at="chapter 02: the slope of tanh from its result",
        ),
        Misconception(
            id="tanh-of-the-tangent",
            answer=dual_with("tanh", lambda a, da, b, db: math.tanh(da)),
            looks_like="The tangent was sent through tanh as if it were a value.",
            why="A tangent is only stretched, by the slope at the value.",
            look_at="notebook 09, section 1: values bend, tangents are stretched",
        ),
        Misconception(
            id="relu-of-the-tangent",
            answer=dual_relu_of_both,
            looks_like="For relu the tangent was cut at zero by its own sign.",
            why="The value decides whether the gate is open; an open gate lets a negative change pass, too.",
            look_at="notebook 09, section 1: the gate belongs to the value",
        ),
    ],
    hints=(
        "The first number of each pair follows ordinary arithmetic. For the second ask: by how much does the result "
        "change, to first order?",
        "It is always (derivative by the first) times da plus (derivative by the second) times db.",
        "add: da + db; multiply: da b + a db; divide: (da b − a db) / b²; tanh: (1 − tanh(a)²) da; relu: da where a is "
        "positive, otherwise 0.",
    ),
    equivalent_mutants={
        "`a > 0` → `a >= 0`": "no input is zero",
    },
)


# --- 09.3 a slope through a network ----------------------------------------------------------------------------------


def network_slope(X, y, W1, b1, W2, b2, V1, c1, V2, c2):
    z = X @ W1 + b1
    dz = X @ V1 + c1
    h, dh = z * (z > 0), dz * (z > 0)
    s = h @ W2 + b2
    ds = dh @ W2 + h @ V2 + c2
    p = np.exp(s - s.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    p[np.arange(len(y)), y] -= 1
    return np.sum(p * ds) / len(y)


def network_loss(X, y, W1, b1, W2, b2):
    from coursepkg import nn
    from coursepkg.autodiff.catalogue import relu

    return nn.cross_entropy(relu(X @ W1 + b1) @ W2 + b2, np.asarray(y))


def network_jvp(X, y, W1, b1, W2, b2, V1, c1, V2, c2):
    return gradients.jvp(lambda p: network_loss(X, y, *p), (W1, b1, W2, b2), (V1, c1, V2, c2))[1]


def network_reverse(X, y, W1, b1, W2, b2, V1, c1, V2, c2):
    found = gradients.reverse(lambda p: network_loss(X, y, *p))((W1, b1, W2, b2))
    return sum(np.sum(g * v) for g, v in zip(found, (V1, c1, V2, c2), strict=True))


def network_complex(X, y, W1, b1, W2, b2, V1, c1, V2, c2):
    e = 1e-30j
    z = X @ (W1 + e * V1) + (b1 + e * c1)
    s = np.where(z.real > 0, z, 0) @ (W2 + e * V2) + (b2 + e * c2)
    losses = np.log(np.exp(s).sum(axis=1)) - s[np.arange(len(y)), list(y)]
    return losses.mean().imag / 1e-30


def network_by_example(X, y, W1, b1, W2, b2, V1, c1, V2, c2):
    total = 0.0
    for x, k in zip(X, y, strict=True):
        z, dz = W1.T @ x + b1, V1.T @ x + c1
        dz = np.where(z > 0, dz, 0.0)
        z = np.maximum(z, 0.0)
        s, ds = W2.T @ z + b2, W2.T @ dz + V2.T @ z + c2
        p = np.exp(s) / np.exp(s).sum()
        total += p @ ds - ds[k]
    return float(total / len(X))


def network_difference_of_halves(X, y, W1, b1, W2, b2, V1, c1, V2, c2):
    """A Richardson-extrapolated central difference along the direction."""

    def along(h):
        ends = [network_loss(X, y, W1 + k * V1, b1 + k * c1, W2 + k * V2, b2 + k * c2) for k in (h, -h)]
        return (ends[0] - ends[1]) / (2 * h)

    return (4 * along(1e-4) - along(2e-4)) / 3


def network_float32(X, y, *arrays):
    return np.float32(network_slope(np.float32(X), y, *(np.float32(a) for a in arrays)))


def network_variant(*, gate=None, first=None, second=None, scores=None, mean=True):
    """The pass with one thing done differently."""

    def answer(X, y, W1, b1, W2, b2, V1, c1, V2, c2):
        z = X @ W1 + b1
        dz = first(X, V1, c1, W1) if first else X @ V1 + c1
        h, dh = z * (z > 0), gate(z, dz) if gate else dz * (z > 0)
        s = h @ W2 + b2
        ds = second(dh, h, W2, V2, c2) if second else dh @ W2 + h @ V2 + c2
        p = np.exp(s)
        p /= p.sum(axis=1, keepdims=True)
        if scores != "no target":
            p[np.arange(len(y)), y] -= 1
        total = np.sum(p * ds)
        return total / len(y) if mean else total

    return answer


def network_case(rng, B, n, m, k):
    while True:
        X, W1, b1 = array(rng, B, n), array(rng, n, m), array(rng, m)
        z = X @ W1 + b1
        if np.abs(z).min() > 0.05 and 0.2 < np.mean(z > 0) < 0.8:
            break
    W2, b2 = array(rng, m, k), array(rng, k)
    y = rng.integers(0, k, B)
    directions = [array(rng, n, m), array(rng, m), array(rng, m, k), array(rng, k)]
    return case(X, y, W1, b1, W2, b2, *directions)


def hidden_network(rng):
    return [network_case(rng, *shape) for shape in ((3, 4, 5, 3), (5, 3, 4, 2), (2, 5, 3, 4))]


NETWORK = Exercise(
    id="09.3",
    title="A slope through a network",
    function="network_slope",
    minutes=20,
    difficulty=2,
    points=4,
    see="notebook 09, section 5",
    reference=network_slope,
    visible=[
        network_case(np.random.default_rng(seed), *shape)
        for seed, shape in enumerate(((3, 4, 5, 3), (4, 2, 3, 2), (2, 3, 4, 3)))
    ],
    hidden=hidden_network,
    accepted=[
        network_jvp,
        network_reverse,
        network_complex,
        network_by_example,
        network_difference_of_halves,
        network_float32,
    ],
    bank=[
        Misconception(
            id="gate-by-the-tangent",
            answer=network_variant(gate=lambda z, dz: dz * (dz > 0)),
            looks_like="The tangent was cut by its own sign at the relu.",
            why="The gate is opened by the value; a tangent passes it with any sign.",
            look_at="notebook 09, section 1: the gate belongs to the value",
        ),
        Misconception(
            id="no-gate",
            answer=network_variant(gate=lambda z, dz: dz),
            looks_like="The tangent went past the relu unchanged.",
            why="Where the value was cut to zero, a small change of it has no effect.",
            look_at="notebook 09, section 1: the gate belongs to the value",
        ),
        Misconception(
            id="weights-do-not-move-in-layer-two",
            answer=network_variant(second=lambda dh, h, W2, V2, c2: dh @ W2 + c2),
            looks_like="In the second layer the change of the weights is missing.",
            why="A product of two things that both move has two terms: h moves, and W2 moves.",
            look_at="notebook 09, section 5: three products per layer",
        ),
        Misconception(
            id="first-layer-forgotten",
            answer=network_variant(second=lambda dh, h, W2, V2, c2: h @ V2 + c2),
            looks_like="The tangent of the hidden layer does not reach the second one.",
            why="What moved below goes on moving everything above it.",
            look_at="notebook 09, section 5: three products per layer",
        ),
        Misconception(
            id="biases-stand-still",
            answer=network_variant(
                first=lambda X, V1, c1, W1: X @ V1, second=lambda dh, h, W2, V2, c2: dh @ W2 + h @ V2
            ),
            looks_like="The directions of the biases are missing.",
            why="A bias is a parameter, and it has an entry in the direction like every other.",
            look_at="notebook 09, section 5",
        ),
        Misconception(
            id="tangents-multiplied",
            answer=network_variant(second=lambda dh, h, W2, V2, c2: dh @ V2 + c2),
            looks_like="In the second layer the two tangents were multiplied with each other.",
            why="That term is of second order; the two of first order are what counts.",
            look_at="notebook 09, section 1: the rule for a product",
        ),
        Misconception(
            id="sum-over-the-batch",
            answer=network_variant(mean=False),
            looks_like="The slope is larger by the number of examples.",
            why="The loss is a mean, and so is its slope.",
            look_at="the task: the mean of the losses",
        ),
        Misconception(
            id="target-forgotten",
            answer=network_variant(scores="no target"),
            looks_like="The slope is that of the logarithm of the sum alone.",
            why="The loss also falls when the score of the right class rises.",
            look_at="chapter 05: softmax minus one-hot",
        ),
    ],
    hints=(
        "Write the forward pass of the values, then under each line the line for its tangent.",
        "First layer: X itself does not move, so only V1 and c1 act. Gate: the values decide. Second layer: three "
        "terms, because h moves, W2 moves and b2 moves.",
        "The slope of the loss of one example is the sum over classes of (softmax − one-hot) times ds; take the mean "
        "over the examples.",
    ),
    equivalent_mutants={
        "`z > 0` → `z >= 0`": "no pre-activation is zero",
        "`z > 0` → `z >= 0` #2": "no pre-activation is zero",
        "`1` → `-1` #2": "scores have two axes, so axis 1 is the last one",
        "`1` → `-1` #3": "scores have two axes, so axis 1 is the last one",
        "`s - s.max(axis=1, keepdims=True)` → `s`": "softmax does not mind a number added to a whole row",
        "`s.max` → `s.min`": "softmax does not mind a number added to a whole row",
        "`s - s.max(axis=1, keepdims=True)` → `s + s.max(axis=1, keepdims=True)`": "softmax does not mind a number "
        "added to a whole row",
    },
)


# --- 09.4 how long is it? --------------------------------------------------------------------------------------------


def estimate_moments(gradient, fourth_moment):
    d = len(gradient)
    squared = sum(g * g for g in gradient)
    return {"squared_length": (d + fourth_moment - 1) * squared, "variance": (d + fourth_moment - 2) * squared}


def moments_numpy(gradient, fourth_moment):
    g = np.asarray(gradient)
    length = (g.size + fourth_moment - 1) * (g @ g)
    return {"squared_length": length, "variance": length - g @ g}


def moments_enumerated(gradient, fourth_moment):
    """Every point of a three-valued distribution with the right second and fourth moment."""
    values = (-math.sqrt(fourth_moment), 0.0, math.sqrt(fourth_moment))
    chances = (0.5 / fourth_moment, 1 - 1 / fourth_moment, 0.5 / fourth_moment)
    g, length, spread = np.array(gradient), 0.0, 0.0
    for picks in product(range(3), repeat=len(g)):
        v = np.array([values[k] for k in picks])
        chance = math.prod(chances[k] for k in picks)
        estimate = (g @ v) * v
        length += chance * estimate @ estimate
        spread += chance * np.sum((estimate - g) ** 2)
    return {"squared_length": length, "variance": spread}


def moments_entry_by_entry(gradient, fourth_moment):
    g = np.array(gradient, float)
    variances = g @ g + (fourth_moment - 2) * g**2
    return {"squared_length": np.sum(variances + g**2), "variance": np.sum(variances)}


def moments_of_the_package(gradient, fourth_moment):
    """Between signs and Gaussian entries everything is linear in the fourth moment."""
    d, s = len(gradient), float(np.linalg.norm(gradient)) ** 2
    low, high = (expectations.squared_length_ratio(d, directions=kind) for kind in ("rademacher", "gaussian"))
    ratio = low + (high - low) * (fourth_moment - 1) / 2
    return {"variance": (ratio - 1) * s, "squared_length": ratio * s}


def moments_float32(gradient, fourth_moment):
    found = estimate_moments(np.float32(gradient), np.float32(fourth_moment))
    return {name: np.float32(number) for name, number in found.items()}


def moments_with(combine):
    def answer(gradient, fourth_moment):
        squared = sum(g * g for g in gradient)
        length, variance = combine(len(gradient), fourth_moment, squared)
        return {"squared_length": length, "variance": variance}

    return answer


def hidden_moments(rng):
    kinds = (1.0, 3.0, 1.8, 3.0)
    return [case(numbers(rng, int(rng.integers(2, 8))), k) for k in kinds]


MOMENTS = Exercise(
    id="09.4",
    title="How long is a forward gradient?",
    function="estimate_moments",
    minutes=12,
    difficulty=2,
    points=3,
    see="notebook 09, section 4",
    reference=estimate_moments,
    visible=[
        case([0.8, -1.2, 0.5], 3.0),
        case([0.8, -1.2, 0.5, 1.1, -0.6], 1.0),
        case([1.5, 0.7], 1.8),
        case([-0.4, 0.9, 1.3, 0.6], 3.0),
    ],
    hidden=hidden_moments,
    accepted=[
        moments_numpy,
        moments_enumerated,
        moments_entry_by_entry,
        moments_of_the_package,
        moments_float32,
    ],
    bank=[
        Misconception(
            id="unbiased-means-same-length",
            answer=moments_with(lambda d, k, s: (s, (d + k - 2) * s)),
            looks_like="The squared length is that of the gradient.",
            why="The mean of the arrows is the gradient; the mean of their squared lengths is much more.",
            look_at="notebook 09, section 4: long arrows whose mean is short",
        ),
        Misconception(
            id="variance-taken-for-length",
            answer=moments_with(lambda d, k, s: ((d + k - 2) * s, (d + k - 2) * s)),
            looks_like="Both numbers are the variance.",
            why="Squared length and variance differ by the squared length of the mean.",
            look_at="notebook 09, section 4: E‖g‖² and E‖g − ∇f‖²",
        ),
        Misconception(
            id="length-taken-for-variance",
            answer=moments_with(lambda d, k, s: ((d + k - 1) * s, (d + k - 1) * s)),
            looks_like="Both numbers are the squared length.",
            why="Squared length and variance differ by the squared length of the mean.",
            look_at="notebook 09, section 4: E‖g‖² and E‖g − ∇f‖²",
        ),
        Misconception(
            id="always-gaussian",
            answer=moments_with(lambda d, k, s: ((d + 2) * s, (d + 1) * s)),
            looks_like="The numbers are those of Gaussian directions whatever the fourth moment is.",
            why="E[v⁴] is 3 for a Gaussian only; for signs it is 1.",
            look_at="notebook 09, section 4: what the distribution changes",
        ),
        Misconception(
            id="distribution-ignored",
            answer=moments_with(lambda d, k, s: (d * s, (d - 1) * s)),
            looks_like="The numbers are those of signs whatever the fourth moment is.",
            why="The term in which all indices agree brings E[v⁴], and that depends on the distribution.",
            look_at="notebook 09, section 4: what the distribution changes",
        ),
        Misconception(
            id="length-not-squared",
            answer=moments_with(lambda d, k, s: ((d + k - 1) * math.sqrt(s), (d + k - 2) * math.sqrt(s))),
            looks_like="The numbers are multiplied by the length of the gradient in place of its square.",
            why="Twice as long a gradient makes estimates twice as long, and their squares four times.",
            look_at="the task: squared lengths",
        ),
        Misconception(
            id="d-squared",
            answer=moments_with(lambda d, k, s: (d * (d + k - 1) * s, d * (d + k - 2) * s)),
            looks_like="The numbers are too large by the factor d.",
            why="‖v‖² brings one d; the slope squared brings ‖∇f‖² and no further d.",
            look_at="notebook 09, section 4: where the d comes from",
        ),
    ],
    hints=(
        "‖g‖² = (∇f · v)² ‖v‖². Write it as a triple sum over entries and ask which terms have a mean other than zero.",
        "What is left is Σ_i Σ_l g_i² E[v_i² v_l²]: for l = i that is the fourth moment, for the d − 1 others it is 1.",
        "E‖g‖² = (d + k − 1) ‖∇f‖² with k = E[v⁴], and the variance is less by ‖∇f‖².",
    ),
)


# --- 09.5 how many directions? ---------------------------------------------------------------------------------------


def directions_needed(d, squared_cosine):
    plain = math.ceil(squared_cosine * (d - 1) / (1 - squared_cosine))
    return {"plain": plain, "orthonormal": math.ceil(squared_cosine * d)}


def needed_by_search(d, squared_cosine):
    plain = orthonormal = 1
    while plain / (plain + d - 1) < squared_cosine:
        plain += 1
    while orthonormal / d < squared_cosine:
        orthonormal += 1
    return {"plain": plain, "orthonormal": orthonormal}


def needed_by_package(d, squared_cosine):
    kinds = {"plain": "gaussian", "orthonormal": "orthonormal"}
    return {name: expectations.directions_needed(d, squared_cosine, kind) for name, kind in kinds.items()}


def needed_by_floor(d, squared_cosine):
    return {
        "orthonormal": float(-((-squared_cosine * d) // 1)),
        "plain": float(-((-squared_cosine * (d - 1) / (1 - squared_cosine)) // 1)),
    }


def needed_by_arrays(d, squared_cosine):
    K = np.arange(1, 60 * d)
    return {
        "plain": K[np.argmax(K / (K + d - 1) >= squared_cosine)],
        "orthonormal": K[np.argmax(K / d >= squared_cosine)],
    }


def needed_by_fraction(d, squared_cosine):
    odds = squared_cosine / (1.0 - squared_cosine)
    return {"plain": int(np.ceil((d - 1) * odds)), "orthonormal": np.ceil(np.float64(d) * squared_cosine)}


def needed_with(plain, orthonormal):
    def answer(d, c):
        return {"plain": plain(d, c), "orthonormal": orthonormal(d, c)}

    return answer


def hidden_needed(rng):
    cases = []
    while len(cases) < 5:
        d, c = int(rng.integers(40, 900)), round(float(rng.uniform(0.35, 0.9)), 3)
        edges = [c * (d - 1) / (1 - c), c * d]
        if all(0.05 < edge % 1 < 0.95 for edge in edges):
            cases.append(case(d, c))
    return cases


NEEDED = Exercise(
    id="09.5",
    title="How many directions?",
    function="directions_needed",
    minutes=8,
    difficulty=1,
    points=2,
    see="notebook 09, section 4",
    reference=directions_needed,
    visible=[case(101, 0.505), case(333, 0.72), case(58, 0.41), case(745, 0.86)],
    hidden=hidden_needed,
    accepted=[needed_by_search, needed_by_package, needed_by_floor, needed_by_arrays, needed_by_fraction],
    bank=[
        Misconception(
            id="a-basis-is-enough",
            answer=needed_with(lambda d, c: math.ceil(c * d), lambda d, c: math.ceil(c * d)),
            looks_like="Independent directions were counted as if they did not overlap.",
            why="Random directions partly repeat each other, so d of them are not a basis without gaps.",
            look_at="notebook 09, section 4: K = d is not exact",
        ),
        Misconception(
            id="square-root-rule",
            answer=needed_with(
                lambda d, c: math.ceil(math.sqrt(c * (d - 1) / (1 - c))), lambda d, c: math.ceil(math.sqrt(c * d))
            ),
            looks_like="The numbers are square roots of the right ones.",
            why="Averaging K shortens the noise by √K, so the noise of √d needs K of the order of d, not √d.",
            look_at="notebook 09, section 4: the table of K",
        ),
        Misconception(
            id="cosine-not-squared",
            answer=needed_with(
                lambda d, c: math.ceil(c * c * (d - 1) / (1 - c * c)), lambda d, c: math.ceil(c * c * d)
            ),
            looks_like="The wish was squared once more.",
            why="What is given is already the squared cosine.",
            look_at="the task: squared_cosine",
        ),
        Misconception(
            id="rounded-down",
            answer=needed_with(lambda d, c: math.floor(c * (d - 1) / (1 - c)), lambda d, c: math.floor(c * d)),
            looks_like="Both numbers are one too small.",
            why="One direction fewer does not reach the wish.",
            look_at="the task: the smallest number that reaches it",
        ),
        Misconception(
            id="one-minus-the-wish",
            answer=needed_with(lambda d, c: math.ceil((1 - c) * (d - 1) / c), lambda d, c: math.ceil((1 - c) * d)),
            looks_like="The numbers belong to the opposite wish: what is left in place of what is reached.",
            why="K / (K + d − 1) is the share along the gradient, and noise is the rest.",
            look_at="notebook 09, section 4: E[cos²]",
        ),
        Misconception(
            id="dimension-one-too-many",
            answer=needed_with(lambda d, c: math.ceil(c * d / (1 - c)), lambda d, c: math.ceil(c * d)),
            looks_like="The plain number is a little too large.",
            why="One of the d dimensions is that of the gradient itself; only d − 1 of them are noise.",
            look_at="notebook 09, section 4: the d − 1 other directions",
        ),
    ],
    hints=(
        "With K independent Gaussian directions E[cos²] = K / (K + d − 1); with orthonormal ones it is K / d.",
        "Set each equal to the wish, solve for K, and round up.",
        "K = c (d − 1) / (1 − c) and K = c d, both rounded up with math.ceil.",
    ),
)


# --- 09.6 the largest learning rate ----------------------------------------------------------------------------------


def largest_rate(d, count, fourth_moment, curvature):
    noise = (d + fourth_moment - 2) / count
    return 2 / (curvature * (1 + noise))


def rate_by_package(d, count, fourth_moment, curvature):
    low, high = (expectations.noise_ratio(d, count, kind) for kind in ("rademacher", "gaussian"))
    return 2 / curvature / (1 + low + (high - low) * (fourth_moment - 1) / 2)


def rate_by_bisection(d, count, fourth_moment, curvature):
    low, high = 0.0, 3.0 / curvature
    for _ in range(200):
        middle = (low + high) / 2
        step = middle * curvature
        grows = (1 - step) ** 2 + step**2 * (d + fourth_moment - 2) / count > 1
        low, high = (low, middle) if grows else (middle, high)
    return np.float64(low)


def rate_by_fractions(d, count, fourth_moment, curvature):
    return 2 * count / (curvature * (count + d + fourth_moment - 2))


def rate_by_root(d, count, fourth_moment, curvature):
    """The other root of (1 − s)² + s² q = 1."""
    q = (d + fourth_moment - 2) / count
    return float(max(np.roots([1 + q, -2.0, 0.0]).real) / curvature)


def rate_from_the_length(d, count, fourth_moment, curvature):
    length = (d + fourth_moment - 1) / count + (count - 1) / count
    return np.array(2.0 / length / curvature)


def rate_with(answer_):
    return lambda d, count, fourth_moment, curvature: answer_(d, count, fourth_moment, curvature)


def hidden_rate(rng):
    kinds = (1.0, 3.0, 1.8, 3.0, 1.0)
    return [case(int(rng.integers(5, 90)), int(rng.integers(2, 30)), k, abs(numbers(rng, 1)[0]) + 0.5) for k in kinds]


RATE = Exercise(
    id="09.6",
    title="The largest learning rate",
    function="largest_rate",
    minutes=12,
    difficulty=2,
    points=3,
    see="notebook 09, section 6",
    reference=largest_rate,
    visible=[
        case(98, 1, 3.0, 1.0),
        case(20, 4, 1.0, 2.5),
        case(50, 10, 3.0, 0.8),
        case(12, 3, 1.8, 1.7),
    ],
    hidden=hidden_rate,
    accepted=[rate_by_package, rate_by_bisection, rate_by_fractions, rate_by_root, rate_from_the_length],
    bank=[
        Misconception(
            id="limit-of-gradient-descent",
            answer=rate_with(lambda d, K, k, c: 2 / c),
            looks_like="The rate is the one that gradient descent can bear.",
            why="Noise is added to every step, and it grows with the square of the rate.",
            look_at="notebook 09, section 6: the price is paid in the step size",
        ),
        Misconception(
            id="best-taken-for-largest",
            answer=rate_with(lambda d, K, k, c: 1 / (c * (1 + (d + k - 2) / K))),
            looks_like="The rate is half of what is asked.",
            why="That is the rate with the fastest progress; up to twice as much still does not diverge.",
            look_at="notebook 09, section 6: best and largest",
        ),
        Misconception(
            id="one-direction-only",
            answer=rate_with(lambda d, K, k, c: 2 / (c * (d + k - 1))),
            looks_like="The rate does not depend on the number of directions.",
            why="The mean of K independent directions has a K-th of the noise.",
            look_at="notebook 09, section 4: averaging K",
        ),
        Misconception(
            id="signal-divided-too",
            answer=rate_with(lambda d, K, k, c: 2 * K / (c * (d + k - 1))),
            looks_like="The rate is too large: everything was divided by K.",
            why="Averaging makes the noise smaller, not the gradient in it.",
            look_at="notebook 09, section 4: 1 + noise / K",
        ),
        Misconception(
            id="distribution-ignored",
            answer=rate_with(lambda d, K, k, c: 2 / (c * (1 + (d - 1) / K))),
            looks_like="The rate is that for signs whatever the fourth moment is.",
            why="Heavier entries make longer estimates.",
            look_at="notebook 09, section 4: what the distribution changes",
        ),
        Misconception(
            id="curvature-forgotten",
            answer=rate_with(lambda d, K, k, c: 2 / (1 + (d + k - 2) / K)),
            looks_like="The rate does not depend on the curvature.",
            why="A step of the same rate is longer where the bowl is steeper.",
            look_at="chapter 03: two over the curvature",
        ),
        Misconception(
            id="curvature-multiplied",
            answer=rate_with(lambda d, K, k, c: 2 * c / (1 + (d + k - 2) / K)),
            looks_like="The rate grows with the curvature.",
            why="The more curved the bowl, the smaller the step that it can bear.",
            look_at="chapter 03: two over the curvature",
        ),
    ],
    hints=(
        "One step is θ − η g. Take the mean of its squared length: E‖θ − η g‖² = ‖θ‖² − 2 η θ·E[g] + η² E‖g‖².",
        "On the bowl the gradient is λθ, and E‖g‖² = λ²‖θ‖² (1 + q), where q is the noise ratio (d + k − 2) / K.",
        "It shrinks as long as 1 − 2ηλ + η²λ²(1 + q) < 1, that is up to η = 2 / (λ (1 + q)).",
    ),
)


# --- 09.7 what a step costs ------------------------------------------------------------------------------------------


def cost_ratios(widths):
    products = [n * m for n, m in pairwise(widths)]
    base, first = sum(products), products[0]
    return {
        "backprop": (3 * base - first) / base,
        "jvp": (3 * base - first) / base,
        "rank_one": (2 * base - first) / base,
    }


def cost_by_layers(widths):
    base = backprop = jvp = rank_one = 0
    for layer in range(len(widths) - 1):
        unit = widths[layer] * widths[layer + 1]
        base += unit
        backprop += unit * (2 if layer == 0 else 3)
        jvp += unit * (2 if layer == 0 else 3)
        rank_one += unit * (1 if layer == 0 else 2)
    return {"backprop": backprop / base, "jvp": jvp / base, "rank_one": rank_one / base}


def cost_by_arrays(widths):
    w = np.array(widths, float)
    units = w[:-1] * w[1:]
    share = units[0] / units.sum()
    return {"rank_one": 2 - share, "jvp": 3 - share, "backprop": np.float64(3 - share)}


def cost_by_products(widths):
    """Count the products one by one: forward, gradient of the weight, gradient of the input."""
    units = [float(np.prod(pair)) for pair in pairwise(widths)]
    forward, weight, inputs = sum(units), sum(units), sum(units[1:])
    moving, change = sum(units[1:]), sum(units)
    return {
        "backprop": (forward + weight + inputs) / forward,
        "jvp": (forward + moving + change) / forward,
        "rank_one": (forward + moving) / forward,
    }


def cost_by_matrices(widths):
    ones = [np.ones((n, m)) for n, m in pairwise(widths)]
    sizes = np.array([m.size for m in ones])
    table = np.array([[2, 2, 1]] + [[3, 3, 2]] * (len(sizes) - 1))
    return dict(zip(("backprop", "jvp", "rank_one"), sizes @ table / sizes.sum(), strict=True))


def cost_float32(widths):
    return {name: np.float32(ratio) for name, ratio in cost_ratios(widths).items()}


def cost_with(first, later):
    def answer(widths):
        units = [n * m for n, m in pairwise(widths)]
        names = ("backprop", "jvp", "rank_one")
        base = sum(units)
        return {
            name: (f * units[0] + g * sum(units[1:])) / base for name, f, g in zip(names, first, later, strict=True)
        }

    return answer


def cost_last_layer(widths):
    units = [n * m for n, m in pairwise(widths)]
    share = units[-1] / sum(units)
    return {"backprop": 3 - share, "jvp": 3 - share, "rank_one": 2 - share}


def cost_by_units(widths):
    share = widths[0] / sum(widths)
    return {"backprop": 3 - share, "jvp": 3 - share, "rank_one": 2 - share}


def hidden_cost(rng):
    return [case([int(n) for n in rng.integers(5, 200, depth)]) for depth in (3, 4, 5, 3)]


COST = Exercise(
    id="09.7",
    title="What a step costs",
    function="cost_ratios",
    minutes=12,
    difficulty=2,
    points=3,
    see="notebook 09, section 8",
    reference=cost_ratios,
    visible=[case([784, 1024, 1024, 10]), case([64, 64, 10]), case([30, 50, 20, 40, 5]), case([12, 7, 9])],
    hidden=hidden_cost,
    accepted=[cost_by_layers, cost_by_arrays, cost_by_products, cost_by_matrices, cost_float32],
    bank=[
        Misconception(
            id="forgets-the-first-layer",
            answer=cost_with((3, 3, 2), (3, 3, 2)),
            looks_like="The ratios are 3, 3 and 2 for every network.",
            why="The input of the network does not move and needs no gradient: the first layer saves one product.",
            look_at="notebook 09, section 8: the first layer",
        ),
        Misconception(
            id="counts-passes",
            answer=cost_with((2, 1, 1), (2, 1, 1)),
            looks_like="Backpropagation was counted as two passes and the forward gradient as one.",
            why="A pass with tangents does more products than a plain one, and a backward pass two per layer.",
            look_at="notebook 09, section 8: products, not passes",
        ),
        Misconception(
            id="only-the-tangent-moves",
            answer=cost_with((2, 1, 1), (3, 2, 2)),
            looks_like="In the jvp the product with the direction V is missing.",
            why="The weights move as well, and h V is a product as large as h W.",
            look_at="notebook 09, section 8: three products",
        ),
        Misconception(
            id="half-of-backprop",
            answer=lambda widths: {
                "backprop": (b := cost_ratios(widths)["backprop"]),
                "jvp": b / 2,
                "rank_one": b / 2,
            },
            looks_like="The forward gradient costs half of backpropagation.",
            why="That is the claim, not the count: both need three products per hidden layer.",
            look_at="notebook 09, section 8: products, not passes",
        ),
        Misconception(
            id="rank-one-for-nothing",
            answer=cost_with((2, 2, 1), (3, 3, 1)),
            looks_like="Rank-one directions cost as much as a plain pass.",
            why="The product with V becomes cheap, but the tangent from below still has to go through W.",
            look_at="notebook 09, section 8: what rank one saves",
        ),
        Misconception(
            id="saves-at-the-last-layer",
            answer=cost_last_layer,
            looks_like="The last layer was taken as the one that saves a product.",
            why="It is the input that stands still and asks for no gradient.",
            look_at="notebook 09, section 8: the first layer",
        ),
        Misconception(
            id="counts-units",
            answer=cost_by_units,
            looks_like="Layers were weighted by their units in place of their weights.",
            why="A product of a batch with a weight matrix costs inputs times outputs.",
            look_at="notebook 09, section 8: one unit is n m per example",
        ),
    ],
    hints=(
        "Count products of matrices, each of them inputs times outputs. Do the first layer apart from the others.",
        "Backpropagation in a later layer: forward, gradient of W, gradient of the input. A jvp: h W, t W, h V. With "
        "rank one: h W, t W.",
        "In the first layer nothing flows to or from the input, so each of the three methods saves one product there: "
        "2, 2 and 1.",
    ),
)


# --- 09.8 a layer along a rank-one direction -------------------------------------------------------------------------


def rank_one_layer(h, t, W, b, a, slope):
    return {"tangent": t @ W.T + np.outer(h @ a, b), "gradient": slope * np.outer(b, a)}


def rank_one_dense(h, t, W, b, a, slope):
    V = b[:, None] * a[None, :]
    return {"tangent": np.matmul(t, W.T) + np.matmul(h, V.T), "gradient": V * slope}


def rank_one_einsum(h, t, W, b, a, slope):
    return {
        "gradient": np.einsum(",i,j->ij", slope, b, a),
        "tangent": np.einsum("nj,ij->ni", t, W) + np.einsum("nj,j,i->ni", h, a, b),
    }


def rank_one_stacked(h, t, W, b, a, slope):
    both = np.concatenate([h, t]) @ W.T
    change = both[len(h) :]
    change += (h @ a)[:, None] * b
    return {"tangent": change, "gradient": (slope * b)[:, None] @ a[None]}


def rank_one_loops(h, t, W, b, a, slope):
    out = []
    for x, dx in zip(h, t, strict=True):
        shadow = sum(x[j] * a[j] for j in range(len(a)))
        out.append([sum(W[i][j] * dx[j] for j in range(len(a))) + shadow * b[i] for i in range(len(b))])
    return {"tangent": out, "gradient": [[slope * p * q for q in a] for p in b]}


def rank_one_jvp(h, t, W, b, a, slope):
    V = np.outer(b, a)
    found = gradients.jvp(lambda p: p[0] @ p[1].T, (h, W), (t, V))[1]
    return {"tangent": found, "gradient": slope * V}


def rank_one_float32(h, t, W, b, a, slope):
    found = rank_one_layer(*(np.asarray(p, np.float32) for p in (h, t, W, b, a)), np.float32(slope))
    return {name: part.astype(np.float32) for name, part in found.items()}


def rank_one_with(tangent=None, gradient=None):
    def answer(h, t, W, b, a, slope):
        right = rank_one_layer(h, t, W, b, a, slope)
        return {
            "tangent": tangent(h, t, W, b, a) if tangent else right["tangent"],
            "gradient": gradient(b, a, slope) if gradient else right["gradient"],
        }

    return answer


def rank_one_case(rng, rows, n, m):
    return case(
        array(rng, rows, n), array(rng, rows, n), array(rng, m, n), signs(rng, m), signs(rng, n), numbers(rng, 1)[0]
    )


def hidden_rank_one(rng):
    return [rank_one_case(rng, *shape) for shape in ((3, 4, 2), (2, 3, 5), (4, 2, 3))]


RANK_ONE = Exercise(
    id="09.8",
    title="A layer along a rank-one direction",
    function="rank_one_layer",
    minutes=12,
    difficulty=2,
    points=3,
    see="notebook 09, section 8",
    reference=rank_one_layer,
    visible=[
        rank_one_case(np.random.default_rng(seed), *shape)
        for seed, shape in enumerate(((3, 4, 2), (2, 3, 5), (5, 2, 3)))
    ],
    hidden=hidden_rank_one,
    accepted=[
        rank_one_dense,
        rank_one_einsum,
        rank_one_stacked,
        rank_one_loops,
        rank_one_jvp,
        rank_one_float32,
    ],
    bank=[
        Misconception(
            id="input-stands-still",
            answer=rank_one_with(tangent=lambda h, t, W, b, a: np.outer(h @ a, b)),
            looks_like="The tangent from below is missing.",
            why="What moved in the layers below still has to go through W.",
            look_at="notebook 09, section 8: what rank one saves",
        ),
        Misconception(
            id="weights-stand-still",
            answer=rank_one_with(tangent=lambda h, t, W, b, a: t @ W.T),
            looks_like="The change of the weights is missing in the tangent.",
            why="The weights move along b aᵀ, and that moves the output even if the input stands still.",
            look_at="notebook 09, section 8: the shadow of h on a",
        ),
        Misconception(
            id="shadow-of-the-tangent",
            answer=rank_one_with(tangent=lambda h, t, W, b, a: t @ W.T + np.outer(t @ a, b)),
            looks_like="The tangent of the input met the direction of the weights.",
            why="That is tangent times tangent, of second order; the direction acts on the value of the input.",
            look_at="notebook 09, section 1: the rule for a product",
        ),
        Misconception(
            id="left-out-slope",
            answer=rank_one_with(gradient=lambda b, a, s: np.outer(b, a)),
            looks_like="The gradient is the direction alone.",
            why="The direction has to be multiplied by how steep it was along it.",
            look_at="notebook 09, section 2: multiply by the direction",
        ),
        Misconception(
            id="gradient-lying-down",
            answer=rank_one_with(gradient=lambda b, a, s: s * np.outer(a, b)),
            looks_like="The gradient is transposed.",
            why="A gradient has the shape of its weight: outputs by inputs, so b comes first.",
            look_at="the task: W has shape (m, n)",
        ),
        Misconception(
            id="length-one",
            answer=rank_one_with(gradient=lambda b, a, s: s * np.outer(b, a) / math.sqrt(a.size * b.size)),
            looks_like="The gradient is divided by the square root of the number of weights.",
            why="Entries of ±1 are what makes the second moment the identity; nothing is to be normalised.",
            look_at="notebook 09, section 3: what is asked of v",
        ),
        Misconception(
            id="sum-over-the-batch",
            answer=rank_one_with(tangent=lambda h, t, W, b, a: t @ W.T + np.sum(h @ a) * b),
            looks_like="Every example got the sum of all shadows.",
            why="Each row of h throws its own shadow on a.",
            look_at="notebook 09, section 8: an outer product",
        ),
    ],
    hints=(
        "Start from the dense rule for y = h Wᵀ: the tangent is t Wᵀ + h Vᵀ. Now put V = b aᵀ.",
        "h Vᵀ = h (b aᵀ)ᵀ = (h a) bᵀ: one number per example, h a, times the signs b.",
        "The tangent is t Wᵀ plus the outer product of h a with b; the gradient is slope times that of b with a.",
    ),
    equivalent_mutants={
        "`slope * np.outer(b, a)` → `slope / np.outer(b, a)`": "one over a sign is the sign",
    },
)


# --- 09.9 perturb what the units say ---------------------------------------------------------------------------------


def activity_gradient(x, noise, slopes):
    return (slopes[:, None] * noise).T @ x / len(x)


def activity_loop(x, noise, slopes):
    total = np.zeros((noise.shape[1], x.shape[1]))
    for n in range(len(x)):
        total += slopes[n] * np.outer(noise[n], x[n])
    return total / len(x)


def activity_einsum(x, noise, slopes):
    return np.einsum("n,ni,nj->ij", slopes, noise, x) / x.shape[0]


def activity_mean(x, noise, slopes):
    return np.mean(slopes[:, None, None] * noise[:, :, None] * x[:, None, :], axis=0)


def activity_lists(x, noise, slopes):
    rows, q, p = len(x), len(noise[0]), len(x[0])
    return [[sum(slopes[n] * noise[n][i] * x[n][j] for n in range(rows)) / rows for j in range(p)] for i in range(q)]


def activity_diagonal(x, noise, slopes):
    return noise.T @ np.diag(slopes / len(slopes)) @ x


def activity_float32(x, noise, slopes):
    return activity_gradient(*(np.asarray(part, np.float32) for part in (x, noise, slopes)))


def hidden_activity(rng):
    return [case(array(rng, B, p), array(rng, B, q), array(rng, B)) for B, p, q in ((4, 3, 2), (3, 2, 5), (6, 4, 3))]


ACTIVITY = Exercise(
    id="09.9",
    title="Perturb what the units say",
    function="activity_gradient",
    minutes=12,
    difficulty=2,
    points=3,
    see="notebook 09, section 9",
    reference=activity_gradient,
    visible=hidden_activity(np.random.default_rng(5)),
    hidden=hidden_activity,
    accepted=[activity_loop, activity_einsum, activity_mean, activity_lists, activity_diagonal, activity_float32],
    bank=[
        Misconception(
            id="one-slope-for-all",
            answer=lambda x, noise, slopes: np.mean(slopes) * noise.T @ x / len(x),
            looks_like="Every example was multiplied by the mean slope.",
            why="Each example knows how its own loss moved; mixing them first throws that away.",
            look_at="notebook 09, section 9: keep the slopes apart",
        ),
        Misconception(
            id="sum-over-the-batch",
            answer=lambda x, noise, slopes: (slopes[:, None] * noise).T @ x,
            looks_like="The gradient is larger by the number of examples.",
            why="The loss is the mean over the batch.",
            look_at="the task: the mean of the losses",
        ),
        Misconception(
            id="gradient-lying-down",
            answer=lambda x, noise, slopes: x.T @ (slopes[:, None] * noise) / len(x),
            looks_like="The gradient is transposed.",
            why="A gradient has the shape of its weight: outputs by inputs.",
            look_at="the task: shape (q, p)",
        ),
        Misconception(
            id="slopes-forgotten",
            answer=lambda x, noise, slopes: noise.T @ x / len(x),
            looks_like="The slopes are missing.",
            why="The noise alone says what was tried, not whether it helped.",
            look_at="notebook 09, section 2: multiply by the direction",
        ),
        Misconception(
            id="noise-forgotten",
            answer=lambda x, noise, slopes: np.outer(np.ones(noise.shape[1]), slopes @ x / len(x)),
            looks_like="All rows of the gradient are the same: the noise is missing.",
            why="A slope goes to a unit with the sign of what that unit tried.",
            look_at="notebook 09, section 9: credit",
        ),
        Misconception(
            id="means-multiplied",
            answer=lambda x, noise, slopes: np.outer((slopes[:, None] * noise).mean(axis=0), x.mean(axis=0)),
            looks_like="The batch was averaged before the product was taken.",
            why="The mean of products is not the product of means.",
            look_at="notebook 09, section 9: one product per example",
        ),
        Misconception(
            id="only-the-sign-of-the-slope",
            answer=lambda x, noise, slopes: (np.sign(slopes)[:, None] * noise).T @ x / len(x),
            looks_like="Only the signs of the slopes were used.",
            why="How much the loss moved counts as well: the estimate must be right on average.",
            look_at="notebook 09, section 2",
        ),
    ],
    hints=(
        "One example first: its output was shaken by noise[n], its loss answered with slopes[n], its input was x[n].",
        "The estimate of that example's gradient at the outputs is slopes[n] * noise[n]; the weight gets the outer "
        "product with x[n], as in backpropagation.",
        "Weight the rows of the noise by the slopes, multiply its transpose by x, and divide by the number of rows.",
    ),
)


# --- 09.10 how slow will it be? --------------------------------------------------------------------------------------


def predicted_steps(d, count, shrink):
    noise = (d - 1) / count
    rate = noise / (1 + noise)
    return math.log(shrink) / math.log(rate)


def steps_by_package(d, count, shrink):
    return expectations.slowdown(d, shrink, count)[0]


def steps_by_doubling(d, count, shrink):
    return np.log(1 / shrink) / -np.log1p(-count / (count + d - 1))


def steps_by_base(d, count, shrink):
    return math.log(shrink, (d - 1) / (d - 1 + count))


def steps_by_walking(d, count, shrink):
    """Whole steps, then the part of the last one."""
    rate, size, steps = 1 - 1 / (1 + (d - 1) / count), 1.0, 0
    while size * rate > shrink:
        size *= rate
        steps += 1
    return steps + np.log(shrink / size) / np.log(rate)


def steps_by_minimum(d, count, shrink):
    """The best rate found by asking for the smallest contraction."""
    q = (d - 1) / count
    lr = 1 / (1 + q)
    return float(np.log(shrink) / np.log((1 - lr) ** 2 + lr**2 * q))


def steps_with(rate):
    return lambda d, count, shrink: math.log(shrink) / math.log(rate(d, count))


def hidden_steps(rng):
    return [
        case(int(rng.integers(8, 400)), int(rng.integers(2, 20)), round(float(rng.uniform(0.01, 0.3)), 3))
        for _ in range(5)
    ]


STEPS = Exercise(
    id="09.10",
    title="How slow will it be?",
    function="predicted_steps",
    minutes=12,
    difficulty=3,
    points=3,
    see="notebook 09, section 10",
    reference=predicted_steps,
    visible=[case(100, 1, 0.01), case(50, 8, 0.05), case(300, 3, 0.2), case(12, 4, 0.02)],
    hidden=hidden_steps,
    accepted=[steps_by_package, steps_by_doubling, steps_by_base, steps_by_walking, steps_by_minimum],
    bank=[
        Misconception(
            id="d-over-k",
            answer=lambda d, count, shrink: d / count,
            looks_like="The number of steps is d / K whatever the factor is.",
            why="That is about the steps for a factor of e; each further factor costs as many again.",
            look_at="notebook 09, section 10: a factor per step",
        ),
        Misconception(
            id="one-direction-only",
            answer=steps_with(lambda d, K: 1 - 1 / d),
            looks_like="The number of steps does not depend on K.",
            why="K directions make the noise smaller and allow a larger rate.",
            look_at="notebook 09, section 4: averaging K",
        ),
        Misconception(
            id="square-root-rule",
            answer=steps_with(lambda d, K: 1 - 1 / (1 + math.sqrt((d - 1) / K))),
            looks_like="The number of steps grows with the square root of d.",
            why="The rate must be small against the variance, which grows with d, not against its root.",
            look_at="notebook 09, section 6: the price is paid in the step size",
        ),
        Misconception(
            id="length-not-squared",
            answer=lambda d, count, shrink: 2 * predicted_steps(d, count, shrink),
            looks_like="The number of steps is twice too large.",
            why="The factor is given for the mean of ‖θ‖², not of ‖θ‖.",
            look_at="the task: the mean square",
        ),
        Misconception(
            id="gaussian-for-signs",
            answer=steps_with(lambda d, K: 1 - 1 / (1 + (d + 1) / K)),
            looks_like="The number of steps is that for Gaussian directions, a little too large.",
            why="With signs the noise ratio is (d − 1) / K.",
            look_at="notebook 09, section 4: what the distribution changes",
        ),
        Misconception(
            id="linear-progress",
            answer=lambda d, count, shrink: (1 - shrink) * (1 + (d - 1) / count),
            looks_like="Each step was thought to take away the same amount.",
            why="Each step takes away the same share of what is left.",
            look_at="notebook 09, section 10: a factor per step",
        ),
        Misconception(
            id="largest-rate-in-place-of-best",
            answer=steps_with(
                lambda d, K: (1 - 1.5 / (1 + (d - 1) / K)) ** 2 + (1.5 / (1 + (d - 1) / K)) ** 2 * (d - 1) / K
            ),
            looks_like="The number of steps belongs to a learning rate half as large again as the best one.",
            why="Beyond the best rate noise eats what the longer step gains.",
            look_at="notebook 09, section 6: best and largest",
        ),
    ],
    hints=(
        "On the bowl one step multiplies E‖θ‖² by (1 − η)² + η² q with q = (d − 1) / K. Which η makes that smallest?",
        "η = 1 / (1 + q), and the factor per step is then 1 − 1 / (1 + q) = q / (1 + q).",
        "After n steps the mean square is (q / (1 + q))ⁿ of what it was: n = log(shrink) / log(q / (1 + q)).",
    ),
)

EXERCISES = [ONE_SAMPLE, DUAL, NETWORK, MOMENTS, NEEDED, RATE, COST, RANK_ONE, ACTIVITY, STEPS]
