"""04.2 Backward through W x + b."""

from __future__ import annotations

import numpy as np

from coursepkg import gradients
from coursepkg.grading.specification.domain import Array
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import numbers


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
    sizes = ((2, 3), (4, 2), (3, 3), (2, 5))
    drawn = [case(numbers(rng, m, n), numbers(rng, n), numbers(rng, m)) for m, n in sizes]
    return [*drawn, affine_whole(rng)]


def affine_whole(rng):
    """W and x hold whole numbers, and g does not."""
    return case(rng.permutation([[3, -1, 2], [-2, 4, 1]]), np.array([2, -3, 1]), numbers(rng, 2))


def affine_like(W, x, g):
    """Each gradient in an array that was made like its variable."""
    found = affine_vjp(W, x, g)
    made = {"W": np.zeros_like(W), "x": np.zeros_like(x), "b": g.copy()}
    for name in ("W", "x"):
        made[name][...] = found[name]
    return made


BANK = [
    wrong("forgets-to-transpose", affine_but(x=lambda W, x, g: W @ g), "notebook 04, section 4, 'The square trap'",
          "For `x` you multiplied by W itself: an error where W is not square, wrong numbers where it is.",
          "Forward, row i of W collects into output i. Backward, column j tells what input j did to all outputs."),
    wrong("outer-exchanged", affine_but(W=lambda W, x, g: np.outer(x, g)),
          "notebook 04, section 4, 'The gradient of the weights'",
          "Your gradient of `W` has rows and columns exchanged.",
          "A gradient has the shape of its variable. W[i, j] links input j to output i."),
    wrong("weights-ignore-upstream", affine_but(W=lambda W, x, g: np.outer(np.ones(len(W)), x)),
          "notebook 04, section 4, 'The gradient of the weights'",
          "Every row of your gradient of `W` is x.",
          "That is the local derivative. Each row still waits for what its own output was told: g[i]."),
    wrong("input-ignores-upstream", affine_but(x=lambda W, x, g: W.sum(axis=0)),
          "notebook 04, section 8, 'What ones cannot see'",
          "For `x` you added up the columns of W, as if g were all ones.",
          "With g = (1, ..., 1) this would be right, which is why tests should never use ones."),
    wrong("bias-gets-ones", affine_but(b=lambda W, x, g: np.ones(len(g))), "notebook 04, section 3, 'Two products'",
          "For `b` you returned ones.",
          "One is the local derivative of W x + b by b; it is multiplied by what arrives."),
    wrong("bias-gets-the-sum", affine_but(b=lambda W, x, g: float(np.sum(g))), "notebook 04, section 1",
          "For `b` you returned one number, the sum of g.",
          "There is one bias for each output. Sums over examples come with batches; here there is one example."),
    wrong("weights-keep-their-own", affine_but(W=lambda W, x, g: g[:, None] * W),
          "notebook 04, section 4, 'The gradient of the weights'",
          "In the gradient of `W` you multiplied g by W itself.",
          "In a product each factor gets the other one: the rate of W[i, j] is what it was multiplied by."),
    wrong("input-keeps-its-own", affine_but(x=lambda W, x, g: x * np.sum(g)), "notebook 04, section 4",
          "For `x` you returned multiples of x itself.",
          "In a product each factor gets the other one: what x does to the outputs is written in W."),
    wrong("bias-gets-nothing", affine_but(b=lambda W, x, g: np.zeros(len(g))), "notebook 04, section 3, 'Two products'",
          "For `b` you returned zeros.",
          "The value of b plays no part in its gradient, but every nudge of b moves an output."),
    wrong("weights-share-the-upstream", affine_but(W=lambda W, x, g: np.tile(x * np.sum(g), (len(W), 1))),
          "notebook 04, section 4, 'The gradient of the weights'",
          "All rows of your gradient of `W` are alike.",
          "W[i, j] acts on output i alone, and hears from that output alone."),
    wrong("weights-see-the-output", affine_but(W=lambda W, x, g: np.outer(g, W @ x)[:, : len(x)]),
          "notebook 04, section 4, 'The gradient of the weights'",
          "In the gradient of `W` you paired g with the layer's output.",
          "A weight is multiplied by an input of its layer; that is its local derivative."),
    wrong("weights-in-one-row", affine_but(W=lambda W, x, g: np.outer(g, x).ravel()),
          "notebook 04, section 4, 'The gradient of the weights'",
          "Your gradient of `W` is one long row, as long as W has entries.",
          "A gradient has the shape of its variable, here m rows of n entries each."),
    wrong("whole-numbers-stay-whole", affine_like, "the docstring of the exercise: what is returned?",
          "Where W and x hold whole numbers, so do their gradients.",
          "An array that was made like an array of whole numbers has no room for a fraction."),
    wrong("input-not-summed", affine_but(x=lambda W, x, g: g[:, None] * W), "notebook 04, section 4",
          "For `x` you returned a matrix.",
          "Input j takes part in every output, and where paths meet, gradients add."),
]  # fmt: skip

EXERCISE = Exercise(
    id="04.2",
    title="Backward through W x + b",
    function="affine_vjp",
    minutes=10,
    difficulty=2,
    points=3,
    see="notebook 04, section 4",
    reference=affine_vjp,
    integers=True,
    domain={"W": Array("m n"), "x": Array("n"), "g": Array("m", all_zero=True)},
    meets={
        "W is square": lambda W: W.shape[0] == W.shape[1] > 1,
        "W is wide": lambda W: W.shape[0] < W.shape[1],
        "W and x hold whole numbers": lambda W, x: W.dtype.kind == x.dtype.kind == "i",
        "W is tall": lambda W: W.shape[0] > W.shape[1],
    },
    visible=[
        case(np.array([[1.0, -2.0, 0.5], [0.7, 1.5, -1.2]]), np.array([2.0, -1.0, 0.4]), np.array([1.5, -0.5])),
        case(np.array([[0.8, -1.1], [2.0, 0.6], [-0.9, 1.7]]), np.array([-1.4, 0.9]), np.array([0.5, -2.0, 1.2])),
        case(np.array([[1.3, -0.4], [0.9, 2.1]]), np.array([0.6, -1.8]), np.array([-1.0, 0.7])),
        case(np.array([[0.5, -1.5, 2.0, 0.9]]), np.array([1.0, 0.8, -0.6, 1.4]), np.array([-3.0])),
        *affine_cases(np.random.default_rng(42))[1:3],
        affine_whole(np.random.default_rng(42)),
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
    bank=BANK,
    hints=(
        "Write one output down: y[i] is the sum over j of W[i, j] x[j], plus b[i]. Which of these numbers does b[i] "
        "touch, which does W[i, j], and which does x[j]?",
        "b[i] and W[i, j] act on y[i] alone. x[j] acts on all outputs, so its gradient is a sum over i. Look at shapes "
        "when you are done.",
        "Three lines: the gradient of b is what arrives; that of W is an outer product of g and x, in the order that "
        "gives W's shape; that of x multiplies g by the transpose.",
    ),
)
