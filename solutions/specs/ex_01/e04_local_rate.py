"""01.4 A rate is local: the bulk discount."""

from __future__ import annotations

import bisect
import math

import numpy as np

from coursepkg.autodiff.scalar import Scalar
from coursepkg.grading.spec import Exercise, case, wrong


def local_reference(coins, tiers):
    passed = [price for start, price in tiers if start < coins]
    return 1 / passed[-1]


def _kilograms(coins, tiers):
    ends = [start for start, _ in tiers[1:]] + [math.inf]
    return sum(max(0.0, min(coins, end) - start) / price for (start, price), end in zip(tiers, ends, strict=True))


def _tier(coins, tiers):
    return bisect.bisect([start for start, _ in tiers], coins) - 1


def local_by_scalar(coins, tiers):
    money = Scalar(coins)
    ends = [start for start, _ in tiers[1:]] + [1e9]
    kilograms = Scalar(0.0)
    for (start, price), end in zip(tiers, ends, strict=True):
        kilograms = kilograms + ((money - start).relu() - (money - end).relu()) / price
    kilograms.backward()
    return money.grad


def local_hidden(rng):
    cases = []
    for count in (2, 3, 4, 4):
        starts = [0.0, *np.cumsum(np.round(rng.uniform(4.0, 20.0, size=count - 1), 0)).tolist()]
        prices = np.round(6.0 * np.cumprod(rng.uniform(0.6, 0.9, size=count)), 2).tolist()
        tiers = [[float(s), float(p)] for s, p in zip(starts, prices, strict=True)]
        # Always between two starts: on one of them the rate jumps and there is no derivative.
        for k in range(count):
            cases.append(case(round(starts[k] + float(rng.uniform(0.5, 3.5)), 1) + 0.05, tiers))
    return cases


BANK = [
    wrong("average-rate", lambda coins, tiers: _kilograms(coins, tiers) / coins,
          "'A rate is local'. The slope of the curve where you stand, not of the line from the origin.",
          "This is the average: all kilograms over all coins.",
          "The average looks back at what the coins so far have brought. The next coin is spent at today's tier only."),
    wrong("first-price", lambda coins, tiers: 1 / tiers[0][1],
          "'A rate is local'. Which tier does the next coin fall into?",
          "The rate of the first coin is used everywhere.",
          "The rate was measured at the start, but you stand further along, where the price is lower."),
    wrong("best-price", lambda coins, tiers: 1 / tiers[-1][1],
          "'A rate is local'. Which tier does the next coin fall into?",
          "The largest discount is used everywhere.",
          "The lowest price holds only beyond the last start, and not everyone has spent that much."),
    wrong("price-not-rate", lambda coins, tiers: tiers[_tier(coins, tiers)][1],
          "The unit in the docstring: kg per coin.",
          "The right tier, upside down: coins per kg.",
          "The price says what a kilogram costs; the rate asked for is what a coin brings."),
    wrong("amount-not-rate", _kilograms, "The unit in the docstring: kg per coin, not kg.",
          "This is how many kilograms all the coins buy.",
          "That is the amount. The rate is how fast it grows with the next coin."),
    wrong("tier-before", lambda coins, tiers: 1 / tiers[max(0, _tier(coins, tiers) - 1)][1],
          "Your comparison. The last start that is below coins counts, not the one before it.",
          "The tier is one too early.",
          "A tier holds from its own start onward. Once its start is behind you, its price is the one that counts."),
    wrong("tier-after", lambda coins, tiers: 1 / tiers[min(len(tiers) - 1, _tier(coins, tiers) + 1)][1],
          "Your comparison. The last start that is below coins counts, not the first one above.",
          "The tier is one too far.",
          "The next discount begins at its start, and you are not there yet."),
    wrong("discount-on-everything", lambda coins, tiers: (
              sum(1 / price for start, price in tiers if start < coins) / sum(start < coins for start, _ in tiers)
          ), "'A rate is local'. One point of the curve has one slope.",
          "The rates of all tiers passed so far are averaged.",
          "Tiers that lie behind you no longer sell anything; the next coin meets one price."),
]  # fmt: skip

EXERCISE = Exercise(
    id="01.4",
    title="A rate is local: the bulk discount",
    function="local_rate",
    minutes=6,
    difficulty=2,
    points=1,
    see="notebook 01, 'A rate is local'",
    reference=local_reference,
    visible=[
        case(6.0, [[0.0, 2.0], [10.0, 1.6], [30.0, 1.25]]),
        case(17.0, [[0.0, 2.0], [10.0, 1.6], [30.0, 1.25]]),
        case(45.0, [[0.0, 2.0], [10.0, 1.6], [30.0, 1.25]]),
        case(12.5, [[0.0, 4.0], [8.0, 3.0]]),
    ],
    hidden=local_hidden,
    accepted=[
        lambda coins, tiers: 1 / tiers[_tier(coins, tiers)][1],
        lambda coins, tiers: (_kilograms(coins + 1e-3, tiers) - _kilograms(coins - 1e-3, tiers)) / 2e-3,
        lambda coins, tiers: 1 / np.array(tiers)[np.searchsorted(np.array(tiers)[:, 0], coins) - 1, 1],
        lambda coins, tiers: next(1 / price for start, price in reversed(tiers) if start < coins),
        lambda coins, tiers: np.float32(1) / np.float32([price for start, price in tiers if start <= coins][-1]),
        local_by_scalar,
    ],
    bank=BANK,
    hints=(
        "Only the next coin matters. At which price is it spent?",
        "Walk through the tiers in order and remember the price of the last one whose start lies below coins.",
        "Begin with the price of the first tier. Whenever coins is larger than a tier's start, take that tier's price "
        "instead. The rate is in kg per coin, so turn over the price that you end with.",
    ),
    equivalent_mutants={"`start < coins` → `start <= coins`": "nobody ever stands exactly on the edge of a tier"},
)
