"""10.8 How much can peeking buy?."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from coursepkg.autodiff.tensor import Tensor
from coursepkg.grading.specification.domain import Number
from coursepkg.grading.specification.exercise import Exercise, case, wrong


def best_of_looks(accuracy, examples, looks):
    chances = [math.comb(examples, k) * accuracy**k * (1 - accuracy) ** (examples - k) for k in range(examples)]
    return float(np.mean(1 - np.cumsum(chances) ** looks))


def looks_by_chances(accuracy, examples, looks):
    """The chance that the best of all looks has exactly k right, times k."""
    n = examples
    one = [math.comb(n, k) * accuracy**k * (1 - accuracy) ** (n - k) for k in range(n + 1)]
    below, total = 0.0, 0.0
    for k, chance in enumerate(one):
        total += k * ((below + chance) ** looks - below**looks)
        below += chance
    return total / n


def looks_convolved(accuracy, examples, looks):
    """The binomial distribution as a repeated convolution of one coin."""
    p = np.ones(1)
    for _ in range(examples):
        p = np.convolve(p, [1 - accuracy, accuracy])
    best = np.diff(np.concatenate([[0.0], np.cumsum(p) ** looks]))
    return best @ np.arange(examples + 1) / examples


def looks_log_gamma(accuracy, examples, looks):
    n = examples
    log = [
        math.lgamma(n + 1)
        - math.lgamma(k + 1)
        - math.lgamma(n - k + 1)
        + k * math.log(accuracy)
        + (n - k) * math.log1p(-accuracy)
        for k in range(n)
    ]
    return 1 - np.sum(np.cumsum(np.exp(log)) ** looks) / n


def looks_recursive(accuracy, examples, looks):
    """P(at most k of n right), by asking about the last example."""
    row = np.ones(examples + 1)
    for _ in range(examples):
        row = (1 - accuracy) * row + accuracy * np.concatenate([[0.0], row[:-1]])
    return sum(1 - row[k] ** looks for k in range(examples)) / examples


def looks_one_by_one(accuracy, examples, looks):
    """The distribution of the best so far, look after look."""
    n = examples
    one = np.array([math.comb(n, k) * accuracy**k * (1 - accuracy) ** (n - k) for k in range(n + 1)])
    best, own = one, np.cumsum(one)
    for _ in range(looks - 1):
        best = best * own + one * (np.cumsum(best) - best)
    return np.float64(best @ np.arange(n + 1) / n)


def looks_float32(accuracy, examples, looks):
    return np.float32(best_of_looks(accuracy, examples, looks))


def looks_exact(accuracy, examples, looks):
    """Chances of one look as exact fractions, whose denominators are all one; from the upper end."""
    right, of = Fraction(accuracy).limit_denominator(10**9).as_integer_ratio()
    n, whole = examples, of**examples
    below, total = whole, 0.0
    for k in range(n, 0, -1):
        below -= math.comb(n, k) * right**k * (of - right) ** (n - k)
        total += 1 - (below / whole) ** looks
    return total / n


def looks_tensor(accuracy, examples, looks):
    return Tensor(best_of_looks(accuracy, examples, looks), requires_grad=True)


def cumulative(accuracy, n):
    return np.cumsum([math.comb(n, k) * accuracy**k * (1 - accuracy) ** (n - k) for k in range(n + 1)])


def spread(accuracy, n):
    return math.sqrt(accuracy * (1 - accuracy) / n)


def looks_off_by_one(accuracy, examples, looks):
    return float(np.sum(1 - cumulative(accuracy, examples)[1:] ** looks) / examples)


def looks_worst(accuracy, examples, looks):
    return float(np.mean((1 - cumulative(accuracy, examples)[:-1]) ** looks))


def looks_median(accuracy, examples, looks):
    return float(np.argmax(cumulative(accuracy, examples) ** looks >= 0.5) / examples)


def looks_as_if_never_equal(accuracy, examples, looks):
    """The rule for the largest of numbers that never tie: looks * p * F ** (looks - 1)."""
    n = examples
    p = np.diff(cumulative(accuracy, n), prepend=0.0)
    return float(np.arange(n + 1) @ (looks * p * cumulative(accuracy, n) ** (looks - 1)) / n)


def looks_without_coefficients(accuracy, examples, looks):
    k = np.arange(examples)
    return float(np.mean(1 - np.cumsum(accuracy**k * (1 - accuracy) ** (examples - k)) ** looks))


def looks_likeliest(accuracy, examples, looks):
    return float(np.argmax(np.diff(cumulative(accuracy, examples) ** looks, prepend=0.0)) / examples)


def looks_quantile(accuracy, examples, looks):
    """As if one look had been lucky once in looks + 1."""
    return float(np.argmax(cumulative(accuracy, examples) >= looks / (looks + 1)) / examples)


def looks_underflow(accuracy, examples, looks):
    """Each chance from the one before it, which starts at a chance that may be no float any more."""
    chance, below, total = (1 - accuracy) ** examples, 0.0, 0.0
    for k in range(examples):
        below += chance
        total += 1 - below**looks
        chance *= (examples - k) / (k + 1) * accuracy / (1 - accuracy)
    return total / examples


def looks_normal(accuracy, examples, looks):
    """Scores as normal numbers, counts as a continuum that ends at 0 and 1."""
    x = np.linspace(0.0, 1.0, 401)
    below = np.array([0.5 + 0.5 * math.erf((at - accuracy) / spread(accuracy, examples) / math.sqrt(2)) for at in x])
    best = below**looks
    return float(1 - np.mean((best[1:] + best[:-1]) / 2))


def looks_edges(rng):
    """One look; one example; one of each; chance; a model that is nearly always right, or wrong; many examples."""
    between = round(float(rng.uniform(0.3, 0.9)), 3)
    return [
        case(between, int(rng.integers(20, 40)), 1),
        case(between, 1, int(rng.integers(3, 8))),
        case(round(1 - between / 2, 3), 1, 1),
        case(round(float(rng.uniform(0.9962, 0.9968)), 4), int(rng.integers(140, 170)), 3),
        case(round(float(rng.uniform(2e-4, 8e-4)), 5), int(rng.integers(40, 70)), 5),
        case(round(float(rng.uniform(0.6, 0.8)), 3), 1000, 4),
        case(between, int(rng.integers(20, 40)), int(rng.integers(6000, 9000))),
        case(0.5, 9, 10),  # the likeliest best score is no quantile of one look
        case(0.02, 19, 2),  # the likeliest best score is not the median one
        case(round(float(rng.uniform(0.985, 0.993)), 3), int(rng.integers(195, 220)), int(rng.integers(2, 5))),
    ]


def hidden_looks(rng):
    drawn = [
        case(round(float(rng.uniform(low, low + 0.1)), 3), int(rng.integers(20, 60)), looks)
        for low, looks in ((0.82, 10), (0.3, 25), (0.72, 60))
    ]
    rare = [
        case(round(float(rng.uniform(low, high)), 4), examples, looks)
        for low, high, examples, looks in (
            (0.08, 0.12, 400, 10),  # the chance that all are right is no float
            (0.3, 0.36, 700, 10),
            (0.03, 0.07, 100, 10),
            (0.12, 0.2, 150, 2),
            (0.0051, 0.0099, 300, 4),
        )
    ]
    tiny = [
        case(round(float(rng.uniform(2, 3)), 1) * size, int(rng.integers(20, 60)), 3) for size in (1e-5, 1e-6, 1e-8)
    ]
    return [*drawn, *looks_edges(rng), *rare, *tiny]


BANK = [
    wrong("no-effect", lambda accuracy, examples, looks: accuracy, "notebook 10, section 6: the best of many",
          "The best of many looks is as good as one look.",
          "Nothing was trained on the test set, but something was chosen by it. Luck was chosen."),
    wrong("right-in-any-look", lambda accuracy, examples, looks: 1 - (1 - accuracy) ** looks,
          "the task: the best snapshot",
          "You give the chance that an example is right in at least one look.",
          "One snapshot is chosen as a whole; one cannot pick another snapshot for each example."),
    wrong("off-by-one", looks_off_by_one, "hint 2",
          "A little too low: 'at most k right' is taken where 'fewer than k right' is meant.",
          "The best has at least k right unless every look has fewer than k, so k itself must not be in it."),
    wrong("worst-of-looks", looks_worst, "hint 1",
          "You give the expected score of the worst look.",
          "All looks have at least k right: that is the worst one. For the best, one look is enough."),
    wrong("largest-normal", lambda accuracy, examples, looks: (
              accuracy + spread(accuracy, examples) * math.sqrt(2 * math.log(looks))
          ), "the task: examples are counted",
          "The rule for the largest of many normal numbers is used.",
          "It is a rule of thumb for very many looks, and knows no upper end: accuracy cannot pass one."),
    wrong("one-standard-deviation", lambda accuracy, examples, looks: accuracy + spread(accuracy, examples),
          "notebook 10, section 6: the best of many",
          "One standard deviation is added, however many looks there were.",
          "That is how far a typical look is off. The best of many is further off than a typical one."),
    wrong("more-looks-more-data", lambda accuracy, examples, looks: accuracy + spread(accuracy, examples * looks),
          "notebook 10, section 6: the best of many",
          "The looks are treated as if they made the test set larger.",
          "A larger test set makes the mean more certain. Here one takes the maximum, not the mean."),
    wrong("median-of-the-best", looks_median, "the task: expected",
          "You give the median of the best score; asked for is its mean.",
          "The median is a whole number of examples; the mean lies between."),
    wrong("likeliest-best", looks_likeliest, "the task: on average",
          "You give the best score that is the likeliest; asked for is its mean.",
          "The likeliest score is a whole number of examples; the mean lies between."),
    wrong("quantile-of-one-look", looks_quantile, "the task: on average",
          "You give a score that one look passes once in looks + 1; asked for is the mean of the best.",
          "That score is a whole number of examples; the mean lies between."),
    wrong("chances-that-vanish", looks_underflow, "the task: how many examples there may be",
          "With many examples and a high accuracy your answer is 1.",
          "The chance that all answers are wrong is then smaller than any float, and what is made from it stays 0."),
    wrong("divided-by-one-more",
          lambda accuracy, examples, looks: best_of_looks(accuracy, examples, looks) * examples / (examples + 1),
          "hint 3",
          "You have divided by one more than there are examples.",
          "There are n + 1 possible counts, but a score is a count divided by n."),
    wrong("count-for-the-accuracy",
          lambda accuracy, examples, looks: best_of_looks(accuracy, examples, looks) * examples,
          "the task: expected accuracy",
          "You give how many examples the best snapshot has right.",
          "A score is a share of the test set; it cannot pass one."),
    wrong("equal-scores-counted-twice", looks_as_if_never_equal, "hint 2",
          "Where two snapshots score the same, both are counted as the best.",
          "A rule for the largest of several numbers that never tie has been used, but counts do tie."),
    wrong("orders-not-counted", looks_without_coefficients, "the task: each example being right",
          "The chance of k right ones is too small: only one way to have k right is counted.",
          "Any k of the examples may be the right ones, and there are many ways to choose them."),
    wrong("scores-as-normal-numbers", looks_normal, "the task: examples are counted",
          "The scores are treated as normal numbers, which is close and not exact.",
          "A score on n examples is one of n + 1 values; between them there is nothing."),
    wrong("one-look-too-many",
          lambda accuracy, examples, looks: best_of_looks(accuracy, examples, looks + 1), "hint 2",
          "One look more has been taken than there are.",
          "With a single look the best is that look, and its score is the accuracy on average."),
    wrong("one-look-too-few",
          lambda accuracy, examples, looks: best_of_looks(accuracy, examples, max(looks - 1, 1)), "hint 2",
          "One look fewer has been taken than there are.",
          "The first look counts as one of them."),
    wrong("gain-only",
          lambda accuracy, examples, looks: best_of_looks(accuracy, examples, looks) - accuracy,
          "the task: what do you report",
          "You give what peeking adds.",
          "Asked for is the score that is reported in the end."),
    wrong("normal-for-binomial", lambda accuracy, examples, looks: 1 - np.mean([
              (0.5 * math.erfc(-(k + 0.5 - examples * accuracy) / math.sqrt(2 * examples * accuracy * (1 - accuracy))))
              ** looks for k in range(examples)
          ]), "the task: independent examples",
          "Nearly right where there are many examples, and off in the tails.",
          "A bell curve was put in place of the number of right answers. The best of many looks lives in its tail."),
]  # fmt: skip

EXERCISE = Exercise(
    id="10.8",
    title="How much can peeking buy?",
    function="best_of_looks",
    minutes=20,
    difficulty=3,
    points=3,
    see="notebook 10, section 6",
    reference=best_of_looks,
    domain={
        "accuracy": Number(more_than=0, less_than=1),
        "examples": Number(whole=True, at_least=1, at_most=1000),
        "looks": Number(whole=True, at_least=1),
    },
    meets={
        "one look at one example": lambda examples, looks: examples == looks == 1,
        "there are more looks than examples": lambda examples, looks: looks > examples > 1,
        "nearly all examples are right": lambda accuracy, examples: accuracy > 0.996 and examples > 100,
        "nearly all are wrong": lambda accuracy: accuracy < 0.001,
        "there are a thousand examples": lambda examples: examples == 1000,
        "there are thousands of looks": lambda looks: looks >= 6000,
        "accuracy is below a half": lambda accuracy: accuracy < 0.5,
        "all wrong is less likely than any float": lambda accuracy, examples: (1 - accuracy) ** examples == 0,
        "a factorial is no float": lambda examples: examples > 170,
        "accuracy is a half": lambda accuracy: accuracy == 0.5,
    },
    visible=[
        *(case(0.93, 30, 10), case(1 / 3, 30, 100), case(0.8, 36, 20)),
        *looks_edges(np.random.default_rng(108)),
    ],
    hidden=hidden_looks,
    accepted=[
        looks_by_chances,
        looks_convolved,
        looks_log_gamma,
        looks_recursive,
        looks_one_by_one,
        looks_float32,
        looks_exact,
        looks_tensor,
    ],
    bank=BANK,
    hints=(
        "Ask the other way round: when is the best of all looks below k right ones?",
        "Only if every single look is below k. One look is below k with some probability F; all are with F to the "
        "power of looks, as they are independent.",
        "The expected number right is the sum over k = 1 ... n of P(best >= k), so the answer is the mean over "
        "k = 0 ... n - 1 of 1 - P(one look has at most k right) ** looks.",
    ),
)
