"""04.4 Softmax and cross-entropy in one piece."""

from __future__ import annotations

import math

import numpy as np

from coursepkg import gradients
from coursepkg.grading.spec import Exercise, case, wrong

from .e03_softmax_vjp import softmax_of
from .shared import numbers


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


BANK = [
    wrong("targets-minus-outputs", cross_entropy_but(z=lambda p, z, t: t - p),
          "notebook 04, section 5, 'Softmax meets cross-entropy'",
          "Your gradient `z` has the wrong sign.",
          "A probability above its target is too large. Raising its logit raises the loss: a positive slope."),
    wrong("stops-at-the-probabilities", cross_entropy_but(z=lambda p, z, t: -t / p),
          "notebook 04, section 5, 'Softmax meets cross-entropy'",
          "Your `z` is the gradient with respect to the probabilities.",
          "It has one more layer to go: backward through softmax, to the logits."),
    wrong("diagonal-only", cross_entropy_but(z=lambda p, z, t: t * (p - 1)),
          "notebook 04, section 5, 'Every output feels every logit'",
          "Your `z` leaves out what a logit does to the other probabilities.",
          "Softmax's Jacobian is not diagonal. Even a class with target zero takes a share of the total."),
    wrong("hard-target", cross_entropy_but(z=lambda p, z, t: p - np.eye(len(t))[int(np.argmax(t))]),
          "the task: t is a distribution",
          "You treated the largest target as 1 and the others as 0.",
          "Targets may be shared among classes; every one of them pulls with its own weight."),
    wrong("squared-error-slope", cross_entropy_but(z=lambda p, z, t: (p - t) * p * (1 - p)),
          "notebook 04, section 5, 'Softmax meets cross-entropy'",
          "Your `z` has an extra factor p (1 - p).",
          "That factor belongs to a sigmoid with a squared error. With cross-entropy it cancels."),
    wrong("forgets-softmax", cross_entropy_but(z=lambda p, z, t: z - t),
          "notebook 04, section 5, 'Softmax meets cross-entropy'",
          "Your `z` is logits minus targets.",
          "Logits are no probabilities. Squash them first."),
    wrong("one-class-counts", cross_entropy_but(
              loss=lambda p, z, t: np.logaddexp.reduce(z) - z[int(np.argmax(t))],
          ), "the task: the formula of the loss",
          "Your loss looks at the largest target alone.",
          "Every class adds minus its target times the log of its probability."),
    wrong("averages-over-classes", lambda z, t: {name: value / len(t) for name, value in cross_entropy(z, t).items()},
          "the task: the formula of the loss",
          "Loss and gradient are both divided by the number of classes.",
          "The sum over classes is no mean. Means are taken over examples, and here there is one."),
    wrong("overflows", cross_entropy_overflows, "notebook 04, section 6",
          "Your numbers are right for small logits, and `nan` or `inf` where a logit is 1000.",
          "exp(1000) is more than a float can hold, and log(0) is infinite. Take out the largest logit first."),
]  # fmt: skip

EXERCISE = Exercise(
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
    bank=BANK,
    hints=(
        "The gradient is shorter than you fear, and section 5 derives it. The work is in the loss: no exponential of a "
        "large number, no logarithm of zero.",
        "log p[i] is z[i] minus the log of the sum of all exponentials. Write that log-sum-exp as the largest logit "
        "plus what is left.",
        "With top = max(z): lse = top + log(sum(exp(z - top))). The loss is the average of lse - z with weights t; the "
        "gradient compares p with t.",
    ),
)
