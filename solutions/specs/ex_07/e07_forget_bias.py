"""07.7 A memory of a given length."""

from __future__ import annotations

import math

import numpy as np

from coursepkg.grading.specification.domain import Number
from coursepkg.grading.specification.exercise import Exercise, case, wrong


def forget_bias(steps, kept):
    gate = kept ** (1 / steps)
    return math.log(gate / (1 - gate))


def bias_expm1(steps, kept):
    return -math.log(math.expm1(-math.log(kept) / steps))


def bias_log(steps, kept):
    g = math.exp(math.log(kept) / steps)
    return math.log(g) - math.log1p(-g)


def bias_bisect(steps, kept):
    low, high = -40.0, 40.0
    for _ in range(200):
        middle = (low + high) / 2
        left = (1 / (1 + math.exp(-middle))) ** steps
        low, high = (middle, high) if left < kept else (low, middle)
    return low


def bias_newton(steps, kept):
    target, b = math.log(kept) / steps, 0.0
    for _ in range(200):
        b -= (-np.logaddexp(0, -b) - target) * (1 + np.exp(b))
        b = min(b, 30.0)
    return np.float64(b)


def bias_power(steps, kept):
    return -np.log(np.power(kept, -1.0 / steps) - 1)


def bias_float32(steps, kept):
    return np.float32(forget_bias(steps, kept))


def bias_edges(rng):
    """One step; a gate that is half open; one that is nearly closed; hardly anything lost, hardly anything left."""
    steps = int(rng.integers(3, 9))
    return [
        case(1, round(float(rng.uniform(0.1, 0.4)), 3)),
        case(steps, 0.5**steps),
        case(2, round(float(rng.uniform(0.002, 0.01)), 5)),
        case(steps * 7, round(float(rng.uniform(0.99, 0.999)), 4)),
        case(steps * 30, round(float(rng.uniform(1e-6, 1e-5)), 8)),
        case(steps * 1_000_000, round(float(rng.uniform(0.9995, 0.9998)), 6)),
        case(1, float(f"{rng.uniform(1e-15, 9e-15):.3g}")),
        case(steps * 400, float(f"{rng.uniform(1e-295, 9e-295):.3g}")),
    ]


def bias_within(most):
    return lambda steps, kept: max(-most, min(most, forget_bias(steps, kept)))


def bias_of_a_limited_gate(steps, kept):
    gate = min(kept ** (1 / steps), 1 - 1e-7)
    return math.log(gate / (1 - gate))


def bias_by_two_rules(steps, kept):
    return math.log(steps / -math.log(kept)) if steps > 1000 else forget_bias(steps, kept)


def nearly_half_open(rng):
    """Biases of a few hundredths, where a digit behind the point counts."""
    steps, gate = int(rng.integers(3, 9)), round(float(rng.uniform(0.503, 0.509)), 4)
    return [case(steps, gate**steps), case(2 * steps, (1 - gate) ** (2 * steps))]


def hidden_bias(rng):
    drawn = [case(int(rng.integers(4, 400)), round(float(rng.uniform(0.05, 0.9)), 3)) for _ in range(5)]
    return [*drawn, *bias_edges(rng)]


BANK = [
    wrong("bias-from-minus-ten-to-ten", bias_within(10.0), "the docstring of the exercise",
          "Right as long as the bias lies between -10 and 10.",
          "A search, or a limit, ends where somebody thought that no bias would be. The task sets no limit."),
    wrong("bias-from-minus-twenty-to-twenty", bias_within(20.0), "the docstring of the exercise",
          "Right as long as the bias lies between -20 and 20.",
          "A search, or a limit, ends where somebody thought that no bias would be. The task sets no limit."),
    wrong("gate-not-quite-open", bias_of_a_limited_gate, "notebook 07, section 6",
          "Right unless the gate loses less than a ten-millionth in each step.",
          "A limit below 1 keeps the logarithm finite, and changes gates that come closer to 1."),
    wrong("approximate-for-many-steps", bias_by_two_rules, "notebook 07, section 6: the chrono rule",
          "Right up to 1000 steps; beyond, a rule for open gates was used.",
          "Many steps do not make a gate open: that depends on what is to be kept as well."),
    wrong("one-for-all", lambda steps, kept: 1.0, "notebook 07, section 6: the table of biases",
          "The answer is always 1.",
          "A bias of 1 keeps a ten-millionth over 50 steps. It is a habit, not an answer."),
    wrong("always-one-over-e", lambda steps, kept: math.log(steps - 1), "notebook 07, section 6: the chrono rule",
          "The answer is ln(T - 1) and does not depend on how much is to be kept.",
          "That rule keeps about 1/e. Here the share is given."),
    wrong("gate-instead-of-bias", lambda steps, kept: kept ** (1 / steps), "notebook 07, section 6: f = σ(bias)",
          "You gave the gate, a number between 0 and 1.",
          "The gate is the sigmoid of the bias; one step back is missing."),
    wrong("one-step-only", lambda steps, kept: math.log(kept / (1 - kept)),
          "notebook 07, section 6: left after 50 steps",
          "The bias would keep that share over a single step.",
          "The gate multiplies at every step: what is left is a power."),
    wrong("share-divided-by-steps", lambda steps, kept: math.log((1 - (1 - kept) / steps) / ((1 - kept) / steps)),
          "notebook 07, section 6",
          "The loss is spread evenly over the steps, as if shares were added.",
          "Each step loses a share of what is still there; shares multiply."),
    wrong("tanh-instead-of-sigmoid", lambda steps, kept: math.atanh(kept ** (1 / steps)),
          "notebook 07, section 6: the gates",
          "The inverse of tanh was taken of the gate.",
          "Gates are sigmoids, between 0 and 1."),
    wrong("sign-of-the-bias", lambda steps, kept: -forget_bias(steps, kept),
          "notebook 07, section 6: the table of biases",
          "The sign is wrong: this bias closes the gate.",
          "A large positive bias opens a gate, a large negative one closes it."),
    wrong("power-upside-down",
          lambda steps, kept: math.log(kept**steps / (1 - kept**steps)) if kept**steps > 1e-250 else -600.0,
          "notebook 07, section 6: left after 50 steps",
          "The share was raised to the power of the steps, not to one over the steps.",
          "gate to the power of the steps is the share; solve that for the gate."),
    wrong("share-that-is-lost", lambda steps, kept: forget_bias(steps, 1 - kept), "the docstring of the exercise",
          "Your gate loses the share that it should keep.",
          "`kept` is what is left at the end."),
    wrong("one-step-too-many", lambda steps, kept: forget_bias(steps + 1, kept),
          "notebook 07, section 6: left after 50 steps",
          "Your gate would leave that share after one step more.",
          "The gate multiplies once in each step."),
    wrong("gate-by-what-it-loses", lambda steps, kept: math.exp(forget_bias(steps, kept)),
          "notebook 07, section 6: f = σ(bias)",
          "You gave the share that the gate keeps, divided by the share that it loses.",
          "That is on the way back through the sigmoid, and not yet at the bias."),
    wrong("logarithm-of-the-gate", lambda steps, kept: math.log(kept) / steps, "notebook 07, section 6: f = σ(bias)",
          "You gave the logarithm of the gate.",
          "The exponential function is not the sigmoid: to go back from a gate, look at what it leaves open, too."),
    wrong("only-for-long-memories", lambda steps, kept: math.log(steps / -math.log(kept)),
          "notebook 07, section 6: the chrono rule",
          "Your bias is nearly right for many steps, and off for few.",
          "You took one minus the gate for its logarithm. That is so in the limit of an open gate alone."),
]  # fmt: skip

EXERCISE = Exercise(
    id="07.7",
    title="A memory of a given length",
    function="forget_bias",
    minutes=8,
    difficulty=1,
    points=2,
    see="notebook 07, section 6",
    reference=forget_bias,
    domain={"steps": Number(whole=True, at_least=1), "kept": Number(more_than=0, less_than=1)},
    meets={
        "millions of steps, and hardly anything is lost": lambda steps, kept: steps > 2_000_000 and kept > 0.999,
        "one step, and next to nothing is left": lambda steps, kept: steps == 1 and kept < 1e-14,
        "more than 1000 steps, and next to nothing is left": lambda steps, kept: steps > 1000 and kept < 1e-290,
        "the gate is half open": lambda steps, kept: steps > 1 and kept == 0.5**steps,
        "the gate is more closed than open": lambda steps, kept: steps > 1 and kept < 0.5**steps,
        "hardly anything is lost": lambda kept: kept > 0.98,
        "hardly anything is left": lambda kept: kept < 1e-4,
    },
    visible=[case(50, 0.36), case(50, 0.9), case(10, 0.5), case(200, 0.1), *bias_edges(np.random.default_rng(77))],
    hidden=lambda rng: [*hidden_bias(rng), case(1, 0.5), *nearly_half_open(rng)],
    accepted=[bias_expm1, bias_log, bias_bisect, bias_newton, bias_power, bias_float32],
    bank=BANK,
    hints=(
        "Two questions: how far open must the gate be, and which bias opens it that far?",
        "After T steps gate**T is left. So the gate is the T-th root of the share.",
        "The inverse of the sigmoid is log(g / (1 - g)).",
    ),
)
