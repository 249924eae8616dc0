"""06.7 Fresh gradients for patient A."""

from __future__ import annotations

import numpy as np

from coursepkg import optimizers
from coursepkg.grading.spec import Exercise, case, wrong

from .shared import spread


def training_step(parameters, loss_of, eta):
    for parameter in parameters:
        parameter.grad = 0.0
    loss_of().backward()
    for parameter in parameters:
        parameter.data -= eta * parameter.grad


def step_by_method(parameters, loss_of, eta):
    for parameter in parameters:
        parameter.zero_grad()
    loss = loss_of()
    loss.backward()
    for parameter in parameters:
        parameter.data = parameter.data - eta * parameter.grad


def step_cleans_up_after(parameters, loss_of, eta):
    loss = loss_of()
    loss.backward()
    for parameter in parameters:
        parameter.data += -eta * parameter.grad
        parameter.zero_grad()


def step_zeroes_before_backward(parameters, loss_of, eta):
    loss = loss_of()
    [parameter.zero_grad() for parameter in parameters]
    loss.backward()
    steps = [eta * parameter.grad for parameter in parameters]
    for parameter, step in zip(parameters, steps, strict=True):
        parameter.data -= step


def step_by_optimizer_class(parameters, loss_of, eta):
    optimizer = optimizers.GD(parameters, lr=eta)
    optimizer.zero_grad()
    loss_of().backward()
    optimizer.step()


def step_by_differences_of_grad(parameters, loss_of, eta):
    before = [parameter.grad for parameter in parameters]
    loss_of().backward()
    for parameter, old in zip(parameters, before, strict=True):
        parameter.data -= eta * (parameter.grad - old)


def hoards(parameters, loss_of, eta):
    loss_of().backward()
    for parameter in parameters:
        parameter.data -= eta * parameter.grad


def climbs(parameters, loss_of, eta):
    for parameter in parameters:
        parameter.zero_grad()
    loss_of().backward()
    for parameter in parameters:
        parameter.data += eta * parameter.grad


def zeroes_too_late(parameters, loss_of, eta):
    loss_of().backward()
    for parameter in parameters:
        parameter.zero_grad()
    for parameter in parameters:
        parameter.data -= eta * parameter.grad


def zeroes_the_first_only(parameters, loss_of, eta):
    parameters[0].zero_grad()
    loss_of().backward()
    for parameter in parameters:
        parameter.data -= eta * parameter.grad


def moves_the_first_only(parameters, loss_of, eta):
    for parameter in parameters:
        parameter.zero_grad()
    loss_of().backward()
    parameters[0].data -= eta * parameters[0].grad


def forgets_eta(parameters, loss_of, eta):
    for parameter in parameters:
        parameter.zero_grad()
    loss_of().backward()
    for parameter in parameters:
        parameter.data -= parameter.grad


def overwrites(parameters, loss_of, eta):
    for parameter in parameters:
        parameter.zero_grad()
    loss_of().backward()
    for parameter in parameters:
        parameter.data = -eta * parameter.grad


def backward_twice(parameters, loss_of, eta):
    for parameter in parameters:
        parameter.zero_grad()
    loss_of().backward()
    loss_of().backward()
    for parameter in parameters:
        parameter.data -= eta * parameter.grad


def interleaved(parameters, loss_of, eta):
    for _ in parameters:
        for other in parameters:
            other.zero_grad()
        loss_of().backward()
        for other in parameters:
            other.data -= eta * other.grad


def quadratic_case(rng, count, eta):
    curvatures = [round(float(c), 2) for c in rng.uniform(0.5, 2.0, count)]
    return case(spread(rng, count).tolist(), curvatures, spread(rng, count, low=2.0, high=4.0).tolist(), eta, steps=4)


_draw = np.random.default_rng(67)

BANK = [
    wrong("never-emptied", hoards, "'7 · Five patients'",
          "The first step is right; from then on steps are too long, as patient A's were.",
          "backward() adds to what is in .grad, and the gradients of earlier steps are still there."),
    wrong("uphill", climbs, "'Phase 4: update'",
          "Parameters move the right distance the wrong way.",
          "The gradient points to where the loss grows."),
    wrong("emptied-before-use", zeroes_too_late, "'The same loop with an engine'",
          "Nothing moves.",
          "Between backward() and the update the gradients were set to zero."),
    wrong("one-parameter-emptied", zeroes_the_first_only, "'The same loop with an engine'",
          "The first parameter is right; the others take too long steps after the first one.",
          "Every parameter has a .grad of its own, and each has to be emptied."),
    wrong("one-parameter-moved", moves_the_first_only, "'Phase 4: update'",
          "Only the first parameter moves.",
          "All parameters learn, each with its own gradient."),
    wrong("no-learning-rate", forgets_eta, "'Phase 4: update'",
          "Steps are too long by one over eta.",
          "The gradient says which way and how steep; how far to go is decided by eta."),
    wrong("replaces-the-parameter", overwrites, "'Phase 4: update'",
          "The parameters hold the steps themselves.",
          "A step is added to where the parameter was."),
    wrong("gradient-computed-twice", backward_twice, "'The same loop with an engine'",
          "Steps are twice as long as they should be.",
          "Two calls of backward() add up two gradients."),
    wrong("a-step-for-each-parameter", interleaved, "'Phase 4: update'",
          "There are as many steps as parameters in each call.",
          "One backward pass serves all parameters; the update of all of them is one step."),
]  # fmt: skip

EXERCISE = Exercise(
    id="06.7",
    title="Fresh gradients for patient A",
    function="training_step",
    minutes=6,
    difficulty=1,
    points=2,
    see="notebook 06, 'The same loop with an engine'",
    driver="training_step",
    reference=training_step,
    visible=[quadratic_case(_draw, 2, 0.3), quadratic_case(_draw, 3, 0.4), quadratic_case(_draw, 4, 0.2)],
    hidden=lambda rng: [quadratic_case(rng, 3, 0.3), quadratic_case(rng, 2, 0.4), quadratic_case(rng, 5, 0.25)],
    accepted=[
        step_by_method,
        step_cleans_up_after,
        step_zeroes_before_backward,
        step_by_optimizer_class,
        step_by_differences_of_grad,
    ],
    bank=BANK,
    hints=(
        "Four phases, and one thing before them. Which line that you know from the chapter is missing in patient A?",
        "Set every parameter's .grad to 0.0, then compute the loss and go backward, then move every parameter.",
        "loss_of().backward() does two phases; the update is parameter.data -= eta * parameter.grad for each of them.",
    ),
)
