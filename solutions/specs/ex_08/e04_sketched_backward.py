"""08.4 The backward pass without the input."""

from __future__ import annotations

import math

import numpy as np

from coursepkg.autodiff.tensor import Tensor
from coursepkg.grading.specification.domain import Array
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import array


def sketched_backward(Y, W, summary, S):
    return {"X": Y @ W, "W": (S.T @ Y).T @ summary, "b": Y.sum(axis=0)}


def backward_expanded(Y, W, summary, S):
    """Blow the summary up to B rows again; the product is the same."""
    X_hat = S @ summary
    return {"X": np.matmul(Y, W), "W": Y.T @ X_hat, "b": np.ones(len(Y)) @ Y}


def backward_einsum(Y, W, summary, S):
    return {
        "X": np.einsum("km,mn->kn", Y, W),
        "W": np.einsum("km,kb,bn->mn", Y, S, summary),
        "b": np.einsum("km->m", Y),
    }


def backward_loops(Y, W, summary, S):
    (B, M), (b, N) = Y.shape, summary.shape
    dW, dX, db = np.zeros((M, N)), [], [0.0] * M
    for j in range(b):
        row = sum(S[k, j] * Y[k] for k in range(B))
        dW += np.outer(row, summary[j])
    for k in range(B):
        dX.append([sum(Y[k, m] * W[m, n] for m in range(M)) for n in range(N)])
        db = [total + value for total, value in zip(db, Y[k], strict=True)]
    return {"X": dX, "W": dW, "b": db}


def backward_transposed(Y, W, summary, S):
    return {"X": (W.T @ Y.T).T, "W": (summary.T @ (S.T @ Y)).T, "b": np.add.reduce(Y, axis=0)}


def backward_tensors(Y, W, summary, S):
    Y, W = (Tensor(np.asarray(part, float), requires_grad=True) for part in (Y, W))
    return {"X": Y @ W, "W": (Y.T @ Tensor(S)) @ Tensor(summary), "b": Y.sum(axis=0)}


def backward_float32(Y, W, summary, S):
    found = sketched_backward(*(np.asarray(a, np.float32) for a in (Y, W, summary, S)))
    return {name: value.tolist() for name, value in found.items()}


def backward_with(dX=None, dW=None, db=None):
    def answer(Y, W, summary, S):
        right = sketched_backward(Y, W, summary, S)
        changed = {"X": dX, "W": dW, "b": db}
        return {name: change(Y, W, summary, S) if change else right[name] for name, change in changed.items()}

    return answer


def backward_case(rng, B, N, M, b):
    X, S = array(rng, B, N), array(rng, B, b)
    return case(array(rng, B, M), array(rng, M, N), np.round(S.T @ X, 6), S)


def backward_with_sketch(rng, S, N, M):
    X = array(rng, len(S), N)
    return case(array(rng, len(S), M), array(rng, M, N), S.T @ X, S)


def kept_rows(rng, B, b):
    S = np.zeros((B, b))
    S[rng.permutation(B)[:b], np.arange(b)] = math.sqrt(B / b)
    return S


def backward_edges(rng):
    """A fold, one kept row, as many kept as there are, one example and one of each; one length for all; zeros."""
    fold, zeros = np.zeros((6, 3)), backward_case(rng, 4, 3, 2, 3)
    fold[rng.permutation(6), np.arange(6) % 3] = rng.choice([-1.0, 1.0], 6)
    zeros.args[0][1, 0] = zeros.args[1][1, 2] = zeros.args[2][2, 1] = 0.0
    whole = np.diag(rng.choice([-1.0, 1.0], 4))[rng.permutation(4)]
    return [
        backward_with_sketch(rng, fold, 2, 4),
        backward_with_sketch(rng, kept_rows(rng, 5, 1), 3, 1),
        backward_with_sketch(rng, whole, 3, 2),
        zeros,
        backward_case(rng, 1, 2, 3, 1),
        backward_case(rng, 5, 1, 2, 2),
        backward_case(rng, 3, 3, 3, 3),
    ]


def usual_backward(rng):
    return [backward_case(rng, *shape) for shape in ((6, 3, 2, 3), (5, 2, 4, 2), (7, 4, 3, 4), (6, 3, 2, 3))]


def hidden_backward(rng):
    narrow = (
        (5, 3, 2, 1),
        (4, 1, 2, 1),
        (4, 1, 1, 2),
        (5, 3, 1, 2),
        (1, 2, 3, 2),
        (6, 2, 3, 2),
        (4, 4, 2, 3),
        (4, 2, 4, 3),
    )
    return [
        *usual_backward(rng),
        *backward_edges(rng),
        *(backward_case(rng, *shape) for shape in narrow),
        backward_with_sketch(rng, kept_rows(rng, 5, 2), 3, 2),
        backward_with_sketch(rng, -np.abs(array(rng, 4, 2)), 2, 3),
        backward_with_sketch(rng, rng.choice([-1, 1], (4, 1)), 2, 3),
        case(*(rng.choice([-3, -2, -1, 1, 2, 3], shape) for shape in ((5, 3), (3, 2), (2, 2), (5, 2)))),
    ]


BANK = [
    wrong("bias-sketched", backward_with(db=lambda Y, W, summary, S: (S @ (S.T @ Y)).sum(axis=0)),
          "notebook 08, section 2: only one of three",
          "The gradient of b has passed through the sketch, too.",
          "It does not need the input, so nothing about it has to be estimated."),
    wrong("bias-from-the-summary", backward_with(db=lambda Y, W, summary, S: (S.T @ Y).sum(axis=0)),
          "notebook 08, section 2",
          "The bias was summed over the rows of the summary.",
          "All rows of Y are there; only X was thrown away."),
    wrong("weight-transposed", backward_with(dW=lambda Y, W, summary, S: summary.T @ (S.T @ Y)),
          "notebook 08, section 2: the shapes",
          "The weight's gradient is transposed.",
          "A gradient has the shape of what it belongs to, and W has a row per output."),
    wrong("scaled-again", backward_with(dW=lambda Y, W, summary, S: len(S) / S.shape[1] * (S.T @ Y).T @ summary),
          "notebook 08, section 3: E[S S^T] = I",
          "The weight's gradient is too large by B / b.",
          "The scale that makes the mean right stands in S already."),
    wrong("sketch-applied-twice", backward_with(dW=lambda Y, W, summary, S: (S.T @ (S @ (S.T @ Y))).T @ summary),
          "notebook 08, section 3: S stands twice in the product, once on each side",
          "Between the two factors S S^T stands twice.",
          "The summary has been multiplied by the transpose of S already, so Y needs it just once."),
    wrong("first-rows-only", backward_with(dW=lambda Y, W, summary, S: Y[: len(summary)].T @ summary),
          "notebook 08, section 4: Y is folded with the same seed",
          "The first b rows of Y meet the rows of the summary.",
          "A row of the summary is a mixture of all rows of X, so Y must be mixed in the same way."),
    wrong("mean-over-the-rows", backward_with(
              dW=lambda Y, W, summary, S: (S.T @ Y).T @ summary / len(Y), db=lambda Y, W, summary, S: Y.mean(axis=0)
          ), "notebook 08, section 2: sums over the rows",
          "The gradients of W and b are divided by the number of rows.",
          "A mean over examples belongs to the loss; it is inside Y by the time it arrives here."),
    wrong("input-gradient-sketched", backward_with(dX=lambda Y, W, summary, S: S @ (S.T @ Y) @ W),
          "notebook 08, section 2, 'Only one of three gradients needs the input'",
          "The gradient of X has passed through the sketch.",
          "It needs W and Y, and both are there. Nothing about it has to be estimated."),
    wrong("input-in-place-of-its-gradient", backward_with(dX=lambda Y, W, summary, S: S @ summary),
          "notebook 08, section 2, 'Only one of three gradients needs the input'",
          "For the gradient of X stands an estimate of X itself.",
          "S times the summary is about what the layer forgot. The loss is not in it."),
    wrong("bias-as-one-number", backward_with(db=lambda Y, W, summary, S: Y.sum()),
          "notebook 08, section 2: the shapes",
          "The gradient of b is a single number.",
          "Each output has its own bias; only the rows are added up."),
    wrong("bias-along-the-rows", backward_with(db=lambda Y, W, summary, S: Y.sum(axis=1)),
          "notebook 08, section 2: the shapes",
          "The gradient of b has an entry for each example.",
          "Each output has its own bias, and every example adds to it."),
    wrong("divided-by-the-kept-rows", backward_with(dW=lambda Y, W, summary, S: (S.T @ Y).T @ summary / S.shape[1]),
          "notebook 08, section 3, 'A random matrix in the middle'",
          "The weight's gradient is divided by b.",
          "The sum over the kept rows has the right mean already: that is what is asked of S S^T."),
]  # fmt: skip

EXERCISE = Exercise(
    id="08.4",
    title="The backward pass without the input",
    function="sketched_backward",
    minutes=12,
    difficulty=2,
    points=3,
    see="notebook 08, sections 2 and 4",
    reference=sketched_backward,
    domain={"Y": Array("B M"), "W": Array("M N"), "summary": Array("b N"), "S": Array("B b")},
    meets={
        "as many rows are kept as there are": lambda S: S.shape[0] == S.shape[1] > 1,
        "S has one entry in each row, as a fold has": lambda S: len(S) > 1 and (np.count_nonzero(S, axis=1) == 1).all(),
        "all axes have one length": lambda Y, W, S: len(Y) > 1 == len({*Y.shape, *W.shape, *S.shape}),
        "S leaves rows out": lambda S: (np.count_nonzero(S, axis=1) == 0).any(),
        "one row of several is kept": lambda S: len(S) > 1 == S.shape[1],
    },
    integers=True,
    visible=[*usual_backward(np.random.default_rng(8)), *backward_edges(np.random.default_rng(84))],
    hidden=hidden_backward,
    accepted=[
        backward_expanded,
        backward_einsum,
        backward_loops,
        backward_transposed,
        backward_tensors,
        backward_float32,
    ],
    bank=BANK,
    hints=(
        "Write the three exact gradients first. Two of them do not contain X and stay as they are.",
        "In the third, put S S^T between the factors: Y^T S S^T X. The right half is the summary. And the left half?",
        "X: Y @ W.  W: (S.T @ Y).T @ summary.  b: Y.sum(axis=0).",
    ),
)
