"""01.3 Only the scarcest ingredient."""

from __future__ import annotations

from collections import deque

import numpy as np

from coursepkg.autodiff.scalar import Scalar
from coursepkg.grading.specification.domain import Array
from coursepkg.grading.specification.exercise import Exercise, case, wrong


def _bottleneck(stock, need):
    return min(range(len(stock)), key=lambda i: stock[i] / need[i])


def _is_clear(stock, need):
    first, *others = sorted(have / one for have, one in zip(stock, need, strict=True))
    return not others or others[0] > max(1.02 * first, first + 0.2) * (1 - 1e-12)


def _only(index, value, length):
    return [value if i == index else 0.0 for i in range(length)]


def bottleneck_reference(stock, need):
    scarcest = _bottleneck(stock, need)
    return np.array(_only(scarcest, 1 / need[scarcest], len(stock)))


def bottleneck_by_array(stock, need):
    stock, need = np.array(stock), np.array(need)
    return (np.arange(len(stock)) == np.argmin(stock / need)) / need


def bottleneck_by_scalar(stock, need):
    leaves = [Scalar(s) for s in stock]
    limits = [leaf / n for leaf, n in zip(leaves, need, strict=True)]
    min(limits, key=lambda limit: limit.data).backward()
    return [leaf.grad for leaf in leaves]


def bottleneck_by_differences(stock, need):
    def portions(amounts):
        return min(a / n for a, n in zip(amounts, need, strict=True))

    step = 1e-3
    gradient = []
    for i in range(len(stock)):
        up, down = list(stock), list(stock)
        up[i] += step
        down[i] -= step
        gradient.append((portions(up) - portions(down)) / (2 * step))
    return gradient


def bottleneck_hidden(rng):
    cases = []
    for count in (2, 3, 4, 6):
        need = np.round(rng.uniform(40.0, 300.0, size=count), 1)
        # Limits at least one portion apart: a tie has no derivative.
        limits = np.sort(rng.uniform(4.0, 9.0) + np.cumsum(rng.uniform(1.0, 6.0, size=count)))
        limits = rng.permutation(limits)
        # The scarcest ingredient is neither the smallest heap nor the largest need.
        scarcest = int(np.argmin(limits))
        order = np.argsort(need)
        middle = order[len(order) // 2] if count > 2 else order[1]
        need[[scarcest, middle]] = need[[middle, scarcest]]
        cases.append(case([round(float(a), 2) for a in limits * need], [float(n) for n in need]))
    return [*cases, *bottleneck_edges(rng)]


def bottleneck_edges(rng):
    """One ingredient; an empty cupboard; equal heaps; equal needs; the first, the last and a middle one decides."""

    def grams(low, high):
        return round(float(rng.uniform(low, high)), 1)

    one, heap, need, other = grams(400, 900), grams(1000, 2000), grams(60, 90), grams(150, 210)
    plenty = grams(3000, 5000)
    portions = int(rng.integers(5, 9))
    return [
        case([one], [need]),
        case([round((portions + part) * need, 1) for part in (0.8, 0.2, 0.6)], [need] * 3),
        case([heap, plenty, 0.0, plenty], [need, other, other, need + 7.5]),
        case([heap, heap, heap], [need, other, need]),
        case([heap, heap - 200.0, plenty], [other, other, need]),
        case([0.4 * heap, heap, plenty], [other, other, need]),
        *bottleneck_extremes(rng),
    ]


def bottleneck_extremes(rng):
    """Pinches of spice, a store for millions, and a dish of twenty ingredients; two others as scarce as they may be."""
    low = float(rng.uniform(0.6, 0.8))
    pinches, places = [round(0.02 * low, 5), round(0.03 * (low + 0.23), 5)], rng.permutation(20)
    limits, need = (7 * (low + 1) * 1.022 ** np.arange(20))[places], rng.uniform(0.2, 60.0, 20).round(2)
    store = [round(float(x), 1) for x in low * np.array([9.2e4, 8e4, 7.1e4, 8.9e4])]
    thousands = round(float(rng.uniform(1100, 1900)), 1)
    return [
        case([pinches[1], 0.04, pinches[0]], [0.03, 0.025, 0.02]),
        case([store[1], store[0], store[2], store[3]], [0.02, 0.03, 0.02, 0.025]),
        case([1.5 * thousands, 1.1 * thousands, 0.51 * thousands], [1.0, 1.0, 0.5]),
        case([round(float(x), 6) for x in limits * need], need.tolist()),
    ]


def by_first_of_the_name(stock, need):
    """Looks for the place of the scarcest by its amount."""
    amount = min(zip(stock, need, strict=True), key=lambda pair: pair[0] / pair[1])[0]
    return _only(stock.index(amount), 1 / need[stock.index(amount)], len(stock))


def by_whole_portions(stock, need):
    portions = [s // n for s, n in zip(stock, need, strict=True)]
    more = [(s + 1) // n - before for s, n, before in zip(stock, need, portions, strict=True)]
    return _only(portions.index(min(portions)), more[portions.index(min(portions))], len(stock))


def by_a_gram(step):
    """What so many grams more of one ingredient bring, divided by the grams."""

    def answer(stock, need):
        def portions(amounts):
            return min(a / n for a, n in zip(amounts, need, strict=True))

        more = [[s + step * (i == k) for i, s in enumerate(stock)] for k in range(len(stock))]
        return [(portions(amounts) - portions(stock)) / step for amounts in more]

    return answer


_draw = np.random.default_rng(13)


BANK = [
    wrong("everyone", lambda stock, need: [1 / n for n in need],
          "'The scarcest ingredient'. The gradient of all the others is exactly zero.",
          "Every ingredient gets the rate it would have if it were the scarcest.",
          "A gram more of what is not scarce stays in the cupboard: it makes no further portion."),
    wrong("equal-shares", lambda stock, need: [1 / n / len(need) for n in need],
          "'The scarcest ingredient'. Ask the question for one ingredient at a time.",
          "The credit is shared equally among the ingredients.",
          "Sharing sounds fair, but a derivative asks what happens if only this one changes. For all but the "
          "scarcest: nothing."),
    wrong("one-not-rate", lambda stock, need: _only(_bottleneck(stock, need), 1.0, len(stock)),
          "'Units cancel'. The link from grams to portions is missing.",
          "The right ingredient, with the rate 1.",
          "1 is how the minimum passes its input on, in portions per portion. A gram of the ingredient is not yet"
          " a portion."),
    wrong("amount-not-rate", lambda stock, need: _only(
              _bottleneck(stock, need), min(s / n for s, n in zip(stock, need, strict=True)), len(stock)
          ), "'Units cancel'. The unit asked for is portions per gram.",
          "The right ingredient, with the number of portions in place of the rate.",
          "That is how many portions there are. The gradient says how many more a further gram would bring."),
    wrong("smallest-heap",
          lambda stock, need: _only(stock.index(min(stock)), 1 / need[stock.index(min(stock))], len(stock)),
          "'The scarcest ingredient'. Compare portions with portions: stock divided by need.",
          "The gradient goes to the smallest heap.",
          "Fewest grams is not scarcest: a little saffron may last for more portions than a sack of rice."),
    wrong("largest-need", lambda stock, need: _only(need.index(max(need)), 1 / max(need), len(stock)),
          "'The scarcest ingredient'. Compare portions with portions: stock divided by need.",
          "The gradient goes to the ingredient of which a portion takes most.",
          "A large need is no shortage if the heap is larger still."),
    wrong("most-plentiful", lambda stock, need: [
              1 / n if s / n == max(a / b for a, b in zip(stock, need, strict=True)) else 0.0
              for s, n in zip(stock, need, strict=True)
          ], "'The scarcest ingredient'. Min, not max.",
          "The gradient goes to the ingredient that would last longest.",
          "The pot is empty when the first ingredient is used up: the smallest limit decides, not the largest."),
    wrong("rate-upside-down",
          lambda stock, need: _only(_bottleneck(stock, need), need[_bottleneck(stock, need)], len(stock)),
          "'Units cancel'. The unit asked for is portions per gram.",
          "The right ingredient, with its rate upside down: grams per portion.",
          "The need says how many grams one more portion takes. The gradient is the portions one more gram brings."),
    wrong("found-by-its-amount", by_first_of_the_name,
          "'The scarcest ingredient'. What does `index` find if two heaps are equal?",
          "Where two heaps are equal, the gradient stands at the first of them.",
          "The same amount may lie in two heaps. Compare and keep places, not amounts."),
    wrong("whole-portions", by_whole_portions,
          "'The scarcest ingredient'. The number of portions is stock / need, and may be a fraction.",
          "Portions were rounded down before the gram was added.",
          "A number that is rounded down stands still for almost every gram, and then jumps. Here a gram makes a part"
          " of a portion."),
    wrong("share-of-the-need", lambda stock, need: _only(
              _bottleneck(stock, need), need[_bottleneck(stock, need)] / sum(need), len(stock)
          ), "'Units cancel'. The unit asked for is portions per gram.",
          "The right ingredient, with its part of the whole need.",
          "How much of the dish this ingredient is, is another question. Nothing else is scarce, so nothing else"
          " counts."),
    wrong("spread-over-the-dish", lambda stock, need: _only(_bottleneck(stock, need), 1 / sum(need), len(stock)),
          "'Units cancel'. The link from grams to portions: which need belongs to it?",
          "The right ingredient, divided by the grams of the whole portion.",
          "The other ingredients of the further portion are there already; only grams of the scarcest are missing."),
    wrong("a-whole-gram-more", by_a_gram(1.0),
          "'A rate is local'. How far does the rate of the scarcest hold?",
          "Where a portion takes less than a few grams, the rate is too small.",
          "A whole gram of spice is more than is missing: on its way another ingredient becomes the scarcest."),
    wrong("at-most-one", lambda stock, need: [min(rate, 1.0) for rate in bottleneck_reference(stock, need)],
          "'Units cancel'. The unit asked for is portions per gram.",
          "A rate above 1 became 1.",
          "Where a portion takes less than a gram, a gram more brings several portions."),
]  # fmt: skip

EXERCISE = Exercise(
    id="01.3",
    title="Only the scarcest ingredient",
    function="bottleneck_gradient",
    minutes=8,
    difficulty=2,
    points=2,
    see="notebook 01, 'The scarcest ingredient'",
    reference=bottleneck_reference,
    domain={"stock": Array("n", at_least=0, at_most=1e5), "need": Array("n", at_least=0.02)},
    meets={
        "the first ingredient is the scarcest": lambda stock, need: len(need) > 1 and _bottleneck(stock, need) == 0,
        "the last one is": lambda stock, need: len(need) > 1 and _bottleneck(stock, need) == len(need) - 1,
        "one in the middle is": lambda stock, need: 0 < _bottleneck(stock, need) < len(need) - 1,
        "an equal heap stands before the scarcest": lambda stock, need: (
            stock[_bottleneck(stock, need)] in stock[: _bottleneck(stock, need)]
        ),
        "the scarcest has an equal need beside it": lambda stock, need: need.count(need[_bottleneck(stock, need)]) > 1,
        "all make the same number of whole portions": lambda stock, need: (
            len(need) > 1 and len({s // n for s, n in zip(stock, need, strict=True)}) == 1
        ),
        "there are many ingredients": lambda need: len(need) > 15,
        "there are millions of portions, and the first ingredient is not the scarcest": lambda stock, need: (
            min(np.divide(stock, need)) > 1.5e6 and _bottleneck(stock, need) > 0
        ),
        "there are thousands of portions, and the first ingredient is not the scarcest": lambda stock, need: (
            1000 < min(np.divide(stock, need)) < 9000 and _bottleneck(stock, need) > 0
        ),
        "another ingredient lasts for hardly more": lambda stock, need: (
            len(need) > 1 and np.sort(np.divide(stock, need))[1] < 1.025 * min(np.divide(stock, need))
        ),
        "two others are equally plentiful": lambda stock, need: (
            len({s / n for s, n in zip(stock, need, strict=True)}) < len(need)
        ),
    },
    always={
        "the others last for more portions": lambda stock, need: _is_clear(stock, need),
    },
    visible=[
        case([1800.0, 900.0, 2600.0], [100.0, 75.0, 200.0]),
        case([1500.0, 2000.0], [125.0, 200.0]),
        case([640.0, 700.0, 5000.0, 1100.0], [16.0, 25.0, 250.0, 40.0]),
        *bottleneck_edges(_draw),
    ],
    hidden=bottleneck_hidden,
    accepted=[
        bottleneck_by_array,
        bottleneck_by_scalar,
        bottleneck_by_differences,
        lambda stock, need: tuple(bottleneck_reference(stock, need)),
        lambda stock, need: deque(bottleneck_reference(stock, need).tolist()),
        lambda stock, need: np.asarray(bottleneck_reference(stock, need), dtype=np.float32),
        lambda stock, need: [
            (s / n <= min(a / b for a, b in zip(stock, need, strict=True))) / n
            for s, n in zip(stock, need, strict=True)
        ],
    ],
    equivalent_mutants={
        "gives the neighbour's value where an entry of stock is 0, the least allowed": "a few milligrams are as scarce",
        "gives the neighbour's value where an entry of stock is 100000, the largest allowed": "its rate is the same",
    },
    bank=BANK,
    hints=(
        "How many portions would each ingredient allow if there were plenty of everything else? Who decides?",
        "Divide stock by need, entry by entry. The smallest of these decides alone; every other entry of the "
        "gradient is zero.",
        "Find the index i of the smallest stock[i] / need[i]. That limit grows by 1 / need[i] portions with every "
        "gram: put this at i, zeros elsewhere.",
    ),
)
