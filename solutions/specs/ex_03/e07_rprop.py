"""03.7 RPROP: believe the sign."""

from __future__ import annotations

import numpy as np

from coursepkg import optimizers as opt
from coursepkg.autodiff.tensor import Tensor
from coursepkg.grading.specification.domain import Array, Number
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import last_place_only, numbers, one_place_late, rate, start_among_the_places


def rprop(theta, gradients, first):
    size, move, last = np.full(len(theta), first), np.zeros(len(theta)), np.zeros(len(theta))
    places = []
    for g in gradients:
        agree = np.sign(g) * last
        size = np.where(agree > 0, 1.2 * size, np.where(agree < 0, 0.5 * size, size))
        move = np.where(agree < 0, -move, -np.sign(g) * size)
        last = np.where(agree < 0, 0.0, np.sign(g))
        theta = theta + move
        places.append(theta)
    return np.array(places)


def rprop_weight_by_weight(theta, gradients, first):
    columns = []
    for start, slopes in zip(theta, np.asarray(gradients).T, strict=True):
        place, size, move, last, column = float(start), first, 0.0, 0, []
        for slope in slopes:
            sign = 1 if slope > 0 else -1
            if sign == last:
                size *= 1.2
            if sign == -last:
                size, move, last = size / 2, -move, 0
            else:
                move, last = -sign * size, sign
            place += move
            column.append(place)
        columns.append(column)
    return np.transpose(columns)


def rprop_with_masks(theta, gradients, first):
    d = len(theta)
    size, move, last, places = first * np.ones(d), np.zeros(d), np.zeros(d), []
    place = np.array(theta, dtype=float)
    for g in gradients:
        sign = (g > 0).astype(int) - (g < 0)
        same, flip = sign * last > 0, sign * last < 0
        size[same] *= 1.2
        size[flip] *= 0.5
        move = -sign * size * ~flip - move * flip
        last = sign * ~flip
        place = place + move
        places.append(place.tolist())
    return places


def rprop_by_optimizer(theta, gradients, first):
    place, places = theta.astype(float), []
    optimizer = opt.RPROP(place, lr=first)
    for g in gradients:
        optimizer.step(g)
        places.append(place.copy())
    return places


def rprop_by_powers(theta, gradients, first):
    """Counts how often each size grew and shrank, and keeps the place before the last move."""
    signs, d = np.sign(gradients), len(theta)
    up, down, last = np.zeros(d), np.zeros(d), np.zeros(d)
    place, before, places = np.array(theta, float), np.array(theta, float), []
    for sign in signs:
        up, down = up + (sign == last) * (last != 0), down + (sign == -last)
        flip = (sign == -last) & (last != 0)
        moved = np.where(flip, before, place - sign * first * 1.2**up * 0.5**down)
        before, place, last = place, moved, np.where(flip, 0, sign)
        places.append(place)
    return places


def rprop_float32(theta, gradients, first):
    return rprop(np.float32(theta), np.float32(gradients), np.float32(first)).astype(np.float32)


def rprop_with_tensors(theta, gradients, first):
    return [Tensor(place, requires_grad=True) for place in rprop(theta, gradients, first)]


def rprop_wrong(*, grow=1.2, shrink=0.5, after=lambda move, g, size: -move, forget=True, slope=np.sign, shared=False):
    def answer(theta, gradients, first):
        d = len(theta)
        size, move, last, places = np.full(d, first), np.zeros(d), np.zeros(d), []
        for g in gradients:
            agree = np.sign(g) * last
            if shared:
                agree = np.full(d, agree.sum())
            size = np.where(agree > 0, grow * size, np.where(agree < 0, shrink * size, size))
            move = np.where(agree < 0, after(move, g, size), -slope(g) * size)
            last = np.where((agree < 0) & forget, 0.0, np.sign(g))
            theta = theta + move
            places.append(theta)
        return np.array(places)

    return answer


def grows_at_once(theta, gradients, first):
    return theta + 1.2 * (rprop(theta, gradients, first) - theta)


def grows_after_the_move(theta, gradients, first):
    d = len(theta)
    size, move, last, places = np.full(d, first), np.zeros(d), np.zeros(d), []
    for g in gradients:
        agree = np.sign(g) * last
        move = np.where(agree < 0, -move, -np.sign(g) * size)
        size = np.where(agree > 0, 1.2 * size, np.where(agree < 0, 0.5 * size, size))
        last = np.where(agree < 0, 0.0, np.sign(g))
        theta = theta + move
        places.append(theta)
    return np.array(places)


def one_flip_stops_all(theta, gradients, first):
    d = len(theta)
    size, move, last, places = np.full(d, first), np.zeros(d), np.zeros(d), []
    for g in gradients:
        agree = np.sign(g) * last
        if (agree < 0).any():
            size, move, last = size / 2, -move, np.zeros(d)
        else:
            size = np.where(agree > 0, 1.2 * size, size)
            move, last = -np.sign(g) * size, np.sign(g)
        theta = theta + move
        places.append(theta)
    return np.array(places)


RUNS = np.array([[1, 1, 1], [-1, 1, 1], [1, 1, -1], [1, 1, -1], [1, 1, 1], [-1, 1, -1]])


def rprop_edges(rng):
    """Signs that flip back at once, never, and right after one was forgotten; a flip in the second and last step.

    The first step size is long, longer than 1, short, or tiny; short steps meet a plateau.
    """
    long = RUNS * rng.uniform(0.2, 2.0, RUNS.shape).round(2)
    short = np.array([[1, 1], [-1, 1]]) * rng.uniform(0.2, 2.0, (2, 2)).round(2)
    flat = RUNS * 10.0 ** rng.uniform(-9, -4, RUNS.shape)
    return [
        case(numbers(rng, 3), long, rate(rng, 8, 12)),
        case(numbers(rng, 2), -short, rate(rng, 1.6, 3.0)),
        case(numbers(rng, 3), -flat, rate(rng, 0.012, 0.018)),
        case(np.zeros(3), flat[::-1], 1e-5 * rate(rng, 2, 3)),
        case(numbers(rng, 3), RUNS * rng.uniform(1.0, 9.0, RUNS.shape) * 1e-12, rate(rng, 18.5, 19.8)),
        case(np.zeros(3), RUNS * rng.uniform(0.2, 2.0, RUNS.shape).round(2), 1e-6 * rate(rng, 4.4, 5.4)),
        case(numbers(rng, 3), np.vstack([long, long[::-1], -long, long, -long]), rate(rng, 0.3, 0.6)),
        case(np.array([4, -3, 2]), RUNS, rate(rng, 0.3, 0.6)),
    ]


def rprop_like_theta(theta, gradients, first):
    places = np.zeros_like(np.array([theta] * len(gradients)))
    places[:] = rprop(theta, gradients, first)
    return places


def rprop_of_twenty_steps(theta, gradients, first):
    places = rprop(theta, gradients, first)
    places[20:] = places[min(19, len(places) - 1)]
    return places


def _flips_back(gradients):
    s = np.sign(gradients)
    return len(s) > 2 and ((s[:-2] == -s[1:-1]) & (s[1:-1] == -s[2:])).any()


def _flip_at_the_end(gradients):
    return len(gradients) > 1 and (np.sign(gradients[-2]) == -np.sign(gradients[-1])).any()


def _never_flips(gradients):
    s = np.sign(gradients)
    return len(s) > 3 and (s == s[0]).all(axis=0).any()


def flips(rng, k, d):
    """Gradients that keep their sign for a while, flip, and go on, in every weight at another time."""
    sizes = rng.uniform(0.2, 2.0, (k, d))
    signs = np.ones((k, d))
    for i in range(d):
        flip = int(rng.integers(2, k - 2))
        signs[flip:, i] = -1.0
        signs[:, i] *= rng.choice([-1.0, 1.0])
    return (sizes * signs).round(2)


SLOPES_THAT_FLIP = np.array([[1.0, -0.5], [0.8, -0.7], [-0.4, -0.9], [-1.2, 0.6], [-0.7, 0.3], [-0.9, 1.1]])

MORE_FLIPS = np.array([[0.5, -1.5, 2.0], [0.7, -1.1, -1.6], [-0.9, -0.8, -1.2], [-0.3, 0.6, -0.4], [-1.4, 0.2, 0.7]])

BANK = [
    wrong("whole-numbers-stay-whole", rprop_like_theta, "the docstring of the exercise: what is returned?",
          "Where theta holds whole numbers, so do your places.",
          "An array that was made like an array of whole numbers has no room for a fraction."),
    wrong("twenty-steps-at-most", rprop_of_twenty_steps, "the docstring of the exercise: k places",
          "After twenty steps your weights stand still.",
          "There is one step for each row of gradients, however many there are."),
    wrong("rests-after-a-flip", rprop_wrong(after=lambda move, g, size: 0.0 * move),
          "notebook 03, section 6: what happens at step 12",
          "After a flip your weight stands still instead of going back.",
          "That is iRPROP-, PyTorch's variant. The one asked for takes the bad step back."),
    wrong("turns-round-at-once", rprop_wrong(after=lambda move, g, size: -np.sign(g) * size, forget=False),
          "notebook 03, section 6: what happens at step 12",
          "After a flip your weight turns round with the smaller step.",
          "The last step went too far. Here it is first taken back whole."),
    wrong("remembers-the-flipped-sign", rprop_wrong(forget=False), "the docstring of the exercise, its last line",
          "The step after a flip is already growing again.",
          "A sign that has just flipped is forgotten, so the next one neither agrees nor flips."),
    wrong("grows-and-shrinks-exchanged", rprop_wrong(grow=0.5, shrink=1.2),
          "notebook 03, section 6: how the steps develop",
          "Your steps shrink while the sign stays, and grow when it flips.",
          "A sign that stays means that the goal is still ahead: go faster."),
    wrong("uses-the-size-of-the-gradient", rprop_wrong(slope=lambda g: g),
          "notebook 03, section 6: believes only the sign",
          "Your moves still depend on how steep it is.",
          "RPROP believes only the sign of a gradient entry. That is why a plateau does not slow it down."),
    wrong("one-step-size-for-all", rprop_wrong(shared=True), "notebook 03, section 6: every weight has a step size",
          "All weights share one step size.",
          "The point of the method is that each weight has its own, by the history of its own sign."),
    wrong("walks-uphill", rprop_wrong(slope=lambda g: -np.sign(g)),
          "notebook 03, section 6: signs and moves in the table",
          "Your first step goes uphill.",
          "A positive gradient means that the loss rises with the weight, so the weight must fall."),
    wrong("small-slopes-are-none", rprop_wrong(slope=lambda g: np.sign(g) * (np.abs(g) > 1e-10)),
          "notebook 03, section 6: believes only the sign",
          "Where a slope is all but nothing your weight stands still.",
          "Only the sign of a slope counts, and a slope that is nearly 0 has one as well."),
    wrong("never-grows", rprop_wrong(grow=1.0), "notebook 03, section 6: how the steps develop",
          "Your steps never grow.",
          "While the sign stays, each step should be longer than the last."),
    wrong("never-shrinks", rprop_wrong(shrink=1.0), "notebook 03, section 6: how the steps develop",
          "Your steps do not become shorter after a flip.",
          "A flip means that the step was too long for this place; the next one has to be more careful."),
    wrong("takes-half-of-it-back", rprop_wrong(after=lambda move, g, size: -move / 2),
          "notebook 03, section 6: what happens at step 12",
          "After a flip only half of the last move is taken back.",
          "You moved back by the step size that had just been halved. The move to undo was made with the old one."),
    wrong("grows-at-once", grows_at_once, "the task: nothing is stored at the beginning",
          "Your first step is 1.2 times too long.",
          "In the first step there is no sign to agree with, so the step size is still `first`."),
    wrong("one-flip-stops-all", one_flip_stops_all, "the task: for each weight by itself",
          "As soon as one sign flips, all weights take their last move back.",
          "Each weight has a history of its own, and the others have done nothing wrong."),
    wrong("grows-after-the-move", grows_after_the_move, "the task: which comes first, growing or moving",
          "Your steps grow one step late.",
          "The step size is changed first, and then the weight moves by the new one."),
    wrong("one-array-for-all-places", last_place_only(rprop), "the docstring of the exercise: k places",
          "All your places are the last one.",
          "Did you append one array and go on changing it, or fill in the last place? Keep what each step gives."),
    wrong("one-place-late", one_place_late(rprop), "the docstring of the exercise",
          "Your places come one step late: the first is the start.",
          "You keep each place before its step is made, so the last one is missing."),
    wrong("start-among-the-places", start_among_the_places(rprop), "the docstring of the exercise: k places",
          "You return one place more: the start stands in front.",
          "Asked for are the places that the steps lead to."),
]  # fmt: skip

EXERCISE = Exercise(
    id="03.7",
    title="RPROP: believe the sign",
    function="rprop",
    minutes=15,
    difficulty=3,
    points=4,
    see="notebook 03, section 6, 'A step size for every weight'",
    reference=rprop,
    integers=True,
    domain={"theta": Array("d", all_zero=True), "gradients": Array("k d", zero=False), "first": Number(more_than=0)},
    meets={
        "there are more than twenty steps": lambda gradients: len(gradients) > 20,
        "theta and the gradients hold whole numbers": lambda theta, gradients: (
            theta.dtype.kind == gradients.dtype.kind == "i"
        ),
        "a sign flips and flips back at once": _flips_back,
        "a sign flips in the last step": _flip_at_the_end,
        "a sign never flips": _never_flips,
        "all slopes are nearly nothing, and steps grow nearly to 50": lambda gradients, first: (
            np.abs(gradients).max() < 1e-11 and 45 < 1.2**5 * first < 50
        ),
        "steps shrink nearly to a millionth": lambda gradients, first: first < 6e-6,
        "all slopes are tiny": lambda gradients: np.abs(gradients).max() < 1e-3,
        "steps begin below 0.02": lambda first: 0.01 < first < 0.02,
        "steps begin far below a thousandth": lambda first: first < 1e-4,
        "steps grow beyond 10": lambda gradients, first: 1.2**3 * first > 10 and _never_flips(gradients),
    },
    visible=[
        case(np.array([2.0, -1.0]), SLOPES_THAT_FLIP, 0.1),
        case(np.array([-0.5, 1.5, 3.0]), MORE_FLIPS, 0.4),
        case(np.array([1.3, -0.8]), -SLOPES_THAT_FLIP[::-1], 0.25),
        *rprop_edges(np.random.default_rng(37)),
    ],
    hidden=lambda rng: [
        *(case(numbers(rng, d), flips(rng, k, d), rate(rng)) for k, d in ((6, 2), (7, 3), (8, 2), (6, 4))),
        *rprop_edges(rng),
    ],
    accepted=[
        rprop_weight_by_weight,
        rprop_with_masks,
        rprop_by_optimizer,
        rprop_by_powers,
        rprop_float32,
        rprop_with_tensors,
    ],
    bank=BANK,
    hints=(
        "For one weight: compare the sign of the new gradient with the stored sign. Same, opposite, or nothing stored?",
        "Same: grow, then move against the sign. Opposite: halve, undo the last move, store 0. "
        "Nothing stored: move against the sign.",
        "agree = sign * last decides all three: np.where(agree < 0, ...) gives size, move and stored sign.",
    ),
    equivalent_mutants={
        "`np.sign(g) * last` → `last / np.sign(g)`": "a sign is its own reciprocal",
        "`-np.sign(g) * size` → `size / -np.sign(g)`": "a sign is its own reciprocal",
        "`np.zeros` → `np.ones`": "a move is taken back only after one has been made",
    },
)
