"""Whether computations are recorded: the switch that ``no_grad`` turns off for a while."""

from __future__ import annotations

from contextlib import ContextDecorator
from contextvars import ContextVar, Token
from typing import Any, ClassVar, Self

__all__ = ["enable_grad", "no_grad", "recording"]

recording: ContextVar[bool] = ContextVar("recording", default=True)


class _Recording(ContextDecorator):
    """Switch recording on or off for a while."""

    on: ClassVar[bool]
    _entered: tuple[Token[bool], Any] | None = None  # the latest token, and those before it

    def __enter__(self) -> Self:
        self._entered = recording.set(self.on), self._entered
        return self

    def __exit__(self, *exception: object) -> None:
        assert self._entered is not None
        token, self._entered = self._entered
        recording.reset(token)


class no_grad(_Recording):
    """Stop recording: ``with no_grad(): w -= 0.1 * w.grad``. Also a decorator, as in PyTorch."""

    on = False


class enable_grad(_Recording):
    """Record again, inside ``no_grad``."""

    on = True
