"""06.12 When to stop."""

from __future__ import annotations

import numpy as np

from coursepkg.grading.specification.domain import Array, Number
from coursepkg.grading.specification.exercise import Exercise, case, wrong


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


def stop_by_windows(losses, patience):
    for start in range(len(losses) - patience):
        if min(losses[start + 1 : start + 1 + patience]) >= losses[start]:
            return start + 1, start + 1 + patience
    return losses.index(min(losses)) + 1, len(losses)


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


def stops_one_too_early(losses, patience):
    best = 0
    for epoch in range(1, len(losses)):
        best = epoch if losses[epoch] < losses[best] else best
        if epoch - best >= patience - 1:
            return best + 1, epoch + 1
    return best + 1, len(losses)


def equal_is_better(losses, patience):
    best = 0
    for epoch in range(1, len(losses)):
        best = epoch if losses[epoch] <= losses[best] else best
        if epoch - best == patience:
            return best + 1, epoch + 1
    return best + 1, len(losses)


def silent_to_the_end(losses, patience):
    """Answers where the patience runs out, and falls off the end of the loop elsewhere."""
    best = 0
    for epoch in range(len(losses)):
        best = epoch if losses[epoch] < losses[best] else best
        if epoch - best == patience:
            return best + 1, epoch + 1
    return None


def better_than_zero(losses, patience):
    """The best so far begins at 0, so that a loss above it never counts."""
    best, lowest = 0, 0.0
    for epoch, loss in enumerate(losses):
        if loss < lowest:
            best, lowest = epoch, loss
        if epoch - best == patience:
            return best + 1, epoch + 1
    return best + 1, len(losses)


def renewed_by_any_fall(losses, patience):
    """Keeps the best, and starts counting again whenever a loss is lower than the one before."""
    best, waited = 0, 0
    for epoch in range(1, len(losses)):
        best = epoch if losses[epoch] < losses[best] else best
        waited = 0 if losses[epoch] < losses[epoch - 1] else waited + 1
        if waited > patience:
            return best + 1, epoch + 1
    return best + 1, len(losses)


def ignores_small_gains(losses, patience):
    best = 0
    for epoch in range(1, len(losses)):
        best = epoch if losses[epoch] < losses[best] - 1e-3 else best
        if epoch - best == patience:
            return best + 1, epoch + 1
    return best + 1, len(losses)


def stops_at_a_hundred(losses, patience):
    return early_stop(losses[:100], patience)


def better_by_a_share(losses, patience):
    """Better is what lies below the best times a factor; a negative best is raised by it."""
    best = 0
    for epoch in range(1, len(losses)):
        best = epoch if losses[epoch] < losses[best] * (1 - 1e-12) else best
        if epoch - best == patience:
            return best + 1, epoch + 1
    return best + 1, len(losses)


def _changed(change):
    return lambda losses, patience: change(losses, patience, *early_stop(losses, patience))


MOVES = {"D": (-0.15, -0.10), "u": (0.04, 0.06), "d": (-0.03, -0.01)}


def losses_case(rng, plan, patience, start=3.0):
    """A curve from a plan.

    D goes down below the best so far, u up, d down a little, not as far as u went up, = back to the best so far, and
    e, f and h to a hair below it, each thinner than the one before.
    """
    losses = [start]
    for move in plan:
        to_best = {"=": 0.0, "e": -2e-4, "f": -4e-5, "h": -3e-10}
        value = min(losses) + to_best[move] if move in to_best else losses[-1] + float(rng.uniform(*MOVES[move]))
        losses.append(value if move in to_best else round(value, 4))
    return case(losses, patience)


def losses_cases(rng):
    """Short and long runs; losses that equal the best; patience used up at the very end, or not at all; one epoch."""
    first = int(rng.integers(7, 10))
    return [
        losses_case(rng, "DDuDuDuuuDD", 3),
        losses_case(rng, "D" * first + "uDuuDududuuDDDD", 5),
        losses_case(rng, "D" * (first + 3) + "uuuDuuuuuuuDDDDD", 6),
        losses_case(rng, "DuDuuDDDD", 2, start=0.2),
        losses_case(rng, "uduDDD", 4, start=-1.2),
        losses_case(rng, "D" * (first + 1) + "u=u=uDDD", 4),
        losses_case(rng, "D" * first + "u=Duu", 3),
        losses_case(rng, "D" * first + "ueuuuu", 4),
        losses_case(rng, "DDufuuhuuu", 3, start=0.9),
        losses_case(rng, "DuDDuuDuD", 2, start=4e9),
        losses_case(rng, "DDDDuDDu", 1, start=60.0),
        losses_case(rng, "D" * first + "uuDdu", 40),
        losses_case(rng, "DDDuDD", 1),
        case([round(float(rng.uniform(0.2, 0.9)), 3)], 2),
        case([0.7] * 4, 2),
        case([0.31, 0.02, 0.0, 0.04, 0.03, 0.01], 3),
        case([0.5, *[-round(float(rng.uniform(1.1, 1.9)), 2)] * 4, -0.2, -2.0], 3),
        case([5e-15, 3e-15, 4e-15, 2e-15, 4e-15, 1e-15, 2e-15, 3e-15], 2),
        case([6e303, 5e303, 7e303, 4e303, 5e303, 6e303, 1e303], 2),
        losses_case(rng, "udu", 4),
        losses_case(rng, "D" * first + "Du" * 60 + "uuuDu", 4),
    ]


def patience_and_length(rng):
    """A patience of nearly as many epochs as there are, whichever is the best; a long patience, used up or renewed."""
    curves = [losses_case(rng, plan, 1).args[0] for plan in ("uudu", "DDDD", "DuDu", "DDud")]
    waits = "D" * 3 + "u" + "du" * 17
    return [
        *(case(list(losses), len(losses) + more) for losses in curves for more in (-2, -1, 0, 1)),
        *(losses_case(rng, plan, patience) for plan, patience in (("=D", 1), ("D=D", 1), ("D==D", 2), ("u=D", 2))),
        losses_case(rng, waits + "ud" * 9, 41),
        losses_case(rng, waits + "D" + "ud" * 9, 41),
    ]


_draw = np.random.default_rng(612)

BANK = [
    wrong("a-hundred-epochs-at-most", stops_at_a_hundred, "the docstring of the exercise",
          "Right for short runs; nothing after epoch 100 was looked at.",
          "Only the patience, or the end of the list, ends the training."),
    wrong("better-by-a-share", better_by_a_share, "the docstring of the exercise",
          "Right while losses are positive; once they are negative, a loss equal to the best counts as better.",
          "A factor just below 1 moves a negative number up. Better is lower, and nothing else."),
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
    wrong("best-counted-from-zero", _changed(lambda losses, patience, best, trained: (best - 1, trained)),
          "the docstring of the exercise",
          "The epochs run are right; the epoch to keep is one too small.",
          "Epochs are counted from 1 here, as their number is; positions in a list begin at 0."),
    wrong("run-counted-from-zero", _changed(lambda losses, patience, best, trained: (best, trained - 1)),
          "the docstring of the exercise",
          "The epoch to keep is right; the number of epochs run is one too small.",
          "The epoch in which the patience ran out has been run as well."),
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
    wrong("one-epoch-too-impatient", stops_one_too_early, "the docstring of the exercise",
          "Training ends one epoch too early.",
          "So many epochs without improvement are allowed to happen; the last of them is still run."),
    wrong("equal-counts-as-better", equal_is_better, "the docstring of the exercise",
          "An epoch with the same loss as the best so far has taken its place.",
          "Beating the best means being lower. An equal loss uses up patience like a higher one."),
    wrong("small-gains-ignored", ignores_small_gains, "the docstring of the exercise",
          "An epoch that was better by very little was not taken for the best.",
          "Some libraries ask for a least gain. Here a loss that is lower is better, by however little."),
    wrong("two-epochs-at-least", lambda losses, patience: early_stop(losses, max(patience, 2)),
          "the docstring of the exercise",
          "Right unless the patience is 1; there the first epoch that fails does not end the training.",
          "A patience of 1 is used up by a single epoch without improvement."),
    wrong("no-answer-at-the-end", silent_to_the_end, "the docstring of the exercise",
          "Where the patience lasts to the end, nothing came back.",
          "A run that is never stopped has a best epoch, too, and all epochs were run."),
    wrong("best-so-far-begins-at-zero", better_than_zero, "the docstring of the exercise",
          "Only losses below zero were taken for improvements.",
          "Before the first epoch there is no best loss yet; the first one is the best by default."),
    wrong("patience-renewed-by-any-fall", renewed_by_any_fall, "the docstring of the exercise",
          "The count started again whenever a loss was lower than the one before.",
          "A loss may fall and still be above the best so far; only a new best gives new patience."),
    wrong("stop-put-past-the-end", _changed(lambda losses, patience, best, trained: (best, best + patience)),
          "the docstring of the exercise",
          "More epochs were run than there are losses, where the patience lasts to the end.",
          "The losses end when the training does, whether the patience is used up or not."),
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
    domain={"losses": Array("n", order="given"), "patience": Number(whole=True, at_least=1)},
    meets={
        "a loss equals the best before the end": lambda losses: any(
            loss == min(losses[:k]) for k, loss in enumerate(losses) if k
        ),
        "all losses are equal": lambda losses: len(losses) > 1 and len(set(losses)) == 1,
        "the patience ends with the losses": lambda losses, patience: (
            len(losses) == early_stop(losses, patience)[0] + patience
        ),
        "the patience lasts to the end": lambda losses, patience: (
            len(losses) < early_stop(losses, patience)[0] + patience
        ),
        "the patience is longer than the run": lambda losses, patience: (
            patience > len(losses) > early_stop(losses, patience)[0]
        ),
        "a new best is lower by a hair": lambda losses: any(
            0 < min(losses[:k]) - loss < 1e-3 for k, loss in enumerate(losses) if k
        ),
        "a new best is lower by next to nothing": lambda losses: any(
            0 < min(losses[:k]) - loss < 1e-9 for k, loss in enumerate(losses) if k
        ),
        "a negative loss comes again": lambda losses: min(losses) < 0 and len(set(losses)) < len(losses),
        "all losses are tiny": lambda losses: max(losses) < 1e-13,
        "more than 100 epochs are run": lambda losses, patience: 100 < early_stop(losses, patience)[1] < len(losses),
        "all losses are huge": lambda losses: min(losses) > 1e302,
        "the patience is as long as the run": lambda losses, patience: (
            len(losses) == patience > 1 == early_stop(losses, patience)[0]
        ),
        "all losses are large": lambda losses: min(losses) > 1e9,
        "a patience of 1 and large losses": lambda losses, patience: patience == 1 and min(losses) > 50,
        "the first epoch is the best": lambda losses, patience: early_stop(losses, patience)[0] == 1,
        "the last epoch is the best": lambda losses, patience: early_stop(losses, patience)[0] == len(losses) > 1,
        "losses become negative": lambda losses: losses[0] > 0 > losses[-1],
    },
    visible=losses_cases(_draw),
    hidden=lambda rng: [*losses_cases(rng), *patience_and_length(rng)],
    accepted=[
        stop_by_running_best,
        stop_by_argmin,
        stop_by_minimum_accumulate,
        stop_with_while,
        stop_by_windows,
        stop_recursively,
    ],
    bank=BANK,
    hints=(
        "Go through the losses once and remember the epoch of the lowest loss so far, and how long ago that was.",
        "A lower loss than the best so far: remember its epoch and start counting again. Otherwise count one more.",
        "Stop as soon as the current epoch minus the best epoch equals the patience; return both, counted from 1.",
    ),
    equivalent_mutants={
        "squeezes": "an epoch is a number and has no axes",
        "rounds to 3 digits": "epochs are whole numbers below 1000",
    },
)
