"""08.8 Is smaller faster?."""

from __future__ import annotations

import numpy as np

from coursepkg.grading.specification.domain import Number
from coursepkg.grading.specification.exercise import Exercise, case, wrong


def sketch_cost(B, N, M, rate):
    b = rate * B
    exact = B * N * M
    return {
        "gaussian": (b * B * (N + M) + b * N * M) / exact,
        "fold": b * N * M / exact,
        "break_even_rate": 1 / (1 + B * (N + M) / (N * M)),
    }


def cost_formula(B, N, M, rate):
    factor = 1 + B / M + B / N
    return {"gaussian": rate * factor, "fold": rate, "break_even_rate": 1 / factor}


def cost_counted(B, N, M, rate):
    products = {"S^T X": (rate * B, B, N), "S^T Y": (rate * B, B, M), "both": (M, rate * B, N)}
    count = {name: a * b * c for name, (a, b, c) in products.items()}
    gaussian = sum(count.values()) / (B * N * M)
    return {"gaussian": gaussian, "fold": count["both"] / (B * N * M), "break_even_rate": rate / gaussian}


def cost_bisected(B, N, M, rate):
    low, high = 0.0, 1.0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if cost_formula(B, N, M, middle)["gaussian"] < 1 else (low, middle)
    return cost_formula(B, N, M, rate) | {"break_even_rate": high}


def cost_arrays(B, N, M, rate):
    dense = np.array([B * N, B * M, N * M], float) * rate * B
    return {
        "gaussian": np.float64(dense.sum() / (B * N * M)),
        "fold": np.array(dense[2] / (B * N * M)),
        "break_even_rate": np.array(N * M / (N * M + B * N + B * M)),
    }


def cost_fractions(B, N, M, rate):
    from fractions import Fraction

    factor = Fraction(N * M + B * (N + M), N * M)
    return {"gaussian": float(Fraction(rate) * factor), "fold": rate, "break_even_rate": float(1 / factor)}


def cost_with(factor, fold=None):
    def answer(B, N, M, rate):
        k = factor(B, N, M)
        return {"gaussian": rate * k, "fold": fold(B, N, M, rate) if fold else rate, "break_even_rate": 1 / k}

    return answer


def cost_edges(rng):
    """One of each size; all rows kept; no whole number of rows; less than one row; few; very many."""
    p, q, r, s = (int(size) for size in rng.integers(30, 200, 4))
    return [
        case(1, p, q, 0.37),
        case(r, 1, s, 0.6),
        case(s, q, 1, 0.253),
        case(q, 2 * r, p, 1.0),
        case(p, r, r, round(0.4 / p, 5)),
        case(3, 700 + p, 900 + q, 0.5),
        case(100_003 + p, 70_001 + q, 50_021 + r, 0.31),
    ]


def hidden_costs(rng):
    usual = [(*map(int, rng.integers(60, 900, 3)), round(float(rng.uniform(0.1, 0.8)), 3)) for _ in range(4)]
    return [*(case(*item) for item in usual), *cost_edges(rng)]


BANK = [
    wrong("smaller-is-always-faster", cost_with(lambda B, N, M: 1.0), "notebook 08, section 8: on top of the product",
          "The dense sketch costs its share of the exact product, and breaks even at 1.",
          "The two summaries have to be made first, each by a matrix product of its own."),
    wrong("one-summary", cost_with(lambda B, N, M: 1 + B / M), "notebook 08, section 4: forward and backward",
          "Only the summary of X was counted.",
          "Backward has to make that of Y as well."),
    wrong("product-forgotten", cost_with(lambda B, N, M: B * (N + M) / (N * M)), "notebook 08, section 8",
          "The summaries were counted and their product was not.",
          "When both summaries are there, the gradient is still to be multiplied out."),
    wrong("sketch-squared", lambda B, N, M, rate: (
              cost_formula(B, N, M, rate) | {"gaussian": rate * rate * (B / M + B / N) + rate}
          ), "notebook 08, section 3: the shape of S",
          "The summaries are counted with b in place of B, once too often.",
          "S has B rows: every kept row is a mixture of all of them."),
    wrong("fold-like-a-dense-sketch",
          cost_with(lambda B, N, M: 1 + B / M + B / N, fold=lambda B, N, M, rate: rate * (1 + B / M + B / N)),
          "notebook 08, section 4: one pass over X",
          "The fold is as expensive as the dense sketch.",
          "It multiplies nothing: rows get a sign and are added up."),
    wrong("features-multiplied", cost_with(lambda B, N, M: 1 + B / (N + M)),
          "notebook 08, section 8: on top of the product",
          "The sizes of the two summaries were combined in the wrong place.",
          "Each summary costs b times B times its own number of columns."),
    wrong("rows-rounded", lambda B, N, M, rate: (
              cost_formula(B, N, M, int(rate * B) / B)
          ), "notebook 08, section 8, and the task: not rounded",
          "Where the share makes no whole number of rows, your costs are too small.",
          "A count in proportion is asked for, so b need not be whole."),
    wrong("fold-for-nothing", cost_with(lambda B, N, M: 1 + B / M + B / N, fold=lambda B, N, M, rate: 0.0),
          "notebook 08, section 4, 'A sketch that costs next to nothing: the fold'",
          "The fold costs nothing at all in your count.",
          "To fold costs nothing. The product of the two summaries is still to be made."),
    wrong("rate-in-place-of-break-even", lambda B, N, M, rate: (
              cost_formula(B, N, M, rate) | {"break_even_rate": rate * (1 + B / M + B / N)}
          ), "notebook 08, section 8, and the task: at what rate",
          "For the break-even rate stands what the dense sketch costs.",
          "Let the rate be unknown: for which one is the cost that of the exact product?"),
    wrong("factor-in-place-of-break-even", lambda B, N, M, rate: (
              cost_formula(B, N, M, rate) | {"break_even_rate": 1 + B / M + B / N}
          ), "notebook 08, section 8: on top of the product",
          "The break-even rate is larger than one.",
          "A rate is a share of the rows. The dearer the sketch, the fewer rows it may keep."),
    wrong("break-even-of-the-fold", lambda B, N, M, rate: cost_formula(B, N, M, rate) | {"break_even_rate": 1.0},
          "notebook 08, section 8, and the task: the dense sketch",
          "The costs are right; the break-even rate is 1, which is that of the fold.",
          "Asked for is the rate at which the dense sketch costs as much as the exact product."),
    wrong("not-divided", lambda B, N, M, rate: {
              name: value * (1 if name == "break_even_rate" else B * N * M)
              for name, value in cost_formula(B, N, M, rate).items()
          }, "notebook 08, section 8, and the task: in units of those of the exact weight gradient",
          "The costs are numbers of multiplications, and not ratios.",
          "Say how many times the exact product they cost."),
]  # fmt: skip

EXERCISE = Exercise(
    id="08.8",
    title="Is smaller faster?",
    function="sketch_cost",
    minutes=10,
    difficulty=2,
    points=2,
    see="notebook 08, section 8",
    reference=sketch_cost,
    domain={
        "B": Number(whole=True, at_least=1),
        "N": Number(whole=True, at_least=1),
        "M": Number(whole=True, at_least=1),
        "rate": Number(more_than=0, at_most=1),
    },
    meets={
        "the share makes no whole number of rows": lambda B, rate: B > 1 and rate * B > 1 and (rate * B) % 1 > 0.01,
        "the counts are more than 32 bits can hold": lambda B, N, M: B * (N + M) > 2**32,
        "a batch is small beside its layer": lambda B, N, M: 0.003 < B * (N + M) / (N * M) < 0.01,
        "the share makes less than one row": lambda B, rate: rate * B < 1 < B,
    },
    visible=[
        case(2048, 768, 768, 0.5),
        case(500, 100, 800, 0.25),
        case(128, 512, 256, 0.1),
        *cost_edges(np.random.default_rng(88)),
    ],
    hidden=hidden_costs,
    accepted=[cost_formula, cost_counted, cost_bisected, cost_arrays, cost_fractions],
    bank=BANK,
    hints=(
        "A product of an (a x b) and a (b x c) matrix takes a b c multiplications. The exact gradient is (M x B) times "
        "(B x N).",
        "With a dense S there are three products: S^T X, S^T Y, and one of the two summaries.",
        "gaussian = rate * (1 + B * (N + M) / (N * M)); at break-even this is 1. A fold costs only the last product.",
    ),
    equivalent_mutants={
        "exchanges N and M": "inputs and outputs stand alike in all three costs",
    },
)
