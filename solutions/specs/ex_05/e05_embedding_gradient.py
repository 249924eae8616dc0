"""05.5 Backward through an index."""

from __future__ import annotations

import numpy as np

from coursepkg import gradients
from coursepkg.grading.specification.domain import Array, Number
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import FIXED, array, scales, settled


def embedding_gradient(g, words, n_words):
    table = np.zeros((n_words, g.shape[-1]))
    np.add.at(table, words, g)
    return table


def embedding_by_loops(g, words, n_words):
    table = [[0.0] * g.shape[-1] for _ in range(n_words)]
    for place in np.ndindex(words.shape):
        for column, share in enumerate(g[place]):
            table[words[place]][column] += share
    return table


def embedding_by_one_hot(g, words, n_words):
    picked = np.eye(n_words)[words.reshape(-1)]
    return picked.T @ g.reshape(-1, g.shape[-1])


def embedding_by_mask(g, words, n_words):
    return np.array([g[words == word].sum(axis=0) for word in range(n_words)])


def embedding_by_bincount(g, words, n_words):
    flat = g.reshape(-1, g.shape[-1])
    return np.stack([np.bincount(words.ravel(), weights=column, minlength=n_words) for column in flat.T], axis=1)


def embedding_in_float32(g, words, n_words):
    return embedding_by_one_hot(np.float32(g), words, n_words).astype(np.float32)


def embedding_by_sorting(g, words, n_words):
    """Words in order, and a sum over each run of equal ones."""
    flat, table = g.reshape(-1, g.shape[-1]), np.zeros((n_words, g.shape[-1]))
    order = np.argsort(words, axis=None)
    start = 0
    for word in np.unique(words):
        count = np.count_nonzero(words == word)
        table[word] = flat[order[start : start + count]].sum(axis=0)
        start += count
    return table


def embedding_by_package(g, words, n_words):
    return gradients.vjp(lambda table: table[words], np.zeros((n_words, g.shape[-1])))[1](g)


def embedding_cases(rng):
    out = [case(array(rng, 3, 2), np.array([0, 2, 2]), 4)]
    for shape, n_words, d in (((5,), 4, 3), ((2, 4), 5, 2), ((3, 2), 3, 4)):
        words = rng.integers(n_words, size=shape)
        words.flat[-1] = words.flat[0]
        words.flat[1] = n_words - 1
        out.append(case(array(rng, *shape, d), words, n_words))
    far_apart = array(rng, 6, 2) * scales(6)[:, None], np.arange(6) % 3, 3
    within = np.array([[1, 3, 1], [3, 2, 2]])[:, rng.permutation(3)]  # word 4 does not occur, nor does word 0
    once = rng.permutation(4)
    return [
        *out,
        case(array(rng, 2, 3, 4), within, 5),
        case(array(rng, 2, 1, 2, 3), np.array([[[0, 0]], [[2, 1]]]), 3),
        case(array(rng, 2, 3, 2, 2), rng.permutation(np.arange(12) % 5).reshape(2, 3, 2), 5),
        case(array(rng, 4, 1), once, 4),
        case(array(rng, 1, 3), np.array([2]), 4),
        case(np.tile(array(rng, 2), (3, 1)), np.zeros(3, dtype=int), 1),
        case(*far_apart),
        case(array(rng, 2, 1, 2, 3, 2), rng.permutation(np.arange(12) % 3).reshape(2, 1, 2, 3), 4),
        case(array(rng, 130, 1), rng.permutation([299, 3, 43] * 43 + [258]), 300),
    ]


def small_and_alike(rng):
    """Shapes with axes of one length, or of length 1; all words, one word, and gradients that repeat or cancel."""
    shapes = ((1,), (2,), (3,), (1, 1), (1, 2), (2, 1), (2, 2), (3, 3), (2, 2, 2), (2, 1, 2), (2, 2, 2, 2))
    out = []
    for shape in shapes:
        for n_words, d in ((1, 1), (2, 2), (3, 1), (2, 3)):
            out.append(case(array(rng, *shape, d), rng.integers(n_words, size=shape), n_words))
    alike = np.tile(array(rng, 1, 1, 2), (3, 2, 1))
    undone = array(rng, 3, 2)[[0, 1, 0, 2]] * np.array([[1.0], [1.0], [-1.0], [1.0]])
    return [
        *out,
        case(alike, rng.permutation([0, 1, 1, 2, 2, 2]).reshape(3, 2), 4),
        case(undone, np.array([1, 0, 1, 1]), 3),
        case(array(rng, 5, 2), np.arange(5), 5),
        case(array(rng, 5, 2), np.array([1, 2, 3, 4, 0]), 5),
    ]


def _repeats(words):
    return any(len({*row}) < len(row) for row in words.reshape(-1, words.shape[-1]).tolist())


def embedding_assigned(g, words, n_words):
    kept = np.zeros((n_words, g.shape[-1]))
    kept[words] = g
    return kept


def embedding_first(g, words, n_words):
    table = np.zeros((n_words, g.shape[-1]))
    flat = g.reshape(-1, g.shape[-1])
    for word, share in reversed(list(zip(words.ravel(), flat, strict=True))):
        table[word] = share
    return table


def embedding_averaged(g, words, n_words):
    counts = np.bincount(words.ravel(), minlength=n_words)
    return embedding_gradient(g, words, n_words) / np.maximum(counts, 1)[:, None]


def embedding_shifted(g, words, n_words):
    return np.roll(embedding_gradient(g, words, n_words), -1, axis=0)


def embedding_times_count(g, words, n_words):
    counts = np.bincount(words.ravel(), minlength=n_words)
    return embedding_assigned(g, words, n_words) * counts[:, None]


def embedding_by_sentences(g, words, n_words):
    table = np.zeros((n_words, g.shape[-1]))
    for word, share in zip(words, g, strict=True):
        table[word] += share
    return table


def embedding_of_a_set(g, words, n_words):
    """Pairs of word and gradient are put into a set."""
    table = np.zeros((n_words, g.shape[-1]))
    pairs = {
        (word, tuple(share))
        for word, share in zip(words.ravel().tolist(), g.reshape(-1, g.shape[-1]).tolist(), strict=True)
    }
    for word, share in pairs:
        table[word] += share
    return table


def embedding_in_bytes(g, words, n_words):
    return embedding_gradient(g, words.astype(np.uint8), n_words)


def embedding_up_to_three_axes(g, words, n_words):
    return embedding_gradient(g[0], words[0], n_words) if words.ndim > 3 else embedding_gradient(g, words, n_words)


def embedding_cut_short(g, words, n_words):
    return embedding_gradient(g, words, words.max() + 1)


def embedding_by_neighbours(g, words, n_words):
    table = np.zeros((n_words, g.shape[-1]))
    table[np.unique(words)] = embedding_gradient(g, words, n_words)[: len(np.unique(words))]
    return table


BANK = [
    wrong("last-repetition-wins", embedding_assigned,
          "notebook 05, section 6: three ways to put gradients into a table",
          "A word that occurs several times keeps only the gradient of its last occurrence.",
          "`table[words] = g` overwrites, and so does `table[words] += g`: NumPy adds once and then assigns."),
    wrong("first-repetition-wins", embedding_first, "notebook 05, section 6: row 2 fans out twice",
          "A word that occurs several times keeps only the gradient of its first occurrence.",
          "Its row was used at each of these places, and every use reports."),
    wrong("averages-repetitions", embedding_averaged, "notebook 05, section 6: row 2 fans out twice",
          "A word that occurs several times gets the mean of its gradients.",
          "Moving its row moves all occurrences at once, so the effects add up."),
    wrong("last-times-count", embedding_times_count, "notebook 05, section 6: three ways to put gradients into a table",
          "A word that occurs several times gets the gradient of its last occurrence, times the count.",
          "The occurrences pick the same row, but different gradients arrive at them."),
    wrong("counts-uses", lambda g, words, n_words: embedding_gradient(np.ones_like(g), words, n_words),
          "notebook 05, section 6: what is picked gets what arrives at its copy",
          "Your table holds how often each word occurs.",
          "Each occurrence sends back what arrived at it, not a one."),
    wrong("counts-from-one", embedding_shifted, "the docstring of the exercise",
          "Each gradient stands one row too high.",
          "Word 0 picks the first row."),
    wrong("everybody-gets-the-sum",
          lambda g, words, n_words: np.tile(g.reshape(-1, g.shape[-1]).sum(axis=0), (n_words, 1)),
          "notebook 05, section 6: what is not picked cannot matter",
          "Every row of your table is the same.",
          "A row hears only from the places where it was picked; a word that does not occur cannot matter."),
    wrong("overwrites-within-a-sentence", embedding_by_sentences,
          "notebook 05, section 6: three ways to put gradients into a table",
          "With one axis of words it is right; with two, a word that repeats within a sentence loses gradients.",
          "A loop over the first axis adds a whole sentence at once, and `table[words] += g` adds once per word."),
    wrong("as-many-rows-as-words-used", embedding_cut_short, "the docstring of the exercise",
          "Your table ends with the last word that occurs.",
          "Words that do not occur have rows as well, and these get zeros."),
    wrong("rows-in-order-of-occurrence", embedding_by_neighbours,
          "notebook 05, section 6: gather forward, scatter-add backward",
          "Where all words occur it is right; where some do not, gradients stand in the wrong rows.",
          "Numbering only the words that occur moves all later ones up."),
    wrong("equal-gradients-count-once", embedding_of_a_set, "notebook 05, section 6: row 2 fans out twice",
          "Where a word gets the same gradient twice, it counts once.",
          "A set, or the keys of a dict, hold equal things once. Every use reports, even if two say the same."),
    wrong("word-numbers-in-a-byte", embedding_in_bytes, "the docstring of the exercise",
          "Right for up to 256 words; of larger numbers the rest of a division by 256 is left.",
          "A small integer type starts again from 0 beyond its largest number, without a warning."),
    wrong("up-to-three-axes", embedding_up_to_three_axes, "the docstring of the exercise",
          "Right for up to three axes of words; where there are more, only the first block counts.",
          "Any number of axes may stand in front. All of them count occurrences."),
    wrong("picks-again", lambda g, words, n_words: embedding_gradient(g, words, n_words)[words],
          "notebook 05, section 6: gather forward, scatter-add backward",
          "You picked once more: your result has one row per occurrence in place of one per word.",
          "Forward picks from the table; backward goes the other way and puts into the table."),
]  # fmt: skip

EXERCISE = Exercise(
    id="05.5",
    title="Backward through an index",
    function="embedding_gradient",
    minutes=8,
    difficulty=1,
    points=2,
    see="notebook 05, section 6, 'Picking, repeating, rearranging'",
    reference=embedding_gradient,
    domain={
        "g": Array("... n d"),
        "words": Array("... n", whole=True, at_least=0),
        "n_words": Number(whole=True, at_least=1),
    },
    meets={
        "the first word occurs": lambda words: (words == 0).any(),
        "the last word occurs": lambda words, n_words: (words == n_words - 1).any(),
        "the first and the last word do not occur": lambda words, n_words: (
            words.min() > 0 and words.max() < n_words - 1
        ),
        "a word occurs three times": lambda words: np.bincount(words.ravel()).max() > 2,
        "equal gradients at one word": lambda g, words: (
            words.ndim == 1 and len(np.unique(np.column_stack([words, g]), axis=0)) < len(words)
        ),
        "four axes": lambda words: words.ndim == 4,
        "more than 256 words": lambda words: words.max() > 256,
        "more than 128 occurrences": lambda words: words.size > 128,
        "numbers are very small and very large": lambda g: abs(g).min() < 1e-8 < 1e8 < abs(g).max(),
        "no word occurs twice": lambda words: words.size > 1 and np.bincount(words.ravel()).max() == 1,
        "a word repeats within a sentence": lambda words: words.ndim > 1 and _repeats(words),
        "a word repeats along the last of three axes": lambda words: words.ndim > 2 and _repeats(words),
        "three axes, none of length 1": lambda words: words.ndim > 2 and min(words.shape) > 1,
        "all occurrences are of one word": lambda words: words.size > 1 and np.ptp(words) == 0,
    },
    visible=embedding_cases(FIXED),
    hidden=lambda rng: [*embedding_cases(rng), *settled(embedding_gradient, small_and_alike(rng))],
    integers=True,
    accepted=[
        embedding_by_loops,
        embedding_by_one_hot,
        embedding_by_mask,
        embedding_by_bincount,
        embedding_in_float32,
        embedding_by_package,
        embedding_by_sorting,
    ],
    rtol=1e-8,
    atol=1e-13,
    bank=BANK,
    hints=(
        "Begin with a table of zeros in the shape of the embedding. Which row does each arriving gradient belong to?",
        "If a word occurs three times, three gradients belong to its row. What do gradients do where a value fans out?",
        "A loop over all occurrences with += on a single row is right. np.add.at(table, words, g) does the same "
        "at once; table[words] += g does not.",
    ),
)
