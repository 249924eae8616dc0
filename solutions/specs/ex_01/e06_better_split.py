"""01.6 One step down the regret."""

from __future__ import annotations

import numpy as np

from coursepkg.autodiff.scalar import Scalar
from coursepkg.autodiff.tensor import Tensor
from coursepkg.grading.specification.domain import Array, Number
from coursepkg.grading.specification.exercise import Exercise, case, wrong


def _split_gradient(shares, rates, budget, guests):
    portions = budget * sum(s * r for s, r in zip(shares, rates, strict=True))
    return [2 * (portions - guests) * budget * r for r in rates]


def _moved(shares, gradient, eta):
    mean = sum(gradient) / len(gradient)
    return [s - eta * (g - mean) for s, g in zip(shares, gradient, strict=True)]


def step_reference(shares, rates, budget, guests, eta):
    return np.array(_moved(shares, _split_gradient(shares, rates, budget, guests), eta))


def step_by_scalar(shares, rates, budget, guests, eta):
    leaves = [Scalar(s) for s in shares]
    portions = sum((leaf * r * budget for leaf, r in zip(leaves, rates, strict=True)), Scalar(0.0))
    ((portions - guests) ** 2).backward()
    mean = sum(leaf.grad for leaf in leaves) / len(leaves)
    return [leaf.data - eta * (leaf.grad - mean) for leaf in leaves]


def step_by_tensor(shares, rates, budget, guests, eta):
    split = Tensor(shares, requires_grad=True)
    ((budget * (split * np.array(rates)).sum() - guests) ** 2).backward()
    return split - eta * (split.grad - split.grad.mean())


def step_by_array(shares, rates, budget, guests, eta):
    shares, rates = np.array(shares), np.array(rates)
    gradient = 2 * budget * (budget * shares @ rates - guests) * rates
    return shares - eta * (gradient - gradient.mean())


def step_by_projection(shares, rates, budget, guests, eta):
    n = len(shares)
    keep_the_sum = np.eye(n) - np.ones((n, n)) / n
    return np.array(shares) - eta * keep_the_sum @ np.array(_split_gradient(shares, rates, budget, guests))


def step_by_differences(shares, rates, budget, guests, eta):
    def regret(split):
        return (budget * sum(s * r for s, r in zip(split, rates, strict=True)) - guests) ** 2

    h = 1e-4
    gradient = []
    for i in range(len(shares)):
        up, down = list(shares), list(shares)
        up[i] += h
        down[i] -= h
        gradient.append((regret(up) - regret(down)) / (2 * h))
    return tuple(_moved(shares, gradient, eta))


def step_one_after_the_other(shares, rates, budget, guests, eta):
    now = list(shares)
    for i in range(len(now)):
        gradient = _split_gradient(now, rates, budget, guests)
        now[i] = now[i] - eta * (gradient[i] - sum(gradient) / len(gradient))
    return now


def step_renormalised(shares, rates, budget, guests, eta):
    gradient = _split_gradient(shares, rates, budget, guests)
    stepped = [s - eta * g for s, g in zip(shares, gradient, strict=True)]
    return [s / sum(stepped) for s in stepped]


def step_with_weighted_mean(shares, rates, budget, guests, eta):
    gradient = _split_gradient(shares, rates, budget, guests)
    mean = sum(s * g for s, g in zip(shares, gradient, strict=True))
    return [s - eta * (g - mean) for s, g in zip(shares, gradient, strict=True)]


def step_with_rates_by_share(shares, rates, budget, guests, eta):
    """Looks each dish up by its share."""
    gradient = _split_gradient(shares, rates, budget, guests)
    mean = sum(gradient) / len(gradient)
    return [s - eta * (gradient[shares.index(s)] - mean) for s in shares]


def step_keeping_the_mean(shares, rates, budget, guests, eta):
    gradient = _split_gradient(shares, rates, budget, guests)
    return [s - eta * sum(gradient) / len(gradient) for s in shares]


def step_cut_at_zero(shares, rates, budget, guests, eta):
    return [max(s, 0.0) for s in step_reference(shares, rates, budget, guests, eta)]


def step_cut_first(shares, rates, budget, guests, eta):
    gradient = _split_gradient(shares, rates, budget, guests)
    stepped = [max(0.0, s - eta * g) for s, g in zip(shares, gradient, strict=True)]
    return [s - (sum(stepped) - 1) / len(stepped) for s in stepped]


def step_edges(rng):
    """One dish; dishes without budget that lose and gain; one that makes nothing; equal shares; enough for all.

    Also a dinner with too much, to which a dish without budget adds; a share that rises above 1; nothing to eat.
    """
    low, high = (round(float(x), 3) for x in (rng.uniform(0.3, 0.7), rng.uniform(1.2, 2.1)))
    share, budget = round(float(rng.uniform(0.15, 0.4)), 3), round(float(rng.uniform(10.0, 40.0)), 1)
    eta = float(f"{0.02 / budget**2:.2g}")
    halves = [0.25, 0.5, 0.25]  # sums of these are exact, so that enough is exactly enough
    return [
        case([1.0], [high], budget, round(1.3 * budget * high), eta),
        case(
            [0.0, 1 - share, share, 0.0], [low, high, low + 0.05, high + 0.3], budget, round(1.6 * budget * high), eta
        ),
        case([share, 0.5 - share, 0.5 - share, share], [high, low, 0.0, low], budget, round(budget * low, 2), eta),
        case(halves, [1.75, 0.5, 1.25], 24.0, 24.0, eta),
        case([0.0, share, 1 - share], [high, low, high + 0.4], budget, round(0.6 * budget * high, 1), eta),
        case([0.985, 0.015], [high, low], budget, round(2.2 * budget * high, 1), eta),
        case([share, 1 - share], [0.0, 0.0], budget, round(1.4 * budget), eta),
        *step_extremes(rng),
    ]


def step_extremes(rng):
    """Four thousandths of a guest too many; a step that overshoots by far; forty dishes."""
    raw = rng.uniform(0.5, 1.5, size=40)
    shares, rates = np.round(raw / raw.sum(), 4), np.round(rng.uniform(0.4, 2.5, size=40), 2)
    shares[-1] = round(1 - float(shares[:-1].sum()), 4)
    gap = float(rng.uniform(0.003, 0.005))
    return [
        case([0.25, 0.5, 0.25], [1.75, 0.5, 1.25], 24.0, round(24 - gap, 4), 0.013),
        case([0.25, 0.5, 0.25], [1.75, 0.5, 1.25], 24.0, 33.0, float(f"{rng.uniform(0.05, 0.09):.2g}")),
        case(shares.tolist(), rates.tolist(), 31.0, 45.0, 2e-5),
    ]


def step_close_enough(shares, rates, budget, guests, eta):
    if abs(budget * np.dot(shares, rates) - guests) < 0.01:
        return shares
    return step_reference(shares, rates, budget, guests, eta)


_draw = np.random.default_rng(16)


def step_hidden(rng):
    cases = []
    for count in (2, 3, 4, 5):
        raw = rng.uniform(0.5, 1.5, size=count)
        shares = np.round(raw / raw.sum(), 3)
        shares[-1] = round(1.0 - float(shares[:-1].sum()), 3)
        rates = np.round(rng.uniform(0.4, 2.5, size=count), 2)
        budget = round(float(rng.uniform(10.0, 40.0)), 1)
        portions = float(budget * shares @ rates)
        guests = round(portions * float(rng.uniform(0.6, 0.85) if count % 2 else rng.uniform(1.15, 1.4)))
        eta = float(f"{0.02 / budget**2:.2g}")
        cases.append(case(shares.tolist(), rates.tolist(), budget, float(guests), eta))
    return [*cases, *step_edges(rng)]


BANK = [
    wrong("uphill", lambda shares, rates, budget, guests, eta: _moved(
              shares, _split_gradient(shares, rates, budget, guests), -eta
          ), "'One step'. Which sign stands in front of the step size?",
          "The step goes uphill: the regret grows.",
          "The gradient points to where the regret increases fastest. A repair walks the other way."),
    wrong("forgets-two", lambda shares, rates, budget, guests, eta: _moved(
              shares, _split_gradient(shares, rates, budget, guests), eta / 2
          ), "'The backward question'. The first link goes back from the regret to the portions.",
          "The step is half as long as it should be.",
          "The regret is a square, and the derivative of u² is 2u."),
    wrong("forgets-the-miss",
          lambda shares, rates, budget, guests, eta: _moved(shares, [budget * r for r in rates], eta),
          "'Repairing a dinner'. Downstream = upstream × local.",
          "The step does not depend on how far dinner fell short.",
          "budget × rate is only the last part of the chain: portions per share. What the regret asks for comes "
          "from upstream and multiplies it."),
    wrong("forgets-budget", lambda shares, rates, budget, guests, eta: _moved(
              shares, [g / budget for g in _split_gradient(shares, rates, budget, guests)], eta
          ), "'Repairing a dinner'. The chain share → coins → portions. How many coins is one share?",
          "The budget is missing in the gradient.",
          "A share is a fraction. Raising it by 0.01 moves 0.01 × budget coins."),
    wrong("spends-more-than-it-has", lambda shares, rates, budget, guests, eta: [
              s - eta * g for s, g in zip(shares, _split_gradient(shares, rates, budget, guests), strict=True)
          ], "'Repairing a dinner'. A coin more here is a coin less elsewhere, so take the mean out of the gradient.",
          "The new shares do not add up to 1.",
          "The plain gradient wants more (or less) of everything, because it does not know that a coin can be "
          "spent only once."),
    wrong("renormalises", step_renormalised,
          "'Repairing a dinner'. Take the mean out of the gradient before the step, not out of the shares after it.",
          "The shares are stepped freely and then divided by their sum.",
          "They add up to 1 again, but the direction is no longer the steepest one that keeps the sum: dividing "
          "moves every share once more."),
    wrong("returns-the-gradient", lambda shares, rates, budget, guests, eta: _moved(
              [0.0] * len(shares), _split_gradient(shares, rates, budget, guests), -1.0
          ), "'One step'. The answer is new shares, which add up to 1.",
          "This is the gradient (its mean taken out), not the new split.",
          "The gradient says which way; the answer is where you are after the step."),
    wrong("one-after-the-other", step_one_after_the_other,
          "'One step'. Compute the whole gradient first, then move all shares.",
          "The shares are changed one after the other, each seeing the changes before it.",
          "All entries of a gradient belong to one point. Once the first share has moved, the others are told "
          "about a dinner that was never cooked."),
    wrong("mean-weighted-by-shares", step_with_weighted_mean,
          "'Repairing a dinner'. What keeps the sum of the shares as it is?",
          "From the gradient its mean over the coins is taken, not the mean over the dishes.",
          "Each dish counts once in this mean, whatever it gets of the budget; else the sum of the shares changes."),
    wrong("as-many-guests-too-many", lambda shares, rates, budget, guests, eta: _moved(
              shares, [-abs(g) for g in _split_gradient(shares, rates, budget, guests)], eta
          ), "'Repairing a dinner'. What does the regret ask for if there is too much?",
          "The dishes that make most gain even when there are portions to spare.",
          "The miss has a sign: too few portions push one way, too many the other way."),
    wrong("cut-at-zero", step_cut_at_zero,
          "'One step'. The docstring says what may happen to a share.",
          "A share that falls below zero is set to zero.",
          "A single step of the formula does not know that shares have a floor. Cut off, they no longer add up to 1."),
    wrong("cut-at-one", lambda *inputs: [min(s, 1.0) for s in step_reference(*inputs)],
          "'One step'. What do the new shares add up to?",
          "A share that rises above one is set to one.",
          "A single step of the formula does not know that shares have a ceiling. Cut off, they do not add up to 1."),
    wrong("close-enough", step_close_enough, "'One step'. When does the gradient vanish?",
          "Where portions and guests nearly agree, nothing moves.",
          "A small miss makes a small gradient, and the step is as long as eta makes it. Only no miss at all moves"
          " nothing."),
    wrong("kept-near-the-budget", lambda *inputs: np.clip(step_reference(*inputs), -1.0, 2.0),
          "'One step'. What do the new shares add up to?",
          "A share that moved far was set back.",
          "A single step may go as far as eta takes it. Set back, the shares do not add up to 1."),
    wrong("free-step-cut-first", step_cut_first,
          "'Repairing a dinner'. Take the mean out of the gradient before the step, not out of the shares after it.",
          "The shares are stepped freely, cut at zero, and what is too much is taken from all of them alike.",
          "What was cut off is missing when the excess is worked out, so every share ends a little elsewhere."),
    wrong("looked-up-by-share", step_with_rates_by_share,
          "'One step'. What does `index` find if two shares are equal?",
          "Where two shares are equal, the second dish moves like the first.",
          "Two dishes may have the same share. Go through shares and rates together."),
    wrong("keeps-the-mean", step_keeping_the_mean,
          "'Repairing a dinner'. Which part of the gradient is stepped against?",
          "All shares move by the same amount.",
          "The mean is the part that would change the sum. It is taken out, and what is left is stepped against."),
]  # fmt: skip

EXERCISE = Exercise(
    id="01.6",
    title="One step down the regret",
    function="better_split",
    minutes=12,
    difficulty=3,
    points=3,
    see="notebook 01, 'Repairing a dinner'",
    reference=step_reference,
    domain={
        "shares": Array("n", at_least=0),
        "rates": Array("n", at_least=0),
        "budget": Number(more_than=0),
        "guests": Number(more_than=0),
        "eta": Number(more_than=0),
    },
    meets={
        "too few portions": lambda shares, rates, budget, guests: budget * np.dot(shares, rates) < guests,
        "too many portions": lambda shares, rates, budget, guests: budget * np.dot(shares, rates) > guests,
        "enough portions": lambda shares, rates, budget, guests: budget * np.dot(shares, rates) == guests,
        "a share falls below zero": lambda shares, rates, budget, guests, eta: (
            step_reference(shares, rates, budget, guests, eta).min() < 0
        ),
        "a share rises above 1": lambda shares, rates, budget, guests, eta: (
            step_reference(shares, rates, budget, guests, eta).max() > 1
        ),
        "too many portions, and a dish without budget": lambda shares, rates, budget, guests: (
            0 in shares and budget * np.dot(shares, rates) > guests
        ),
        "no dish makes anything": lambda rates: len(rates) > 1 and not any(rates),
        "a share falls far below zero": lambda shares, rates, budget, guests, eta: (
            step_reference(shares, rates, budget, guests, eta).min() < -2
        ),
        "portions and guests nearly agree": lambda shares, rates, budget, guests: (
            0 < abs(budget * np.dot(shares, rates) - guests) < 0.006
        ),
        "there are many dishes": lambda shares: len(shares) > 30,
        "two shares are equal": lambda shares: len(set(shares)) < len(shares),
        "two rates are equal": lambda rates: len(set(rates)) < len(rates),
    },
    always={"the shares add up to 1": lambda shares: abs(sum(shares) - 1) < 1e-9},
    visible=[
        case([0.5, 0.5], [2.0, 0.5], 20.0, 32.0, 1e-4),
        case([0.2, 0.5, 0.3], [1.8, 0.6, 1.1], 30.0, 24.0, 5e-5),
        case([0.4, 0.1, 0.3, 0.2], [0.9, 2.2, 1.3, 0.5], 25.0, 33.0, 4e-5),
        *step_edges(_draw),
    ],
    hidden=step_hidden,
    accepted=[
        step_by_scalar,
        step_by_tensor,
        step_by_array,
        step_by_projection,
        step_by_differences,
        lambda shares, rates, budget, guests, eta: [
            s - eta * 2 * (budget * np.dot(shares, rates) - guests) * budget * (r - np.mean(rates))
            for s, r in zip(shares, rates, strict=True)
        ],
        lambda *inputs: np.asarray(step_reference(*inputs), dtype=np.float32),
    ],
    bank=BANK,
    hints=(
        "Go backward link by link: regret → portions → coins for a dish → its share. Multiply the rates.",
        "The gradient for share i is 2 (portions − guests) · budget · rates[i]. Then keep the sum of the shares: "
        "subtract the mean of the gradient.",
        "Build the whole list g first, with g[i] = 2 * (portions - guests) * budget * rates[i]. Work out its mean. "
        "Each new share is the old one minus eta times (g[i] minus that mean).",
    ),
)
