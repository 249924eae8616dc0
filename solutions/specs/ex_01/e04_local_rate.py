"""01.4 A rate is local: the bulk discount."""

from __future__ import annotations

import bisect
import math
from functools import partial

import numpy as np

from coursepkg.autodiff.scalar import Scalar
from coursepkg.grading.specification.domain import Array, Listing, Number
from coursepkg.grading.specification.exercise import Exercise, case, wrong


def local_reference(coins, tiers):
    passed = [price for start, price in tiers if start < coins]
    return 1 / passed[-1]


def _kilograms(coins, tiers):
    ends = [start for start, _ in tiers[1:]] + [math.inf]
    return sum(max(0.0, min(coins, end) - start) / price for (start, price), end in zip(tiers, ends, strict=True))


def _is_rounded_away(digits, coins, tiers):
    return _tier(round(coins, digits), tiers) < _tier(coins, tiers)


def _starts_rounded_away(digits, coins, tiers):
    return _tier(coins, [(round(start, digits), price) for start, price in tiers]) < _tier(coins, tiers)


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


def local_by_search(coins, tiers):
    low, high = 0, len(tiers)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if tiers[middle][0] <= coins else (low, middle)
    return 1 / tiers[low][1]


def local_hidden(rng):
    cases = []
    for count in (1, 3, 4):
        starts = [0.0, *np.round(np.cumsum(np.round(rng.uniform(4.0, 20.0, size=count - 1), 0) + 0.5), 1).tolist()]
        factors = rng.uniform(0.6, 0.9, size=count)
        if count > 3:
            factors[-1] = 1.25  # the last price is higher than the one before
        prices = np.round(6.0 * np.cumprod(factors), 2).tolist()
        tiers = [[float(s), float(p)] for s, p in zip(starts, prices, strict=True)]
        # Behind a start, where the rate jumps, or a coin before the next one; a middle tier comes first.
        for k in (*range(1, count), 0):
            nearer = float(rng.uniform(0.15, 0.9))
            coins = starts[k] + nearer if k % 2 == 0 else [*starts, starts[k] + 30][k + 1] - 1 - nearer
            cases.append(case(round(coins, 2) + 0.003, tiers))
    return [*cases, *returning_prices(rng)]


def returning_prices(rng):
    """A price that comes back, after one above the first; a little beyond a start in each of the later tiers."""
    first, low, high = (round(float(x), 2) for x in rng.uniform([2.2, 1.3, 2.9], [2.7, 1.8, 3.4]))
    starts = np.round(np.cumsum(rng.integers(6, 15, size=4)) + 0.2, 1).tolist()
    tiers = [[0.0, first], *([start, price] for start, price in zip(starts, (low, high, low, first), strict=True))]
    return [*(case(round(start + 0.21, 3), tiers) for start in starts), *tier_extremes(rng)]


def tier_extremes(rng):
    """Fourteen tiers, of which the last; hardly beyond a start; hardly begun; a million coins; prices of all sizes."""
    starts = [0.0, *np.cumsum(rng.integers(3, 9, size=13)).tolist()]
    many = [[float(start), round(float(price), 2)] for start, price in zip(starts, rng.uniform(1, 9, 14), strict=True)]
    large = [[0.0, 6.3], [3e5, 4.1], [9e5, round(1.1 + many[0][1], 2)]]
    dear = [[0.0, round(float(4e3 * rng.uniform(0.8, 1.2)), 1)], [float(starts[2]), 6.3e-4]]
    return [
        case(starts[-1] + 2.7, many),
        *(case(round(starts[k] + 0.0022, 4), many) for k in (2, 5)),
        case(0.004, many),
        case(1e6, large),
        case(starts[4] + 0.7, many),
        *(case(starts[k] + 0.4, dear) for k in (1, 3)),
        *within_a_coin(rng),
    ]


def within_a_coin(rng):
    """Starts and coins that become equal, or change places, where coins are rounded; less than a coin in all."""
    first, second, third = (round(float(x), 2) for x in rng.uniform([2.2, 1.3, 3.1], [2.7, 1.8, 3.9]))
    whole = float(rng.integers(4, 9))
    return [
        *(
            case(round(whole + start + beyond, 4), [[0.0, first], [whole + start, second], [whole + 7.5, third]])
            for start, beyond in ((0.0013, 0.003), (0.0213, 0.02), (0.2131, 0.21), (0.0067, 0.0024), (0.0647, 0.02))
        ),
        case(whole + 5.5, [[0.0, first], [whole, third], [whole + 4, third], [whole + 9, second]]),
        case(0.71, [[0.0, first], [0.23, third], [0.57, second]]),
    ]


_draw = np.random.default_rng(14)

RISING = [[0.0, 3.1], [7.5, 2.3], [20.0, 1.7], [41.5, 2.6]]


BANK = [
    wrong("average-rate", lambda coins, tiers: _kilograms(coins, tiers) / coins,
          "'A rate is local'. The slope of the curve where you stand, not of the line from the origin.",
          "This is the average: all kilograms over all coins.",
          "The average looks back at what the coins so far have brought. The next coin is spent at today's tier only."),
    wrong("first-price", lambda coins, tiers: 1 / tiers[0][1],
          "'A rate is local'. Which tier does the next coin fall into?",
          "The rate of the first coin is used everywhere.",
          "The rate was measured at the start, but you stand further along, where another price holds."),
    wrong("best-price", lambda coins, tiers: 1 / tiers[-1][1],
          "'A rate is local'. Which tier does the next coin fall into?",
          "The price of the last tier is used everywhere.",
          "It holds only beyond the last start, and not everyone has spent that much."),
    wrong("price-not-rate", lambda coins, tiers: tiers[_tier(coins, tiers)][1],
          "'A rate is local'. The unit in the docstring is kg per coin.",
          "The right tier, upside down: coins per kg.",
          "The price says what a kilogram costs; the rate asked for is what a coin brings."),
    wrong("amount-not-rate", _kilograms, "'A rate is local'. The unit in the docstring is kg per coin, not kg.",
          "This is how many kilograms all the coins buy.",
          "That is the amount. The rate is how fast it grows with the next coin."),
    wrong("tier-before", lambda coins, tiers: 1 / tiers[max(0, _tier(coins, tiers) - 1)][1],
          "'A rate is local'. The last start that is below coins counts, not the one before it.",
          "The tier is one too early.",
          "A tier holds from its own start onward. Once its start is behind you, its price is the one that counts."),
    wrong("tier-after", lambda coins, tiers: 1 / tiers[min(len(tiers) - 1, _tier(coins, tiers) + 1)][1],
          "'A rate is local'. The last start that is below coins counts, not the first one above.",
          "The tier is one too far.",
          "The next discount begins at its start, and you are not there yet."),
    wrong("tier-before-or-the-last", lambda coins, tiers: 1 / tiers[_tier(coins, tiers) - 1][1],
          "'A rate is local'. The last start that is below coins counts, not the one before it.",
          "The tier is one too early, and in the first tier it is the last one.",
          "A place in a list that is one too small becomes -1 at the beginning, and -1 is the last place."),
    wrong("tier-after-or-the-first", lambda coins, tiers: 1 / tiers[(_tier(coins, tiers) + 1) % len(tiers)][1],
          "'A rate is local'. The last start that is below coins counts, not the first one above.",
          "The tier is one too far, and in the last tier it is the first one.",
          "The tier in which you stand began behind you. The one that begins next is not reached yet."),
    wrong("dearest-so-far", lambda coins, tiers: 1 / max(price for start, price in tiers if start < coins),
          "'A rate is local'. Until when does a tier's price hold?",
          "This is the highest price that you have passed.",
          "A tier ends where the next one begins, even if the next one is cheaper."),
    wrong("found-by-its-price", lambda coins, tiers: 1 / max(
              (start, price) for price, start in {price: start for start, price in tiers}.items()
              if start < coins or price == tiers[0][1]
          )[1], "'A rate is local'. What if a price comes back in a later tier?",
          "Where two tiers have the same price, one of them is lost.",
          "A dictionary from prices to starts has room for one start of each price."),
    wrong("rounded-coins", lambda coins, tiers: 1 / tiers[_tier(round(coins), tiers)][1],
          "'A rate is local'. You may have spent a part of a coin beyond a start.",
          "Near a start the tier beside it is used.",
          "The coins were rounded to whole ones, which may move them across a start."),
    wrong("discount-on-everything", lambda coins, tiers: (
              sum(1 / price for start, price in tiers if start < coins) / sum(start < coins for start, _ in tiers)
          ), "'A rate is local'. One point of the curve has one slope.",
          "The rates of all tiers passed so far are averaged.",
          "Tiers that lie behind you no longer sell anything; the next coin meets one price."),
    wrong("cheapest-so-far", lambda coins, tiers: 1 / min(price for start, price in tiers if start < coins),
          "'A rate is local'. Until when does a tier's price hold?",
          "This is the lowest price that you have passed.",
          "A tier ends where the next one begins, even if the next one is dearer."),
    wrong("whole-coins", lambda coins, tiers: 1 / tiers[max(0, _tier(int(coins) - 1e-9, tiers))][1],
          "'A rate is local'. You may have spent a part of a coin beyond a start.",
          "Just behind a start, the tier before it is used.",
          "The coins were rounded down, so the part of a coin that lies behind the start was lost."),
    wrong("half-a-coin-back", lambda coins, tiers: local_reference(max(coins - 0.5, 1e-9), tiers),
          "'A rate is local'. At which rate does the next coin buy, not the last one?",
          "Up to half a coin behind a start, the tier before it is used.",
          "The rate belongs to the place where you stand, not to one between this coin and the one before."),
    wrong("five-tiers-at-most", lambda coins, tiers: local_reference(coins, tiers[:5]),
          "'A rate is local'. Which tier does the next coin fall into?",
          "Long price lists are cut off.",
          "A list may have any number of tiers. Go through all of them."),
    wrong("ends-at-a-thousand",
          lambda coins, tiers: local_reference(coins, tiers) if coins < 1000 else 0.0,
          "'A rate is local', and the task: until when does the last tier hold?",
          "Far out the rate is 0.",
          "The last tier has no end. A large number in place of one is reached some day."),
    wrong("adds-the-rates", lambda coins, tiers: sum(1 / price for start, price in tiers if start < coins),
          "'A rate is local'. One point of the curve has one slope.",
          "The rates of all tiers passed so far are added.",
          "Paths add if a coin goes along all of them. The next coin is spent in one tier alone."),
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
    domain={"coins": Number(more_than=0, at_most=1e6), "tiers": Listing("m", Array("2", at_least=0, order="given"))},
    meets={
        "the first of several tiers": lambda coins, tiers: len(tiers) > 1 and _tier(coins, tiers) == 0,
        "a tier in the middle": lambda coins, tiers: 0 < _tier(coins, tiers) < len(tiers) - 1,
        "the last of several tiers": lambda coins, tiers: 0 < _tier(coins, tiers) == len(tiers) - 1,
        "less than a coin beyond a start": lambda coins, tiers: (
            _tier(coins, tiers) > 0 and coins - tiers[_tier(coins, tiers)][0] < 1
        ),
        "nearer to the next start": lambda coins, tiers: any(start - 2 < coins < start - 1 for start, _ in tiers[1:]),
        "there are many tiers": lambda coins, tiers: _tier(coins, tiers) > 12,
        "hardly beyond a start": lambda coins, tiers: coins - tiers[_tier(coins, tiers)][0] < 0.005,
        "more than half a coin beyond a start that is a whole number": lambda coins, tiers: (
            0.5 < coins - tiers[_tier(coins, tiers)][0] < 1
            and tiers[_tier(coins, tiers)][0] % 1 == 0 < _tier(coins, tiers)
        ),
        "hardly begun": lambda coins: coins < 0.01,
        "less than a coin, and not in the first tier": lambda coins, tiers: coins < 1 and _tier(coins, tiers) > 0,
        "the price stays as it was": lambda coins, tiers: (
            tiers[_tier(coins, tiers)][1] == tiers[_tier(coins, tiers) - 1][1]
        ),
        **{
            f"rounding the starts to {digits} digits leads to another tier": partial(_starts_rounded_away, digits)
            for digits in (1, 2)
        },
        **{
            f"rounding to {digits} digits leads to another tier": partial(_is_rounded_away, digits)
            for digits in (0, 1, 2)
        },
        "a price that comes back": lambda coins, tiers: (
            tiers[_tier(coins, tiers)][1] in [price for _, price in tiers[: _tier(coins, tiers)]]
        ),
        "a price above the first": lambda coins, tiers: tiers[_tier(coins, tiers)][1] > tiers[0][1],
        "less than half a coin beyond a start that is no whole number": lambda coins, tiers: (
            _tier(coins, tiers) > 0 and round(coins) < tiers[_tier(coins, tiers)][0]
        ),
        "a price that rises": lambda coins, tiers: (
            _tier(coins, tiers) > 0 and tiers[_tier(coins, tiers) - 1][1] < tiers[_tier(coins, tiers)][1]
        ),
    },
    always={
        "no start of a tier is near": lambda coins, tiers: all(
            not start - 1 < coins < start + 0.002 for start, _ in tiers[1:]
        ),
    },
    visible=[
        case(6.0, [[0.0, 2.0], [10.0, 1.6], [30.0, 1.25]]),
        case(17.0, [[0.0, 2.0], [10.0, 1.6], [30.0, 1.25]]),
        case(45.0, [[0.0, 2.0], [10.0, 1.6], [30.0, 1.25]]),
        case(12.5, [[0.0, 4.0], [8.0, 3.0]]),
        *(case(coins, RISING) for coins in (47.0, 0.35, 7.9, 20.25, 40.2)),
        case(3.4, [[0.0, 2.7]]),
        *returning_prices(_draw),
    ],
    hidden=local_hidden,
    accepted=[
        lambda coins, tiers: 1 / tiers[_tier(coins, tiers)][1],
        lambda coins, tiers: (_kilograms(coins + 1e-3, tiers) - _kilograms(coins - 1e-3, tiers)) / 2e-3,
        lambda coins, tiers: 1 / np.array(tiers)[np.searchsorted(np.array(tiers)[:, 0], coins) - 1, 1],
        lambda coins, tiers: next(1 / price for start, price in reversed(tiers) if start < coins),
        lambda coins, tiers: np.float32(1) / np.float32([price for start, price in tiers if start <= coins][-1]),
        local_by_scalar,
        local_by_search,
        lambda coins, tiers: _kilograms(coins + 1, tiers) - _kilograms(coins, tiers),
    ],
    bank=BANK,
    hints=(
        "Only the next coin matters. At which price is it spent?",
        "Walk through the tiers in order and remember the price of the last one whose start lies below coins.",
        "Begin with the price of the first tier. Whenever coins is larger than a tier's start, take that tier's price "
        "instead. The rate is in kg per coin, so turn over the price that you end with.",
    ),
    equivalent_mutants={
        "gives the neighbour's value where coins is 1e+06, the largest allowed": "nothing changes just before it",
        "`start < coins` → `start <= coins`": "nobody ever stands exactly on the edge of a tier",
    },
)
