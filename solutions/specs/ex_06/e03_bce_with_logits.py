"""06.3 Yes or no, from a score."""

from __future__ import annotations

import numpy as np

from coursepkg import nn
from coursepkg.autodiff.scalar import Scalar
from coursepkg.gradients import reverse
from coursepkg.grading.specification.domain import Array
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import spread


def bce_with_logits(z, t):
    loss = np.mean(np.maximum(z, 0) - t * z + np.log1p(np.exp(-np.abs(z))))
    probability = np.exp(-np.logaddexp(0, -z))
    return {"loss": loss, "z_bar": (probability - t) / len(z)}


def bce_by_logaddexp(z, t):
    return {"loss": np.mean(np.logaddexp(0, z) - t * z), "z_bar": (0.5 * (1 + np.tanh(z / 2)) - t) / z.size}


def bce_by_loops(z, t):
    loss, bars = 0.0, []
    for score, target in zip(z, t, strict=True):
        small = float(np.exp(-abs(score)))
        loss += (score if score > 0 else 0.0) - target * score + float(np.log1p(small))
        bars.append(((1.0 if score > 0 else small) / (1 + small) - target) / len(z))
    return {"loss": loss / len(z), "z_bar": bars}


def bce_by_engine(z, t):
    f = nn.binary_cross_entropy_with_logits
    return {"loss": f(z, t), "z_bar": reverse(lambda scores: f(scores, t))(z)}


def bce_by_two_classes(z, t):
    logits, target = np.stack([np.zeros_like(z), z], axis=1), np.stack([1 - t, t], axis=1)
    bar = reverse(lambda scores: nn.cross_entropy(scores, target))(logits)
    return {"loss": np.float64(nn.cross_entropy(logits, target)), "z_bar": bar[:, 1]}


def bce_by_scalars(z, t):
    loss, scores = 0.0, [Scalar(float(score)) for score in z]
    for score, target in zip(scores, t, strict=True):
        softplus = score + ((-score).exp() + 1.0).log() if score.data > 0 else (score.exp() + 1.0).log()
        loss = loss + softplus - score * float(target)
    loss = loss / len(z)
    loss.backward()
    return {"loss": loss.data, "z_bar": [score.grad for score in scores]}


def bce_naive(z, t):
    with np.errstate(all="ignore"):
        p = np.exp(z) / (1 + np.exp(z))
        return {"loss": np.mean(-t * np.log(p) - (1 - t) * np.log(1 - p)), "z_bar": (p - t) / len(z)}


def bce_clipped(z, t):
    p = np.clip(0.5 * (1 + np.tanh(z / 2)), 1e-7, 1 - 1e-7)
    return {"loss": np.mean(-t * np.log(p) - (1 - t) * np.log(1 - p)), "z_bar": (p - t) / len(z)}


def bce_with_cut_scores(z, t):
    return bce_with_logits(np.clip(z, -30, 30), t)


def bce_cut_at(limit):
    """Takes z for ln(1 + exp(z)) above a limit, and 0 below minus the limit."""

    def answer(z, t):
        softplus = np.where(z > limit, z, np.where(z < -limit, 0.0, np.logaddexp(0, z)))
        return bce_with_logits(z, t) | {"loss": np.mean(softplus - t * z)}

    return answer


def bce_with_a_sure_sigmoid(z, t):
    found = bce_with_logits(z, t)
    sure = np.where(z > 15, 1.0, np.where(z < -15, 0.0, np.exp(-np.logaddexp(0, -z))))
    return found | {"z_bar": (sure - t) / len(z)}


def bce_without_the_positive_part(z, t):
    return bce_with_logits(z, t) | {"loss": np.mean(np.log1p(np.exp(-np.abs(z))) - t * z)}


def bce_with_a_kink(z, t):
    """Differentiates max(z, 0) and ln(1 + exp(-|z|)) one by one, with slopes of 0 for both where z is 0."""
    small = np.exp(-np.abs(z))
    bar = (z > 0) - np.sign(z) * small / (1 + small) - t
    return bce_with_logits(z, t) | {"z_bar": bar / len(z)}


def bce_stable_on_one_side(z, t):
    """Writes exp(-z) for all, which overflows for scores far below zero."""
    with np.errstate(all="ignore"):
        small = np.exp(-z)
        return {"loss": np.mean(np.log1p(small) + (1 - t) * z), "z_bar": (1 / (1 + small) - t) / len(z)}


def bce_with(*, scale=len, bar=lambda p, t: p - t, loss=lambda z, t: np.logaddexp(0, z) - t * z, mean=np.mean):
    def answer(z, t):
        p = np.exp(-np.logaddexp(0, -z))
        return {"loss": mean(loss(z, t)), "z_bar": bar(p, t) / scale(z)}

    return answer


def score_case(rng, n, extreme=()):
    """Scores of both signs, and far-out ones on which an exponential overflows or a logarithm meets zero.

    ``extreme`` gives the place, the score and the target of each far-out one.
    """
    z, t = spread(rng, n, low=0.4, high=4.0), rng.integers(0, 2, n).astype(float)
    t[rng.integers(n)] = np.round(rng.uniform(0.1, 0.4), 2)
    for place, score, target in extreme:
        z[place], t[place] = score, target
    return case(z, t)


def scores_and_targets(rng):
    """Targets halfway between no and yes, or all alike; scores that are equal to their targets."""
    z, t = score_case(rng, 5, [(3, 31.5, 0.5)]).args
    t[0] = 0.5
    return [case(z, t), case(z, np.full(5, 0.5)), case(t.copy(), t), case(-t, t)]


def score_edges(rng):
    """Far-out scores in all places, of both signs, right and wrong; a score of 0; a single score.

    In between, right answers whose loss is small and not zero.
    """
    far = rng.uniform(3e20, 9e20, 2)
    huge = rng.uniform(720, 990, 6).round(1)
    return [
        score_case(rng, 4, [(0, huge[0], 0.0), (2, 0.0, 1.0)]),
        score_case(rng, 5, [(2, -huge[1], 1.0), (4, huge[2], 1.0)]),
        score_case(rng, 3, [(1, -huge[3], 0.0), (2, huge[4], 0.0)]),
        score_case(rng, 4, [(3, -huge[5], 0.7), (1, 38.5, 1.0)]),
        case(spread(rng, 1), np.array([0.35])),
        case(rng.uniform(6.0, 8.0, 1).round(2), np.array([1.0])),
        case(rng.uniform(11.0, 14.0, 2).round(2) * [1.0, -1.0], np.array([1.0, 0.0])),
        case(-rng.uniform(5.5, 7.5, 1).round(2), np.array([0.0])),
        score_case(rng, 4, [(0, -16.5, 1.0), (3, 24.0, 0.0)]),
        score_case(rng, 3, [(0, far[0], 0.0), (2, -far[1], 1.0)]),
        case(rng.uniform(19.0, 19.5, 1).round(2), np.array([1.0])),
        case(-rng.uniform(19.0, 19.5, 1).round(2), np.array([0.0])),
        case(rng.uniform(15.3, 15.9, 2).round(2) * [-1.0, 1.0], np.array([0.0, 1.0])),
    ]


_draw = np.random.default_rng(63)

BANK = [
    wrong("overflows", bce_naive, "'What should the first loss be?'",
          "Right for small scores; nan or infinity for large ones.",
          "The exponential of 800 is no number, and the logarithm of a probability rounded to 1 or 0 is lost."),
    wrong("clips-the-probability", bce_clipped, "'What should the first loss be?'",
          "Right for small scores; for large ones the loss stops near 16 although it should grow on.",
          "Clipping hides the overflow and cuts the loss off; no clipping is needed if exp only sees negatives."),
    wrong("softplus-cut-at-ten", bce_cut_at(10.0), "the docstring of the exercise",
          "Right where scores lie within 10 of zero; beyond, small losses became 0.",
          "From a score on, z was put in the place of ln(1 + exp(z)). What that leaves out is all that a sure and right"
          " answer costs."),
    wrong("softplus-cut-at-fifteen", bce_cut_at(15.0), "the docstring of the exercise",
          "Right where scores lie within 15 of zero; beyond, losses of a ten-millionth became 0.",
          "From a score on, z was put in the place of ln(1 + exp(z)). What that leaves out is all that a sure and right"
          " answer costs."),
    wrong("sigmoid-cut-at-fifteen", bce_with_a_sure_sigmoid, "the docstring of the exercise",
          "The loss is right; beyond scores of 15, gradients of a ten-millionth became 0.",
          "From a score on, the probability was taken for 0 or 1. What is left to learn is the rest."),
    wrong("scores-cut-at-a-thousand", lambda z, t: bce_with_logits(np.clip(z, -1000, 1000), t),
          "the docstring of the exercise",
          "Right up to scores of 1000; beyond, the loss stops growing.",
          "Scores may have any size. No limit is needed if only negative numbers reach the exponential."),
    wrong("sum-for-mean", bce_with(scale=lambda z: 1, mean=np.sum), "the docstring of the exercise",
          "Loss and gradient are n times too large.",
          "The loss is the mean over the examples."),
    wrong("gradient-of-the-sum", bce_with(scale=lambda z: 1), "'2 · The loop learns XOR'",
          "The loss is right; the gradient is n times too large.",
          "The mean in the loss divides the gradient as well."),
    wrong("sigmoid-slope-left-in", bce_with(bar=lambda p, t: (p - t) * p * (1 - p)), "notebook 03, section 9",
          "The loss is right; the gradient has a factor p (1 - p) too much and dies for large scores.",
          "That is the gradient of the squared error. In cross-entropy the slope cancels, and that is its point."),
    wrong("gradient-at-the-probability", bce_with(bar=lambda p, t: (p - t) / np.maximum(p * (1 - p), 1e-300)),
          "'What should the first loss be?'",
          "The loss is right; the gradient is divided by p (1 - p).",
          "That is the gradient at the probability. One step further back stands the sigmoid."),
    wrong("minus-the-gradient", bce_with(bar=lambda p, t: t - p), "'Phase 2: compare'",
          "The loss is right; the gradient has the opposite sign.",
          "If the answer is yes, a higher score lowers the loss: the gradient is negative there."),
    wrong("score-taken-for-probability", bce_with(bar=lambda p, t: np.log(p / np.maximum(1 - p, 1e-300)) - t),
          "'What should the first loss be?'",
          "The loss is right; in the gradient the score stands where its probability should.",
          "A score runs over all numbers; the probability is the score's sigmoid."),
    wrong("only-the-yes-part", bce_with(loss=lambda z, t: t * np.logaddexp(0, -z), bar=lambda p, t: t * (p - 1)),
          "'What should the first loss be?'",
          "Examples whose answer is no cost nothing and get no gradient.",
          "With two classes, no is an answer as well: its probability is one minus that of yes."),
    wrong("cuts-the-scores", bce_with_cut_scores, "the docstring of the exercise",
          "Right for small scores; the loss of far-out ones stops near 30 although it should grow on.",
          "Cutting the scores off avoids the overflow and changes the loss. There is a way without."),
    wrong("stable-on-one-side", bce_stable_on_one_side, "'What should the first loss be?'",
          "Right for large positive scores; nan or infinity for scores far below zero.",
          "Turning the fraction round moves the overflow to the other side. The exponent has to be negative for all."),
    wrong("positive-part-forgotten", bce_without_the_positive_part, "'What should the first loss be?'",
          "The gradient is right; the loss is too low as soon as a score is positive.",
          "Taking the absolute value inside the exponential leaves something over wherever the score is positive."),
    wrong("targets-taken-as-yes-or-no", lambda z, t: bce_with_logits(z, (t > 0.5).astype(float)),
          "the docstring of the exercise",
          "Right where a target is 0 or 1; targets in between are taken for one or the other.",
          "A target may lie in between: partly no, partly yes, and both parts count."),
    wrong("kink-at-a-score-of-zero", bce_with_a_kink, "the docstring of the exercise",
          "All is right except the gradient where a score is exactly 0.",
          "max(z, 0) and |z| have kinks at 0, but in the loss the two cancel, and it is smooth there."),
]  # fmt: skip

EXERCISE = Exercise(
    id="06.3",
    title="Yes or no, from a score",
    function="bce_with_logits",
    minutes=10,
    difficulty=2,
    points=3,
    see="notebook 06, 'What should the first loss be?'",
    reference=bce_with_logits,
    domain={"z": Array("n"), "t": Array("n", at_least=0, at_most=1)},
    meets={
        "a score far above 0, target 0": lambda z, t: ((z > 710) & (t == 0)).any(),
        "a score far above 0, target 1": lambda z, t: ((z > 710) & (t == 1)).any(),
        "a score far below 0, target 0": lambda z, t: ((z < -710) & (t == 0)).any(),
        "a score far below 0, target 1": lambda z, t: ((z < -710) & (t == 1)).any(),
        "a far-out score and a target in between": lambda z, t: ((abs(z) > 710) & (t > 0) & (t < 1)).any(),
        "a score between 5 and 10, surely right": lambda z, t: ((t == 1) & (z > 5) & (z < 10)).any() and len(z) == 1,
        "a score between -10 and -5, surely right": lambda z, t: ((z < -5) & (z > -10) & (t == 0)).any(),
        "scores beyond 10, all of them surely right": lambda z, t: ((abs(z) > 10) & ((z > 0) == t)).all(),
        "scores beyond 1e20, up and down": lambda z: (z > 1e20).any() and (z < -1e20).any(),
        "a score close to 20, surely right": lambda z, t: ((t == 1) & (z > 18.9) & (z < 20)).any() and len(z) == 1,
        "a score close to -20, surely right": lambda z, t: ((t == 0) & (z < -18.9) & (z > -20)).any() and len(z) == 1,
        "a far-out score comes first": lambda z: abs(z[0]) > 710,
        "a far-out score comes last": lambda z: abs(z[-1]) > 710,
    },
    visible=[
        score_case(_draw, 4),
        score_case(_draw, 5, [(1, 40.0, 0.0), (3, -38.0, 1.0)]),
        *score_edges(_draw),
    ],
    hidden=lambda rng: [
        score_case(rng, 5),
        score_case(rng, 6, [(4, 45.0, 0.0), (0, -42.0, 1.0)]),
        *score_edges(rng),
        score_case(rng, 130),
        *scores_and_targets(rng),
    ],
    accepted=[bce_by_logaddexp, bce_by_loops, bce_by_engine, bce_by_two_classes, bce_by_scalars],
    bank=BANK,
    hints=(
        "For one example the loss is ln(1 + exp(z)) - t z. Try z = 800 in your formula, then z = -800.",
        "ln(1 + exp(z)) = max(z, 0) + ln(1 + exp(-|z|)), and an exponential of a negative number never overflows. "
        "`np.log1p` and `np.logaddexp` help.",
        "The gradient is sigmoid(z) - t, divided by the number of examples; a sigmoid that never overflows is "
        "(1 + tanh(z / 2)) / 2.",
    ),
    credit={"loss": 1, "z_bar": 2},
)
