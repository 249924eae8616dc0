"""What several exercises of chapter 03 use."""

from __future__ import annotations

import numpy as np


def numbers(rng, shape, low=0.3, high=2.5):
    """Numbers of both signs, none of them near zero, with few digits so that feedback reads well."""
    return (rng.choice([-1.0, 1.0], shape) * rng.uniform(low, high, shape)).round(2)


def rate(rng, low=0.1, high=0.6):
    return round(float(rng.uniform(low, high)), 3)


def last_place_only(answer):
    """One array for all places, moved in place and appended in each step: in the end all are the last place."""

    def wrong(*args):
        places = answer(*args)
        return np.array([places[-1]] * len(places))

    return wrong


def one_place_late(answer):
    """Each place is kept before its step is made."""

    def wrong(theta, *args):
        return np.array([theta, *answer(theta, *args)[:-1]])

    return wrong


def start_among_the_places(answer):
    """The start stands in front of the places."""

    def wrong(theta, *args):
        return np.array([theta, *answer(theta, *args)])

    return wrong


def sigmoid(z):
    return 1 / (1 + np.exp(-z))
