"""Argument checks that several rooms of the package share, with messages written for a learner."""

from __future__ import annotations

import numpy as np


def check_rng(rng: object) -> np.random.Generator:
    """Return ``rng`` if it is a NumPy generator, otherwise say how to make one.

    Raises
    ------
    TypeError
        If ``rng`` is a seed, ``None``, the legacy ``RandomState`` or anything else.
    """
    if isinstance(rng, np.random.Generator):
        return rng
    hint = f"np.random.default_rng({rng})" if isinstance(rng, int) else "np.random.default_rng(0)"
    raise TypeError(f"rng must be a numpy.random.Generator, got {type(rng).__name__}. Try rng={hint}.")
