"""07.9 What forgetting costs."""

from __future__ import annotations

import math

import numpy as np

from coursepkg.grading.specification.domain import Number
from coursepkg.grading.specification.exercise import Exercise, case, wrong


def copy_baseline(symbols, length, blanks):
    return length * math.log(symbols) / (blanks + 2 * length)


def copy_per_step(symbols, length, blanks):
    losses = [0.0] * (blanks + length) + [math.log(symbols)] * length
    return sum(losses) / len(losses)


def copy_numpy(symbols, length, blanks):
    p = np.ones(blanks + 2 * length)
    p[-length:] = 1.0 / symbols
    return -np.mean(np.log(p))


def copy_entropy(symbols, length, blanks):
    p = np.full(symbols, 1 / symbols)
    return -(p * np.log(p)).sum() * length / (length + blanks + length)


def copy_bits(symbols, length, blanks):
    return math.log2(symbols) * math.log(2) * length / (2 * length + blanks)


def copy_product(symbols, length, blanks):
    """The logarithm of the number of possible answers, shared among the steps."""
    return math.log(int(symbols) ** int(length)) / (blanks + 2 * length)


def copy_float32(symbols, length, blanks):
    return np.float32(copy_baseline(symbols, length, blanks))


def copy_edges(rng):
    """Two kinds; one symbol; one blank; as many blanks as symbols; more sequences than integers or floats can count."""
    symbols, length, blanks = (int(n) for n in rng.integers([3, 3, 4], [20, 12, 60]))
    return [
        case(2, length, blanks),
        case(symbols, 1, blanks + 1),
        case(symbols + 1, length + 1, 1),
        case(symbols + 2, length + 2, length + 2),
        case(8, 28 + length, blanks + 2),
        case(symbols + 6, 398 + length, blanks + 3),
        case(symbols + 300, length + 3, 5000 + blanks),
    ]


def copies_alike(rng):
    """Numbers that are equal, two at a time and all three; the least of each."""
    n, m = (int(k) for k in rng.permutation(np.arange(3, 30))[:2])
    return [case(n, n, m), case(n, m, n), case(m, n, n), case(n, n, n), case(2, 1, 1), case(2, 2, 2), case(3, 1, 2)]


def hidden_copy(rng):
    drawn = [case(int(rng.integers(3, 20)), int(rng.integers(2, 15)), int(rng.integers(4, 300))) for _ in range(5)]
    return [*drawn, *copy_edges(rng)]


BANK = [
    wrong("not-shared-among-steps", lambda symbols, length, blanks: math.log(symbols),
          "the task: the mean over all steps",
          "The loss is that of a single guess.",
          "Most steps ask only for a blank, which costs nothing; the mean is over all steps."),
    wrong("sum-over-steps", lambda symbols, length, blanks: length * math.log(symbols),
          "the task: the mean over all steps",
          "The losses are added up, not averaged.",
          "Asked for is the mean per step."),
    wrong("length-counted-once", lambda symbols, length, blanks: length * math.log(symbols) / (blanks + length),
          "the task: the layout of a sequence",
          "The symbols are counted once in the length of the sequence.",
          "They are shown at the start and asked for at the end."),
    wrong("blanks-only", lambda symbols, length, blanks: length * math.log(symbols) / blanks,
          "the task: the layout of a sequence",
          "The mean is taken over the blanks alone.",
          "The symbols and the answers are steps, too."),
    wrong("bits", lambda symbols, length, blanks: length * math.log2(symbols) / (blanks + 2 * length),
          "chapter 06, cross-entropy",
          "The loss is in bits; cross-entropy here uses the natural logarithm.",
          "A logarithm to base 2 is 1.44 times as large."),
    wrong("blank-among-the-guesses",
          lambda symbols, length, blanks: length * math.log(symbols + 1) / (blanks + 2 * length),
          "notebook 07, section 7, and the task: it knows when to answer",
          "The guess at the end also considers the blank.",
          "A model without memory still knows that the signal has come and that no blank is asked for."),
    wrong("guesses-everywhere", lambda symbols, length, blanks: (
              (blanks + 2 * length) * math.log(symbols + 1) / (blanks + 2 * length)
          ), "notebook 07, section 7, and the task: it is certain of the blanks",
          "The model guesses among all symbols at every step.",
          "A blank can be predicted without memory."),
    wrong("chance-instead-of-cost", lambda symbols, length, blanks: length * (1 - 1 / symbols) / (blanks + 2 * length),
          "chapter 06, cross-entropy",
          "You gave the expected share of errors, not the cross-entropy.",
          "Cross-entropy is the logarithm of the probability that the right symbol got."),
    wrong("shown-symbols-guessed-too", lambda symbols, length, blanks: (
              2 * length * math.log(symbols) / (blanks + 2 * length)
          ), "notebook 07, section 7, and the task: at all other steps the right answer is a blank",
          "The symbols are guessed where they are shown as well.",
          "While symbols are shown, the answer that is asked for is a blank, and that is certain."),
    wrong("one-answer-only", lambda symbols, length, blanks: math.log(symbols) / (blanks + 2 * length),
          "the task: the layout of a sequence",
          "You counted the cost of one answer.",
          "As many symbols are asked for as were shown."),
    wrong("signal-counted-as-a-step",
          lambda symbols, length, blanks: length * math.log(symbols) / (blanks + 2 * length + 1),
          "the task: the layout of a sequence",
          "You counted one step more than a sequence has.",
          "Shown, blank, asked for: the task names all the steps."),
    wrong("one-kind-left-out", lambda symbols, length, blanks: length * math.log(symbols - 1) / (blanks + 2 * length),
          "notebook 07, section 7, and the task: it guesses evenly among the symbols",
          "The guess at the end leaves one of the symbols out.",
          "Each of the `symbols` kinds may be the right one."),
    wrong("rounded-down", lambda symbols, length, blanks: length * math.log(symbols) // (blanks + 2 * length),
          "the task: the mean over all steps",
          "Your losses are rounded down to whole numbers.",
          "// drops what stands behind the point, and / keeps it."),
    wrong("logarithm-to-base-10", lambda symbols, length, blanks: length * math.log10(symbols) / (blanks + 2 * length),
          "chapter 06, cross-entropy",
          "The logarithm has the base 10; cross-entropy here uses the natural one.",
          "In Python and NumPy `log` is the natural logarithm."),
]  # fmt: skip

EXERCISE = Exercise(
    id="07.9",
    title="What forgetting costs",
    function="copy_baseline",
    minutes=10,
    difficulty=2,
    points=2,
    see="notebook 07, section 7: a baseline that remembers nothing",
    reference=copy_baseline,
    domain={
        "symbols": Number(whole=True, at_least=2),
        "length": Number(whole=True, at_least=1),
        "blanks": Number(whole=True, at_least=1),
    },
    meets={
        "thousands of blanks, hundreds of symbols": lambda symbols, blanks: symbols > 300 and blanks > 5000,
        "the number of sequences is 0 in 64 bits": lambda symbols, length: symbols == 8 and 22 <= length < 100,
        "the number of sequences is no float": lambda symbols, length: length * math.log10(symbols) > 308,
        "there are as many blanks as symbols to say": lambda length, blanks: length == blanks > 1,
    },
    visible=[
        *(case(8, 10, 20), case(8, 10, 100), case(3, 4, 7), case(12, 6, 3)),
        *copy_edges(np.random.default_rng(79)),
    ],
    hidden=lambda rng: [*hidden_copy(rng), *copies_alike(rng)],
    rtol=1e-9,
    accepted=[copy_per_step, copy_numpy, copy_entropy, copy_bits, copy_product, copy_float32],
    bank=BANK,
    hints=(
        "Which steps cost nothing for a model that is certain of the blanks? What does each of the others cost?",
        "At an answer it spreads its probability evenly over the symbols: the right one gets 1 / symbols.",
        "length answers cost log(symbols) each; divide by the number of all steps, symbols and answers included.",
    ),
)
