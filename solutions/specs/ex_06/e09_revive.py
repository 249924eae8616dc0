"""06.9 Open the ReLUs of patient D."""

from __future__ import annotations

import numpy as np

from coursepkg.grading.specification.domain import Array
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import spread


def revive(X, W, b):
    Z = X @ W.T + b
    dead = np.all(Z <= 0, axis=0)
    return b - np.where(dead, np.median(Z, axis=0), 0)


def revive_with_loops(X, W, b):
    new = []
    for weights, bias in zip(W, b, strict=True):
        z = [float(np.dot(weights, x) + bias) for x in X]
        new.append(bias - np.median(z) if max(z) <= 0 else bias)
    return new


def revive_by_maximum(X, W, b):
    Z = np.einsum("ni,ji->nj", X, W) + b
    new = b.copy()
    dead = Z.max(axis=0) <= 0
    new[dead] -= np.quantile(Z[:, dead], 0.5, axis=0)
    return new


def revive_by_scores(X, W, b):
    scores = X @ W.T
    closed = ~np.any(scores + b > 0, axis=0)
    return np.where(closed, -np.median(scores, axis=0), b)


def revive_by_relu(X, W, b):
    H = np.maximum(X @ W.T + b, 0)
    return np.where(H.sum(axis=0) == 0, -np.median(X @ W.T, axis=0), b).tolist()


def revive_in_float32(X, W, b):
    Z = np.float32(X @ W.T) + np.float32(b)
    return [float(c) if z.max() > 0 else float(c - np.percentile(z, 50)) for c, z in zip(b, Z.T, strict=True)]


def revive_by_sorting(X, W, b):
    Z = np.sort(X @ W.T + b, axis=0)
    n = len(Z)
    middle = (Z[(n - 1) // 2] + Z[n // 2]) / 2
    return b - (Z[-1] <= 0) * middle


def revive_with(*, dead=lambda Z: np.all(Z <= 0, axis=0), middle=lambda Z: np.median(Z, axis=0), sign=-1.0):
    def answer(X, W, b):
        Z = X @ W.T + b
        return b + sign * np.where(dead(Z), middle(Z), 0.0)

    return answer


def revive_by(new_bias):
    """The right units get a bias made of their pre-activations and the old one."""

    def answer(X, W, b):
        Z = X @ W.T + b
        return np.where(np.all(Z <= 0, axis=0), new_bias(Z, b), b)

    return answer


def steady(rng, examples, weights):
    """Examples and weights such that no median of weighted sums is near zero.

    It is the new bias, up to its sign, which is the old one minus a median: digits would cancel.
    """
    while True:
        X, W = spread(rng, *examples), spread(rng, *weights)
        if np.abs(np.median(X @ W.T, axis=0)).min() > 0.3:
            return X, W


def short(biases):
    """Biases of few binary digits, so that whoever computes in float32 has them exactly."""
    return np.round(64 * biases) / 64


def ward_case(rng, n, inputs, units, *, opener_first=False):
    """Some units dead; one open for a single example (which may come first), one for all but one, one always."""
    X, W = steady(rng, (n, inputs), (units, inputs))
    if opener_first:
        X = np.roll(X, -int(np.argmax(X @ W[1])), axis=0)
    scores = X @ W.T
    b = short(-scores.max(axis=0) - rng.uniform(0.5, 2.0, units))
    b[1] = np.round(np.sort(-scores[:, 1])[:2].mean(), 3)
    b[2] = np.round(-scores[:, 2].min() + 1.0, 2)
    b[3] = np.round(np.sort(-scores[:, 3])[-2:].mean(), 3)
    return case(X, W, b)


def ward_edges(rng):
    """All dead, by how much ever; none dead; one example; one unit with one input; pre-activations of exactly 0.

    Units that are open or closed by a hair, or always at 0; an example that occurs several times."""
    X, W, _ = ward_case(rng, 6, 3, 4).args
    scores = X @ W.T
    all_dead = short(-scores.max(axis=0) - rng.uniform(0.2, 2.0, 4))
    none_dead = np.round(rng.uniform(0.1, 0.9, 4) - scores.min(axis=0), 2)
    exact_X = rng.permutation(np.array([[1.0, 2.0], [-3.0, 1.0], [0.0, 0.0], [2.0, -4.0]]))
    exact_W = np.array([[1.0, 0.0], [0.0, -2.0], [1.0, 1.0], [-1.0, 0.0], [0.0, 0.0]])
    x, y, z = np.round(rng.uniform(0.5, 2.5, 3), 2)
    hardly = rng.permutation(np.array([[1e-25, 0.0], [-x, 3.0], [-y, 4.0], [-z, 3.5]]))
    single = steady(rng, (1, 3), (4, 3))
    lonely = steady(rng, (5, 1), (1, 1))
    square = steady(rng, (3, 3), (3, 3))
    hair = all_dead.copy()
    hair[1:3] = np.round(np.array([0.0004, 0.0007]) - scores.max(axis=0)[1:3], 6)
    again_W = spread(rng, 3, 2)
    distinct = spread(rng, 3, 2)
    while np.abs(np.median(distinct @ again_W.T, axis=0) - distinct[0] @ again_W.T).max() < 0.1 or (
        np.abs(distinct[0] @ again_W.T).min() < 0.3
    ):
        distinct = spread(rng, 3, 2)
    again = rng.permutation(distinct[[0, 0, 0, 1, 2]])
    return [
        case(X, W, all_dead),
        case(X, W, none_dead),
        case(exact_X, exact_W, np.array([-2.0, -9.0, 0.0, -4.0, 0.0])),
        case(*single, short(-single[0] @ single[1].T + [-0.8, 0.6, -1.3, -0.4])[0]),
        case(*lonely, np.array([-4.0])),
        case(*square, short(-(square[0] @ square[1].T).max(axis=0) + [-0.8, 0.7, -1.3])),
        case(X, W, hair),
        case(rng.permutation([[x], [x + y]]), np.array([[-1.0], [-z]]), np.array([0.0, -0.5])),
        case(hardly, np.array([[1.0, 0.0], [-1.0, -1.0], [0.0, -1e-9]]), np.array([0.0, 0.0, 1e-9])),
        ward_case(rng, 101, 1, 4),
        case(again, again_W, short(-(again @ again_W.T).max(axis=0) - rng.uniform(0.5, 2.0, 3))),
    ]


_draw = np.random.default_rng(69)

BANK = [
    wrong("closed-once-is-dead", revive_with(dead=lambda Z: np.any(Z <= 0, axis=0)), "'5 · Dead ReLUs'",
          "Units that are closed only for some examples were moved, too.",
          "Being closed now and then is what a ReLU is for. Dead means closed for every example."),
    wrong("all-units-moved", revive_with(dead=lambda Z: np.full(Z.shape[1], True)), "'5 · Dead ReLUs'",
          "All units were moved, the healthy ones as well.",
          "Healthy units keep what they have learned; only the dead ones need help."),
    wrong("moved-the-wrong-way", revive_with(sign=1.0), "'5 · Dead ReLUs'",
          "Dead units were pushed even further down.",
          "The middle of their pre-activations lies below zero, so it has to be taken away from the bias."),
    wrong("bias-to-zero", lambda X, W, b: np.where(np.all(X @ W.T + b <= 0, axis=0), 0.0, b),
          "the docstring of the exercise",
          "The biases of dead units were set to zero.",
          "That often helps, but it does not promise that half of the examples open the unit."),
    wrong("mean-for-median", revive_with(middle=lambda Z: np.mean(Z, axis=0)), "the docstring of the exercise",
          "The mean pre-activation was brought to zero instead of the median.",
          "Half of the examples lie above the median. One far-out example can drag the mean anywhere."),
    wrong("opened-by-one-example", revive_with(middle=lambda Z: np.max(Z, axis=0)), "the docstring of the exercise",
          "The largest pre-activation was brought to zero.",
          "A unit that opens for one example at most is nearly dead still."),
    wrong("bias-forgotten",
          lambda X, W, b: b - np.where(np.all(X @ W.T + b <= 0, axis=0), np.median(X @ W.T, axis=0), 0.0),
          "'Phase 1: feed forward'",
          "The right units were moved, but the bias they had was left out of their pre-activations.",
          "A pre-activation is the weighted sum and the bias together."),
    wrong("nobody-moved", lambda X, W, b: b.copy(), "'5 · Dead ReLUs'",
          "The biases came back as they were.",
          "Either no unit was found dead, or what was taken away is zero: it is the pre-activations that count, "
          "not what the ReLU makes of them."),
    wrong("dead-for-the-first-example", revive_with(dead=lambda Z: Z[0] <= 0), "'5 · Dead ReLUs'",
          "Only the first example decided who is dead.",
          "Dead means closed for every example."),
    wrong("mostly-closed-is-dead", revive_with(dead=lambda Z: np.median(Z, axis=0) <= 0), "'5 · Dead ReLUs'",
          "Units that are closed for most examples were moved, too.",
          "A unit that opens for one example still gets a gradient from it, and can learn."),
    wrong("old-bias-forgotten", revive_by(lambda Z, b: -np.median(Z, axis=0)), "'Phase 1: feed forward'",
          "The right units were moved; each new bias is what should have been added to the old one.",
          "The pre-activations that you took the median of hold the old bias; what you change starts from there."),
    wrong("dead-judged-without-the-bias",
          lambda X, W, b: b - np.where(np.all(X @ W.T <= 0, axis=0), np.median(X @ W.T + b, axis=0), 0.0),
          "'Phase 1: feed forward'",
          "Whether a unit is dead was asked of the weighted sums alone.",
          "It is the bias that closes the units of patient D, so it has to be in the sum that you look at."),
    wrong("all-or-nobody-dead", revive_with(dead=lambda Z: np.all(Z <= 0)), "'5 · Dead ReLUs'",
          "Units were moved only where all of them are dead.",
          "Each unit is dead or alive by itself; the question goes over the examples, for one unit at a time."),
    wrong("zero-taken-for-open", revive_with(dead=lambda Z: np.all(Z < 0, axis=0)), "the docstring of the exercise",
          "Units whose largest pre-activation is exactly 0 were left alone.",
          "A ReLU gives 0 at 0, and nothing gets through to it: such an example does not open the unit."),
    wrong("one-median-for-all-units", revive_with(middle=np.median), "the docstring of the exercise",
          "All dead units were moved by the same amount.",
          "Each unit has a median of its own, over the examples."),
    wrong("nearly-closed-is-dead", revive_with(dead=lambda Z: Z.max(axis=0) < 0.01), "the docstring of the exercise",
          "Units that are open by a hair were moved, too.",
          "Above 0 is above 0: the slope of a ReLU is 1 there, however little comes out."),
    wrong("open-by-a-millionth-is-dead", revive_with(dead=lambda Z: np.all(Z <= 1e-8, axis=0)),
          "the docstring of the exercise",
          "Units that are open by less than a millionth were moved, too.",
          "`isclose` and small thresholds take tiny numbers for 0. Above 0 is above 0, and the slope there is 1."),
    wrong("hardly-open-is-dead", revive_with(dead=lambda Z: np.mean(Z > 0, axis=0) < 0.05),
          "the docstring of the exercise",
          "Units that are open for fewer than one example in twenty were moved, too.",
          "A unit that opens for one example still gets a gradient from it, and can learn."),
    wrong("one-of-the-two-in-the-middle", revive_with(middle=lambda Z: np.sort(Z, axis=0)[len(Z) // 2]),
          "the docstring of the exercise",
          "Right for an odd number of examples; otherwise the upper of the two middle values was brought to zero.",
          "With an even number of examples, no value stands in the middle. The median lies halfway between two."),
]  # fmt: skip

EXERCISE = Exercise(
    id="06.9",
    title="Open the ReLUs of patient D",
    function="revive",
    minutes=8,
    difficulty=2,
    points=3,
    see="notebook 06, '5 · Dead ReLUs'",
    reference=revive,
    domain={"X": Array("n i", order="free"), "W": Array("u i"), "b": Array("u")},
    meets={
        "all units are dead": lambda X, W, b: len(b) > 1 and (X @ W.T + b < 0).all(),
        "no unit is dead": lambda X, W, b: (X @ W.T + b > 0).any(axis=0).all(),
        "a unit is open for one example": lambda X, W, b: (((X @ W.T + b) > 0).sum(axis=0) == 1).any(),
        "a unit is closed for one example": lambda X, W, b: (((X @ W.T + b) <= 0).sum(axis=0) == 1).any(),
        "the largest pre-activation is 0": lambda X, W, b: ((X @ W.T + b).max(axis=0) == 0).any(),
        "a unit is open by a hair": lambda X, W, b: (
            ((X @ W.T + b).max(axis=0) > 1e-4) & ((X @ W.T + b).max(axis=0) < 1e-3)
        ).any(),
        "a unit is open by next to nothing": lambda X, W, b: (
            ((X @ W.T + b).max(axis=0) > 0) & ((X @ W.T + b).max(axis=0) < 1e-20)
        ).any(),
        "a unit is closed by next to nothing": lambda X, W, b: (
            ((X @ W.T + b).max(axis=0) < 0) & ((X @ W.T + b).max(axis=0) > -1e-20)
        ).any(),
        "all pre-activations of a unit are 0": lambda X, W, b: len(X) > 1 and not (X @ W.T + b).any(axis=0).all(),
        "a unit is open for one example of 100": lambda X, W, b: (
            len(X) > 100 and (((X @ W.T + b) > 0).sum(axis=0) == 1).any()
        ),
        "an example occurs again": lambda X: len({tuple(row) for row in X.tolist()}) < len(X),
        "the number of examples is even": lambda X: len(X) % 2 == 0,
        "the number of examples is odd": lambda X: len(X) > 1 and len(X) % 2 == 1,
    },
    visible=[
        ward_case(_draw, 5, 3, 4),
        ward_case(_draw, 8, 2, 5, opener_first=True),
        ward_case(_draw, 7, 4, 6),
        *ward_edges(_draw),
    ],
    hidden=lambda rng: [
        ward_case(rng, 7, 3, 5),
        ward_case(rng, 6, 2, 4, opener_first=True),
        ward_case(rng, 9, 3, 6),
        *ward_edges(rng),
    ],
    accepted=[
        revive_with_loops,
        revive_by_maximum,
        revive_by_scores,
        revive_by_relu,
        revive_in_float32,
        revive_by_sorting,
    ],
    bank=BANK,
    atol=1e-13,
    hints=(
        "Compute all pre-activations, an array of shape (n, units). Which columns are dead?",
        "A column is dead if no entry is positive. For such a unit, which bias puts the middle of its column at zero?",
        "Take the median of each column, and subtract it from the bias, for dead units only.",
    ),
)
