"""Chapter 04, vector backpropagation: what each exercise asks, and the wrong ideas that it must recognise.

The wrong ideas are those that tests with a cotangent of ones, square matrices or small logits let through: the incoming
gradient ignored, a Jacobian taken for its diagonal, a matrix not transposed, an exponential that overflows.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from coursepkg import gradients
from coursepkg.autodiff.tensor import Tensor
from coursepkg.grading.spec import Exercise, Misconception, case


def numbers(rng, *shape, low=0.4, high=2.5):
    """Numbers of both signs, none of them near zero, with few digits so that feedback reads well."""
    return (rng.choice([-1.0, 1.0], size=shape) * rng.uniform(low, high, size=shape)).round(3)


# --- 04.1 ReLU and its leaky cousin ----------------------------------------------------------------------------------


def relu_vjp(x, g, slope):
    return np.array([gi if xi > 0 else slope * gi for xi, gi in zip(x, g, strict=True)])


def relu_where(x, g, slope):
    return np.where(np.asarray(x) > 0, 1.0, slope) * g


def relu_mask(x, g, slope):
    positive = np.asarray(x) > 0
    return [*(positive * np.asarray(g) + ~positive * slope * np.asarray(g))]


def relu_jacobian(x, g, slope):
    return np.array(g) @ np.diag([1.0 if xi > 0 else slope for xi in x])


def relu_engine(x, g, slope):
    leaf = Tensor(np.asarray(x, dtype=float), requires_grad=True)
    np.where(leaf > 0, leaf, slope * leaf).backward(np.asarray(g, dtype=float))
    return leaf.grad


def relu_float32(x, g, slope):
    x_bar = np.array(g, dtype=np.float32)
    x_bar[np.array(x) <= 0] *= np.float32(slope)
    return x_bar


def slopes(x, slope):
    return np.where(np.asarray(x) > 0, 1.0, slope)


def relu_cases(rng):
    drawn = []
    for n in (3, 5, 6, 4):
        x = numbers(rng, n)
        x[:2] = abs(x[0]), -abs(x[1])
        g = numbers(rng, n)
        g[:3] = -abs(g[0]), abs(g[1]), abs(g[2])
        drawn.append(case(x, g, round(float(rng.uniform(0.1, 0.4)), 2)))
    x = numbers(rng, 4)
    x[2] = 0.0
    return [*drawn, case(x, numbers(rng, 4), 0.25)]


RELU = Exercise(
    id="04.1",
    title="Backward through ReLU, and its leaky cousin",
    function="relu_vjp",
    minutes=6,
    difficulty=1,
    points=2,
    see="notebook 04, section 3, 'ReLU'",
    reference=relu_vjp,
    visible=[
        case(np.array([1.0, -2.0, 3.0, -1.0]), np.array([4.0, -1.0, 5.0, 9.0]), 0.0),
        case(np.array([-0.5, 2.0, 0.0]), np.array([3.0, -1.5, 2.0]), 0.1),
        case(np.array([1.5, -0.7, -2.2, 0.9, -1.1]), np.array([-2.0, 0.8, -1.2, 2.5, 1.7]), 0.2),
        case(np.array([-1.3, 0.6]), np.array([-0.9, -2.4]), 0.3),
    ],
    hidden=relu_cases,
    accepted=[relu_where, relu_mask, relu_jacobian, relu_engine, relu_float32],
    bank=[
        Misconception(
            id="ignores-upstream",
            answer=lambda x, g, slope: slopes(x, slope),
            looks_like="Your answer holds the slopes of the function; g has left no trace.",
            why="Something comes after this layer, and g is what it reports. A vjp is a product: g times the Jacobian.",
            look_at="notebook 04, section 3, 'Two products'",
        ),
        Misconception(
            id="masks-by-the-upstream",
            answer=lambda x, g, slope: slopes(g, slope) * g,
            looks_like="You decided by the sign of g which entries to let through.",
            why="Whether a nudge of x passes depends on where x stood in the forward pass, not on who asks.",
            look_at="notebook 04, section 3, 'ReLU'",
        ),
        Misconception(
            id="hands-out-the-output",
            answer=lambda x, g, slope: slopes(x, slope) * x * g,
            looks_like="You multiplied g by the output of the layer.",
            why="The output says how large y is. The local derivative says how far y moves when x moves by one.",
            look_at="notebook 04, section 3, 'ReLU'",
        ),
        Misconception(
            id="lets-all-through",
            answer=lambda x, g, slope: np.array(g),
            looks_like="You returned g unchanged.",
            why="Where x is negative, a nudge of x comes out smaller, or not at all; so does the gradient.",
            look_at="notebook 04, section 3, 'ReLU'",
        ),
        Misconception(
            id="mask-turned-round",
            answer=lambda x, g, slope: np.where(np.asarray(x) > 0, slope, 1.0) * g,
            looks_like="You let through what should be held back, and the other way round.",
            why="For positive x the output is x itself: a nudge passes unchanged.",
            look_at="notebook 04, section 3, 'ReLU'",
        ),
        Misconception(
            id="returns-the-jacobian",
            answer=lambda x, g, slope: np.diag(slopes(x, slope)),
            looks_like="You returned the whole Jacobian, a matrix.",
            why="What travels backward is a vector with the shape of x: the gradient of the loss, g times that matrix.",
            look_at="notebook 04, section 3, 'Two products'",
        ),
        Misconception(
            id="product-not-summed",
            answer=lambda x, g, slope: np.diag(slopes(x, slope)) * np.asarray(g),
            looks_like="You returned a matrix whose diagonal is the answer.",
            why="`*` multiplies entry by entry. A vector times a matrix also sums, and gives a vector.",
            look_at="notebook 04, section 3, 'Two products'",
        ),
        Misconception(
            id="forgets-the-leak",
            answer=lambda x, g, slope: slopes(x, 0.0) * g,
            looks_like="Your answer is right for slope = 0, the plain ReLU, and wrong otherwise.",
            why="A leaky ReLU still moves where x is negative, only more slowly.",
            look_at="the task: for x at most 0 the output is slope times x",
        ),
        Misconception(
            id="adds-everything-up",
            answer=lambda x, g, slope: float(np.sum(slopes(x, slope) * g)),
            looks_like="You returned one number, the sum of all entries.",
            why="A gradient has the shape of its variable: one number for each entry of x.",
            look_at="notebook 04, section 1",
        ),
    ],
    hints=(
        "Each output depends on one input only, so treat the entries one at a time. Which way did entry i take?",
        "Where x is positive, y is x and a nudge passes unchanged. Elsewhere y is slope times x. What becomes of g?",
        "Entry i of the answer is g[i] where x[i] > 0, and g[i] shrunk by the slope where it is not; np.where chooses "
        "between the two.",
    ),
)


# --- 04.2 an affine layer --------------------------------------------------------------------------------------------


def affine_vjp(W, x, g):
    return {"W": np.outer(g, x), "x": W.T @ g, "b": g}


def affine_loops(W, x, g):
    rows, columns = len(W), len(W[0])
    return {
        "b": [float(gi) for gi in g],
        "x": [sum(g[i] * W[i][j] for i in range(rows)) for j in range(columns)],
        "W": [[g[i] * x[j] for j in range(columns)] for i in range(rows)],
    }


def affine_einsum(W, x, g):
    return {"W": np.einsum("i,j->ij", g, x), "x": np.einsum("i,ij->j", g, W), "b": g.copy()}


def affine_broadcast(W, x, g):
    return {"W": g[:, None] * x, "x": (g[:, None] * W).sum(axis=0), "b": 1.0 * g}


def affine_engine(W, x, g):
    W_bar, x_bar, b_bar = gradients.vjp(lambda W, x, b: W @ x + b, W, x, np.zeros(len(W)))[1](g)
    return {"W": W_bar, "x": x_bar, "b": b_bar}


def affine_jacobians(W, x, g):
    wide = np.kron(np.eye(len(W)), x)
    return {"W": (g @ wide).reshape(W.shape), "x": g @ W, "b": g @ np.eye(len(W))}


def affine_float32(W, x, g):
    W, x, g = (np.asarray(item, dtype=np.float32) for item in (W, x, g))
    return {"W": g.reshape(-1, 1) @ x.reshape(1, -1), "x": g @ W, "b": g}


def affine_but(**wrong):
    """The right answer with some entries replaced."""

    def answer(W, x, g):
        return affine_vjp(W, x, g) | {name: rule(W, x, g) for name, rule in wrong.items()}

    return answer


def affine_cases(rng):
    return [case(numbers(rng, m, n), numbers(rng, n), numbers(rng, m)) for m, n in ((2, 3), (4, 2), (3, 3), (2, 5))]


AFFINE = Exercise(
    id="04.2",
    title="Backward through W x + b",
    function="affine_vjp",
    minutes=10,
    difficulty=2,
    points=3,
    see="notebook 04, section 4",
    reference=affine_vjp,
    visible=[
        case(np.array([[1.0, -2.0, 0.5], [0.7, 1.5, -1.2]]), np.array([2.0, -1.0, 0.4]), np.array([1.5, -0.5])),
        case(np.array([[0.8, -1.1], [2.0, 0.6], [-0.9, 1.7]]), np.array([-1.4, 0.9]), np.array([0.5, -2.0, 1.2])),
        case(np.array([[1.3, -0.4], [0.9, 2.1]]), np.array([0.6, -1.8]), np.array([-1.0, 0.7])),
        case(np.array([[0.5, -1.5, 2.0, 0.9]]), np.array([1.0, 0.8, -0.6, 1.4]), np.array([-3.0])),
    ],
    hidden=affine_cases,
    accepted=[
        affine_loops,
        affine_einsum,
        affine_broadcast,
        affine_engine,
        affine_jacobians,
        affine_float32,
    ],
    bank=[
        Misconception(
            id="forgets-to-transpose",
            answer=affine_but(x=lambda W, x, g: W @ g),
            looks_like="For `x` you multiplied by W itself: an error where W is not square, wrong numbers where it is.",
            why="Forward, row i of W collects into output i. Backward, column j tells what input j did to all outputs.",
            look_at="notebook 04, section 4, 'The square trap'",
        ),
        Misconception(
            id="outer-exchanged",
            answer=affine_but(W=lambda W, x, g: np.outer(x, g)),
            looks_like="Your gradient of `W` has rows and columns exchanged.",
            why="A gradient has the shape of its variable. W[i, j] links input j to output i.",
            look_at="notebook 04, section 4, 'The gradient of the weights'",
        ),
        Misconception(
            id="weights-ignore-upstream",
            answer=affine_but(W=lambda W, x, g: np.outer(np.ones(len(W)), x)),
            looks_like="Every row of your gradient of `W` is x.",
            why="That is the local derivative. Each row still waits for what its own output was told: g[i].",
            look_at="notebook 04, section 4, 'The gradient of the weights'",
        ),
        Misconception(
            id="input-ignores-upstream",
            answer=affine_but(x=lambda W, x, g: W.sum(axis=0)),
            looks_like="For `x` you added up the columns of W, as if g were all ones.",
            why="With g = (1, ..., 1) this would be right, which is why tests should never use ones.",
            look_at="notebook 04, section 8, 'What ones cannot see'",
        ),
        Misconception(
            id="bias-gets-ones",
            answer=affine_but(b=lambda W, x, g: np.ones(len(g))),
            looks_like="For `b` you returned ones.",
            why="One is the local derivative of W x + b by b; it is multiplied by what arrives.",
            look_at="notebook 04, section 3, 'Two products'",
        ),
        Misconception(
            id="bias-gets-the-sum",
            answer=affine_but(b=lambda W, x, g: float(np.sum(g))),
            looks_like="For `b` you returned one number, the sum of g.",
            why="There is one bias for each output. Sums over examples come with batches; here there is one example.",
            look_at="notebook 04, section 1",
        ),
        Misconception(
            id="weights-keep-their-own",
            answer=affine_but(W=lambda W, x, g: g[:, None] * W),
            looks_like="In the gradient of `W` you multiplied g by W itself.",
            why="In a product each factor gets the other one: the rate of W[i, j] is what it was multiplied by.",
            look_at="notebook 04, section 4, 'The gradient of the weights'",
        ),
        Misconception(
            id="input-keeps-its-own",
            answer=affine_but(x=lambda W, x, g: x * np.sum(g)),
            looks_like="For `x` you returned multiples of x itself.",
            why="In a product each factor gets the other one: what x does to the outputs is written in W.",
            look_at="notebook 04, section 4",
        ),
        Misconception(
            id="input-not-summed",
            answer=affine_but(x=lambda W, x, g: g[:, None] * W),
            looks_like="For `x` you returned a matrix.",
            why="Input j takes part in every output, and where paths meet, gradients add.",
            look_at="notebook 04, section 4",
        ),
    ],
    hints=(
        "Write one output down: y[i] is the sum over j of W[i, j] x[j], plus b[i]. Which of these numbers does b[i] "
        "touch, which does W[i, j], and which does x[j]?",
        "b[i] and W[i, j] act on y[i] alone. x[j] acts on all outputs, so its gradient is a sum over i. Look at shapes "
        "when you are done.",
        "Three lines: the gradient of b is what arrives; that of W is an outer product of g and x, in the order that "
        "gives W's shape; that of x multiplies g by the transpose.",
    ),
)


# --- 04.3 softmax with a temperature ---------------------------------------------------------------------------------


def softmax_vjp(z, tau, g):
    e = np.exp((z - np.max(z)) / tau)
    p = e / np.sum(e)
    z_bar = p * (g - np.sum(g * p)) / tau
    return {"z": z_bar, "tau": -np.sum(z_bar * z) / tau}


def softmax_of(z):
    e = np.exp(np.asarray(z) - np.max(z))
    return e / e.sum()


def softmax_by_jacobian(z, tau, g):
    p = softmax_of(z / tau)
    u_bar = (np.diag(p) - np.outer(p, p)) @ g
    return {"tau": u_bar @ (-z / tau**2), "z": u_bar @ (np.eye(len(z)) / tau)}


def softmax_loops(z, tau, g):
    top = max(z)
    e = [math.exp((zi - top) / tau) for zi in z]
    p = [ei / sum(e) for ei in e]
    mean = sum(pi * gi for pi, gi in zip(p, g, strict=True))
    u_bar = [pi * (gi - mean) for pi, gi in zip(p, g, strict=True)]
    return {
        "z": [ui / tau for ui in u_bar],
        "tau": -sum(ui * (zi - top) for ui, zi in zip(u_bar, z, strict=True)) / tau**2,
    }


def softmax_two_terms(z, tau, g):
    u = z / tau
    p = np.exp(u - np.logaddexp.reduce(u))
    u_bar = p * g - p * (p @ g)
    return {"z": u_bar / tau, "tau": np.array(-(u_bar @ u) / tau)}


def softmax_pairs(z, tau, g):
    p, n = softmax_of(z / tau), len(z)
    z_bar = [sum(p[i] * p[j] * (g[i] - g[j]) for j in range(n)) / tau for i in range(n)]
    return {"z": z_bar, "tau": sum(-z_bar[i] * z[i] / tau for i in range(n))}


def softmax_engine(z, tau, g):
    def softmax(z, tau):
        e = np.exp((z - np.max(z)) / tau)
        return e / np.sum(e)

    z_bar, tau_bar = gradients.vjp(softmax, np.asarray(z), np.asarray(tau))[1](np.asarray(g))
    return {"z": z_bar, "tau": tau_bar}


def softmax_complex(z, tau, g):
    h = 1e-30
    z = np.asarray(z) - np.max(z)

    def f(z, tau):
        e = np.exp(z / tau)
        return np.sum(g * e) / np.sum(e)

    z_bar = [f(z + 1j * h * row, tau).imag / h for row in np.eye(len(z))]
    return {"z": z_bar, "tau": f(z, tau + 1j * h).imag / h}


def with_softmax(rule):
    """A wrong rule for softmax itself, and the temperature treated rightly after it."""

    def answer(z, tau, g):
        u_bar = rule(softmax_of(z / tau), np.asarray(g))
        return {"z": u_bar / tau, "tau": -(u_bar @ z) / tau**2}

    return answer


def with_temperature(rule):
    """Softmax treated rightly, and a wrong rule of (z, tau, gradient at z / tau) after it."""

    def answer(z, tau, g):
        p = softmax_of(z / tau)
        return rule(z, tau, p * (g - p @ g))

    return answer


def softmax_overflows(z, tau, g):
    with np.errstate(all="ignore"):
        e = np.exp(np.asarray(z) / tau)
        p = e / e.sum()
        u_bar = p * (g - np.sum(g * p))
        return {"z": u_bar / tau, "tau": -(u_bar @ z) / tau**2}


def softmax_cases(rng):
    drawn = [case(numbers(rng, n), temperature(rng), numbers(rng, n)) for n in (3, 5, 4, 2)]
    wide = np.array([1000.0, 999.0, -40.0]) + numbers(rng, 3)
    return [*drawn, case(wide, temperature(rng, 0.6, 0.9), numbers(rng, 3))]


def temperature(rng, low=0.5, high=2.5):
    drawn = round(float(rng.uniform(low, high)), 2)
    return drawn if abs(drawn - 1) > 0.15 else 1.3


SOFTMAX = Exercise(
    id="04.3",
    title="Backward through softmax with a temperature",
    function="softmax_vjp",
    minutes=15,
    difficulty=3,
    points=5,
    see="notebook 04, section 5",
    reference=softmax_vjp,
    visible=[
        case(np.array([2.0, 1.0, -1.0]), 0.5, np.array([1.5, -0.5, 2.0])),
        case(np.array([0.5, -0.7, 1.2, -1.6]), 2.0, np.array([-2.0, 1.0, 0.6, 3.0])),
        case(np.array([-0.4, 0.9]), 1.5, np.array([2.2, -1.3])),
        case(np.array([1000.0, 998.5, -2.0]), 0.8, np.array([0.8, -1.7, 2.4])),
    ],
    hidden=softmax_cases,
    accepted=[
        softmax_by_jacobian,
        softmax_loops,
        softmax_two_terms,
        softmax_pairs,
        softmax_engine,
        softmax_complex,
    ],
    bank=[
        Misconception(
            id="diagonal-only",
            answer=with_softmax(lambda p, g: p * (1 - p) * g),
            looks_like="For softmax you used p (1 - p) times g, the diagonal of the Jacobian and nothing else.",
            why="That is the sigmoid's rule. Softmax shares out a total of one: raising one logit lowers the others.",
            look_at="notebook 04, section 5, 'Every output feels every logit'",
        ),
        Misconception(
            id="returns-the-jacobian",
            answer=with_softmax(lambda p, g: np.diag(p) - np.outer(p, p)),
            looks_like="You used the whole Jacobian of softmax in place of its product with g.",
            why="What travels backward is a vector with the shape of z: the product of g with that matrix.",
            look_at="notebook 04, section 3, 'Two products'",
        ),
        Misconception(
            id="forgets-the-others",
            answer=with_softmax(lambda p, g: p * g),
            looks_like="For softmax you used p times g, entry by entry.",
            why="All logits stand in the denominator, and that path is missing.",
            look_at="notebook 04, section 5, 'Every output feels every logit'",
        ),
        Misconception(
            id="sum-without-weights",
            answer=with_softmax(lambda p, g: p * (g - np.sum(g))),
            looks_like="You subtracted the plain sum of g.",
            why="Each entry of g counts by the probability that it belongs to: an average with weights p.",
            look_at="notebook 04, section 5, 'The product without the matrix'",
        ),
        Misconception(
            id="plain-mean",
            answer=with_softmax(lambda p, g: p * (g - np.mean(g))),
            looks_like="You subtracted the plain mean of g.",
            why="Each entry of g counts by the probability that it belongs to: an average with weights p.",
            look_at="notebook 04, section 5, 'The product without the matrix'",
        ),
        Misconception(
            id="forgets-the-factor",
            answer=with_softmax(lambda p, g: g - np.sum(g * p)),
            looks_like="The difference in your brackets is right, but a factor in front is missing.",
            why="A logit whose probability is nearly zero has nearly no say; its gradient must be nearly zero, too.",
            look_at="notebook 04, section 5, 'The product without the matrix'",
        ),
        Misconception(
            id="plus-for-minus",
            answer=with_softmax(lambda p, g: p * (g + np.sum(g * p))),
            looks_like="The second term has the wrong sign.",
            why="Adding the same number to all logits changes nothing, so your entries must sum to zero.",
            look_at="notebook 04, section 5, 'A direction that does nothing'",
        ),
        Misconception(
            id="mixed-up-with-the-loss",
            answer=with_softmax(lambda p, g: p - g),
            looks_like="You subtracted g from the probabilities.",
            why="Probabilities minus targets is what softmax and cross-entropy give together. Here g is any gradient.",
            look_at="notebook 04, section 5, 'Softmax meets cross-entropy'",
        ),
        Misconception(
            id="logits-forget-the-temperature",
            answer=with_temperature(lambda z, tau, u_bar: {"z": u_bar, "tau": -(u_bar @ z) / tau**2}),
            looks_like="Your `tau` is right; your `z` stops at the scaled logits.",
            why="Softmax sees z divided by tau. One more step leads back to z.",
            look_at="notebook 04, section 7: each layer hands on to the one before",
        ),
        Misconception(
            id="temperature-upside-down",
            answer=with_temperature(lambda z, tau, u_bar: {"z": u_bar / tau, "tau": (u_bar @ z) / tau**2}),
            looks_like="Your `tau` has the wrong sign.",
            why="A higher temperature makes every positive scaled logit smaller: 1 / tau falls when tau grows.",
            look_at="notebook 02, section 6: a division is a product with a negative power",
        ),
        Misconception(
            id="temperature-divides-once",
            answer=with_temperature(lambda z, tau, u_bar: {"z": u_bar / tau, "tau": -(u_bar @ z) / tau}),
            looks_like="Your `tau` misses one division by the temperature.",
            why="The slope of 1 / tau is steeper than 1 / tau itself when tau is small.",
            look_at="notebook 02, section 6: a division is a product with a negative power",
        ),
        Misconception(
            id="temperature-not-summed",
            answer=with_temperature(lambda z, tau, u_bar: {"z": u_bar / tau, "tau": -u_bar * z / tau**2}),
            looks_like="For `tau` you returned one number for each logit.",
            why="One temperature is used by all logits, and where a value fans out, gradients add.",
            look_at="notebook 02, section 5: gradients add where a value fans out",
        ),
        Misconception(
            id="overflows",
            answer=softmax_overflows,
            looks_like="Your numbers are right for small logits, and `nan` where a logit is 1000.",
            why="exp(1000) is more than a float can hold. Softmax does not change when all logits move together.",
            look_at="notebook 04, section 6",
        ),
    ],
    hints=(
        "Two steps: u = z / tau, then p = softmax(u). Go backward through the second one first: what leaves at u?",
        "At u: p times the difference between g and the average of g with weights p. Then the division: z and tau are "
        "both inputs of it, and tau is used by every logit.",
        "Let u_bar leave softmax. The gradient of z is u_bar / tau. That of tau is one number: the sum of u_bar times "
        "the slope of z / tau by tau, which is -z / tau**2.",
    ),
)


# --- 04.4 cross-entropy from logits ----------------------------------------------------------------------------------


def cross_entropy(z, t):
    top = np.max(z)
    e = np.exp(z - top)
    total = np.sum(e)
    return {"loss": top + np.log(total) - np.sum(t * z), "z": e / total - t}


def cross_entropy_logs(z, t):
    log_p = z - np.logaddexp.reduce(z)
    return {"loss": -np.sum(t * log_p), "z": np.exp(log_p) - t}


def cross_entropy_loops(z, t):
    top = max(z)
    lse = top + math.log(sum(math.exp(zi - top) for zi in z))
    loss = sum(ti * (lse - zi) for zi, ti in zip(z, t, strict=True))
    return {"z": [math.exp(zi - lse) - ti for zi, ti in zip(z, t, strict=True)], "loss": loss}


def cross_entropy_by_vjp(z, t):
    z, t = np.array(z), np.array(t)
    log_p = z - z.max() - np.log(np.exp(z - z.max()).sum())
    g = -t
    return {"loss": -(t @ log_p), "z": g - np.exp(log_p) * g.sum()}


def cross_entropy_engine(z, t):
    def loss(z):
        shifted = z - np.max(z)
        return np.log(np.sum(np.exp(shifted))) - np.sum(t * shifted)

    value, gradient = gradients.value_and_gradient(loss)(z)
    return {"loss": float(value), "z": gradient.tolist()}


def cross_entropy_scipy(z, t):
    from scipy.special import logsumexp, softmax

    return {"loss": np.array(logsumexp(z) - np.dot(t, z)), "z": softmax(z) - t}


def cross_entropy_but(loss=None, z=None):
    """The right answer with the loss or the gradient replaced by a rule of (p, z, t)."""

    def answer(logits, t):
        found = cross_entropy(logits, t)
        with np.errstate(all="ignore"):
            p = softmax_of(logits)
            for name, rule in (("loss", loss), ("z", z)):
                if rule is not None:
                    found[name] = rule(p, logits, t)
        return found

    return answer


def cross_entropy_overflows(z, t):
    with np.errstate(all="ignore"):
        e = np.exp(z)
        p = e / e.sum()
        return {"loss": -np.sum(t * np.log(p)), "z": p - t}


def soft(rng, n):
    weights = rng.integers(1, 9, size=n)
    weights[0] += 3
    return weights / weights.sum()


def cross_entropy_cases(rng):
    drawn = [case(numbers(rng, n), soft(rng, n)) for n in (3, 5, 4)]
    drawn.append(case(np.array([1000.0, -30.0, 997.0]) + numbers(rng, 3), soft(rng, 3)))
    return [*drawn, case(numbers(rng, 4), np.eye(4)[int(rng.integers(4))])]


CROSS_ENTROPY = Exercise(
    id="04.4",
    title="Softmax and cross-entropy in one piece",
    function="cross_entropy",
    minutes=12,
    difficulty=2,
    points=4,
    see="notebook 04, sections 5 and 6",
    reference=cross_entropy,
    visible=[
        case(np.array([2.0, 1.0, -1.0]), np.array([0.0, 1.0, 0.0])),
        case(np.array([0.3, -1.1, 0.9, 1.6]), np.array([0.1, 0.2, 0.4, 0.3])),
        case(np.array([-0.8, 1.3]), np.array([0.75, 0.25])),
        case(np.array([1001.0, 998.0, -5.0]), np.array([0.2, 0.5, 0.3])),
    ],
    hidden=cross_entropy_cases,
    accepted=[
        cross_entropy_logs,
        cross_entropy_loops,
        cross_entropy_by_vjp,
        cross_entropy_engine,
        cross_entropy_scipy,
    ],
    bank=[
        Misconception(
            id="targets-minus-outputs",
            answer=cross_entropy_but(z=lambda p, z, t: t - p),
            looks_like="Your gradient `z` has the wrong sign.",
            why="A probability above its target is too large. Raising its logit raises the loss: a positive slope.",
            look_at="notebook 04, section 5, 'Softmax meets cross-entropy'",
        ),
        Misconception(
            id="stops-at-the-probabilities",
            answer=cross_entropy_but(z=lambda p, z, t: -t / p),
            looks_like="Your `z` is the gradient with respect to the probabilities.",
            why="It has one more layer to go: backward through softmax, to the logits.",
            look_at="notebook 04, section 5, 'Softmax meets cross-entropy'",
        ),
        Misconception(
            id="diagonal-only",
            answer=cross_entropy_but(z=lambda p, z, t: t * (p - 1)),
            looks_like="Your `z` leaves out what a logit does to the other probabilities.",
            why="Softmax's Jacobian is not diagonal. Even a class with target zero takes a share of the total.",
            look_at="notebook 04, section 5, 'Every output feels every logit'",
        ),
        Misconception(
            id="hard-target",
            answer=cross_entropy_but(z=lambda p, z, t: p - np.eye(len(t))[int(np.argmax(t))]),
            looks_like="You treated the largest target as 1 and the others as 0.",
            why="Targets may be shared among classes; every one of them pulls with its own weight.",
            look_at="the task: t is a distribution",
        ),
        Misconception(
            id="squared-error-slope",
            answer=cross_entropy_but(z=lambda p, z, t: (p - t) * p * (1 - p)),
            looks_like="Your `z` has an extra factor p (1 - p).",
            why="That factor belongs to a sigmoid with a squared error. With cross-entropy it cancels.",
            look_at="notebook 04, section 5, 'Softmax meets cross-entropy'",
        ),
        Misconception(
            id="forgets-softmax",
            answer=cross_entropy_but(z=lambda p, z, t: z - t),
            looks_like="Your `z` is logits minus targets.",
            why="Logits are no probabilities. Squash them first.",
            look_at="notebook 04, section 5, 'Softmax meets cross-entropy'",
        ),
        Misconception(
            id="one-class-counts",
            answer=cross_entropy_but(
                loss=lambda p, z, t: np.logaddexp.reduce(z) - z[int(np.argmax(t))],
            ),
            looks_like="Your loss looks at the largest target alone.",
            why="Every class adds minus its target times the log of its probability.",
            look_at="the task: the formula of the loss",
        ),
        Misconception(
            id="averages-over-classes",
            answer=lambda z, t: {name: value / len(t) for name, value in cross_entropy(z, t).items()},
            looks_like="Loss and gradient are both divided by the number of classes.",
            why="The sum over classes is no mean. Means are taken over examples, and here there is one.",
            look_at="the task: the formula of the loss",
        ),
        Misconception(
            id="overflows",
            answer=cross_entropy_overflows,
            looks_like="Your numbers are right for small logits, and `nan` or `inf` where a logit is 1000.",
            why="exp(1000) is more than a float can hold, and log(0) is infinite. Take out the largest logit first.",
            look_at="notebook 04, section 6",
        ),
    ],
    hints=(
        "The gradient is shorter than you fear, and section 5 derives it. The work is in the loss: no exponential of a "
        "large number, no logarithm of zero.",
        "log p[i] is z[i] minus the log of the sum of all exponentials. Write that log-sum-exp as the largest logit "
        "plus what is left.",
        "With top = max(z): lse = top + log(sum(exp(z - top))). The loss is the average of lse - z with weights t; the "
        "gradient compares p with t.",
    ),
)


# --- 04.5 normalisation ----------------------------------------------------------------------------------------------


def normalize_vjp(x, g):
    length = np.sqrt(np.sum(x * x))
    y = x / length
    return (g - y * np.sum(y * g)) / length


def normalize_by_jacobian(x, g):
    n = np.linalg.norm(x)
    return g @ (np.eye(len(x)) / n - np.outer(x, x) / n**3)


def normalize_loops(x, g):
    n2 = sum(xi * xi for xi in x)
    dot = sum(xi * gi for xi, gi in zip(x, g, strict=True))
    return [(gi - xi * dot / n2) / math.sqrt(n2) for xi, gi in zip(x, g, strict=True)]


def normalize_two_paths(x, g):
    r = 1 / np.linalg.norm(x)
    r_bar = g @ x
    return r * g + r_bar * -(r**3) * x


def normalize_engine(x, g):
    return gradients.vjp(lambda x: x / np.sqrt(np.sum(x * x)), x)[1](g)


def normalize_complex(x, g):
    def f(x):
        return np.sum(g * x) / np.sqrt(np.sum(x * x))

    return np.array([f(x + 1e-30j * row).imag / 1e-30 for row in np.eye(len(x))])


def normalize_float32(x, g):
    x, g = np.float32(x), np.float32(g)
    y = x / np.linalg.norm(x)
    return (g - y * (y @ g)) / np.linalg.norm(x)


def with_length(rule):
    def answer(x, g):
        n = np.linalg.norm(x)
        return rule(np.asarray(x), np.asarray(x) / n, n, np.asarray(g))

    return answer


def normalize_cases(rng):
    return [case(numbers(rng, n), numbers(rng, n)) for n in (2, 4, 3, 5)]


NORMALIZE = Exercise(
    id="04.5",
    title="Backward through x / |x|",
    function="normalize_vjp",
    minutes=12,
    difficulty=3,
    points=4,
    see="notebook 04, sections 3 and 5: derive a Jacobian, then its product",
    reference=normalize_vjp,
    visible=[
        case(np.array([3.0, -4.0]), np.array([1.0, 2.0])),
        case(np.array([1.0, 2.0, -2.0]), np.array([0.5, -1.5, 2.5])),
        case(np.array([0.6, -1.1, 0.9, 1.4]), np.array([-2.0, 0.7, 1.2, -0.8])),
        case(np.array([-0.5, 0.8, 0.4]), np.array([1.9, -0.6, 1.3])),
    ],
    hidden=normalize_cases,
    accepted=[
        normalize_by_jacobian,
        normalize_loops,
        normalize_two_paths,
        normalize_engine,
        normalize_complex,
        normalize_float32,
    ],
    bank=[
        Misconception(
            id="length-taken-as-constant",
            answer=with_length(lambda x, y, n, g: g / n),
            looks_like="You divided g by the length and stopped there.",
            why="The length depends on x as well. That second path is missing.",
            look_at="notebook 04, section 5: the denominator of softmax is the same kind of path",
        ),
        Misconception(
            id="forgets-to-divide",
            answer=with_length(lambda x, y, n, g: g - y * (y @ g)),
            looks_like="The direction is right, the size is not: a factor that depends on the length is missing.",
            why="A long x turns little when it is nudged. Twice the length, half the gradient.",
            look_at="notebook 04, section 2: what does a nudge do to the output?",
        ),
        Misconception(
            id="projects-along-the-long-x",
            answer=with_length(lambda x, y, n, g: (g - x * (x @ g)) / n),
            looks_like="In the second term you used x where a vector of length one belongs.",
            why="To take out the part of g that points along x, use the direction of x, not its size.",
            look_at="the task: the answer is perpendicular to x",
        ),
        Misconception(
            id="projects-once-long-once-short",
            answer=with_length(lambda x, y, n, g: (g - x * (y @ g)) / n),
            looks_like="In the second term x appears once with its length and once without.",
            why="To take out the part of g that points along x, use the direction of x, not its size.",
            look_at="the task: the answer is perpendicular to x",
        ),
        Misconception(
            id="plus-for-minus",
            answer=with_length(lambda x, y, n, g: (g + y * (y @ g)) / n),
            looks_like="The second term has the wrong sign.",
            why="Growing x makes the length grow, which shrinks the output. The two paths work against each other.",
            look_at="the task: the answer is perpendicular to x",
        ),
        Misconception(
            id="diagonal-only",
            answer=with_length(lambda x, y, n, g: g * (1 - y * y) / n),
            looks_like="You treated the Jacobian as if it were its diagonal.",
            why="Every entry of x is in the length, and the length is in every output.",
            look_at="notebook 04, section 5, 'Every output feels every logit'",
        ),
        Misconception(
            id="returns-the-jacobian",
            answer=with_length(lambda x, y, n, g: (np.eye(len(y)) - np.outer(y, y)) / n),
            looks_like="You returned the whole Jacobian, a matrix.",
            why="What travels backward is a vector with the shape of x: the product of g with that matrix.",
            look_at="notebook 04, section 3, 'Two products'",
        ),
        Misconception(
            id="divides-by-the-square",
            answer=with_length(lambda x, y, n, g: (g - y * (y @ g)) / n**2),
            looks_like="You divided by the length once too often.",
            why="The direction in the bracket has length one already; one more division is needed, not two.",
            look_at="the derivative of x / n by x, for a fixed n",
        ),
    ],
    hints=(
        "Two paths lead from x to the output: through the numerator, and through the length. Write the gradient for "
        "each and add them.",
        "With the length fixed, g is divided by it. The slope of the length itself is the direction y = x / |x|.",
        "Both together: take from g the part that points along y (y times the inner product of y and g), then divide "
        "by the length once.",
    ),
)


# --- 04.6 a vector network -------------------------------------------------------------------------------------------


def network_vjp(weights, x, g):
    hs = [x]
    for W in weights:
        hs.append(np.tanh(W @ hs[-1]))
    weights_bar = []
    for k in reversed(range(len(weights))):
        delta = g * (1 - hs[k + 1] ** 2)
        weights_bar.insert(0, np.outer(delta, hs[k]))
        g = weights[k].T @ delta
    return {"weights": weights_bar, "x": g}


def network_recursive(weights, x, g):
    if not weights:
        return {"weights": [], "x": g}
    h = np.tanh(weights[0] @ x)
    rest = network_recursive(weights[1:], h, g)
    delta = rest["x"] * (1 - h * h)
    return {"weights": [np.outer(delta, x), *rest["weights"]], "x": weights[0].T @ delta}


def network_closures(weights, x, g):
    pulls, h = [], x
    for W in weights:
        z = W @ h

        def pull(g, W=W, z=z, h=h):
            delta = g / np.cosh(z) ** 2
            return delta[:, None] * h, delta @ W

        pulls.append(pull)
        h = np.tanh(z)
    found = []
    for pull in pulls[::-1]:
        W_bar, g = pull(g)
        found.append(W_bar)
    return {"x": g, "weights": found[::-1]}


def network_engine(weights, x, g):
    def network(inputs):
        *layers, h = inputs
        for W in layers:
            h = np.tanh(W @ h)
        return h

    *weights_bar, x_bar = gradients.vjp(lambda *inputs: network(inputs), *weights, x)[1](g)
    return {"weights": weights_bar, "x": x_bar}


def network_jacobians(weights, x, g):
    hs = [x]
    for W in weights:
        hs.append(np.tanh(W @ hs[-1]))
    found = []
    for k in range(len(weights) - 1, -1, -1):
        slope = np.diag(1 - hs[k + 1] ** 2)
        found.insert(0, np.outer(g @ slope, hs[k]))
        g = g @ slope @ weights[k]
    return {"weights": tuple(found), "x": g.tolist()}


def network_complex(weights, x, g):
    h = 1e-30

    def f(weights, x):
        y = x
        for W in weights:
            y = np.tanh(W @ y)
        return np.sum(g * y)

    found = []
    for k, W in enumerate(weights):
        W_bar = np.zeros(W.shape)
        for index in np.ndindex(W.shape):
            nudged = W.astype(complex)
            nudged[index] += 1j * h
            W_bar[index] = f([*weights[:k], nudged, *weights[k + 1 :]], x).imag / h
        found.append(W_bar)
    return {"weights": found, "x": [f(weights, x + 1j * h * row).imag / h for row in np.eye(len(x))]}


def network_with(
    slope=lambda z, before, after: 1 - after**2,
    weight=lambda delta, g, before, after: np.outer(delta, before),
    back=lambda W, delta, g: W.T @ delta,
    start=lambda g: g,
    order=lambda found: found,
):
    """The right network with one part replaced."""

    def answer(weights, x, g):
        hs = [x]
        for W in weights:
            hs.append(np.tanh(W @ hs[-1]))
        found, g = [], start(g)
        for k in reversed(range(len(weights))):
            delta = g * slope(weights[k] @ hs[k], hs[k], hs[k + 1])
            found.insert(0, weight(delta, g, hs[k], hs[k + 1]))
            g = back(weights[k], delta, g)
        return {"weights": order(found), "x": g}

    return answer


def network_case(rng, *sizes):
    weights = [numbers(rng, m, n, low=0.3, high=0.9) for n, m in pairwise(sizes)]
    return case(weights, numbers(rng, sizes[0], low=0.4, high=1.2), numbers(rng, sizes[-1]))


def network_cases(rng):
    return [network_case(rng, *sizes) for sizes in ((3, 2), (2, 4, 3), (3, 3, 3), (4, 3, 2, 2))]


NETWORK = Exercise(
    id="04.6",
    title="A network, right to left",
    function="network_vjp",
    minutes=15,
    difficulty=3,
    points=5,
    see="notebook 04, section 7",
    reference=network_vjp,
    visible=network_cases(np.random.default_rng(46)),
    hidden=network_cases,
    accepted=[
        network_recursive,
        network_closures,
        network_engine,
        network_jacobians,
        network_complex,
    ],
    bank=[
        Misconception(
            id="tanh-slope-at-the-input",
            answer=network_with(slope=lambda z, before, after: 1 - z**2),
            looks_like="The slope you used for tanh is one minus the square of its input.",
            why="In 1 - tanh² it is the output that is squared. Near zero the two agree, so this slip hides well.",
            look_at="notebook 04, section 7, 'A layer is a pair of functions'",
        ),
        Misconception(
            id="forgets-the-slope",
            answer=network_with(slope=lambda z, before, after: np.ones(len(after))),
            looks_like="You went back through the weights and left out tanh.",
            why="Each layer is two steps. The last one forward, tanh, is the first one backward.",
            look_at="notebook 04, section 7, 'A layer is a pair of functions'",
        ),
        Misconception(
            id="ignores-upstream",
            answer=network_with(start=lambda g: np.ones(len(g))),
            looks_like="Your numbers are those for g = (1, ..., 1).",
            why="g says what each output is worth to the loss; it differs from output to output.",
            look_at="notebook 04, section 8, 'What ones cannot see'",
        ),
        Misconception(
            id="weights-before-the-slope",
            answer=network_with(weight=lambda delta, g, before, after: np.outer(g, before)),
            looks_like="The gradient of `x` is right; those of the weights miss the slope of tanh.",
            why="The weights sit before tanh. What reaches them has come through it.",
            look_at="notebook 04, section 7, 'A layer is a pair of functions'",
        ),
        Misconception(
            id="skips-the-slope-on-the-way-down",
            answer=network_with(back=lambda W, delta, g: W.T @ g),
            looks_like="The last layer's weights are right; further down a slope is missing.",
            why="Hand down what has passed tanh, not what arrived at it.",
            look_at="notebook 04, section 7, 'A layer is a pair of functions'",
        ),
        Misconception(
            id="forgets-to-transpose",
            answer=network_with(back=lambda W, delta, g: W @ delta),
            looks_like="You went back through W itself: an error where it is not square, wrong numbers where it is.",
            why="Backward, column j of W tells what input j did to all outputs.",
            look_at="notebook 04, section 4, 'The square trap'",
        ),
        Misconception(
            id="outer-exchanged",
            answer=network_with(weight=lambda delta, g, before, after: np.outer(before, delta)),
            looks_like="Each gradient in `weights` has rows and columns exchanged.",
            why="A gradient has the shape of its variable. W[i, j] links input j to output i.",
            look_at="notebook 04, section 4, 'The gradient of the weights'",
        ),
        Misconception(
            id="weights-see-their-output",
            answer=network_with(weight=lambda delta, g, before, after: np.outer(delta, after)),
            looks_like="In `weights` you used what a layer put out in place of what it was given.",
            why="A weight is multiplied by its layer's input; that is its local derivative.",
            look_at="notebook 04, section 4, 'The gradient of the weights'",
        ),
    ],
    hints=(
        "Run forward first, and keep every vector on the way: the backward pass will ask for them. Then go through the "
        "layers from the last to the first.",
        "In each layer: multiply what arrives by the slope of tanh (from the layer's output), call it delta. Then an "
        "affine map without a bias, as in 04.2.",
        "For each layer, last first: delta is g times one minus the square of the output; the weights get the outer "
        "product of delta and the layer's input; g becomes W transposed times delta.",
    ),
)


# --- 04.7 dual numbers -----------------------------------------------------------------------------------------------


def push_forward(steps, x, v):
    value, tangent = x, v
    for step in steps:
        if step == "sin":
            value, tangent = np.sin(value), np.cos(value) * tangent
        elif step == "tanh":
            value, tangent = np.tanh(value), (1 - np.tanh(value) ** 2) * tangent
        elif step == "square":
            value, tangent = value**2, 2 * value * tangent
        else:
            value, tangent = value * x, tangent * x + value * v
    return value, tangent


STEPS = {
    "sin": lambda u, x: np.sin(u),
    "tanh": lambda u, x: np.tanh(u),
    "square": lambda u, x: u * u,
    "times x": lambda u, x: u * x,
}


def composed(steps, x):
    u = x
    for step in steps:
        u = STEPS[step](u, x)
    return u


def push_complex(steps, x, v):
    out = composed(steps, np.asarray(x) + 1e-30j * np.asarray(v))
    return out.real, out.imag / 1e-30


def push_engine(steps, x, v):
    return gradients.jvp(lambda x: composed(steps, x), x, v)


def push_slopes_first(steps, x, v):
    u, slope = np.array(x), np.ones(len(x))
    for step in steps:
        if step == "times x":
            slope, u = slope * x + u, u * x
        else:
            local = {"sin": np.cos(u), "tanh": 1 / np.cosh(u) ** 2, "square": 2 * u}[step]
            slope, u = slope * local, STEPS[step](u, x)
    return [u, slope * v]


def push_entries(steps, x, v):
    pairs = []
    for xi, vi in zip(x, v, strict=True):
        a, a_dot = float(xi), float(vi)
        for step in steps:
            match step:
                case "sin":
                    a, a_dot = math.sin(a), math.cos(a) * a_dot
                case "tanh":
                    a, a_dot = math.tanh(a), a_dot / math.cosh(a) ** 2
                case "square":
                    a, a_dot = a * a, a * a_dot + a_dot * a
                case _:
                    a, a_dot = a * xi, a_dot * xi + a * vi
        pairs.append((a, a_dot))
    return tuple(zip(*pairs, strict=True))


class TinyDual:
    def __init__(self, value, tangent):
        self.value, self.tangent = value, tangent

    def __mul__(self, other):
        return TinyDual(self.value * other.value, self.tangent * other.value + self.value * other.tangent)

    def sin(self):
        return TinyDual(np.sin(self.value), np.cos(self.value) * self.tangent)

    def tanh(self):
        value = np.tanh(self.value)
        return TinyDual(value, self.tangent - value * value * self.tangent)


def push_tiny_dual(steps, x, v):
    start = u = TinyDual(x, v)
    for step in steps:
        u = u * start if step == "times x" else u * u if step == "square" else getattr(u, step)()
    return u.value, u.tangent


def push_with(local=None, product=lambda u, u_dot, x, v: u_dot * x + u * v, chain=lambda u_dot, v: u_dot, late=False):
    """The right rules with one part replaced; ``late`` takes slopes at the new value."""
    rules = {"sin": np.cos, "tanh": lambda u: 1 - np.tanh(u) ** 2, "square": lambda u: 2 * u} | (local or {})

    def answer(steps, x, v):
        u, u_dot = x, v
        for step in steps:
            new = STEPS[step](u, x)
            at = new if late else u
            if step == "times x":
                u_dot = product(at, chain(u_dot, v), x, v)
            else:
                u_dot = rules[step](at) * chain(u_dot, v)
            u = new
        return u, u_dot

    return answer


def push_at_the_input(steps, x, v):
    u, u_dot = x, v
    slope = {"sin": np.cos(x), "tanh": 1 - np.tanh(x) ** 2, "square": 2 * x}
    for step in steps:
        u_dot = u_dot * x + u * v if step == "times x" else slope[step] * u_dot
        u = STEPS[step](u, x)
    return u, u_dot


def push_cases(rng):
    lists = (
        ["sin", "square"],
        ["square", "times x", "tanh"],
        ["tanh", "times x", "sin"],
        ["times x", "sin", "times x", "square"],
    )
    return [
        case(steps, numbers(rng, n, low=0.4, high=1.3), numbers(rng, n))
        for steps, n in zip(lists, (3, 2, 4, 3), strict=True)
    ]


PUSH = Exercise(
    id="04.7",
    title="Push a direction forward",
    function="push_forward",
    minutes=12,
    difficulty=2,
    points=4,
    see="notebook 04, section 3, 'Dual numbers'",
    reference=push_forward,
    visible=[
        case(["sin"], np.array([0.5, -1.2]), np.array([2.0, -0.7])),
        case(["square", "sin"], np.array([0.8, -0.6, 1.1]), np.array([1.5, 0.5, -2.0])),
        case(["tanh", "times x"], np.array([0.9, -0.5]), np.array([-1.0, 2.5])),
        case(["times x", "tanh", "square"], np.array([1.2, -0.7, 0.6]), np.array([0.4, -1.6, 2.2])),
        case(["sin", "tanh", "times x", "sin"], np.array([-0.8, 1.3]), np.array([1.1, 0.9])),
    ],
    hidden=push_cases,
    accepted=[
        push_complex,
        push_engine,
        push_slopes_first,
        push_entries,
        push_tiny_dual,
    ],
    bank=[
        Misconception(
            id="ignores-the-direction",
            answer=lambda steps, x, v: push_forward(steps, x, np.ones(len(x))),
            looks_like="The values are right; the changes are those for a nudge of one in every entry.",
            why="v says how far each input moves. It is where the tangent starts.",
            look_at="notebook 04, section 3, 'Two products'",
        ),
        Misconception(
            id="slope-at-the-new-value",
            answer=push_with(late=True),
            looks_like="The values are right; the slopes are taken after the step, at its output.",
            why="The slope of sin at u is cos(u), with the u that went in. Once u is overwritten it is too late.",
            look_at="notebook 04, section 3, 'Dual numbers'",
        ),
        Misconception(
            id="x-stands-still",
            answer=push_with(product=lambda u, u_dot, x, v: u_dot * x),
            looks_like="In `times x` you let x stand still.",
            why="Both factors of that product move: the running value, and x itself.",
            look_at="notebook 04, section 3, 'Dual numbers'",
        ),
        Misconception(
            id="only-x-moves",
            answer=push_with(product=lambda u, u_dot, x, v: u * v),
            looks_like="In `times x` only x moves.",
            why="Both factors of that product move: the running value, and x itself.",
            look_at="notebook 04, section 3, 'Dual numbers'",
        ),
        Misconception(
            id="product-of-the-changes",
            answer=push_with(product=lambda u, u_dot, x, v: u_dot * v),
            looks_like="In `times x` you multiplied the two changes.",
            why="The derivative of a product is not the product of the derivatives.",
            look_at="notebook 04, section 3, 'Dual numbers'",
        ),
        Misconception(
            id="forgets-the-chain",
            answer=push_with(chain=lambda u_dot, v: v),
            looks_like="Each step starts again from v; what the steps before did to it is lost.",
            why="The change that goes into a step is the one that came out of the step before.",
            look_at="notebook 04, section 3, 'Dual numbers'",
        ),
        Misconception(
            id="slopes-at-the-input",
            answer=push_at_the_input,
            looks_like="You took every slope at x, also in the later steps.",
            why="A step sees the value that the steps before have made; its slope belongs there.",
            look_at="notebook 04, section 3, 'Dual numbers'",
        ),
        Misconception(
            id="tanh-slope-at-the-input",
            answer=push_with(local={"tanh": lambda u: 1 - u**2}),
            looks_like="The slope you used for tanh is one minus the square of its input.",
            why="In 1 - tanh² it is the output that is squared.",
            look_at="notebook 02, section 6",
        ),
        Misconception(
            id="square-without-two",
            answer=push_with(local={"square": lambda u: u}),
            looks_like="The slope you used for the square is half of what it should be.",
            why="A square has two equal factors, and both of them move.",
            look_at="notebook 04, section 3, 'Dual numbers'",
        ),
    ],
    hints=(
        "Carry two arrays through the loop, the value and its change. Before any step they are x and v.",
        "sin, tanh and square multiply the change by their slope, taken at the value that goes in. Update both at "
        "once, so that the old value is still there.",
        "For 'times x' use the product rule: the change of the value times x, plus the value times the change of x, "
        "which is v.",
    ),
)


# --- 04.8 the adjoint test -------------------------------------------------------------------------------------------


def adjoint_test(v, pushed, g, pulled):
    passing, left = [], np.dot(g, pushed)
    for number, suspect in enumerate(pulled):
        gap = abs(np.dot(suspect, v) - left)
        if gap < 1e-6 * abs(left):
            passing.append(number)
    return passing


def adjoint_isclose(v, pushed, g, pulled):
    close = [np.isclose(np.vdot(suspect, v), np.vdot(g, pushed), rtol=1e-5, atol=0.0) for suspect in pulled]
    return np.flatnonzero(close)


def adjoint_matrix(v, pushed, g, pulled):
    right = np.array(pulled) @ v
    return tuple(np.nonzero(np.abs(right / (g @ pushed) - 1) < 1e-7)[0])


def adjoint_math(v, pushed, g, pulled):
    left = math.fsum(a * b for a, b in zip(g, pushed, strict=True))
    answers = []
    for k in range(len(pulled)):
        right = math.fsum(a * b for a, b in zip(pulled[k], v, strict=True))
        if math.isclose(left, right, rel_tol=1e-8):
            answers += [float(k)]
    return answers


def adjoint_by_scale(v, pushed, g, pulled):
    scale = np.linalg.norm(g) * np.linalg.norm(pushed)
    return np.array([k for k, suspect in enumerate(pulled) if abs(g @ pushed - suspect @ v) / scale < 1e-6])


def adjoint_exact(v, pushed, g, pulled):
    from fractions import Fraction

    left = sum(Fraction(a) * Fraction(b) for a, b in zip(g.tolist(), pushed.tolist(), strict=True))
    right = [sum(Fraction(a) * Fraction(b) for a, b in zip(item.tolist(), v.tolist(), strict=True)) for item in pulled]
    return list(filter(lambda k: abs(right[k] - left) < abs(left) / 10**7, range(len(right))))


def adjoint_case(rng, m, n, scale=1.0):
    """A linear map, a probe, and suspects in random order, of which one or two are right."""
    while True:
        J, v, g = numbers(rng, m, n), numbers(rng, n), numbers(rng, m)
        right = g @ J
        wrong = [-right, np.ones(m) @ J, 2 * right, right * (1 + 0.03 * np.eye(n)[0]), np.roll(right, 1)]
        wrong += [J @ g, J @ v] if m == n else []
        same_sum = np.roll(right, 1) + np.linspace(0, 1, n)
        wrong.append(same_sum + (np.sum(J @ v) - same_sum.sum()) / n)
        suspects = [right, right.copy(), *wrong] if m > 2 else [right, *wrong]
        right_side = g @ J @ v
        gaps = [abs(suspect @ v / right_side - 1) for suspect in wrong]
        told = abs(right_side) > 0.3 * np.linalg.norm(g) * np.linalg.norm(J @ v) and min(gaps) > 1e-3
        if told and min(gaps) < 0.05:
            break
    suspects = [suspects[k] for k in rng.permutation(len(suspects))]
    pushed = J @ v
    return case(v, pushed * scale, g, [suspect * scale for suspect in suspects])


def adjoint_cases(rng):
    sizes = ((3, 2, 1.0), (3, 3, 1.0), (2, 4, 1e-7), (4, 3, 1e7))
    return [adjoint_case(rng, m, n, scale) for m, n, scale in sizes]


def passes_if(rule):
    """The positions of the suspects for which a rule of (v, pushed, g, suspect) holds."""
    return lambda v, pushed, g, pulled: [k for k, s in enumerate(pulled) if rule(v, pushed, g, s)]


ADJOINT = Exercise(
    id="04.8",
    title="The test one can always run",
    function="adjoint_test",
    minutes=10,
    difficulty=2,
    points=3,
    see="notebook 04, section 8",
    reference=adjoint_test,
    visible=adjoint_cases(np.random.default_rng(48)),
    hidden=adjoint_cases,
    accepted=[
        adjoint_isclose,
        adjoint_matrix,
        adjoint_math,
        adjoint_by_scale,
        adjoint_exact,
    ],
    bank=[
        Misconception(
            id="absolute-tolerance",
            answer=passes_if(lambda v, pushed, g, s: abs(s @ v - g @ pushed) < 1e-6),
            looks_like="You are right where numbers are of size one, and wrong where they are tiny or huge.",
            why="One millionth is nothing beside a million, and everything beside a billionth. Compare with the size.",
            look_at="notebook 04, section 8, 'A tolerance with a scale'",
        ),
        Misconception(
            id="ignores-the-sign",
            answer=passes_if(
                lambda v, pushed, g, s: abs(abs(s @ v) - abs(g @ pushed)) <= 1e-6 * abs(g @ pushed),
            ),
            looks_like="You let a rule pass that has the wrong sign everywhere.",
            why="Compare the two products first, then take the size of the difference.",
            look_at="notebook 04, section 8",
        ),
        Misconception(
            id="too-loose",
            answer=passes_if(lambda v, pushed, g, s: abs(s @ v - g @ pushed) <= 0.2 * abs(g @ pushed)),
            looks_like="You let rules pass that are wrong by a few per cent.",
            why="Both sides are computed exactly, up to rounding; they agree to ten digits or there is a mistake.",
            look_at="notebook 04, section 8, 'A tolerance with a scale'",
        ),
        Misconception(
            id="compares-lengths",
            answer=passes_if(lambda v, pushed, g, s: len(s) == len(v)),
            looks_like="You let every rule pass whose answer has the right shape.",
            why="The shape is necessary, and far from sufficient.",
            look_at="notebook 04, section 8",
        ),
        Misconception(
            id="pairs-with-ones",
            answer=passes_if(
                lambda v, pushed, g, s: abs(np.sum(s) - np.sum(pushed)) <= 1e-6 * abs(np.sum(pushed)),
            ),
            looks_like="You compared the sums of the two vectors.",
            why="A sum is an inner product with ones. The vectors must be paired with g and with v, who made them.",
            look_at="notebook 04, section 8, 'What ones cannot see'",
        ),
        Misconception(
            id="wants-equal-vectors",
            answer=passes_if(
                lambda v, pushed, g, s: len(s) == len(pushed) and np.allclose(s, pushed, rtol=1e-6, atol=0),
            ),
            looks_like="You compared each suspect with the pushed vector itself.",
            why="They live in different spaces, one shaped like x, one like y. What agrees is two inner products.",
            look_at="notebook 04, section 8",
        ),
        Misconception(
            id="lists-the-guilty",
            answer=lambda v, pushed, g, pulled: [
                k for k in range(len(pulled)) if k not in adjoint_test(v, pushed, g, pulled)
            ],
            looks_like="You listed the suspects that fail.",
            why="Asked for are those that pass.",
            look_at="the docstring of the exercise",
        ),
    ],
    equivalent_mutants={
        "`gap < 1e-06 * abs(left)` → `gap <= 1e-06 * abs(left)`": "no suspect is wrong by exactly one millionth",
        "`np.dot(suspect, v) - left` → `left - np.dot(suspect, v)`": "only the size of the difference counts",
    },
    hints=(
        "Two numbers decide: what g says about the change that v made, and what the pulled vector says about v itself.",
        "The first is the inner product of g and pushed, the second that of a suspect and v. For a right rule they are "
        "equal, up to rounding.",
        "Rounding is relative: take the size of the difference, and ask whether it is below a small fraction, say one "
        "millionth, of the size of the first number.",
    ),
)


# --- 04.9 the price of an order --------------------------------------------------------------------------------------


def product_costs(sizes):
    forward = reverse = 0
    for k in range(2, len(sizes)):
        forward += sizes[k] * sizes[k - 1] * sizes[0]
        reverse += sizes[k - 1] * sizes[k - 2] * sizes[-1]
    return {"forward": forward, "reverse": reverse}


def costs_by_edges(sizes):
    edges = [a * b for a, b in pairwise(sizes)]
    return {"reverse": sizes[-1] * sum(edges[:-1]), "forward": sizes[0] * sum(edges[1:])}


def costs_by_matrices(sizes):
    shapes = [(m, n) for n, m in pairwise(sizes)]

    def multiply(order):
        total, (rows, columns) = 0, order[0]
        for m, n in order[1:]:
            if n == rows:
                total += m * n * columns
                rows = m
            else:
                total += rows * columns * n
                columns = n
        return total

    return {"forward": multiply(shapes), "reverse": multiply(shapes[::-1])}


def costs_numpy(sizes):
    s = np.array(sizes, dtype=float)
    return {"forward": s[0] * (s[1:-1] @ s[2:]), "reverse": s[-1] * (s[:-2] @ s[1:-1])}


def costs_recursive(sizes):
    if len(sizes) == 2:
        return {"forward": 0, "reverse": 0}
    head, *tail = sizes
    before = costs_recursive(sizes[:-1])["forward"]
    after = costs_recursive(tail)["reverse"]
    return {"forward": before + sizes[-1] * sizes[-2] * head, "reverse": after + sizes[-1] * tail[0] * head}


def costs_difference(sizes):
    total = sum(a * b for a, b in pairwise(sizes))
    return {
        "forward": np.int64(sizes[0]) * (total - sizes[0] * sizes[1]),
        "reverse": np.int64(sizes[-1]) * (total - sizes[-1] * sizes[-2]),
    }


def edges_of(sizes):
    return [a * b for a, b in pairwise(sizes)]


def sizes_of(rng, length):
    return [int(n) for n in rng.choice(np.arange(2, 16), size=length, replace=False)]


COSTS = Exercise(
    id="04.9",
    title="The price of an order",
    function="product_costs",
    minutes=10,
    difficulty=2,
    points=3,
    see="notebook 04, section 7, 'From which end?'",
    reference=product_costs,
    visible=[
        case([3, 4, 2]),
        case([50, 40, 30, 1]),
        case([2, 30, 20, 10]),
        case([6, 5, 7, 4, 8]),
    ],
    hidden=lambda rng: [case(sizes_of(rng, length)) for length in (3, 4, 5, 6)],
    accepted=[costs_by_edges, costs_by_matrices, costs_numpy, costs_recursive, costs_difference],
    bank=[
        Misconception(
            id="the-two-exchanged",
            answer=lambda sizes: dict(zip(("reverse", "forward"), product_costs(sizes).values(), strict=True)),
            looks_like="The two numbers are right and exchanged.",
            why="Forward begins at the input, so the number of inputs stays as the width of every product.",
            look_at="notebook 04, section 7, 'From which end?'",
        ),
        Misconception(
            id="pays-for-the-first-matrix",
            answer=lambda sizes: {
                "forward": sizes[0] * sum(edges_of(sizes)),
                "reverse": sizes[-1] * sum(edges_of(sizes)),
            },
            looks_like="You also paid for the first matrix, as if it were multiplied by something.",
            why="The first Jacobian is simply there. Three matrices need two multiplications.",
            look_at="notebook 04, section 7, the drawing",
        ),
        Misconception(
            id="one-vector-only",
            answer=lambda sizes: {"forward": sum(edges_of(sizes)[1:]), "reverse": sum(edges_of(sizes)[:-1])},
            looks_like="You counted the price of a single vector.",
            why="The whole Jacobian takes one such sweep for every input, or for every output.",
            look_at="notebook 04, section 7, 'Forward or reverse?'",
        ),
        Misconception(
            id="adds-for-multiplies",
            answer=lambda sizes: {
                "forward": sum(a + b + sizes[0] for a, b in pairwise(sizes[1:])),
                "reverse": sum(a + b + sizes[-1] for a, b in pairwise(sizes[:-1])),
            },
            looks_like="You added the lengths of a product where they multiply.",
            why="An m×k matrix times a k×n one has m n entries, and each of them takes k multiplications.",
            look_at="notebook 04, section 7, the drawing",
        ),
        Misconception(
            id="counts-entries",
            answer=lambda sizes: {
                "forward": sum(n * sizes[0] for n in sizes[2:]),
                "reverse": sum(n * sizes[-1] for n in sizes[:-2]),
            },
            looks_like="You counted the entries of each product, not the multiplications in them.",
            why="Each entry is an inner product; it takes as many multiplications as the two matrices share.",
            look_at="notebook 04, section 7, the drawing",
        ),
        Misconception(
            id="only-neighbours",
            answer=lambda sizes: dict.fromkeys(
                ("forward", "reverse"), sum(a * b * c for a, b, c in zip(sizes, sizes[1:], sizes[2:], strict=False))
            ),
            looks_like="You multiplied each Jacobian with its neighbour, and nothing with the result.",
            why="After the first product a new matrix is there, and its shape decides the price of the next one.",
            look_at="notebook 04, section 7, the drawing",
        ),
        Misconception(
            id="counts-sweeps",
            answer=lambda sizes: {"forward": sizes[0], "reverse": sizes[-1]},
            looks_like="You counted the sweeps.",
            why="The number of sweeps is right. Each of them costs something, and that is asked for.",
            look_at="notebook 04, section 7, 'Forward or reverse?'",
        ),
        Misconception(
            id="everything-times-everything",
            answer=lambda sizes: dict.fromkeys(("forward", "reverse"), math.prod(sizes)),
            looks_like="You multiplied all sizes with each other.",
            why="Multiplications of the steps add up: first one product, then the next.",
            look_at="notebook 04, section 7, the drawing",
        ),
    ],
    hints=(
        "Draw the chain for sizes [3, 4, 2]: J1 has shape 4×3 and J2 has shape 2×4. One product, in either order: how "
        "many multiplications?",
        "An m×k matrix times a k×n one takes m·k·n. In forward order the running product always has sizes[0] columns; "
        "in reverse order it always has sizes[-1] rows.",
        "Forward: for each Jacobian after the first, rows times columns times sizes[0]. Reverse: for each one before "
        "the last, rows times columns times sizes[-1].",
    ),
)


EXERCISES = [RELU, AFFINE, SOFTMAX, CROSS_ENTROPY, NORMALIZE, NETWORK, PUSH, ADJOINT, COSTS]
