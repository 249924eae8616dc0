"""How many references CPython counts for an array that nobody else holds, so that it may be written into or given away.

The numbers differ between versions, as some count what a running function borrows and others do not. So they are read
off here, from functions written as those that compare with them.
"""

from __future__ import annotations

from sys import getrefcount
from types import SimpleNamespace

__all__ = ["ATTRIBUTE", "IN_A_PAIR", "NAME"]


def _of_a_name() -> int:
    held = object()
    return getrefcount(held)


def _of_an_attribute() -> int:
    holder = SimpleNamespace(attribute=object())
    held = holder.attribute
    return getrefcount(held)


def _of_a_pair() -> int:
    count = 0
    for _, held in ((None, object()),):
        count = getrefcount(held)
    return count


NAME = _of_a_name()
"""What ``getrefcount(x)`` says of an object that only the local name ``x`` holds."""

ATTRIBUTE = _of_an_attribute()
"""What it says if, besides, the attribute holds it from which the name was set."""

IN_A_PAIR = _of_a_pair()
"""What it says in a loop over pairs of an object that only the pair and the loop's name hold."""
