"""10.7 A denominator, read closely."""

from __future__ import annotations

import math
from collections import deque

import numpy as np

from coursepkg.grading.specification.domain import Array
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import numbers


def doubled_denominator(logits):
    n = len(logits)
    counted = [2 ** (n - 1 - i) for i in range(n)]
    exponentials = [math.exp(z) for z in logits]
    denominator = sum(c * e for c, e in zip(counted, exponentials, strict=True))
    return {"counted": counted, "sum": sum(exponentials) / denominator}


def doubled_by_running_it(logits):
    def total(values):
        running = 0.0
        for value in values:
            running += running + value
        return running

    n = len(logits)
    e = np.exp(logits)
    return {"counted": [int(total(row)) for row in np.eye(n)], "sum": float(e.sum() / total(e))}


def doubled_from_the_end(logits):
    counted, factor = [], 1
    for _ in logits:
        counted.insert(0, factor)
        factor += factor
    e = np.exp(np.array(logits))
    return {"counted": np.array(counted), "sum": e.sum() / (counted @ e)}


def doubled_shifted(logits):
    """With the largest logit taken out first: it cancels."""
    z = np.array(logits) - max(logits)
    counted = 2.0 ** np.arange(len(z))[::-1]
    return {"counted": counted, "sum": np.sum(np.exp(z)) / np.sum(counted * np.exp(z))}


def doubled_horner(logits):
    """The denominator is a polynomial in 2, read from the highest power."""
    e = [math.exp(z) for z in logits]
    counted = [1 << place for place in reversed(range(len(e)))]
    return {"counted": tuple(counted), "sum": math.fsum(e) / float(np.polyval(e, 2))}


def doubled_float32(logits):
    found = doubled_denominator(logits)
    return {"counted": np.float32(found["counted"]), "sum": np.float32(found["sum"])}


def doubled_by_recursion(logits):
    """All but the last are doubled once more, whatever they were before."""

    def counts(size):
        return [*(2 * count for count in counts(size - 1)), 1] if size > 1 else [1]

    counted, e = counts(len(logits)), np.exp(logits)
    return {"counted": deque(counted), "sum": np.sum(e / np.dot(counted, e))}


def counted_as(count):
    """Another count of the exponentials in the denominator, used consistently."""

    def answer(logits):
        e, counted = np.exp(logits), np.array(count(len(logits)), dtype=float)
        return {"counted": counted, "sum": float(e.sum() / (counted @ e))}

    return answer


def doubled_equal_logits(logits):
    n = len(logits)
    return {"counted": [2 ** (n - 1 - i) for i in range(n)], "sum": n / (2**n - 1)}


def doubled_claims_one(logits):
    n = len(logits)
    return {"counted": [2 ** (n - 1 - i) for i in range(n)], "sum": 1.0}


def doubled_upside_down(logits):
    found = doubled_denominator(logits)
    return found | {"sum": 1 / found["sum"]}


def running_totals(e):
    totals = [0.0]
    for value in e:
        totals.append(2 * totals[-1] + value)
    return np.array(totals[1:])


def doubled_with(total):
    """The right counts, and something else for the sum, of the exponentials and their counts."""

    def answer(logits):
        found, e = doubled_denominator(logits), np.exp(logits)
        return found | {"sum": float(total(e, np.array(found["counted"])))}

    return answer


def counts_with(change):
    """The right sum, and other counts."""

    def answer(logits):
        found = doubled_denominator(logits)
        return found | {"counted": change(found["counted"])}

    return answer


def logits_edges(rng):
    """A single logit; equal ones; all zero; many of them; more than a count of 64 bits can hold."""
    tied = numbers(rng, 4)
    tied[int(rng.integers(1, 4))] = 0.0
    tied[0] = max(tied)
    tied.append(tied[0])
    rising = 0.7 * np.arange(int(rng.integers(66, 72))) + rng.uniform(-0.5, 0.5)
    return [
        case(numbers(rng, 1)),
        case(tied),
        case([0.0] * int(rng.integers(2, 5))),
        case(numbers(rng, 9, 0.4, 3.0)),
        case(np.round(rising - 20, 2).tolist()),
        case([50.0, *np.round(rng.uniform(48, 49.9, 2), 2).tolist()]),
        case([*np.round(rng.uniform(-49.9, -48, 2), 2).tolist(), -50.0]),
    ]


def hidden_logits(rng):
    """Beside the others, a hundred logits and a few less; sums of any size down to the smallest there is."""
    spans = (100, (40, 50)), (int(rng.integers(91, 100)), (-50, -40)), (18, (-3, 3)), (40, (-3, 3))
    many = [case(np.round(rng.uniform(*ends, n), 2).tolist()) for n, ends in spans]
    return [*(case(numbers(rng, n)) for n in (2, 3, 4, 5)), *logits_edges(rng), *many, case([50.0] * 100)]


BANK = [
    wrong("counted-once", counted_as(lambda n: [1] * n), "the task: the line in the loop",
          "You read the line as a plain running sum.",
          "`total += a` adds a to what is there. Here a contains total itself."),
    wrong("everything-twice", counted_as(lambda n: [2] * n), "the task: follow total through three rounds",
          "Every exponential is counted twice.",
          "What was added early is doubled at each of the later rounds, what came last not at all."),
    wrong("last-counted-most", counted_as(lambda n: [2**i for i in range(n)]),
          "the task: follow total through three rounds",
          "The counts stand in the opposite order.",
          "Who is in the sum for the longest is doubled most often."),
    wrong("one-round-too-many", counted_as(lambda n: [2 ** (n - i) for i in range(n)]),
          "the task: follow total through three rounds",
          "Every exponential is doubled once too often.",
          "In the round in which it is added it is not doubled yet."),
    wrong("counts-upside-down-alone", counts_with(lambda counted: counted[::-1]),
          "the task: follow total through three rounds",
          "The sum is right, and the counts stand in the opposite order.",
          "Who is in the sum for the longest is doubled most often."),
    wrong("counts-doubled-alone", counts_with(lambda counted: [2 * count for count in counted]),
          "the task: follow total through three rounds",
          "The sum is right, and every count is twice what it should be.",
          "In the round in which it is added an exponential is not doubled yet."),
    wrong("counts-of-64-bits", counts_with(lambda counted: 2 ** np.arange(len(counted))[::-1]),
          "the task: the docstring, however large",
          "With many logits, the first counts are negative or 0.",
          "NumPy's whole numbers have 64 bits; beyond that they wrap around. Python's own have no end."),
    wrong("grows-by-one", counted_as(lambda n: [n - i for i in range(n)]),
          "the task: follow total through three rounds",
          "The counts grow by one from round to round.",
          "Each round adds the whole total to itself, so the counts do not grow by adding."),
    wrong("last-one-doubled-less", counted_as(lambda n: [2] * (n - 1) + [1]),
          "the task: follow total through three rounds",
          "All but the last exponential are counted twice.",
          "The first is doubled in the second round, and again in the third."),
    wrong("sum-must-be-one", doubled_claims_one, "chapter 04, softmax",
          "The sum is given as 1, whatever the logits are.",
          "Softmax sums to one because numerators and denominator hold the same terms. Here they do not."),
    wrong("logits-ignored", doubled_equal_logits, "the task: the sum of the numbers that come out",
          "The sum is that of equal logits.",
          "How much is missing depends on which exponential is counted how often."),
    wrong("sum-upside-down", doubled_upside_down, "the task: the sum of the numbers that come out",
          "The sum is turned upside down.",
          "The denominator is the larger of the two, so what comes out sums to less than one."),
    wrong("mean-for-the-sum", doubled_with(lambda e, counted: np.mean(e / (counted @ e))),
          "the task: the sum of the numbers that come out",
          "In place of the sum you give the mean of what comes out.",
          "Nothing divides by their number: softmax gives shares, and shares add."),
    wrong("denominator-for-the-sum", doubled_with(lambda e, counted: counted @ e),
          "the task: the sum of the numbers that come out",
          "You give the denominator itself.",
          "That is what each exponential is divided by; asked for is what these quotients sum to."),
    wrong("first-as-often-as-the-second", counted_as(lambda n: [2 ** min(n - 1 - i, max(n - 2, 0)) for i in range(n)]),
          "the task: follow total through three rounds",
          "The first exponential is counted as often as the second.",
          "When the second one comes, the first is in total already, and is doubled in that round."),
    wrong("by-size-not-by-place", lambda logits: doubled_denominator(sorted(logits)),
          "the task: the line in the loop",
          "The logits have been put in order before they are added.",
          "The loop takes them as they come, and how often one is counted depends on its place."),
    wrong("divided-while-it-grows", doubled_with(lambda e, counted: np.sum(e / running_totals(e))),
          "the task: the last line",
          "Each exponential is divided by the total as it was after its own round.",
          "The quotients are taken when the loop is over, all with the same total."),
    wrong("last-quotient-only", doubled_with(lambda e, counted: e[-1] / (counted @ e)),
          "the task: the sum of the numbers that come out",
          "You give the last of the numbers that come out.",
          "Asked for is the sum of all of them."),
    wrong("logits-for-exponentials", lambda logits: doubled_denominator(logits) | {
              "sum": float(np.sum(logits) / (2.0 ** np.arange(len(logits))[::-1] @ logits or np.inf))
          }, "the task: the line in the loop",
          "The logits themselves were added up.",
          "What the line adds is math.exp(z)."),
]  # fmt: skip

EXERCISE = Exercise(
    id="10.7",
    title="A denominator, read closely",
    function="doubled_denominator",
    minutes=10,
    difficulty=2,
    points=2,
    see="notebook 04, section 5, 'Softmax'",
    reference=doubled_denominator,
    domain={"logits": Array("n<=100", at_least=-50, at_most=50, all_zero=True, ties=True)},
    meets={
        "there are nine logits": lambda logits: len(logits) == 9,
        "there are more than 64 logits": lambda logits: len(logits) > 64,
    },
    visible=[
        *(case([1.0, 2.0, 3.0]), case([0.7, -0.4]), case([-1.2, 0.5, 0.9, -0.6])),
        *logits_edges(np.random.default_rng(107)),
    ],
    hidden=hidden_logits,
    accepted=[
        doubled_by_running_it,
        doubled_from_the_end,
        doubled_shifted,
        doubled_horner,
        doubled_float32,
        doubled_by_recursion,
    ],
    bank=BANK,
    atol=1e-40,
    hints=(
        "Take three letters a, b, c for the exponentials and write down total after each round.",
        "After the rounds total is a, then 2a + b, then 4a + 2b + c. What comes out sums to (a + b + c) over that.",
        "Of n exponentials, the one with index i is counted 2 ** (n - 1 - i) times.",
    ),
)
