"""What several exercises of chapter 04 use."""

from __future__ import annotations

import math

import numpy as np


def numbers(rng, *shape, low=0.4, high=2.5):
    """Numbers of both signs, none of them near zero, with few digits so that feedback reads well."""
    return (rng.choice([-1.0, 1.0], size=shape) * rng.uniform(low, high, size=shape)).round(3)


def nearly_flat(steps, sign=1):
    """Where tanh is so many steps of float32 away from 1 or -1: there float32 knows its slope as well."""
    return sign * math.atanh(1 - steps * 2**-24)


def nearly_decided(steps):
    """How far a logit must lie below another, so that e to it is so many steps of float32 beside 1."""
    return -math.log(steps * 2**-23)


def sixteenths(x):
    """The nearest multiples of 1/16: near 1000 they are exact in float32, and so are their differences."""
    return np.round(16 * x) / 16
