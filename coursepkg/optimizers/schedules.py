"""Learning rates that change on the way: functions from the number of steps taken to η.

Give one to an optimizer in place of the number, ``Adam(parameters, lr=cosine(1e-3, steps=500))``.
"""

from __future__ import annotations

import math

from coursepkg.optimizers.base import Schedule


def constant(lr: float) -> Schedule:
    """The same rate always, as a schedule, so that :func:`warm_up` can begin with it."""
    return lambda step: lr


def step_decay(lr: float, *, every: int, factor: float = 0.1) -> Schedule:
    """Multiply the rate by ``factor`` after each ``every`` steps (PyTorch's ``StepLR``).

    Parameters
    ----------
    lr : float
        Rate at the start.
    every : int
        Steps between two drops.
    factor : float
        Size of a drop.
    """
    if every < 1:
        raise ValueError(f"every must be at least 1 step, got {every}")
    return lambda step: lr * factor ** (step // every)


def cosine(lr: float, *, steps: int, minimum: float = 0.0) -> Schedule:
    """Fall along half a cosine from ``lr`` to ``minimum``, then stay there (Loshchilov and Hutter, 2017, eq. 5).

    Parameters
    ----------
    lr : float
        Rate at the start.
    steps : int
        Steps until the minimum.
    minimum : float
        Rate at the end.
    """
    if steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps}")
    return lambda step: minimum + (lr - minimum) * (1.0 + math.cos(math.pi * min(step / steps, 1.0))) / 2.0


def linear_decay(lr: float, *, steps: int, minimum: float = 0.0) -> Schedule:
    """Fall in a straight line from ``lr`` to ``minimum``, then stay there; with :func:`warm_up`, BERT's schedule.

    Parameters
    ----------
    lr : float
        Rate at the start.
    steps : int
        Steps until the minimum.
    minimum : float
        Rate at the end.

    Examples
    --------
    >>> from coursepkg.optimizers import linear_decay, warm_up
    >>> rate = warm_up(linear_decay(0.8, steps=4), steps=2)
    >>> [round(rate(step), 2) for step in range(7)]
    [0.4, 0.8, 0.8, 0.6, 0.4, 0.2, 0.0]
    """
    if steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps}")
    return lambda step: minimum + (lr - minimum) * (1.0 - min(step / steps, 1.0))


def warm_up(schedule: Schedule, *, steps: int) -> Schedule:
    """Climb in a straight line to the first rate of ``schedule``, then follow it from its beginning.

    Parameters
    ----------
    schedule : callable
        What comes afterwards.
    steps : int
        Length of the climb; its first step has ``1 / steps`` of the full rate.

    Examples
    --------
    >>> from coursepkg.optimizers import constant, warm_up
    >>> rate = warm_up(constant(0.8), steps=4)
    >>> [round(rate(step), 2) for step in range(6)]
    [0.2, 0.4, 0.6, 0.8, 0.8, 0.8]
    """
    if steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps}")
    return lambda step: schedule(0) * (step + 1) / steps if step < steps else schedule(step - steps)
