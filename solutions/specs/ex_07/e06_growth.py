"""07.6 It grows before it shrinks."""

from __future__ import annotations

import math
from itertools import accumulate, pairwise

import numpy as np

from coursepkg.grading.specification.domain import Array
from coursepkg.grading.specification.exercise import Exercise, case, wrong


def growth(W):
    power, largest, k = W, 0.0, 1
    while True:
        norm = np.linalg.norm(power, 2)
        largest = max(largest, norm)
        if norm < 1:
            return k, largest
        power, k = power @ W, k + 1


def growth_matrix_power(W):
    norms = np.linalg.norm([np.linalg.matrix_power(W, k) for k in range(1, 301)], 2, axis=(1, 2)).tolist()
    first = next(k for k, n in enumerate(norms, 1) if n < 1)
    return first, max(norms[:first])


def growth_svd(W):
    P, found = np.eye(len(W)), []
    while not found or found[-1] >= 1:
        P = W @ P
        found.append(np.linalg.svd(P, compute_uv=False)[0])
    return np.array([len(found), max(found)])


def growth_gram(W):
    P, best, k = np.array(W, dtype=float), 0.0, 1
    size = math.sqrt(np.max(np.linalg.eigvalsh(P.T @ P)))
    best = size
    while size >= 1:
        P, k = np.dot(W, P), k + 1
        size = math.sqrt(np.max(np.linalg.eigvalsh(P @ P.T)))
        best = max(best, size)
    return {"k": k, "norm": best}["k"], best


def growth_recursive(W):
    def back(P, k, largest):
        norm = float(np.linalg.svd(P)[1].max())
        return [k, max(norm, largest)] if norm < 1 else back(P @ W, k + 1, max(norm, largest))

    return back(W, 1, 0.0)


def growth_float32(W):
    k, largest = growth(W)
    return [k, np.float32(largest)]


def growth_by(size, power=lambda P, W: P @ W):
    """The same search with another notion of size or of power."""

    def answer(W):
        P, largest = np.array(W), 0.0
        for k in range(1, 400):
            norm = float(size(P))
            largest = max(largest, norm)
            if norm < 1:
                return [k, largest]
            P = power(P, W)
        return [400, largest]

    return answer


def norm_by_power_iteration(P):
    """Twenty steps from a vector of ones, which may hold nothing of the one that is stretched most."""
    v = np.ones(len(P))
    for _ in range(20):
        u = P.T @ (P @ v)
        if np.linalg.norm(u) < 1e-9:
            return 0.0
        v = u / np.linalg.norm(u)
    return np.linalg.norm(P @ v)


def growth_up_to(most):
    def answer(W):
        k, largest = growth(W)
        return [min(k, most), max(norms_of(W, min(k, most)))] if k > most else [k, largest]

    return answer


def growth_one_late(W):
    k, largest = growth(W)
    return [k + 1, largest]


def growth_last_above(W):
    k, largest = growth(W)
    return [k - 1, largest]


def growth_first_norm(W):
    k, _ = growth(W)
    return [k, float(np.linalg.norm(W, 2))]


def growth_matrix(rng):
    """A triangular matrix whose eigenvalues are below 1 and whose powers grow first, clear of every edge."""
    while True:
        n = int(rng.integers(2, 4))
        W = np.round(np.triu(rng.uniform(1.5, 6.0, (n, n)), 1), 1)
        W = W + np.diag(np.round(rng.uniform(0.4, 0.75, n), 2))
        W = W if rng.random() < 0.5 else W.T
        norms = [np.linalg.norm(np.linalg.matrix_power(W, k), 2) for k in range(1, 60)]
        first = next((k for k, norm in enumerate(norms, 1) if norm < 1), 0)
        clear = all(abs(norm - 1) > 0.02 for norm in norms)
        grows = first > 4 and max(norms[:first]) > 1.1 * norms[0]
        if clear and grows:
            return W


def growth_last_time(W):
    norms = norms_of(W, 399)
    last = max([k for k, norm in enumerate(norms, 1) if norm >= 1], default=0)
    return [last + 1, max(norms)]


def growth_first_peak(W):
    """The largest norm before the first drop."""
    k, _ = growth(W)
    norms = norms_of(W, k)
    drop = next((j for j, (before, after) in enumerate(pairwise(norms), 1) if after < before), k)
    return [k, norms[drop - 1]]


def norms_of(W, k):
    return np.linalg.norm(list(accumulate([W] * k, np.matmul)), 2, axis=(1, 2)).tolist()


def growth_last_norm(W):
    k, _ = growth(W)
    return [k, float(np.linalg.norm(np.linalg.matrix_power(W, k), 2))]


def growth_edges(rng):
    """A number; no stretch; nothing left of it; norms that rise again, below 1 and above; a slow one; turns."""
    a, b = rng.uniform(2.6, 3.2), rng.uniform(0.22, 0.28)
    ring = np.roll(np.diag(np.round([a, b, a, b], 2) * rng.choice([-1, 1], 4)), 1, axis=1)
    p, q, r = np.round(rng.uniform([1.9, 0.58, 1.9], [2.2, 0.68, 2.2]), 2)
    x, y, z, far = np.round(rng.uniform([0.3, 0.5, 1.5, 4.0], [0.5, 0.7, 2.5, 6.0]), 2)
    return [
        case(np.array([[-x]])),
        case(np.array([[round(float(rng.uniform(0.9992, 0.9998)), 5)]])),  # below 1 by a little
        case(np.zeros((2, 2))),
        case(np.array([[0.0, far, z], [0.0, 0.0, far], [0.0, 0.0, 0.0]])),
        case(ring),
        case(np.diag([p, q, r], 1)),
        case(np.array([[x, -far], [y / 4, -x]])),
        case(to_the_end(rng)),
        case(misses_the_ones(rng)),
    ]


def misses_the_ones(rng):
    """A matrix that stretches a vector of ones least, and one beside it most; in binary digits, so exactly."""
    ones, others = np.ones(4), rng.permutation([1.0, 1.0, -1.0, -1.0])
    return (rng.choice([1.0, 2.0, 4.0]) * np.outer(ones, others) + np.outer(others, ones) / 256) * rng.choice([-1, 1])


def to_the_end(rng):
    """A matrix of which the 300th power is the first below 1, by no hair, and the largest comes after the 99th."""
    z, low, high = round(float(rng.uniform(0.03, 0.04)), 4), 0.9, 0.999
    for _ in range(30):
        slow = (low + high) / 2
        W = np.diag([slow] * 3) + np.diag([z, -z], -1)
        around = [np.linalg.norm(np.linalg.matrix_power(W, k), 2) for k in (299, 300)]
        low, high = (low, slow) if math.prod(around) > 1 else (slow, high)
    return W.round(6)


def larger_matrices(rng):
    """Six rows, of which pairs do the work; from either side, so that no half of the entries says it all."""
    W = np.zeros((6, 6))
    for k in (0, 2, 4):
        W[k : k + 2, k : k + 2] = [[0.5, round(float(rng.uniform(2.0, 5.5)), 2)], [0.0, 0.5]]
    places = rng.permutation(6)
    W = W[np.ix_(places, places)]
    return [case(W), case(W.T.copy())]


def hidden_growth(rng):
    smaller = np.round(rng.uniform(0.1, 0.35, (2, 2)) * rng.choice([-1, 1], (2, 2)), 2)
    return [*(case(growth_matrix(rng)) for _ in range(3)), case(smaller), *growth_edges(rng)]


BANK = [
    wrong("stops-at-the-299th", growth_up_to(299), "the docstring of the exercise",
          "Right unless the 300th power is the first below 1.",
          "A range ends before its last number: range(1, 300) knows 299 powers."),
    wrong("iterates-from-ones", growth_by(norm_by_power_iteration), "notebook 07, section 5",
          "Right for many matrices; where a vector of ones is hardly stretched, norms are too small.",
          "An iteration finds the longest vector only if it begins with a part of it, and goes on long enough."),
    wrong("spectral-radius", growth_by(lambda P: np.max(np.abs(np.linalg.eigvals(P)))),
          "notebook 07, section 5: eigenvalue and singular value",
          "Your numbers are those of the largest eigenvalue, which is below 1 at once.",
          "Eigenvalues, those of a power times itself too, tell the long run. The most by which one application can"
          " stretch a vector is another number."),
    wrong("frobenius-norm", growth_by(np.linalg.norm), "notebook 07, section 5: the largest singular value",
          "The norm is the root of the sum of all squared entries.",
          "That is np.linalg.norm without a second argument, and is larger than the largest stretch."),
    wrong("powers-of-the-entries", growth_by(lambda P: np.linalg.norm(P, 2), power=lambda P, W: P * W),
          "chapter 04, matrix products",
          "Powers are taken entry by entry.",
          "In NumPy `*` and `**` work on entries; applying a matrix again is `@`."),
    wrong("power-of-the-norm", lambda W: [1 if np.linalg.norm(W, 2) < 1 else 400, float(np.linalg.norm(W, 2))],
          "notebook 07, section 5: the table of powers",
          "The norm of a power is taken to be the power of the norm, so that it never falls below 1.",
          "The direction that is stretched most need not be the one that comes out of the step before."),
    wrong("largest-entry", growth_by(lambda P: np.max(np.abs(P))), "notebook 07, section 5: the largest singular value",
          "The size of a matrix is taken to be its largest entry.",
          "A vector can be stretched by more than any single entry."),
    wrong("one-power-late", growth_one_late, "the docstring of the exercise",
          "The power is one too high.",
          "W itself is the first power."),
    wrong("last-power-above", growth_last_above, "the docstring of the exercise",
          "The power is one too low.",
          "Either you count from 0, or you stop at the last power that is not yet below 1."),
    wrong("first-norm", growth_first_norm, "the task: the largest norm on the way",
          "The largest norm is taken to be that of W itself.",
          "Some matrices stretch more when applied twice."),
    wrong("norm-before-the-first-drop", growth_first_peak, "the task: the largest norm on the way",
          "The largest norm is taken to be that before the first drop.",
          "Norms may fall and rise again, to more than before."),
    wrong("results-exchanged", lambda W: growth(W)[::-1], "the docstring of the exercise: the order of the results",
          "Both numbers are right, and they stand in the other order.",
          "The exponent comes first, the norm second."),
    wrong("last-time-above", growth_last_time, "notebook 07, section 5, and the task: the first exponent",
          "You give the power from which on all norms are below 1.",
          "A norm may fall below 1 and rise above it again. Asked for is the first time."),
    wrong("squares-each-time", growth_by(lambda P: np.linalg.norm(P, 2), power=lambda P, W: P @ P),
          "notebook 07, section 5, and the task: each power in turn",
          "You skip powers: each is the square of the one before.",
          "After the second power comes the third, not the fourth."),
    wrong("largest-column-sum", growth_by(lambda P: np.linalg.norm(P, 1)),
          "notebook 07, section 5: the largest singular value",
          "The size of a matrix is taken to be its largest sum of a column.",
          "np.linalg.norm has several norms; this is another one than the largest stretch of a length."),
    wrong("last-norm", growth_last_norm, "the task: the largest norm on the way",
          "The power is right; the norm is that of the last power.",
          "That one is below 1. Keep the largest of all that you met."),
    wrong("largest-row-sum", growth_by(lambda P: np.linalg.norm(P, np.inf)),
          "notebook 07, section 5: the largest singular value",
          "The size of a matrix is taken to be its largest sum of a row.",
          "That measures the stretch of a vector by its largest entry, not by its length."),
    wrong("smallest-singular-value", growth_by(lambda P: np.linalg.norm(P, -2)),
          "notebook 07, section 5: the largest singular value",
          "The powers are measured by their smallest singular value.",
          "That is the least by which a vector is stretched."),
]  # fmt: skip

EXERCISE = Exercise(
    id="07.6",
    title="It grows before it shrinks",
    function="growth",
    minutes=10,
    difficulty=2,
    points=2,
    see="notebook 07, section 5, the matrix with both eigenvalues one half",
    reference=growth,
    domain={"W": Array("n n", all_zero=True, order="given")},
    meets={
        "it takes 300 powers": lambda W: growth(W)[0] == 300,
        "the largest norm comes after 99 powers": lambda W: (
            growth(W)[0] > 100 and max(norms_of(W, 100)) < 0.99 * growth(W)[1]
        ),
        "a vector of ones is stretched least": lambda W: (
            len(W) == 4 and np.ptp(W.T @ W @ np.ones(4)) == 0 and np.abs(W @ np.ones(4)).max() < 0.1 < growth(W)[1]
        ),
        "the first power is below 1": lambda W: W.any() and np.linalg.norm(W, 2) < 1,
        "a later power is above 1 again": lambda W: (
            (k := growth(W)[0]) and np.linalg.norm(np.linalg.matrix_power(W, k + 1), 2) > 1
        ),
        "a power is zero": lambda W: W.any() and not np.linalg.matrix_power(W, len(W)).any(),
        "eigenvalues are complex": lambda W: np.iscomplex(np.linalg.eigvals(W)).any(),
        "norms above 1 fall, and rise higher": lambda W: growth_first_peak(W)[1] < growth(W)[1],
    },
    parts=("the exponent", "the largest norm"),
    visible=[
        case(np.array([[0.5, 10.0], [0.0, 0.5]])),
        *hidden_growth(np.random.default_rng(19)),
    ],
    hidden=lambda rng: [*hidden_growth(rng), *larger_matrices(rng)],
    accepted=[growth_matrix_power, growth_svd, growth_gram, growth_recursive, growth_float32],
    bank=BANK,
    hints=(
        "Multiply by W again and again, and measure each product.",
        "np.linalg.norm(P, 2) is the largest singular value of P. Keep the largest you have seen, and stop at the "
        "first that is below 1.",
        "Start with P = W and k = 1. Loop: measure P; if it is below 1 return k and the largest; otherwise P = P @ W "
        "and k + 1.",
    ),
    equivalent_mutants={
        "squeezes": "each part of the result is one number",
        "`norm < 1` → `norm <= 1`": "no power has a norm of exactly 1",
        "`power @ W` → `W @ power`": "powers of one matrix commute",
    },
)
