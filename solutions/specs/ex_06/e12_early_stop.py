"""06.12 When to stop."""

from __future__ import annotations

import numpy as np

from coursepkg.grading.spec import Exercise, case, wrong


def early_stop(losses, patience):
    best, waited = 0, 0
    for epoch in range(1, len(losses)):
        waited += 1
        if losses[epoch] < losses[best]:
            best, waited = epoch, 0
        elif waited == patience:
            return best + 1, epoch + 1
    return best + 1, len(losses)


def stop_by_running_best(losses, patience):
    best_loss, best_epoch = float("inf"), 0
    for number, loss in enumerate(losses, 1):
        if loss < best_loss:
            best_loss, best_epoch = loss, number
        if number - best_epoch >= patience:
            return [best_epoch, number]
    return [best_epoch, len(losses)]


def stop_by_argmin(losses, patience):
    losses = np.asarray(losses)
    for trained in range(1, len(losses) + 1):
        best = int(np.argmin(losses[:trained])) + 1
        if trained - best == patience:
            break
    return np.array([best, trained])


def stop_by_minimum_accumulate(losses, patience):
    lowest = np.minimum.accumulate(losses)
    best_so_far = np.array([int(np.flatnonzero(np.array(losses) == low)[0]) for low in lowest])
    late = np.flatnonzero(np.arange(len(losses)) - best_so_far >= patience)
    trained = int(late[0]) + 1 if len(late) else len(losses)
    return int(best_so_far[trained - 1]) + 1, trained


def stop_with_while(losses, patience):
    trained, best = 1, 1
    while trained < len(losses) and trained - best < patience:
        trained += 1
        best = trained if losses[trained - 1] < losses[best - 1] else best
    return best, trained


def stop_recursively(losses, patience, trained=1, best=1):
    if trained == len(losses) or trained - best == patience:
        return best, trained
    return stop_recursively(losses, patience, trained + 1, trained + 1 if losses[trained] < losses[best - 1] else best)


def waits_for_rises(losses, patience):
    best, rises = 0, 0
    for epoch in range(1, len(losses)):
        rises = rises + 1 if losses[epoch] >= losses[epoch - 1] else 0
        best = epoch if losses[epoch] < losses[best] else best
        if rises == patience:
            return best + 1, epoch + 1
    return best + 1, len(losses)


def counts_bad_epochs(losses, patience):
    best, bad = 0, 0
    for epoch in range(1, len(losses)):
        if losses[epoch] < losses[best]:
            best = epoch
        else:
            bad += 1
            if bad == patience:
                return best + 1, epoch + 1
    return best + 1, len(losses)


def _changed(change):
    return lambda losses, patience: change(losses, patience, *early_stop(losses, patience))


MOVES = {"D": (-0.15, -0.10), "u": (0.04, 0.06), "d": (-0.03, -0.01)}


def losses_case(rng, plan, patience):
    """A curve from a plan: D goes down below the best so far, u up, and d down a little, not as far as u went up."""
    value, losses = 3.0, [3.0]
    for move in plan:
        value += float(rng.uniform(*MOVES[move]))
        losses.append(round(value, 3))
    return case(losses, patience)


PLANS = [
    ("DDuDuDuuuDD", 3),
    ("DuDudududDDD", 4),
    ("DDuuuDuuuuuDDDDD", 5),
    ("DuDuuDDDD", 2),
    ("uduDDD", 3),
    ("DuDDu", 4),
]

_draw = np.random.default_rng(612)

BANK = [
    wrong("best-of-all-epochs", _changed(lambda losses, patience, best, trained: (int(np.argmin(losses)) + 1, trained)),
          "'6 · Learning by heart'",
          "The best epoch lies after the end of training in some cases.",
          "Epochs after the stop are never run, so nobody can know their loss."),
    wrong("keeps-the-last-weights", _changed(lambda losses, patience, best, trained: (trained, trained)),
          "'6 · Learning by heart'",
          "The epoch to keep is the last one that was run.",
          "You waited because things had become worse; the weights to keep are those from before."),
    wrong("counts-from-zero", _changed(lambda losses, patience, best, trained: (best - 1, trained - 1)),
          "the docstring of the exercise",
          "Both numbers are one too small.",
          "Epochs are counted from 1 here."),
    wrong("no-patience", lambda losses, patience: early_stop(losses, 1), "'6 · Learning by heart'",
          "Training ends at the first epoch that is no improvement.",
          "Validation losses are noisy; patience says how many such epochs in a row are allowed."),
    wrong("one-epoch-too-patient", lambda losses, patience: early_stop(losses, patience + 1),
          "the docstring of the exercise",
          "Training goes on for one epoch too many.",
          "Training ends with the epoch that uses up the patience."),
    wrong("compares-with-the-epoch-before", waits_for_rises, "the docstring of the exercise",
          "You waited for losses that rise several times in a row.",
          "A loss may wobble for long above its best value; what counts is the best so far."),
    wrong("patience-never-renewed", counts_bad_epochs, "the docstring of the exercise",
          "Epochs without improvement are counted over the whole training.",
          "An improvement gives new patience: the count starts again."),
    wrong("never-stops", lambda losses, patience: (int(np.argmin(losses)) + 1, len(losses)),
          "the docstring of the exercise",
          "Training always runs to the end.",
          "Patience was not used."),
]  # fmt: skip

EXERCISE = Exercise(
    id="06.12",
    title="When to stop",
    function="early_stop",
    minutes=8,
    difficulty=2,
    points=3,
    see="notebook 06, '6 · Learning by heart'",
    reference=early_stop,
    visible=[losses_case(_draw, *plan) for plan in PLANS],
    hidden=lambda rng: [losses_case(rng, *plan) for plan in PLANS],
    accepted=[stop_by_running_best, stop_by_argmin, stop_by_minimum_accumulate, stop_with_while, stop_recursively],
    bank=BANK,
    hints=(
        "Go through the losses once and remember the epoch of the lowest loss so far, and how long ago that was.",
        "A lower loss than the best so far: remember its epoch and start counting again. Otherwise count one more.",
        "Stop as soon as the current epoch minus the best epoch equals the patience; return both, counted from 1.",
    ),
    equivalent_mutants={
        "`losses[epoch] < losses[best]` → `losses[epoch] <= losses[best]`": "no two losses are equal",
    },
)
