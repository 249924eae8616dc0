"""What an optimizer must know to go on where it stopped, as plain data, and the way back from such data.

The one idea: the state is flat, one name for each number and each array, so that ``numpy.savez(path, **state)`` writes
it as it is, and JSON does after ``tolist``. What comes back from a file has lost Python's own types (a number is an
array without axes, a tuple is a list), so reading it says for each entry what it has to be.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

COUNT = "step"
"""What an entry of the memory is called that counts; every other one has the shape of its parameter, as in PyTorch."""


def plain_copy(kept: Any) -> Any:
    """A number, a list or an array of its own, which no later step can change."""
    if isinstance(kept, np.ndarray | np.generic):
        return np.array(kept)
    return [plain_copy(each) for each in kept] if isinstance(kept, tuple | list) else kept


def names_in(state: Mapping[str, Any], entry: str) -> list[str]:
    """The list of names under an entry of the state."""
    return [str(name) for name in np.atleast_1d(np.asarray(state[entry])).tolist()]


def check_owner(state: Any, kind: str, parameters: list[str]) -> None:
    """Refuse what is no state, or the state of another kind of optimizer, or of other parameters."""
    if not isinstance(state, Mapping):
        raise TypeError(f"a state is a dict as from state_dict(), got {type(state).__name__}")
    for entry in ("optimizer", "parameters"):
        if entry not in state:
            raise KeyError(
                f"this is not the state of an optimizer: it has no {entry!r} among {_listed(state)}; "
                "save what optimizer.state_dict() returns (a model has a state of its own)"
            )
    saved = str(state["optimizer"])
    if saved != kind:
        raise ValueError(
            f"the state was saved by {saved}, but this optimizer is {kind}; make {saved} and load it there"
        )
    names = names_in(state, "parameters")
    if names != parameters:
        raise KeyError(
            f"the state is for the parameters {_listed(names)}, but this optimizer moves {_listed(parameters)}; "
            "give it the same parameters in the same order"
        )


def check_names(state: Mapping[str, Any], expected: Collection[str]) -> None:
    """Refuse a state with an entry too few or too many."""
    if ("lr" in expected) != ("lr" in state):
        raise KeyError(
            "the state has no learning rate: it was saved with a schedule, which is a function and no data. "
            "Make this optimizer with the same schedule, lr=schedule; the state knows how many steps were taken"
            if "lr" in expected
            else f"the state has lr={state['lr']}, but this optimizer follows a schedule; make it with a number, "
            "and set optimizer.lr = schedule afterwards if you want to go on with one"
        )
    missing, unknown = [n for n in expected if n not in state], [n for n in state if n not in expected]
    if missing or unknown:
        problems = [f"missing: {_listed(missing)}"] * bool(missing) + [f"unknown: {_listed(unknown)}"] * bool(unknown)
        raise KeyError(f"the state does not fit this optimizer ({'; '.join(problems)}); load it as it was saved")


def setting(name: str, given: Any, present: Any) -> Any:
    """A setting (a number, a truth value, or several numbers) of the kind that the optimizer has at present."""
    array = np.asarray(given)
    if array.shape != np.shape(present):
        raise ValueError(f"{name} has shape {array.shape} in the state, but {np.shape(present)} in this optimizer")
    if array.dtype.kind not in ("b" if isinstance(present, bool) else "fiu"):
        kind = "True or False" if isinstance(present, bool) else "a number"
        raise ValueError(f"{name} must be {kind} such as {present}, got {given!r}")
    if not np.all(array >= 0):
        raise ValueError(f"{name} must not be negative, got {given!r}")
    return tuple(array.tolist()) if array.ndim else array.item()


def whole(name: str, given: Any) -> int:
    """A number of steps."""
    array = np.asarray(given)
    if array.shape or array.dtype.kind not in "iu" or array < 0:
        raise ValueError(f"{name} counts, so it must be a whole number from 0, got {given!r}")
    return int(array)


def remembered(name: str, given: Any, like: Any) -> Any:
    """An array like a parameter: a copy of its shape, dtype and kind (a float for the scalar engine)."""
    array, shape = np.asarray(given), np.shape(like)
    if array.shape == (0,) and 0 in shape:  # a list cannot say how long the axes after an empty one are
        array = array.reshape(shape)
    if array.shape != shape:
        raise ValueError(
            f"{name} has shape {array.shape} in the state, but {shape} is needed here; was it saved from another model?"
        )
    if array.dtype.kind not in "fiu":
        raise ValueError(f"{name} must hold real numbers, got dtype {array.dtype}")
    if not isinstance(like, np.ndarray):
        return float(array)
    copy = np.array(array, dtype=like.dtype)
    # Arithmetic makes a NumPy number of an array without axes, and its last bit may depend on which of the two it is.
    return copy if shape else copy[()]


def _listed(names: Collection[str]) -> str:
    return ", ".join(names) or "nothing"
