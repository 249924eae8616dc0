"""09.7 What a step costs."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from coursepkg.grading.specification.domain import Array
from coursepkg.grading.specification.exercise import Exercise, case, wrong


def cost_ratios(widths):
    products = [n * m for n, m in pairwise(widths)]
    base, first = sum(products), products[0]
    return {
        "backprop": (3 * base - first) / base,
        "jvp": (3 * base - first) / base,
        "rank_one": (2 * base - first) / base,
    }


def cost_by_layers(widths):
    base = backprop = jvp = rank_one = 0
    for layer in range(len(widths) - 1):
        unit = widths[layer] * widths[layer + 1]
        base += unit
        backprop += unit * (2 if layer == 0 else 3)
        jvp += unit * (2 if layer == 0 else 3)
        rank_one += unit * (1 if layer == 0 else 2)
    return {"backprop": backprop / base, "jvp": jvp / base, "rank_one": rank_one / base}


def cost_by_arrays(widths):
    w = np.array(widths, float)
    units = w[:-1] * w[1:]
    share = units[0] / units.sum()
    return {"rank_one": 2 - share, "jvp": 3 - share, "backprop": np.float64(3 - share)}


def cost_by_products(widths):
    """Count the products one by one: forward, gradient of the weight, gradient of the input."""
    units = [float(np.prod(pair)) for pair in pairwise(widths)]
    forward, weight, inputs = sum(units), sum(units), sum(units[1:])
    moving, change = sum(units[1:]), sum(units)
    return {
        "backprop": (forward + weight + inputs) / forward,
        "jvp": (forward + moving + change) / forward,
        "rank_one": (forward + moving) / forward,
    }


def cost_by_matrices(widths):
    ones = [np.broadcast_to(1.0, (n, m)) for n, m in pairwise(widths)]
    sizes = np.array([m.size for m in ones])
    table = np.array([[2, 2, 1]] + [[3, 3, 2]] * (len(sizes) - 1))
    return dict(zip(("backprop", "jvp", "rank_one"), sizes @ table / sizes.sum(), strict=True))


def cost_float32(widths):
    return {name: np.float32(ratio) for name, ratio in cost_ratios(widths).items()}


def cost_with(first, later):
    def answer(widths):
        units = [n * m for n, m in pairwise(widths)]
        names = ("backprop", "jvp", "rank_one")
        base = sum(units)
        return {
            name: (f * units[0] + g * sum(units[1:])) / base for name, f, g in zip(names, first, later, strict=True)
        }

    return answer


def cost_last_layer(widths):
    units = [n * m for n, m in pairwise(widths)]
    share = units[-1] / sum(units)
    return {"backprop": 3 - share, "jvp": 3 - share, "rank_one": 2 - share}


def cost_by_units(widths):
    share = widths[0] / sum(widths)
    return {"backprop": 3 - share, "jvp": 3 - share, "rank_one": 2 - share}


def cost_with_units(unit):
    """The right count of products, with another price for each."""

    def answer(widths):
        units = [unit(n, m) for n, m in pairwise(widths)]
        share = units[0] / sum(units)
        return {"backprop": 3 - share, "jvp": 3 - share, "rank_one": 2 - share}

    return answer


def cost_not_divided(widths):
    base = sum(n * m for n, m in pairwise(widths))
    return {name: ratio * base for name, ratio in cost_ratios(widths).items()}


def cost_with_the_last_width_again(widths):
    """The pairs go round: the output beside the input."""
    return cost_ratios([*widths, widths[0]])


def cost_of_distinct(key):
    """Layers are kept by a key, so that equal ones count once."""

    def answer(widths):
        kept = {key(n, m): n * m for n, m in pairwise(widths)}
        share = widths[0] * widths[1] / sum(kept.values())
        return {"backprop": 3 - share, "jvp": 3 - share, "rank_one": 2 - share}

    return answer


def cost_saved_by_all_of_the_first_size(widths):
    units = [n * m for n, m in pairwise(widths)]
    share = units.count(units[0]) * units[0] / sum(units)
    return {"backprop": 3 - share, "jvp": 3 - share, "rank_one": 2 - share}


def cost_edges(rng):
    """All layers equal, or some; nearly everything in the first, and next to nothing; there and back; a single one."""
    n, m, k = (int(width) for width in rng.permutation(np.arange(11, 90))[:3])
    return [
        case([k, k, k, k]),
        case([m, m, m, n]),
        case([900 + n, m, 1]),
        case([50_000 + n, 60_000 + m, 40_000 + k, n, m, k, n, m]),
        case([1, k, m + 90, n + 90]),
        case([n, k, n]),
        case([n, m]),  # the last, since equal layers that are taken for one give what it gives
    ]


def hidden_cost(rng):
    n, m, k = (int(width) for width in rng.integers(5, 200, 3))
    ones = (
        [n, 1, k],
        [n, 1, 1, k],
        [n, k, 1, m],
        [1, n, 1],
        [n, 1, n],
        [1, n],
        [n, 1],
        [1, 1],
        [1, 1, 1],
        [1, 1, n],
        [k, k],
    )
    more = ([n, k, m, 7], [n, 3 * k, m, 7], [n, m, k, k], [n, 2, m])  # two with the same ends
    usual = ([int(n) for n in rng.integers(5, 200, depth)] for depth in (3, 4, 5, 3, 3, 6, 9))
    return [*(case(widths) for widths in (*usual, *ones, *more)), *cost_edges(rng)]


BANK = [
    wrong("forgets-the-first-layer", cost_with((3, 3, 2), (3, 3, 2)), "notebook 09, section 8: the first layer",
          "The ratios are 3, 3 and 2 for every network.",
          "The input of the network does not move and needs no gradient: the first layer saves one product."),
    wrong("counts-passes", cost_with((2, 1, 1), (2, 1, 1)), "notebook 09, section 8: products, not passes",
          "Backpropagation was counted as two passes and the forward gradient as one.",
          "A pass with tangents does more products than a plain one, and a backward pass two per layer."),
    wrong("only-the-tangent-moves", cost_with((2, 1, 1), (3, 2, 2)), "notebook 09, section 8: three products",
          "In the jvp the product with the direction V is missing.",
          "The weights move as well, and h V is a product as large as h W."),
    wrong("half-of-backprop", lambda widths: {
              "backprop": (b := cost_ratios(widths)["backprop"]),
              "jvp": b / 2,
              "rank_one": b / 2,
          }, "notebook 09, section 8: products, not passes",
          "The forward gradient costs half of backpropagation.",
          "That is the claim, not the count: both need three products per hidden layer."),
    wrong("rank-one-for-nothing", cost_with((2, 2, 1), (3, 3, 1)), "notebook 09, section 8: what rank one saves",
          "Rank-one directions cost as much as a plain pass.",
          "The product with V becomes cheap, but the tangent from below still has to go through W."),
    wrong("saves-at-the-last-layer", cost_last_layer, "notebook 09, section 8: the first layer",
          "The last layer was taken as the one that saves a product.",
          "It is the input that stands still and asks for no gradient."),
    wrong("counts-units", cost_by_units, "notebook 09, section 8: one unit is n m per example",
          "Layers were weighted by their units in place of their weights.",
          "A product of a batch with a weight matrix costs inputs times outputs."),
    wrong("sizes-added", cost_with_units(lambda n, m: n + m), "the task: inputs times outputs",
          "Each product was counted as inputs plus outputs.",
          "Every input meets every output once for each example."),
    wrong("backward-pass-alone", cost_with((1, 2, 1), (2, 3, 2)), "notebook 09, section 8: products, not passes",
          "Backpropagation is cheaper than it should be, by a whole forward pass.",
          "Before anything can go back it has to go forward, and that is part of the cost."),
    wrong("first-layer-left-out", cost_with((0, 0, 0), (3, 3, 2)), "notebook 09, section 8: the first layer",
          "The first layer costs nothing in your count.",
          "It saves one product of those that a later layer needs. The others are still made."),
    wrong("saves-nothing-with-rank-one", cost_with((2, 2, 2), (3, 3, 3)),
          "notebook 09, section 8: what rank one saves",
          "Rank-one directions cost as much as full ones.",
          "One of the three products of a jvp is that with the direction. Here it is free."),
    wrong("rank-one-saves-the-wrong-one", cost_with((2, 2, 2), (3, 3, 2)),
          "notebook 09, section 8: what rank one saves",
          "With rank-one directions nothing is saved in the first layer.",
          "Its input does not move, so what is left there is the plain product."),
    wrong("all-layers-like-the-first", cost_with((2, 2, 1), (2, 2, 1)), "notebook 09, section 8: the first layer",
          "The ratios are 2, 2 and 1 for every network.",
          "That holds for a single layer. A later one saves nothing, and then the ratios lie between whole numbers."),
    wrong("gradient-of-the-input-too", cost_with((3, 2, 1), (3, 3, 2)), "notebook 09, section 8: the first layer",
          "Backpropagation costs three passes for every network.",
          "Asked for are the gradients of the weights. Nobody needs that of the input of the network."),
    wrong("input-moves-with-full-directions", cost_with((2, 3, 1), (3, 3, 2)),
          "notebook 09, section 8: the first layer",
          "The jvp costs three passes for every network.",
          "The input of the network does not move, so in the first layer there is no tangent to multiply."),
    wrong("input-moves", cost_with((2, 3, 2), (3, 3, 2)), "notebook 09, section 8: the first layer",
          "The jvp costs three passes and rank one two, for every network.",
          "The input of the network does not move, so in the first layer there is no tangent to multiply."),
    wrong("jvp-as-two-passes", cost_with((2, 2, 1), (3, 2, 2)), "notebook 09, section 8: three products",
          "The jvp costs two passes for every network.",
          "In a later layer both factors of h W move, and that takes more than one product beside the plain one."),
    wrong("equal-sizes-once", cost_of_distinct(lambda n, m: n * m), "the task: the product of a batch with a weight",
          "Layers of equal size were counted once.",
          "A set, or a dictionary with sizes for keys, keeps one of them. Each layer has a product of its own."),
    wrong("equal-layers-once", cost_of_distinct(lambda n, m: (n, m)), "the task: the product of a batch with a weight",
          "Layers of equal shape were counted once.",
          "A set, or a dictionary with shapes for keys, keeps one of them. Each layer has a product of its own."),
    wrong("saved-by-its-size", cost_saved_by_all_of_the_first_size, "notebook 09, section 8: the first layer",
          "Every layer as large as the first one saves a product.",
          "It saves because of where it stands, not because of its size."),
    wrong("not-divided", cost_not_divided, "the task: divided by that of a plain forward pass",
          "The numbers are costs, and not ratios.",
          "Asked for is how many times a plain forward pass each method costs."),
    wrong("pairs-go-round", cost_with_the_last_width_again, "the docstring of the exercise",
          "One layer too many was counted: from the output back to the input.",
          "A list of widths has one layer fewer than it has entries."),
]  # fmt: skip

EXERCISE = Exercise(
    id="09.7",
    title="What a step costs",
    function="cost_ratios",
    minutes=12,
    difficulty=2,
    points=3,
    see="notebook 09, section 8",
    reference=cost_ratios,
    domain={"widths": Array("l>=2", whole=True, at_least=1)},
    meets={
        "there is a single layer": lambda widths: len(widths) == 2,
        "the costs are more than 32 bits can hold": lambda widths: widths[0] * widths[1] > 2**31,
        "a layer in the middle has a single unit": lambda widths: len(widths) > 2 and 1 in widths[1:-1],
        "all layers have one size": lambda widths: len(widths) > 2 and len(set(widths)) == 1,
    },
    visible=[
        case([784, 1024, 1024, 10]),
        case([64, 64, 10]),
        case([30, 50, 20, 40, 5]),
        case([12, 7, 1, 9]),
        *cost_edges(np.random.default_rng(97)),
    ],
    hidden=hidden_cost,
    accepted=[cost_by_layers, cost_by_arrays, cost_by_products, cost_by_matrices, cost_float32],
    bank=BANK,
    hints=(
        "Count products of matrices, each of them inputs times outputs. Do the first layer apart from the others.",
        "Backpropagation in a later layer: forward, gradient of W, gradient of the input. A jvp: h W, t W, h V. With "
        "rank one: h W, t W.",
        "In the first layer nothing flows to or from the input, so each of the three methods saves one product there: "
        "2, 2 and 1.",
    ),
)
