"""01.1 Rates multiply along a chain."""

from __future__ import annotations

import functools
import math

import numpy as np

from coursepkg.grading.spec import Exercise, case, wrong


def chain_reference(price, fee, conversions):
    result = (1 - fee) / price
    for conversion in conversions:
        result = result * conversion
    return result


def chain_hidden(rng):
    return [
        case(
            round(float(rng.uniform(1.3, 6.0)), 2),
            round(float(rng.uniform(0.05, 0.4)), 3),
            [round(float(r), 3) for r in rng.uniform(0.2, 5.0, size=length)],
        )
        for length in (1, 2, 3, 5)
    ]


BANK = [
    wrong("adds-rates", lambda price, fee, conversions: (1 - fee) / price + sum(conversions),
          "'Units cancel'. Write the units beside every number; only a product makes the inner ones cancel.",
          "The rates of the chain are added.",
          "One coin buys some kilograms, and each of those kilograms becomes portions: the second rate applies to"
          " what the first one gave. Adding kg/coin to portions/kg does not even have a unit."),
    wrong("price-upside-down", lambda price, fee, conversions: (1 - fee) * price * math.prod(conversions),
          "'The price is upside down'. Which way up must coins/kg be, so that coin and kg both cancel?",
          "The price is used the wrong way up.",
          "A price is in coins per kg; the chain needs kg per coin. Multiplied as it stands, a dearer kilogram "
          "would feed more guests."),
    wrong("answer-upside-down", lambda price, fee, conversions: price / (1 - fee) / math.prod(conversions),
          "The unit in the docstring: portions per coin.",
          "The whole answer is upside down: coins per portion.",
          "That is what one more portion costs. The question is what one more coin brings."),
    wrong("forgets-fee", lambda price, fee, conversions: math.prod(conversions) / price,
          "'The fee'. It is one more link of the chain, a rate in coins per coin.",
          "The fee is missing.",
          "The market keeps its part before anything is bought, so a coin of budget is less than a coin of shopping."),
    wrong("fee-is-the-rate", lambda price, fee, conversions: fee / price * math.prod(conversions),
          "'The fee'. Of one coin, how much is still there behind the gate?",
          "The chain continues with the fee, not with what is left after it.",
          "The fee is the part that never reaches the kitchen. What flows on is the rest."),
    wrong("fee-raises-price", lambda price, fee, conversions: math.prod(conversions) / (price * (1 + fee)),
          "'The fee'. 2 portions per coin become 1.8, not 1.818.",
          "The fee is put on top of the price, dividing by 1 + fee.",
          "Here the fee is taken out of the budget: a fee of 10 % leaves 0.9 of each coin, and 1/1.1 is 0.909."),
    wrong("last-link-only", lambda price, fee, conversions: (1 - fee) / price * conversions[-1],
          "Your loop. Does each round multiply what the rounds before have collected?",
          "Only the last of the conversions is used.",
          "Every link the money passes through changes the rate; a list of several conversions is several factors."),
]  # fmt: skip

EXERCISE = Exercise(
    id="01.1",
    title="Rates multiply along a chain",
    function="portions_per_coin",
    minutes=5,
    difficulty=1,
    points=1,
    see="notebook 01, 'Units cancel' and 'The fee'",
    reference=chain_reference,
    visible=[case(2.0, 0.1, [4.0]), case(5.0, 0.25, [1000.0, 0.008]), case(0.8, 0.05, [0.5, 3.0, 1.2])],
    hidden=chain_hidden,
    accepted=[
        lambda price, fee, conversions: (1 - fee) / price * math.prod(conversions),
        lambda price, fee, conversions: np.prod(np.array([1 - fee, 1 / price, *conversions])),
        lambda price, fee, conversions: functools.reduce(lambda a, b: a * b, conversions, (1.0 - fee) / price),
        lambda price, fee, conversions: float(
            np.prod(np.asarray(conversions, dtype=np.float32)) * np.float32((1 - fee) / price)
        ),
        lambda price, fee, conversions: np.array(
            math.exp(math.log(1 - fee) - math.log(price) + sum(map(math.log, conversions)))
        ),
        lambda price, fee, conversions: 1 / (price / (1 - fee) / np.multiply.reduce(conversions)),
    ],
    bank=BANK,
    hints=(
        "Write the chain for one coin in words: what is left of it, what that buys, what becomes of it.",
        "Every link is a factor with a unit. The fee is the factor 1 − fee (coin per coin); the price has to be "
        "turned over to be kg per coin.",
        "Start with (1 − fee) / price, which is kg per coin of budget, then multiply by the conversions one after "
        "the other.",
    ),
)
