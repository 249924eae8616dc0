"""09.8 A layer along a rank-one direction."""

from __future__ import annotations

import math

import numpy as np

from coursepkg import gradients
from coursepkg.autodiff.tensor import Tensor
from coursepkg.grading.specification.domain import Array, Number
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import array, numbers


def signs(rng, *shape):
    return rng.choice([-1.0, 1.0], shape)


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
    change = change + (h @ a)[:, None] * b
    return {"tangent": change, "gradient": (slope * b)[:, None] @ a[None]}


def rank_one_loops(h, t, W, b, a, slope):
    out = []
    for x, dx in zip(h, t, strict=True):
        shadow = sum(x[j] * a[j] for j in range(len(a)))
        out.append([sum(W[i][j] * dx[j] for j in range(len(a))) + shadow * b[i] for i in range(len(b))])
    return {"tangent": out, "gradient": [[slope * p * q for q in a] for p in b]}


def rank_one_jvp(h, t, W, b, a, slope):
    h, W, t, V = (np.asarray(part, float) for part in (h, W, t, np.outer(b, a)))
    found = gradients.jvp(lambda p: p[0] @ p[1].T, (h, W), (t, V))[1]
    return {"tangent": found, "gradient": slope * V}


def rank_one_tensors(h, t, W, b, a, slope):
    weight = Tensor(np.asarray(W, float), requires_grad=True)
    shadow = Tensor(h @ a).reshape(-1, 1)
    return {
        "tangent": Tensor(t) @ weight.T + shadow * b,
        "gradient": Tensor(np.outer(b, a).astype(float), requires_grad=True) * slope,
    }


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
    """The signs are whole numbers, as ``rng.choice([-1, 1])`` draws them."""
    b, a = signs(rng, m).astype(int), signs(rng, n).astype(int)
    return case(array(rng, rows, n), array(rng, rows, n), array(rng, m, n), b, a, numbers(rng, 1)[0])


def rank_one_edges(rng):
    """Zeros and an input that stands still; one number of each kind; shapes that agree; a loss that stood still."""
    still = rank_one_case(rng, 3, 2, 4)
    still.args[0][0, 1] = still.args[1][...] = still.args[2][2, 0] = 0.0
    partly = rank_one_case(rng, 4, 3, 2)
    partly.args[1][1, 2], partly.args[2][0, 1] = 0.0, 0.0
    alone = rank_one_case(rng, 1, 1, 1)
    square = rank_one_case(rng, 3, 3, 3)
    stood = rank_one_case(rng, 2, 2, 3)
    return [still, partly, alone, square, case(*stood.args[:5], 0.0)]


def hidden_rank_one(rng):
    usual = ((3, 4, 2), (2, 3, 5), (4, 2, 3), (3, 4, 2))
    more = (
        (1, 3, 2),
        (3, 1, 2),
        (3, 2, 1),
        (1, 1, 3),
        (1, 3, 1),
        (3, 1, 1),
        (3, 2, 3),
        (3, 3, 2),
        (2, 3, 3),
        (90, 2, 3),
    )
    h, t, W, b, a, slope = rank_one_case(rng, 3, 4, 2).args
    return [
        *(rank_one_case(rng, *shape) for shape in (*usual, *more)),
        *rank_one_edges(rng),
        case(h, t, W, b.astype(float), a.astype(float), slope),
        case(h, t, W, abs(b), -abs(a), slope),
        case(h, t, W, b, a, 1.0),
        case(h, t, array(rng, 4, 4), a, a, -1.0),
    ]


BANK = [
    wrong("input-stands-still", rank_one_with(tangent=lambda h, t, W, b, a: np.outer(h @ a, b)),
          "notebook 09, section 8: what rank one saves",
          "The tangent from below is missing.",
          "What moved in the layers below still has to go through W."),
    wrong("weights-stand-still", rank_one_with(tangent=lambda h, t, W, b, a: t @ W.T),
          "notebook 09, section 8: the shadow of h on a",
          "The change of the weights is missing in the tangent.",
          "The weights move along b aᵀ, and that moves the output even if the input stands still."),
    wrong("shadow-of-the-tangent", rank_one_with(tangent=lambda h, t, W, b, a: t @ W.T + np.outer(t @ a, b)),
          "notebook 09, section 1: the rule for a product",
          "The tangent of the input met the direction of the weights.",
          "That is tangent times tangent, of second order; the direction acts on the value of the input."),
    wrong("left-out-slope", rank_one_with(gradient=lambda b, a, s: np.outer(b, a)),
          "notebook 09, section 2: multiply by the direction",
          "The gradient is the direction alone.",
          "The direction has to be multiplied by how steep it was along it."),
    wrong("gradient-lying-down", rank_one_with(gradient=lambda b, a, s: s * np.outer(a, b)),
          "notebook 09, section 8, and the task: W has shape (m, n)",
          "The gradient is transposed.",
          "A gradient has the shape of its weight: outputs by inputs, so b comes first."),
    wrong("length-one", rank_one_with(gradient=lambda b, a, s: s * np.outer(b, a) / math.sqrt(a.size * b.size)),
          "notebook 09, section 3: what is asked of v",
          "The gradient is divided by the square root of the number of weights.",
          "Entries of ±1 are what makes the second moment the identity; nothing is to be normalised."),
    wrong("sum-over-the-batch", rank_one_with(tangent=lambda h, t, W, b, a: t @ W.T + np.sum(h @ a) * b),
          "notebook 09, section 8: an outer product",
          "Every example got the sum of all shadows.",
          "Each row of h throws its own shadow on a."),
    wrong("value-in-place-of-the-tangent",
          rank_one_with(tangent=lambda h, t, W, b, a: h @ W.T + np.outer(h @ a, b)),
          "notebook 09, section 1, 'One pass, one number'",
          "What goes through W in your tangent is h, the value of the input.",
          "h W^T is the value of y. What moves is the input, by t, and the weight, along its direction."),
    wrong("shadow-of-both", rank_one_with(tangent=lambda h, t, W, b, a: t @ W.T + np.outer((h + t) @ a, b)),
          "notebook 09, section 1: the rule for a product",
          "In the shadow on a stand h and t together.",
          "The part with t is tangent times tangent, of second order."),
    wrong("tangent-scaled-by-the-slope", lambda h, t, W, b, a, slope: {
              "tangent": t @ W.T + slope * np.outer(h @ a, b), "gradient": slope * np.outer(b, a)
          }, "notebook 09, section 8, and the docstring: slope of the loss",
          "The change of the weight in your tangent is multiplied by the slope.",
          "The slope is known when the pass has ended. The tangent of this layer is made on the way there."),
    wrong("gradient-divided-by-the-batch", lambda h, t, W, b, a, slope: {
              "tangent": t @ W.T + np.outer(h @ a, b), "gradient": slope * np.outer(b, a) / len(h)
          }, "notebook 09, section 2, 'Multiply by the direction you walked'",
          "The gradient is divided by the number of examples.",
          "The slope is that of the whole loss, so a mean over the examples is inside it already."),
    wrong("shadow-not-laid-along-b", rank_one_with(tangent=lambda h, t, W, b, a: t @ W.T + (h @ a)[:, None]),
          "notebook 09, section 8: the shadow of h on a",
          "The shadow was added to every output with the same sign.",
          "Each output moves in the direction that its entry of b says."),
]  # fmt: skip

EXERCISE = Exercise(
    id="09.8",
    title="A layer along a rank-one direction",
    function="rank_one_layer",
    minutes=12,
    difficulty=2,
    points=3,
    see="notebook 09, section 8",
    reference=rank_one_layer,
    domain={
        "h": Array("B n"),
        "t": Array("B n", all_zero=True),
        "W": Array("m n"),
        "b": Array("m", at_least=-1, at_most=1, whole=True, zero=False),
        "a": Array("n", at_least=-1, at_most=1, whole=True, zero=False),
        "slope": Number(),
    },
    meets={"there are as many outputs as inputs": lambda W: W.shape[0] == W.shape[1] > 1},
    integers=True,
    visible=[
        *(
            rank_one_case(np.random.default_rng(seed), *shape)
            for seed, shape in enumerate(((3, 4, 2), (2, 3, 5), (5, 2, 3), (3, 4, 2)))
        ),
        *rank_one_edges(np.random.default_rng(98)),
    ],
    hidden=hidden_rank_one,
    accepted=[
        rank_one_dense,
        rank_one_einsum,
        rank_one_stacked,
        rank_one_loops,
        rank_one_jvp,
        rank_one_tensors,
        rank_one_float32,
    ],
    bank=BANK,
    hints=(
        "Start from the dense rule for y = h Wᵀ: the tangent is t Wᵀ + h Vᵀ. Now put V = b aᵀ.",
        "h Vᵀ = h (b aᵀ)ᵀ = (h a) bᵀ: one number per example, h a, times the signs b.",
        "The tangent is t Wᵀ plus the outer product of h a with b; the gradient is slope times that of b with a.",
    ),
    equivalent_mutants={
        "`slope * np.outer(b, a)` → `slope / np.outer(b, a)`": "one over a sign is the sign",
    },
)
