"""04.4 Softmax and cross-entropy in one piece."""

from __future__ import annotations

import math

import numpy as np

from coursepkg import gradients
from coursepkg.grading.specification.domain import Array
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .e03_softmax_vjp import softmax_of
from .shared import nearly_decided, numbers, sixteenths


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


def cross_entropy_float32(z, t):
    return cross_entropy(np.float32(z), np.float32(t))


def cross_entropy_float32_logs(z, t):
    found = cross_entropy_by_vjp(np.float32(z), np.float32(t))
    return {"loss": float(found["loss"]), "z": found["z"].tolist()}


def told_by_float32(z, t):
    """Whether float32 is good enough, since an answer in float32 is right as well."""
    right, answers = cross_entropy(z, t), (cross_entropy_float32(z, t), cross_entropy_float32_logs(z, t))
    return all(np.allclose(answer[name], right[name], rtol=3e-5, atol=0) for answer in answers for name in right)


def soft(rng, n):
    """Targets shared by all classes; 32nds are exact in float32."""
    return (2 + rng.multinomial(32 - 2 * n, rng.dirichlet(np.ones(n)))) / 32


def cross_entropy_cases(rng):
    drawn = [case(numbers(rng, n), soft(rng, n)) for n in (3, 5, 4)]
    return [*drawn, *cross_entropy_edges(rng)]


def cross_entropy_edges(rng):
    """One target alone, in each place, also where it is excluded; large logits in each place, and three; one class."""

    def large(z, targets, order=None):
        while True:
            logits = sixteenths(np.array(z) + numbers(rng, len(z), high=1.4))
            item = case(logits if order is None else logits[order], targets())
            if told_by_float32(*item.args):
                return item

    def without_the_second():
        t = soft(rng, 4)
        t[1:3] = 0.0, t[1] + t[2]
        return t

    far = [1000.0, 997.0, -1000.0, -1002.0]
    alone = large(far, lambda: np.eye(4)[0], [2, 0, 3, 1])
    three = sixteenths(np.array([1000.0, 1000.0, -7.0, 1000.0]) + numbers(rng))
    return [
        case(numbers(rng, 4), np.eye(4)[int(rng.integers(1, 3))]),
        case(numbers(rng, 3), np.array([0.0, 0.0, 1.0])),
        alone,
        large(far, without_the_second, [0, 2, 1, 3]),
        large(far, lambda: soft(rng, 4), [3, 2, 1, 0]),
        large([-1000.0, -998.0, -1001.0], lambda: soft(rng, 3)),
        case(numbers(rng, 1), np.array([1.0])),
        case(three[rng.permutation(4)], soft(rng, 4)),
        *cross_entropy_extremes(rng),
    ]


def cross_entropy_extremes(rng):
    """Nearly all of the probability where the target is, with a logit of 0 there; and logits that are whole numbers."""
    places = rng.permutation(3)
    decided = np.array([0.0, -nearly_decided(8), -900.0])
    while not told_by_float32(z := numbers(rng, 3), t := np.array([1, 251, 4])[rng.permutation(3)] / 256):
        pass
    return [
        case(decided[places], np.eye(3)[0][places]),
        case(np.array([3, -1, 2]), soft(rng, 3)),
        case(numbers(rng, 4), np.eye(4, dtype=int)[int(rng.integers(4))]),
        case(z, t),
        case(np.array([2, -3, 1]), np.eye(3, dtype=int)[int(rng.integers(3))]),
    ]


def cross_entropy_like_the_logits(z, t):
    found = cross_entropy(z, t)
    z_bar = np.zeros_like(z)
    z_bar[:] = found["z"]
    return {**found, "z": z_bar}


def cross_entropy_like_the_targets(z, t):
    found = cross_entropy(z, t)
    z_bar = np.zeros_like(t)
    z_bar[:] = found["z"]
    return {**found, "z": z_bar}


def no_small_losses(z, t):
    found = cross_entropy(z, t)
    return {**found, "loss": found["loss"] * (found["loss"] > 1e-5)}


def with_log(loss):
    """The gradient as it should be, and the loss by a rule of (stable probabilities, logits, targets)."""
    return cross_entropy_but(loss=loss)


def cross_entropy_shifted(by):
    def answer(z, t):
        with np.errstate(all="ignore"):
            e = np.exp(z - by(z))
            return {"loss": by(z) + np.log(e.sum()) - np.sum(t * z), "z": e / e.sum() - t}

    return answer


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
    wrong("log-of-a-softmax", with_log(lambda p, z, t: -np.sum(t * np.log(p))), "notebook 04, section 6",
          "Your gradient is right, and so is the loss, until a probability is too small for a float.",
          "Softmax was safe, but its logarithm is not: where p has become 0, log p is infinite, and 0 times it `nan`."),
    wrong("logarithm-cut-off", with_log(lambda p, z, t: -np.sum(t * np.log(p + 1e-12))),
          "notebook 04, section 6",
          "Your loss is nearly right, and far too small where a class with a target is all but excluded.",
          "Something keeps the logarithm finite, a number added or a bound, and cuts off what it should report."),
    wrong("small-losses-are-none", no_small_losses, "the task: the formula of the loss",
          "Where the right class has nearly all of the probability, your loss is 0.",
          "A loss becomes smaller and smaller, and never 0 while another class has anything."),
    wrong("whole-numbers-stay-whole", cross_entropy_like_the_logits, "the docstring of the exercise: what is returned?",
          "Where z holds whole numbers, so does its gradient.",
          "An array that was made like an array of whole numbers has no room for a fraction."),
    wrong("whole-targets-stay-whole", cross_entropy_like_the_targets,
          "the docstring of the exercise: what is returned?",
          "Where t holds whole numbers, so does your gradient.",
          "An array that was made like an array of whole numbers has no room for a fraction."),
    wrong("only-classes-with-a-target", with_log(
              lambda p, z, t: -np.sum(t[t > 0] * np.log(p[t > 0]))
          ), "notebook 04, section 6",
          "Your loss is right until a class that has a target gets a probability too small for a float.",
          "Leaving out the classes without a target mends 0 times infinity, and no more than that."),
    wrong("log-of-the-one-class", with_log(
              lambda p, z, t: -np.log(p[t == 1]).sum() if (t == 1).any() else np.logaddexp.reduce(z) - t @ z
          ), "notebook 04, section 6",
          "Your loss is right until one class alone has the target and its probability is too small for a float.",
          "One class is no exception: where its p has become 0, log p is infinite, and the loss is a number still."),
    wrong("shifted-by-the-first", cross_entropy_shifted(lambda z: z[0]), "notebook 04, section 6",
          "Right while the first logit is large; not where a later one is larger by a thousand.",
          "You took the first logit out of all of them. Nothing says that the first one is the largest."),
    wrong("loss-without-the-minus", with_log(lambda p, z, t: np.sum(t * z) - np.logaddexp.reduce(z)),
          "the task: the formula of the loss",
          "Your loss has the wrong sign.",
          "The logarithm of a probability is negative or zero, and a loss is not."),
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
    integers=True,
    domain={"z": Array("k", ties=True), "t": Array("k", at_least=0, at_most=1)},
    meets={
        "one class alone, the first": lambda t: len(t) > 1 and t[0] == 1,
        "one class alone, in the middle": lambda t: len(t) > 1 and (t[1:-1] == 1).any(),
        "one class alone, the last": lambda t: len(t) > 1 and t[-1] == 1,
        "the largest logit is near 1000 and stands first": lambda z: z.max() > 900 and z.argmax() == 0,
        "the largest logit is near 1000 and stands in the middle": lambda z: (
            z.max() > 900 and 0 < z.argmax() < len(z) - 1
        ),
        "the largest logit is near 1000 and stands last": lambda z: z.max() > 900 and z.argmax() == len(z) - 1,
        "the one class has nearly all": lambda z, t: 1e-8 < cross_entropy(z, t)["loss"] < 1e-5,
        "the logits are whole numbers": lambda z: z.dtype.kind == "i",
        "a target is small": lambda t: ((t > 0) & (t < 0.005)).any(),
        "the targets are whole numbers": lambda z, t: t.dtype.kind == "i" != z.dtype.kind,
        "logits and targets are whole numbers": lambda z, t: z.dtype.kind == t.dtype.kind == "i",
        "the one class is all but excluded": lambda z, t: t.max() == 1 and t @ z < z.max() - 1900,
        "three largest logits are equal, and large": lambda z: z.max() > 900 and (z == z.max()).sum() > 2,
        "a class with a target is all but excluded": lambda z, t: (t[z < z.max() - 900] > 0).any(),
        "a class without a target is all but excluded": lambda z, t: (t[z < z.max() - 900] == 0).any(),
        "all logits are near -1000": lambda z: z.max() < -900,
        "the largest target is not the first": lambda t: t.argmax() > 0,
    },
    always={"the targets have the sum 1": lambda t: abs(np.sum(t) - 1) < 1e-9},
    visible=[
        case(np.array([2.0, 1.0, -1.0]), np.array([0.0, 1.0, 0.0])),
        case(np.array([0.3, -1.1, 0.9, 1.6]), np.array([0.1, 0.2, 0.4, 0.3])),
        case(np.array([-0.8, 1.3]), np.array([0.75, 0.25])),
        case(np.array([1001.0, 998.0, -5.0]), np.array([0.2, 0.5, 0.3])),
        *cross_entropy_edges(np.random.default_rng(44)),
    ],
    hidden=cross_entropy_cases,
    accepted=[
        cross_entropy_logs,
        cross_entropy_loops,
        cross_entropy_by_vjp,
        cross_entropy_engine,
        cross_entropy_scipy,
        cross_entropy_float32,
        cross_entropy_float32_logs,
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
    credit={"loss": 2, "z": 2},
)
