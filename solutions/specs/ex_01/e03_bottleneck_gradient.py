"""01.3 Only the scarcest ingredient."""

from __future__ import annotations

import numpy as np

from coursepkg.autodiff.scalar import Scalar
from coursepkg.grading.spec import Exercise, case, wrong


def _bottleneck(stock, need):
    return min(range(len(stock)), key=lambda i: stock[i] / need[i])


def _only(index, value, length):
    return [value if i == index else 0.0 for i in range(length)]


def bottleneck_reference(stock, need):
    scarcest = _bottleneck(stock, need)
    return _only(scarcest, 1 / need[scarcest], len(stock))


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
    return cases


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
          "The link from grams to portions, which is missing.",
          "The right ingredient, with the rate 1.",
          "1 is how the minimum passes its input on, in portions per portion. A gram of the ingredient is not yet"
          " a portion."),
    wrong("amount-not-rate", lambda stock, need: _only(
              _bottleneck(stock, need), min(s / n for s, n in zip(stock, need, strict=True)), len(stock)
          ), "The unit asked for: portions per gram.",
          "The right ingredient, with the number of portions in place of the rate.",
          "That is how many portions there are. The gradient says how many more a further gram would bring."),
    wrong("smallest-heap",
          lambda stock, need: _only(stock.index(min(stock)), 1 / need[stock.index(min(stock))], len(stock)),
          "What you compare. Portions with portions: stock divided by need.",
          "The gradient goes to the smallest heap.",
          "Fewest grams is not scarcest: a little saffron may last for more portions than a sack of rice."),
    wrong("largest-need", lambda stock, need: _only(need.index(max(need)), 1 / max(need), len(stock)),
          "What you compare. Portions with portions: stock divided by need.",
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
          "The unit asked for: portions per gram.",
          "The right ingredient, with its rate upside down: grams per portion.",
          "The need says how many grams one more portion takes. The gradient is the portions one more gram brings."),
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
    visible=[
        case([1800.0, 900.0, 2600.0], [100.0, 75.0, 200.0]),
        case([1500.0, 2000.0], [125.0, 200.0]),
        case([640.0, 700.0, 5000.0, 1100.0], [16.0, 25.0, 250.0, 40.0]),
    ],
    hidden=bottleneck_hidden,
    accepted=[
        bottleneck_by_array,
        bottleneck_by_scalar,
        bottleneck_by_differences,
        lambda stock, need: tuple(bottleneck_reference(stock, need)),
        lambda stock, need: np.asarray(bottleneck_reference(stock, need), dtype=np.float32),
        lambda stock, need: [
            float(s * min(b / a for a, b in zip(stock, need, strict=True)) >= 0) / n
            if s / n == min(a / b for a, b in zip(stock, need, strict=True))
            else 0
            for s, n in zip(stock, need, strict=True)
        ],
    ],
    bank=BANK,
    hints=(
        "How many portions would each ingredient allow if there were plenty of everything else? Who decides?",
        "Divide stock by need, entry by entry. The smallest of these decides alone; every other entry of the "
        "gradient is zero.",
        "Find the index i of the smallest stock[i] / need[i]. That limit grows by 1 / need[i] portions with every "
        "gram: put this at i, zeros elsewhere.",
    ),
)
