"""09.9 Perturb what the units say."""

from __future__ import annotations

import numpy as np

from coursepkg.autodiff.tensor import Tensor
from coursepkg.grading.specification.domain import Array
from coursepkg.grading.specification.exercise import Exercise, case, wrong

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


def activity_tensor(x, noise, slopes):
    """The gradient of sum(credit * (x W^T)) / B, as the engine finds it."""
    weight = Tensor(np.zeros((noise.shape[1], x.shape[1])), requires_grad=True)
    ((Tensor(x) @ weight.T) * (slopes[:, None] * noise)).sum().backward()
    return weight.grad / len(x)


def last_example_only(x, noise, slopes):
    for n in range(len(x)):
        gradient = slopes[n] * np.outer(noise[n], x[n])
    return gradient / len(x)


def do_not_cancel(x, noise, slopes):
    """Whether no entry is nearly nothing beside what the examples add to it, since that would cost digits."""
    most = activity_gradient(abs(x), abs(noise), abs(slopes))
    return bool((abs(activity_gradient(x, noise, slopes)) >= 0.1 * most).all())


def activity_case(rng, B, p, q, change=lambda *arrays: arrays):
    while True:
        x, noise, slopes = change(array(rng, B, p), array(rng, B, q), array(rng, B))
        if do_not_cancel(x, noise, slopes):
            return case(x, noise, slopes)


def with_zeros(x, noise, slopes):
    x[1, 0] = noise[3, 2] = slopes[2] = 0.0
    return x, noise, slopes


def activity_edges(rng):
    """Zeros, as many examples as outputs, as inputs, and as both; one example, one input, one output."""
    shapes = ((3, 2, 3), (4, 4, 2), (3, 3, 3), (1, 3, 2), (5, 1, 2), (3, 4, 1))
    return [activity_case(rng, 5, 2, 3, with_zeros), *(activity_case(rng, *shape) for shape in shapes)]


def usual_activity(rng):
    return [activity_case(rng, *shape) for shape in ((4, 3, 2), (3, 2, 5), (6, 4, 3), (4, 3, 2))]


def hidden_activity(rng):
    more = ((4, 1, 1), (1, 1, 3), (1, 3, 1), (4, 2, 4), (3, 2, 2))
    return [
        *usual_activity(rng),
        *activity_edges(rng),
        *(activity_case(rng, *shape) for shape in more),
        activity_case(rng, 5, 2, 3, lambda x, noise, slopes: (x, np.sign(noise).astype(int), slopes)),
        activity_case(rng, 4, 3, 3, lambda x, noise, slopes: (x, x.copy(), slopes)),
    ]


BANK = [
    wrong("one-slope-for-all", lambda x, noise, slopes: np.mean(slopes) * noise.T @ x / len(x),
          "notebook 09, section 9: keep the slopes apart",
          "Every example was multiplied by the mean slope.",
          "Each example knows how its own loss moved; mixing them first throws that away."),
    wrong("sum-over-the-batch", lambda x, noise, slopes: (slopes[:, None] * noise).T @ x,
          "notebook 09, section 9, and the task: the mean of the losses",
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
    wrong("last-example-only", last_example_only, "notebook 09, section 9: one product per example",
          "Only the last example is in your gradient.",
          "A name that is set anew in each round of a loop forgets the rounds before."),
    wrong("projection", lambda x, noise, slopes: (
              (slopes[:, None] * noise / np.sum(noise**2, axis=1, keepdims=True)).T @ x / len(x)
          ), "notebook 09, section 2, 'Multiply by the direction you walked'",
          "Each row of the noise was divided by its squared length.",
          "For one example that is the nearest guess, but the mean of such guesses is too short."),
    wrong("mean-over-outputs-too", lambda x, noise, slopes: (slopes[:, None] * noise).T @ x / noise.size,
          "the task: the mean over the examples",
          "The gradient was divided by the number of outputs as well.",
          "The mean goes over the examples alone. Each output has its own row of the gradient."),
    wrong("turned-downhill", lambda x, noise, slopes: -(slopes[:, None] * noise).T @ x / len(x),
          "notebook 09, section 2, 'Multiply by the direction you walked'",
          "The gradient has the opposite sign.",
          "The sign of a step downhill belongs to the step. What is estimated here is the gradient."),
    wrong("slopes-by-output", lambda x, noise, slopes: (slopes * noise).T @ x / len(x),
          "the task: each example's own loss",
          "Where there are as many examples as outputs, the slopes went to the outputs; elsewhere it could not run.",
          "NumPy lines up the last axes of two arrays. The slopes belong to the first axis of the noise."),
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
    domain={"x": Array("B p"), "noise": Array("B q"), "slopes": Array("B")},
    meets={
        "as many examples as outputs": lambda noise: noise.shape[0] == noise.shape[1] > 1,
        "as many inputs as outputs": lambda x, noise: x.shape[1] == noise.shape[1] > 1,
        "as many examples as inputs": lambda x: x.shape[0] == x.shape[1] > 1,
    },
    always={"the examples do not nearly cancel each other": do_not_cancel},
    integers=True,
    visible=[*usual_activity(np.random.default_rng(5)), *activity_edges(np.random.default_rng(99))],
    hidden=hidden_activity,
    accepted=[
        activity_loop,
        activity_einsum,
        activity_mean,
        activity_lists,
        activity_diagonal,
        activity_tensor,
        activity_float32,
    ],
    bank=BANK,
    hints=(
        "One example first: its output was shaken by noise[n], its loss answered with slopes[n], its input was x[n].",
        "The estimate of that example's gradient at the outputs is slopes[n] * noise[n]; the weight gets the outer "
        "product with x[n], as in backpropagation.",
        "Weight the rows of the noise by the slopes, multiply its transpose by x, and divide by the number of rows.",
    ),
)
