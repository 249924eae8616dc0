"""07.5 Clip by the common norm."""

from __future__ import annotations

import math

import numpy as np

from coursepkg.grading.spec import Exercise, case, wrong

from .shared import array


def clip_by_norm(gradients, limit):
    norm = math.sqrt(sum(float(np.sum(g * g)) for g in gradients))
    return [g * (limit / norm) if norm > limit else g for g in gradients]


def clip_flat(gradients, limit):
    flat = np.concatenate([np.ravel(g) for g in gradients])
    scale = min(1.0, limit / np.linalg.norm(flat))
    return tuple(scale * g for g in gradients)


def clip_min(gradients, limit):
    squares = 0.0
    for g in gradients:
        squares = squares + np.vdot(g, g)
    return [np.asarray(g) * min(1, limit * squares**-0.5) for g in gradients]


def clip_hypot(gradients, limit):
    norm = 0.0
    for g in gradients:
        for entry in g.ravel():
            norm = math.hypot(norm, entry)
    return [(g / max(norm / limit, 1.0)).tolist() for g in gradients]


def clip_split(gradients, limit):
    flat = np.concatenate([g.reshape(-1) for g in gradients])
    norm = np.sqrt(flat @ flat)
    if norm > limit:
        flat = flat / norm * limit
    ends = np.cumsum([g.size for g in gradients])[:-1]
    return [part.reshape(g.shape) for part, g in zip(np.split(flat, ends), gradients, strict=True)]


def clip_float32(gradients, limit):
    return [np.float32(g) for g in clip_by_norm(gradients, limit)]


def clip_each(gradients, limit):
    return [g * min(1.0, limit / np.linalg.norm(g)) for g in gradients]


def clip_always(gradients, limit):
    norm = math.sqrt(sum(float(np.sum(g * g)) for g in gradients))
    return [g * (limit / norm) for g in gradients]


def clip_unit(gradients, limit):
    norm = math.sqrt(sum(float(np.sum(g * g)) for g in gradients))
    return [g / norm if norm > limit else g for g in gradients]


def clip_square(gradients, limit):
    squares = sum(float(np.sum(g * g)) for g in gradients)
    return [g * (limit / squares) if squares > limit else g for g in gradients]


def clip_by_sum(gradients, limit):
    size = sum(float(np.sum(np.abs(g))) for g in gradients)
    return [g * (limit / size) if size > limit else g for g in gradients]


def clip_largest(gradients, limit):
    largest = max(float(np.max(np.abs(g))) for g in gradients)
    return [g * (limit / largest) if largest > limit else g for g in gradients]


def clip_drop(gradients, limit):
    norm = math.sqrt(sum(float(np.sum(g * g)) for g in gradients))
    return [g * 0.0 if norm > limit else g for g in gradients]


def hidden_clips(rng):
    cases = []
    for limit in (0.7, 1.5, 50.0):
        gradients = [array(rng, 2, 3, low=0.4, high=2.5), array(rng, 4, low=0.4, high=2.5)]
        cases.append(case(gradients, limit))
    # Long as a whole, but neither array alone, and no entry: only the common norm says so.
    cases.append(case([array(rng, 3, low=0.5, high=0.8), array(rng, 2, 2, low=0.5, high=0.8)], 1.45))
    return cases


BANK = [
    wrong("clips-every-entry", lambda gradients, limit: [np.clip(g, -limit, limit) for g in gradients],
          "notebook 07, section 5: by norm and by value",
          "Every entry is clipped by itself, which turns the gradient.",
          "Entries that were different become equal. By norm, all entries shrink by one factor."),
    wrong("norm-of-each-array", clip_each, "the task: their common norm",
          "Each array is scaled by its own norm.",
          "All gradients together are one long vector with one length and one direction."),
    wrong("always-scales", clip_always, "notebook 07, section 5: what it does not do",
          "Short gradients are stretched to the limit.",
          "A limit is not a target. Clipping never lengthens."),
    wrong("scales-to-one", clip_unit, "notebook 07, section 5: scaled down to that length",
          "Long gradients end with length 1, whatever the limit is.",
          "Dividing by the norm gives a direction; the allowed length is still missing."),
    wrong("square-of-the-norm", clip_square, "notebook 07, section 5",
          "The sum of squares is used where its root belongs.",
          "The norm is a length. For (3, 4) it is 5, not 25."),
    wrong("sum-of-sizes", clip_by_sum, "notebook 07, section 5",
          "The sizes of the entries are added up in place of a norm.",
          "For (3, 4) that is 7; the length of the arrow is 5."),
    wrong("largest-entry", clip_largest, "the task: their common norm",
          "The largest entry is brought to the limit, not the length.",
          "Many entries below the limit can still make a long vector."),
    wrong("throws-away", clip_drop, "notebook 07, section 5",
          "A gradient that is too long becomes zero.",
          "Its direction is worth keeping; only its length cannot be trusted."),
]  # fmt: skip

EXERCISE = Exercise(
    id="07.5",
    title="Clip by the common norm",
    function="clip_by_norm",
    minutes=8,
    difficulty=1,
    points=2,
    see="notebook 07, section 5, 'The cliff, and what clipping does'",
    reference=clip_by_norm,
    visible=[case([np.array([3.0, 4.0])], 1.0), *hidden_clips(np.random.default_rng(17))],
    hidden=hidden_clips,
    accepted=[clip_flat, clip_min, clip_hypot, clip_split, clip_float32],
    bank=BANK,
    hints=(
        "One number decides for all arrays: the length of all entries together, as if they stood in one long vector.",
        "If that length is at most the limit, return the gradients as they are. Otherwise multiply every array by the "
        "same factor.",
        "norm = sqrt of the sum over arrays of np.sum(g * g); the factor is limit / norm.",
    ),
    equivalent_mutants={"`norm > limit` → `norm >= limit`": "exactly at the limit the factor is 1"},
)
