"""04.3 Backward through softmax with a temperature."""

from __future__ import annotations

import math

import numpy as np

from coursepkg import gradients
from coursepkg.grading.specification.domain import Array, Number
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import nearly_decided, numbers, sixteenths


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


def softmax_shifted(scaled):
    """The right rule with softmax made of e to the power of something else, which may be too large or too small."""

    def answer(z, tau, g):
        with np.errstate(all="ignore"):
            e = np.exp(scaled(np.asarray(z), tau))
            p = e / e.sum()
            u_bar = p * (g - np.sum(g * p))
            return {"z": u_bar / tau, "tau": -(u_bar @ z) / tau**2}

    return answer


def softmax_float32(z, tau, g):
    return softmax_vjp(np.float32(z), np.float32(tau), np.float32(g))


def softmax_float32_by_u(z, tau, g):
    u, g = np.float32(z) / np.float32(tau), np.float32(g)
    p = softmax_of(u)
    u_bar = p * g - p * np.dot(p, g)
    return {"z": u_bar / np.float32(tau), "tau": float(-np.dot(u_bar, np.float32(z)) / np.float32(tau) ** 2)}


def softmax_case(scaled, tau, rng):
    """The case with logits tau * scaled and a g for which float32 is right to four digits, since it is a right answer.

    ``scaled`` is a function that draws them. The gradient at tau is a sum of products as large as the logits, which
    cancel where the logits are nearly equal or one of them has it all.
    """
    while True:
        u = scaled()
        g = (numbers(rng, len(u), low=0.2, high=1.7) ** 3).round(3)  # of many sizes
        if told_by_float32(u, g):
            return case(tau * u, tau, g)


def told_by_float32(u, g):
    p = softmax_of(u)
    away, rounding = g - p @ g, 6e-8 * (p @ abs(g))
    return rounding * abs(u).max() < 3e-5 * abs(p * away @ u) and rounding < 2e-5 * abs(away[p.argmax()])


def softmax_cases(rng):
    drawn = [case(numbers(rng, n), temperature(rng), numbers(rng, n)) for n in (3, 5, 2)]
    return [*drawn, *softmax_edges(rng)]


def softmax_edges(rng):
    """The largest logit first, in the middle and last; all logits far below zero; both ends of the temperature."""

    def large(tau, *scaled):
        def draw():
            return sixteenths(np.array(scaled) + numbers(rng, len(scaled), low=0.1, high=0.7))

        return softmax_case(draw, tau, rng)

    tau = round(float(rng.uniform(0.003, 0.004)), 6)  # 1e-8 more would be seen
    last = softmax_case(lambda: np.append(numbers(rng, 3), -20.0), tau, rng)
    places = rng.permutation(4)
    z, g, h = 2 * numbers(rng, 4), numbers(rng, 4), numbers(rng, 4)
    hot = round(float(rng.uniform(21, 40)), 2)
    return [
        large(1.25, 725.0, 723.0, -725.0, -726.0, -724.0),
        large(4.0, -252.0, -251.0, 250.0, 248.5, -250.0),
        large(1.25, -725.0, -724.0, 723.0, -726.0, 725.0),
        large(0.75, -40.0, 725.0, 723.0),
        large(1.0, -754.0, -752.0, -754.5),
        case(last.args[0][places], tau, last.args[2][places]),
        case(z, temperature(rng, 1.6, 2.4), g),
        case(z, hot, g),
        case(z, hot, h),
        *softmax_extremes(rng),
    ]


def softmax_extremes(rng):
    """Nearly all in one place, whose g is 0, so that nothing cancels; a huge tau; whole numbers, two of them equal."""
    decided, g = -nearly_decided(8) - np.array([0.0, 1.0, -2.0, 3.0]), 1e5 * abs(numbers(rng, 4))
    places = rng.permutation(4)
    decided[0] = g[0] = 0.0
    tau, whole = temperature(rng), np.array([2, 1, 2])
    while not told_by_float32(whole / tau, h := numbers(rng, 3) * [1, 0, 1]):
        pass
    return [
        case(tau * decided[places], tau, g[places]),
        softmax_case(lambda: numbers(rng, 3), round(float(rng.uniform(180, 260)), 1), rng),
        case(whole, tau, h),
    ]


def softmax_like_the_logits(z, tau, g):
    found = softmax_vjp(z, tau, g)
    z_bar = np.zeros_like(z)
    z_bar[:] = found["z"]
    return {**found, "z": z_bar}


def decided_too_soon(p, g):
    return p * (g - p @ g) * (p.max() < 0.999)


def temperature(rng, low=0.5, high=2.5):
    drawn = round(float(rng.uniform(low, high)), 2)
    return drawn if abs(drawn - 1) > 0.15 else 1.3


BANK = [
    wrong("diagonal-only", with_softmax(lambda p, g: p * (1 - p) * g),
          "notebook 04, section 5, 'Every output feels every logit'",
          "For softmax you used p (1 - p) times g, the diagonal of the Jacobian and nothing else.",
          "That is the sigmoid's rule. Softmax shares out a total of one: raising one logit lowers the others."),
    wrong("returns-the-jacobian", with_softmax(lambda p, g: np.diag(p) - np.outer(p, p)),
          "notebook 04, section 3, 'Two products'",
          "You used the whole Jacobian of softmax in place of its product with g.",
          "What travels backward is a vector with the shape of z: the product of g with that matrix."),
    wrong("forgets-the-others", with_softmax(lambda p, g: p * g),
          "notebook 04, section 5, 'Every output feels every logit'",
          "For softmax you used p times g, entry by entry.",
          "All logits stand in the denominator, and that path is missing."),
    wrong("sum-without-weights", with_softmax(lambda p, g: p * (g - np.sum(g))),
          "notebook 04, section 5, 'The product without the matrix'",
          "You subtracted the plain sum of g.",
          "Each entry of g counts by the probability that it belongs to: an average with weights p."),
    wrong("plain-mean", with_softmax(lambda p, g: p * (g - np.mean(g))),
          "notebook 04, section 5, 'The product without the matrix'",
          "You subtracted the plain mean of g.",
          "Each entry of g counts by the probability that it belongs to: an average with weights p."),
    wrong("forgets-the-factor", with_softmax(lambda p, g: g - np.sum(g * p)),
          "notebook 04, section 5, 'The product without the matrix'",
          "The difference in your brackets is right, but a factor in front is missing.",
          "A logit whose probability is nearly zero has nearly no say; its gradient must be nearly zero, too."),
    wrong("plus-for-minus", with_softmax(lambda p, g: p * (g + np.sum(g * p))),
          "notebook 04, section 5, 'A direction that does nothing'",
          "The second term has the wrong sign.",
          "Adding the same number to all logits changes nothing, so your entries must sum to zero."),
    wrong("mixed-up-with-the-loss", with_softmax(lambda p, g: p - g),
          "notebook 04, section 5, 'Softmax meets cross-entropy'",
          "You subtracted g from the probabilities.",
          "Probabilities minus targets is what softmax and cross-entropy give together. Here g is any gradient."),
    wrong("logits-forget-the-temperature",
          with_temperature(lambda z, tau, u_bar: {"z": u_bar, "tau": -(u_bar @ z) / tau**2}),
          "notebook 04, section 7: each layer hands on to the one before",
          "Your `tau` is right; your `z` stops at the scaled logits.",
          "Softmax sees z divided by tau. One more step leads back to z."),
    wrong("temperature-upside-down",
          with_temperature(lambda z, tau, u_bar: {"z": u_bar / tau, "tau": (u_bar @ z) / tau**2}),
          "notebook 02, section 6: a division is a product with a negative power",
          "Your `tau` has the wrong sign.",
          "A higher temperature makes every positive scaled logit smaller: 1 / tau falls when tau grows."),
    wrong("temperature-divides-once",
          with_temperature(lambda z, tau, u_bar: {"z": u_bar / tau, "tau": -(u_bar @ z) / tau}),
          "notebook 02, section 6: a division is a product with a negative power",
          "Your `tau` misses one division by the temperature.",
          "The slope of 1 / tau is steeper than 1 / tau itself when tau is small."),
    wrong("temperature-not-summed",
          with_temperature(lambda z, tau, u_bar: {"z": u_bar / tau, "tau": -u_bar * z / tau**2}),
          "notebook 02, section 5: gradients add where a value fans out",
          "For `tau` you returned one number for each logit.",
          "One temperature is used by all logits, and where a value fans out, gradients add."),
    wrong("shifted-by-the-first", softmax_shifted(lambda z, tau: (z - z[0]) / tau), "notebook 04, section 6",
          "Right while the first logit is large; `nan` where a later one is larger by a thousand.",
          "You took the first logit out of all of them. Nothing says that the first one is the largest."),
    wrong("shifted-by-the-mean", softmax_shifted(lambda z, tau: (z - z.mean()) / tau), "notebook 04, section 6",
          "Right while the logits are close together; `nan` where one of them is far above the mean.",
          "Taking out the mean leaves the largest logit as far above the others as it was."),
    wrong("shift-forgets-the-temperature", softmax_shifted(lambda z, tau: z / tau - z.max()), "notebook 04, section 6",
          "Right for small logits; `nan` where a logit is 1000 and the temperature is not 1.",
          "What you took out is the largest of z, but the exponential sees z / tau."),
    wrong("temperature-times-the-logits", with_temperature(lambda z, tau, u_bar: {"z": u_bar * tau, "tau": u_bar @ z}),
          "notebook 02, section 6: a division is a product with a negative power",
          "You went back as if z had been multiplied by tau.",
          "Forward, z is divided by tau. The slope of z / tau by z is a division, too."),
    wrong("decided-too-soon", with_softmax(decided_too_soon),
          "notebook 04, section 5, 'The product without the matrix'",
          "Where one class has nearly all of the probability, nothing comes back.",
          "The others have a little still, and a large g makes much of it."),
    wrong("temperature-with-a-bound", lambda z, tau, g: softmax_vjp(z, min(tau, 100.0), g),
          "notebook 04, section 5, and the docstring of the exercise: which temperatures are possible?",
          "At a very high temperature your numbers are those of a lower one.",
          "A temperature may be any positive number."),
    wrong("whole-numbers-stay-whole", softmax_like_the_logits, "the docstring of the exercise: what is returned?",
          "Where z holds whole numbers, so does its gradient.",
          "An array that was made like an array of whole numbers has no room for a fraction."),
    wrong("overflows", softmax_shifted(lambda z, tau: z / tau), "notebook 04, section 6",
          "Your numbers are right for small logits, and `nan` where a logit is 1000.",
          "exp(1000) is more than a float can hold. Softmax does not change when all logits move together."),
]  # fmt: skip

EXERCISE = Exercise(
    id="04.3",
    title="Backward through softmax with a temperature",
    function="softmax_vjp",
    minutes=15,
    difficulty=3,
    points=5,
    see="notebook 04, section 5",
    reference=softmax_vjp,
    integers=True,
    domain={"z": Array("k", ties=True), "tau": Number(more_than=0), "g": Array("k")},
    meets={
        "the largest logit is near 1000 and stands first": lambda z: z.max() > 900 and z.argmax() == 0,
        "the largest logit is near 1000 and stands in the middle": lambda z: (
            z.max() > 900 and 0 < z.argmax() < len(z) - 1
        ),
        "the largest logit is near 1000 and stands last": lambda z: z.max() > 900 and z.argmax() == len(z) - 1,
        "one logit is far above the mean": lambda z: z.max() - z.mean() > 1000,
        "all exponentials vanish": lambda z, tau: (z / tau).max() < -750,
        "a logit is not too large before it is divided": lambda z, tau: z.max() < 700 and z.max() / tau > 720,
        "the temperature is low": lambda tau: tau < 0.004,
        "the temperature is high": lambda tau: tau > 20,
        "a probability is tiny": lambda z, tau: ((z - z.max()) / tau > -25).all() and ((z - z.max()) / tau < -16).any(),
        "the temperature is above 1 and a logit is large": lambda z, tau: tau > 1 and z.max() > 900,
        "the temperature is very high": lambda tau: tau > 150,
        "one class has nearly all": lambda z, tau: 1 - 1e-4 < softmax_of(z / tau).max() < 1 - 1e-6,
        "the logits are whole numbers": lambda z: z.dtype.kind == "i",
        "the temperature is 1": lambda tau: tau == 1,
    },
    visible=[
        case(np.array([2.0, 1.0, -1.0]), 0.5, np.array([1.5, -0.5, 2.0])),
        case(np.array([0.5, -0.7, 1.2, -1.6]), 2.0, np.array([-2.0, 1.0, 0.6, 3.0])),
        case(np.array([-0.4, 0.9]), 1.5, np.array([2.2, -1.3])),
        *softmax_edges(np.random.default_rng(43)),
    ],
    hidden=softmax_cases,
    accepted=[
        softmax_by_jacobian,
        softmax_loops,
        softmax_two_terms,
        softmax_pairs,
        softmax_engine,
        softmax_complex,
        softmax_float32,
        softmax_float32_by_u,
    ],
    bank=BANK,
    hints=(
        "Two steps: u = z / tau, then p = softmax(u). Go backward through the second one first: what leaves at u?",
        "At u: p times the difference between g and the average of g with weights p. Then the division: z and tau are "
        "both inputs of it, and tau is used by every logit.",
        "Let u_bar leave softmax. The gradient of z is u_bar / tau. That of tau is one number: the sum of u_bar times "
        "the slope of z / tau by tau, which is -z / tau**2.",
    ),
    credit={"z": 3, "tau": 2},
)
