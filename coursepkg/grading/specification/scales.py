"""Cases at other scales: an argument in which the answer is linear may be tiny or huge, and most authors give neither.

An answer that drops what is small, rounds, or clips what is large passes a check whose numbers all lie around one. So
where the reference gives half the answer for half the argument, one case is made a million times smaller, and one a
million times larger.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from coursepkg.grading.judging.arguments import copied
from coursepkg.grading.judging.values import difference, is_number, leaves, map_numbers
from coursepkg.grading.specification.boundaries import entries_of, like
from coursepkg.grading.specification.domain import Argument, Number, Values, outside

SCALES = (1e-6, 1e6)
_RTOL = 1e-9
_LARGE = 1e100  # there, products overflow
Scaled = tuple[str, float]  # an argument, and what it is multiplied by


def at_scales(
    domain: Mapping[str, Argument], cases: Sequence[Values], answer: Callable[[Values], Any]
) -> Iterator[tuple[Scaled, Values]]:
    """Cases in which one argument has another scale, and which, for each argument in which the answer is linear.

    Parameters
    ----------
    domain : mapping of str to Argument
        As in a specification.
    cases : sequence of dict
        The arguments of each case by name.
    answer : callable
        What the reference gives for a case, as plain data; None if that is no number.
    """
    for name, argument in domain.items():
        if not isinstance(argument, Number) or argument.whole:
            continue
        linear = [case for case in cases if _scaled(domain, name, case, 0.5, answer) is not None]
        if len(linear) < max(2, 0.6 * len(cases)):  # by chance; the others hold zeros
            continue
        for scale in SCALES:
            new = scaled(domain, linear, name, scale, answer)
            if new is not None:
                yield (name, scale), new


def scaled(
    domain: Mapping[str, Argument], cases: Sequence[Values], name: str, scale: float, answer: Callable[[Values], Any]
) -> Values | None:
    """The first case that can have an argument times ``scale``, with it; the others as in ``at_scales``."""
    return next((new for case in cases if (new := _scaled(domain, name, case, scale, answer)) is not None), None)


def _scaled(
    domain: Mapping[str, Argument], name: str, case: Values, scale: float, answer: Callable[[Values], Any]
) -> Values | None:
    """The case with an argument times ``scale``; None if it leaves the domain or the answer does not follow."""
    entries = entries_of(case, name)
    if entries.size == 0 or entries.dtype.kind != "f" or not entries.any() or np.abs(entries).max() > _LARGE:
        return None
    new = copied(case)
    new[name] = like(case[name], entries * scale)
    if outside(domain, new):
        return None
    before, after = answer(copied(case)), answer(copied(new))
    if before is None or after is None or not all(is_number(leaf) for leaf in leaves(before)):
        return None
    if not any(np.any(leaf) for leaf in leaves(before)):
        return None
    follows = map_numbers(lambda leaf: leaf * scale, before)
    return new if difference(follows, after, _RTOL, 0.0) is None else None
