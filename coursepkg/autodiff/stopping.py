"""Values that are held constant, whatever route a gradient is found by.

The one idea: a route that traces values lets a constant go untraced. A route that only moves the point and looks at
values cannot see which part of ``f`` should stand still. So the first value that is stopped in a moved run makes ``f``
run once at the point itself, where everything that is stopped is written down; moved runs then read it off in the same
order.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import local
from typing import Any, Self

import numpy as np

from .traced import Traced, plain
from .trees import Tree, leaves_of, rebuild

__all__ = ["Standing", "stop_gradient"]


class _Open(local):
    """The differences that are being taken, the innermost of them, in each thread for itself."""

    current: Any = None


_open = _Open()


def stop_gradient(x: Tree) -> Tree:
    """Return ``x`` as a constant: no route to a gradient goes through it, in any nesting.

    Parameters
    ----------
    x : tree
        Traced values, arrays or numbers.

    Returns
    -------
    tree
        Plain values. What was traced comes back as a read-only array; what was plain comes back as it is. While
        :func:`~coursepkg.gradients.numeric` moves the point, it is the value at the point itself.

    Raises
    ------
    TypeError
        If x is no array and no number.
    ValueError
        Under ``numeric``, if ``f`` stops another number of values, or values of other shapes, beside the point than at
        it.

    See Also
    --------
    coursepkg.autodiff.tensor.Tensor.detach : PyTorch's method, which the plain arrays of ``numeric`` do not have.

    Examples
    --------
    >>> import numpy as np
    >>> from coursepkg.gradients import numeric, reverse
    >>> f = lambda x: np.sum(stop_gradient(x) * x)  # like c * x, where c happens to be x
    >>> x = np.array([2.0, 3.0])
    >>> reverse(f)(x), numeric(f)(x).round(6)
    (array([2., 3.]), array([2., 3.]))
    """
    if type(x) is np.ndarray and _open.current is None:
        return x
    return rebuild(x, [_held(leaf) for leaf in leaves_of(x)])


def _held(x: Any) -> Any:
    value = plain(x)
    if not isinstance(value, np.ndarray) and np.asarray(value).dtype.kind not in "biufc":
        raise TypeError(
            f"stop_gradient takes arrays and numbers, got {type(value).__name__}; a Scalar is stopped by x.data"
        )
    if _open.current is not None:
        return _open.current.stop(value)
    if isinstance(x, Traced):
        value = value.copy()
        value.flags.writeable = False
    return value


class _Written:
    """Writes down what is stopped in a run at the point."""

    def __init__(self, outer: Any) -> None:
        self.outer, self.values = outer, []  # type: ignore[var-annotated]

    def stop(self, value: Any) -> Any:
        if self.outer is not None:  # differences of differences: held by the outer ones too
            _open.current = self.outer
            try:
                value = self.outer.stop(value)
            finally:
                _open.current = self
        kept = np.array(value)
        kept.flags.writeable = False
        self.values.append(kept)
        return kept


class Standing:
    """Hold stopped values still while a point is moved: ``with standing: f(moved)``, once for each moved run.

    Parameters
    ----------
    at_the_point : callable
        Runs ``f`` where nothing is moved. It is called at most once, and only if ``f`` stops a value.
    """

    def __init__(self, at_the_point: Callable[[], Any]) -> None:
        self._at_the_point = at_the_point
        self._values: list[Any] | None = None
        self._read = 0
        self._ran = False
        self._outer: Any = None

    def __enter__(self) -> Self:
        self._outer, _open.current = _open.current, self
        self._read = 0
        return self

    def __exit__(self, kind: Any, *exception: object) -> None:
        _open.current = self._outer
        self._ran = self._ran or self._values is None
        if kind is None and self._values is not None and self._read != len(self._values):
            raise self._changed(self._read)

    def stop(self, value: Any) -> Any:
        """Return what the next value that is stopped was at the point."""
        if self._values is None:
            self._values = self._written()
            if self._ran:
                raise self._changed(0)
        if self._read >= len(self._values):
            raise self._changed(self._read + 1)
        there = self._values[self._read]
        self._read += 1
        if there.shape != np.shape(value):
            raise ValueError(
                f"f stops a value of shape {there.shape} at the point and {np.shape(value)} beside it, so differences "
                "cannot hold it constant; choose a point away from the branch"
            )
        return there

    def _written(self) -> list[Any]:
        _open.current = written = _Written(self._outer)
        try:
            self._at_the_point()
        finally:
            _open.current = self
        return written.values

    def _changed(self, count: int) -> ValueError:
        assert self._values is not None
        return ValueError(
            f"f stops {len(self._values)} values at the point and {count} beside it, so differences cannot tell "
            "which of them to hold constant; choose a point away from the branch, or call stop_gradient on each way"
        )
