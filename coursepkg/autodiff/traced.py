"""What every traced value has in common: it stands for an array, and never turns into plain numbers in silence.

``with tracing() as bit`` opens a differentiation. An inner one always has the higher bit, so the larger mark is the
newer one. This is what keeps nested derivatives apart ("perturbation confusion": Siskind and Pearlmutter, 2005).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from threading import Lock, local
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy import ndarray

from .errors import LeavesGraphError

__all__ = ["ORDER", "Traced", "nesting", "newest", "plain", "tracing"]

ORDER = count(0, -1)
"""Numbers the steps of every tape, counting down: the newest comes first in a heap."""


class _Nesting(local):
    """The innermost differentiation that is open, in each thread for itself."""

    depth = 0


nesting = _Nesting()
OPEN: set[int] = set()
"""The differentiations that are open in any thread, because one thread may use the traced values of another."""
OPENING = Lock()


class tracing:
    """Open a new differentiation: ``with tracing() as bit`` gives the bit that marks all values which depend on it."""

    __slots__ = ("depth", "outer")

    def __enter__(self) -> int:
        with OPENING:
            depth = max(nesting.depth, *OPEN, 0) + 1
            OPEN.add(depth)
        self.outer, self.depth, nesting.depth = nesting.depth, depth, depth
        return 1 << depth

    def __exit__(self, *exception: object) -> None:
        nesting.depth = self.outer
        OPEN.discard(self.depth)


class Traced:
    """A value that knows how it changes, or where it came from.

    Attributes
    ----------
    traces : int
        The differentiations that it depends on, as bits.
    rank : int
        Which kind handles a call if the marks are equal.
    """

    __slots__ = ()
    rank: ClassVar[int] = 0
    traces: Any

    if TYPE_CHECKING:  # what arrays have, and what ``dispatch.TracedArray`` adds
        shape: Any
        dtype: Any
        ndim: Any
        size: Any

        def __len__(self) -> int: ...
        @classmethod
        def apply(cls, entry: Any, operands: Any, options: Any) -> Any: ...
        def run(self, entry: Any, operands: Any) -> Any: ...

    def _under(self) -> Any:
        """Return the value one level down: an array, or a traced value of an outer differentiation."""
        raise NotImplementedError

    # --- what would leave the graph in silence

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        raise LeavesGraphError(
            f"turning a {type(self).__name__} into a plain NumPy array would cut its gradient. Functions that do not "
            "know traced values, such as most of SciPy's, end here: use that of the same name in NumPy (np.linalg.inv) "
            "or in coursepkg.autodiff.linalg (in place of scipy.linalg) or coursepkg.autodiff.catalogue (logsumexp). "
            "For an array of traced values write np.stack([...]) instead of np.array([...]), and np.concatenate or "
            "np.where instead of a[i] = value; to leave the graph on purpose write stop_gradient(x), "
            "from coursepkg.gradients import stop_gradient"
        )

    def __float__(self) -> float:
        raise self._refusal("float(x)")

    def __int__(self) -> int:
        raise self._refusal("int(x)")

    def __complex__(self) -> complex:
        raise self._refusal("complex(x)")

    def __index__(self) -> int:
        raise self._refusal("using x as an index")

    def _refusal(self, what: str) -> LeavesGraphError:
        return LeavesGraphError(
            f"{what} on a {type(self).__name__} would cut its gradient (math.sin and its kin do this too). "
            "Write np.sin in place of math.sin and keep the value traced; to read the number on purpose write x.item()"
        )

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise LeavesGraphError(
            f"a {type(self).__name__} that belongs to a computation cannot be copied or saved with it; copy or save "
            "the plain values: x.numpy()"
        )

    def __bool__(self) -> bool:
        return bool(plain(self))

    def __setitem__(self, index: Any, value: Any) -> None:
        raise LeavesGraphError(
            f"a {type(self).__name__} cannot be written into: its old entries may be needed by the backward "
            "pass. Build a new one: np.where(mask, new, x), np.concatenate, or np.stack"
        )

    def __format__(self, spec: str) -> str:
        return format(plain(self).item(), spec) if spec and np.size(plain(self)) == 1 else str(self)

    # --- what leaves it on purpose

    def item(self) -> Any:
        """Return the single entry as a Python number, leaving the graph on purpose."""
        return plain(self).item()

    def tolist(self) -> Any:
        """Return the entries as nested lists of Python numbers, leaving the graph on purpose."""
        return plain(self).tolist()

    def detach(self) -> Any:
        """Return the value one level down, through which this differentiation sends no gradient."""
        return self._under()

    def numpy(self) -> np.ndarray:
        """Return the plain array, leaving the graph on purpose; it is read-only, because the tape may need it."""
        view = np.asarray(plain(self)).view()
        view.flags.writeable = False
        return view

    __hash__ = object.__hash__


def plain(x: Any) -> Any:
    """Return ``x`` with every traced value in it, also inside lists and tuples, replaced by its plain array."""
    while isinstance(x, Traced):
        x = x._under()
    if isinstance(x, (list, tuple)):
        parts = [plain(item) for item in x]
        return type(x)(*parts) if hasattr(x, "_fields") else type(x)(parts)
    return x


def newest(args: Sequence[Any]) -> type[Traced] | None:
    """Return the class that must handle a call: that of the newest traced argument, or None if there is none."""
    best = None
    for a in args:
        if type(a) is ndarray or not isinstance(a, Traced):
            continue
        if best is None or (type(a) is not type(best) and (a.traces, a.rank) > (best.traces, best.rank)):
            best = a
    return type(best) if best is not None else None
