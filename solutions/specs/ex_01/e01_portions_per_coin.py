"""01.1 Rates multiply along a chain."""

from __future__ import annotations

import functools
import math

import numpy as np

from coursepkg.grading.specification.domain import Array, Number
from coursepkg.grading.specification.exercise import Exercise, case, wrong


def chain_reference(price, fee, conversions):
    result = (1 - fee) / price
    for conversion in conversions:
        result = result * conversion
    return result


def with_fee_at_every_link(price, fee, conversions):
    result = (1 - fee) / price
    for conversion in conversions:
        result *= (1 - fee) * conversion
    return result


def chain_case(rng, length, price=(1.3, 6.0), fee=(0.05, 0.4)):
    conversions = [round(float(r), 3) for r in rng.uniform(0.2, 5.0, size=length)]
    return case(round(float(rng.uniform(*price)), 2), round(float(rng.uniform(*fee)), 3), conversions)


def chain_hidden(rng):
    """Chains of several lengths; a price below a coin; almost everything kept by the market; equal conversions."""
    usual = [chain_case(rng, length) for length in (1, 2, 3, 7)]
    price, fee, conversions = chain_case(rng, 2).args
    equal = [case(price, fee, conversions[:1] * 2), case(price, fee, [*conversions, *conversions])]
    far = [chain_case(rng, 2, price=(0.3, 0.8)), chain_case(rng, 4, fee=(0.9, 0.99))]
    alike = [case(price, fee, [price, 1.0, fee]), case(1.0, fee, [conversions[0], 1.0])]
    return [*usual, *far, *equal, *alike, *results_of_all_sizes(rng), *chain_extremes(rng)]


def results_of_all_sizes(rng):
    """From hundredths of a portion to tens of thousands, with digits enough to show rounding."""
    found = []
    for size in (0.02, 0.3, 20.0, 200.0, 2000.0, 20000.0):
        price, fee, conversions = chain_case(rng, 2).args
        share = size * float(rng.uniform(0.8, 1.2)) / chain_reference(price, fee, conversions)
        found.append(case(price, fee, [*conversions, float(f"{share:.5g}")]))
    return found


def is_of_size(low, high):
    return lambda price, fee, conversions: low < chain_reference(price, fee, conversions) < high


def chain_extremes(rng):
    """A price of nearly nothing, and one of millions; hardly any fee, and nearly all; rates of all sizes; 60 links."""
    first, second, third = (float(f"{x:.3g}") for x in rng.uniform(1.2, 9.0, 3))
    return [
        case(first * 1e-8, 0.0043, [second, 1000.0, third * 1e-9, 1000.0]),
        case(second * 1e6, 0.99987, [third * 1e7, first * 1e-4, second * 1e4]),
        case(third, 1e-5 * first, [round(float(rate), 3) for rate in rng.uniform(0.8, 1.25, 60)]),
    ]


_draw = np.random.default_rng(11)


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
          "'Units cancel'. The unit in the docstring is portions per coin.",
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
          "'Units cancel'. Does each round of your loop multiply what the rounds before have collected?",
          "Only the last of the conversions is used.",
          "Every link the money passes through changes the rate; a list of several conversions is several factors."),
    wrong("first-link-only", lambda price, fee, conversions: (1 - fee) / price * conversions[0],
          "'Units cancel'. What becomes of the unit that the first conversion gives?",
          "Only the first of the conversions is used.",
          "The money passes through every link of the chain, and each of them changes the rate."),
    wrong("equal-ones-count-once", lambda price, fee, conversions: (1 - fee) / price * math.prod(set(conversions)),
          "'Units cancel'. How many links has a chain whose conversions are equal?",
          "Of conversions that are equal only one is used.",
          "Two links with the same number are still two links, and what passes through is changed by both."),
    wrong("fee-at-every-link", with_fee_at_every_link,
          "'The fee'. Where in the chain does the market stand?",
          "The fee is taken again at every conversion.",
          "The market takes its part of the coins, once. Nobody takes a part of the kilograms or of the portions."),
    wrong("divides-by-conversions", lambda price, fee, conversions: (1 - fee) / price / math.prod(conversions),
          "'Units cancel'. Write the units beside every number.",
          "The conversions divide where they should multiply.",
          "Each entry says how much of the next thing one unit of the thing before becomes, so it is the right way"
          " up already."),
    wrong("forgets-price", lambda price, fee, conversions: (1 - fee) * math.prod(conversions),
          "'Units cancel'. Which link leads from coins to kg?",
          "The price is missing.",
          "The conversions start from a kg. What is left of a coin has to become kilograms first."),
    wrong("fee-in-percent", lambda price, fee, conversions: (1 - fee / 100) / price * math.prod(conversions),
          "'The fee'. What kind of number is it?",
          "The fee is divided by a hundred.",
          "The fee is given as a part of a coin, between 0 and 1, not in percent."),
    wrong("a-little-added-to-the-price",
          lambda price, fee, conversions: (1 - fee) / (price + 1e-8) * math.prod(conversions),
          "'Units cancel', and the docstring of the exercise: which prices are possible?",
          "Nearly right everywhere, and too small where the price is small.",
          "A small number added below the stroke keeps a zero from harm, and a price is never zero here."),
    wrong("stops-after-ten-links", lambda price, fee, conversions: (1 - fee) / price * math.prod(conversions[:10]),
          "'Units cancel'. What becomes of the unit that your last conversion gives?",
          "Long chains are cut off.",
          "A list of conversions may be of any length, and each of them is a factor."),
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
    domain={
        "price": Number(more_than=0),
        "fee": Number(at_least=0, less_than=1),
        "conversions": Array("n", more_than=0, order="free"),
    },
    meets={
        "all conversions are equal": lambda conversions: len(conversions) > len(set(conversions)) == 1,
        "the price is nearly nothing": lambda price: price < 1e-6,
        "the fee is nearly nothing": lambda fee: 0 < fee < 1e-3,
        "the fee is nearly everything": lambda fee: fee > 0.999,
        "the chain is long": lambda conversions: len(conversions) > 50,
        "thousands of portions": is_of_size(1000, 5000),
        "ten thousands of portions": is_of_size(10_000, 50_000),
        "hundreds of portions": is_of_size(100, 500),
        "a price of 1": lambda price: price == 1,
        "a conversion of 1": lambda conversions: len(conversions) > 1 and 1.0 in conversions,
        "equal conversions stand apart": lambda conversions: 2 < len(conversions) == 2 * len(set(conversions)),
    },
    visible=[
        case(2.0, 0.1, [4.0]),
        case(5.0, 0.25, [1000.0, 0.008]),
        case(0.83, 0.07, [0.5, 3.7, 1.2]),
        case(3.6, 0.0, [1.3, 0.45, 2.9, 1.7, 0.85]),
        case(2.7, 0.925, [0.65, 7.3]),
        case(1.7, 0.15, [2.4, 2.4]),
        case(4.1, 0.35, [3.3, 1.45, 3.3, 1.45]),
        case(1.0, 0.17, [1.0, 2437.9]),
        case(1.6, 0.08, [43.7, 1000.0]),
        case(3.7, 0.21, [1283.0]),
        *chain_extremes(_draw),
    ],
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
        lambda price, fee, conversions: np.float32(1 - fee) / np.float32(price) * math.prod(np.float32(conversions)),
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
