"""Arguments of a case: copies that an answer may change, and whether it did."""

from __future__ import annotations

from operator import is_
from typing import Any

from coursepkg.grading.judging.arrays import np

_IMMUTABLE = frozenset({type(None), bool, int, float, complex, str})


def copied(value: Any) -> Any:
    """Arguments of a case that may be changed without changing the case."""
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, list):
        if _IMMUTABLE.issuperset(map(type, value)):  # as below, only sooner: most lists hold numbers
            return list(value)
        return [copied(item) for item in value]
    if isinstance(value, tuple):
        return tuple(copied(item) for item in value)
    if isinstance(value, dict):
        return {key: copied(item) for key, item in value.items()}
    return value


def unchanged(now: Any, before: Any) -> bool:
    """Whether arguments are still what their copies are, bit for bit.

    An answer may have put anything there. Types are compared first, so that nothing of its own is asked to compare.
    """
    if now is before:  # nothing that can be changed is shared with a copy
        return True
    if type(now) is not type(before):
        return False
    if isinstance(now, np.ndarray):
        same = now.dtype == before.dtype and now.shape == before.shape
        return bool(same and now.tobytes() == before.tobytes())
    if isinstance(now, (list, tuple)):
        if len(now) != len(before):
            return False
        return all(map(is_, now, before)) or all(map(unchanged, now, before))
    if isinstance(now, dict):
        return unchanged(list(now), list(before)) and unchanged(list(now.values()), list(before.values()))
    return bool(now == before or (now != now and before != before))
