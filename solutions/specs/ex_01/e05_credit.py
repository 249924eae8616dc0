"""01.5 Who is to blame?."""

from __future__ import annotations

import numpy as np

from coursepkg.autodiff.scalar import Scalar
from coursepkg.autodiff.tensor import Tensor
from coursepkg.grading.specification.domain import Anything
from coursepkg.grading.specification.exercise import Exercise, case, wrong


def _dinner(budget, fee, price, per_kg):
    return budget * (1 - fee) / price * per_kg


def _dinner_gradient(budget, fee, price, per_kg):
    return [
        (1 - fee) / price * per_kg,
        -budget / price * per_kg,
        -budget * (1 - fee) / price**2 * per_kg,
        budget * (1 - fee) / price,
    ]


def _changes(planned, actual):
    return [a - p for p, a in zip(planned, actual, strict=True)]


def credit_reference(planned, actual):
    rates = _dinner_gradient(*planned)
    return np.array([rate * change for rate, change in zip(rates, _changes(planned, actual), strict=True)])


def credit_by_scalar(planned, actual):
    leaves = [Scalar(p) for p in planned]
    _dinner(*leaves).backward()
    return [leaf.grad * (a - leaf.data) for leaf, a in zip(leaves, actual, strict=True)]


def credit_by_tensor(planned, actual):
    plan = Tensor(planned, requires_grad=True)
    (plan[0] * (1 - plan[1]) / plan[2] * plan[3]).backward()
    return Tensor(plan.grad) * (np.array(actual) - np.array(planned))


def credit_by_log(planned, actual):
    budget, fee, price, per_kg = np.array(planned)
    portions = _dinner(budget, fee, price, per_kg)
    return (
        portions
        * np.array([1 / budget, -1 / (1 - fee), -1 / price, 1 / per_kg])
        * (np.array(actual) - np.array(planned))
    )


def credit_by_differences(planned, actual):
    result = []
    for i, (p, a) in enumerate(zip(planned, actual, strict=True)):
        h = 1e-5 * max(abs(p), 0.1)
        up, down = list(planned), list(planned)
        up[i], down[i] = p + h, p - h
        result.append((_dinner(*up) - _dinner(*down)) / (2 * h) * (a - p))
    return tuple(result)


def credit_by_complex_step(planned, actual):
    result = np.empty(4)
    for i in range(4):
        point = [complex(p) for p in planned]
        point[i] += 1e-20j
        result[i] = _dinner(*point).imag / 1e-20 * (actual[i] - planned[i])
    return result


def credit_unsquared_price(planned, actual):
    budget, fee, price, per_kg = planned
    first, second, _, fourth = credit_reference(planned, actual)
    return [first, second, -budget * (1 - fee) / price * per_kg * (actual[2] - price), fourth]


def credit_normalised(planned, actual):
    credits = credit_reference(planned, actual)
    change = _dinner(*actual) - _dinner(*planned)
    return [credit * change / sum(credits) for credit in credits]


def credit_one_swap_at_a_time(planned, actual):
    result = []
    for i in range(4):
        point = list(planned)
        point[i] = actual[i]
        result.append(_dinner(*point) - _dinner(*planned))
    return result


def credit_hidden(rng):
    cases = []
    for _ in range(4):
        planned = [
            round(float(rng.uniform(15.0, 60.0)), 1),
            round(float(rng.uniform(0.05, 0.25)), 3),
            round(float(rng.uniform(1.2, 4.5)), 2),
            round(float(rng.uniform(2.0, 9.0)), 2),
        ]
        factor = 1 + rng.uniform(0.1, 0.35, size=4) * rng.choice([-1.0, 1.0], size=4)
        cases.append(case(planned, [round(float(p * f), 4) for p, f in zip(planned, factor, strict=True)]))
    return [*cases, *credit_edges(rng)]


def credit_edges(rng):
    """A market without a fee, before or after; inputs that kept to the plan, all of them too."""
    budget, price, per_kg = (round(float(x), 2) for x in rng.uniform(2.0, 8.0, size=3))
    first, second = (round(float(x), 3) for x in rng.uniform(0.11, 0.37, size=2))
    return [
        case([5 * budget, 0.0, price, per_kg], [6 * budget, first, price + 0.7, per_kg]),
        case([4 * budget, second, price, per_kg], [3 * budget, 0.0, price, per_kg - 0.9]),
        case([4 * budget, first, price, per_kg], [4 * budget, first, price, per_kg]),
        case([6 * budget, first, price, per_kg], [6 * budget, first, 1.3 * price, per_kg + 0.4]),
        case([budget, first, 1.0, budget], [1.2 * budget, second, 1.3, budget - 0.6]),
        *credit_extremes(rng),
    ]


def credit_extremes(rng):
    """The lowest price; a tiny dinner, and a huge one; nearly everything is fee; small changes."""
    budget, price, per_kg = (float(f"{x:.3g}") for x in rng.uniform(2.0, 8.0, size=3))
    return [
        case([budget, 0.062, 0.002, per_kg * 1e-3], [1.2 * budget, 0.0557, 0.0023, per_kg * 9e-4]),
        case([budget * 1e-7, 0.21, price, per_kg], [budget * 1.3e-7, 0.34, price - 0.9, per_kg + 0.7]),
        case([budget * 1e5, 0.937, price, per_kg], [budget * 1.1e5, 0.9374, price + 3e-4, per_kg - 5e-5]),
    ]


def a_little_added_to_the_price(planned, actual):
    budget, fee, price, per_kg = planned
    rates = _dinner_gradient(budget, fee, price + 1e-8, per_kg)
    rates[2] = -budget * (1 - fee) / (price**2 + 1e-8) * per_kg
    return np.multiply(rates, _changes(planned, actual))


def kept(entry):
    return lambda planned, actual: planned[entry] == actual[entry] and planned != actual


_draw = np.random.default_rng(15)


BANK = [
    wrong("rate-not-amount", lambda planned, actual: _dinner_gradient(*planned),
          "'Units cancel'. The unit asked for is portions. What must a rate in portions per coin be multiplied with?",
          "These are the rates, not the portions they cost.",
          "A gradient is portions per coin, per kg, ... Somebody with a terrible rate who kept to the plan is not"
          " to blame for anything."),
    wrong("change-not-credit", _changes, "'Units cancel'. The unit asked for is portions, in every entry.",
          "These are the changes themselves.",
          "Three coins and three hundredths of a fee cannot be compared; their effect on dinner can."),
    wrong("rates-of-the-wrong-day", lambda planned, actual: [
              rate * change for rate, change in zip(_dinner_gradient(*actual), _changes(planned, actual), strict=True)
          ], "'A rate is local', and the docstring: at the planned dinner.",
          "The rates are taken at the actual dinner.",
          "The credit is asked for seen from the plan: the rates hold where they are measured, and that is there."),
    wrong("fee-sign", lambda planned, actual: [
              c * s for c, s in zip(credit_reference(planned, actual), (1, -1, 1, 1), strict=True)
          ], "'The backward question'. The derivative of 1 − fee with respect to fee.",
          "The fee has the wrong sign.",
          "Portions go with 1 − fee: when the fee rises, they fall."),
    wrong("price-sign", lambda planned, actual: [
              c * s for c, s in zip(credit_reference(planned, actual), (1, 1, -1, 1), strict=True)
          ], "'The backward question'. The derivative of 1/price with respect to price.",
          "The price has the wrong sign.",
          "The price divides: when it rises, the same money buys less."),
    wrong("price-not-squared", credit_unsquared_price, "'The backward question', row 'price', and its unit.",
          "The rate of the price is divided by the price once; it should be twice.",
          "The derivative of 1/p is −1/p², not −1/p. The units say so too: portions per (coin/kg) needs one more "
          "kg/coin."),
    wrong("swap-not-slope", credit_one_swap_at_a_time,
          "'A rate is local'. Rate times change, with the rate of the planned dinner.",
          "Each entry is the true effect of changing that one input all the way.",
          "That is a fair question too, but another one: for the price, a finite step bends away from its "
          "tangent. A credit is rate times change, and backpropagation delivers all of them from one pass where "
          "swaps need one dinner each."),
    wrong("made-to-add-up", credit_normalised,
          "'A rate is local'. The remainder is real, and shrinks with the square of the step.",
          "The credits are scaled so that they add up to the true change.",
          "Rates are local, so their sum misses the true change by a second-order remainder. Hiding it spoils "
          "every entry."),
    wrong("plan-minus-dinner", lambda planned, actual: [-c for c in credit_reference(planned, actual)],
          "'Repairing a dinner'. What is taken from what to get a change?",
          "Every credit has the wrong sign.",
          "A change is where one arrives minus where one started. What raised the number of portions gets a positive"
          " credit."),
    wrong("relative-changes", lambda planned, actual: [
              rate * (change / value if value else change)
              for rate, change, value in zip(
                  _dinner_gradient(*planned), _changes(planned, actual), planned, strict=True
              )
          ], "'Units cancel'. In which unit must a change be, if its rate is in portions per coin?",
          "The changes are divided by what was planned.",
          "A change in percent belongs to a rate per percent. A gradient is per coin, per coin/kg, and so on."),
    wrong("forgets-the-fee", lambda planned, actual: credit_reference(
              [planned[0], 0.0, *planned[2:]], [actual[0], actual[1] - planned[1], *actual[2:]]
          ), "'The backward question'. 1 − fee is a factor of the portions.",
          "The rates are those of a market without a fee.",
          "The rate of the budget is how many portions a coin brings, and a part of each coin stays at the gate."),
    wrong("each-where-the-others-are", lambda planned, actual: [
              _dinner_gradient(*actual[:k], *planned[k:])[k] * (actual[k] - planned[k]) for k in range(4)
          ], "'A rate is local', and the docstring: at the planned dinner.",
          "Each rate is taken after the inputs before it have changed already.",
          "All four rates belong to one point, the planned dinner. One after the other they belong to four."),
    wrong("ignores-small-changes", lambda planned, actual: credit_reference(
              planned, [p if abs(a - p) < 1e-3 else a for p, a in zip(planned, actual, strict=True)]
          ), "'Units cancel'. In which unit is a change small?",
          "An input that changed a little gets no credit.",
          "A change is small or large only together with its rate, and a rate may be large."),
    wrong("a-little-added-to-the-price", a_little_added_to_the_price,
          "'The backward question', and the docstring of the exercise: which prices are possible?",
          "Nearly right everywhere, and too small where the price is small.",
          "A small number added below the stroke keeps a zero from harm, and a price is never zero here."),
]  # fmt: skip

EXERCISE = Exercise(
    id="01.5",
    title="Who is to blame?",
    function="credit",
    minutes=10,
    difficulty=2,
    points=2,
    see="notebook 01, 'The backward question' and 'Repairing a dinner'",
    reference=credit_reference,
    domain={
        "planned": Anything("budget, fee, price from 0.002, portions per kg; all positive, the fee in [0, 1)"),
        "actual": Anything("the same four"),
    },
    meets={
        "no fee is planned": lambda planned: planned[1] == 0,
        "there was no fee": lambda actual: actual[1] == 0,
        "the budget is kept": kept(0),
        "the fee is kept": kept(1),
        "the price is kept": kept(2),
        "the portions per kg are kept": kept(3),
        "the price is the lowest": lambda planned: planned[2] == 0.002,
        "nearly everything is fee": lambda planned: planned[1] > 0.9,
        "changes are small": lambda planned, actual: 0 < abs(planned[2] - actual[2]) < 1e-3,
        "credits are small": lambda planned, actual: 0 < np.abs(credit_reference(planned, actual)).max() < 1e-5,
        "a price of 1": lambda planned, actual: planned[2] == 1 != actual[2],
        "all is as planned": lambda planned, actual: planned == actual,
    },
    parts=["the credit of the budget", "that of the fee", "that of the price", "that of per_kg"],
    visible=[
        case([30.0, 0.1, 2.0, 4.0], [27.0, 0.16, 2.5, 4.4]),
        case([48.0, 0.2, 3.0, 6.0], [50.0, 0.15, 2.4, 5.0]),
        case([20.0, 0.05, 1.6, 2.5], [23.0, 0.07, 1.5, 2.9]),
        *credit_edges(_draw),
    ],
    hidden=credit_hidden,
    accepted=[
        credit_by_scalar,
        credit_by_tensor,
        credit_by_log,
        credit_by_differences,
        credit_by_complex_step,
        lambda planned, actual: np.multiply(_dinner_gradient(*planned), np.subtract(actual, planned)),
    ],
    equivalent_mutants={"squeezes": "there are always four credits"},
    bank=BANK,
    hints=(
        "Credit = rate × change. You need four rates, all at the planned dinner.",
        "Let the engine find the rates: make four Scalars from planned, compute the portions from them, call "
        "backward().",
        "Keep the four Scalars in a list. Compute the portions from them with the formula of the task and go backward. "
        "Then each credit is one Scalar's grad times (actual minus planned).",
    ),
)
