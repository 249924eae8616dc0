"""10.9 One run, three scores."""

from __future__ import annotations

import math

import numpy as np

from coursepkg.autodiff.tensor import Tensor
from coursepkg.grading.specification.domain import Array
from coursepkg.grading.specification.exercise import Exercise, case, wrong


def three_scores(validation_loss, test_accuracy):
    peeking, honest, last = [], [], []
    for losses, scores in zip(validation_loss, test_accuracy, strict=True):
        peeking.append(max(scores))
        honest.append(scores[np.argmin(losses)])
        last.append(scores[-1])
    return {"peeking": np.mean(peeking), "honest": np.mean(honest), "last": np.mean(last)}


def scores_loops(validation_loss, test_accuracy):
    total = {"peeking": 0.0, "honest": 0.0, "last": 0.0}
    runs = len(test_accuracy)
    for losses, scores in zip(validation_loss, test_accuracy, strict=True):
        best = 0
        for epoch in range(len(losses)):
            if losses[epoch] < losses[best]:
                best = epoch
        total["peeking"] += max(scores) / runs
        total["honest"] += scores[best] / runs
        total["last"] += scores[-1] / runs
    return total


def scores_take_along(validation_loss, test_accuracy):
    chosen = validation_loss.argmin(1)[:, None]
    return {
        "last": test_accuracy.T[-1].mean(),
        "honest": np.take_along_axis(test_accuracy, chosen, 1).mean(),
        "peeking": test_accuracy.max(1).mean(),
    }


def scores_index(validation_loss, test_accuracy):
    runs = np.arange(len(validation_loss))
    return {
        "peeking": np.sort(test_accuracy, axis=1)[:, -1].sum() / len(runs),
        "honest": np.array(test_accuracy)[runs, np.argmin(validation_loss, 1)].sum() / len(runs),
        "last": np.array(test_accuracy)[runs, len(test_accuracy[0]) - 1].sum() / len(runs),
    }


def scores_lists(validation_loss, test_accuracy):
    losses, scores = validation_loss.tolist(), test_accuracy.tolist()
    n = len(scores)
    chosen = [row.index(min(row)) for row in losses]
    return {
        "peeking": math.fsum(map(max, scores)) / n,
        "honest": math.fsum(row[k] for row, k in zip(scores, chosen, strict=True)) / n,
        "last": math.fsum(row[-1] for row in scores) / n,
    }


def scores_min_pairs(validation_loss, test_accuracy):
    picked = [
        min(zip(losses, range(len(losses)), scores, strict=True))[2]
        for losses, scores in zip(validation_loss, test_accuracy, strict=True)
    ]
    return {
        "peeking": np.mean([max(row) for row in test_accuracy]),
        "honest": np.average(picked),
        "last": np.average(test_accuracy, axis=0)[-1],
    }


def scores_float32(validation_loss, test_accuracy):
    return {name: np.float32(score) for name, score in three_scores(validation_loss, test_accuracy).items()}


def scores_tensors(validation_loss, test_accuracy):
    """Columns from left to right, the best so far kept; tensors in the end."""
    loss, honest = validation_loss[:, 0].copy(), test_accuracy[:, 0].copy()
    for losses, scores in zip(validation_loss.T[1:], test_accuracy.T[1:], strict=True):
        better = losses < loss
        loss[better], honest[better] = losses[better], scores[better]
    found = {"peeking": np.max(test_accuracy, axis=1), "honest": honest, "last": test_accuracy[:, -1]}
    return {name: Tensor(np.mean(scores), requires_grad=True) for name, scores in found.items()}


def scores_with(**changes):
    """The right scores with some of them found in another way."""

    def answer(validation_loss, test_accuracy):
        right = three_scores(validation_loss, test_accuracy)
        return right | {name: float(change(validation_loss, test_accuracy)) for name, change in changes.items()}

    return answer


def at(scores, epochs):
    return np.mean([row[k] for row, k in zip(scores, epochs, strict=True)])


def last_of_the_best(losses, scores):
    return at(scores, [len(row) - 1 - int(np.argmin(row[::-1])) for row in losses])


def best_of_the_tied(losses, scores):
    return np.mean([max(row[loss == loss.min()]) for loss, row in zip(losses, scores, strict=True)])


def first_rise(losses):
    return next((k for k in range(len(losses) - 1) if losses[k + 1] > losses[k]), len(losses) - 1)


def nearly_smallest(losses, scores):
    return at(scores, [int(np.argmax(np.isclose(row, row.min(), rtol=0, atol=1e-2))) for row in losses])


def patient(losses, patience=5):
    """Gives up when the loss has not fallen for some epochs."""
    best = 0
    for epoch, loss in enumerate(losses):
        if loss < losses[best]:
            best = epoch
        elif epoch - best == patience:
            break
    return best


def best_until_chosen(losses, scores):
    return np.mean([max(row[: np.argmin(loss) + 1]) for loss, row in zip(losses, scores, strict=True)])


def score_case(rng, runs, epochs):
    """Learning curves with a tie in each run's validation loss; the tied epochs differ in test accuracy."""
    while True:
        loss = np.round(np.exp(-np.arange(epochs) / 3) + rng.uniform(0.2, 0.6, (runs, epochs)), 3)
        score = np.round(rng.integers(18, 29, (runs, epochs)) / 30, 4)
        for row in loss:
            first = int(np.argmin(row[: epochs - 2]))
            row[first] = row[int(rng.integers(first + 1, epochs - 1))] = row.min() - 0.0137
        found = three_scores(loss, score)
        if len({round(float(v), 3) for v in found.values()}) == 3:
            return case(loss, score)


def score_edges(rng):
    """One run, one epoch; smallest losses at both ends; equal losses; runs that diverge; nothing or all right."""
    score = np.round(rng.integers(18, 29, (3, 5)) / 30, 4)
    loss = np.round(rng.uniform(0.3, 0.9, (3, 5)), 3)
    loss[0, 0] = loss[1, -1] = 0.1
    loss[2] = loss[2, 0]
    score[0, 1], score[1, -1], score[2, 3] = 1.0, 0.0, 0.9867
    wild = np.round(rng.uniform(1.0, 9.0, (2, 4)) * 1e7, 1)
    wild[0, 2] = wild[0].min() / 2
    wild[1] = [0.52, 0.03, 0.0, 0.7]
    one = np.round(rng.integers(18, 29, (1, 6)) / 30, 4)
    return [
        case(loss, score),
        case(wild, np.round(rng.uniform(0.2, 0.9, (2, 4)), 4)),
        case(np.round(rng.uniform(0.3, 0.9, (1, 6)), 3), one),
        case(np.round(rng.uniform(0.3, 0.9, (3, 1)), 3), np.round(rng.uniform(0.2, 0.9, (3, 1)), 4)),
    ]


def distinct(rng, low, high, shape):
    """Accuracies on 30 examples, no two of them equal within a run."""
    runs, epochs = shape
    return np.round([rng.permutation(np.arange(low, high))[:epochs] / 30 for _ in range(runs)], 4)


def near_ties(rng):
    """The smallest loss comes after one that is hardly larger and scores better; the last run scores badly."""
    loss, score = np.round(rng.uniform(0.7, 0.95, (3, 6)), 3), distinct(rng, 18, 29, (3, 6))
    score[2] = distinct(rng, 2, 9, (1, 6))
    for run, (before, least) in enumerate(((0.003, 0.001), (0.0032, 0.0027), (0.001003, 0.001001))):
        first, second = np.sort(rng.choice(5, 2, replace=False))
        loss[run, [first, second]] = np.round(float(rng.choice([0.31, 0.42, 0.53])) + np.array([before, least]), 6)
        score[run, [second, first]] = np.sort(score[run, [first, second]])
    return case(loss, score)


def late_minimum(rng):
    """The smallest loss comes twenty epochs after a good one; a run that never gets anything right."""
    loss, score = np.round(rng.uniform(0.5, 0.9, (2, 24)), 3), distinct(rng, 5, 29, (2, 24))
    loss[0, [1, 22]] = 0.41, 0.32
    score[1] = 0.0
    return case(loss, score)


def hidden_scores(rng):
    drawn = [score_case(rng, runs, epochs) for runs, epochs in ((3, 7), (4, 9), (3, 7))]
    return [*drawn, *score_edges(rng), near_ties(rng), late_minimum(rng)]


BANK = [
    wrong("honest-by-the-test-set", scores_with(honest=lambda loss, score: np.mean(np.max(score, axis=1))),
          "notebook 10, section 6: three ways to score a run",
          "The honest score is the best test score.",
          "A score is honest if the test set was not asked which epoch to take."),
    wrong("best-until-the-chosen-epoch", scores_with(honest=best_until_chosen),
          "notebook 10, section 6: three ways to score a run",
          "The honest score is the best test score up to the chosen epoch.",
          "Validation says when to stop; then there is one network and one score, no choice any more."),
    wrong("largest-loss", scores_with(honest=lambda loss, score: at(score, np.argmax(loss, axis=1))),
          "the task: validation_loss",
          "The epoch with the largest validation loss is chosen.",
          "Of accuracy one wants the largest, of a loss the smallest."),
    wrong("one-epoch-for-all-runs",
          scores_with(honest=lambda loss, score: np.mean(score[:, np.argmin(np.mean(loss, axis=0))])),
          "the task: for each run",
          "All runs are stopped at the same epoch, found from their mean validation loss.",
          "Each run is a training of its own and chooses by its own validation loss."),
    wrong("best-of-the-mean-curve", scores_with(peeking=lambda loss, score: np.max(np.mean(score, axis=0))),
          "notebook 10, section 6: maximum first, mean afterwards",
          "For peeking, the curves are averaged before the maximum is taken.",
          "Who peeks picks the best epoch of each run. Averaging first hides most of the effect."),
    wrong("best-of-all-runs", scores_with(peeking=lambda loss, score: np.max(score)),
          "the task: the mean over the runs",
          "For peeking, the best run of all is taken.",
          "The published tables are means over runs, each with its own best snapshot."),
    wrong("last-of-equal-losses", scores_with(honest=last_of_the_best), "the task: the first",
          "Of several epochs with the same smallest loss the last one is chosen.",
          "The task asks for the first of them; shorter training is the simpler choice."),
    wrong("last-epoch-of-validation", scores_with(last=lambda loss, score: at(score, np.argmin(loss, axis=1))),
          "notebook 10, section 6: three ways to score a run",
          "The score of the last epoch is taken at the chosen epoch.",
          "The third way chooses nothing at all: it trains to the end."),
    wrong("mean-over-epochs", scores_with(last=lambda loss, score: np.mean(score)),
          "notebook 10, section 6: three ways to score a run",
          "The last score is a mean over all epochs.",
          "After training there is one network: the one of the last epoch."),
    wrong("best-of-the-tied-epochs", scores_with(honest=best_of_the_tied), "the task: the first, if there are several",
          "Of several epochs with the same smallest loss you take the one that scores best on the test set.",
          "To choose among them by the test set is to peek."),
    wrong("best-over-the-runs", scores_with(peeking=lambda loss, score: np.mean(np.max(score, axis=0))),
          "the task: (runs, epochs)",
          "For peeking, the best run of each epoch was taken, and the mean went over the epochs.",
          "Rows are runs. The best epoch is looked for along a row."),
    wrong("the-run-with-the-smallest-loss",
          scores_with(honest=lambda loss, score: score.ravel()[np.argmin(loss)]), "the task: for each run",
          "The honest score is that of one run alone, the one with the smallest loss of all.",
          "Each run is a training of its own, has its own smallest loss, and counts in the mean."),
    wrong("median-over-the-runs", scores_with(
              peeking=lambda loss, score: np.median(np.max(score, axis=1)),
              honest=lambda loss, score: np.median([row[k] for row, k in zip(score, np.argmin(loss, 1), strict=True)]),
              last=lambda loss, score: np.median(score[:, -1]),
          ), "the task: the mean over the runs",
          "The scores are medians over the runs.",
          "A median looks at the run in the middle; the task asks for what all of them have on average."),
    wrong("sums-over-the-runs", scores_with(
              peeking=lambda loss, score: np.sum(np.max(score, axis=1)),
              honest=lambda loss, score: at(score, np.argmin(loss, axis=1)) * len(score),
              last=lambda loss, score: np.sum(score[:, -1]),
          ), "the task: the mean over the runs",
          "The scores of the runs are added up.",
          "An accuracy stays below one, however many runs there are."),
    wrong("stops-at-the-first-rise", scores_with(honest=lambda loss, score: at(score, map(first_rise, loss))),
          "the task: the epoch with the smallest validation loss",
          "The epoch before the loss rises for the first time is chosen.",
          "A loss that rises once may still fall further later; here the whole run is known."),
    wrong("gives-up-early", scores_with(honest=lambda loss, score: at(score, map(patient, loss))),
          "the task: the epoch with the smallest validation loss",
          "A smallest loss that comes late is not found: the search has given up before.",
          "Patience is for a training that is still going on; here the whole run is known."),
    wrong("nearly-the-smallest", scores_with(honest=nearly_smallest),
          "the task: the epoch with the smallest validation loss",
          "A loss that is only nearly the smallest is taken for it.",
          "Smaller is smaller, by however little; only equal losses are a tie."),
    wrong("runs-and-epochs-exchanged", lambda loss, score: three_scores(loss.T, score.T),
          "the task: (runs, epochs)",
          "Runs and epochs have changed places: columns are read as runs.",
          "Rows are runs, and along a row the epochs go by."),
    wrong("every-run-at-every-chosen-epoch",
          scores_with(honest=lambda loss, score: np.mean(score[:, np.argmin(loss, axis=1)])), "the task: for each run",
          "The honest score is a mean over all runs at the chosen epochs of all runs.",
          "With `:` beside a list of epochs, every row is taken at every one of them."),
    wrong("last-run", scores_with(last=lambda loss, score: np.mean(score[-1])),
          "the task: (runs, epochs)",
          "For the last score, the mean goes over the epochs of the last run.",
          "Rows are runs. The last epoch of each run stands at the end of its row."),
    wrong("epoch-after-the-chosen", scores_with(honest=lambda loss, score: at(
              score, np.minimum(np.argmin(loss, axis=1) + 1, score.shape[1] - 1)
          )), "notebook 10, section 6: three ways to score a run",
          "The honest score is that of the epoch after the chosen one.",
          "Loss and accuracy of an epoch stand at the same place in their rows; both are counted from 0."),
]  # fmt: skip

EXERCISE = Exercise(
    id="10.9",
    title="One run, three scores",
    function="three_scores",
    minutes=12,
    difficulty=1,
    points=3,
    see="notebook 10, section 6",
    reference=three_scores,
    domain={
        "validation_loss": Array("runs epochs", at_least=0),
        "test_accuracy": Array("runs epochs", at_least=0, at_most=1),
    },
    meets={
        "two epochs share the smallest loss": lambda validation_loss: any(
            np.sum(row == row.min()) == 2 for row in validation_loss
        ),
        "all losses of a run are equal": lambda validation_loss: any(
            len(row) > 1 and np.ptp(row) == 0 for row in validation_loss
        ),
        "the first epoch has the smallest loss": lambda validation_loss: any(
            len(row) > 1 and row[0] < min(row[1:]) for row in validation_loss
        ),
        "the last epoch has the smallest loss": lambda validation_loss: any(
            len(row) > 1 and row[-1] < min(row[:-1]) for row in validation_loss
        ),
        "the smallest loss comes after one that is hardly larger": lambda validation_loss: any(
            0 < min(row[: np.argmin(row)], default=np.inf) - min(row) < 3e-6 for row in validation_loss
        ),
        "the smallest loss comes twenty epochs after a good one": lambda validation_loss: any(
            np.argmin(row) - np.argmin(row[: np.argmin(row)]) > 20 for row in validation_loss if np.argmin(row)
        ),
        "a run never scores 0.3": lambda test_accuracy: any(0 < max(row) < 0.3 for row in test_accuracy),
        "a run scores 0 throughout": lambda test_accuracy: any(max(row) == 0 for row in test_accuracy),
        "all losses of a run are large": lambda validation_loss: any(min(row) > 1e6 for row in validation_loss),
        "the number of runs is even": lambda validation_loss: len(validation_loss) % 2 == 0,
    },
    visible=hidden_scores(np.random.default_rng(17)),
    hidden=hidden_scores,
    accepted=[
        scores_loops,
        scores_take_along,
        scores_index,
        scores_lists,
        scores_min_pairs,
        scores_float32,
        scores_tensors,
    ],
    bank=BANK,
    hints=(
        "Rows are runs. Find three epochs per row, look up three accuracies, and take means over the rows at the end.",
        "Loop over the runs. np.argmin of a row of losses is an epoch, and of equal entries it gives the first.",
        "peeking: the mean of each row's maximum. honest: the mean of test_accuracy[run, epoch of the smallest "
        "validation loss of that run]. last: the mean of the last column.",
    ),
)
