"""09.9 Perturb what the units say."""

from __future__ import annotations

import numpy as np

from coursepkg.grading.spec import Exercise, case, wrong

from .shared import array


def activity_gradient(x, noise, slopes):
    return (slopes[:, None] * noise).T @ x / len(x)


def activity_loop(x, noise, slopes):
    total = np.zeros((noise.shape[1], x.shape[1]))
    for n in range(len(x)):
        total += slopes[n] * np.outer(noise[n], x[n])
    return total / len(x)


def activity_einsum(x, noise, slopes):
    return np.einsum("n,ni,nj->ij", slopes, noise, x) / x.shape[0]


def activity_mean(x, noise, slopes):
    return np.mean(slopes[:, None, None] * noise[:, :, None] * x[:, None, :], axis=0)


def activity_lists(x, noise, slopes):
    rows, q, p = len(x), len(noise[0]), len(x[0])
    return [[sum(slopes[n] * noise[n][i] * x[n][j] for n in range(rows)) / rows for j in range(p)] for i in range(q)]


def activity_diagonal(x, noise, slopes):
    return noise.T @ np.diag(slopes / len(slopes)) @ x


def activity_float32(x, noise, slopes):
    return activity_gradient(*(np.asarray(part, np.float32) for part in (x, noise, slopes)))


def hidden_activity(rng):
    return [case(array(rng, B, p), array(rng, B, q), array(rng, B)) for B, p, q in ((4, 3, 2), (3, 2, 5), (6, 4, 3))]


BANK = [
    wrong("one-slope-for-all", lambda x, noise, slopes: np.mean(slopes) * noise.T @ x / len(x),
          "notebook 09, section 9: keep the slopes apart",
          "Every example was multiplied by the mean slope.",
          "Each example knows how its own loss moved; mixing them first throws that away."),
    wrong("sum-over-the-batch", lambda x, noise, slopes: (slopes[:, None] * noise).T @ x,
          "the task: the mean of the losses",
          "The gradient is larger by the number of examples.",
          "The loss is the mean over the batch."),
    wrong("gradient-lying-down", lambda x, noise, slopes: x.T @ (slopes[:, None] * noise) / len(x),
          "the task: shape (q, p)",
          "The gradient is transposed.",
          "A gradient has the shape of its weight: outputs by inputs."),
    wrong("slopes-forgotten", lambda x, noise, slopes: noise.T @ x / len(x),
          "notebook 09, section 2: multiply by the direction",
          "The slopes are missing.",
          "The noise alone says what was tried, not whether it helped."),
    wrong("noise-forgotten", lambda x, noise, slopes: np.outer(np.ones(noise.shape[1]), slopes @ x / len(x)),
          "notebook 09, section 9: credit",
          "All rows of the gradient are the same: the noise is missing.",
          "A slope goes to a unit with the sign of what that unit tried."),
    wrong("means-multiplied", lambda x, noise, slopes: np.outer((slopes[:, None] * noise).mean(axis=0), x.mean(axis=0)),
          "notebook 09, section 9: one product per example",
          "The batch was averaged before the product was taken.",
          "The mean of products is not the product of means."),
    wrong("only-the-sign-of-the-slope", lambda x, noise, slopes: (np.sign(slopes)[:, None] * noise).T @ x / len(x),
          "notebook 09, section 2",
          "Only the signs of the slopes were used.",
          "How much the loss moved counts as well: the estimate must be right on average."),
]  # fmt: skip

EXERCISE = Exercise(
    id="09.9",
    title="Perturb what the units say",
    function="activity_gradient",
    minutes=12,
    difficulty=2,
    points=3,
    see="notebook 09, section 9",
    reference=activity_gradient,
    visible=hidden_activity(np.random.default_rng(5)),
    hidden=hidden_activity,
    accepted=[activity_loop, activity_einsum, activity_mean, activity_lists, activity_diagonal, activity_float32],
    bank=BANK,
    hints=(
        "One example first: its output was shaken by noise[n], its loss answered with slopes[n], its input was x[n].",
        "The estimate of that example's gradient at the outputs is slopes[n] * noise[n]; the weight gets the outer "
        "product with x[n], as in backpropagation.",
        "Weight the rows of the noise by the slopes, multiply its transpose by x, and divide by the number of rows.",
    ),
)
