"""06.7 Fresh gradients for patient A."""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np

from coursepkg import optimizers
from coursepkg.grading.specification.domain import Array, Number
from coursepkg.grading.specification.exercise import Exercise, case, wrong

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


def empties_the_parameters(parameters, loss_of, eta):
    """Sets .data to zero where .grad is meant."""
    for parameter in parameters:
        parameter.data = 0.0
    loss_of().backward()
    for parameter in parameters:
        parameter.data -= eta * parameter.grad


def one_gradient_for_all(parameters, loss_of, eta):
    for parameter in parameters:
        parameter.zero_grad()
    loss_of().backward()
    for parameter in parameters:
        parameter.data -= eta * parameters[0].grad


def shares_the_rate(parameters, loss_of, eta):
    for parameter in parameters:
        parameter.zero_grad()
    loss_of().backward()
    for parameter in parameters:
        parameter.data -= eta * parameter.grad / len(parameters)


def leaves_the_last_out(parameters, loss_of, eta):
    for parameter in parameters:
        parameter.zero_grad()
    loss_of().backward()
    for k in range(len(parameters) - 1):
        parameters[k].data -= eta * parameters[k].grad


def stops_at_a_zero_gradient(parameters, loss_of, eta):
    """Takes a gradient of 0 for one that is missing, and leaves the rest where they are."""
    for parameter in parameters:
        parameter.zero_grad()
    loss_of().backward()
    for parameter in parameters:
        if not parameter.grad:
            return
        parameter.data -= eta * parameter.grad


def steps_cut_at_a_hundred(parameters, loss_of, eta):
    for parameter in parameters:
        parameter.zero_grad()
    loss_of().backward()
    for parameter in parameters:
        parameter.data -= eta * max(-100.0, min(100.0, parameter.grad))


def rests_on_a_small_gradient(parameters, loss_of, eta):
    for parameter in parameters:
        parameter.zero_grad()
    loss_of().backward()
    for parameter in parameters:
        if abs(parameter.grad) > 1e-5:
            parameter.data -= eta * parameter.grad


def one_after_the_other(parameters, loss_of, eta):
    """A gradient for each parameter, worked out where the parameters before it have moved already."""
    for parameter in parameters:
        for other in parameters:
            other.zero_grad()
        loss_of().backward()
        parameter.data -= eta * parameter.grad


def keeps_the_first_loss(known):
    """The loss is computed in the first step alone; later ones go backward from where that was."""

    def answer(parameters, loss_of, eta):
        if loss_of not in known:
            known[loss_of] = loss_of()
        for parameter in parameters:
            parameter.zero_grad()
        known[loss_of].backward()
        for parameter in parameters:
            parameter.data -= eta * parameter.grad

    return answer


def quadratic_case(rng, count, eta, steps=4):
    curvatures = [round(float(c), 2) for c in rng.uniform(0.5, 2.0, count)]
    targets = spread(rng, count, low=2.0, high=4.0).tolist()
    coupling = round(float(rng.uniform(0.2, 0.4)), 2)  # so that each gradient depends on all parameters
    return case(spread(rng, count).tolist(), curvatures, targets, eta, steps=steps, coupling=coupling)


def alike_case(rng):
    """Parameters that start at one place and want another one each, so that only their gradients differ."""
    start, curvatures, targets, eta = quadratic_case(rng, 4, 0.3).args
    return case([start[0]] * 4, curvatures, targets, eta, steps=3, coupling=0.2)


def quadratic_edges(rng):
    """One parameter; one step; a first one on which the loss does not depend, and one that stands where it should."""
    start, curvatures, targets, eta = quadratic_case(rng, 4, 0.5).args
    start[1] = targets[1]
    return [
        quadratic_case(rng, 1, 0.3, steps=3),
        quadratic_case(rng, 3, 0.15, steps=1),
        case(start, [0.0, *curvatures[1:3], -0.4], targets, eta, steps=3, coupling=0.0),
        case([1e-7 * x for x in start], curvatures, [1e-7 * t for t in targets], 0.4, steps=3, coupling=0.3),
        case([1e4 * x for x in start], curvatures, [1e4 * t for t in targets], 0.3, steps=3, coupling=0.2),
    ]


_draw = np.random.default_rng(67)

BANK = [
    wrong("earlier-gradients-in-the-step", hoards, "'7 · Five patients'",
          "The first step is right; from then on each step adds the gradients of all earlier ones, as patient A's did.",
          "A step needs the gradient of its own place alone. backward() adds to what is in .grad already; so does a sum"
          " that you keep yourself."),
    wrong("uphill", climbs, "'Phase 4: update'",
          "Parameters move the right distance the wrong way.",
          "The gradient points to where the loss grows."),
    wrong("steps-cut-at-a-hundred", steps_cut_at_a_hundred, "'Phase 4: update'",
          "Right unless a gradient is beyond 100; there the step stays as it is.",
          "Clipping is another rule. A step of gradient descent is as long as the gradient says."),
    wrong("rests-on-a-small-gradient", rests_on_a_small_gradient, "'Phase 4: update'",
          "Right unless gradients are tiny; there nothing moves.",
          "A small gradient makes a small step, and where parameters are small as well, it counts."),
    wrong("nothing-moves", zeroes_too_late, "'The same loop with an engine'",
          "Nothing moves.",
          "An update has to change `.data` itself, and to use gradients that backward() has left and nobody emptied."),
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
          "A second call of backward() adds a second gradient; a factor of 2 in the update does the same."),
    wrong("a-step-for-each-parameter", interleaved, "'Phase 4: update'",
          "There are as many steps as parameters in each call.",
          "One backward pass serves all parameters; the update of all of them is one step."),
    wrong("one-after-the-other", one_after_the_other, "'In which order?'",
          "The first parameter is right after the first step; each further one has felt that those before it moved.",
          "One backward pass gives all gradients at one place. Where one has moved, the others' gradients change."),
    wrong("first-loss-kept", keeps_the_first_loss(WeakKeyDictionary()), "'The same loop with an engine'",
          "The first step is right; every further one is the same step again.",
          "A loss belongs to the place where it was computed. Once the parameters have moved, it is another one."),
    wrong("parameters-emptied", empties_the_parameters, "'The same loop with an engine'",
          "Every step begins with all parameters at zero.",
          "What has to be emptied is what backward() adds to, not what was learned."),
    wrong("one-gradient-for-all", one_gradient_for_all, "'Phase 4: update'",
          "The first parameter is right; the others move as far as the first.",
          "Each parameter has a .grad of its own."),
    wrong("rate-shared-out", shares_the_rate, "'Phase 4: update'",
          "Steps are too short by the number of parameters.",
          "eta is the rate of every parameter; there is nothing to share out."),
    wrong("last-one-left-out", leaves_the_last_out, "'Phase 4: update'",
          "All parameters move except the last.",
          "A range over their number leaves out its end already."),
    wrong("ends-at-a-zero-gradient", stops_at_a_zero_gradient, "'Phase 4: update'",
          "Parameters that come after one with a gradient of zero do not move.",
          "Zero is a gradient like any other: this parameter stays, and the next one has its own."),
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
    domain={
        "start": Array("m"),
        "curvatures": Array("m"),
        "targets": Array("m"),
        "eta": Number(more_than=0),
        "steps": Number(whole=True, at_least=1),
        "coupling": Number(at_least=0),
    },
    meets={
        "a gradient is 0 from the start": lambda start, targets, coupling: (
            coupling == 0 and any(x == t for x, t in zip(start, targets, strict=True))
        ),
        "gradients are tiny": lambda start, targets: max(map(abs, (*start, *targets))) < 1e-5,
        "gradients are large": lambda start: min(map(abs, start)) > 1e3,
        "the loss does not depend on the first parameter": lambda curvatures, coupling: (
            len(curvatures) > 1 and coupling == curvatures[0] == 0
        ),
    },
    visible=[
        quadratic_case(_draw, 2, 0.3),
        quadratic_case(_draw, 3, 0.4),
        quadratic_case(_draw, 4, 0.2),
        *quadratic_edges(_draw),
    ],
    hidden=lambda rng: [
        quadratic_case(rng, 3, 0.3),
        quadratic_case(rng, 2, 0.4),
        quadratic_case(rng, 5, 0.25),
        *quadratic_edges(rng),
        quadratic_case(rng, 8, 0.1, steps=12),
        alike_case(rng),
    ],
    accepted=[
        step_by_method,
        step_cleans_up_after,
        step_zeroes_before_backward,
        step_by_optimizer_class,
        step_by_differences_of_grad,
    ],
    bank=BANK,
    parts={"parts": "step"},
    hints=(
        "Four phases, and one thing before them. Which line that you know from the chapter is missing in patient A?",
        "Set every parameter's .grad to 0.0, then compute the loss and go backward, then move every parameter.",
        "loss_of().backward() does two phases; the update is parameter.data -= eta * parameter.grad for each of them.",
    ),
)
